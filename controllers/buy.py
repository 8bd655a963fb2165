from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request

from odoo.addons.payment import utils as payment_utils
from odoo.addons.sale.controllers.portal import CustomerPortal

from ..models.outbox.ir_actions_report import LATER
from ..models.selling.sale_order_portal import BeingPaid
from .parse import whole_number

#: Of how many months the page to buy says what was used.
LOOKED_BACK = 3
#: Where `website_sale`, which need not be installed, puts what was ordered once more
#: into the cart. It asks nobody but its own methods which lines that are.
REORDER = "/my/orders/reorder"


class PaidSupportShop(CustomerPortal):
    """Buying plans and adding funds (R11.4, R11.5).

    Buying makes an order, which is reviewed and paid in the standard portal pages.
    """

    # ------------------------------------------------------------------
    # Buying
    # ------------------------------------------------------------------

    @http.route("/my/incidents/buy", type="http", auth="user", website=True)
    def portal_incidents_buy(self, ticket=None, plan=None, **kw):
        """The published plans, with the prices of this customer.

        :param str ticket: the id of a ticket that waits for them (R11.3).
        :param str plan: the id of a ``product.product`` that is chosen already.
        """
        return self._render_buy(ticket=self._waiting_ticket(ticket), chosen=plan)

    @http.route(
        "/my/incidents/buy/order",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_incidents_buy_order(self, plan=None, quantity="1", ticket=None, **kw):
        """Make the order of a plan, and show it.

        :param str plan: the id of a ``product.product``.
        :param str quantity: units, a whole number of 1 or more.
        :param str ticket: the id of a ticket that waits for them (R11.3).
        """
        waiting = self._waiting_ticket(ticket)
        order_model = request.env["sale.order"]
        try:
            with request.env.cr.savepoint():
                if not plan:
                    raise UserError(request.env._("Choose a plan."))
                order = order_model._incident_buy(
                    request.env.user.partner_id,
                    request.env.company,
                    self._browse_plan(plan),
                    self._parse_quantity(quantity),
                )
        except UserError as error:
            return self._render_buy(
                error=error.args[0], chosen=plan, quantity=quantity, ticket=waiting
            )
        if waiting:
            waiting._incident_use_link()
        return request.redirect(order.get_portal_url())

    def _render_buy(self, **values):
        offer = request.env["sale.order"]._incident_offer(
            request.env.user.partner_id, request.env.company
        )
        account = request.env["helpdesk.incident.account"]._mine()
        return request.render(
            "helpdesk_paid_support.portal_incidents_buy",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "incidents_buy",
                "groups": offer._incident_compare(),
                "taxed": bool(offer.order_line.tax_ids),
                "account": account,
                "used": self._used_words(account),
                "error": None,
                "chosen": None,
                "quantity": "1",
                # Not “ticket”: the breadcrumbs show it.
                "waiting": values.pop("ticket", None),
                **values,
            },
        )

    def _used_words(self, account):
        """Return how many incidents the customer has used of late, as a hint to how
        many are needed; nothing where there were none."""
        today = request.env.company._incident_today()
        since = today - relativedelta(months=LOOKED_BACK) + timedelta(days=1)
        used = account._statement_figures(since, today)["used"]
        if used <= 0:
            return ""
        return request.env._(
            "Incidents that you have used in the last %(months)s months: %(number)s",
            months=LOOKED_BACK,
            number=used,
        )

    def _waiting_ticket(self, ticket):
        """Return the ticket that a link to buy was made for, while it waits."""
        account = request.env["helpdesk.incident.account"]._mine()
        return account._parked().filtered(lambda waiting: str(waiting.id) == ticket)

    def _browse_plan(self, plan):
        plans = request.env["sale.order"]._incident_plans(request.env.company)
        return plans.filtered(lambda product: str(product.id) == plan)

    def _parse_quantity(self, quantity):
        number = whole_number(quantity, 1_000_000)
        if not number:
            raise UserError(
                request.env._("Enter how many you want: a whole number, 1 or more.")
            )
        return number

    # ------------------------------------------------------------------
    # Paying
    # ------------------------------------------------------------------

    @http.route(
        "/my/orders/<int:order_id>/pay_from_balance",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_order_pay_from_balance(self, order_id, **kw):
        """Pay an order from the account balance. Only a logged-in user of its own
        customer may do that; a shared link is not enough (R11.4)."""
        try:
            order = self._document_check_access("sale.order", order_id)
        except (AccessError, MissingError):
            return request.redirect("/my")
        if not order._incident_is_own(request.env.user):
            return request.redirect("/my")
        paid = self._incident_landing(order)
        if order.state == "sale":  # sent twice
            return request.redirect(paid)
        try:
            with request.env.cr.savepoint():
                # As the customer, so that the history names him.
                order.with_user(request.env.user).sudo()._incident_pay_from_balance()
        except UserError as error:
            waits = order._incident_is_open() and not isinstance(error, BeingPaid)
            reason = "refused" if waits else "closed"
            return request.redirect(
                order.get_portal_url(query_string=f"&incident_balance={reason}")
            )
        return request.redirect(paid)

    def _document_check_access(self, model_name, document_id, access_token=None):
        """Override of `portal` for R3.6: an order that is confirmed by signing it is
        printed after the commit.

        :raise UserError: if an order that acts on a subscription is to be ordered again
            (R24.3).
        """
        if model_name == "sale.order":
            request.update_context(incident_print=LATER)
        document = super()._document_check_access(
            model_name, document_id, access_token=access_token
        )
        if request.httprequest.path.endswith(REORDER):
            document._incident_check_reorder()
        return document

    def _get_payment_values(self, order_sudo, *args, **kwargs):
        """Override of `sale`: after paying for a plan, show the page where it can be
        seen. Of a quotation that was paid in part, the rest is asked for (R24.5)."""
        values = super()._get_payment_values(order_sudo, *args, **kwargs)
        own = order_sudo._incident_is_own(request.env.user)
        if order_sudo.state == "sent":
            for rest in order_sudo._incident_rests():
                values["amount"] = rest.amount
        if order_sudo.incident_has_plan and own:
            values["landing_route"] = self._incident_landing(order_sudo)
        return values

    def _incident_landing(self, order):
        """Return the page that shows what an order of plans has done."""
        subscription = order.sudo().order_line.incident_subscription_id
        if len(subscription) == 1:
            return f"/my/incidents/subscription/{subscription.id}?order_id={order.id}"
        return f"/my/incidents?order_id={order.id}"

    # ------------------------------------------------------------------
    # Adding funds
    # ------------------------------------------------------------------

    @http.route(
        "/my/incidents/funds", type="http", auth="user", methods=["GET"], website=True
    )
    def portal_incidents_funds(self, amount=None, **kw):
        """Ask for the amount to add to the account balance (R11.5).

        :param str amount: what a link has filled in.
        """
        value = self._parse_funds(amount)
        return self._render_funds(value or None)

    @http.route(
        "/my/incidents/funds/pay",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_incidents_funds_pay(self, amount=None, **kw):
        """Go to the payment page with the amount that was typed."""
        currency = request.env.company.currency_id
        value = self._parse_funds(amount)
        if not value:
            return self._render_funds(
                amount=amount,
                error=request.env._(
                    "Enter the amount to add, above 0 and with at most %(digits)s "
                    "decimals.",
                    digits=currency.decimal_places,
                ),
            )
        partner = request.env.user.partner_id
        token = payment_utils.generate_access_token(partner.id, value, currency.id)
        return request.redirect_query(
            "/payment/pay",
            {
                "amount": value,
                "currency_id": currency.id,
                "partner_id": partner.id,
                "company_id": request.env.company.id,
                "access_token": token,
                "incident_funds": 1,
            },
        )

    def _parse_funds(self, amount):
        """Return the amount of money that a request names, in the currency of the
        company; 0.0 if it names none.

        :rtype: float
        """
        typed = self._cast_as_float(amount) or 0.0
        # Numbers that are no amounts: inf, nan, 1e300
        value = request.env.company.currency_id.round(typed) if 0 < typed < 1e9 else 0.0
        return value if value > 0 and abs(typed - value) <= 1e-6 else 0.0

    def _render_funds(self, amount=None, **values):
        """Render the page that asks for an amount.

        :param amount: what is filled in, as it was typed or as a number; by default
            what the balance lacks.
        """
        customer = request.env.user.partner_id.sudo().commercial_partner_id
        money = customer._incident_portal_money(request.env.company)
        if amount is None and money["balance"] < 0:
            # What is held, and other invoices, count.
            amount = -money["balance"]
        if isinstance(amount, float):
            amount = f"{amount:.{money['currency'].decimal_places}f}"
        return request.render(
            "helpdesk_paid_support.portal_incidents_funds",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "incidents_funds",
                **money,
                "funds_offers": request.env["helpdesk.incident.account"]
                ._mine()
                ._topup_offers(request.env.company),
                "amount": amount,
                "error": None,
                **values,
            },
        )

    def _get_extra_payment_form_values(self, incident_funds=None, **kwargs):
        """Override of `payment`: after adding funds, show the page where they can be
        seen."""
        values = super()._get_extra_payment_form_values(**kwargs)
        if incident_funds:
            values["landing_route"] = "/my/incidents"
        return values
