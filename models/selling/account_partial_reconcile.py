from odoo import api, models

from .account_because import Because


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a payment may now be refunded (R6.2), an order paid (R8.3)."""
        if vals_list:
            self.check_access("create")
        items = self.env["account.move.line"].browse(
            vals[name]
            for vals in vals_list
            for name in ("debit_move_id", "credit_move_id")
            if vals.get(name)
        )
        moves = items.sudo().move_id
        payments = moves.origin_payment_id.filtered("incident_first_number")
        moves._incident_lock_ahead(payments)
        partials = super().create(vals_list)
        partials._incident_refundable()._incident_give()
        # It may say which invoice a credit note is of (R8.9).
        partials._incident_moves()._incident_sell()
        partials._incident_moves()._incident_affected_orders()._incident_changed()
        return partials

    def unlink(self):
        """Override: a payment may now be refunded no more (R6.2), an order not paid
        (R8.3)."""
        if not self:  # which core does all the time
            return super().unlink()
        self.check_access("unlink")
        payments = self._incident_refundable()
        moves = self._incident_moves()
        because = self._incident_because()
        # Core posts the reversal of exchange differences.
        moves._incident_lock_ahead(payments)
        res = super().unlink()
        payments.exists()._incident_give()
        moves.exists()._incident_affected_orders().with_context(
            incident_because=because
        )._incident_changed()
        return res

    def _incident_because(self):
        """Return what is paid no more when these are deleted.

        :rtype: Because
        """
        invoices = self.sudo().debit_move_id.move_id.filtered(
            lambda move: move.move_type == "out_invoice"
        )
        return Because(
            (
                invoice.commercial_partner_id.id,
                lambda env, number=invoice.name: env._(
                    "Invoice %(number)s is not paid any more", number=number
                ),
            )
            for invoice in invoices
        )

    def _incident_moves(self):
        """Return the entries that these reconcile."""
        partials = self.sudo()
        return partials.debit_move_id.move_id | partials.credit_move_id.move_id

    def _incident_void(self):
        """Return those of these whose payer is no money (any more): an entry in draft,
        or a payment that is not effective. Core leaves them reconciled (R12.7)."""
        return self.filtered(
            lambda partial: (
                partial.credit_move_id.parent_state != "posted"
                or (payment := partial.credit_move_id.payment_id)
                and not payment._incident_is_booked()
            )
        )

    def _incident_refundable(self):
        """Return the payments with a grant that these reconcile with other payments."""
        payments = self.env["account.payment"].sudo()
        for partial in self.sudo():
            if partial.debit_move_id.move_id.origin_payment_id:
                payments |= partial.credit_move_id.move_id.origin_payment_id
        return payments.filtered("incident_first_number")
