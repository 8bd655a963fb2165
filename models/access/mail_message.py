from odoo import api, models

#: Whose internal notes name incidents, charges and balances.
NOTED = ("helpdesk.ticket", "helpdesk.incident.subscription")


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Override of `mail` for R11.6: documents look for their messages without
        regard to rights (``bypass_search_access``), so that a condition on
        ``message_ids.body`` would ask for the words of internal notes. Customers' users
        find what they may read, whatever path has led here.
        """
        bypass_access = bypass_access and self.env.user._is_internal()
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    def _get_forbidden_access(self, operation):
        """Override of `mail` for R11.6: internal notes of tickets name incidents,
        charges and balances. Odoo hides them from portal users in lists, but lets
        followers of the ticket read those that are no comments by their ids."""
        forbidden = super()._get_forbidden_access(operation)
        if operation != "read" or self.env.user._is_internal():
            return forbidden
        notes = (
            (self - forbidden)
            .sudo()
            .filtered(
                lambda message: (
                    message.model in NOTED
                    and (
                        message.is_internal
                        or not message.subtype_id
                        or message.subtype_id.internal
                    )
                )
            )
        )
        return forbidden | notes.with_env(self.env)

    def export_data(self, fields_to_export):
        """Override, as `mail` does for ``read``: fields of messages are fetched with
        all rights (R2.3)."""
        self.check_access("read")
        return super().export_data(fields_to_export)
