"""Everybody at once on one account, while what they work with is killed."""

import os
import random
import signal
import time
from collections import Counter

import psutil

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
            if not self.kills.total() % 10:
                print(f"• {self.kills.total()} kills", flush=True)
        good = self.report()
        print(f"kills                {dict(self.kills)}")
        return good

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
        """Kill a worker of Odoo; its parent starts another."""
        workers = [
            process
            for process in psutil.Process(self.server.process.pid).children()
            if "gevent" not in process.cmdline()
        ]
        self.random.choice(workers).kill()

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
