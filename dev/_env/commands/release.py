"""`dev/release`: keep the module as a released version."""

import argparse

from .. import releases
from ..console import say, shown


def main(arguments):
    argparse.ArgumentParser(
        prog="dev/release",
        description="Keep the module in the checkout as the released version that its"
        " manifest names, for dev/test to update from: in dev/releases/.",
    ).parse_args(arguments)
    say(f"  {shown(releases.keep())}")
    return 0
