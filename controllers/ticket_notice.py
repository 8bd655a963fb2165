from odoo import http
from odoo.http import request

from odoo.addons.helpdesk_mgmt.controllers.main import HelpdeskTicketController

from .parse import whole_number

#: How the fields begin with which customers buy what a ticket takes: they are for one
#: time.
BUY = "incident_buy_"
#: And those with which they agree to pay it later.
LATER = "incident_later_"


class PaidSupportNoticeController(HelpdeskTicketController):
    """What customers know before they choose a team (R11.1, R16.3)."""

    @http.route(
        "/new/ticket/incidents",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_ticket_incidents(self, **kw):
        """Tell what a ticket takes as the form is filled in at present: nothing is
        submitted.

        :param dict kw: the form; nothing in it can be trusted.
        """
        return request.render(
            "helpdesk_paid_support.portal_incident_notices",
            self._prepare_incident_notices(self._get_teams(), kw),
        )

    def _prepare_incident_notices(self, teams, kw):
        """Return what the form says about its paid teams.

        :param teams: that the customer may choose, if any.
        :param dict kw: what was typed.
        :rtype: dict
        """
        teams = teams or request.env["helpdesk.ticket.team"]
        account = request.env["helpdesk.incident.account"]._mine()
        costs = self._takes(teams, kw)
        paid = [team for team in teams if team.incident_required or costs[team]]
        packs = self._packs(account, {team: costs[team] for team in paid})
        notices = [
            {
                **self._prepare_incident_notice(
                    account, team, costs[team], packs[team]
                ),
                "later": self._later(account, team, kw),
            }
            for team in paid
        ]
        return {
            "incident_notices": notices,
            "can_buy": not all(notice["enough"] for notice in notices)
            and self._can_buy(),
        }

    def _prepare_incident_notice(self, account, team, cost, pack):
        """Return what a customer should know before choosing ``team``.

        :param int cost: what a ticket takes.
        :param pack: see :meth:`_packs`.
        :rtype: dict
        """
        available = account.available
        return {
            "team": team,
            "cost": cost,
            "rules": team._incident_rules_words(),
            "available": available,
            "enough": available >= cost,
            "parks": team.incident_shortage_policy != "refuse",
            "left": available - cost,
            "used": account._legs_text(account._preview(cost)) if cost else "",
            "pack": pack,
        }

    # ------------------------------------------------------------------
    # What it takes, and what would suffice
    # ------------------------------------------------------------------

    def _takes(self, teams, kw):
        """Return how many incidents a ticket of each team takes: the ticket itself says
        so (R16.2).

        :param teams: that the user may choose.
        :param dict kw: the form; nothing in it can be trusted.
        :rtype: dict[recordset, int]
        """
        values = self._ticket_values(kw)
        return {
            team: self._typed_ticket(team, values)._incident_required()
            for team in teams
        }

    def _typed_ticket(self, team, values):
        """Return the ticket, not saved, that a form would make.

        :param dict values: see :meth:`_ticket_values`.
        """
        return request.env["helpdesk.ticket"].new({**values, "team_id": team.id})

    def _later(self, account, team, kw):
        """Return what the customer can pay later with a ticket of a team (R18.1).

        :param dict kw: the form; nothing in it can be trusted.
        :rtype: Overage | None
        """
        if team.sudo().incident_shortage_policy != "charge":
            return None
        ticket = self._typed_ticket(team, self._ticket_values(kw))
        return ticket._incident_later(account.available)

    def _ticket_values(self, kw):
        """Return what a form would make a ticket of, so far as that can be said.

        :rtype: dict
        """
        category = self._browse("helpdesk.ticket.category", kw.get("category"))
        words = {name: text for name, text in kw.items() if isinstance(text, str)}
        form = {"category": category.id, "team": None}
        try:
            return self._prepare_submit_ticket_vals(
                **{"description": "", **words, **form}
            )
        except (TypeError, ValueError):
            # A value that the field of another module cannot have; submitting it says
            # so.
            return self._prepare_submit_ticket_vals(description="", **form)

    def _packs(self, account, costs):
        """Return the smallest purchases that suffice for a ticket of each team, where
        the customer can make them in the form.

        :param dict costs: what a ticket of each team takes.
        :rtype: dict[recordset, Pack | None]
        """
        company = request.env.company
        # What is below zero is filled up first (R3.5).
        there = account.available - max(0, -account.lifetime_balance)
        packs, sold = dict.fromkeys(costs), {}
        for team, cost in costs.items():
            missing = cost - there
            same = team.company_id._incident_is_one_with(company)
            if same and account.available < cost:
                if missing not in sold:
                    sold[missing] = request.env["sale.order"]._incident_pack(
                        request.env.user.partner_id, company, missing
                    )
                packs[team] = sold[missing]
        return packs

    def _can_buy(self):
        """Return whether the customer can buy incidents (R11.1)."""
        return request.env["sale.order"]._incident_can_buy(
            request.env.user.partner_id, request.env.company
        )

    def _browse(self, model_name, record_id):
        """Return the record that the user may read and names by ``record_id``."""
        return request.env[model_name].search([("id", "=", whole_number(record_id))])
