from odoo import api, fields, models

from ..models.charge.account_move import LINKING


class AccountMoveReversal(models.TransientModel):
    _inherit = "account.move.reversal"

    incident_goodwill = fields.Boolean(
        string="Goodwill: keep the incidents",
        help="The customer keeps the support incidents although they are credited.",
    )
    incident_has_plan = fields.Boolean(compute="_compute_incident_has_plan")

    @api.depends("move_ids")
    def _compute_incident_has_plan(self):
        for wizard in self:
            wizard.incident_has_plan = any(
                move.incident_has_plan for move in wizard.move_ids
            )

    def _prepare_default_reversal(self, move):
        """Override of `account` for credit notes of goodwill (R8.4)."""
        values = super()._prepare_default_reversal(move)
        return {**values, "incident_goodwill": self.incident_goodwill}

    def reverse_moves(self, is_modify=False):
        """Override of `account`: an invoice that replaces the invoice of a charge
        belongs to that charge, too (R10.4)."""
        wizard = self.with_context(ticket_charging=LINKING) if is_modify else self
        return super(AccountMoveReversal, wizard).reverse_moves(is_modify)

    def _modify_default_reverse_values(self, origin_move):
        """Override of `account`: see :meth:`reverse_moves`."""
        values = super()._modify_default_reverse_values(origin_move)
        charge = origin_move.sudo().ticket_charge_id
        return {**values, "ticket_charge_id": charge.id} if charge else values
