from odoo import fields, models
from odoo.tools import SQL

from ..groups import INCIDENT_READERS


class HelpdeskIncidentAccount(models.Model):
    """A customer who was a client in another system is no new one (R6.1)."""

    _inherit = "helpdesk.incident.account"

    registered_before = fields.Boolean(
        string="Was a client in another system",
        readonly=True,
        groups=INCIDENT_READERS,
        help="It gets nothing for new clients any more.",
    )

    def _is_registered(self):
        """Return whether this customer is no new client (R6.1).

        :rtype: bool
        """
        return bool(self.sudo().registered_before) or self._has_entry("registration")

    def _set_registered(self):
        """Remember that these customers were clients in another system."""
        if self:
            self.env.execute_query(
                SQL(
                    "UPDATE helpdesk_incident_account SET registered_before = TRUE "
                    "WHERE id IN %s",
                    tuple(self.ids),
                )
            )
            self.invalidate_recordset(["registered_before"], flush=False)

    def _merge_references(self, others):
        """Override for R2.2: one of them was a client before."""
        if any((self | others).mapped("registered_before")):
            self._set_registered()
        return super()._merge_references(others)
