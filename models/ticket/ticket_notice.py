"""What lists and forms tell staff of the incidents of a ticket (R4.5, R11.3, R12.3)."""

from babel.dates import format_skeleton
from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools.misc import babel_locale_parse, get_lang

from ..groups import INCIDENT_READERS


class HelpdeskTicket(models.Model):
    """All of it follows from what a form shows at present, before it is saved, too."""

    _inherit = "helpdesk.ticket"

    incident_missing = fields.Integer(
        string="Missing incidents",
        compute="_compute_incident_missing",
        groups=INCIDENT_READERS,
        help="How many more incidents the ticket needs than the customer has.",
    )
    incident_waiting = fields.Char(
        string="Waiting",
        compute="_compute_incident_waiting",
        groups=INCIDENT_READERS,
        help="Since when the ticket waits for incidents, and how many are missing.",
    )
    incident_notice = fields.Char(
        string="Incidents of this ticket",
        compute="_compute_incident_notice",
        groups=INCIDENT_READERS,
    )
    incident_preview = fields.Char(
        string="When saved",
        compute="_compute_incident_preview",
        groups=INCIDENT_READERS,
        help="What the changed number leaves to the customer, and which incidents "
        "these are.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends(
        *("incident_due", "incident_available", "incident_count", "incident_short"),
    )
    def _compute_incident_missing(self):
        held = self._origin._incident_counts()
        for ticket in self:
            raised = ticket.incident_count - held.get(ticket._origin.id, 0)
            needed = (
                max(ticket.incident_due, ticket.incident_short, raised)
                if ticket.partner_id
                else 0
            )
            ticket.incident_missing = max(needed - ticket.incident_available, 0)

    @api.depends("incident_parking", "incident_parked_date", "incident_missing")
    @api.depends_context("lang")
    def _compute_incident_waiting(self):
        for ticket in self:
            ticket.incident_waiting = (
                ticket.incident_parking == "parked" and ticket._incident_waiting_words()
            )

    def _incident_waiting_words(self):
        """Return since when this ticket waits, and for what, in a few words."""
        if not self.partner_id:
            return self.env._("Unknown sender")
        if not self.incident_parked_date:
            return self.env._(
                "Waiting: %(missing)s missing", missing=self.incident_missing
            )
        return self.env._(
            "Waiting since %(date)s: %(missing)s missing",
            date=self._incident_waiting_since(),
            missing=self.incident_missing,
        )

    def _incident_waiting_since(self):
        """Return the day since when this ticket waits, as short as it can be said."""
        day = self.incident_parked_date
        this_year = day.year == self.company_id._incident_today().year
        locale = babel_locale_parse(get_lang(self.env).code)
        return format_skeleton("MMMd" if this_year else "yMMMd", day, locale=locale)

    @api.depends(
        *("incident_due", "incident_more", "incident_available", "team_id"),
        *("incident_parked_date", "incident_short"),
    )
    @api.depends_context("lang")
    def _compute_incident_notice(self):
        for ticket in self:
            ticket.incident_notice = (
                ticket._incident_notice_words()
                if ticket.incident_due or ticket.incident_more or ticket.incident_short
                else False
            )

    def _incident_notice_words(self):
        """Return what this ticket takes, what there is, and what happens next."""
        numbers = {"needed": self.incident_due, "left": self.incident_available}
        if self.incident_state == "parked":
            if not self.partner_id:
                return self.env._(
                    "Unknown sender: set the contact, and what the ticket takes is "
                    "deducted. Needed: %(needed)s. If there are too few, the customer "
                    "is told, and the ticket waits or is closed, as its team says.",
                    needed=self.incident_due,
                )
            if not self.incident_parked_date:
                return self.env._(
                    "Waiting for incidents: %(needed)s needed, %(left)s available. It "
                    "is released by itself when the customer has enough.",
                    **numbers,
                )
            return self.env._(
                "Waiting for incidents since %(date)s: %(needed)s needed, %(left)s "
                "available. It is released by itself when the customer has enough.",
                date=self._incident_waiting_since(),
                **numbers,
            )
        if self.incident_short:
            return self.env._(
                "Short of %(missing)s: the ticket takes %(target)s, and %(held)s are "
                "deducted. The rest is deducted when the customer has incidents.",
                missing=self.incident_short,
                target=self.incident_count + self.incident_short,
                held=self.incident_count,
            )
        if self.incident_more:
            return self.env._(
                "Takes %(takes)s by now: %(more)s more. Available: %(left)s.",
                takes=self.incident_count + self.incident_more,
                more=self.incident_more,
                left=self.incident_available,
            )
        if self.incident_deducts:
            return self.env._(
                "Deducted when you save: %(needed)s. Available: %(left)s.", **numbers
            )
        if self._origin:
            return self.env._(
                "Nothing was deducted for this ticket: %(needed)s needed, %(left)s "
                "available.",
                **numbers,
            )
        return self.env._(
            "A ticket of this team takes %(needed)s, %(left)s available. Saving alone "
            "deducts nothing.",
            **numbers,
        )

    @api.depends(
        *("incident_count", "incident_available", "partner_id", "company_id"),
        "incident_minutes",
    )
    @api.depends_context("lang")
    def _compute_incident_preview(self):
        held = self._origin._incident_counts()
        for ticket in self:
            change = ticket.incident_count - held.get(ticket._origin.id, 0)
            if not change:
                change = ticket._incident_change_by_time()
            ticket.incident_preview = (
                ticket._incident_change_words(change)
                if change and ticket.partner_id
                else False
            )

    def _incident_change_by_time(self):
        """Return how many more incidents the time makes that was typed in (R16.5), as
        far as there are some: none of a ticket that waits, or whose number was set by
        hand.

        :rtype: int
        """
        if self.incident_minutes == self._origin.sudo().incident_minutes:
            return 0
        blocks = self.sudo().team_id._incident_blocks(self.incident_minutes)
        more = self._incident_aim(timed=blocks) - self._incident_holds()
        return min(more, max(self.incident_available, 0))

    def _incident_change_words(self, change):
        """Return what is left after so many more incidents are deducted (R4.5), or
        returned, if that is below zero; and which ones these are."""
        account_model = self.env["helpdesk.incident.account"]
        account = self._incident_account().with_env(self.env).sudo()
        before = self.incident_available
        if change > before:
            return account_model._shortage_message(change, before)
        if change > 0:
            legs, after = account._preview(change), before - change
        else:
            legs = self._origin._incident_last_taken(-change)
            after = before + sum(
                number
                for allotment, number in legs
                if allotment.account_id == account
                and (
                    allotment.kind == "lifetime"
                    or allotment.date_to >= self.company_id._incident_today()
                    or self._incident_keeps_ended()
                )
            )
        return self.env._(
            "%(before)s → %(after)s left (%(allotments)s)",
            before=before,
            after=after,
            allotments=account_model._legs_text(legs),
        )

    def _incident_last_taken(self, quantity):
        """Return what so many returned incidents go back to, in order (R5.1).

        :rtype: list[tuple[recordset, int]]
        """
        legs = []
        for account in self._incident_held():
            for allotment, taken in reversed(account._taken_by(self)):
                number = min(taken, quantity)
                if number > 0:
                    legs.append((allotment, number))
                    quantity -= number
        return legs

    @api.model
    def _incident_may_read(self):
        """Return whether the current user may see the incidents of tickets (R14)."""
        field = self._fields["incident_parking"]
        return self._has_field_access(field, "read")

    def _incident_log(self, body):
        """Override to say why, if that was given with the change, or follows from
        something."""
        reason = self.env.context.get("incident_reason")
        because = self.env.context.get("incident_said")
        if reason:
            reason = self.env._("Reason: %(reason)s", reason=reason)
        for line in filter(None, (because, reason)):
            body = Markup("%s<br>%s") % (body, line)
        return super()._incident_log(body)
