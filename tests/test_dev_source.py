"""Which Odoo `dev/test` fetches from Debian's archive."""

import hashlib
import io
import shutil
import subprocess
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock, skipUnless

from odoo.tests import BaseCase, tagged

try:
    from _env import source
except ImportError:  # installed without its developer commands
    source = None

CONTROL = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: Somebody <somebody@example.com>
Description: nothing
"""


@tagged("post_install", "-at_install")
@skipUnless(source, "dev/ is not there")
@skipUnless(shutil.which("apt-get") and shutil.which("dpkg-deb"), "no Debian")
class TestDevSource(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        # An archive that has one package in two versions, and another in a later one.
        cls._publish("sid", ("odoo-19", "1:1-1"), ("odoo-19", "1:2-1"))
        cls._publish("trixie", ("fonts-a", "2-1"), ("fonts-b", "1-1"))

    @classmethod
    def _publish(cls, suite, *packages):
        machine = subprocess.check_output(["dpkg", "--print-architecture"], text=True)
        index = cls.folder / f"archive/dists/{suite}/main/binary-{machine.strip()}"
        index.mkdir(parents=True)
        entries = []
        for number, (name, version) in enumerate(packages):
            content = cls.folder / f"{suite}-{number}"
            control = CONTROL.format(name=name, version=version)
            (content / "DEBIAN").mkdir(parents=True)
            (content / "DEBIAN/control").write_text(control)
            file = cls.folder / f"archive/{suite}-{number}.deb"
            subprocess.check_output(["dpkg-deb", "--build", content, file])
            entries.append(
                f"{control}Filename: {file.name}\nSize: {file.stat().st_size}\n"
                f"SHA256: {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
            )
        (index / "Packages").write_text("\n".join(entries))

    def _download(self, packages):
        """Download packages as Odoo's are.

        :return: name and version of each, and what was said of versions
        """
        made = self.folder / "made"
        archive = f"[trusted=yes] file:{self.folder}/archive"
        with (
            mock.patch.multiple(
                source,
                MADE=made,
                PACKAGES=packages,
                KEYRING=made / "none",
                _mirrors=lambda: [archive],
            ),
            redirect_stdout(io.StringIO()) as said,
        ):
            found = [
                subprocess.check_output(
                    ["dpkg-deb", "--show", "--showformat=${Package} ${Version}", file],
                    text=True,
                )
                for file in source._download()
            ]
        said = said.getvalue().splitlines()
        return found, [line for line in said if line.startswith("! ")]

    def test_tested_version(self):
        """The tested version is taken where there is a later one, too."""
        found, said = self._download(
            {"odoo-19": ("sid", "1:1-1"), "fonts-b": ("trixie", "1-1")}
        )
        self.assertEqual(found, ["odoo-19 1:1-1", "fonts-b 1-1"])
        self.assertFalse(said)

    def test_other_version(self):
        """Where the tested version is gone, the newest is taken and said."""
        found, said = self._download(
            {"odoo-19": ("sid", "1:0-1"), "fonts-a": ("trixie", "1-1")}
        )
        self.assertEqual(found, ["odoo-19 1:2-1", "fonts-a 2-1"])
        self.assertEqual(len(said), 2)
        for line, words in zip(
            said,
            (("sid", "odoo-19 1:2-1", "1:0-1"), ("trixie", "fonts-a 2-1", "1-1")),
            strict=True,
        ):
            for word in words:
                self.assertIn(word, line)
