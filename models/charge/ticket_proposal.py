"""What tickets show of what their customers are asked first (R18.5)."""

from odoo import api, fields, models
from odoo.fields import Domain

from ..groups import INCIDENT_READERS

#: A change of these may end what is asked: the ticket has another customer, is closed,
#: or is not charged.
WATCHED = frozenset(
    {
        *("active", "company_id", "duplicate_id", "incident_outcome_id"),
        *("partner_id", "stage_id"),
    }
)


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    incident_proposal_ids = fields.One2many(
        comodel_name="helpdesk.ticket.proposal",
        inverse_name="ticket_id",
        string="Proposals",
        copy=False,
        groups=INCIDENT_READERS,
    )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override: what ends what the customer is asked."""
        res = super().write(vals)
        if WATCHED & set(vals):
            self.env["helpdesk.ticket.proposal"]._review(
                Domain("ticket_id", "in", self.ids)
            )
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_propose(self):
        """Open the dialog to ask the customer first.

        :raise AccessError: if the user may not write the ticket.
        """
        self.ensure_one()
        self.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_ticket_propose_action"
        )
        return {**action, "context": {"default_ticket_id": self.id}}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_proposals_of(self, user):
        """Return what the customer of a user is, or was, asked in this ticket, the
        first one before the others, with superuser rights."""
        proposals = self.sudo().incident_proposal_ids.sorted("id")
        return proposals.filtered(lambda proposal: proposal._is_asked(user))

    @api.model
    def _incident_cron_steps(self):
        """Override: what its customers have not answered in time ends."""
        steps = super()._incident_cron_steps()
        proposals = self.env["helpdesk.ticket.proposal"]._overdue()
        return [*steps, *(proposal._expire for proposal in proposals)]

    def _incident_label(self):
        """Override: the statement says who has approved what was taken."""
        label = super()._incident_label()
        proposal = self.env.context.get("incident_approved")
        # A record cannot come in over RPC.
        if getattr(proposal, "_name", None) != "helpdesk.ticket.proposal":
            return label
        return self.env._(
            "%(ticket)s (%(what)s, approved by %(who)s)",
            ticket=label,
            what=proposal.name,
            who=proposal.answered_by_id.name,
        )
