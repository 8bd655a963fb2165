"""Whether what an order sells is due: paid (R8.3), and not credited (R8.4).

``payment_state`` and ``amount_paid`` do not follow a payment that is reset, or count
what was only authorized. What counts is money: payments that are effective, in a
transaction or reconciled with an invoice.
"""

from odoo import models
from odoo.tools import float_compare


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_paid_online(self):
        """Return whether done transactions cover the order: their effective payments,
        less what was paid back or has paid for something else since (R8.3b).

        :rtype: bool
        """
        self.ensure_one()
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


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_due(self):
        """Return how many incidents the line should have given by now, of all periods
        together: all that it sells, less what was credited (R8.3, R8.4).

        :rtype: int
        """
        self.ensure_one()
        if not self._incident_is_due():
            return 0
        total = self._incident_total()
        credited, base = self._incident_credited()
        return total - min(total * credited // base if base else 0, total)

    def _incident_is_due(self):
        """R8.3; a cancelled order keeps what a paid invoice covers (R8.4)."""
        order = self.order_id
        grant_on = order.incident_grant_on or order.company_id.incident_grant_on
        confirmed = order.state == "sale"
        if confirmed and (
            grant_on == "confirmed"
            or grant_on == "paid"
            and (
                order.currency_id.is_zero(order.amount_total)
                or order._incident_paid_online()
            )
        ):
            return True
        invoices = self._incident_invoices()
        if not invoices:
            return False
        if confirmed and grant_on == "posted":
            return True
        return all(invoice._incident_is_settled() for invoice in invoices)

    def _incident_invoice_lines(self, move_type):
        return self.invoice_lines.filtered(
            lambda line: (
                line.parent_state == "posted"
                and line.move_id.move_type == move_type
                and not line.move_id.incident_goodwill
            )
        )

    def _incident_invoiced(self, move_type):
        """Return the quantity and the untaxed amount on posted invoices, or on posted
        credit notes but those of goodwill; in the line's unit and the order's currency.

        :rtype: tuple[float, float]
        """
        quantity = amount = 0
        for line in self._incident_invoice_lines(move_type):
            quantity += line.product_uom_id._compute_quantity(
                line.quantity, self.product_uom_id, round=False
            )
            amount += line.currency_id._convert(
                line.price_subtotal,
                self.currency_id,
                self.company_id,
                line.move_id.invoice_date or line.date,
            )
        return quantity, amount

    def _incident_invoices(self):
        """Return the posted invoices of this line, down payments included; none if
        they do not cover it."""
        quantity, _amount = self._incident_invoiced("out_invoice")
        if float_compare(quantity, self.product_uom_qty, precision_digits=6) < 0:
            return self.env["account.move"]
        down_payments = self.order_id.order_line.filtered("is_downpayment")
        # What the last invoice deducts must have been paid, and not credited since.
        for line in down_payments:
            left = sum(
                invoice_line.price_subtotal * -invoice_line.move_id.direction_sign
                for invoice_line in line.invoice_lines
                if invoice_line.parent_state == "posted"
            )
            if self.currency_id.compare_amounts(left, 0) < 0:
                return self.env["account.move"]
        return ((self | down_payments)._incident_invoice_lines("out_invoice")).move_id

    def _incident_credited(self):
        """Return what was credited, and of how much, both in the same units: of the
        untaxed price, or of the quantity where nothing was charged (R8.4).

        An invoice that was credited and issued anew is no credit: only what exceeds
        the further invoices is.

        :rtype: tuple[int, int]
        """
        ordered = self.product_uom_qty
        quantity, amount = self._incident_invoiced("out_invoice")
        credited_quantity, credited_amount = self._incident_invoiced("out_refund")
        base = amount * ordered / quantity if quantity else self.price_subtotal
        if self.currency_id.is_zero(base):
            step, base, invoiced, credited = 1e-6, ordered, quantity, credited_quantity
        else:
            step, invoiced, credited = (
                self.currency_id.rounding,
                amount,
                credited_amount,
            )
        excess = credited - max(invoiced - base, 0)
        return max(round(excess / step), 0), round(base / step)
