from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

from .parse import typed


class PaidSupportParked(CustomerPortal):
    """What customers do with what their tickets take: withdraw those that wait (R11.3),
    contest (R17.4)."""

    @http.route(
        "/my/ticket/<int:ticket_id>/contest",
        type="http",
        auth="user",
        # With GET, this address would be the page of the ticket, with an invalid token.
        methods=["GET", "POST"],
        website=True,
    )
    def portal_ticket_contest(self, ticket_id, reason="", **kw):
        """Contest what a ticket took; only its own customer may (R11.6). The page of
        the ticket says what happened."""
        ticket = self._own_ticket(ticket_id)
        if not ticket:
            return request.redirect("/my/tickets")
        problem = ""
        if request.httprequest.method == "POST":
            try:
                ticket._incident_do_contest(request.env.user, typed(reason))
            except UserError:
                problem = "?contested=no"
        return request.redirect(f"/my/ticket/{ticket.id}{problem}#contest")

    @http.route(
        "/my/ticket/<int:ticket_id>/withdraw",
        type="http",
        auth="user",
        # With GET, this address would be the page of the ticket, with an invalid token.
        methods=["GET", "POST"],
        website=True,
    )
    def portal_ticket_withdraw(self, ticket_id, **kw):
        """Close a waiting ticket; only its own customer may (R11.6). A user who had to
        log in first arrives with GET, and finds the button in the ticket. The page
        says what happened: it may have been released meanwhile."""
        ticket = self._own_ticket(ticket_id)
        if not ticket:
            return request.redirect("/my/tickets")
        happened = ""
        if request.httprequest.method == "POST":
            ticket._incident_withdraw()
            # Sent twice, it was withdrawn by the first one. What is closed and has
            # taken incidents was released before.
            done = ticket.closed and not ticket.incident_count
            happened = "?withdrawn=yes" if done else "?withdrawn=late"
        return request.redirect(f"/my/ticket/{ticket.id}{happened}")

    def _own_ticket(self, ticket_id):
        """Return a ticket with superuser rights, empty if it is not one of the user's
        customer (R11.6)."""
        tickets = request.env["helpdesk.ticket"].sudo().browse(ticket_id).exists()
        return tickets.filtered(lambda t: t._incident_is_own(request.env.user))
