"""What was paid back of the money for orders and invoices (R8.4).

A refund pays a payment back: online, or reconciled with it. It gives back first what
the payment has not spent, then what credit notes of its documents credit. The rest
counts like a credit note of that sum, which the documents share by what the payment has
paid for each. What is paid back of an invoice whose credit notes have paid for another
one is paid back of that one.

A *document* is a posted invoice, or the part of a confirmed order that was paid online
and is not invoiced yet.
"""

from collections import defaultdict
from fractions import Fraction
from typing import NamedTuple

from odoo import models

from .quantities import as_fraction


class Use(NamedTuple):
    """What a payment, or a credit note, has paid for a document."""

    #: in the currency of what pays
    spent: float
    #: in the currency of the document
    worth: float


def returned_shares(documents):
    """Return which share of the money for these documents was paid back, beyond what
    their credit notes credit (R8.4).

    :param documents: single ``account.move`` and ``sale.order`` records.
    :return: of those of which something was paid back.
    :rtype: dict[recordset, Fraction]
    """
    shares = {}
    for document, amount in _paid_back(_refunded(documents)).items():
        whole = document._incident_standing()
        if document.currency_id.compare_amounts(amount, whole) >= 0:
            shares[document] = Fraction(1)
        else:
            shares[document] = as_fraction(amount) / as_fraction(whole)
    return shares


def _refunded(documents):
    """Return the refunded payments of these documents, and of all that share one with
    them, with what was paid back of each.

    :rtype: dict[recordset, float]
    """
    refunded, known, new = {}, set(), set(documents)
    while new:
        known |= new
        payments = _union(document._incident_payers() for document in new)
        sources = _union(document._incident_sources() for document in new)
        found = payments._incident_returned() if payments else {}
        refunded |= found
        used = {use for payment in found for use in payment._incident_uses()}
        new = (used | set(sources or ())) - known
    return refunded


def _union(records):
    """Return all of some recordsets of one model, None if there are none."""
    records = [record for record in records if record]
    return records[0].union(*records) if records else None


def _uses(partials):
    """Return what credits have paid for each document by these reconciliations.

    :rtype: dict[recordset, Use]
    """
    uses = defaultdict(lambda: Use(0, 0))
    for partial in partials:
        move = partial.debit_move_id.move_id
        before = uses[move]
        uses[move] = Use(
            before.spent + partial.credit_amount_currency,
            before.worth + partial.debit_amount_currency,
        )
    return {move: use for move, use in uses.items() if use.spent}


def _paid_back(refunded):
    """Return what these refunds pay back of each document, in its currency.

    :param dict refunded: the result of :func:`_refunded`.
    :rtype: dict[recordset, float]
    """
    back, credit = defaultdict(float), {}
    for payment in sorted(refunded, key=lambda payment: payment.id):
        paid, uses = payment._incident_uses(), {}
        # Paid for nothing, paid out or not.
        unspent = max(payment.amount - sum(use.spent for use in paid.values()), 0)
        left = refunded[payment] - unspent
        for document, use in paid.items():
            rate = use.worth / use.spent
            there = credit.setdefault(document, document._incident_open_credit())
            credited = min(max(left, 0), there / rate, use.spent)
            credit[document] -= credited * rate
            left -= credited
            uses[document] = Use(use.spent - credited, use.worth - credited * rate)
        _share(left, uses, back, payment.currency_id)
    for document in list(back):
        _pass_on(document, back, set())
    return back


def _share(amount, uses, back, currency):
    """Add what is paid back of some uses to ``back``."""
    spent = sum(use.spent for use in uses.values())
    if currency.compare_amounts(amount, 0) > 0 and spent:
        for document, use in uses.items():
            back[document] += use.worth * min(amount / spent, 1)


