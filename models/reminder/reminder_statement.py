"""The statement of each month by e-mail, for contacts who have asked for it (R22.3)."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..groups import INCIDENT_READERS

#: On how many days of a month the statement of the last one is sent: whoever asks for
#: it later gets it from the next month on.
DAYS = 7
#: How many entries a mail lists; it leads to all of them.
LINES = 50


class ResPartner(models.Model):
    _inherit = "res.partner"

    incident_statement_by_mail = fields.Boolean(
        string="Statement of incidents by e-mail",
        copy=False,
        groups=INCIDENT_READERS,
        help="This contact gets the statement of support incidents of the customer at "
        "the beginning of each month. Customers choose it in the client area.",
    )


class HelpdeskIncidentReminder(models.Model):
    _inherit = "helpdesk.incident.reminder"

    statement = fields.Html(
        compute="_compute_statement",
        sanitize=False,
        groups="base.group_system",
        help="The entries of the month, and what they sum to.",
    )

    @api.model
    def _note_statements(self, company, today):
        """Note who gets the statement of the last month: each contact once for each
        account; of one in which nothing has ever happened there is none."""
        if today.day > DAYS:
            return
        last = today.replace(day=1) - timedelta(days=1)
        contacts = SQL(
            """
            SELECT a.id AS account_id, p.id AS contact_id
              FROM res_partner p
              JOIN helpdesk_incident_account a
                ON a.partner_id = p.commercial_partner_id
             WHERE p.incident_statement_by_mail AND p.active AND a.company_id = %s
               AND EXISTS (SELECT FROM helpdesk_incident_entry e
                            WHERE e.account_id = a.id AND e.date <= %s)
            """,
            company.id,
            last,
        )
        self.env["res.partner"].flush_model()
        rows = self.env.execute_query(contacts)
        account_ids = sorted({account_id for account_id, _contact_id in rows})
        self.env["helpdesk.incident.account"].sudo().browse(account_ids)._catch_up()
        self._insert(
            SQL(
                """
                SELECT 'statement', c.account_id || ':' || c.contact_id || ':' || %s,
                       c.account_id, NULL::int4, NULL::int4, NULL::int4, NULL,
                       %s::date, 0, 'waiting', 0
                  FROM (%s) c
                """,
                f"{last:%Y-%m}",
                last,
                contacts,
            )
        )

    def _statement_contact(self):
        """Return the contact who has asked for this statement."""
        _account, _colon, rest = self.key.partition(":")
        contact_id, _colon, _month = rest.partition(":")
        contacts = self.env["res.partner"]
        return contacts.browse(contact_id.isdigit() and int(contact_id)).exists()

    def _compute_recipient_id(self):
        """Override: who has asked for it."""
        res = super()._compute_recipient_id()
        for reminder in self.filtered(lambda r: r.kind == "statement"):
            contact = reminder.sudo()._statement_contact()
            if contact:
                reminder.recipient_id = contact
                reminder.recipients = str(contact.id)
        return res

    def _is_still_due(self):
        """Override: not for who wants it no more, or belongs to another customer."""
        if self.kind == "statement":
            contact = self._statement_contact()
            if not (
                contact.active
                and contact.email
                and contact.incident_statement_by_mail
                and contact.commercial_partner_id == self.partner_id
            ):
                return False
        return super()._is_still_due()

    @api.depends_context("lang")
    def _compute_statement(self):
        for reminder in self.sudo():
            reminder.statement = (
                reminder.kind == "statement" and reminder._statement_html()
            )

    def _statement_html(self):
        """Return the statement of the month of this reminder, in the language of the
        context."""
        account, last = self.account_id, self.day
        first = last.replace(day=1)
        listed = account._statement_filter(since=first, until=last)
        count = account._statement_count(listed)
        return self.env["ir.qweb"]._render(
            "helpdesk_paid_support.mail_incident_statement",
            {
                # The oldest first: the balances before and after stand around them.
                "lines": account._statement(listed, limit=LINES)[::-1],
                "more": max(count - LINES, 0),
                "figures": account._statement_figures(first, last),
                "word": account._statement_word,
                "first": first,
                "last": last,
            },
        )

    def _compute_url(self):
        """Override: all entries of the month."""
        res = super()._compute_url()
        for reminder in self.sudo().filtered(lambda r: r.kind == "statement"):
            reminder.url = (
                f"{reminder.company_id.get_base_url()}/my/incidents/statement"
                f"?since={reminder.day.replace(day=1)}&until={reminder.day}"
            )
        return res
