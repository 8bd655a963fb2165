"""Whether what an order sells is due: paid (R8.3), and not credited (R8.4).

``payment_state`` and ``amount_paid`` do not follow a payment that is reset, or count
what was only authorized. What counts is money: payments that are effective, in a
transaction or reconciled with an invoice.

An order is *covered* (confirmed, zero, paid online or by down payments), line by line
in the order in which they were added, or each of its lines is as far as its invoices
are settled (``account.move._incident_is_settled``). What was paid back of either is due
no more (``account_payment_returned.py``).
"""

from fractions import Fraction
from itertools import accumulate
from typing import NamedTuple

from odoo import models

from .account_payment_returned import returned_shares
from .quantities import as_fraction, net_share


class Paid(NamedTuple):
    """What was paid for an order."""

    #: the lines that are due whatever is invoiced, and the share of what is not
    #: invoiced that was not paid back
    covered: dict
    #: by invoice, the share of its money that was paid back
    returned: dict


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_paid(self):
        """Return what of this order is due (R8.3), and was paid back (R8.4).

        :rtype: Paid
        """
        self.ensure_one()
        invoices = self.order_line.invoice_lines.move_id.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_invoice"
        )
        unpaid = self._incident_gives_unpaid()
        returned = {} if unpaid else returned_shares([*invoices, self])
        covered = {}
        if unpaid and self._incident_grant_on() == "confirmed":
            covered = dict.fromkeys(self.order_line, Fraction(1))
        elif self.state == "sale" and not unpaid:
            covered = self._incident_covered(returned)
        return Paid(covered, returned)

    def _incident_gives_unpaid(self):
        """Return whether this order gives its incidents before it is paid (R8.3)."""
        return self.state == "sale" and self._incident_grant_on() != "paid"

    def _incident_grant_on(self):
        return self.incident_grant_on or self._incident_customer_grant_on()

    def _incident_covered(self, returned):
        """Return the lines that are paid for whatever is invoiced, and the share of
        what is not invoiced that was not paid back.

        :param dict returned: the result of :func:`returned_shares`.
        :rtype: dict[recordset, Fraction]
        """
        self.ensure_one()
        lines = self.order_line
        if self.currency_id.is_zero(self.amount_total):
            return dict.fromkeys(lines, Fraction(1))
        online = self._incident_lines_paid_with(self._incident_paid_online())
        paid, credited, deducted = self._incident_down_payments("price_total", returned)
        down = lines.browse()
        if self.currency_id.is_zero(deducted):
            down = self._incident_lines_paid_with(paid)
        whole = min(paid, self.amount_total)
        kept = 1 - _part(credited - (paid - whole), whole)
        # Paid online, a down payment may be both.
        kept_online = 1 - returned.get(self, 0)
        return {
            line: min(kept if line in down else 1, kept_online if line in online else 1)
            for line in down | online
        }

    def _incident_lines_paid_with(self, amount):
        """Return the lines that an amount pays for: what is added later takes nothing
        from what was paid for (R8.10), but a discount makes it cheaper.

        :param float amount: taxes included, in the currency of the order.
        """
        if amount <= 0:
            return self.order_line.browse()
        lines = self.order_line.sorted("id")
        totals = list(accumulate(line.price_total for line in lines))
        needed = list(accumulate(reversed(totals), min))[::-1]
        # Taxes are rounded for the whole order: that may be less than for its lines.
        rounding = max(totals[-1] - self.amount_total, 0) if totals else 0
        return lines.browse(
            line.id
            for line, price in zip(lines, needed, strict=True)
            if self.currency_id.compare_amounts(amount, price - rounding) >= 0
        )

    def _incident_paid_online(self):
        """Return what done transactions have paid for the order: their effective
        payments, less what has paid for something else since (R8.3b); and what its
        credit notes credit, which need not be paid any more, as long as neither that is
        spent on something else nor it was paid back.

        :rtype: float
        """
        self.ensure_one()
        payments = self._incident_payers()
        paid = sum(
            payment._incident_paid_for(self.invoice_ids, self.currency_id)
            for payment in payments
        )
        if not paid:
            return 0
        credited = self._incident_posted_total(
            lambda move: (
                move.move_type == "out_refund" and move._incident_credited_invoice()
            )
        )
        if not credited:
            return paid
        spent = sum(
            use.spent
            for invoice in self.invoice_ids
            for use in invoice._incident_credit_uses().values()
        )
        refunded = sum(payments._incident_returned().values())
        return paid + max(credited - spent - refunded, 0)

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

    def _incident_down_payments(self, field="price_subtotal", returned=None):
        """Return what paid invoices of down payments come to, what was credited or paid
        back of them, and what later documents deduct of them.

        :param str field: the amount to add up.
        :param dict returned: the result of :func:`returned_shares`.
        :rtype: tuple[float, float, float]
        """
        paid = credited = deducted = 0
        returned = returned or {}
        for line in self.order_line.filtered("is_downpayment").invoice_lines:
            move, amount = line.move_id, line[field]
            if line.parent_state != "posted":
                continue
            if move.move_type == "out_invoice" and amount > 0:
                if move._incident_is_settled():
                    paid += amount
                    credited += amount * move._incident_credited_at_large()
                    standing = amount * move._incident_standing() / move.amount_total
                    credited += standing * float(returned.get(move, 0))
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

    def _incident_paid_down_share(self, returned):
        """Return which share of the order its down payments leave paid, as far as they
        are deducted: nothing if they were not paid, and less what was credited or paid
        back since.

        :param dict returned: the result of :func:`returned_shares`.
        :rtype: Fraction
        """
        paid, credited, deducted = self._incident_down_payments(returned=returned)
        # Deductions are rounded line by line.
        slack = self.currency_id.rounding * max(len(self.order_line), 1)
        if paid + slack < deducted:
            return Fraction(0)
        missing = deducted - (paid - credited)
        if missing <= slack:
            return Fraction(1)
        return 1 - _part(missing, self.amount_untaxed)

    def _incident_undiscounted_share(self):
        """Return which share of the prices of its lines the order costs: a discount or
        a coupon may be a line of its own, which is for all others.

        :rtype: float
        """
        lines = self.order_line.filtered(
            lambda line: (
                line.incident_operation != "credit"
                and not line.is_downpayment
                and not line._incident_is_payment()
            )
        )
        prices = lines.mapped("price_subtotal")
        return net_share(prices, [price for price in prices if price > 0])


def _part(part, whole):
    """Return which share of ``whole`` is ``part``, from 0 to 1."""
    if part <= 0 or whole <= 0:
        return Fraction(0)
    return min(as_fraction(part) / as_fraction(whole), Fraction(1))
