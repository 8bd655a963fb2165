from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError
from odoo.http import request


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model_create_multi
    def create(self, vals_list):
        """Override: an order may be paid by it (R8.3b), and money that is none would
        give incidents."""
        transactions = super().create(vals_list)
        if self.env.user.share:
            transactions._incident_check_offered()
        transactions._incident_paying()._incident_orders()._incident_changed()
        return transactions

    def write(self, vals):
        """Override: an order may be paid by it, or no more (R8.3b).

        Before there is an effective payment nothing is locked: whoever changes the
        state may go on to ask the provider something (R3.6).
        """
        if not {"state", "payment_id", "amount", "sale_order_ids"} & set(vals):
            return super().write(vals)
        if self:
            self.check_access("write")
        before = self._incident_paying()._incident_orders()
        self.env["helpdesk.incident.account"]._lock_ahead(before._incident_holders())
        res = super().write(vals)
        (before | self._incident_paying()._incident_orders())._incident_changed()
        return res

    def _charge_with_token(self):
        """Override for R3.6: should this request be tried again, it does not begin with
        the locks that it has taken afterwards (``ir.http``)."""
        if request:
            vars(request)["incident_asks"] = True
        return super()._charge_with_token()

    def _post_process(self):
        """Override: what follows confirms orders, and posts invoices and payments.

        Nobody confirms so that something costs nothing (R7.3)."""
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
        unattended = self.with_context(incident_unattended=True)
        res = super(PaymentTransaction, unattended)._post_process()
        self._incident_settle_added()
        return res

    def _send_invoice(self):
        """Override of `sale` for R3.6: what was posted under the lock of an account is
        printed after the commit."""
        if not self.env["helpdesk.incident.account"]._has_lock():
            return super()._send_invoice()
        # As Odoo does: so that the customer who is logged in gets it, too.
        for invoice in self.with_user(SUPERUSER_ID).invoice_ids:
            self.env["helpdesk.incident.outbox"]._put(
                invoice.with_company(invoice.company_id), "_incident_send"
            )
        return None

    def _incident_paying(self):
        """Return those of these transactions that stand for money: they, or a part that
        was captured of them, have a payment that is effective."""
        return self.sudo().filtered(
            lambda transaction: any(
                payment._incident_is_booked()
                for payment in (
                    transaction | transaction.child_transaction_ids
                ).payment_id
            )
        )

    def _incident_check_offered(self):
        """Check that whoever pays uses what the payment page offers. Core's routes take
        any provider, one that staff only tries out or another company's, and any card
        that a colleague has saved.

        This is for every transaction that a share user makes, whatever it pays for.
        Who is logged in pays with his own cards and those of his customer. Who is not
        has a link: core pays for whoever gets the bill, and shows the cards of whom the
        order is for.

        :raise UserError: if it is not on offer.
        """
        for transaction in self.sudo():
            if transaction.operation == "offline" or transaction.source_transaction_id:
                continue  # what staff, or the provider, has begun
            provider, payer = transaction.provider_id, transaction.partner_id
            orders, invoices = transaction.sale_order_ids, transaction.invoice_ids
            if self.env.user._is_public():
                holders = payer | orders.partner_id
            else:
                holders = payer | payer.commercial_partner_id
            if (
                not provider.is_published
                or provider.state == "disabled"
                or any(
                    provider.company_id not in company.parent_ids
                    for company in orders.company_id | invoices.company_id
                )
                or transaction.token_id.partner_id - holders
            ):
                raise UserError(
                    self.env._("This way to pay is not available. Choose another one.")
                )

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
