from odoo.http import request

from odoo.addons.mail.controllers.thread import ThreadController

from ..models.access.mail_thread import COMMENT, DOCUMENTS


class PaidSupportThread(ThreadController):
    def _prepare_message_data(self, post_data, *, thread, **kwargs):
        """Override of `mail`, which lets the browser say what kind of message is
        written: of a customer's user it is no note for staff, and no e-mail."""
        data = super()._prepare_message_data(post_data, thread=thread, **kwargs)
        new = kwargs.get("from_create") and thread._name in DOCUMENTS
        if new and not request.env.user._is_internal():
            data.update(COMMENT)
        return data
