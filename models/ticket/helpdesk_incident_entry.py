from odoo import api, fields, models


class HelpdeskIncidentEntry(models.Model):
    """The ticket that took incidents, or gave them back."""

    _inherit = "helpdesk.incident.entry"

    # R3.1: its number stays in the description when it is deleted.
    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )

    @api.model
    def _line_columns(self):
        """Override: ``ticket_id``."""
        return {**super()._line_columns(), "ticket_id": "int4"}
