"""Runs in Odoo's shell: measures, and prints a table."""

import importlib
import json
import os
import resource
import statistics
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

BENCHMARKS = (
    "tickets",
    "loyalty",
    "verbs",
    "periods",
    "orders",
    "payments",
    "openings",
    "pages",
    "unearned",
    "check",
    "portal",
    "client_area",
    "workers",
    "installing",
)

#: What is measured in millions takes minutes to make ready: it is asked for.
MILLIONS = os.environ.get("PAID_SUPPORT_MILLIONS")
#: How long one benchmark is repeated at most, in seconds, once it has been done twice
#: after warming up: what takes so long differs little from time to time.
LONG = 40

LINE = "{:<52} {:>9} {:>9} {:>6} {:>6} {:>9} {:>6} {:>5} {:>6}  {}"
HEADER = LINE.format(
    "",
    *("ours", "beside", "ratio", "limit", "queries", "MB", "times", "took"),
    "beside what",
)


@dataclass
class Benchmark:
    """Something, and what it is measured beside.

    ``ours`` and ``theirs`` have a method ``measure(env)``, which returns a
    :class:`Figure`.
    """

    name: str
    beside: str
    #: How many times what it is measured beside it may take, None: it is reported.
    limit: float | None
    ours: object
    theirs: object
    #: Repetitions in which it is measured at most: of what takes minutes, some will do.
    most: int = 99
    unit: str = "s"


@dataclass
class Figure:
    """What one measurement has shown."""

    value: float
    #: SQL queries, where they are counted.
    queries: int | None = None


@dataclass
class Result:
    """The figures of a benchmark."""

    name: str
    beside: str
    limit: float | None
    unit: str
    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)
    #: SQL queries of the last repetition, of both.
    queries: list = field(default_factory=list)
    #: How long measuring it has taken, in seconds.
    took: float = 0
    #: By how many megabytes the process grew at most while ours was measured, after
    #: the first time.
    memory: float = 0

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def good(self):
        return self.limit is None or self.ratio <= self.limit


class Work:
    """Work in one transaction, which is undone.

    Subclasses say what is made ready, what is measured, and how one sees that it has
    been done.
    """

    def prepare(self, env):
        """Return what :meth:`run` needs."""

    def run(self, env, ready):
        """Do it."""
        raise NotImplementedError

    def check(self, env):
        """Fail if it has not been done."""

    def measure(self, env):
        """Return the seconds that :meth:`run` takes, with everything written."""
        with env.cr.savepoint() as savepoint:
            ready = self.prepare(env)
            env.cr.flush()
            env.invalidate_all()
            seconds, queries = clock(env, lambda: self.run(env, ready))
            self.check(env)
            savepoint.rollback()
        env.cr.clear()
        return Figure(seconds, queries)


class ReadOnly(Work):
    """Work that changes nothing, on books that are filled once for both sides and all
    repetitions, and forgotten in the end.

    :param books: an object with a method ``fill(env)``.
    """

    def __init__(self, books):
        self.books = books

    def measure(self, env):
        if not getattr(self.books, "filled", None):
            self.books.fill(env)
            self.books.filled = env.cr
        env.cr.clear()
        seconds, queries = clock(env, lambda: self.run(env, None))
        return Figure(seconds, queries)

    def close(self):
        if self.books.filled:
            self.books.filled.rollback()
            self.books.filled = None


class OneByOne(Work):
    """Work that is done for each of what is ready as in a request of its own: nothing
    is cached, and what a commit does to the records is done each time."""

    def make_one_ready(self, env, item):
        """Read what a request has read by then."""

    def run_one(self, env, item):
        """Do it once."""
        raise NotImplementedError

    def measure(self, env):
        with env.cr.savepoint() as savepoint:
            ready = self.prepare(env)
            env.cr.flush()
            env.cr.clear()
            all_seconds = []
            for item in ready:
                self.make_one_ready(env, item)
                seconds, queries = clock(env, partial(self.run_one, env, item))
                all_seconds.append(seconds)
                env.cr.clear()
            self.check(env)
            savepoint.rollback()
        env.cr.clear()
        return Figure(statistics.median(all_seconds), queries)


def clock(env, work):
    """Return the seconds and the queries that ``work`` takes, with all that is written
    before a commit."""
    before = env.cr.sql_log_count
    start = time.perf_counter()
    work()
    env.cr.flush()
    return time.perf_counter() - start, env.cr.sql_log_count - before


def memory():
    """Return the most memory that this process has had so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(env, only, repetitions, output):
    """Run the benchmarks whose name contains ``only``: a row is printed and kept as
    soon as it is measured.

    :param output: a file. It keeps the last figures of each benchmark, of earlier runs,
        too.
    :return: whether all of them keep their limits.
    """
    good = True
    started = time.perf_counter()
    print(f"\n{HEADER}", flush=True)
    for module_name in BENCHMARKS:
        module = importlib.import_module(f"_bench.{module_name}")
        for benchmark in module.benchmarks(env):
            if only in f"{module_name} {benchmark.name}":
                result = measure(env, benchmark, repetitions)
                print(row(result), flush=True)
                keep(result, output)
                good &= result.good
    print(f"\n{(time.perf_counter() - started) / 60:.0f} minutes", flush=True)
    return good


def measure(env, benchmark, repetitions):
    """Measure both sides of a benchmark in turns, after once to warm up.

    :rtype: Result
    """
    result = Result(benchmark.name, benchmark.beside, benchmark.limit, benchmark.unit)
    started = time.perf_counter()
    for repetition in range(min(repetitions, benchmark.most) + 1):
        if repetition > 2 and time.perf_counter() - started > LONG:
            break
        before = memory()
        ours = benchmark.ours.measure(env)
        grown = memory() - before
        theirs = benchmark.theirs.measure(env)
        if repetition:
            result.ours.append(ours.value)
            result.theirs.append(theirs.value)
            result.queries = [ours.queries, theirs.queries]
            result.memory = max(result.memory, grown)
    result.took = time.perf_counter() - started
    for side in (benchmark.ours, benchmark.theirs):
        getattr(side, "close", lambda: None)()
    return result


def keep(result, output):
    """Write the figures of a benchmark to a file, in place of its earlier ones. Whoever
    interrupts a run loses nothing."""
    output = Path(output)
    kept = json.loads(output.read_text()) if output.is_file() else []
    kept = [other for other in kept if other["name"] != result.name]
    kept.append({**asdict(result), "ratio": result.ratio})
    written = output.with_suffix(".new")
    written.write_text(json.dumps(kept, indent=2))
    written.replace(output)


def row(result):
    """Return the row of a result: medians, and their ratio."""
    return LINE.format(
        result.name,
        shown(statistics.median(result.ours), result.unit),
        shown(statistics.median(result.theirs), result.unit),
        f"{result.ratio:.2f}",
        ("" if result.limit is None else f"{result.limit:.2f}")
        + ("" if result.good else " !"),
        "/".join("–" if n is None else str(n) for n in result.queries),
        f"+{result.memory:.0f}",
        f"{len(result.ours)}",
        f"{result.took:.0f} s",
        result.beside,
    )


def shown(value, unit):
    """Return a figure as a person reads it."""
    if unit == "s" and value < 1:
        return f"{value * 1000:.2f} ms"
    return f"{value:.2f} {unit}"
