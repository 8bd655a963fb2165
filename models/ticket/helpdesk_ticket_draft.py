"""What a customer has typed into the new-ticket form survives until it is submitted
(R11.2)."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: How many drafts of a user are kept, the last ones.
MAX_DRAFTS = 10
#: A longer form is shown once more, but not kept.
MAX_LENGTH = 1_000_000
#: A draft that nobody has gone on with for so many days is deleted.
KEPT_DAYS = 90


class HelpdeskTicketDraft(models.Model):
    """A form that could not be submitted yet. Only the user who has typed it gets it
    back, and only the methods here look for it."""

    _name = "helpdesk.ticket.draft"
    _description = "Ticket Not Submitted Yet"
    _order = "write_date desc, id desc"
    _rec_name = "subject"

    user_id = fields.Many2one(
        comodel_name="res.users",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    key = fields.Char(
        readonly=True,
        help="In which form it was typed first, as a digest: sent again, that is no "
        "other draft. Later forms name the draft.",
    )
    subject = fields.Char(readonly=True)
    form = fields.Json(
        required=True, readonly=True, help="Every field as it was sent: its values."
    )
    has_files = fields.Boolean(
        readonly=True, help="Files were chosen, which browsers do not keep."
    )
    transaction_id = fields.Many2one(
        comodel_name="payment.transaction",
        readonly=True,
        ondelete="set null",
        help="What pays for the incidents that the ticket takes.",
    )

    @api.model
    def _mine(self):
        """Return the drafts of the current user, the last one first.

        :return: records with superuser rights.
        """
        # Every page asks, and mostly there are none.
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id FROM helpdesk_ticket_draft WHERE user_id = %s
                 ORDER BY write_date DESC, id DESC
                """,
                self.env.uid,
                to_flush=[self._fields[name] for name in ("user_id", "write_date")],
            )
        )
        return self.sudo().browse([row[0] for row in rows])

    @api.model
    def _keep(self, form, draft, key=None, has_files=False):
        """Keep what the current user has typed.

        :param dict form: a list of texts for the name of each field.
        :param draft: which draft it was before; empty for a new one.
        :param str key: which form it was.
        :return: the draft, empty if the form is too long.
        """
        if sum(len(name) + sum(map(len, form[name])) for name in form) > MAX_LENGTH:
            return draft
        mine = self._mine()
        draft = (draft & mine) or mine.filtered(lambda kept: key and kept.key == key)
        values = {
            "subject": " ".join(form.get("subject", [""])[0].split()),
            "form": form,
            "has_files": has_files,
        }
        if draft:
            draft = draft[0]
            draft.write(values)
        else:
            draft = self.sudo().create({**values, "user_id": self.env.uid, "key": key})
            mine[MAX_DRAFTS - 1 :].unlink()
        return draft

    def _under_way(self):
        """Return the transaction that is not answered, or whose answer is not
        processed, once its provider was asked."""
        return self.transaction_id.filtered(
            lambda transaction: (
                transaction.state in ("pending", "authorized")
                or (transaction.state == "done" and not transaction.is_post_processed)
            )
        )[:1]

    def _begun(self):
        """Return the transactions that were written down, and whose provider was not
        asked: it was killed, or is just about to be."""
        return self.transaction_id.filtered(
            lambda transaction: transaction.state == "draft"
        )

    @api.autovacuum
    def _gc_drafts(self):
        """Delete what nobody has gone on with for long."""
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search(Domain("write_date", "<", limit)).unlink()
