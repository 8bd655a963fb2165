"""While an account is locked, nothing is printed and no other server is asked
(R3.6)."""

import json

from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def message_post_with_source(self, source_ref, **kwargs):
        """Override for R3.6: messages that print are posted after the commit.

        :return: the messages, without those that are posted after the commit.
        """
        if self._incident_print_later("message_post_with_source", source_ref, kwargs):
            return self.env["mail.message"]
        return super().message_post_with_source(source_ref, **kwargs)

    def message_mail_with_source(self, source_ref, **kwargs):
        """Override for R3.6, as :meth:`message_post_with_source`."""
        if self._incident_print_later("message_mail_with_source", source_ref, kwargs):
            return self.env["mail.mail"]
        return super().message_mail_with_source(source_ref, **kwargs)

    def _incident_print_later(self, method, source_ref, values):
        """If this transaction has locked an account, post after the commit what prints.

        :param str method: what prints it then.
        :param source_ref: what ``method`` is called with, besides ``values``.
        :return: whether it is posted later.
        :rtype: bool
        """
        if not self.env["helpdesk.incident.account"]._has_lock():
            return False
        template, _view = self._get_source_from_ref(source_ref)
        outbox = self.env["helpdesk.incident.outbox"]
        if (
            not template
            or not template._incident_prints_later()
            or not outbox._can_keep(values)
        ):
            return False
        self.check_access("read")
        for document in self:
            outbox._put(
                document,
                "_incident_print",
                by=method,
                template_id=template.id,
                values=values,
            )
        return True

    def _incident_print(self, by, template_id, values):
        """See :meth:`_incident_print_later`."""
        template = self.env["mail.template"].browse(template_id).exists()
        if template:
            getattr(self, by)(template, **values)

    def _web_push_send_notification(
        self, devices, private_key, public_key, payload_by_lang=None, payload=None
    ):
        """Override for R3.6: while an account is locked, the scheduled action notifies
        browsers, even if there are only few."""
        if not self.env["helpdesk.incident.account"]._has_lock():
            return super()._web_push_send_notification(
                devices,
                private_key,
                public_key,
                payload_by_lang=payload_by_lang,
                payload=payload,
            )
        self.env["mail.push"].sudo().create(
            [
                {
                    "mail_push_device_id": device.id,
                    "payload": json.dumps(
                        payload_by_lang[device.partner_id.lang]
                        if payload_by_lang
                        else payload
                    ),
                }
                for device in devices
            ]
        )
        self.env.ref("mail.ir_cron_web_push_notification")._trigger()
        return None
