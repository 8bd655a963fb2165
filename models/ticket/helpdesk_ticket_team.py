from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...fields import WholeNumber
from ..groups import INCIDENT_READERS

#: What happens to a ticket of a customer who has too few incidents (R11.2, R11.3).
SHORTAGE_POLICIES = [
    ("refuse", "Refuse the ticket"),
    ("park", "Keep the ticket waiting"),
]


class HelpdeskTicketTeam(models.Model):
    _name = "helpdesk.ticket.team"
    # The analytic distribution of what is charged in the team's tickets (R10).
    _inherit = ["helpdesk.ticket.team", "analytic.mixin"]

    incident_required = fields.Boolean(
        string="Require support incidents",
        help="Each ticket that a customer submits to this team takes incidents from "
        "the customer's account.",
    )
    incident_cost = WholeNumber(
        string="Incidents per ticket",
        default=1,
        required=True,
        help="How many incidents a ticket of this team takes, unless a rule says "
        "otherwise.",
    )
    incident_unit = fields.Selection(
        selection=[("ticket", "Each ticket"), ("time", "Each ticket, and its time")],
        string="Incidents are taken for",
        default="ticket",
        required=True,
        help="Where time counts, staff enter the time that they have spent in the "
        "ticket, and it takes an incident for each started block, if that is more than "
        "what it took when it was submitted.",
    )
    incident_block_minutes = WholeNumber(
        string="Minutes per incident",
        default=60,
        required=True,
        help="How long a block of time is that takes one incident.",
    )
    incident_on_staff_tickets = fields.Boolean(
        string="Deduct on tickets opened by staff",
        help="Also take incidents for tickets that staff open for a customer, for "
        "example on the phone. Otherwise staff deduct in the ticket.",
    )

    incident_shortage_policy = fields.Selection(
        selection=SHORTAGE_POLICIES,
        string="When incidents run out",
        default="refuse",
        required=True,
        help="What happens to a ticket of a customer who has too few incidents. "
        "Refused: the portal says why and creates nothing; an e-mail is answered and "
        "its ticket closed. Waiting: the ticket is kept, the customer gets a link to "
        "buy, and it is released when incidents arrive.",
    )

    incident_outcome_required = fields.Boolean(
        string="Ask for the outcome",
        help="Staff say what became of a ticket that has taken incidents before they "
        "close it.",
    )
    incident_return_unanswered = fields.Boolean(
        string="Return incidents of unanswered tickets",
        help="What a ticket took is returned if it is closed before staff have written "
        "to the customer or entered time: withdrawn by the customer, say. Whoever goes "
        "on with it makes it take them again.",
    )
    incident_reopen_days = WholeNumber(
        string="Replies open a new ticket after",
        help="A reply by e-mail that comes more than so many days after a ticket was "
        "closed opens a new ticket, which refers to the old one and takes what any "
        "other takes. 0: replies always belong to the old ticket.",
    )

    incident_waiting_count = fields.Integer(
        string="Waiting tickets",
        compute="_compute_todo_tickets",
        groups=INCIDENT_READERS,
        help="Open tickets that wait for support incidents: nothing is to do for them.",
    )

    _incident_cost_check = models.Constraint(
        "CHECK (incident_cost >= 1)",
        "Incidents per ticket must be 1 or more.",
    )
    _incident_block_check = models.Constraint(
        "CHECK (incident_block_minutes BETWEEN 1 AND 1440)",
        "A block of time that takes an incident has 1 to 1,440 minutes.",
    )
    _incident_reopen_days_check = models.Constraint(
        "CHECK (incident_reopen_days >= 0)",
        "Replies open a new ticket after 0 days or more.",
    )

    @api.depends("ticket_ids.incident_parking")
    def _compute_todo_tickets(self):
        """Override: what waits for incidents is counted by itself, and is nothing to
        do (R11.3)."""
        res = super()._compute_todo_tickets()
        tickets = self.env["helpdesk.ticket"]
        rows = []
        if tickets._incident_may_read():
            rows = tickets._read_group(
                Domain("team_id", "in", self.ids)
                & Domain("closed", "=", False)
                & Domain("incident_parking", "=", "parked"),
                ["team_id", "user_id", "unattended", "priority"],
                ["__count"],
            )
        for team in self:
            waiting = [row[1:] for row in rows if row[0] == team._origin]
            number = sum(row[-1] for row in waiting)
            team.incident_waiting_count = number
            team.todo_ticket_count -= number
            for user, unattended, priority, count in waiting:
                team.todo_ticket_count_unassigned -= 0 if user else count
                team.todo_ticket_count_unattended -= count if unattended else 0
                team.todo_ticket_count_high_priority -= count if priority == "3" else 0
        return res

    def _retrieve_dashboard(self):
        """Override: the tickets that wait for incidents (R11.3)."""
        sections = super()._retrieve_dashboard()
        tickets = self.env["helpdesk.ticket"]
        if not tickets._incident_may_read():
            return sections
        waiting = tickets.search_count([("incident_parking", "=", "parked")])
        section = {
            "name": self.env._("Waiting for incidents"),
            "value": waiting,
            "sequence": 3,
            "icon": "fa-hourglass-half",
            "show": waiting > 0,
            "action": "helpdesk_paid_support.helpdesk_ticket_action_waiting",
        }
        return [*sections, section]

    @api.constrains("incident_required", "company_id")
    def _check_incident_company(self):
        """R2.3: incidents belong to an account in one company."""
        for team in self:
            if team.incident_required and not team.company_id:
                raise ValidationError(
                    self.env._(
                        "Team %(team)s requires support incidents, so it needs a "
                        "company: incidents belong to a customer in one company.",
                        team=team.name,
                    )
                )

    @api.onchange("incident_required", "show_in_portal", "company_id")
    def _onchange_incident_required(self):
        if self._incident_companies_to_open():
            return {
                "warning": {
                    "title": self.env._("Customers will choose the team"),
                    "message": self.env._(
                        "Paid support needs customers to choose the team on the new "
                        "ticket form of the portal. In %(company)s they cannot, or "
                        "need not; saving this team turns both settings on.",
                        company=self.company_id.name,
                    ),
                }
            }

    @api.model_create_multi
    def create(self, vals_list):
        teams = super().create(vals_list)
        teams._incident_open_portal_choice()
        return teams

    def write(self, vals):
        res = super().write(vals)
        if {"incident_required", "show_in_portal", "company_id", "active"} & set(vals):
            self._incident_open_portal_choice()
        if {"incident_required", "incident_cost", "incident_shortage_policy"} & set(
            vals
        ):
            # What waits for what these teams take is looked at again (R11.3).
            self.env["helpdesk.ticket"]._incident_trigger_parked()
        return res

    def _incident_companies_to_open(self):
        """Return the companies in which customers cannot choose these paid teams."""
        return self.filtered(
            lambda team: team.incident_required and team.active and team.show_in_portal
        ).company_id.filtered(
            lambda company: (
                not (
                    company.helpdesk_mgmt_portal_select_team
                    and company.helpdesk_mgmt_portal_team_id_required
                )
            )
        )

    def _incident_open_portal_choice(self):
        """Let customers choose the team, as paid support needs (R11.1)."""
        self._incident_companies_to_open().sudo().write(
            {
                "helpdesk_mgmt_portal_select_team": True,
                "helpdesk_mgmt_portal_team_id_required": True,
            }
        )
