from datetime import date

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common_subscription import RenewalCommon, SubscriptionCommon
from .test_subscription_portal import SubscriptionPortalCommon


@tagged("post_install", "-at_install")
class TestPeriodMonths(SubscriptionCommon):
    """R15.2: periods of several months."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.quarters = cls.plan(
            "Quarters, one year", 480, "period", 30, 12, incident_period_months=3
        )
        cls.quarters.incident_extra_product_id = cls.extra
        cls.monthly = cls.plan("10 a month, one year", 420, "period", 10, 12)
        cls.monthly.incident_extra_product_id = cls.extra
        for plan, other in (
            (cls.monthly, cls.quarters),
            (cls.quarters, cls.monthly),
        ):
            plan.product_tmpl_id.incident_change_template_ids = other.product_tmpl_id

    def tearDown(self):
        self.env.flush_all()
        found = self.env["helpdesk.incident.account"]._check_ledger()
        self.assertEqual(found, [])
        super().tearDown()

    def windows(self, subscription):
        """Return the first and the last day of each period, and its target."""
        self.env.invalidate_all()
        return [
            (str(a.date_from), str(a.date_to), a.target)
            for a in subscription.allotment_ids.sorted(
                lambda a: (a.date_from, a.date_to)
            )
            if a.target
        ]

    def test_example(self):
        """R15.2: quarters from April 11, to the day."""
        subscription = self.bought(self.quarters)
        self.assertEqual(
            self.windows(subscription),
            [
                ("2027-04-11", "2027-07-10", 30),
                ("2027-07-11", "2027-10-10", 30),
                ("2027-10-11", "2028-01-10", 30),
                ("2028-01-11", "2028-04-10", 30),
            ],
        )
        self.assertRuns(subscription, "2027-04-11", "2028-04-10")
        self.assertEqual(subscription.period_months, 3)
        for day, available in (
            ("2027-07-10", 30),
            ("2027-07-11", 30),
            ("2028-04-10", 30),
            ("2028-04-11", 0),
        ):
            with self.on(day):
                self.assertEqual(self.available(), available, day)
        with self.on("2027-07-10"):
            self.use(30)
            self.assertEqual(self.available(), 0)
        with self.on("2027-07-11"):
            self.assertEqual(self.available(), 30)

    def test_end_of_the_month(self):
        """R15.2, R9.1: each is counted from the anchor."""
        with self.on("2027-01-31"):
            subscription = self.bought(self.quarters)
            self.assertEqual(
                [window[:2] for window in self.windows(subscription)],
                [
                    ("2027-01-31", "2027-04-29"),
                    ("2027-04-30", "2027-07-30"),
                    ("2027-07-31", "2027-10-30"),
                    ("2027-10-31", "2028-01-30"),
                ],
            )

    def test_extra(self):
        """R15.2, R9.4: 3 more in each quarter from the current one on."""
        subscription = self.bought(self.quarters)
        with self.on("2027-07-20"):
            order = subscription._order_extra(3)
            self.assertEqual(self.lines(order), [(9, 4, 36)])
            self.assertEqual(order.validity_date, date(2027, 10, 10))
            self.assertIn(
                "3 more incidents in each of 3 periods of 3 months, Jul 11, 2027 – "
                "Apr 10, 2028",
                order.order_line._incident_words(),
            )
            self.paid(order)
            self.assertEqual(
                [window[2] for window in self.windows(subscription)],
                [30, 33, 33, 33],
            )
            self.assertEqual(subscription.extra_incidents, 3)
            self.assertEqual(self.available(), 33)
        with self.on("2028-04-01"):
            renewal = subscription._order_renewal()
            self.assertEqual(self.lines(renewal), [(1, 480, 480), (12, 4, 48)])
            self.paid(renewal)
            self.assertEqual(
                self.windows(subscription)[4:],
                [
                    ("2028-04-11", "2028-07-10", 33),
                    ("2028-07-11", "2028-10-10", 33),
                    ("2028-10-11", "2029-01-10", 33),
                    ("2029-01-11", "2029-04-10", 33),
                ],
            )

    def test_extra_paid_late(self):
        """R15.2, R9.4: a quarter that was missed comes for life."""
        subscription = self.bought(self.quarters)
        order = subscription._order_extra(2)
        with self.on("2027-07-11"):
            self.paid(order)
            self.assertEqual(
                [window[2] for window in self.windows(subscription)],
                [30, 32, 32, 32],
            )
            self.assertEqual(self.given(), 2)

    def test_changed_to_months(self):
        """R15.2, R9.6: from the next quarter on, with its own credit."""
        subscription = self.bought(self.quarters)
        with self.on("2027-05-01"):
            self.paid(subscription._order_extra(3))
            self.use(5)
        with self.on("2027-05-20"):
            order = subscription._order_change(self.monthly)
            self.assertEqual(order.order_line[0].incident_date_from, date(2027, 7, 11))
            # Three quarters of 120.00, and of 12.00 for extras, are credited.
            self.assertEqual([line[2] for line in self.lines(order)], [420, -360, -36])
            payment = self.paid(order)
            self.assertEqual(
                self.windows(subscription)[:3],
                [
                    ("2027-04-11", "2027-07-10", 33),
                    ("2027-07-11", "2027-08-10", 10),
                    ("2027-08-11", "2027-09-10", 10),
                ],
            )
            self.assertRuns(subscription, "2027-04-11", "2028-07-10")
            payment.action_draft()
            self.assertEqual(
                [window[2] for window in self.windows(subscription)], [33] * 4
            )

    def test_months_to_quarters(self):
        """R15.2: monthly from January 1, changed to quarters at the boundary June 1."""
        with self.on("2027-01-01"):
            subscription = self.bought(self.monthly)
        with self.on("2027-05-15"):
            payment = self.paid(subscription._order_change(self.quarters))
            self.assertEqual(
                self.windows(subscription)[4:],
                [
                    ("2027-05-01", "2027-05-31", 10),
                    ("2027-06-01", "2027-08-31", 30),
                    ("2027-09-01", "2027-11-30", 30),
                    ("2027-12-01", "2028-02-29", 30),
                    ("2028-03-01", "2028-05-31", 30),
                ],
            )
            self.assertRuns(subscription, "2027-01-01", "2028-05-31")
            # What is bought now is for the months that are left: this one.
            extra = subscription._order_extra(2)
            self.assertEqual(self.lines(extra)[0][0], 2)
            self.assertEqual(extra.order_line.incident_term_months, 1)
            extra._action_cancel()
        with self.on("2027-06-02"):
            self.assertEqual(self.available(), 30)
            self.assertEqual(subscription.period_balance, 30)
            # Undone, the old months come back.
            payment.action_draft()
            self.assertEqual(
                [window[:2] for window in self.windows(subscription)[4:7]],
                [
                    ("2027-05-01", "2027-05-31"),
                    ("2027-06-01", "2027-06-30"),
                    ("2027-07-01", "2027-07-31"),
                ],
            )
            self.assertEqual(subscription.period_months, 1)
            self.assertEqual(self.available(), 10)

    def test_changed_late(self):
        """R15.2, R9.4, R9.6: paid after its first quarter has ended, that comes for
        life, less what the old months had given meanwhile."""
        with self.on("2027-01-01"):
            subscription = self.bought(self.monthly)
        with self.on("2027-05-15"):
            order = subscription._order_change(self.quarters)
        with self.on("2027-09-03"):
            self.paid(order)
            # 30 of June to August, where 3 months had 10 each.
            self.assertEqual(self.given(), 0)
            self.assertEqual(
                self.windows(subscription)[-3:],
                [
                    ("2027-09-01", "2027-11-30", 30),
                    ("2027-12-01", "2028-02-29", 30),
                    ("2028-03-01", "2028-05-31", 30),
                ],
            )

    def test_renewed_with_the_other_length(self):
        """R15.2, R9.4: extra incidents are as many by month; extra ones bought then
        reach to the last period of the current length."""
        subscription = self.bought(self.monthly)
        self.paid(subscription._order_extra(1))
        template = self.monthly.product_tmpl_id
        self.quarters.product_tmpl_id.incident_change_template_ids = template
        # The same product, as its other variants would be.
        subscription._schedule(self.quarters)
        with self.on("2028-04-01"):
            renewal = subscription._order_renewal()
            self.assertEqual(
                [line.product_uom_qty for line in renewal.order_line], [1, 12]
            )
            self.assertEqual(renewal.order_line[1]._incident_number(), 3)
            self.paid(renewal)
            self.assertEqual(
                self.windows(subscription)[-4:],
                [
                    ("2028-04-11", "2028-07-10", 33),
                    ("2028-07-11", "2028-10-10", 33),
                    ("2028-10-11", "2029-01-10", 33),
                    ("2029-01-11", "2029-04-10", 33),
                ],
            )
            # It is still a month that runs.
            extra = subscription._order_extra(2)
            self.assertEqual(extra.order_line.incident_term_months, 1)
            self.assertEqual(extra.order_line.product_uom_qty, 2)

    def test_credit_note(self):
        """R15.2, R8.4: half credited: the last quarters give way."""
        subscription = self.bought(self.quarters)
        invoice = subscription.term_ids.sale_line_id.invoice_lines.move_id
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids.quantity = 0.5
        note.action_post()
        self.assertEqual([window[2] for window in self.windows(subscription)], [30, 30])
        self.assertRuns(subscription, "2027-04-11", "2027-10-10")

    def test_words(self):
        """R15.2: so many every so many months."""
        words = self.env["product.product"]._incident_words
        for values, expected in (
            (("period", 30, 12, 3), "30 incidents every 3 months for 12 months"),
            (("period", 1, 12, 6), "1 incident every 6 months for 12 months"),
            (("period", 30, 3, 3), "30 incidents for 3 months"),
            (("period", 30, 1, 1), "30 incidents for 1 month"),
            (("period", 30, 2, 1), "30 incidents every month for 2 months"),
        ):
            self.assertEqual(words(*values), expected)
        subscription = self.bought(self.quarters)
        self.assertEqual(subscription._number_words(), "30 incidents every 3 months")
        line = subscription.term_ids.sale_line_id
        self.assertIn("30 incidents every 3 months for 12 months", line.name)
        self.assertEqual(
            line._incident_given_words(line.incident_term_ids),
            "4 of 4 periods of 3 months given: Apr 11, 2027 – Apr 10, 2028",
        )

    def test_divides_the_term(self):
        """R15.2: a term has whole periods; a product kept as it was is of months."""
        self.assertEqual(self.months.incident_period_months, 1)
        for period in (0, 5, 24):
            with self.assertRaises(ValidationError):
                self.quarters.incident_period_months = period
        template = self.quarters.product_tmpl_id
        template.write({"incident_period_months": 6})
        self.assertEqual(self.quarters.incident_period_months, 6)

    def test_changed_plan_changes_nothing_sold(self):
        """R15.2, R8.7"""
        order = self.order(self.quarters)
        self.quarters.incident_period_months = 6
        self.transaction(order)
        self.bill(order)
        self.env.invalidate_all()
        self.assertEqual(order.order_line.incident_period_months, 3)

    def test_cancelled(self):
        """R15.2, R9.8: the unused rest of the quarter goes, and those to come."""
        subscription = self.bought(self.quarters)
        self.use(4)
        with self.on("2027-06-01"):
            subscription.with_user(self.manager).action_cancel()
            self.assertEqual(self.available(), 0)
            subscription.with_user(self.manager).action_reopen()
            self.assertEqual(self.available(), 26)


@tagged("post_install", "-at_install")
class TestPeriodMonthsRenewal(RenewalCommon):
    """R15.2, R9.7: another period is not taken without consent."""

    def test_another_period(self):
        self.months.write({"incident_period_months": 3, "incident_quantity": 30})
        self.pay(90)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("confirm")
            self.assertIn(
                "30 incidents in periods of 3 months instead of 10 in periods of 1",
                self.subscription_one._differences_words(),
            )


@tagged("post_install", "-at_install")
class TestPeriodMonthsPortal(SubscriptionPortalCommon):
    """R15.2, R11.4: what customers read of periods of several months, and do."""

    def test_pages(self):
        quarters = self.plan(
            "Quarters",
            480,
            "period",
            30,
            12,
            incident_period_months=3,
            incident_portal_published=True,
        )
        quarters.incident_extra_product_id = self.extra
        quarters.product_tmpl_id.incident_change_template_ids = (
            self.business.product_tmpl_id
        )
        self.authenticate("hps-nora", "hps-nora")
        text = self.text(self.page("/my/incidents/buy"), "//main")
        self.assertIn("30 incidents every 3 months for 12 months", text)
        self.assertIn("$ 40.00 a month", text.replace("\N{NO-BREAK SPACE}", " "))
        subscription = self.bought(quarters)
        path = f"/my/incidents/subscription/{subscription.id}"
        page = self.page("/my/incidents")
        self.assertIn(
            "30 incidents every 3 months · Paid through Apr 10, 2028",
            self.text(page, "//*[@name='subscriptions']"),
        )
        self.assertIn(
            "valid to Jul 10, 2027", self.text(page, "//*[@name='breakdown']")
        )
        text = self.text(self.page(path), "//main")
        self.assertIn("30 incidents every 3 months", text)
        self.assertIn("Period by period", text)
        text = self.text(self.page(f"{path}/extra"), "//main")
        self.assertIn("per incident and period", text)
        self.assertIn("12 months, from the current to the last paid one", text)
        self.assertIn("Apr 11, 2027 – Apr 10, 2028", text)
        self.assertIn("Extra incidents in each period", text)
        self.post(f"{path}/extra", number="2")
        extra = self.orders()[0]
        self.assertEqual(
            (extra.amount_total, extra.order_line.product_uom_qty), (32, 8)
        )
        extra._action_cancel()
        text = self.text(self.page(f"{path}/renew"), "//main")
        self.assertIn("Extra incidents in each period", text)
        self.assertIn("per incident and period; 0 for none.", text)
        self.post(f"{path}/renew", plan=quarters.id, extra="1")
        self.assertEqual(self.orders()[0].amount_total, 496)
        self.orders()[0]._action_cancel()
        text = self.text(self.page(f"{path}/change"), "//main")
        self.assertIn("The current period stays as it is.", text)
