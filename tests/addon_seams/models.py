"""Each seam once (docs/development.md, “Seams”), and nothing of the ledger."""

from odoo import api, fields, models


class HelpdeskIncidentEntry(models.Model):
    """Kinds of its own: what is given as goodwill, and what is forfeited."""

    _inherit = "helpdesk.incident.entry"

    # Entries are for good: they keep the kind that they have.
    kind = fields.Selection(
        selection_add=[("goodwill", "Goodwill"), ("forfeit", "Forfeited")],
        ondelete={"goodwill": lambda entries: None, "forfeit": lambda entries: None},
    )

    @api.model
    def _kind_effects(self):
        return {**super()._kind_effects(), "forfeit": "lapses"}


class HelpdeskIncidentAllotment(models.Model):
    """Another order of use: lifetime incidents first."""

    _inherit = "helpdesk.incident.allotment"
    _order = "kind, date_to, date_from, id"


class HelpdeskTicket(models.Model):
    """Another number: an urgent ticket takes three times as many."""

    _inherit = "helpdesk.ticket"

    def _incident_required(self):
        required = super()._incident_required()
        return 3 * required if self.priority == "3" else required


class HelpdeskTicketTime(models.Model):
    """Time that is kept elsewhere, and another reason to take nothing."""

    _inherit = "helpdesk.ticket"

    seams_hours = fields.Integer()
    seams_free = fields.Boolean()

    def write(self, vals):
        res = super().write(vals)
        if "seams_hours" in vals:
            self._incident_time_changed()
        return res

    def _incident_minutes_spent(self):
        return super()._incident_minutes_spent() + 60 * self.seams_hours

    @api.model
    def _incident_followed_fields(self):
        return super()._incident_followed_fields() | {"seams_free"}

    def _incident_free_because(self):
        return super()._incident_free_because() or ("Free" if self.seams_free else "")


class SeamsVisit(models.Model):
    """Another document that takes incidents: as many as it has hours."""

    _name = "seams.visit"
    _inherit = "helpdesk.incident.consumer"
    _description = "Visit"

    name = fields.Char()
    partner_id = fields.Many2one("res.partner")
    company_id = fields.Many2one(
        "res.company", default=lambda self: self.env.company, required=True
    )
    hours = fields.Integer()

    def _incident_required(self):
        return self.hours

    @api.model_create_multi
    def create(self, vals_list):
        visits = super().create(vals_list)
        for visit in visits:
            visit._incident_set(visit._incident_required())
        return visits


class HelpdeskIncidentEvent(models.Model):
    """A handler: the contact's history says what has happened."""

    _inherit = "helpdesk.incident.event"

    @api.model_create_multi
    def create(self, vals_list):
        events = super().create(vals_list)
        for event in events:
            event.account_id.partner_id._message_log(
                body=f"{event.kind} {event.quantity:+}: "
                f"{event.balance_before} to {event.balance_after}"
            )
        return events
