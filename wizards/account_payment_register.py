from odoo import models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _create_payments(self):
        """Override: the orders that are paid by it are looked at after the payment got
        its number, and their accounts are locked before (R3.6), with those at which the
        payments count."""
        items = self.line_ids
        self.env["helpdesk.incident.account"]._lock_ahead(
            items.move_id._incident_sold()._incident_holders()
            | {
                (item.partner_id.commercial_partner_id.id, item.company_id.id)
                for item in items
                if item.company_id._incident_counts_payments()
            }
        )
        return super()._create_payments()
