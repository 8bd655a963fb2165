"""A form of the client area makes one ticket, however often it is sent (R4.7)."""

import json
from hashlib import sha256

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED

#: How many characters of a ticket's ``incident_form`` say which form it was.
KEY = 32


class SentForm:
    """In the context, as ``incident_form``: the form by which a ticket is submitted. An
    object cannot come in over RPC."""

    def __init__(self, user, token, content):
        """
        :param user: who has sent it: a token is worth nothing to anybody else.
        :param str token: what makes a form one and the same.
        :param content: what was typed, as JSON can say it.
        """
        self.key = self._digest([user.id, token])
        self.content = self._digest(content)

    @staticmethod
    def _digest(value):
        text = json.dumps(value, sort_keys=True)
        return sha256(text.encode(errors="surrogatepass")).hexdigest()[:KEY]


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.protected"]

    incident_form = fields.Char(
        string="Form",
        groups=INCIDENT_READERS,
        help="Which form of the client area has opened the ticket, and what it said, "
        "as digests: sent again, it opens no other ticket.",
        **REMEMBERED,
    )

    _incident_form_idx = models.UniqueIndex(
        f"(LEFT(incident_form, {KEY})) WHERE incident_form IS NOT NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to note by which form a ticket is submitted."""
        tickets = super().create(vals_list)
        form = self.env.context.get("incident_form")
        if isinstance(form, SentForm) and tickets:
            tickets[0]._incident_note_form(form)
        return tickets

    def _incident_note_form(self, form):
        """
        :raise ConcurrencyError: if it has opened another ticket meanwhile: tried again,
            the request finds that.
        """
        self.flush_recordset()
        try:
            self.env.cr.execute(
                SQL(
                    "UPDATE helpdesk_ticket SET incident_form = %s WHERE id = %s",
                    form.key + form.content,
                    self.id,
                ),
                # The losing transaction is retried; this is no error.
                log_exceptions=False,
            )
        except UniqueViolation as error:
            raise ConcurrencyError(str(error)) from error
        self.invalidate_recordset(["incident_form"], flush=False)

    @api.model
    def _incident_of_form(self, form):
        """Return the ticket that this form has opened, with superuser rights, and
        whether the form said the same then.

        :param SentForm form: as it is sent now; None for one without a token, which has
            opened nothing.
        :rtype: tuple[recordset, bool]
        """
        tickets = self.sudo().with_context(active_test=False)
        if not form:
            return tickets.browse(), False
        tickets.flush_model(["incident_form"])
        # As the index has it.
        rows = self.env.execute_query(
            SQL(
                "SELECT id FROM helpdesk_ticket WHERE LEFT(incident_form, %s) = %s "
                "AND incident_form IS NOT NULL",
                SQL(str(KEY)),
                form.key,
            )
        )
        ticket = tickets.browse([ticket_id for (ticket_id,) in rows])
        return ticket, ticket.incident_form == form.key + form.content
