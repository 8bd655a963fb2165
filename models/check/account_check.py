"""The ledger check (R13.4): it compares every number that is stored twice with what it
follows from. docs/ledger.md, “The check”.

Most of it is SQL over the whole ledger, which returns nothing but differences
(``check_ledger.py``, ``check_causes.py``, ``check_orders.py``). What only Python can
recompute follows document by document, in batches (``check_documents.py``). Nothing is
written: the database refuses it while the check runs.
"""

from datetime import date
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

#: How many differences are returned at most: so many come from one mistake, not from a
#: thousand.
LIMIT = 1000
#: How many documents are in memory at once.
BATCH = 200
#: The documents whose numbers only Python can recompute, and how many of them take as
#: long as an order.
DOCUMENTS = {
    "account.payment": 20,
    "helpdesk.incident.account": 50,
    "sale.order": 1,
    "helpdesk.incident.subscription": 1,
    "helpdesk.incident.release": 1,
    "helpdesk.incident.opening": 1,
    "helpdesk.ticket": 1,
    "helpdesk.ticket.charge": 1,
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
        """How much more is stored than expected; None if it is not a number."""
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

        Everything is read in one snapshot, without what others write in the meantime.
        What is due but not granted yet is no difference (R9.3).

        :param int documents: how many orders, subscriptions, tickets and charges to
            recompute at most, each, and more of what is quicker; every day takes
            others. By default all.
        :param int limit: how many differences to return at most.
        :rtype: list[Difference]
        """
        # What is found in two ways is one difference.
        differences = {}
        # Write first what the ORM has not written yet.
        with self.env.cr.savepoint():
            # Read-only until the savepoint ends.
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
        for name, times in DOCUMENTS.items():
            number = documents and documents * times
            for batch in self._check_batches(self.env[name], number):
                yield from batch._incident_differences()
                # Nothing was written: nothing is lost.
                self.env.invalidate_all(flush=False)

    def _check_batches(self, model, number):
        """Return the documents of a model, or today's share of so many, in batches.

        Documents with a listed difference are part of every share: the difference
        should disappear as soon as it is corrected.
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
            self._check_causes(),
            self._check_lines(),
            self._check_purchases(),
        ]

    @api.model
    def _comparison(self, model, source, numbers, account="account_id", res_id="id"):
        """Return a query of the ``numbers`` of a model that differ from what they
        should be.

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
