"""`dev/neighbours`: other modules' own tests, with this module installed."""

import argparse

from .. import programs
from ..console import Stop, lock, step
from ..databases import BASE, NEIGHBOURS, TEST
from ..environment import ready
from ..paths import MADE
from .test import pytest, workers


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/neighbours",
        usage="%(prog)s MODULE… [pytest's options]",
        description="Run the tests of other modules with this one installed, to see"
        " that it leaves alone what is not its own: dev/neighbours helpdesk_mgmt sale.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--without", action="store_true", help="without this module, to compare"
    )
    parser.add_argument("modules", nargs="+", metavar="MODULE")
    options, more = parser.parse_known_args(arguments)
    with ready() as environment, lock("test", "testing"):
        suites = [_suite(environment, module) for module in options.modules]
        programs.find_or_install_browser()
        databases = environment.databases
        databases.drop_throw_away()
        databases.test()
        with step(f"Installing {', '.join(options.modules)} …"):
            databases.copy(BASE if options.without else TEST, NEIGHBOURS)
            databases.install(NEIGHBOURS, *options.modules)
        # They are not part of the package that the checkout is to pytest.
        cut = f"--confcutdir={MADE}"
        arguments = [*suites, cut, *(more or workers())]
        return pytest(environment, NEIGHBOURS, arguments)


def _suite(environment, module):
    """Return the folder of a module's tests."""
    for folder in environment.addons_path():
        if (folder / module / "__manifest__.py").is_file():
            return str(folder / module / "tests")
    raise Stop(f"There is no module {module} here.")
