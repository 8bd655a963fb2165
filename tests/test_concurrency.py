import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from threading import Event
from types import SimpleNamespace
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.helpdesk_paid_support.models import ir_http
from odoo.addons.helpdesk_paid_support.models.ledger.account_settle import Cause

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestConcurrency(ConcurrencyCase):
    """R3.6, with real connections that commit, and Odoo's own retry."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            customers = env["res.partner"].create(
                [{"name": f"{self._testMethodName} {n}"} for n in "AB"]
            )
            self.customer_ids = customers.ids
            self.user_id = new_test_user(
                env,
                self._testMethodName,
                groups="base.group_portal",
                parent_id=customers[0].id,
            ).id
            self.team_id = (
                env["helpdesk.ticket.team"]
                .create({"name": self._testMethodName, "incident_required": True})
                .id
            )

    def account(self, env, number=0):
        customer = env["res.partner"].browse(self.customer_ids[number])
        return env["helpdesk.incident.account"]._of(customer, env.company, create=True)

    def test_lock_first(self):
        """R3.6: who waits at the beginning of a transaction goes on with what is; who
        has looked before has to begin anew, and here does so at once."""
        with self.transaction() as env:
            self.account(env)._adjust(2, "Two")
        looked, written, committed = Event(), Event(), Event()

        def spend():
            with self.transaction() as env:
                account = self.account(env)
                self.assertTrue(looked.wait(30))
                account._adjust(-1, "One is used")
                written.set()
                # The other one waits by now.
                time.sleep(0.5)
            committed.set()

        def wait():
            with closing(db_connect(self.database).cursor()) as cr:
                account = self.account(api.Environment(cr, SUPERUSER_ID, {}))
                self.assertEqual(account.available, 2)
                looked.set()
                self.assertTrue(written.wait(30))
                account._lock_first(SQL("id = %s", account.id))
                self.assertTrue(committed.wait(5))
                # No serialization failure, and no old number.
                account._lock()
                return account.available

        with ThreadPoolExecutor(2) as pool:
            spent, waited = pool.submit(spend), pool.submit(wait)
            spent.result()
            self.assertEqual(waited.result(), 1)

    def test_what_a_request_has_locked(self):
        """R3.6: a request keeps what it has locked for its next try, but not what was
        locked with another cursor: that one would wait for the request, for ever."""
        with self.transaction() as env, self.transaction() as other_env:
            current = SimpleNamespace(env=env)
            with patch.object(ir_http, "request", current):
                self.account(other_env, 1)._lock()
                self.assertFalse(hasattr(current, "incident_locks"))
                account = self.account(env, 0)
                account._lock()
            self.assertEqual(
                current.incident_locks, {SQL("id IN %s", tuple(account.ids))}
            )

    def test_last_incident(self):
        """R3.6, R4.3: one ticket, one incident; the loser is told after a retry."""
        with self.transaction() as env:
            self.account(env)._adjust(1, "The last one")

        def submit(env, number):
            return (
                env["helpdesk.ticket"]
                .sudo()
                .create(
                    {
                        "name": f"Race {number}",
                        "description": "…",
                        "team_id": self.team_id,
                        "partner_id": env.user.partner_id.id,
                    }
                )
                .id
            )

        results = self.race(submit, uid=self.user_id)
        won = [result for result, _tries in results if isinstance(result, int)]
        lost = [r for r in results if isinstance(r[0], UserError)]
        self.assertEqual((len(won), len(lost)), (1, 1))
        self.assertIn("1 needed, 0 available", str(lost[0][0]))
        self.assertGreaterEqual(lost[0][1], 2, "the loser was tried again")
        with self.transaction() as env:
            self.assertEqual(self.account(env).lifetime_balance, 0)
            tickets = env["helpdesk.ticket"].search([("team_id", "=", self.team_id)])
            self.assertEqual(tickets.ids, won)
            self.assertEqual(tickets.incident_count, 1)

    def test_account_opened_twice(self):
        """R2.1: one is created, both go on."""
        results = self.race(lambda env, _n: self.account(env)._adjust(1, "First"))
        self.assertEqual([result for result, _tries in results], [1, 1])
        with self.transaction() as env:
            account = env["helpdesk.incident.account"].search(
                [("partner_id", "=", self.customer_ids[0])]
            )
            self.assertEqual(len(account), 1)
            self.assertEqual(account.lifetime_granted, 2)

    def test_same_target_twice(self):
        """R4.5: two agents raise the number to 2 at once: 2, not 4."""
        with self.transaction() as env:
            self.account(env)._adjust(9, "Plenty")
            ticket_id = (
                env["helpdesk.ticket"]
                .create(
                    {
                        "name": "Race",
                        "description": "…",
                        "team_id": self.team_id,
                        "partner_id": self.customer_ids[0],
                    }
                )
                .id
            )

        def raise_to_two(env, _number):
            env["helpdesk.ticket"].browse(ticket_id).incident_count = 2

        self.race(raise_to_two)
        with self.transaction() as env:
            ticket = env["helpdesk.ticket"].browse(ticket_id)
            self.assertEqual(ticket.incident_count, 2)
            self.assertEqual(self.account(env).available, 7)

    def test_lock_stops_an_old_snapshot(self):
        """R3.6: whoever waited for the lock does not go on with old balances."""
        with self.transaction() as env:
            self.account(env)._adjust(1, "One")
        with closing(db_connect(self.database).cursor()) as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            account = self.account(env)
            with self.transaction() as other:
                self.account(other)._adjust(1, "Meanwhile")
            with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
                account._lock()

    def test_different_accounts_do_not_wait(self):
        """R3.6"""
        with self.transaction() as env:
            for number in (0, 1):
                self.account(env, number)._adjust(5, "Five")
        with closing(db_connect(self.database).cursor()) as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.account(env)._adjust(1, "Not committed yet")
            with self.transaction() as other:
                other.cr.execute("SET LOCAL lock_timeout = '500ms'")
                self.account(other, 1)._adjust(1, "At once")
                with (
                    mute_logger("odoo.sql_db"),
                    self.assertRaises(LockNotAvailable),
                    other.cr.savepoint(flush=False),
                ):
                    self.account(other)._adjust(1, "Has to wait")

    def test_every_verb_waits(self):
        """R3.6: whoever has the account is waited for by each verb, also by one that
        would write nothing that the other one reads."""
        with self.transaction() as env:
            self.account(env)._adjust(5, "Five")
            ticket = env["helpdesk.ticket"].create(
                {
                    "name": "Holds one",
                    "description": "…",
                    "team_id": self.team_id,
                    "partner_id": self.customer_ids[0],
                }
            )
            ticket.incident_count = 1
            ticket_id = ticket.id

        def settle(env, **window):
            account = self.account(env)
            kind = "period" if window else "topup"
            account._settle([Cause(account, f"{kind}:0", 1, kind, "One", **window)])

        window = {"date_from": date(2027, 4, 11), "date_to": date(2027, 5, 10)}
        for what, verb in {
            "a period is given": lambda env: settle(env, **window),
            "lifetime incidents are given": settle,
            "by hand": lambda env: self.account(env)._adjust(1, "One"),
            "deducted": lambda env: self.account(env)._deduct(
                env["helpdesk.ticket"].browse(ticket_id), 1
            ),
            "returned": lambda env: self.account(env)._return(
                env["helpdesk.ticket"].browse(ticket_id), 1
            ),
        }.items():
            with self.subTest(what):
                self.meet(self.account, verb, lambda env: self.account(env)._lock())

    def test_several_customers_at_once(self):
        """R3.6: whoever works for several customers locks their accounts in one order,
        whatever the order of the records: so nobody waits for each other."""
        with self.transaction() as env:
            for number in (0, 1):
                self.account(env, number)._adjust(5, "Five")
            team = env["helpdesk.ticket.team"].browse(self.team_id)
            values = [
                {
                    "name": "A",
                    "description": "A",
                    "team_id": team.id,
                    "partner_id": customer_id,
                }
                for customer_id in reversed(self.customer_ids)
            ]
            ticket_ids = env["helpdesk.ticket"].create(values).ids
            taken = env["helpdesk.ticket"].create(values)
            taken.incident_count = 1
            taken_ids = taken.ids
            team.incident_on_staff_tickets = True

        def tickets(env):
            return env["helpdesk.ticket"].browse(ticket_ids)

        def customers(env):
            return env["res.partner"].browse(self.customer_ids[::-1])

        def accounts(env):
            return self.account(env, 1) + self.account(env, 0)

        def register(env):
            env.company.incident_registration_quantity = 1
            customers(env).action_incident_register()

        for what, work in {
            "tickets edited": lambda env: tickets(env).write({"incident_count": 1}),
            "tickets opened": lambda env: env["helpdesk.ticket"].create(values),
            "deducted": lambda env: tickets(env).action_incident_deduct(),
            "waived": lambda env: tickets(env).action_incident_waive(),
            "deleted": lambda env: env["helpdesk.ticket"].browse(taken_ids).unlink(),
            "registered": register,
            "customers edited": lambda env: customers(env).write(
                {"incident_lifetime_granted": 9}
            ),
            "accounts edited": lambda env: accounts(env).write({"lifetime_granted": 9}),
        }.items():
            with self.subTest(what):
                self.meet(self.account, work, lambda env: self.account(env, 1)._lock())

    def test_moved_while_the_account_is_opened(self):
        """R2.2: a contact moves to another customer while its first incidents are
        given: they arrive there."""
        with self.transaction() as env:
            customer = env["res.partner"].browse(self.customer_ids[1])
            customer.is_company = True
            self.account(env, 1)._adjust(1, "One")

        def work(env, number):
            if number:
                self.account(env)._adjust(5, "Five")
            else:
                customer = env["res.partner"].browse(self.customer_ids[0])
                customer.parent_id = self.customer_ids[1]
            return True

        results = self.race(work)
        self.assertEqual([result for result, _tries in results], [True, True])
        self.assertEqual(sorted(tries for _result, tries in results), [1, 2])
        with self.transaction() as env:
            account = self.account(env)
            self.assertEqual(account.partner_id.id, self.customer_ids[1])
            self.assertEqual(account.available, 6)
            self.assertEqual(account._check_ledger(), [])

    def test_two_first_payments(self):
        """R6.2, R3.9: at the same moment they grant once, and both are posted."""
        with self.transaction() as env:
            env.company.write(
                {"incident_first_payment_quantity": 5, "incident_topup_quantity": 0}
            )
            journal = env["account.journal"].search([("type", "=", "bank")], limit=1)
            payments = env["account.payment"].create(
                [
                    {
                        "payment_type": "inbound",
                        "partner_type": "customer",
                        "partner_id": self.customer_ids[0],
                        "amount": 10,
                        "journal_id": journal.id,
                    }
                ]
                * 2
            )
            payment_ids = payments.ids

        def post(env, number):
            env["account.payment"].browse(payment_ids[number]).action_post()
            return True

        results = self.race(post)
        self.assertEqual([result for result, _tries in results], [True, True])
        with self.transaction() as env:
            payments = env["account.payment"].browse(payment_ids)
            self.assertEqual(set(payments.mapped("state")), {"in_process"})
            self.assertEqual(set(payments.move_id.mapped("state")), {"posted"})
            self.assertEqual(sorted(payments.mapped("incident_quantity")), [0, 5])
            self.assertEqual(self.account(env).lifetime_granted, 5)
            self.assertFalse(env["helpdesk.incident.fault"].search([]))

    def test_funds_added_at_the_same_moment(self):
        """R6.3: what is carried over is not lost."""
        with self.transaction() as env:
            env.company.write(
                {
                    "incident_first_payment_quantity": 0,
                    "incident_topup_amount": 100,
                    "incident_topup_quantity": 2,
                }
            )
            journal_id = (
                env["account.journal"].search([("type", "=", "bank")], limit=1).id
            )

        def pay(env, number):
            env["account.payment"].create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.customer_ids[0],
                    "amount": 75,
                    "journal_id": journal_id,
                }
            ).action_post()
            return True

        self.race(pay, workers=3)
        with self.transaction() as env:
            account = self.account(env)
            self.assertEqual((account.lifetime_granted, account.topup_carry), (4, 25))
