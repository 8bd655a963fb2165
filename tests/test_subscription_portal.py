from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_subscription import SubscriptionCommon
from .test_buy import BuyCommon

MAY_20 = "2027-05-20"
NOVEMBER = "2027-11-03"
#: What is no whole number from 1 on, in whatever way.
BAD_NUMBERS = ("", "abc", "0", "-1", "1.5", "²", "1e3", "1000001", "9" * 30, "9" * 5000)


class SubscriptionPortalCommon(BuyCommon, SubscriptionCommon):
    """A customer with a subscription, and plans to renew it with and change it to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gold_month, cls.gold_year, cls.gold_lifetime = cls._terms(
            "Gold support",
            [
                ("1 month", 0, "period", 5, 1),
                ("1 year", 440, "period", 5, 12),
                ("Lifetime", 240, "lifetime", 30, 0),
            ],
            list_price=60,
            incident_extra_product_id=cls.extra.id,
            incident_portal_published=True,
        )
        for plan in (cls.business, cls.small):
            plan.product_tmpl_id.incident_portal_published = True

    @classmethod
    def _terms(cls, name, terms, **values):
        """Return the plans of a product that is sold for several terms."""
        attribute = cls.env["product.attribute"].create(
            {
                "name": "Term",
                "value_ids": [Command.create({"name": term[0]}) for term in terms],
            }
        )
        plan = cls.plan(name, **{"price": 0, **values})
        template = plan.product_tmpl_id
        template.attribute_line_ids = [
            Command.create(
                {
                    "attribute_id": attribute.id,
                    "value_ids": [Command.set(attribute.value_ids.ids)],
                }
            )
        ]
        prices = template.attribute_line_ids.product_template_value_ids
        for value, (_term, price, kind, number, months) in zip(
            prices, terms, strict=True
        ):
            value.price_extra = price
            value.ptav_product_variant_ids.write(
                {
                    "incident_kind": kind,
                    "incident_quantity": number,
                    "incident_term_months": months,
                }
            )
        return prices.mapped("ptav_product_variant_ids")

    def on(self, day):
        """Override: the server works by the clock, which goes on."""
        self.env.invalidate_all()
        return freeze_time(f"{day} 10:00:00", tick=True)

    def log_in(self, login="nora"):
        self.authenticate(f"hps-{login}", f"hps-{login}")

    def path(self, subscription, page=""):
        return f"/my/incidents/subscription/{subscription.id}{page}"

    def form(self, subscription, page):
        return self.page(self.path(subscription, f"/{page}"))

    def send(self, subscription, page, **data):
        return self.post(self.path(subscription, f"/{page}"), **data)

    def new_orders(self, subscription):
        self.env.invalidate_all()
        return self.orders() - subscription.term_ids.sale_line_id.order_id

    def row(self, page, plan):
        """Return what a form says of a plan."""
        return self.text(page, f"//label[.//input[@value='{plan.id}']]")

    def assertRefused(self, page, words):
        self.assertIn(words, self.text(page, "//*[@name='error']"))


@tagged("post_install", "-at_install")
class TestSubscriptionPortal(SubscriptionPortalCommon):
    """R11.4: what customers do with their subscriptions by themselves."""

    # -- the page --------------------------------------------------------------

    def test_opened(self):
        """R21.4, R11.4: what came from another system is used and renewed as any other;
        its order is nowhere to be seen, nor paid."""
        opening = self.env["helpdesk.incident.opening"].create(
            {
                "reference": "OLD-1",
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "product_id": self.months.id,
                "quantity": 1,
                "date_start": "2027-02-11",
                "date_end": "2027-05-10",
                "current_left": 4,
                "agreed_price": 90,
            }
        )
        opening.action_confirm()
        order = opening.order_id
        subscription = self.subscription(order).sudo()
        self.log_in()
        page = self.page("/my/incidents")
        self.assertIn("4 of 4 left", self.text(page, "//body"))
        self.assertIn("Brought over", self.text(page, "//body"))
        page = self.page(self.path(subscription))
        self.assertIn("May 10, 2027", self.text(page, "//body"))
        for path in (
            "/my/incidents",
            "/my/incidents/statement",
            "/my/incidents/purchases",
            "/my/orders",
            self.path(subscription),
        ):
            self.assertNotIn(order.name, self.text(self.page(path), "//body"), path)
        for path in (
            f"/my/orders/{order.id}",
            f"/my/orders/{order.id}?payment_amount=5",
        ):
            response = self.url_open(path)
            self.assertTrue(response.url.endswith("/my"), response.url)
        self.send(subscription, "renew", plan=self.months.id, extra="0")
        self.assertEqual(self.new_orders(subscription).amount_total, 90)

    def test_page(self):
        """R11.4: what it gives, to when, and what can be done."""
        subscription = self.bought()
        self.log_in()
        page = self.page(self.path(subscription))
        self.assertIn("Standard support, 3 months", self.text(page, "//h1"))
        self.assertEqual(
            self.text(page, "//*[@name='number']"), "10 incidents every month"
        )
        self.assertIn("Jul 10, 2027", self.text(page, "//*[@name='paid_through']"))
        self.assertEqual(
            page.xpath("//*[@name='actions']/a/@name"), ["renew", "extra", "change"]
        )
        self.assertEqual(len(page.xpath("//tbody/tr")), 3)
        self.paid(subscription._order_extra(4))
        page = self.page(self.path(subscription))
        self.assertEqual(
            self.text(page, "//*[@name='number']"),
            "10 incidents every month, and 4 extra",
        )
        with self.on(NOVEMBER):
            self.log_in()
            page = self.page(self.path(subscription))
            self.assertEqual(page.xpath("//*[@name='actions']/a/@name"), ["renew"])
            self.assertFalse(page.xpath("//*[@name='auto_renew']"))

    def test_page_of_what_is_not_paid(self):
        """R8.4, R9.8: nothing can be done with it."""
        order = self.quotation(self.months)
        payment = self.transaction(order).payment_id
        subscription = self.subscription(order)
        payment.action_draft()
        self.log_in()
        page = self.page(self.path(subscription))
        self.assertIn("not paid", self.text(page, "//*[@name='paid_through']"))
        self.assertFalse(page.xpath("//*[@name='actions']"))
        for name in ("renew", "extra", "change"):
            page = self.form(subscription, name)
            self.assertTrue(page.xpath("//*[@name='nothing']"), name)
            self.assertFalse(page.xpath("//main//form"), name)

    def test_list_offers_to_renew(self):
        """R11.4: what has ended, or ends soon."""
        subscription = self.bought()
        renew = self.path(subscription, "/renew")
        button = f"//a[@href='{renew}'][hasclass('btn-primary')]"
        for day, offered in (
            ("2027-07-02", False),
            ("2027-07-03", True),
            ("2027-07-10", True),
            (NOVEMBER, True),
        ):
            with self.on(day):
                self.log_in()
                page = self.page("/my/incidents")
                self.assertEqual(bool(page.xpath(button)), offered, day)
        subscription.auto_renew = True
        for problem, offered in ((False, False), ("method", True)):
            subscription.renewal_problem = problem
            with self.on("2027-07-10"):
                self.log_in()
                page = self.page("/my/incidents")
                self.assertEqual(bool(page.xpath(button)), offered, problem)
        with self.on(NOVEMBER):
            self.log_in()
            self.assertTrue(self.page("/my/incidents").xpath(button))
            # Published or not: it goes on for who has it, while it is sold.
            self.months.product_tmpl_id.incident_portal_published = False
            self.assertTrue(self.page("/my/incidents").xpath(button))
            self.months.sale_ok = False
            self.assertFalse(self.page("/my/incidents").xpath(button))

    def test_orders_that_wait(self):
        """R11.4, R11.6: those of this subscription that wait for their payment."""
        subscription = self.bought()
        order = subscription._order_extra(4)
        other = self.quotation(self.pack)
        other.action_quotation_sent()
        self.log_in()
        text = self.text(self.page(self.path(subscription)), "//*[@name='open_orders']")
        self.assertIn(order.name, text)
        self.assertNotIn(other.name, text)
        self.transaction(order, state="pending")
        page = self.page(self.path(subscription))
        self.assertFalse(page.xpath("//*[@name='open_orders']"))

    # -- renewing ----------------------------------------------------------------

    def test_renew_a_running_one(self):
        """R9.5: from the day after, each plan with what it costs with the extra
        incidents."""
        subscription = self.bought(self.gold_month)
        self.paid(subscription._order_extra(2))
        self.log_in()
        page = self.form(subscription, "renew")
        self.assertIn("May 11, 2027", self.text(page, "//*[@name='from']"))
        row = self.row(page, self.gold_year)
        self.assertIn(
            "5 incidents every month for 12 months "
            "2 more incidents in each of 12 months "
            "May 11, 2027 – May 10, 2028 $ 596.00",  # 60 + 440 + 12 * 2 * 4
            row,
        )
        self.assertIn("$ 68.00", self.row(page, self.gold_month))
        row = self.row(page, self.gold_lifetime)
        self.assertIn("30 lifetime incidents $ 300.00", row)
        self.assertEqual(page.xpath("//input[@name='extra']/@value"), ["2"])
        self.assertIn("$ 4.00", self.text(page, "//*[@id='extra_help']"))
        # Nothing is chosen beforehand where a click orders.
        self.assertFalse(page.xpath("//input[@name='plan' and @checked]"))
        page = self.send(subscription, "renew", plan=self.gold_year.id, extra="1")
        order = self.new_orders(subscription)
        self.assertEqual(self.lines(order), [(1, 500, 500), (12, 4, 48)])
        self.assertEqual(order.partner_id, self.user.partner_id)
        self.assertEqual(order.state, "sent")
        self.assertIn(order.name, self.text(page, "//main"))

    def test_renew_without_extra_incidents(self):
        """R9.4: their number can be 0; a lifetime plan has none whatever is sent."""
        subscription = self.bought(self.gold_month)
        self.paid(subscription._order_extra(2))
        self.log_in()
        self.send(subscription, "renew", plan=self.gold_month.id, extra="0")
        order = self.new_orders(subscription)
        self.assertEqual(self.lines(order), [(1, 60, 60)])
        self.send(subscription, "renew", plan=self.gold_lifetime.id, extra="x")
        order = self.new_orders(subscription) - order
        self.assertEqual(self.lines(order), [(1, 300, 300)])

    def test_renew_an_ended_one(self):
        """R9.5: from the day of payment."""
        subscription = self.bought()
        with self.on(NOVEMBER):
            self.log_in()
            page = self.form(subscription, "renew")
            self.assertIn(
                "from the day of payment", self.text(page, "//*[@name='from']")
            )
            self.send(subscription, "renew", plan=self.months.id, extra="0")
            self.paid(self.new_orders(subscription))
            self.assertRuns(subscription, "2027-11-03", "2028-02-02")

    def test_renew_sent_twice(self):
        """R9.5: a double click makes one order; another wish takes its place."""
        subscription = self.bought()
        self.log_in()
        for extra in ("0", "0", "3"):
            self.send(subscription, "renew", plan=self.months.id, extra=extra)
        orders = self.new_orders(subscription)
        self.assertEqual(
            sorted(orders.mapped(lambda order: (order.amount_total, order.state))),
            [(90, "cancel"), (126, "sent")],
        )

    def test_renew_while_it_is_paid(self):
        """R9.7: one renewal at a time; it says what to wait for."""
        subscription = self.bought()
        order = subscription._order_renewal()
        self.transaction(order, state="pending")
        self.log_in()
        page = self.send(subscription, "renew", plan=self.months.id, extra="1")
        self.assertRefused(page, f"{order.name} is just being paid")
        self.assertEqual(self.new_orders(subscription), order)

    def test_bad_renewals(self):
        """R11.6: nothing is ordered, it says why, and what was typed is kept."""
        subscription = self.bought(self.gold_month)
        self.log_in()
        for number in BAD_NUMBERS:
            if number == "0":
                continue
            with self.subTest(number=number[:9]):
                page = self.send(
                    subscription, "renew", plan=self.gold_year.id, extra=number
                )
                self.assertRefused(page, "a whole number from 0")
                self.assertEqual(page.xpath("//input[@name='extra']/@value"), [number])
                self.assertEqual(
                    page.xpath("//input[@name='plan' and @checked]/@value"),
                    [str(self.gold_year.id)],
                )
        page = self.post(self.path(subscription, "/renew"), plan=self.gold_year.id)
        self.assertRefused(page, "a whole number from 0")
        for plan in (self.months.id, self.pack.id, "x", "-1", 2**40, "9" * 5000):
            with self.subTest(plan=str(plan)[:9]):
                page = self.send(subscription, "renew", plan=plan, extra="3")
                self.assertRefused(page, "not on offer")
                self.assertEqual(page.xpath("//input[@name='extra']/@value"), ["3"])
        self.assertRefused(self.send(subscription, "renew", extra="3"), "Choose a plan")
        self.gold_year.product_tmpl_id.incident_portal_published = False
        page = self.send(subscription, "renew", plan=self.gold_year.id, extra="0")
        self.assertRefused(page, "not on offer")
        # The customer's own plan goes on.
        self.assertEqual(
            page.xpath("//input[@name='plan']/@value"), [str(self.gold_month.id)]
        )
        self.gold_month.sale_ok = False
        page = self.send(subscription, "renew", plan=self.gold_month.id, extra="0")
        self.assertRefused(page, "not on offer")
        self.assertTrue(page.xpath("//*[@name='nothing']"))
        self.assertFalse(self.new_orders(subscription))

    def test_what_costs_nothing_is_not_sold(self):
        """R11.4: nobody could pay for it."""
        subscription = self.bought()
        self.months.list_price = 0
        self.business.list_price = 0
        self.extra.list_price = 0
        self.log_in()
        for name, data in (
            ("renew", {"plan": self.months.id, "extra": "0"}),
            ("extra", {"number": "1"}),
            ("change", {"plan": self.business.id}),
        ):
            with self.subTest(name):
                page = self.form(subscription, name)
                self.assertNotIn(self.business.name, self.text(page, "//main//form"))
                page = self.send(subscription, name, **data)
                self.assertTrue(page.xpath("//*[@name='error']"))
        self.assertFalse(self.new_orders(subscription))

    def test_extra_incidents_that_are_not_sold(self):
        """R9.4: a plan without a product for them is renewed without."""
        subscription = self.bought()
        self.months.incident_extra_product_id = False
        self.log_in()
        page = self.form(subscription, "renew")
        self.assertFalse(page.xpath("//input[@name='extra']"))
        self.send(subscription, "renew", plan=self.months.id, extra="5")
        self.assertEqual(self.lines(self.new_orders(subscription)), [(1, 90, 90)])
        page = self.form(subscription, "extra")
        self.assertTrue(page.xpath("//*[@name='nothing']"))
        page = self.send(subscription, "extra", number="1")
        self.assertRefused(page, "cannot be bought")

    def test_prices_of_the_customer(self):
        """R11.4: by the customer's pricelist and taxes, as the order has them."""
        tax = self.company_data["default_tax_sale"]
        (self.months | self.extra | self.business).taxes_id = tax
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Half price",
                "company_id": self.company.id,
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 50})
                ],
            }
        )
        self.customer.with_company(self.company).property_product_pricelist = pricelist
        subscription = self.bought()
        self.log_in()
        row = self.row(self.form(subscription, "renew"), self.months)
        self.assertIn("$ 51.75 incl. tax", row)
        page = self.form(subscription, "extra")
        self.assertIn("$ 2.30 incl. tax", self.text(page, "//*[@name='price']"))
        self.send(subscription, "extra", number="2")
        self.assertEqual(self.new_orders(subscription).amount_total, 13.8)
        row = self.row(self.form(subscription, "change"), self.business)
        # 86.25 less two of three months of 51.75
        self.assertIn("$ 51.75 Price $ 86.25 Credit $ 34.50", row)

    # -- extra incidents ---------------------------------------------------------

    def test_extra(self):
        """R9.4: the price, the months, and the total before it is ordered."""
        subscription = self.bought()
        with self.on(MAY_20):
            self.log_in()
            page = self.form(subscription, "extra")
            self.assertIn(
                "$ 4.00 per incident and month", self.text(page, "//*[@name='price']")
            )
            text = self.text(page, "//*[@name='months']")
            self.assertIn("2 months", text)
            self.assertIn("May 11, 2027 – Jul 10, 2027", text)
            self.assertEqual(self.text(page, "//*[@data-text='total']"), "$ 8.00")
            self.assertIn("Jun 10, 2027", self.text(page, "//*[@id='number_help']"))
            page = self.send(subscription, "extra", number="4")
            order = self.new_orders(subscription)
            self.assertEqual(self.lines(order), [(8, 4, 32)])
            self.assertEqual(order.partner_id, self.user.partner_id)
            self.assertIn(order.name, self.text(page, "//main"))
            self.send(subscription, "extra", number="4")
            self.assertEqual(self.new_orders(subscription), order)

    def test_prices_of_another_number(self):
        """R9.4, R9.5: what the forms show while a number is typed."""
        subscription = self.bought(self.gold_month)

        def prices(page, number):
            response = self.url_open(
                self.path(subscription, "/prices"),
                json={"params": {"page": page, "number": number}},
            )
            return response.json()["result"]

        self.log_in()
        self.assertEqual(prices("extra", "5"), {"total": "$\xa020.00"})
        texts = prices("renew", "5")
        self.assertEqual(texts[f"price_{self.gold_year.id}"], "$\xa0740.00")
        self.assertEqual(
            texts[f"extra_{self.gold_year.id}"],
            "5 more incidents in each of 12 months",
        )
        self.assertEqual(texts[f"extra_{self.gold_lifetime.id}"], "")
        for number in (*BAD_NUMBERS, None, [], {}):
            self.assertFalse(prices("extra", number), number)
        self.assertFalse(prices("x", "1"))
        self.log_in("bella")
        self.assertFalse(prices("extra", "5"))
        self.assertFalse(self.new_orders(subscription))

    def test_bad_extra(self):
        """R9.4, R11.6: nothing is ordered, it says why, and what was typed is kept."""
        subscription = self.bought()
        self.log_in()
        for number in BAD_NUMBERS:
            with self.subTest(number=number[:9]):
                page = self.send(subscription, "extra", number=number)
                self.assertRefused(page, "a whole number from 1")
                self.assertEqual(page.xpath("//input[@name='number']/@value"), [number])
        self.assertRefused(self.send(subscription, "extra"), "a whole number from 1")
        with self.on(NOVEMBER):
            self.log_in()
            page = self.send(subscription, "extra", number="1")
            self.assertRefused(page, "cannot be bought")
        self.assertFalse(self.new_orders(subscription))

    # -- changing the plan -------------------------------------------------------

    def test_change(self):
        """R9.6: the price, the credit and what is to pay, from the next month on."""
        subscription = self.bought()
        with self.on(MAY_20):
            self.log_in()
            page = self.form(subscription, "change")
            row = self.row(page, self.business)
            self.assertIn(
                "20 incidents every month for 3 months "
                "Jun 11, 2027 – Sep 10, 2027 $ 120.00 Price $ 150.00 Credit $ 30.00",
                row,
            )
            row = self.row(page, self.small)
            self.assertIn("Without money, from Jul 11, 2027", row)
            self.assertIn("Nothing to pay Price $ 20.00 Credit $ 30.00", row)
            page = self.send(subscription, "change", plan=self.business.id)
            order = self.new_orders(subscription)
            self.assertEqual(self.lines(order), [(1, 150, 150), (1, -30, -30)])
            self.assertEqual(order.partner_id, self.user.partner_id)
            self.assertIn(order.name, self.text(page, "//main"))

    def test_scheduled_change(self):
        """R9.6: without money; the customer can think better of it."""
        subscription = self.bought()
        self.log_in()
        with self.on(MAY_20):
            self.log_in()
            page = self.send(subscription, "change", plan=self.small.id)
            self.assertIn("is scheduled", self.text(page, "//*[@name='done']"))
            self.assertEqual(subscription.next_product_id, self.small)
            self.assertFalse(self.new_orders(subscription))
            text = self.text(page, "//*[@name='next_plan']")
            self.assertIn("Small support, 1 month", text)
            self.assertIn("Jul 11, 2027 on, is for this plan. It costs $ 20.00", text)
            page = self.form(subscription, "change")
            self.assertIn("Scheduled", self.row(page, self.small))
            page = self.form(subscription, "renew")
            self.assertIn("$ 20.00", self.row(page, self.small))
            page = self.send(subscription, "keep")
            self.assertIn("stays as it is", self.text(page, "//*[@name='done']"))
            self.env.invalidate_all()
            self.assertFalse(subscription.next_product_id)
            self.assertFalse(page.xpath("//*[@name='next_plan']"))

    def test_keep_while_the_next_one_is_paid(self):
        """R9.6: what is being paid is not undone; it says so."""
        subscription = self.bought()
        with self.on(MAY_20):
            subscription._order_change(self.small)
            order = subscription._order_renewal()
            self.transaction(order, state="pending")
            self.log_in()
            page = self.send(subscription, "keep")
            self.assertRefused(page, f"{order.name} is just being paid")
            self.assertEqual(subscription.next_product_id, self.small)

    def test_keep_without_a_change(self):
        """R9.6: nothing else is touched."""
        subscription = self.bought()
        order = subscription._order_renewal()
        self.log_in()
        self.send(subscription, "keep")
        self.assertEqual(order.state, "sent")

    def test_change_with_nothing_to_pay(self):
        """R9.6: the credit is just the price, so it is done at once."""
        subscription = self.bought()
        self.small.list_price = 30
        with self.on(MAY_20):
            self.log_in()
            row = self.row(self.form(subscription, "change"), self.small)
            self.assertIn("$ 0.00 Price $ 30.00 Credit $ 30.00", row)
            page = self.send(subscription, "change", plan=self.small.id)
            order = self.new_orders(subscription) or self.orders()[0]
            self.assertEqual((order.state, order.amount_total), ("sale", 0))
            self.assertIn(order.name, self.text(page, "//*[@name='paid_order']"))
            self.assertIn("confirmed", self.text(page, "//*[@name='paid_order']"))
            # Sent twice
            page = self.send(subscription, "change", plan=self.small.id)
            self.assertIn("its plan already", self.text(page, "//*[@name='done']"))
            self.assertFalse(self.new_orders(subscription))
            self.assertMonths(
                subscription, {"2027-04-11": 10, "2027-05-11": 10, "2027-06-11": 3}
            )

    def test_bad_changes(self):
        """R9.6, R11.6: nothing is ordered, and it says why."""
        subscription = self.bought()
        self.log_in()
        for plan in (self.gold_month.id, self.pack.id, "x", 2**40, "9" * 5000):
            page = self.send(subscription, "change", plan=plan)
            self.assertRefused(page, "not on offer")
        self.assertRefused(self.send(subscription, "change"), "Choose a plan")
        self.business.product_tmpl_id.incident_portal_published = False
        page = self.form(subscription, "change")
        self.assertFalse(self.row(page, self.business))
        page = self.send(subscription, "change", plan=self.business.id)
        self.assertRefused(page, "not on offer")
        self.assertFalse(subscription.next_product_id)
        self.assertFalse(self.new_orders(subscription))
        with self.on(NOVEMBER):
            self.log_in()
            page = self.send(subscription, "change", plan=self.small.id)
            self.assertRefused(page, "not on offer")
            self.assertTrue(page.xpath("//*[@name='nothing']"))
        self.assertFalse(self.new_orders(subscription))

    # -- automatic renewal -------------------------------------------------------

    def test_automatic_renewal(self):
        """R9.7: the customer sees it and switches it."""
        subscription = self.bought()
        shown = "//*[@name='auto_renew']"
        self.log_in()
        for value, state in (("on", True), ("on", True), ("off", False)):
            page = self.send(subscription, "auto_renew", value=value)
            self.assertEqual(subscription.auto_renew, state)
            self.assertIn(f"switched {value}", self.text(page, "//*[@name='done']"))
            text = self.text(page, shown)
            self.assertIn("On" if state else "Off", text)
            self.assertIn("Switch off" if state else "Switch on", text)
            self.assertIn("without your consent", text)
        for data in ({"value": "1"}, {"value": ""}, {}):
            self.send(subscription, "auto_renew", **data)
            self.assertFalse(subscription.auto_renew)
        with self.on(NOVEMBER):
            self.log_in()
            self.send(subscription, "auto_renew", value="on")
            self.assertFalse(subscription.auto_renew)

    def test_not_renewed(self):
        """R9.7: the customer sees why, and what to do."""
        subscription = self.bought()
        shown = "//*[@name='renewal_problem']"
        self.log_in()
        self.assertFalse(self.page(self.path(subscription)).xpath(shown))
        for problem, words in (
            ("plan", "choose another"),
            ("confirm", "confirm"),
            ("method", "add funds"),
            ("declined", "declined"),
            ("paying", "under way"),
            ("error", "try again"),
        ):
            subscription.renewal_problem = problem
            page = self.page(self.path(subscription))
            self.assertIn(words, self.text(page, shown))
        with self.on(NOVEMBER):
            self.log_in()
            self.assertFalse(self.page(self.path(subscription)).xpath(shown))

    # -- whose it is -------------------------------------------------------------

    def test_subscriptions_of_others(self):
        """R11.6: an id of another customer, or of nothing, leads to the list."""
        subscription = self.bought()
        subscription.auto_renew = True
        forms = {
            "renew": {"plan": self.months.id, "extra": "0"},
            "extra": {"number": "1"},
            "change": {"plan": self.business.id},
            "auto_renew": {"value": "off"},
            "keep": {},
        }
        subscription._schedule(self.small)
        self.log_in("bella")
        for number in (subscription.id, subscription.id + 1000, 0, 2**40):
            path = f"/my/incidents/subscription/{number}"
            for name, data in forms.items():
                with self.subTest(number=number, name=name):
                    page = self.post(f"{path}/{name}", **data)
                    self.assertEqual(self.text(page, "//h1"), "Support incidents")
            for name in ("", "/renew", "/extra", "/change"):
                page = self.page(f"{path}{name}")
                self.assertEqual(self.text(page, "//h1"), "Support incidents")
                self.assertNotIn("Standard support", self.text(page, "//main"))
        self.env.invalidate_all()
        self.assertFalse(self.new_orders(subscription))
        self.assertFalse(self.orders(self.other_customer))
        self.assertEqual(
            (subscription.auto_renew, subscription.next_product_id), (True, self.small)
        )

    def test_what_a_payment_did(self):
        """R11.4: who has paid sees it on the page of the subscription."""
        subscription = self.bought()
        with self.on(MAY_20):
            order = subscription._order_change(self.business, self.user.partner_id)
            self.pay(200)
            self.log_in()
            page = self.post(f"/my/orders/{order.id}/pay_from_balance")
            text = self.text(page, "//*[@name='paid_order']")
            self.assertIn(
                "20 incidents every month for 3 months, Jun 11, 2027 – Sep 10, 2027",
                text,
            )
            self.assertIn("credit for 10 incidents of the old plan", text)
            self.assertIn("Business support", self.text(page, "//h1"))
            self.assertEqual(
                self.text(page, "//*[@name='number']"),
                "20 incidents every month, from Jun 11, 2027 on",
            )
            self.log_in("bella")
            page = self.page(self.path(subscription, f"?order_id={order.id}"))
            self.assertFalse(page.xpath("//*[@name='paid_order']"))
