from odoo import api, fields, models

from odoo.addons.helpdesk_paid_support.models.groups import INCIDENT_READERS
from odoo.addons.helpdesk_paid_support.models.ledger import (
    helpdesk_incident_protected as protected,
)


class HelpdeskTicket(models.Model):
    """That a ticket was merged into another is one more reason to take nothing."""

    _inherit = "helpdesk.ticket"

    incident_merged_into_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        string="Merged into",
        index="btree_not_null",
        groups=INCIDENT_READERS,
        help="The ticket that has taken over the incidents of this one.",
        **protected.REMEMBERED,
    )
    incident_merged_ids = fields.One2many(
        comodel_name="helpdesk.ticket",
        inverse_name="incident_merged_into_id",
        string="Merged tickets",
        readonly=True,
        # They are archived.
        context={"active_test": False},
        groups=INCIDENT_READERS,
    )
    incident_merged_charge_ids = fields.Many2many(
        comodel_name="helpdesk.ticket.charge",
        string="Charges of merged tickets",
        compute="_compute_incident_merged_charge_ids",
        groups=INCIDENT_READERS,
        help="What the customer was charged in tickets that were merged into this one.",
    )

    @api.depends("incident_merged_ids.charge_ids")
    def _compute_incident_merged_charge_ids(self):
        # As the user: nobody sees the charges of tickets that are not theirs to read.
        charges = self.env["helpdesk.ticket.charge"].search(
            [("ticket_id.incident_merged_into_id", "in", self.ids)]
        )
        for ticket in self:
            merged = ticket.sudo().incident_merged_ids
            ticket.incident_merged_charge_ids = charges.filtered(
                lambda charge, merged=merged: charge.sudo().ticket_id in merged
            )

    def _charges_shown(self):
        """Override: and those of the tickets that were merged into it (R17.5)."""
        return super()._charges_shown() | self.sudo().incident_merged_ids.charge_ids

    def _incident_free_because(self):
        """Override: what was merged takes nothing by itself."""
        because = super()._incident_free_because()
        stays = self.sudo().incident_merged_into_id
        if not because and stays:
            return self.env._("Merged into ticket %(number)s.", number=stays.number)
        return because

    def _incident_take_over(self, merged):
        """Take over what merged tickets hold, up to the highest number of them all, and
        let them return the rest (R17.5).

        The accounts are locked. Nothing is taken over while something says that this
        ticket takes nothing, nor from another account.

        :param merged: the tickets that were merged into this one.
        """
        self.ensure_one()
        # Also where it was merged itself before.
        self._incident_remember(incident_merged_into_id=False)
        merged._incident_note_number()
        account = self._incident_account()
        held = {ticket: ticket._incident_held().get(account, 0) for ticket in merged}
        giver = max(merged, key=held.get, default=merged)
        missing = held.get(giver, 0) - self._incident_holds()
        if missing > 0 and not self._incident_free_because():
            account._hand_over(giver, self, missing)
            self._incident_took_over(giver, missing)
        gone = (merged | merged.incident_merged_ids) - self
        gone._incident_say(incident_merged_into_id=self.id)

    def _incident_took_over(self, giver, quantity):
        """Note that this ticket holds so many incidents more than before."""
        number = self._incident_holds()
        if self.incident_parking:
            self._incident_end_parking()
        if self.incident_basis == "hand":
            self._incident_remember(incident_chosen=max(self.incident_chosen, number))
        elif self.incident_basis:
            self._incident_remember(
                incident_submitted=max(self.incident_submitted, number)
            )
        self._incident_follow()
        self._incident_log(
            self.env._(
                "Support incidents taken over from ticket %(number)s: %(quantity)s.",
                number=giver.number,
                quantity=quantity,
            )
        )
        giver._incident_log(
            self.env._(
                "Support incidents taken over by ticket %(number)s: %(quantity)s.",
                number=self.number,
                quantity=quantity,
            )
        )
