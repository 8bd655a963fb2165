"""The check that the module comes and goes without a trace."""

import re

from . import module
from .console import Stop, digest, say, step
from .databases import BASE_WITH_DEMO, LIFECYCLE
from .paths import MODULE

COMPLAINT = re.compile(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*$", re.MULTILINE)
# Said on any machine where only root is there to run it.
EXPECTED = "Running as user 'root' is a security risk"

COLUMNS = (
    "SELECT table_name || '.' || column_name FROM information_schema.columns"
    " WHERE table_schema = 'public'"
)
DATA = f"SELECT model || ' ' || name FROM ir_model_data WHERE module = '{MODULE}'"


def check(environment):
    """Install the module with its demo data, uninstall it, and install it again.

    :return: whether that left nothing behind and no complaint in the log
    """
    databases = environment.databases
    databases.base_with_demo()
    key = digest(databases.made_from(BASE_WITH_DEMO), module.key())
    if databases.made_from(LIFECYCLE) == key:
        return True
    try:
        with step("Installing with demo data, uninstalling, installing again …"):
            databases.copy(BASE_WITH_DEMO, LIFECYCLE)
            before = databases.lines(LIFECYCLE, COLUMNS)
            _must_not_complain(databases.install(LIFECYCLE, MODULE))
            _must_not_complain(databases.uninstall(LIFECYCLE))
            left = databases.lines(LIFECYCLE, COLUMNS) - before
            left |= databases.lines(LIFECYCLE, DATA)
            if left:
                raise Stop(f"Uninstalling leaves {', '.join(sorted(left))} behind.")
            _must_not_complain(databases.install(LIFECYCLE, MODULE))
    except Stop as stop:
        say(f"  FAILED: {stop}")
        return False
    databases.set_made_from(LIFECYCLE, key)
    return True


def _must_not_complain(log):
    text = log.read_text(errors="replace")
    complaints = [line for line in COMPLAINT.findall(text) if EXPECTED not in line]
    if complaints:
        raise Stop("\n  ".join(["The log complains:", *complaints]))
