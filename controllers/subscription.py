from datetime import timedelta
from functools import wraps

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_amount, format_date

from ..models.subscription.subscription_operation import costs
from .parse import whole_number
from .portal import PaidSupportPortal

#: The highest number that a form accepts.
LIMIT = 1_000_000


def own_page(path="", **options):
    """Return the route of a page that finds its subscription among those of the
    logged-in user's customer; any other id leads to the list (R11.6).

    :param str path: what follows the address of the subscription.
    """

    def decorate(show):
        @http.route(
            f"/my/incidents/subscription/<int:subscription_id>{path}",
            type="http",
            auth="user",
            website=True,
            **options,
        )
        @wraps(show)
        def found(self, subscription_id, **kw):
            subscription = self._own_subscription(subscription_id)
            if not subscription:
                return request.redirect("/my/incidents")
            return show(self, subscription, **kw)

        return found

    return decorate


class PaidSupportSubscription(PaidSupportPortal):
    """A subscription, and what its customer can order for it (R9.4–R9.7, R11.4).

    What is ordered is reviewed and paid in the standard portal pages.
    """

    # ------------------------------------------------------------------
    # The subscription
    # ------------------------------------------------------------------

    @own_page()
    def portal_my_incidents_subscription(
        self, subscription, /, order_id=None, done=None, **kw
    ):
        """A subscription of the customer: what it gives, month by month, and what can
        be done."""
        return self._render_subscription(subscription, order_id=order_id, done=done)

    @own_page("/auto_renew", methods=["POST"])
    def portal_subscription_auto_renew(self, subscription, /, value=None, **kw):
        """Switch automatic renewal (R9.7).

        :param str value: ``on`` or ``off``.
        """
        if value not in ("on", "off") or not subscription._is_running():
            return request.redirect(self._path(subscription))
        subscription._set_auto_renew(value == "on")
        return request.redirect(self._path(subscription, f"?done={value}"))

    @own_page("/keep", methods=["POST"])
    def portal_subscription_keep(self, subscription, /, **kw):
        """Keep the plan: a change that was scheduled is not made (R9.6)."""
        if subscription._scheduled_plan():
            try:
                with request.env.cr.savepoint():
                    subscription._schedule(None)
            except UserError as error:
                return self._render_subscription(subscription, error=error.args[0])
        return request.redirect(self._path(subscription, "?done=kept"))

    def _own_subscription(self, subscription_id):
        """Return the subscription, if it is the logged-in user's customer's (R11.6).

        :return: with superuser rights; empty if it is not.
        """
        account = request.env["helpdesk.incident.account"]._mine()
        return account.subscription_ids.filtered(
            lambda subscription: subscription.id == subscription_id
        )

    def _path(self, subscription, more=""):
        return f"/my/incidents/subscription/{subscription.id}{more}"

    def _operation(self, subscription, name):
        """Return what the logged-in user orders for a subscription.

        :rtype: Operation
        """
        return subscription._operation(name, request.env.user.partner_id)

    def _render_subscription(self, subscription, order_id=None, done=None, error=None):
        customer = request.env.user.partner_id.sudo().commercial_partner_id
        company = subscription.company_id
        open_orders, in_part = customer._incident_orders_to_pay(company)
        return self._render(
            "portal_my_incidents_subscription",
            subscription,
            {
                "page_name": "incidents_subscription",
                "additional_title": subscription.product_id.display_name,
                # The statement tells what was never given, or was taken back.
                "months": subscription.allotment_ids.filtered(
                    lambda month: month.granted or month.to_grant
                ).sorted("date_from"),
                # What was brought over was not bought here (R21.4).
                "orders": subscription.term_ids.sale_line_id.order_id.filtered(
                    lambda order: not order.incident_opening
                ),
                "open_orders": open_orders & subscription._open_orders(),
                "orders_in_part": in_part.filtered(
                    lambda order: subscription in order._incident_renewed()
                ),
                "next_offer": subscription._scheduled_plan()
                and self._operation(subscription, "renew")
                .offers()
                .get(subscription._scheduled_plan()),
                "actions": subscription._portal_actions(),
                **self._payment_news(subscription.account_id, customer, order_id),
                "done": done,
                "error": error,
            },
        )

    def _render(self, template, subscription, values):
        return request.render(
            f"helpdesk_paid_support.{template}",
            {
                **self._prepare_portal_layout_values(),
                "subscription": subscription,
                "path": self._path(subscription),
                "today": subscription._today(),
                "after": subscription.date_end
                and subscription.date_end + timedelta(days=1),
                "number_from": self._number_from(subscription),
                "amount": self._amount,
                "day": self._day,
                "error": None,
                **values,
            },
        )

    def _number_from(self, subscription):
        """Return from which day on its months have the present number of incidents, if
        that day is still to come: another plan is paid for (R9.6).

        :rtype: date | None
        """
        number = subscription.incidents_per_period + subscription.extra_incidents
        first = None
        months = subscription.allotment_ids.filtered("target")
        for month in months.sorted("date_from", reverse=True):
            if month.target != number:
                break
            first = month.date_from
        return first if first and first > subscription._today() else None

    def _amount(self, value, order):
        """Return an amount in the currency of an order, in words."""
        return format_amount(request.env, value, order.currency_id)

    def _day(self, date):
        return format_date(request.env, date, date_format="medium")

    # ------------------------------------------------------------------
    # Renewing
    # ------------------------------------------------------------------

    @own_page("/renew", methods=["GET"])
    def portal_subscription_renew(self, subscription, /, **kw):
        """The plans that a subscription can be renewed with, and what they cost."""
        return self._render_renew(subscription)

    @own_page("/renew", methods=["POST"])
    def portal_subscription_renew_order(
        self, subscription, /, plan=None, extra=None, **kw
    ):
        """Make the order of a renewal (R9.5), and show it.

        :param str plan: the id of a ``product.product``.
        :param str extra: extra incidents in each month, a whole number of 0 or more;
            nothing where the plan has none.
        """
        renewal = self._operation(subscription, "renew")
        try:
            with request.env.cr.savepoint():
                chosen = self._chosen_plan(plan, renewal.offers())
                order = renewal.order(
                    chosen, self._parse_renewal_extra(subscription, chosen, extra)
                )
        except UserError as error:
            return self._render_renew(
                subscription, error=error.args[0], chosen=plan, extra=extra
            )
        return request.redirect(order.get_portal_url())

    def _renewal_extra_price(self, subscription):
        """Return an order of one extra incident in one month of a renewal, that is
        never saved; None if extra incidents are not sold."""
        plan = subscription._renewal_plans().filtered(
            lambda plan: plan.incident_kind == "period"
        )
        product = plan[:1].incident_extra_product_id
        if not product.active or not product.sale_ok:
            return None
        offer = subscription._offer(
            [subscription._extra_line(product, 1, 1, 1)], request.env.user.partner_id
        )
        # Where extra incidents cost nothing, no number can be chosen.
        return offer if costs(offer) else None

    def _parse_renewal_extra(self, subscription, plan, extra):
        if plan.incident_kind != "period":
            return 0
        if not self._renewal_extra_price(subscription):
            return None
        return self._parse_number(extra, 0)

    def _render_renew(self, subscription, extra=None, **values):
        if extra is None:
            extra = str(subscription.extra_incidents)
        renewal = self._operation(subscription, "renew")
        offers = renewal.offers(whole_number(extra, LIMIT))
        return self._render(
            "portal_subscription_renew",
            subscription,
            {
                "page_name": "incidents_subscription_renew",
                "additional_title": request.env._(
                    "Renew %(plan)s", plan=subscription.product_id.display_name
                ),
                "offers": offers,
                "extra": extra,
                "extra_words": self._extra_words,
                "extra_price": offers and self._renewal_extra_price(subscription),
                "fits": self._which_plan_fits(subscription, offers),
                # Whoever clicks has chosen; of one plan there is nothing to choose.
                "chosen": str(next(iter(offers)).id) if len(offers) == 1 else None,
                **values,
            },
        )

    # ------------------------------------------------------------------
    # Extra incidents
    # ------------------------------------------------------------------

    @own_page("/extra", methods=["GET"])
    def portal_subscription_extra(self, subscription, /, **kw):
        """What extra incidents cost, and in which months they are."""
        return self._render_extra(subscription)

    @own_page("/extra", methods=["POST"])
    def portal_subscription_extra_order(self, subscription, /, number=None, **kw):
        """Make the order of extra incidents (R9.4), and show it.

        :param str number: extra incidents in each month, a whole number of 1 or more.
        """
        try:
            with request.env.cr.savepoint():
                quantity = self._parse_number(number, 1)
                if not self._extra_offer(subscription, 1):
                    raise UserError(
                        request.env._(
                            "Extra incidents cannot be bought for this subscription at "
                            "the moment."
                        )
                    )
                extra = self._operation(subscription, "extra")
                order = extra.order(number=quantity)
        except UserError as error:
            return self._render_extra(
                subscription, error=error.args[0], number=number or ""
            )
        return request.redirect(order.get_portal_url())

    def _extra_offer(self, subscription, number):
        """Return an order of extra incidents that is never saved; None if they are not
        sold for this subscription."""
        offers = self._operation(subscription, "extra").offers(number)
        return next(iter(offers.values()), None)

    def _render_extra(self, subscription, number="1", **values):
        known = whole_number(number, LIMIT)
        return self._render(
            "portal_subscription_extra",
            subscription,
            {
                "page_name": "incidents_subscription_extra",
                "additional_title": request.env._(
                    "Extra incidents for %(plan)s",
                    plan=subscription.product_id.display_name,
                ),
                "one": self._extra_offer(subscription, 1),
                "offer": known and self._extra_offer(subscription, known),
                "number": number,
                "until": subscription._is_running()
                and subscription._boundary() - timedelta(days=1),
                **values,
            },
        )

    # ------------------------------------------------------------------
    # Changing the plan
    # ------------------------------------------------------------------

    @own_page("/change", methods=["GET"])
    def portal_subscription_change(self, subscription, /, **kw):
        """The plans that a subscription can be changed to, what they cost, what is
        credited, and from when on they are."""
        return self._render_change(subscription)

    @own_page("/change", methods=["POST"])
    def portal_subscription_change_order(self, subscription, /, plan=None, **kw):
        """Make the order of a change of plan (R9.6), and show it. Without anything to
        pay the change is scheduled, or made.

        :param str plan: the id of a ``product.product``.
        """
        if plan == str(subscription.product_id.id):  # sent twice
            return request.redirect(self._path(subscription, "?done=changed"))
        change = self._operation(subscription, "change")
        try:
            with request.env.cr.savepoint():
                order = change.order(self._chosen_plan(plan, change.offers()))
        except UserError as error:
            return self._render_change(subscription, error=error.args[0], chosen=plan)
        if not order:
            return request.redirect(self._path(subscription, "?done=scheduled"))
        if order.state == "sale":
            return request.redirect(self._path(subscription, f"?order_id={order.id}"))
        return request.redirect(order.get_portal_url())

    def _render_change(self, subscription, **values):
        offers = self._operation(subscription, "change").offers()
        return self._render(
            "portal_subscription_change",
            subscription,
            {
                "page_name": "incidents_subscription_change",
                "additional_title": request.env._(
                    "Change %(plan)s", plan=subscription.product_id.display_name
                ),
                "offers": offers,
                "fits": self._which_plan_fits(subscription, offers),
                "chosen": None,
                **values,
            },
        )

    # ------------------------------------------------------------------
    # Plans and prices
    # ------------------------------------------------------------------

    @http.route(
        "/my/incidents/subscription/<int:subscription_id>/prices",
        type="jsonrpc",
        auth="user",
        website=True,
    )
    def portal_subscription_prices(self, subscription_id, page=None, number=None):
        """Return what the form of a page says about another number of extra incidents:
        nothing is ordered.

        :param str page: ``renew`` or ``extra``.
        :param str number: extra incidents in each month.
        :return: texts by their names in the form; empty if that is no number.
        :rtype: dict[str, str]
        """
        subscription = self._own_subscription(subscription_id)
        quantity = whole_number(number, LIMIT)
        if not subscription or quantity is None:
            return {}
        texts = {}
        if page == "renew":
            offers = self._operation(subscription, "renew").offers(quantity)
            for plan, offer in offers.items():
                texts[f"price_{plan.id}"] = self._amount(offer.amount_total, offer)
                texts[f"extra_{plan.id}"] = self._extra_words(offer)
        elif page == "extra" and quantity:
            offer = self._extra_offer(subscription, quantity)
            if offer:
                texts["total"] = self._amount(offer.amount_total, offer)
        return texts

    def _which_plan_fits(self, subscription, offers):
        """Return what the last months would have cost with each plan (R22.2)."""
        return subscription._which_plan_fits(offers, request.env.user.partner_id)

    def _extra_words(self, offer):
        """Return in words which extra incidents an order sells."""
        line = offer.order_line.filtered(
            lambda line: line.incident_operation == "extra"
        )
        return line._incident_effect() if line else ""

    def _chosen_plan(self, plan, offers):
        """Return the plan that a request names.

        :param str plan: the id of a ``product.product``; it cannot be trusted.
        :param dict offers: by the plans that can be chosen.
        :raise UserError: if it names none of them.
        """
        for offered in offers:
            if str(offered.id) == plan:
                return offered
        if offers and not plan:
            raise UserError(request.env._("Choose a plan."))
        raise UserError(
            request.env._("This plan is not on offer any more. Choose another one.")
        )

    def _parse_number(self, text, least):
        """Return the number of incidents that a request names.

        :raise UserError: if it is no whole number from ``least`` on.
        :rtype: int
        """
        number = whole_number(text, LIMIT)
        if number is None or number < least:
            raise UserError(
                request.env._(
                    "Enter how many incidents you want in each month: a whole number "
                    "from %(least)s to %(limit)s.",
                    least=least,
                    limit=f"{LIMIT:,}",
                )
            )
        return number
