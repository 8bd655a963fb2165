import os
import random
import signal
import time

from odoo.fields import Command
from odoo.tests import tagged

from .common_concurrency import ConcurrencyCase

#: How many subscriptions end at the same time.
SUBSCRIPTIONS = 8
#: The tests that are about one alone.
ABOUT_ONE = {"test_ordered_twice_at_once", "test_extra_and_renewal_paid_at_once"}


@tagged("post_install", "-at_install")
class TestSubscriptionConcurrency(ConcurrencyCase):
    """R9.4–R9.7, R13.2 with real connections that commit: two at once, and killed."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            self._prepare(env)

    def _prepare(self, env):
        """Sell subscriptions of a month, to customers with a saved payment method."""
        number = 1 if self._testMethodName in ABOUT_ONE else SUBSCRIPTIONS
        env.company.write({"incident_grant_on": "confirmed"})
        provider = env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", env.company.id)], limit=1
        )
        journal = env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1
        )
        provider.write({"state": "test", "journal_id": journal.id})
        extra = self.product(env, "Extra incident", 4)
        plan = self.product(
            env,
            "Plan",
            30,
            incident_kind="period",
            incident_quantity=10,
            incident_term_months=1,
            incident_extra_product_id=extra.id,
        )
        customers = env["res.partner"].create(
            [
                {"name": f"{self._testMethodName} {n}", "email": f"c{n}@example.com"}
                for n in range(number)
            ]
        )
        orders = env["sale.order"].create(
            [
                {
                    "partner_id": customer.id,
                    "order_line": [Command.create({"product_id": plan.id})],
                }
                for customer in customers
            ]
        )
        orders.action_confirm()
        subscriptions = orders.order_line.incident_term_ids.subscription_id
        subscriptions._set_auto_renew(True)
        # A month ends at most 31 days from now, two do not.
        env.company.incident_renewal_days = 35
        self.save_cards(env, provider, customers)
        self.subscription_ids = subscriptions.ids

    def subscriptions(self, env):
        return env["helpdesk.incident.subscription"].browse(self.subscription_ids)

    def assertRenewedOnce(self):
        """Each has one renewal, one charge, one payment, and two months."""
        with self.transaction() as env:
            for subscription in self.subscriptions(env):
                orders = subscription.term_ids.sale_line_id.order_id
                renewal = orders.filtered("incident_automatic")
                self.assertEqual((len(orders), len(renewal)), (2, 1))
                self.assertEqual(renewal.transaction_ids.mapped("state"), ["done"])
                self.assertEqual(renewal.transaction_ids.payment_id.amount, 30)
                self.assertEqual(subscription.allotment_ids.mapped("target"), [10, 10])
            payments = env["account.payment"].search_count(
                [("partner_id", "in", self.subscriptions(env).partner_id.ids)]
            )
            self.assertEqual(payments, SUBSCRIPTIONS)
            reminders = env["helpdesk.incident.reminder"].search(
                [("subscription_id", "in", self.subscription_ids)]
            )
            self.assertEqual(
                sorted(reminders.mapped("kind")),
                ["renewal_on"] * SUBSCRIPTIONS + ["renewed"] * SUBSCRIPTIONS,
            )

    def pay_first(self):
        """From now on incidents are given when they are paid: what is given before is
        invoiced, and no card is charged (R8.11)."""
        with self.transaction() as env:
            env.company.incident_grant_on = "paid"

    def test_two_workers(self):
        """R9.7: two workers at once renew each subscription once."""
        self.pay_first()

        def work(env, _number):
            env["helpdesk.incident.subscription"]._cron_renew()
            return True

        self.race(work)
        with self.transaction() as env:
            env["helpdesk.incident.subscription"]._cron_renew()
        self.assertRenewedOnce()

    def _worker(self):
        """Start a process that runs the scheduled action.

        :return: its id
        """
        return self.fork(
            lambda env: env["helpdesk.incident.subscription"]._cron_renew()
        )

    def _progress(self):
        """Return how many are ordered, paid and renewed by now."""
        with self.transaction() as env:
            subscriptions = self.subscriptions(env)
            orders = subscriptions.term_ids.sale_line_id.order_id
            orders |= subscriptions._open_orders()
            return (
                len(orders.filtered("incident_automatic")),
                orders.transaction_ids.mapped("state").count("done"),
                len(subscriptions.term_ids) - SUBSCRIPTIONS,
            )

    def test_killed_and_run_by_two(self):
        """R9.7: killed at any moment, nothing is charged twice, and no charge is
        forgotten."""
        self.pay_first()
        rng = random.Random(9)
        kills, seen = 0, [(0, 0, 0)]
        deadline = time.monotonic() + 120
        while seen[-1][2] < SUBSCRIPTIONS and time.monotonic() < deadline:
            workers = [self._worker() for _n in range(2)]
            if kills < 12:
                time.sleep(rng.uniform(0.2, 1.5))
                for pid in workers:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
            for pid in workers:
                os.waitpid(pid, 0)
            seen.append(self._progress())
        # They died in the middle of it, again and again.
        self.assertGreaterEqual(kills, 6)
        self.assertGreater(len(set(seen)), 3)
        self.assertRenewedOnce()

    def test_ordered_twice_at_once(self):
        """R9.4: a double click makes one order."""

        def order(env, _number):
            return self.subscriptions(env)[0]._order_extra(2).id

        results = [result for result, _tries in self.race(order)]
        self.assertEqual(len(set(results)), 1)

    def test_extra_and_renewal_paid_at_once(self):
        """R3.6: both have their effect."""
        with self.transaction() as env:
            subscription = self.subscriptions(env)[0]
            order_ids = [
                subscription._order_extra(2).id,
                subscription._order_renewal().id,
            ]

        def confirm(env, number):
            env["sale.order"].browse(order_ids[number]).action_confirm()
            return True

        results = self.race(confirm)
        self.assertEqual([result for result, _tries in results], [True, True])
        with self.transaction() as env:
            allotments = self.subscriptions(env)[0].allotment_ids
            self.assertEqual(allotments.sorted("date_from").mapped("target"), [12, 10])

    def test_told_once(self):
        """R13.2: two workers at once tell each customer once."""
        with self.transaction() as env:
            self.subscriptions(env)._set_auto_renew(False)
            env.company.incident_reminder_days = 35

        def remind(env, _number):
            env["helpdesk.incident.reminder"]._cron_remind()
            return True

        self.race(remind)
        with self.transaction() as env:
            env["helpdesk.incident.reminder"]._cron_remind()
            for subscription in self.subscriptions(env):
                mails = subscription.message_ids.filtered(
                    lambda message: "ends on" in (message.subject or "")
                )
                self.assertEqual(len(mails), 1)
