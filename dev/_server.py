"""A real server, and customers who use it as a browser does."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import requests
from lxml import html

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect
from odoo.tools import config

#: Odoo's command line, which a server of several workers calls again.
PROGRAM = Path(__file__).parent / "_env/bin/odoo"
#: What Odoo's access log says of a request: its path, SQL queries and seconds.
ACCESS = re.compile(r'"\w+ (\S+) HTTP/1.1" (\d+) - (\d+) [\d.]+ [\d.]+')


def copy_database(source, name):
    """Make a database, in the place of one of that name."""
    subprocess.run(["dropdb", "--if-exists", "--force", name], check=True)
    subprocess.run(["createdb", "-T", source, name], check=True)


def free_port():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """Odoo, serving a database on a port of its own until it is closed."""

    def __init__(self, database, workers=0, actions=0, programs=None):
        """
        :param int workers: processes that answer; 0 for one with threads.
        :param int actions: processes that run the scheduled actions.
        :param Path programs: a folder whose programs are found before others.
        """
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.folder = tempfile.TemporaryDirectory()
        self.log = Path(self.folder.name, "odoo.log")
        self.process = subprocess.Popen(
            [
                *[sys.executable, PROGRAM, "server", "--database", database],
                *["--http-port", str(port), "--gevent-port", str(free_port())],
                *["--workers", str(workers)],
                *["--max-cron-threads", str(actions)],
                *["--log-handler", "werkzeug:INFO"],
                *["--logfile", str(self.log)],
                # Nothing in a run grows as a server grows in a week.
                *["--limit-time-real", "600", "--limit-time-cpu", "600"],
            ],
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "PAID_SUPPORT_WITHOUT_WEBSOCKETS": "1",
                "PATH": os.pathsep.join(
                    map(str, filter(None, [programs, os.environ["PATH"]]))
                ),
            },
        )
        self._wait()

    def _wait(self):
        while self.process.poll() is None:
            try:
                requests.get(f"{self.url}/web/login", timeout=120).raise_for_status()
                return
            except requests.ConnectionError:
                time.sleep(0.3)
        raise RuntimeError(f"The server ended: {self.log.read_text()[-2000:]}")

    def queries(self, path):
        """Return the number of SQL queries of the last request of ``path``."""
        found = [
            int(queries)
            for requested, _status, queries in ACCESS.findall(self.log.read_text())
            if requested == path
        ]
        return found[-1] if found else None

    def kill_worker(self, choose):
        """Kill a worker; its parent starts another.

        :param choose: picks one of the processes.
        """
        choose(
            [
                process
                for process in psutil.Process(self.process.pid).children()
                if "gevent" not in process.cmdline()
            ]
        ).kill()

    def close(self):
        """End it, whatever it does: no answer of it is waited for."""
        server = psutil.Process(self.process.pid)
        workers = server.children(recursive=True)
        for process in (server, *workers):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(60)
        self.folder.cleanup()


class Customer:
    """Somebody who has logged in."""

    def __init__(self, server, login):
        self.server = server
        self.session = requests.Session()
        page = self.get("/web/login")
        answer = self.post(
            "/web/login",
            {"login": login, "password": login, "csrf_token": token(page)},
        )
        assert answer.status_code == 303, f"{login} could not log in"

    def get(self, path):
        """Return the page of ``path``."""
        answer = self.session.get(self.server.url + path, allow_redirects=False)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content

    def post(self, path, values):
        """Return the answer to a form."""
        return self.session.post(
            self.server.url + path, values, allow_redirects=False, timeout=120
        )

    def submit(self, team_id, csrf_token):
        """Submit a ticket by the form of the portal."""
        answer = self.post(
            "/submitted/ticket",
            {
                "csrf_token": csrf_token,
                "team": str(team_id),
                "subject": "It does not work",
                "description": "Please help",
            },
        )
        assert re.search(r"/my/ticket/\d+", answer.headers.get("Location", "")), (
            answer.status_code,
            answer.text[-500:],
        )


def token(page):
    """Return the token of a form against forged requests."""
    return html.fromstring(page).xpath("//input[@name='csrf_token']/@value")[0]


def execute(database, query, params=None):
    """Run a statement in a database, and commit it."""
    with closing(db_connect(database).cursor()) as cr:
        cr.execute(query, params)
        cr.commit()


def template():
    """Return the name of the database with the module, nobody connected to it."""
    return os.environ["PAID_SUPPORT_TEMPLATE"]


@contextmanager
def new_database(name, source=None):
    """Make a database with the module, in the place of one of that name.

    :param str source: the database that it is a copy of; by default one with nothing
        but the module.
    :return: an environment in it, committed at the end.
    """
    if source:
        close_db(source)
    copy_database(source or template(), name)
    with closing(Registry(name).cursor()) as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})
        cr.commit()


def throw_away(name):
    """Return the name of a database that is dropped after the run."""
    return f"{config['db_name'][0]}_{name}"
