from odoo.tests import tagged

from .common_subscription import SubscriptionCommon

APRIL, MAY, JUNE = "2027-04-11", "2027-05-11", "2027-06-11"
JULY, AUGUST, SEPTEMBER = "2027-07-11", "2027-08-11", "2027-09-11"


@tagged("post_install", "-at_install")
class TestSubscriptionLife(SubscriptionCommon):
    """R9.4–R9.6: the worked examples, in numbers and in money."""

    def test_extra_renewal_and_new_beginning(self):
        """R9.4, R9.5: 3 months from April 11; 4 extra on May 20; renewed on July 1;
        ended, and renewed on November 3."""
        subscription = self.bought()
        self.assertMonths(subscription, {APRIL: 10, MAY: 10, JUNE: 10})
        with self.on("2027-05-20"):
            order = subscription._order_extra(4)
            # 4 in each of 2 months
            self.assertEqual(self.lines(order), [(8, 4, 32)])
            self.assertIn(
                "4 more incidents in each of 2 months, May 11, 2027 – Jul 10, 2027",
                order.order_line.name,
            )
            self.assertEqual(str(order.validity_date), "2027-06-10")
            self.assertMonths(subscription, {APRIL: 10, MAY: 10, JUNE: 10})
            self.use(3)
            self.assertEqual(self.available(), 7)
            self.paid(order)
            self.assertMonths(subscription, {APRIL: 10, MAY: 14, JUNE: 14})
            self.assertEqual(self.available(), 11)
            self.assertEqual(subscription.extra_incidents, 4)
        with self.on("2027-07-01"):
            order = subscription._order_renewal()
            self.assertEqual(self.lines(order), [(1, 90, 90), (12, 4, 48)])
            self.paid(order)
            renewed = {APRIL: 10, MAY: 14, JUNE: 14, JULY: 14, AUGUST: 14}
            renewed[SEPTEMBER] = 14
            self.assertMonths(subscription, renewed)
            self.assertRuns(subscription, "2027-04-11", "2027-10-10")
            self.assertEqual(self.available(), 14)
        with self.on("2027-10-11"):
            self.assertRuns(subscription, "2027-04-11", "2027-10-10", "ended")
            self.assertEqual(self.available(), 0)
        with self.on("2027-11-03"):
            order = subscription._order_renewal()
            self.assertEqual(order.amount_total, 138)
            payment = self.paid(order)
            again = {"2027-11-03": 14, "2027-12-03": 14, "2028-01-03": 14}
            self.assertMonths(subscription, renewed | again)
            self.assertRuns(subscription, "2027-11-03", "2028-02-02")
            self.assertEqual(self.available(), 14)
            payment.action_draft()
            self.assertMonths(subscription, renewed | dict.fromkeys(again, 0))
            self.assertRuns(subscription, "2027-04-11", "2027-10-10", "ended")
            payment.action_post()
            self.assertMonths(subscription, renewed | again)

    def test_change_with_credit(self):
        """R9.6: on May 20, one month that has not begun is credited at 30.00; the new
        plan begins on June 11. Undone, the old month is back."""
        subscription = self.bought()
        with self.on("2027-05-20"):
            order = subscription._order_change(self.business)
            self.assertEqual(self.lines(order), [(1, 150, 150), (1, -30, -30)])
            self.assertEqual(order.amount_total, 120)
            payment = self.paid(order)
            changed = {APRIL: 10, MAY: 10, JUNE: 20, JULY: 20, AUGUST: 20}
            self.assertMonths(subscription, changed)
            self.assertEqual(subscription.product_id, self.business)
            self.assertRuns(subscription, "2027-04-11", "2027-09-10")
            self.assertEqual(self.available(), 10)
            payment.action_draft()
            self.assertMonths(
                subscription, {APRIL: 10, MAY: 10, JUNE: 10, JULY: 0, AUGUST: 0}
            )
            self.assertEqual(subscription.product_id, self.months)
            self.assertRuns(subscription, "2027-04-11", "2027-07-10")
            payment.action_post()
            self.assertMonths(subscription, changed)
        with self.on("2027-06-11"):
            self.assertEqual(self.available(), 20)

    def test_change_to_a_cheaper_plan_is_scheduled(self):
        """R9.6: the credit of 30.00 is more than 20.00: from July 11, without money."""
        subscription = self.bought()
        with self.on("2027-05-20"):
            self.assertFalse(subscription._order_change(self.small))
            self.assertEqual(subscription.next_product_id, self.small)
            self.assertFalse(subscription._open_orders())
            self.assertMonths(subscription, {APRIL: 10, MAY: 10, JUNE: 10})
        with self.on("2027-07-01"):
            order = subscription._order_renewal()
            self.assertEqual(self.lines(order), [(1, 20, 20)])
            self.paid(order)
            self.assertMonths(subscription, {APRIL: 10, MAY: 10, JUNE: 10, JULY: 3})
            self.assertEqual(subscription.product_id, self.small)
            self.assertFalse(subscription._scheduled_plan())

    def test_change_whose_credit_is_gone(self):
        """R9.6, R8.4: the credit of 1.10 is not there any more, so 2.20 of 3.30 are
        paid: 12 of 18 incidents."""
        old, new = (self.plan(name, 3.3, "period", 6, 3) for name in ("Old", "New"))
        old.product_tmpl_id.incident_change_template_ids = new.product_tmpl_id
        order = self.quotation(old)
        payment = self.paid(order)
        subscription = self.subscription(order).sudo()
        with self.on("2027-05-20"):
            change = subscription._order_change(new)
            self.assertEqual(self.lines(change), [(1, 3.3, 3.3), (1, -1.1, -1.1)])
            self.paid(change)
            payment.action_draft()
            self.assertMonths(
                subscription, {APRIL: 0, MAY: 0, JUNE: 6, JULY: 6, AUGUST: 0}
            )
