from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.sql_db import db_connect
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestConcurrency(BaseCase):
    """R3.6, with real connections that commit, and Odoo's own retry."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.transaction() as env:
            self.created = [
                env["res.partner"].create({"name": f"Concurrent {n}"}) for n in "AB"
            ]
            self.customer_ids = [partner.id for partner in self.created]
            self.user_id = new_test_user(
                env,
                "hps-concurrent",
                groups="base.group_portal",
                parent_id=self.customer_ids[0],
            ).id
            self.team_id = (
                env["helpdesk.ticket.team"]
                .create({"name": "Concurrent", "incident_required": True})
                .id
            )
        self.addCleanup(self.clean_up)

    def clean_up(self):
        with self.transaction() as env:
            accounts = env["helpdesk.incident.account"].search(
                [("partner_id", "in", self.customer_ids)]
            )
            for table, column in (
                ("helpdesk_incident_entry", "account_id"),
                ("helpdesk_incident_allotment", "account_id"),
                ("helpdesk_incident_account", "id"),
            ):
                env.cr.execute(
                    f"DELETE FROM {table} WHERE {column} = ANY(%s)", [accounts.ids]
                )
            env.invalidate_all()
            env["helpdesk.ticket"].search([("team_id", "=", self.team_id)]).unlink()
            env["helpdesk.ticket.team"].browse(self.team_id).unlink()
            user = env["res.users"].browse(self.user_id)
            partners = user.partner_id + env["res.partner"].browse(self.customer_ids)
            user.unlink()
            partners.unlink()

    @contextmanager
    def transaction(self, uid=SUPERUSER_ID):
        """A transaction of its own, committed if all goes well."""
        with closing(db_connect(get_db_name()).cursor()) as cr:
            env = api.Environment(cr, uid, {"tracking_disable": True})
            yield env
            env.flush_all()
            cr.commit()  # pylint: disable=invalid-commit

    def account(self, env, number=0):
        customer = env["res.partner"].browse(self.customer_ids[number])
        return env["helpdesk.incident.account"]._of(customer, env.company, create=True)

    def race(self, work, workers=2, uid=SUPERUSER_ID):
        """Run ``work`` in transactions that all begin before the first one ends.

        :return: the result or the exception of each, and how often each was tried.
        """
        barrier = Barrier(workers, timeout=30)

        def run(number):
            tries = 0

            with closing(db_connect(get_db_name()).cursor()) as cr:
                env = api.Environment(cr, uid, {"tracking_disable": True})

                def attempt():
                    nonlocal tries
                    tries += 1
                    cr.execute("SELECT 1")  # the snapshot of the transaction
                    if tries == 1:
                        barrier.wait()
                    result = work(env, number)
                    env.flush_all()
                    cr.commit()  # pylint: disable=invalid-commit
                    return result

                try:
                    return retrying(attempt, env), tries
                except UserError as error:
                    cr.rollback()
                    return error, tries

        with (
            mute_logger("odoo.sql_db", "odoo.service.model"),
            ThreadPoolExecutor(workers) as pool,
        ):
            return list(pool.map(run, range(workers)))

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
        with closing(db_connect(get_db_name()).cursor()) as cr:
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
        with closing(db_connect(get_db_name()).cursor()) as cr:
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
