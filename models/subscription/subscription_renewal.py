"""Automatic renewal (R9.7).

Each subscription is renewed in steps, and each step is a transaction of its own:

1. Under the lock of the account, its renewal order is found or made, and paid from the
   account balance if that suffices. If not, a transaction with the customer's saved
   token is written down, and committed.
2. The provider of payments is asked, and the answer is committed.
3. The transaction is processed as any other; if that fails, by the scheduled action of
   `payment`.

Killed after the first step, the *same* transaction is asked for again: providers know
it by its reference (``payment.utils.generate_idempotency_key``) and charge it once.
"""

import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.fields import Domain

from ..selling.sale_order_portal import BalanceShort, BeingPaid
from .subscription_orders import REPLACING

#: How often in a row a step gives way to somebody else.
PATIENCE = 3

_logger = logging.getLogger(__name__)

#: Why a subscription was not renewed by itself, as the customer is told.
PROBLEMS = [
    ("plan", "The plan is not sold any more"),
    ("confirm", "The customer must confirm the order: it is not what was bought last"),
    ("ordered", "The customer has ordered something else, and not paid it"),
    ("unpaid", "A renewal was confirmed, and is not paid"),
    ("method", "The account balance does not suffice, and no payment method is saved"),
    ("declined", "The saved payment method was declined"),
    ("paying", "A renewal was ordered: its payment is under way, or taken back"),
    ("transfer", "A renewal was ordered, and its bank transfer is awaited"),
    ("free", "It costs nothing now: a helpdesk manager has to renew it"),
    ("archived", "The customer is archived"),
    ("error", "An unexpected error, which is in the server's log"),
    ("books", "Accounting refuses to invoice the order, whose history says why"),
]
#: With these the customer has nothing to do, and is told only that it ends.
QUIET = ("paying", "transfer", "free", "archived", "error", "books")


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    auto_renew = fields.Boolean(
        string="Automatic renewal",
        readonly=True,
        tracking=True,
        help="Before it ends it is renewed and paid: from the account balance, else "
        "with the saved payment method of the customer, or of the contact who agreed "
        "to it; else the order is sent to be paid.",
    )
    renewal_problem = fields.Selection(
        selection=PROBLEMS,
        string="Not renewed, because",
        readonly=True,
        help="Why the last attempt to renew it automatically did not succeed. It is "
        "tried again every day until the end.",
    )
    renewal_tried = fields.Date(
        string="Last attempt to renew",
        readonly=True,
        help="It is tried once a day.",
    )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override to tell the customer of every switch, whoever makes it (R9.7): who
        has ordered last, who has agreed last by now, and the customer."""
        if not {"auto_renew", "next_product_id"} & set(vals):
            return super().write(vals)
        self.check_access("write")
        before = [
            (
                subscription,
                subscription.auto_renew,
                subscription._scheduled_plan(),
                subscription._contacts(),
            )
            for subscription in self.sudo()
        ]
        res = super().write(vals)
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        for subscription, renews, plan, contacts in before:
            if subscription.auto_renew != renews:
                kind = "renewal_off" if renews else "renewal_on"
                reminders._queue_switch(kind, subscription, contacts)
            scheduled = subscription._scheduled_plan()
            if scheduled != plan:
                kind = "change_on" if scheduled else "change_off"
                reminders._queue_switch(kind, subscription, contacts, scheduled or plan)
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_auto_renew_on(self):
        """Switch automatic renewal on, as the customer asks for.

        :raise AccessError: if the user is no helpdesk user (R14).
        """
        self._check_staff()
        self.sudo()._set_auto_renew(True)

    def action_auto_renew_off(self):
        """Switch automatic renewal off. See :meth:`action_auto_renew_on`."""
        self._check_staff()
        self.sudo()._set_auto_renew(False)

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _set_auto_renew(self, on):
        """Switch automatic renewal on or off; what is being paid already is paid.

        :param bool on: what it should be.
        """
        for subscription in self:
            if subscription.auto_renew == on:
                continue
            subscription.write({"auto_renew": on, "renewal_problem": False})
            if on:
                subscription._agree(self.env.user.partner_id)
            else:
                # It was made for the customer, who does not want it.
                subscription._open_orders().filtered(
                    "incident_automatic"
                )._incident_withdraw()

    @api.model
    def _cron_renew(self):
        """Renew what ends soon (R9.7). It may run twice, on several workers at once, or
        be killed at any moment."""
        cron = self.env["ir.cron"]
        due = self._due_for_renewal()
        cron._commit_progress(remaining=len(due))
        for subscription in due:
            subscription._in_transaction(subscription._renew)
            if not cron._commit_progress(1):
                return
        # Those of an earlier run that was killed, too.
        for transaction in self.env["payment.transaction"]._incident_unfinished():
            subscription = transaction.sale_order_ids._incident_renewed()
            subscription._in_transaction(transaction._incident_ask)
            subscription._in_transaction(transaction._incident_post_process)

    def _in_transaction(self, step):
        """Take a step of the renewal of this subscription in a transaction of its own.

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
                _logger.exception("%s could not be renewed", self)
                self._fail("error")
                self.env["ir.cron"]._commit_progress()
                return

    @api.model
    def _due_for_renewal(self):
        """Return the subscriptions that should be renewed by now, and were not tried
        today, the most urgent first."""
        companies = self.env["res.company"]._incident_companies()
        due = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("date_end", ">=", company._incident_today())
            & Domain(
                "date_end",
                "<=",
                company._incident_today()
                + timedelta(days=company.incident_renewal_days),
            )
            & (
                Domain("renewal_tried", "=", False)
                | Domain("renewal_tried", "<", company._incident_today())
            )
            for company in companies
        )
        return self.sudo().search(
            Domain("auto_renew", "=", True)
            & Domain("date_cancelled", "=", False)
            & due,
            order="date_end, id",
        )

    def _renew(self):
        """Make the renewal order and pay it from the account balance, or write down the
        transaction that asks for the money (R9.7)."""
        self.account_id._lock()
        self.invalidate_recordset()
        if self not in self._due_for_renewal():
            return
        self.renewal_tried = self._today()
        problem, order = self._renewal_to_pay()
        if not problem:
            problem = order._incident_pay_automatically()
        if problem:
            self._fail(problem, order)

    def _renewal_to_pay(self):
        """Return the order that renews this subscription, and what keeps it from being
        paid automatically, if anything does.

        :rtype: tuple[str | None, recordset]
        """
        orders = self._open_orders(REPLACING)
        if not self.partner_id.active:
            return "archived", orders.browse()
        being_paid = orders.filtered(lambda order: order._incident_is_being_paid())
        if being_paid:
            return "paying", being_paid[:1]
        awaited = orders.filtered(lambda order: order._incident_is_awaited())
        if awaited:
            return "transfer", awaited[:1]
        confirmed = self._confirmed_renewals()
        if confirmed:
            return confirmed._incident_payment_problem(), confirmed
        by_hand = orders.filtered(
            lambda order: (
                not order.incident_automatic
                and not order.is_expired
                # What was to be transferred long ago stands in nobody's way (R8.13).
                and not order._incident_transfers()
            )
        )
        if by_hand:
            # What the customer has chosen, but not paid: that takes consent.
            return "ordered", by_hand[:1]
        try:
            order = self._order_renewal(automatic=True)
        except UserError:
            return "plan", orders.browse()
        if order.order_line._incident_unconfirmed():
            return "free", order
        if self._differences(order):
            return "confirm", order
        return None, order

    def _confirmed_renewals(self):
        """Return the last order that renews or changes this subscription from its end
        on and was confirmed, but gives nothing: whatever keeps it from that, nothing
        is taken for another one."""
        lines = self.env["sale.order.line"].search(
            [
                ("incident_subscription_id", "=", self.id),
                ("incident_operation", "in", list(REPLACING)),
                ("state", "=", "sale"),
                ("incident_due", "in", (False, 0)),
            ]
        )
        return lines.filtered(
            lambda line: (
                not line.incident_term_ids
                or line.incident_term_ids.date_from > self.date_end
            )
        ).order_id.sorted("id")[-1:]

    def _fail(self, problem, order=None):
        """Note why this subscription was not renewed, and tell the customer: once for
        each reason (R9.7).

        :param str problem: a key of ``PROBLEMS``.
        """
        self.renewal_problem = problem
        if problem not in QUIET:
            self.env["helpdesk.incident.reminder"]._queue_subscription(
                "failed", f"{self.id}:{self.date_end}:{problem}", self, order, problem
            )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_payment_problem(self):
        """Return why this order, which is confirmed, gives nothing.

        :return: a key of ``PROBLEMS``: the customer is told of what is not paid.
        """
        effective = self.transaction_ids._incident_payments().filtered(
            lambda payment: payment._incident_is_booked()
        )
        credited = self.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        )
        if effective or credited or self._incident_is_being_paid(done=False):
            return "paying"
        return "transfer" if self._incident_is_awaited() else "unpaid"

    def _incident_renewed(self):
        """Return the subscriptions that these orders renew."""
        return self.sudo().order_line.incident_subscription_id

    def _incident_pay_automatically(self):
        """Pay a renewal from the account balance; or invoice it, where it is given
        before it is paid (R8.11); or write down the transaction that asks the
        customer's saved payment method for it.

        :return: a key of ``PROBLEMS``, None if it is paid, invoiced or asked for.
        :rtype: str | None
        """
        self.ensure_one()
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
        token = self._incident_token(self._incident_renewed()._payers())
        if not token:
            return "method"
        self._incident_create_transaction(token, "offline")
        return None


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    @api.model
    def _incident_unfinished(self):
        """Return the transactions of automatic renewals whose provider was not asked,
        or whose answer was not processed."""
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
        """Override to tell the customer why it is not renewed."""
        res = super()._incident_refuse(archived)
        for order in self.sale_order_ids:
            for subscription in order._incident_renewed():
                subscription._fail("archived" if archived else "declined", order)
        return res
