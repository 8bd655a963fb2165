"""How incidents are topped up (R19.1): when, and with which order. The steps are those
of ``helpdesk.incident.automatic``."""

from datetime import timedelta
from itertools import takewhile

from odoo import api, fields, models
from odoo.fields import Command, Domain

#: After so many failures in a row it is switched off (R19.2).
MAX_FAILURES = 3
#: The problems that are failures to pay.
FAILURES = ("balance", "method", "declined")


class HelpdeskIncidentTopup(models.Model):
    _inherit = "helpdesk.incident.topup"

    failures = fields.Integer(
        string="Failures in a row",
        compute="_compute_failures",
        help="Attempts to pay that failed since one succeeded, and payments that were "
        "reversed. After three it is switched off.",
    )

    def _compute_failures(self):
        for topup in self:
            topup.failures = topup.sudo()._failures_in_a_row()

    def _failures_in_a_row(self):
        """Return how often it has failed since it succeeded (R19.2): an order that
        gives at present has succeeded, whatever came before.

        :rtype: int
        """
        failed = takewhile(
            lambda order: not order._incident_is_giving(), self._orders()
        )
        return sum(order.incident_topup_failures for order in failed)

    # ------------------------------------------------------------------
    # What it buys
    # ------------------------------------------------------------------

    @api.model
    def _cron_top_up(self):
        """Top up what is due (R19.1)."""
        self._buy_due("id")

    def _due_domain(self):
        """Override of `helpdesk.incident.automatic`."""
        companies = self.env["res.company"]._incident_companies()
        today = Domain.OR(
            Domain("account_id.company_id", "=", company.id)
            & Domain("tried", "=", company._incident_today())
            for company in companies
        )
        return Domain("is_on", "=", True) & Domain("due", "=", True) & ~today

    def _to_pay(self):
        """Override of `helpdesk.incident.automatic`: as many units as reach what is
        wanted."""
        units = self._missing_units()
        if not units:
            self._open_orders()._incident_withdraw()
            self.write({"due": False, "problem": False})
            return None
        expected = self._expected()
        if not expected and self._is_buying_otherwise():
            return None
        self.tried = self.account_id.company_id._incident_today()
        nothing = self.env["sale.order"]
        if not self.partner_id.active:
            return "archived", nothing
        if expected:
            return expected._incident_expected_because(), expected
        offer = self._offer(units)
        if not offer:
            self._open_orders()._incident_withdraw()
            return "plan", nothing
        if self._exceeds_limit(offer):
            return "limit", nothing
        order = self._find_or_make_order(offer, units)
        return ("confirm" if self._differences(order) else None), order

    def _ordered(self, order):
        """Override of `helpdesk.incident.automatic`: nothing more is bought before the
        next ticket, whatever becomes of this order."""
        self.write({"due": False, "problem": False})

    def _missing_units(self):
        """Return how many units of the plan reach what is wanted; lifetime ones make up
        for what is below zero first (R3.5).

        :rtype: int
        """
        numbers = self.account_id._numbers()[self.account_id.id]
        missing = self.threshold - numbers["available"]
        if missing <= 0:
            return 0
        if self.product_id.incident_kind == "lifetime":
            missing -= min(numbers["lifetime_balance"] or 0, 0)
        return -(-missing // max(self.product_id.incident_quantity, 1))

    def _is_buying_otherwise(self):
        """Return whether the customer is buying something else: an order of plans is
        being paid, or is younger than a day.

        :rtype: bool
        """
        now, day = fields.Datetime.now(), timedelta(days=1)
        orders = self.env["sale.order"].sudo()
        others = (
            Domain("partner_id.commercial_partner_id", "=", self.partner_id.id)
            & Domain("company_id", "child_of", self.account_id.company_id.id)
            & Domain("state", "!=", "cancel")
            & Domain("order_line.incident_kind", "!=", False)
            & Domain("id", "not in", self._open_orders().ids)
        )
        # (An accountant may date an invoice, and so its order, much later.)
        young = Domain("date_order", ">", now - day)
        young &= Domain("date_order", "<", now + day)
        # The customer is on the page of a provider.
        paying = Domain("state", "=", "draft")
        paying &= Domain("create_date", ">", self.env.cr.now() - day)
        young |= Domain("transaction_ids", "any", paying)
        if orders.search_count(others & young, limit=1):
            return True
        under_way = Domain("transaction_ids.state", "in", ("pending", "authorized"))
        return any(
            order._incident_is_being_paid(done=False) or order._incident_is_awaited()
            for order in orders.search(others & under_way)
        )

    def _exceeds_limit(self, offer):
        """Return whether an order takes more than the customer wants to pay so in this
        month, taxes included.

        :rtype: bool
        """
        today = self.account_id.company_id._incident_today()
        spent = offer._incident_month_sum(
            self.partner_id, self.company_id, today, "incident_topup_date"
        )
        total = spent + offer._incident_total_on(today)
        return self.currency_id.compare_amounts(total, self.monthly_limit) > 0

    def _differences(self, order):
        """Return what an order has that the customer has not agreed to, in words: of
        one unit, and of all of them.

        :rtype: list[str]
        """
        units = order._incident_topup_units()
        one = self._offer(1)
        return (
            one._incident_terms().differences(self._agreed_terms(1), self.env)
            if one
            else []
        ) or order._incident_terms().differences(self._agreed_terms(units), self.env)

    # ------------------------------------------------------------------
    # Its orders
    # ------------------------------------------------------------------

    def _orders(self):
        """Return what was ordered so far, the last one first."""
        orders = self.env["sale.order"].sudo()
        return orders.search([("incident_topup_id", "in", self.ids)], order="id desc")

    def _open_orders(self):
        """Return the orders that wait for their payment."""
        return self._orders().filtered(lambda order: order.state in ("draft", "sent"))

    def _expected(self):
        """Return the order whose money is still expected, if there is one: nothing else
        is bought meanwhile. A payment that was reversed is expected again."""
        return self._orders().filtered(
            lambda order: order._incident_expected_because()
        )[:1]

    def _find_or_make_order(self, offer, units):
        """Return the order of so many units: what waits for its payment and is the same
        is this order already, and what is not is withdrawn.

        :param offer: what it comes to by now.
        """
        same = self._open_orders().filtered(
            lambda order: (
                order._incident_is_open()
                and order.order_line.product_id == self.product_id
                and order.order_line.mapped("product_uom_qty") == [units]
                and order.amount_total == offer.amount_total
                and order.currency_id == offer.currency_id
                and order.partner_id == offer.partner_id
            )
        )[:1]
        (self._open_orders() - same)._incident_withdraw()
        if same:
            return same
        line = {"product_id": self.product_id.id, "product_uom_qty": units}
        orders = self.env["sale.order"].sudo().with_company(self.company_id)
        order = orders.create(
            {
                **orders._incident_order_values(offer.partner_id, self.company_id),
                "order_line": [Command.create(line)],
            }
        )
        order._incident_remember(incident_automatic=True, incident_topup_id=self.id)
        order.action_quotation_sent()
        return order

    # ------------------------------------------------------------------
    # What became of it
    # ------------------------------------------------------------------

    def _fail(self, problem, order=None):
        """Override of `helpdesk.incident.automatic`: once for each reason and order;
        after three failures in a row it is switched off (R19.2).

        :param str problem: a key of ``PROBLEMS``.
        """
        if not self.is_on or order and order._incident_is_giving():
            return
        if problem == "method" and not self._payers():
            problem = "balance"
        self.write({"due": True, "problem": problem})
        if problem in FAILURES:
            order._incident_count_failure()
        self._tell_failed(problem, order)

    def _declined(self, order):
        """Note that a payment that was under way has failed."""
        if order.state in ("draft", "sent"):
            self._fail("declined", order)

    def _taken_back(self, order):
        """Note that the payment of an order was reversed: that is a failure, and buys
        nothing by itself."""
        order._incident_count_failure()
        if self.is_on:
            self.problem = "unpaid"
            self._tell_failed("unpaid", order)

    def _bought(self, order):
        """Note that an order has given: what the customer was asked about, and has
        paid, is agreed on."""
        order._incident_remember(incident_topup_failures=0)
        if self.problem == "confirm" and order._incident_paid_by():
            self._keep_terms(order._incident_terms(), order._incident_topup_units())
        self.problem = False
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        reminders._queue_topup("topup_done", self, f"{order.id}", order)

    def _tell_failed(self, problem, order):
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        if self._failures_in_a_row() >= MAX_FAILURES:
            self.is_on = False
            reminders._queue_topup("topup_stopped", self, None, order, problem)
        elif problem == "limit":
            month = self.account_id.company_id._incident_today().strftime("%Y-%m")
            key = f"{self.id}:{month}"
            reminders._queue_topup("topup_limit", self, key, order, problem)
        elif self._needs_customer():
            key = f"{self.id}:{order.id if order else ''}:{problem}"
            reminders._queue_topup("topup_failed", self, key, order, problem)
