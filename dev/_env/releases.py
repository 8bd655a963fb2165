"""The released versions, kept so that updating from them can be checked.

Each is the code of the module in `dev/releases/VERSION.tar.xz`. Git may not have it: a
clone can be shallow, or without tags. Nor would data do in its place: its numbers of
models, fields and views are those of one build of Odoo.
"""

import ast
import io
import re
import shutil
import tarfile

from . import module
from .console import Stop, digest
from .paths import CHECKOUT, DEV, MADE, MODULE

FOLDER = DEV / "releases"
UNPACKED = MADE / "releases"
# What has no part in installing and updating.
LEFT_OUT = re.compile(r"(tests|i18n|static/description|static/tests)/|.*\.md$")


def version():
    """Return the version of the module in the checkout."""
    manifest = (CHECKOUT / "__manifest__.py").read_text()
    return ast.literal_eval(manifest)["version"]


def kept():
    """Return the archives of the released versions, oldest first."""

    def numbers(path):
        return [int(number) for number in re.findall(r"\d+", path.name)]

    return sorted(FOLDER.glob("*.tar.xz"), key=numbers)


def keep():
    """Write the archive of the version in the checkout.

    The same code gives the same file.
    """
    target = FOLDER / f"{version()}.tar.xz"
    FOLDER.mkdir(exist_ok=True)
    new = target.with_suffix(".new")
    with tarfile.open(new, "w:xz", preset=9) as archive:
        for path in module.files():
            if not LEFT_OUT.match(path):
                content = (CHECKOUT / path).read_bytes()
                entry = tarfile.TarInfo(path)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    new.replace(target)
    return target


def unpack(archive):
    """Return a folder of modules which holds a released version."""
    folder = UNPACKED / digest(archive)
    if not folder.is_dir():
        new = folder.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        (new / MODULE).mkdir(parents=True)
        try:
            with tarfile.open(archive) as content:
                for entry in content:
                    target = new / MODULE / entry.name
                    if not (entry.isfile() and target.resolve().is_relative_to(new)):
                        raise Stop(f"{archive.name} holds more than a module's files.")
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.extractfile(entry).read())
        except tarfile.TarError as error:
            raise Stop(f"{archive.name} is damaged: {error}.") from error
        new.rename(folder)
    return folder
