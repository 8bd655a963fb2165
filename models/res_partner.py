from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..fields import WholeNumber
from .helpdesk_incident_settle import Cause

#: Staff who may see what customers hold (R14); portal users have their own pages.
INCIDENT_READERS = "helpdesk_paid_support.group_incident_reader"


class ResPartner(models.Model):
    _inherit = "res.partner"

    incident_account_ids = fields.One2many(
        comodel_name="helpdesk.incident.account",
        inverse_name="partner_id",
        string="Support incident accounts",
        readonly=True,
        groups=INCIDENT_READERS,
    )
    # R7.1. All contacts of a customer show the account of the customer (R2.1).
    incident_lifetime_granted = WholeNumber(
        string="Maximum number of support incidents",
        compute="_compute_incidents",
        inverse="_inverse_incident_lifetime_granted",
        groups=INCIDENT_READERS,
        help="All lifetime incidents ever given, less those taken back. "
        "A change is written to the statement as an adjustment.",
    )
    incident_lifetime_used = fields.Integer(
        string="Incidents usage",
        compute="_compute_incidents",
        groups=INCIDENT_READERS,
        help="Lifetime incidents used over the whole time.",
    )
    incident_lifetime_balance = fields.Integer(
        string="Lifetime incidents left",
        compute="_compute_incidents",
        groups=INCIDENT_READERS,
    )
    incident_period_balance = fields.Integer(
        string="Period incidents now",
        compute="_compute_incidents",
        groups=INCIDENT_READERS,
    )
    incident_available = fields.Integer(
        string="Available incidents",
        compute="_compute_incidents",
        groups=INCIDENT_READERS,
        help="What tickets of this customer can use today.",
    )
    incident_can_register = fields.Boolean(
        compute="_compute_incident_can_register", groups=INCIDENT_READERS
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_incidents(self):
        none = self.env["helpdesk.incident.account"]
        holders = {
            partner: (partner.commercial_partner_id._origin.id, self.env.company.id)
            for partner in self
        }
        accounts = none._find(holders.values())
        for partner, holder in holders.items():
            account = accounts.get(holder, none)
            partner.incident_lifetime_granted = account.lifetime_granted
            partner.incident_lifetime_used = account.lifetime_used
            partner.incident_lifetime_balance = account.lifetime_balance
            partner.incident_period_balance = account.period_balance
            partner.incident_available = account.available

    @api.depends_context("company")
    def _compute_incident_can_register(self):
        """R6.1: whether “Register as client” would give anything."""
        company = self.env.company
        account_model = self.env["helpdesk.incident.account"]
        for partner in self:
            customer = partner._origin.commercial_partner_id
            partner.incident_can_register = bool(
                company.sudo().incident_registration_quantity
                and customer
                and not customer._incident_portal_users(company)
                and not account_model._of(customer, company)._has_entry("registration")
            )

    def _inverse_incident_lifetime_granted(self):
        """R7.1: write the difference as an adjustment."""
        account_model = self.env["helpdesk.incident.account"]
        maxima = {partner: partner.incident_lifetime_granted for partner in self}
        self._incident_lock_ahead(self.env.company)
        for partner, maximum in maxima.items():
            account = account_model._of(partner, self.env.company)
            if maximum == account.lifetime_granted:
                continue
            if partner != partner.commercial_partner_id:
                # A new contact of a customer would bring the number that its form
                # has shown, and undo what was given since.
                raise UserError(
                    self.env._(
                        "%(contact)s shares the incidents of %(customer)s: change "
                        "their number there.",
                        contact=partner.name,
                        customer=partner.commercial_partner_id.display_name,
                    )
                )
            account_model._check_manager()
            account = account_model._of(partner, self.env.company, create=True)
            account._adjust_to(maximum)

    def action_view_incidents(self):
        """Open the incident account of the customer in the current company.

        Without one, managers get the wizard that gives the first incidents.
        """
        self.ensure_one()
        self.check_access("read")
        account_model = self.env["helpdesk.incident.account"]
        account_model.check_access("read")
        account = account_model._of(self, self.env.company)
        if account:
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Support Incidents"),
                "res_model": account._name,
                "res_id": account.id,
                "views": [(False, "form")],
            }
        manager = self.env.user.has_group("helpdesk_mgmt.group_helpdesk_manager")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_adjust_action"
            if manager
            else "helpdesk_paid_support.helpdesk_incident_account_action"
        )
        if manager:
            return {**action, "context": {"default_partner_ids": self.ids}}
        return {
            **action,
            "domain": [("partner_id", "=", self.commercial_partner_id.id)],
        }

    # ------------------------------------------------------------------
    # New clients (R6.1)
    # ------------------------------------------------------------------

    def action_incident_register(self):
        """Register customers without a portal user as clients of the current company.

        :raise AccessError: if the user is no helpdesk user.
        :raise UserError: if the company gives nothing to new clients, or the customer
            is a client already.
        """
        if not self.env.user.has_group("helpdesk_mgmt.group_helpdesk_user_own"):
            raise AccessError(
                self.env._("Only helpdesk users may register a customer as a client.")
            )
        company = self.env.company
        if not company.sudo().incident_registration_quantity:
            raise UserError(
                self.env._(
                    "%(company)s gives no incidents to new clients. A helpdesk manager "
                    "can change that in the settings, block “Paid support”.",
                    company=company.name,
                )
            )
        self.check_access("read")
        self._incident_lock_ahead(company)
        for customer in self.sudo().commercial_partner_id:
            if customer._incident_portal_users(company):
                raise UserError(
                    self.env._(
                        "%(customer)s has a portal user, and is a client already.",
                        customer=customer.display_name,
                    )
                )
            if not customer._incident_register(company):
                raise UserError(
                    self.env._(
                        "%(customer)s was registered as a client before: the incidents "
                        "for new clients are given once.",
                        customer=customer.display_name,
                    )
                )

    def _incident_lock_ahead(self, company):
        """Lock the accounts of these customers, all in one order: see ``_lock_ahead``
        of the account."""
        self.env["helpdesk.incident.account"]._lock_ahead(
            (customer.id, company.id) for customer in self.sudo().commercial_partner_id
        )

    def _incident_portal_users(self, company):
        """Return the portal users that this customer has or had in ``company``."""
        self.ensure_one()
        users = (
            self.env["res.users"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("partner_id", "child_of", self.id),
                    ("company_ids", "in", company.ids),
                    ("share", "=", True),
                ]
            )
        )
        return users.filtered(
            lambda user: user.partner_id.commercial_partner_id == self
        )

    def _incident_register(self, company, source=None):
        """Give the incidents for new clients, once for ever (R6.1).

        :return: the number of entries written.
        """
        self.ensure_one()
        account_model = self.env["helpdesk.incident.account"]
        account = account_model._of(self, company, create=True)
        account._lock()
        if account._has_entry("registration"):
            return 0
        return account_model._settle(
            [
                Cause(
                    account=account,
                    key=f"registration:{account.id}",
                    target=company.sudo().incident_registration_quantity,
                    kind="registration",
                    name=account._in_customer_language().env._("Welcome"),
                    source=source or self,
                )
            ]
        )

    # ------------------------------------------------------------------
    # Moving (R2.2)
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override: accounts follow a contact that moves under another customer (R2.2),
        and what waits for incidents waits for those of that one (R11.3)."""
        moving = {"parent_id", "is_company"} & set(vals)
        waiting = self._incident_waiting() if moving else {}
        res = super().write(vals)
        if moving:
            self._incident_follow()
        for ticket, holder in waiting.items():
            if ticket._incident_holder() != holder:
                ticket._incident_review_hold(holder)
        if "tz" in vals:
            self._incident_forget_tz()
        return res

    def _incident_forget_tz(self):
        """The time zone of a company may have changed (R3.7)."""
        if self.sudo().ref_company_ids:
            self.env.registry.clear_cache()

    def _incident_waiting(self):
        """Return the tickets of these partners, and of who is below them, that wait for
        incidents, and whose they wait for.

        :return: the customer and the company, by ticket.
        :rtype: dict[recordset, tuple]
        """
        tickets = (
            self.env["helpdesk.ticket"]
            .sudo()
            .search(
                [
                    ("partner_id", "child_of", self.ids),
                    ("incident_hold", "=", "parked"),
                ],
                order="id",
            )
        )
        return {ticket: ticket._incident_holder() for ticket in tickets}

    def _incident_follow(self):
        """Bring the accounts of these partners to their commercial partners (R2.2)."""
        accounts = (
            self.env["helpdesk.incident.account"]
            .sudo()
            .search([("partner_id", "in", self.ids)])
        )
        accounts._follow_customers(
            {account: account.partner_id.commercial_partner_id for account in accounts}
        )

    # ------------------------------------------------------------------
    # Client area
    # ------------------------------------------------------------------

    def _can_be_edited_by_current_customer(self, **kwargs):
        """Override of `portal`: the addresses of a subsidiary that is a customer of its
        own are its own (R11.6)."""
        customer = self._get_current_partner(**kwargs).commercial_partner_id
        return (
            super()._can_be_edited_by_current_customer(**kwargs)
            and self.commercial_partner_id == customer
        )
