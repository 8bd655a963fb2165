"""Everybody at once on one account, while what they work with is killed."""

import os
import random
import signal
import socketserver
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
from _server import free_port

from .campaign import Campaign

#: What is killed, and how often in relation to each other.
VICTIMS = {"worker": 3, "action": 2, "connection": 3, "postmaster": 2}


class Crashes(Campaign):
    def run(self):
        """Let everybody work, kill something, wait until all is up again, and look at
        what came of it; again and again.

        :return: whether nothing was wrong.
        """
        options = self.options
        self.random = random.Random(options.seed)
        self.kills = Counter()
        end = time.monotonic() + options.minutes * 60
        while self.kills.total() < options.number and time.monotonic() < end:
            self.load.start(10**9, 120)
            time.sleep(self.random.uniform(1, 4))
            [victim] = self.random.choices(list(VICTIMS), VICTIMS.values())
            getattr(self, f"kill_{victim}")()
            self.kills[victim] += 1
            # Some go on in the ruins.
            time.sleep(self.random.uniform(0.2, 1))
            self.recover()
            self.check(f"kill {self.kills.total()} ({victim})")
            if not self.kills.total() % 5:
                print(f"• {self.kills.total()} kills", flush=True)
        if self.kills.total() < options.number:
            self.found.append(f"{self.kills.total()} of {options.number} kills in time")
        if not self.load.answers.total("done"):
            self.found.append("nothing was done beside the kills")
        self.fill_disk()
        self.mail_down()
        print(f"\nkills                {dict(self.kills)}")
        return self.report()

    def fill_disk(self):
        """Let the disk of the database run full while everybody is at work, and make
        room again."""
        disk = os.environ.get("PAID_SUPPORT_DISK")
        if not disk:
            self.found.append(
                "The disk cannot run full: only root can make a small one"
            )
            return
        before = self.load.answers.counts.copy()
        full = "No space left on device"
        errors = self._count(self.cluster.log, full)
        ballast = Path(disk, "ballast")
        self.load.start(10**9, 120)
        time.sleep(2)
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError:
                pass
        time.sleep(20)
        self.recover()
        errors = self._count(self.cluster.log, full) - errors
        answers = self.load.answers.counts - before
        print(f"• Disk full: {errors} errors, {self._told(answers)}", flush=True)
        ballast.unlink()
        self.check("disk full")
        self.go_on("room again")
        if not errors:
            self.found.append("the disk did not run full")

    def mail_down(self):
        """Let nobody take the mail, and then somebody."""
        with self.world.transaction() as env:
            # Where nobody listens.
            env["ir.mail_server"].create(
                {"name": "Down", "smtp_host": "127.0.0.1", "smtp_port": free_port()}
            )
            env["mail.mail"].search([("state", "!=", "sent")]).state = "cancel"
        self.go_on("mail server down")
        with Mailbox() as mailbox:
            with self.world.transaction() as env:
                waiting = env["mail.mail"].search(
                    [("state", "in", ("outgoing", "exception"))]
                )
                env["ir.mail_server"].search([]).smtp_port = mailbox.port
                kept = len(waiting)
                waiting.state = "outgoing"
            with self.world.transaction() as env:
                env["mail.mail"].process_email_queue()
            print(f"• Mail: {kept} kept, {mailbox.number} sent later", flush=True)
            if mailbox.number < kept or not kept:
                self.found.append(f"mail: {kept} kept, {mailbox.number} sent")

    def go_on(self, when):
        """Let everybody work for a while: all of it has to succeed."""
        before = self.load.answers.counts.copy()
        self.load.start(10**9, 15)
        self.load.join()
        self.check(when)
        answers = self.load.answers.counts - before
        print(f"• {when}: {self._told(answers)}", flush=True)
        if not any(answer == "done" for _kind, answer in answers):
            self.found.append(f"{when}: nothing goes on")

    @staticmethod
    def _told(counts):
        told = Counter()
        for (_kind, answer), number in counts.items():
            told[answer] += number
        return dict(told)

    def recover(self):
        """Wait until the load has ended and the database answers."""
        self.load.stop()
        self.world.reconnect()
        deadline = time.monotonic() + 60
        while True:
            try:
                self.world.written()
                return
            except Exception:
                if time.monotonic() > deadline:
                    raise
                self.world.reconnect()
                time.sleep(0.2)

    def kill_worker(self):
        self.server.kill_worker(self.random.choice)

    def kill_action(self):
        self.actions.kill(self.random.randrange(len(self.actions.processes)))

    def kill_connection(self):
        """Kill a process of PostgreSQL that somebody is connected to: PostgreSQL ends
        all others, and recovers."""
        connections = [
            process
            for process in self._postmaster().children()
            if self.options.database in " ".join(process.cmdline())
        ]
        self.random.choice(connections or self._postmaster().children()).kill()

    def kill_postmaster(self):
        """Kill all of PostgreSQL at once, as when the machine loses it, and start it
        again."""
        postmaster = self._postmaster()
        processes = [postmaster, *postmaster.children()]
        for process in processes:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        psutil.wait_procs(processes, timeout=10)
        time.sleep(self.random.uniform(0, 0.5))
        self.cluster.start()

    def _postmaster(self):
        pid = (self.cluster.data / "postmaster.pid").read_text().split()[0]
        return psutil.Process(int(pid))


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server, for as long as it is needed. It counts what it takes."""

    daemon_threads = True

    def __init__(self):
        self.number = 0
        super().__init__(("127.0.0.1", 0), Session)
        self.port = self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()


class Session(socketserver.StreamRequestHandler):
    """What a mail server answers."""

    def handle(self):
        self._say(220)
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self._say(354)
                for text in self.rfile:
                    if text == b".\r\n":
                        break
                self.server.number += 1
            self._say(221 if word == b"QUIT" else 250)
            if word == b"QUIT":
                break

    def _say(self, code):
        self.wfile.write(b"%d ok\r\n" % code)
