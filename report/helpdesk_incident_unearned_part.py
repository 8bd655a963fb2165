"""What was there to earn in each month, as parts of a whole: a chart stacks them."""

from odoo import fields, models
from odoo.tools import SQL


class HelpdeskIncidentUnearnedPart(models.Model):
    """What customers had paid for at the beginning of a month or paid in it, and what
    became of it: used, lapsed, unearned at its end (R12.4).

    The months are those of ``helpdesk.incident.unearned.month``, and so are the
    numbers: this only has them one below the other.
    """

    _name = "helpdesk.incident.unearned.part"
    _inherit = "helpdesk.incident.described"
    _description = "Parts of Unearned Support Incidents by Month"
    _auto = False
    _order = "date, product_id, id"
    _rec_name = "product_id"

    date = fields.Date(
        string="Month",
        readonly=True,
        help="The last day of the month, or of the report.",
    )
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    product_id = fields.Many2one(comodel_name="product.product", readonly=True)
    # Charts stack them in this order.
    part = fields.Selection(
        selection=[
            ("1_used", "Used"),
            ("2_lapsed", "Lapsed"),
            ("3_left", "Unearned at the end"),
        ],
        string="What became of it",
        readonly=True,
    )
    amount = fields.Monetary(string="Value", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT month.id * 4 + part.number AS id, month.date, month.company_id,
                   month.product_id, part.name AS part, part.amount
              FROM (%s) AS month
              JOIN LATERAL (VALUES (1, '1_used', month.amount_used),
                                   (2, '2_lapsed', month.amount_lapsed),
                                   (3, '3_left', month.amount_closing)
                   ) AS part(number, name, amount) ON part.amount <> 0
            """,
            self.env["helpdesk.incident.unearned.month"]._table_query,
        )
