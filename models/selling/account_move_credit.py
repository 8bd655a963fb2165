"""Which invoice a credit note is of, whoever typed it (R8.9)."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class AccountMove(models.Model):
    _inherit = "account.move"

    incident_credited_id = fields.Many2one(
        comodel_name="account.move",
        string="Credits the plans of",
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        domain="[('move_type', '=', 'out_invoice'), ('state', '=', 'posted'), "
        "'|', ('company_id', 'parent_of', company_id), "
        "('company_id', 'child_of', company_id), "
        "('commercial_partner_id', '=', commercial_partner_id)]",
        help="The invoice whose support incidents this credit note takes back. Found "
        "by itself where the credit note reverses it, is reconciled with it, or where "
        "it is the customer's only invoice of that plan that is not credited yet.",
    )

    @api.constrains("incident_credited_id")
    def _check_incident_credited(self):
        """R8.9, R2.3"""
        for note in self:
            invoice = note.incident_credited_id
            if invoice and (
                invoice.move_type != "out_invoice"
                or not invoice.company_id._incident_is_one_with(note.company_id)
                or invoice.commercial_partner_id != note.commercial_partner_id
            ):
                raise UserError(
                    self.env._(
                        "%(note)s can only credit an invoice of the same customer and "
                        "company. Choose another one.",
                        note=note.display_name,
                    )
                )

    def _incident_credited_invoice(self):
        """Return the invoice that this credit note reverses, or is known to credit."""
        return self.reversed_entry_id or self.incident_credited_id

    # ------------------------------------------------------------------
    # Lines
    # ------------------------------------------------------------------

    def _incident_link_credits(self):
        """Let the plan lines of these credit notes belong to the order lines of the
        invoices that they credit, as far as these are known."""
        for note in self:
            known, customer = note.incident_credited_id, note.partner_id
            if known and known.partner_id.commercial_partner_id != (
                customer.commercial_partner_id
            ):
                note.incident_credited_id = False  # the customer was corrected
            typed = note._incident_typed_lines().filtered(
                lambda line: line._incident_is_credit()
            )
            if note.move_type == "out_invoice":
                # It credits what the same invoice sells, before any other.
                for line in typed:
                    own = note._incident_line_like(line).sale_line_ids
                    if own:
                        line.sale_line_ids = own
                typed &= note._incident_typed_lines()
            if not typed:
                continue
            invoice = note._incident_credited_invoice()
            if not invoice:
                invoice = note._incident_find_credited(typed.product_id)
                if invoice and note.move_type == "out_refund":
                    note.incident_credited_id = invoice  # which comes back here
            for line in typed & note._incident_typed_lines():
                line.sale_line_ids = invoice._incident_line_like(line).sale_line_ids

    def _incident_unlink_credits(self):
        """Let the lines of these credit notes belong to nothing again: somebody says
        that they are of another invoice."""
        for note in self.sudo().filtered("incident_credited_id"):
            note._incident_plan_lines().sale_line_ids = [Command.clear()]

    def _incident_find_credited(self, plans):
        """Return the invoice whose plans this credit note credits, if that is clear:
        one that it is reconciled with, or the customer's only one that is not credited
        yet.

        :param plans: the ``product.product`` records that it credits.
        """
        self.ensure_one()
        candidates = self.search(
            [
                ("id", "!=", self.id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("company_id", "child_of", self.company_id.root_id.id),
                ("commercial_partner_id", "=", self.commercial_partner_id.id),
                ("invoice_line_ids.product_id", "in", plans.ids),
                ("invoice_line_ids.sale_line_ids.incident_kind", "!=", False),
            ]
        ).filtered(lambda move: plans <= move._incident_plan_lines().product_id)
        reconciled = (
            self._incident_receivable().matched_debit_ids.debit_move_id.move_id
            & candidates
        )
        if reconciled:
            return reconciled if len(reconciled) == 1 else self.browse()
        candidates = candidates.filtered(
            lambda move: (
                # What was bought afterwards is not meant, whenever it is asked.
                move.date <= self.date
                and move.id < self.id
                and move.currency_id.compare_amounts(
                    sum((move._incident_notes() - self).mapped("amount_untaxed")),
                    move.amount_untaxed,
                )
                < 0
            )
        )
        return candidates if len(candidates) == 1 else self.browse()

    def _incident_plan_lines(self):
        """Return the lines of these documents that belong to plan lines of orders."""
        return self.invoice_line_ids.filtered(
            lambda line: line.sale_line_ids.filtered("incident_kind")
        )

    def _incident_line_like(self, credit):
        """Return the line of this invoice that a line of a credit note credits: of the
        same plan; if there are several, one of which as much is not credited yet, and
        of the same amount."""
        lines = self._incident_plan_lines().filtered(
            lambda line: line.product_id == credit.product_id
        )
        amount = abs(credit.price_subtotal)

        def fits(line):
            credited = line.sale_line_ids._incident_posted_lines("out_refund")
            left = line.price_subtotal - sum(credited.mapped("price_subtotal"))
            return (
                line.currency_id.compare_amounts(left, amount) >= 0,
                line.currency_id.compare_amounts(line.price_subtotal, amount) == 0,
            )

        return lines.sorted(fits, reverse=True)[:1]

    # ------------------------------------------------------------------
    # What is credited of all lines
    # ------------------------------------------------------------------

    def _incident_notes_of_all(self):
        """Return the posted credit notes that are known to be of this invoice."""
        notes = self.reversal_move_ids | self.search(
            [("incident_credited_id", "in", self.ids)]
        )
        return notes.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_refund"
        )

    def _incident_credited_at_large(self):
        """Return which share of all lines of this invoice its credit notes credit, but
        for goodwill.

        :rtype: float
        """
        notes = self._incident_notes_of_all().filtered(
            lambda note: not note.incident_goodwill
        )
        return sum(note._incident_credited_of_all(self) for note in notes)

    def _incident_credited_of_all(self, invoice):
        """Return which share of all lines of ``invoice`` this credit note credits: what
        is neither of an order line nor of a product of the invoice.

        :rtype: float
        """
        self.ensure_one()
        products = invoice.invoice_line_ids.product_id
        free = self.invoice_line_ids.filtered(
            lambda line: (
                line.display_type == "product"
                and not line.sale_line_ids
                and line.product_id not in products
                and line.account_id.internal_group == "income"
            )
        )
        whole = invoice.amount_untaxed
        if not free or invoice.currency_id.is_zero(whole):
            return 0.0
        amount = self.currency_id._convert(
            sum(free.mapped("price_subtotal")),
            invoice.currency_id,
            self.company_id,
            invoice.invoice_date or self.date,
        )
        return min(max(amount / whole, 0), 1)
