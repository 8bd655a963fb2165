"""What subscriptions are worth a month, and what of it came and went (R22.1)."""

from odoo import fields, models
from odoo.tools import SQL

KINDS = [
    ("active", "Recurring value"),
    ("new", "New"),
    ("renewed", "Renewed"),
    ("lost", "Lost"),
]


class HelpdeskIncidentRecurring(models.Model):
    """Recurring value by subscription and month, in company currency, without tax.

    The *value* of a subscription on a day is what was paid for its period of that day,
    per month of the period: what accountants go by (``helpdesk.incident.purchase``),
    discounts, extras, credit notes and changes of plan counted in.

    * *Recurring value* of a month: of all that are paid for on its last day, or today.
    * *New*: of those that begin in the month.
    * *Renewed*: of those that go on with a further term that begins in the month.
    * *Lost*, below zero: of those that ended in the month without a renewal, or were
      cancelled; what they were worth last. Renewed later, it is not lost any more.

    Nothing is kept: a refund or a credit note changes the months that it was for.
    """

    _name = "helpdesk.incident.recurring"
    _inherit = "helpdesk.incident.described"
    _description = "Recurring Value of Support Subscriptions"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "subscription_id"
    _internal_fields = frozenset({"currency_id"})

    date = fields.Date(
        readonly=True,
        help="The last day of the month, or today; of what came and went, its day.",
    )
    kind = fields.Selection(selection=KINDS, readonly=True)
    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription", readonly=True
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    product_id = fields.Many2one(
        comodel_name="product.product", string="Plan", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(
        string="Value per month",
        readonly=True,
        help="What was paid for the period, without tax, per month. Recurring value: "
        "of what is paid for at the end of the month; lost: what ended without a "
        "renewal, or was cancelled.",
    )

    @property
    def _table_query(self):
        for name in ("purchase", "allotment", "subscription", "subscription.term"):
            self.env[f"helpdesk.incident.{name}"].flush_model()
        companies = self.env.companies.sudo().root_id
        return SQL(
            """
            WITH paid AS (
                -- each paid period, and what it is worth a month
                SELECT m.id, s.id AS subscription_id, s.product_id, account.company_id,
                       account.partner_id, s.date_end, s.date_cancelled, today.day,
                       m.date_from, last.day AS date_to,
                       ROUND(p.amount / GREATEST(ROUND(
                           (last.day - m.date_from + 1) / 30.4375), 1),
                           currency.decimal_places) AS amount
                  FROM helpdesk_incident_allotment m
                  JOIN helpdesk_incident_subscription s ON s.id = m.subscription_id
                  JOIN helpdesk_incident_account account ON account.id = m.account_id
                  JOIN %(today)s AS today(company_id, day)
                    ON today.company_id = account.company_id
                  JOIN res_company company ON company.id = account.company_id
                  JOIN res_currency currency ON currency.id = company.currency_id
                 CROSS JOIN LATERAL (
                    SELECT COALESCE(m.date_period_to, m.date_to) AS day) last
                 CROSS JOIN LATERAL (
                    SELECT SUM(amount) AS amount, SUM(quantity) AS quantity
                      FROM helpdesk_incident_purchase
                     WHERE allotment_id = m.id) p
                 WHERE m.kind = 'period' AND p.quantity > 0
                   AND m.date_from <= today.day
                   AND (s.date_cancelled IS NULL OR m.date_from <= s.date_cancelled)
            ), moved AS (
                SELECT paid.id, month.number, paid.day, 'active' AS kind,
                       month.last AS date, amount
                  FROM paid
                 CROSS JOIN LATERAL (
                    SELECT LEAST((first + interval '1 month - 1 day')::date, paid.day)
                           AS last, number
                      FROM generate_series(
                            date_trunc('month', paid.date_from::timestamp),
                            LEAST(paid.date_to, paid.day), interval '1 month')
                           WITH ORDINALITY AS month(first, number)) month
                 WHERE month.last BETWEEN paid.date_from AND paid.date_to
                   AND (date_cancelled IS NULL OR date_cancelled > month.last)
                 UNION ALL
                SELECT id, 0, day, CASE WHEN first = id THEN 'new' ELSE 'renewed' END,
                       date_from, amount
                  FROM (SELECT paid.*,
                               FIRST_VALUE(id) OVER (PARTITION BY subscription_id
                                                     ORDER BY date_from, id) AS first
                          FROM paid) paid
                 WHERE first = id OR EXISTS (
                       SELECT FROM helpdesk_incident_subscription_term term
                        WHERE term.subscription_id = paid.subscription_id
                          AND term.kind = 'term' AND term.date_from = paid.date_from)
                 UNION ALL
                SELECT id, 0, day, 'lost', gone, -amount
                  FROM (SELECT DISTINCT ON (subscription_id) paid.*,
                               LEAST(date_cancelled, date_end) AS gone
                          FROM paid
                         ORDER BY subscription_id, date_from DESC, id DESC) paid
                 WHERE date_cancelled IS NOT NULL OR date_end < day
            )
            SELECT moved.id::int8 * 4096 + moved.number * 4
                   + CASE moved.kind WHEN 'active' THEN 0 WHEN 'new' THEN 1
                                     WHEN 'renewed' THEN 2 ELSE 3 END AS id,
                   moved.date, moved.kind, moved.amount, paid.subscription_id,
                   paid.product_id, paid.partner_id, paid.company_id
              FROM moved JOIN paid ON paid.id = moved.id
            """,
            today=self.env["helpdesk.incident.account"]._today_table(companies),
        )

    def action_open_subscription(self):
        """Open the subscription."""
        self.ensure_one()
        self.check_access("read")
        return self.subscription_id._action_open()
