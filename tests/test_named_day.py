from datetime import date

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestNamedDay(SubscriptionCommon):
    """R8.12: staff name the first day of a term of 3 months with 10 incidents each, for
    90.00. It is April 11."""

    def named(self, day, **values):
        order = self.quotation(self.months, **values)
        order.order_line.incident_date_start = day
        return order

    def note(self, order):
        order.order_line.invalidate_recordset(["incident_note"])
        return order.order_line[:1].incident_note

    # -- a day to come -------------------------------------------------------

    def test_not_before(self):
        """R8.12: paid on April 11, it begins on May 1: nothing is available until then,
        and the months are counted from there."""
        order = self.named("2027-05-01")
        self.assertIn("May 1, 2027", self.note(order))
        self.assertIn("payment if that is later", self.note(order))
        self.paid(order)
        subscription = self.subscription(order).sudo()
        self.assertRuns(subscription, "2027-05-01", "2027-07-31")
        self.assertMonths(
            subscription, {"2027-05-01": 10, "2027-06-01": 10, "2027-07-01": 10}
        )
        self.assertEqual(self.available(), 0)
        with self.on("2027-05-01"):
            self.assertEqual(self.available(), 10)
        self.assertIn("May 1, 2027 – Jul 31, 2027", self.note(order))

    def test_paid_later(self):
        """R8.12: paid on May 20, it begins on May 20."""
        order = self.named("2027-05-01")
        order.action_confirm()
        with self.on("2027-05-20"):
            self.paid(order)
            self.assertRuns(self.subscription(order).sudo(), "2027-05-20", "2027-08-19")

    def test_on_confirmation(self):
        """R8.12, R8.3: given on confirmation it begins on the named day, too."""
        self.company.incident_grant_on = "confirmed"
        order = self.named("2027-05-01")
        order.action_confirm()
        self.assertRuns(self.subscription(order).sudo(), "2027-05-01", "2027-07-31")

    def test_undone_and_redone(self):
        """R8.4: in the same windows."""
        order = self.named("2027-05-01")
        payment = self.paid(order)
        subscription = self.subscription(order).sudo()
        payment.action_draft()
        self.assertEqual(self.targets(order), [0, 0, 0])
        with self.on("2027-05-20"):
            payment.action_post()
        self.assertMonths(
            subscription, {"2027-05-01": 10, "2027-06-01": 10, "2027-07-01": 10}
        )

    def test_before_it_begins(self):
        """R9.4, R9.6: before it begins, extra incidents are for all 3 months, and a
        change of plan credits all of it, from the first day on."""
        order = self.named("2027-07-01")
        self.paid(order)
        subscription = self.subscription(order).sudo()
        extra = subscription._order_extra(2)
        self.assertEqual(extra.order_line.product_uom_qty, 6)
        self.assertEqual(extra.validity_date, date(2027, 6, 30))
        change = subscription._order_change(self.business)
        self.assertEqual(self.lines(change), [(1, 150, 150), (1, -90, -90)])
        self.paid(change)
        self.assertMonths(
            subscription, {"2027-07-01": 20, "2027-08-01": 20, "2027-09-01": 20}
        )

    def test_cancelled_before_it_begins(self):
        """R9.8: all of it is withdrawn."""
        order = self.named("2027-05-01")
        self.paid(order)
        self.subscription(order).action_cancel()
        self.assertEqual(self.targets(order), [0, 0, 0])

    # -- a past day ------------------------------------------------------------

    def test_past_day(self):
        """R8.12, R9.4: confirmed and paid on April 11 from February 1 on: February and
        March are over, and come as 20 lifetime incidents."""
        order = self.named("2027-02-01")
        self.assertIn("Feb 1, 2027 – Apr 30, 2027", self.note(order))
        self.paid(order)
        subscription = self.subscription(order).sudo()
        self.assertRuns(subscription, "2027-02-01", "2027-04-30")
        self.assertMonths(subscription, {"2027-04-01": 10})
        self.assertEqual((self.given(), self.available()), (20, 30))
        self.assertIn("lifetime incidents: 2", self.note(order))

    def test_paid_after_a_month_has_ended(self):
        """R8.12: confirmed on April 11 from March 1 on, paid on May 20: March comes as
        10 lifetime incidents, April lapses, and the order says so. Nothing is written
        into the past (R3.7)."""
        order = self.named("2027-03-01")
        order.action_confirm()
        self.assertIn("when it is paid lapse", self.note(order))
        with self.on("2027-05-20"):
            self.paid(order)
            subscription = self.subscription(order).sudo()
            self.assertRuns(subscription, "2027-03-01", "2027-05-31")
            self.assertMonths(subscription, {"2027-04-01": 0, "2027-05-01": 10})
            self.assertEqual((self.given(), self.available()), (10, 20))
            self.assertIn("have lapsed: 1", self.note(order))
            entries = self.incident_account().entry_ids.filtered(
                lambda entry: entry.kind == "expiry"
            )
            self.assertFalse(entries)
            self.assertFalse(self.env["helpdesk.incident.account"]._check_ledger())

    def test_lapsed_is_earned(self):
        """R12.4: of 90.00, the 30.00 of the month that has lapsed are lost at once."""
        order = self.named("2027-04-01")
        order.action_confirm()
        with self.on("2027-05-20"):
            self.paid(order)
            rows = self.env["helpdesk.incident.purchase"].search(
                [("sale_line_id", "=", order.order_line.id)]
            )
            self.assertEqual(
                rows.sorted(lambda row: row.allotment_id.date_from).mapped(
                    lambda row: (row.quantity, row.withdrawn, row.amount)
                ),
                [(10, 10, 30), (10, 0, 30), (10, 0, 30)],
            )

    def test_all_of_it_is_over(self):
        """R8.12: paid on August 1, when all 3 months are over: nothing is usable."""
        order = self.named("2027-04-11")
        order.action_confirm()
        with self.on("2027-08-01"):
            self.paid(order)
            subscription = self.subscription(order).sudo()
            self.assertRuns(subscription, "2027-04-11", "2027-07-10", "ended")
            self.assertEqual((self.given(), self.available()), (0, 0))

    def test_invoice_says_it(self):
        """R8.6: the invoice that is to be paid names the days."""
        order = self.named("2027-04-01")
        order.action_confirm()
        name = self.bill(order).invoice_line_ids.name
        self.assertIn("Apr 1, 2027 – Jun 30, 2027", name)

    # -- renewals ------------------------------------------------------------------

    def test_renewal_on_the_day_after(self):
        """R8.12: on the day after the old end the anchor stays; earlier is refused."""
        subscription = self.bought()
        order = subscription._order_renewal()
        with self.assertRaisesRegex(ValidationError, "Jul"):
            order.order_line.incident_date_start = "2027-07-10"
        order.order_line.incident_date_start = "2027-07-11"
        self.paid(order)
        self.assertRuns(subscription, "2027-04-11", "2027-10-10")

    def test_renewal_after_a_pause(self):
        """R8.12: a later day is a new anchor, for the extra incidents of the renewal,
        too; until then the old months are counted from the old one."""
        subscription = self.bought()
        order = subscription._order_renewal(extra=2)
        order.order_line[0].incident_date_start = "2027-08-01"
        self.assertIn("Aug 1, 2027", self.note(order))
        self.paid(order)
        self.assertRuns(subscription, "2027-08-01", "2027-10-31")
        months = self.months_of(subscription)
        self.assertEqual(
            months,
            {
                "2027-04-11": 10,
                "2027-05-11": 10,
                "2027-06-11": 10,
                "2027-08-01": 12,
                "2027-09-01": 12,
                "2027-10-01": 12,
            },
        )
        with self.on("2027-05-20"):
            self.assertEqual(subscription._boundary(), date(2027, 6, 11))
            extra = subscription._order_extra(1)
            self.assertEqual(extra.order_line.mapped("product_uom_qty"), [2, 3])
            self.paid(extra)
            self.assertEqual(
                list(self.months_of(subscription).values()), [10, 11, 11, 13, 13, 13]
            )
        with self.on("2027-07-20"):
            self.assertEqual(self.available(), 0)
            self.assertEqual(subscription._boundary(), date(2027, 8, 1))

    def test_renewal_of_what_has_ended(self):
        """R8.12: ended on July 10, renewed on August 20 from July 11 on: the anchor
        stays, the month that is over comes as 10 lifetime incidents."""
        subscription = self.bought()
        with self.on("2027-08-20"):
            order = subscription._order_renewal()
            order.order_line.incident_date_start = "2027-07-11"
            self.paid(order)
            self.assertRuns(subscription, "2027-04-11", "2027-10-10")
            self.assertEqual((self.given(), self.available()), (10, 20))

    # -- what is refused -----------------------------------------------------------

    def test_refused(self):
        """R8.12: of lifetime incidents, of what has no term of its own, of what is
        sold, and of days that nobody can mean."""
        pack = self.quotation(self.pack)
        with self.assertRaises(ValidationError):
            pack.order_line.incident_date_start = "2027-05-01"
        extra = self.bought()._order_extra(2)
        with self.assertRaises(ValidationError):
            extra.order_line.incident_date_start = "2027-05-01"
        order = self.named("2027-05-01")
        with self.assertRaises(ValidationError):
            order.order_line.incident_date_start = "2207-05-01"
        order.action_confirm()
        with self.assertRaises(UserError):
            order.order_line.incident_date_start = "2027-06-01"
        self.assertFalse(order.copy().order_line.incident_date_start)

    def test_portal_user(self):
        """R8.12: customers name none."""
        order = self.named("2027-05-01")
        share = self.env.ref("base.public_user")
        with self.assertRaises(UserError):
            order.order_line.with_user(share).sudo().incident_date_start = "2027-06-01"
