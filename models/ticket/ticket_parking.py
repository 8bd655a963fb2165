"""Tickets that wait for incidents (R11.3, R13.3)."""

import logging

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED

_logger = logging.getLogger(__name__)

#: A change of these may end the waiting, or let a ticket wait for another customer.
WATCHED = {"active", "company_id", "duplicate_id", "partner_id", "stage_id", "team_id"}
#: How many tickets of a customer may wait: then its users submit no more of them. What
#: comes by e-mail waits all the same.
MAX_PARKED = 20
#: How many mails a customer gets in a day that say that a ticket waits, or was refused.
MAX_ANSWERS = 20
CANCELLED = "helpdesk_mgmt.helpdesk_ticket_stage_cancelled"
REJECTED = "helpdesk_mgmt.helpdesk_ticket_stage_rejected"
#: Where a transaction notes the tickets whose stage writes no mail.
QUIET = "helpdesk_paid_support.quiet"


class HelpdeskTicket(models.Model):
    """A ticket that waits is *parked*. It waits for what its team takes at present, and
    ends waiting when that is deducted (by :meth:`_incident_release`, or by hand), when
    staff waive it, and when it is closed, archived, or of a team that takes nothing.
    The day since when it waits is set when the customer is told.

    Whoever changes that locks the account of the customer first: a ticket is released,
    withdrawn or closed once, whatever happens at the same moment.
    """

    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.protected"]

    incident_parking = fields.Selection(
        selection=[("parked", "Waiting for incidents"), ("waived", "Waived")],
        groups=INCIDENT_READERS,
        help="Why nothing is deducted for this ticket, although its team takes "
        "incidents.",
        **REMEMBERED,
    )
    incident_parked_date = fields.Date(
        string="Waiting since", groups=INCIDENT_READERS, **REMEMBERED
    )
    incident_link_on = fields.Datetime(
        string="Link to buy used on",
        groups=INCIDENT_READERS,
        help="When the customer has ordered for this ticket: it is released before "
        "others that wait.",
        **REMEMBERED,
    )

    # What waits is little, and looked up by customer whenever incidents arrive.
    _incident_parked_idx = models.Index(
        "(commercial_partner_id, company_id) WHERE incident_parking = 'parked'"
    )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override: what ends waiting, or lets a ticket wait for another customer."""
        if not WATCHED & set(vals):
            return super().write(vals)
        before = {
            ticket: ticket._incident_holder()
            for ticket in self.sudo()
            if ticket.incident_parking == "parked"
        }
        res = super().write(vals)
        for ticket, holder in before.items():
            ticket._incident_review_parking(holder)
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_waive(self):
        """Handle these tickets without incidents (R11.3).

        :raise AccessError: if the user may not write them.
        """
        for ticket in self._incident_check_and_lock():
            if ticket.incident_due:
                ticket._incident_waive()

    def _incident_waive(self):
        """Handle this ticket without incidents, as if 0 was set by hand (R16.6), and
        say so. Its account is locked."""
        self._incident_note_number()
        self._incident_remember(
            incident_parking="waived",
            incident_parked_date=False,
            incident_basis="hand",
            incident_chosen=0,
        )
        self._message_log(
            body=self.env._("Waived: this ticket takes no support incidents.")
        )

    # ------------------------------------------------------------------
    # Waiting, and how it ends
    # ------------------------------------------------------------------

    def _incident_set(self, target):
        """Override: what has been deducted is waited for no more."""
        res = super()._incident_set(target)
        if target and self.sudo().incident_parking:
            self._incident_end_parking()
        return res

    def _incident_end_parking(self):
        self._incident_remember(incident_parking=False, incident_parked_date=False)

    def _incident_park_if_short(self):
        """Let this ticket wait if too few incidents are available, nothing provides
        them, and its team does not refuse then.

        :return: whether it waits.
        :rtype: bool
        :raise UserError: if a share user submits it, and too many wait already.
        """
        if self.team_id.incident_shortage_policy == "refuse":
            return False
        account = self._incident_account(create=True)
        account._lock()
        if not account or account.available >= self._incident_required():
            return False
        if self._incident_provide(account):
            return False
        if self.env.user.share and len(account._parked()) >= MAX_PARKED:
            raise UserError(
                self.env._(
                    "%(limit)s tickets wait for support incidents, and there cannot be "
                    "more. Buy incidents, or withdraw tickets that you do not need any "
                    "more.",
                    limit=MAX_PARKED,
                )
            )
        self._incident_remember(incident_parking="parked")
        self._incident_tell_parked(account)
        return True

    def _incident_provide(self, account):
        """Get what this new ticket lacks, if its team has a way to, whose customer has
        too few incidents. The account is locked.

        :param account: of the customer.
        :return: whether there are enough now.
        :rtype: bool
        """
        return False

    def _incident_admit(self, refusable=True):
        """Deduct what this ticket waits for. Where that is too much the customer is
        told, once; a ticket that has just come by e-mail is closed then, if its team
        refuses tickets (R11.3). Whoever was told of too many today is told later, by
        the scheduled action.

        :param bool refusable: whether it may be closed.
        :return: whether it was released by this call.
        :rtype: bool
        """
        self.ensure_one()
        if self._incident_release():
            return True
        account = self._incident_account()
        told = self.incident_parked_date
        # Of unknown senders there is no account, until staff set the customer.
        if self.incident_parking != "parked" or told or not account:
            return False
        if refusable and self._incident_provide(account):
            return self._incident_release()
        if not self._incident_may_tell(account):
            return False
        if refusable and self.team_id.incident_shortage_policy == "refuse":
            self._incident_refuse(account)
        else:
            self._incident_tell_parked(account)
        return False

    def _incident_release(self):
        """Deduct what this ticket waits for, if that much is available; end the waiting
        if there is nothing to wait for.

        :return: whether it was released by this call: of two at once, by one of them.
        :rtype: bool
        """
        self.ensure_one()
        account = self._incident_account(create=bool(self.partner_id))
        account._lock()
        if self.incident_parking != "parked" or self._incident_end_if_over():
            return False
        twin = self._incident_twin()
        if twin:
            self._incident_close(
                CANCELLED,
                self.env._(
                    "Closed: the same e-mail has opened ticket %(number)s.",
                    number=twin.number,
                ),
                duplicate_id=twin.id,
            )
            return False
        needed = self._incident_required()
        if not account or account.available < needed:
            return False
        if self.incident_parked_date:
            self._incident_tell("released", account)
        self._incident_set(needed)
        if self.incident_basis:
            number = self.team_id._incident_number(self)
            self._incident_remember(incident_submitted=number)
        return True

    def _incident_end_if_over(self):
        """End the waiting of a ticket that was closed, archived or marked as a
        duplicate, or whose team takes nothing, but for time that was worked.

        :return: whether it does not wait now.
        """
        number = self.team_id._incident_number(self)
        takes = number and not self._incident_free_because()
        if takes and self.active and not (self.closed or self.duplicate_id):
            return False
        self._incident_end_parking()
        self._message_log(
            body=self.env._("This ticket does not wait for support incidents now.")
        )
        self._incident_drop_submission()
        return True

    def _incident_review_parking(self, holder):
        """Look again at a ticket that waits and was changed: at its customer of now,
        and at what its team takes.

        :param holder: whose incidents it has waited for before.
        """
        self.ensure_one()
        if self.incident_parking != "parked":
            return
        if self._incident_holder() == holder:
            self._incident_admit()
            return
        # Another customer is told anew; what was accepted once is not refused.
        accepted = bool(self.incident_parked_date)
        self._incident_remember(incident_parked_date=False, incident_link_on=False)
        self._incident_admit(refusable=not accepted)

    def _incident_withdraw(self):
        """Close a ticket that waits, as its customer wishes (R11.3).

        :return: whether it was waiting.
        :rtype: bool
        """
        self.ensure_one()
        self._incident_account()._lock()
        if self.incident_parking != "parked":
            return False
        self._incident_close(CANCELLED, self.env._("Withdrawn by the customer."))
        return True

    def _incident_parked_of(self, user):
        """Return those of these tickets that wait, and are of this user's customer
        (R11.6), with superuser rights."""
        return self.sudo().filtered(
            lambda ticket: (
                ticket.incident_parking == "parked" and ticket._incident_is_own(user)
            )
        )

    def _incident_use_link(self):
        """Note that the customer orders for this ticket: it is released first."""
        self.ensure_one()
        if self.incident_parking == "parked":
            self._incident_remember(incident_link_on=fields.Datetime.now())

    def _incident_refuse(self, account):
        self._incident_tell("refused", account)
        self._incident_close(
            REJECTED,
            self.env._(
                "Closed: this ticket takes %(needed)s support incidents, and the "
                "customer has %(left)s. The customer is told by mail.",
                needed=self._incident_required(),
                left=account.available,
            ),
        )

    def _incident_give_up(self):
        """Close a ticket that has waited for too long (R13.3)."""
        if self._incident_release() or self.incident_parking != "parked":
            return
        self._incident_tell("given_up", self._incident_account())
        self._incident_close(
            REJECTED,
            self.env._(
                "Closed: it has waited for support incidents since %(date)s.",
                date=format_date(self.env, self.incident_parked_date),
            ),
        )

    def _incident_close(self, stage, body, **values):
        """Close a ticket that nobody has worked on, and say why in its history.

        The mail of the stage stays unsent: customers get one that says what to do.

        :param str stage: the external id of the stage to choose, where the team has it;
            else it is the first one that closes.
        :param values: what else to write.
        """
        self._incident_end_parking()
        self._incident_drop_submission()
        stages = self.team_id._get_applicable_stages().filtered("closed")
        wanted = self.env.ref(stage, raise_if_not_found=False)
        chosen = wanted if wanted in stages else stages[:1]
        if chosen:
            values["stage_id"] = chosen.id
        else:
            body += " " + self.env._("The team has no stage that closes tickets.")
        self.write(values)
        # Read when the change of the stage is told, in this transaction.
        self.env.cr.precommit.data.setdefault(QUIET, set()).add(self.id)
        self._message_log(body=body)

    # ------------------------------------------------------------------
    # Telling the customer
    # ------------------------------------------------------------------

    def _incident_tell(self, kind, account, again=None, order=None):
        """Note that the customer is to be told, once for each time that this ticket
        waits (R13.2).

        :param str kind: a key of ``helpdesk.incident.reminder.kind``.
        :param again: what makes it another occasion while it waits.
        :param order: the ``sale.order`` that was made for this ticket.
        """
        since = self.incident_parked_date or self.company_id._incident_today()
        key = f"{self.id}:{account.id}:{since}"
        self.env["helpdesk.incident.reminder"].sudo()._queue(
            kind,
            f"{key}:{again}" if again else key,
            account,
            ticket=self,
            order=order,
            day=since,
            quantity=self._incident_required(),
        )

    def _incident_untold(self, account):
        """Return the reminders that will tell the customer that this ticket waits. Its
        account is locked."""
        return (
            self.env["helpdesk.incident.reminder"]
            .sudo()
            .search(
                Domain("account_id", "=", account.id)
                & Domain("ticket_id", "=", self.id)
                & Domain("kind", "in", ("parked", "still_parked"))
                & Domain("state", "=", "waiting")
            )
        )

    def _incident_may_tell(self, account):
        """Return whether the customer gets one more mail today about a ticket that
        waits, or is refused. Its account is locked (R3.6)."""
        told = (
            Domain("account_id", "=", account.id)
            & Domain("kind", "in", ("parked", "refused"))
            & Domain("day", "=", self.company_id._incident_today())
        )
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        return reminders.search_count(told, limit=MAX_ANSWERS) < MAX_ANSWERS

    def _incident_tell_parked(self, account):
        """Let this ticket wait as of today. Its page says so; a mail, unless there were
        too many."""
        may_tell = self._incident_may_tell(account)
        self._incident_remember(incident_parked_date=self.company_id._incident_today())
        if may_tell:
            self._incident_tell("parked", account)
        self._message_log(body=self._incident_link_words(account))

    def _incident_link_words(self, account):
        return self.env._(
            "Waiting for support incidents: %(needed)s needed, %(left)s available. "
            "The customer gets a link to buy them.",
            needed=self._incident_required(),
            left=account.available,
        )

    def _track_template(self, changes):
        """Override: whoever gets a mail that says what to do needs none of the
        stage."""
        templates = super()._track_template(changes)
        if self[0].id in self.env.cr.precommit.data.get(QUIET, ()):
            templates.pop("stage_id", None)
        return templates
