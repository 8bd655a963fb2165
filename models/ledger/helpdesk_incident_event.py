"""What has happened to accounts, for other programs: automation rules, webhooks, and
add-ons that override ``create``. Off, unless the system parameter says otherwise."""

import logging
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: The system parameter that switches events on.
PARAMETER = "helpdesk_paid_support.events"
#: Where a transaction notes that events follow it.
NOTED = "helpdesk_paid_support.events"
#: An event that is older is deleted.
KEPT_DAYS = 30


class HelpdeskIncidentEvent(models.Model):
    """Incidents of one account that have moved in one transaction, for one reason.

    It is made right after that transaction was committed, in one of its own: whatever
    goes wrong there touches the ledger no more. So an event is lost if the server is
    killed in between; who must miss none compares with the entries, which are for good.
    """

    _name = "helpdesk.incident.event"
    _description = "Support Incident Event"
    _order = "id desc"

    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="account_id.company_id")
    kind = fields.Char(
        required=True, readonly=True, help="The kind of its entries (technical name)."
    )
    quantity = fields.Integer(
        string="Incidents",
        readonly=True,
        help="Above zero what came in, below zero what went out.",
    )
    balance_before = fields.Integer(readonly=True)
    balance_after = fields.Integer(
        readonly=True, help="What the account held then, of all kinds."
    )
    res_model = fields.Char(string="Source Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Source", model_field="res_model", readonly=True
    )
    entry_id = fields.Many2one(
        comodel_name="helpdesk.incident.entry",
        string="Last Entry",
        required=True,
        readonly=True,
        ondelete="cascade",
    )

    @api.model
    def _note(self):
        """Let events follow the commit of this transaction, if they are switched on.
        Called before it writes its first entry."""
        cr = self.env.cr
        if NOTED in cr.prerollback.data:
            return
        cr.prerollback.data[NOTED] = True
        if not self.env["ir.config_parameter"].sudo().get_param(PARAMETER):
            return
        cr.execute("SELECT last_value FROM helpdesk_incident_entry_id_seq")
        [last] = cr.fetchone()
        registry, now = self.env.registry, cr.now()
        cr.postcommit.add(lambda: _follow(registry, last, now))

    @api.model
    def _make(self, last, now):
        """Make the events of a transaction.

        :param int last: the last entry that there was before; ``now`` is the time by
            which its own are known.
        """
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT account_id, kind, res_model, res_id, quantity, entry_id,
                       (SELECT SUM(e.quantity)::int FROM helpdesk_incident_entry e
                         WHERE e.account_id = own.account_id AND e.id <= own.entry_id)
                       AS balance_after
                  FROM (SELECT account_id, kind, res_model, res_id,
                               SUM(quantity)::int AS quantity, MAX(id) AS entry_id
                          FROM helpdesk_incident_entry
                         WHERE id > %s AND create_date = %s
                         GROUP BY account_id, kind, res_model, res_id) own
                 ORDER BY entry_id
                """,
                last,
                now,
            )
        )
        return self.create(
            [
                {**row, "balance_before": row["balance_after"] - row["quantity"]}
                for row in rows
            ]
        )

    @api.autovacuum
    def _gc_events(self):
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search([("create_date", "<", limit)], limit=10_000).unlink()


def _follow(registry, last, now):
    try:
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["helpdesk.incident.event"]._make(last, now)
    # What moved the incidents is committed: nothing must seem to have gone wrong.
    except Exception:
        _logger.exception("Nobody was told of entries after %s", last)
