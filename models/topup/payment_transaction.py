from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def write(self, vals):
        """Override: what a provider says later of a payment that was under way is an
        attempt that failed, too (R19.2)."""
        pending = self.browse()
        if vals.get("state") in ("cancel", "error"):
            pending = self.sudo().filtered(
                lambda payer: payer.state == "pending" and payer.operation == "offline"
            )
        res = super().write(vals)
        for order in pending.sale_order_ids:
            for topup in order.incident_topup_id:
                topup._declined(order)
        return res
