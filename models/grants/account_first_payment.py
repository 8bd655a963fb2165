from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...fields import EFFECTIVE
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

    def _largest_before(self, entering):
        """Return the largest amount, in company currency, that customers paid at once
        before ``entering``.

        :param entering: ``account.payment`` records that have just become effective.
        :return: by account, for those whose customer paid anything.
        :rtype: dict[recordset, float]
        """
        if not self:
            return {}
        rows = (
            self.env["account.payment"]
            .sudo()
            ._read_group(
                Domain("id", "not in", entering.ids)
                & Domain("partner_id.commercial_partner_id", "in", self.partner_id.ids)
                & Domain("company_id", "child_of", self.company_id.ids)
                & Domain("payment_type", "=", "inbound")
                & Domain("partner_type", "=", "customer")
                & Domain("state", "in", EFFECTIVE)
                & (
                    Domain("move_id", "=", False)
                    | Domain("move_id.state", "=", "posted")
                )
                & Domain("amount", ">", 0)
                # One of the other payments could get the grant itself, if no payment
                # holds it.
                & Domain("incident_first_number", "=", 0),
                ["partner_id", "company_id"],
                ["amount_company_currency_signed:max"],
            )
        )
        accounts = {(a.partner_id.id, a.company_id.id): a for a in self}
        largest = {}
        for partner, company, amount in rows:
            holder = partner.commercial_partner_id.id, company.root_id.id
            account = accounts.get(holder)
            if account:
                largest[account] = max(amount or 0, largest.get(account, 0))
        return largest

    def _incident_remember(self, first_payment):
        """Write what a payment says of its account."""
        self._write_first_payment(first_payment)

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
