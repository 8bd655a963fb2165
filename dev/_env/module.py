"""The module in the checkout, which holds other things as well."""

import os
import shutil

from .console import digest
from .paths import CHECKOUT

# Folders of the checkout that are not the module's. Nor is what starts with a dot.
NOT_THE_MODULE = {"build", "dev", "dist", "docs", "glue"}
# Nor are these of an add-on in `glue/`.
NOT_OF_AN_ADD_ON = shutil.ignore_patterns("__pycache__", ".*")


def files(checkout=CHECKOUT):
    """Return the files of the module, as sorted paths in the checkout."""
    found = []
    for folder, folders, names in os.walk(checkout):
        at_root = folder == str(checkout)
        folders[:] = [
            name
            for name in folders
            if name != "__pycache__"
            and not name.startswith(".")
            and not (at_root and name in NOT_THE_MODULE)
        ]
        found += [
            os.path.relpath(os.path.join(folder, name), checkout)
            for name in names
            if not name.startswith(".")
        ]
    return sorted(found)


def glue(checkout=CHECKOUT):
    """Return the folders of the add-ons that connect the module with others."""
    return sorted(path.parent for path in checkout.glob("glue/*/__manifest__.py"))


def copy(folder, checkout=CHECKOUT):
    """Copy the module's files, and nothing else of the checkout, into a new folder."""
    for path in files(checkout):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(checkout / path, folder / path)


def key():
    """Return what changes when a database with the module in it is out of date."""
    parts = []
    for path in files():
        if not path.startswith(f"tests{os.sep}") and not path.endswith(".md"):
            parts += [path, CHECKOUT / path]
    return digest(*parts)
