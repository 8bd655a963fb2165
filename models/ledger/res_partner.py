"""Accounts follow their customers (R2.2)."""

from odoo import api, models
from odoo.exceptions import UserError


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.onchange("parent_id", "is_company")
    def _onchange_incident_customer(self):
        """Warn before an account becomes another customer's (R2.2)."""
        here, there = self._origin, self.commercial_partner_id._origin
        accounts = self.env["helpdesk.incident.account"].sudo()
        if here and there and here != there:
            accounts = accounts.search([("partner_id", "=", here.id)])
        if not accounts:
            return None
        message = self.env._(
            "%(customer)s has support incidents of its own. Once this is saved they "
            "are those of %(new)s, for good: to take the company away again does not "
            "bring them back.",
            customer=here.display_name,
            new=there.display_name,
        )
        # Only what the user may see.
        own = accounts.with_env(self.env)._filtered_access("read").sudo()
        return {
            "warning": {
                "title": self.env._("Support incidents become another customer's"),
                "message": "\n".join(
                    [message, *(account._usable_text() for account in own)]
                ),
            }
        }

    @api.ondelete(at_uninstall=False)
    def _unlink_except_incident_account(self):
        """R3.1: a statement is never deleted."""
        account = (
            self.env["helpdesk.incident.account"]
            .sudo()
            .search([("partner_id", "in", self.ids)], limit=1)
        )
        if account:
            raise UserError(
                self.env._(
                    "%(customer)s has a statement of support incidents, which is kept. "
                    "Archive the contact instead, or merge it with another one.",
                    customer=account.partner_id.display_name,
                )
            )

    def write(self, vals):
        """Override: accounts follow a contact that moves under another customer."""
        res = super().write(vals)
        if {"parent_id", "is_company"} & set(vals):
            self._incident_follow()
        if "tz" in vals:
            self._incident_forget_tz()
        return res

    def _incident_forget_tz(self):
        """The time zone of a company may have changed (R3.7)."""
        if self.sudo().ref_company_ids:
            self.env.registry.clear_cache()

    def _incident_follow(self):
        """Move the accounts of these partners to their commercial partners (R2.2)."""
        accounts = (
            self.env["helpdesk.incident.account"]
            .sudo()
            .search([("partner_id", "in", self.ids)])
        )
        accounts._follow_customers(
            {account: account.partner_id.commercial_partner_id for account in accounts}
        )

    def _incident_lock_ahead(self, company):
        """Lock the accounts of these customers, all in one order: see ``_lock_ahead``
        of the account."""
        self.env["helpdesk.incident.account"]._lock_ahead(
            (customer.id, company.id) for customer in self.sudo().commercial_partner_id
        )
