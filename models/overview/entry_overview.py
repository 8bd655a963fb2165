"""What a statement in the provider's area says of entries, beside what they keep."""

from odoo import api, fields, models
from odoo.tools import SQL


class HelpdeskIncidentEntry(models.Model):
    _inherit = "helpdesk.incident.entry"

    balance = fields.Integer(
        compute="_compute_balance",
        help="What the customer held after it, of all kinds.",
    )
    actor = fields.Char(
        string="By",
        compute="_compute_actor",
        help="Who has done it; “automatic” is what follows from time or documents.",
    )

    def _compute_balance(self):
        balances = {}
        if self.ids:
            self.check_access("read")
            balances = dict(
                self.env.execute_query(
                    SQL(
                        """
                        SELECT id, balance
                          FROM (SELECT id, SUM(quantity) OVER
                                       (PARTITION BY account_id ORDER BY date, id)
                                       AS balance
                                  FROM helpdesk_incident_entry
                                 WHERE account_id IN %s) entry
                         WHERE id IN %s
                        """,
                        tuple(self.account_id.ids),
                        tuple(self.ids),
                    )
                )
            )
        for entry in self:
            entry.balance = balances.get(entry.id, 0)

    @api.depends("user_id")
    @api.depends_context("lang")
    def _compute_actor(self):
        for entry in self:
            user = entry.user_id.sudo()
            entry.actor = (
                self.env._("automatic")
                if user._is_superuser() or user._is_public()
                else user.name
            )
