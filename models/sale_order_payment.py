"""Whether what an order sells is due: paid (R8.3), and not credited (R8.4).

``payment_state`` and ``amount_paid`` do not follow a payment that is reset, or count
what was only authorized. What counts is money: payments that are effective, in a
transaction or reconciled with an invoice.

An order is *covered* as a whole (confirmed, zero, paid online or by down payments), or
each of its lines is as far as its invoices are settled
(``account.move._incident_is_settled``).
"""

from collections import defaultdict
from fractions import Fraction
from math import floor

from odoo import models

#: Quantities are compared by this many decimals.
DIGITS = 6


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

    def _incident_grant_on(self):
        return self.incident_grant_on or self.company_id.incident_grant_on

    def _incident_is_paid_online(self):
        """Return whether done transactions cover the order: their effective payments,
        less what was paid back or has paid for something else since (R8.3b).

        Once something was credited, money has moved: then the invoices tell.

        :rtype: bool
        """
        self.ensure_one()
        if self.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        ):
            return False
        paid = 0
        for payment in self.transaction_ids._incident_payments():
            # Grouped payments tell nothing of a single order; their invoices do.
            if len(payment.payment_transaction_id._incident_orders()) > 1:
                continue
            paid += payment.currency_id._convert(
                payment._incident_left_for(self.invoice_ids),
                self.currency_id,
                self.company_id,
                payment.date,
            )
        return self.currency_id.compare_amounts(paid, self.amount_total) >= 0

    def _incident_is_invoiced(self):
        """Return whether posted invoices cover this order.

        :rtype: bool
        """
        lines = self.order_line.invoice_lines.filtered(
            lambda line: (
                line.parent_state == "posted"
                and line.move_id.move_type == "out_invoice"
            )
        )
        invoiced = sum(
            line.currency_id._convert(
                line.price_total, self.currency_id, self.company_id, line.date
            )
            for line in lines
        )
        return self.currency_id.compare_amounts(invoiced, self.amount_total) >= 0

    def _incident_down_payments(self):
        """Return the posted invoice lines of down payments, and of what later invoices
        deduct of them."""
        return self.order_line.filtered("is_downpayment").invoice_lines.filtered(
            lambda line: line.parent_state == "posted"
        )

    def _incident_is_paid_down(self):
        """Return whether down payments cover the order, and nothing of them was
        deducted or credited yet.

        :rtype: bool
        """
        lines = self._incident_down_payments()
        total = sum(line.price_total * -line.move_id.direction_sign for line in lines)
        return (
            bool(lines)
            and self.currency_id.compare_amounts(total, self.amount_total) >= 0
            and self._incident_down_payments_hold()
        )

    def _incident_down_payments_hold(self):
        """Return whether what the last invoice deducts was paid, and not credited
        since.

        :rtype: bool
        """
        lines = self._incident_down_payments()
        left = sum(line.price_subtotal * -line.move_id.direction_sign for line in lines)
        return self.currency_id.compare_amounts(left, 0) >= 0 and all(
            invoice._incident_is_settled()
            for invoice in lines.move_id
            if invoice.move_type == "out_invoice"
        )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_due(self, covered=None):
        """Return how many incidents the line should have given by now, of all periods
        together (R8.3, R8.4).

        :param bool covered: whether the order is covered as a whole, if that is known.
        :rtype: int
        """
        self.ensure_one()
        total, ordered = self._incident_total(), _fraction(self.product_uom_qty)
        if not total or not ordered:
            return 0
        if covered is None:
            covered = self.order_id._incident_is_covered()
        invoiced = self._incident_invoiced()
        if not covered:
            paid = self._incident_paid_invoices(invoiced)
            invoiced = {move: invoiced[move] for move in paid}
        quantity = sum(quantity for quantity, _share in invoiced.values())
        credited = sum(quantity * share for quantity, share in invoiced.values())
        if covered:
            # What was invoiced anew makes up for what was credited.
            quantity = max(ordered, quantity)
        # Paid in part gives in part, credited in part takes in part: both rounded down.
        number = floor(total * quantity / ordered) - floor(total * credited / ordered)
        return max(min(number, total), 0)

    def _incident_paid_invoices(self, invoices):
        """Return those of these posted invoices that give what they are for (R8.3c).

        An order that is not confirmed (any more) keeps what paid invoices cover (R8.4).
        """
        order = self.order_id
        if order.state == "sale" and order._incident_grant_on() == "posted":
            return list(invoices)
        if not order._incident_down_payments_hold():
            return []
        return [move for move in invoices if move._incident_is_settled()]

    def _incident_posted_lines(self, move_type):
        """Return the posted invoice lines of this line, oldest first. One that is for
        several plan lines counts for one of them."""
        return self.invoice_lines.filtered(
            lambda line: (
                line.parent_state == "posted"
                and line.move_id.move_type == move_type
                and line.sale_line_ids.filtered("incident_kind").sorted("id")[:1]
                == self
            )
        ).sorted("id")

    def _incident_invoiced(self):
        """Return what posted invoices charge for this line, and how much of that was
        credited (R8.4): by the untaxed amount, or by the quantity where nothing was
        charged. Credit notes of goodwill do not count.

        :return: by invoice, the quantity in the unit of the line and the credited
            share, from 0 to 1.
        :rtype: dict[recordset, tuple[Fraction, Fraction]]
        """
        charged = defaultdict(lambda: [0, 0])
        for line in self._incident_posted_lines("out_invoice"):
            charged[line.move_id][0] += self._incident_quantity_of(line)
            charged[line.move_id][1] += line.price_subtotal
        credited = defaultdict(lambda: [0, 0])
        loose = [0, 0]
        for line in self._incident_posted_lines("out_refund"):
            note = line.move_id
            if note.incident_goodwill:
                continue
            invoice = note.reversed_entry_id
            target = credited[invoice] if invoice in charged else loose
            target[0] += self._incident_quantity_of(line)
            target[1] += line.currency_id._convert(
                line.price_subtotal,
                (invoice or self.order_id).currency_id,
                self.company_id,
                (invoice or note).invoice_date or note.date,
            )
        # A credit note that names no invoice takes back the last ones first.
        for invoice in reversed(charged):
            for index in (0, 1):
                room = charged[invoice][index] - credited[invoice][index]
                taken = min(max(room, 0), loose[index])
                credited[invoice][index] += taken
                loose[index] -= taken
        return {
            invoice: (
                _fraction(quantity),
                _share(credited[invoice], (quantity, amount), invoice.currency_id),
            )
            for invoice, (quantity, amount) in charged.items()
        }

    def _incident_quantity_of(self, invoice_line):
        return invoice_line.product_uom_id._compute_quantity(
            invoice_line.quantity, self.product_uom_id, round=False
        )


def _fraction(number):
    return Fraction(round(number * 10**DIGITS), 10**DIGITS)


def _share(part, whole, currency):
    """Return which share of ``whole`` is ``part``, both pairs of quantity and amount:
    by the amounts unless there are none; from 0 to 1."""
    index = 0 if currency.is_zero(whole[1]) else 1
    if not _fraction(whole[index]):
        return Fraction(0)
    share = _fraction(part[index]) / _fraction(whole[index])
    return max(min(share, Fraction(1)), Fraction(0))
