from odoo import models


class SaleReport(models.Model):
    _inherit = "sale.report"

    def _where_sale(self):
        """Override: what customers had in another system is no sale (R21.4)."""
        return f"{super()._where_sale()} AND s.incident_opening IS NOT TRUE"
