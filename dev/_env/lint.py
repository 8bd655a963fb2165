"""The linters of the Odoo community."""

import os
import subprocess

from .console import lock, say, step
from .environment import link_module
from .paths import ADDONS, CHECKOUT, DEV, MADE
from .python import make_environment

VENV = MADE / "lint"


def check():
    """Run all linters on the module.

    :return: whether none has found anything
    """
    with lock("environment", "preparing the environment"):
        make_environment(VENV, [DEV / "requirements-lint.txt"])
        # The checks of add-ons take a module's name from its folder's.
        module = link_module()
    translations = sorted(map(str, module.glob("i18n/*.po*")))
    commands = [
        ["ruff", "check", "--no-fix"],
        ["ruff", "format", "--check"],
        ["pylint", f"--rcfile={CHECKOUT / '.pylintrc'}", "--jobs=0", str(module)],
        ["oca-checks-odoo-module", str(module)],
        *([["oca-checks-po", *translations]] if translations else []),
    ]
    good = True
    with step("Linting …"):
        for command in commands:
            name = " ".join(word for word in command[:2] if word[0] not in "-/")
            done = subprocess.run(
                [VENV / "bin" / command[0], *command[1:]],
                check=False,
                cwd=CHECKOUT,
                # pylint imports the module under the name it has in this folder.
                env={**os.environ, "PYTHONPATH": str(ADDONS)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode:
                good = False
                say(f"{done.stdout.strip()}\n  FAILED: {name}")
    return good
