from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from .common_sale import SaleCommon


@tagged("post_install", "-at_install")
class TestCanBuy(SaleCommon):
    """R11.1: whether a customer can buy incidents is asked by every page, and answered
    without the order that prices the page to buy; it is the same answer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pack.product_tmpl_id.incident_portal_published = True
        cls.orders = cls.env["sale.order"]

    def can_buy(self):
        return self.orders._incident_can_buy(self.customer, self.company)

    def offered(self):
        return bool(self.orders._incident_offer(self.customer, self.company).order_line)

    def assertSame(self, expected):
        """Check the answer, and that the order says so, too."""
        self.env.invalidate_all()
        self.assertEqual(self.offered(), expected)
        self.assertEqual(self.can_buy(), expected)

    def price_by(self, **rule):
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Special",
                "company_id": self.company.id,
                "item_ids": [Command.create(rule)],
            }
        )
        customer = self.customer.with_company(self.company)
        customer.property_product_pricelist = pricelist

    def tax(self, amount, amount_type="percent", **values):
        tax = self.env["account.tax"].create(
            {
                "name": f"Tax {amount} {amount_type}",
                "amount": amount,
                "amount_type": amount_type,
                "type_tax_use": "sale",
                "company_id": self.company.id,
                **values,
            }
        )
        self.pack.taxes_id = tax
        return tax

    def test_without_an_order(self):
        """R11.1: no order is made to be thrown away, with a pricelist or without."""
        self.tax(15)
        with patch.object(
            type(self.orders), "_incident_offer", side_effect=AssertionError
        ):
            self.assertTrue(self.can_buy())
            self.price_by(compute_price="fixed", fixed_price=20)
            self.env.invalidate_all()
            self.assertTrue(self.can_buy())
        self.assertSame(True)

    def test_nothing_in_the_portal(self):
        """R8.1: nothing published, nothing that is sold."""
        template = self.pack.product_tmpl_id
        for values in (
            {"sale_ok": False},
            {"incident_portal_published": False},
            {"company_id": self.env["res.company"].create({"name": "Other"}).id},
            {"list_price": 0},
            {"active": False},
        ):
            with self.subTest(values=values), self.env.cr.savepoint() as savepoint:
                template.write(values)
                self.assertSame(False)
                savepoint.rollback()
        self.assertSame(True)

    def test_one_of_many(self):
        """R11.1: one plan with a price is enough, wherever it stands."""
        self.pack.list_price = 0
        self.months.product_tmpl_id.incident_portal_published = True
        self.assertSame(True)
        self.months.list_price = 0.01
        self.assertSame(True)
        self.months.list_price = 0.001
        self.assertSame(False)

    def test_pricelists(self):
        """R11.1: by the customer's own prices."""
        for expected, rule in (
            (True, {"compute_price": "percentage", "percent_price": 50}),
            (False, {"compute_price": "percentage", "percent_price": 100}),
            (True, {"compute_price": "fixed", "fixed_price": 7}),
            (False, {"compute_price": "fixed", "fixed_price": 0}),
            (True, {"compute_price": "formula", "price_discount": 99.9}),
            (False, {"compute_price": "formula", "price_discount": 100}),
        ):
            for shown in (False, True):
                with (
                    self.subTest(rule=rule, shown=shown),
                    self.env.cr.savepoint() as savepoint,
                ):
                    if shown:
                        self._enable_discounts()
                    self.price_by(**rule)
                    self.assertSame(expected)
                    savepoint.rollback()

    def test_discount_that_rounds_to_all(self):
        """R11.1: a discount that is shown is rounded on the order, to all of it."""
        self._enable_discounts()
        self.pack.list_price = 1_000_000
        self.price_by(compute_price="percentage", percent_price=99.9999)
        self.assertEqual(self.offered(), self.can_buy())

    def test_taxes(self):
        """R11.1: with taxes that add, and with those that take all of it."""
        for expected, price, values in (
            (True, 50, {"amount": 15, "price_include_override": "tax_included"}),
            (True, 50, {"amount": -50}),
            (False, 50, {"amount": -100}),
            (True, 0, {"amount": 3, "amount_type": "fixed"}),
            (False, 2, {"amount": -3, "amount_type": "fixed"}),
            (True, 50, {"amount": 100}),
        ):
            with (
                self.subTest(price=price, values=values),
                self.env.cr.savepoint() as savepoint,
            ):
                self.pack.list_price = price
                self.tax(**values)
                self.assertSame(expected)
                savepoint.rollback()

    def test_attributes(self):
        """R11.1: what an attribute takes off, or adds."""
        for expected, price, extra in (
            (True, 50, -20),
            (False, 50, -50),
            (True, 0, 20),
        ):
            with (
                self.subTest(price=price, extra=extra),
                self.env.cr.savepoint() as savepoint,
            ):
                attribute = self.env["product.attribute"].create(
                    {
                        "name": "Hours",
                        "value_ids": [
                            Command.create(
                                {"name": "Day", "default_extra_price": extra}
                            )
                        ],
                    }
                )
                template = self.pack.product_tmpl_id
                template.list_price = price
                template.attribute_line_ids = [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ]
                self.assertSame(expected)
                savepoint.rollback()

    def _enable_discounts(self):
        self.env.user.group_ids += self.env.ref("sale.group_discount_per_so_line")
