"""Who of the customer has agreed to pay for a subscription (R9.7)."""

from odoo import fields, models

from ..groups import INCIDENT_VIEWERS


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    agreed_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Agreed last",
        readonly=True,
        ondelete="restrict",
        groups=INCIDENT_VIEWERS,
        help="Whoever of the customer has agreed last to pay for it: has paid or "
        "ordered something for it, switched automatic renewal on, or scheduled a "
        "change. What staff do for the customer, the customer agrees to, and no single "
        "contact.",
    )
