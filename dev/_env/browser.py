"""Chromium, which browser tests drive."""

import os
import shutil

from .console import Stop, is_root, run, say, step

NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")


def find_or_install():
    """Provide a browser, or say that the tests that need one are skipped."""
    if _found():
        return
    if is_root() and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]
        with step("Installing Chromium for the browser tests …"):
            for log, command in (
                ("chromium-update", ["apt-get", "update"]),
                ("chromium-install", install),
            ):
                run(
                    command,
                    log=log,
                    failure="Chromium could not be installed",
                    env=environment,
                    progress=r"(?m)^(?:Get:\d+|Unpacking|Setting up) \S+",
                )
    if not _found():
        if os.environ.get("CI") == "true":
            raise Stop("There is no Chromium, and CI must not skip the browser tests.")
        say("!" * 72)
        say("NO CHROMIUM: THE BROWSER TESTS ARE SKIPPED. Install `chromium`.")
        say("!" * 72)


def _found():
    return any(shutil.which(name) for name in NAMES)
