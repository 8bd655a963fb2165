from odoo.fields import Command

from .common_sale import SaleCommon


class TypedCommon(SaleCommon):
    """An accountant who types documents with plans, without an order."""

    def typed(self, *products, move_type="out_invoice", post=True, **values):
        """Return a document with a line for each product, or values of a line."""
        move = self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.customer.id,
                "invoice_date": "2027-04-11",
                "date": "2027-04-11",
                "invoice_line_ids": [
                    Command.create(
                        line if isinstance(line, dict) else {"product_id": line.id}
                    )
                    for line in products
                ],
                **values,
            }
        )
        if post:
            move.action_post()
        return move

    def fault(self, move):
        """Return what is listed in To Check for a document."""
        return self.env["helpdesk.incident.fault"].search(
            [("res_model", "=", move._name), ("res_id", "=", move.id)]
        )

    def value(self, *orders):
        self.env.invalidate_all()
        return sum(sum(order.order_line.mapped("incident_value")) for order in orders)
