from odoo import models


class MailMessage(models.Model):
    _inherit = "mail.message"

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
                    message.model == "helpdesk.ticket"
                    and (
                        message.is_internal
                        or not message.subtype_id
                        or message.subtype_id.internal
                    )
                )
            )
        )
        return forbidden | notes.with_env(self.env)
