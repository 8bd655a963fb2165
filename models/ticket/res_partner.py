from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        """Override for R11.3: when a contact moves under another customer, what waits
        for incidents waits for those of that one."""
        moving = {"parent_id", "is_company"} & set(vals)
        waiting = self._incident_parked_below() if moving else {}
        res = super().write(vals)
        for ticket, holder in waiting.items():
            if ticket._incident_holder() != holder:
                ticket._incident_review_parking(holder)
        return res

    def _incident_parked_below(self):
        """Return the tickets of these partners, and of who is below them, that wait for
        incidents, and whose they wait for.

        :return: the customer and the company, by ticket.
        :rtype: dict[recordset, tuple]
        """
        tickets = (
            self.env["helpdesk.ticket"]
            .sudo()
            .search(
                [
                    ("partner_id", "child_of", self.ids),
                    ("incident_parking", "=", "parked"),
                ],
                order="id",
            )
        )
        return {ticket: ticket._incident_holder() for ticket in tickets}
