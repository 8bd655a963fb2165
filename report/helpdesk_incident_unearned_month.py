from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, date_utils


class HelpdeskIncidentUnearnedMonth(models.Model):
    """What became of paid incidents month by month, to post from (R12.4).

    What is unearned at a beginning or an end adds up over products, never over months.

    The months are those from ``unearned_from`` to ``unearned_date`` in the context, by
    default of the financial year to date. In each row, opening + paid − used − lapsed
    = closing.
    """

    _name = "helpdesk.incident.unearned.month"
    _inherit = "helpdesk.incident.position"
    _description = "Unearned Support Incidents by Month"
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
    quantity_opening = fields.Integer(
        string="Incidents at the beginning", readonly=True
    )
    quantity = fields.Integer(string="Incidents given", readonly=True)
    used = fields.Integer(string="Incidents used", readonly=True)
    lapsed = fields.Integer(string="Incidents lapsed", readonly=True)
    quantity_closing = fields.Integer(string="Incidents at the end", readonly=True)
    amount_opening = fields.Monetary(string="Unearned at the beginning", readonly=True)
    amount = fields.Monetary(
        string="Paid", readonly=True, help="Without tax, less credit notes."
    )
    amount_used = fields.Monetary(string="Value used", readonly=True)
    amount_lapsed = fields.Monetary(string="Value lapsed", readonly=True)
    amount_earned = fields.Monetary(
        string="Earned",
        readonly=True,
        help="The revenue of the month: the value used, and the value lapsed.",
    )
    amount_closing = fields.Monetary(string="Unearned at the end", readonly=True)
    amount_invoiced = fields.Monetary(
        string="Invoiced",
        readonly=True,
        help="Posted invoices less credit notes, without tax, by their accounting "
        "dates: what the books have as revenue.",
    )
    amount_deferred = fields.Monetary(
        string="To be deferred at the end",
        readonly=True,
        help="What was invoiced up to then, less what was earned: the balance that the "
        "account of deferred revenue should have. Below zero, more was earned than "
        "invoiced.",
    )

    @property
    def _table_query(self):
        companies = self.env.companies
        days = self._days()
        return SQL(
            """
            WITH total AS (
                SELECT day, company_id, product_id, SUM(quantity) AS quantity,
                       SUM(used) AS used, SUM(lapsed) AS lapsed, SUM(amount) AS amount,
                       SUM(amount_used) AS amount_used,
                       SUM(amount_lapsed) AS amount_lapsed, SUM(invoiced) AS invoiced
                  FROM (
                    SELECT p.day, account.company_id, line.product_id, p.quantity,
                           p.used, p.lapsed, p.amount, p.amount_used, p.amount_lapsed,
                           0 AS invoiced
                      FROM (%(positions)s) AS p
                      JOIN helpdesk_incident_allotment m ON m.id = p.allotment_id
                      JOIN helpdesk_incident_account account
                        ON account.id = m.account_id
                      LEFT JOIN sale_order_line line ON line.id = p.sale_line_id
                     UNION ALL
                    %(invoiced)s
                  ) AS part
                 GROUP BY day, company_id, product_id
            ), moved AS (
                SELECT total.*, quantity - used - lapsed AS quantity_closing,
                       amount - amount_used - amount_lapsed AS amount_closing,
                       %(before)s
                  FROM total
                WINDOW past AS (PARTITION BY company_id, product_id ORDER BY day)
            )
            SELECT row_number() OVER (ORDER BY day, company_id, product_id) AS id,
                   day AS date, company_id, product_id,
                   (before_quantity - before_used - before_lapsed)::int
                       AS quantity_opening,
                   (quantity - before_quantity)::int AS quantity,
                   (used - before_used)::int AS used,
                   (lapsed - before_lapsed)::int AS lapsed,
                   quantity_closing::int,
                   before_amount - before_amount_used - before_amount_lapsed
                       AS amount_opening,
                   amount - before_amount AS amount,
                   amount_used - before_amount_used AS amount_used,
                   amount_lapsed - before_amount_lapsed AS amount_lapsed,
                   amount_used + amount_lapsed - before_amount_used
                       - before_amount_lapsed AS amount_earned,
                   amount_closing, invoiced - before_invoiced AS amount_invoiced,
                   invoiced - amount_used - amount_lapsed AS amount_deferred
              FROM moved
             WHERE day <> %(opening)s
            """,
            positions=self._positions(days, companies),
            invoiced=self._invoiced(days, companies),
            before=SQL(", ").join(
                SQL(
                    "LAG(%s, 1, 0::numeric) OVER past AS %s",
                    SQL("%s::numeric", SQL.identifier(name)),
                    SQL.identifier(f"before_{name}"),
                )
                for name in (
                    "quantity",
                    "used",
                    "lapsed",
                    "amount",
                    "amount_used",
                    "amount_lapsed",
                    "invoiced",
                )
            ),
            opening=days[0],
        )

    @api.model
    def _days(self):
        """Return the days whose positions the months begin and end with: the first one
        is the day before the first month.

        :rtype: list[date]
        """
        last = self.env["helpdesk.incident.unearned"]._day()
        first = fields.Date.to_date(self.env.context.get("unearned_from"))
        if not first:
            first = self.env.company.compute_fiscalyear_dates(last)["date_from"]
        days = [date_utils.start_of(min(first, last), "month") - timedelta(days=1)]
        while days[-1] < last:
            following = days[-1] + timedelta(days=1)
            days.append(min(date_utils.end_of(following, "month"), last))
        return days

    @api.model
    def _invoiced(self, days, companies):
        """Return a query of what posted documents have charged for plans, by product:
        less a discount that is a line of its own, as in the value of incidents.

        :rtype: SQL
        """
        for name, columns in (
            ("account.move.line", ["balance", "date", "parent_state"]),
            ("sale.order.line", ["product_id", "incident_kind", "price_subtotal"]),
        ):
            self.env[name].flush_model(columns)
        return SQL(
            """
            SELECT day.day, line.company_id, line.product_id, 0, 0, 0, 0, 0, 0,
                   ROUND(-item.balance * CASE line.incident_operation
                         WHEN 'credit' THEN 1 ELSE share.share END,
                         currency.decimal_places)
              FROM unnest(%(days)s::date[]) AS day(day)
              JOIN account_move_line item ON item.date <= day.day
                                         AND item.parent_state = 'posted'
              JOIN account_move move ON move.id = item.move_id
                                    AND move.move_type IN ('out_invoice', 'out_refund')
                   -- one that is for several plan lines counts for one of them
              JOIN sale_order_line line ON line.id = (
                    SELECT MIN(l.id) FROM sale_order_line_invoice_rel rel
                      JOIN sale_order_line l ON l.id = rel.order_line_id
                     WHERE rel.invoice_line_id = item.id
                       AND l.incident_kind IS NOT NULL)
              JOIN res_currency currency ON currency.id = item.company_currency_id,
                   LATERAL (
                    SELECT COALESCE(GREATEST(SUM(price_subtotal) / NULLIF(SUM(
                               price_subtotal) FILTER (WHERE price_subtotal > 0), 0),
                               0), 1) AS share
                      FROM sale_order_line l
                     WHERE l.order_id = line.order_id
                       AND NOT COALESCE(l.is_downpayment, FALSE)
                       AND l.incident_operation IS DISTINCT FROM 'credit') AS share
             WHERE line.company_id IN %(companies)s
            """,
            days=days,
            companies=tuple(companies.ids),
        )

    def action_open_positions(self):
        """Show what was unearned at the end of this month."""
        self.ensure_one()
        self.check_access("read")
        wizard = self.env["helpdesk.incident.unearned.wizard"]
        return wizard._show_positions(
            self.date, [("product_id", "=", self.product_id.id)]
        )
