"""How reminders are sent (R13.2)."""

import logging

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

from ..mails import LAYOUT, MAIL_FIELDS, as_note

_logger = logging.getLogger(__name__)

#: How many are sent at once: each batch is a transaction.
BATCH = 100


class HelpdeskIncidentReminder(models.Model):
    _inherit = "helpdesk.incident.reminder"

    @api.model
    def _cron_remind(self):
        """Find what is to be told, and tell it (R13.2).

        It may run twice, on several workers at once, or be killed at any moment: the
        mail in the queue and the note that it was written are committed together.
        """
        cron = self.env["ir.cron"]
        try:
            self._note_occasions()
            cron._commit_progress()
        except (OperationalError, ConcurrencyError):
            # Another worker has just noted the same.
            self.env.cr.rollback()
        while True:
            reminders = self.sudo().search(
                [("state", "=", "waiting")], order="id", limit=BATCH
            )
            reminders = reminders.try_lock_for_update()
            reminders._send()
            remaining = int(len(reminders) == BATCH)
            if not cron._commit_progress(len(reminders), remaining=remaining):
                return
            if not remaining:
                return

    def _send(self):
        """Send each by the template of its kind; if one fails, the others are sent all
        the same."""
        for reminder in self.filtered(lambda reminder: reminder.state == "waiting"):
            if not reminder._is_still_due():
                reminder.state = "armed"
                continue
            try:
                with self.env.cr.savepoint():
                    reminder._send_mail()
                reminder.write({"state": "sent", "date_sent": fields.Datetime.now()})
            except (OperationalError, ConcurrencyError):
                raise
            except Exception:
                _logger.exception("%s could not be sent", reminder)
                reminder.state = "failed"

    def _is_still_due(self):
        """Return whether there is still something to tell: the customer may have acted
        in between, or be archived, and is asked for nothing then (R9.7)."""
        if not self.partner_id.active:
            return False
        if self.kind == "taken":
            return bool(self._taken())
        if self.kind == "ends":
            return self.subscription_id.date_end == self.day
        if self.kind == "failed":
            return self.subscription_id.renewal_problem == self.reason
        if self.kind in ("topup_failed", "topup_limit"):
            return self.topup_id.problem == self.reason
        if self.kind == "topup_stopped":
            return not self.topup_id.is_on
        ticket = self.ticket_id
        if ticket and ticket._incident_account() != self.account_id:
            return False  # it belongs to another customer now
        if self.kind in ("parked", "still_parked"):
            return ticket.incident_parking == "parked"
        if self.kind == "ordered":
            return self.order_id.state in ("draft", "sent")
        if self.kind in ("released", "continued"):
            return bool(ticket.incident_count)
        if self.kind == "proposed":
            return self.proposal_id._state_now() == "open"
        if self.kind == "returned":
            return ticket.incident_is_free
        return True

    def _send_mail(self):
        """Send the mail in the language of its recipient; the history of the
        subscription or the ticket shows it.

        :raise UserError: if the template was deleted or archived.
        """
        self.ensure_one()
        template = self.env.ref(
            f"helpdesk_paid_support.mail_template_incident_{self.kind}",
            raise_if_not_found=False,
        )
        if not template or not template.active:
            raise UserError(self.env._("There is no mail template for this."))
        document = self.ticket_id or self.subscription_id
        if not document:
            template.send_mail(self.id, email_layout_xmlid=LAYOUT)
            return
        values = template._generate_template(
            self.ids, MAIL_FIELDS, find_or_create_partners=True
        )[self.id]
        # Followers of a ticket can belong to other customers (R11.6): it is a note.
        document.message_post(
            **as_note(values),
            attachments=values.get("attachments"),
            attachment_ids=values.get("attachment_ids"),
        )
