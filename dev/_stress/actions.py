"""A process that runs the scheduled actions, again and again, until it is killed: as
`odoo` does where it serves many databases, without waiting an hour.

Called as ``python -m _stress.actions DATABASE``. It prints what became of each run.
"""

import os
import random
import sys
import time
from contextlib import closing

from psycopg2 import Error, OperationalError

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ConcurrencyError
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect
from odoo.tools import config

ACTIONS = (
    ("helpdesk.incident.account", "_cron_open_and_close"),
    ("helpdesk.incident.account", "_cron_open_and_close"),
    ("helpdesk.ticket", "_cron_parked"),
    ("helpdesk.incident.subscription", "_cron_renew"),
    ("helpdesk.incident.reminder", "_cron_remind"),
    ("helpdesk.incident.outbox", "_cron_print"),
    ("helpdesk.incident.fault", "_cron_retry"),
    ("helpdesk.incident.difference", "_cron_check"),
)


def run(database):
    parent = os.getppid()
    config.parse_config(["--database", database, "--no-http", "--log-level=critical"])
    loaded = False
    while os.getppid() == parent:
        model, method = random.choice(ACTIONS)
        try:
            if not loaded:
                Registry(database)
                loaded = True
            with closing(db_connect(database).cursor()) as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                getattr(env[model], method)()
                env.flush_all()
                cr.commit()
            outcome = "done"
        except (OperationalError, ConcurrencyError) as error:
            outcome = "conflict" if getattr(error, "pgcode", True) else "down"
        except Exception as error:  # noqa: BLE001
            # The database is down: that has no code, and many names.
            down = isinstance(error, Error) and not getattr(error, "pgcode", None)
            outcome = (
                "down"
                if down
                else f"failed {type(error).__name__} {error}".splitlines()[0]
            )
        if outcome == "down":
            close_db(database)
        print(method, outcome, flush=True)
        time.sleep(1)


if __name__ == "__main__":
    run(sys.argv[1])
