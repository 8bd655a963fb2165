"""Virtual environments with pinned packages."""

import sys
from pathlib import Path

from .console import digest, run
from .paths import CHECKOUT


def make_environment(folder, requirements, without_dependencies=()):
    """Make a virtual environment, or bring it to what the files ask for.

    A virtual environment holds absolute paths: it is made anew when the checkout was
    moved or when another Python runs this.

    :return: whether anything had to be done
    """
    made_with, stamp = folder / "made-with", folder / "installed"
    python = f"{CHECKOUT} {sys.version} {sys.base_prefix}"
    wanted = digest(python, *requirements, *without_dependencies)
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    if not (made_with.is_file() and made_with.read_text() == python):
        run(
            [sys.executable, "-m", "venv", "--clear", folder],
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
    major, minor = sys.version_info[:2]
    return Path(folder, "lib", f"python{major}.{minor}", "site-packages")
