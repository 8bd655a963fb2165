from datetime import timedelta

from odoo.fields import Command
from odoo.tests import tagged

from .test_subscription_portal import SubscriptionPortalCommon


@tagged("post_install", "-at_install")
class TestBuyCompare(SubscriptionPortalCommon):
    """R11.4: plans on offer can be compared."""

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def facts(self, page, plan):
        row = f"//label[.//input[@name='plan' and @value='{plan.id}']]"
        facts = page.xpath(f"{row}//*[@name='facts']//text()[normalize-space()]")
        return " · ".join(facts).replace("\xa0", " ")

    def test_cheapest_first(self):
        """R11.4: products, and the terms of each, by their price."""
        page = self.page("/my/incidents/buy")
        titles = [
            title.text for title in page.xpath("//form/h2[hasclass('card-title')]")
        ]
        self.assertEqual(
            titles,
            [
                "Small support, 1 month",  # 20
                "Pack of 10",  # 50
                "Gold support",  # from 60
                "Standard support, 3 months",  # 90
                "Business support, 3 months",  # 150
            ],
        )
        gold = "//form[h2='Gold support']//input[@name='plan']/@value"
        self.assertEqual(
            page.xpath(gold),
            [
                str(plan.id)
                for plan in (self.gold_month, self.gold_lifetime, self.gold_year)
            ],
        )

    def test_month_and_incident(self):
        """R11.4: 5 incidents in each of 12 months for 500.00: 41.67 a month, 8.33 an
        incident, 30 % less than 60.00 for 5 of one month. Lifetime incidents are
        something else, and one month is no price of its own."""
        page = self.page("/my/incidents/buy")
        self.assertEqual(
            self.facts(page, self.gold_year),
            "$ 41.67 a month · $ 8.33 an incident · you save 30 %",
        )
        self.assertEqual(self.facts(page, self.gold_month), "$ 12.00 an incident")
        self.assertEqual(self.facts(page, self.gold_lifetime), "$ 10.00 an incident")

    def test_nothing_twice(self):
        """R11.4: the name of a term only where the words would be the same; a word on
        taxes, once."""
        page = self.page("/my/incidents/buy")
        text = self.text(page, "//form[h2='Gold support']")
        self.assertNotIn("1 year", text)
        self.assertIn("No taxes are added", self.text(page, "//main"))
        self.gold_year.incident_term_months = 1
        self.pack.taxes_id = [Command.set(self.company_data["default_tax_sale"].ids)]
        page = self.page("/my/incidents/buy")
        self.assertIn("1 year", self.text(page, "//form[h2='Gold support']"))
        self.assertEqual(self.text(page, "//main").count("taxes"), 1)

    def test_nothing_is_chosen(self):
        """R11.4: of several plans none is chosen before the customer does; who orders
        without choosing is asked to, and what was chosen stays chosen."""
        page = self.page("/my/incidents/buy")
        self.assertFalse(page.xpath("//input[@checked]"))
        self.assertTrue(
            page.xpath("//form[h2='Gold support']//input[@type='radio'][@required]")
        )
        page = self.post("/my/incidents/buy/order", quantity="1")
        self.assertIn("Choose a plan", self.text(page, "//*[@name='error']"))
        page = self.post(
            "/my/incidents/buy/order", plan=self.gold_year.id, quantity="0"
        )
        self.assertEqual(
            page.xpath("//input[@checked]/@value"), [str(self.gold_year.id)]
        )
        self.assertFalse(self.orders())

    def test_what_was_used(self):
        """R11.4: 4 in the last 3 months, as a hint; nothing where nothing was used."""
        shown = "//*[@name='used']"
        self.assertFalse(self.page("/my/incidents/buy").xpath(shown))
        account = self.incident_account()
        account._adjust(10, "A gift")
        self.use(4)
        text = self.text(self.page("/my/incidents/buy"), shown)
        self.assertIn("last 3 months: 4", text)
        today = self.company._incident_today()
        with self.on(today + timedelta(days=100)):
            self.authenticate("hps-nora", "hps-nora")
            self.assertFalse(self.page("/my/incidents/buy").xpath(shown))
