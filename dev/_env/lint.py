"""The linters of the Odoo community."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import module
from .console import lock, say, step
from .paths import CHECKOUT, DEV, MADE, MODULE
from .python import make_environment

VENV = MADE / "lint"


def check(checkout=CHECKOUT):
    """Run all linters on a checkout, and say what they find.

    :return: whether none has found anything
    """
    with lock("environment", "preparing the environment"):
        make_environment(VENV, [DEV / "requirements-lint.txt"])
    failed = []
    with step("Linting …"), _in_repository(checkout) as copy:
        for folder, command in _commands(checkout, copy):
            name = " ".join(word for word in command[:2] if word[0] not in "-/")
            done = subprocess.run(
                [VENV / "bin" / command[0], *command[1:]],
                check=False,
                cwd=folder,
                # pylint imports the module under the name it has in this folder.
                env={**os.environ, "PYTHONPATH": str(copy.parent)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode:
                failed.append(name)
                found = done.stdout.strip()
                if folder == copy:
                    found = _by_paths_of_checkout(found, copy)
                say(f"{found}\n  FAILED: {name}")
    return not failed


@contextlib.contextmanager
def _in_repository(checkout):
    """Provide a copy of the module in a folder of a repository, and of the add-ons of
    `glue/` beside it.

    OCA's linters stop looking for the module at the root of the repository, without
    looking there, and find nothing wrong where there is no module.
    """
    MADE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lint-", dir=MADE) as folder:
        # All that they know a repository by.
        Path(folder, ".git").mkdir()
        copy = Path(folder, MODULE).resolve()
        module.copy(copy, checkout)
        for add_on in module.glue(checkout):
            shutil.copytree(
                add_on, copy.parent / add_on.name, ignore=module.NOT_OF_AN_ADD_ON
            )
        yield copy


def _commands(checkout, copy):
    """Return the commands of all linters, each with the folder to run it in."""
    # pylint's own count is of what a container is promised, not of what it may use.
    jobs = min(os.cpu_count() or 1, 4)
    pylint = [f"--rcfile={checkout / '.pylintrc'}", f"--jobs={jobs}"]
    config = f"--config={checkout / '.oca_hooks.cfg'}"
    # By name: of a folder, pylint sees no more than what its __init__.py makes a part
    # of the module, and migration scripts are none.
    code = sorted(map(str, copy.rglob("*.py")))
    translations = sorted(map(str, copy.glob("i18n/*.po*")))
    add_ons = [copy.parent / add_on.name for add_on in module.glue(checkout)]
    glue = sorted(str(path) for add_on in add_ons for path in add_on.rglob("*.py"))
    return [
        (checkout, ["ruff", "check", "--no-fix"]),
        (checkout, ["ruff", "format", "--check"]),
        (copy, ["pylint", *pylint, *code]),
        (copy, ["oca-checks-odoo-module", config, str(copy)]),
        (copy, ["oca-checks-po", config, *translations]),
        *([(copy, ["pylint", *pylint, *glue])] if glue else []),
        *[(copy, ["oca-checks-odoo-module", config, str(path)]) for path in add_ons],
    ]


def _by_paths_of_checkout(found, copy):
    """Return what a linter has found in the copy as if it were in the checkout."""
    found = found.replace(f"{copy}{os.sep}", "")
    return re.sub(rf"(?<![\w./-]){MODULE}/", "", found)
