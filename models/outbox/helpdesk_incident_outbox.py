"""What follows the commit: printing, and mailing what is printed (R3.6).

To print takes seconds, and a free worker of the server: wkhtmltopdf gets the style
sheets of a page from there. While an account is locked, as many requests as there are
workers may wait for it; then the printer would wait for them, and they for the printer.

So whoever has locked an account prints nothing. A row says what is to be printed, and
is committed with what it is about. The scheduled action, which is triggered with it,
prints and mails each in a transaction of its own, which deletes the row. Killed at any
moment, it is done afterwards, once.
"""

import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

#: How often in a row one gives way to somebody else who works on the document.
PATIENCE = 3
#: How often it is tried to print something.
TRIES = 3
#: What of the context of now matters later, besides what begins with ``mail_``.
CONTEXT = ("allowed_company_ids", "lang", "tz")

_logger = logging.getLogger(__name__)


class Later(bytes):
    """What a report comes to, once it is printed.

    :ivar report: the reference of the report.
    :ivar ids: the ids of its documents.
    """

    def __new__(cls, report, ids):
        later = super().__new__(cls)
        later.report, later.ids = report, ids
        return later


class HelpdeskIncidentOutbox(models.Model):
    _name = "helpdesk.incident.outbox"
    _description = "To Print and Mail"
    _order = "id"

    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document", model_field="res_model", required=True, readonly=True
    )
    method = fields.Char(
        required=True,
        readonly=True,
        help="What prints and mails: a method of the document.",
    )
    arguments = fields.Json(readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        required=True,
        readonly=True,
        ondelete="cascade",
        help="Whose doing it is: the author of the mail.",
    )
    context = fields.Json(readonly=True)
    tries = fields.Integer(readonly=True, help="How often that went wrong so far.")

    @api.model
    def _put(self, document, method, **arguments):
        """Let a document print or mail something, once this is committed.

        :param document: one record, in the environment that counts then, but for its
            rights: they will be those of the superuser.
        :param str method: the name of a method of it.
        :param arguments: for the method, as JSON can write them.
        """
        document.ensure_one()
        if hasattr(document, "_portal_ensure_token"):
            # The mail has a link. Whoever prints must not have written to the document:
            # others would wait for that.
            document._portal_ensure_token()
        context = document.env.context
        self.sudo().create(
            {
                "res_model": document._name,
                "res_id": document.id,
                "method": method,
                "arguments": arguments,
                "user_id": document.env.uid,
                "context": {
                    name: value
                    for name, value in context.items()
                    if name in CONTEXT or name.startswith("mail_")
                },
            }
        )
        self._trigger()

    @api.model
    def _trigger(self, at=None):
        """Let the scheduled action run soon, if there is one."""
        cron = self.env.ref(
            "helpdesk_paid_support.ir_cron_incident_print", raise_if_not_found=False
        )
        if cron:
            cron.sudo()._trigger(at)

    @api.model
    def _cron_print(self):
        """Print and mail what waits, each in a transaction of its own (R3.6). It may
        run twice, on several workers at once, or be killed at any moment."""
        cron = self.env["ir.cron"]
        waiting = self.sudo().search([])
        cron._commit_progress(remaining=len(waiting))
        for row in waiting:
            row._deliver()
            if not cron._commit_progress(1):
                return

    def _deliver(self):
        """Print and mail this row, unless another worker does, and commit that."""
        for _attempt in range(PATIENCE):
            try:
                self.try_lock_for_update()._print()
                self.env["ir.cron"]._commit_progress()
                return
            except (OperationalError, ConcurrencyError):
                # Somebody else has written to the document meanwhile.
                self.env.cr.rollback()
        self._trigger(fields.Datetime.now() + timedelta(minutes=1))

    def _print(self):
        """Print and mail. What goes wrong is tried again by the next runs, and told in
        the history of the document in the end."""
        for row in self:
            context = {**(row.context or {}), "incident_outbox": True}
            env = self.env(user=row.user_id.id, context=context, su=True)
            document = env[row.res_model].browse(row.res_id).exists()
            try:
                with self.env.cr.savepoint():
                    if document:
                        getattr(document, row.method)(**row.arguments or {})
            except (OperationalError, ConcurrencyError):
                raise
            except Exception as error:
                _logger.exception("%s could not be printed and mailed", document)
                if row.tries + 1 < TRIES:
                    row.tries += 1
                    continue
                row._note_failure(document, error)
            row.unlink()

    def _note_failure(self, document, error):
        if isinstance(document, self.env.registry["mail.thread"]):
            document._message_log(
                body=self.env._(
                    "This could not be printed and mailed to the customer: %(reason)s",
                    reason=error,
                )
            )
