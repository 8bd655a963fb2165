"""The check of payments, and of the targets of causes (R13.4)."""

from odoo import models
from odoo.tools import SQL

#: What a payment counts while it is effective (R1), and while it is not: nothing.
EFFECTIVE = SQL(
    """
    (p.state IN ('in_process', 'paid') AND (p.move_id IS NULL OR move.state = 'posted')
     AND p.partner_type = 'customer' AND p.amount > 0
     AND partner.commercial_partner_id <> company.partner_id
     AND (p.incident_first_number > 0 OR p.incident_topup_number > 0))
    """
)


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _check_payments(self):
        """R6.2, R6.3: a payment counts what it is, to an account of its company (that
        of the root company, R2.3), while it is effective.

        A converted amount is compared with what is booked, not with the rate of that
        day, which may have been corrected since. A payment whose contact has moved to
        another customer still counts where it did.
        """
        return self._comparison(
            "account.payment",
            SQL(
                """
                (SELECT p.*, %s AS effective,
                        CASE p.payment_type WHEN 'inbound' THEN 1 ELSE -1 END
                        * CASE WHEN p.currency_id = company.currency_id THEN p.amount
                               ELSE ABS(p.amount_company_currency_signed) END AS money,
                        a.id AS counts_to, own.id AS own_account
                   FROM account_payment p
                   JOIN res_company company ON company.id = p.company_id
                   LEFT JOIN account_move move ON move.id = p.move_id
                   LEFT JOIN res_partner partner ON partner.id = p.partner_id
                   LEFT JOIN helpdesk_incident_account a
                     ON a.id = p.incident_account_id
                    AND company.parent_path LIKE a.company_id || '/%%'
                   LEFT JOIN helpdesk_incident_account own
                     ON own.partner_id = partner.commercial_partner_id
                    AND company.parent_path LIKE own.company_id || '/%%'
                  WHERE p.incident_seen OR p.incident_account_id IS NOT NULL
                     OR p.incident_topup_counted <> 0 OR p.incident_first_given <> 0) p
                """,
                EFFECTIVE,
            ),
            {
                "incident_account_id": (
                    "p.incident_account_id",
                    "CASE WHEN effective THEN COALESCE(counts_to, own_account, 0) END",
                ),
                "incident_partner_id": (
                    "p.incident_partner_id",
                    "CASE WHEN effective THEN p.partner_id END",
                ),
                "incident_topup_counted": (
                    "trim_scale(COALESCE(p.incident_topup_counted, 0))",
                    """CASE WHEN effective AND p.incident_topup_number > 0
                            THEN trim_scale(p.money) ELSE 0 END""",
                ),
                "incident_first_given": (
                    "COALESCE(p.incident_first_given, 0)",
                    """CASE WHEN effective AND p.incident_first_given <> 0
                             AND p.money >= COALESCE(p.incident_first_minimum, 0)
                            THEN p.incident_first_number ELSE 0 END""",
                ),
            },
            account="COALESCE(p.incident_account_id, p.own_account)",
            res_id="p.id",
        )

    def _check_causes(self):
        """R3.4: the entries of a payment or of an order line sum to what it says that
        it should have given; those for funds added to what the payments make (R6.3).

        Lines of subscriptions are compared with these.
        """
        return SQL(
            """
            WITH given AS (
                SELECT cause_key, account_id, SUM(quantity) AS quantity
                  FROM helpdesk_incident_entry
                 WHERE split_part(cause_key, ':', 1)
                       IN ('topup', 'first_payment', 'sale_line')
                 GROUP BY 1, 2
            ), money AS (
                SELECT p.incident_account_id AS account_id,
                       ROUND(p.incident_topup_step / unit.size) AS step,
                       p.incident_topup_number AS number,
                       ROUND(SUM(p.incident_topup_counted) / unit.size) AS total
                  FROM account_payment p
                  JOIN helpdesk_incident_account a ON a.id = p.incident_account_id
                  JOIN res_company company ON company.id = a.company_id
                  JOIN (SELECT id, COALESCE(NULLIF(rounding, 0), 0.01) AS size
                          FROM res_currency) unit ON unit.id = company.currency_id
                 WHERE p.incident_topup_number > 0
                 GROUP BY 1, 2, 3, unit.size
            ), added AS (
                -- What was paid back beyond the payments of its own numbers is taken
                -- from those of the others, in the order of their numbers.
                SELECT account_id, step, number, GREATEST(total, 0) AS total,
                       -SUM(LEAST(total, 0)) OVER (PARTITION BY account_id)
                       - COALESCE(SUM(GREATEST(total, 0)) OVER (
                             PARTITION BY account_id ORDER BY step, number
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                       AS paid_back
                  FROM money
            ), said AS (
                SELECT 'topup:' || account_id || ':' || step || ':' || number
                       AS cause_key, account_id,
                       FLOOR(GREATEST(total - GREATEST(paid_back, 0), 0)
                             / NULLIF(step, 0)) * number AS quantity
                  FROM added
                 UNION ALL
                SELECT 'first_payment:' || id, incident_account_id, incident_first_given
                  FROM account_payment WHERE incident_account_id IS NOT NULL
                 UNION ALL
                SELECT 'sale_line:' || id, incident_account_id, incident_due
                  FROM sale_order_line
                 WHERE incident_account_id IS NOT NULL AND incident_kind <> 'period'
            ), both_sides AS (
                SELECT split_part(cause_key, ':', 1) AS word,
                       SUBSTRING(cause_key FROM ':([0-9]{1,9})')::int AS id, account_id,
                       COALESCE(given.quantity, 0)::int AS given,
                       COALESCE(said.quantity, 0)::int AS said
                  FROM given FULL JOIN said USING (cause_key, account_id)
                 WHERE COALESCE(given.quantity, 0) <> COALESCE(said.quantity, 0)
            )
            SELECT account_id, cause.model, both_sides.id, cause.number,
                   (CASE word WHEN 'topup' THEN given ELSE said END)::text,
                   (CASE word WHEN 'topup' THEN said ELSE given END)::text
              FROM both_sides
              JOIN (VALUES
                    ('topup', 'helpdesk.incident.account',
                     'helpdesk.incident.entry.quantity'),
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
