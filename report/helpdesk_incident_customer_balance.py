"""What customers have with the provider, in money and in incidents (R1, R12.7)."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import EFFECTIVE
from ..sql import flush
from .helpdesk_incident_position import _array


class HelpdeskIncidentCustomerBalance(models.Model):
    """The account balance of each customer, beside the receivables that it follows
    from; what is overdue; and how many incidents are below zero, with their value.

    *Account balance* = − *receivables* − *not effective* − *held*: in each row, and it
    is what ``res.partner._incident_account_balance`` says.
    """

    _name = "helpdesk.incident.customer.balance"
    _inherit = "helpdesk.incident.described"
    _description = "Customer Balances"
    _auto = False
    _order = "balance, partner_id, id"
    _rec_name = "partner_id"

    _internal_fields = frozenset({"account_id"})

    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account", readonly=True
    )
    receivable = fields.Monetary(
        string="Receivables",
        readonly=True,
        help="What posted journal items say that the customer owes; below zero what it "
        "has paid and not used.",
    )
    ineffective = fields.Monetary(
        string="Not effective",
        readonly=True,
        help="Payments that are rejected, or in draft again, and what is reconciled "
        "with them: in the receivables they count as paid, here they do not.",
    )
    held = fields.Monetary(
        readonly=True,
        help="Paid online for orders that posted invoices do not cover yet.",
    )
    balance = fields.Monetary(
        string="Account balance",
        readonly=True,
        help="What the customer can spend, below zero what it owes: receivables, "
        "payments that are not effective and held money taken off.",
    )
    overdue = fields.Monetary(
        readonly=True, help="Of the receivables, what was due before today."
    )
    below = fields.Integer(
        string="Incidents below zero",
        readonly=True,
        help="Lifetime incidents that were used, and taken back since.",
    )
    amount_below = fields.Monetary(
        string="Value below zero",
        readonly=True,
        help="These incidents at what the customer paid for each, without tax, in its "
        "last purchase; nothing if there was none.",
    )

    @property
    def _table_query(self):
        companies = self.env.companies.sudo().root_id
        flush(
            self.env,
            {
                "account.move.line": "account_id amount_residual company_id "
                "date_maturity parent_state partner_id payment_id reconciled",
                "account.partial.reconcile": "amount credit_move_id debit_move_id",
                "account.payment": "state",
                "account.account": "account_type",
                "res.partner": "commercial_partner_id",
                "sale.order": "company_id partner_id",
                "sale.order.line": "incident_kind order_id",
                "helpdesk.ticket": "commercial_partner_id company_id",
                "helpdesk.ticket.charge": "ticket_id",
                "helpdesk.incident.allotment": "balance",
                "helpdesk.incident.purchase": "amount quantity",
            },
        )
        held = self._held(companies)
        return SQL(
            """
            WITH entity AS (
                SELECT company.id AS company_id, root.id AS root_id, root.day
                  FROM res_company company
                  JOIN %(today)s AS root(id, day)
                    ON split_part(company.parent_path, '/', 1)::int = root.id
            ), customer AS (
                SELECT partner_id, company_id FROM helpdesk_incident_account
                 WHERE company_id IN %(companies)s
                 UNION
                SELECT partner.commercial_partner_id, entity.root_id
                  FROM sale_order sale
                  JOIN entity ON entity.company_id = sale.company_id
                  JOIN res_partner partner ON partner.id = sale.partner_id
                 WHERE sale.id IN (SELECT order_id FROM sale_order_line
                                    WHERE incident_kind IS NOT NULL)
                 UNION
                SELECT ticket.commercial_partner_id, entity.root_id
                  FROM helpdesk_ticket ticket
                  JOIN entity ON entity.company_id = ticket.company_id
                 WHERE ticket.commercial_partner_id IS NOT NULL
                   AND ticket.id IN (SELECT ticket_id FROM helpdesk_ticket_charge)
            ), item AS (
                SELECT partner.commercial_partner_id AS partner_id, entity.root_id,
                       line.amount_residual AS residual,
                       line.date_maturity < entity.day AS is_overdue,
                       payment.id IS NOT NULL
                           AND payment.state NOT IN %(effective)s AS is_void
                  FROM account_move_line line
                  JOIN account_account account ON account.id = line.account_id
                   AND account.account_type = 'asset_receivable'
                  JOIN entity ON entity.company_id = line.company_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                  LEFT JOIN account_payment payment ON payment.id = line.payment_id
                 WHERE line.parent_state = 'posted' AND line.reconciled IS NOT TRUE
            ), money AS (
                SELECT partner_id, root_id, SUM(residual) AS receivable,
                       -COALESCE(SUM(residual) FILTER (WHERE is_void), 0)
                           AS ineffective,
                       COALESCE(SUM(residual) FILTER (
                           WHERE residual > 0 AND is_overdue AND NOT is_void), 0)
                           AS overdue
                  FROM item GROUP BY partner_id, root_id
                 UNION ALL
                -- what is reconciled with what is no payment (any more)
                SELECT partner.commercial_partner_id, entity.root_id, 0,
                       SUM(partial.amount), 0
                  FROM account_partial_reconcile partial
                  JOIN account_move_line payer ON payer.id = partial.credit_move_id
                  LEFT JOIN account_payment payment ON payment.id = payer.payment_id
                  JOIN account_move_line line ON line.id = partial.debit_move_id
                   AND line.parent_state = 'posted'
                  LEFT JOIN account_payment paid ON paid.id = line.payment_id
                  JOIN account_account account ON account.id = line.account_id
                   AND account.account_type = 'asset_receivable'
                  JOIN entity ON entity.company_id = line.company_id
                  JOIN res_partner partner ON partner.id = line.partner_id
                 WHERE (payer.parent_state <> 'posted'
                        OR payment.state NOT IN %(effective)s)
                   AND (paid.id IS NULL OR paid.state IN %(effective)s)
                 GROUP BY partner.commercial_partner_id, entity.root_id
            ), summed AS (
                SELECT partner_id, root_id, SUM(receivable) AS receivable,
                       SUM(ineffective) AS ineffective, SUM(overdue) AS overdue
                  FROM money GROUP BY partner_id, root_id
            )
            SELECT (customer.partner_id::int8 << 20) | customer.company_id AS id,
                   customer.partner_id, customer.company_id, account.id AS account_id,
                   COALESCE(summed.receivable, 0) AS receivable,
                   COALESCE(summed.ineffective, 0) AS ineffective,
                   COALESCE(held.amount, 0) AS held,
                   -COALESCE(summed.receivable, 0) - COALESCE(summed.ineffective, 0)
                       - COALESCE(held.amount, 0) AS balance,
                   COALESCE(summed.overdue, 0) AS overdue,
                   COALESCE(-lifetime.balance, 0) AS below,
                   COALESCE(ROUND(-lifetime.balance * bought.unit, places), 0)
                       AS amount_below
              FROM customer
              JOIN res_company company ON company.id = customer.company_id
              JOIN LATERAL (SELECT decimal_places AS places FROM res_currency
                             WHERE id = company.currency_id) AS currency ON TRUE
              LEFT JOIN summed ON summed.partner_id = customer.partner_id
                              AND summed.root_id = customer.company_id
              LEFT JOIN unnest(%(partners)s::int[], %(roots)s::int[],
                               %(amounts)s::numeric[])
                     AS held(partner_id, root_id, amount)
                     ON held.partner_id = customer.partner_id
                    AND held.root_id = customer.company_id
              LEFT JOIN helpdesk_incident_account account
                     ON account.partner_id = customer.partner_id
                    AND account.company_id = customer.company_id
              LEFT JOIN helpdesk_incident_allotment lifetime
                     ON lifetime.account_id = account.id
                    AND lifetime.kind = 'lifetime' AND lifetime.balance < 0
              LEFT JOIN LATERAL (
                SELECT purchase.amount / purchase.quantity AS unit
                  FROM helpdesk_incident_purchase purchase
                  JOIN helpdesk_incident_allotment m ON m.id = purchase.allotment_id
                 WHERE lifetime.id IS NOT NULL AND m.account_id = account.id
                   AND purchase.quantity > 0 AND purchase.amount > 0
                 ORDER BY purchase.id DESC LIMIT 1) AS bought ON TRUE
             WHERE (summed.receivable, summed.ineffective) <> (0, 0)
                OR held.amount <> 0 OR lifetime.id IS NOT NULL
            """,
            today=self.env["helpdesk.incident.account"]._today_table(companies),
            companies=tuple(companies.ids),
            effective=EFFECTIVE,
            partners=_array(partner_id for partner_id, _root_id in held),
            roots=_array(root_id for _partner_id, root_id in held),
            amounts=_array(held.values()),
        )

    @api.model
    def _held(self, companies):
        """Return what is held (R1), in company currency, by customer and root company:
        of the open credits, only those that were paid online are looked at.

        :rtype: dict[tuple[int, int], float]
        """
        held = defaultdict(float)
        credits = (
            self.env["account.move.line"]
            .sudo()
            .search(
                Domain("company_id", "child_of", companies.ids)
                & Domain("parent_state", "=", "posted")
                & Domain("account_id.account_type", "=", "asset_receivable")
                & Domain("reconciled", "=", False)
                & Domain("amount_residual", "<", 0)
                & Domain("payment_id.state", "in", EFFECTIVE)
                & Domain("payment_id.payment_transaction_id", "!=", False)
            )
        )
        for credit in credits:
            customer = credit.partner_id.commercial_partner_id
            if customer._incident_is_held(credit):
                root = credit.company_id.root_id
                held[customer.id, root.id] -= credit.amount_residual
        return held

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_open_items(self):
        """Show the journal items that the receivables are: what is open, and what is
        reconciled with a payment that is not effective."""
        self.ensure_one()
        self.check_access("read")
        void = Domain(
            "matched_credit_ids",
            "any",
            Domain("credit_move_id.parent_state", "!=", "posted")
            | Domain("credit_move_id.payment_id.state", "not in", EFFECTIVE)
            & Domain("credit_move_id.payment_id", "!=", False),
        )
        return self.env["helpdesk.incident.release"]._show_items(
            list(
                Domain("partner_id.commercial_partner_id", "=", self.partner_id.id)
                & Domain("company_id", "child_of", self.company_id.id)
                & Domain("account_id.account_type", "=", "asset_receivable")
                & Domain("parent_state", "=", "posted")
                & (Domain("reconciled", "=", False) | void)
            )
        )

    def action_open_account(self):
        """Open the incident account of the customer.

        :return: a window action, or False if there is none.
        """
        self.ensure_one()
        self.check_access("read")
        return self.account_id._get_records_action() if self.account_id else False
