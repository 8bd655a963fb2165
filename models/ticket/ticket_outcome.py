"""What tickets take by what became of them (R17.1, R17.2, R17.3)."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED

#: In the context: the customer is told otherwise. An object cannot come in over RPC.
TOLD = object()
#: The messages that people write.
WRITTEN = ("comment", "email", "email_outgoing")


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.protected"]

    incident_outcome_id = fields.Many2one(
        comodel_name="helpdesk.ticket.outcome",
        string="Outcome",
        copy=False,
        tracking=True,
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        groups=INCIDENT_READERS,
        help="What became of the ticket. By one that is not charged it takes no "
        "support incidents: what was deducted is returned.",
    )
    incident_is_free = fields.Boolean(
        string="Not charged",
        compute="_compute_incident_is_free",
        groups=INCIDENT_READERS,
        help="Whether its outcome is not charged.",
    )
    incident_unanswered = fields.Boolean(
        string="Returned without an answer",
        groups=INCIDENT_READERS,
        help="It was withdrawn, or closed before staff had written to the customer. It "
        "takes nothing until somebody goes on with it.",
        **REMEMBERED,
    )

    @api.depends("incident_outcome_id")
    def _compute_incident_is_free(self):
        for ticket in self:
            ticket.incident_is_free = ticket._incident_has_free_outcome()

    @api.constrains("incident_outcome_id", "company_id")
    def _check_incident_outcome(self):
        """R2.3: a company's own outcomes, or those of all."""
        self._check_company(["incident_outcome_id"])

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override: a stage can bring an outcome, and closes or opens tickets."""
        if "stage_id" not in vals:
            return super().write(vals)
        self.check_access("write")
        stage = self.env["helpdesk.ticket.stage"].browse(vals["stage_id"]).sudo()
        tickets = self.sudo()
        closing = tickets.filtered(lambda ticket: stage.closed and not ticket.closed)
        closing.with_env(self.env)._incident_check_outcome(vals)
        unanswered = closing._incident_unanswered_when(vals)
        # Accounts before tickets (R3.6).
        concerned = unanswered | tickets.filtered("incident_unanswered")
        (tickets if stage.incident_outcome_id else concerned)._incident_lock_ahead()
        # What waits keeps its number.
        waiting = unanswered.filtered(lambda t: t.incident_parking == "parked")
        waiting._incident_say(incident_unanswered=True)
        res = super().write(vals)
        if "incident_outcome_id" not in vals:
            tickets._incident_take_outcome(stage)
        # By its outcome, where it has one, it was returned already (R5.3).
        unanswered._incident_say(incident_unanswered=True)
        if stage and not stage.closed:
            tickets._incident_go_on()
        return res

    def message_post(self, **kwargs):
        """Override: staff who write to the customer go on with the ticket (R17.3)."""
        message = super().message_post(**kwargs)
        if message.sudo()._incident_is_answer():
            self.sudo()._incident_go_on()
        return message

    # ------------------------------------------------------------------
    # The target
    # ------------------------------------------------------------------

    @api.model
    def _incident_followed_fields(self):
        """Override: the outcome."""
        return super()._incident_followed_fields() | {"incident_outcome_id"}

    def _incident_free_because(self):
        """Override: an outcome that is not charged, or that nobody has answered."""
        ticket = self.sudo()
        if ticket._incident_has_free_outcome():
            return self.env._(
                "Outcome: %(outcome)s.", outcome=ticket.incident_outcome_id.name
            )
        if ticket.incident_unanswered:
            return self.env._("It was withdrawn, or closed without an answer.")
        return super()._incident_free_because()

    def _incident_has_free_outcome(self):
        """Return whether this ticket has an outcome that is not charged."""
        outcome = self.sudo().incident_outcome_id
        return bool(outcome) and not outcome.charged

    def _incident_heed(self, changed, waiting):
        """Override: whoever enters time goes on with the ticket (R17.3)."""
        res = super()._incident_heed(changed, waiting)
        if "incident_minutes" in changed:
            for ticket in self.filtered("incident_unanswered"):
                if ticket._incident_minutes_spent():
                    ticket._incident_remember(incident_unanswered=False)
        return res

    def _incident_keeps_ended(self):
        """Override: what comes back by an outcome comes back for good (R5.3)."""
        return self._incident_has_free_outcome() or super()._incident_keeps_ended()

    def _incident_entry_values(self):
        """Override: ``outcome_id``, by which incidents come back."""
        free = self._incident_has_free_outcome()
        outcome = self.sudo().incident_outcome_id if free else None
        return {
            **super()._incident_entry_values(),
            "outcome_id": outcome.id if outcome else None,
        }

    @api.depends("incident_outcome_id", "incident_unanswered")
    def _compute_incident_target(self):
        """Override: what else its target follows from."""
        return super()._compute_incident_target()

    def _incident_label(self):
        """Override: the statement names the outcome by which incidents come back."""
        label = super()._incident_label()
        if not self._incident_has_free_outcome():
            return label
        return self.env._(
            "%(ticket)s (%(outcome)s)",
            ticket=label,
            outcome=self.sudo().incident_outcome_id.name,
        )

    def _incident_log_return(self, account, quantity, legs):
        """Override: the customer is told what came back by an outcome (R17.1)."""
        res = super()._incident_log_return(account, quantity, legs)
        told = self.env.context.get("incident_told") is TOLD
        if self._incident_has_free_outcome() and not told:
            self.env["helpdesk.incident.reminder"].sudo()._queue(
                "returned",
                f"{self.id}:{account.id}:{self._incident_last_entry().id}",
                account,
                ticket=self,
                day=self.company_id._incident_today(),
                quantity=quantity,
            )
        return res

    def _incident_last_entry(self):
        """Return the last entry of this ticket, with superuser rights."""
        entries = self.env["helpdesk.incident.entry"].sudo()
        return entries.search([("ticket_id", "=", self.id)], order="id desc", limit=1)

    # ------------------------------------------------------------------
    # Closing, and going on
    # ------------------------------------------------------------------

    def _incident_check_outcome(self, vals):
        """Check that staff say what became of the tickets that they close, where the
        team asks for it (R17.2).

        :param dict vals: what is written with the stage.
        :raise UserError: if they do not.
        """
        if self.env.su or self.env.user.share or vals.get("incident_outcome_id"):
            return
        stage = self.env["helpdesk.ticket.stage"].browse(vals["stage_id"]).sudo()
        for ticket in self.sudo():
            if (
                ticket.team_id.incident_outcome_required
                and (not ticket.incident_outcome_id or "incident_outcome_id" in vals)
                and not ticket._incident_outcome_of(stage)
                and ticket.incident_target
            ):
                raise UserError(
                    self.env._(
                        "Choose the outcome of ticket %(number)s before you close it: "
                        "it has taken support incidents, and its team asks what became "
                        "of it.",
                        number=ticket.number,
                    )
                )

    def _incident_outcome_of(self, stage):
        """Return the outcome that a stage brings to this ticket (R2.3, R17.2), if any.

        :param stage: with superuser rights.
        """
        outcome = stage.incident_outcome_id
        return outcome.filtered(
            lambda o: o.active and o._incident_suits(self.company_id)
        )

    def _incident_take_outcome(self, stage):
        """Give the outcome that a stage brings to those of these tickets that have none
        that is not charged (R17.2)."""
        for ticket in self:
            outcome = ticket._incident_outcome_of(stage)
            if outcome and not ticket._incident_has_free_outcome():
                ticket.incident_outcome_id = outcome

    def _incident_unanswered_when(self, vals):
        """Return those of these tickets, which are about to be closed, that nobody has
        worked on, if their teams return what they took then (R17.3).

        :param dict vals: what is written with the stage.
        """
        return self.filtered(
            lambda ticket: (
                ticket.team_id.incident_return_unanswered
                and not (
                    vals.get("incident_minutes") or ticket._incident_minutes_spent()
                )
                and not any(m._incident_is_answer() for m in ticket.message_ids)
            )
        )

    def _incident_go_on(self):
        """Let those of these tickets take their number again that were closed without
        an answer: somebody goes on with them (R17.3)."""
        self.filtered("incident_unanswered")._incident_say(incident_unanswered=False)

    def _incident_withdraw(self):
        """Override: it takes nothing until somebody goes on with it (R16.6)."""
        self._incident_account()._lock()
        if self.incident_parking == "parked":
            self._incident_note_number()
            self._incident_remember(incident_unanswered=True)
        return super()._incident_withdraw()


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _incident_is_answer(self):
        """Return whether staff have written this message to the customer. What OdooBot
        says is nobody's work.

        :rtype: bool
        """
        author = self.author_id - self.env.ref("base.partner_root")
        return bool(
            self.message_type in WRITTEN
            and not self.is_internal
            and not self.subtype_id.internal
            and author
            and not author.partner_share
        )
