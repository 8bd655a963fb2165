"""Programs that only root can install, and that not every command needs."""

import os
import shutil

from .console import Stop, is_root, run, say, step

BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
PRINTERS = ("wkhtmltopdf",)


def find_or_install_browser():
    """Provide the browser that tests drive, or say that they are skipped."""
    if _found(BROWSERS) or _installed("chromium", "for the browser tests", BROWSERS):
        return
    if os.environ.get("CI") == "true":
        raise Stop("There is no Chromium, and CI must not skip the browser tests.")
    say("!" * 72)
    say("NO CHROMIUM: THE BROWSER TESTS ARE SKIPPED. Install `chromium`.")
    say("!" * 72)


def find_or_install_printer():
    """Provide what Odoo prints PDF files with: an order that is paid online, and what
    is charged, is sent to the customer as one."""
    if _found(PRINTERS) or _installed("wkhtmltopdf", "to print PDF files", PRINTERS):
        return
    say(
        "! There is no wkhtmltopdf: customers get no PDF files, nor what is mailed as"
        " one."
    )


def _installed(package, why, names):
    """Install a package of the distribution, if the caller may.

    :return: whether one of the programs is there now
    """
    if is_root() and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", package]
        with step(f"Installing {package} {why} …"):
            for log, command in (
                (f"{package}-update", ["apt-get", "update"]),
                (f"{package}-install", install),
            ):
                run(
                    command,
                    log=log,
                    failure=f"{package} could not be installed",
                    env=environment,
                    progress=r"(?m)^(?:Get:\d+|Unpacking|Setting up) \S+",
                )
    return _found(names)


def _found(names):
    return any(shutil.which(name) for name in names)
