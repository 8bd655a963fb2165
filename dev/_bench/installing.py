"""What installing the module takes, and loading its registry."""

import subprocess
import sys
import time

from _server import copy_database, template, throw_away

from odoo.modules.registry import Registry

from .measure import Benchmark, Figure


def install(database, module):
    subprocess.run(
        [
            *[sys.executable, sys.argv[0], "server", "--database", database],
            *["--init", module],
            *["--stop-after-init", "--no-http", "--log-level", "error"],
        ],
        check=True,
    )


class Install:
    """Install a module where everything that it depends on is installed."""

    def __init__(self, module, base):
        self.module = module
        self.base = base

    def measure(self, _env):
        database = throw_away("install")
        copy_database(self.base(), database)
        start = time.perf_counter()
        install(database, self.module)
        return Figure(time.perf_counter() - start)


class Load:
    """Load the registry of a database, as a worker does when it starts."""

    def __init__(self, database):
        self.database = database

    def measure(self, _env):
        start = time.perf_counter()
        Registry.new(self.database())
        seconds = time.perf_counter() - start
        Registry.delete(self.database())
        return Figure(seconds)


def base():
    """Return a database with all that the module depends on."""
    return template().replace("_test", "_base")


class Portal:
    """A database with what helpdesk_mgmt depends on, made when it is needed first."""

    name = None

    def __call__(self):
        if not self.name:
            self.name = throw_away("plain")
            subprocess.run(["dropdb", "--if-exists", "--force", self.name], check=True)
            install(self.name, "mail,portal")
        return self.name


def benchmarks(_env):
    yield Benchmark(
        "installing the module",
        "installing helpdesk_mgmt",
        None,
        Install("helpdesk_paid_support", base),
        Install("helpdesk_mgmt", Portal()),
        most=2,
    )
    yield Benchmark(
        "loading its registry",
        "of the same modules without it",
        None,
        Load(template),
        Load(base),
        most=3,
    )
