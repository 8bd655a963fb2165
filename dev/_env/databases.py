"""Databases that are made once and copied from then on.

What a database was made from is written into it, as its comment, when it is complete:
one that was left half-made by a killed call has none and is made anew.
"""

import os
import shutil
import subprocess

from . import module
from .console import Stop, digest, output, run, step
from .paths import CHECKOUT, DATA, MODULE, VENV

# Everything that the module depends on, and what its tests and its demo data use.
DEPENDENCIES = (
    "account_payment",
    "auth_signup",
    "helpdesk_mgmt",
    "payment_demo",
    "portal",
    "sale_management",
)
BASE = "paid_support_base"
BASE_WITH_DEMO = "paid_support_base_demo"
TEST = "paid_support_test"
TEST_WITH_DEMO = "paid_support_test_demo"
# The same, with what most tests begin with.
PREPARED = "paid_support_prepared"
PREPARED_WITH_DEMO = "paid_support_prepared_demo"
DEMO = "paid_support_demo"
LIFECYCLE = "paid_support_lifecycle"
RELEASED = "paid_support_released"
UPDATED = "paid_support_updated"
# Copied into a server of its own: only its files are with the others.
STRESS = "paid_support_stress"
# What tests make for themselves, and leave behind when they are killed, starts so.
THROW_AWAY = "paid_support_run"
NEIGHBOURS = "paid_support_run_neighbours"

# What the pages of the browser tests load. Odoo itself would bundle much that they do
# not, but not what scripts load afterwards.
BUNDLES = """
import os
qweb = env["ir.qweb"]
for name in (
    "bus.websocket_worker_assets",
    "portal.assets_chatter",
    "web.__assets_tests_call__",
    "web.assets_emoji",
    "web.assets_frontend_lazy",
    "web.assets_frontend_minimal",
    "web.assets_tests",
    "web.assets_web",
):
    qweb._get_asset_bundle(name, css=False, js=True).js()
for name in (
    "portal.assets_chatter",
    "portal.assets_chatter_style",
    "web.assets_frontend",
    "web.assets_tests",
    "web.assets_web",
    "web.assets_web_print",
    "web.report_assets_common",
):
    qweb._get_asset_bundle(name, css=True, js=False).css()
env.cr.commit()
os._exit(0)
"""

# What tests begin with, by the name that they wake it by.
PREPARE = """
import os
from odoo.addons.helpdesk_paid_support.tests.common import PaidSupportCommon
from odoo.addons.helpdesk_paid_support.tests.common_payment import PaymentCommon
from odoo.addons.helpdesk_paid_support.tests.common_prepared import prepare
env.cr.rollback()
prepare({
    "people": (PaidSupportCommon, "build_people"),
    "books": (PaymentCommon, "build_books"),
})
os._exit(0)
"""
# Statistics stay as they are.
STILL = """
DO $$
DECLARE found regclass;
BEGIN
    FOR found IN SELECT oid FROM pg_class
                  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', found);
    END LOOP;
END $$
"""
# The files that say what that is.
PREPARED_IN = ("common.py", "common_payment.py", "common_prepared.py")

LOADING = r"Loading module (\S+ \(\d+/\d+\))"


