from odoo import api, fields, models

from ..groups import INCIDENT_READERS


class HelpdeskIncidentEntry(models.Model):
    """The ticket that took incidents, or gave them back, and by which outcome."""

    _inherit = "helpdesk.incident.entry"

    # R3.1: its number stays in the description when it is deleted.
    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    outcome_id = fields.Many2one(
        comodel_name="helpdesk.ticket.outcome",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        groups=INCIDENT_READERS,
        help="By which outcome the incidents came back.",
    )

    @api.model
    def _line_columns(self):
        """Override: ``ticket_id`` and ``outcome_id``."""
        return {**super()._line_columns(), "ticket_id": "int4", "outcome_id": "int4"}
