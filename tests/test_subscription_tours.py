from odoo.tests import tagged

from .test_subscription_portal import SubscriptionPortalCommon

TOUR = "helpdesk_paid_support_subscription"


@tagged("post_install", "-at_install")
class TestSubscriptionTours(SubscriptionPortalCommon):
    """What a customer does with a subscription, in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.year = cls.plan(
            "10 for a year", 60, "pack", 10, 12, incident_portal_published=True
        )

    def setUp(self):
        super().setUp()
        self.paid(self.quotation(self.year))

    def top_up(self):
        """Let the scheduled action buy, after the ticket of the tour, what it has
        chosen (R19.1)."""
        account = self.incident_account()
        self.assertTrue(account.topup_ids.due)
        self.assertEqual(account.topup_ids.agreed_partner_id, self.user.partner_id)
        self.pay(50)
        # What the tour has ordered is younger than a day.
        with self.on("2027-04-13"), self.enter_registry_test_mode():
            cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_top_up")
            cron.method_direct_trigger()
        self.assertEqual(self.available(), 31)

    def test_extend_change_and_switch_off(self):
        """R9.4, R9.6, R9.7, R15.1, R19.1: a pack that can be bought again; 2 extra
        incidents, then another plan from May 11 on; both paid online. Automatic renewal
        is switched off. Topping up is set up at last, and happens after a ticket."""
        subscription = self.bought()
        subscription.auto_renew = True
        self.start_tour("/my/incidents", TOUR, login="hps-nora")
        # The current month stays as it is; the others are credited at 30.00 + 8.00.
        self.assertMonths(
            subscription,
            {"2027-04-11": 12, "2027-05-11": 20, "2027-06-11": 20, "2027-07-11": 20},
        )
        self.assertEqual(subscription.product_id, self.business)
        self.assertFalse(subscription.auto_renew)
        orders = self.new_orders(subscription.browse()).sorted("id")[2:]
        self.assertEqual(orders.mapped("amount_total"), [24, 74])
        self.assertEqual(orders.transaction_ids.mapped("state"), ["done", "done"])
        self.top_up()

    def test_on_a_phone(self):
        """R11.4: the same, 390 pixels wide."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        subscription = self.bought()
        subscription.auto_renew = True
        self.start_tour("/my/incidents", TOUR, login="hps-nora")
        self.assertEqual(self.available(), 21)
        self.assertFalse(subscription.auto_renew)
        self.top_up()
