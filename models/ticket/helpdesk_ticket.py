from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...fields import WholeNumber
from ..groups import INCIDENT_READERS

#: In the context: deduct nothing at submission. An object cannot come in over RPC.
NOTHING = object()


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    # Followers of other customers can read a ticket: none of these is theirs to see
    # (R11.6). The portal pages show them to the ticket's own customer.
    incident_count = WholeNumber(
        string="Support incidents",
        compute="_compute_incident_count",
        inverse="_inverse_incident_count",
        search="_search_incident_count",
        copy=False,
        groups=INCIDENT_READERS,
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
    incident_due = fields.Integer(
        string="Incidents to deduct",
        compute="_compute_incident_due",
        groups=INCIDENT_READERS,
        help="What the team requires, as long as nothing was deducted.",
    )

    # ------------------------------------------------------------------
    # Compute, inverse and search
    # ------------------------------------------------------------------

    def _incident_counts(self):
        """Return the net number of incidents of each of these tickets, by id.

        :rtype: dict[int, int]
        """
        return {
            ticket.id: -quantity
            for ticket, quantity in self.env["helpdesk.incident.entry"]
            .sudo()
            ._read_group(
                [
                    ("ticket_id", "in", self.ids),
                    ("kind", "in", ("deduction", "return")),
                ],
                ["ticket_id"],
                ["quantity:sum"],
            )
        }

    def _compute_incident_count(self):
        counts = self._incident_counts()
        for ticket in self:
            ticket.incident_count = counts.get(ticket._origin.id, 0)

    def _inverse_incident_count(self):
        """R4.5"""
        self._incident_lock_ahead()
        targets = {ticket: ticket.incident_count for ticket in self}
        for ticket, target in targets.items():
            ticket._incident_set(target)

    def _search_incident_count(self, operator, value):
        # A search tells as much as the field: only to those who may read it (R11.6).
        self._check_field_access(self._fields["incident_count"], "read")
        if operator not in ("in", "not in", "<", ">", "<=", ">="):
            return NotImplemented

        def to_sql(model, alias, query):
            net = SQL(
                """COALESCE((SELECT -SUM(quantity) FROM helpdesk_incident_entry
                    WHERE ticket_id = %s AND kind IN ('deduction', 'return')), 0)""",
                SQL.identifier(alias, "id"),
            )
            number = tuple(map(int, value)) if "in" in operator else int(value)
            return SQL("%s %s %s", net, SQL(operator.upper()), number)

        return Domain.custom(to_sql=to_sql)

    @api.depends("incident_count", "incident_parking")
    def _compute_incident_state(self):
        for ticket in self:
            held = "deducted" if ticket.incident_count else "none"
            ticket.incident_state = ticket.incident_parking or held

    def _search_incident_state(self, operator, value):
        self._check_field_access(self._fields["incident_state"], "read")
        if operator != "in":
            return NotImplemented
        domains = {
            "deducted": Domain("incident_count", ">", 0),
            "none": Domain("incident_count", "=", 0)
            & Domain("incident_parking", "=", False),
            "parked": Domain("incident_parking", "=", "parked"),
            "waived": Domain("incident_parking", "=", "waived"),
        }
        return Domain.OR(domains.get(state, Domain.FALSE) for state in value)

    @api.depends("partner_id", "company_id")
    def _compute_incident_available(self):
        holders = {}
        for ticket in self:
            partner, company = ticket.sudo()._incident_holder()
            holders[ticket] = (partner._origin.id, company._origin.id)
        accounts = self.env["helpdesk.incident.account"]._find(holders.values())
        for ticket, holder in holders.items():
            account = accounts.get(holder)
            ticket.incident_available = account.available if account else 0

    @api.depends("partner_id", "company_id")
    def _compute_incident_source(self):
        """R12.3: why that much, and which would be used first."""
        for ticket in self:
            account = ticket._incident_account().with_env(self.env)
            ticket.incident_source = account._legs_text(account.sudo()._breakdown())

    @api.depends("team_id", "partner_id", "incident_count", "incident_parking")
    def _compute_incident_due(self):
        for ticket in self:
            open_ = ticket.incident_state == "parked" or (
                ticket.incident_state == "none" and ticket.partner_id
            )
            ticket.incident_due = ticket._incident_required() if open_ else 0

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
                chosen=default or "incident_count" in vals
            )
        return tickets

    def write(self, vals):
        """Override for R4.7: moving, and marking as a duplicate."""
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
        if vals.get("duplicate_id"):
            self.sudo().filtered(
                "company_id.incident_return_on_duplicate"
            )._incident_return_all()
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
        """Deduct what the team requires, for tickets for which nothing was (R4.4).

        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if fewer incidents are available.
        """
        self.check_access("write")
        due = self.filtered("incident_due")
        due._incident_lock_ahead()
        for ticket in due:
            if ticket.incident_due:
                ticket.incident_count = ticket.incident_due

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
        """Return how many incidents this ticket takes (R4.4), 0 for none. Whatever
        wants to know asks here, also of a ticket that is being typed in (R16.2).

        :rtype: int
        """
        self.ensure_one()
        team = self.sudo().team_id
        return team.incident_cost if team.incident_required else 0

    def _incident_holder(self):
        """Return whose incidents this ticket uses: the customer and the company."""
        self.ensure_one()
        return self.partner_id.commercial_partner_id, self.company_id

    def _incident_label(self):
        """Return what the customer's statement calls this ticket (R3.8), in the
        language of the context."""
        self.ensure_one()
        return self.env._(
            "Ticket %(number)s: %(title)s", number=self.number, title=self.name
        )

    def _incident_entry_values(self):
        """Return what the entries of this ticket have in common."""
        self.ensure_one()
        return {"cause_key": f"ticket:{self.id}", "ticket_id": self.id}

    def _incident_lock_ahead(self):
        """Lock the accounts of these tickets, all in one order, before rows of the
        tickets are written: see ``_lock_ahead`` of the account."""
        account_model = self.env["helpdesk.incident.account"]
        account_model._lock_ahead(account_model._holders_of(self.sudo()))

    def _incident_account(self, create=False):
        """Return the account whose incidents this ticket uses (R2.1, R2.3)."""
        self.ensure_one()
        partner, company = self.sudo()._incident_holder()
        return self.env["helpdesk.incident.account"]._of(partner, company, create)

    def _incident_held(self):
        """Return how many incidents of which account this ticket holds.

        They are of its customer, but the contact can have moved to another customer or
        been deleted since.

        :return: the accounts, that of the last entry first.
        :rtype: dict[recordset, int]
        """
        self.ensure_one()
        rows = (
            self.env["helpdesk.incident.entry"]
            .sudo()
            ._read_group(
                [
                    ("ticket_id", "=", self.id),
                    ("kind", "in", ("deduction", "return")),
                ],
                ["account_id"],
                ["quantity:sum"],
                having=[("quantity:sum", "<", 0)],
                order="id:max desc",
            )
        )
        return {account: -quantity for account, quantity in rows}

    def _incident_deduct_at_submission(self, chosen=False):
        """Deduct what the team requires of a new ticket, if it requires any (R4.4).

        :param bool chosen: a number may have been given with the new ticket already:
            if it is not zero, it stays.
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
            self._incident_deduct(required)

    def _incident_set(self, target):
        """Deduct or return so that the ticket holds ``target`` incidents (R4.5).

        :param int target: incidents, zero or more.
        :raise UserError: if ``target`` is below zero, or there is no customer to take
            more from, or fewer are available.
        """
        self.ensure_one()
        if target < 0:
            raise UserError(
                self.env._(
                    "A ticket cannot hold fewer than 0 support incidents. To give "
                    "incidents to the customer, use “Adjust incidents”."
                )
            )
        held = self._incident_held()
        accounts = self.env["helpdesk.incident.account"].sudo().union(*held)
        if not target and not accounts:
            return
        own = self._incident_account(create=bool(target))
        (own | accounts)._lock()
        # What a concurrent request has done to them shows from here on.
        held = self._incident_held()
        difference = target - sum(held.values())
        if difference > 0:
            self._incident_deduct(difference)
        for account, number in held.items():
            returned = min(-difference, number)
            if returned > 0:
                difference += returned
                legs = account._return(self, returned)
                self._incident_log_return(account, returned, legs)

    def _incident_return_all(self):
        """Return all incidents of these tickets."""
        counts = self._incident_counts()
        tickets = self.filtered(lambda ticket: counts.get(ticket.id))
        tickets._incident_lock_ahead()
        for ticket in tickets:
            ticket._incident_set(0)

    def _incident_deduct(self, quantity):
        """Deduct incidents and say so in the history (R4.6).

        :param int quantity: incidents, above zero.
        :raise UserError: if there is no customer, or fewer are available.
        """
        account_model = self.env["helpdesk.incident.account"]
        if not self.sudo().partner_id:
            raise UserError(
                self.env._(
                    "Set the customer of the ticket first: support incidents are "
                    "deducted from the customer's account."
                )
            )
        deducted = account_model._deduct(self, quantity)
        self._incident_log(
            self.env._(
                "Support incidents deducted: %(quantity)s (%(allotments)s). "
                "The customer has %(left)s left.",
                quantity=quantity,
                allotments=account_model._legs_text(deducted.legs),
                left=deducted.left,
            )
        )

    def _incident_is_own(self, user):
        """Return whether ``user`` belongs to the customer of this ticket (R11.6)."""
        self.ensure_one()
        customer = self.sudo().partner_id.commercial_partner_id
        return bool(customer) and user.commercial_partner_id == customer
