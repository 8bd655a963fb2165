"""The statement of an account (R11.4): its entries, and what they sum to."""

from datetime import date
from typing import NamedTuple

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, escape_psql

from .helpdesk_incident_entry import GIVING_KINDS, LAPSING_KINDS, USING_KINDS


def _keys(kinds):
    return tuple(kind for kind, _label in kinds)


#: The columns of a statement. Each entry is in exactly one of them, so that
#: opening + given − used − lapsed − taken back = closing. A domain, and its sign.
GROUPS = {
    "given": (
        Domain("kind", "in", _keys(GIVING_KINDS)) & Domain("quantity", ">", 0),
        1,
    ),
    "used": (Domain("kind", "in", _keys(USING_KINDS)), -1),
    "lapsed": (Domain("kind", "in", _keys(LAPSING_KINDS)), -1),
    "taken": (
        Domain("kind", "in", _keys(GIVING_KINDS)) & Domain("quantity", "<", 0),
        -1,
    ),
}


class StatementLine(NamedTuple):
    """An entry as a statement shows it."""

    date: date
    kind: str
    name: str
    ticket_id: int | None
    ticket_number: str | None
    allotment_kind: str
    date_to: date | None
    quantity: int
    #: what the account held after it, whatever else the statement leaves out
    balance: int


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _catch_up(self):
        """Write what is due, before the entries are shown (R9.3): a statement should
        not depend on when the scheduled action ran last."""
        if self._is_due():
            self._lock()
            self._open_and_close()

    @api.model
    def _statement_domain(self, group=None, since=None, until=None, search=None):
        """Return the domain of what a statement lists.

        :param str group: a key of ``GROUPS``, all by default.
        :param date since: the first day (R3.7).
        :param date until: the last day, inclusive.
        :param str search: words in the description.
        :rtype: Domain
        """
        domain = GROUPS[group][0] if group else Domain.TRUE
        if since:
            domain &= Domain("date", ">=", since)
        if until:
            domain &= Domain("date", "<=", until)
        if search:
            domain &= Domain("name", "ilike", escape_psql(search))
        return domain

    def _statement_count(self, domain=Domain.TRUE):
        """Return how many entries of this account meet ``domain``."""
        entry_model = self.env["helpdesk.incident.entry"].sudo()
        return entry_model.search_count(Domain("account_id", "in", self.ids) & domain)

    def _statement(self, domain=Domain.TRUE, limit=None, offset=0):
        """Return the entries of this account that meet ``domain``, newest first.

        One query, however many there are.

        :rtype: list[StatementLine]
        """
        if not self:
            return []
        self.ensure_one()
        entry_model = self.env["helpdesk.incident.entry"].sudo()
        chosen = entry_model._search(
            Domain("account_id", "=", self.id) & domain,
            limit=limit,
            offset=offset,
            order=entry_model._order,
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.date, entry.kind, entry.name,
                       ticket.id, ticket.number,
                       allotment.kind, allotment.date_to,
                       entry.quantity, running.balance
                  FROM helpdesk_incident_entry entry
                  JOIN helpdesk_incident_allotment allotment
                    ON allotment.id = entry.allotment_id
                  JOIN (SELECT id, SUM(quantity) OVER (ORDER BY date, id) AS balance
                          FROM helpdesk_incident_entry
                         WHERE account_id = %(account)s) running
                    ON running.id = entry.id
                  LEFT JOIN helpdesk_ticket ticket ON ticket.id = entry.ticket_id
                 WHERE entry.id IN %(chosen)s
                 ORDER BY entry.date DESC, entry.id DESC
                """,
                account=self.id,
                chosen=chosen.subselect(),
            )
        )
        return [StatementLine(*row) for row in rows]

    def _statement_figures(self, since=None, until=None):
        """Return what the entries of this account sum to, by their dates (R3.7).

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
                SELECT date < %(since)s,
                       CASE WHEN kind IN %(using)s THEN 'used'
                            WHEN kind IN %(lapsing)s THEN 'lapsed'
                            WHEN quantity > 0 THEN 'given'
                            ELSE 'taken' END,
                       SUM(quantity)
                  FROM helpdesk_incident_entry
                 WHERE account_id = %(account)s AND date <= %(until)s
                 GROUP BY 1, 2
                """,
                since=since or date.min,
                until=until or date.max,
                using=_keys(USING_KINDS),
                lapsing=_keys(LAPSING_KINDS),
                account=self.id or 0,
            )
        ):
            if before:
                figures["opening"] += quantity
            else:
                figures[group] = quantity * GROUPS[group][1]
        figures["closing"] = (
            figures["opening"]
            + figures["given"]
            - figures["used"]
            - figures["lapsed"]
            - figures["taken"]
        )
        return figures
