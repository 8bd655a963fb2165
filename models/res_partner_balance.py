"""The account balance of a customer (R1): money, not incidents."""

from odoo import models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _incident_money_domain(self, company):
        """Return the domain of the open journal items of this customer."""
        self.ensure_one()
        return (
            Domain(
                "partner_id.commercial_partner_id", "=", self.commercial_partner_id.id
            )
            & Domain("company_id", "=", company.id)
            & Domain("account_type", "=", "asset_receivable")
            & Domain("parent_state", "=", "posted")
            & Domain("reconciled", "=", False)
        )

    def _incident_account_balance(self, company):
        """Return the account balance (R1): outstanding credits, less what is to pay,
        less what is held; below zero if the customer owes more.

        :param company: a ``res.company``.
        :return: in the currency of the company.
        :rtype: float
        """
        items = self.env["account.move.line"].sudo()
        [[residual]] = items._read_group(
            self._incident_money_domain(company), [], ["amount_residual:sum"]
        )
        held = sum(self._incident_held_credits(company).mapped("amount_residual"))
        return company.currency_id.round(held - (residual or 0))

    def _incident_credits(self, company):
        """Return the outstanding credits that the customer can spend, oldest first.

        :return: ``account.move.line`` records with superuser rights.
        """
        return (
            self.env["account.move.line"]
            .sudo()
            .search(
                self._incident_money_domain(company)
                & Domain("amount_residual", "<", 0),
                order="date, id",
            )
        ) - self._incident_held_credits(company)

    def _incident_held_credits(self, company):
        """Return the credits that belong to an order until it is invoiced (R1): what
        was paid online for orders that are confirmed, and that posted invoices do not
        cover yet."""
        credits = (
            self.env["account.move.line"]
            .sudo()
            .search(
                self._incident_money_domain(company)
                & Domain("amount_residual", "<", 0)
                & Domain(
                    "move_id.origin_payment_id.payment_transaction_id", "!=", False
                )
            )
        )

        def is_held(line):
            payment = line.move_id.origin_payment_id
            return any(
                order.state == "sale" and not order._incident_is_invoiced()
                for order in payment.payment_transaction_id._incident_orders()
            )

        return credits.filtered(is_held)

    def _incident_open_orders(self, company):
        """Return the orders of plans that wait for their payment, newest first.

        :return: ``sale.order`` records with superuser rights.
        """
        self.ensure_one()
        orders = (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("partner_id", "child_of", self.commercial_partner_id.id),
                    ("company_id", "=", company.id),
                    ("state", "=", "sent"),
                    ("order_line.incident_kind", "!=", False),
                ]
            )
        )
        return orders.filtered(lambda order: order._incident_is_open())
