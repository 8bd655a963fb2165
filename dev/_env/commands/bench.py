"""`dev/bench`: the benchmarks, as a table."""

import argparse

from ..console import lock, say, shown, step
from ..databases import TEST, THROW_AWAY
from ..environment import ready
from ..paths import DEV, MADE


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/bench",
        description="Measure the module beside its peers, interleaved, and print the"
        " medians as a table. Fails when one does not keep its limit.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "only", nargs="?", default="", help="only benchmarks with this in their name"
    )
    parser.add_argument(
        "-n", type=int, default=5, help="repetitions of each, after one to warm up"
    )
    options = parser.parse_args(arguments)
    output = MADE / "bench.json"
    with ready() as environment, lock("test", "testing"):
        databases = environment.databases
        databases.drop_throw_away()
        databases.test()
        database = f"{THROW_AWAY}_bench"
        with step("Copying the database, with sale_loyalty and payment_demo …"):
            databases.copy(TEST, database)
            databases.install(database, "sale_loyalty", "payment_demo")
        environment.variables["PAID_SUPPORT_TEMPLATE"] = TEST
        code = databases.shell(
            database,
            f"import os, sys; sys.path.insert(0, {str(DEV)!r})\n"
            "from _bench.measure import run\n"
            f"good = run(env, {options.only!r}, {options.n}, {str(output)!r})\n"
            "sys.stdout.flush(); os._exit(0 if good else 1)\n",
        )
        databases.drop_throw_away()
    say(f"\nEvery figure: {shown(output)}")
    return code
