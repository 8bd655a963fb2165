"""What uses incidents and returns them: tickets (R4, R5)."""

from collections import defaultdict
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError


class Deducted(NamedTuple):
    """What a ticket took."""

    #: how many from which allotment, in order
    legs: list[tuple[models.BaseModel, int]]
    #: how many the customer's tickets can still use today
    left: int


class Returned(NamedTuple):
    """What a ticket gave back to one allotment, and what became of it (R5.3)."""

    allotment: models.BaseModel
    quantity: int
    #: of these, those of a period that was revoked for want of payment
    revoked: int
    #: of these, those that lapsed because the period has ended
    lapsed: int
    #: of these, those that came back as lifetime incidents
    kept: int


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _deduct(self, ticket, quantity):
        """Deduct incidents for a ticket, from what is valid today (R4.1, R4.2).

        :param ticket: a ``helpdesk.ticket`` of this account's customer and company.
        :param int quantity: incidents, above zero.
        :raise UserError: if fewer are available; nothing is written then (R4.3).
        :rtype: Deducted
        """
        usable = self._lock_usable()
        legs = list(self._legs(usable, quantity))
        available = sum(number for _allotment, number in usable)
        if available < quantity:
            raise UserError(self._shortage_message(quantity, available))
        self._post_lines(
            [
                self._ticket_line(ticket, allotment, "deduction", -taken)
                for allotment, taken in legs
            ]
        )
        return Deducted(legs, available - quantity)

    def _return(self, ticket, quantity):
        """Return incidents of a ticket to where they came from, last first (R5.1).

        :param ticket: the ``helpdesk.ticket`` that took them.
        :param int quantity: incidents, above zero.
        :raise UserError: if the ticket holds fewer.
        :return: how many went back to which allotment, in order, and what became of
            those that could not be used there any more (R5.3).
        :rtype: list[Returned]
        """
        self.ensure_one()
        self._lock()._open_and_close()
        legs, missing = defaultdict(int), quantity
        for allotment, taken in reversed(self._taken_by(ticket)):
            returned = min(missing, taken)
            if returned:
                legs[allotment] += returned
                missing -= returned
        if missing:
            raise UserError(
                self.env._(
                    "Only %(held)s incidents can be returned from this ticket.",
                    held=quantity - missing,
                )
            )
        today = self.company_id._incident_today()
        to_lifetime = self.company_id.incident_expired_return == "lifetime"
        lines, result = [], []
        for allotment, returned in legs.items():
            lines.append(self._ticket_line(ticket, allotment, "return", returned))
            revoked = lapsed = 0
            if allotment.kind == "period":
                # What was given beyond the target was revoked while it was in use. It
                # is taken back now, so that paying again restores it (R3.4).
                revoked = min(returned, max(allotment.granted - allotment.target, 0))
                if allotment.date_to < today:
                    lapsed = returned - revoked
            if revoked:
                lines.append(self._late_revocation_line(ticket, allotment, revoked))
            if lapsed:
                lines.append(self._late_expiry_line(ticket, allotment, lapsed))
            if lapsed and to_lifetime:
                lines.append(self._kept_line(ticket, lapsed))
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

    def _taken_by(self, ticket):
        """Return what ``ticket`` holds, allotment by allotment, first taken first.

        :rtype: list[list[recordset, int]]
        """
        legs = []
        for entry in (
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search(
                [
                    ("ticket_id", "=", ticket.id),
                    ("account_id", "=", self.id),
                    ("kind", "in", ("deduction", "return")),
                ],
                order="id",
            )
        ):
            if entry.kind == "deduction":
                legs.append([entry.allotment_id, -entry.quantity])
                continue
            returned = entry.quantity
            for leg in reversed(legs):
                if leg[0] == entry.allotment_id:
                    leg_returned = min(returned, leg[1])
                    leg[1] -= leg_returned
                    returned -= leg_returned
        return legs

    def _ticket_line(self, ticket, allotment, kind, quantity):
        return {
            "account_id": self.id,
            "allotment_id": allotment.id,
            "date": self.company_id._incident_today(),
            "kind": kind,
            "quantity": quantity,
            "ticket_id": ticket.id,
            "cause_key": f"ticket:{ticket.id}",
            "res_model": ticket._name,
            "res_id": ticket.id,
            "name": self._ticket_name(ticket),
        }

    def _late_expiry_line(self, ticket, allotment, quantity):
        return dict(
            self._ticket_line(ticket, allotment, "expiry", -quantity),
            date=allotment.date_to,
            cause_key=f"expiry:{allotment.id}",
            name=self._in_customer_language().env._(
                "%(ticket)s: returned after the period had ended",
                ticket=self._ticket_name(ticket),
            ),
        )

    def _late_revocation_line(self, ticket, allotment, quantity):
        return dict(
            self._ticket_line(ticket, allotment, "revocation", -quantity),
            cause_key=allotment.cause_key,
            name=self._in_customer_language().env._(
                "%(ticket)s: returned to a period that is not paid any more",
                ticket=self._ticket_name(ticket),
            ),
        )

    def _kept_line(self, ticket, quantity):
        return dict(
            self._ticket_line(ticket, self._lifetime(), "adjustment", quantity),
            name=self._in_customer_language().env._(
                "%(ticket)s: returned after the period had ended, "
                "kept as lifetime incidents",
                ticket=self._ticket_name(ticket),
            ),
        )

    def _ticket_name(self, ticket):
        return self._in_customer_language().env._(
            "Ticket %(number)s: %(title)s", number=ticket.number, title=ticket.name
        )

    @api.model
    def _shortage_message(self, needed, available):
        """R4.3"""
        return self.env._(
            "Not enough support incidents: %(needed)s needed, %(available)s available.",
            needed=needed,
            available=available,
        )
