from odoo import api, models
from odoo.fields import Domain

from .mail_thread import DOCUMENTS, POSTING

#: Models whose internal notes name incidents, charges and balances.
NOTED = ("helpdesk.ticket", "helpdesk.incident.subscription")
#: What customers' users may change of their own messages.
WORDS = {"body", "subject"}


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Override of `mail` for R11.6: documents look for their messages without
        regard to rights (``bypass_search_access``), so that a condition on
        ``message_ids.body`` would ask for the words of internal notes. Customers' users
        find what they may read, whatever path has led here.
        """
        if bypass_access and not (self.env.su or self.env.user._is_internal()):
            bypass_access = not self.browse().has_access("read")
            if bypass_access:  # who is not logged in finds none
                domain = Domain.FALSE
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    def _get_forbidden_access(self, operation):
        """Override of `mail` for R11.6, as to the users of customers: internal notes of
        tickets name incidents, charges and balances. Odoo hides them from portal users
        in lists, but lets followers of the ticket read those that are no comments by
        their ids. What they write to a document is a comment of their own; Odoo lets
        whoever is told of a message change it.
        """
        forbidden = super()._get_forbidden_access(operation)
        if self.env.user._is_internal():
            return forbidden
        allowed = (self - forbidden).sudo()
        if operation == "read":
            refused = allowed.filtered(
                lambda message: message.model in NOTED and message._incident_is_note()
            )
        else:
            refused = allowed.filtered(
                lambda message: (
                    message.model in DOCUMENTS
                    and not message._incident_is_own(operation)
                )
            )
        return forbidden | refused.with_env(self.env)

    def _incident_is_note(self):
        """Return whether this message is for the staff alone."""
        return self.is_internal or not self.subtype_id or bool(self.subtype_id.internal)

    def _incident_is_own(self, operation):
        """Return whether this message is one that the user may write, as itself. A new
        one comes by ``message_post``: Odoo lets whoever is told of a message answer it
        on any document."""
        if operation == "create":
            return (
                self.env.context.get("incident_posting") is POSTING
                and self.message_type == "comment"
                and not self._incident_is_note()
            )
        return self.author_id == self.env.user.partner_id

    def write(self, vals):
        """Override of `mail` for R11.6: what a customer's user has said stays a comment
        of its own, of that day; it may mend its words."""
        if not (self.env.su or self.env.user._is_internal()) and vals.keys() - WORDS:
            self.check_access("write")
            others = self.sudo().filtered(lambda message: message.model in DOCUMENTS)
            if others:
                raise others.with_env(self.env)._make_access_error("write")
        return super().write(vals)

    def export_data(self, fields_to_export):
        """Override, as `mail` does for ``read``: fields of messages are fetched with
        all rights (R2.3)."""
        self.check_access("read")
        return super().export_data(fields_to_export)
