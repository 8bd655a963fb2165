from odoo.tests import tagged

from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestReminders(SubscriptionCommon):
    """R13.2: what customers are told, once for each occasion."""

    def setUp(self):
        super().setUp()
        self.customer.email = "customer@example.com"
        self.company.incident_low_threshold = 0

    def remind(self, day=None):
        """Run the scheduled action as the server does, twice."""
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_remind")
        with self.on(day or "2027-04-11"):
            for _time in range(2):
                with self.enter_registry_test_mode():
                    cron.method_direct_trigger()
        self.env.invalidate_all()

    def told(self, **values):
        """Return the kinds of what was told, in order."""
        reminders = self.env["helpdesk.incident.reminder"].search(
            [("partner_id", "=", self.customer.id), ("state", "=", "sent")],
            order="date_sent, id",
        )
        return reminders.mapped("kind")

    def test_ends_soon(self):
        """Seven days before the end, once; again before the end of the next term."""
        subscription = self.bought()
        self.use(10)
        self.remind("2027-07-02")
        before = self.told()
        self.assertNotIn("ends", before)
        for day in ("2027-07-03", "2027-07-04", "2027-07-10", "2027-07-11"):
            self.remind(day)
            self.assertEqual(self.told().count("ends"), 1, day)
        message = subscription.message_ids.filtered(lambda m: "ends on" in m.subject)
        self.assertEqual(
            message.subject, "Standard support, 3 months ends on Jul 10, 2027"
        )
        self.assertEqual(message.partner_ids, self.customer)
        self.assertIn(f"/my/incidents/subscription/{subscription.id}", message.body)
        with self.on("2027-07-20"):
            self.paid(subscription._order_renewal())
        self.remind("2027-10-11")
        self.assertEqual(self.told().count("ends"), 1)
        self.remind("2027-10-12")
        self.assertEqual(self.told().count("ends"), 2)

    def test_not_before_a_renewal(self):
        """What is renewed already, or automatically, needs no reminder."""
        subscription = self.bought()
        with self.on("2027-07-01"):
            self.paid(subscription._order_renewal())
        subscription._set_auto_renew(True)
        for day in ("2027-07-05", "2027-10-05"):
            self.remind(day)
        self.assertNotIn("ends", self.told())

    def test_renewed_before_the_mail_was_sent(self):
        """Whoever has acted in between is not bothered."""
        subscription = self.bought()
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        with self.on("2027-07-05"):
            reminders._note_occasions()
            self.paid(subscription._order_renewal())
            waiting = reminders.search([("kind", "=", "ends")])
            waiting._send()
            self.assertEqual(waiting.state, "armed")
        self.assertNotIn("ends", self.told())

    def test_expires_soon(self):
        """Unused incidents of each month, once; not of a month that is used up, nor
        beside the mail that the subscription ends."""
        self.bought()
        self.remind("2027-05-02")
        self.assertEqual(self.told(), [])
        for day in ("2027-05-03", "2027-05-10"):
            self.remind(day)
            self.assertEqual(self.told(), ["expires"])
        reminder = self.env["helpdesk.incident.reminder"].search([])
        self.assertEqual((reminder.quantity, str(reminder.day)), (10, "2027-05-10"))
        with self.on("2027-05-12"):
            self.use(10)
        self.remind("2027-06-05")
        self.assertEqual(self.told(), ["expires"])
        self.remind("2027-07-05")
        self.assertEqual(self.told(), ["expires", "ends"])

    def test_running_low(self):
        """Once for each episode, and again after there were more (R13.2)."""
        self.company.incident_low_threshold = 2
        self.company.incident_reminder_days = 0
        self.transaction(self.quotation(self.pack))
        self.remind()
        self.assertEqual(self.told(), [])
        ticket = self.use(7)
        self.remind()
        self.assertEqual(self.told(), [])
        ticket.incident_count = 8
        self.remind()
        self.assertEqual(self.told(), ["low"])
        ticket.incident_count = 10
        self.remind()
        self.assertEqual(self.told(), ["low"])
        ticket.incident_count = 5
        self.remind()
        ticket.incident_count = 9
        self.remind()
        self.assertEqual(self.told(), ["low", "low"])
        reminders = self.env["helpdesk.incident.reminder"].search(
            [("kind", "=", "low"), ("state", "=", "sent")]
        )
        self.assertEqual(reminders.mapped("quantity"), [1, 2])

    def test_never_had_more(self):
        """Who never had more than the threshold is not running low."""
        self.company.incident_low_threshold = 20
        self.transaction(self.quotation(self.pack))
        self.use(10)
        self.remind()
        self.assertEqual(self.told(), [])

    def test_low_is_a_mail(self):
        """It goes to the customer, in the customer's language."""
        self.env["res.lang"]._activate_lang("de_DE")
        template = self.env.ref("helpdesk_paid_support.mail_template_incident_low")
        template.with_context(lang="de_DE").subject = "Noch {{ object.quantity }}"
        self.customer.lang = "de_DE"
        self.company.incident_low_threshold = 2
        self.transaction(self.quotation(self.pack))
        self.remind()
        self.use(9)
        self.remind()
        mail = self.env["mail.mail"].search([("subject", "=", "Noch 1")])
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.customer)

    def test_edited_and_archived_templates(self):
        """Templates can be edited; an archived one tells nothing, and stops nothing."""
        template = self.env.ref("helpdesk_paid_support.mail_template_incident_expires")
        template.subject = "Use {{ object.quantity }} of {{ object.partner_id.name }}"
        boss = self.env["res.partner"].create(
            {"name": "Boss", "email": "b@example.com"}
        )
        template.partner_to = str(boss.id)
        subscription = self.bought()
        self.remind("2027-05-05")
        self.assertIn(
            f"Use 10 of {self.customer.name}",
            subscription.message_ids.mapped("subject"),
        )
        message = subscription.message_ids.filtered(lambda m: "Use 10" in m.subject)
        self.assertEqual(message.partner_ids, boss)
        template.active = False
        with self.assertLogs("odoo.addons.helpdesk_paid_support", "ERROR"):
            self.remind("2027-06-05")
        self.remind("2027-07-05")
        self.assertEqual(self.told(), ["expires", "ends"])

    def test_whom_it_is_for(self):
        """R11.6: the contact of the customer who has ordered; not one who has moved to
        another customer since, or was archived; and no follower."""
        contact = self.env["res.partner"].create(
            {"name": "Nora", "email": "n@example.com", "parent_id": self.customer.id}
        )
        order = self.quotation(self.months, customer=contact)
        self.transaction(order)
        subscription = self.subscription(order).sudo()
        subscription.message_subscribe(self._customer("Follower").ids)

        def told(day, words):
            self.remind(day)
            return subscription.message_ids.filtered(
                lambda message: words in (message.subject or "")
            )[:1].notified_partner_ids

        self.assertEqual(told("2027-05-05", "May 10"), contact)
        contact.parent_id = self._customer("Blue Bakery")
        self.assertEqual(told("2027-06-05", "Jun 10"), self.customer)
        contact.parent_id = self.customer
        contact.active = False
        self.assertEqual(told("2027-07-05", "Jul 10"), self.customer)

    def test_day_of_the_company(self):
        """R3.7: it is July 3 in Auckland while it is July 2 in Los Angeles."""
        self.bought()
        self.use(10)
        now = "2027-07-02"  # 10:00 UTC: 22:00 in Auckland, 03:00 in Los Angeles
        self.company.partner_id.tz = "America/Los_Angeles"
        self.remind(now)
        self.assertNotIn("ends", self.told())
        self.company.partner_id.tz = "Pacific/Kiritimati"
        self.remind(now)
        self.assertIn("ends", self.told())

    def test_cancelled(self):
        """R9.8: what was cancelled does not end soon."""
        subscription = self.bought()
        with self.on("2027-05-20"):
            subscription.action_cancel()
        self.remind("2027-07-05")
        self.assertNotIn("ends", self.told())
