"""`dev/mutants`: are the tests strong? Small mistakes, each of which they must find."""

import argparse
import shutil
import time
from pathlib import Path

from .. import module
from ..console import Stop, duration, foreground, lock, say
from ..databases import PREPARED, TEST, THROW_AWAY
from ..environment import ready
from ..mutations import MUTATIONS
from ..paths import CHECKOUT, DEV, MADE, MODULE

FOLDER = MADE / "mutants"


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/mutants",
        description="Plant one small mistake after the other into a copy of the module,"
        " and run the tests that should find it. Fails if one is not found.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "only", nargs="?", default="", help="only mistakes with this in their name"
    )
    options = parser.parse_args(arguments)
    chosen = [mutation for mutation in MUTATIONS if options.only in mutation.name]
    if not chosen:
        raise Stop(f"No mistake is called {options.only}.")
    with ready() as environment, lock("test", "testing"):
        environment.databases.drop_throw_away()
        environment.databases.prepared()
        missed = [
            mutation.name for mutation in chosen if not _is_found(environment, mutation)
        ]
        environment.databases.drop_throw_away()
    shutil.rmtree(FOLDER, ignore_errors=True)
    say(f"{len(chosen) - len(missed)} passed, {len(missed)} failed")
    if missed:
        say(f"Not found: {', '.join(missed)}")
    return 1 if missed else 0


def _is_found(environment, mutation):
    """Return whether the tests find a mistake."""
    copy = _plant(mutation)
    variant = environment.with_modules("mutants", FOLDER)
    databases = variant.databases
    databases.copy(PREPARED, THROW_AWAY)
    variables = databases.relaxed()
    start = time.monotonic()
    code = foreground(
        [
            *[variant.python, "-m", "pytest", "-p", "_env.odoo_selection"],
            *["-p", "_env.odoo_speed", "--assert=plain", "-qx"],
            *["--odoo-http", f"--odoo-database={THROW_AWAY}", "--tb=line"],
            *["--odoo-log-level=critical", "--no-header", "--show-capture=no"],
            *[str(copy / "tests" / f"test_{name}.py") for name in mutation.tests],
        ],
        env={
            **variables,
            "PYTHONPATH": f"{variables['PYTHONPATH']}:{DEV}",
            "PAID_SUPPORT_TEMPLATE": TEST,
        },
        cwd=copy,
    )
    # 1: tests failed. Whatever else there is (nothing collected, …) finds nothing.
    found = code == 1
    took = duration(time.monotonic() - start)
    say(f"{'found' if found else 'NOT FOUND'}: {mutation.name} ({took})")
    return found


def _plant(mutation):
    """Return the folder of a copy of the module with a mistake."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    copy = FOLDER / MODULE
    for name in module.files():
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, target)
    shutil.copyfile(CHECKOUT / "pyproject.toml", copy / "pyproject.toml")
    places = [
        path
        for path in Path(copy).rglob("*.py")
        if "tests" not in path.parts and mutation.before in path.read_text()
    ]
    if len(places) != 1 or places[0].read_text().count(mutation.before) != 1:
        raise Stop(
            f"“{mutation.name}” belongs to {len(places)} files: say in "
            f"dev/_env/mutations.py where."
        )
    text = places[0].read_text()
    places[0].write_text(text.replace(mutation.before, mutation.after))
    return copy
