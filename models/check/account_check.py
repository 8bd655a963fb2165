"""The ledger check (R13.4): every number that is stored twice, against what it follows
from. docs/ledger.md, “The check”.

Most of it is SQL over the whole ledger, which returns nothing but differences. What
only Python can recompute follows document by document, in batches
(``helpdesk_incident_check_document.py``). Nothing is written: the database refuses it
while the check runs.
"""

from datetime import date
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..ledger.helpdesk_incident_entry import MOVED

#: How many differences are returned at most: whoever finds that many looks for one
#: mistake, not for a thousand.
LIMIT = 1000
#: How many documents are in memory at once.
BATCH = 200
#: The documents whose numbers only Python can recompute.
DOCUMENTS = (
    "sale.order",
    "helpdesk.incident.subscription",
    "helpdesk.ticket.charge",
)

#: What a payment counts while it is effective (R1), and while it is not: nothing.
EFFECTIVE = SQL(
    """
    (p.state IN ('in_process', 'paid') AND (p.move_id IS NULL OR move.state = 'posted')
     AND p.partner_type = 'customer' AND p.amount > 0
     AND partner.commercial_partner_id <> company.partner_id
     AND (p.incident_first_number > 0 OR p.incident_topup_number > 0))
    """
)
#: The kinds of the entries that a cause makes, by the first word of its key.
KINDS = {
    "registration": ("registration", "revocation"),
    "first_payment": ("first_payment", "revocation"),
    "topup": ("topup", "revocation"),
    "sale_line": ("purchase", "revocation"),
    "period": ("period", "revocation"),
    "adjustment": ("adjustment",),
    "helpdesk.incident.adjust": ("adjustment",),
    "ticket": ("deduction", "return", "adjustment"),
    "expiry": ("expiry",),
}


