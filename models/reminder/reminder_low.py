"""Customers who run low: each threshold is told once for each episode (R19.3).

What an account had when it was looked at last stands in a row of its own. A threshold
is crossed if that was above it, and what is there now is not. So it is told again after
there was more in the meantime, and nobody is told because settings have changed. Who
falls below several at once is told once, as is everybody else.
"""

from uuid import uuid4

from markupsafe import Markup

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

#: The kinds by which it is told.
LOW = ("low", "low_salesperson", "low_team")


class HelpdeskIncidentReminder(models.Model):
    _inherit = "helpdesk.incident.reminder"

    @api.model
    def _note_low(self, company):
        """Note who is to be told that customers of a company run low."""
        thresholds = [
            (threshold.number, threshold._kinds())
            for threshold in company.incident_threshold_ids
        ]
        if not thresholds:
            self._forget_numbers(company)
            return
        lowest = min(number for number, _kinds in thresholds)
        values_list = []
        for account_id, before, left in self._look_at_numbers(company, lowest):
            told = {
                kind
                for number, kinds in thresholds
                if left <= number < before
                for kind in kinds
            }
            values_list += [
                {
                    "kind": kind,
                    "key": f"{account_id}:{uuid4()}",
                    "account_id": account_id,
                    "quantity": left,
                }
                for kind in sorted(told)
            ]
        self.create(values_list)

    @api.model
    def _forget_numbers(self, company):
        """Forget what accounts had: nobody looks at them, until there are thresholds
        again."""
        self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_reminder r SET seen = NULL
                  FROM helpdesk_incident_account a
                 WHERE r.kind = 'low' AND r.key = a.id::text
                   AND r.seen IS NOT NULL AND a.company_id = %s
                RETURNING 1
                """,
                company.id,
            )
        )
        self.invalidate_model()

    @api.model
    def _look_at_numbers(self, company, lowest):
        """Note how many incidents each account has at present. An account that has
        never had more than the lowest threshold is not looked at: it runs low of
        nothing.

        :param int lowest: the lowest threshold.
        :return: the id of each account that has fewer than before, how many it had
            then, and has now.
        :rtype: list[tuple[int, int, int]]
        """
        numbers = self.env["helpdesk.incident.account"]._numbers_query(
            company, SQL("account.company_id = %s", company.id), ["available"]
        )
        self._insert(
            SQL(
                """
                SELECT 'low', n.account_id::text, n.account_id, NULL::int4,
                       NULL::int4, NULL::int4, NULL, NULL::date, 0, 'armed', 0
                  FROM (%s) n WHERE n.available > %s
                """,
                numbers,
                lowest,
            )
        )
        changed = self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_reminder r
                   SET seen = now.available
                  FROM helpdesk_incident_reminder before,
                       (SELECT a.id, COALESCE(n.available, 0) AS available
                          FROM helpdesk_incident_account a
                          LEFT JOIN (%(numbers)s) n ON n.account_id = a.id
                         WHERE a.company_id = %(company)s) now
                 WHERE r.kind = 'low' AND r.key = now.id::text AND before.id = r.id
                   AND r.seen IS DISTINCT FROM now.available
                RETURNING now.id, before.seen, now.available
                """,
                numbers=numbers,
                company=company.id,
            )
        )
        self.invalidate_model()
        return [row for row in changed if row[1] is not None and row[1] > row[2]]

    def _compute_recipient_id(self):
        """Override: the salesperson, where it is told."""
        res = super()._compute_recipient_id()
        for reminder in self.filtered(lambda r: r.kind == "low_salesperson"):
            salesperson = reminder._salesperson().partner_id
            reminder.recipient_id = salesperson
            reminder.recipients = ",".join(map(str, salesperson.ids))
        return res

    def _is_still_due(self):
        """Override: not if there are more by now, or nobody can be told."""
        if self.kind in LOW and max(self.account_id.available, 0) > self.quantity:
            return False
        if self.kind == "low_salesperson" and not self._salesperson():
            return False
        if self.kind == "low_team" and not self._agent():
            return False
        return super()._is_still_due()

    def _send_mail(self):
        """Override: the team gets an activity instead."""
        if self.kind == "low_team":
            return self._ask_team()
        return super()._send_mail()

    def _salesperson(self):
        """Return who sells to this customer: its salesperson, else the one of its last
        order of incidents; nobody who has left, or is not of this company.

        :return: one ``res.users`` record, or none.
        """
        account = self.account_id.sudo()
        order = self.env["sale.order"].sudo()
        order = order.search(
            Domain("partner_id.commercial_partner_id", "=", account.partner_id.id)
            & Domain("company_id", "child_of", account.company_id.id)
            & Domain("state", "=", "sale")
            & Domain("order_line.incident_kind", "!=", False)
            & Domain("user_id.active", "=", True),
            order="date_order desc, id desc",
            limit=1,
        )
        return (
            (account.partner_id.user_id | order.user_id)
            .filtered(lambda user: user.active and not user.share and user.email)
            ._incident_of(account.company_id)[:1]
        )

    def _agent(self):
        """Return who of the team is told: as of a ticket that the customer contests, of
        the one that took incidents last.

        :return: one ``res.users`` record, or none.
        """
        account = self.account_id.sudo()
        entry = self.env["helpdesk.incident.entry"].sudo()
        entry = entry.search(
            Domain("account_id", "=", account.id)
            & Domain("kind", "=", "deduction")
            & Domain("ticket_id", "!=", False),
            order="id desc",
            limit=1,
        )
        return entry.ticket_id._incident_staff(account.company_id)[:1]

    def _ask_team(self):
        """Tell the team by an activity on the customer, in the language of whom it is
        for. It leads to the number and does not name it: all staff, of other companies
        too, can read what stands at a contact (R2.3, R14)."""
        agent = self._agent()
        customer = self.partner_id.with_user(agent).sudo().with_context(lang=agent.lang)
        words = customer.env._(
            "%(customer)s runs low on support incidents (%(company)s).",
            customer=customer.display_name,
            company=self.company_id.name,
        )
        customer.activity_schedule(
            "helpdesk_paid_support.mail_activity_low",
            user_id=agent.id,
            note=Markup('<p>%s</p><p><a href="%s">%s</a></p>')
            % (words, self.url, customer.env._("See what is left")),
        )
