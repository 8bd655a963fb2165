"""How much of an order line is due, and what was paid for it (R8.3, R8.4, R12.4)."""

from collections import defaultdict
from fractions import Fraction
from math import floor

from odoo import models

from .quantities import as_fraction


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_due(self, covered=None, free=None):
        """Return how many incidents the line should have given by now, of all periods
        together (R8.3, R8.4).

        :param bool covered: whether the order is covered as a whole, if that is known.
        :param bool free: whether they may cost nothing (R7.3), by default if a helpdesk
            manager has confirmed it.
        :rtype: int
        """
        self.ensure_one()
        total, ordered = self._incident_total(), as_fraction(self.product_uom_qty)
        if not total or not ordered:
            return 0
        free = self.incident_free if free is None else free
        covered = self._incident_is_covered(covered, free)
        invoiced = self._incident_invoiced()
        paid = self._incident_paid_invoices(invoiced, free)
        credited = sum(
            quantity * share for quantity, share, _value in invoiced.values()
        )
        quantity = sum(invoiced[move][0] for move in paid)
        if covered:
            # What was invoiced anew makes up for what was credited.
            quantity = max(ordered, quantity)
        else:
            credited = sum(invoiced[move][0] * invoiced[move][1] for move in paid)
            if not self.order_id._incident_gives_unpaid():
                quantity *= self.order_id._incident_paid_down_share()
        # Paid in part gives in part, credited in part takes in part: both rounded down.
        number = floor(total * quantity / ordered) - floor(total * credited / ordered)
        return max(min(number, total), 0)

    def _incident_value(self, covered):
        """Return what was paid for the incidents that are due, without tax (R12.4): as
        it was invoiced, else as it was ordered; credit notes of goodwill count, too.

        :param bool covered: whether the order is covered as a whole.
        :return: in company currency.
        :rtype: float
        """
        self.ensure_one()
        covered = self._incident_is_covered(covered, self.incident_free)
        invoiced = self._incident_invoiced()
        counted = (
            invoiced
            if covered
            else self._incident_paid_invoices(invoiced, self.incident_free)
        )
        currency = self.company_id.currency_id
        value = sum(invoiced[move][2] for move in counted)
        if covered and self.product_uom_qty:
            quantity = sum(quantity for quantity, _share, _value in invoiced.values())
            left = max(1 - float(quantity) / self.product_uom_qty, 0)
            if self.incident_operation != "credit":
                left *= self.order_id._incident_undiscounted_share()
            value += self.currency_id._convert(
                self.price_subtotal * left,
                currency,
                self.company_id,
                self.order_id.date_order.date(),
            )
        elif not covered and not self.order_id._incident_gives_unpaid():
            value *= float(self.order_id._incident_paid_down_share())
        return currency.round(value)

    def _incident_is_covered(self, known, free):
        """Return whether the order covers this line as a whole.

        :param bool known: whether it covers what costs something; None to find out.
        :param bool free: whether the line may cost nothing (R7.3).
        :rtype: bool
        """
        covered = self.order_id._incident_is_covered() if known is None else known
        return covered and (free or not self._incident_is_free())

    def _incident_paid_invoices(self, invoices, free):
        """Return those of these posted invoices that give what they are for (R8.3c).

        An order that is not confirmed (any more) keeps what paid invoices cover (R8.4).

        :param bool free: whether they may charge nothing for it (R7.3).
        """
        unpaid = self.order_id._incident_gives_unpaid()
        return [
            move
            for move in invoices
            if move.move_type == "out_refund"
            or (
                (unpaid or move._incident_is_settled())
                and (free or self._incident_is_charged(move))
            )
        ]

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

        :return: by invoice, the quantity in the unit of the line, the credited share,
            from 0 to 1, and what remains of the amount with credit notes of goodwill,
            in company currency without tax and less what a discount of its own takes.
        :rtype: dict[recordset, tuple[Fraction, Fraction, float]]
        """
        charged = defaultdict(lambda: [0, 0, 0])
        for line in self._incident_posted_lines("out_invoice"):
            charged[line.move_id][0] += self._incident_quantity_of(line)
            charged[line.move_id][1] += line.price_subtotal
            charged[line.move_id][2] += self._incident_value_of(line)
        for line in self._incident_posted_lines("out_refund"):
            if self._incident_is_charge(line):
                charged[line.move_id][0] -= self._incident_quantity_of(line)
                charged[line.move_id][1] -= line.price_subtotal
                charged[line.move_id][2] += self._incident_value_of(line)
        credited = defaultdict(lambda: [0, 0, 0])
        loose = [0, 0, 0]
        for line in self._incident_posted_lines("out_refund"):
            note = line.move_id
            if self._incident_is_charge(line):
                continue
            invoice = note.reversed_entry_id
            target = credited[invoice] if invoice in charged else loose
            target[2] -= self._incident_value_of(line)
            if note.incident_goodwill:
                continue
            target[0] += self._incident_quantity_of(line)
            target[1] += line.currency_id._convert(
                line.price_subtotal,
                (invoice or self.order_id).currency_id,
                self.company_id,
                (invoice or note).invoice_date or note.date,
            )
        # A credit note that names no invoice takes back the last ones first.
        for invoice in reversed(charged):
            for index in (0, 1, 2):
                room = charged[invoice][index] - credited[invoice][index]
                taken = min(max(room, 0), loose[index])
                credited[invoice][index] += taken
                loose[index] -= taken
        return {
            invoice: (
                as_fraction(quantity),
                _share(credited[invoice], (quantity, amount), invoice.currency_id),
                value - credited[invoice][2],
            )
            for invoice, (quantity, amount, value) in charged.items()
        }

    def _incident_value_of(self, invoice_line):
        """Return what a posted line charges, below zero what it credits: in company
        currency, without tax, less its part in a discount that is a line of its own of
        the same document and order."""
        value = -invoice_line.balance
        if self.incident_operation == "credit":
            return value
        prices = [
            line.price_subtotal
            for line in invoice_line.move_id.invoice_line_ids
            if line.sale_line_ids.order_id & self.order_id
            and not any(line.sale_line_ids.mapped("is_downpayment"))
            and "credit" not in line.sale_line_ids.mapped("incident_operation")
        ]
        full = sum(price for price in prices if price > 0)
        share = max(sum(prices) / full, 0) if full else 1
        return self.company_id.currency_id.round(value * share)

    def _incident_is_charge(self, invoice_line):
        """Return whether a line of a credit note charges: that of the last document of
        an order, where down payments were more than the rest."""
        return invoice_line.quantity < 0 and not invoice_line.move_id.reversed_entry_id

    def _incident_quantity_of(self, invoice_line):
        return invoice_line.product_uom_id._compute_quantity(
            invoice_line.quantity, self.product_uom_id, round=False
        )

    def _incident_is_paid_in_full(self):
        """Return whether all of this line is paid (R9.6), whenever it gives."""
        self.ensure_one()
        order = self.order_id
        if (
            order.currency_id.is_zero(order.amount_total)
            or order._incident_is_paid_online()
            or order._incident_is_paid_down()
        ):
            return order.state == "sale"
        if order._incident_paid_down_share() < 1:
            return False
        invoices = self._incident_posted_lines("out_invoice")
        quantity = sum(self._incident_quantity_of(line) for line in invoices)
        return quantity >= self.product_uom_qty and all(
            move._incident_is_settled() for move in invoices.move_id
        )

    def _incident_paid_share(self):
        """Return which share of the price of this line was paid for: what was invoiced
        otherwise, and credit notes, counted in (R9.6).

        :rtype: float
        """
        self.ensure_one()
        if self.currency_id.is_zero(self.price_subtotal):
            return 0.0
        quantity, amount = 0, 0
        for line in self.invoice_lines:
            move = line.move_id
            if line.parent_state != "posted" or move.move_type not in (
                "out_invoice",
                "out_refund",
            ):
                continue
            sign = 1 if move.move_type == "out_invoice" else -1
            amount += sign * line.currency_id._convert(
                line.price_subtotal, self.currency_id, self.company_id, line.date
            )
            if sign > 0 or self._incident_is_charge(line):
                quantity += sign * self._incident_quantity_of(line)
        # What is not invoiced yet was paid as it was ordered.
        open_part = max(1 - quantity / self.product_uom_qty, 0)
        share = max(open_part + amount / self.price_subtotal, 0)
        return share * self.order_id._incident_undiscounted_share()


def _share(part, whole, currency):
    """Return which share of ``whole`` is ``part``, both pairs of quantity and amount:
    by the amounts unless there are none; from 0 to 1."""
    index = 0 if currency.is_zero(whole[1]) else 1
    if not as_fraction(whole[index]):
        return Fraction(0)
    share = as_fraction(part[index]) / as_fraction(whole[index])
    return max(min(share, Fraction(1)), Fraction(0))
