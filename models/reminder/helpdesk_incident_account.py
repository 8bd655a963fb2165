from odoo import api, models


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _references(self):
        """Override for R2.2: what a customer was told."""
        return [*super()._references(), ("helpdesk.incident.reminder", "account_id")]
