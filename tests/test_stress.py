"""R3 under fire, in small. `dev/stress` does the same with more of everybody."""

import random
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from unittest import skipUnless

from odoo.tests import tagged
from odoo.tools import SQL, config

from .common_concurrency import ConcurrencyCase

try:
    from _server import Server
    from _stress import load as stress
    from _stress.campaign import RETRIED
    from _stress.world import World
except ImportError:  # installed without its developer commands
    stress = None


@tagged("post_install", "-at_install")
@skipUnless(stress, "dev/ is not there")
class TestStress(ConcurrencyCase):
    """R3.6, R4.3, R13.1: many at once on one account of a server with two workers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        world = World(cls.database)
        cls.server = Server(cls.database, workers=2)
        cls.addClassCleanup(cls.server.close)
        files = Path(config["data_dir"], "filestore", cls.database)
        cls.addClassCleanup(shutil.rmtree, files, ignore_errors=True)
        cls.load = stress.Load(
            world,
            cls.server,
            (
                (stress.Submitter, 2),
                (stress.Agent, 1),
                (stress.Manager, 1),
                (stress.Payer, 1),
                (stress.Buyer, 1),
                (stress.Clock, 1),
            ),
        )

    def test_second_try(self):
        """R3.6: a request that comes second is tried again once, whoever else works on
        the account meanwhile."""
        world, possible = self.load.world, self.load.answers.possible
        agent = next(c for c in self.load.clients if c.kind == "agent")
        ticket_id, name = agent.ids[0], agent.names[0]
        agent._write(0, ticket_id)
        log_before = self.server.log.read_text()

        def work_until(done):
            """Work on the account until something has happened."""
            with self.transaction() as env:
                account = env["helpdesk.incident.account"].browse(world.account_id)
                account._lock_first(SQL("id = %s", account.id))
                account._adjust(1, "others")
                done()

        with ThreadPoolExecutor(1) as pool:
            written = []

            def write():
                written.append(pool.submit(agent._write, 2, ticket_id))
                self._until_somebody_waits()

            work_until(write)
            # Its second try begins within two seconds, and the others go on.
            for _n in range(6):
                work_until(partial(time.sleep, 0.5))
            self.assertTrue(written[0].result())
        log = self.server.log.read_text()[len(log_before) :]
        self.assertEqual(RETRIED.findall(log), ["4"])
        possible.update({"others": {7}, name: {-2}})
        self.assertEqual(self.load.differences(), [])

    def _until_somebody_waits(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with self.transaction() as env:
                if env.execute_query(
                    SQL(
                        "SELECT 1 FROM pg_stat_activity WHERE datname = %s "
                        "AND wait_event_type = 'Lock'",
                        self.database,
                    )
                ):
                    return
            time.sleep(0.05)
        self.fail("nobody waits for the account")

    def kill(self):
        """Kill a worker, and what another one waits for."""
        self.server.kill_worker(random.choice)
        with self.transaction() as env:
            env.execute_query(
                SQL(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = %s AND pid <> pg_backend_pid()",
                    self.database,
                )
            )

    def test_races_and_crashes(self):
        """What everybody was told is what the ledger says, to the incident."""
        answers = self.load.answers
        self.load.start(operations=40, seconds=10)
        self.load.join()
        self.assertEqual(self.load.differences(), [])
        self.assertGreater(answers.total("done"), 5)
        self.assertEqual(answers.total("lost"), 0, answers.reasons)

        self.load.start(operations=1000, seconds=10)
        time.sleep(2)
        self.kill()
        self.load.world.reconnect()
        time.sleep(1)
        self.load.stop()
        self.load.world.reconnect()
        self.assertEqual(self.load.differences(), [])
        self.assertGreater(answers.total("lost"), 0)

        done = answers.total("done")
        self.load.start(operations=answers.total() + 10, seconds=10)
        self.load.join()
        self.assertEqual(self.load.differences(), [])
        self.assertGreater(answers.total("done"), done)
