"""Tickets that wait for incidents (R11.3, R13.3), and those that come by e-mail."""

import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.fields import Domain
from odoo.tools import format_date

from .helpdesk_incident_release import BATCH
from .helpdesk_ticket import NOTHING
from .res_partner import INCIDENT_READERS

_logger = logging.getLogger(__name__)

#: In the context, as ``incident_arrived``: this ticket has just come by e-mail, and its
#: message is being posted. An object cannot come in over RPC.
ARRIVED = object()
#: A change of these may end the waiting, or let a ticket wait for another customer.
WATCHED = {"active", "company_id", "duplicate_id", "partner_id", "stage_id", "team_id"}
CANCELLED = "helpdesk_mgmt.helpdesk_ticket_stage_cancelled"
REJECTED = "helpdesk_mgmt.helpdesk_ticket_stage_rejected"
#: What the scheduled action looks at: tickets of unknown senders wait for staff.
PARKED = Domain("incident_hold", "=", "parked") & Domain("partner_id", "!=", False)


class HelpdeskTicket(models.Model):
    """A ticket that waits is *parked*. It waits for what its team takes at present, and
    ends waiting when that is deducted (by :meth:`_incident_release`, or by hand), when
    staff waive it, and when it is closed, archived, or of a team that takes nothing.
    The day since when it waits is set when the customer is told.

    Whoever changes that locks the account of the customer first: a ticket is released,
    withdrawn or closed once, whatever happens at the same moment.
    """

    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.memory"]

    _incident_memory_fields = frozenset(
        {"incident_hold", "incident_hold_date", "incident_link_on"}
    )

    incident_hold = fields.Selection(
        selection=[("parked", "Waiting for incidents"), ("waived", "Waived")],
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
        help="Why nothing is deducted for this ticket, although its team takes "
        "incidents.",
    )
    incident_hold_date = fields.Date(
        string="Waiting since", readonly=True, copy=False, groups=INCIDENT_READERS
    )
    incident_link_on = fields.Datetime(
        string="Link to buy used on",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
        help="When the customer has ordered for this ticket: it is released before "
        "others that wait.",
    )

    # What waits is little, and looked up by customer whenever incidents arrive.
    _incident_parked_idx = models.Index(
        "(commercial_partner_id, company_id) WHERE incident_hold = 'parked'"
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
            if ticket.incident_hold == "parked"
        }
        res = super().write(vals)
        for ticket, holder in before.items():
            ticket._incident_review_hold(holder)
        return res

    # ------------------------------------------------------------------
    # Mail gateway
    # ------------------------------------------------------------------

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Override for R11.3: e-mail never fails for want of incidents. A ticket of a
        paid team is parked at first, which needs no lock; the deduction is tried when
        its message has been posted."""
        quiet = self.with_context(incident_at_submission=NOTHING)
        values = dict(custom_values or {})
        if not self.env.user._is_internal() or self.env.uid == SUPERUSER_ID:
            # helpdesk_mgmt would assign the ticket to its customer, or to OdooBot.
            values.setdefault("user_id", False)
        ticket = (
            super(HelpdeskTicket, quiet)
            .message_new(msg_dict, values)
            .with_env(self.env)
        )
        if not ticket._incident_required() or self._incident_from_staff(msg_dict):
            return ticket
        if self.env.context.get("incident_automatic"):
            # Whoever is away has asked for nothing. An answer could go on for ever.
            ticket.sudo()._message_log(
                body=self.env._(
                    "This message was sent automatically: no support incidents were "
                    "deducted."
                )
            )
            return ticket
        ticket._incident_remember(incident_hold="parked")
        return ticket.with_context(incident_arrived=ARRIVED)

    def message_post(self, **kwargs):
        """Override for R11.3: the message that has opened this ticket is safe now."""
        message = super().message_post(**kwargs)
        if self.env.context.get("incident_arrived") is ARRIVED:
            self.sudo().with_context(incident_arrived=None)._incident_admit_safely()
        return message

    @api.model
    def _incident_from_staff(self, msg_dict):
        """Return whether the sender of an e-mail is an internal user (R4.4)."""
        author = self.env["res.partner"].sudo().browse(msg_dict.get("author_id"))
        return any(user._is_internal() for user in author.user_ids)

    @api.model
    def _detect_loop_sender_domain(self, email_from_normalized):
        """Override of `mail`, which cannot tell who has opened tickets: whoever opens
        too many of them by e-mail is a machine."""
        return [("partner_email", "ilike", email_from_normalized)]

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_waive(self):
        """Handle these tickets without incidents (R11.3).

        :raise AccessError: if the user may not write them.
        """
        self.check_access("write")
        for ticket in self.sudo():
            ticket._incident_account()._lock()
            if ticket.incident_state not in ("none", "parked"):
                continue
            ticket._incident_remember(incident_hold="waived", incident_hold_date=False)
            ticket._message_log(
                body=self.env._("Waived: this ticket takes no support incidents.")
            )

    # ------------------------------------------------------------------
    # Waiting, and how it ends
    # ------------------------------------------------------------------

    def _incident_set(self, target):
        """Override: what has been deducted is waited for no more."""
        super()._incident_set(target)
        if target and self.sudo().incident_hold:
            self._incident_end_hold()

    def _incident_end_hold(self):
        self._incident_remember(incident_hold=False, incident_hold_date=False)

    def _incident_park_if_short(self):
        """Let this ticket wait if too few incidents are available, and its team does
        not refuse then.

        :return: whether it waits.
        :rtype: bool
        """
        if self.team_id.incident_shortage_policy != "park":
            return False
        account = self._incident_account(create=True)
        account._lock()
        if not account or account.available >= self._incident_required():
            return False
        self._incident_remember(incident_hold="parked")
        self._incident_tell_parked(account)
        return True

    def _incident_admit_safely(self):
        """Try to deduct for a ticket that has come by e-mail. Nothing that goes wrong
        reaches the gateway: the message would be lost. It is tried again soon."""
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                self._incident_admit()
        # Even a concurrent update: nobody tries the message again.
        except Exception:
            _logger.info("%s waits to be looked at again", self, exc_info=True)
            self.env.ref("helpdesk_paid_support.ir_cron_incident_parked")._trigger()

    def _incident_admit(self, refusable=True):
        """Deduct what this ticket waits for. Where that is too much the customer is
        told, once; a ticket that has just come by e-mail is closed then, if its team
        refuses tickets (R11.3).

        :param bool refusable: whether it may be closed.
        :return: whether it was released by this call.
        :rtype: bool
        """
        self.ensure_one()
        if self._incident_release():
            return True
        account = self._incident_account()
        told = self.incident_hold_date
        # Of unknown senders there is no account, until staff set the customer.
        if self.incident_hold != "parked" or told or not account:
            return False
        if refusable and self.team_id.incident_shortage_policy == "refuse":
            self._incident_refuse(account)
        else:
            self._incident_tell_parked(account)
        return False

    def _incident_release(self):
        """Deduct what this ticket waits for, if that much is available.

        :return: whether it was released by this call: of two at once, by one of them.
        :rtype: bool
        """
        self.ensure_one()
        account = self._incident_account(create=bool(self.partner_id))
        account._lock()
        if self.incident_hold != "parked":
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
        if self.incident_hold_date:
            self._incident_tell("released", account)
        self._incident_set(needed)
        return True

    def _incident_twin(self):
        """Return the ticket that the same e-mail has opened before: two servers may
        fetch it at the same moment, and neither sees what the other does."""
        messages = self.env["mail.message"].sudo()
        mine = messages.search(
            [
                ("model", "=", self._name),
                ("res_id", "=", self.id),
                ("message_type", "=", "email"),
            ],
            order="id",
            limit=1,
        )
        if not mine.message_id:
            return self.browse()
        same = messages.search(
            [
                ("message_id", "=", mine.message_id),
                ("model", "=", self._name),
                ("res_id", "<", self.id),
            ],
            order="res_id",
        )
        # To two teams in one e-mail: that is two tickets.
        tickets = self.browse(same.mapped("res_id")).exists()
        return tickets.filtered(lambda ticket: ticket.team_id == self.team_id)[:1]

    def _incident_review_hold(self, holder):
        """End the waiting of a ticket that was changed, if there is nothing to wait for
        any more; try the customer that it has now.

        :param holder: whose incidents it has waited for before.
        """
        self.ensure_one()
        if self.incident_hold != "parked":
            return
        over = self.closed or not self.active or self.duplicate_id
        if over or not self._incident_required():
            self._incident_account()._lock()
            self._incident_end_hold()
            self._message_log(
                body=self.env._("This ticket does not wait for support incidents now.")
            )
        elif self._incident_holder() != holder:
            # Another customer is told anew; what was accepted once is not refused.
            accepted = bool(self.incident_hold_date)
            self._incident_remember(incident_hold_date=False)
            self._incident_admit(refusable=not accepted)

    def _incident_withdraw(self):
        """Close a ticket that waits, as its customer wishes (R11.3).

        :return: whether it was waiting.
        :rtype: bool
        """
        self.ensure_one()
        self._incident_account()._lock()
        if self.incident_hold != "parked":
            return False
        self._incident_close(CANCELLED, self.env._("Withdrawn by the customer."))
        return True

    def _incident_use_link(self):
        """Note that the customer orders for this ticket: it is released first."""
        self.ensure_one()
        if self.incident_hold == "parked":
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
        if self._incident_release() or self.incident_hold != "parked":
            return
        self._incident_tell("given_up", self._incident_account())
        self._incident_close(
            REJECTED,
            self.env._(
                "Closed: it has waited for support incidents since %(date)s.",
                date=format_date(self.env, self.incident_hold_date),
            ),
        )

    def _incident_close(self, stage, body, **values):
        """Close a ticket that nobody has worked on, and say why in its history.

        The mail of the stage stays unsent: customers get one that says what to do.

        :param str stage: the external id of the stage to choose, where the team has it;
            else it is the first one that closes.
        :param values: what else to write.
        """
        self._incident_end_hold()
        stages = self.team_id._get_applicable_stages().filtered("closed")
        wanted = self.env.ref(stage, raise_if_not_found=False)
        chosen = wanted if wanted in stages else stages[:1]
        if chosen:
            values["stage_id"] = chosen.id
        self.with_context(mail_notrack=True).write(values)
        self._message_log(body=body)

    # ------------------------------------------------------------------
    # Telling the customer
    # ------------------------------------------------------------------

    def _incident_tell(self, kind, account):
        """Note that the customer is to be told, once for each time that this ticket
        waits (R13.2).

        :param str kind: a key of ``helpdesk.incident.reminder.kind``.
        """
        since = self.incident_hold_date or self.company_id._incident_today()
        self.env["helpdesk.incident.reminder"].sudo()._queue(
            kind,
            f"{self.id}:{account.id}:{since}",
            account,
            ticket=self,
            day=since,
            quantity=self._incident_required(),
        )

    def _incident_tell_parked(self, account):
        self._incident_remember(incident_hold_date=self.company_id._incident_today())
        self._incident_tell("parked", account)
        self._message_log(
            body=self.env._(
                "Waiting for support incidents: %(needed)s needed, %(left)s available. "
                "The customer gets a link to buy them.",
                needed=self._incident_required(),
                left=account.available,
            )
        )

    # ------------------------------------------------------------------
    # Scheduled action
    # ------------------------------------------------------------------

    @api.model
    def _cron_parked(self):
        """Release what can be released by now, and close what has waited for too long
        (R13.1, R13.3). Each account and each ticket is a transaction: safe to run twice,
        at once, and to be killed."""
        self = self.sudo()
        if self._incident_release_all():
            self._incident_give_up_all()

    @api.model
    def _incident_release_all(self, batch=BATCH):
        """Release what waits although there are incidents: the gateway could not wait
        for a lock, or the team takes fewer now.

        :param int batch: how many tickets to look at at once.
        :return: whether there is time left.
        """
        last = 0
        while tickets := self.search(
            PARKED & Domain("id", ">", last), order="id", limit=batch
        ):
            last = tickets[-1].id
            for holder in tickets._incident_holders_to_try():
                if not self._incident_in_turn(
                    lambda holder=holder: self.env["helpdesk.incident.account"]
                    ._open([holder])[holder]
                    ._release()
                ):
                    return False
        return True

    def _incident_holders_to_try(self):
        """Return for whom there is something to do: the customer has incidents, or was
        not told yet.

        :rtype: list[tuple[int, int]]
        """
        tickets = self.grouped(
            lambda ticket: tuple(record.id for record in ticket._incident_holder())
        )
        accounts = self.env["helpdesk.incident.account"]._find(tickets)
        numbers = self.env["helpdesk.incident.account"].union(*accounts.values())
        numbers = numbers._numbers()
        return [
            holder
            for holder, waiting in sorted(tickets.items())
            if holder not in accounts
            or numbers.get(accounts[holder].id, {}).get("available")
            or not all(waiting.mapped("incident_hold_date"))
        ]

    @api.model
    def _incident_give_up_all(self):
        """Close what has waited for as long as the company says (R13.3). Tickets of
        unknown senders wait for staff, and stay."""
        overdue = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain(
                "incident_hold_date",
                "<=",
                company._incident_today()
                - timedelta(days=company.incident_parked_close_days),
            )
            for company in self.env["res.company"]._incident_companies()
            if company.incident_parked_close_days
        )
        for ticket in self.search(PARKED & overdue, order="id"):
            if not self._incident_in_turn(ticket._incident_give_up):
                return

    @api.model
    def _incident_in_turn(self, work):
        """Do one piece of work of the scheduled action, and commit it.

        :return: whether there is time for the next one.
        """
        try:
            with self.env.cr.savepoint():
                work()
        except (OperationalError, ConcurrencyError):
            # Somebody else is at it: the next run will see.
            self.env.cr.rollback()
        except Exception:
            _logger.exception("A ticket that waits for incidents could not be handled")
        return bool(self.env["ir.cron"]._commit_progress(1))
