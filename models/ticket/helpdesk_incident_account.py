from odoo import api, models

from ..ledger.account_cache import shows_balance


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _balance_models(self):
        """Override: what a ticket's form shows."""
        return (*super()._balance_models(), ("helpdesk.ticket", shows_balance))
