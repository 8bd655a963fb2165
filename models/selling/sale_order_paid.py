"""Whether what an order sells is due: paid (R8.3), and not credited (R8.4).

``payment_state`` and ``amount_paid`` do not follow a payment that is reset, or count
what was only authorized. What counts is money: payments that are effective, in a
transaction or reconciled with an invoice.

An order is *covered* as a whole (confirmed, zero, paid online or by down payments), or
each of its lines is as far as its invoices are settled
(``account.move._incident_is_settled``).
"""

from fractions import Fraction

from odoo import models

from .quantities import as_fraction


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_is_covered(self):
        """Return whether all of this order is due, whatever is invoiced (R8.3).

        :rtype: bool
        """
        self.ensure_one()
        grant_on = self._incident_grant_on()
        if self.state != "sale" or grant_on == "posted":
            return False
        return (
            grant_on == "confirmed"
            or self.currency_id.is_zero(self.amount_total)
            or self._incident_is_paid_online()
            or self._incident_is_paid_down()
        )

    def _incident_gives_unpaid(self):
        """Return whether this order gives its incidents before it is paid (R8.3)."""
        return self.state == "sale" and self._incident_grant_on() != "paid"

    def _incident_grant_on(self):
        return self.incident_grant_on or self.company_id.incident_grant_on

    def _incident_is_paid_online(self):
        """Return whether done transactions cover the order: their effective payments,
        less what was paid back or has paid for something else since (R8.3b).

        What was credited need not be paid any more.

        :rtype: bool
        """
        self.ensure_one()
        credited = self._incident_posted_total(
            lambda move: (
                move.move_type == "out_refund"
                and move.reversed_entry_id
                and not move.incident_goodwill
            )
        )
        paid = 0
        for payment in self.transaction_ids._incident_payments():
            # Grouped payments tell nothing of a single order; their invoices do.
            if len(payment.payment_transaction_id._incident_orders()) > 1:
                continue
            paid += payment._incident_left_for(self.invoice_ids, self.currency_id)
        left = self.amount_total - credited
        return paid > 0 and self.currency_id.compare_amounts(paid, left) >= 0

    def _incident_is_invoiced(self):
        """Return whether posted invoices cover this order.

        :rtype: bool
        """
        invoiced = self._incident_posted_total(
            lambda move: move.move_type == "out_invoice"
        )
        return self.currency_id.compare_amounts(invoiced, self.amount_total) >= 0

    def _incident_posted_total(self, counts):
        """Return what the lines of this order come to on posted documents, taxes
        included, in the currency of the order.

        :param counts: which ``account.move`` counts, as a function.
        """
        return sum(
            line.currency_id._convert(
                line.price_total, self.currency_id, self.company_id, line.date
            )
            for line in self.order_line.invoice_lines
            if line.parent_state == "posted" and counts(line.move_id)
        )

    def _incident_down_payments(self, field="price_subtotal"):
        """Return what paid invoices of down payments come to, what was credited of
        them, and what later documents deduct of them.

        :param str field: the amount to add up.
        :rtype: tuple[float, float, float]
        """
        paid = credited = deducted = 0
        for line in self.order_line.filtered("is_downpayment").invoice_lines:
            move, amount = line.move_id, line[field]
            if line.parent_state != "posted":
                continue
            if move.move_type == "out_invoice" and amount > 0:
                paid += amount if move._incident_is_settled() else 0
            elif move.move_type == "out_invoice":
                deducted -= amount
            elif not move.reversed_entry_id:
                # The last document, where down payments were more than the rest.
                deducted += amount
            elif amount < 0:
                deducted += amount
            elif move.reversed_entry_id._incident_is_settled():
                credited += amount
        return paid, credited, deducted

    def _incident_is_paid_down(self):
        """Return whether down payments cover the order, and nothing of them was
        deducted yet.

        :rtype: bool
        """
        paid, credited, deducted = self._incident_down_payments("price_total")
        return (
            paid > 0
            and self.currency_id.is_zero(deducted)
            and self.currency_id.compare_amounts(paid - credited, self.amount_total)
            >= 0
        )

    def _incident_paid_down_share(self):
        """Return which share of the order its down payments leave paid, as far as they
        are deducted: nothing if they were not paid, and less what was credited since.

        :rtype: Fraction
        """
        paid, credited, deducted = self._incident_down_payments()
        # Deductions are rounded line by line.
        slack = self.currency_id.rounding * max(len(self.order_line), 1)
        if paid + slack < deducted:
            return Fraction(0)
        missing = deducted - (paid - credited)
        if missing <= slack:
            return Fraction(1)
        return max(
            1 - as_fraction(missing) / as_fraction(self.amount_untaxed), Fraction(0)
        )

    def _incident_is_being_paid(self):
        """Return whether a payment of this order is under way or done."""
        return bool(
            self.transaction_ids.filtered(
                lambda transaction: (
                    transaction.state in ("pending", "authorized", "done")
                )
            )
        )

    def _incident_undiscounted_share(self):
        """Return which share of the prices of its lines the order costs: a discount or
        a coupon may be a line of its own, which is for all others.

        :rtype: float
        """
        lines = self.order_line.filtered(
            lambda line: line.incident_operation != "credit" and not line.is_downpayment
        )
        prices = lines.mapped("price_subtotal")
        full = sum(price for price in prices if price > 0)
        return max(sum(prices) / full, 0) if full else 1
