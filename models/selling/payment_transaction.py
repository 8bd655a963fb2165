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
        if self:
            self.check_access("write")
        before = self._incident_orders()
        self.env["helpdesk.incident.account"]._lock_ahead(before._incident_holders())
        res = super().write(vals)
        (before | self._incident_orders())._incident_changed()
        return res

    def _post_process(self):
        """Override: what follows confirms orders, and posts invoices and payments."""
        if self:
            self.check_access("read")
        transactions = self.sudo()
        orders = self._incident_orders() | transactions.invoice_ids._incident_sold()
        account_model = self.env["helpdesk.incident.account"]
        account_model._lock_ahead(
            orders._incident_holders()
            | account_model._holders_of(
                transactions.filtered(
                    lambda payer: payer.company_id._incident_counts_payments()
                )
            )
        )
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
