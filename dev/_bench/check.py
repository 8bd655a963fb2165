"""The ledger check over a million entries, and one sum over the same entries."""

from .customers import make_accounts
from .measure import Benchmark, ReadOnly

CUSTOMERS = 100_000
#: Entries of each customer: a gift, a month, what it has lapsed, seven tickets.
ENTRIES = 10


class Healthy:
    """A million entries, and balances that are their sums."""

    def fill(self, env):
        make_accounts(env.cr, env.company, CUSTOMERS)
        env.cr.execute(
            """
            INSERT INTO helpdesk_incident_allotment
                   (account_id, kind, name, cause_key, date_from, date_to, target,
                    to_grant, granted, used, lapsed, balance)
            SELECT id, 'lifetime', NULL, NULL, NULL, NULL, 0, 0, 12, 3, 0, 9 FROM bench
             UNION ALL
            SELECT id, 'period', 'Standard support', 'bench:' || id,
                   CURRENT_DATE - 60, CURRENT_DATE - 31, 10, 0, 10, 4, 6, 0 FROM bench
            """
        )
        env.cr.execute(
            """
            INSERT INTO helpdesk_incident_entry
                   (account_id, allotment_id, date, kind, effect, quantity, cause_key,
                    cause_number, res_model, res_id, name, user_id)
            SELECT bench.id, m.id, CURRENT_DATE - 60 + part.day, part.kind,
                   CASE part.word WHEN 'expiry:' THEN 'lapses'
                        WHEN 'ticket:' THEN 'uses' ELSE 'gives' END,
                   part.quantity,
                   part.word || CASE part.word WHEN 'expiry:' THEN m.id
                                WHEN 'ticket:' THEN bench.id * 10 + part.ticket
                                ELSE bench.id END,
                   1, CASE WHEN part.ticket > 0 THEN 'helpdesk.ticket' END,
                   CASE WHEN part.ticket > 0 THEN bench.id * 10 + part.ticket END,
                   'Bench', 1
              FROM bench
              JOIN helpdesk_incident_allotment m ON m.account_id = bench.id
              JOIN (VALUES
                    ('lifetime', 0, 'adjustment', 12, 'adjustment:', 0),
                    ('period', 0, 'period', 10, 'bench:', 0),
                    ('period', 5, 'deduction', -1, 'ticket:', 1),
                    ('period', 9, 'deduction', -1, 'ticket:', 2),
                    ('period', 12, 'deduction', -1, 'ticket:', 3),
                    ('period', 15, 'deduction', -1, 'ticket:', 4),
                    ('period', 29, 'expiry', -6, 'expiry:', 0),
                    ('lifetime', 40, 'deduction', -1, 'ticket:', 5),
                    ('lifetime', 45, 'deduction', -1, 'ticket:', 6),
                    ('lifetime', 50, 'deduction', -1, 'ticket:', 7)
                   ) AS part(of, day, kind, quantity, word, ticket)
                ON part.of = m.kind
             ORDER BY part.day
            """
        )
        for table in ("account", "allotment", "entry"):
            env.cr.execute(f"ANALYZE helpdesk_incident_{table}")
        env.cr.execute("DROP TABLE bench")
        env.invalidate_all()


class Check(ReadOnly):
    """Every number of the ledger."""

    def run(self, env, _ready):
        assert env["helpdesk.incident.account"]._check_ledger() == []


class Sums(ReadOnly):
    """The balance of each allotment alone."""

    def run(self, env, _ready):
        env.cr.execute(
            """
            SELECT COUNT(*), SUM(balance) FROM (
                SELECT allotment_id, SUM(quantity) AS balance
                  FROM helpdesk_incident_entry GROUP BY 1) AS entry
            """
        )
        assert env.cr.fetchone()[0] >= 2 * CUSTOMERS


def benchmarks(_env):
    books = Healthy()
    yield Benchmark(
        f"ledger check over {CUSTOMERS * ENTRIES:,} entries",
        "one sum over them",
        None,
        Check(books),
        Sums(books),
    )
