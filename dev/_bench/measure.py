"""Runs in Odoo's shell: measures, and prints a table."""

import importlib
import json
import statistics
import time
from dataclasses import asdict, dataclass, field

BENCHMARKS = ("payments",)


@dataclass
class Result:
    """Seconds of what is measured, and of what it is measured beside."""

    name: str
    beside: str
    limit: float
    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)

    @property
    def ratio(self):
        return statistics.median(self.ours) / statistics.median(self.theirs)


def clock(env, work):
    """Return the seconds that ``work`` takes, with everything written; undo it."""
    with env.cr.savepoint() as savepoint:
        ready = work.prepare(env)
        env.flush_all()
        env.invalidate_all()
        start = time.perf_counter()
        work.run(env, ready)
        env.flush_all()
        seconds = time.perf_counter() - start
        savepoint.rollback()
    env.invalidate_all()
    return seconds


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
                pair = clock(env, ours), clock(env, theirs)
                if repetition:  # the first one warms up
                    result.ours.append(pair[0])
                    result.theirs.append(pair[1])
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
    line = "{:<44} {:>9} {:>9} {:>7} {:>7}  {}"
    print("\n" + line.format("", "seconds", "beside", "ratio", "limit", "beside what"))
    for result in results:
        print(
            line.format(
                result.name,
                f"{statistics.median(result.ours):.2f}",
                f"{statistics.median(result.theirs):.2f}",
                f"{result.ratio:.2f}",
                f"{result.limit:.2f}" + ("" if result.ratio <= result.limit else " !"),
                result.beside,
            )
        )
