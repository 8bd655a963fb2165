"""The account balance of a customer (R1): money, not incidents.

It is what the receivables say, but for what is no money: a payment that is not
effective (any more), reconciled or not (R12.7); and for what is held.
"""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..groups import ACCOUNTANTS

#: The states in which a payment is effective (R1).
EFFECTIVE = ("in_process", "paid")


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

    def _incident_receivable_domain(self, company):
        """Return the domain of the journal items of this customer that count, in the
        company and all that are one legal entity with it (R2.3)."""
        self.ensure_one()
        return (
            Domain(
                "partner_id.commercial_partner_id", "=", self.commercial_partner_id.id
            )
            & Domain("company_id", "child_of", company.sudo().root_id.id)
            & Domain("account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
            & (
                Domain("payment_id", "=", False)
                | Domain("payment_id.state", "in", EFFECTIVE)
            )
        )

    def _incident_money_domain(self, company):
        """Return the domain of the open journal items of this customer."""
        return self._incident_receivable_domain(company) & Domain(
            "reconciled", "=", False
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
        items = self.env["account.move.line"].sudo()
        query = items._search(self._incident_receivable_domain(company))
        partials = self.env["account.partial.reconcile"]
        partials.flush_model(["debit_move_id", "credit_move_id", "amount"])
        items.flush_model(
            ["parent_state", "payment_id", "reconciled", "amount_residual"]
        )
        self.env["account.payment"].flush_model(["state"])
        [[residual, debits, credits, void]] = self.env.execute_query(
            SQL(
                """
                WITH mine AS %(mine)s,
                open AS (
                    SELECT id, amount_residual
                      FROM account_move_line JOIN mine USING (id)
                     WHERE reconciled IS NOT TRUE
                ), void AS (
                    SELECT SUM(partial.amount) AS amount
                      FROM account_partial_reconcile partial
                      JOIN account_move_line payer ON payer.id = partial.credit_move_id
                      LEFT JOIN account_payment payment
                        ON payment.id = payer.payment_id
                     WHERE partial.debit_move_id IN (SELECT id FROM mine)
                       AND (payer.parent_state <> 'posted'
                            OR payment.state NOT IN %(effective)s)
                )
                SELECT (SELECT SUM(amount_residual) FROM open),
                       EXISTS (SELECT FROM open WHERE amount_residual > 0),
                       EXISTS (SELECT FROM open WHERE amount_residual < 0),
                       (SELECT amount FROM void)
                """,
                mine=query.subselect(),
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
        return (
            self.env["account.move.line"]
            .sudo()
            .search(
                self._incident_money_domain(company)
                & Domain("amount_residual", "<", 0),
                order="date, id",
            )
        )

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
        """Return the orders of plans that wait for their payment, newest first. Those
        of subsidiaries that are customers of their own are theirs (R11.6).

        :return: ``sale.order`` records with superuser rights.
        """
        self.ensure_one()
        orders = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    (
                        "partner_id.commercial_partner_id",
                        "=",
                        self.commercial_partner_id.id,
                    ),
                    ("company_id", "child_of", company.sudo().root_id.id),
                    ("state", "=", "sent"),
                    ("order_line.incident_kind", "!=", False),
                ]
            )
        )
        return orders.filtered(lambda order: order._incident_is_open())

    def _incident_orders_paid_in_part(self, company):
        """Return the orders of plans of which the customer has to pay a rest (R24.5),
        newest first.

        :return: ``sale.order`` records with superuser rights.
        """
        self.ensure_one()
        orders = (
            self.env["sale.order"]
            .sudo()
            .search(
                Domain(
                    "partner_id.commercial_partner_id",
                    "=",
                    self.commercial_partner_id.id,
                )
                & Domain("company_id", "child_of", company.sudo().root_id.id)
                & Domain("state", "in", ("sent", "sale"))
                & (
                    Domain("transaction_ids.state", "=", "done")
                    | Domain("invoice_ids.payment_state", "=", "partial")
                )
                # The whole past is paid for, and was given.
                & Domain(
                    "order_line",
                    "any",
                    Domain("incident_kind", "!=", False)
                    & Domain("incident_due", "in", (False, 0)),
                )
            )
        )
        return orders.filtered(lambda order: order._incident_rests())
