from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..fields import WholeNumber
from .res_partner import INCIDENT_READERS


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
        targets = {ticket: ticket.incident_count for ticket in self}
        for ticket, target in targets.items():
            ticket._incident_set(target)

    def _search_incident_count(self, operator, value):
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

    @api.depends("incident_count")
    def _compute_incident_state(self):
        for ticket in self:
            ticket.incident_state = "deducted" if ticket.incident_count else "none"

    def _search_incident_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        domains = {
            "deducted": Domain("incident_count", ">", 0),
            "none": Domain("incident_count", "=", 0),
        }
        return Domain.OR(domains.get(state, Domain.FALSE) for state in value)

    @api.depends("partner_id", "company_id")
    def _compute_incident_available(self):
        accounts = {
            (account.partner_id.id, account.company_id.id): account
            for account in self.env["helpdesk.incident.account"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", self.commercial_partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        }
        for ticket in self:
            partner, company = ticket.sudo()._incident_holder()
            account = accounts.get((partner._origin.id, company._origin.id))
            ticket.incident_available = account.available if account else 0

    @api.depends("partner_id", "company_id")
    def _compute_incident_source(self):
        """R12.3: why that much, and which would be used first."""
        for ticket in self:
            ticket.incident_source = ", ".join(
                f"{number} {allotment.display_name}"
                for allotment, number in ticket._incident_account()._breakdown()
            )

    @api.depends("team_id", "partner_id", "incident_count")
    def _compute_incident_due(self):
        for ticket in self:
            team = ticket.sudo().team_id
            ticket.incident_due = (
                team.incident_cost
                if team.incident_required
                and ticket.partner_id
                and ticket.incident_state == "none"
                else 0
            )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override to deduct at submission, in the same transaction (R4.4)."""
        tickets = super().create(vals_list)
        for ticket, vals in zip(tickets, vals_list, strict=True):
            if not vals.get("incident_count"):
                ticket.sudo()._incident_deduct_at_submission()
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
        """Override to return the incidents first (R4.7)."""
        self.check_access("unlink")
        self.sudo()._incident_return_all()
        return super().unlink()

    def copy(self, default=None):
        """Override so that a copy takes no incidents by itself (R4.7)."""
        quiet = self.with_context(incident_at_submission=False)
        return super(HelpdeskTicket, quiet).copy(default).with_env(self.env)

    @api.model
    def message_new(self, msg, custom_values=None):
        """Override: the mail gateway must not fail for want of incidents (R11.3)."""
        quiet = self.with_context(incident_at_submission=False)
        ticket = super(HelpdeskTicket, quiet).message_new(msg, custom_values)
        return ticket.with_env(self.env)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_deduct(self):
        """Deduct what the team requires, for tickets for which nothing was (R4.4).

        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if fewer incidents are available.
        """
        for ticket in self:
            if ticket.incident_due:
                ticket.incident_count = ticket.incident_due

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_holder(self):
        """Return whose incidents this ticket uses: the customer and the company."""
        self.ensure_one()
        return self.partner_id.commercial_partner_id, self.company_id

    def _incident_account(self, create=False):
        """Return the account whose incidents this ticket uses (R2.1, R2.3)."""
        self.ensure_one()
        partner, company = self.sudo()._incident_holder()
        return self.env["helpdesk.incident.account"]._of(partner, company, create)

    def _incident_account_held(self):
        """Return the account whose incidents this ticket holds, if it holds any.

        It is that of the ticket's customer, but a contact can be deleted since.
        """
        self.ensure_one()
        if not self._incident_counts().get(self.id):
            return self.env["helpdesk.incident.account"].sudo()
        entry_model = self.env["helpdesk.incident.entry"].sudo()
        return entry_model.search([("ticket_id", "=", self.id)], limit=1).account_id

    def _incident_deduct_at_submission(self):
        """Deduct what the team requires of a new ticket, if it requires any (R4.4).

        :raise UserError: if fewer incidents are available.
        """
        self.ensure_one()
        team = self.team_id
        if not team.incident_required or not self.env.context.get(
            "incident_at_submission", True
        ):
            return
        by_customer = self.env.user.share
        if by_customer or (team.incident_on_staff_tickets and self.partner_id):
            self._incident_set(team.incident_cost)

    def _incident_set(self, target):
        """Deduct or return so that the ticket holds ``target`` incidents (R4.5).

        :param int target: incidents, zero or more.
        :raise UserError: if ``target`` is below zero, there is no customer to take
            them from, or fewer are available.
        """
        self.ensure_one()
        if target < 0:
            raise UserError(
                self.env._(
                    "A ticket cannot hold fewer than 0 support incidents. To give "
                    "incidents to the customer, use “Adjust incidents”."
                )
            )
        if target and not self.partner_id:
            raise UserError(
                self.env._(
                    "Set the customer of the ticket first: support incidents are "
                    "deducted from the customer's account."
                )
            )
        account = self._incident_account_held() or self._incident_account(
            create=bool(target)
        )
        if not account:
            return
        account._lock()
        difference = target - self._incident_counts().get(self.id, 0)
        if difference > 0:
            legs = account._deduct(self, difference)
            self._incident_log_deduction(account, difference, legs)
        elif difference < 0:
            legs = account._return(self, -difference)
            self._incident_log_return(account, -difference, legs)

    def _incident_return_all(self):
        """Return all incidents of these tickets."""
        counts = self._incident_counts()
        for ticket in self:
            if counts.get(ticket.id):
                ticket._incident_set(0)

    def _incident_log_deduction(self, account, quantity, legs):
        """R4.6"""
        self.sudo()._message_log(
            body=self.env._(
                "Support incidents deducted: %(quantity)s (%(allotments)s). "
                "The customer has %(left)s left.",
                quantity=quantity,
                allotments=", ".join(
                    f"{taken} {allotment.display_name}" for allotment, taken in legs
                ),
                left=account.available,
            )
        )

    def _incident_log_return(self, account, quantity, legs):
        """R4.6, R5.3"""
        parts = []
        for allotment, returned, lapsed in legs:
            parts.append(f"{returned} {allotment.display_name}")
            if lapsed:
                parts.append(
                    self.env._("%(lapsed)s of them ended at once", lapsed=lapsed)
                )
        self.sudo()._message_log(
            body=self.env._(
                "Support incidents returned: %(quantity)s (%(allotments)s). "
                "The customer has %(left)s left.",
                quantity=quantity,
                allotments=", ".join(parts),
                left=account.available,
            )
        )

    def _incident_is_own(self, user):
        """Return whether ``user`` belongs to the customer of this ticket (R11.6)."""
        self.ensure_one()
        customer = self.sudo().partner_id.commercial_partner_id
        return bool(customer) and user.commercial_partner_id == customer
