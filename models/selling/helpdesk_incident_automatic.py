"""What is bought for customers without asking them each time: the renewals of their
subscriptions (R9.7), what tops up their incidents (R19.1).

Each is bought in steps, and each step is a transaction of its own:

1. Under the lock of the account, its order is found or made, and paid from the account
   balance if that suffices. If not, a transaction with the customer's saved token is
   written down, and committed.
2. The provider of payments is asked, and the answer is committed.
3. The transaction is processed as any other; if that fails, by the scheduled action of
   `payment`.

Killed after the first step, the *same* transaction is asked for again: providers know
it by its reference (``payment.utils.generate_idempotency_key``) and charge it once.
"""

import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.fields import Domain

from .sale_order_portal import BalanceShort, BeingPaid

#: How often in a row a step gives way to somebody else.
PATIENCE = 3

_logger = logging.getLogger(__name__)


class HelpdeskIncidentAutomatic(models.AbstractModel):
    """Something that buys by itself. It has an ``account_id``, a ``partner_id``, a
    ``company_id`` and an ``agreed_partner_id``, who has agreed to it last."""

    _name = "helpdesk.incident.automatic"
    _description = "Buys Support Incidents Automatically"

    # ------------------------------------------------------------------
    # What it buys
    # ------------------------------------------------------------------

    def _due_domain(self):
        """Return which of these should buy by now, and have not tried today.

        :rtype: Domain
        """
        raise NotImplementedError

    def _to_pay(self):
        """Return what is bought now, under the lock of the account, and note that it
        was tried today.

        :return: what keeps it from being paid automatically, if anything does, and the
            order; None if nothing is to be bought after all.
        :rtype: tuple[str | None, recordset] | None
        """
        raise NotImplementedError

    def _ordered(self, order):
        """Follow an order that is paid, invoiced or asked for."""

    def _fail(self, problem, order=None):
        """Note why nothing was bought, and tell the customer.

        :param str problem: a key of the problems of the model.
        """
        raise NotImplementedError

    # ------------------------------------------------------------------
    # Consent
    # ------------------------------------------------------------------

    def _agree(self, contact):
        """Remember who has agreed to pay for this: a contact of the customer; else the
        customer, who is represented by somebody else (R9.7)."""
        if contact.commercial_partner_id != self.partner_id:
            contact = self.partner_id
        self.agreed_partner_id = contact

    def _agreed(self):
        """Return the contact of the customer who has agreed last, if there is one; who
        has moved to another customer since, or was archived, is none."""
        agreed = self.agreed_partner_id or self._orderer()
        return agreed.filtered(
            lambda partner: (
                partner.active and partner.commercial_partner_id == self.partner_id
            )
        )

    def _orderer(self):
        """Return the contact of the customer who orders, by default."""
        return self.partner_id

    def _payers(self):
        """Return whose payment methods may be used: the customer's, and those of who
        has agreed last. Those of colleagues are theirs."""
        return self.partner_id | self._agreed()

    def _contacts(self):
        """Return whom this concerns: the contact who has agreed last, who has ordered
        last, and the customer."""
        return (self._agreed() - self.partner_id) | self._orderer() | self.partner_id

    # ------------------------------------------------------------------
    # The steps
    # ------------------------------------------------------------------

    def _buy_due(self, order):
        """Buy what is due. It may run twice, on several workers at once, or be killed
        at any moment.

        :param str order: the most urgent first, as for ``search``.
        """
        # Those of an earlier run that was killed: the provider may have been asked.
        self._ask_unfinished()
        cron = self.env["ir.cron"]
        due = self.sudo().search(self._due_domain(), order=order)
        cron._commit_progress(remaining=len(due))
        for buyer in due:
            buyer._in_transaction(buyer._buy)
            if not cron._commit_progress(1):
                return
        self._ask_unfinished()

    @api.model
    def _ask_unfinished(self):
        """Ask the providers for what was written down, and process what they say."""
        for transaction in self.env["payment.transaction"]._incident_unfinished():
            buyer = transaction.sale_order_ids._incident_buyer()
            buyer._in_transaction(transaction._incident_ask)
            buyer._in_transaction(transaction._incident_post_process)

    def _in_transaction(self, step):
        """Take a step for this in a transaction of its own.

        A provider that has answered is asked again if its answer could not be kept: it
        is the same transaction.
        """
        for _attempt in range(PATIENCE):
            try:
                step()
                self.env["ir.cron"]._commit_progress()
                return
            except (OperationalError, ConcurrencyError):
                # Somebody else was at it.
                self.env.cr.rollback()
            except Exception:
                self.env.cr.rollback()
                _logger.exception("%s could not buy", self)
                for buyer in self:
                    buyer._fail("error")
                self.env["ir.cron"]._commit_progress()
                return

    def _buy(self):
        """Make the order and pay it from the account balance, or write down the
        transaction that asks for the money."""
        self.account_id._lock()
        self.invalidate_recordset()
        if not self.filtered_domain(self._due_domain()):
            return
        found = self._to_pay()
        if not found:
            return
        problem, order = found
        if not problem:
            problem = order._incident_pay_automatically(self._payers())
        if problem:
            self._fail(problem, order)
        else:
            self._ordered(order)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_buyer(self):
        """Return what has made this order automatically: a record that is a
        ``helpdesk.incident.automatic``, or none."""
        return self.env["helpdesk.incident.automatic"]

    def _incident_paid_by(self):
        """Return the contact of the customer who is just paying this order, or has paid
        it online; none if nobody has himself."""
        paid = self.transaction_ids.filtered(
            lambda payer: payer.state == "done" and payer.operation != "offline"
        )
        customer = self.partner_id.commercial_partner_id
        return (self.env.user.partner_id | paid.partner_id).filtered(
            lambda partner: partner.commercial_partner_id == customer
        )[-1:]

    def _incident_agreed_by(self):
        """Return who of the customer has agreed to this order, which is confirmed: who
        has paid it himself, else who has ordered it. What staff have ordered, and the
        customer has paid in another way or not yet, no single contact has agreed to.
        """
        customer = self.partner_id.commercial_partner_id
        ordered = self.partner_id if self.create_uid.share else customer
        return self._incident_paid_by() or ordered

    def _incident_was_paid(self):
        """Return whether money has come for this order, which gives nothing, or it was
        credited: nothing more is expected for it.

        :rtype: bool
        """
        effective = self.transaction_ids._incident_payments().filtered(
            lambda payment: payment._incident_is_booked()
        )
        credited = self.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        )
        return bool(effective or credited)

    def _incident_is_unanswered(self):
        """Return whether a provider is to be asked for the money, or was asked and its
        answer could not be kept: nothing else pays these orders meanwhile."""
        return any(
            payer.state == "draft" and payer.operation == "offline"
            for payer in self.transaction_ids
        )

    def _incident_payment_problem(self):
        """Return why this order, which is confirmed, gives nothing.

        :return: a key of the problems: the customer is told of what is not paid.
        """
        if self._incident_was_paid() or self._incident_is_being_paid(done=False):
            return "paying"
        return "transfer" if self._incident_is_awaited() else "unpaid"

    def _incident_pay_automatically(self, payers):
        """Pay an order from the account balance; or invoice it, where it is given
        before it is paid (R8.11); or write down the transaction that asks a saved
        payment method for it.

        :param payers: whose saved payment methods may be used.
        :return: a key of the problems, None if it is paid, invoiced or asked for.
        :rtype: str | None
        """
        self.ensure_one()
        if self._incident_is_unanswered():
            return "paying"
        if self.currency_id.is_zero(self.amount_total):
            self._validate_order()
            return None
        if not self._incident_is_open():
            return "confirm"
        try:
            with self.env.cr.savepoint():
                self._incident_pay_or_invoice()
            return None
        except BalanceShort:
            self.env.invalidate_all()
        except BeingPaid:
            return "paying"
        except UserError as error:
            # The money is there, and accounting refuses: nothing is taken elsewhere.
            self.env.invalidate_all()
            self._message_log(body=str(error.args[0]))
            return "books"
        token = self._incident_token(payers)
        if not token:
            return "method"
        self._incident_create_transaction(token, "offline")
        return None


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model
    def _incident_unfinished(self):
        """Return the transactions of automatic orders whose provider was not asked, or
        whose answer was not processed."""
        return self.sudo().search(
            Domain("sale_order_ids.incident_automatic", "=", True)
            & Domain("operation", "=", "offline")
            & Domain("is_post_processed", "=", False)
            & (
                Domain("state", "!=", "draft")
                | Domain("sale_order_ids.state", "in", ("draft", "sent"))
            ),
            order="id",
        )

    def _incident_refuse(self, archived):
        """Override to tell the customer why nothing was bought."""
        res = super()._incident_refuse(archived)
        for order in self.sale_order_ids:
            for buyer in order._incident_buyer():
                buyer._fail("archived" if archived else "declined", order)
        return res
