from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class HelpdeskTicketOverage(models.TransientModel):
    """Staff sell what a ticket lacks, to be paid later, whatever keeps that from being
    done by itself (R18.4): they say why."""

    _name = "helpdesk.ticket.overage"
    _description = "Sell to Be Paid Later"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    offer = fields.Char(
        string="Order",
        compute="_compute_offer",
        help="What is sold, and what it costs with taxes.",
    )
    offer_key = fields.Char(
        compute="_compute_offer_key",
        store=True,
        # As it was when the form was opened, not when it is saved.
        readonly=False,
        help="What was shown, and is sold: if it costs something else by now, nothing "
        "is.",
    )
    obstacle = fields.Char(
        string="Why it is not sold by itself",
        compute="_compute_offer",
    )
    problem = fields.Char(compute="_compute_offer")
    reason = fields.Char(help="Why the customer may pay it later: for the history.")

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("ticket_id")
    def _compute_offer_key(self):
        for wizard in self:
            wizard.offer_key = False
            try:
                wizard.offer_key = wizard._overage(wizard._ticket()).key
            except AccessError:
                raise
            except UserError:
                continue  # the form says why

    @api.depends("ticket_id")
    def _compute_offer(self):
        for wizard in self:
            wizard.offer = wizard.obstacle = wizard.problem = False
            try:
                ticket = wizard._ticket()
                wizard.offer = wizard._describe(ticket)
                wizard.obstacle = ticket._incident_not_sold()
            except AccessError:
                raise
            except UserError as error:
                wizard.problem = error.args[0]

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_sell(self):
        """Sell it, and deduct it for the ticket.

        :raise AccessError: if the user may not charge, or not write the ticket.
        :raise UserError: without a reason, if it cannot be sold, or costs something
            else than was shown.
        """
        self.ensure_one()
        self._ticket()._incident_sell_by_hand(self.reason, self.offer_key)
        return {"type": "ir.actions.act_window_close"}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _ticket(self):
        """Return the ticket with superuser rights.

        :raise UserError: if there is none, or none with a customer.
        :raise AccessError: if the user may not write it, or not charge.
        """
        ticket = self.ticket_id._origin
        if not ticket:
            raise UserError(self.env._("Open this form from a ticket."))
        self.env["helpdesk.ticket.charge"]._check_right()
        ticket.sudo(False).check_access("write")
        ticket = ticket.sudo()
        if not ticket.partner_id:
            raise UserError(self.env._("Set the contact of the ticket first."))
        return ticket

    def _describe(self, ticket):
        """Return what is sold, and what it costs.

        :raise UserError: if nothing is missing, or it cannot be sold.
        """
        overage = self._overage(ticket)
        return self.env._(
            "%(count)s × %(product)s: %(total)s",
            count=overage.missing,
            product=overage.line.product_id.display_name,
            total=overage.total_words(),
        )

    @api.model
    def _overage(self, ticket):
        return ticket._incident_overage_by_hand(ticket.incident_available)
