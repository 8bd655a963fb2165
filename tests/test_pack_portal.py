from freezegun import freeze_time

from odoo.tests import tagged

from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestPackPortal(BuyCommon):
    """R15.1, R11.4: packs in the client area, and what customers are told of them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.year = cls.plan(
            "10 for a year", 60, "pack", 10, 12, incident_portal_published=True
        )
        cls.half = cls.plan(
            "4 for half a year", 30, "pack", 4, 6, incident_portal_published=True
        )

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def buy(self, plan):
        """Order a plan in the portal, and pay it online."""
        self.post("/my/incidents/buy/order", plan=plan.id, quantity="1")
        order = self.orders()[0]
        self.transaction(order)
        self.env.invalidate_all()
        return order

    def test_offered_in_a_group(self):
        """R15.1: a group of their own, with what they cost by incident."""
        page = self.page("/my/incidents/buy")
        self.assertEqual(
            [" ".join(title.text_content().split()) for title in page.xpath("//h2")],
            [
                "Pack of 10",
                "Standard support, 3 months",
                "Valid for a limited time",
                "4 for half a year",
                "10 for a year",
            ],
        )
        text = self.text(page, f"//form[.//input[@value='{self.year.id}']]")
        self.assertIn("10 incidents, valid for 12 months $ 6.00 an incident", text)
        self.year.incident_portal_published = False
        self.half.incident_portal_published = False
        self.env.flush_all()
        page = self.page("/my/incidents/buy")
        self.assertFalse(page.xpath("//*[@name='group']"))

    def test_buy_and_buy_again(self):
        """R15.1: bought online, used from the page, bought again in its place."""
        order = self.buy(self.year)
        page = self.page(f"/my/incidents?order_id={order.id}")
        self.assertIn(
            "10 incidents, valid for 12 months, Apr 11, 2027 – Apr 10, 2028",
            self.text(page, "//*[@name='paid_order']"),
        )
        breakdown = self.text(page, "//*[@name='breakdown']")
        self.assertIn("10 of 10 left valid to Apr 10, 2028", breakdown)
        self.assertIn(f"{order.name}: 10 for a year Buy again", breakdown)
        self.assertFalse(page.xpath("//*[@name='subscriptions']"))
        [link] = page.xpath("//a[@name='buy_again']/@href")
        page = self.page(link)
        self.assertTrue(page.xpath(f"//input[@name='plan'][@value='{self.year.id}']"))
        statement = self.text(self.page("/my/incidents/statement"), "//table")
        self.assertIn("Bought", statement)
        self.assertIn(f"{order.name}: 10 for a year", statement)
        purchases = self.text(self.page("/my/incidents/purchases"), "//main")
        self.assertIn(
            "10 of 10 incidents given, Apr 11, 2027 – Apr 10, 2028", purchases
        )
        # What is sold no more is not offered again.
        self.year.incident_portal_published = False
        self.env.flush_all()
        self.assertFalse(self.page("/my/incidents").xpath("//a[@name='buy_again']"))

    def test_chosen_of_several(self):
        """R15.1: of several plans of one product the one that was bought is chosen."""
        value = self.env["product.attribute.value"]
        attribute = self.env["product.attribute"].create({"name": "Size"})
        small, large = value.create(
            [
                {"name": name, "attribute_id": attribute.id}
                for name in ("Small", "Large")
            ]
        )
        template = self.env["product.template"].create(
            {
                "name": "Packs",
                "type": "service",
                "list_price": 20,
                "taxes_id": False,
                "incident_portal_published": True,
                "attribute_line_ids": [
                    (
                        0,
                        0,
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [(6, 0, (small | large).ids)],
                        },
                    )
                ],
            }
        )
        for number, variant in enumerate(template.product_variant_ids, 1):
            variant.write(
                {
                    "incident_kind": "pack",
                    "incident_quantity": 5 * number,
                    "incident_term_months": 12,
                }
            )
        chosen = template.product_variant_ids[1]
        page = self.page(f"/my/incidents/buy?plan={chosen.id}")
        self.assertEqual(
            page.xpath("//input[@name='plan'][@checked]/@value"), [str(chosen.id)]
        )
        # Nothing else is asked of it.
        self.page("/my/incidents/buy?plan=nothing")

    def test_told_before_it_expires(self):
        """R15.1, R13.2: once, whoever has bought it; not what is used up."""
        self.user.partner_id.email = "nora@example.com"
        self.company.incident_low_threshold = 0
        order = self.buy(self.half)
        used = self.buy(self.half)
        self.use(4)
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_remind")
        reminder_model = self.env["helpdesk.incident.reminder"]
        for day, told in (
            ("2027-10-02", 0),
            ("2027-10-03", 1),
            ("2027-10-04", 1),
            ("2027-10-12", 1),
        ):
            with freeze_time(f"{day} 10:00:00"), self.enter_registry_test_mode():
                cron.method_direct_trigger()
            self.env.invalidate_all()
            reminders = reminder_model.search(
                [("kind", "=", "pack_expires"), ("state", "=", "sent")]
            )
            self.assertEqual(len(reminders), told, day)
        self.assertEqual((reminders.quantity, str(reminders.day)), (4, "2027-10-10"))
        self.assertIn(reminders.order_id, order | used)
        self.assertEqual(reminders.recipient_id, self.user.partner_id)
        mail = self.env["mail.mail"].search(
            [("recipient_ids", "in", self.user.partner_id.ids)], order="id desc"
        )[0]
        self.assertEqual(
            mail.subject, "Unused support incidents (4) expire on Oct 10, 2027"
        )
        self.assertIn(reminders.order_id.name, mail.body_html)
        self.assertIn("/my/incidents", mail.body_html)
