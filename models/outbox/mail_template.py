from odoo import models


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def send_mail(self, res_id, **values):
        """Override for R3.6: see :meth:`send_mail_batch`.

        :return: the id of the mail; False if it is made after the commit.
        """
        if not self._incident_prints_later():
            return super().send_mail(res_id, **values)
        return self.send_mail_batch([res_id], **values)[:1].id

    def send_mail_batch(self, res_ids, **values):
        """Override for R3.6: while an account is locked nothing is printed.

        :return: the mails; none of those that are made after the commit.
        """
        if not self._incident_prints_later():
            return super().send_mail_batch(res_ids, **values)
        self._send_check_access(res_ids)
        for document in self.env[self.model].browse(res_ids):
            self.env["helpdesk.incident.outbox"]._put(
                document, "_incident_mail_printed", template_id=self.id, **values
            )
        return self.env["mail.mail"]

    def _incident_prints_later(self):
        """Return whether a mail by this template has to wait for the commit: it prints,
        and this transaction has locked an account."""
        return bool(
            self.env["helpdesk.incident.account"]._has_lock()
            and self.sudo().report_template_ids
        )


class Base(models.AbstractModel):
    _inherit = "base"

    def _incident_mail_printed(self, template_id, **values):
        """Mail this document by a template that prints: see
        :meth:`MailTemplate.send_mail_batch`."""
        template = self.env["mail.template"].browse(template_id).exists()
        if template:
            template.send_mail_batch(self.ids, **values)
