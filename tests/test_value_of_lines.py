from odoo.fields import Command
from odoo.tests import tagged

from .common_typed import TypedCommon


@tagged("post_install", "-at_install")
class TestValueOfLines(TypedCommon):
    """R12.4, R12.6: what a discount takes from the value of incidents, and what pays
    for them and takes nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        liability = cls.env["account.account"].create(
            {
                "name": "Gift cards",
                "code": "205900",
                "account_type": "liability_current",
            }
        )
        cls.gift_card = cls.plan(
            "Gift card", 0, property_account_income_id=liability.id
        )

    def bought(self, *lines):
        """Return an order of a pack at 40.50, and further lines, paid online."""
        order = self.quotation(self.pack)
        order.order_line.price_unit = 40.50
        order.order_line = [Command.create(line) for line in lines]
        self.transaction(order)
        return order

    def test_gift_card(self):
        """R12.6: 20.00 of a gift card on a liability account pay for 40.50; invoiced or
        not, the incidents are worth 40.50."""
        order = self.bought({"product_id": self.gift_card.id, "price_unit": -20})
        self.assertEqual((order.amount_total, self.given()), (20.5, 10))
        self.assertEqual(self.value(order), 40.5)
        self.bill(order)
        self.assertEqual(self.value(order), 40.5)

    def test_discount(self):
        """R12.4: 20.00 of a discount that is a line of the order lower it to 20.50."""
        order = self.bought({"product_id": self.service.id, "price_unit": -20})
        self.assertEqual(self.value(order), 20.5)
        self.bill(order)
        self.assertEqual(self.value(order), 20.5)

    def test_discount_and_gift_card(self):
        """R12.4, R12.6: both: 40.50 − 10.00, of which 15.00 are paid by an eWallet."""
        order = self.bought(
            {"product_id": self.service.id, "price_unit": -10},
            {"product_id": self.gift_card.id, "price_unit": -15},
        )
        self.assertEqual(self.value(order), 30.5)
        self.bill(order)
        self.assertEqual(self.value(order), 30.5)

    def test_discount_typed_on_the_invoice(self):
        """R12.4: 10.00 typed on the draft of 50.00, 40.00 paid: worth 40.00."""
        order = self.order(self.pack)
        invoice = order._create_invoices()
        invoice.invoice_line_ids = [
            Command.create({"name": "Discount", "price_unit": -10, "tax_ids": []})
        ]
        invoice.action_post()
        self.register(invoice)
        self.assertEqual((invoice.amount_total, self.given()), (40, 10))
        self.assertEqual(self.value(order), 40)

    def test_discount_typed_for_all(self):
        """R12.4: it is shared with what else the invoice has: 9.00 of 90.00."""
        order = self.order(self.pack, self.service)
        invoice = order._create_invoices()
        invoice.invoice_line_ids = [
            Command.create({"name": "Discount", "price_unit": -9, "tax_ids": []})
        ]
        invoice.action_post()
        self.register(invoice)
        self.assertEqual(self.value(order), 45)

    def test_reward_deleted(self):
        """R8.4: an order that a gift card has paid in full, invoiced and cancelled: the
        line that had paid is deleted, and nothing is left of the incidents."""
        order = self.quotation(self.pack)
        order.order_line = [
            Command.create({"product_id": self.gift_card.id, "price_unit": -50})
        ]
        order.action_confirm()
        self.assertEqual((order.amount_total, self.given()), (0, 10))
        self.bill(order)
        order._action_cancel()
        order.order_line[1].unlink()
        self.assertEqual(self.given(), 0)
