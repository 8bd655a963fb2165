from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.account_payment.controllers.portal import PortalAccount

from .parse import whole_number


class PaidSupportBalance(PortalAccount):
    """Paying what is open from the account balance (R10.2)."""

    @http.route(
        "/my/incidents/settle",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_incidents_settle(self, invoice=None, **kw):
        """Pay an invoice of the logged-in user's customer from the account balance, or
        all that is open.

        :param str invoice: the id of an ``account.move``; none for all.
        """
        user = request.env.user
        customer = user.partner_id.sudo().commercial_partner_id
        company, wanted, back = request.env.company, None, "/my/incidents"
        if invoice:
            wanted = request.env["account.move"].sudo().browse(whole_number(invoice))
            if wanted.exists()._incident_balance_offer(user) is None:
                return request.redirect(back)
            company, back = wanted.company_id, wanted._incident_portal_page()
        try:
            with request.env.cr.savepoint():
                # As the customer: the history should say so.
                customer.with_user(user).sudo()._incident_settle_open(
                    company, invoices=wanted
                )
        except UserError:
            return request.redirect("/my/incidents?settle=refused")
        return request.redirect(back)

    @http.route()
    def portal_my_overdue_invoices(self, access_token=None, **kw):
        """Override: nobody is asked for money that the account balance has."""
        user = request.env.user
        overdue = request.env["account.move"].search(
            self._get_overdue_invoices_domain()
        )
        if any(move._incident_balance_offer(user) for move in overdue):
            return request.redirect("/my/incidents")
        return super().portal_my_overdue_invoices(access_token=access_token, **kw)
