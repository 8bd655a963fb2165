"""`dev/pictures`: every picture of the README, docs/ and the app's page, from the demo
data."""

import argparse
import shutil
import socket
import subprocess

from .. import programs
from ..console import Stop, lock, say, shown
from ..databases import DEMO
from ..environment import ready
from ..paths import CHECKOUT, DEV, LOGS, MADE
from ..python import make_environment
from .run import is_up, prepare

VENV = MADE / "pictures"


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/pictures",
        description="Take the pictures of the README, docs/ and the app's page again,"
        " from a new demo database.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "only", nargs="?", default="", help="only pictures with this in their name"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="make the demo database anew first"
    )
    options = parser.parse_args(arguments)
    with ready() as environment:
        programs.find_or_install_browser()
        browser = next(filter(None, map(shutil.which, programs.BROWSERS)), None)
        if not browser:
            raise Stop("There is no Chromium to take pictures with.")
        with lock("environment", "preparing the environment"):
            make_environment(VENV, [DEV / "requirements-pictures.txt"])
        with lock("demo", "preparing the demo database"):
            prepare(environment.databases, options.fresh)
        port = _free_port()
        with (LOGS / "pictures.log").open("wb") as output:
            server = subprocess.Popen(
                environment.odoo_command("--database", DEMO, "--http-port", port),
                env=environment.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                if not is_up(server, port):
                    raise Stop(f"The server ended: {shown(LOGS / 'pictures.log')}")
                say("• Taking pictures …")
                taken = subprocess.run(
                    [
                        *[VENV / "bin/python", DEV / "_pictures/take.py", browser],
                        *[f"http://localhost:{port}", CHECKOUT, options.only],
                    ],
                    check=False,
                )
            finally:
                server.terminate()
                server.wait()
    return taken.returncode


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
