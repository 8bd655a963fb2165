"""Runs in Odoo's shell: measures, and prints a table."""

import importlib
import json
import resource
import statistics
import time
from dataclasses import asdict, dataclass, field

BENCHMARKS = ("payments", "periods", "unearned")


@dataclass
class Result:
    """Seconds of what is measured, and of what it is measured beside."""

    name: str
    beside: str
    limit: float
    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)
    #: By how many megabytes the process grew at most while ours was measured, after
    #: the first time.
    memory: float = 0

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)


def clock(env, work):
    """Return the seconds that ``work`` takes, with everything written; undo it.

    Whoever is measured must have done the work: ``work.check`` looks.
    """
    with env.cr.savepoint() as savepoint:
        ready = work.prepare(env)
        env.flush_all()
        env.invalidate_all()
        start = time.perf_counter()
        work.run(env, ready)
        env.flush_all()
        seconds = time.perf_counter() - start
        work.check(env)
        savepoint.rollback()
    env.invalidate_all()
    return seconds


def memory():
    """Return the most memory that this process has had so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(env, only, repetitions, output):
    """Run the benchmarks whose name contains ``only``.

    :return: whether all of them keep their limits.
    """
    results = []
    for module_name in BENCHMARKS:
        module = importlib.import_module(f"_bench.{module_name}")
        for name, beside, limit, ours, theirs in module.benchmarks(env):
            if only not in name:
                continue
            result = Result(name, beside, limit)
            for repetition in range(repetitions + 1):
                print(f"  {name}: {repetition} of {repetitions}", flush=True)
                before = memory()
                pair = clock(env, ours), clock(env, theirs)
                if repetition:  # the first one warms up
                    result.ours.append(pair[0])
                    result.theirs.append(pair[1])
                    result.memory = max(result.memory, memory() - before)
            results.append(result)
    print_table(results)
    with open(output, "w", encoding="utf-8") as file:
        json.dump(
            [{**asdict(result), "ratio": result.ratio} for result in results],
            file,
            indent=2,
        )
    return all(result.ratio <= result.limit for result in results)


def print_table(results):
    """Print a row for each result: medians in seconds, and their ratio."""
    line = "{:<40} {:>8} {:>8} {:>6} {:>6} {:>6}  {}"
    print(
        "\n"
        + line.format("", "seconds", "beside", "ratio", "limit", "MB", "beside what")
    )
    for result in results:
        print(
            line.format(
                result.name,
                f"{statistics.median(result.ours):.2f}",
                f"{statistics.median(result.theirs):.2f}",
                f"{result.ratio:.2f}",
                f"{result.limit:.2f}" + ("" if result.ratio <= result.limit else " !"),
                f"+{result.memory:.0f}",
                result.beside,
            )
        )
