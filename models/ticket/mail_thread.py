import re

from odoo import api, models
from odoo.tools import email_normalize, email_split

#: What programs that answer by themselves write into their mail, besides RFC 3834's
#: Auto-Submitted. Not X-Auto-Response-Suppress, which is about answers to the mail.
AUTO_REPLY_HEADERS = (
    "X-Auto-Reply",
    "X-Autoreply",
    "X-Autoreply-From",
    "X-Autorespond",
    "X-Mail-Autoreply",
)
#: Where some of them write "auto_reply".
PRECEDENCE_HEADERS = ("Precedence", "X-Precedence", "Preference")

#: No name is that long: whoever sends a longer header wants it to be misread, or to
#: take time.
MAX_SENDER = 1000

#: What is a name or a comment in a header, though it may look like an address.
COMMENT = r"\([^()]*\)"
QUOTED = rf'"(?:[^"\\]|\\.)*"|{COMMENT}'


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        """Override for R11.3: tickets know whose the addresses of this message are, and
        whether nobody has written it."""
        auto_reply = self._incident_is_auto_reply(message)
        process = super(
            MailThread, self.with_context(incident_auto_reply=auto_reply)
        )._message_route_process
        if not any(route[0] == "helpdesk.ticket" for route in routes or ()):
            return process(message, message_dict, routes)
        # To each ticket its own: an address can be another's in another company.
        thread_id, answered = False, set()
        for route in routes:
            values, own_route = dict(message_dict), route
            if route[0] == "helpdesk.ticket":
                values, own_route = self._incident_certain(
                    message, values, route, auto_reply
                )
                # A reply to several teams is one message.
                if own_route[1] and own_route[1] in answered:
                    continue
                # What Odoo took for a reply, and opens a ticket, may be a machine's.
                opens = route[1] and not own_route[1]
                if opens and self._detect_loop_sender(message, values, [own_route]):
                    continue
            thread_id = process(message, values, [own_route])
            answered.add(thread_id)
        return thread_id

    @api.model
    def _incident_certain(self, message, message_dict, route, auto_reply):
        """Return the message and the route to a ticket with the contacts whose the
        addresses are. Odoo has chosen contacts that have them, whoever says so.

        :param email.message.EmailMessage message: as it came in.
        :param dict message_dict: what Odoo has read from it.
        :param tuple route: as from ``message_route``.
        :param bool auto_reply: whether a program has sent it in answer to another one:
            to a paid team, it is a message from nobody then.
        """
        model, thread_id, custom_values, _user_id, alias = route
        ticket = self.env[model].sudo().browse(thread_id or ())
        team = ticket.team_id.browse((custom_values or {}).get("team_id", ()))
        if team.company_id:
            ticket = ticket.with_company(team.company_id)
        author = ticket._partner_find_from_emails_single(
            self._incident_senders(message, message_dict), no_create=True
        )
        of_staff = author and not author.partner_share
        if not ticket:
            ticket = ticket._incident_named_in(
                message_dict["subject"], author, team.company_id or self.env.company
            )
            thread_id = ticket.id
        if ticket and not (of_staff or auto_reply):
            last = ticket._incident_last(author, message_dict["email_from"])
            message_dict = last._incident_own_reply(message_dict, ticket)
            ticket = last
            if last._incident_closed_long_ago():
                custom_values, alias = last._incident_reply_values(), None
                ticket = last.browse().with_company(last.company_id)
            thread_id = ticket.id
        paid = ticket.new({"team_id": team.id})._incident_required()
        if auto_reply and not ticket and paid and not of_staff:
            author = author.browse()
            custom_values = {**custom_values, "partner_id": False}
        recipients = ticket._partner_find_from_emails_single(
            email_split(message_dict["recipients"]), no_create=True
        )
        user = author.main_user_id or self.env.user
        return (
            {**message_dict, "author_id": author.id, "partner_ids": recipients.ids},
            (model, thread_id, custom_values, user.id, alias),
        )

    @api.model
    def _incident_senders(self, message, message_dict):
        """Return the address of the sender. There is none where the header names others
        besides: mail servers may have looked at one of those; nor where it is longer
        than ``MAX_SENDER`` characters.

        :rtype: list[str]
        """
        header = " ".join(v for k, v in message.raw_items() if k.lower() == "from")
        if len(header) > MAX_SENDER:
            return []
        header = header.encode(errors="surrogateescape").decode(errors="replace")
        words = re.split(r'[\s<>,;:"()]+', re.sub(QUOTED, "", header))
        named = {email_normalize(word) for word in words if "@" in word.strip("@")}
        sender = email_normalize(message_dict["email_from"], strict=False)
        return [] if named - {sender} else [sender]

    @api.model
    def _incident_is_auto_reply(self, message):
        """Return whether a program has sent this e-mail in answer to another one, as
        whoever is away lets it do. A report that a program has sent by itself
        (“auto-generated”) is none, nor is a mailing list.

        :param email.message.EmailMessage message: as it came in.
        :rtype: bool
        """

        def says(*headers):
            """Return what each of these headers says, without comments."""
            return {
                re.sub(COMMENT, "", str(value)).strip().lower()
                for header in headers
                for value in message.get_all(header, ())
            }

        return (
            any(word.startswith("auto-replied") for word in says("Auto-Submitted"))
            or "auto_reply" in says(*PRECEDENCE_HEADERS)
            or "reply" in says("X-Autogenerated")
            or bool(says(*AUTO_REPLY_HEADERS) - {"", "no"})
        )
