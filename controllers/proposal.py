from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from .parked import PaidSupportParked
from .parse import typed


class PaidSupportProposal(PaidSupportParked):
    """What customers answer when they are asked first (R18.5)."""

    @http.route(
        "/my/ticket/<int:ticket_id>/proposal/<int:proposal_id>",
        type="http",
        auth="user",
        # With GET, this address would be the page of the ticket, with an invalid token.
        methods=["GET", "POST"],
        website=True,
    )
    def portal_ticket_proposal(
        self, ticket_id, proposal_id, approved="", later="", word="", **kw
    ):
        """Approve what is asked in a ticket, or decline; only users of its own customer
        can (R11.6). The page of the ticket says what happened.

        :param str approved: what is approved; without, it is declined.
        :param str later: what is paid later, if that was ticked.
        :param str word: of who declines.
        """
        user = request.env.user
        ticket = self._own_ticket(ticket_id)
        if not ticket:
            return request.redirect("/my/tickets")
        proposal = ticket._incident_proposals_of(user).filtered(
            lambda asked: asked.id == proposal_id
        )
        problem = ""
        if request.httprequest.method == "POST" and proposal:
            try:
                if approved:
                    proposal._approve(user, typed(approved), typed(later))
                else:
                    proposal._decline(user, typed(word))
            except UserError:
                problem = "?answered=no"
        return request.redirect(f"/my/ticket/{ticket.id}{problem}#proposals")
