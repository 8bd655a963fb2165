"""Orders that are paid with a payment method that the customer has saved (R9.7, R11.2).

What the provider of payments is asked is committed first: killed afterwards, the same
transaction is asked for again, and providers charge it once. An order may have several
of them, of two forms, say: whoever asks has the order meanwhile, and looks then whether
it still waits for its payment.
"""

from odoo import models
from odoo.fields import Command
from odoo.tools import SQL


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_token(self, partners):
        """Return the payment method that can pay this order: the one used last.

        :param partners: whose saved ones may be used.
        """
        providers = (
            self.env["payment.provider"]
            .sudo()
            ._get_compatible_providers(
                self.company_id.id,
                self.partner_id.id,
                self.amount_total,
                currency_id=self.currency_id.id,
                sale_order_id=self._origin.id,
            )
        )
        tokens = (
            self.env["payment.token"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", partners.ids),
                    ("provider_id", "in", providers.ids),
                    ("provider_id.capture_manually", "=", False),
                    ("payment_method_id.active", "=", True),
                ]
            )
        )
        return tokens.sorted(
            lambda token: (
                max(
                    token.transaction_ids.filtered(lambda tx: tx.state == "done").ids,
                    default=0,
                ),
                token.id,
            )
        )[-1:]

    def _incident_create_transaction(self, token, operation):
        """Write down what the provider is to be asked for.

        :param str operation: ``offline``, or ``online_token`` if the customer is there.
        """
        transactions = self.env["payment.transaction"].sudo()
        return transactions.create(
            {
                "provider_id": token.provider_id.id,
                "payment_method_id": token.payment_method_id.id,
                "token_id": token.id,
                "reference": transactions._compute_reference(
                    token.provider_code, sale_order_ids=[Command.set(self.ids)]
                ),
                "amount": self.amount_total,
                "currency_id": self.currency_id.id,
                "partner_id": token.partner_id.id,
                "operation": operation,
                "sale_order_ids": [Command.set(self.ids)],
            }
        )

    def _incident_have(self):
        """Have these orders until the transaction ends: nobody else asks for their
        money, or pays them from the account balance.

        Their rows are written to, as those of accounts are (R3.6): who has waited is
        tried again, and sees what was paid. No account is locked afterwards.

        :raise SerializationFailure: if others have had them.
        """
        self.env.cr.execute(
            SQL("UPDATE sale_order SET id = id WHERE id IN %s", tuple(self.ids)),
            log_exceptions=False,
        )


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _incident_wait(self):
        """Wait until nobody else asks the provider for this, or processes the answer.

        :raise SerializationFailure: if somebody has: tried again, a request sees it.
        """
        self.env.cr.execute(
            SQL("SELECT FROM payment_transaction WHERE id = %s FOR UPDATE", self.id),
            log_exceptions=False,
        )

    def _incident_ask(self):
        """Ask the provider for the money; its answer is committed by the caller.

        :raise SerializationFailure: if the order was paid, or changed, meanwhile.
        """
        # Another worker may be asking.
        transaction = self.try_lock_for_update()
        if not transaction or transaction.state != "draft":
            return
        order = transaction.sale_order_ids
        order._incident_have()
        archived = not order.partner_id.commercial_partner_id.active
        if archived or not transaction.token_id.active or not order._incident_is_open():
            transaction._set_canceled()
        else:
            transaction._charge_with_token()
        if transaction.state in ("cancel", "error"):
            transaction._incident_refuse(archived)

    def _incident_refuse(self, archived):
        """Tell whom it concerns that there is no money from this.

        :param bool archived: whether the customer is.
        """

    def _incident_post_process(self):
        """Process the answer. What fails is processed with the next run, or by the
        scheduled action of `payment`."""
        transaction = self.try_lock_for_update()
        if transaction and transaction.state != "draft":
            transaction.filtered(lambda tx: not tx.is_post_processed)._post_process()
