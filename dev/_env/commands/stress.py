"""`dev/stress`: everybody at once on one account, and what they work with is killed."""

import argparse
import contextlib
import os
import shutil
import subprocess

from ..console import foreground, is_root, lock, step
from ..databases import STRESS, TEST, copy_filestore, filestore
from ..environment import ready
from ..paths import DEV, VENV
from ..postgres import PROGRAMS, Own
from ..python import site_packages

#: Of each campaign: what ``-n`` counts, and how many.
CAMPAIGNS = {"races": ("operations", 10_000), "crashes": ("kills", 50)}
#: Room for the database and for what a campaign adds.
DISK = "2g"


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/stress",
        description="Work on one account from all sides at once, on a real server with"
        " several workers, and compare the ledger with every answer that was given."
        " `races`: everybody as quickly as they can. `crashes`: meanwhile workers,"
        " scheduled actions and PostgreSQL are killed, and disks run full.",
        allow_abbrev=False,
    )
    parser.add_argument("campaign", choices=CAMPAIGNS)
    parser.add_argument(
        "-n", type=int, help="operations (10,000), or kills (50)", dest="number"
    )
    parser.add_argument("--minutes", type=float, default=60, help="end it then at last")
    parser.add_argument("--workers", type=int, default=4, help="of Odoo")
    parser.add_argument(
        "--actions", type=int, default=3, help="processes that run scheduled actions"
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is random")
    options = parser.parse_args(arguments)
    if options.number is None:
        options.number = CAMPAIGNS[options.campaign][1]
    with lock("stress", "stressing"), ready() as environment:
        environment.databases.test()
        with _cluster(environment) as variables:
            return foreground(
                [
                    *[environment.python, "-m", "_stress", options.campaign],
                    *["--database", STRESS],
                    *[
                        argument
                        for name in ("number", "minutes", "workers", "actions", "seed")
                        for argument in (f"--{name}", str(getattr(options, name)))
                    ],
                ],
                env=variables,
                cwd=DEV,
            )


@contextlib.contextmanager
def _cluster(environment):
    """Provide a PostgreSQL server that may be killed, with the database of the tests.

    Unlike the others it waits for the disk: what it has acknowledged is to be there.

    :return: the environment of those who work with it.
    """
    packages = site_packages(VENV)
    own = Own(packages, "stress")
    _clear_away(own)
    variables = {
        **environment.variables,
        # Its programs are there, too, where the usual server is another one's.
        "PATH": f"{packages / PROGRAMS}{os.pathsep}{environment.variables['PATH']}",
        "PYTHONPATH": f"{environment.variables['PYTHONPATH']}{os.pathsep}{DEV}",
        "PAID_SUPPORT_PACKAGES": str(packages),
    }
    try:
        with step("Copying the database into a PostgreSQL server of its own …"):
            own.start()
            dump = own.folder / "copy.dump"
            subprocess.run(
                ["pg_dump", "--format=custom", "-Z0", "--file", dump, TEST],
                env=variables,
                check=True,
            )
            variables.update(own.variables())
            create = ["createdb", STRESS]
            if disk := _mount(own):
                variables["PAID_SUPPORT_DISK"] = str(disk)
                subprocess.run(
                    [
                        *["psql", "--no-psqlrc", "-q", "-d", "postgres", "-c"],
                        f"CREATE TABLESPACE small LOCATION '{disk}'",
                    ],
                    env=variables,
                    check=True,
                )
                create += ["--tablespace", "small"]
            subprocess.run(create, env=variables, check=True)
            subprocess.run(
                ["pg_restore", "--no-owner", "--jobs=2", "--dbname", STRESS, dump],
                env=variables,
                check=True,
            )
            dump.unlink()
            copy_filestore(TEST, STRESS)
        yield variables
    finally:
        _clear_away(own)


def _mount(own):
    """Give the database a disk of its own, which may run full.

    :return: the folder, None if only root can.
    """
    disk = own.folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", disk]
    if not is_root() or subprocess.run(mount, check=False).returncode:
        return None
    os.chown(disk, own.user.pw_uid, own.user.pw_gid)
    return disk


def _clear_away(own):
    own.stop()
    disk = own.folder / "disk"
    if disk.is_mount():
        subprocess.run(["umount", "--lazy", disk], check=True)
    shutil.rmtree(own.folder, ignore_errors=True)
    shutil.rmtree(filestore(STRESS), ignore_errors=True)
