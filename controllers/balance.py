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

    def _overdue_invoices_get_page_view_values(self, overdue_invoices, **kwargs):
        """Override of `account_payment`: nobody is asked for money that the account
        balance has. Without a payment, core shows the list of invoices instead."""
        user = request.env.user
        if any(move._incident_balance_offer(user) for move in overdue_invoices):
            return {"page_name": "overdue_invoices"}
        return super()._overdue_invoices_get_page_view_values(
            overdue_invoices, **kwargs
        )
