from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import formatLang

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..models.topup.helpdesk_incident_topup import KINDS, METHODS
from .parse import typed, whole_number


class PaidSupportTopup(CustomerPortal):
    """What customers choose to be bought when few incidents are left (R19.1). It is the
    account of the logged-in user's customer, whatever a request names (R11.6)."""

    @http.route(
        "/my/incidents/topup", type="http", auth="user", methods=["GET"], website=True
    )
    def portal_incidents_topup(self, **kw):
        """The form to choose it, or to change what was chosen."""
        return self._render_topup()

    @http.route(
        "/my/incidents/topup", type="http", auth="user", methods=["POST"], website=True
    )
    def portal_incidents_topup_set(
        self, plan=None, threshold=None, limit=None, method=None, **kw
    ):
        """Switch it on, as was chosen: the logged-in user agrees to it.

        :param str plan: the id of a ``product.product``; with ``price_`` before it, the
            name of what it cost when it was chosen.
        :param str threshold: below how many incidents, a whole number of 1 or more.
        :param str limit: how much to buy in a month at most.
        :param str method: a key of ``METHODS``.
        """
        user, company = request.env.user, request.env.company
        try:
            with request.env.cr.savepoint():
                line = self._topup_line(plan, kw)
                accounts = request.env["helpdesk.incident.account"]
                request.env["helpdesk.incident.topup"].sudo()._set_up(
                    accounts._of(user.partner_id, company, create=True),
                    company,
                    user.partner_id.sudo(),
                    threshold=whole_number(threshold) or 0,
                    product_id=line.product_id.id,
                    monthly_limit=self._parse_funds(limit),
                    method=method if method in dict(METHODS) else "balance",
                )
        except UserError as error:
            return self._render_topup(
                error=error.args[0],
                chosen=typed(plan),
                threshold=typed(threshold),
                limit=typed(limit),
                method=method,
            )
        return request.redirect("/my/incidents#topup")

    @http.route(
        "/my/incidents/topup/off",
        type="http",
        auth="user",
        # With GET, it is where a user arrives who had to log in first.
        methods=["GET", "POST"],
        website=True,
    )
    def portal_incidents_topup_off(self, **kw):
        """Switch it off."""
        if request.httprequest.method == "POST":
            account = request.env["helpdesk.incident.account"]._mine()
            account._topup()._switch_off()
        return request.redirect("/my/incidents#topup")

    def _topup_offer(self):
        """Return an order, never saved, with a line for each plan that can top up."""
        company = request.env.company
        orders = request.env["sale.order"]
        plans = orders._incident_plans(company).filtered(
            lambda plan: plan.incident_kind in KINDS
        )
        return orders._incident_offer(request.env.user.partner_id, company, plans)

    def _topup_line(self, plan, sent):
        """Return the line of the plan that a request names.

        :param str plan: the id of a ``product.product``; it cannot be trusted.
        :param dict sent: the other values of the request.
        :raise UserError: if it names none, or the price is another one by now.
        """
        for line in self._topup_offer().order_line:
            if str(line.product_id.id) == plan:
                if sent.get(f"price_{plan}") != self._topup_price(line):
                    raise UserError(request.env["sale.order"]._incident_pack_changed())
                return line
        raise UserError(request.env._("Choose a plan."))

    def _topup_price(self, line):
        """Return what a customer agrees to who chooses this plan."""
        agreed = (line.price_total, line.currency_id.id, line.incident_quantity)
        return "-".join(map(str, (*agreed, line.incident_term_months)))

    def _render_topup(self, **values):
        company = request.env.company
        account = request.env["helpdesk.incident.account"]._mine()
        topup, offer = account._topup(), self._topup_offer()
        partner = request.env.user.partner_id.sudo()
        currency = company.currency_id
        limit = topup.monthly_limit
        return request.render(
            "helpdesk_paid_support.portal_incidents_topup",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "incidents_topup",
                "topup": topup,
                "lines": offer.order_line,
                "price_key": self._topup_price,
                "token": offer.order_line
                and offer._incident_token(partner | partner.commercial_partner_id),
                "currency": currency,
                "error": None,
                "chosen": str(topup.product_id.id),
                "threshold": topup.threshold or "",
                "limit": f"{limit:.{currency.decimal_places}f}" if limit else "",
                "method": topup.method or "card",
                **values,
            },
        )

    def _topup_values(self, account):
        """Return what tops up an account, as values of a page."""
        topup = account._topup()
        if not topup:
            return {"topup": topup}
        company = topup.account_id.company_id
        currency = topup.currency_id
        return {
            "topup": topup,
            "topup_order": topup._open_orders()[:1] or topup._expected(),
            "topup_spent": formatLang(
                request.env,
                request.env["sale.order"]._incident_month_sum(
                    topup.partner_id,
                    topup.company_id,
                    company._incident_today(),
                    "incident_topup_date",
                ),
                currency_obj=currency,
            ),
        }
