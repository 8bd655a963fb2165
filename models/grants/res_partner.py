"""Customers who become clients (R6.1)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..groups import INCIDENT_READERS
from ..ledger.account_settle import Cause


class ResPartner(models.Model):
    _inherit = "res.partner"

    incident_can_register = fields.Boolean(
        compute="_compute_incident_can_register", groups=INCIDENT_READERS
    )

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
                and not account_model._of(customer, company)._is_registered()
            )

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

    def _incident_portal_users(self, company):
        """Return the portal users that this customer has or had in ``company``, its
        root company or a branch (R2.3)."""
        self.ensure_one()
        users = (
            self.env["res.users"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("partner_id", "child_of", self.id),
                    ("company_ids", "child_of", company.sudo().root_id.ids),
                    ("share", "=", True),
                ]
            )
        )
        return users.filtered(
            lambda user: user.partner_id.commercial_partner_id == self
        )

    def _incident_register(self, company):
        """Give the incidents for new clients, once for ever (R6.1).

        :return: the number of entries written.
        """
        self.ensure_one()
        account_model = self.env["helpdesk.incident.account"]
        account_model._of(self, company, create=True)._lock()
        return account_model._settle(self._incident_registration(company, source=self))

    def _incident_registration(self, company, source):
        """Return the cause that a new client is, none if it was one before. The account
        is open and locked.

        :param source: the contact that has made it a client.
        :rtype: list[Cause]
        """
        account = self.env["helpdesk.incident.account"]._of(self, company)
        if account._is_registered():
            return []
        return [
            Cause(
                account=account,
                key=f"registration:{account.id}",
                target=company.sudo().incident_registration_quantity,
                kind="registration",
                name=account._in_customer_language().env._("Welcome"),
                source=source,
            )
        ]
