"""Programs that only root can install, and that not every command needs."""

import os
import shutil
import subprocess

from .console import Stop, is_root, run, say, step

#: Chromium without its windows: the same pages for three fifths of the work.
SHELL = "chromium-headless-shell"
BROWSERS = (
    *[SHELL, "google-chrome", "chromium", "chromium-browser"],
    "google-chrome-stable",
)
PRINTERS = ("wkhtmltopdf",)


def find_or_install_browser():
    """Provide the browser that tests drive, or say that they are skipped."""
    packages = (SHELL, "chromium")
    if _found(BROWSERS) or _installed(packages, "for the browser tests", BROWSERS):
        return
    if os.environ.get("CI") == "true":
        raise Stop("There is no Chromium, and CI must not skip the browser tests.")
    say("!" * 72)
    say("NO CHROMIUM: THE BROWSER TESTS ARE SKIPPED. Install `chromium`.")
    say("!" * 72)


def find_or_install_printer():
    """Provide what Odoo prints PDF files with: an order that is paid online, and what
    is charged, is sent to the customer as one."""
    if _found(PRINTERS) or _installed(PRINTERS, "to print PDF files", PRINTERS):
        return
    say(
        "! There is no wkhtmltopdf: customers get no PDF files, nor what is mailed as"
        " one."
    )


def _installed(packages, why, names):
    """Install the first of some packages that the distribution has, if the caller may.

    :return: whether one of the programs is there now
    """
    if is_root() and shutil.which("apt-get"):
        with step(f"Installing {packages[-1]} {why} …"):
            _apt_get("update", packages[-1])
            package = next(filter(_is_known, packages[:-1]), packages[-1])
            _apt_get("install", package, "--yes", "--no-install-recommends", package)
    return _found(names)


def _apt_get(action, package, *arguments):
    run(
        ["apt-get", action, *arguments],
        log=f"{package}-{action}",
        failure=f"{package} could not be installed",
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        progress=r"(?m)^(?:Get:\d+|Unpacking|Setting up) \S+",
    )


def _is_known(package):
    show = ["apt-cache", "show", package]
    return not subprocess.run(show, capture_output=True, check=False).returncode


def _found(names):
    return any(shutil.which(name) for name in names)
