"""A pytest plugin: of what pytest collects, only what Odoo's own loader would run, what
takes long first (last with ``-x``); and a filestore for each worker."""

import json
import shutil
from collections import Counter
from contextlib import contextmanager
from unittest import mock

import pytest
import pytest_odoo

from odoo.tools import config as odoo_config

from .databases import copy_filestore, filestore
from .paths import ADDONS, DEV, MADE, MODULE

#: How many seconds each class took when all tests were run last, and where that is not
#: known, when somebody has copied it: continuous integration begins with nothing.
DURATIONS = MADE / "durations.json"
ROUGHLY = DEV / "durations.json"


def pytest_configure(config):
    """Replace what pytest-odoo does with filestores; time all tests together."""
    pytest_odoo._shared_filestore = _own_filestore
    suite = str(ADDONS / MODULE / "tests")
    if config.args == [suite] and not config.option.keyword and not _is_worker(config):
        config.pluginmanager.register(Clock())


def _is_worker(config):
    return hasattr(config, "workerinput")


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
    # Were those that take long last, one worker would wait for the other. Whoever stops
    # at the first failure begins with the quick ones.
    sign = 1 if config.option.maxfail else -1
    known = _durations()
    sizes = Counter(_scope(item.nodeid) for item in items)
    items.sort(
        key=lambda item: (
            sign * known.get(_scope(item.nodeid), sizes[_scope(item.nodeid)]),
            _scope(item.nodeid),
        )
    )


def _durations():
    for path in (DURATIONS, ROUGHLY):
        if path.is_file():
            return json.loads(path.read_text())
    return {}


def _scope(nodeid):
    """Return what `--dist loadscope` gives to one worker: a class, with its file."""
    return nodeid.rpartition("::")[0].rpartition("/")[2]


class Clock:
    """Keeps how long each class has taken."""

    def __init__(self):
        self.seconds = Counter()

    def pytest_runtest_logreport(self, report):
        self.seconds[_scope(report.nodeid)] += report.duration

    def pytest_sessionfinish(self, exitstatus):
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            seconds = {
                scope: round(seconds) for scope, seconds in self.seconds.most_common()
            }
            DURATIONS.write_text(json.dumps(seconds, indent=1) + "\n")


def _is_own(item):
    return item.cls.__module__ == item.module.__name__ and (
        item.originalname in vars(item.cls)
        or getattr(item.cls, "allow_inherited_tests_method", False)
    )
