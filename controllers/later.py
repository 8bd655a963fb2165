from odoo import http
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class PaidSupportLater(CustomerPortal):
    """What customers allow to be paid later (R18.4)."""

    @http.route(
        "/my/incidents/later",
        type="http",
        auth="user",
        # With GET, it is where a user arrives who had to log in first.
        methods=["GET", "POST"],
        website=True,
    )
    def portal_incidents_later(self, by_mail="", **kw):
        """Allow that tickets by e-mail are paid later, or undo it; only users of the
        customer can, for their own.

        :param str by_mail: "on" or "off".
        """
        if request.httprequest.method == "POST" and by_mail in ("on", "off"):
            request.env.user.partner_id._incident_agree_overage_by_mail(
                request.env.company, by_mail == "on"
            )
        return request.redirect("/my/incidents#later")

    def _later_values(self, customer, company):
        """Return what is paid later at present, as values of a page; nothing where no
        team sells so, or this customer may not.

        :param customer: the commercial partner.
        :rtype: dict
        """
        limit = customer._incident_overage_limit_in(company)
        teams = request.env["helpdesk.ticket.team"].sudo()
        sells = limit > 0 and teams.search_count(
            [
                ("company_id", "=", company.id),
                ("incident_required", "=", True),
                ("incident_shortage_policy", "=", "charge"),
            ],
            limit=1,
        )
        orders = request.env["sale.order"]
        overage = sells and orders._incident_overage(
            request.env.user.partner_id, company, 1
        )
        if not overage:
            return {"later_price": None}
        currency, today = company.currency_id, company._incident_today()
        return {
            "later_price": overage.total_words(),
            "later_limit": currency.format(limit),
            "later_used": currency.format(
                orders._incident_overage_sum(customer, company, today)
            ),
            "later_by_mail": customer._incident_overage_agreed_by_mail(company),
        }
