"""The ledger check over a million entries, with 100,000 payments, and one sum over the
same entries."""

from .customers import make_accounts
from .measure import Benchmark, ReadOnly

CUSTOMERS = 100_000
#: Entries of each customer: what a payment gave, as the first one and as funds added, a
#: month, what it has lapsed, seven tickets.
ENTRIES = 11


class Healthy:
    """A million entries, and balances that are their sums."""

    def fill(self, env):
        make_accounts(env.cr, env.company, CUSTOMERS)
        banks = [("type", "=", "bank"), ("company_id", "=", env.company.id)]
        bank = env["account.journal"].search(banks, limit=1)
        method = bank.inbound_payment_method_line_ids[:1]
        env.cr.execute(
            """
            CREATE TEMPORARY TABLE paid AS
            WITH payment AS (
                INSERT INTO account_payment
                       (company_id, journal_id, payment_method_line_id, partner_id,
                        currency_id, date, amount, amount_company_currency_signed,
                        payment_type, partner_type, state, incident_seen,
                        incident_account_id, incident_partner_id, incident_first_number,
                        incident_first_given, incident_topup_step,
                        incident_topup_number, incident_topup_counted)
                SELECT %(company)s, %(journal)s, %(method)s, partner_id, %(currency)s,
                       CURRENT_DATE, 350, 350, 'inbound', 'customer', 'paid', TRUE,
                       id, partner_id, 6, 6, 100, 2, 350
                  FROM bench
                RETURNING id, incident_account_id
            )
            SELECT * FROM payment
            """,
            {
                "company": env.company.id,
                "journal": bank.id,
                "method": method.id,
                "currency": env.company.currency_id.id,
            },
        )
        env.cr.execute(
            "UPDATE helpdesk_incident_account SET first_payment = 'given' "
            "WHERE id IN (SELECT id FROM bench)"
        )
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
                                WHEN 'first_payment:' THEN paid.id
                                ELSE bench.id END
                             || CASE part.word WHEN 'topup:' THEN %(funds)s ELSE '' END,
                   1, CASE WHEN part.ticket > 0 THEN 'helpdesk.ticket' END,
                   CASE WHEN part.ticket > 0 THEN bench.id * 10 + part.ticket END,
                   'Bench', 1
              FROM bench
              JOIN helpdesk_incident_allotment m ON m.account_id = bench.id
              JOIN paid ON paid.incident_account_id = bench.id
              JOIN (VALUES
                    ('lifetime', 0, 'first_payment', 6, 'first_payment:', 0),
                    ('lifetime', 0, 'topup', 6, 'topup:', 0),
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
            """,
            # The step in units of the currency, and its number
            {"funds": f":{round(100 / env.company.currency_id.rounding)}:2"},
        )
        for table in ("account", "allotment", "entry"):
            env.cr.execute(f"ANALYZE helpdesk_incident_{table}")
        env.cr.execute("ANALYZE account_payment")
        env.cr.execute("DROP TABLE bench, paid")
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
