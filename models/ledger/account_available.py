"""What an account holds, in numbers and in words (R4.1, R4.2)."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _lifetime(self):
        return (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search([("account_id", "in", self.ids), ("kind", "=", "lifetime")])
        )

    def _usable(self):
        """Return the allotments that are valid today, in the order of R4.2."""
        self.ensure_one()
        today = self.company_id._incident_today()
        return (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search_fetch(
                Domain("account_id", "=", self.id)
                & (
                    Domain("kind", "=", "lifetime")
                    | Domain("kind", "=", "period")
                    & (Domain("balance", "!=", 0) | Domain("to_grant", "!=", 0))
                    & Domain("date_from", "<=", today)
                    & Domain("date_to", ">=", today)
                ),
                ["kind", "date_to", "date_period_to", "balance", "to_grant"],
            )
        )

    @api.model
    def _legs_text(self, legs):
        """Return numbers of incidents and their validity in words.

        :param legs: pairs of an allotment and a number.
        :rtype: str
        """
        validity = self.env["helpdesk.incident.allotment"]._validity
        return "; ".join(
            self.env._(
                "%(number)s %(validity)s",
                number=number,
                validity=validity(
                    allotment.kind, allotment.date_to, allotment._is_carried()
                ),
            )
            for allotment, number in legs
        )

    def _breakdown(self):
        """Return what tickets can use today, in the order of R4.2.

        What is due but not granted yet is included (R9.3).

        :rtype: list[tuple[recordset, int]]
        """
        return [
            (allotment, number)
            for allotment in (self._usable() if self else ())
            if (number := allotment.balance + allotment.to_grant) > 0
        ]

    def _usable_text(self):
        """Return in words what tickets can use today, and how long.

        :rtype: str
        """
        self.ensure_one()
        return self._legs_text(self._breakdown()) or self.env._("none left")

    def _preview(self, quantity):
        """Return what a deduction of ``quantity`` would take today, in order.

        :rtype: list[tuple[recordset, int]]
        """
        legs = []
        for allotment, number in self._breakdown():
            if quantity <= 0:
                break
            legs.append((allotment, min(number, quantity)))
            quantity -= number
        return legs

    def _used_in_all(self):
        """Return how many incidents were used over the whole time, of all kinds."""
        [(used,)] = self.env.execute_query(
            SQL(
                """
                SELECT COALESCE(SUM(used), 0)::int FROM helpdesk_incident_allotment
                 WHERE account_id = %s
                """,
                self.id or 0,
            )
        )
        return used

    def _in_customer_language(self):
        return self._in_language_of(self.partner_id)

    def _in_language_of(self, customer):
        return self.with_context(lang=customer.lang or self.env.lang)
