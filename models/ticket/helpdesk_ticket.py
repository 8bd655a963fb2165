from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...fields import WholeNumber
from ..groups import INCIDENT_READERS

#: In the context: deduct nothing at submission. An object cannot come in over RPC.
NOTHING = object()


class HelpdeskTicket(models.Model):
    """The first document that takes incidents. Its own are the team that says how many,
    and what becomes of it where there are too few."""

    _name = "helpdesk.ticket"
    _inherit = [
        "helpdesk.ticket",
        "helpdesk.incident.consumer",
        "helpdesk.incident.described",
    ]

    _incident_holder_fields = ("commercial_partner_id", "company_id")
    _incident_word = "ticket"
    # Who has opened a ticket, and when, has a meaning for people.
    _log_fields = frozenset()
    _internal_fields = frozenset(
        {
            *("access_token", "color", "sequence"),
            *("incident_form", "incident_link_on", "incident_parking"),
            "incident_unopened",
        }
    )

    # Followers of other customers can read a ticket: none of these is theirs to see
    # (R11.6). The portal pages show them to the ticket's own customer.
    incident_count = WholeNumber(
        help="Incidents deducted for this ticket, less those returned. Raise it to "
        "deduct more, lower it to return them.",
    )
    incident_entry_ids = fields.One2many(
        comodel_name="helpdesk.incident.entry",
        inverse_name="ticket_id",
        readonly=True,
        groups=INCIDENT_READERS,
    )
    incident_state = fields.Selection(
        selection=[
            ("none", "No incidents"),
            ("deducted", "Deducted"),
            ("short", "Short of incidents"),
            ("parked", "Waiting for incidents"),
            ("waived", "Waived"),
        ],
        compute="_compute_incident_state",
        search="_search_incident_state",
        groups=INCIDENT_READERS,
    )
    incident_available = fields.Integer(
        string="Available incidents",
        compute="_compute_incident_available",
        groups=INCIDENT_READERS,
        help="What this customer's tickets can use today.",
    )
    incident_source = fields.Char(
        string="Used in this order",
        compute="_compute_incident_source",
        groups=INCIDENT_READERS,
        help="The incidents in the order in which they are used.",
    )
    incident_required = fields.Integer(
        string="Incidents by its fields",
        compute="_compute_incident_required",
        groups=INCIDENT_READERS,
        help="What the ticket would take if it was submitted as it is by now.",
    )
    incident_due = fields.Integer(
        string="Incidents to deduct",
        compute="_compute_incident_due",
        groups=INCIDENT_READERS,
        help="What the team requires, as long as nothing was deducted.",
    )
    incident_more = fields.Integer(
        string="More incidents by now",
        compute="_compute_incident_due",
        groups=INCIDENT_READERS,
        help="How many more the ticket would take if it was submitted as it is by "
        "now. They are not deducted by themselves.",
    )

    # ------------------------------------------------------------------
    # Compute, inverse and search
    # ------------------------------------------------------------------

    @api.depends(
        *("incident_count", "incident_parking", "incident_short"),
        "incident_outcome_id",
    )
    def _compute_incident_state(self):
        for ticket in self:
            free = "waived" if ticket._incident_has_free_outcome() else "none"
            held = ticket.incident_count and "deducted"
            short = ticket.incident_short and "short"
            ticket.incident_state = ticket.incident_parking or short or held or free

    def _search_incident_state(self, operator, value):
        self._check_field_access(self._fields["incident_state"], "read")
        if operator != "in":
            return NotImplemented
        simple = Domain("incident_parking", "=", False) & Domain(
            "incident_short", "=", 0
        )
        free = Domain("incident_outcome_id.charged", "=", False) & Domain(
            "incident_outcome_id", "!=", False
        )
        nothing = simple & Domain("incident_count", "=", 0)
        domains = {
            "deducted": simple & Domain("incident_count", ">", 0),
            "none": nothing & ~free,
            "short": Domain("incident_short", ">", 0),
            "parked": Domain("incident_parking", "=", "parked"),
            "waived": Domain("incident_parking", "=", "waived") | (nothing & free),
        }
        return Domain.OR(domains.get(state, Domain.FALSE) for state in value)

    @api.depends("partner_id", "company_id")
    def _compute_incident_available(self):
        account_model = self.env["helpdesk.incident.account"]
        holders = {ticket: account_model._holder_of(ticket) for ticket in self}
        accounts = account_model._find(holders.values())
        for ticket, holder in holders.items():
            account = accounts.get(holder)
            ticket.incident_available = account.available if account else 0

    @api.depends("partner_id", "company_id")
    def _compute_incident_source(self):
        """R12.3: why that much, and which would be used first."""
        for ticket in self:
            account = ticket._incident_account().with_env(self.env)
            ticket.incident_source = account._legs_text(account.sudo()._breakdown())

    @api.depends(
        *("team_id", "priority", "category_id", "channel_id", "tag_ids"),
        *("incident_outcome_id", "incident_timed", "incident_is_duplicate"),
    )
    def _compute_incident_required(self):
        """R16.2"""
        for ticket in self:
            ticket.incident_required = ticket._incident_required()

    @api.depends(
        *("partner_id", "incident_count", "incident_parking", "closed"),
        *("incident_required", "incident_short"),
    )
    def _compute_incident_due(self):
        """R4.4, R16.4"""
        for ticket in self:
            state = ticket.incident_state
            open_ = state == "parked" or (state == "none" and ticket.partner_id)
            goes_on = state in ("deducted", "short") and not ticket.closed
            ticket.incident_due = ticket.incident_required if open_ else 0
            taken = ticket.incident_count + ticket.incident_short
            more = max(ticket.incident_required - taken, 0)
            ticket.incident_more = more if goes_on else 0

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override to deduct at submission, in the same transaction (R4.4)."""
        tickets = super().create(vals_list)
        # A default of the context or of the user is a number given with the ticket.
        default = "incident_count" in self.default_get(["incident_count"])
        if len(tickets) > 1:
            tickets.filtered(
                lambda ticket: ticket._incident_required()
            )._incident_lock_ahead()
        for ticket, vals in zip(tickets, vals_list, strict=True):
            ticket.sudo()._incident_deduct_at_submission(
                chosen=default or "incident_count" in vals, is_new=True
            )
        return tickets

    def write(self, vals):
        """Override for R4.7: moving."""
        moving = self.browse()
        if {"partner_id", "company_id"} & set(vals):
            counts = self.sudo()._incident_counts()
            moving = self.filtered(lambda ticket: counts.get(ticket.id))
            if moving and "incident_count" in vals and not vals["incident_count"]:
                # Return to the old customer first, then move.
                moving.write({"incident_count": 0})
                moving = self.browse()
        holders = {ticket: ticket.sudo()._incident_holder() for ticket in moving}
        res = super().write(vals)
        for ticket, holder in holders.items():
            if ticket.sudo()._incident_holder() != holder:
                raise UserError(
                    self.env._(
                        "%(count)s support incidents of %(customer)s are deducted for "
                        "ticket %(number)s. Return them before you move it: set its "
                        "support incidents to 0.",
                        count=counts[ticket.id],
                        customer=holder[0].display_name,
                        number=ticket.number,
                    )
                )
        return res

    def unlink(self):
        """Override to return the incidents of open tickets first; what closed ones have
        used stays used: who cleans up old tickets refills nobody (R4.7)."""
        self.check_access("unlink")
        self.sudo().filtered(lambda ticket: not ticket.closed)._incident_return_all()
        return super().unlink()

    def copy(self, default=None):
        """Override so that a copy takes no incidents by itself (R4.7)."""
        quiet = self.with_context(incident_at_submission=NOTHING)
        return super(HelpdeskTicket, quiet).copy(default).with_env(self.env)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_deduct(self):
        """Deduct what tickets take by now beyond what was deducted (R4.4, R16.4).

        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if fewer incidents are available.
        """
        self.check_access("write")
        due = self.filtered(lambda ticket: ticket.incident_due or ticket.incident_more)
        due._incident_lock_ahead()
        for ticket in due:
            missing = ticket.incident_due + ticket.incident_more
            if missing:
                ticket.incident_count += missing

    def action_view_incident_entries(self):
        """Show what was deducted for these tickets, and returned."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_entry_action"
        )
        return {**action, "domain": [("ticket_id", "in", self.ids)], "context": {}}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_required(self):
        """Override: what the rules of its team say (R4.4, R16.1), or its time, if that
        is more (R16.5); 0 while something says that it takes nothing (R16.6)."""
        self.ensure_one()
        ticket = self.sudo()
        if ticket._incident_free_because():
            return 0
        return max(ticket.team_id._incident_number(ticket), ticket.incident_timed)

    def _incident_label(self):
        """Override: its number and title (R3.8)."""
        self.ensure_one()
        return self.env._(
            "Ticket %(number)s: %(title)s", number=self.number, title=self.name
        )

    def _incident_entry_values(self):
        """Override: ``ticket_id``."""
        return {**super()._incident_entry_values(), "ticket_id": self.id}

    def _incident_deduct_at_submission(self, chosen=False, is_new=False):
        """Deduct what the team requires of a new ticket, if it requires any (R4.4).

        :param bool chosen: a number may have been given with the new ticket already:
            if it is not zero, it stays.
        :param bool is_new: it has just been created: apart from such a number, it has
            taken nothing yet.
        :raise UserError: if fewer incidents are available, and the team refuses then.
        """
        self.ensure_one()
        team, required = self.team_id, self._incident_required()
        if (
            not required
            or self.env.context.get("incident_at_submission") is NOTHING
            or (self.duplicate_id and self.company_id.incident_return_on_duplicate)
            or (chosen and self._incident_counts())
        ):
            return
        by_customer = self.env.user.share
        by_staff = team.incident_on_staff_tickets and self.partner_id
        if (by_customer or by_staff) and not self._incident_park_if_short():
            # It holds nothing yet: this is `_incident_set`, without looking.
            self._incident_deduct(required, is_new)

    def _incident_is_own(self, user):
        """Return whether ``user`` belongs to the customer of this ticket (R11.6)."""
        customer, _company = self.sudo()._incident_holder()
        return bool(customer) and user.commercial_partner_id == customer
