from odoo import fields, models


class HelpdeskIncidentAllotment(models.Model):
    _inherit = "helpdesk.incident.allotment"

    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
    )
