import os
import random
import signal
import time

from odoo.tests import tagged
from odoo.tools import SQL

from .common_concurrency import ConcurrencyCase

ACCOUNTS = 1500


@tagged("post_install", "-at_install")
class TestScheduledCrash(ConcurrencyCase):
    """R13.1: killed at any moment, and run by two workers at once."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            self._sell(env)

    def _sell(self, env):
        """Give each of many customers a period that has begun and one that has ended,
        neither of them granted."""
        customers = env["res.partner"].create(
            [{"name": f"Customer {n}"} for n in range(ACCOUNTS)]
        )
        env.cr.execute(
            """
            WITH account AS (
                INSERT INTO helpdesk_incident_account (partner_id, company_id, revision)
                SELECT unnest(%(customers)s), %(company)s, 0
                RETURNING id
            )
            INSERT INTO helpdesk_incident_allotment
                   (account_id, kind, name, cause_key, date_from, date_to, target,
                    to_grant, granted, used, lapsed, balance)
            SELECT id, 'period', 'A plan', 'test:' || id || ':' || months,
                   CURRENT_DATE - 10 - 30 * months, CURRENT_DATE + 19 - 30 * months,
                   5, 5, 0, 0, 0, 0
              FROM account, generate_series(0, 1) months
            """,
            {"customers": customers.ids, "company": env.company.id},
        )

    def _worker(self):
        """Start a process that runs the scheduled action.

        :return: its id
        """
        return self.fork(
            lambda env: env["helpdesk.incident.account"]._cron_open_and_close(batch=25)
        )

    def _left(self, env):
        [(left,)] = env.execute_query(
            SQL(
                "SELECT COUNT(*) FROM helpdesk_incident_allotment "
                "WHERE cause_key LIKE 'test:%%' AND (to_grant <> 0 "
                "OR date_to < CURRENT_DATE AND balance <> 0)"
            )
        )
        return left

    def _wait(self, left, seconds=10):
        """Wait until no more than ``left`` periods are left to do, or for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self.transaction() as env:
                if self._left(env) <= left:
                    break
            time.sleep(0.002)

    def test_killed_and_run_by_two(self):
        """Nothing is granted twice, nothing is forgotten."""
        rng = random.Random(4)
        kills, seen = 0, [2 * ACCOUNTS]
        deadline = time.monotonic() + 120
        while seen[-1] and time.monotonic() < deadline:
            workers = [self._worker() for _n in range(2)]
            if kills < 12:
                # Both do some of it, and die without a word.
                self._wait(seen[-1] - rng.randint(1, ACCOUNTS // 10))
                time.sleep(rng.uniform(0, 0.01))
                for pid in workers:
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
            for pid in workers:
                os.waitpid(pid, 0)
            with self.transaction() as env:
                seen.append(self._left(env))
        # They died in the middle of it, again and again.
        self.assertGreaterEqual(kills, 10)
        self.assertGreater(len(set(seen)), 5)
        with self.transaction() as env:
            self.assertEqual(self._left(env), 0)
            rows = env.execute_query(
                SQL(
                    """
                    SELECT m.date_to < CURRENT_DATE, m.granted, m.lapsed, m.balance,
                           array_agg(e.kind || e.quantity ORDER BY e.id), COUNT(*)
                      FROM helpdesk_incident_allotment m
                      JOIN helpdesk_incident_entry e ON e.allotment_id = m.id
                     WHERE m.cause_key LIKE 'test:%%'
                     GROUP BY m.id
                    """
                )
            )
        ended, running = (True, 5, 5, 0), (False, 5, 0, 5)
        self.assertEqual({tuple(row[:4]) for row in rows}, {ended, running})
        self.assertEqual(
            {tuple(row[4]) for row in rows},
            {("period5", "expiry-5"), ("period5",)},
        )
        self.assertEqual(len(rows), 2 * ACCOUNTS)
