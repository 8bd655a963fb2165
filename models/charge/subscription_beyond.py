"""What goes beyond a plan is sold to be paid later, where the customer may (R18.1)."""

from odoo import models


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    def _price_beyond(self, line, partner=None):
        """Override for R22.2: what a ticket lacks is sold by itself, before anybody
        thinks of extra incidents."""
        company = self._order_company()
        customer = self.sudo().partner_id
        if customer._incident_overage_limit_in(company) > 0:
            overage = self.env["sale.order"]._incident_overage(
                partner or customer, company, 1
            )
            if overage:
                return overage.currency._convert(
                    overage.total, line.currency_id, company, self._today()
                )
        return super()._price_beyond(line, partner)
