from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Override of `base`: the accounts merge before any foreign key is rewritten,
        as the merge would delete the second account of a customer (R2.2)."""
        accounts = (
            self.env["helpdesk.incident.account"]
            .sudo()
            .search([("partner_id", "in", src_partners.ids)])
        )
        customer = dst_partner.sudo().commercial_partner_id
        accounts._follow_customers(dict.fromkeys(accounts, customer))
        accounts._replace_source(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)
