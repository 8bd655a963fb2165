from odoo import models
from odoo.fields import Domain


class ResPartner(models.Model):
    """Money that has come settles charges before all else (R10.2)."""

    _inherit = "res.partner"

    def write(self, vals):
        """Override for R18.5: a contact that moves under another customer takes no
        question along."""
        res = super().write(vals)
        if {"parent_id", "is_company"} & set(vals):
            self.env["helpdesk.ticket.proposal"]._review(
                Domain("ticket_id.partner_id", "child_of", self.ids)
            )
        return res

    def _incident_open_items(self, company):
        """Override: first what is open of charges."""
        items = super()._incident_open_items(company)
        charged = items.filtered("move_id.ticket_charge_id")
        return charged | items

    def _incident_settled_domain(self):
        """Override to add charges."""
        return super()._incident_settled_domain() | Domain(
            "move_id.ticket_charge_id", "!=", False
        )

    def _incident_settle_open(self, company, credits=None, invoices=None):
        """Override to tell it in the tickets (R10.4)."""
        settled = super()._incident_settle_open(
            company, credits=credits, invoices=invoices
        )
        for invoice in settled:
            if invoice.ticket_charge_id:
                charge = invoice.ticket_charge_id.with_env(self.sudo().env)
                charge._log(self.env._("Settled"), invoice)
        return settled
