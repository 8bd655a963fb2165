from odoo import api, models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model_create_multi
    def create(self, vals_list):
        """Override: an order may be paid by it (R8.3b)."""
        transactions = super().create(vals_list)
        transactions._incident_orders()._incident_changed()
        return transactions

    def write(self, vals):
        """Override: an order may be paid by it, or no more (R8.3b)."""
        if not {"state", "payment_id", "amount", "sale_order_ids"} & set(vals):
            return super().write(vals)
        self.check_access("write")
        before = self._incident_orders()
        before._incident_lock_ahead()
        res = super().write(vals)
        (before | self._incident_orders())._incident_changed()
        return res

    def _post_process(self):
        """Override: what follows confirms orders, and posts payments of them."""
        self.check_access("read")
        self._incident_orders()._incident_lock_ahead()
        return super()._post_process()

    def _incident_orders(self):
        """Return the orders that these transactions pay for, or pay back."""
        transactions = self.sudo()
        return (
            transactions.sale_order_ids
            | transactions.source_transaction_id.sale_order_ids
        )

    def _incident_payments(self):
        """Return the payments of those of these transactions that are done, and of what
        was captured of them in parts."""
        parts = self.child_transaction_ids.filtered(
            lambda child: child.operation != "refund"
        )
        done = (self | parts).filtered(lambda transaction: transaction.state == "done")
        return done.payment_id
