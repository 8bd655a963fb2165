"""What a customer is offered who lacks incidents for a ticket (R11.2)."""

from odoo import api, models
from odoo.exceptions import UserError


class Pack:
    """The smallest purchase that suffices.

    :ivar order: an order that is not saved, with one line.
    :ivar token: the saved payment method that pays it; empty: the account balance.
    :ivar balance: the account balance, in the currency of the company.
    """

    def __init__(self, order, token, balance):
        self.order, self.token, self.balance = order, token, balance
        self.line = order.order_line
        self.plan = self.line.product_id
        self.units = int(self.line.product_uom_qty)

    @property
    def key(self):
        """What the customer agrees to: if it is another one by now, he is asked
        again."""
        return self.order._incident_pack_key(self.token)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _incident_pack(self, partner, company, missing):
        """Return the smallest purchase that gives so many incidents once, if the
        account balance, or a payment method that is saved, can pay it.

        :param partner: the ``res.partner`` who buys.
        :param int missing: how many incidents are needed, 1 or more.
        :rtype: Pack | None
        """
        plans = self._incident_plans(company).filtered(
            lambda plan: plan.incident_kind != "period" and plan.incident_quantity > 0
        )
        sizes = plans.grouped(
            lambda plan: plan.incident_quantity * -(-missing // plan.incident_quantity)
        )
        for _size, fitting in sorted(sizes.items()):
            orders = [
                order
                for plan in fitting
                if (
                    order := self._incident_offer(
                        partner, company, plan, -(-missing // plan.incident_quantity)
                    )
                ).order_line
            ]
            if orders:
                return min(
                    orders, key=lambda order: order.amount_total
                )._incident_payable()
        return None

    def _incident_payable(self):
        """Return this order, which is not saved, with what pays it.

        :rtype: Pack | None
        """
        customer = self.partner_id.commercial_partner_id
        balance = customer._incident_account_balance(self.company_id)
        covered = balance >= self._incident_company_total()
        token = self.env["payment.token"].sudo()
        if not (covered and self._incident_is_invoiced_to_customer()):
            token = self._incident_token(self.partner_id | customer)
            if not token:
                return None
        return Pack(self, token, balance)

    def _incident_pack_key(self, token):
        """Return what a customer agrees to who pays this order with a token."""
        line, paid = self.order_line, token.id or "balance"
        return (
            f"{line.product_id.id}-{int(line.product_uom_qty)}-{self.amount_total}"
            f"-{paid}"
        )

    @api.model
    def _incident_buy_pack(self, partner, company, pack, tried):
        """Order what was offered, unless an order of just this was not paid before.
        What the account balance pays is paid then; for a saved payment method a
        transaction is written down, unless there is one already that was not asked for.

        :param Pack pack: what the customer has agreed to.
        :param tried: transactions of the customer for such orders.
        :raise UserError: if it cannot be bought so.
        :return: the transaction; empty if it is paid.
        """
        same = tried._incident_same(pack)
        if same:
            return same
        order = tried._incident_unpaid(pack) or self._incident_buy(
            partner, company, pack.plan, pack.units
        )
        if order.amount_total != pack.order.amount_total:
            raise UserError(self._incident_pack_changed())
        if pack.token:
            # Of a second form at the same moment it is the same order.
            return order.transaction_ids._incident_same(
                pack
            ) or order._incident_create_transaction(pack.token, "online_token")
        # As the customer, so that the history names him.
        order.with_user(self.env.user).sudo()._incident_pay_from_balance()
        return self.env["payment.transaction"]

    @api.model
    def _incident_pack_changed(self):
        return self.env._(
            "What was offered to you has changed: look at it again, and choose it once "
            "more."
        )


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _incident_give_up(self):
        """Ask nobody for these, as the customer has agreed to something else since;
        where another worker is just asking, it is too late."""
        transactions = self.try_lock_for_update()
        transactions._set_canceled()
        orders = transactions.sale_order_ids
        orders.try_lock_for_update(allow_referencing=True).filtered(
            lambda order: order._incident_is_open()
        )._action_cancel()

    def _incident_same(self, pack):
        """Return one of these transactions that asks for just this, and was not asked
        for.

        :param Pack pack: what the customer has agreed to.
        """
        return self.filtered(
            lambda transaction: (
                transaction.state == "draft"
                and transaction.token_id == pack.token
                and transaction._incident_is_for(pack)
            )
        )[:1]

    def _incident_unpaid(self, pack):
        """Return the order that one of these transactions has failed to pay, if it
        sells just this: whose card is declined again and again has one order to pay.

        :param Pack pack: what the customer has agreed to.
        """
        return self.filtered(
            lambda transaction: (
                transaction.state in ("cancel", "error")
                and transaction._incident_is_for(pack)
            )
        ).sale_order_ids[:1]

    def _incident_is_for(self, pack):
        order = self.sale_order_ids
        return (
            self.operation == "online_token"
            and len(order.order_line) == 1
            and order.company_id == pack.order.company_id
            and order._incident_is_open()
            and order._incident_pack_key(pack.token) == pack.key
        )
