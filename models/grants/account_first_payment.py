from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..groups import INCIDENT_READERS


class HelpdeskIncidentAccount(models.Model):
    """What an account knows of its customer's first payment (R6.2)."""

    _inherit = "helpdesk.incident.account"

    first_payment = fields.Selection(
        selection=[
            ("given", "Incidents were given for it"),
            ("past", "Made before incidents were given for it"),
        ],
        readonly=True,
        groups=INCIDENT_READERS,
    )

    def _first_payment_passed(self, entering):
        """Return the accounts whose customer paid before ``entering``.

        :param entering: ``account.payment`` records that have just become effective.
        """
        if not self:
            return self
        rows = (
            self.env["account.payment"]
            .sudo()
            ._read_group(
                Domain("id", "not in", entering.ids)
                & Domain("partner_id.commercial_partner_id", "in", self.partner_id.ids)
                & Domain("company_id", "in", self.company_id.ids)
                & Domain("payment_type", "=", "inbound")
                & Domain("partner_type", "=", "customer")
                & Domain("state", "in", ("in_process", "paid"))
                & (
                    Domain("move_id", "=", False)
                    | Domain("move_id.state", "=", "posted")
                )
                & Domain("amount", ">", 0)
                # One of the others could get the grant itself, if it is free.
                & Domain("incident_first_number", "=", 0),
                ["partner_id", "company_id"],
            )
        )
        paid = {(p.commercial_partner_id.id, company.id) for p, company in rows}
        return self.filtered(lambda a: (a.partner_id.id, a.company_id.id) in paid)

    def _write_first_payment(self, value):
        if self:
            self.env.execute_query(
                SQL(
                    "UPDATE helpdesk_incident_account SET first_payment = %s "
                    "WHERE id IN %s",
                    value,
                    tuple(self.ids),
                )
            )
            self.invalidate_recordset(["first_payment"], flush=False)

    def _merge_references(self, others):
        """Override to remember that the incidents were given to one of them (R2.2)."""
        states = (self | others).mapped("first_payment")
        for value in ("given", "past"):
            if value in states:
                self._write_first_payment(value)
                break
        return super()._merge_references(others)
