"""`dev/run`: the server with demo data."""

import argparse
import socket
import subprocess
import time
import urllib.error
import urllib.request

from .. import module, programs
from ..console import Stop, forwarding, lock, say, shown, step
from ..databases import BASE_WITH_DEMO, DEMO
from ..environment import ready
from ..paths import LOGS, MODULE

LOGINS = """\
    admin        administrator
    manager      helpdesk manager
    agent        helpdesk, all tickets       agent-team   helpdesk, tickets of the team
    agent-own    helpdesk, own tickets       charger      may charge in tickets
    accountant   invoicing
    nora, nils   customers, two contacts of Northwind Hosting
    bella        customer, Blue Bakery
    carl         customer without incidents\
"""


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/run",
        usage="%(prog)s [PORT] [--fresh] [Odoo's options]",
        description="Odoo with the module and demo data on http://localhost:PORT.",
        allow_abbrev=False,
    )
    parser.add_argument("port", nargs="?", type=int, default=8069, metavar="PORT")
    parser.add_argument(
        "--fresh", action="store_true", help="make the demo database anew first"
    )
    options, more = parser.parse_known_args(arguments)
    _must_be_free(options.port)
    with ready() as environment:
        programs.find_or_install_printer()
        with lock("demo", "preparing the demo database"):
            prepare(environment.databases, options.fresh)
        return _serve(environment, options.port, more)


def _must_be_free(port):
    with socket.socket() as test:
        # As Odoo does: what the last server leaves in the kernel is not in the way.
        test.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            test.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise Stop(
                f"Port {port} is not to be had ({getattr(error, 'strerror', error)}):"
                " stop what uses it or name another, as in `dev/run 8070`."
            ) from error


def prepare(databases, fresh):
    """Make the demo database, or bring it up to date with the module."""
    databases.base_with_demo()
    made_from = f"{databases.made_from(BASE_WITH_DEMO)} {module.key()}"
    before = databases.made_from(DEMO)
    if fresh or not before:
        with step("Making the demo database …"):
            databases.copy(BASE_WITH_DEMO, DEMO)
            databases.install(DEMO, MODULE)
    elif before != made_from:
        same_base = before.split()[0] == made_from.split()[0]
        with step("Updating the demo database …"):
            databases.update(DEMO, MODULE if same_base else "all")
    databases.set_made_from(DEMO, made_from)


def _serve(environment, port, options):
    LOGS.mkdir(exist_ok=True)
    log = LOGS / "server.log"
    say("• Starting the server …")
    # In a session of its own it hears of Ctrl-C once, and from us: at the second
    # signal Odoo would drop everything.
    with log.open("wb") as output:
        process = subprocess.Popen(
            environment.odoo_command("--database", DEMO, "--http-port", port, *options),
            env=environment.variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with forwarding(process, hears_interrupt=False):
        if is_up(process, port):
            say(f"\n  http://localhost:{port}\n")
            say(f"  Logins (password = login):\n{LOGINS}\n")
            say(f"  Log: {shown(log)}. Ctrl-C stops the server.\n")
            process.wait()
    if process.returncode > 0:
        raise Stop(f"The server ended by itself; why, its log says: {shown(log)}")
    return 0


def is_up(process, port):
    """Wait until the server answers a first request, or has ended."""
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/web/login", timeout=120)
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.5)
    return False
