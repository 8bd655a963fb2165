from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common_sale import WINDOWS, SaleCommon


@tagged("post_install", "-at_install")
class TestSubscription(SaleCommon):
    """R9.1–R9.3, R9.8: subscriptions, their terms and periods."""

    def windows(self, order):
        return [
            (allotment.date_from, allotment.date_to)
            for allotment in self.subscription(order).allotment_ids.sorted("date_from")
        ]

    def test_example(self):
        """R9.1: bought on April 11, to the day."""
        order = self.quotation(self.months)
        self.transaction(order)
        subscription = self.subscription(order)
        self.assertEqual(self.windows(order), WINDOWS)
        self.assertEqual(
            (subscription.date_start, subscription.date_end, subscription.state),
            (date(2027, 4, 11), date(2027, 7, 10), "active"),
        )
        self.assertEqual(subscription.incidents_per_period, 10)
        self.assertEqual(self.available(), 10)
        for day, available, left in (
            ("2027-05-10", 10, 10),
            ("2027-05-11", 10, 10),
            ("2027-06-10", 10, 10),
            ("2027-06-11", 10, 10),
            ("2027-07-10", 10, 10),
            ("2027-07-11", 0, 0),
            ("2028-04-11", 0, 0),
        ):
            with freeze_time(day):
                self.env.invalidate_all()
                self.assertEqual(self.available(), available, day)
                self.assertEqual(subscription.period_balance, left, day)
        with freeze_time("2027-07-11"):
            self.env.invalidate_all()
            self.assertEqual(subscription.state, "ended")
            self.env["helpdesk.incident.account"]._open_and_close()
            self.incident_account()._open_and_close()
            self.env.invalidate_all()
            self.assertEqual(
                subscription.allotment_ids.mapped(lambda a: (a.granted, a.lapsed)),
                [(10, 10)] * 3,
            )

    def test_anchor_is_the_day_of_payment(self):
        """R9.1: not that of the order, in the company's time zone."""
        self.company.partner_id.tz = "Pacific/Auckland"
        with freeze_time("2027-01-10"):
            order = self.order(self.months)
            invoice = self.bill(order)
        with freeze_time("2027-01-30 12:30:00"):
            self.register(invoice)
        self.assertEqual(
            self.windows(order),
            [
                (date(2027, 1, 31), date(2027, 2, 27)),
                (date(2027, 2, 28), date(2027, 3, 30)),
                (date(2027, 3, 31), date(2027, 4, 29)),
            ],
        )

    def test_paid_again_later(self):
        """R3.4: in the original windows."""
        order = self.quotation(self.months)
        payment = self.transaction(order).payment_id
        payment.action_draft()
        self.assertEqual(self.subscription(order).state, "draft")
        self.assertFalse(self.subscription(order).date_end)
        with freeze_time("2027-05-20"):
            payment.action_post()
            self.assertEqual(self.windows(order), WINDOWS)
            self.assertEqual(self.subscription(order).state, "active")
            self.assertEqual(self.available(), 10)
            self.assertEqual(self.granted(order), [10, 10, 0])

    def test_longest_term(self):
        """R8.1: 120 months."""
        plan = self.plan("Ten years", 900, "period", 10, 120)
        order = self.quotation(plan)
        self.transaction(order)
        windows = self.windows(order)
        self.assertEqual(len(windows), 120)
        self.assertEqual(windows[-1], (date(2037, 3, 11), date(2037, 4, 10)))

    def test_state_search(self):
        """R9.8"""
        model = self.env["helpdesk.incident.subscription"]
        order = self.quotation(self.months)
        payment = self.transaction(order).payment_id
        subscription = self.subscription(order)

        def found():
            self.env.invalidate_all()
            domain = [("id", "=", subscription.id)]
            states = [
                state
                for state, _label in model._fields["state"].selection
                if model.search(domain + [("state", "=", state)])
            ]
            self.assertEqual(states, [subscription.state])
            return states[0]

        self.assertEqual(found(), "active")
        with freeze_time("2027-07-10"):
            self.assertEqual(found(), "active")
        with freeze_time("2027-07-11"):
            self.assertEqual(found(), "ended")
        payment.action_draft()
        self.assertEqual(found(), "draft")
        payment.action_post()
        subscription.action_cancel()
        self.assertEqual(found(), "cancelled")

    def test_cancel(self):
        """R9.8: staff can cancel; what is left is taken back, until it is reopened."""
        order = self.quotation(self.months)
        self.transaction(order)
        self.use(4)
        agent = new_test_user(
            self.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        subscription = self.subscription(order)
        with self.assertRaises(AccessError):
            subscription.with_user(agent).action_cancel()
        with freeze_time("2027-05-20"):
            self.use(3)
            subscription.action_cancel()
            self.assertEqual(self.available(), 0)
            self.assertEqual(self.granted(order), [10, 3, 0])
            with self.assertNothingChanges():
                order._incident_changed()
                subscription.action_cancel()
            subscription.action_reopen()
            self.assertEqual(self.available(), 7)
        self.assertEqual(self.targets(order), [10, 10, 10])

    def test_closed(self):
        """R14: nobody writes subscriptions and terms over an interface."""
        order = self.quotation(self.months)
        self.transaction(order)
        subscription = self.subscription(order)
        for login in ("admin", self.env.user.login):
            user = self.env["res.users"].search([("login", "=", login)])
            for record in (subscription, subscription.term_ids):
                record = record.with_user(user).sudo(False)
                for refused in (
                    lambda record=record: record.write({"date_end": "2099-01-01"}),
                    lambda record=record: record.write({"date_to": "2099-01-01"}),
                    lambda record=record: record.unlink(),
                    lambda record=record: record.copy(),
                ):
                    with self.assertRaises(AccessError):
                        refused()

    def test_merged_customers(self):
        """R2.2: subscriptions and what orders gave move along."""
        other = self._customer("Other")
        order = self.quotation(self.pack, self.months)
        transaction = self.transaction(order)
        self.transaction(self.quotation(self.months, customer=other))
        self.env["base.partner.merge.automatic.wizard"].sudo()._merge(
            (self.customer | other).ids, other
        )
        self.env.invalidate_all()
        account = self.incident_account(other)
        self.assertEqual(len(account.subscription_ids), 2)
        self.assertEqual(self.subscription(order).partner_id, other)
        self.assertEqual(self.available(other), 30)
        transaction.payment_id.action_draft()
        self.assertEqual(self.available(other), 10)
        transaction.payment_id.action_post()
        self.assertEqual(self.available(other), 30)

    def test_from_and_to_documents(self):
        """R8.6: one click from order and invoice to subscription and entries, and
        back."""
        order = self.quotation(self.pack, self.months)
        self.transaction(order)
        invoice = self.bill(order)
        subscription = self.subscription(order)
        for document in (order, invoice):
            action = document.action_view_incident_subscriptions()
            self.assertEqual(action["res_id"], subscription.id)
            action = document.action_view_incident_entries()
            entries = self.env["helpdesk.incident.entry"].search(action["domain"])
            self.assertEqual(sum(entries.mapped("quantity")), 20)
        self.assertEqual(order.incident_quantity, 20)
        self.assertEqual(subscription.action_view_orders()["res_id"], order.id)
        self.assertIn(
            invoice, invoice.search(subscription.action_view_invoices()["domain"])
        )
        entries = self.env["helpdesk.incident.entry"].search(
            subscription.action_view_entries()["domain"]
        )
        self.assertEqual(entries.action_open_source()["res_id"], subscription.id)

    def test_shown_at_once(self):
        """R9.2: whoever goes on in the transaction of the payment sees what it did."""
        order = self.quotation(self.months)
        self.transaction(order)
        self.bill(order)
        subscription = self.subscription(order).sudo()
        self.assertEqual(len(subscription.allotment_ids), 3)
        self.assertEqual(subscription.period_balance, 10)
        self.use(2)
        self.assertEqual(subscription.period_balance, 8)
