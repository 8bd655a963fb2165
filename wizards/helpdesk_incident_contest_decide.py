from odoo import fields, models


class HelpdeskIncidentContestDecide(models.TransientModel):
    """Staff accept what a customer contests, or decline it (R17.4)."""

    _name = "helpdesk.incident.contest.decide"
    _description = "Decide on a Contested Deduction"

    contest_id = fields.Many2one(
        comodel_name="helpdesk.incident.contest",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    # Of another company's contest nobody reads anything here.
    ticket_id = fields.Many2one(related="contest_id.ticket_id", related_sudo=False)
    company_id = fields.Many2one(related="contest_id.company_id", related_sudo=False)
    partner_id = fields.Many2one(related="contest_id.partner_id", related_sudo=False)
    quantity = fields.Integer(related="contest_id.quantity", related_sudo=False)
    reason = fields.Text(related="contest_id.reason", related_sudo=False)
    outcome_id = fields.Many2one(
        comodel_name="helpdesk.ticket.outcome",
        domain="[('charged', '=', False), ('company_id', 'in', (False, company_id))]",
        help="To accept: by this outcome the ticket takes nothing.",
    )
    answer = fields.Text(help="The customer is told. To decline, say why.")

    def action_accept(self):
        """Return what the ticket took, and tell the customer.

        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if it was decided already, or no outcome is chosen.
        """
        self.ensure_one()
        self.contest_id._accept(self.outcome_id, self.answer)
        return True

    def action_decline(self):
        """Leave it as it is, and tell the customer why.

        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if it was decided already, or no reason is given.
        """
        self.ensure_one()
        self.contest_id._decline(self.answer)
        return True
