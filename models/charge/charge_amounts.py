"""What follows from the documents of a charge (R10.1, R10.4)."""

from odoo import models


class HelpdeskTicketCharge(models.Model):
    _inherit = "helpdesk.ticket.charge"

    def _amounts(self):
        """Return what follows from the documents of this charge, by field.

        :rtype: dict
        """
        self.ensure_one()
        currency = self.currency_id
        moves = self.invoice_ids.filtered(lambda move: move.state == "posted")
        drafts = self.invoice_ids.filtered(lambda move: move.state == "draft")
        invoices = moves.filtered(lambda move: move.move_type == "out_invoice")
        notes = moves - invoices
        invoiced = self._sum(invoices)
        total = currency.round(
            self._sum(invoices, "amount_total") - self._sum(notes, "amount_total")
        )
        due = self._sum(
            # What is in payment has no residual to come.
            invoices.filtered(
                lambda move: (
                    move.payment_state not in ("in_payment", "paid", "reversed")
                )
            ),
            "amount_residual",
        )
        void = self._void(invoices)
        refunded = currency.is_zero(total) and not drafts
        return {
            "amount": currency.round(invoiced - self._sum(notes)),
            "amount_invoiced": invoiced,
            "amount_total": total,
            "amount_due": currency.round(due + void),
            # Rates round each document for itself.
            "amount_company": (
                0 if refunded else sum(moves.mapped("amount_total_signed"))
            ),
            "state": "refunded" if refunded else "charged",
            "payment_state": self._payment_state(total, due, drafts or void),
        }

    def _void(self, invoices):
        """Return what is reconciled with payments that are not effective (R8.3c), or
        with other entries in draft, in the currency of the charge."""
        void = 0
        for invoice in invoices:
            partials = invoice._incident_receivable().matched_credit_ids
            void += invoice.currency_id._convert(
                sum(partials._incident_void().mapped("debit_amount_currency")),
                self.currency_id,
                invoice.company_id,
                invoice.date,
            )
        return void

    def _payment_state(self, total, due, working):
        """Return what the customer has paid, in one word.

        :param float total: what the customer pays, and what of it is ``due``.
        :param working: whether an accountant has a document, or a payment, in work.
        """
        currency = self.currency_id
        if working or currency.compare_amounts(total, 0) < 0:
            return "accounting"
        if currency.is_zero(total):
            return "refunded"
        if currency.is_zero(due):
            return "paid"
        if currency.compare_amounts(due, total) < 0:
            return "partial"
        return "not_paid"

    def _sum(self, moves, name=None):
        """Return the sum of an amount of documents, in the currency of the charge.

        :param str name: the field, by default the one that ``amount`` is about.
        """
        name = name or self._amount_field()
        return sum(
            move.currency_id._convert(
                move[name], self.currency_id, move.company_id, move.date
            )
            for move in moves
        )

    def _amount_field(self):
        """Return the field of a document that ``amount`` is about (R10.1)."""
        return "amount_total" if self.tax_included else "amount_untaxed"
