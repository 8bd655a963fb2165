from odoo import api, fields, models


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
