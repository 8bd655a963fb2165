from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, date_utils

from .helpdesk_incident_position import EPOCH

#: What is added up up to each day.
SUMS = (
    "quantity",
    "used",
    "lapsed",
    "amount",
    "amount_used",
    "amount_lapsed",
    "invoiced",
)


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

    _internal_fields = frozenset(
        {"quantity_opening", "quantity", "used", "lapsed", "quantity_closing"}
    )

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
        "dates: what the books have as revenue. Of opening balances, what the old "
        "books had deferred; what they had as revenue counts when it is earned.",
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
        days = self._days()
        totals = self._totals(days, self.env.companies.sudo().root_id)
        return SQL(
            """
            WITH moved AS (
                SELECT total.*, quantity - used - lapsed AS quantity_closing,
                       amount - amount_used - amount_lapsed AS amount_closing,
                       %(before)s
                  FROM (%(totals)s) AS total
                WINDOW past AS (PARTITION BY company_id, product_id ORDER BY day)
            )
            SELECT ((day - %(epoch)s)::int8 << 35) | (company_id::int8 << 24)
                       | COALESCE(product_id, 0) AS id,
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
               AND (quantity, used, lapsed, amount, amount_used, amount_lapsed,
                    invoiced, before_quantity, before_used, before_lapsed,
                    before_amount, before_amount_used, before_amount_lapsed,
                    before_invoiced) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
            """,
            totals=totals,
            before=SQL(", ").join(
                SQL(
                    "LAG(%s, 1, 0::numeric) OVER past AS %s",
                    SQL("%s::numeric", SQL.identifier(name)),
                    SQL.identifier(f"before_{name}"),
                )
                for name in SUMS
            ),
            epoch=EPOCH,
            opening=days[0],
        )

    @api.model
    def _totals(self, days, companies):
        """Return a query of what was given, used, paid and invoiced up to the end of
        days: ``day``, ``company_id``, ``product_id`` (NULL for what was given free of
        charge) and ``SUMS``; each product on each day, whether there is something or
        not any more.

        :param list[date] days: one or more.
        :param companies: root companies (R2.3).
        :rtype: SQL
        """
        return SQL(
            """
            WITH part AS (
                SELECT p.day, p.company_id, line.product_id, p.quantity, p.used,
                       p.lapsed, p.amount, p.amount_used, p.amount_lapsed,
                       -- what the old books have as revenue is not to be deferred
                       CASE WHEN opening.id IS NULL THEN 0
                            ELSE p.amount_used + p.amount_lapsed - p.amount
                       END AS invoiced
                  FROM (%(positions)s) AS p
                  LEFT JOIN sale_order_line line ON line.id = p.sale_line_id
                  LEFT JOIN helpdesk_incident_opening opening
                    ON opening.order_id = line.order_id AND opening.deferred IS NOT TRUE
                 UNION ALL
                SELECT day, company_id, product_id, 0, 0, 0, 0, 0, 0, invoiced
                  FROM (%(invoiced)s) AS i
            )
            SELECT day.day, known.company_id, known.product_id, %(sums)s
              FROM (SELECT DISTINCT company_id, product_id FROM part) AS known
             CROSS JOIN (SELECT unnest(%(days)s::date[])) AS day(day)
              LEFT JOIN part ON part.day = day.day
                            AND part.company_id = known.company_id
                            AND part.product_id IS NOT DISTINCT FROM known.product_id
             GROUP BY day.day, known.company_id, known.product_id
            """,
            positions=self._positions(days, companies),
            invoiced=self._invoiced(days, companies),
            sums=SQL(", ").join(
                SQL(
                    "COALESCE(SUM(part.%s), 0) AS %s",
                    SQL.identifier(name),
                    SQL.identifier(name),
                )
                for name in SUMS
            ),
            days=days,
        )

    @api.model
    def _days(self):
        """Return the days whose positions the months begin and end with: the first one
        is the day before the first month.

        :rtype: list[date]
        """
        report = self.env["helpdesk.incident.unearned"]
        last = report._day()
        first = report._context_day("unearned_from")
        if not first:
            first = self.env.company.compute_fiscalyear_dates(last)["date_from"]
        days = [date_utils.start_of(min(first, last), "month") - timedelta(days=1)]
        while days[-1] < last:
            following = days[-1] + timedelta(days=1)
            days.append(min(date_utils.end_of(following, "month"), last))
        return days

    @api.model
    def _invoiced(self, days, companies):
        """Return a query of what posted documents have charged for plans: ``day``,
        ``company_id``, ``product_id`` and ``invoiced``; and of the value of opening
        balances, which another system has charged (R21.4). (What is left of those that
        its books had as revenue is taken off in :meth:`_totals`.)

        :rtype: SQL
        """
        self.env["helpdesk.incident.opening"].flush_model(
            ["date_confirmed", "date_cancelled"]
        )
        return SQL(
            """
            WITH charged AS (
                SELECT date, company_id, product_id, invoiced
                  FROM (%(charged)s) AS item
                 UNION ALL
                SELECT opened.date, split_part(company.parent_path, '/', 1)::int,
                       line.product_id, opened.sign * line.incident_opening_value
                  FROM helpdesk_incident_opening opening
                  JOIN sale_order_line line ON line.order_id = opening.order_id
                  JOIN res_company company ON company.id = opening.company_id
                  JOIN LATERAL (VALUES (opening.date_confirmed, 1),
                                       (opening.date_cancelled, -1)
                       ) AS opened(date, sign) ON opened.date <= %(last)s
                 WHERE line.incident_opening_value <> 0
                   AND split_part(company.parent_path, '/', 1)::int IN %(companies)s
            )
            SELECT day.day, charged.company_id, charged.product_id,
                   SUM(charged.invoiced) AS invoiced
              FROM unnest(%(days)s::date[]) AS day(day)
              JOIN charged ON charged.date <= day.day
             GROUP BY day.day, charged.company_id, charged.product_id
            """,
            days=days,
            last=days[-1],
            companies=tuple(companies.ids),
            charged=self._charged(days[-1], companies),
        )

    @api.model
    def _charged(self, last, companies):
        """Return a query of the journal items that charge for plans: ``item_id``,
        ``date``, ``company_id`` (the root), ``product_id``, ``is_income`` and
        ``is_down`` (a down payment); ``amount``, what the item has, and ``invoiced``,
        what that is after discounts.

        A discount that is a line of its own takes its part of the other lines of its
        document and order, as in :meth:`SaleOrderLine._incident_value_of`. A down
        payment that was posted to income is for the plans of its order in proportion
        to their prices.

        :param last: the last day.
        :rtype: SQL
        """
        for name, columns in (
            ("account.move.line", ["balance", "date", "parent_state"]),
            ("sale.order.line", ["product_id", "incident_kind", "price_subtotal"]),
        ):
            self.env[name].flush_model(columns)
        return SQL(
            """
            WITH item AS (
                SELECT item.id, item.move_id, item.date, item.price_subtotal,
                       -item.balance AS amount, line.id AS line_id, line.order_id,
                       line.incident_kind, line.product_id,
                       split_part(company.parent_path, '/', 1)::int AS company_id,
                       COALESCE(line.is_downpayment, FALSE) AS is_down,
                       line.incident_operation = 'credit' AS is_credit,
                       account.account_type LIKE 'income%%' AS is_income,
                       currency.decimal_places AS places
                  FROM account_move_line item
                  JOIN account_move move ON move.id = item.move_id
                   AND move.move_type IN ('out_invoice', 'out_refund')
                  JOIN account_account account ON account.id = item.account_id
                  JOIN res_currency currency ON currency.id = item.company_currency_id
                       -- one that is for several plan lines counts for one of them
                  JOIN LATERAL (
                    SELECT l.* FROM sale_order_line_invoice_rel rel
                      JOIN sale_order_line l ON l.id = rel.order_line_id
                     WHERE rel.invoice_line_id = item.id
                     ORDER BY l.incident_kind IS NULL, l.id LIMIT 1) AS line ON TRUE
                  JOIN res_company company ON company.id = line.company_id
                 WHERE item.parent_state = 'posted' AND item.date <= %(last)s
                   -- what a branch has invoiced, too (R2.3)
                   AND split_part(company.parent_path, '/', 1)::int IN %(companies)s
                   AND EXISTS (SELECT FROM sale_order_line plan
                                WHERE plan.order_id = line.order_id
                                  AND plan.incident_kind IS NOT NULL)
            ), shared AS (
                SELECT item.*,
                       CASE WHEN is_credit THEN 1 ELSE COALESCE(GREATEST(
                           SUM(price_subtotal) FILTER (
                               WHERE NOT is_down AND is_credit IS NOT TRUE)
                               OVER document
                           / NULLIF(SUM(GREATEST(price_subtotal, 0)) FILTER (
                               WHERE NOT is_down AND is_credit IS NOT TRUE)
                               OVER document, 0), 0), 1) END AS share
                  FROM item
                WINDOW document AS (PARTITION BY move_id, order_id)
            )
            SELECT id AS item_id, date, company_id, product_id, is_income,
                   FALSE AS is_down, amount, ROUND(amount * share, places) AS invoiced
              FROM shared
             WHERE incident_kind IS NOT NULL
             UNION ALL
            SELECT shared.id, shared.date, shared.company_id, plan.product_id, TRUE,
                   TRUE, shared.amount,
                   ROUND(shared.amount * plan.price_subtotal
                         / NULLIF(price.total, 0), shared.places)
              FROM shared
              JOIN sale_order_line plan ON plan.order_id = shared.order_id
               AND plan.incident_kind IS NOT NULL,
                   LATERAL (
                SELECT SUM(price_subtotal) AS total FROM sale_order_line l
                 WHERE l.order_id = shared.order_id
                   AND NOT COALESCE(l.is_downpayment, FALSE)) AS price
             WHERE shared.is_down AND shared.is_income
            """,
            last=last,
            companies=tuple(companies.ids),
        )

    @api.model
    def _booked(self, last, companies):
        """Return a query of the journal items that the income accounts have for plans,
        whoever has posted them, release entries excepted: ``item_id``, ``product_id``
        and ``amount``.

        :param last: the last day.
        :rtype: SQL
        """
        self.env["account.move.line"].flush_model(
            ["account_id", "balance", "date", "parent_state", "product_id"]
        )
        return SQL(
            """
            SELECT item.id AS item_id, item.product_id, -item.balance AS amount
              FROM account_move_line item
              JOIN account_account account ON account.id = item.account_id
               AND account.account_type LIKE 'income%%'
              JOIN product_product product ON product.id = item.product_id
              JOIN res_company company ON company.id = item.company_id
             WHERE item.parent_state = 'posted' AND item.date <= %s
               AND item.incident_release_kind IS NULL
               AND split_part(company.parent_path, '/', 1)::int IN %s
               AND (product.incident_kind <> 'none' OR product.id IN (
                       SELECT product_id FROM sale_order_line
                        WHERE incident_kind IS NOT NULL))
            """,
            last,
            tuple(companies.ids),
        )

    def action_open_positions(self):
        """Show what was unearned at the end of this month."""
        self.ensure_one()
        self.check_access("read")
        wizard = self.env["helpdesk.incident.unearned.wizard"]
        return wizard._show_positions(
            self.date,
            [
                ("product_id", "=", self.product_id.id),
                ("company_id", "=", self.company_id.id),
            ],
        )

    def action_open_invoiced(self):
        """Show the journal items that are what was invoiced in this month (R12.7)."""
        self.ensure_one()
        self.check_access("read")
        charged = self.sudo()._charged(self.date, self.company_id.sudo())
        rows = self.env.execute_query(
            SQL(
                "SELECT item_id FROM (%s) AS charged"
                " WHERE product_id = %s AND date >= %s",
                charged,
                self.product_id.id or None,
                date_utils.start_of(self.date, "month"),
            )
        )
        return self.env["helpdesk.incident.release"]._show_items(
            [("id", "in", sorted(item_id for (item_id,) in rows))]
        )
