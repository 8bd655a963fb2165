from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # R21.1: copied, so that what reverses an entry counts on its own date.
    incident_release_kind = fields.Selection(
        selection=[
            ("deferred", "Deferred revenue"),
            ("revenue", "Revenue"),
            ("lapsed", "Lapsed"),
        ],
        string="Part of a release entry",
        readonly=True,
        index="btree_not_null",
        help="What this line of a release entry of support incidents moves.",
    )
