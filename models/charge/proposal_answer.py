"""What becomes of what customers were asked first (R18.5)."""

from odoo import fields, models
from odoo.exceptions import UserError

from .helpdesk_ticket_proposal import MAX_WORD


class HelpdeskTicketProposal(models.Model):
    _inherit = "helpdesk.ticket.proposal"

    def _approve(self, user, key, later=None):
        """Let it happen, at once and once: who approves twice changes nothing.

        :param user: of the customer (R11.6).
        :param str key: what was approved: see ``Question.key``.
        :param str later: what is paid later, if the customer has agreed to that: see
            ``Overage.key``.
        :raise UserError: if it is not open any more, something is in the way or
            missing, or it comes to something else by now: nothing has happened then.
        """
        proposal = self._begin_to_answer(user)
        if proposal.state == "approved":
            return
        proposal._check_open()
        question = proposal._question()
        if question.obstacle:
            raise UserError(question.obstacle)
        if key != question.key:
            raise UserError(self.env["sale.order"]._incident_pack_changed())
        with self.env.cr.savepoint():
            proposal._end("approved", user)
            if proposal.kind == "charge":
                proposal._charge()
            else:
                proposal._take(question, later)

    def _decline(self, user, word=""):
        """Let nothing happen, and tell the team.

        :param user: of the customer (R11.6).
        :param str word: why, if the customer says so.
        :raise UserError: if it is not open any more.
        """
        proposal = self._begin_to_answer(user)
        if proposal.state == "declined":
            return
        proposal._check_open()
        proposal._end("declined", user, word)

    def _begin_to_answer(self, user):
        """Return this proposal with superuser rights, locked.

        :raise UserError: if the user is not asked.
        """
        self.ensure_one()
        proposal = self.sudo()
        proposal._lock()
        if not proposal._is_asked(user):
            raise UserError(self.env._("You are not asked this."))
        return proposal

    # ------------------------------------------------------------------
    # What happens
    # ------------------------------------------------------------------

    def _take(self, question, later):
        """Let the ticket take more incidents, as if their number was set by hand
        (R16.6); what is missing is paid later, if the customer has agreed (R18.1)."""
        ticket = self.ticket_id.with_context(
            incident_approved=self, incident_reason=self._words()
        )
        account = ticket._incident_account(create=True)
        account._lock()
        if question.later and later:
            if later != question.later.key:
                raise UserError(self.env["sale.order"]._incident_pack_changed())
            ticket._incident_sell(account, question.later)
        ticket._incident_choose(ticket._incident_aim() + self.quantity)

    def _charge(self):
        """Charge the amount, in the name of who has proposed it (R10.1)."""
        charges = self.env["helpdesk.ticket.charge"]
        if self.user_id:
            charges = charges.with_user(self.user_id).sudo()
        self.charge_id = charges.create(
            {
                "ticket_id": self.ticket_id.id,
                "name": self.name,
                "amount": self.amount,
                "currency_id": self.currency_id.id,
                "request_key": f"{self._name}:{self.id}",
            }
        ).with_env(self.env)

    def _expire(self):
        """End what the customer has not answered in time. It has superuser rights."""
        self._lock()
        if self.state == "open":
            self._end("expired")

    def _end(self, state, user=None, word=""):
        """Note what has become of this, say so in the history of the ticket, and tell
        staff if it was not they.

        :param str state: any but open.
        :param user: of the customer, who has answered.
        :param str word: what he says.
        """
        self.write(
            {
                "state": state,
                "answered_by_id": user.partner_id.id if user else False,
                "answer": (word or "").strip()[:MAX_WORD] or False,
                "date_answered": fields.Datetime.now(),
            }
        )
        body = self._end_words()
        self.ticket_id._message_log(body=body)
        if state != "withdrawn":
            self.ticket_id._incident_tell_staff(
                "helpdesk_paid_support.mail_activity_proposal", body, self.user_id
            )

    def _end_words(self):
        """Return what has become of this, for staff and the customer."""
        state, what, who = self._state_now(), self._words(), self.answered_by_id.name
        if state == "approved":
            return self.env._("Approved by %(who)s: %(what)s", who=who, what=what)
        if state == "declined" and self.answer:
            return self.env._(
                "Declined by %(who)s: %(what)s. “%(word)s”",
                who=who,
                what=what,
                word=self.answer,
            )
        if state == "declined":
            return self.env._("Declined by %(who)s: %(what)s", who=who, what=what)
        if state == "expired":
            return self.env._("Not answered in time: %(what)s", what=what)
        return self.env._("Withdrawn: %(what)s", what=what)
