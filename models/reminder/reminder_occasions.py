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
                " %s, 'waiting'",
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
        """Write occasions that were not known before.

        :param SQL rows: a query of kind, key, account, subscription, ticket, order,
            reason, day, quantity and state.
        """
        self.env["helpdesk.incident.subscription"].flush_model()
        # Look them up before: each conflict would use up an id.
        self.env.execute_query(
            SQL(
                """
                INSERT INTO helpdesk_incident_reminder
                       (kind, key, account_id, subscription_id, ticket_id, order_id,
                        reason, day, quantity, state,
                        create_uid, create_date, write_uid, write_date)
                SELECT row.*, %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM (%(rows)s) AS row(kind, key, account_id, subscription_id,
                                         ticket_id, order_id, reason, day, quantity,
                                         state)
                 WHERE NOT EXISTS (
                       SELECT FROM helpdesk_incident_reminder known
                        WHERE known.kind = row.kind AND known.key = row.key)
                ON CONFLICT (kind, key) DO NOTHING
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
            soon = today + timedelta(days=company.incident_reminder_days)
            if company.incident_reminder_days:
                self._note_ends(company, today, soon)
                self._note_expiries(company, today, soon)
            if company.incident_parked_reminder_days:
                self._note_parked(
                    company,
                    today - timedelta(days=company.incident_parked_reminder_days),
                )
            if company.incident_low_threshold:
                self._note_low(company)

    @api.model
    def _note_ends(self, company, today, soon):
        """Subscriptions that end soon, and are not renewed automatically."""
        self._insert(
            SQL(
                """
                SELECT 'ends', s.id || ':' || s.date_end, s.account_id, s.id,
                       NULL::int4, NULL::int4, NULL, s.date_end, 0, 'waiting'
                  FROM helpdesk_incident_subscription s
                  JOIN helpdesk_incident_account a ON a.id = s.account_id
                 WHERE a.company_id = %s AND s.date_end BETWEEN %s AND %s
                   AND s.date_cancelled IS NULL
                   -- of other problems the customer is told by themselves
                   AND (s.auto_renew IS NOT TRUE
                        OR s.renewal_problem IN %s)
                """,
                company.id,
                today,
                soon,
                QUIET,
            )
        )

    @api.model
    def _note_expiries(self, company, today, soon):
        """Unused incidents of a month, of a pack (R15.1), or carried over (R15.3), that
        expire soon. On the last day of the subscription the customer is told that it
        ends, and not this."""
        self._insert(
            SQL(
                """
                SELECT CASE WHEN s.id IS NULL THEN 'pack_expires' ELSE 'expires' END,
                       COALESCE(s.id::text, m.cause_key) || ':' || m.date_to,
                       m.account_id, s.id,
                       NULL::int4, o.id, NULL, m.date_to,
                       SUM(m.balance + m.to_grant), 'waiting'
                  FROM helpdesk_incident_allotment m
                  JOIN helpdesk_incident_account a ON a.id = m.account_id
                  LEFT JOIN helpdesk_incident_subscription s
                    ON s.id = m.subscription_id
                  LEFT JOIN sale_order o
                    ON o.id = m.res_id AND m.res_model = 'sale.order'
                 WHERE a.company_id = %(company)s AND m.kind = 'period'
                   AND (m.balance <> 0 OR m.to_grant <> 0)
                   AND m.date_from <= %(today)s
                   AND m.date_to BETWEEN %(today)s AND %(soon)s
                   AND (m.date_to <> s.date_end OR s.auto_renew IS TRUE
                        OR o.id IS NOT NULL)
                 GROUP BY m.account_id, m.date_to, s.id, o.id, COALESCE(s.id::text,
                       m.cause_key)
                """,
                company=company.id,
                today=today,
                soon=soon,
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
                       takes.number, 'waiting'
                  FROM %s
                  JOIN unnest(%s::int4[], %s::int4[]) AS takes(id, number)
                    ON takes.id = t.id
                """,
                self.env["helpdesk.incident.account"]._wanting_tickets(PARKED),
                tickets.ids,
                [ticket._incident_required() for ticket in tickets],
            )
        )

    @api.model
    def _note_low(self, company):
        """Accounts that run low: once for each episode; armed again when there are more
        than the threshold.

        An account that was never above the threshold does not run low.
        """
        numbers = self.env["helpdesk.incident.account"]._numbers_query(
            company, SQL("account.company_id = %s", company.id), ["available"]
        )
        threshold = company.incident_low_threshold
        self._insert(
            SQL(
                """
                SELECT 'low', n.account_id::text, n.account_id, NULL::int4,
                       NULL::int4, NULL::int4, NULL, NULL::date, 0, 'armed'
                  FROM (%s) n WHERE n.available > %s
                """,
                numbers,
                threshold,
            )
        )
        self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_reminder r
                   SET state = CASE WHEN now.available > %(threshold)s
                                    THEN 'armed' ELSE 'waiting' END,
                       quantity = now.available
                  FROM (SELECT a.id, COALESCE(n.available, 0) AS available
                          FROM helpdesk_incident_account a
                          LEFT JOIN (%(numbers)s) n ON n.account_id = a.id
                         WHERE a.company_id = %(company)s) now
                 WHERE r.kind = 'low' AND r.key = now.id::text
                   AND (now.available > %(threshold)s) <> (r.state = 'armed')
                RETURNING 1
                """,
                numbers=numbers,
                company=company.id,
                threshold=threshold,
            )
        )
        self.invalidate_model()
