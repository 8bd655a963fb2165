"""What both campaigns need: servers, processes, and a table of what was seen."""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from _env.postgres import Own
from _server import Server

from .load import Load
from .world import World

#: What `odoo.service.model.retrying` says of a try that was in vain, and of the last.
RETRIED = re.compile(r"(\d) tries left, try again in")
GIVEN_UP = "maximum number of tries reached"
DEADLOCK = "deadlock detected"


class Actions:
    """Processes that run the scheduled actions."""

    def __init__(self, database, number):
        self.database = database
        self.folder = tempfile.TemporaryDirectory()
        self.log = Path(self.folder.name, "actions.log")
        self.processes = [self._start() for _n in range(number)]

    def _start(self):
        with self.log.open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "_stress.actions", self.database],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.DEVNULL,
            )

    def kill(self, number):
        """Kill one of them, and start another in its place."""
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._start()

    def outcomes(self):
        """Return what became of the runs.

        :rtype: Counter
        """
        return Counter(
            line.split(maxsplit=1)[1] if line.strip().count(" ") else line
            for line in self.log.read_text().splitlines()
            if line.strip()
        )

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.folder.cleanup()


class Campaign:
    """A database, a server with workers, scheduled actions, and everybody at work."""

    def __init__(self, options):
        self.options = options
        self.cluster = Own(Path(os.environ["PAID_SUPPORT_PACKAGES"]), "stress")
        self.world = World(options.database)
        self.server = Server(options.database, options.workers)
        self.actions = Actions(options.database, options.actions)
        self.load = Load(self.world, self.server, seed=options.seed)
        self.found, self.seconds = [], 0

    def check(self, when):
        """Compare the database with the answers, and keep what differs."""
        found = [f"{when}: {text}" for text in self.load.differences()]
        for text in found:
            print(f"  DIFFERENT {text}", flush=True)
        self.found += found

    def deadlocks(self):
        return self._count(self.cluster.log, DEADLOCK)

    def report(self):
        """Print what was seen, and what of it is wrong.

        :return: whether nothing is.
        """
        answers = self.load.answers
        self.found += [
            f"a scheduled action has {outcome}"
            for outcome in self.actions.outcomes()
            if "failed" in outcome
        ]
        if deadlocks := self.deadlocks():
            self.found.append(f"{deadlocks:,} deadlocks")
        kinds = sorted({kind for kind, _answer in answers.counts})
        told = ("done", "refused", "conflict", "lost")
        print(f"\n{'':12}" + "".join(f"{answer:>10}" for answer in told))
        for kind in [*kinds, None]:
            numbers = [
                answers.counts[kind, answer] if kind else answers.total(answer)
                for answer in told
            ]
            print(f"{kind or 'all':12}" + "".join(f"{n:>10,}" for n in numbers))
        for (kind, answer, reason), number in answers.reasons.most_common(20):
            print(f"  {number:>6,} × {kind} {answer}: {reason}")
        operations = answers.total()
        retries = Counter(RETRIED.findall(self.server.log.read_text()))
        conflicts = answers.total("conflict")
        waits = sorted(answers.waits) or [0]
        print(
            f"\noperations           {operations:,}"
            f"\nseconds              {self.seconds:,.0f}"
            f"\nconcurrency errors   {conflicts:,}"
            f" ({conflicts / max(operations, 1):.3%})"
            f"\nlonger than 5 s      {sum(wait > 5 for wait in waits):,}"
            f"\nseconds, median      {waits[len(waits) // 2]:.2f}"
            f"\nseconds, 99 of 100   {waits[len(waits) * 99 // 100]:.2f}"
            f"\nretried by Odoo      {retries.total():,}"
            f" ({retries['4']:,} once, {retries['3']:,} twice,"
            f" {retries['2']:,} three times, {retries['1']:,} four times)"
            f"\ngiven up by Odoo     {self._count(self.server.log, GIVEN_UP):,}"
            f"\ndeadlocks            {deadlocks:,}"
            f"\nscheduled actions    {dict(self.actions.outcomes())}"
            f"\nwrong                {len(self.found):,}"
        )
        for text in self.found:
            print(f"  WRONG {text}")
        return not self.found

    def close(self):
        self.load.stop()
        self.actions.close()
        self.server.close()

    @staticmethod
    def _count(log, text):
        return len(re.findall(re.escape(text), log.read_text(errors="replace")))
