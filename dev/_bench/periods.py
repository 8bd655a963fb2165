"""Due periods granted by the scheduled action, and the same rows in raw SQL."""

from unittest.mock import patch

NUMBER = 100_000


class Due:
    """As many customers with a period that has begun today."""

    def prepare(self, env):
        env.cr.execute(
            """
            CREATE TEMPORARY TABLE bench_account ON COMMIT DROP AS
            WITH template AS (
                SELECT * FROM res_partner WHERE id = %(partner)s
            ), partner AS (
                INSERT INTO res_partner (name, active, type, autopost_bills)
                SELECT 'Customer ' || n, TRUE, 'contact', template.autopost_bills
                  FROM template, generate_series(1, %(number)s) n
                RETURNING id
            ), account AS (
                INSERT INTO helpdesk_incident_account (partner_id, company_id, revision)
                SELECT id, %(company)s, 0 FROM partner
                RETURNING id
            )
            SELECT id FROM account
            """,
            {
                "partner": env.company.partner_id.id,
                "company": env.company.id,
                "number": NUMBER,
            },
        )
        env.cr.execute(
            """
            INSERT INTO helpdesk_incident_allotment
                   (account_id, kind, name, cause_key, date_from, date_to, target,
                    to_grant, granted, used, lapsed, balance)
            SELECT id, 'lifetime', NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0
              FROM bench_account
             UNION ALL
            SELECT id, 'period', 'Standard support (3 months)', 'bench:' || id,
                   CURRENT_DATE, CURRENT_DATE + 29, 10, 10, 0, 0, 0, 0
              FROM bench_account
            """
        )
        env.cr.execute("DROP TABLE bench_account")
        for table in ("account", "allotment", "entry"):
            env.cr.execute(f"ANALYZE helpdesk_incident_{table}")

    def check(self, env):
        env.cr.execute(
            """
            SELECT COUNT(*) FROM helpdesk_incident_allotment m
              JOIN helpdesk_incident_entry e ON e.allotment_id = m.id
             WHERE m.cause_key LIKE 'bench:%' AND m.balance = 10 AND m.to_grant = 0
               AND e.quantity = 10 AND e.cause_key = m.cause_key
            """
        )
        assert env.cr.fetchone() == (NUMBER,)


class Action(Due):
    """The scheduled action, but for its commits: what is measured is rolled back."""

    def run(self, env, _ready):
        def without_commit(cron, *_args, **_options):
            # What a commit does in memory, it does here.
            cron.env.flush_all()
            cron.env.cr.clear()
            return float("inf")

        with patch.object(type(env["ir.cron"]), "_commit_progress", without_commit):
            env["helpdesk.incident.account"]._cron_open_and_close()


class RawSql(Due):
    """Entries inserted, allotments and accounts updated, in three statements."""

    def run(self, env, _ready):
        env.cr.execute(
            """
            INSERT INTO helpdesk_incident_entry
                   (account_id, allotment_id, date, kind, quantity, cause_key,
                    cause_number, name, user_id, create_uid, create_date, write_uid,
                    write_date)
            SELECT account_id, id, date_from, 'period', to_grant, cause_key, 1, name,
                   1, 1, now(), 1, now()
              FROM helpdesk_incident_allotment
             WHERE kind = 'period' AND to_grant <> 0 AND date_from <= CURRENT_DATE
            """
        )
        env.cr.execute(
            """
            UPDATE helpdesk_incident_account a SET revision = revision + 1
              FROM helpdesk_incident_allotment m
             WHERE m.account_id = a.id AND m.kind = 'period' AND m.to_grant <> 0
               AND m.date_from <= CURRENT_DATE
            """
        )
        env.cr.execute(
            """
            UPDATE helpdesk_incident_allotment
               SET granted = granted + to_grant, balance = balance + to_grant,
                   to_grant = 0, write_uid = 1, write_date = now()
             WHERE kind = 'period' AND to_grant <> 0 AND date_from <= CURRENT_DATE
            """
        )


def benchmarks(env):
    yield (
        f"{NUMBER:,} due periods granted",
        "the same rows in raw SQL",
        4,
        Action(),
        RawSql(),
    )
