"""Money that has come settles what is open (R10.2).

What customers add online without a document, and what charges give back, settles by
itself: a row of the outbox is committed with it, and the scheduled action does the rest
under the lock of the account. What accountants post stays as they leave it, until they
use the button on the customer, or the customer pays from the balance.
"""

from odoo import models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL

from ..groups import BOOKKEEPERS

#: The fields of a transaction that say what it pays for, whatever module has them: the
#: point of sale, donations.
DOCUMENTS = ("sale_order_ids", "invoice_ids", "pos_order_id", "is_donation")
#: The journal items of invoices of which something is to pay. What is in payment has no
#: residual to come; what is blocked is an accountant's.
TO_PAY = (
    Domain("amount_residual", ">", 0)
    & Domain("move_id.move_type", "=", "out_invoice")
    & Domain("move_id.payment_state", "in", ("not_paid", "partial"))
)


class ResPartner(models.Model):
    _inherit = "res.partner"

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_settle(self):
        """Settle what is open of this customer, in the current company, from all that
        it can spend (R10.2).

        :raise AccessError: if the user may not post invoices, or not see the customer.
        """
        self.ensure_one()
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group(BOOKKEEPERS)):
            raise AccessError(
                self.env._("Only who may post invoices can set money against them.")
            )
        settled = self._incident_settle_open(self.env.company)
        names = settled.mapped("name")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if settled else "info",
                "message": self.env._(
                    "Paid from the account balance, in full or in part: %(documents)s.",
                    documents=", ".join(names),
                )
                if settled
                else self.env._("There is nothing that could be settled."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_open_items(self, company):
        """Return what is open of this customer and money settles by itself: the
        journal items of invoices of orders with plans, the oldest due date first.

        :return: ``account.move.line`` records with superuser rights.
        """
        return self._incident_find_open(
            company,
            TO_PAY & self._incident_settled_domain(),
            order="date_maturity, date, id",
        )

    def _incident_settled_domain(self):
        """Return the domain of the journal items that money settles by itself."""
        return Domain(
            "move_id.invoice_line_ids.sale_line_ids.order_id.order_line.incident_kind",
            "!=",
            False,
        )

    def _incident_spendable(self, company, items):
        """Return what the customer has to pay for these journal items, in the currency
        of the company: Odoo reconciles within one account.

        :rtype: float
        """
        if not items:
            return 0.0
        credits = self._incident_credits(company).filtered(
            lambda credit: credit.account_id in items.account_id
        )
        return company.currency_id.round(-sum(credits.mapped("amount_residual")))

    def _incident_coming(self, company):
        """Return the online transactions that add funds and whose money is under way,
        as ``payment.transaction`` records with superuser rights."""
        transactions = self.env["payment.transaction"].sudo()
        transactions.flush_model(
            [
                "company_id",
                "is_post_processed",
                "operation",
                "partner_id",
                "source_transaction_id",
                "state",
            ]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT tx.id
                  FROM payment_transaction tx
                 WHERE tx.partner_id = ANY(%s) AND tx.company_id = ANY(%s)
                   AND tx.operation LIKE 'online_%%'
                   AND tx.source_transaction_id IS NULL
                   AND (tx.state IN ('pending', 'authorized')
                        OR tx.state = 'done' AND tx.is_post_processed IS NOT TRUE)
                 ORDER BY tx.id DESC
                """,
                self._incident_contacts(),
                company._incident_entity(),
            )
        )
        transactions = transactions.browse([row[0] for row in rows])
        # Nobody knows whether a wire transfer was made.
        return transactions.filtered(
            lambda transaction: (
                transaction.provider_code not in ("none", "custom")
                and transaction._incident_adds_funds()
            )
        )

    def _incident_portal_money(self, company):
        """Return what pages show of this customer's money, as values of a template."""
        money = self._incident_money(company)
        items = (
            self._incident_open_items(company)
            if money.owes
            else self.env["account.move.line"].sudo()
        )
        return {
            "balance": money.balance,
            "currency": company.currency_id,
            "open_invoices": items.move_id,
            "spendable": self._incident_spendable(company, items),
            "coming": self._incident_coming(company),
        }

    def _incident_settle_open(self, company, credits=None, invoices=None):
        """Settle what is open of this customer from its credits, as far as they go
        (R10.2). However often it is called, nothing is settled twice.

        :param credits: the journal items to use; by default all that can be spent,
            the oldest first.
        :param invoices: the ``account.move`` records to settle; by default all that
            money settles by itself.
        :return: the invoices that something was paid of, with superuser rights.
        """
        self.ensure_one()
        account_model = self.env["helpdesk.incident.account"]
        account = account_model._of(self, company, create=True)
        items = self._incident_open_items(company)
        # An invoice may be addressed to somebody else than who gets the incidents.
        account_model._lock_ahead(
            account._holders() | items.move_id._incident_sold()._incident_holders()
        )
        account._lock()
        spent = self._incident_credits(company)
        if credits is not None:
            spent &= credits
        if invoices is not None:
            items = items.filtered(lambda item: item.move_id in invoices)
        settled = self.env["account.move"].sudo()
        for item in items:
            for credit in spent:
                if item.reconciled:
                    break
                # Odoo reconciles within one account.
                if credit.account_id == item.account_id and not credit.reconciled:
                    (item | credit).with_company(item.company_id).reconcile()
                    settled |= item.move_id
        return settled


class AccountMove(models.Model):
    _inherit = "account.move"

    def _incident_balance_offer(self, user):
        """Return what the customer has to pay for this invoice, if this user can pay it
        from the account balance (R10.2).

        :param user: whoever looks at it; a shared link makes nobody a customer.
        :return: in the currency of the company, None if it is not offered.
        :rtype: float | None
        """
        move = self.sudo()
        customer = move.commercial_partner_id
        if (
            not move
            or user._is_public()
            or user.partner_id.commercial_partner_id != customer
        ):
            return None
        items = customer._incident_open_items(move.company_id).filtered(
            lambda item: item.move_id == move
        )
        return customer._incident_spendable(move.company_id, items) or None

    def _has_to_be_paid(self):
        """Override of `account_payment`: who is logged in is not asked for money that
        the account balance has (R10.2)."""
        return super()._has_to_be_paid() and not (
            request and self._incident_balance_offer(request.env.user)
        )

    def _get_online_payment_error(self):
        """Override of `account_payment` to say so."""
        if request and self._incident_balance_offer(request.env.user):
            return self.env._("Your account balance has money for it: use that first.")
        return super()._get_online_payment_error()

    def _incident_portal_page(self):
        """Return the page of this invoice in the client area."""
        return self.get_portal_url()

    def _incident_settle_later(self):
        """Let what is left of these credits settle what is open, once this is committed
        (R10.2)."""
        for move in self:
            if any(item.amount_residual < 0 for item in move._incident_receivable()):
                self.env["helpdesk.incident.outbox"]._put(
                    move.origin_payment_id or move, "_incident_spend", prints=False
                )

    def _incident_spend(self):
        """Settle what is open of the customer from these credits: see
        :meth:`_incident_settle_later`."""
        for move in self:
            customer = move.partner_id.commercial_partner_id
            customer._incident_settle_open(
                move.company_id, credits=move._incident_receivable()
            )

    def _incident_is_owed(self):
        """Return whether this credit is for something of its own that is still open, or
        was paid back: it pays for nothing else (R10.2).

        :rtype: bool
        """
        self.ensure_one()
        payment = self.origin_payment_id
        transaction = payment.payment_transaction_id
        paid = transaction | transaction.source_transaction_id
        invoices = (
            payment.invoice_ids
            | paid.invoice_ids
            | transaction._incident_orders().invoice_ids
            | self._incident_credited()
        )
        return any(
            invoice.move_type == "out_invoice"
            and (
                invoice.state == "draft"
                or invoice.state == "posted"
                and not invoice.currency_id.is_zero(invoice.amount_residual)
            )
            for invoice in invoices
        ) or bool(payment and payment._incident_is_paid_back())


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_spend(self):
        """See :meth:`AccountMove._incident_spend`."""
        self.move_id._incident_spend()


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _incident_settle_added(self):
        """Let what customers have added without a document settle what is open (R10.2).
        What staff have asked for is theirs."""
        for transaction in self.sudo():
            if transaction.state == "done" and transaction._incident_adds_funds():
                transaction.payment_id.move_id._incident_settle_later()

    def _incident_adds_funds(self):
        """Return whether a customer pays by this without a document (R11.5)."""
        paid = self | self.source_transaction_id
        return (self.operation or "").startswith("online_") and not any(
            any(paid.mapped(name)) for name in DOCUMENTS if name in paid._fields
        )
