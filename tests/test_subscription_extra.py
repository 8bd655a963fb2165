from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_sale import BOUGHT
from .common_subscription import SubscriptionCommon
from .test_subscription_life import APRIL, AUGUST, JULY, JUNE, MAY, SEPTEMBER


@tagged("post_install", "-at_install")
class TestSubscriptionExtra(SubscriptionCommon):
    """R9.4: extra incidents for a running subscription."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time(BOUGHT):
            cls.sub = cls.bought()

    def ordered(self, number=4, day="2027-05-20"):
        with self.on(day):
            return self.sub._order_extra(number)

    def lifetime_given(self):
        self.env.invalidate_all()
        return self.incident_account().lifetime_granted

    def test_taken_back_and_paid_again(self):
        """R8.4, R3.4: with its payment; what is used stays used."""
        order = self.ordered()
        with self.on("2027-05-20"):
            payment = self.paid(order)
            self.use(12)
            payment.action_draft()
            self.assertMonths(self.sub, {APRIL: 10, MAY: 10, JUNE: 10})
            self.assertEqual(self.available(), 0)
            self.assertEqual(self.sub.extra_incidents, 0)
            payment.action_post()
            self.assertMonths(self.sub, {APRIL: 10, MAY: 14, JUNE: 14})
            self.assertEqual(self.available(), 2)

    def test_for_more_months_than_a_term_has(self):
        """R9.4: for all that is paid ahead, in lines of ten years at most."""
        plan = self.plan("Five years", 900, "period", 5, 60)
        plan.incident_extra_product_id = self.extra
        with self.on("2027-04-11"):
            sub = self.bought(plan)
            for _renewal in range(2):
                self.paid(sub._order_renewal())
            self.paid(sub._order_extra(2))
            terms = sub.term_ids.filtered(lambda term: term.kind == "extra")
            self.assertEqual(terms.sorted("date_from").mapped("months"), [120, 60])
            self.assertEqual((sub.date_end.year, sub.extra_incidents), (2042, 2))
        self.assertFalse(self.env["helpdesk.incident.fault"].search([]))

    def test_credit_note(self):
        """R8.4: the last month gives way first."""
        order = self.ordered()
        with self.on("2027-05-20"):
            self.paid(order)
            note = self.reverse(order.invoice_ids, post=False)
            note.invoice_line_ids.quantity = 4
            note.action_post()
            self.assertMonths(self.sub, {APRIL: 10, MAY: 14, JUNE: 10})

    def test_valid_until_the_next_month(self):
        """R9.4: the order is valid until the next boundary."""
        order = self.ordered()
        self.assertEqual(str(order.validity_date), "2027-06-10")
        with self.on("2027-06-10"):
            self.assertTrue(order._has_to_be_paid())
        with self.on("2027-06-11"):
            self.assertFalse(order._has_to_be_paid())

    def test_valid_by_the_day_of_the_company(self):
        """R3.7: on the last evening in Los Angeles it is the next day in UTC."""
        self.company.partner_id.tz = "America/Los_Angeles"
        with freeze_time("2027-05-11 03:00:00"):
            self.env.invalidate_all()
            order = self.sub._order_extra(4)
            self.assertEqual(str(order.validity_date), "2027-05-10")
            self.assertTrue(order._has_to_be_paid())
        with freeze_time("2027-05-11 08:00:00"):
            self.env.invalidate_all()
            self.assertFalse(order._has_to_be_paid())

    def test_paid_on_the_last_day(self):
        """R9.4: paid on June 10, the last day of the month in which 4 were ordered,
        that month gets its 4 as well; none come as lifetime incidents."""
        order = self.ordered()
        with self.on("2027-06-10"):
            self.paid(order)
            self.assertMonths(self.sub, {APRIL: 10, MAY: 14, JUNE: 14})
            self.assertEqual(self.lifetime_given(), 0)

    def test_paid_late(self):
        """R9.4: the months that remain get theirs; the one missed comes as lifetime
        incidents. Undone and redone, just the same."""
        order = self.ordered()
        with self.on("2027-06-15"):
            payment = self.paid(order)
            self.assertMonths(self.sub, {APRIL: 10, MAY: 10, JUNE: 14})
            self.assertEqual(self.lifetime_given(), 4)
            self.assertIn("lifetime", order.order_line.incident_note)
            payment.action_draft()
            self.assertMonths(self.sub, {APRIL: 10, MAY: 10, JUNE: 10})
            self.assertEqual(self.lifetime_given(), 0)
        with self.on("2027-08-15"):
            payment.action_post()
            self.assertEqual(self.lifetime_given(), 4)

    def test_paid_after_the_end(self):
        """R9.4: nothing that is paid is lost."""
        order = self.ordered()
        with self.on("2027-07-20"):
            self.paid(order)
            self.assertMonths(self.sub, {APRIL: 10, MAY: 10, JUNE: 10})
            self.assertEqual(self.lifetime_given(), 8)
            self.assertRunsOut()

    def assertRunsOut(self):
        self.assertEqual(self.sub.state, "ended")
        self.assertEqual(str(self.sub.date_end), "2027-07-10")

    def test_paid_after_the_cancelling(self):
        """R9.4, R9.8: of a cancelled subscription, all comes as lifetime incidents."""
        order, other = self.ordered(), self.ordered(5)
        transaction = self.transaction(order, state="pending")
        with self.on("2027-05-21"):
            self.sub.action_cancel()
            # Nobody can pay any more, but who has begun to.
            self.assertEqual((order.state, other.state), ("sent", "cancel"))
            transaction.action_demo_set_done()
            transaction._post_process()
            self.assertEqual(self.lifetime_given(), 8)
            self.assertEqual(self.sub.state, "cancelled")

    def test_paid_late_in_part_credited(self):
        """R8.4: the last month gives way first, then the earlier ones."""
        order = self.ordered()
        with self.on("2027-06-15"):
            self.paid(order)
            note = self.reverse(order.invoice_ids, post=False)
            note.invoice_line_ids.quantity = 6
            note.action_post()
            self.assertMonths(self.sub, {APRIL: 10, MAY: 10, JUNE: 10})
            self.assertEqual(self.lifetime_given(), 2)

    def test_twice(self):
        """Bought twice, it is there twice; sent twice, it is one order."""
        first = self.ordered()
        self.assertEqual(self.ordered(), first)
        with self.on("2027-05-20"):
            self.paid(first)
            second = self.ordered()
            self.assertNotEqual(second, first)
            self.paid(second)
            self.assertMonths(self.sub, {APRIL: 10, MAY: 18, JUNE: 18})
            self.assertEqual(self.sub.extra_incidents, 8)

    def test_renewed_beforehand(self):
        """R9.4: to the last month that is paid, those of a renewal included."""
        with self.on("2027-05-01"):
            self.paid(self.sub._order_renewal())
        order = self.ordered(2)
        self.assertEqual(self.lines(order), [(10, 4, 40)])
        with self.on("2027-05-20"):
            self.paid(order)
        self.assertMonths(
            self.sub,
            {APRIL: 10} | dict.fromkeys((MAY, JUNE, JULY, AUGUST, SEPTEMBER), 12),
        )

    def test_price_of_the_customer(self):
        """R9.4: through the customer's pricelist."""
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Half",
                "item_ids": [
                    (0, 0, {"compute_price": "percentage", "percent_price": 50})
                ],
            }
        )
        self.customer.property_product_pricelist = pricelist
        self.assertEqual(self.ordered().amount_total, 16)

    def test_quantity_of_the_order(self):
        """R8.2: a salesperson can change the number, to one that is the same in each
        month."""
        order = self.ordered()
        order.order_line.product_uom_qty = 6
        self.assertEqual(order.order_line.incident_units, 3)
        # What was refused is undone, as for whoever tried.
        with (
            self.assertRaisesRegex(UserError, "each of 2 months"),
            self.env.cr.savepoint(),
        ):
            order.order_line.product_uom_qty = 5
        with self.assertRaises(UserError):
            order.order_line.product_id = self.service
        with self.assertRaisesRegex(UserError, "cannot be duplicated"):
            order.copy()
        with self.assertRaisesRegex(UserError, "about incidents of"):
            order.partner_id = self._customer("Somebody else")

    def test_bad_input(self):
        """Nothing is ordered, and the error says why."""
        for number in (0, -1, 10**10):
            with self.assertRaisesRegex(UserError, "whole number"):
                self.ordered(number)
        with self.assertRaisesRegex(UserError, "active subscription"):
            self.ordered(day="2027-07-11")
        self.months.incident_extra_product_id = False
        with self.assertRaisesRegex(UserError, "active subscription"):
            self.ordered()
        self.assertFalse(self.sub._open_orders())

    def test_not_sold_any_more(self):
        """R9.4, R9.5: extra incidents that are not sold any more are not renewed."""
        with self.on("2027-05-20"):
            self.paid(self.sub._order_extra(4))
            self.extra.active = False
            with self.assertRaisesRegex(UserError, "Renew it without"):
                self.sub._order_renewal(extra=4)
            order = self.sub._order_renewal()
            self.assertEqual(order.amount_total, 90)

    def test_anchor_on_the_31st(self):
        """R9.1, R9.4: the months of the extra incidents are those of the plan."""
        with self.on("2027-01-31"):
            sub = self.bought()
        with self.on("2027-02-28"):
            order = sub._order_extra(1)
            self.assertEqual(order.order_line.product_uom_qty, 2)
            self.assertEqual(str(order.validity_date), "2027-03-30")
            self.paid(order)
        self.assertMonths(sub, {"2027-01-31": 10, "2027-02-28": 11, "2027-03-31": 11})

    def test_posted_or_confirmed(self):
        """R8.3: with the other settings, when the order is confirmed."""
        self.company.incident_grant_on = "confirmed"
        order = self.ordered()
        with self.on("2027-05-20"):
            order.action_confirm()
        self.assertMonths(self.sub, {APRIL: 10, MAY: 14, JUNE: 14})
