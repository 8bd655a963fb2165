"""The check that the data of the released versions survives the update."""

import re

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
    # A row of its own by now.
    "res_company.incident_low_threshold": None,
}
# What the scripts change in what users may have changed, as it stands in a value, and
# what is compared instead, before and after.
CHANGED = {
    "mail_template.subject": [(" or '0'", "")],
    "mail_template.body_html": [
        (r""" <t t-out=\\+"object\.differences or ''\\+"></t>""", ""),
        (r"object\.subscription_id\.period_balance", "object.quantity"),
    ],
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
# What a customer has in a company and its branches: the same before and after accounts
# of branches became one with those of their root companies (R2.3).
FACTS = """
WITH held AS (
    SELECT m.*, m.id AS allotment_id, a.partner_id,
           split_part(c.parent_path, '/', 1) AS root
      FROM helpdesk_incident_allotment m
      JOIN helpdesk_incident_account a ON a.id = m.account_id
      JOIN res_company c ON c.id = a.company_id
)
SELECT concat_ws(' ', 'holds', partner_id, root, kind, date_from, date_to, SUM(target),
                 SUM(granted), SUM(used), SUM(lapsed), SUM(balance))
  FROM held GROUP BY partner_id, root, kind, date_from, date_to
 UNION
SELECT concat_ws(' ', 'entry', e.id, partner_id, root, held.kind, date_from, e.date,
                 e.kind, e.quantity, e.ticket_id, e.res_model, e.res_id, e.name)
  FROM helpdesk_incident_entry e JOIN held USING (allotment_id)
 UNION
SELECT concat_ws(' ', 'paid', p.id, partner_id, root, held.kind, date_from, p.date,
                 p.sale_line_id, p.quantity, p.withdrawn, p.amount)
  FROM helpdesk_incident_purchase p JOIN held USING (allotment_id)
 UNION
SELECT concat_ws(' ', t.name, t.id, a.partner_id, split_part(c.parent_path, '/', 1))
  FROM (SELECT 'subscription' AS name, id, account_id
          FROM helpdesk_incident_subscription
         UNION SELECT 'line', id, incident_account_id FROM sale_order_line
         UNION SELECT 'payment', id, incident_account_id FROM account_payment
         UNION SELECT 'reminder', id, account_id FROM helpdesk_incident_reminder) t
  JOIN helpdesk_incident_account a ON a.id = t.account_id
  JOIN res_company c ON c.id = a.company_id
"""
# The columns that this writes, of the rows of these customers: "table.column row".
BRANCHES = """
WITH account AS (
    SELECT a.id FROM helpdesk_incident_account a
     WHERE a.partner_id IN (SELECT own.partner_id FROM helpdesk_incident_account own
                              JOIN res_company c ON c.id = own.company_id
                             WHERE c.parent_id IS NOT NULL)
), row AS (
    SELECT 'helpdesk_incident_account' AS name, id, NULL AS columns FROM account
     UNION ALL
    SELECT 'helpdesk_incident_allotment', id,
           CASE kind WHEN 'period' THEN ARRAY['account_id'] END
      FROM helpdesk_incident_allotment WHERE account_id IN (SELECT id FROM account)
     UNION ALL
    SELECT 'helpdesk_incident_entry', id,
           ARRAY['account_id', 'allotment_id', 'cause_key', 'cause_number']
      FROM helpdesk_incident_entry WHERE account_id IN (SELECT id FROM account)
     UNION ALL
    SELECT 'helpdesk_incident_purchase', p.id, ARRAY['allotment_id']
      FROM helpdesk_incident_purchase p
      JOIN helpdesk_incident_allotment m ON m.id = p.allotment_id
     WHERE m.account_id IN (SELECT id FROM account)
     UNION ALL
    SELECT 'helpdesk_incident_subscription', id, ARRAY['account_id']
      FROM helpdesk_incident_subscription WHERE account_id IN (SELECT id FROM account)
     UNION ALL
    SELECT 'helpdesk_incident_reminder', id, ARRAY['account_id', 'key']
      FROM helpdesk_incident_reminder WHERE account_id IN (SELECT id FROM account)
     UNION ALL
    SELECT 'sale_order_line', id, ARRAY['incident_account_id']
      FROM sale_order_line WHERE incident_account_id IN (SELECT id FROM account)
     UNION ALL
    SELECT 'account_payment', id, ARRAY['incident_account_id']
      FROM account_payment WHERE incident_account_id IN (SELECT id FROM account)
)
SELECT row.name || '.' || a.attname || ' ' || row.id
  FROM row
  JOIN pg_attribute a ON a.attrelid = row.name::regclass AND a.attnum > 0
   AND (row.columns IS NULL OR a.attname = ANY(row.columns))
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
            merged = databases.lines(released, BRANCHES)
            after = _values(databases, updated, still) - new
            _must_be_same(
                _without(merged, map(_without_changed, before))
                | databases.lines(released, FACTS),
                _without(merged, map(_without_changed, after))
                | databases.lines(updated, FACTS),
            )
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


def _without(columns, lines):
    return {line for line in lines if line.split(": ", 1)[0] not in columns}


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


def _without_changed(line):
    for pattern, instead in CHANGED.get(line.split(" ", 1)[0], ()):
        line = re.sub(pattern, instead, line)
    return line


def _moved(line):
    column, rest = line.split(" ", 1)
    column = MOVED.get(column, column)
    return column and f"{column} {rest}"
