from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def write(self, vals):
        """Override: a payment is effective while its journal entry is posted (R1)."""
        res = super().write(vals)
        if "state" in vals:
            self.origin_payment_id._incident_changed()
        return res
