from datetime import date

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_subscription import RenewalCommon
from .common_unearned import UnearnedCommon
from .test_subscription_portal import SubscriptionPortalCommon


@tagged("post_install", "-at_install")
class TestCarryOver(UnearnedCommon):
    """R15.3: 10 a month for three months, bought on April 11 for 90.00; what is unused
    is carried over for one month."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.months.incident_carry_periods = 1

    def tearDown(self):
        self.env.flush_all()
        found = self.env["helpdesk.incident.account"]._check_ledger()
        self.assertEqual(found, [])
        super().tearDown()

    def windows(self, subscription):
        """Return the first day of each period, its last one, that of what is carried
        over, and its target."""
        self.env.invalidate_all()
        return [
            (
                f"{a.date_from:%b %d}",
                f"{a.date_period_to:%b %d}" if a.date_period_to else None,
                f"{a.date_to:%b %d}",
                a.target,
            )
            for a in subscription.allotment_ids.sorted(
                lambda a: (a.date_from, a.date_to)
            )
            if a.target
        ]

    def entries(self, subscription):
        self.incident_account()._catch_up()
        self.env.invalidate_all()
        return [
            (f"{entry.date:%b %d}", entry.kind, entry.quantity)
            for entry in subscription.allotment_ids.entry_ids.sorted("id")
        ]

    def legs(self, ticket):
        """Return the first day of what a ticket has taken, and how many."""
        return [
            (str(entry.allotment_id.date_from), -entry.quantity)
            for entry in ticket.incident_entry_ids.sorted("id")
        ]

    def test_example(self):
        """R15.3, R4.2: month 1 uses 3; the 7 are used first in month 2, and what is
        left of them lapses at its end. Nothing is carried twice."""
        subscription = self.bought()
        self.assertEqual(
            self.windows(subscription),
            [
                ("Apr 11", "May 10", "Jun 10", 10),
                ("May 11", "Jun 10", "Jul 10", 10),
                ("Jun 11", "Jul 10", "Aug 10", 10),
            ],
        )
        self.assertRuns(subscription, "2027-04-11", "2027-07-10")
        account = self.incident_account()
        with self.on("2027-04-20"):
            self.use(3)
            self.assertEqual(account._usable_text(), "7 valid to Jun 10, 2027")
        with self.on("2027-05-11"):
            # Nothing has run since: it is there all the same (R9.3).
            self.assertEqual(self.available(), 17)
            self.assertEqual(subscription.period_balance, 17)
            self.assertEqual(account.next_expiry, date(2027, 6, 10))
            self.assertEqual(
                account._usable_text(),
                "7 carried over, valid to Jun 10, 2027; 10 valid to Jul 10, 2027",
            )
            self.assertEqual(
                account._expiries(), {date(2027, 6, 10): 7, date(2027, 7, 10): 10}
            )
            self.assertEqual(account._arrivals(), {date(2027, 6, 11): 10})
            ticket = self.use(5)
            self.assertEqual(self.legs(ticket), [("2027-04-11", 5)])
            self.assertIn(
                "carried over, valid to Jun 10, 2027", ticket.message_ids[0].body
            )
        with self.on("2027-06-10"):
            self.assertEqual(self.available(), 12)
        with self.on("2027-06-11"):
            self.assertEqual(self.available(), 20)
            self.assertEqual(
                self.legs(self.use(11)), [("2027-05-11", 10), ("2027-06-11", 1)]
            )
            # What was carried over and used up is listed no more.
            self.assertEqual(
                account._windows().mapped("date_from"), [date(2027, 6, 11)]
            )
        for day, left in (("2027-07-11", 9), ("2027-08-10", 9), ("2027-08-11", 0)):
            with self.on(day):
                self.assertEqual(self.available(), left, day)
        with self.on("2027-09-01"):
            self.assertEqual(
                self.entries(subscription),
                [
                    ("Apr 11", "period", 10),
                    ("Apr 20", "deduction", -3),
                    ("May 11", "period", 10),
                    ("May 11", "deduction", -5),
                    ("Jun 11", "period", 10),
                    ("Jun 10", "expiry", -2),
                    ("Jun 11", "deduction", -10),
                    ("Jun 11", "deduction", -1),
                    ("Aug 10", "expiry", -9),
                ],
            )
            self.assertIn(
                "unused incidents lapsed after their last day",
                subscription.allotment_ids.entry_ids.sorted("id")[-1].name,
            )

    def test_statement(self):
        """R15.3, R11.4: an entry says that what it took had been carried over."""
        self.bought()
        self.use(3)
        with self.on("2027-05-11"):
            self.use(8)
            lines = self.incident_account()._statement()
            self.assertEqual(
                [(line.quantity, line.is_carried) for line in lines],
                [(-1, False), (-7, True), (10, False), (-3, False), (10, False)],
            )
            figures = self.incident_account()._statement_figures(
                date(2027, 5, 11), date(2027, 5, 11)
            )
            self.assertEqual((figures["opening"], figures["closing"]), (7, 9))

    def test_forecast(self):
        """R15.3, R11.4: what is carried over lasts longer: 21 at a pace of 9 in 28 days
        are 65 days, although the term ends on July 10."""
        self.bought()
        self.use(1)
        with self.on("2027-05-08"):
            self.use(8)
            forecast = self.incident_account()._forecast()
            self.assertEqual((forecast.used, forecast.days), (9, 28))
            self.assertEqual(forecast.until, date(2027, 7, 12))

    def test_end_of_the_month(self):
        """R15.3, R9.1: counted on from the anchor, as if the term went on."""
        with self.on("2027-01-31"):
            subscription = self.bought()
            self.assertEqual(
                self.windows(subscription),
                [
                    ("Jan 31", "Feb 27", "Mar 30", 10),
                    ("Feb 28", "Mar 30", "Apr 29", 10),
                    ("Mar 31", "Apr 29", "May 30", 10),
                ],
            )

    def test_quarters(self):
        """R15.3, R15.2: a quarter is carried over for two quarters."""
        plan = self.plan(
            "Quarters",
            200,
            "period",
            30,
            6,
            incident_period_months=3,
            incident_carry_periods=2,
        )
        subscription = self.bought(plan)
        self.assertEqual(
            self.windows(subscription),
            [
                ("Apr 11", "Jul 10", "Jan 10", 30),
                ("Jul 11", "Oct 10", "Apr 10", 30),
            ],
        )
        self.assertRuns(subscription, "2027-04-11", "2027-10-10")

    def test_returned(self):
        """R15.3, R5.3: a ticket of month 1 returned in month 2 can be used; in month 3
        it lapses, or comes back as lifetime incidents."""
        subscription = self.bought()
        first, second, third = self.use(2), self.use(3), self.use(4)
        with self.on("2027-05-20"):
            first.incident_count = 0
            self.assertEqual(self.available(), 13)
            self.assertIn("carried over", first.message_ids[0].body)
        with self.on("2027-06-12"):
            self.assertEqual(self.available(), 20)
            second.incident_count = 0
            self.assertEqual(self.available(), 20)
            self.assertIn("3 lapsed", second.message_ids[0].body)
            self.company.incident_expired_return = "lifetime"
            third.incident_count = 0
            self.assertEqual(self.available(), 24)
            self.assertEqual(
                [
                    entry
                    for entry in self.entries(subscription)
                    if entry[1] in ("return", "expiry")
                ],
                [
                    ("May 20", "return", 2),
                    ("Jun 10", "expiry", -3),
                    ("Jun 12", "return", 3),
                    ("Jun 12", "expiry", -3),
                    ("Jun 12", "return", 4),
                    ("Jun 12", "expiry", -4),
                ],
            )

    def test_extra(self):
        """R15.3, R9.4: extra incidents are carried over as those of their plan,
        whatever it says by now (R8.7)."""
        subscription = self.bought()
        self.months.incident_carry_periods = 0
        with self.on("2027-05-15"):
            order = subscription._order_extra(3)
            self.assertEqual(self.lines(order), [(6, 4, 24)])
            self.paid(order)
            self.assertEqual(
                self.windows(subscription),
                [
                    ("Apr 11", "May 10", "Jun 10", 10),
                    ("May 11", "Jun 10", "Jul 10", 13),
                    ("Jun 11", "Jul 10", "Aug 10", 13),
                ],
            )
            self.assertEqual(self.available(), 23)

    def test_extra_paid_late(self):
        """R15.3, R9.4: what is missed goes by the own last day of a month, although it
        could be used still; no more than was paid for comes."""
        subscription = self.bought()
        order = subscription._order_extra(2)
        with self.on("2027-05-11"):
            self.paid(order)
            self.assertEqual(
                [window[3] for window in self.windows(subscription)], [10, 12, 12]
            )
            self.assertEqual(self.given(), 2)
            self.assertEqual(self.available(), 24)

    def test_renewed_otherwise(self):
        """R15.3, R8.7, R9.5: a renewal has what the plan says by then; extra incidents
        that reach over both are carried over as each of them."""
        subscription = self.bought()
        self.months.incident_carry_periods = 2
        with self.on("2027-07-01"):
            self.paid(subscription._order_renewal())
            self.assertEqual(subscription.carry_periods, 2)
            order = subscription._order_extra(1)
            self.assertEqual(self.lines(order), [(1, 4, 4), (3, 4, 12)])
            self.assertEqual(order.validity_date, date(2027, 7, 10))
            self.paid(order)
            self.assertEqual(
                self.windows(subscription)[2:],
                [
                    ("Jun 11", "Jul 10", "Aug 10", 11),
                    ("Jul 11", "Aug 10", "Oct 10", 11),
                    ("Aug 11", "Sep 10", "Nov 10", 11),
                    ("Sep 11", "Oct 10", "Dec 10", 11),
                ],
            )
            # Back to what it was: each stretch is an order line of its own.
            self.months.incident_carry_periods = 1
            renewal = subscription._order_renewal()
            self.assertEqual(
                renewal.order_line.mapped("incident_carry_periods"), [1, 1]
            )
            self.paid(renewal)
            order = subscription._order_extra(1)
            self.assertEqual(
                [
                    (line.product_uom_qty, line.incident_carry_periods)
                    for line in order.order_line
                ],
                [(1, 1), (3, 2), (3, 1)],
            )

    def test_credit_note(self):
        """R15.3, R8.4: the last months give way first; the first one is carried over.
        To the cent."""
        subscription = self.bought()
        self.use(4)
        with self.on("2027-05-20"):
            invoice = subscription.term_ids.sale_line_id.invoice_lines.move_id
            note = self.reverse(invoice, post=False)
            note.invoice_line_ids.quantity = 0.5
            note.action_post()
            self.assertEqual(
                self.windows(subscription),
                [
                    ("Apr 11", "May 10", "Jun 10", 10),
                    ("May 11", "Jun 10", "Jul 10", 5),
                ],
            )
            self.assertEqual(self.available(), 11)
            # 45.00 are left, of 15: 18.00 and 15.00 of what is unused.
            self.assertEqual(self.unearned(), 33)
            self.assertRuns(subscription, "2027-04-11", "2027-06-10")

    def test_undone_and_redone(self):
        """R15.3, R3.4, R8.4: what was carried over goes with the rest, and comes back
        in its window."""
        order = self.quotation(self.months)
        payment = self.paid(order)
        self.use(4)
        with self.on("2027-05-20"):
            payment.action_draft()
            self.assertEqual(self.available(), 0)
        with self.on("2027-06-05"):
            payment.action_post()
            self.assertEqual(self.available(), 16)
            payment.action_draft()
        with self.on("2027-06-20"):
            payment.action_post()
            # The first month has ended for good.
            self.assertEqual(self.available(), 20)
            self.assertEqual(
                self.entries(self.subscription(order).sudo()),
                [
                    ("Apr 11", "period", 10),
                    ("Apr 11", "deduction", -4),
                    ("May 11", "period", 10),
                    ("May 20", "revocation", -6),
                    ("May 20", "revocation", -10),
                    ("Jun 05", "period", 6),
                    ("Jun 05", "period", 10),
                    ("Jun 05", "revocation", -6),
                    ("Jun 05", "revocation", -10),
                    ("Jun 20", "period", 6),
                    ("Jun 20", "period", 10),
                    ("Jun 20", "period", 10),
                    ("Jun 20", "expiry", -6),
                ],
            )

    def test_cancelled(self):
        """R15.3, R9.8: what had ended is left, with what is carried over of it; and
        lapses with its window."""
        subscription = self.bought()
        self.use(4)
        with self.on("2027-05-20"):
            self.use(1)
            subscription.with_user(self.manager).action_cancel()
            self.assertEqual(self.available(), 5)
            self.assertEqual(
                self.windows(subscription), [("Apr 11", "May 10", "Jun 10", 10)]
            )
            self.assertEqual(self.unearned(), 15)
            subscription.with_user(self.manager).action_reopen()
            self.assertEqual(self.available(), 15)
            subscription.with_user(self.manager).action_cancel()
        with self.on("2027-06-10"):
            self.assertEqual(self.available(), 5)
        with self.on("2027-06-11"):
            self.assertEqual(self.available(), 0)
            self.assertEqual(self.unearned("2027-06-09"), 15)
            self.assertEqual(self.unearned("2027-06-10"), 0)

    def test_changed(self):
        """R15.3, R9.6: what is carried over stays; the new plan has its own windows,
        and undone the old ones come back."""
        subscription = self.bought()
        self.use(4)
        with self.on("2027-05-20"):
            order = subscription._order_change(self.business)
            self.assertEqual([line[2] for line in self.lines(order)], [150, -30])
            payment = self.paid(order)
            self.assertEqual(
                self.windows(subscription),
                [
                    ("Apr 11", "May 10", "Jun 10", 10),
                    ("May 11", "Jun 10", "Jul 10", 10),
                    ("Jun 11", None, "Jul 10", 20),
                    ("Jul 11", None, "Aug 10", 20),
                    ("Aug 11", None, "Sep 10", 20),
                ],
            )
            self.assertEqual(subscription.carry_periods, 0)
        with self.on("2027-06-12"):
            self.assertEqual(self.available(), 30)
            # What began first of those that end on one day.
            self.assertEqual(
                self.legs(self.use(12)), [("2027-05-11", 10), ("2027-06-11", 2)]
            )
            payment.action_draft()
            self.assertEqual(
                [window[:3] for window in self.windows(subscription)],
                [
                    ("Apr 11", "May 10", "Jun 10"),
                    ("May 11", "Jun 10", "Jul 10"),
                    ("Jun 11", "Jul 10", "Aug 10"),
                ],
            )
            self.assertEqual(self.available(), 10)
            payment.action_post()
            self.assertEqual(self.available(), 18)

    def test_changed_and_credited_in_part(self):
        """R15.3, R9.4, R9.6: where both plans have a part of one month, extra incidents
        are paid, and come, once, with the windows of the later plan."""
        subscription = self.bought()
        with self.on("2027-05-20"):
            order = subscription._order_change(self.business)
            self.paid(order)
            note = self.reverse(order.invoice_ids, post=False)
            note.invoice_line_ids.quantity = 0.5
            note.action_post()
            self.assertEqual(
                self.windows(subscription)[2:],
                [
                    ("Jun 11", None, "Jul 10", 20),
                    ("Jun 11", "Jul 10", "Aug 10", 5),
                    ("Jul 11", None, "Aug 10", 10),
                ],
            )
            extra = subscription._order_extra(2)
            self.assertEqual(self.lines(extra), [(2, 4, 8), (4, 4, 16)])
            self.paid(extra)
            self.assertEqual(
                [window[3] for window in self.windows(subscription)],
                [10, 12, 22, 5, 12],
            )
            self.assertAgrees()

    def test_changed_to_carry_over(self):
        """R15.3, R9.6: the new plan has windows of its own in the same months, whose
        old ones come back when its payment is undone."""
        subscription = self.bought(self.business)
        with self.on("2027-05-20"):
            subscription._schedule(self.months)
            payment = self.paid(subscription._order_renewal())
            self.assertEqual(
                self.windows(subscription)[2:4],
                [
                    ("Jun 11", None, "Jul 10", 20),
                    ("Jul 11", "Aug 10", "Sep 10", 10),
                ],
            )
            payment.action_draft()
            self.assertEqual(len(self.windows(subscription)), 3)

    def test_changed_late(self):
        """R15.3, R9.4, R9.6: paid after the first month of the new plan has ended: what
        the old one gave in it stays, to be used as long as it is carried over, and the
        rest comes for life. No more and no less than was paid for, to the cent."""
        subscription = self.bought()
        with self.on("2027-05-20"):
            order = subscription._order_change(self.business)
        with self.on("2027-07-15"):
            self.use(3)
            payment = self.paid(order)
            self.assertEqual(
                self.windows(subscription)[2:],
                [
                    ("Jun 11", "Jul 10", "Aug 10", 10),
                    ("Jul 11", None, "Aug 10", 20),
                    ("Aug 11", None, "Sep 10", 20),
                ],
            )
            self.assertEqual(self.given(), 10)
            self.assertEqual(self.available(), 7 + 20 + 10)
            # 150.00 for 60, of which 3 are used.
            self.assertEqual(self.unearned(), 142.5)
            self.assertAgrees()
            payment.action_draft()
            self.assertEqual(self.given(), 0)
            self.assertEqual(self.available(), 7)
            payment.action_post()
            self.assertEqual(self.available(), 37)

    def test_changed_late_and_credited_in_part(self):
        """R15.3, R9.4, R8.4: half of a change that was paid late is credited: half of
        the old month counts again, and no less than was paid for is there."""
        subscription = self.bought()
        with self.on("2027-05-20"):
            order = subscription._order_change(self.business)
        with self.on("2027-07-15"):
            self.paid(order)
            note = self.reverse(order.invoice_ids, post=False)
            note.invoice_line_ids.quantity = 0.5
            note.action_post()
            # 30 of the new plan, of which 20 are of June: 5 of the old plan's, which
            # stay in its window beside its own 5, and 15 for life.
            self.assertEqual(
                self.windows(subscription)[2:],
                [
                    ("Jun 11", "Jul 10", "Aug 10", 10),
                    ("Jul 11", None, "Aug 10", 10),
                ],
            )
            self.assertEqual(self.given(), 15)
            # Of 90.00 and 120.00, 60.00 are credited; the first two months of the old
            # plan are used up or over.
            self.assertAgrees()

    def test_named_day(self):
        """R15.3, R8.12, R9.4: months that had ended when it was confirmed come for
        life; what has ended since lapses, but for what is carried over still."""
        order = self.quotation(self.months)
        order.order_line.incident_date_start = "2027-02-11"
        order.action_confirm()
        with self.on("2027-04-20"):
            self.paid(order)
            subscription = self.subscription(order).sudo()
            # Of February and March, by April 11.
            self.assertEqual(self.given(), 20)
            self.assertEqual(
                self.windows(subscription), [("Apr 11", "May 10", "Jun 10", 10)]
            )
        other = self.quotation(self.months, customer=self._customer("Other"))
        other.order_line.incident_date_start = "2027-04-11"
        other.action_confirm()
        with self.on("2027-06-15"):
            self.paid(other)
            subscription = self.subscription(other).sudo()
            self.assertEqual(subscription.term_ids.months_lapsed, 1)
            self.assertEqual(
                self.windows(subscription),
                [
                    ("May 11", "Jun 10", "Jul 10", 10),
                    ("Jun 11", "Jul 10", "Aug 10", 10),
                ],
            )
            self.assertEqual(self.available(other.partner_id), 20)

    def test_merged(self):
        """R15.3, R2.2: what is carried over moves with its window."""
        subscription = self.bought()
        self.use(4)
        other = self._customer("Other")
        with self.on("2027-05-20"):
            self.env["base.partner.merge.automatic.wizard"].create(
                {
                    "partner_ids": [(6, 0, (self.customer | other).ids)],
                    "dst_partner_id": other.id,
                }
            ).action_merge()
            self.assertEqual(self.available(other), 16)
            self.assertEqual(
                self.windows(subscription)[0], ("Apr 11", "May 10", "Jun 10", 10)
            )
            subscription._incident_give()
            self.assertEqual(self.available(other), 16)

    def test_unearned(self):
        """R15.3, R12.4: value stays where it was paid, and lapses with its window; by
        month, to the cent."""
        self.bought()
        self.use(3)
        with self.on("2027-05-20"):
            self.use(5)
            # 2 of the first month, 10 of the second and of the third.
            self.assertEqual(
                self.positions(),
                [(10, 8, 0, 2, 6), (10, 0, 0, 10, 30), (10, 0, 0, 10, 30)],
            )
            self.assertAgrees()
        with self.on("2027-09-30"):
            self.assertEqual(self.unearned("2027-06-09"), 66)
            self.assertEqual(self.unearned("2027-06-10"), 60)
            months = self.assertChains("2027-04-01", "2027-09-30")
            self.assertEqual(
                {
                    str(month.date): (month.lapsed, month.amount_lapsed)
                    for month in months
                    if month.lapsed
                },
                {
                    "2027-06-30": (2, 6),
                    "2027-07-31": (10, 30),
                    "2027-08-31": (10, 30),
                },
            )
            self.assertAgrees()

    def test_reminded(self):
        """R15.3, R13.2: told of what is carried over and expires soon, after the end of
        the subscription, too; once."""
        subscription = self.bought()
        self.use(4)
        self.company.incident_reminder_days = 7
        reminders = self.env["helpdesk.incident.reminder"]

        def noted():
            reminders._note_occasions()
            return [
                (reminder.kind, str(reminder.day), reminder.quantity)
                for reminder in reminders.search(
                    [("subscription_id", "=", subscription.id)], order="id"
                )
            ]

        # May 10 is no last day of anything.
        with self.on("2027-05-09"):
            self.assertEqual(noted(), [])
        with self.on("2027-06-05"):
            self.assertEqual(noted(), [("expires", "2027-06-10", 6)])
            self.use(6)
            self.assertEqual(len(noted()), 1)
        with self.on("2027-08-05"):
            self.assertEqual(noted()[1:], [("expires", "2027-08-10", 10)])

    def test_words(self):
        """R15.3, R8.6: orders and subscriptions say it."""
        words = self.env["product.product"]._incident_words
        self.assertEqual(
            words("period", 10, 12, 1, 1),
            "10 incidents every month for 12 months, unused ones valid for 1 more "
            "month",
        )
        self.assertEqual(
            words("period", 30, 12, 3, 2),
            "30 incidents every 3 months for 12 months, unused ones valid for 6 more "
            "months",
        )
        self.assertIn("unused ones valid for 1 more", self.months.incident_description)
        subscription = self.bought()
        self.assertEqual(
            subscription._number_words(),
            "10 incidents every month, unused ones valid for 1 more month",
        )
        line = subscription.term_ids.sale_line_id
        self.assertIn("unused ones valid for 1 more month", line.name)
        allotment = subscription.allotment_ids.sorted("date_from")[0]
        self.assertEqual(allotment.display_name, "valid to Jun 10, 2027")
        with self.on("2027-05-11"):
            self.assertEqual(
                allotment.display_name, "carried over, valid to Jun 10, 2027"
            )

    def test_bounds(self):
        """R15.3: none or some, within the longest term; by the form of the product,
        too."""
        for carry in (-1, 121):
            with self.assertRaises(ValidationError), mute_logger("odoo.sql_db"):
                self.months.incident_carry_periods = carry
        template = self.months.product_tmpl_id
        template.write({"incident_carry_periods": 3})
        self.assertEqual(self.months.incident_carry_periods, 3)


@tagged("post_install", "-at_install")
class TestCarryOverRenewal(RenewalCommon):
    """R15.3, R9.7: less time for what is unused is not taken without consent."""

    def test_less_is_asked_for(self):
        self.months.incident_carry_periods = 1
        self.pay(90)
        with self.on("2027-07-03"):
            # More is no reason to ask.
            self.run_renewal()
            self.assertRenewed()
            self.assertEqual(self.subscription_one.carry_periods, 1)
        self.months.incident_carry_periods = 0
        self.pay(90)
        with self.on("2027-10-03"):
            self.run_renewal()
            self.assertEqual(self.subscription_one.renewal_problem, "confirm")
            self.assertEqual(
                self.subscription_one._differences_words(),
                "It is not the same: unused incidents not carried over.",
            )


@tagged("post_install", "-at_install")
class TestCarryOverPortal(SubscriptionPortalCommon):
    """R15.3, R11.4: what customers see of what is carried over."""

    def test_pages(self):
        self.months.write(
            {"incident_carry_periods": 1, "incident_portal_published": True}
        )
        self.authenticate("hps-nora", "hps-nora")
        text = self.text(self.page("/my/incidents/buy"), "//main")
        self.assertIn("unused ones valid for 1 more month", text)
        subscription = self.bought()
        self.use(3)
        with self.on("2027-05-11"):
            self.use(1)
            page = self.page("/my/incidents")
            text = self.text(page, "//*[@name='breakdown']")
            self.assertIn("6 of 10 left carried over, valid to Jun 10, 2027", text)
            self.assertIn("10 of 10 left valid to Jul 10, 2027", text)
            self.assertIn(
                "6 incidents expire at the end of Jun 10, 2027.",
                self.text(page, "//*[@name='outlook']"),
            )
            self.assertIn(
                "carried over, valid to Jun 10, 2027",
                self.text(page, "//*[@name='last']"),
            )
            page = self.page(f"/my/incidents/subscription/{subscription.id}")
            self.assertIn(
                "10 incidents every month, unused ones valid for 1 more month",
                self.text(page, "//main"),
            )
            self.assertEqual(
                self.text(page, "//*[@name='carried']"),
                "carried over, valid to Jun 10, 2027",
            )
