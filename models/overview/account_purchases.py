"""What a customer has bought, what came of it, and what was paid (R11.4)."""

from typing import NamedTuple

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_date

from .account_documents import Document


class Bought(NamedTuple):
    """What one line of an order has brought."""

    name: str
    #: what it should have given by now, in words
    given: str
    #: the subscription, if it is one and the customer may open it
    subscription: Document | None


class Purchase(NamedTuple):
    """An order of plans, with the sums of its whole documents in its currency."""

    order: models.BaseModel
    #: lines with a plan
    bought: list[Bought]
    #: invoices and credit notes that the customer may open
    documents: list[Document]
    paid: float
    paid_back: float
    credited: float


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_purchases_domain(self, company):
        """Return which orders the customer of the current user has bought plans with.

        :param company: the ``res.company`` of the page.
        """
        customer = self.env.user.partner_id.sudo().commercial_partner_id
        # Which lines have given something is not for everybody to read.
        bought = self.sudo()._search(
            Domain("partner_id", "child_of", customer.ids)
            & Domain("company_id", "child_of", company.sudo().root_id.ids)
            & Domain("order_line.incident_kind", "!=", False)
            & (
                Domain("state", "=", "sale")
                | Domain("order_line.incident_account_id", "!=", False)
            )
        )
        return Domain("id", "in", bought)

    def _incident_purchases(self):
        """Return what the customer is shown of these orders, read together: as many
        queries for one as for a page of them.

        :rtype: list[Purchase]
        """
        account_model = self.env["helpdesk.incident.account"]
        orders = self.sudo()
        invoices = orders.order_line.invoice_lines.move_id
        subscriptions = orders.order_line.incident_term_ids.subscription_id
        pages = account_model._documents_open_to_user(
            "account.move", invoices.ids
        ) | account_model._documents_open_to_user(
            "helpdesk.incident.subscription", subscriptions.ids
        )
        money = invoices._incident_paid_with_money()
        payers = orders._incident_read_payers()
        returned = payers._incident_returned() if payers else {}
        return [order._incident_purchase(pages, money, returned) for order in orders]

    def _incident_read_payers(self):
        """Return the payments that were made online for these orders, and read what
        :meth:`_incident_purchase` will ask of each."""
        transactions = self.transaction_ids
        transactions |= transactions.child_transaction_ids
        transactions.mapped("child_transaction_ids.operation")
        payments = transactions.payment_id
        payments.payment_transaction_id.mapped("source_transaction_id.sale_order_ids")
        payments.payment_transaction_id.mapped("sale_order_ids")
        items = payments.move_id.line_ids
        items.matched_debit_ids.debit_move_id.move_id.mapped("origin_payment_id")
        return payments.filtered(lambda payment: payment.payment_type == "inbound")

    def _incident_purchase(self, pages, money, returned):
        """Return what the customer is shown of this order.

        :param dict pages: what the customer may open, by model and id.
        :param dict money: what ``_incident_paid_with_money`` says of its documents.
        :param dict returned: what was paid back of payments.
        :rtype: Purchase
        """
        self.ensure_one()
        documents = self.order_line.invoice_lines.move_id.sorted(
            lambda move: (move.invoice_date or move.date, move.id)
        )
        paid = credited = 0
        for line in self.order_line.invoice_lines:
            move = line.move_id
            if move.state != "posted" or not move.amount_total:
                continue
            total = line.currency_id._convert(
                line.price_total, self.currency_id, self.company_id, line.date
            )
            if move.move_type == "out_refund":
                credited += total
            else:
                paid += total * money.get(move, 0) / move.amount_total
        payers = self._incident_payers()
        # What is not invoiced, or not reconciled, was paid all the same.
        online = sum(
            payment._incident_paid_for(self.invoice_ids, self.currency_id)
            for payment in payers
        )
        return Purchase(
            order=self,
            bought=[
                line._incident_bought(pages)
                for line in self.order_line
                if line.incident_kind and line.incident_operation != "credit"
            ],
            documents=[
                pages["account.move", move.id]
                for move in documents
                if ("account.move", move.id) in pages
            ],
            paid=self.currency_id.round(max(paid, online)),
            paid_back=self.currency_id.round(
                sum(
                    payment.currency_id._convert(
                        returned.get(payment, 0),
                        self.currency_id,
                        self.company_id,
                        payment.date,
                    )
                    for payment in payers
                )
            ),
            credited=self.currency_id.round(credited),
        )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_bought(self, pages):
        """Return what this line has brought.

        :param dict pages: what the customer may open, by model and id.
        :rtype: Bought
        """
        self.ensure_one()
        term = self.incident_term_ids[:1]
        subscription = term.subscription_id
        return Bought(
            name=self.product_id.display_name,
            given=self._incident_given_words(term),
            subscription=pages.get((subscription._name, subscription.id)),
        )

    def _incident_given_words(self, term):
        """Return in words how much of what it sells the line gives by now."""
        env = self.env
        if self.incident_kind == "lifetime":
            return env._(
                "%(given)s of %(total)s lifetime incidents given",
                given=self.incident_due,
                total=self._incident_total(),
            )
        if self.incident_kind == "pack":
            return ", ".join(
                filter(
                    None,
                    [
                        env._(
                            "%(given)s of %(total)s incidents given",
                            given=self.incident_due,
                            total=self._incident_total(),
                        ),
                        self._incident_days(),
                    ],
                )
            )
        number = self._incident_number()
        given = self.incident_due // number if number else 0
        if self.incident_period_months > 1:
            months = env._(
                "%(given)s of %(periods)s periods of %(months)s months given",
                given=given,
                periods=self._incident_periods(),
                months=self.incident_period_months,
            )
        elif self.incident_term_months == 1:
            months = env._("%(given)s of 1 month given", given=given)
        else:
            months = env._(
                "%(given)s of %(months)s months given",
                given=given,
                months=self.incident_term_months,
            )
        if not term.date_from:
            return months
        return env._(
            "%(months)s: %(first)s – %(last)s",
            months=months,
            first=format_date(env, term.date_from, date_format="medium"),
            last=format_date(env, term.date_to, date_format="medium"),
        )


class AccountMove(models.Model):
    _inherit = "account.move"

    def _incident_paid_with_money(self):
        """Return what was paid of each of these invoices with money, in its currency:
        credit notes that were set off against them are none.

        :rtype: dict[recordset, float]
        """
        items = self._incident_receivable()
        partials = items.matched_credit_ids
        # Read them all at once.
        partials.credit_move_id.move_id.mapped("origin_payment_id.state")
        money = {}
        for move in self:
            matched = move._incident_receivable().matched_credit_ids
            money[move] = sum(
                partial.debit_amount_currency
                for partial in matched - matched._incident_void()
                if partial.credit_move_id.move_id.move_type != "out_refund"
            ) + sum(
                payment._incident_paid_for(payment.invoice_ids, move.currency_id)
                for payment in move._incident_loose_payments()
                if len(payment.invoice_ids) == 1
            )
        return money
