from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _incident_follow(self):
        """Override for R11.3: what waits for incidents waits for those of the new
        customer."""
        res = super()._incident_follow()
        parked = (
            self.env["helpdesk.ticket"]
            .sudo()
            .search(
                [
                    ("partner_id", "child_of", self.ids),
                    ("incident_hold", "=", "parked"),
                ],
                order="id",
            )
        )
        for ticket in parked:
            ticket._incident_review_hold(None)
        return res
