from odoo import models


class MailTemplate(models.Model):
    _inherit = "mail.template"

    def send_mail(
        self,
        res_id,
        force_send=False,
        raise_exception=False,
        email_values=None,
        email_layout_xmlid=False,
    ):
        """Override for R3.6: while an account is locked nothing is printed.

        :return: the id of the mail; False if it is made after the commit.
        """
        if not self._incident_prints_later():
            return super().send_mail(
                res_id,
                force_send=force_send,
                raise_exception=raise_exception,
                email_values=email_values,
                email_layout_xmlid=email_layout_xmlid,
            )
        self._send_check_access([res_id])
        self.env["helpdesk.incident.outbox"]._put(
            self,
            "_incident_send_printed",
            res_id=res_id,
            force_send=force_send,
            raise_exception=raise_exception,
            email_values=email_values,
            email_layout_xmlid=email_layout_xmlid,
        )
        return False

    def _incident_prints_later(self):
        """Return whether a mail by this template has to wait for the commit: it prints,
        and this transaction has locked an account."""
        return bool(
            self.env["helpdesk.incident.account"]._has_lock()
            and self.sudo().report_template_ids
        )

    def _incident_send_printed(self, res_id, **values):
        """See :meth:`send_mail`."""
        if self.env[self.model].browse(res_id).exists():
            self.send_mail(res_id, **values)
