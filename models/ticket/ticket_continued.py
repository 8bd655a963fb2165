"""Replies to tickets that were closed long ago (R11.3)."""

from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize, format_date

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED
from .ticket_parking import CANCELLED

#: Among the values of a ticket that a reply opens: the ticket that it refers to, as a
#: record. That cannot come in over RPC, nor with an alias.
PREVIOUS = "incident_previous"


class HelpdeskTicket(models.Model):
    """A ticket that was closed more days ago than its team says has no more replies: it
    goes on in another one, which refers to it, and so on from there.

    Who replies to any of them, replies to the last one while that is open, and as long
    as its team lets a closed one have replies. What was closed without having taken its
    incidents (refused, withdrawn) is no such ticket: the reply after it is taken anew.
    """

    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.protected"]

    incident_previous_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        string="Goes on from",
        index="btree_not_null",
        ondelete="set null",
        groups=INCIDENT_READERS,
        help="The ticket, closed long ago, to which the customer has replied by this "
        "one.",
        **REMEMBERED,
    )
    incident_next_ids = fields.One2many(
        comodel_name="helpdesk.ticket",
        inverse_name="incident_previous_id",
        string="Goes on in",
        readonly=True,
        groups=INCIDENT_READERS,
    )

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Override: a late reply opens a ticket that refers to the old one."""
        ticket = super().message_new(msg_dict, custom_values)
        previous = (custom_values or {}).get(PREVIOUS)
        if isinstance(previous, models.BaseModel):
            ticket.sudo()._incident_continue(previous)
        return ticket

    def message_post(self, **kwargs):
        """Override: in the client area nobody replies to what was closed long ago; the
        page leads to a new ticket.

        :raise UserError: if a user of a customer tries it all the same.
        """
        written = not self.env.su or kwargs.get("message_type") == "comment"
        if self.env.user.share and written and self._incident_closed_long_ago():
            raise UserError(
                self.env._(
                    "This ticket was closed on %(date)s. Open a new ticket to go on "
                    "with it.",
                    date=format_date(self.env, self.sudo()._incident_closed_on()),
                )
            )
        return super().message_post(**kwargs)

    # ------------------------------------------------------------------
    # Where a reply belongs
    # ------------------------------------------------------------------

    def _incident_closed_on(self):
        """Return the day on which this closed ticket was closed, in the time zone of
        its company (R3.7)."""
        self.ensure_one()
        closed = self.closed_date or self.last_stage_update or self.create_date
        return self.company_id._incident_day(closed)

    def _incident_closed_long_ago(self):
        """Return whether a reply to this ticket opens a new one.

        :rtype: bool
        """
        self.ensure_one()
        ticket = self.sudo()
        team = ticket.team_id
        if not (ticket.closed and team.active and team.incident_reopen_days):
            return False
        ago = ticket.company_id._incident_today() - ticket._incident_closed_on()
        return ago.days > team.incident_reopen_days

    def _incident_last(self, author, email):
        """Return the ticket in which this one goes on for who replies to it: this one,
        if it was not closed long ago or goes on nowhere. The last one may have been
        closed long ago, too: then the reply opens a new ticket after that.

        :param author: the contact who replies; empty if that is unclear.
        :param str email: the address from which the reply comes, as it came in.
        """
        self.ensure_one()
        last = self.sudo()
        while last._incident_closed_long_ago():
            following = last._incident_following(author.commercial_partner_id, email)
            if not following:
                break
            last = following
        return last

    def _incident_following(self, customer, email):
        """Return the ticket in which this one goes on for a customer: the customer's
        own one, or that of the customer of this ticket. For an unclear sender there may
        be one of nobody, from the same address.

        :param customer: empty if that is unclear.
        """
        address = email_normalize(email, strict=False)
        owners = customer | self.commercial_partner_id

        def goes_on(ticket):
            owner = ticket.commercial_partner_id
            if not owner and (
                customer
                or not address
                or email_normalize(ticket.partner_email, strict=False) != address
            ):
                return False
            return owner <= owners and ticket._incident_has_replies()

        following = self.incident_next_ids.filtered(goes_on)
        return following.sorted(
            lambda ticket: (ticket.commercial_partner_id == customer, ticket.id)
        )[-1:]

    def _incident_has_replies(self):
        """Return whether this ticket is one that is handled, or was: if it is closed,
        it holds incidents, needs none, or staff have answered it.

        :rtype: bool
        """
        if self.duplicate_id or not self.active:
            return False
        return not self.closed or bool(
            self.incident_count
            or not self.team_id._incident_number(self)
            or any(message._incident_is_answer() for message in self.message_ids)
        )

    def _incident_own_reply(self, message, replied_to):
        """Return a message for this ticket: what follows from the message that it
        replies to belongs to the ticket of that.

        :param dict message: what Odoo has read from an e-mail.
        :param replied_to: the ticket to which it replies.
        """
        if self == replied_to:
            return message
        foreign = ("parent_id", "is_internal")
        return {name: value for name, value in message.items() if name not in foreign}

    # ------------------------------------------------------------------
    # The new ticket
    # ------------------------------------------------------------------

    def _incident_reply_values(self):
        """Return the values of the ticket that a reply to this one opens: those of any
        e-mail to its team."""
        team = self.team_id
        return {
            **literal_eval(team.alias_id.alias_defaults or "{}"),
            "team_id": team.id,
            PREVIOUS: self,
        }

    def _incident_continue(self, previous):
        """Let this new ticket refer to an old one; the histories of both say so."""
        self._incident_remember(incident_previous_id=previous.id)
        self._message_log(
            body=self.env._(
                "Goes on from ticket %(ticket)s, which was closed on %(date)s.",
                ticket=previous._get_html_link(title=previous.number),
                date=format_date(self.env, previous._incident_closed_on()),
            )
        )
        previous._message_log(
            body=self.env._(
                "The customer goes on in ticket %(ticket)s: this one was closed on "
                "%(date)s.",
                ticket=self._get_html_link(title=self.number),
                date=format_date(self.env, previous._incident_closed_on()),
            )
        )

    # ------------------------------------------------------------------
    # Taking it
    # ------------------------------------------------------------------

    def _incident_release(self):
        """Override: who has replied by e-mail is told that this took incidents; of two
        replies at once one ticket is left."""
        new = self.incident_previous_id and not self.incident_parked_date
        if not new:
            return super()._incident_release()
        self._incident_account()._lock()
        other = self._incident_other_reply()
        if other:
            self._incident_join(other)
            return False
        released = super()._incident_release()
        if released:
            self._incident_tell("continued", self._incident_account())
        return released

    def _incident_other_reply(self):
        """Return the ticket that another reply to the same one has opened at the same
        moment, and in which this one would have gone on had it come a moment later.
        Neither transaction has seen what the other did."""
        waits = self.partner_id and self.incident_parking == "parked"
        if not waits or self._incident_twin():
            return self.browse()
        others = self.incident_previous_id.incident_next_ids.filtered(
            lambda ticket: (
                ticket != self
                and ticket.commercial_partner_id == self.commercial_partner_id
                and ticket._incident_has_replies()
            )
        ).sorted("id")
        undecided = others.filtered(
            lambda ticket: (
                ticket.incident_parking == "parked" and not ticket.incident_parked_date
            )
        )
        first = undecided[:1] if undecided[:1].id < self.id else self.browse()
        return (others - undecided)[:1] or first

    def _incident_join(self, other):
        """Close this ticket, and let its message be one of ``other``."""
        messages = self.sudo().message_ids.filtered(
            lambda message: message.message_type == "email"
        )
        files = messages.attachment_ids.filtered(
            lambda file: file.res_model == self._name and file.res_id == self.id
        )
        files.write({"res_id": other.id})
        messages.write(
            {
                "res_id": other.id,
                "subtype_id": self.env.ref("mail.mt_comment").id,
            }
        )
        self._incident_close(
            CANCELLED,
            self.env._(
                "Closed: the customer has written twice at the same moment, and the "
                "message is in ticket %(number)s.",
                number=other.number,
            ),
            duplicate_id=other.id,
        )
