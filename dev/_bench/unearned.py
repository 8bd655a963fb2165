"""What is unearned as of a past day, and one window function over the same entries."""

from datetime import date, timedelta

from .customers import make_accounts
from .measure import Benchmark, ReadOnly

CUSTOMERS = 100_000
#: Entries of each customer: a gift, a purchase, a month, what it has lapsed, six
#: tickets. Of every twentieth customer, one ticket has returned what it took.
ENTRIES = 10
TODAY = date.today()


class Books:
    """A million entries, and what was paid for them."""

    def fill(self, env):
        plan = env["product.product"].create(
            {
                "name": "Pack of 10",
                "type": "service",
                "list_price": 50,
                "incident_kind": "lifetime",
                "incident_quantity": 10,
            }
        )
        order = env["sale.order"].create(
            {
                "partner_id": env.company.partner_id.id,
                "order_line": [(0, 0, {"product_id": plan.id})],
            }
        )
        env.flush_all()
        values = {
            "number": CUSTOMERS,
            "line": order.order_line.id,
            "start": TODAY - timedelta(days=90),
        }
        columns = ", ".join(
            field.name
            for field in env["sale.order.line"]._fields.values()
            if field.store and field.column_type and field.name != "id"
        )
        make_accounts(env.cr, env.company, CUSTOMERS)
        env.cr.execute("ALTER TABLE bench ADD COLUMN line_id int")
        env.cr.execute(
            f"""
            WITH line AS (
                INSERT INTO sale_order_line ({columns})
                SELECT {columns} FROM sale_order_line, generate_series(1, %(number)s)
                 WHERE id = %(line)s
                RETURNING id
            ), numbered AS (
                SELECT id, row_number() OVER () AS n FROM line
            )
            UPDATE bench SET line_id = numbered.id
              FROM numbered WHERE numbered.n = bench.n
            """,
            values,
        )
        env.cr.execute(
            """
            INSERT INTO helpdesk_incident_allotment
                   (account_id, kind, name, cause_key, date_from, date_to, target,
                    to_grant, granted, used, lapsed, balance)
            SELECT id, 'lifetime', NULL, NULL, NULL, NULL, 0, 0, 12, 3, 0, 9 FROM bench
             UNION ALL
            SELECT id, 'period', 'Standard support', 'bench:' || id,
                   %(start)s, %(start)s + 29, 10, 0, 10, 3, 7, 0 FROM bench
            """,
            values,
        )
        env.cr.execute(
            """
            INSERT INTO helpdesk_incident_entry
                   (account_id, allotment_id, date, kind, effect, quantity, cause_key,
                    cause_number, name, user_id)
            SELECT bench.id, m.id, %(start)s + part.day, part.kind,
                   CASE WHEN part.kind = 'expiry' THEN 'lapses'
                        WHEN part.kind IN ('deduction', 'return') THEN 'uses'
                        ELSE 'gives' END, part.quantity,
                   CASE part.kind WHEN 'purchase' THEN 'sale_line:' || bench.line_id
                        ELSE part.key || bench.id END, part.number, 'Bench', 1
              FROM bench
              JOIN helpdesk_incident_allotment m ON m.account_id = bench.id
              JOIN (VALUES
                    ('lifetime', 0, 'topup', 2, 'topup:', 1),
                    ('lifetime', 1, 'purchase', 10, '', 1),
                    ('period', 0, 'period', 10, 'bench:', 1),
                    ('period', 5, 'deduction', -1, 'ticket:1:', 1),
                    ('period', 9, 'deduction', -1, 'ticket:2:', 1),
                    ('period', 12, 'deduction', -1, 'ticket:3:', 1),
                    ('period', 29, 'expiry', -7, 'expiry:', 1),
                    ('lifetime', 40, 'deduction', -1, 'ticket:4:', 1),
                    ('lifetime', 45, 'deduction', -2, 'ticket:5:', 1),
                    ('lifetime', 50, 'return', 1, 'ticket:4:', 2)
                   ) AS part(of, day, kind, quantity, key, number)
                ON part.of = m.kind
             WHERE part.kind <> 'return' OR bench.n %% 20 = 0
             ORDER BY part.day
            """,
            values,
        )
        env.cr.execute(
            """
            INSERT INTO helpdesk_incident_purchase
                   (sale_line_id, allotment_id, date, quantity, withdrawn, amount)
            SELECT bench.line_id, m.id, %(start)s, 10, 0, 50
              FROM bench JOIN helpdesk_incident_allotment m ON m.account_id = bench.id
            """,
            values,
        )
        for table in ("account", "allotment", "entry", "purchase"):
            env.cr.execute(f"ANALYZE helpdesk_incident_{table}")
        env.cr.execute("DROP TABLE bench")
        env.invalidate_all()


class Report(ReadOnly):
    """The sum of what is unearned, by product."""

    def run(self, env, _ready):
        groups = (
            env["helpdesk.incident.unearned"]
            .with_context(unearned_date=str(TODAY - timedelta(days=30)))
            ._read_group([], ["product_id"], ["quantity_left:sum", "amount_left:sum"])
        )
        [amount] = [amount for product, _number, amount in groups if product]
        assert amount > 0


class Window(ReadOnly):
    """A running sum of each allotment, over all entries up to the day."""

    def run(self, env, _ready):
        env.cr.execute(
            """
            SELECT COUNT(*), SUM(running) FROM (
                SELECT SUM(quantity) OVER (PARTITION BY allotment_id ORDER BY id)
                       AS running
                  FROM helpdesk_incident_entry WHERE date <= %s) AS entry
            """,
            [TODAY - timedelta(days=30)],
        )
        assert env.cr.fetchone()[0] >= CUSTOMERS * (ENTRIES - 1)


def benchmarks(_env):
    books = Books()
    yield Benchmark(
        f"unearned incidents over {CUSTOMERS * ENTRIES:,} entries",
        "one window function over them",
        3,
        Report(books),
        Window(books),
    )
