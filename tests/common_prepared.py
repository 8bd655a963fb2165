"""What most tests begin with, built once and kept in the database that they copy.

``dev/test`` calls :func:`prepare` in that database: each world is built and committed
there, and put to sleep, so that nobody sees it who does not ask for it. A test class
that does wakes it. Any other database, as Odoo's own runner has one, has none to wake:
the same code builds it.
"""

import json

from odoo.models import BaseModel
from odoo.modules.registry import Registry
from odoo.tests.common import get_db_name
from odoo.tools import SQL

#: The parameter of the database that says what is prepared, by the name of the world.
PARAMETER = "helpdesk_paid_support.tests."
#: What no two may have, be they asleep or not, by table.
UNIQUE = {"res_company": "name", "res_users": "login"}


def wake(case, name, above):
    """Set up a test class with a world, if that was prepared.

    :param case: the class, instead of whose own ``setUpClass`` this is
    :param above: the class above which nothing of the world is built: what comes after
        it in the order of inheritance sets itself up
    :return: whether it was; if not, nothing was done
    """
    with Registry(get_db_name()).cursor() as cr:
        cr.execute(
            "SELECT value FROM ir_config_parameter WHERE key = %s", [PARAMETER + name]
        )
        found = cr.fetchone()
    if not found:
        return False
    super(above, case).setUpClass()
    world = json.loads(found[0])
    for table, (active, archived) in world["rows"].items():
        _set_active(case.env.cr, table, active, True)
        _set_active(case.env.cr, table, archived, False)
    for table, names in world["names"].items():
        _rename(case.env.cr, table, names)
    case.env.invalidate_all(flush=False)
    case.registry.clear_cache("stable")
    case.env = case.env(user=world["uid"], context=world["context"])
    for attribute, value in world["attributes"].items():
        setattr(case, attribute, _load(case.env, value))
    return True


def prepare(worlds):
    """Build worlds, commit them, and put them to sleep.

    :param dict worlds: by name, the class whose ``setUpClass`` wakes it, and the method
        that builds it otherwise, after what stands above that class
    """
    for name, (common, build) in worlds.items():
        case = type(f"Prepare{name.title()}", (common,), {})
        with Registry(get_db_name()).cursor() as cr:
            before = _active(cr)
        try:
            super(common, case).setUpClass()
            getattr(case, build)()
            case.env.flush_all()
            world = _put_to_sleep(case, before)
            case.env.cr.execute(
                "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)",
                [PARAMETER + name, json.dumps(world)],
            )
            # Tests forbid it to their own cursor.
            type(case.env.cr).commit(case.env.cr)
        finally:
            case.doClassCleanups()


def _put_to_sleep(case, before):
    """Archive what a test class has built, and undo what it has archived.

    :return: what :func:`wake` needs to know
    """
    cr = case.env.cr
    after = _active(cr)
    rows = {}
    for table, now in after.items():
        was = before[table]
        changed = [row for row in now if now[row] != was.get(row)]
        if changed:
            rows[table] = [
                [row for row in changed if now[row] is value] for value in (True, False)
            ]
            for value in (True, False):
                asleep = [row for row in changed if was.get(row, False) is value]
                _set_active(cr, table, asleep, value)
    names = {}
    for table, column in UNIQUE.items():
        query = SQL("SELECT id, %s FROM %s", *map(SQL.identifier, (column, table)))
        names[table] = {
            row: name for row, name in _rows(cr, query) if row not in before[table]
        }
        _rename(cr, table, {row: f"asleep {row}" for row in names[table]})
    return {
        "rows": rows,
        "names": names,
        "uid": case.env.uid,
        "context": dict(case.env.context),
        "attributes": {
            name: _dump(value)
            for name, value in vars(case).items()
            if isinstance(value, BaseModel | dict)
            and name != "registry_cache_sequences"
        },
    }


def _active(cr):
    """Return whether each record is active, by table."""
    cr.execute(
        """
        SELECT c.table_name FROM information_schema.columns c
          JOIN information_schema.tables t USING (table_schema, table_name)
         WHERE c.table_schema = current_schema AND c.column_name = 'active'
           AND t.table_type = 'BASE TABLE'
        """
    )
    tables = [table for (table,) in cr.fetchall()]
    return {
        table: dict(_rows(cr, SQL("SELECT id, active FROM %s", SQL.identifier(table))))
        for table in tables
    }


def _rows(cr, query):
    cr.execute(query)
    return cr.fetchall()


def _set_active(cr, table, ids, active):
    if ids:
        table = SQL.identifier(table)
        cr.execute(
            SQL("UPDATE %s SET active = %s WHERE id = ANY(%s)", table, active, ids)
        )


def _rename(cr, table, names):
    """Set what no two may have, by id."""
    table, column = SQL.identifier(table), SQL.identifier(UNIQUE[table])
    for row, name in names.items():
        cr.execute(
            SQL("UPDATE %s SET %s = %s WHERE id = %s", table, column, name, int(row))
        )


def _dump(value):
    """Return records, or a dict of them, as JSON has it."""
    if isinstance(value, dict):
        return {key: _dump(record) for key, record in value.items()}
    return [value._name, value.ids]


def _load(env, value):
    if isinstance(value, dict):
        return {key: _load(env, record) for key, record in value.items()}
    model, ids = value
    return env[model].browse(ids)
