"""How many incidents a ticket takes in the end, whoever has said so (R16.5, R16.6)."""

from odoo import api, fields, models

from ...fields import WholeNumber
from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED

#: No ticket takes a year.
MAX_MINUTES = 525_600


class HelpdeskTicket(models.Model):
    """A ticket has one *target*: :meth:`_incident_aim`. Whoever changes something that
    it follows from writes the difference by :meth:`_incident_follow`, as much as there
    is; by the rest the ticket is *short*, until incidents arrive.

    Most tickets take what they took at submission, and nothing of this is stored
    (``incident_basis`` is empty): their number is what they hold. It is noted before
    something else has its say.
    """

    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.protected"]

    incident_minutes = WholeNumber(
        string="Minutes spent",
        copy=False,
        groups=INCIDENT_READERS,
        help="Where the team counts time, each started block of it takes an incident.",
    )
    # Not related: nobody searches by it who may not read it (R11.6).
    incident_unit = fields.Char(
        string="Incidents are taken for",
        compute="_compute_incident_unit",
        groups=INCIDENT_READERS,
    )
    incident_basis = fields.Selection(
        selection=[
            ("submission", "Its number at submission, or its time"),
            ("hand", "Set by hand"),
        ],
        string="Number of incidents by",
        groups=INCIDENT_READERS,
        help="Empty while nothing but its submission has said what it takes.",
        **REMEMBERED,
    )
    incident_submitted = fields.Integer(
        string="Incidents at submission", groups=INCIDENT_READERS, **REMEMBERED
    )
    incident_timed = fields.Integer(
        string="Incidents by time",
        groups=INCIDENT_READERS,
        help="The started blocks, as the team counted when the time was entered.",
        **REMEMBERED,
    )
    incident_chosen = fields.Integer(
        string="Incidents set by hand", groups=INCIDENT_READERS, **REMEMBERED
    )
    incident_is_duplicate = fields.Boolean(
        string="Returned as a duplicate",
        groups=INCIDENT_READERS,
        help="It takes nothing while it is marked as a duplicate.",
        **REMEMBERED,
    )
    incident_target = fields.Integer(
        string="Incidents it takes",
        compute="_compute_incident_target",
        groups=INCIDENT_READERS,
        help="How many incidents the ticket is to hold.",
    )
    incident_short = fields.Integer(
        string="Short of incidents",
        groups=INCIDENT_READERS,
        help="How many the ticket takes beyond what the customer had. They are "
        "deducted when incidents arrive, before waiting tickets are released.",
        **REMEMBERED,
    )

    # Few are, and they are looked up by customer whenever incidents arrive.
    _incident_short_idx = models.Index(
        "(commercial_partner_id, company_id) WHERE incident_short > 0"
    )
    _incident_minutes_check = models.Constraint(
        f"CHECK (incident_minutes BETWEEN 0 AND {MAX_MINUTES})",
        "The time spent in a ticket is 0 minutes or more, and no longer than a year.",
    )

    @api.depends("team_id")
    def _compute_incident_unit(self):
        for ticket in self:
            ticket.incident_unit = ticket.sudo().team_id.incident_unit

    @api.depends(
        *("incident_count", "incident_parking", "incident_basis", "incident_chosen"),
        *("incident_submitted", "incident_timed", "incident_is_duplicate"),
    )
    def _compute_incident_target(self):
        for ticket in self:
            ticket.incident_target = ticket._incident_aim()

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: time that was entered with a new ticket, and what is known for a
        duplicate by then."""
        tickets = super().create(vals_list)
        default = self.env.context.get("default_incident_minutes")
        for ticket, vals in zip(tickets, vals_list, strict=True):
            if vals.get("duplicate_id"):
                ticket.sudo()._incident_mark_duplicate(waited=False)
            if default or vals.get("incident_minutes"):
                ticket._incident_time_changed()
        return tickets

    def write(self, vals):
        """Override: what the target follows from has changed (R16.6), or whose
        incidents a ticket takes that is short."""
        followed = self._incident_followed_fields() & set(vals)
        tickets = self.sudo()
        if followed:
            # Nobody waits for who may not write (R3.6).
            self.check_access("write")
            tickets._incident_lock_ahead()
            waiting = tickets.filtered(
                lambda ticket: ticket.incident_parking == "parked"
            )
            tickets._incident_note_number()
        res = super().write(vals)
        if followed:
            tickets._incident_heed(followed, waiting)
            tickets._incident_follow()
        elif {"partner_id", "company_id"} & set(vals):
            tickets.filtered("incident_short")._incident_follow()
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_count_time(self):
        """Let these tickets take their number at submission, or by their time, again
        instead of the number that was set by hand (R16.6).

        :raise AccessError: if the user may not write them.
        """
        tickets = self._incident_check_and_lock()
        by_hand = tickets.filtered(lambda ticket: ticket.incident_basis == "hand")
        for ticket in by_hand:
            if ticket.incident_parking == "waived":
                ticket._incident_end_parking()
        by_hand._incident_say(incident_basis="submission")

    def action_incident_waive_rest(self):
        """Let these tickets take no more than what they hold, where they are short.

        :raise AccessError: if the user may not write them.
        """
        for ticket in self._incident_check_and_lock():
            if ticket.incident_short:
                ticket._incident_waive_rest()

    def _incident_check_and_lock(self):
        """Begin to change what these tickets take, as a user wishes: lock their
        accounts.

        :return: the tickets with superuser rights.
        :raise AccessError: if the user may not write them.
        """
        self.check_access("write")
        self._incident_lock_ahead()
        tickets = self.sudo()
        accounts = self.env["helpdesk.incident.account"]
        accounts.union(*(ticket._incident_account() for ticket in tickets))._lock()
        return tickets

    # ------------------------------------------------------------------
    # The target
    # ------------------------------------------------------------------

    def _incident_free_because(self):
        """Return why this ticket takes nothing, whatever else is said: for staff.

        :return: a sentence, empty if there is no such reason.
        :rtype: str
        """
        self.ensure_one()
        if self.sudo().incident_is_duplicate:
            return self.env._("It is marked as a duplicate.")
        return ""

    def _incident_aim(self, timed=None):
        """Return how many incidents this ticket is to hold (R16.6): none yet, while it
        waits for them.

        :param int timed: how many its time makes, by default as was noted.
        :rtype: int
        """
        self.ensure_one()
        ticket = self.sudo()
        if ticket._incident_free_because() or ticket.incident_parking == "parked":
            return 0
        if ticket.incident_basis == "hand":
            return ticket.incident_chosen
        number = (
            ticket.incident_submitted
            if ticket.incident_basis
            else ticket._incident_holds()
        )
        return max(number, ticket.incident_timed if timed is None else timed)

    def _incident_holds(self):
        """Return how many incidents this ticket holds.

        :rtype: int
        """
        # Not from the field, which has another number while one is being written.
        return self._incident_counts().get(self._origin.id, 0)

    def _incident_say(self, **values):
        """Note something that the target of these tickets follows from, and write the
        difference."""
        self._incident_lock_ahead()
        self._incident_note_number()
        self._incident_remember(**values)
        self._incident_follow()

    def _incident_note_number(self):
        """Note what these tickets took at submission, before something else says what
        they take. What waits is to take what its team requires at present. Their
        accounts are locked."""
        for ticket in self.sudo():
            if not ticket.incident_basis:
                ticket._incident_remember(
                    incident_basis="submission",
                    incident_submitted=ticket._incident_required()
                    if ticket.incident_parking == "parked"
                    else ticket._incident_holds(),
                )

    def _incident_follow(self):
        """Write the difference between what these tickets are to hold and what they
        hold: of what is missing, as much as there is (R16.6). What waits goes on
        waiting, for its number of now."""
        for ticket in self.sudo():
            if (
                ticket.incident_parking == "parked"
                and not ticket._incident_end_if_over()
            ):
                continue
            ticket = ticket.with_context(incident_said=ticket._incident_free_because())
            target, held = ticket._incident_aim(), ticket._incident_holds()
            missing = max(target - held, 0)
            if missing and ticket.partner_id:
                account = ticket._incident_account(create=True)
                account._lock()
                missing -= min(missing, max(account.available, 0))
            if target - missing != held:
                ticket._incident_set(target - missing)
            ticket._incident_note_short(missing)

    def _incident_note_short(self, missing):
        """Note by how many incidents this ticket is short, and say so."""
        if missing == self.incident_short:
            return
        self._incident_remember(incident_short=missing)
        if missing:
            self._incident_log(
                self.env._(
                    "Short of support incidents: %(missing)s of the %(target)s that it "
                    "takes are missing. They are deducted when the customer has them.",
                    target=self._incident_aim(),
                    missing=missing,
                )
            )

    def _incident_submit(self, chosen):
        """Override: time that was entered before its customer and team were known
        counts afterwards, and is never refused (R16.5)."""
        if not (self.incident_basis or self._incident_minutes_spent()):
            return super()._incident_submit(chosen)
        # What it holds was set by hand.
        if not self._incident_holds():
            self._incident_remember(
                incident_basis=False, incident_timed=0, incident_short=0
            )
            super()._incident_submit(chosen)
        self._incident_time_changed()

    def _incident_drop_submission(self):
        """Forget what this ticket was to take when it is not to wait for it any more:
        time that was worked meanwhile counts all the same (R16.5). What is marked as a
        duplicate takes its number again when it is none."""
        takes_nothing = self.duplicate_id or self._incident_free_because()
        if self.incident_basis == "submission" and not takes_nothing:
            self._incident_remember(incident_submitted=0)
            self._incident_follow()

    def _incident_waive_rest(self):
        """Let this ticket take no more than what it holds, and say so."""
        self._incident_log(
            self.env._(
                "Waived: %(missing)s of the support incidents that it takes.",
                missing=self.incident_short,
            )
        )
        self._incident_choose(self._incident_holds())

    # ------------------------------------------------------------------
    # Who has a say
    # ------------------------------------------------------------------

    @api.model
    def _incident_followed_fields(self):
        """Return the names of the fields that the target follows from (R16.6)."""
        return {"duplicate_id", "incident_minutes"}

    def _incident_heed(self, changed, waiting):
        """Note what a change of fields says about the target.

        :param set changed: the names of those of :meth:`_incident_followed_fields`
            that were written.
        :param waiting: those of these tickets that waited for incidents before.
        """
        if "duplicate_id" in changed:
            for ticket in self:
                ticket._incident_mark_duplicate(ticket in waiting)
        if "incident_minutes" in changed:
            self._incident_count_time()

    def _incident_mark_duplicate(self, waited):
        """Note whether this ticket takes nothing because it is marked as a duplicate:
        its company says so at that time (R4.7), and what waited has taken nothing.

        :param bool waited: whether it waited for incidents before.
        """
        marked = bool(self.duplicate_id)
        free = waited or self.company_id.incident_return_on_duplicate
        if marked != self.incident_is_duplicate and (free or not marked):
            self._incident_remember(incident_is_duplicate=marked)

    def _inverse_incident_count(self):
        """Override: a number that was set by hand is the target."""
        self._incident_lock_ahead()
        numbers = {ticket: ticket.incident_count for ticket in self}
        for ticket, number in numbers.items():
            ticket._incident_choose(number)

    def _incident_choose(self, number):
        """Set by hand how many incidents this ticket takes (R4.5, R16.6).

        :param int number: incidents, zero or more. While something says that the ticket
            takes nothing, the number is kept for later.
        :raise UserError: if it is below zero, or there is no customer.
        :raise NotEnoughIncidents: if fewer are available: nothing has changed then.
        """
        self.ensure_one()
        ticket = self.sudo()
        said = ticket.incident_basis and ticket.incident_parking != "parked"
        if not (number or said or ticket._incident_holds()):
            # Who saves a form sends every field; what waits is waived by a button.
            return
        ticket._incident_note_number()
        because = ticket._incident_free_because()
        if because and number >= 0:
            self._incident_log(
                self.env._(
                    "Set by hand to %(number)s support incidents, of which it takes "
                    "none now. %(because)s",
                    number=number,
                    because=because,
                )
            )
            # The number that was typed is not the one that it has.
            self.invalidate_recordset(["incident_count"], flush=False)
        else:
            self._incident_set(number)
        ticket._incident_remember(incident_basis="hand", incident_chosen=number)
        ticket._incident_note_short(0)

    def _incident_minutes_spent(self):
        """Return the minutes that were worked on this ticket. A module that keeps time
        sheets of tickets overrides this, and calls :meth:`_incident_time_changed`
        whenever they have changed (R16.5).

        :rtype: int
        """
        self.ensure_one()
        return self.incident_minutes

    def _incident_time_changed(self):
        """Count the time of these tickets anew, and take what that makes (R16.5): time
        that was worked is never refused."""
        self._incident_lock_ahead()
        self.sudo()._incident_count_time()
        self._incident_follow()

    def _incident_count_time(self):
        """Note how many incidents the time of these tickets makes, as their teams count
        it at present."""
        for ticket in self:
            blocks = ticket.team_id._incident_blocks(ticket._incident_minutes_spent())
            if blocks != ticket.incident_timed:
                ticket._incident_note_number()
                ticket._incident_remember(incident_timed=blocks)
