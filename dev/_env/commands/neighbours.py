"""`dev/neighbours`: other modules' own tests, with this module installed."""

import argparse
import shutil

from .. import programs
from ..console import Stop, digest, lock, run, step
from ..databases import BASE, NEIGHBOURS, TEST
from ..environment import ready
from ..paths import ADDONS, DEV, MADE
from .test import pytest, workers

# What this module extends, and what extends the same.
MODULES = (
    "helpdesk_mgmt",
    "helpdesk_mgmt_sale",
    "sale",
    "sale_management",
    "account_payment",
    "payment",
    "portal",
    "sale_loyalty",
)
# Tests that fail without this module, too, and why.
KNOWN_TO_FAIL = (
    # reportlab's renderer of pictures, which Debian packages apart
    "test_generate_and_send_invoice_with_qr_code",
)

REQUIREMENTS = DEV / "neighbours.txt"
FOLDER = MADE / "neighbours"


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/neighbours",
        usage="%(prog)s [--without] [MODULE…] [pytest's options]",
        description="Run the tests of other modules with this one installed, to see"
        " that it leaves alone what is not its own: dev/neighbours helpdesk_mgmt sale."
        f" Without arguments: {', '.join(MODULES)}, but for the tests that are known"
        " to fail without it, too.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--without", action="store_true", help="without this module, to compare"
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", default=MODULES)
    options, more = parser.parse_known_args(arguments)
    with ready() as environment, lock("test", "testing"):
        databases = environment.databases
        databases.drop_throw_away()
        databases.test()
        programs.find_or_install_browser()
        environment = environment.with_modules(
            "neighbours", ADDONS, _add_ons(environment)
        )
        suites = [_suite(environment, module) for module in options.modules]
        databases = environment.databases
        with step(f"Installing {', '.join(options.modules)} …"):
            databases.copy(BASE if options.without else TEST, NEIGHBOURS)
            databases.install(NEIGHBOURS, *options.modules)
        # They are not part of the package that the checkout is to pytest.
        cut = f"--confcutdir={MADE}"
        return pytest(
            environment, NEIGHBOURS, [*suites, cut, *(more or [*workers(), *_known()])]
        )


def _add_ons(environment):
    """Return the folder of the add-ons that only this command uses."""
    wanted = digest(REQUIREMENTS)
    stamp = FOLDER / "installed"
    if not (stamp.is_file() and stamp.read_text() == wanted):
        shutil.rmtree(FOLDER, ignore_errors=True)
        pip = [environment.python, "-m", "pip", "install", "--no-input", "--no-deps"]
        run(
            [*pip, "--target", FOLDER, "--requirement", REQUIREMENTS],
            log="pip",
            failure="The add-ons of dev/neighbours.txt could not be installed",
        )
        stamp.write_text(wanted)
    return FOLDER / "odoo/addons"


def _known():
    """Return the options that leave out what is known to fail."""
    return ["-k", " and ".join(f"not {name}" for name in KNOWN_TO_FAIL)]


def _suite(environment, module):
    """Return the folder of a module's tests."""
    for folder in environment.addons_path():
        if (folder / module / "__manifest__.py").is_file():
            return str(folder / module / "tests")
    raise Stop(f"There is no module {module} here.")
