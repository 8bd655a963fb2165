"""The statement of an account (R11.4): its entries, and their sums."""

from datetime import date, timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL, escape_psql

#: The columns of a statement, and the sign of their entries in the sum: opening + given
#: − used − lapsed − taken back = closing.
GROUPS = {"given": 1, "used": -1, "lapsed": -1, "taken": -1}
#: The column of an entry (aliased ``entry``): each is in exactly one.
GROUP = SQL(
    """
    CASE WHEN entry.effect = 'uses' THEN 'used'
         WHEN entry.effect = 'lapses' THEN 'lapsed'
         WHEN entry.quantity > 0 THEN 'given'
         ELSE 'taken' END
    """
)
EVERYTHING = SQL("TRUE")


class StatementLine(NamedTuple):
    """An entry as a statement shows it."""

    id: int
    date: date
    kind: str
    name: str
    res_model: str | None
    res_id: int | None
    allotment_kind: str
    date_to: date | None
    date_period_to: date | None
    quantity: int
    #: what the account held after it, whatever else the statement leaves out
    balance: int

    @property
    def is_carried(self):
        """Whether the incidents had been carried over by then (R15.3)."""
        return bool(self.date_period_to) and self.date_period_to < self.date


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _catch_up(self):
        """Write what is due, before the entries are shown (R9.3): a statement should
        not depend on when the scheduled action ran last."""
        if self._due():
            self._lock()._open_and_close()

    @api.model
    def _statement_filter(self, group=None, since=None, until=None, search=None):
        """Return which entries a statement lists, as SQL on the table ``entry``.

        :param str group: a key of ``GROUPS``, all by default.
        :param date since: the first day (R3.7).
        :param date until: the last day, inclusive.
        :param str search: words in the description.
        :rtype: SQL
        """
        conditions = [EVERYTHING]
        if group:
            conditions.append(SQL("%s = %s", GROUP, group))
        if since:
            conditions.append(SQL("entry.date >= %s", since))
        if until:
            conditions.append(SQL("entry.date <= %s", until))
        if search:
            words = f"%{escape_psql(search)}%"
            conditions.append(SQL("entry.name ILIKE %s", words))
        return SQL(" AND ").join(conditions)

    def _statement_count(self, listed=EVERYTHING):
        """Return how many entries of this account a statement lists."""
        [(count,)] = self.env.execute_query(
            SQL(
                """
                SELECT COUNT(*) FROM helpdesk_incident_entry entry
                 WHERE entry.account_id = %s AND %s
                """,
                self.id or 0,
                listed,
            )
        )
        return count

    def _statement(self, listed=EVERYTHING, limit=None, offset=0):
        """Return the entries of this account that a statement lists, newest first.

        One query that reads the entries once, however many there are.

        :param SQL listed: see :meth:`_statement_filter`.
        :rtype: list[StatementLine]
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.id, entry.date, entry.kind, entry.name,
                       entry.res_model, entry.res_id,
                       allotment.kind, allotment.date_to, allotment.date_period_to,
                       entry.quantity, entry.balance
                  FROM (SELECT *, SUM(quantity) OVER (ORDER BY date, id) AS balance
                          FROM helpdesk_incident_entry
                         WHERE account_id = %(account)s) entry
                  JOIN helpdesk_incident_allotment allotment
                    ON allotment.id = entry.allotment_id
                 WHERE %(listed)s
                 ORDER BY entry.date DESC, entry.id DESC
                 LIMIT %(limit)s OFFSET %(offset)s
                """,
                account=self.id or 0,
                listed=listed,
                limit=limit,
                offset=offset,
            )
        )
        return [StatementLine(*row) for row in rows]

    def _statement_figures(self, since=None, until=None):
        """Return the sums of the entries of this account, by their dates (R3.7).

        :param date since: the first day; all from the beginning by default.
        :param date until: the last day, inclusive; all by default.
        :return: ``opening`` is the balance before the first day, ``closing`` that at
            the end of the last one. In between: ``given``; ``used``, less what was
            returned; ``lapsed``; and ``taken`` back, by revocations and adjustments.
        :rtype: dict[str, int]
        """
        figures = {"opening": 0, **dict.fromkeys(GROUPS, 0)}
        for before, group, quantity in self.env.execute_query(
            SQL(
                """
                SELECT entry.date < %(since)s, %(group)s, SUM(entry.quantity)
                  FROM helpdesk_incident_entry entry
                 WHERE entry.account_id = %(account)s AND entry.date <= %(until)s
                 GROUP BY 1, 2
                """,
                since=since or date.min,
                until=until or date.max,
                group=GROUP,
                account=self.id or 0,
            )
        ):
            if before:
                figures["opening"] += quantity
            else:
                figures[group] = quantity * GROUPS[group]
        figures["closing"] = (
            figures["opening"]
            + figures["given"]
            - figures["used"]
            - figures["lapsed"]
            - figures["taken"]
        )
        return figures

    def _statement_sums(self, firsts, until, listed=EVERYTHING):
        """Return what a statement of each of several periods in a row sums to: one
        query, however many there are (R22.1).

        :param list[date] firsts: their first days, in order.
        :param date until: the last day of the last one, inclusive.
        :param SQL listed: see :meth:`_statement_filter`.
        :return: for each period, the columns of ``GROUPS``.
        :rtype: list[dict[str, int]]
        """
        sums = [dict.fromkeys(GROUPS, 0) for _first in firsts]
        for number, group, quantity in self.env.execute_query(
            SQL(
                """
                SELECT width_bucket(entry.date, %(firsts)s::date[]), %(group)s,
                       SUM(entry.quantity)::int
                  FROM helpdesk_incident_entry entry
                 WHERE entry.account_id = %(account)s AND %(listed)s
                   AND entry.date BETWEEN %(since)s AND %(until)s
                 GROUP BY 1, 2
                """,
                firsts=list(firsts),
                group=GROUP,
                account=self.id or 0,
                listed=listed,
                since=firsts[0],
                until=until,
            )
        ):
            sums[number - 1][group] = quantity * GROUPS[group]
        return sums

    def _statement_balances(self, since):
        """Return what this account held on the day before ``since``, and from then on
        at the end of each day on which that changed. What lapsed with the last day of
        its validity is gone on the next one: what follows it takes its place at once.

        :return: pairs of a day and a number, in the order of time.
        :rtype: list[tuple[date, int]]
        """
        return self.env.execute_query(
            SQL(
                """
                SELECT day, SUM(SUM(quantity)) OVER (ORDER BY day)::int
                  FROM (SELECT %(before)s::date AS day, 0 AS quantity
                         UNION ALL
                        SELECT GREATEST(
                                   entry.date
                                   + (entry.effect = 'lapses' AND
                                      entry.date IS NOT DISTINCT FROM
                                      allotment.date_to)::int,
                                   %(before)s),
                               entry.quantity
                          FROM helpdesk_incident_entry entry
                          JOIN helpdesk_incident_allotment allotment
                            ON allotment.id = entry.allotment_id
                         WHERE entry.account_id = %(account)s) entry
                 GROUP BY day
                 ORDER BY day
                """,
                before=since - timedelta(days=1),
                account=self.id or 0,
            )
        )
