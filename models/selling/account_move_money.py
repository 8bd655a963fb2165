"""Whether money stands behind an invoice (R8.3c).

``payment_state`` does not follow a payment that is reset. What counts is that nothing
is left to pay, and that each entry behind that stands for money.
"""

from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _incident_is_settled(self, known=None):
        """Return whether nothing of this invoice is left to pay, and every payment
        behind that is effective (R8.3c). Credited is not paid: where nothing but its
        own credit notes stands behind it, nobody has paid.

        :param dict known: what :meth:`_incident_is_money` has found out already.
        :rtype: bool
        """
        self.ensure_one()
        if self.state != "posted":
            return False
        left, loose = self._incident_to_pay()
        if self.currency_id.compare_amounts(left, 0) > 0:
            return False
        known = {} if known is None else known
        partials = self._incident_receivable().matched_credit_ids
        payers = partials.credit_move_id.move_id - partials.exchange_move_id
        own = payers.filtered(lambda move: self in move._incident_credited())
        payers -= own
        if any(note.state != "posted" for note in own):
            return False
        return (
            bool(payers or loose) or self.currency_id.is_zero(self.amount_total)
        ) and all(move._incident_is_money(known) for move in payers)

    def _incident_receivable(self):
        """Return the journal items of these entries that customers pay."""
        return self.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def _incident_pay_from(self, credits):
        """Pay this invoice from outstanding credits, in their order, as far as they go.

        :param credits: ``account.move.line`` records.
        """
        self.ensure_one()
        for credit in credits:
            if self.currency_id.is_zero(self.amount_residual):
                break
            # Odoo reconciles within one account.
            if credit.account_id in self._incident_receivable().account_id:
                self.js_assign_outstanding_line(credit.id)

    def _incident_loose_payments(self):
        """Return the effective payments of these invoices that have no entry."""
        return self.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment._incident_is_booked()
        )

    def _incident_is_begun(self):
        """Return whether something has paid for these invoices, in part at least: what
        their credit notes credit was not paid."""
        partials = self._incident_receivable().matched_credit_ids
        payers = partials.credit_move_id.move_id - self._incident_notes()
        return bool(payers or self._incident_loose_payments())

    def _incident_to_pay(self):
        """Return what is left to pay of this invoice, in its currency, and the payments
        without a journal entry that it counts: they are never reconciled.

        :rtype: tuple[float, recordset]
        """
        loose = self._incident_loose_payments()
        if not loose or self.currency_id.is_zero(self.amount_residual):
            return self.amount_residual, loose
        # They may be for several invoices, and must suffice for all: but for what
        # other payments have paid. A bank statement may show the very same money.
        left = 0
        for invoice in loose.invoice_ids.filtered(lambda move: move.state == "posted"):
            others = invoice._incident_receivable().matched_credit_ids.filtered(
                lambda partial: not partial.credit_move_id.move_id.statement_line_id
            )
            left += invoice.currency_id._convert(
                invoice.amount_total - sum(others.mapped("debit_amount_currency")),
                self.currency_id,
                self.company_id,
                invoice.date,
            )
        for payment in loose:
            left -= payment._incident_paid_for(payment.invoice_ids, self.currency_id)
        return left, loose

    def _incident_is_money(self, known):
        """Return whether this entry, which pays for an invoice, stands for money.

        A payment does while it is effective; what was paid back of it counts like a
        credit note (R8.4). A credit note does as far as the invoices that it credits
        were paid with money themselves; credit notes that pay for each other do not.
        What an accountant posts otherwise does: a bank statement, a write-off.

        :param dict known: by entry, what was found out already; it is added to.
        """
        self.ensure_one()
        if self not in known:
            known[self] = False  # for whoever comes back here
            known[self] = self.state == "posted" and self._incident_has_money(known)
        return known[self]

    def _incident_has_money(self, known):
        payment = self.origin_payment_id
        if payment:
            return payment._incident_is_booked()
        invoices = self._incident_credited()
        if not invoices:
            # Nobody knows yet which plan's money it gives back (R8.9).
            return (
                self.move_type != "out_refund"
                or self.incident_goodwill
                or not self._incident_typed_lines()
            )
        # In the currency of the invoices: rates change between the two.
        spent = sum(
            partial.credit_amount_currency
            for partial in invoices._incident_notes()
            ._incident_receivable()
            .matched_debit_ids
            if partial.debit_move_id.move_id not in invoices
        )
        received = sum(
            partial.debit_amount_currency
            for partial in invoices._incident_receivable().matched_credit_ids
            if not partial.credit_move_id.move_id._incident_credited() & invoices
            and partial.credit_move_id.move_id._incident_is_money(known)
        )
        for payment in invoices._incident_loose_payments():
            received += payment._incident_paid_for(
                payment.invoice_ids, self.currency_id
            )
        return self.currency_id.compare_amounts(spent, received) <= 0

    def _incident_credited(self):
        """Return the invoices that these credit notes are of.

        A credit note that was made from an order names its lines, and no invoice.
        """
        notes = self.filtered(lambda move: move.move_type == "out_refund")
        named = notes.reversed_entry_id | notes.incident_credited_id
        unnamed = notes.filtered(lambda move: not move._incident_credited_invoice())
        return named | unnamed._incident_same_lines("out_invoice")

    def _incident_notes(self):
        """Return the posted credit notes of these invoices."""
        unnamed = self._incident_same_lines("out_refund").filtered(
            lambda move: not move._incident_credited_invoice()
        )
        return self._incident_notes_of_all() | unnamed.filtered(
            lambda move: move.state == "posted"
        )

    def _incident_same_lines(self, move_type):
        lines = self.invoice_line_ids.sale_line_ids.invoice_lines
        return lines.move_id.filtered(lambda move: move.move_type == move_type)
