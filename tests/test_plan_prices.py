from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestPlanPrices(SubscriptionCommon):
    """Plans side by side (R8.1, R22.1): what they sell and cost, and how many have
    them; numbers and prices in one place."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.term, cls.size = cls.env["product.attribute"].create(
            [
                {
                    "name": name,
                    "value_ids": [Command.create({"name": value}) for value in values],
                }
                for name, values in (
                    ("Term", ("1 month", "3 months", "12 months")),
                    ("Size", ("Small", "Large")),
                )
            ]
        )
        cls.mixed = cls.plan("Mixed", 30)
        cls.product = cls.mixed.product_tmpl_id
        cls.product.attribute_line_ids = [
            Command.create(
                {
                    "attribute_id": cls.term.id,
                    "value_ids": [Command.set(cls.term.value_ids.ids)],
                }
            )
        ]
        cls.variants = cls.product.product_variant_ids
        for variant, months in zip(cls.variants, (1, 3, 12), strict=True):
            variant.write(
                {
                    "incident_kind": "period",
                    "incident_quantity": 10,
                    "incident_term_months": months,
                }
            )

    def prices(self):
        self.env.invalidate_all()
        return self.variants.mapped("lst_price")

    def test_price_of_one_variant(self):
        """R8.1: the price of a variant is set by the extra price of its value: no other
        variant, and not the price of the product, changes."""
        self.assertEqual(self.prices(), [30, 30, 30])
        one, three, twelve = self.variants
        three.incident_price = 80
        self.assertEqual(self.prices(), [30, 80, 30])
        twelve.incident_price = 300
        one.incident_price = 25
        self.assertEqual(self.prices(), [25, 80, 300])
        self.assertEqual(self.product.list_price, 30)
        line = self.quotation(three).order_line
        self.assertEqual(line.price_unit, 80)

    def test_price_of_a_product(self):
        """R8.1: without variants it is the price of the product."""
        self.months.incident_price = 95
        self.assertEqual(self.months.product_tmpl_id.list_price, 95)
        self.assertTrue(self.months.incident_price_is_own)

    def test_shared_values(self):
        """R8.1: where each value is shared, no price is set by surprise."""
        self.product.attribute_line_ids = [
            Command.create(
                {
                    "attribute_id": self.size.id,
                    "value_ids": [Command.set(self.size.value_ids.ids)],
                }
            )
        ]
        variant = self.product.product_variant_ids[0]
        self.assertFalse(variant.incident_price_is_own)
        before = self.product.product_variant_ids.mapped("lst_price")
        with self.assertRaises(UserError):
            variant.incident_price = 99
        self.env.invalidate_all()
        self.assertEqual(self.product.product_variant_ids.mapped("lst_price"), before)

    def test_cards(self):
        """R22.1: what it sells, its price, and how many have it."""
        self.variants[1].incident_price = 80
        self.bought(self.variants[1])
        self.env.invalidate_all()
        card = self.variants[1].incident_card
        self.assertRegex(card, r"^10 × 3 months · .*80\.00.* · 1 active$")
        self.assertIn(card, self.product.incident_cards)
        self.assertEqual(self.product.incident_active_count, 1)
        action = self.product.action_view_incident_subscriptions()
        found = self.env["helpdesk.incident.subscription"].search(action["domain"])
        self.assertEqual(found.product_id, self.variants[1])
        self.assertRegex(self.lifetime.incident_card, r"^30 lifetime · .*200\.00")

    def test_queries(self):
        """R22.1: all active subscriptions are counted at once."""
        products = (self.months | self.business | self.small).product_tmpl_id

        def queries(products):
            self.env.invalidate_all()
            records = products.browse(products.ids)
            records.mapped("name")
            before = self.env.cr.sql_log_count
            records.mapped("incident_active_count")
            records.mapped("incident_cards")
            return self.env.cr.sql_log_count - before

        queries(products)
        one, all_of_them = queries(products[:1]), queries(products)
        self.assertLessEqual(all_of_them, one)
