"""Tickets that staff save before their customer or team is known (R4.4)."""

from odoo import api, fields, models

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED
from .helpdesk_ticket import NOTHING


class HelpdeskTicket(models.Model):
    """What staff save without a customer or a team is *unopened*: it is opened, and
    takes what its team requires, when it first has both. What came in another way, or
    is of before, never was."""

    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.protected"]

    incident_unopened = fields.Boolean(
        string="Saved without a customer or team",
        groups=INCIDENT_READERS,
        help="Staff have saved the ticket before it had both.",
        **REMEMBERED,
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to note which tickets are not opened yet."""
        tickets = super().create(vals_list)
        by_staff = not self.env.user.share
        if by_staff and self.env.context.get("incident_at_submission") is not NOTHING:
            tickets.sudo().filtered(
                lambda ticket: not ticket._incident_has_both()
            )._incident_remember(incident_unopened=True)
        return tickets

    def write(self, vals):
        """Override to open tickets; a team may come with the agent."""
        res = super().write(vals)
        if {"partner_id", "team_id", "user_id"} & set(vals):
            self.sudo()._incident_open(chosen="incident_count" in vals)
        return res

    def _incident_opens_when_saved(self):
        """Return whether saving the form opens this ticket, if it has both then."""
        saved = self._origin.sudo()
        return not saved or saved.incident_unopened

    def _incident_has_both(self):
        self.ensure_one()
        return bool(self.partner_id and self.team_id)

    def _incident_open(self, chosen):
        """Deduct what the teams of those of these tickets require that have a customer
        and a team now, and had not, if the teams say so for tickets of staff.

        :param bool chosen: a number may have been given at the same time.
        :raise UserError: if fewer incidents are available, and the team refuses then.
        """
        opened = self.filtered(
            lambda ticket: ticket.incident_unopened and ticket._incident_has_both()
        )
        opened.filtered(
            lambda ticket: ticket.team_id.incident_on_staff_tickets
        )._incident_lock_ahead()
        opened._incident_remember(incident_unopened=False)
        for ticket in opened:
            ticket._incident_submit(chosen)

    def _incident_submit(self, chosen):
        """Take what the team requires of this ticket, which is opened now.

        :param bool chosen: as above.
        """
        self._incident_deduct_at_submission(chosen=chosen)
