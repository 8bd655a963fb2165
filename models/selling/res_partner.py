"""The account balance of a customer (R1): money, not incidents.

It is what the receivables say, but for what is no money: a payment that is not
effective (any more), reconciled or not (R12.7); and for what is held.
"""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...fields import EFFECTIVE
from ...sql import flush
from ..groups import ACCOUNTANTS

#: What pages show of orders that wait for their payment, and of their lines.
SHOWN_OF_ORDERS = (
    "access_token",
    "amount_total",
    "company_id",
    "currency_id",
    "date_order",
    "name",
    "partner_id",
    "prepayment_percent",
    "require_payment",
    "require_signature",
    "state",
    "validity_date",
)
SHOWN_OF_LINES = (
    "incident_carry_periods",
    "incident_kind",
    "incident_operation",
    "incident_period_months",
    "incident_quantity",
    "incident_term_months",
    "incident_units",
    "order_id",
    "product_id",
)


class Money(NamedTuple):
    """What is open of a customer."""

    #: the account balance (R1), in the currency of the company
    balance: float
    #: whether anything is to pay
    owes: bool


class ResPartner(models.Model):
    _inherit = "res.partner"

    incident_account_balance = fields.Monetary(
        string="Account balance",
        compute="_compute_incident_account_balance",
        groups=ACCOUNTANTS,
        help="Outstanding credits, less what is to pay, less what was paid online for "
        "orders that are not invoiced yet: of the customer, in the current company.",
    )
    incident_can_settle = fields.Boolean(
        compute="_compute_incident_account_balance", groups=ACCOUNTANTS
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_incident_account_balance(self):
        company = self.env.company
        for partner in self:
            customer = partner.commercial_partner_id._origin
            partner.incident_account_balance = (
                customer._incident_account_balance(company) if customer else 0
            )
            partner.incident_can_settle = bool(
                customer
                and customer._incident_spendable(
                    company, customer._incident_open_items(company)
                )
            )

    def _incident_contacts(self):
        """Return the ids of the partners whose documents are this customer's, as SQL:
        an array. Subsidiaries that are customers of their own are not (R11.6)."""
        self.ensure_one()
        return SQL(
            "ARRAY(SELECT id FROM res_partner WHERE commercial_partner_id = %s)",
            self.commercial_partner_id.id,
            to_flush=self._fields["commercial_partner_id"],
        )

    def _incident_receivables(self, company, columns=("id",)):
        """Return a query of the journal items of this customer that count, in the
        company and all that are one legal entity with it (R2.3). Every page asks: to
        plan joins of these tables would take longer than all else.

        :param columns: names of fields of ``account.move.line``.
        :rtype: SQL
        """
        item, payment = self.env["account.move.line"], self.env["account.payment"]
        return SQL(
            """
            SELECT %(columns)s
              FROM account_move_line item
             WHERE item.partner_id = ANY(%(contacts)s)
               AND item.company_id = ANY(%(companies)s)
               AND item.account_id = ANY(ARRAY(
                   SELECT id FROM account_account
                    WHERE account_type = 'asset_receivable'))
               AND item.parent_state = 'posted'
               AND (item.payment_id IS NULL
                    OR (SELECT state IN %(effective)s FROM account_payment payment
                         WHERE payment.id = item.payment_id))
            """,
            columns=SQL(", ").join(
                SQL.identifier("item", name, to_flush=item._fields[name])
                for name in columns
            ),
            contacts=self._incident_contacts(),
            companies=company._incident_entity(),
            effective=EFFECTIVE,
            to_flush=[
                self.env["account.account"]._fields["account_type"],
                *(
                    item._fields[name]
                    for name in (
                        "account_id",
                        "company_id",
                        "parent_state",
                        "partner_id",
                        "payment_id",
                    )
                ),
                payment._fields["state"],
            ],
        )

    def _incident_find_open(self, company, domain, order=None):
        """Return the open journal items of this customer that meet a domain.

        :return: ``account.move.line`` records with superuser rights.
        """
        mine = Domain("id", "in", self._incident_receivables(company))
        items = self.env["account.move.line"].sudo()
        return items.search(
            mine & Domain("reconciled", "=", False) & domain, order=order
        )

    def _incident_account_balance(self, company):
        """Return the account balance (R1): outstanding credits, less what is to pay,
        less what is held; below zero if the customer owes more.

        :param company: a ``res.company``.
        :return: in the currency of the company.
        :rtype: float
        """
        return self._incident_money(company).balance

    def _incident_money(self, company):
        """Return what is open of this customer, in one query: most have nothing open,
        and need no other.

        *Void* is what is reconciled with payments that are not effective, or with other
        entries in draft: core leaves it so, and nobody has paid it (R12.7).

        :param company: a ``res.company``.
        :rtype: Money
        """
        self.env["account.partial.reconcile"].flush_model(
            ["debit_move_id", "credit_move_id", "amount"]
        )
        [[residual, debits, credits, void]] = self.env.execute_query(
            SQL(
                """
                WITH mine AS MATERIALIZED (%(mine)s)
                SELECT SUM(open.amount_residual),
                       COALESCE(BOOL_OR(open.amount_residual > 0), FALSE),
                       COALESCE(BOOL_OR(open.amount_residual < 0), FALSE),
                       (SELECT SUM(partial.amount)
                          FROM account_partial_reconcile partial
                         WHERE partial.debit_move_id = ANY(ARRAY(SELECT id FROM mine))
                           AND (SELECT payer.parent_state <> 'posted'
                                       OR (SELECT state NOT IN %(effective)s
                                             FROM account_payment payment
                                            WHERE payment.id = payer.payment_id)
                                  FROM account_move_line payer
                                 WHERE payer.id = partial.credit_move_id))
                  FROM mine open WHERE open.reconciled IS NOT TRUE
                """,
                mine=self._incident_receivables(
                    company, ("id", "reconciled", "amount_residual")
                ),
                effective=EFFECTIVE,
            )
        )
        held = sum(
            credit.amount_residual
            for credit in (self._incident_open_credits(company) if credits else ())
            if self._incident_is_held(credit)
        )
        return Money(
            company.currency_id.round(held - (residual or 0) - (void or 0)), debits
        )

    def _incident_credits(self, company):
        """Return the outstanding credits that the customer can spend, oldest first.

        :return: ``account.move.line`` records with superuser rights.
        """
        return self._incident_open_credits(company).filtered(
            lambda credit: (
                not (
                    self._incident_is_held(credit) or credit.move_id._incident_is_owed()
                )
            )
        )

    def _incident_open_credits(self, company):
        credits = Domain("amount_residual", "<", 0)
        return self._incident_find_open(company, credits, order="date, id")

    def _incident_is_held(self, credit):
        """Return whether a credit belongs to an order until it is invoiced (R1): it was
        paid online for an order that is confirmed, and that posted invoices do not
        cover yet."""
        transaction = credit.move_id.origin_payment_id.payment_transaction_id
        return any(
            order.state == "sale" and not order._incident_is_invoiced()
            for order in transaction._incident_orders()
        )

    def _incident_open_orders(self, company):
        """Return the orders of plans that wait for their payment, newest first. See
        :meth:`_incident_orders_to_pay`."""
        return self._incident_orders_to_pay(company)[0]

    def _incident_orders_to_pay(self, company):
        """Return the orders of plans that wait for their payment, and those of which
        the customer has to pay a rest (R24.5), newest first. Those of subsidiaries that
        are customers of their own are theirs (R11.6).

        Every page asks, and mostly there are few: one query finds where to look.

        :return: ``sale.order`` records with superuser rights.
        :rtype: tuple[recordset, recordset]
        """
        flush(
            self.env,
            {
                "sale.order": "company_id partner_id state transaction_ids",
                "sale.order.line": "incident_due incident_kind invoice_lines order_id "
                "state",
            },
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.order_id, bool_or(line.state = 'sent') AS waits,
                       bool_or(COALESCE(line.incident_due, 0) = 0)
                           FILTER (WHERE line.incident_kind IS NOT NULL)
                       AND (bool_or(EXISTS (
                                SELECT FROM sale_order_line_invoice_rel rel
                                 WHERE rel.order_line_id = line.id))
                            OR EXISTS (
                                SELECT FROM sale_order_transaction_rel rel
                                 WHERE rel.sale_order_id = line.order_id)) AS owes
                  FROM sale_order_line line
                 WHERE line.order_id = ANY(ARRAY(
                     SELECT id FROM sale_order
                      WHERE partner_id = ANY(%s) AND company_id = ANY(%s)
                        AND state IN ('sent', 'sale')))
                 GROUP BY line.order_id
                HAVING bool_or(line.incident_kind IS NOT NULL)
                """,
                self._incident_contacts(),
                company._incident_entity(),
            )
        )
        orders = self.env["sale.order"].sudo()
        waiting = orders.browse([row[0] for row in rows if row[1]])
        # Both have many other columns.
        waiting.fetch(SHOWN_OF_ORDERS)
        waiting.order_line.fetch(SHOWN_OF_LINES)
        # Where all is given, nothing is owed: that is the whole past.
        owing = orders.browse([row[0] for row in rows if row[2]])
        return (
            waiting.filtered(lambda order: order._incident_is_open()).sorted(),
            owing._incident_begun()
            .filtered(lambda order: order._incident_rests())
            .sorted(),
        )
