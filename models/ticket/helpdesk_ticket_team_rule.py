"""What the tickets of a team take, by what they are about (R16)."""

from typing import NamedTuple

from odoo import api, fields, models

from ...fields import WholeNumber


class Rule(NamedTuple):
    """A rule as tickets are compared with it."""

    number: int
    #: whether it holds outside the working hours only
    outside_hours: bool
    #: the field of the ticket, and the values of which it has to have one
    conditions: tuple[tuple[str, frozenset], ...]


class HelpdeskTicketTeamRule(models.Model):
    """It applies to a ticket if all that it names holds (R16.1)."""

    _name = "helpdesk.ticket.team.rule"
    _description = "Rule of What a Ticket Takes"
    _order = "incident_cost desc, id"

    #: For each field that names something, the field of the ticket that has to have
    #: one of it. Other modules add their own.
    _conditions = {
        "priority": "priority",
        "category_ids": "category_id",
        "channel_ids": "channel_id",
        "tag_ids": "tag_ids",
    }

    team_id = fields.Many2one(
        comodel_name="helpdesk.ticket.team",
        required=True,
        index=True,
        ondelete="cascade",
    )
    priority = fields.Selection(
        selection=lambda self: (
            self.env["helpdesk.ticket"]
            ._fields["priority"]
            ._description_selection(self.env)
        ),
        help="Tickets of this priority; of any, if empty.",
    )
    # What a rule names cannot be deleted: the rule would apply to any ticket.
    category_ids = fields.Many2many(
        comodel_name="helpdesk.ticket.category",
        ondelete="restrict",
        string="Categories",
        help="Tickets of one of these categories; of any, if empty.",
    )
    channel_ids = fields.Many2many(
        comodel_name="helpdesk.ticket.channel",
        ondelete="restrict",
        string="Channels",
        help="Tickets that come in through one of these channels; through any, if "
        "empty.",
    )
    tag_ids = fields.Many2many(
        comodel_name="helpdesk.ticket.tag",
        ondelete="restrict",
        string="Tags",
        help="Tickets with one of these tags; with any or none, if empty.",
    )
    outside_hours = fields.Boolean(
        string="Outside working hours",
        help="Only tickets that are submitted outside the working hours of the team.",
    )
    incident_cost = WholeNumber(
        string="Incidents",
        default=1,
        required=True,
        help="How many incidents such a ticket takes, 0 for none. Of the rules that "
        "apply the highest number counts.",
    )

    _incident_cost_check = models.Constraint(
        "CHECK (incident_cost >= 0)",
        "A ticket takes 0 support incidents or more.",
    )

    @api.depends(
        *("priority", "category_ids", "channel_ids", "tag_ids"),
        *("outside_hours", "incident_cost"),
    )
    @api.depends_context("lang")
    def _compute_display_name(self):
        words = self._words([rule._compiled() for rule in self])
        for rule, said in zip(self, words, strict=True):
            rule.display_name = said

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules.team_id._incident_rules_changed()
        return rules

    def write(self, vals):
        teams = self.team_id
        res = super().write(vals)
        (teams | self.team_id)._incident_rules_changed()
        return res

    def unlink(self):
        teams = self.team_id
        res = super().unlink()
        teams._incident_rules_changed()
        return res

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _compiled(self):
        """Return this rule as tickets are compared with it.

        :rtype: Rule
        """
        self.ensure_one()
        named = {
            ticket_field: self._named(self[name])
            for name, ticket_field in self._conditions.items()
        }
        return Rule(
            self.incident_cost,
            self.outside_hours,
            tuple((name, values) for name, values in named.items() if values),
        )

    @api.model
    def _named(self, value):
        """Return what the value of a field names: ids, or the value of a selection.

        :rtype: frozenset
        """
        if isinstance(value, models.BaseModel):
            return frozenset(value.ids)
        return frozenset([value] if value else ())

    @api.model
    def _words(self, rules):
        """Return what rules say, one each: “Billing · Very High: 2”.

        :param list[Rule] rules: what they name is read at once, for all of them.
        :rtype: list[str]
        """
        ticket_fields = self.env["helpdesk.ticket"]._fields
        named = {}
        for rule in rules:
            for name, values in rule.conditions:
                named.setdefault(name, set()).update(values)
        called = {}
        for name, values in named.items():
            field = ticket_fields[name]
            if field.relational:
                records = self.env[field.comodel_name].sudo().browse(sorted(values))
                called[name] = {record.id: record.display_name for record in records}
            else:
                called[name] = dict(field._description_selection(self.env))
        return [self._word(rule, called) for rule in rules]

    def _word(self, rule, called):
        said = [
            ", ".join(called[name][value] for value in sorted(values))
            for name, values in rule.conditions
        ]
        if rule.outside_hours:
            said.append(self.env._("outside working hours"))
        return self.env._(
            "%(conditions)s: %(number)s",
            conditions=" · ".join(said or [self.env._("any ticket")]),
            number=rule.number,
        )
