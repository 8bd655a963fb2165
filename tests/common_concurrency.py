import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from threading import Barrier, Event

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api, sql_db
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.orm.registry import _CACHES_BY_KEY
from odoo.service.model import retrying
from odoo.sql_db import close_db, db_connect
from odoo.tests import BaseCase
from odoo.tools import SQL, config, mute_logger

from .common import default_settings, hide_from_customers

#: A database with the module, nobody connected to it: `dev/test` names it.
TEMPLATE = os.environ.get("PAID_SUPPORT_TEMPLATE")


class ConcurrencyCase(BaseCase):
    """Transactions that really commit, in a database of their own."""

    #: What else is installed there: add-ons of the tests.
    addons = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not TEMPLATE:
            cls.skipTest(cls, "PAID_SUPPORT_TEMPLATE names no database to copy")
        # One name for all classes: what was loaded for the first of them stays.
        cls.database = "_".join(
            ["paid_support_run_commits", *cls.addons, str(os.getpid())]
        )
        subprocess.run(["dropdb", "--if-exists", cls.database], check=True)
        subprocess.run(["createdb", "-T", TEMPLATE, cls.database], check=True)
        cls.addClassCleanup(cls._drop_database)
        # Loaded while testing, a registry would run the tests of its modules.
        testing, config["test_enable"] = config["test_enable"], False
        try:
            cls.registry = (
                Registry.new(
                    cls.database, update_module=True, install_modules=cls.addons
                )
                if cls.addons
                else Registry(cls.database)
            )
        finally:
            config["test_enable"] = testing
        # Of the database that the class before has had.
        cls.registry.clear_cache(*_CACHES_BY_KEY)
        cls.registry.cache_invalidated.clear()
        cls.registry.setup_signaling()
        with closing(cls.registry.cursor()) as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            default_settings(env.company)
            hide_from_customers(env)
            env.flush_all()
            cr.commit()  # pylint: disable=invalid-commit

    @classmethod
    def _drop_database(cls):
        close_db(cls.database)
        # Of a server that was killed a connection may still end.
        subprocess.run(["dropdb", "--if-exists", "--force", cls.database], check=True)

    @contextmanager
    def transaction(self, uid=SUPERUSER_ID):
        """A transaction of its own, committed if all goes well."""
        with closing(db_connect(self.database).cursor()) as cr:
            env = api.Environment(cr, uid, {"tracking_disable": True})
            yield env
            env.flush_all()
            cr.commit()  # pylint: disable=invalid-commit

    @staticmethod
    def product(env, name, price, **values):
        """Make a service that is invoiced when it is ordered, without taxes."""
        return env["product.product"].create(
            {
                "name": name,
                "type": "service",
                "invoice_policy": "order",
                "list_price": price,
                "taxes_id": [Command.clear()],
                **values,
            }
        )

    @staticmethod
    def save_cards(env, provider, customers):
        """Save a payment method of each customer, which pays all that it is asked."""
        return env["payment.token"].create(
            [
                {
                    "provider_id": provider.id,
                    "payment_method_id": provider.payment_method_ids[:1].id,
                    "partner_id": customer.id,
                    "provider_ref": "demo",
                    "payment_details": "4242",
                    "demo_simulated_state": "done",
                }
                for customer in customers
            ]
        )

    def fork(self, work):
        """Start a process that runs ``work(env)``, which commits by itself.

        :return: its id
        """
        pid = os.fork()
        if pid:
            return pid
        try:
            # Connections of its own: those of the parent are the parent's.
            sql_db._Pool = None
            with (
                mute_logger("odoo.sql_db"),
                closing(sql_db.db_connect(self.database).cursor()) as cr,
            ):
                work(api.Environment(cr, SUPERUSER_ID, {}))
        finally:
            os._exit(0)

    def race(self, work, workers=2, uid=SUPERUSER_ID):
        """Run ``work(env, number)`` in transactions that all begin before the first one
        ends, with Odoo's own retry.

        :return: the result or the user error of each, and how often it was tried.
        """
        barrier = Barrier(workers, timeout=30)

        def run(number):
            tries = 0

            with closing(db_connect(self.database).cursor()) as cr:
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

    @contextmanager
    def undone(self):
        """A transaction of its own, which is undone."""
        with closing(db_connect(self.database).cursor()) as cr:
            yield api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})

    def meet(self, account, who_waits, who_has):
        """Let somebody wait for an account, and whoever has it want something more.

        All of it is undone.

        :param account: returns the account, in an environment.
        :param who_waits: waits for it, in an environment.
        :param who_has: wants something more, in another one.
        :raise LockNotAvailable: if the one who waits has it already.
        """
        begun, pids = Event(), []

        def wait():
            with self.undone() as env, mute_logger("odoo.sql_db"):
                pids.append(env.cr._cnx.get_backend_pid())
                env.cr.execute("SELECT 1")  # the snapshot of the transaction
                begun.set()
                with suppress(SerializationFailure, UserError):
                    who_waits(env)
                    env.flush_all()

        with self.undone() as env, ThreadPoolExecutor(1) as pool:
            account(env)._lock()
            waiter = pool.submit(wait)
            try:
                self.assertTrue(begun.wait(30))
                deadline = time.monotonic() + 30
                while not self._waits(pids[0]):
                    self.assertFalse(waiter.done(), "nobody waits for the account")
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.05)
                env.cr.execute("SET LOCAL lock_timeout = '500ms'")
                who_has(env)
                env.flush_all()
            finally:
                env.cr.rollback()
            waiter.result()

    def _waits(self, pid):
        with self.undone() as env:
            [[waits]] = env.execute_query(
                SQL(
                    "SELECT wait_event_type = 'Lock' FROM pg_stat_activity "
                    "WHERE pid = %s",
                    pid,
                )
            )
            return waits
