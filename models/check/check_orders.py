"""The check of causes, orders and subscriptions (R13.4)."""

from odoo import models
from odoo.tools import SQL


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _check_causes(self):
        """R3.4: the entries of a payment or of an order line sum to what it says that
        it should have given; for funds added, the account is asked (R6.3).

        Lines of subscriptions are compared with these.
        """
        return SQL(
            """
            WITH given AS (
                SELECT cause_key, account_id, SUM(quantity)::int AS quantity
                  FROM helpdesk_incident_entry
                 WHERE split_part(cause_key, ':', 1) IN ('first_payment', 'sale_line')
                 GROUP BY 1, 2
            ), said AS (
                SELECT 'first_payment:' || id AS cause_key,
                       incident_account_id AS account_id,
                       incident_first_given AS quantity
                  FROM account_payment WHERE incident_account_id IS NOT NULL
                 UNION ALL
                SELECT 'sale_line:' || id, incident_account_id, incident_due
                  FROM sale_order_line
                 WHERE incident_account_id IS NOT NULL AND incident_kind <> 'period'
            ), both_sides AS (
                SELECT split_part(cause_key, ':', 1) AS word,
                       SUBSTRING(cause_key FROM ':([0-9]{1,9})')::int AS id, account_id,
                       COALESCE(given.quantity, 0) AS given,
                       COALESCE(said.quantity, 0) AS said
                  FROM given FULL JOIN said USING (cause_key, account_id)
                 WHERE COALESCE(given.quantity, 0) <> COALESCE(said.quantity, 0)
            )
            SELECT account_id, cause.model, both_sides.id, cause.number,
                   said::text, given::text
              FROM both_sides
              JOIN (VALUES
                    ('first_payment', 'account.payment', 'incident_first_given'),
                    ('sale_line', 'sale.order.line', 'incident_due')
                   ) AS cause(word, model, number) USING (word)
              LEFT JOIN sale_order_line l ON word = 'sale_line' AND l.id = both_sides.id
             -- Of a pack what is used stays given: its target is compared.
             WHERE l.incident_kind IS DISTINCT FROM 'period'
               AND (l.incident_kind IS DISTINCT FROM 'pack'
                    OR l.incident_date_from IS NULL)
            """
        )

    def _check_lines(self):
        """R8.2, R9: a line sells what was ordered, in the unit of the product, and
        gives to the account of its subscription."""
        return self._comparison(
            "sale.order.line",
            SQL(
                """
                (SELECT * FROM sale_order_line
                  WHERE incident_kind IS NOT NULL OR incident_account_id IS NOT NULL
                     OR incident_units <> 0) l
                  JOIN product_product product ON product.id = l.product_id
                  JOIN product_template template
                    ON template.id = product.product_tmpl_id
                  LEFT JOIN helpdesk_incident_subscription_term t
                    ON t.sale_line_id = l.id
                  LEFT JOIN helpdesk_incident_subscription s ON s.id = t.subscription_id
                """
            ),
            {
                "incident_account_id": (
                    "l.incident_account_id",
                    "COALESCE(s.account_id, l.incident_account_id)",
                ),
                "incident_kind": (
                    "l.incident_kind",
                    """CASE WHEN t.id IS NOT NULL THEN 'period'
                            WHEN l.incident_account_id IS NOT NULL
                             AND l.incident_operation IS DISTINCT FROM 'credit'
                            THEN CASE WHEN l.incident_term_months > 0
                                      THEN 'pack' ELSE 'lifetime' END
                            ELSE l.incident_kind END""",
                ),
                "incident_units": (
                    "COALESCE(l.incident_units, 0)",
                    """CASE WHEN l.incident_kind IS NULL THEN 0
                            WHEN l.product_uom_qty = 0
                             AND l.incident_account_id IS NOT NULL
                            THEN l.incident_units
                            WHEN l.product_uom_id <> template.uom_id
                            THEN l.incident_units
                            WHEN l.incident_operation = 'extra' THEN ROUND(
                                l.product_uom_qty / NULLIF(l.incident_term_months
                                / GREATEST(l.incident_period_months, 1), 0))
                            ELSE ROUND(l.product_uom_qty) END""",
                ),
            },
            account="COALESCE(s.account_id, l.incident_account_id)",
            res_id="l.id",
        )

    def _check_purchases(self):
        """R12.4: the recorded purchase of what is given once agrees with what is due of
        the line."""
        return self._comparison(
            "sale.order.line",
            SQL(
                """
                (SELECT * FROM sale_order_line WHERE incident_kind <> 'period'
                    AND incident_account_id IS NOT NULL) l
                  LEFT JOIN (
                    SELECT p.sale_line_id, m.account_id,
                           m.kind = 'lifetime' AS for_life,
                           SUM(p.quantity) AS quantity,
                           SUM(p.withdrawn) AS withdrawn, SUM(p.amount) AS amount
                      FROM helpdesk_incident_purchase p
                      JOIN helpdesk_incident_allotment m ON m.id = p.allotment_id
                       AND (m.kind = 'lifetime'
                            OR m.cause_key = 'sale_line:' || p.sale_line_id)
                     GROUP BY 1, 2, 3) p
                    ON p.sale_line_id = l.id AND p.account_id = l.incident_account_id
                   AND p.for_life = (l.incident_date_from IS NULL
                                     OR l.incident_kind = 'lifetime')
                """
            ),
            {
                "helpdesk.incident.purchase.quantity": (
                    "COALESCE(p.quantity, 0)",
                    "COALESCE(l.incident_due, 0)",
                ),
                "helpdesk.incident.purchase.withdrawn": (
                    "COALESCE(p.withdrawn, 0)",
                    "0",
                ),
                "helpdesk.incident.purchase.amount": (
                    "trim_scale(ROUND(COALESCE(p.amount, 0), 6))",
                    "trim_scale(ROUND(COALESCE(l.incident_value, 0)::numeric, 6))",
                ),
            },
            account="l.incident_account_id",
            res_id="l.id",
        )
