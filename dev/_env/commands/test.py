"""`dev/test`: lint and tests."""

import argparse
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import lifecycle, lint, npm, programs, upgrade
from ..console import foreground, lock, say
from ..databases import THROW_AWAY
from ..environment import ready
from ..paths import CHECKOUT, DEV

DESCRIPTION = """\
Without arguments: lint, a check that the module installs with its demo data, uninstalls
and installs again, and the whole test suite. With pytest's arguments only the tests
that they select: dev/test -k charge, dev/test tests/test_ledger.py, dev/test tests/."""


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/test",
        usage="%(prog)s [--lint | --no-lint | --lifecycle | --upgrade] [--demo]"
        " [pytest arguments]",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--lint", action="store_true", help="only lint")
    which.add_argument("--no-lint", action="store_true", help="everything but lint")
    which.add_argument(
        "--lifecycle", action="store_true", help="only install, uninstall, install"
    )
    which.add_argument(
        "--upgrade", action="store_true", help="the update of released versions"
    )
    parser.add_argument(
        "--demo", action="store_true", help="tests run in a database with demo data"
    )
    options, selection = parser.parse_known_args(arguments)
    only = options.lint or options.lifecycle or options.upgrade
    if selection and only:
        parser.error(f"{' '.join(selection)} selects tests, and none would be run")
    everything = not (only or selection)

    passed = {}
    if options.lint:
        passed["lint"] = lint.check()
    else:
        with ready() as environment, lock("test", "testing"):
            with ThreadPoolExecutor(1) as beside:
                if options.lifecycle or everything:
                    passed["lifecycle"] = beside.submit(lifecycle.check, environment)
                # One processor each.
                if selection or everything:
                    make_ready(environment, options.demo, whole=everything)
                if everything and not options.no_lint:
                    passed["lint"] = lint.check()
            if "lifecycle" in passed:
                passed["lifecycle"] = passed["lifecycle"].result()
            if options.upgrade:
                passed["upgrade"] = upgrade.check(environment)
            if selection or everything:
                passed["tests"] = run_suite(environment, selection, options.demo)
    failed = [name for name in passed if not passed[name]]
    if failed and passed.get("tests"):
        say(f"The tests passed, but not the {' and the '.join(failed)} check.")
    return 1 if failed else 0


def make_ready(environment, demo, whole):
    """Make what the tests need.

    :param bool demo: whether they run in a database with demo data
    :param bool whole: whether all of them run, browser tests among them
    """
    programs.find_or_install_browser()
    databases = environment.databases
    databases.drop_throw_away()
    database = databases.prepared(demo=demo)
    if whole:
        databases.bundle(database)


def run_suite(environment, selection, demo):
    """Run the tests that pytest's arguments select, all without any.

    :return: whether all passed
    """
    databases = environment.databases
    database = databases.prepared(demo=demo)
    arguments = [_in_module(environment, argument) for argument in selection]
    if not any(argument.startswith(str(environment.module)) for argument in arguments):
        arguments.append(str(environment.module / "tests"))
    if not selection:
        arguments += workers()
    template = databases.test(demo=demo)
    return pytest(environment, database, arguments, template) == 0


def workers():
    """Return the options that run tests in parallel.

    Whole classes go to a worker: what they set up is most of the work. They do so in
    the order of `odoo_selection`. Each worker makes itself a copy of the database.
    There is one more than processors: some wait for a browser, or the database.
    """
    count = str(min((os.cpu_count() or 1) + 1, 4))
    return ["-n", count, "--dist", "loadscope", "--no-loadscope-reorder"]


def pytest(environment, database, arguments, template=None):
    """Run pytest in a copy of a database, so that it stays as it is.

    :param template: the one that tests copy which commit; the same by default
    """
    template = template or database
    if "-n" not in arguments:
        environment.databases.copy(database, THROW_AWAY)
        database = THROW_AWAY
    variables = environment.databases.relaxed()
    say("• Testing …")
    code = foreground(
        [
            *[environment.python, "-m", "pytest", "-p", "_env.odoo_selection"],
            *["-p", "_env.odoo_speed"],
            *["--odoo-http", f"--odoo-database={database}"],
            # Shown with what fails: the reason of a page that is an error.
            # What unittest asserts says enough: do not rewrite the tests for it.
            *["--odoo-log-level=error", "--assert=plain", *arguments],
        ],
        env={
            **variables,
            "PYTHONPATH": f"{variables['PYTHONPATH']}{os.pathsep}{DEV}",
            # Tests that commit copy this one, under a name that starts as THROW_AWAY.
            "PAID_SUPPORT_TEMPLATE": template,
            "PAID_SUPPORT_AXE": str(npm.axe()),
        },
        cwd=environment.module,
    )
    environment.databases.drop_throw_away()
    return code


def _in_module(environment, argument):
    """Return a path in the checkout as one in the add-ons folder.

    Only under that name are the tests a part of the module to Odoo.
    """
    path, *rest = argument.split("::")
    for folder in (Path.cwd(), CHECKOUT):
        found = Path(os.path.normpath(folder / path))
        if ("/" in path or path.endswith(".py")) and found.exists():
            if found.is_relative_to(CHECKOUT):
                found = environment.module / found.relative_to(CHECKOUT)
            return "::".join([str(found), *rest])
    return argument
