"""A pytest plugin: what makes Odoo's tests quick without changing what they see.

After each test Odoo clears all caches of the registry; the next one looks up again who
may read what, and compiles its pages anew: a quarter of the time. A server that undoes
a transaction clears what the transaction has invalidated (`reset_changes`), and keeps
the rest. So do the tests here: what is cached about records that are gone stays unused,
as their ids never come again.
"""

import gc
import shutil
from collections import defaultdict
from weakref import WeakValueDictionary

import freezegun.api

from odoo.orm.environments import Environment
from odoo.orm.registry import Registry, TriggerTree
from odoo.tests import common
from odoo.tests.common import TransactionCase

from odoo.addons.base.models import res_users

from .programs import SHELL

_clear_cache = Registry.clear_cache
_new_environment = Environment.__new__


def pytest_collection_finish():
    # The registry stays: do not look through it again and again for what is garbage.
    gc.freeze()
    # What a test leaves is a lot, and nearly all of it goes with its last reference.
    gc.set_threshold(15_000, 20, 100)
    # That many rounds protect the passwords of people. Odoo's own tests do without, but
    # for those that commit.
    res_users.MIN_ROUNDS = 1
    # Is asked of each of thousands of modules whenever a test sets the clock.
    freezegun.api._get_module_attributes_hash = _shape
    # Odoo knows browsers with windows only.
    if shutil.which(SHELL):
        common._find_executable = lambda: shutil.which(SHELL)
    Environment.__new__ = new_environment
    Registry.get_trigger_tree = get_trigger_tree
    Registry.clear_cache = clear_cache
    Registry.clear_all_caches = forget_class
    TransactionCase.muted_registry_logger = _Cleanup(
        *TransactionCase.muted_registry_logger.loggers
    )


def _shape(module):
    return f"{id(module)}-{len(vars(module))}"


def new_environment(cls, cr, uid, context, su=False):
    """Look up the environment, instead of comparing with all: a test, which is one
    transaction, has many."""
    transaction = cr.transaction
    try:
        key = (uid, su, frozenset(context.items()))
    except TypeError:  # a list is in it
        transaction = None
    if transaction is None:
        return _new_environment(cls, cr, uid, context, su)
    envs = transaction.envs
    try:
        known = vars(envs)["_by_key"]
    except KeyError:
        known = vars(envs)["_by_key"] = WeakValueDictionary()
    found = known.get(key)
    # What a test has made is no part of the transaction afterwards.
    if found is None or found.cr is not cr or found not in envs:
        found = known[key] = _new_environment(cls, cr, uid, context, su)
    return found


def get_trigger_tree(registry, fields, select=bool):
    """Merge the trees of the same fields once: it is done at nearly every write."""
    triggers = registry._field_triggers
    known = vars(registry).get("_merged_trees")
    if known is None or known[0] is not triggers:  # fields have come or gone
        known = registry._merged_trees = (triggers, {})
    fields = tuple(fields)
    tree = known[1].get(fields)
    if tree is None:
        tree = known[1][fields] = TriggerTree.merge(
            [
                registry.get_field_trigger_tree(field)
                for field in fields
                if field in triggers
            ]
        )
    return _selected(tree, select)


def _selected(tree, select):
    """Return what is left of a tree that was merged, as if it had been merged so."""
    result = TriggerTree([field for field in tree.root if select(field)])
    for label, subtree in tree.items():
        left = _selected(subtree, select)
        if left:
            result[label] = left
    return result


def _since(registry):
    """Return what was invalidated since the class of tests, or the test, began."""
    return vars(registry).setdefault("_invalidated_since", defaultdict(set))


def clear_cache(registry, *names):
    """Clear caches, and note that."""
    for since in ("class", "test"):
        _since(registry)[since].update(names or ("default",))
    _clear_cache(registry, *names)


def forget_class(registry):
    """Clear what a class of tests has invalidated, instead of all."""
    _clear(registry, _since(registry).pop("class", ()))


def _clear(registry, names):
    if names:
        _clear_cache(registry, *names)


class _Cleanup(type(TransactionCase.muted_registry_logger)):
    """What Odoo wraps the cleanup of each test in."""

    def __call__(self, cleanup):
        """Clear what the test that begins invalidates, instead of all."""
        registry = cleanup.__self__
        _since(registry)["test"].clear()

        def forget_test():
            with self:
                _clear(registry, _since(registry)["test"])

        return forget_test