class Difference(NamedTuple):
    """A number that is not what it should be, as it follows from the others."""

    #: the ``helpdesk.incident.account``, empty for what has given nothing
    account: models.BaseModel
    #: the document whose number it is
    record: models.BaseModel
    #: the field, as "helpdesk.incident.allotment.balance"
    number: str
    #: what is stored, and what it should be, as text; None where there is nothing
    stored: str | None
    expected: str | None

    @property
    def amount(self):
        """By how much too much is stored, None if it is no number."""
        try:
            return float(self.stored or 0) - float(self.expected or 0)
        except ValueError:
            return None


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _check_ledger(self, documents=None, limit=LIMIT):
        """Compare every number that is stored twice with what it follows from, in all
        companies, and change nothing (R13.4).

        All of it is one snapshot: whoever writes meanwhile is not seen. What is due
        and not granted yet is no difference (R9.3).

        :param int documents: how many orders, subscriptions and charges to recompute at
            most, each; every day takes others. By default all.
        :param int limit: how many differences to return at most.
        :rtype: list[Difference]
        """
        # What two ways find is one difference.
        differences = {}
        # What is still to be written is written first.
        with self.env.cr.savepoint():
            # Until the savepoint ends.
            self.env.cr.execute("SET TRANSACTION READ ONLY")
            for difference in self.sudo()._differences(documents, limit):
                differences[difference] = None
                if len(differences) == limit:
                    break
        return list(differences)

    def _differences(self, documents=None, limit=LIMIT):
        for query in self._check_queries():
            rows = self.env.execute_query(SQL("%s LIMIT %s", query, limit))
            for account_id, model, res_id, number, stored, expected in rows:
                yield Difference(
                    self.browse(account_id),
                    self.env[model].browse(res_id),
                    number if "." in number else f"{model}.{number}",
                    stored,
                    expected,
                )
        for name in DOCUMENTS:
            for batch in self._check_batches(self.env[name], documents):
                yield from batch._incident_differences()
                # Nothing was written: nothing is lost.
                self.env.invalidate_all(flush=False)

    def _check_batches(self, model, number):
        """Return the documents of a model, or today's share of so many, in batches.

        What is listed at present is part of every share: it should vanish as soon as
        it is mended.
        """
        documents, share = model._incident_check_documents(), SQL("TRUE")
        if number:
            [(count,)] = self.env.execute_query(
                SQL("SELECT COUNT(*) FROM (%s) document", documents)
            )
            shares = max(-(-count // number), 1)
            share = SQL(
                "(id %% %s = %s OR id IN (%s))",
                shares,
                date.today().toordinal() % shares,
                model._incident_check_listed(),
            )
        last = 0
        while True:
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT id FROM (%s) document WHERE id > %s AND %s
                     ORDER BY id LIMIT %s
                    """,
                    documents,
                    last,
                    share,
                    BATCH,
                )
            )
            if not rows:
                break
            last = rows[-1][0]
            yield model.browse([document_id for (document_id,) in rows])

    def _check_queries(self):
        """Return queries of account, model, id, number, stored and expected value."""
        return [
            self._check_accounts(),
            self._check_balances(),
            self._check_entries(),
            self._check_running_numbers(),
            self._check_tickets(),
            self._check_payments(),
            self._check_causes(),
            self._check_lines(),
            self._check_purchases(),
            self._check_terms(),
        ]

    @api.model
    def _comparison(self, model, source, numbers, account="account_id", res_id="id"):
        """Return a query of the ``numbers`` of a model that are not what they should.

        :param SQL source: a FROM clause.
        :param dict numbers: stored and expected value, as SQL, by number.
        :param str account: the account, as SQL; ``res_id``: the id of the record.
        :rtype: SQL
        """
        return SQL(
            """
            SELECT %(account)s, %(model)s, %(res_id)s, n.number, n.stored, n.expected
              FROM %(source)s, LATERAL (VALUES %(numbers)s)
                   AS n(number, stored, expected)
             -- Cheaply first: hardly any row goes on from here.
             WHERE (%(differs)s) AND n.stored IS DISTINCT FROM n.expected
            """,
            account=SQL(account),
            model=model,
            res_id=SQL(res_id),
            source=source,
            differs=SQL(" OR ").join(
                SQL("%s IS DISTINCT FROM %s", SQL(f"({stored})"), SQL(f"({expected})"))
                for stored, expected in numbers.values()
            ),
            numbers=SQL(", ").join(
                SQL("(%s, (%s)::text, (%s)::text)", number, SQL(stored), SQL(expected))
                for number, (stored, expected) in numbers.items()
            ),
        )

    # ------------------------------------------------------------------
    # The ledger
    # ------------------------------------------------------------------

    def _check_accounts(self):
        """R2.1, R6.2"""
        return self._comparison(
            "helpdesk.incident.account",
            SQL(
                """
                helpdesk_incident_account a
                  JOIN res_partner partner ON partner.id = a.partner_id
                  LEFT JOIN (SELECT account_id, COUNT(*) AS number
                               FROM helpdesk_incident_allotment
                              WHERE kind = 'lifetime' GROUP BY 1) m
                    ON m.account_id = a.id
                  LEFT JOIN (SELECT DISTINCT account_id FROM helpdesk_incident_entry
                              WHERE kind = 'first_payment') e
                    ON e.account_id = a.id
                """
            ),
            {
                "partner_id": ("a.partner_id", "partner.commercial_partner_id"),
                "allotment_ids": ("COALESCE(m.number, 0)", "1"),
                "first_payment": (
                    "a.first_payment",
                    """CASE WHEN e.account_id IS NOT NULL THEN 'given'
                            ELSE NULLIF(a.first_payment, 'given') END""",
                ),
            },
            account="a.id",
            res_id="a.id",
        )

    def _check_balances(self):
        """R3.3: the numbers of an allotment are sums of its entries; its days and its
        subscription are those of its cause."""
        # "period:<subscription>:<first day>:<last day>", whatever stands there.
        of_month = """CASE m.res_model WHEN 'helpdesk.incident.subscription'
            THEN split_part(m.cause_key, ':', {}) ELSE {}::text END"""
        return self._comparison(
            "helpdesk.incident.allotment",
            SQL(
                """
                helpdesk_incident_allotment m
                  LEFT JOIN helpdesk_incident_subscription s ON s.id = m.subscription_id
                  LEFT JOIN (
                    SELECT allotment_id, SUM(quantity) AS balance,
                           %(granted)s AS granted, -%(used)s AS used,
                           -%(lapsed)s AS lapsed
                      FROM helpdesk_incident_entry GROUP BY 1) e
                    ON e.allotment_id = m.id
                """,
                **MOVED,
            ),
            {
                "granted": ("m.granted", "COALESCE(e.granted, 0)"),
                "used": ("m.used", "COALESCE(e.used, 0)"),
                "lapsed": ("m.lapsed", "COALESCE(e.lapsed, 0)"),
                "balance": ("m.balance", "COALESCE(e.balance, 0)"),
                "to_grant": (
                    "m.to_grant",
                    """CASE m.kind WHEN 'period'
                       THEN GREATEST(m.target - COALESCE(e.granted, 0), 0)
                       ELSE 0 END""",
                ),
                "target": (
                    "m.target",
                    "CASE m.kind WHEN 'period' THEN m.target ELSE 0 END",
                ),
                "kind": (
                    "m.kind",
                    "CASE WHEN m.cause_key IS NULL THEN 'lifetime' ELSE 'period' END",
                ),
                "date_from": ("m.date_from::text", of_month.format(3, "m.date_from")),
                "date_to": ("m.date_to::text", of_month.format(4, "m.date_to")),
                "subscription_id": (
                    "m.subscription_id::text",
                    of_month.format(2, "NULL"),
                ),
                "account_id": ("m.account_id", "COALESCE(s.account_id, m.account_id)"),
            },
            account="m.account_id",
            res_id="m.id",
        )

    def _check_entries(self):
        """R3.2, R3.7: what an entry says of itself twice."""
        return self._comparison(
            "helpdesk.incident.entry",
            SQL(
                """
                helpdesk_incident_entry e
                  JOIN helpdesk_incident_allotment m ON m.id = e.allotment_id
                  LEFT JOIN helpdesk_ticket ticket
                    ON ticket.id = e.res_id AND e.res_model = 'helpdesk.ticket'
                  LEFT JOIN (VALUES %s) AS cause(word, kinds)
                    ON cause.word = split_part(e.cause_key, ':', 1)
                """,
                SQL(", ").join(
                    SQL("(%s, %s)", word, list(kinds)) for word, kinds in KINDS.items()
                ),
            ),
            {
                "account_id": ("e.account_id", "m.account_id"),
                "ticket_id": ("e.ticket_id", "ticket.id"),
                "date": (
                    "e.date",
                    """CASE e.kind WHEN 'period' THEN m.date_from
                                   WHEN 'expiry' THEN m.date_to ELSE e.date END""",
                ),
                "kind": (
                    "e.kind",
                    """CASE WHEN e.kind <> ALL(cause.kinds)
                            THEN array_to_string(cause.kinds, ' / ')
                            ELSE e.kind END""",
                ),
                "cause_key": (
                    "e.cause_key",
                    """CASE WHEN e.kind = 'expiry' THEN 'expiry:' || m.id
                            WHEN e.kind IN ('deduction', 'return')
                            THEN 'ticket:' || e.res_id
                            WHEN m.kind = 'period' THEN m.cause_key
                            ELSE e.cause_key END""",
                ),
            },
            account="e.account_id",
            res_id="e.id",
        )

    def _check_running_numbers(self):
        """R3.4: the entries of a cause are numbered without a gap."""
        return self._comparison(
            "helpdesk.incident.entry",
            SQL(
                """
                (SELECT e.account_id, e.id, e.cause_number, row_number()
                        OVER (PARTITION BY e.cause_key ORDER BY e.cause_number, e.id)
                        AS position
                   FROM helpdesk_incident_entry e
                   JOIN (SELECT cause_key FROM helpdesk_incident_entry GROUP BY 1
                         HAVING MAX(cause_number) <> COUNT(*) OR SUM(cause_number)
                                <> COUNT(*) * (COUNT(*) + 1) / 2) broken
                  USING (cause_key)) e
                """
            ),
            {"cause_number": ("e.cause_number", "e.position")},
        )

    def _check_tickets(self):
        """R4.5: a ticket has returned no more than it took, to each allotment."""
        return self._comparison(
            "helpdesk.ticket",
            SQL(
                """
                (SELECT account_id, res_id AS id, -SUM(quantity) AS number
                   FROM helpdesk_incident_entry WHERE kind IN ('deduction', 'return')
                  GROUP BY account_id, allotment_id, res_id HAVING SUM(quantity) > 0) t
                """
            ),
            {"incident_count": ("t.number", "0")},
        )

    # ------------------------------------------------------------------
    # Payments and what causes say
    # ------------------------------------------------------------------

    def _check_payments(self):
        """R6.2, R6.3: a payment counts what it is, to an account of its company, while
        it is effective.

        What was converted is compared with what is booked, not with the rate of the
        day, which may have been corrected since. Whose contact has moved to another
        customer stays where it counts.
        """
        return self._comparison(
            "account.payment",
            SQL(
                """
                (SELECT p.*, %s AS effective,
                        CASE p.payment_type WHEN 'inbound' THEN 1 ELSE -1 END
                        * CASE WHEN p.currency_id = company.currency_id THEN p.amount
                               ELSE ABS(p.amount_company_currency_signed) END AS money,
                        a.id AS counts_to, own.id AS own_account
                   FROM account_payment p
                   JOIN res_company company ON company.id = p.company_id
                   LEFT JOIN account_move move ON move.id = p.move_id
                   LEFT JOIN res_partner partner ON partner.id = p.partner_id
                   LEFT JOIN helpdesk_incident_account a
                     ON a.id = p.incident_account_id AND a.company_id = p.company_id
                   LEFT JOIN helpdesk_incident_account own
                     ON own.partner_id = partner.commercial_partner_id
                    AND own.company_id = p.company_id
                  WHERE p.incident_seen OR p.incident_account_id IS NOT NULL
                     OR p.incident_topup_counted <> 0 OR p.incident_first_given <> 0) p
                """,
                EFFECTIVE,
            ),
            {
                "incident_account_id": (
                    "p.incident_account_id",
                    "CASE WHEN effective THEN COALESCE(counts_to, own_account, 0) END",
                ),
                "incident_partner_id": (
                    "p.incident_partner_id",
                    "CASE WHEN effective THEN p.partner_id END",
                ),
                "incident_topup_counted": (
                    "trim_scale(COALESCE(p.incident_topup_counted, 0))",
                    """CASE WHEN effective AND p.incident_topup_number > 0
                            THEN trim_scale(p.money) ELSE 0 END""",
                ),
                "incident_first_given": (
                    "COALESCE(p.incident_first_given, 0)",
                    """CASE WHEN effective AND p.incident_first_given <> 0
                            THEN p.incident_first_number ELSE 0 END""",
                ),
            },
            account="COALESCE(p.incident_account_id, p.own_account)",
            res_id="p.id",
        )

    def _check_causes(self):
        """R3.4: the entries of a payment or of an order line sum to what it says that
        it should have given; those for funds added to what the payments make (R6.3).

        Lines of subscriptions are compared with these.
        """
        return SQL(
            """
            WITH given AS (
                SELECT cause_key, account_id, SUM(quantity) AS quantity
                  FROM helpdesk_incident_entry
                 WHERE split_part(cause_key, ':', 1)
                       IN ('topup', 'first_payment', 'sale_line')
                 GROUP BY 1, 2
            ), money AS (
                SELECT p.incident_account_id AS account_id,
                       ROUND(p.incident_topup_step / unit.size) AS step,
                       p.incident_topup_number AS number,
                       ROUND(SUM(p.incident_topup_counted) / unit.size) AS total
                  FROM account_payment p
                  JOIN helpdesk_incident_account a ON a.id = p.incident_account_id
                  JOIN res_company company ON company.id = a.company_id
                  JOIN (SELECT id, COALESCE(NULLIF(rounding, 0), 0.01) AS size
                          FROM res_currency) unit ON unit.id = company.currency_id
                 WHERE p.incident_topup_number > 0
                 GROUP BY 1, 2, 3, unit.size
            ), added AS (
                -- What was paid back beyond the payments of its own numbers is taken
                -- from those of the others, in the order of their numbers.
                SELECT account_id, step, number, GREATEST(total, 0) AS total,
                       -SUM(LEAST(total, 0)) OVER (PARTITION BY account_id)
                       - COALESCE(SUM(GREATEST(total, 0)) OVER (
                             PARTITION BY account_id ORDER BY step, number
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                       AS paid_back
                  FROM money
            ), said AS (
                SELECT 'topup:' || account_id || ':' || step || ':' || number
                       AS cause_key, account_id,
                       FLOOR(GREATEST(total - GREATEST(paid_back, 0), 0)
                             / NULLIF(step, 0)) * number AS quantity
                  FROM added
                 UNION ALL
                SELECT 'first_payment:' || id, incident_account_id, incident_first_given
                  FROM account_payment WHERE incident_account_id IS NOT NULL
                 UNION ALL
                SELECT 'sale_line:' || id, incident_account_id, incident_due
                  FROM sale_order_line
                 WHERE incident_account_id IS NOT NULL AND incident_kind = 'lifetime'
            ), both_sides AS (
                SELECT split_part(cause_key, ':', 1) AS word,
                       SUBSTRING(cause_key FROM ':([0-9]{1,9})')::int AS id, account_id,
                       COALESCE(given.quantity, 0)::int AS given,
                       COALESCE(said.quantity, 0)::int AS said
                  FROM given FULL JOIN said USING (cause_key, account_id)
                 WHERE COALESCE(given.quantity, 0) <> COALESCE(said.quantity, 0)
            )
            SELECT account_id, cause.model, both_sides.id, cause.number,
                   (CASE word WHEN 'topup' THEN given ELSE said END)::text,
                   (CASE word WHEN 'topup' THEN said ELSE given END)::text
              FROM both_sides
              JOIN (VALUES
                    ('topup', 'helpdesk.incident.account',
                     'helpdesk.incident.entry.quantity'),
                    ('first_payment', 'account.payment', 'incident_first_given'),
                    ('sale_line', 'sale.order.line', 'incident_due')
                   ) AS cause(word, model, number) USING (word)
              LEFT JOIN sale_order_line l ON word = 'sale_line' AND l.id = both_sides.id
             WHERE l.incident_kind IS DISTINCT FROM 'period'
            """
        )

    # ------------------------------------------------------------------
    # Orders and subscriptions
    # ------------------------------------------------------------------

    def _check_lines(self):
        """R8.2, R9: a line sells what was ordered, in the unit of the product; it gives
        to the account of its subscription."""
        return self._comparison(
            "sale.order.line",
            SQL(
                """
                (SELECT * FROM sale_order_line
                  WHERE incident_kind IS NOT NULL OR incident_account_id IS NOT NULL
                     OR incident_units <> 0) l
                  JOIN product_product product ON product.id = l.product_id
                  JOIN product_template template
                    ON template.id = product.product_tmpl_id
                  LEFT JOIN helpdesk_incident_subscription_term t
                    ON t.sale_line_id = l.id
                  LEFT JOIN helpdesk_incident_subscription s ON s.id = t.subscription_id
                """
            ),
            {
                "incident_account_id": (
                    "l.incident_account_id",
                    "COALESCE(s.account_id, l.incident_account_id)",
                ),
                "incident_kind": (
                    "l.incident_kind",
                    """CASE WHEN t.id IS NOT NULL THEN 'period'
                            WHEN l.incident_account_id IS NOT NULL
                             AND l.incident_operation IS DISTINCT FROM 'credit'
                            THEN 'lifetime' ELSE l.incident_kind END""",
                ),
                "incident_units": (
                    "COALESCE(l.incident_units, 0)",
                    """CASE WHEN l.incident_kind IS NULL THEN 0
                            WHEN l.product_uom_id <> template.uom_id
                            THEN l.incident_units
                            WHEN l.incident_operation = 'extra' THEN ROUND(
                                l.product_uom_qty / NULLIF(l.incident_term_months, 0))
                            ELSE ROUND(l.product_uom_qty) END""",
                ),
            },
            account="COALESCE(s.account_id, l.incident_account_id)",
            res_id="l.id",
        )

    def _check_purchases(self):
        """R12.4: what was paid for lifetime incidents is what is due of the line."""
        return self._comparison(
            "sale.order.line",
            SQL(
                """
                (SELECT * FROM sale_order_line WHERE incident_kind = 'lifetime'
                    AND incident_account_id IS NOT NULL) l
                  LEFT JOIN (
                    SELECT p.sale_line_id, m.account_id, SUM(p.quantity) AS quantity,
                           SUM(p.withdrawn) AS withdrawn, SUM(p.amount) AS amount
                      FROM helpdesk_incident_purchase p
                      JOIN helpdesk_incident_allotment m
                        ON m.id = p.allotment_id AND m.kind = 'lifetime'
                     GROUP BY 1, 2) p
                    ON p.sale_line_id = l.id AND p.account_id = l.incident_account_id
                """
            ),
            {
                "helpdesk.incident.purchase.quantity": (
                    "COALESCE(p.quantity, 0)",
                    "COALESCE(l.incident_due, 0)",
                ),
                "helpdesk.incident.purchase.withdrawn": (
                    "COALESCE(p.withdrawn, 0)",
                    "0",
                ),
                "helpdesk.incident.purchase.amount": (
                    "trim_scale(ROUND(COALESCE(p.amount, 0), 6))",
                    "trim_scale(ROUND(COALESCE(l.incident_value, 0)::numeric, 6))",
                ),
            },
            account="l.incident_account_id",
            res_id="l.id",
        )

    def _check_terms(self):
        """R9.1: a term is what its line says, and has whole periods of its anchor."""
        return self._comparison(
            "helpdesk.incident.subscription.term",
            SQL(
                """
                (SELECT t.*, l.incident_operation, l.incident_date_from,
                        l.incident_term_months AS line_months,
                        l.incident_quantity * l.incident_units AS line_number,
                        acted_on.anchor AS old_anchor, s.account_id, CASE
                        WHEN t.anchor + make_interval(months => elapsed) > t.date_from
                        THEN elapsed - 1 ELSE elapsed END AS number
                   FROM helpdesk_incident_subscription_term t
                   JOIN helpdesk_incident_subscription s ON s.id = t.subscription_id
                   JOIN sale_order_line l ON l.id = t.sale_line_id
                   LEFT JOIN helpdesk_incident_subscription_term acted_on
                     ON acted_on.id = l.incident_term_id
                    AND l.incident_date_from IS NOT NULL,
                        LATERAL (SELECT (
                            (EXTRACT(YEAR FROM t.date_from)
                             - EXTRACT(YEAR FROM t.anchor)) * 12
                            + EXTRACT(MONTH FROM t.date_from)
                            - EXTRACT(MONTH FROM t.anchor))::int AS elapsed) e) t
                """
            ),
            {
                "kind": (
                    "t.kind",
                    """CASE WHEN t.incident_operation IN ('extra', 'change')
                            THEN t.incident_operation ELSE 'term' END""",
                ),
                "anchor": ("t.anchor", "COALESCE(t.old_anchor, t.anchor)"),
                "date_from": (
                    "t.date_from",
                    """COALESCE(t.incident_date_from,
                        (t.anchor + make_interval(months => t.number))::date)""",
                ),
                "date_to": (
                    "t.date_to",
                    """(t.anchor + make_interval(months => t.number + t.months))::date
                       - 1""",
                ),
                "months": ("t.months", "t.line_months"),
                "incidents_per_period": ("t.incidents_per_period", "t.line_number"),
            },
        )
