from odoo import api, models
from odoo.fields import Domain

#: What programs that answer by themselves write into their mail, besides RFC 3834's
#: Auto-Submitted.
AUTO_REPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _search_message_partner_ids(self, operator, operand):
        """Override of `mail`, which looks for followers with all rights: what is asked
        of them is answered with those of who asks (R2.3)."""
        if isinstance(operand, Domain) and not self.env.su:
            operand = self.env["res.partner"]._search(operand, active_test=False)
        return super()._search_message_partner_ids(operator, operand)

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        """Override to tell tickets that nobody has written this message (R11.3)."""
        auto_reply = self._incident_is_auto_reply(message)
        return super(
            MailThread, self.with_context(incident_auto_reply=auto_reply)
        )._message_route_process(message, message_dict, routes)

    @api.model
    def _incident_is_auto_reply(self, message):
        """Return whether a program has sent this e-mail in answer to another one, as
        whoever is away lets it do. A report that a program has sent by itself
        (“auto-generated”) is none, nor is a mailing list.

        :param email.message.EmailMessage message: as it came in.
        :rtype: bool
        """

        def says(header):
            return str(message.get(header) or "").strip().lower()

        return (
            says("Auto-Submitted").startswith("auto-replied")
            or says("Precedence") == "auto_reply"
            or any(says(header) not in ("", "no") for header in AUTO_REPLY_HEADERS)
        )
