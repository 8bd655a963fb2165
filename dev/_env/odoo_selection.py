"""A pytest plugin: of what pytest collects, only what Odoo's own loader would run, what
takes long first; and a filestore for each worker."""

import shutil
from collections import Counter
from contextlib import contextmanager
from unittest import mock

import pytest_odoo

from odoo.tools import config as odoo_config

from .databases import copy_filestore, filestore

#: Files with tests that take long, each class of them many times as long as others with
#: as many tests. Were they last, one worker would wait for the other.
LONG = (
    "_model.py",
    "_property.py",
    "_simulation.py",
    "_stress.py",
    "_crash.py",
    "test_charge_money.py",
    "_tours.py",
    "_attack_rpc.py",
    "_ledger_check.py",
    "_concurrency.py",
    "_foreign.py",
)


def pytest_configure(config):
    """Replace what pytest-odoo does with filestores."""
    pytest_odoo._shared_filestore = _own_filestore


@contextmanager
def _own_filestore(original, name):
    """Give the files of a database to the copy that a worker uses.

    Were they shared, as pytest-odoo has it, one worker would clean away what another
    has just written: its database does not know of it.
    """
    if name == original:
        yield
        return
    # One that was killed has left its own behind.
    shutil.rmtree(filestore(name), ignore_errors=True)
    copy_filestore(original, name)
    try:
        # That of any database that a test makes, too: it is a copy.
        with mock.patch.object(
            odoo_config, "filestore", return_value=str(filestore(name))
        ):
            yield
    finally:
        shutil.rmtree(filestore(name), ignore_errors=True)


def pytest_collection_modifyitems(config, items):
    """Drop test classes that a file imports and test methods that a class inherits."""
    dropped = [item for item in items if item.cls and not _is_own(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if not item.cls or _is_own(item)]
    sizes = Counter(map(_scope, items))
    items.sort(key=lambda item: (_rank(item), -sizes[_scope(item)], _scope(item)))


def _scope(item):
    """Return what `--dist loadscope` gives to one worker: a class."""
    return item.nodeid.rpartition("::")[0]


def _rank(item):
    """Return the place of a test's file among those that take long; the others are
    last."""
    for place, ending in enumerate(LONG):
        if item.path.name.endswith(ending):
            return place
    return len(LONG)


def _is_own(item):
    return item.cls.__module__ == item.module.__name__ and (
        item.originalname in vars(item.cls)
        or getattr(item.cls, "allow_inherited_tests_method", False)
    )
