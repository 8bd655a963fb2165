from odoo import api, fields, models
from odoo.exceptions import UserError

from ..fields import WholeNumber
from ..models.charge.helpdesk_ticket_proposal import KINDS
from ..models.groups import CHARGERS


class HelpdeskTicketPropose(models.TransientModel):
    """Staff ask the customer of a ticket first (R18.5), and see before what the
    customer will see."""

    _name = "helpdesk.ticket.propose"
    _description = "Ask the Customer First"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    kind = fields.Selection(selection=KINDS, required=True, default="incidents")
    may_charge = fields.Boolean(
        string="An amount can be proposed", compute="_compute_may_charge"
    )
    quantity = WholeNumber(string="Incidents", default=1)
    currency_id = fields.Many2one(
        comodel_name="res.currency", compute="_compute_currency_id"
    )
    amount = fields.Monetary()
    name = fields.Char(string="What for", help="The customer reads it.")
    asked = fields.Html(
        string="What the customer sees",
        compute="_compute_asked",
        help="What it takes, what is left then, and what it costs.",
    )
    warning = fields.Char(compute="_compute_asked")
    problem = fields.Char(compute="_compute_asked")
    proposal_id = fields.Many2one(
        comodel_name="helpdesk.ticket.proposal", readonly=True, ondelete="cascade"
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends_context("uid")
    def _compute_may_charge(self):
        self.may_charge = self.env.user.has_group(CHARGERS)

    @api.depends("ticket_id")
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard._ticket().company_id.currency_id

    @api.depends("ticket_id", "kind", "quantity", "amount", "name")
    @api.depends_context("lang")
    def _compute_asked(self):
        for wizard in self:
            wizard.asked = wizard.warning = wizard.problem = False
            ticket = wizard._ticket()
            if wizard.kind == "charge":
                self.env["helpdesk.ticket.charge"]._check_right()
                if not wizard.amount:
                    continue
            proposal = self.env["helpdesk.ticket.proposal"].sudo()
            proposal = proposal.new(
                {
                    **wizard._values(),
                    "company_id": ticket.company_id.id,
                    "partner_id": ticket.partner_id.commercial_partner_id.id,
                    "currency_id": wizard.currency_id.id,
                }
            )
            wizard.problem = proposal._obstacle_to_ask()
            if not wizard.problem:
                wizard.asked = proposal._question().html()
                wizard.warning = proposal._who_answers_words()

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_ask(self):
        """Ask the customer; only once, however often it is called.

        :raise AccessError: without the right to write the ticket, or to charge.
        :raise UserError: if that cannot be asked.
        """
        self.ensure_one()
        if not self.proposal_id:
            proposals = self.env["helpdesk.ticket.proposal"]
            self.proposal_id = proposals.create(self._values())
        return {"type": "ir.actions.act_window_close"}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _values(self):
        number = "amount" if self.kind == "charge" else "quantity"
        return {
            "ticket_id": self.ticket_id._origin.id,
            "kind": self.kind,
            "name": self.name,
            number: self[number],
        }

    def _ticket(self):
        """Return the ticket with superuser rights.

        :raise UserError: if there is none.
        :raise AccessError: if the user may not write it.
        """
        ticket = self.ticket_id._origin
        if not ticket:
            raise UserError(self.env._("Open this form from a ticket."))
        ticket.sudo(False).check_access("write")
        return ticket.sudo()
