"""What a ticket of a team takes (R16.1)."""

from datetime import UTC, timedelta

from odoo import fields, models
from odoo.tools import ormcache


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    incident_rule_ids = fields.One2many(
        comodel_name="helpdesk.ticket.team.rule",
        inverse_name="team_id",
        string="Rules",
        copy=True,
        help="What some tickets take instead. A rule applies if all that it names "
        "holds; of those that apply the highest number counts.",
    )
    incident_calendar_id = fields.Many2one(
        comodel_name="resource.calendar",
        string="Working hours of the team",
        check_company=True,
        help="For the rules on tickets that are submitted outside these hours, in "
        "their own time zone. Without any, no ticket is outside.",
    )

    def _incident_number(self, ticket):
        """Return how many incidents a ticket of this team takes: the highest number of
        the rules that apply, never their sum (R16.1); 0 if it requires none.

        :param ticket: a ``helpdesk.ticket``, also one that is being typed in.
        :rtype: int
        """
        if not self.incident_required:
            return 0
        numbers = (
            rule.number
            for rule in self._incident_rules()
            if self._incident_applies(rule, ticket)
        )
        return max(numbers, default=self.incident_cost)

    def _incident_may_take_nothing(self):
        """Return whether some tickets of this team take nothing (R16.1)."""
        return any(rule.number == 0 for rule in self._incident_rules())

    def _incident_blocks(self, minutes):
        """Return how many incidents the time spent in a ticket of this team makes: one
        for each started block (R16.5), 0 where it does not count time.

        :param int minutes: the time spent.
        :rtype: int
        """
        if not self.incident_required or self.incident_unit != "time":
            return 0
        return -(-minutes // self.incident_block_minutes)

    def _incident_applies(self, rule, ticket):
        named = self.env["helpdesk.ticket.team.rule"]._named
        return all(
            not values.isdisjoint(named(ticket[name]))
            for name, values in rule.conditions
        ) and not (
            rule.outside_hours
            and self._incident_is_open_at(ticket.create_date or fields.Datetime.now())
        )

    # Each ticket that is submitted asks, and hardly ever does anybody change them.
    @ormcache("self.id")
    def _incident_rules(self):
        """Return the rules of this team, the highest number first.

        :rtype: tuple[Rule]
        """
        return tuple(rule._compiled() for rule in self.sudo().incident_rule_ids)

    def _incident_rules_words(self):
        """Return what the rules of this team say, for customers: “Billing · Very High:
        2”.

        :rtype: list[str]
        """
        return self.env["helpdesk.ticket.team.rule"]._words(self._incident_rules())

    def _incident_rules_changed(self):
        """Forget the rules of before, and look again at what waits for what these teams
        take (R11.3, R16.4). What has been taken stays as it is."""
        self.env.registry.clear_cache()
        self.env["helpdesk.ticket"]._incident_trigger_parked()

    def _incident_is_open_at(self, moment):
        """Return whether a moment is within the working hours of this team.

        :param datetime moment: in UTC, as fields have it.
        """
        calendar = self.sudo().incident_calendar_id
        if not calendar:
            return True
        begin = moment.replace(tzinfo=UTC)
        hours = calendar._work_intervals_batch(begin, begin + timedelta(seconds=1))
        return bool(hours[False])
