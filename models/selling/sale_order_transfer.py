"""Whether an order is being paid, and bank transfers that were announced (R8.13).

A provider of payments answers sooner or later. Nobody does for a transaction that only
says how to pay, as a wire transfer does: it is *pending* until somebody finds the money
in the bank, if it comes at all.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

#: Kinds of providers that answer nothing by themselves.
SILENT = ("none", "custom")


class SaleOrder(models.Model):
    _inherit = "sale.order"

    incident_transfer_date = fields.Date(
        string="Bank transfer announced",
        compute="_compute_incident_transfer_date",
        search="_search_incident_transfer_date",
        help="The day on which the customer has chosen to pay by a bank transfer that "
        "has not arrived yet.",
    )

    @api.depends("transaction_ids.state", "transaction_ids.last_state_change")
    def _compute_incident_transfer_date(self):
        for order in self:
            announced = order.sudo()._incident_transfers()._incident_announced()
            order.incident_transfer_date = announced and announced.date()

    @api.model
    def _search_incident_transfer_date(self, operator, value):
        """Whether there is one: that is all that is searched for."""
        if operator != "in" or set(value) != {False}:
            return NotImplemented
        waiting = self.env["payment.transaction"].sudo()._incident_announced_domain()
        transactions = self.env["payment.transaction"].sudo().search(waiting)
        return Domain("id", "not in", transactions.sale_order_ids.ids)

    def _incident_is_being_paid(self, done=True):
        """Return whether a payment of this order is under way or done.

        :param bool done: whether one that is done counts.
        """
        states = ("pending", "authorized", *(("done",) if done else ()))
        under_way = self.transaction_ids.filtered(
            lambda transaction: transaction.state in states
        )
        return bool(under_way and under_way - self._incident_transfers())

    def _incident_is_awaited(self):
        """Return whether something is to wait for a bank transfer for this order: it
        was announced no more days ago than the company allows."""
        company = self.company_id.sudo()
        first = fields.Datetime.now() - timedelta(days=company.incident_pending_days)
        announced = self._incident_transfers()._incident_announced()
        return bool(announced and announced >= first)

    def _incident_transfers(self):
        """Return the transactions of these orders that nobody will answer."""
        return self.transaction_ids.filtered_domain(
            self.env["payment.transaction"]._incident_announced_domain()
        )

    def _incident_give_up_transfers(self):
        """Wait for no bank transfer any more: these orders were paid otherwise, or
        nobody wants them."""
        self.sudo()._incident_transfers()._set_canceled()

    def _incident_withdraw(self):
        """Cancel these orders, but those that are just being paid, and those for which
        a bank transfer is awaited still (R8.13)."""
        orders = self.filtered(
            lambda order: (
                not (order._incident_is_being_paid() or order._incident_is_awaited())
            )
        )
        orders._incident_give_up_transfers()
        orders._action_cancel()


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model
    def _incident_announced_domain(self):
        """Return which transactions only announce money: no provider answers them."""
        return Domain("state", "=", "pending") & Domain("provider_code", "in", SILENT)

    def _incident_announced(self):
        """Return when the last of these transactions has become what it is.

        :rtype: datetime | False
        """
        return max(
            (payer.last_state_change or payer.create_date for payer in self),
            default=False,
        )

    def _post_process(self):
        """Override: an order of a plan that is paid waits for no bank transfer any
        more (R8.13). Other orders are core's, and a rest may still come."""
        res = super()._post_process()
        done = self.sudo().filtered(lambda transaction: transaction.state == "done")
        done._incident_orders().filtered(
            lambda order: (
                order.state == "sale" and order.incident_has_plan and order._is_paid()
            )
        )._incident_give_up_transfers()
        return res
