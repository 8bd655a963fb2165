"""Whether a customer may pay later what its tickets lack (R18.4)."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain

from ..groups import INCIDENT_READERS, MANAGERS
from ..ledger.helpdesk_incident_protected import REMEMBER
from ..selling.partner_settle import TO_PAY

#: Who sets them gives credit.
LIMIT = ("incident_overage_own", "incident_overage_limit")
#: What was agreed with a customer about paying later.
PAID_LATER = (*LIMIT, "incident_overage_by_mail")
#: More than anybody owes for a month.
MAX_LIMIT = 1e12


class ResPartner(models.Model):
    _inherit = "res.partner"

    _incident_credit_fields = frozenset(PAID_LATER)

    incident_overage_own = fields.Boolean(
        string="Own limit for what is paid later",
        company_dependent=True,
        groups=INCIDENT_READERS,
        help="Otherwise the limit is what the company has set for all customers.",
    )
    incident_overage_limit = fields.Float(
        string="Limit for each month",
        digits="Account",
        company_dependent=True,
        groups=INCIDENT_READERS,
        help="How much this customer may buy in a calendar month to pay it later, "
        "taxes included. 0: nothing.",
    )
    incident_overage_by_mail = fields.Boolean(
        string="Pays later for tickets by e-mail",
        company_dependent=True,
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
        help="The customer has allowed it in the client area, and can undo it there.",
    )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: who lets customers pay later gives credit (R14)."""
        for vals in vals_list:
            self._incident_check_overage(
                {name: value for name, value in vals.items() if value}
            )
        return super().create(vals_list)

    def write(self, vals):
        """Override: who lets customers pay later gives credit (R14)."""
        names = set(PAID_LATER) & set(vals)
        self._incident_check_overage(
            {
                name: vals[name]
                for name in names
                if any(partner[name] != vals[name] for partner in self.sudo())
            }
        )
        return super().write(vals)

    @api.model
    def _incident_check_overage(self, changed):
        """
        :param dict changed: the values of fields that change.
        :raise AccessError: if the user is no helpdesk manager, or says for a customer
            what only the customer can say.
        :raise ValidationError: if there cannot be such a limit.
        """
        merging = self.env.context.get("incident_protected") is REMEMBER
        if "incident_overage_by_mail" in changed and not merging:
            raise AccessError(
                self.env._(
                    "Only customers can allow that tickets by e-mail are paid later: "
                    "in their client area."
                )
            )
        if not set(LIMIT) & set(changed):
            return
        if not (self.env.su or merging or self.env.user.has_group(MANAGERS)):
            raise AccessError(
                self.env._("Only helpdesk managers may say how much is paid later.")
            )
        limit = changed.get("incident_overage_limit") or 0
        if not (isinstance(limit, (int, float)) and 0 <= limit <= MAX_LIMIT):
            raise ValidationError(
                self.env._("A limit for what is paid later is an amount, 0 or more.")
            )

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_overage_limit_in(self, company):
        """Return how much this customer may buy in a month to pay it later (R18.4).

        :param company: of the ticket; what was agreed with the root company holds in
            its branches, too (R2.3).
        :return: in the currency of the company.
        :rtype: float
        """
        customer = self.sudo().commercial_partner_id
        company = company.sudo()
        for place in (company, company.root_id):
            partner = customer.with_company(place)
            if partner.incident_overage_own:
                return partner.incident_overage_limit
        return company.incident_overage_limit

    def _incident_overage_agreed_by_mail(self, company):
        """Return whether this customer has allowed that tickets by e-mail are paid
        later (R18.4), at a company and its branches: they have one account (R2.3)."""
        return self._incident_overage_at_root(company).incident_overage_by_mail

    def _incident_agree_overage_by_mail(self, company, agreed):
        """Note what this customer says of tickets by e-mail, in the portal; its history
        says who has said so, and when."""
        customer = self._incident_overage_at_root(company)
        if customer.incident_overage_by_mail == agreed:
            return
        customer.with_context(incident_protected=REMEMBER).write(
            {"incident_overage_by_mail": agreed}
        )
        customer._message_log(
            body=self.env._(
                "Allowed in the client area: what tickets by e-mail lack is sold, to "
                "be paid later."
            )
            if agreed
            else self.env._(
                "Allowed no longer, in the client area: that what tickets by e-mail "
                "lack is sold, to be paid later."
            )
        )

    def _incident_overage_at_root(self, company):
        customer = self.sudo().commercial_partner_id
        return customer.with_company(company.sudo().root_id)

    def _incident_overdue_invoices(self, company):
        """Return the journal items of the invoices that this customer has not paid
        though they are due for more days than the company allows (R18.4).

        :return: ``account.move.line`` records with superuser rights.
        """
        days = company.sudo().incident_overage_overdue_days
        before = company._incident_today() - timedelta(days=days)
        return self._incident_find_open(
            company, TO_PAY & Domain("date_maturity", "<", before)
        )

    def _incident_overage_obstacle(self, company, overage):
        """Return why this customer cannot pay later what a ticket lacks (R18.2, R18.4):
        for staff.

        :param company: of the ticket.
        :param Overage overage: what it lacks; None if it cannot be sold.
        :return: a sentence, empty if nothing is in the way.
        :rtype: str
        """
        if not overage:
            return self.env._(
                "There is no product for what is paid later, or it has no price: see "
                "the settings."
            )
        customer, currency = self.commercial_partner_id, company.currency_id
        account = self.env["helpdesk.incident.account"]._of(customer, company)
        if account.lifetime_balance < 0:
            return self.env._("The customer is below zero.")
        limit = self._incident_overage_limit_in(company)
        if currency.compare_amounts(limit, 0) <= 0:
            return self.env._("The customer may pay nothing later.")
        today = company._incident_today()
        orders = self.env["sale.order"]
        before = orders._incident_overage_sum(customer, company, today)
        total = overage.order._incident_total_on(today)
        if currency.compare_amounts(before + total, limit) > 0:
            return self.env._(
                "It costs %(total)s, and %(before)s of the %(limit)s that the customer "
                "may pay later this month are used.",
                total=currency.format(total),
                before=currency.format(before),
                limit=currency.format(limit),
            )
        overdue = customer._incident_overdue_invoices(company)
        if overdue:
            return self.env._(
                "Invoices of the customer are overdue: %(invoices)s.",
                invoices=", ".join(overdue.move_id.sorted("id").mapped("name")),
            )
        return ""


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    _open_fields = frozenset({"overage_own", "overage_limit"})
    _internal_fields = frozenset({"overage_currency_id"})

    overage_own = fields.Boolean(
        string="Own limit for what is paid later",
        compute="_compute_overage_own",
        inverse="_inverse_overage",
        help="Otherwise the limit is what the company has set for all customers.",
    )
    overage_limit = fields.Monetary(
        string="Paid later, each month",
        compute="_compute_overage_limit",
        inverse="_inverse_overage",
        help="How much this customer may buy in a calendar month to pay it later, "
        "taxes included. 0: nothing.",
    )
    overage_used = fields.Monetary(
        string="Of that, this month",
        compute="_compute_overage_used",
    )
    overage_by_mail = fields.Boolean(
        string="Also for tickets by e-mail",
        compute="_compute_overage_used",
        help="The customer has allowed it in the client area, and can undo it there.",
    )

    @api.depends("partner_id", "company_id")
    def _compute_overage_own(self):
        for account in self.sudo():
            partner = account.partner_id.with_company(account.company_id)
            account.overage_own = partner.incident_overage_own

    @api.depends("partner_id", "company_id")
    def _compute_overage_limit(self):
        for account in self.sudo():
            account.overage_limit = account.partner_id._incident_overage_limit_in(
                account.company_id
            )

    @api.depends("partner_id", "company_id")
    def _compute_overage_used(self):
        orders = self.env["sale.order"]
        for account in self.sudo():
            customer, company = account.partner_id, account.company_id
            agreed = customer._incident_overage_agreed_by_mail(company)
            account.overage_by_mail = agreed
            account.overage_used = orders._incident_overage_sum(
                customer, company, company._incident_today()
            )

    def _inverse_overage(self):
        self._check_manager()
        for account in self.sudo():
            own = account.overage_own
            account.partner_id.with_company(account.company_id).write(
                {
                    "incident_overage_own": own,
                    "incident_overage_limit": account.overage_limit if own else 0,
                }
            )
