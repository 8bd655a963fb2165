from datetime import date

from freezegun import freeze_time

from .common_sale import BOUGHT, AutomaticCommon, SaleCommon


class SubscriptionCommon(SaleCommon):
    """The seed's subscription: 3 months, bought on April 11 for 90.00 (R9.1)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.extra = cls.plan("Extra incident", 4)
        cls.business = cls.plan("Business support, 3 months", 150, "period", 20, 3)
        cls.small = cls.plan("Small support, 1 month", 20, "period", 3, 1)
        cls.lifetime = cls.plan("Lifetime support", 200, "lifetime", 30)
        cls.months.incident_extra_product_id = cls.extra
        cls.business.incident_extra_product_id = cls.extra
        cls.months.product_tmpl_id.incident_change_template_ids = (
            cls.business | cls.small
        ).product_tmpl_id
        cls.business.product_tmpl_id.incident_change_template_ids = (
            cls.months.product_tmpl_id
        )

    @classmethod
    def bought(cls, *products, **values):
        """Buy a plan online, and invoice it."""
        order = cls.quotation(*(products or [cls.months]), **values)
        cls.transaction(order)
        cls.bill(order)
        return cls.subscription(order).sudo()

    def paid(self, order):
        """Pay an order online, invoice it, and reconcile the two."""
        transaction = self.transaction(order)
        invoice = self.bill(order)
        self.settle_with(invoice, transaction.payment_id.move_id)
        return transaction.payment_id

    def on(self, day):
        self.env.invalidate_all()
        return freeze_time(f"{day} 10:00:00")

    def months_of(self, subscription):
        """Return the target of each month, by its first day."""
        self.env.invalidate_all()
        return {
            str(allotment.date_from): allotment.target
            for allotment in subscription.allotment_ids.sorted("date_from")
        }

    def assertMonths(self, subscription, expected):
        self.assertEqual(self.months_of(subscription), expected)

    def assertRuns(self, subscription, first, last, state="active"):
        self.env.invalidate_all()
        self.assertEqual(
            (subscription.date_start, subscription.date_end, subscription.state),
            (date.fromisoformat(first), date.fromisoformat(last), state),
        )

    def lines(self, order):
        """Return quantity, unit price and total of each line."""
        return [
            (line.product_uom_qty, line.price_unit, line.price_total)
            for line in order.order_line
        ]


class RenewalCommon(AutomaticCommon, SubscriptionCommon):
    """That subscription, renewed automatically from July 3 on (R9.7)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "customer@example.com"
        with freeze_time(BOUGHT):
            cls.subscription_one = cls.bought()
            cls.subscription_one._set_auto_renew(True)

    def run_renewal(self):
        """Renew what is due, and tell customers."""
        self.run_actions("renew", "remind")

    def renewals(self, subscription=None):
        subscription = subscription or self.subscription_one
        return self.env["sale.order"].search(
            [
                ("order_line.incident_subscription_id", "=", subscription.id),
                ("order_line.incident_operation", "=", "renew"),
            ],
            order="id",
        )

    def told(self, kind):
        return self.env["helpdesk.incident.reminder"].search_count(
            [
                ("subscription_id", "=", self.subscription_one.id),
                ("kind", "=", kind),
                ("state", "=", "sent"),
            ]
        )

    def mails(self, words):
        return self.subscription_one.message_ids.filtered(
            lambda message: words in (message.subject or "")
        )

    def assertRenewed(self, orders=1):
        self.assertEqual(self.subscription_one.date_end, date(2027, 10, 10))
        self.assertFalse(self.subscription_one.renewal_problem)
        self.assertEqual(len(self.renewals()), orders)

    def assertNotRenewed(self, problem):
        self.assertEqual(self.subscription_one.date_end, date(2027, 7, 10))
        self.assertEqual(self.subscription_one.renewal_problem, problem)
