"""Virtual environments with pinned packages."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from . import NEWEST, OLDEST
from .console import digest, run
from .paths import CHECKOUT

#: The Python of the system.
SYSTEM = "/usr/bin/python3"

_WHAT_IT_IS = """
import ensurepip, json, sys, venv
print(json.dumps([sys.executable, sys.version_info[:2], sys.version]))
"""


class Interpreter(NamedTuple):
    program: str
    #: major and minor
    version: tuple
    #: what it says of itself
    build: str


@cache
def interpreter():
    """Return the Python that virtual environments are made with: the system's, if it
    suits, else the one that runs this.

    Distributions compile theirs with optimizations that others often go without (a
    plain ``pyenv install`` does): the tests take two thirds of the time.

    :rtype: Interpreter
    """
    for program in SYSTEM, sys.executable:
        try:
            found = subprocess.run(
                [program, "-c", _WHAT_IT_IS], capture_output=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        program, version, build = json.loads(found.stdout)
        if OLDEST <= tuple(version) <= NEWEST:
            return Interpreter(program, tuple(version), build)
    return Interpreter(sys.executable, sys.version_info[:2], sys.version)


def make_environment(folder, requirements, without_dependencies=()):
    """Make a virtual environment, or bring it to what the files ask for.

    A virtual environment holds absolute paths: it is made anew when the checkout was
    moved or when another Python runs this.

    :return: whether anything had to be done
    """
    made_with, stamp = folder / "made-with", folder / "installed"
    python = f"{CHECKOUT} {interpreter().program} {interpreter().build}"
    wanted = digest(python, *requirements, *without_dependencies)
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    if not (made_with.is_file() and made_with.read_text() == python):
        run(
            [interpreter().program, "-m", "venv", "--clear", folder],
            log="venv",
            failure="A virtual environment could not be made (on Debian, the package"
            " python3-venv provides for it)",
        )
        made_with.write_text(python)
    stamp.unlink(missing_ok=True)
    pip = [
        *[folder / "bin/python", "-m", "pip", "install"],
        *["--disable-pip-version-check", "--no-input"],
    ]
    for names, options in ((requirements, ()), (without_dependencies, ("--no-deps",))):
        if names:
            files = [part for name in names for part in ("--requirement", name)]
            run(
                [*pip, *options, *files],
                log="pip",
                failure="The Python packages could not be installed",
                progress=r"(?m)^(?:Collecting|Downloading|Installing) \S+",
            )
    stamp.write_text(wanted)
    return True


def site_packages(folder):
    """Return where a virtual environment keeps its packages."""
    major, minor = interpreter().version
    return Path(folder, "lib", f"python{major}.{minor}", "site-packages")
