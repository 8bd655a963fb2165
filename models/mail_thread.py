from odoo import api, models

#: What programs that answer by themselves write into their mail, besides RFC 3834's
#: Auto-Submitted.
AUTOMATIC_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")
AUTOMATIC_PRECEDENCE = {"auto_reply", "bulk", "junk", "list"}


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        """Override to tell tickets that nobody has written this message (R11.3)."""
        automatic = self._incident_is_automatic(message)
        return super(
            MailThread, self.with_context(incident_automatic=automatic)
        )._message_route_process(message, message_dict, routes)

    @api.model
    def _incident_is_automatic(self, message):
        """Return whether a program has sent this e-mail by itself.

        :param email.message.EmailMessage message: as it came in.
        :rtype: bool
        """
        submitted = str(message.get("Auto-Submitted") or "no").split(";")[0]
        precedence = str(message.get("Precedence") or "")
        return (
            submitted.strip().lower() != "no"
            or precedence.strip().lower() in AUTOMATIC_PRECEDENCE
            or any(message.get(header) for header in AUTOMATIC_HEADERS)
        )
