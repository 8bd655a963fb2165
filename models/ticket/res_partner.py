from odoo import models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        """Override for R11.3, R16.6: when a contact moves under another customer, what
        waits for incidents, or is short of some, wants those of that one."""
        moving = {"parent_id", "is_company"} & set(vals)
        wanting = self._incident_wanting_below() if moving else {}
        res = super().write(vals)
        for ticket, holder in wanting.items():
            if ticket._incident_holder() != holder:
                ticket._incident_review_parking(holder)
                ticket.filtered("incident_short")._incident_follow()
        return res

    def _incident_wanting_below(self):
        """Return the tickets of these partners, and of who is below them, that want
        incidents, and whose they want.

        :return: the customer and the company, by ticket.
        :rtype: dict[recordset, tuple]
        """
        tickets = (
            self.env["helpdesk.ticket"]
            .sudo()
            .search(
                Domain("partner_id", "child_of", self.ids)
                & (
                    Domain("incident_parking", "=", "parked")
                    | Domain("incident_short", ">", 0)
                ),
                order="id",
            )
        )
        return {ticket: ticket._incident_holder() for ticket in tickets}
