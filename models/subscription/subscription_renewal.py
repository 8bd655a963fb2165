"""Automatic renewal (R9.7): which subscriptions are renewed, and by which order. The
steps are those of ``helpdesk.incident.automatic``."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .subscription_orders import REPLACING

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
        """Renew what ends soon (R9.7)."""
        self._buy_due("date_end, id")

    def _due_domain(self):
        """Override of `helpdesk.incident.automatic`: what ends soon."""
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
        on = Domain("auto_renew", "=", True) & Domain("date_cancelled", "=", False)
        return on & due

    def _to_pay(self):
        """Override of `helpdesk.incident.automatic`: the order of the renewal."""
        self.renewal_tried = self._today()
        orders = self._open_orders(REPLACING)
        if not self.partner_id.active:
            return "archived", orders.browse()
        being_paid = orders.filtered(
            lambda order: (
                order._incident_is_being_paid() or order._incident_is_unanswered()
            )
        )
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
        """Override of `helpdesk.incident.automatic`: once for each reason (R9.7).

        :param str problem: a key of ``PROBLEMS``.
        """
        self.renewal_problem = problem
        if problem not in QUIET:
            self.env["helpdesk.incident.reminder"]._queue_subscription(
                "failed", f"{self.id}:{self.date_end}:{problem}", self, order, problem
            )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_renewed(self):
        """Return the subscriptions that these orders renew."""
        return self.sudo().order_line.incident_subscription_id

    def _incident_buyer(self):
        """Override: the subscription that it renews."""
        return self._incident_renewed()[:1] or super()._incident_buyer()
