"""`dev/wheel`: the module and the add-ons of `glue/` as wheels, as OCA's are."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from .. import module
from ..console import run, say, shown, step
from ..paths import CHECKOUT, MODULE


def main(arguments):
    argparse.ArgumentParser(
        prog="dev/wheel",
        description="Build the module and each add-on as a wheel, in dist/.",
    ).parse_args(arguments)
    dist = CHECKOUT / "dist"
    with tempfile.TemporaryDirectory() as folder, step("Building wheels …"):
        # whool takes the folder's name for the module's, and everything in it that git
        # knows for the module: it is given a folder outside the checkout.
        source = Path(folder, MODULE)
        module.copy(source)
        sources = [source]
        for add_on in module.glue():
            sources.append(Path(folder, add_on.name))
            shutil.copytree(add_on, sources[-1], ignore=module.NOT_OF_AN_ADD_ON)
        pip = [sys.executable, "-m", "pip", "wheel", "--no-deps"]
        run(
            [*pip, "--wheel-dir", dist, *sources],
            log="wheel",
            failure="The wheels could not be built",
        )
    say(f"  {', '.join(shown(wheel) for wheel in sorted(dist.glob('*.whl')))}")
    return 0
