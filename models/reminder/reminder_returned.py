"""Customers are told what an outcome has returned, and what became of it (R17.1)."""

from odoo import models
from odoo.fields import Domain


class HelpdeskIncidentReminder(models.Model):
    _inherit = "helpdesk.incident.reminder"

    def _returned_words(self):
        """Return what came back as lifetime incidents, and what lapsed (R5.3): of what
        was written in the transaction in which this was noted.

        :rtype: list[str]
        """
        self.ensure_one()
        written = dict(
            self.env["helpdesk.incident.entry"]._read_group(
                Domain("account_id", "=", self.account_id.id)
                & Domain("ticket_id", "=", self.ticket_id.id)
                & Domain("create_date", "=", self.create_date)
                & Domain("kind", "in", ("adjustment", "revocation")),
                ["kind"],
                ["quantity:sum"],
            )
        )
        return self.env["helpdesk.incident.account"]._became_words(
            kept=written.get("adjustment", 0), revoked=-written.get("revocation", 0)
        )
