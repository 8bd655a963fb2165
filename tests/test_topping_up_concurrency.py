import os
import random
import signal
import time

from odoo.tests import tagged

from .common_concurrency import ConcurrencyCase

#: How many customers run low at the same time.
CUSTOMERS = 4
#: How many tickets take incidents at the same time.
TICKETS = 3


@tagged("post_install", "-at_install")
class TestToppingUpConcurrency(ConcurrencyCase):
    """R19.1 with real connections that commit: two at once, and killed."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            self._prepare(env)

    def _prepare(self, env):
        """Let customers with a saved payment method have 10, and 10 more below 8."""
        provider = env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", env.company.id)], limit=1
        )
        journal = env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1
        )
        provider.write({"state": "test", "journal_id": journal.id})
        plan = self.product(
            env, "Ten", 50, incident_kind="lifetime", incident_quantity=10
        )
        plan.product_tmpl_id.incident_portal_published = True
        customers = env["res.partner"].create(
            [
                {"name": f"{self._testMethodName} {n}", "email": f"c{n}@example.com"}
                for n in range(CUSTOMERS)
            ]
        )
        self.save_cards(env, provider, customers)
        accounts = env["helpdesk.incident.account"].union(
            *(
                env["helpdesk.incident.account"]._of(customer, env.company, create=True)
                for customer in customers
            )
        )
        accounts._adjust(10, "A gift")
        for account in accounts:
            env["helpdesk.incident.topup"]._set_up(
                account,
                env.company,
                account.partner_id,
                threshold=8,
                product_id=plan.id,
                monthly_limit=1000,
                method="card",
            )
        self.account_ids, self.plan_id = accounts.ids, plan.id

    def accounts(self, env):
        return env["helpdesk.incident.account"].browse(self.account_ids)

    def use(self, env, account, quantity):
        ticket = env["helpdesk.ticket"].create(
            {
                "name": "It does not work",
                "description": "Please help",
                "partner_id": account.partner_id.id,
                "company_id": env.company.id,
            }
        )
        ticket.incident_count = quantity
        return True

    def run_low(self):
        with self.transaction() as env:
            for account in self.accounts(env):
                self.use(env, account, 3)

    def top_up(self):
        with self.transaction() as env:
            env["helpdesk.incident.topup"]._cron_top_up()

    def orders(self, env):
        topups = self.accounts(env).topup_ids
        return env["sale.order"].search([("incident_topup_id", "in", topups.ids)])

    def assertToppedUpOnce(self, used=3):
        """Each has one order, one charge, and one payment."""
        with self.transaction() as env:
            self.assertEqual(
                self.accounts(env).mapped("available"), [20 - used] * CUSTOMERS
            )
            orders = self.orders(env)
            self.assertEqual(orders.incident_topup_id.account_id, self.accounts(env))
            self.assertEqual(len(orders), CUSTOMERS)
            transactions = orders.transaction_ids
            self.assertEqual(transactions.mapped("state"), ["done"] * CUSTOMERS)
            self.assertEqual(sum(transactions.payment_id.mapped("amount")), 200)
            payments = env["account.payment"].search_count(
                [("partner_id", "in", self.accounts(env).partner_id.ids)]
            )
            self.assertEqual(payments, CUSTOMERS)

    def test_two_workers_and_tickets(self):
        """Two workers at once, while tickets take more: each customer gets one order,
        and no ticket fails."""
        self.run_low()

        def work(env, number):
            if number < 2:
                env["helpdesk.incident.topup"]._cron_top_up()
            else:
                for account in self.accounts(env):
                    self.use(env, account, 1)
            return True

        results = self.race(work, workers=2 + TICKETS)
        self.assertEqual([result for result, _tries in results], [True] * 5)
        self.top_up()
        self.assertToppedUpOnce(used=3 + TICKETS)

    def test_purchase_at_once(self):
        """A customer who buys at the same moment gets one order: the own one, or the
        one that tops up and finds nothing else under way."""
        self.run_low()

        def work(env, number):
            if number:
                return env["helpdesk.incident.topup"]._cron_top_up()
            for account in self.accounts(env):
                env["sale.order"]._incident_buy(
                    account.partner_id,
                    env.company,
                    env["product.product"].browse(self.plan_id),
                    1,
                )
            return True

        self.race(work)
        self.top_up()
        with self.transaction() as env:
            for account in self.accounts(env):
                orders = env["sale.order"].search(
                    [("partner_id", "=", account.partner_id.id)], order="id"
                )
                bought = orders.filtered("incident_topup_id")
                # Whoever was first: what tops up never comes second.
                self.assertLessEqual(len(bought), 1)
                self.assertEqual(bought, bought & orders[0])

    def test_killed_and_run_by_two(self):
        """Killed at any moment, nothing is charged twice, and no charge is
        forgotten."""
        self.run_low()
        rng = random.Random(9)
        kills, done = 0, 0
        deadline = time.monotonic() + 60
        while done < CUSTOMERS and time.monotonic() < deadline:
            workers = [
                self.fork(lambda env: env["helpdesk.incident.topup"]._cron_top_up())
                for _n in range(2)
            ]
            if kills < 8:
                time.sleep(rng.uniform(0.2, 0.9))
                for pid in workers:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
            for pid in workers:
                os.waitpid(pid, 0)
            with self.transaction() as env:
                done = self.accounts(env).mapped("available").count(17)
        self.assertGreaterEqual(kills, 4)
        self.assertToppedUpOnce()
