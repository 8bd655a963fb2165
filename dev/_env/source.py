"""Odoo 19 itself, unpacked from Debian's packages without installing them.

The packages are `Architecture: all` and come from whatever mirror the machine's own
apt uses, verified by apt against the archive's keys, in private folders: neither root
nor a Debian of the same age is needed.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from .console import Stop, digest, output, run, say, step
from .npm import fetch
from .paths import MADE

UNPACKED = MADE / "odoo"
DIST_PACKAGES = UNPACKED / "usr/lib/python3/dist-packages"

# Where each is, and the version that the tests passed with: it is taken as long as the
# archive has it. Debian strips fonts and libraries from Odoo and links to other
# packages instead; they are trixie's because sid's Font Awesome has other file names.
PACKAGES = {
    "odoo-19": ("sid", "19.0.0+dfsg-1"),
    "fonts-font-awesome": ("trixie", "5.0.10+really4.7.0~dfsg-4.1"),
    "fonts-inconsolata": ("trixie", "001.010-6"),
    "fonts-montserrat": ("trixie", "7.222-3"),
    "fonts-ocr-b": ("trixie", "0.3.1~dfsg-1"),
    "fonts-roboto-unhinted": ("trixie", "2:0~20170802-4"),
    "libjs-jquery": ("trixie", "3.6.1+dfsg+~3.5.14-1"),
    "libjs-jquery-form": ("trixie", "12-4"),
    "libjs-underscore": ("trixie", "1.13.4~dfsg+~1.11.4-3"),
}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

# Missing from the package altogether; without it every page of the backend reports a
# JavaScript error, which fails every browser test.
SELFIE = "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
SELFIE_PACKAGE = "@mediapipe/selfie_segmentation@0.1.1675465747"

SPACE_NEEDED = 4_000_000_000


class Odoo:
    """Where Odoo 19 is: its importable folder, its add-ons and its version."""

    def __init__(self, home):
        self.home = home
        # An installed Odoo has all its add-ons in one folder, a source checkout in two.
        self.addons = [home / "odoo/addons"]
        if not (home / "odoo/addons/sale").is_dir():
            self.addons.append(home / "addons")
        try:
            release = (home / "odoo/release.py").read_text()
            found = re.search(r"\nversion_info = \((\d+), (\d+)", release)
        except OSError:
            found = None
        if not found or not (home / "odoo/addons/base").is_dir():
            raise Stop(f"{home} holds no Odoo: no odoo/release.py or odoo/addons/base.")
        if found[1] != "19":
            raise Stop(f"{home} holds Odoo {found[1]}.{found[2]}; Odoo 19 is needed.")

    @property
    def key(self):
        """What changes when this is another Odoo."""
        stamp = self.home / "odoo/release.py"
        return digest(str(self.home), stamp, str(stamp.stat().st_mtime_ns))


def find_or_unpack():
    """Return Odoo 19: the one that ODOO_HOME names, else Debian's, unpacked once."""
    if home := os.environ.get("ODOO_HOME"):
        return Odoo(Path(home).expanduser().resolve())
    stamp = UNPACKED / "made-from"
    wanted = digest(json.dumps(PACKAGES), SELFIE_PACKAGE)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        _unpack()
        stamp.write_text(wanted)
    return Odoo(DIST_PACKAGES)


def _unpack():
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise Stop(
                f"`{tool}` is not on this machine, so Debian's Odoo cannot be fetched:"
                " set ODOO_HOME to a folder that holds Odoo 19."
            )
    MADE.mkdir(exist_ok=True)
    if shutil.disk_usage(MADE).free < SPACE_NEEDED:
        raise Stop(f"The disk that holds {MADE} has less than 4 GB free: make room.")
    new, old = UNPACKED.with_name("odoo.new"), UNPACKED.with_name("odoo.old")
    for path in (new, old):
        shutil.rmtree(path, ignore_errors=True)
    with step("Fetching Odoo 19 from the Debian archive (about 130 MB) …"):
        packages = _download()
    with step("Unpacking it (1.3 GB) …"):
        for package in packages:
            run(
                ["dpkg", "-x", package, new],
                log="unpack",
                failure=f"{package.name} could not be unpacked",
            )
    with step("Fetching a JavaScript library that Debian leaves out …"):
        _add_selfie_segmentation(new / DIST_PACKAGES.relative_to(UNPACKED))
    # A name appears only when all is there: a killed call leaves nothing half-made.
    if UNPACKED.exists():
        UNPACKED.rename(old)
    new.rename(UNPACKED)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(MADE / "apt", ignore_errors=True)


def _download():
    """Download the packages with an apt of our own.

    :return: their files
    """
    apt = MADE / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "packages"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    sources = apt / "sources.list"
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::Lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        # apt's own user may not enter the checkout.
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "3",
        "Acquire::Languages": "none",
    }
    options = [f"--option={name}={value}" for name, value in options.items()]

    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    suites = sorted({suite for suite, _version in PACKAGES.values()})
    failed = None
    for mirror in _mirrors():
        sources.write_text(
            "".join(f"deb {signed}{mirror} {suite} main\n" for suite in suites)
        )
        try:
            run(
                ["apt-get", "--quiet", *options, "--error-on=any", "update"],
                log="apt-update",
                failure="The Debian archive could not be read",
            )
            break
        except Stop as stop:
            failed = failed or stop
    else:
        raise failed or Stop(
            "apt has no Debian archive configured: set ODOO_HOME to a folder that holds"
            " Odoo 19."
        )
    versions = _versions(options)
    # apt picks up a partial download where it stopped and checks a complete one.
    names = [f"{name}={version}" for name, version in versions.items()]
    run(
        ["apt-get", "--quiet", *options, "download", *names],
        log="apt-download",
        failure="Odoo could not be downloaded",
        cwd=apt / "packages",
    )
    return [
        apt / "packages" / f"{name}_{version.replace(':', '%3a')}_all.deb"
        for name, version in versions.items()
    ]


def _versions(options):
    """Return the version to take of each package: the one that is tested, or, said in a
    sentence, the newest one where the archive no longer has that."""
    listed = run(
        ["apt-cache", *options, "madison", *PACKAGES],
        log="apt-versions",
        failure="The Debian archive could not be read",
    )
    # Newest first: odoo-19 | 19.0.0+dfsg-1 | http://… sid/main amd64 Packages
    offered = re.findall(
        r"(?m)^ *(\S+) \| +(\S+) \| \S+ ([^/\s]+)/", listed.read_text()
    )
    versions = {}
    for name, (suite, tested) in PACKAGES.items():
        there = [found for of, found, place in offered if (of, place) == (name, suite)]
        versions[name] = tested if tested in there or not there else there[0]
        if versions[name] != tested:
            say(
                f"! Debian's {suite} has {name} {versions[name]} by now, and no longer"
                f" {tested}, which is tested: that one is taken."
            )
    return versions


def _mirrors():
    """Return the archives that apt is configured with, whatever format says so."""
    try:
        uris = output(["apt-get", "update", "--print-uris"])
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["it does not say why"])[-1]
        raise Stop(f"apt's own configuration does not work: {reason}") from error
    found = re.findall(r"'(\S+)/dists/([^/\s]+)/InRelease'", uris)
    return dict.fromkeys(uri for uri, suite in found if "-" not in suite)


def _add_selfie_segmentation(dist_packages):
    target = dist_packages / SELFIE
    if target.exists():
        return
    package = fetch(SELFIE_PACKAGE)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(package / "selfie_segmentation.js", target)
