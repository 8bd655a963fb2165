"""A pytest plugin: of what pytest collects, only what Odoo's own loader would run."""


def pytest_collection_modifyitems(config, items):
    """Drop test classes that a file imports and test methods that a class inherits."""
    dropped = [item for item in items if item.cls and not _is_own(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if not item.cls or _is_own(item)]


def _is_own(item):
    return item.cls.__module__ == item.module.__name__ and (
        item.originalname in vars(item.cls)
        or getattr(item.cls, "allow_inherited_tests_method", False)
    )
