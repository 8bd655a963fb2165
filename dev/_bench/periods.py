"""Periods granted and closed by the scheduled action, and the same rows in raw SQL."""

from _server import new_database, throw_away

from odoo.sql_db import close_db

from .customers import make_accounts
from .measure import MILLIONS, Benchmark, Figure, clock

DATABASE = throw_away("periods")


class Periods:
    """As many customers with a period: one that has begun today (``due``), or one that
    has ended yesterday, with all of its incidents left, and what was carried over
    (``carried``, R15.3).

    In a database made anew for each measurement: what is written is committed, batch
    by batch, as the scheduled action does.
    """

    def __init__(self, number, due, carried=False):
        self.number = number
        self.due = due
        self.carried = carried

    def prepare(self, env):
        make_accounts(env.cr, env.company, self.number)
        days = 59 if self.carried else 29
        past = 0 if self.due else days + 1
        own = f"CURRENT_DATE - {past} + 29" if self.carried else "NULL::date"
        env.cr.execute(
            f"""
            INSERT INTO helpdesk_incident_allotment
                   (account_id, kind, name, cause_key, date_from, date_period_to,
                    date_to, target, to_grant, granted, used, lapsed, balance)
            SELECT id, 'lifetime', NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0
              FROM bench
             UNION ALL
            SELECT id, 'period', 'Standard support (3 months)', 'bench:' || id,
                   CURRENT_DATE - {past}, {own}, CURRENT_DATE - {past} + {days},
                   {"10, 10, 0, 0, 0, 0" if self.due else "10, 0, 10, 0, 0, 10"}
              FROM bench
            """
        )
        env.cr.execute("DROP TABLE bench")
        for table in ("account", "allotment", "entry"):
            env.cr.execute(f"ANALYZE helpdesk_incident_{table}")

    def measure(self, _env):
        with new_database(DATABASE) as env:
            self.prepare(env)
            env.cr.commit()
            seconds, queries = clock(env, lambda: self.run(env))
            self.check(env)
        close_db(DATABASE)
        return Figure(seconds, queries)

    def run(self, env):
        """Do it, and commit it."""
        raise NotImplementedError

    def check(self, env):
        """Fail if it has not been done."""
        env.cr.execute(
            """
            SELECT COUNT(*) FROM helpdesk_incident_allotment m
              JOIN helpdesk_incident_entry e ON e.allotment_id = m.id
             WHERE m.cause_key LIKE 'bench:%%' AND m.to_grant = 0
               AND m.balance = %(balance)s AND e.kind = %(kind)s
               AND e.quantity = %(quantity)s
            """,
            {"balance": 10, "kind": "period", "quantity": 10}
            if self.due
            else {"balance": 0, "kind": "expiry", "quantity": -10},
        )
        assert env.cr.fetchone() == (self.number,)


class Action(Periods):
    """The scheduled action."""

    def run(self, env):
        env["helpdesk.incident.account"]._cron_open_and_close()


class RawSql(Periods):
    """Entries inserted, allotments and accounts updated, in three statements."""

    def run(self, env):
        if self.due:
            entry = "date_from, 'period', 'gives', to_grant, cause_key"
            numbers = "granted = granted + to_grant, balance = balance + to_grant"
            condition = "to_grant <> 0 AND date_from <= CURRENT_DATE"
        else:
            entry = "date_to, 'expiry', 'lapses', -balance, 'expiry:' || id"
            numbers = "lapsed = lapsed + balance, balance = 0"
            condition = "balance <> 0 AND date_to < CURRENT_DATE"
        env.cr.execute(
            f"""
            INSERT INTO helpdesk_incident_entry
                   (account_id, allotment_id, date, kind, effect, quantity, cause_key,
                    cause_number, name, user_id, create_uid, create_date, write_uid,
                    write_date)
            SELECT account_id, id, {entry}, 1, name, 1, 1, now(), 1, now()
              FROM helpdesk_incident_allotment
             WHERE kind = 'period' AND {condition}
            """
        )
        env.cr.execute(
            f"""
            UPDATE helpdesk_incident_account SET revision = revision + 1
             WHERE id IN (SELECT account_id FROM helpdesk_incident_allotment
                           WHERE kind = 'period' AND {condition})
            """
        )
        env.cr.execute(
            f"""
            UPDATE helpdesk_incident_allotment
               SET {numbers}, to_grant = 0, write_uid = 1, write_date = now()
             WHERE kind = 'period' AND {condition}
            """
        )
        env.cr.commit()


def benchmarks(_env):
    sizes = [
        (100_000, True, False, 99),
        (100_000, False, False, 99),
        (100_000, True, True, 99),
        (100_000, False, True, 99),
    ]
    if MILLIONS:
        sizes.append((1_000_000, True, False, 1))
        sizes.append((1_000_000, False, True, 1))
    for number, due, carried, most in sizes:
        words = "due periods granted" if due else "ended periods closed"
        yield Benchmark(
            f"{number:,} {words}{', carried over' * carried}",
            "the same rows in raw SQL",
            4,
            Action(number, due, carried),
            RawSql(number, due, carried),
            most=most,
        )
