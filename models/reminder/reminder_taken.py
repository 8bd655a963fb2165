"""Customers are told what was taken back, and why, if the company likes (R13.2)."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: The kinds of entries that take back, where they are below zero.
TAKING = ("revocation", "adjustment")
#: How long it is waited: who corrects a payment resets it, and posts it again.
WAIT = timedelta(minutes=10)


class HelpdeskIncidentReminder(models.Model):
    _inherit = "helpdesk.incident.reminder"

    @api.model
    def _queue_taken(self, accounts):
        """Note that something was just taken back from accounts: all that one
        transaction takes back is told at once.

        :param accounts: ``helpdesk.incident.account`` records.
        """
        accounts = accounts.sudo().filtered("company_id.incident_tell_taken")
        for account in accounts:
            self._insert(
                SQL(
                    "SELECT 'taken', %s, %s::int4, NULL::int4, NULL::int4, NULL::int4,"
                    " NULL, %s::date, 0, 'waiting', 0",
                    f"{account.id}:{self.env.cr.now().isoformat()}",
                    account.id,
                    account._today(),
                )
            )
        if accounts:
            self._trigger(at=fields.Datetime.now() + WAIT)

    def _taken(self):
        """Return what was taken back, less what has been given again since.

        :return: pairs of a number of incidents, and why, in the customer's words.
        :rtype: list[tuple[int, str]]
        """
        self.ensure_one()
        return self.env.execute_query(
            SQL(
                """
                SELECT taken.number, taken.name
                  FROM (SELECT e.id, e.name,
                               -e.quantity - GREATEST(COALESCE(
                                   (SELECT SUM(later.quantity)
                                      FROM helpdesk_incident_entry later
                                     WHERE later.cause_key = e.cause_key
                                       AND later.allotment_id = e.allotment_id
                                       AND later.id > e.id), 0), 0)::int4 AS number
                          FROM helpdesk_incident_reminder r
                          JOIN helpdesk_incident_entry e
                            ON e.account_id = r.account_id
                           AND e.create_date = r.create_date
                         WHERE r.id = %s AND e.quantity < 0 AND e.kind IN %s) taken
                 WHERE taken.number > 0
                 ORDER BY taken.id
                """,
                self.id,
                TAKING,
            )
        )


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _post_lines(self, values_list, is_new=False):
        """Override: what every verb ends with may take back."""
        count = super()._post_lines(values_list, is_new)
        taken = {
            values["account_id"]
            for values in values_list
            if values["quantity"] < 0 and values["kind"] in TAKING
        }
        if taken:
            self.env["helpdesk.incident.reminder"].sudo()._queue_taken(
                self.browse(sorted(taken))
            )
        return count
