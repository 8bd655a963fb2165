import json

from odoo import api, models

#: What programs that answer by themselves write into their mail, besides RFC 3834's
#: Auto-Submitted.
AUTO_REPLY_HEADERS = ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

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

    # ------------------------------------------------------------------
    # Nothing is printed, or asked of others, under a lock (R3.6)
    # ------------------------------------------------------------------

    def message_post_with_source(self, source_ref, **kwargs):
        """Override for R3.6: what prints follows the commit.

        :return: the messages; none of what follows.
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
        """Let what prints follow the commit, if this transaction has locked an account.

        :param str method: what prints it then.
        :param source_ref: what ``method`` is called with, besides ``values``.
        :return: whether it follows.
        :rtype: bool
        """
        if not self.env["helpdesk.incident.account"]._has_lock():
            return False
        template, _view = self._get_source_from_ref(source_ref)
        if not template or not template._incident_prints_later():
            return False
        for document in self:
            self.env["helpdesk.incident.outbox"]._put(
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
        """Override for R3.6: while an account is locked, browsers are told by the
        scheduled action, however few they are."""
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
