"""What follows the commit: printing, and mailing what is printed (R3.6); and what money
that has come settles (R10.2).

Printing takes seconds and needs a free worker of the server, because wkhtmltopdf
fetches the style sheets of a page from there. While an account is locked, all workers
may be waiting for it; then the printer would wait for them, and they for the printer.

So a transaction that has locked an account prints nothing. A row says what is to be
printed, and is committed with what it is about. The scheduled action, which is
triggered with it, prints and mails each in a transaction of its own, which deletes the
row. Killed at any moment, it is done afterwards, once.

What does not print goes before what does: it takes no time, and somebody may wait for
it.
"""

import json
import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.fields import Domain

#: How often in succession a row may lose to another transaction that works on its
#: document.
PATIENCE = 3
#: How many rows a run of the scheduled action looks at, before it is called again.
BATCH = 500
#: How often printing is tried, and how much longer to wait before each next try.
TRIES = 3
PAUSE = timedelta(minutes=5)
#: Keys of the present context that matter later, besides those that begin with
#: ``mail_``.
CONTEXT = ("allowed_company_ids", "lang", "tz")

_logger = logging.getLogger(__name__)


class Later(bytes):
    """Stands for a report in a message or mail until it is printed.

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
    _order = "prints, tries, id"

    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document", model_field="res_model", required=True, readonly=True
    )
    method = fields.Char(
        required=True,
        readonly=True,
        help="What prints and mails, or settles: a method of the document.",
    )
    prints = fields.Boolean(
        default=True,
        readonly=True,
        help="It takes seconds: what takes no time goes first.",
    )
    arguments = fields.Json(readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        readonly=True,
        ondelete="set null",
        help="Whose doing it is: the author of the mail.",
    )
    context = fields.Json(readonly=True)
    tries = fields.Integer(readonly=True, help="How often it was tried so far.")
    date_due = fields.Datetime(
        string="Not before", readonly=True, help="When it is to be tried again."
    )

    @api.model
    def _put(self, document, method, *, prints=True, **arguments):
        """Let a document print or mail something, or do something else, once this is
        committed.

        :param document: one record. Its environment is used later, except for the
            rights, which will be those of the superuser.
        :param str method: the name of a method of it.
        :param bool prints: whether it prints or mails.
        :param arguments: for the method, as JSON can write them (:meth:`_can_keep`).
        """
        document.ensure_one()
        if prints and hasattr(document, "_portal_ensure_token"):
            # The mail has a link with a token. Write the token now: the transaction
            # that prints must not write to the document, or others would wait for it.
            document._portal_ensure_token()
        self.sudo().create(
            {
                "res_model": document._name,
                "res_id": document.id,
                "method": method,
                "prints": prints,
                "arguments": arguments,
                "user_id": document.env.uid,
                "context": {
                    name: value
                    for name, value in document.env.context.items()
                    if (name in CONTEXT or name.startswith("mail_"))
                    and self._can_keep(value)
                },
            }
        )
        self._trigger()

    @api.model
    def _can_keep(self, value):
        """Return whether JSON can write a value.

        :rtype: bool
        """
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            return False
        return True

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
        """Do what waits, each in a transaction of its own (R3.6). It may run twice, on
        several workers at once, or be killed at any moment."""
        cron = self.env["ir.cron"]
        due = Domain("date_due", "=", False) | Domain(
            "date_due", "<=", fields.Datetime.now()
        )
        waiting = self.sudo().search(due, limit=BATCH)
        cron._commit_progress(remaining=self.sudo().search_count(due))
        for row in waiting:
            if not row._deliver():
                return

    def _deliver(self):
        """Print and mail this row, unless another worker does, and commit that.

        The try is counted and committed before: if printing kills the worker, it is not
        tried for ever.

        :return: the seconds that are left for others.
        :rtype: float
        """
        cron = self.env["ir.cron"]
        for _attempt in range(PATIENCE):
            try:
                self.try_lock_for_update()._count_try()
                cron._commit_progress()
                self.try_lock_for_update()._print()
                return cron._commit_progress(1)
            except (OperationalError, ConcurrencyError):
                # Another transaction has written to the document in the meantime.
                self.env.cr.rollback()
                self.try_lock_for_update()._count_try(-1)
                cron._commit_progress()
        self._trigger(fields.Datetime.now() + timedelta(minutes=1))
        return cron._commit_progress(1)

    def _count_try(self, number=1):
        for row in self:
            row.tries += number

    def _print(self):
        """Print and mail. What goes wrong is tried again later; after the last try, the
        history of the document says so."""
        for row in self:
            document = row._document()
            if document:
                error = row._error_of_printing(document)
                if error is not None and row.tries < TRIES:
                    row.date_due = fields.Datetime.now() + row.tries * PAUSE
                    row._trigger(row.date_due)
                    continue
                if error is not None:
                    row._note_failure(document, error)
            row.unlink()

    def _error_of_printing(self, document):
        """Print and mail, or undo everything.

        :return: what went wrong, None if nothing did.
        :rtype: Exception | None
        """
        if self.tries > TRIES:
            return RuntimeError(self.env._("the server was stopped each time"))
        try:
            with self.env.cr.savepoint():
                getattr(document, self.method)(**self.arguments or {})
        except (OperationalError, ConcurrencyError):
            raise
        except Exception as error:
            _logger.exception("%s: %s has failed", document, self.method)
            return error
        return None

    def _document(self):
        """Return the document, if it is still there, as :meth:`_put` got it."""
        context = {
            **(self.context or {}),
            "incident_outbox": True,
            "incident_last_try": self.tries >= TRIES,
        }
        user_id = self.user_id.id or SUPERUSER_ID
        env = self.env(user=user_id, context=context, su=True)
        if self.res_model not in env:
            _logger.warning("%s is no model any more: nothing is printed", self)
            return None
        return env[self.res_model].browse(self.res_id).exists()

    def _note_failure(self, document, error):
        if isinstance(document, self.env.registry["mail.thread"]):
            document._message_log(
                body=self.env._(
                    "This could not be printed and mailed: %(reason)s", reason=error
                )
                if self.prints
                else self.env._(
                    "What is open could not be settled from this: %(reason)s",
                    reason=error,
                )
            )
