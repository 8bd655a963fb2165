"""Accounts follow their customers (R2.2)."""

from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

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
        """Bring the accounts of these partners to their commercial partners (R2.2)."""
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
