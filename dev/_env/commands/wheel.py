"""`dev/wheel`: the module as a wheel, as OCA's are."""

import argparse
import sys
import tempfile
from pathlib import Path

from .. import module
from ..console import run, say, shown, step
from ..paths import CHECKOUT, MODULE


def main(arguments):
    argparse.ArgumentParser(
        prog="dev/wheel", description="Build the module as a wheel, in dist/."
    ).parse_args(arguments)
    dist = CHECKOUT / "dist"
    with tempfile.TemporaryDirectory() as folder, step("Building a wheel …"):
        # whool takes the folder's name for the module's, and everything in it that git
        # knows for the module: it is given a folder outside the checkout.
        source = Path(folder, MODULE)
        module.copy(source)
        pip = [sys.executable, "-m", "pip", "wheel", "--no-deps"]
        run(
            [*pip, "--wheel-dir", dist, source],
            log="wheel",
            failure="The wheel could not be built",
        )
    say(f"  {', '.join(shown(wheel) for wheel in sorted(dist.glob('*.whl')))}")
    return 0
