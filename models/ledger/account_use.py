"""What uses incidents and returns them (R4, R5).

A document that takes incidents is a ``helpdesk.incident.consumer``. This file asks it
whose they are, what the customer's statement calls it, and what its entries have in
common, and knows nothing else about it.
"""

from collections import defaultdict
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .account_lock import LOCK_ONE
from .errors import NotEnoughIncidents
from .helpdesk_incident_account import CURRENT, DUE, ENDED, OPEN


class Deducted(NamedTuple):
    """What a document took."""

    #: how many from which allotment, in order
    legs: list[tuple[models.BaseModel, int]]
    #: how many the customer can still use today
    left: int


class Returned(NamedTuple):
    """What a document gave back to one allotment, and what became of it (R5.3)."""

    allotment: models.BaseModel
    quantity: int
    #: of these, those of a period that was revoked because it is not paid
    revoked: int
    #: of these, those that lapsed because the period has ended
    lapsed: int
    #: of these, those that came back as lifetime incidents
    kept: int


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _deduct(self, document, quantity, is_new=False):
        """Deduct incidents for a document from its customer's account, from what is
        valid today (R4.1, R4.2).

        :param document: what takes them, with a customer.
        :param int quantity: incidents, above zero.
        :param bool is_new: it has taken nothing before: that is not looked up.
        :raise UserError: if it has no customer.
        :raise NotEnoughIncidents: if fewer are available; nothing is written (R4.3).
        :rtype: Deducted
        """
        customer, company = document.sudo()._incident_holder()
        if not customer:
            raise UserError(
                self.env._(
                    "Set the customer first: support incidents are deducted from the "
                    "customer's account."
                )
            )
        today = company._incident_today()
        rows = self._lock_open(customer, company, today)
        while any(row["is_due"] for row in rows):
            # It is locked by now, and nothing was taken yet.
            self._of(customer, company)._open_and_close()
            rows = self._lock_open(customer, company, today)
        left = sum(row["usable"] for row in rows) - quantity
        if left < 0:
            raise NotEnoughIncidents(
                self._shortage_of(document, customer, quantity, left + quantity),
                needed=quantity,
                available=left + quantity,
            )
        legs, missing = [], quantity
        for row in rows:
            taken = min(row["usable"], missing)
            missing -= taken
            if taken:
                legs.append((row, taken))
        common = self._document_values(document, customer, today)
        self._post_lines(
            [
                {
                    **common,
                    "account_id": row["account_id"],
                    "allotment_id": row["id"],
                    "kind": "deduction",
                    "quantity": -taken,
                }
                for row, taken in legs
            ],
            is_new,
        )
        allotment_model = self.env["helpdesk.incident.allotment"].sudo()
        allotments = allotment_model.browse([row["id"] for row, _taken in legs])
        # The texts need these values: cache them, so that they are not read again.
        for name in ("account_id", "kind", "date_to", "date_period_to"):
            allotments._fields[name]._insert_cache(
                allotments, [row[name] for row, _taken in legs]
            )
        numbers = [taken for _row, taken in legs]
        return Deducted(list(zip(allotments, numbers, strict=True)), left)

    @api.model
    def _lock_open(self, customer, company, today):
        """Lock the account of a customer, and return what is open in it, in the order
        of use (R4.2).

        One statement, and a simple one: each is a large part of the time that a ticket
        takes, and most of it is its plan (docs/performance.md).

        :return: of each allotment ``id``, ``account_id``, ``kind``, ``date_to``,
            ``date_period_to``, how many are ``usable`` on that day, and whether it
            ``is_due`` to be granted or closed first (R9.3).
        :rtype: list[dict]
        """
        self.env.cr.execute(
            SQL(
                """
                %(lock)s
                SELECT m.id, m.account_id, m.kind, m.date_to, m.date_period_to,
                       (%(due)s) OR (%(ended)s) AS is_due,
                       CASE WHEN m.kind = 'lifetime' OR (%(current)s)
                            THEN GREATEST(m.balance, 0) ELSE 0 END AS usable
                  FROM account
                  JOIN helpdesk_incident_allotment m ON m.account_id = account.id,
                       (SELECT %(today)s AS day) AS today
                 WHERE %(open)s
                 ORDER BY %(order)s
                """,
                lock=self._locking(
                    self._account_condition(customer, company), LOCK_ONE
                ),
                due=DUE,
                ended=ENDED,
                current=CURRENT,
                open=OPEN,
                order=self.env["helpdesk.incident.allotment"]._order_of_use(),
                today=today,
            ),
            # The losing transaction is retried; this is no error.
            log_exceptions=False,
        )
        return self.env.cr.dictfetchall()

    def _return(self, document, quantity):
        """Return incidents of a document to where they came from, last first (R5.1).

        :param document: what took them.
        :param int quantity: incidents, above zero.
        :raise UserError: if it holds fewer.
        :return: how many went back to which allotment, in order, and what became of
            those that could not be used there any more (R5.3).
        :rtype: list[Returned]
        """
        self.ensure_one()
        self._lock()._open_and_close()
        legs, missing = defaultdict(int), quantity
        for allotment, taken in reversed(self._taken_by(document)):
            returned = min(missing, taken)
            if returned:
                legs[allotment] += returned
                missing -= returned
        if missing:
            raise UserError(
                self.env._(
                    "Only %(held)s incidents can be returned.",
                    held=quantity - missing,
                )
            )
        today = self.company_id._incident_today()
        to_lifetime = document._incident_keeps_ended()
        lines, result = [], []
        for allotment, returned in legs.items():
            lines.append(self._document_line(document, allotment, "return", returned))
            revoked = lapsed = 0
            if allotment.kind == "period":
                # What was given beyond the target was revoked while it was in use. It
                # is taken back now, so that paying again restores it (R3.4).
                revoked = min(returned, max(allotment.granted - allotment.target, 0))
                if allotment.date_to < today:
                    lapsed = returned - revoked
            if revoked:
                lines.append(self._late_revocation_line(document, allotment, revoked))
            if lapsed:
                lines.append(self._late_expiry_line(document, allotment, lapsed))
            if lapsed and to_lifetime:
                lines.append(self._kept_line(document, lapsed))
            result.append(
                Returned(
                    allotment=allotment,
                    quantity=returned,
                    revoked=revoked,
                    lapsed=0 if to_lifetime else lapsed,
                    kept=lapsed if to_lifetime else 0,
                )
            )
        self._post_lines(lines)
        return result

    def _hand_over(self, giver, taker, quantity):
        """Let one document hold what another has taken, in the same allotments, first
        taken first (R17.5). Nothing becomes available in between: so this goes for
        allotments that have ended, too.

        :param giver: holds at least that many incidents of this account.
        :param taker: holds them afterwards.
        :param int quantity: incidents, zero or more.
        """
        self.ensure_one()
        self._lock()
        lines = []
        for allotment, taken in self._taken_by(giver):
            moved = min(taken, quantity)
            if moved:
                quantity -= moved
                lines += [
                    self._document_line(giver, allotment, "return", moved),
                    self._document_line(taker, allotment, "deduction", -moved),
                ]
        self._post_lines(lines)

    @api.model
    def _became_words(self, lapsed=0, kept=0, revoked=0):
        """Return what became of returned incidents, in words: whoever is told of a
        return is told that (R5.3).

        :param int lapsed: how many lapsed, as their period has ended.
        :param int kept: how many came back as lifetime incidents.
        :param int revoked: how many lapsed, as their period is not paid.
        :return: a sentence for each number that is not zero.
        :rtype: list[str]
        """
        words = []
        if lapsed:
            words.append(self.env._("%(n)s lapsed: their period has ended.", n=lapsed))
        if kept:
            words.append(
                self.env._(
                    "%(n)s came back as lifetime incidents: their period has ended.",
                    n=kept,
                )
            )
        if revoked:
            words.append(
                self.env._("%(n)s lapsed: their period is not paid.", n=revoked)
            )
        return words

    def _taken_by(self, document):
        """Return what ``document`` holds, allotment by allotment, first taken first.

        :rtype: list[list[recordset, int]]
        """
        legs = []
        for entry in (
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search(
                [
                    ("cause_key", "=", self._document_key(document)),
                    ("account_id", "=", self.id),
                    ("effect", "=", "uses"),
                ],
                order="id",
            )
        ):
            if entry.quantity < 0:
                legs.append([entry.allotment_id, -entry.quantity])
                continue
            returned = entry.quantity
            for leg in reversed(legs):
                if leg[0] == entry.allotment_id:
                    leg_returned = min(returned, leg[1])
                    leg[1] -= leg_returned
                    returned -= leg_returned
        return legs

    def _document_line(self, document, allotment, kind, quantity):
        return {
            **self._document_values(
                document, self.partner_id, self.company_id._incident_today()
            ),
            "account_id": self.id,
            "allotment_id": allotment.id,
            "kind": kind,
            "quantity": quantity,
        }

    @api.model
    def _document_values(self, document, customer, today):
        """Return what all lines of a document have in common."""
        return {
            "date": today,
            "res_model": document._name,
            "res_id": document.id,
            "name": self._document_name(document, customer),
            **document._incident_entry_values(),
        }

    @api.model
    def _document_key(self, document):
        return document._incident_entry_values()["cause_key"]

    def _late_expiry_line(self, document, allotment, quantity):
        return dict(
            self._document_line(document, allotment, "expiry", -quantity),
            cause_key=f"expiry:{allotment.id}",
            name=self._in_customer_language().env._(
                "%(document)s: returned after the period had ended",
                document=self._document_name(document, self.partner_id),
            ),
        )

    def _late_revocation_line(self, document, allotment, quantity):
        return dict(
            self._document_line(document, allotment, "revocation", -quantity),
            cause_key=allotment.cause_key,
            name=self._in_customer_language().env._(
                "%(document)s: returned to a period that is not paid any more",
                document=self._document_name(document, self.partner_id),
            ),
        )

    def _kept_line(self, document, quantity):
        return dict(
            self._document_line(document, self._lifetime(), "adjustment", quantity),
            name=self._in_customer_language().env._(
                "%(document)s: returned after the period had ended, "
                "kept as lifetime incidents",
                document=self._document_name(document, self.partner_id),
            ),
        )

    @api.model
    def _document_name(self, document, customer):
        """Return what the customer's statement calls a document (R3.8)."""
        language = customer.lang or self.env.lang
        if language != document.env.lang:
            document = document.with_context(lang=language)
        return document._incident_label()

    @api.model
    def _shortage_of(self, document, customer, needed, available):
        """Return what is said to who takes incidents for a document: staff, who may do
        so for many at once, see whose they are, and for what (R4.3)."""
        message = self._shortage_message(needed, available)
        if self.env.user.share:
            return message
        return self.env._(
            "%(shortage)s Customer: %(customer)s. %(document)s.",
            shortage=message,
            customer=customer.display_name,
            document=document._incident_label(),
        )

    @api.model
    def _shortage_message(self, needed, available):
        """R4.3"""
        return self.env._(
            "Not enough support incidents: %(needed)s needed, %(available)s available.",
            needed=needed,
            available=available,
        )
