"""What was paid for incidents, and when: what accountants go by (R12.4)."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL


class Paid(NamedTuple):
    """What an order line has paid for by now in one allotment."""

    #: the ``sale.order.line``
    line: models.BaseModel
    #: the cause of the period allotment, None for the lifetime one
    cause_key: str | None
    #: incidents, those that staff have withdrawn included
    quantity: int
    #: of these, what staff have withdrawn and nobody has paid back (R9.8)
    withdrawn: int
    #: what was paid for them without tax, in company currency
    amount: float


class HelpdeskIncidentPurchase(models.Model):
    """A change of what an order line has paid for in one allotment (R12.4).

    The ledger knows what was granted and used, but not at which price, and nothing of
    months that have not begun. These rows do: their sums up to any day say what had
    been paid for by then. They are written as entries are: the difference to what
    should be there by now, under the lock of the account, and never changed (R3.1).
    """

    _name = "helpdesk.incident.purchase"
    _inherit = "helpdesk.incident.ledger"
    _description = "Support Incidents Paid For"
    _order = "date desc, id desc"

    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Order Line",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    allotment_id = fields.Many2one(
        comodel_name="helpdesk.incident.allotment",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="allotment_id.account_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(
        required=True,
        readonly=True,
        help="The day on which it happened, in the time zone of the company.",
    )
    quantity = fields.Integer(
        string="Incidents", required=True, readonly=True, default=0
    )
    withdrawn = fields.Integer(
        required=True,
        readonly=True,
        default=0,
        help="Incidents of cancelled subscriptions that were not paid back.",
    )
    amount = fields.Monetary(
        string="Paid without tax", required=True, readonly=True, default=0
    )

    _line_idx = models.Index("(sale_line_id, allotment_id)")

    @api.model
    def _incident_remember(self, paid):
        """Write the difference between what lines have paid for by now and what is
        written. Twice changes nothing.

        :param list[Paid] paid: all allotments of each line, which exist; the accounts
            of the lines are locked.
        """
        if not paid:
            return
        today = {
            company: company._incident_today()
            for company in self.env["sale.order.line"]
            .union(*(row.line for row in paid))
            .company_id
        }
        self.env.execute_query(
            SQL(
                """
                INSERT INTO helpdesk_incident_purchase
                       (sale_line_id, allotment_id, date, quantity, withdrawn, amount,
                        create_uid, create_date, write_uid, write_date)
                SELECT v.line_id, m.id, v.day, v.quantity - s.quantity,
                       v.withdrawn - s.withdrawn, v.amount - s.amount,
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM unnest(%(lines)s::int[], %(accounts)s::int[],
                              %(keys)s::varchar[], %(days)s::date[],
                              %(quantities)s::int[], %(withdrawn)s::int[],
                              %(amounts)s::numeric[])
                       WITH ORDINALITY AS v(line_id, account_id, cause_key, day,
                                            quantity, withdrawn, amount, position)
                  JOIN helpdesk_incident_allotment m
                    ON m.id = COALESCE(
                       (SELECT id FROM helpdesk_incident_allotment
                         WHERE cause_key = v.cause_key),
                       (SELECT id FROM helpdesk_incident_allotment
                         WHERE account_id = v.account_id AND kind = 'lifetime'
                           AND v.cause_key IS NULL)),
                       LATERAL (
                    SELECT COALESCE(SUM(quantity), 0) AS quantity,
                           COALESCE(SUM(withdrawn), 0) AS withdrawn,
                           COALESCE(SUM(amount), 0) AS amount
                      FROM helpdesk_incident_purchase
                     WHERE sale_line_id = v.line_id AND allotment_id = m.id) s
                 WHERE (v.quantity, v.withdrawn, v.amount)
                       <> (s.quantity, s.withdrawn, s.amount)
                 ORDER BY v.position
                """,
                lines=[row.line.id for row in paid],
                accounts=[row.line.incident_account_id.id for row in paid],
                keys=[row.cause_key for row in paid],
                days=[today[row.line.company_id] for row in paid],
                quantities=[row.quantity for row in paid],
                withdrawn=[row.withdrawn for row in paid],
                amounts=[str(row.amount) for row in paid],
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _spread(self, line, amount, parts):
        """Return what a line has paid for by now: ``amount``, spread evenly over its
        incidents, to the cent (R12.4). Value without incidents (any more) is booked on
        the first part: it is earned, or lost.

        :param amount: in company currency, without tax.
        :param parts: cause key, incidents and withdrawn incidents of each allotment,
            in the order of time.
        :rtype: list[Paid]
        """
        currency = line.company_id.currency_id
        total = sum(quantity for _key, quantity, _withdrawn in parts)
        amount = currency.round(amount)
        paid, passed, spent = [], 0, 0
        for key, quantity, withdrawn in parts:
            passed += quantity
            share = currency.round(amount * passed / total) if total else amount
            part = currency.round(share - spent)
            paid.append(Paid(line, key, quantity, withdrawn, part))
            spent = share
        return paid


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _merge_references(self, others):
        """Override for R2.2: what was paid for lifetime incidents."""
        res = super()._merge_references(others)
        self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_purchase p SET allotment_id = %s
                  FROM helpdesk_incident_allotment m
                 WHERE m.id = p.allotment_id AND m.kind = 'lifetime'
                   AND m.account_id IN %s
                """,
                self._lifetime().id,
                tuple(others.ids),
            )
        )
        self.env["helpdesk.incident.purchase"].invalidate_model(flush=False)
        return res
