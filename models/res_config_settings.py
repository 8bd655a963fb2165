from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    incident_expired_return = fields.Selection(
        related="company_id.incident_expired_return", readonly=False, required=True
    )
    incident_return_on_duplicate = fields.Boolean(
        related="company_id.incident_return_on_duplicate", readonly=False
    )
