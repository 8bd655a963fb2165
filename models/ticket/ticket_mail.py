"""Tickets that come by e-mail (R4.4, R11.3)."""

import logging
import re

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, models
from odoo.fields import Domain
from odoo.tools import email_normalize, escape_psql

from .helpdesk_ticket import NOTHING
from .ticket_parking import MAX_ANSWERS, QUIET

_logger = logging.getLogger(__name__)

#: In the context, as ``incident_arrived``: this ticket has just come by e-mail, and its
#: message is being posted. An object cannot come in over RPC.
ARRIVED = object()
#: What can be the number of a ticket in a subject: a word; of digits alone only where
#: that is said, as in "[12]" or "#12".
NUMBER = re.compile(
    r"""\[\s*(\d+)\s*\] | \#\s*(\d+)(?!\w) | ([^\s\[\](){}<>:;,.!?#"'“”„«»]+)""",
    re.VERBOSE,
)
#: No subject that somebody has written is longer.
MAX_SUBJECT = 1000


def numbers_in(subject):
    """Return what may be numbers of tickets in the subject of a message, in order.

    :param str subject: as it came in, None if it has none.
    :rtype: list[str]
    """
    found = []
    for bracketed, hashed, word in NUMBER.findall((subject or "")[:MAX_SUBJECT]):
        if not word.isdecimal():
            found += [bracketed or hashed or word, word.upper()]
    return found


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Override for R11.3: e-mail never fails for want of incidents. A ticket of a
        paid team is parked at first, which needs no lock; the deduction is tried when
        its message has been posted. Of whom it is unclear who has written, the ticket
        is nobody's, and shown to nobody, until staff set the customer."""
        quiet = self.with_context(incident_at_submission=NOTHING)
        ticket = (
            super(HelpdeskTicket, quiet)
            .message_new(msg_dict, self._incident_mail_values(custom_values))
            .with_env(self.env)
        )
        if not ticket.partner_id:
            followers = ticket.sudo().message_partner_ids.filtered("partner_share")
            ticket.sudo().message_unsubscribe(followers.ids)
            ticket._incident_log_sender(msg_dict)
        if not ticket._incident_required() or self._incident_from_staff(msg_dict):
            return ticket
        ticket._incident_remember(incident_parking="parked")
        return ticket.with_context(incident_arrived=ARRIVED)

    @api.model
    def _incident_mail_values(self, custom_values):
        """Return the values of a ticket that comes by e-mail."""
        values = {
            name: value
            for name, value in (custom_values or {}).items()
            # An alias cannot say what follows from the ledger: it would be refused.
            if not name.startswith("incident_")
        }
        if not self.env.user._is_internal() or self.env.uid == SUPERUSER_ID:
            # helpdesk_mgmt would assign the ticket to its customer, or to OdooBot.
            values.setdefault("user_id", False)
        return values

    def message_post(self, **kwargs):
        """Override for R11.3: the message that has opened this ticket is safe now."""
        message = super().message_post(**kwargs)
        if self.env.context.get("incident_arrived") is ARRIVED:
            self.sudo().with_context(incident_arrived=None)._incident_admit_safely()
        return message

    def _partner_find_from_emails(
        self,
        records_emails,
        avoid_alias=True,
        ban_emails=None,
        filter_found=None,
        additional_values=None,
        no_create=False,
    ):
        """Override of `mail` for R11.3: who writes in a ticket, or is told of it, is
        whose the address is, not who says so. For an address that is unclear staff
        who answer make a contact, by which no customer sees anything."""
        contacts = self.env["res.partner"]
        found = {}
        for ticket, emails in records_emails.items():
            addresses = {e: email_normalize(e, strict=False) for e in emails}
            banned = {False, *(ban_emails or ())}
            if avoid_alias:
                domains = self.env["mail.alias.domain"].sudo()
                banned.update(domains._find_aliases(list(addresses.values())))
            owners = contacts._incident_email_owners(
                set(addresses.values()) - banned,
                ticket.sudo().company_id or self.env.company,
            )
            own = contacts.union(
                *(owners.get(address, contacts) for address in addresses.values())
            )._filtered_access("read")
            found[ticket.id] = own.filtered(filter_found) if filter_found else own
            if no_create:
                continue
            unclear = [e for e, address in addresses.items() if not owners.get(address)]
            found[ticket.id] |= super(HelpdeskTicket, ticket)._partner_find_from_emails(
                {ticket: unclear},
                avoid_alias=avoid_alias,
                ban_emails=ban_emails,
                filter_found=lambda contact: (
                    contact._incident_is_alone()
                    and (not filter_found or filter_found(contact))
                ),
                additional_values=additional_values,
            )[ticket.id]
        return found

    def _incident_log_sender(self, msg_dict):
        """Say for staff why it is unclear who has written this ticket (R11.3)."""
        notes = []
        if self.env.context.get("incident_auto_reply"):
            notes.append(self.env._("This is an automatic message; no answer is sent."))
        address = email_normalize(msg_dict.get("email_from"), strict=False)
        contacts = address and self.env["res.partner"]._incident_with_email(
            {address}, self.company_id
        )
        if contacts:
            notes.append(
                self.env._("Contacts with the address %(email)s:", email=address)
            )
        for contact in contacts or ():
            proof = contact._incident_email_proof(address)
            notes.append(
                contact.display_name
                if proof
                else self.env._(
                    "%(contact)s (address typed by the customer or taken from an "
                    "e-mail, not verified)",
                    contact=contact.display_name,
                )
            )
        if notes:
            self.sudo()._message_log(body=Markup("<br>").join(notes))

    @api.model
    def _incident_named_in(self, subject, author, company):
        """Return the ticket whose number a message has in its subject: it is a reply,
        though what says so in the headers was lost on the way (R11.3). Nobody replies
        to a ticket of another customer by that.

        :param str subject: of the message.
        :param author: whose the address of the sender is, empty if that is unclear.
        :param company: to which it was written.
        """
        customer = author.commercial_partner_id
        numbers = numbers_in(subject) if customer and author.partner_share else []
        tickets = self.sudo().with_context(active_test=False)
        if not numbers:
            return tickets.browse()
        named = tickets.search(
            Domain("number", "in", numbers)
            & Domain("commercial_partner_id", "=", customer.id)
        ).filtered(lambda ticket: ticket.company_id._incident_is_one_with(company))
        return named.sorted(lambda ticket: numbers.index(ticket.number))[:1]

    @api.model
    def _incident_from_staff(self, msg_dict):
        """Return whether the sender of an e-mail is an internal user (R4.4)."""
        author = self.env["res.partner"].sudo().browse(msg_dict.get("author_id"))
        return any(user._is_internal() for user in author.user_ids)

    @api.model
    def _detect_loop_sender_domain(self, email_from_normalized):
        """Override of `mail`, which cannot tell who has opened tickets: whoever opens
        too many paid ones by e-mail is a machine."""
        address = escape_psql(email_from_normalized)
        sender = Domain("email_from", "=ilike", address) | Domain(
            "email_from", "=ilike", f"%<{address}>"
        )
        return list(
            Domain("team_id.incident_required", "=", True)
            & Domain(
                "message_ids", "any", Domain("message_type", "=", "email") & sender
            )
        )

    def _track_template(self, changes):
        """Override: who is away is not answered by the mail of the stage (R11.3)."""
        templates = super()._track_template(changes)
        if self.env.context.get("incident_auto_reply"):
            templates.pop("stage_id", None)
        return templates

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_admit_safely(self):
        """Try to deduct for a ticket that has come by e-mail. Nothing that goes wrong
        reaches the gateway: the message would be lost. It is tried again soon."""
        self.env.flush_all()
        try:
            self._incident_keep_quiet()
            with self.env.cr.savepoint():
                self._incident_admit()
        # Even a concurrent update: nobody tries the message again.
        except Exception:
            _logger.info("%s waits to be looked at again", self, exc_info=True)
            self._incident_trigger_parked()

    def _incident_keep_quiet(self):
        """Say in the history that the customer is told of this ticket later, and write
        no mail of the stage either, if he was told of too many today."""
        account = self._incident_account()
        if (
            not account
            or account.available >= self._incident_required()
            or self._incident_may_tell(account)
        ):
            return
        # Read when what was just created is told: with the next savepoint.
        self.env.cr.precommit.data.setdefault(QUIET, set()).add(self.id)
        self._message_log(
            body=self.env._(
                "Waiting for support incidents. The customer was told of %(limit)s "
                "tickets today, and is told of this one later.",
                limit=MAX_ANSWERS,
            )
        )

    def _incident_twin(self):
        """Return the ticket that the same e-mail has opened in the same team: two
        servers may fetch it at the same moment, and neither sees what the other does.

        It is the one that has been decided on, or else the first one. Once the customer
        was told of a ticket, it is no twin any more: it may have been moved since.
        """
        if self.incident_parked_date:
            return self.browse()
        messages = self.env["mail.message"].sudo()
        opening = Domain("model", "=", self._name) & Domain(
            "message_type", "=", "email"
        )
        mine = messages.search(
            opening & Domain("res_id", "=", self.id), order="id", limit=1
        )
        if not mine.message_id:
            return self.browse()
        same = messages.search(opening & Domain("message_id", "=", mine.message_id))
        twins = self.browse(same.mapped("res_id")).exists().sorted("id") - self
        # To two teams in one e-mail: that is two tickets.
        twins = twins.filtered(lambda ticket: ticket.team_id == self.team_id)
        decided = twins.filtered(
            lambda ticket: (
                ticket.incident_parking != "parked" or ticket.incident_parked_date
            )
        )
        first = twins[:1] if twins[:1].id < self.id else self.browse()
        return decided[:1] or first
