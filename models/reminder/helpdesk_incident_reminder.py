import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tools import SQL

from ..mails import LAYOUT, MAIL_FIELDS
from ..subscription.subscription_renewal import PROBLEMS

_logger = logging.getLogger(__name__)

#: How many are sent at once: each batch is a transaction.
BATCH = 100

KINDS = [
    ("ends", "Subscription ends soon"),
    ("expires", "Incidents expire soon"),
    ("low", "Incidents are running low"),
    ("renewed", "Subscription was renewed"),
    ("failed", "Subscription was not renewed"),
    ("parked", "Ticket waits for incidents"),
    ("still_parked", "Ticket still waits for incidents"),
    ("released", "Ticket waits no more"),
    ("refused", "Ticket was refused"),
    ("given_up", "Ticket has waited for too long"),
]


class HelpdeskIncidentReminder(models.Model):
    """What a customer is told of the incidents, and was told (R13.2).

    One row is one occasion: the unique key sees to it that the customer hears of it
    once, whoever runs twice. What waits is sent by the scheduled action, with a mail
    template for each kind that a user can edit.

    A balance that runs low has one row for each account, which is armed while the
    balance is above the threshold: so it is told once for each episode.
    """

    _name = "helpdesk.incident.reminder"
    _description = "Reminder of Support Incidents"
    _order = "id desc"

    kind = fields.Selection(selection=KINDS, required=True, readonly=True)
    key = fields.Char(
        required=True, readonly=True, help="What makes the occasion one and the same."
    )
    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(related="account_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="account_id.company_id")
    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    order_id = fields.Many2one(
        comodel_name="sale.order",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    reason = fields.Selection(
        selection=PROBLEMS,
        readonly=True,
        help="Why a subscription was not renewed automatically.",
    )
    day = fields.Date(
        string="What ends on",
        readonly=True,
        help="The last day of what ends or expires.",
    )
    quantity = fields.Integer(
        string="Incidents",
        readonly=True,
        help="How many expire, are left, or are needed for the ticket.",
    )
    state = fields.Selection(
        selection=[
            ("armed", "Nothing to tell"),
            ("waiting", "To be sent"),
            ("sent", "Sent"),
            ("failed", "Could not be sent"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    date_sent = fields.Datetime(string="Sent on", readonly=True)
    recipient_id = fields.Many2one(
        comodel_name="res.partner", compute="_compute_recipient_id"
    )
    url = fields.Char(
        string="Link",
        compute="_compute_url",
        groups="base.group_system",
        help="Where the customer can do something about it.",
    )

    _key_uniq = models.UniqueIndex("(kind, key)", "This was told already.")
    _waiting_idx = models.Index("(id) WHERE state = 'waiting'")

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("account_id", "subscription_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for reminder in self:
            reminder.display_name = self.env._(
                "%(kind)s: %(customer)s",
                kind=kinds.get(reminder.kind),
                customer=reminder.sudo().partner_id.display_name,
            )

    def _compute_recipient_id(self):
        """Whoever of the customer has opened the ticket, or ordered last for the
        subscription, if there is an address; else the customer."""
        for reminder in self.sudo():
            customer = reminder.partner_id
            contact = reminder.ticket_id.partner_id
            if contact.commercial_partner_id != customer:
                contact = (
                    reminder.subscription_id and reminder.subscription_id._orderer()
                )
            reminder.recipient_id = contact if contact and contact.email else customer

    def _compute_url(self):
        for reminder in self.sudo():
            base = reminder.company_id.get_base_url()
            page = f"/my/incidents/subscription/{reminder.subscription_id.id}"
            pages = {
                "ends": f"{page}/renew",
                "expires": "/new/ticket",
                "low": "/my/incidents/buy",
                "renewed": page,
                "failed": f"{page}/renew",
                "parked": f"/my/incidents/buy?ticket={reminder.ticket_id.id}",
                "still_parked": f"/my/incidents/buy?ticket={reminder.ticket_id.id}",
                "released": f"/my/ticket/{reminder.ticket_id.id}",
                "refused": "/my/incidents/buy",
                "given_up": "/my/incidents/buy",
            }
            path = pages.get(reminder.kind, "/my/incidents")
            if reminder.kind == "failed" and reminder.order_id:
                path = reminder.order_id.get_portal_url()
            reminder.url = f"{base}{path}"

    # ------------------------------------------------------------------
    # Occasions
    # ------------------------------------------------------------------

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
        cron = "helpdesk_paid_support.ir_cron_incident_remind"
        self.env.ref(cron)._trigger()

    @api.model
    def _insert(self, rows):
        """Write occasions that were not known before.

        :param SQL rows: a query of kind, key, account, subscription, ticket, order,
            reason, day, quantity and state.
        """
        self.env["helpdesk.incident.subscription"].flush_model()
        # Looked up before: a conflict would use up an id, each time that it is tried.
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
                        OR s.renewal_problem IN ('paying', 'error'))
                """,
                company.id,
                today,
                soon,
            )
        )

    @api.model
    def _note_expiries(self, company, today, soon):
        """Unused incidents of a month that ends soon. Of the last one, whoever is told
        that the subscription ends is told that."""
        self._insert(
            SQL(
                """
                SELECT 'expires', s.id || ':' || m.date_to, s.account_id, s.id,
                       NULL::int4, NULL::int4, NULL, m.date_to,
                       m.balance + m.to_grant, 'waiting'
                  FROM helpdesk_incident_allotment m
                  JOIN helpdesk_incident_subscription s ON s.id = m.subscription_id
                  JOIN helpdesk_incident_account a ON a.id = m.account_id
                 WHERE a.company_id = %(company)s AND m.kind = 'period'
                   AND (m.balance <> 0 OR m.to_grant <> 0)
                   AND m.date_from <= %(today)s
                   AND m.date_to BETWEEN %(today)s AND %(soon)s
                   AND (m.date_to < s.date_end OR s.auto_renew IS TRUE)
                """,
                company=company.id,
                today=today,
                soon=soon,
            )
        )

    @api.model
    def _note_parked(self, company, day):
        """Tickets that have waited for incidents since ``day``, or longer (R13.3)."""
        self.env["helpdesk.ticket"].flush_model()
        self._insert(
            SQL(
                """
                SELECT 'still_parked',
                       t.id || ':' || a.id || ':' || t.incident_hold_date, a.id,
                       NULL::int4, t.id, NULL::int4, NULL, t.incident_hold_date,
                       team.incident_cost, 'waiting'
                  FROM helpdesk_ticket t
                  JOIN helpdesk_ticket_team team ON team.id = t.team_id
                  JOIN helpdesk_incident_account a
                    ON a.partner_id = t.commercial_partner_id
                   AND a.company_id = t.company_id
                 WHERE t.company_id = %s AND t.incident_hold = 'parked'
                   AND t.incident_hold_date <= %s
                """,
                company.id,
                day,
            )
        )

    @api.model
    def _note_low(self, company):
        """Accounts that run low: once for each episode, and armed again when there are
        more than the threshold.

        Who was never above the threshold is not running low.
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

    # ------------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------------

    @api.model
    def _cron_remind(self):
        """Find what is to be told, and tell it (R13.2).

        It may run twice, on several workers at once, or be killed at any moment: that a
        mail waits to go out, and that it was written, are committed together.
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
        """Send each by the template of its kind; one that fails does not keep back the
        others."""
        for reminder in self.filtered(lambda reminder: reminder.state == "waiting"):
            if not reminder._is_true():
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

    def _is_true(self):
        """Return whether there is still something to tell: the customer may have acted
        in between."""
        if self.kind == "ends":
            return self.subscription_id.date_end == self.day
        if self.kind == "failed":
            return self.subscription_id.renewal_problem == self.reason
        ticket = self.ticket_id
        if ticket and ticket._incident_account() != self.account_id:
            return False  # it belongs to another customer now
        if self.kind in ("parked", "still_parked"):
            return ticket.incident_hold == "parked"
        if self.kind == "released":
            return bool(ticket.incident_count)
        return True

    def _send_mail(self):
        """Send the mail in the language of whom it is for; the history of the
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
        # To whom the template says, and to no follower: those of a ticket can belong to
        # other customers (R11.6).
        document.message_post(
            subject=values.get("subject"),
            body=values.get("body_html"),
            email_from=values.get("email_from") or None,
            reply_to=values.get("reply_to") or None,
            partner_ids=values.get("partner_ids") or [],
            attachments=values.get("attachments"),
            attachment_ids=values.get("attachment_ids"),
            mail_server_id=values.get("mail_server_id"),
            message_type="notification",
            subtype_xmlid="mail.mt_note",
            email_layout_xmlid=LAYOUT,
        )


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _references(self):
        """Override for R2.2: what a customer was told."""
        return [*super()._references(), ("helpdesk.incident.reminder", "account_id")]
