"""The check that the data of the released versions survives the update."""

from . import lifecycle, module, releases
from .console import Stop, digest, say, step
from .databases import BASE, RELEASED, UPDATED
from .paths import DEV, MODULE

FILL, CHECK = DEV / "_upgrade/fill.py", DEV / "_upgrade/check.py"

# Columns that a migration script renames or drops, old and new as "table.column", None
# for what goes. Of all others each value must be the same after the update.
MOVED = {
    "helpdesk_ticket.incident_hold": "helpdesk_ticket.incident_parking",
    "helpdesk_ticket.incident_hold_date": "helpdesk_ticket.incident_parked_date",
}

# Every table in which the module has columns, those between many and many included; and
# what comes with it and users may change, and what they are told.
TABLES = f"""
SELECT relname FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
   AND (relname IN ('ir_cron', 'mail_message', 'mail_template')
        OR relname IN (SELECT unnest(ARRAY[replace(field.model, '.', '_'),
                                           field.relation_table])
                         FROM ir_model_fields field
                         JOIN ir_model_data data ON data.res_id = field.id
                        WHERE data.model = 'ir.model.fields'
                          AND data.module = '{MODULE}' AND field.store))
"""
# A line for each value: the column, the row, what is in it. Rows may be written again.
VALUES = """
SELECT '{table}.' || key || ' ' || COALESCE(content ->> 'id', content::text)
       || ': ' || to_json(COALESCE(value, ''))
  FROM (SELECT to_jsonb(row) - '{{write_date,write_uid}}'::text[] AS content
          FROM "{table}" AS row) AS row,
       jsonb_each_text(content)
"""
# The rows that came with the module itself, as above, and what their history says.
OWN = f"""
SELECT replace(model, '.', '_') || '.id ' || res_id || ': ' || to_json(res_id::text)
  FROM ir_model_data WHERE module = '{MODULE}'
 UNION
SELECT 'mail_message.id ' || message.id || ': ' || to_json(message.id::text)
  FROM mail_message message
  JOIN ir_model_data data
    ON data.model = message.model AND data.res_id = message.res_id
   AND data.module = '{MODULE}'
"""
SHOWN = 10


def check(environment):
    """Update a database of each released version to the module in the checkout.

    :return: whether the data is the same as before, and works, and the module can go
    """
    for archive in releases.kept():
        try:
            _check(environment, archive)
        except Stop as stop:
            say(f"  FAILED: {stop}")
            return False
    return True


def _check(environment, archive):
    databases = environment.databases
    version = archive.name.removesuffix(".tar.xz")
    released, updated = f"{RELEASED}_{version}", f"{UPDATED}_{version}"
    databases.base()
    key = digest(databases.made_from(BASE), archive, FILL)
    if databases.made_from(released) != key:
        with step(f"Filling a database with version {version} …"):
            _release(environment, archive, released)
        databases.set_made_from(released, key)
    key = digest(key, module.key(), CHECK, DEV / "_env/upgrade.py")
    if databases.made_from(updated) != key:
        with step(f"Updating it from version {version} …"):
            databases.copy(released, updated)
            tables = databases.lines(released, TABLES)
            before = _values(databases, released, tables)
            lifecycle.must_not_complain(databases.update(updated, MODULE))
            still = tables & databases.lines(updated, TABLES)
            new = databases.lines(updated, OWN) - databases.lines(released, OWN)
            _must_be_same(before, _values(databases, updated, still) - new)
            _run(databases, updated, "check", "The data does not work after it.")
        with step("Uninstalling it from that data …"):
            lifecycle.must_not_complain(databases.uninstall(updated))
        databases.set_made_from(updated, key)


def _release(environment, archive, name):
    """Make a database with a released version, filled by its own code."""
    folder = releases.unpack(archive)
    databases = environment.with_modules("released", folder).databases
    databases.copy(BASE, name)
    databases.install(name, MODULE)
    _run(databases, name, "fill", f"{archive.name} could not be filled with data.")


def _run(databases, name, script, failure):
    code = databases.shell(
        name,
        f"import os, sys, traceback; sys.path.insert(0, {str(DEV)!r})\n"
        "try:\n"
        f"    from _upgrade.{script} import {script}; {script}(env); code = 0\n"
        "except Exception:\n"
        "    traceback.print_exc(); code = 1\n"
        "\n"
        "sys.stdout.flush(); sys.stderr.flush(); os._exit(code)\n",
    )
    if code:
        raise Stop(failure)


def _values(databases, name, tables):
    query = " UNION ALL ".join(VALUES.format(table=table) for table in sorted(tables))
    return databases.lines(name, query)


def _must_be_same(before, after):
    expected = {_moved(line) for line in before} - {None}
    wrong = expected - after
    # New columns may come with an update, but no rows, those of new data apart.
    wrong |= {line for line in after - expected if line.split(" ")[0].endswith(".id")}
    if wrong:
        shown = sorted(wrong, key=lambda line: (line.endswith(': ""'), line))[:SHOWN]
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        lines = "\n  ".join([*shown, *more])
        raise Stop(f"The update loses or changes data:\n  {lines}")


def _moved(line):
    column, rest = line.split(" ", 1)
    column = MOVED.get(column, column)
    return column and f"{column} {rest}"
