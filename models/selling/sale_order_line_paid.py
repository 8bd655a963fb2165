"""How much of an order line is due, and what was paid for it (R8.3, R8.4, R12.4)."""

from collections import defaultdict
from fractions import Fraction
from math import floor

from odoo import models

from .quantities import as_fraction, net_share


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_due(self, paid=None, free=None):
        """Return how many incidents the line should have given by now, of all periods
        together (R8.3, R8.4).

        :param Paid paid: what was paid for the order, if that is known.
        :param bool free: whether they may cost nothing (R7.3), by default if a helpdesk
            manager has confirmed it.
        :rtype: int
        """
        self.ensure_one()
        total, ordered = self._incident_total(), as_fraction(self.product_uom_qty)
        if not total or not ordered:
            return 0
        free = self.incident_free if free is None else free
        paid = paid or self.order_id._incident_paid()
        invoiced = self._incident_invoiced(paid)
        settled = self._incident_paid_invoices(invoiced, free)
        quantity = sum(invoiced[move][0] for move in settled)
        if self._incident_is_covered(paid, free):
            # What was invoiced anew makes up for what was credited.
            quantity = max(ordered, quantity)
            billed = sum(number for number, _share, _value in invoiced.values())
            credited = max(ordered - billed, 0) * (1 - paid.covered[self])
            counted = invoiced
        else:
            credited, counted = 0, settled
            if not self.order_id._incident_gives_unpaid():
                quantity *= self.order_id._incident_paid_down_share(paid.returned)
        credited += sum(invoiced[move][0] * invoiced[move][1] for move in counted)
        # Paid in part gives in part, credited in part takes in part: both rounded down.
        number = floor(total * quantity / ordered) - floor(total * credited / ordered)
        return max(min(number, total), 0)

    def _incident_value(self, paid):
        """Return what was paid for the incidents that are due, without tax (R12.4): as
        it was invoiced, else as it was ordered; credit notes of goodwill count, too.

        :param Paid paid: what was paid for the order.
        :return: in company currency.
        :rtype: float
        """
        self.ensure_one()
        covered = self._incident_is_covered(paid, self.incident_free)
        invoiced = self._incident_invoiced(paid)
        counted = (
            invoiced
            if covered
            else self._incident_paid_invoices(invoiced, self.incident_free)
        )
        currency = self.company_id.currency_id
        value = sum(
            invoiced[move][2] * float(1 - paid.returned.get(move, 0))
            for move in counted
        )
        if covered and self.product_uom_qty:
            quantity = sum(quantity for quantity, _share, _value in invoiced.values())
            left = max(1 - float(quantity) / self.product_uom_qty, 0)
            left *= float(paid.covered[self])
            if self.incident_operation != "credit":
                left *= self.order_id._incident_undiscounted_share()
            value += self.currency_id._convert(
                self.price_subtotal * left,
                currency,
                self.company_id,
                self.order_id.date_order.date(),
            )
        elif not covered and not self.order_id._incident_gives_unpaid():
            value *= float(self.order_id._incident_paid_down_share(paid.returned))
        return currency.round(value)

    def _incident_is_covered(self, paid, free):
        """Return whether the order covers this line as a whole.

        :param Paid paid: what was paid for the order.
        :param bool free: whether the line may cost nothing (R7.3).
        :rtype: bool
        """
        return self in paid.covered and (free or not self._incident_is_free())

    def _incident_paid_invoices(self, invoices, free):
        """Return those of these posted invoices that give what they are for (R8.3c).

        An order that is not confirmed (any more) keeps what paid invoices cover (R8.4);
        one that charges nothing covers nothing.

        :param bool free: whether they may charge nothing for it (R7.3).
        """
        unpaid = self.order_id._incident_gives_unpaid()
        return [
            move
            for move in invoices
            if move.move_type == "out_refund"
            or (
                (unpaid or move._incident_is_settled())
                and (
                    self.state == "sale"
                    or not move.currency_id.is_zero(move.amount_total)
                )
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

    def _incident_invoiced(self, paid):
        """Return what posted invoices charge for this line, and how much of that was
        credited or paid back (R8.4): by the untaxed amount, or by the quantity where
        nothing was charged. Credit notes of goodwill do not count.

        :param Paid paid: what was paid for the order.
        :return: by invoice, the quantity in the unit of the line, the share that is
            taken back, from 0 to 1, and what remains of the amount with credit notes of
            goodwill, in company currency without tax and less what a discount of its
            own takes.
        :rtype: dict[recordset, tuple[Fraction, Fraction, float]]
        """
        charged = defaultdict(lambda: [0, 0, 0])
        for line in self._incident_posted_lines("out_invoice"):
            if self._incident_is_credit(line):
                continue
            charged[line.move_id][0] += self._incident_quantity_of(line)
            charged[line.move_id][1] += line.price_subtotal
            charged[line.move_id][2] += self._incident_value_of(line)
        for line in self._incident_posted_lines("out_refund"):
            if self._incident_is_charge(line):
                charged[line.move_id][0] -= self._incident_quantity_of(line)
                charged[line.move_id][1] -= line.price_subtotal
                charged[line.move_id][2] += self._incident_value_of(line)
        credited = self._incident_credited_of(charged)
        invoiced = {}
        for invoice, (quantity, amount, value) in charged.items():
            share = _share(credited[invoice], (quantity, amount), invoice.currency_id)
            share += (1 - share) * paid.returned.get(invoice, 0)
            value -= credited[invoice][2]
            invoiced[invoice] = as_fraction(quantity), share, value
        return invoiced

    def _incident_credited_of(self, charged):
        """Return what credit notes credit of what was charged for this line.

        :param dict charged: quantity, amount and value by invoice.
        :return: the same of what was credited; the value with goodwill.
        :rtype: dict[recordset, list[float]]
        """
        credited = defaultdict(lambda: [0, 0, 0])
        loose = [0, 0, 0]
        for move_type, sign in (("out_refund", 1), ("out_invoice", -1)):
            for line in self._incident_posted_lines(move_type):
                if self._incident_is_credit(line):
                    self._incident_add_credit(line, sign, charged, credited, loose)
        for invoice, whole in charged.items():
            for note in invoice._incident_notes_of_all():
                share = note._incident_credited_of_all(invoice)
                credited[invoice][2] += whole[2] * share
                if not note.incident_goodwill:
                    credited[invoice][0] += float(whole[0]) * share
                    credited[invoice][1] += whole[1] * share
        # A credit note that names no invoice takes back the last ones first.
        for invoice in reversed(charged):
            for index in (0, 1, 2):
                room = charged[invoice][index] - credited[invoice][index]
                taken = min(max(room, 0), loose[index])
                credited[invoice][index] += taken
                loose[index] -= taken
        return credited

    def _incident_add_credit(self, line, sign, charged, credited, loose):
        """Add what a line of a credit note credits, or one below zero of an invoice, to
        what is credited of its invoice; to ``loose``, if that is not known."""
        note = line.move_id
        invoice = note._incident_credited_invoice()
        target = credited[invoice] if invoice in charged else loose
        target[2] -= self._incident_value_of(line)
        quantity = self._incident_quantity_of(line)
        if note.incident_goodwill:
            return
        target[0] += quantity if sign > 0 else abs(quantity)
        target[1] += sign * line.currency_id._convert(
            line.price_subtotal,
            (invoice or self.order_id).currency_id,
            self.company_id,
            (invoice or note).invoice_date or note.date,
        )

    def _incident_value_of(self, invoice_line):
        """Return what a posted line charges, below zero what it credits: in company
        currency, without tax, less its part in a discount that is a line of its own of
        the same document: for its order, or, where it is typed, for all of them."""
        value = -invoice_line.balance
        if self.incident_operation == "credit":
            return value
        prices, typed = [], []
        for line in invoice_line.move_id.invoice_line_ids:
            sold = line.sale_line_ids
            if (
                any(sold.mapped("is_downpayment"))
                or "credit" in sold.mapped("incident_operation")
                or line.account_id.internal_group != "income"
                or line.move_id.move_type == "out_invoice"
                and any(
                    plan._incident_is_credit(line)
                    for plan in sold.filtered("incident_kind")
                )
            ):
                continue
            if sold.order_id & self.order_id:
                prices.append(line.price_subtotal)
            typed.append((bool(sold) or line.price_subtotal > 0, line.price_subtotal))
        everything = [price for _counts, price in typed]
        without = [price for counts, price in typed if counts]
        share = net_share(prices, [price for price in prices if price > 0])
        share *= net_share(everything, without)
        return self.company_id.currency_id.round(value * share)

    def _incident_is_payment(self):
        """Return whether this line pays for the others, and is no discount: a gift card
        or an eWallet, which is posted to an account that is not income (R12.6)."""
        self.ensure_one()
        template = self.product_id.product_tmpl_id
        if not template:
            return False
        accounts = template.with_company(self.company_id).get_product_accounts(
            fiscal_pos=self.order_id.fiscal_position_id
        )
        return accounts["income"].internal_group not in (False, "income")

    def _incident_is_charge(self, invoice_line):
        """Return whether a line of a credit note charges: that of the last document of
        an order, where down payments were more than the rest."""
        return invoice_line.quantity < 0 and not invoice_line.move_id.reversed_entry_id

    def _incident_is_credit(self, invoice_line):
        """Return whether a line credits what this line sells: one of a credit note, or
        below zero on an invoice (R8.8). What a change of plan credits is below zero
        itself."""
        if invoice_line.move_id.move_type == "out_refund":
            return not self._incident_is_charge(invoice_line)
        return self.incident_operation != "credit" and (
            invoice_line.quantity < 0
            or invoice_line.price_subtotal < 0 <= self.price_subtotal
        )

    def _incident_quantity_of(self, invoice_line):
        return invoice_line.product_uom_id._compute_quantity(
            invoice_line.quantity, self.product_uom_id, round=False
        )

    def _incident_is_paid_in_full(self):
        """Return whether all of this line is paid (R9.6), whenever it gives."""
        self.ensure_one()
        order = self.order_id
        # Neither credit notes of goodwill nor refunds lower what was agreed (R9.7).
        if self in order._incident_covered({}):
            return order.state == "sale"
        if order._incident_paid_down_share({}) < 1:
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
        paid = self.order_id._incident_paid()
        for line in self.invoice_lines:
            move = line.move_id
            if line.parent_state != "posted" or move.move_type not in (
                "out_invoice",
                "out_refund",
            ):
                continue
            sign = 1 if move.move_type == "out_invoice" else -1
            kept = float(1 - paid.returned.get(move, 0))
            amount += (
                sign
                * kept
                * line.currency_id._convert(
                    line.price_subtotal, self.currency_id, self.company_id, line.date
                )
            )
            if sign > 0 or self._incident_is_charge(line):
                quantity += sign * self._incident_quantity_of(line)
        # What is not invoiced yet was paid as it was ordered.
        open_part = max(1 - quantity / self.product_uom_qty, 0)
        open_part *= float(paid.covered.get(self, 1))
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
