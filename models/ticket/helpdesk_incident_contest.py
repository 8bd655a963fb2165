"""Customers contest what a ticket took (R17.4)."""

from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.fields import Domain
from odoo.tools import plaintext2html

from ..groups import MANAGERS
from .ticket_outcome import TOLD

#: How many characters a reason, or an answer, has at most.
MAX_LENGTH = 2000


class HelpdeskIncidentContest(models.Model):
    """A customer contests a deduction of a ticket: the last one, and with it all that
    the ticket holds. Nothing moves before staff have decided. To accept is to give the
    ticket an outcome that is not charged."""

    _name = "helpdesk.incident.contest"
    _inherit = "helpdesk.incident.described"
    _description = "Contested Deduction"
    _order = "id desc"
    _rec_name = "ticket_id"
    _log_fields = frozenset()

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    entry_id = fields.Many2one(
        comodel_name="helpdesk.incident.entry",
        string="Deduction",
        required=True,
        readonly=True,
        ondelete="cascade",
        help="The last deduction of the ticket when it was contested: it can be "
        "contested once.",
    )
    account_id = fields.Many2one(related="entry_id.account_id", string="Account")
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Contested by",
        readonly=True,
        ondelete="restrict",
    )
    customer_id = fields.Many2one(
        related="ticket_id.commercial_partner_id", string="Customer"
    )
    company_id = fields.Many2one(related="ticket_id.company_id", store=True)
    team_id = fields.Many2one(related="ticket_id.team_id", store=True)
    user_id = fields.Many2one(related="ticket_id.user_id", string="Assigned user")
    quantity = fields.Integer(
        string="Incidents",
        readonly=True,
        help="How many incidents the ticket held when it was contested.",
    )
    reason = fields.Text(
        required=True, readonly=True, help="Why, in the customer's words."
    )
    state = fields.Selection(
        selection=[
            ("open", "Open"),
            ("accepted", "Accepted"),
            ("declined", "Declined"),
        ],
        required=True,
        readonly=True,
        default="open",
    )
    outcome_id = fields.Many2one(
        comodel_name="helpdesk.ticket.outcome", readonly=True, ondelete="restrict"
    )
    answer = fields.Text(readonly=True, help="What the customer was told.")
    decided_by_id = fields.Many2one(
        comodel_name="res.users", string="Decided by", readonly=True
    )
    date_decided = fields.Datetime(string="Decided on", readonly=True)

    _entry_uniq = models.UniqueIndex("(entry_id)", "This was contested already.")
    _open_idx = models.Index("(company_id) WHERE state = 'open'")

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_decide(self):
        """Open the dialog to accept or decline.

        :raise AccessError: if the user may not write the ticket.
        """
        self.ensure_one()
        self.ticket_id.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_contest_decide_action"
        )
        return {**action, "context": {"default_contest_id": self.id}}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _accept(self, outcome, answer=""):
        """Give the ticket an outcome that is not charged, and tell the customer.

        :param outcome: a ``helpdesk.ticket.outcome``.
        :param str answer: for the customer, if anything is to be said.
        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if it was decided already, or the outcome is charged.
        """
        self.ticket_id.check_access("write")
        if not outcome or outcome.charged:
            raise UserError(
                self.env._(
                    "Choose an outcome that is not charged: it returns what the ticket "
                    "took."
                )
            )
        self._decide("accepted", answer, outcome)
        # The mail about the decision says what was returned.
        ticket = self.ticket_id.with_context(incident_told=TOLD)
        ticket.incident_outcome_id = outcome

    def _decline(self, answer):
        """Leave it as it is, and tell the customer why.

        :param str answer: for the customer.
        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if it was decided already, or no reason is given.
        """
        if not (answer or "").strip():
            raise UserError(self.env._("Say why: the customer is told."))
        self._decide("declined", answer)

    def _decide(self, state, answer, outcome=None):
        """Decide what the customer contests of this ticket, all of it, and tell him."""
        self.ensure_one()
        ticket = self.ticket_id
        ticket.check_access("write")
        ticket._incident_lock_ahead()
        # Of two at once, one is tried again, and sees that.
        contest = self.sudo()
        if contest.state != "open":
            raise UserError(
                self.env._(
                    "This was decided already: %(state)s.",
                    state=dict(self._fields["state"]._description_selection(self.env))[
                        contest.state
                    ],
                )
            )
        ticket.sudo()._incident_open_contests()._note(state, answer, outcome)
        self.env["helpdesk.incident.reminder"].sudo()._queue(
            state,
            str(self.id),
            contest.account_id,
            ticket=ticket,
            day=ticket.company_id._incident_today(),
            quantity=ticket._incident_holds(),
        )

    def _note(self, state, answer, outcome=None):
        """Note how these contests of one ticket were decided, and say so in its
        history."""
        self.write(
            {
                "state": state,
                "answer": (answer or "").strip()[:MAX_LENGTH],
                "outcome_id": outcome.id if outcome else False,
                "decided_by_id": self.env.uid,
                "date_decided": fields.Datetime.now(),
            }
        )
        ticket = self.ticket_id
        ticket.activity_unlink(["helpdesk_paid_support.mail_activity_contest"])
        ticket._message_log(
            body=self.env._("Contest accepted: %(answer)s", answer=outcome.name)
            if outcome
            else self.env._("Contest declined: %(answer)s", answer=self[:1].answer)
        )


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    incident_contest_ids = fields.One2many(
        comodel_name="helpdesk.incident.contest",
        inverse_name="ticket_id",
        string="Contests",
        copy=False,
        groups="helpdesk_paid_support.group_incident_reader",
    )
    incident_contest = fields.Char(
        string="Contested",
        compute="_compute_incident_contest",
        groups="helpdesk_paid_support.group_incident_reader",
        help="What the customer contests, until it is decided.",
    )

    @api.depends("incident_contest_ids.state")
    @api.depends_context("lang")
    def _compute_incident_contest(self):
        for ticket in self:
            contest = ticket._incident_open_contests()[:1]
            ticket.incident_contest = (
                self.env._(
                    "%(name)s contests support incidents (%(number)s): “%(reason)s”",
                    name=contest.partner_id.name,
                    number=contest.quantity,
                    reason=contest.reason,
                )
                if contest
                else False
            )

    def action_incident_decide(self):
        """Open the dialog to accept or decline what the customer contests.

        :raise AccessError: if the user may not write the ticket.
        """
        self.ensure_one()
        self.check_access("write")
        contest = self._incident_open_contests()[:1]
        if not contest:
            # Somebody has decided meanwhile: the form shows it.
            return {"type": "ir.actions.client", "tag": "soft_reload"}
        return contest.action_decide()

    def _incident_open_contests(self):
        """Return what the customer contests, and nobody has decided, the last first:
        something may have been deducted since the first."""
        return self.incident_contest_ids.filtered(lambda c: c.state == "open")

    def _incident_heed(self, changed, waiting):
        """Override: an outcome that is not charged accepts what was contested. The mail
        about what it returns tells the customer."""
        res = super()._incident_heed(changed, waiting)
        if "incident_outcome_id" in changed:
            for ticket in self.filtered("incident_is_free"):
                contests = ticket._incident_open_contests()
                if contests:
                    contests._note("accepted", "", ticket.incident_outcome_id)
        return res

    def _incident_contestable(self):
        """Return the deductions of these tickets that their customers can contest at
        present: of each the last one, for so many days, once.

        :return: the id of the entry by that of the ticket.
        :rtype: dict[int, int]
        """
        tickets = self.sudo().filtered("company_id.incident_contest_days")
        if not tickets:
            return {}
        keys = [self._incident_key(ticket.id) for ticket in tickets]
        held = tickets._incident_counts()
        contested = dict(
            tickets.env["helpdesk.incident.contest"]._read_group(
                Domain("ticket_id", "in", tickets.ids),
                ["ticket_id"],
                ["entry_id:max"],
            )
        )
        deducted = tickets.env["helpdesk.incident.entry"]._read_group(
            Domain("cause_key", "in", keys) & Domain("kind", "=", "deduction"),
            ["ticket_id"],
            ["id:max", "date:max"],
        )
        return {
            ticket.id: entry_id
            for ticket, entry_id, day in deducted
            if ticket in tickets
            and held.get(ticket.id, 0) > 0
            and day >= ticket._incident_contestable_since()
            and entry_id > contested.get(ticket, 0)
        }

    def _incident_contestable_since(self):
        company = self.company_id
        return company._incident_today() - timedelta(days=company.incident_contest_days)

    def _incident_do_contest(self, user, reason):
        """Contest the last deduction of this ticket (R17.4): the team is told, and
        nothing moves.

        :param user: of the customer (R11.6).
        :param str reason: why.
        :raise UserError: if there is nothing to contest, or no reason is given.
        :raise ConcurrencyError: if it is contested at the same moment.
        :return: the contest, with superuser rights.
        """
        self.ensure_one()
        ticket = self.sudo()
        ticket._incident_lock_ahead()
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why you contest it."))
        entry_id = ticket._incident_contestable().get(ticket.id)
        if not entry_id or not ticket._incident_is_own(user):
            raise UserError(
                self.env._(
                    "There is nothing to contest: it was contested already, or too "
                    "long ago, or this ticket holds no support incidents."
                )
            )
        try:
            contest = ticket.env["helpdesk.incident.contest"].create(
                {
                    "ticket_id": ticket.id,
                    "entry_id": entry_id,
                    "partner_id": user.partner_id.id,
                    "quantity": ticket._incident_holds(),
                    "reason": reason[:MAX_LENGTH],
                }
            )
            ticket.env.flush_all()
        except UniqueViolation as error:
            # It was contested at the same moment: tried again, the request sees that.
            raise ConcurrencyError(str(error)) from error
        ticket._message_log(
            body=self.env._("Contested: %(reason)s", reason=contest.reason)
        )
        ticket._incident_tell_staff(
            "helpdesk_paid_support.mail_activity_contest", contest.reason
        )
        return contest

    def _incident_tell_staff(self, activity_type, words, first=None):
        """Tell the team something, by an activity; a manager, if it has nobody.

        :param str activity_type: the external id of its type.
        :param str words: plain text.
        :param first: the ``res.users`` who is told, if he still works there.
        """
        user = self._incident_staff(self.company_id, first)[:1]
        if user:
            self.with_user(user).sudo().activity_schedule(
                activity_type, user_id=user.id, note=plaintext2html(words)
            )

    def _incident_staff(self, company, first=None):
        """Return who can be told of this ticket, the first one before the others: who
        is named, who handles it, the team, helpdesk managers; of no ticket, those.
        Nobody who does not work in the company (R2.3).

        :param first: ``res.users`` who come before the others.
        """
        users = self.env["res.users"].sudo()
        managers = users.search(
            Domain("all_group_ids", "in", self.env.ref(MANAGERS).ids)
            & Domain("company_ids", "child_of", company.sudo().root_id.ids)
            & Domain("share", "=", False),
            order="id",
        )
        named = users.union(first or users, self.user_id, self.team_id.user_ids)
        staff = named._incident_of(company) | managers
        return staff.filtered(lambda user: user.active and not user.share)
