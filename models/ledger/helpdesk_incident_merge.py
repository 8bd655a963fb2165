from odoo import fields, models


class HelpdeskIncidentMerge(models.Model):
    """Where an entry of lifetime incidents was before the customers of two accounts
    were merged (R2.2): what was said of a day before that stays true (R12.4)."""

    _name = "helpdesk.incident.merge"
    _inherit = "helpdesk.incident.ledger"
    _description = "Support Incidents of Merged Customers"

    entry_id = fields.Many2one(
        comodel_name="helpdesk.incident.entry",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    date = fields.Date(
        required=True,
        readonly=True,
        help="The day of the merge, in the time zone of the company.",
    )
    last_entry = fields.Integer(
        required=True,
        readonly=True,
        help="The id of the last entry of all before the merge.",
    )
    former = fields.Integer(
        required=True,
        readonly=True,
        help="The id of the lifetime allotment, which is no more.",
    )
