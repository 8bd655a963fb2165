"""The occasions on which customers are told something, each once (R13.2)."""

from datetime import timedelta
from uuid import uuid4

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..subscription.subscription_renewal import QUIET
from ..ticket.account_release import PARKED


class HelpdeskIncidentReminder(models.Model):
    _inherit = "helpdesk.incident.reminder"

    @api.model
    def _queue_subscription(self, kind, key, subscription, order=None, reason=None):
        """Note that a customer is to be told something of a subscription.

        :param str reason: a key of ``PROBLEMS``.
        """
        self._queue(
            kind,
            key,
            subscription.account_id,
            subscription=subscription,
            order=order,
            reason=reason,
            day=subscription.date_end or None,
        )

    @api.model
    def _queue_topup(self, kind, topup, key=None, order=None, reason=None):
        """Note that a customer is to be told something of what tops up: once for each
        key, each time without one.

        :param str reason: a key of its ``PROBLEMS``.
        """
        key = key or f"{topup.id}:{uuid4()}"
        self._queue(kind, key, topup.account_id, order=order, reason=reason)

    @api.model
    def _queue_switch(self, kind, subscription, contacts, plan=None):
        """Note that a customer is to be told of a switch, each time.

        :param str kind: one of ``SWITCHES``.
        :param contacts: the ``res.partner`` records that it concerns.
        :param plan: the ``product.product`` that was scheduled, or is no longer.
        """
        self.create(
            {
                "kind": kind,
                "key": f"{subscription.id}:{uuid4()}",
                "account_id": subscription.account_id.id,
                "subscription_id": subscription.id,
                "day": subscription.date_end,
                "product_id": plan.id if plan else None,
                "contact_ids": contacts.ids,
            }
        )
        self._trigger()

    @api.model
    def _trigger(self, at=None):
        self.env.ref("helpdesk_paid_support.ir_cron_incident_remind")._trigger(at)

    @api.model
    def _queue(
        self,
        kind,
        key,
        account,
        subscription=None,
        ticket=None,
        order=None,
        reason=None,
        day=None,
        quantity=0,
    ):
        """Note that a customer is to be told something: once for each key.

        :param str kind: a key of ``KINDS``.
        :param str key: what makes the occasion one and the same.
        :param account: the ``helpdesk.incident.account`` of the customer.
        """
        self._insert(
            SQL(
                "SELECT %s, %s, %s::int4, %s::int4, %s::int4, %s::int4, %s, %s::date,"
                " %s, 'waiting', 0",
                kind,
                key,
                account.id,
                subscription.id if subscription else None,
                ticket.id if ticket else None,
                order.id if order else None,
                reason,
                day,
                quantity,
            )
        )
        self._trigger()

    @api.model
    def _insert(self, rows):
        """Write occasions that were not known before. What was told so many days before
        something ends is told once more nearer to the end, and not further from it,
        whatever the company chooses meanwhile (R15.4).

        :param SQL rows: a query of kind, key, account, subscription, ticket, order,
            reason, day, quantity, state and days.
        """
        self.env["helpdesk.incident.subscription"].flush_model()
        self.env["helpdesk.incident.subscription.term"].flush_model()
        # Look them up before: each conflict would use up an id.
        self.env.execute_query(
            SQL(
                """
                INSERT INTO helpdesk_incident_reminder
                       (kind, key, account_id, subscription_id, ticket_id, order_id,
                        reason, day, quantity, state, days,
                        create_uid, create_date, write_uid, write_date)
                SELECT row.*, %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM (%(rows)s) AS row(kind, key, account_id, subscription_id,
                                         ticket_id, order_id, reason, day, quantity,
                                         state, days)
                 WHERE NOT EXISTS (
                       SELECT FROM helpdesk_incident_reminder known
                        WHERE known.kind = row.kind AND known.key = row.key
                          AND known.days <= row.days)
                ON CONFLICT (kind, key, days) DO NOTHING
                RETURNING 1
                """,
                rows=rows,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model()

    @api.model
    def _note_occasions(self):
        """Note what is to be told today, in each company by its own day (R3.7)."""
        for company in self.env["res.company"]._incident_companies():
            today = company._incident_today()
            if company._incident_days_before():
                self._note_ends(company, today)
                self._note_expiries(company, today)
            if company.incident_parked_reminder_days:
                self._note_parked(
                    company,
                    today - timedelta(days=company.incident_parked_reminder_days),
                )
            self._note_low(company)
            self._note_statements(company, today)

    @api.model
    def _days_before(self, company, today, first, last):
        """Return how many days before its last day something is told today (R15.4): the
        least of the company's numbers that is reached, NULL if none is. So nobody is
        told twice at once.

        What is there for fewer days is told by the smallest number alone: else a
        customer would be told of what has just begun.

        :param SQL first: the first day, a column.
        :param SQL last: the last day, a column.
        :rtype: SQL
        """
        numbers = company._incident_days_before()
        return SQL(
            """
            (SELECT MIN(number) FROM unnest(%(numbers)s) AS number
              WHERE %(today)s BETWEEN %(last)s - number AND %(last)s
                AND (%(first)s < %(last)s - number OR number = %(least)s))
            """,
            numbers=numbers,
            least=numbers[-1],
            today=today,
            first=first,
            last=last,
        )

    @api.model
    def _note_ends(self, company, today):
        """Subscriptions that end soon, and are not renewed automatically; and how many
        unused incidents lapse then."""
        self._insert(
            SQL(
                """
                SELECT 'ends', s.id || ':' || s.date_end, s.account_id, s.id,
                       NULL::int4, NULL::int4, NULL, s.date_end,
                       (SELECT COALESCE(SUM(m.balance + m.to_grant), 0)
                          FROM helpdesk_incident_allotment m
                         WHERE m.subscription_id = s.id AND m.date_from <= %(today)s
                           AND m.date_to = s.date_end),
                       'waiting', due.days
                  FROM helpdesk_incident_subscription s
                  JOIN helpdesk_incident_account a ON a.id = s.account_id
                  -- what was paid last
                  JOIN LATERAL (
                       SELECT MAX(t.date_from) AS first
                         FROM helpdesk_incident_subscription_term t
                        WHERE t.subscription_id = s.id AND t.date_from <= s.date_end
                          AND t.kind <> 'extra') AS term ON TRUE
                  JOIN LATERAL (SELECT %(days)s AS days) AS due ON due.days IS NOT NULL
                 WHERE a.company_id = %(company)s
                   AND s.date_end BETWEEN %(today)s AND %(soon)s
                   AND s.date_cancelled IS NULL
                   -- of other problems the customer is told by themselves
                   AND (s.auto_renew IS NOT TRUE
                        OR s.renewal_problem IN %(quiet)s)
                """,
                company=company.id,
                today=today,
                soon=company._incident_soon(),
                days=self._days_before(
                    company, today, SQL("term.first"), SQL("s.date_end")
                ),
                quiet=QUIET,
            )
        )

    @api.model
    def _note_expiries(self, company, today):
        """Unused incidents of a period, carried ones included (R15.3), or of a pack
        (R15.1), that end soon. Of those that end with the subscription the customer is
        told that it ends, and not this."""
        self._insert(
            SQL(
                """
                SELECT CASE WHEN s.id IS NULL THEN 'pack_expires' ELSE 'expires' END,
                       COALESCE(s.id::text, m.cause_key) || ':' || m.date_to,
                       m.account_id, s.id,
                       NULL::int4, o.id, NULL, m.date_to, m.unused, 'waiting', due.days
                  -- what ends on a day of a subscription, or of a pack
                  FROM (SELECT account_id, subscription_id, date_to,
                               CASE WHEN subscription_id IS NULL THEN cause_key END
                                    AS cause_key,
                               CASE WHEN res_model = 'sale.order' THEN res_id END
                                    AS order_id,
                               MIN(date_from) AS date_from,
                               SUM(balance + to_grant) AS unused
                          FROM helpdesk_incident_allotment
                         WHERE kind = 'period' AND (balance <> 0 OR to_grant <> 0)
                           AND date_from <= %(today)s
                           AND date_to BETWEEN %(today)s AND %(soon)s
                         GROUP BY 1, 2, 3, 4, 5) m
                  JOIN helpdesk_incident_account a ON a.id = m.account_id
                  JOIN LATERAL (SELECT %(days)s AS days) AS due ON due.days IS NOT NULL
                  LEFT JOIN helpdesk_incident_subscription s
                    ON s.id = m.subscription_id
                  LEFT JOIN sale_order o ON o.id = m.order_id
                 WHERE a.company_id = %(company)s
                   AND (m.date_to <> s.date_end
                        OR s.auto_renew IS TRUE
                            AND COALESCE(s.renewal_problem, '') NOT IN %(quiet)s
                        OR s.date_cancelled IS NOT NULL OR o.id IS NOT NULL)
                """,
                company=company.id,
                quiet=QUIET,
                today=today,
                soon=company._incident_soon(),
                days=self._days_before(
                    company, today, SQL("m.date_from"), SQL("m.date_to")
                ),
            )
        )

    @api.model
    def _note_parked(self, company, day):
        """Tickets that have waited for incidents since ``day``, or longer (R13.3)."""
        tickets = (
            self.env["helpdesk.ticket"]
            .sudo()
            .search(
                Domain("incident_parking", "=", "parked")
                & Domain("incident_parked_date", "<=", day)
                & Domain("company_id", "child_of", company.id)
            )
        )
        self._insert(
            SQL(
                """
                SELECT 'still_parked',
                       t.id || ':' || a.id || ':' || t.incident_parked_date, a.id,
                       NULL::int4, t.id, NULL::int4, NULL, t.incident_parked_date,
                       takes.number, 'waiting', 0
                  FROM %s
                  JOIN unnest(%s::int4[], %s::int4[]) AS takes(id, number)
                    ON takes.id = t.id
                """,
                self.env["helpdesk.incident.account"]._wanting_tickets(PARKED),
                tickets.ids,
                [ticket._incident_required() for ticket in tickets],
            )
        )
