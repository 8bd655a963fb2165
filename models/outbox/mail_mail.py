from odoo import models


class MailMail(models.Model):
    _inherit = "mail.mail"

    def send(self, auto_commit=False, raise_exception=False, post_send_callback=None):
        """Override for R3.6: no mail server is asked while an account is locked, nor
        before the row that says what to mail is gone. The mail is sent right after the
        commit; if the process ends before, the mail queue sends it. A failure is then
        shown in the mail, not raised."""
        context = self.env.context
        if (
            self
            and not context.get("incident_committed")
            and (
                context.get("incident_outbox")
                or self.env["helpdesk.incident.account"]._has_lock()
            )
        ):
            self.send_after_commit()
            return True
        return super().send(
            auto_commit=auto_commit,
            raise_exception=raise_exception,
            post_send_callback=post_send_callback,
        )

    def send_after_commit(self):
        """Override to tell :meth:`send`: in tests, Odoo does not wait for a commit."""
        mails = self.with_context(incident_committed=True)
        return super(MailMail, mails).send_after_commit()