def _pass_on(document, back, seen):
    """Let what is paid back beyond what is left of an invoice be paid back of what its
    credit notes have paid for."""
    beyond = back[document] - document._incident_standing()
    if document in seen or document.currency_id.compare_amounts(beyond, 0) <= 0:
        return
    uses = document._incident_credit_uses()
    if not uses:
        return
    back[document] -= beyond
    _share(beyond, uses, back, document.currency_id)
    for use in uses:
        _pass_on(use, back, seen | {document})


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_returned(self):
        """Return what was paid back of those of these payments of which anything was,
        in the currency of each; but for what credit notes of their documents are
        reconciled with.

        :rtype: dict[recordset, float]
        """
        refunds = self.search([("source_payment_id", "in", self.ids)])
        online = refunds.grouped("source_payment_id")
        refunded = {}
        for payment in self:
            amount = sum(payment._incident_paid_out().mapped("credit_amount_currency"))
            for refund in online.get(payment, ()):
                amount += payment._incident_returned_by(refund)
            if not payment.currency_id.is_zero(amount):
                refunded[payment] = amount
        return refunded

    def _incident_is_paid_back(self):
        """Return whether a refund of this payment waits for what it still has."""
        self.ensure_one()
        paid_out = sum(self._incident_paid_out().mapped("credit_amount_currency"))
        returned = self._incident_returned().get(self, 0)
        return self.currency_id.compare_amounts(returned, paid_out) > 0

    def _incident_returned_by(self, refund):
        """Return what a refund has paid back of this payment, in its currency."""
        if not refund._incident_is_booked():
            return 0
        items = self.move_id._incident_receivable()
        notes = items.matched_debit_ids.debit_move_id.move_id._incident_notes()
        amount = refund.amount - sum(
            partial.debit_amount_currency
            for partial in refund.move_id._incident_receivable().matched_credit_ids
            if partial.credit_move_id.move_id in self.move_id | notes
        )
        return refund.currency_id._convert(
            amount, self.currency_id, refund.company_id, refund.date
        )

    def _incident_paid_out(self):
        """Return where this payment is reconciled with payments to the customer."""
        return self.move_id._incident_receivable().matched_debit_ids.filtered(
            lambda partial: partial.debit_move_id.move_id.origin_payment_id
        )

    def _incident_uses(self):
        """Return what this payment has paid for.

        :rtype: dict[recordset, Use]
        """
        self.ensure_one()
        uses = self._incident_spent()
        spent = sum(use.spent for use in uses.values())
        order, held = self._incident_held(max(self.amount - spent, 0))
        if held:
            worth = self.currency_id._convert(
                held, order.currency_id, self.company_id, self.date
            )
            uses[order] = Use(held, worth)
        return uses

    def _incident_spent(self):
        """Return what this payment has paid of entries, or, if it has none itself, of
        its invoices: these share it by what they come to."""
        if self.move_id:
            items = self.move_id._incident_receivable()
            return _uses(items.matched_debit_ids - self._incident_paid_out())
        invoices = self.invoice_ids.filtered(lambda move: move.state == "posted")
        totals = {
            move: move.currency_id._convert(
                move.amount_total, self.currency_id, self.company_id, self.date
            )
            for move in invoices
        }
        whole = sum(totals.values())
        share = min(self.amount / whole, 1) if whole else 0
        return {
            move: Use(total * share, move.amount_total * share)
            for move, total in totals.items()
            if total * share
        }

    def _incident_held(self, rest):
        """Return the order that this payment pays for and that is not invoiced yet,
        and how much it has for it.

        :param float rest: what it has not paid for anything else.
        """
        orders = self.payment_transaction_id._incident_orders()
        # Grouped payments tell nothing of a single order; their invoices do.
        order = orders if len(orders) == 1 and orders.state == "sale" else orders[:0]
        if not order:
            return order, 0
        open_part = order.currency_id._convert(
            order._incident_standing(), self.currency_id, self.company_id, self.date
        )
        return order, min(rest, open_part)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _incident_payers(self):
        """Return the payments that have paid for these documents."""
        items = self._incident_receivable()
        payments = items.matched_credit_ids.credit_move_id.move_id.origin_payment_id
        return payments | self._incident_loose_payments()

    def _incident_sources(self):
        """Return the invoices whose credit notes have paid for these ones."""
        partials = self._incident_receivable().matched_credit_ids
        return partials.credit_move_id.move_id._incident_credited() - self

    def _incident_standing(self):
        """Return what is left of this invoice when its credit notes are taken off, in
        its currency."""
        self.ensure_one()
        return max(self.amount_total - self._incident_note_total("amount_total"), 0)

    def _incident_open_credit(self):
        """Return what its credit notes have not paid for anything, in the currency of
        this invoice."""
        self.ensure_one()
        return self._incident_note_total("amount_residual")

    def _incident_note_total(self, field):
        return sum(
            note.currency_id._convert(
                note[field], self.currency_id, self.company_id, note.date
            )
            for note in self._incident_notes()
        )

    def _incident_credit_uses(self):
        """Return what the credit notes of this invoice have paid for.

        :rtype: dict[recordset, Use]
        """
        notes = self._incident_notes()
        own = notes._incident_credited()
        partials = notes._incident_receivable().matched_debit_ids
        return _uses(
            partials.filtered(
                lambda partial: (
                    partial.debit_move_id.move_id not in own
                    and not partial.debit_move_id.move_id.origin_payment_id
                )
            )
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_payers(self):
        """Return the payments that have paid for this order alone online."""
        return self.transaction_ids._incident_payments().filtered(
            lambda payment: (
                payment._incident_is_booked()
                and len(payment.payment_transaction_id._incident_orders()) == 1
            )
        )

    def _incident_sources(self):
        """Return nothing: credit notes pay for invoices."""
        return self.env["account.move"]

    def _incident_standing(self):
        """Return what is not invoiced of this order, in its currency."""
        self.ensure_one()
        invoiced = self._incident_posted_total(
            lambda move: move.move_type == "out_invoice"
        )
        return max(self.amount_total - invoiced, 0)

    def _incident_open_credit(self):
        """Return nothing: what is not invoiced is not credited."""
        return 0

    def _incident_credit_uses(self):
        """Return nothing: what is not invoiced is not credited."""
        return {}
