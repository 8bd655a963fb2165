from odoo import models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _create_payments(self):
        """Override: the orders that are paid by it are looked at after the payment got
        its number, and their accounts are locked before (R3.6)."""
        self.line_ids.move_id._incident_sold()._incident_lock_ahead()
        return super()._create_payments()
