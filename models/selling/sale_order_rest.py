"""What is left to pay of an order that was paid in part (R8.10, R24.5)."""

from typing import NamedTuple

from odoo import models
from odoo.tools import SQL

from ...sql import flush


class Rest(NamedTuple):
    """What is left to pay of an order, or of one of its invoices."""

    #: in the currency of the document
    amount: float
    document: models.BaseModel
    #: the address of the page that takes the money
    url: str


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_begun(self):
        """Return those of these orders that a customer may have paid a part of: online,
        or of an invoice.
        """
        if not self:
            return self
        flush(
            self.env,
            {
                "account.move": "payment_state",
                "account.move.line": "move_id",
                "payment.transaction": "state",
                "sale.order": "transaction_ids",
                "sale.order.line": "invoice_lines order_id",
            },
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT rel.sale_order_id
                  FROM sale_order_transaction_rel rel
                  JOIN payment_transaction tx ON tx.id = rel.transaction_id
                 WHERE rel.sale_order_id IN %(orders)s AND tx.state = 'done'
                 UNION
                SELECT line.order_id
                  FROM sale_order_line line
                  JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = line.id
                  JOIN account_move_line item ON item.id = rel.invoice_line_id
                  JOIN account_move move ON move.id = item.move_id
                 WHERE line.order_id IN %(orders)s AND move.payment_state = 'partial'
                """,
                orders=tuple(self.ids),
            )
        )
        begun = {row[0] for row in rows}
        return self.filtered(lambda order: order.id in begun)

    def _incident_rests(self):
        """Return how the customer can pay what is left of this order of plans, if it
        was paid in part: its open invoices; else online, as long as nothing but online
        payments has paid for it.

        :return: empty if it was not paid in part, or a payment is under way.
        :rtype: list[Rest]
        """
        self.ensure_one()
        if (
            self.state not in ("sent", "sale")
            or not self.incident_has_plan
            or self._incident_is_being_paid(done=False)
        ):
            return []
        online = self._incident_paid_online()
        invoices = self.invoice_ids.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_invoice"
        )
        due = invoices.filtered(
            lambda move: move.payment_state in ("not_paid", "partial")
        )
        if due:
            if online <= 0 and not due._incident_is_begun():
                return []
            return [
                Rest(invoice.amount_residual, invoice, invoice.get_portal_url())
                for invoice in due
            ]
        rest = self.currency_id.round(self.amount_total - online)
        if (
            online <= 0
            or self.currency_id.compare_amounts(rest, 0) <= 0
            # Paid by hand, too: only accountants know what is left.
            or invoices._incident_payers() - self._incident_payers()
        ):
            return []
        # A quotation asks for it by itself: see the controller.
        more = f"&payment_amount={rest}" if self.state == "sale" else ""
        return [Rest(rest, self, self.get_portal_url(query_string=more))]
