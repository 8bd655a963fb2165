from datetime import date

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .helpdesk_incident_position import EPOCH, HORIZON


class HelpdeskIncidentUnearned(models.Model):
    """What customers had paid for and not used yet, on any day (R12.4).

    The day is ``unearned_date`` in the context, today by default. One row is what one
    grant or order line has given to one allotment.
    """

    _name = "helpdesk.incident.unearned"
    _inherit = "helpdesk.incident.position"
    _description = "Unearned Support Incidents"
    _auto = False
    _order = "date_to, partner_id, id"
    _rec_name = "name"

    # All lines are of one day; the order says more than its line, and numbers are sums.
    _internal_fields = frozenset(
        {
            *("account_id", "allotment_id", "date", "entry_id", "sale_line_id"),
            *("quantity", "used", "lapsed", "quantity_left"),
        }
    )

    date = fields.Date(string="As of", readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account", readonly=True
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    allotment_id = fields.Many2one(
        comodel_name="helpdesk.incident.allotment", readonly=True
    )
    kind = fields.Selection(
        selection=[("lifetime", "Lifetime"), ("period", "Period")], readonly=True
    )
    date_from = fields.Date(string="First Day", readonly=True)
    date_to = fields.Date(
        string="Expires",
        readonly=True,
        help="The last day of validity; lifetime incidents have none.",
    )
    expires_in = fields.Selection(
        string="Days to expiry",
        selection=[
            ("0", "Ended"),
            ("30", "30 days"),
            ("60", "31 to 60 days"),
            ("90", "61 to 90 days"),
            ("later", "More than 90 days"),
            ("never", "Never"),
        ],
        readonly=True,
        help="How long after the day of the report it can still be used.",
    )
    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription", readonly=True
    )
    entry_id = fields.Many2one(comodel_name="helpdesk.incident.entry", readonly=True)
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line", string="Order Line", readonly=True
    )
    order_id = fields.Many2one(comodel_name="sale.order", readonly=True)
    product_id = fields.Many2one(comodel_name="product.product", readonly=True)
    name = fields.Char(string="Given by", readonly=True)
    quantity = fields.Integer(
        string="Given",
        readonly=True,
        help="Incidents given, less those taken back; of a month that has not begun, "
        "those that were paid for.",
    )
    used = fields.Integer(readonly=True)
    lapsed = fields.Integer(
        readonly=True,
        help="Left unused at the end, withdrawn from a cancelled subscription, or "
        "taken back by hand.",
    )
    quantity_left = fields.Integer(string="Left", readonly=True)
    unit_value = fields.Float(
        digits=(16, 4),
        readonly=True,
        aggregator=None,
        help="What was paid, without tax, for each incident.",
    )
    amount = fields.Monetary(
        string="Paid",
        readonly=True,
        help="Without tax, less credit notes. What was given free of charge is worth "
        "nothing.",
    )
    amount_used = fields.Monetary(string="Value used", readonly=True)
    amount_lapsed = fields.Monetary(string="Value lapsed", readonly=True)
    amount_left = fields.Monetary(
        string="Unearned",
        readonly=True,
        help="What was paid, less the value that was used or has lapsed.",
    )

    @property
    def _table_query(self):
        companies = self.env.companies.sudo().root_id
        day = self._day()
        return SQL(
            """
            SELECT (p.id << 17) | (p.day - %s) AS id, p.day AS date,
                   p.company_id, m.account_id, account.partner_id, p.allotment_id,
                   m.kind, m.date_from, m.date_to,
                   CASE WHEN m.date_to IS NULL THEN 'never'
                        WHEN m.date_to <= p.day THEN '0'
                        WHEN m.date_to <= p.day + 30 THEN '30'
                        WHEN m.date_to <= p.day + 60 THEN '60'
                        WHEN m.date_to <= p.day + 90 THEN '90'
                        ELSE 'later' END AS expires_in,
                   m.subscription_id,
                   p.entry_id, p.sale_line_id, line.order_id,
                   line.product_id,
                   COALESCE(
                       entry.name,
                       CASE WHEN m.subscription_id IS NOT NULL
                            THEN sale.name || ': ' || m.name END,
                       m.name) AS name,
                   p.quantity, p.used, p.lapsed,
                   p.quantity - p.used - p.lapsed AS quantity_left,
                   COALESCE(p.amount / NULLIF(p.quantity, 0), 0) AS unit_value,
                   p.amount, p.amount_used, p.amount_lapsed,
                   p.amount - p.amount_used - p.amount_lapsed AS amount_left
              FROM (%s) AS p
              LEFT JOIN helpdesk_incident_allotment m ON m.id = p.allotment_id
              LEFT JOIN helpdesk_incident_account account ON account.id = m.account_id
              LEFT JOIN helpdesk_incident_entry entry ON entry.id = p.entry_id
              LEFT JOIN sale_order_line line ON line.id = p.sale_line_id
              LEFT JOIN sale_order sale ON sale.id = line.order_id
            """,
            EPOCH,
            self._positions([day], companies),
        )

    @api.model
    def _day(self):
        """Return the day of the report: ``unearned_date`` of the context."""
        return self._context_day("unearned_date") or self.env.company._incident_today()

    @api.model
    def _context_day(self, key):
        """Return a day of the context.

        :raise UserError: if it is none, or not from ``EPOCH`` to ``HORIZON``.
        """
        value = self.env.context.get(key)
        if not value:
            return None
        try:
            day = fields.Date.to_date(value)
        except (TypeError, ValueError, AttributeError):
            day = None
        if not isinstance(day, date) or not EPOCH <= day <= HORIZON:
            raise UserError(
                self.env._(
                    "“%(value)s” is no day that there could be a report of.",
                    value=str(value)[:40],
                )
            )
        return day

    def action_open_source(self):
        """Open the order, or what else has given the incidents."""
        self.ensure_one()
        self.check_access("read")
        if self.order_id:
            return self.order_id._get_records_action()
        if self.entry_id.res_model:
            return self.entry_id.action_open_source()
        return self.account_id._get_records_action()

    def action_view_entries(self):
        """Show the entries of the allotment."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_entry_action"
        )
        return {
            **action,
            "domain": [("allotment_id", "=", self.allotment_id.id)],
            "context": {},
        }