class Databases:
    def __init__(self, environment):
        self.environment = environment

    # The whole ones

    def prepared(self, *, demo=False):
        """Return the database that tests are run in a copy of."""
        installed = self.test(demo=demo)
        name = PREPARED_WITH_DEMO if demo else PREPARED
        files = [CHECKOUT / "tests" / file for file in PREPARED_IN]
        self._make(
            name,
            digest(self.made_from(installed), PREPARE, STILL, *files),
            "Preparing what tests begin with",
            lambda: self._prepare(installed, name),
        )
        return name

    def _prepare(self, installed, name):
        self.copy(installed, name)
        if self.shell(name, PREPARE):
            raise Stop("What tests begin with could not be prepared.")
        # As the server would do by itself some time later …
        self._sql("VACUUM ANALYZE", database=name)
        # … and again and again between tests, which undo what they write: it would find
        # the tables empty, and plan their joins for no rows.
        self._sql(STILL, database=name)

    def test(self, *, demo=False):
        """Return the database with the module installed, and nothing else."""
        base = self._base(demo=demo)
        name = TEST_WITH_DEMO if demo else TEST
        self._make(
            name,
            digest(self.made_from(base), module.key()),
            f"Installing {MODULE}" + (", with demo data" if demo else ""),
            lambda: (self.copy(base, name), self.install(name, MODULE, demo=demo)),
        )
        return name

    def base(self):
        return self._base(demo=False)

    def base_with_demo(self):
        return self._base(demo=True)

    def _base(self, *, demo):
        name = BASE_WITH_DEMO if demo else BASE
        self._make(
            name,
            digest(self.environment.key, " ".join(DEPENDENCIES), str(demo)),
            "Installing what the module depends on"
            + (", with demo data (a minute or two)" if demo else " (a minute)"),
            lambda: (
                self.drop(name),
                self.install(name, *DEPENDENCIES, demo=demo),
            ),
        )
        return name

    def _make(self, name, key, doing, build):
        if self.made_from(name) != key:
            with step(f"{doing} …"):
                build()
            self.set_made_from(name, key)

    # What they are made with

    def install(self, name, *modules, demo=False):
        """Install modules, in a new database if there is none of that name."""
        return self._server(
            name,
            *["--init", ",".join(modules)],
            *(["--with-demo"] if demo else []),
            failure=f"{', '.join(modules)} could not be installed",
        )

    def update(self, name, modules):
        return self._server(name, "--update", modules, failure="The update failed")

    def uninstall(self, name):
        return self._odoo(
            *["module", "uninstall", "--database", name, MODULE],
            log=f"odoo-{name}",
            failure=f"{MODULE} could not be uninstalled",
        )

    def _server(self, name, *arguments, failure):
        """Run the server on a database until it has done what is asked."""
        return self._odoo(
            *["--database", name, "--stop-after-init", "--no-http"],
            *["--max-cron-threads", "0", *arguments],
            log=f"odoo-{name}",
            failure=failure,
        )

    def _odoo(self, *arguments, log, failure):
        """Run Odoo.

        :return: its log
        """
        return run(
            self.environment.odoo_command(*arguments),
            log=log,
            failure=failure,
            env=self.relaxed(),
            progress=LOADING,
        )

    def shell(self, name, script):
        """Run Python statements in Odoo's shell on a database; what they print shows.

        The script ends the process itself, with ``os._exit``: at the end of its input
        the shell would report success whatever has happened.

        :return: the exit code
        """
        command = self.environment.odoo_command(
            *["shell", "--database", name, "--no-http", "--log-level", "error"]
        )
        return subprocess.run(
            command, input=script, text=True, env=self.relaxed(), check=False
        ).returncode

    def relaxed(self):
        """Return an environment whose connections do not wait for the disk.

        What is lost when the machine goes down is made again; nothing gets corrupt.
        Nor do they compile queries: they look large where a transaction has written
        what no statistics know, and to compile them takes longer than to run them.
        What is planned is small, too: to think of more ways takes longer than any way.
        """
        options = os.environ.get("PGOPTIONS", "")
        options += " -c synchronous_commit=off -c jit=off -c enable_mergejoin=off"
        options += " -c max_parallel_workers_per_gather=0"
        return {**self.environment.variables, "PGOPTIONS": options.strip()}

    def bundle(self, name):
        """Make the bundles of scripts and styles of a database, if it has none of the
        files of now: Odoo goes by when these were written, not by what is in them.

        They stay in copies. Without them each browser test would make them anew, as
        all that it writes is undone: a third of its time.
        """
        files = [CHECKOUT / path for path in module.files() if "static" in path]
        newest = max(path.stat().st_mtime for path in [*files, VENV / "installed"])
        if not self.lines(
            name,
            "SELECT 1 FROM ir_attachment WHERE url ~ '^/web/assets/'"
            f" AND create_date > to_timestamp({newest}) AT TIME ZONE 'UTC'",
        ):
            with step("Bundling scripts and styles …"):
                self.shell(name, BUNDLES)

    def copy(self, source, target):
        self.drop(target)
        self._sql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
        copy_filestore(source, target)

    def drop(self, name):
        self._sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(filestore(name), ignore_errors=True)

    def drop_throw_away(self):
        for name in self.names(THROW_AWAY):
            self.drop(name)

    def names(self, prefix):
        found = self._sql("SELECT datname FROM pg_database").splitlines()
        return [name for name in found if name.startswith(prefix)]

    def made_from(self, name):
        """Return what a database was made from, `None` if it is not complete."""
        return self._sql(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            f" WHERE datname = '{name}'"
        )

    def set_made_from(self, name, key):
        self._sql(f"COMMENT ON DATABASE \"{name}\" IS '{key}'")

    def lines(self, name, query):
        """Return the answers to a query in a database, as a set of lines."""
        return set(self._sql(query, database=name).splitlines())

    def _sql(self, statement, database="postgres"):
        psql = ["psql", "--no-psqlrc", "--no-password", "-qAt", "-d", database]
        try:
            return output(
                [*psql, "-v", "ON_ERROR_STOP=1", "-c", statement],
                env=self.environment.variables,
            )
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip().splitlines() or ["it does not say why"]
            raise Stop(f"PostgreSQL: {'; '.join(reason)}") from error


def filestore(name):
    return DATA / "filestore" / name


def copy_filestore(source, target):
    if filestore(source).is_dir():
        # Files of a filestore are never written to again: a link is a copy.
        shutil.copytree(filestore(source), filestore(target), copy_function=_link)


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
