"""When a customer gets what it orders: customers can have a *when* of their own, which
is credit (R8.11)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..groups import INCIDENT_READERS, MANAGERS
from ..ledger.helpdesk_incident_described import declared
from ..ledger.helpdesk_incident_protected import REMEMBER
from .sale_order import GRANT_ON
from .sale_order_portal import BalanceShort


class ResPartner(models.Model):
    _inherit = "res.partner"

    #: Those that give credit (R14): whoever makes a contact says so, and no default.
    _incident_credit_fields = frozenset({"incident_grant_on"})

    incident_grant_on = fields.Selection(
        selection=GRANT_ON,
        string="Incidents bought are given",
        company_dependent=True,
        groups=INCIDENT_READERS,
        help="Empty for what the company has set for all customers. Before it is paid: "
        "renewals that are agreed to are confirmed and invoiced by themselves, then.",
    )

    @api.model
    def default_get(self, fields_list):
        """Override: nobody gives credit by a default of the context."""
        defaults = super().default_get(fields_list)
        for name in declared(self, "_incident_credit_fields") & set(defaults):
            del defaults[name]
        return defaults

    @api.model_create_multi
    def create(self, vals_list):
        """Override: who gives incidents before they are paid gives credit (R14)."""
        if any(vals.get("incident_grant_on") for vals in vals_list):
            self._incident_check_credit()
        return super().create(vals_list)

    def write(self, vals):
        """Override: who gives incidents before they are paid gives credit (R14)."""
        if any(
            partner.incident_grant_on != vals["incident_grant_on"]
            for partner in (self.sudo() if "incident_grant_on" in vals else ())
        ):
            self._incident_check_credit()
        return super().write(vals)

    @api.model
    def _incident_check_credit(self):
        """
        :raise AccessError: if the user is no helpdesk manager. Who merges customers
            need not be: the one that stays has what one of them had.
        """
        merging = self.env.context.get("incident_protected") is REMEMBER
        if not (self.env.su or merging or self.env.user.has_group(MANAGERS)):
            raise AccessError(
                self.env._(
                    "Only helpdesk managers may say when a customer gets its incidents."
                )
            )


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    # Also for those who may not edit contacts.
    _open_fields = frozenset({"grant_on"})

    grant_on = fields.Selection(
        selection=GRANT_ON,
        string="Incidents bought are given",
        compute="_compute_grant_on",
        inverse="_inverse_grant_on",
        help="Empty for what the company has set for all customers.",
    )

    @api.depends("partner_id", "company_id")
    def _compute_grant_on(self):
        for account in self.sudo():
            partner = account.partner_id.with_company(account.company_id)
            account.grant_on = partner.incident_grant_on

    def _inverse_grant_on(self):
        self._check_manager()
        for account in self.sudo():
            partner = account.partner_id.with_company(account.company_id)
            partner.incident_grant_on = account.grant_on


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_customer_grant_on(self):
        """Return when this order would give its incidents, confirmed now: a key of
        ``GRANT_ON``."""
        self.ensure_one()
        customer = self.sudo().partner_id.commercial_partner_id
        company = self.company_id.sudo()
        # What was agreed with the root company holds in its branches (R2.3).
        own = (
            customer.with_company(company).incident_grant_on
            or customer.with_company(company.root_id).incident_grant_on
        )
        return own or company.incident_grant_on

    def _incident_invoice_at_once(self):
        """Confirm the order and post its invoice.

        :raise BooksClosed: if a lock date forbids it.
        :return: the invoice.
        """
        self.company_id._incident_check_books(self.order_line.tax_ids)
        self._incident_give_up_transfers()
        self._validate_order()
        self._force_lines_to_invoice_policy_order()
        invoice = self._create_invoices(final=True)
        invoice.action_post()
        return invoice

    def _incident_pay_or_invoice(self):
        """Pay the order from the account balance. Where that does not suffice, and the
        order gives its incidents before it is paid, confirm it and send its invoice,
        which is to be paid later (R8.11).

        :raise BalanceShort: if it is to be paid first.
        """
        try:
            with self.env.cr.savepoint():
                self._incident_pay_from_balance()
            return
        except BalanceShort:
            self.env.invalidate_all()
            if self._incident_grant_on() == "paid":
                raise
        invoice = self._incident_invoice_at_once()
        self.env["helpdesk.incident.outbox"]._put(
            invoice.with_company(invoice.company_id), "_incident_send"
        )
