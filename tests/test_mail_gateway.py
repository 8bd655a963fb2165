from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.helpdesk_paid_support.models.ticket import ticket_parking

from .test_parked import ParkedCommon

MESSAGE = """\
MIME-Version: 1.0
Message-Id: <{id}>
From: {sender}
To: {to}
Subject: {subject}
{headers}Content-Type: text/plain; charset=utf-8

Please help.
"""


class GatewayCommon(ParkedCommon):
    """Teams with an alias, and real messages to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.domain = cls.env["mail.alias.domain"].create({"name": "provider.test"})
        cls.company.alias_domain_id = cls.domain
        cls.strict_team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Strict", "incident_required": True}
        )
        for team, name in (
            (cls.free_team, "questions"),
            (cls.paid_team, "support"),
            (cls.emergency_team, "emergency"),
            (cls.strict_team, "strict"),
        ):
            team.alias_id.write({"alias_name": name, "alias_domain_id": cls.domain.id})
        cls.portal_user.partner_id.email = "nora@northwind.test"
        cls.contact = cls.env["res.partner"].create(
            {
                "name": "Ned",
                "email": "ned@northwind.test",
                "parent_id": cls.customer.id,
            }
        )
        cls.agent.partner_id.email = "agent@provider.test"

    _messages = 0

    def mail(self, to="support", sender="nora@northwind.test", **values):
        """Let a message come in.

        :return: the ticket that it has opened, empty if none.
        """
        GatewayCommon._messages += 1
        before = self.env["helpdesk.ticket"].search([])
        message = MESSAGE.format(
            **{
                "id": f"{self._messages}@northwind.test",
                "sender": sender,
                "to": ", ".join(f"{name}@provider.test" for name in to.split()),
                "subject": "It does not work",
                "headers": "",
                **values,
            }
        )
        with mute_logger("odoo.addons.mail.models.mail_thread"):
            self.env["mail.thread"].message_process("helpdesk.ticket", message)
        self.env.cr.flush()
        return self.env["helpdesk.ticket"].search([]) - before


@tagged("post_install", "-at_install")
class TestMailGateway(GatewayCommon):
    """R4.4, R11.3: tickets by e-mail to the alias of a team."""

    def test_known_customer(self):
        """R4.4: a customer with a login, and a contact without one; deducted."""
        account = self.give_lifetime(3)
        for sender in (self.portal_user.partner_id, self.contact):
            ticket = self.mail(sender=f'"Somebody" <{sender.email}>')
            self.assertEqual(ticket.partner_id, sender)
            self.assertFalse(ticket.user_id, "nobody of the staff has it yet")
            self.assertEqual(ticket.incident_state, "deducted")
            self.assertEqual(ticket.incident_count, 1)
            self.assertEqual(self.told(ticket), [])
        self.assertEqual(account.available, 1)
        self.assertIn("Please help", ticket.description)

    def test_free_team(self):
        """R4.4: a team that takes nothing takes nothing."""
        self.give_lifetime(1)
        self.assertEqual(self.mail("questions").incident_state, "none")
        self.assertEqual(self.account().available, 1)

    def test_parked(self):
        """R11.3: the ticket waits, and is released when incidents arrive."""
        ticket = self.mail()
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(self.told(ticket), ["parked"])
        self.assertFalse(ticket.closed)
        self.arrive(1)
        self.assertEqual(ticket.incident_state, "deducted")

    def test_refused(self):
        """R11.3: answered and closed; the message is kept, nothing is deducted."""
        ticket = self.mail("strict")
        self.assertTrue(ticket.closed)
        self.assertEqual(ticket.incident_state, "none")
        self.assertEqual(self.told(ticket), ["refused"])
        self.assertIn("Please help", " ".join(ticket.message_ids.mapped("body")))
        self.arrive(1)
        self.assertEqual(ticket.incident_count, 0)

    def test_refusing_team_with_enough(self):
        self.give_lifetime(1)
        ticket = self.mail("strict")
        self.assertEqual((ticket.incident_state, ticket.closed), ("deducted", False))

    def test_unknown_sender(self):
        """R11.3: waits until staff set the customer, whatever the policy; no answer."""
        for alias in ("support", "strict"):
            ticket = self.mail(alias, sender="stranger@example.com")
            self.assertFalse(ticket.partner_id)
            self.assertEqual(ticket.incident_state, "parked")
            self.assertEqual(ticket.incident_due, 1)
            self.assertEqual(self.told(ticket), [])
            self.assertFalse(ticket.incident_parked_date)
            self.give_lifetime(1)
            ticket.with_user(self.agent).partner_id = self.contact
            self.assertEqual(ticket.incident_state, "deducted")
            self.assertEqual(self.account().available, 0)

    def test_unknown_sender_without_incidents(self):
        """R11.3: the deduction is tried when the customer is set."""
        parked = self.mail("support", sender="stranger@example.com")
        parked.partner_id = self.contact
        self.assertEqual(parked.incident_state, "parked")
        self.assertEqual(self.told(parked), ["parked"])
        refused = self.mail("strict", sender="stranger@example.com")
        refused.partner_id = self.contact
        self.assertTrue(refused.closed)
        self.assertEqual(self.told(refused), ["refused"])

    def test_unknown_sender_is_kept(self):
        """R13.3: what waits for staff is not closed by itself."""
        ticket = self.mail(sender="stranger@example.com")
        self.run_cron("ir_cron_incident_parked")
        self.assertEqual(ticket.incident_state, "parked")
        self.assertFalse(ticket.closed)

    def test_staff(self):
        """R4.4: a sender who is an internal user opens a ticket of staff."""
        ticket = self.mail(sender="agent@provider.test")
        self.assertEqual((ticket.incident_state, self.told(ticket)), ("none", []))

    def test_reply(self):
        """R11.3: a reply to a ticket deducts nothing, in whatever state it is."""
        self.give_lifetime(5)
        ticket = self.mail(id="first@northwind.test")
        self.assertEqual(self.account().available, 4)
        for sender in (
            "nora@northwind.test",
            "ned@northwind.test",
            "x@y.example",
        ):
            reply = self.mail(
                sender=sender, headers="In-Reply-To: <first@northwind.test>\n"
            )
            self.assertFalse(reply)
        self.assertEqual((ticket.incident_count, self.account().available), (1, 4))
        replies = ticket.message_ids.filtered(lambda m: m.message_type == "email")
        self.assertEqual(len(replies), 4)

    def test_reply_without_headers(self):
        """R11.3: headers stripped, the number of the ticket in the subject: a reply, in
        whatever words, 1 of 5 used in all."""
        self.give_lifetime(5)
        ticket = self.mail()
        ticket.number = "HT00050"
        closed = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        for subject in (
            "Re: [HT00050] It does not work",
            "AW: The ticket HT00050 has been created.",
            "WG: ticket #ht00050: still broken",
            "HT00050",
        ):
            with self.subTest(subject):
                self.assertFalse(self.mail(sender=self.contact.email, subject=subject))
            ticket.stage_id = closed
        # To two teams, or by a program that answers: one message, no ticket.
        self.assertFalse(self.mail("support emergency", subject="[HT00050] Both"))
        self.assertFalse(
            self.mail(
                subject="[HT00050] Away", headers="Auto-Submitted: auto-replied\n"
            )
        )
        self.assertFalse(self.mail("questions", subject="[HT00050] Elsewhere"))
        replies = ticket.message_ids.filtered(lambda m: m.message_type == "email")
        self.assertEqual(len(replies), 8)
        self.assertEqual(replies[-2].author_id, self.contact)
        self.assertEqual(replies[-2].subtype_id, self.env.ref("mail.mt_comment"))
        self.assertEqual((ticket.incident_count, self.account().available), (1, 4))

    def test_number_of_another_ticket(self):
        """R11.3: nobody writes into the ticket of another customer, of another company,
        or of nobody by naming its number; what is unclear waits for staff."""
        self.give_lifetime(5)
        self.give_lifetime(5, self.other_customer)
        ticket = self.mail()
        self.other_portal_user.partner_id.email = "bella@bakery.example"
        company_b = self.env["res.company"].create({"name": "B"})
        foreign = self.ticket(company_id=company_b.id, team_id=False)
        nobodys = self.mail(sender="stranger@example.com")
        for named, sender, customer in (
            (ticket, "bella@bakery.example", self.other_customer),
            (ticket, "stranger@example.com", self.env["res.partner"]),
            (ticket, "agent@provider.test", self.agent.partner_id),
            (foreign, "nora@northwind.test", self.customer),
            (nobodys, "nora@northwind.test", self.customer),
            (nobodys, "stranger@example.com", self.env["res.partner"]),
        ):
            with self.subTest(number=named.number, sender=sender):
                new = self.mail(sender=sender, subject=f"[{named.number}] Me, too")
                self.assertEqual(new.partner_id.commercial_partner_id, customer)
        for named, messages in ((ticket, 1), (foreign, 0), (nobodys, 1)):
            mails = named.message_ids.filtered(lambda m: m.message_type == "email")
            self.assertEqual(len(mails), messages)

    def test_what_is_no_number(self):
        """R11.3: a number of digits alone is meant only where it is written as one."""
        self.give_lifetime(5)
        ticket = self.mail()
        ticket.number = "12"
        for subject in ("12 errors", "Order 12", "HT12", "[123]", "x" * 5000):
            with self.subTest(subject[:20]):
                self.assertTrue(self.mail("questions", subject=subject))
        for subject in ("[12] errors", "Ticket #12"):
            with self.subTest(subject):
                self.assertFalse(self.mail(subject=subject))

    def test_same_message_twice(self):
        """R11.3: fetched twice, it is one ticket, and one incident."""
        self.give_lifetime(5)
        ticket = self.mail(id="same@northwind.test")
        self.assertTrue(ticket)
        self.env.cr.flush()
        self.assertFalse(self.mail(id="same@northwind.test"))
        self.assertEqual(self.account().available, 4)

    def test_two_teams(self):
        """R4.4: one e-mail to two teams is two tickets, and each takes its own."""
        self.give_lifetime(5)
        tickets = self.mail("support emergency")
        self.assertEqual(sorted(tickets.mapped("incident_count")), [1, 3])

    def test_auto_reply(self):
        """R11.3: who is away loses no incident, gets nothing for nothing, and is not
        answered: it waits for staff, as a ticket of nobody."""
        self.env["ir.config_parameter"].sudo().set_param(
            "mail.gateway.loop.threshold", 99
        )
        self.give_lifetime(5)
        before = self.env["helpdesk.ticket"].search([])
        for headers in (
            "Auto-Submitted: auto-replied\n",
            "Auto-Submitted: Auto-Replied (vacation)\n",
            "Auto-Submitted: (by sieve) auto-replied; owner-email=n@example.com\n",
            "Auto-Submitted: no\nAuto-Submitted: auto-replied\n",
            "Precedence: auto_reply\n",
            "X-Precedence: AUTO_REPLY\n",
            "Preference: auto_reply\n",
            "X-Autoreply: yes\n",
            "X-Auto-Reply: yes\n",
            "X-Autorespond: Re: It does not work\n",
            "X-Autoreply-From: n@example.com\n",
            "X-Mail-Autoreply: 1\n",
            "X-Autogenerated: Reply\n",
        ):
            for alias in ("support", "strict"):
                with self.subTest(headers, alias=alias):
                    self.assertWaitsForStaff(self.mail(alias, headers=headers))
        self.run_cron("ir_cron_incident_parked")
        tickets = (self.env["helpdesk.ticket"].search([]) - before).filtered(
            lambda ticket: ticket.incident_state == "parked"
        )
        self.assertEqual(len(tickets), 26)
        for ticket in tickets:
            self.assertWaitsForStaff(ticket)
        self.assertEqual(self.account().available, 5)

    def assertWaitsForStaff(self, ticket):
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(ticket.incident_due, 1)
        self.assertFalse(ticket.partner_id | ticket.message_partner_ids)
        self.assertFalse(ticket.closed)
        self.assertEqual(self.told(ticket), [])
        note = str(ticket.message_ids.mapped("body"))
        self.assertIn("automatic message", note)
        self.assertIn("nora@northwind.test", note)
        self.assertIn("Northwind, Nora", note)

    def test_auto_reply_and_staff(self):
        """R11.3: staff decide: they set the customer, whose it is then, or waive."""
        headers = "X-Auto-Reply: yes\n"
        waived, deducted, short = (self.mail(headers=headers) for _n in range(3))
        waived.with_user(self.agent).action_incident_waive()
        waived.with_user(self.agent).partner_id = self.contact
        self.assertEqual(waived.incident_state, "waived")
        self.give_lifetime(1)
        deducted.with_user(self.agent).partner_id = self.contact
        self.assertEqual(deducted.incident_state, "deducted")
        short.with_user(self.agent).partner_id = self.contact
        self.assertEqual(short.incident_state, "parked")
        self.assertEqual(self.told(short), ["parked"])

    def test_auto_reply_elsewhere(self):
        """R4.4: to a team that takes nothing, or of staff, it is as any other; an
        alias for one customer does not make it the customer's."""
        headers = "Auto-Submitted: auto-replied\n"
        self.give_lifetime(1)
        ticket = self.mail("questions", headers=headers)
        self.assertEqual(ticket.partner_id, self.portal_user.partner_id)
        self.assertEqual(ticket.incident_state, "none")
        ticket = self.mail(sender="agent@provider.test", headers=headers)
        self.assertEqual(ticket.partner_id, self.agent.partner_id)
        self.assertEqual(ticket.incident_state, "none")
        self.paid_team.alias_id.alias_defaults = str(
            {"team_id": self.paid_team.id, "partner_id": self.contact.id}
        )
        self.assertWaitsForStaff(self.mail(headers=headers))
        self.assertEqual(self.mail().partner_id, self.contact)
        self.assertEqual(self.account().available, 0)

    def test_reports_and_lists(self):
        """R4.4: what a program reports, or a list forwards, is an ordinary ticket."""
        self.give_lifetime(9)
        for headers in (
            "Auto-Submitted: no\n",
            "Auto-Submitted: no (written by hand)\n",
            "Auto-Submitted: auto-generated\n",
            "Precedence: list\n",
            "Precedence: bulk\n",
            "X-Auto-Reply: no\n",
            "X-Auto-Response-Suppress: All\n",
            "X-Autogenerated: Forward\n",
        ):
            ticket = self.mail(headers=headers)
            self.assertEqual(ticket.incident_state, "deducted", headers)

    def test_auto_reply_gets_no_mail_of_the_stage(self):
        """R11.3: an answer to an answer could go on for ever."""
        new = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_new")
        new.mail_template_id = self.env.ref("helpdesk_mgmt.changed_stage_template")
        env, self.env = self.env, self.env(context={})
        sent = self.env["mail.mail"].sudo()
        before = sent.search([])
        self.mail(headers="Auto-Submitted: auto-replied\n")
        self.assertFalse(sent.search([]) - before)
        self.mail()
        self.assertTrue(sent.search([]) - before)
        self.env = env

    def test_answer_to_an_auto_reply(self):
        """R11.3: an auto-reply to our mail is a reply to the ticket: no loop."""
        self.env["ir.config_parameter"].sudo().set_param(
            "mail.gateway.loop.threshold", 3
        )
        ticket = self.mail("strict")
        self.run_cron("ir_cron_incident_remind")
        answer = ticket.message_ids.filtered(
            lambda m: m.subject and "not be accepted" in m.subject
        )
        for _n in range(10):
            self.assertFalse(
                self.mail("strict", headers=f"In-Reply-To: {answer.message_id}\n")
            )
        self.assertEqual(self.told(ticket), ["refused"])

    def test_flood(self):
        """R11.3: a machine that opens one ticket after the other is stopped by Odoo."""
        self.env["ir.config_parameter"].sudo().set_param(
            "mail.gateway.loop.threshold", 3
        )
        self.give_lifetime(9)
        opened = [bool(self.mail()) for _n in range(5)]
        self.assertEqual(opened, [True, True, True, False, False])
        self.assertEqual(self.account().available, 6)

    def test_no_flood(self):
        """R11.3: other addresses that look alike are heard, and what staff or the
        portal have opened is no flood."""
        self.env["ir.config_parameter"].sudo().set_param(
            "mail.gateway.loop.threshold", 3
        )
        self.give_lifetime(9)
        for _n in range(3):
            self.mail(sender="fred_x@northwind.test")
            self.ticket(partner=self.contact, partner_email=self.contact.email)
        for sender in ("ed_x@northwind.test", "fredax@northwind.test"):
            self.assertTrue(self.mail(sender=sender), sender)
        self.assertTrue(self.mail(sender=self.contact.email))

    def test_too_many_answers(self):
        """R11.3: a customer is answered so many times a day, whatever the team does.
        What comes beyond that waits without a word, and has its turn the next day."""
        self.patch(ticket_parking, "MAX_ANSWERS", 2)
        new = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_new")
        new.mail_template_id = self.env.ref("helpdesk_mgmt.changed_stage_template")
        self.assertEqual(self.told(self.mail("strict")), ["refused"])
        self.assertEqual(self.told(self.mail()), ["parked"])
        env, self.env = self.env, self.env(context={})
        mails = self.env["mail.mail"].sudo()
        before = mails.search([])
        senders = (self.portal_user.partner_id.email, self.contact.email)
        late = [
            self.mail(alias, sender)
            for alias in ("support", "strict")
            for sender in senders
        ]
        self.assertFalse(mails.search([]) - before)
        self.env = env
        tickets = self.env["helpdesk.ticket"].union(*late)
        self.run_cron("ir_cron_incident_parked")
        for ticket in tickets:
            self.assertEqual(self.told(ticket), [])
            self.assertFalse(ticket.closed)
            self.assertEqual(ticket.incident_state, "parked")
            self.assertIn("is told of this one later", ticket.message_ids[0].body)
        # Another customer is told.
        other = self.mail(sender="b@example.com")
        self.assertEqual(self.told(other), ["parked"])
        for day, kinds in (
            (21, [["parked"], ["parked"], [], []]),
            (22, [["parked"], ["parked"], ["refused"], ["refused"]]),
        ):
            with freeze_time(f"2027-04-{day}"):
                self.run_cron("ir_cron_incident_parked")
            self.assertEqual([self.told(ticket) for ticket in late], kinds)
        self.assertEqual([t.closed for t in late], [False, False, True, True])

    def test_too_many_answers_and_incidents(self):
        """R11.3: what was not answered yet is released as any other."""
        self.patch(ticket_parking, "MAX_ANSWERS", 1)
        first, second = self.mail(), self.mail()
        self.arrive(2)
        self.assertEqual(self.states(first, second), ["deducted", "deducted"])
        self.assertEqual(self.told(second), [])

    def test_too_many_that_wait(self):
        """R11.3: however many tickets wait, an e-mail opens one more."""
        self.patch(ticket_parking, "MAX_PARKED", 1)
        self.assertEqual(self.states(self.mail(), self.mail()), ["parked"] * 2)
        with self.assertRefused("withdraw tickets"):
            self.submitted()

    def test_alias_that_says_too_much(self):
        """R11.3: defaults of an alias that cannot be written lose no message."""
        alias = self.paid_team.alias_id
        alias.alias_defaults = str(
            {"team_id": self.paid_team.id, "incident_parking": "waived"}
        )
        self.assertEqual(self.mail().incident_state, "parked")

    def test_without_the_scheduled_action(self):
        """R11.3: an administrator who deletes it loses no message."""
        self.env.ref("helpdesk_paid_support.ir_cron_incident_parked").unlink()

        def fail(*_args, **_values):
            raise ValueError("broken")

        self.patch(type(self.env["helpdesk.ticket"]), "_incident_admit", fail)
        with mute_logger("odoo.addons.helpdesk_paid_support.models"):
            self.assertEqual(self.mail().incident_state, "parked")

    def test_nothing_reaches_the_gateway(self):
        """R11.3: whatever fails, the message is kept, and tried again soon."""
        self.give_lifetime(1)
        account_class = type(self.env["helpdesk.incident.account"])
        trigger = self.env["ir.cron.trigger"].sudo()
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_parked")

        def fail(*_args, **_values):
            raise ValueError("broken")

        before = trigger.search_count([("cron_id", "=", cron.id)])
        self.patch(account_class, "_deduct", fail)
        with mute_logger("odoo.addons.helpdesk_paid_support.models"):
            ticket = self.mail()
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(ticket.partner_id, self.portal_user.partner_id)
        self.assertGreater(trigger.search_count([("cron_id", "=", cron.id)]), before)
        self.assertIn("Please help", " ".join(ticket.message_ids.mapped("body")))
        self.assertTrue(self.paid_team.alias_id.alias_status in (False, "valid"))

    def test_tried_again(self):
        """R11.3: what could not be tried at once is tried by the scheduled action:
        deducted, kept waiting or refused as at first."""
        ticket_class = type(self.env["helpdesk.ticket"])
        admit = ticket_class._incident_admit

        def fail(*_args, **_values):
            raise ValueError("broken")

        self.patch(ticket_class, "_incident_admit", fail)
        with mute_logger("odoo.addons.helpdesk_paid_support.models"):
            large, small, refused = (
                self.mail("emergency"),
                self.mail(),
                self.mail("strict"),
            )
        self.patch(ticket_class, "_incident_admit", admit)
        self.give_lifetime(1)
        self.run_cron("ir_cron_incident_parked")
        self.assertEqual(
            self.states(large, small, refused), ["parked", "deducted", "none"]
        )
        self.assertEqual(
            [self.told(ticket) for ticket in (large, small, refused)],
            [["parked"], [], ["refused"]],
        )
        self.assertTrue(refused.closed)
