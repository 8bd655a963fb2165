from freezegun import freeze_time

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import PaidSupportCommon


@tagged("post_install", "-at_install")
class TestTicketOutcome(PaidSupportCommon):
    """R17.1–R17.3: what became of tickets, and what they take then."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.defect, cls.done = cls.env["helpdesk.ticket.outcome"].create(
            [
                {"name": "Defect of ours", "company_id": cls.company.id},
                {"name": "Work done", "charged": True, "company_id": cls.company.id},
            ]
        )
        cls.stage_new = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_new")
        cls.stage_done = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        cls.stage_cancelled = cls.env.ref(
            "helpdesk_mgmt.helpdesk_ticket_stage_cancelled"
        )
        cls.give_lifetime(5)

    def submitted(self, **values):
        return self.ticket(user=self.portal_user, **values).with_user(self.agent)

    def assertTakes(self, ticket, held, short=0):
        self.env.flush_all()
        numbers = (ticket.incident_count, ticket.incident_short)
        self.assertEqual(numbers, (held, short))
        self.assertEqual(self.account_model._check_ledger(), [])

    def reminders(self):
        """Those of the customer: demo data have others."""
        return self.env["helpdesk.incident.reminder"].search(
            [("account_id", "=", self.account().id)]
        )

    def mails(self):
        reminders = self.reminders()
        return [(r.kind, r.quantity) for r in reminders.sorted("id")]

    def test_returned_and_charged_again(self):
        """R17.1: one that is not charged returns what was taken; emptied it counts as
        charged, and one that is charged changes nothing. Ledger, history and the mail
        name it."""
        ticket = self.submitted()
        ticket.incident_outcome_id = self.done
        self.assertTakes(ticket, 1)
        ticket.incident_outcome_id = self.defect
        self.assertTakes(ticket, 0)
        self.assertEqual(ticket.incident_state, "waived")
        entry = ticket.sudo().incident_entry_ids.sorted("id")[-1]
        self.assertEqual((entry.kind, entry.quantity), ("return", 1))
        self.assertEqual(entry.outcome_id, self.defect)
        self.assertIn("(Defect of ours)", entry.name)
        self.assertIn("Outcome: Defect of ours.", self.said(ticket))
        self.assertEqual(self.mails(), [("returned", 1)])
        waived = self.env["helpdesk.ticket"].search([("incident_state", "=", "waived")])
        found = waived.filtered(lambda t: t.commercial_partner_id == self.customer)
        self.assertEqual(found, ticket.with_env(self.env))
        ticket.incident_outcome_id = False
        self.assertTakes(ticket, 1)
        entry = ticket.sudo().incident_entry_ids.sorted("id")[-1]
        self.assertEqual((entry.kind, entry.outcome_id.id), ("deduction", False))
        ticket.incident_outcome_id = self.defect
        ticket.incident_outcome_id = self.done
        self.assertTakes(ticket, 1)
        self.assertEqual(len(self.mails()), 2)
        self.assertFalse(ticket.copy().incident_outcome_id)

    def test_mail(self):
        """R5.3, R17.1: the customer's mail names the outcome, and what became of what
        came back to a month that has ended."""
        self.account()._adjust(-5, "None is left")
        self.give_period(2, "2027-04-10", "2027-05-09")
        ticket = self.submitted()
        ticket.incident_count = 2
        with freeze_time("2027-05-12"):
            ticket.incident_outcome_id = self.defect
            self.assertTakes(ticket, 0)
            self.assertEqual(self.account().available, 2)
            reminder = self.reminders()
            self.assertEqual((reminder.kind, reminder.quantity), ("returned", 2))
            reminder._send()
            body = ticket.sudo().message_ids.sorted("id")[-1].body
        for words in (
            "Defect of ours",
            "2 came back as lifetime incidents: their period has ended.",
        ):
            self.assertIn(words, body)

    def test_charged_again_with_nothing_left(self):
        """R16.6, R17.1: charged again with nothing left, it is short, until there are
        incidents."""
        ticket = self.submitted()
        ticket.incident_outcome_id = self.defect
        self.account()._adjust(-5, "None is left")
        ticket.incident_outcome_id = False
        self.assertTakes(ticket, 0, short=1)
        self.give_lifetime(2)
        self.account()._release()
        self.assertTakes(ticket, 1)

    def test_after_the_month_has_ended(self):
        """R5.3: what comes back to an ended month by an outcome comes back as lifetime
        incidents, whatever the setting; by hand it lapses."""
        self.account()._adjust(-5, "None is left")
        self.give_period(4, "2027-04-10", "2027-05-09")
        first, second = self.submitted(), self.submitted(name="Second")
        with freeze_time("2027-05-12"):
            second.incident_count = 0
            self.assertEqual(self.account().available, 0)
            first.incident_outcome_id = self.defect
            self.assertEqual(self.account().available, 1)
            first.incident_outcome_id = False
            self.assertTakes(first, 1)
            self.assertEqual(self.account().available, 0)

    def test_by_hand_by_time_and_outcome(self):
        """R16.6: number set to 3 by hand, then 35 minutes in blocks of 30: still 3;
        outcome *defect*: 0; ten minutes more: still 0; outcome emptied: 3; nothing left
        by then: short, settled later."""
        self.paid_team.write({"incident_unit": "time", "incident_block_minutes": 30})
        ticket = self.submitted()
        ticket.incident_count = 3
        ticket.incident_minutes = 35
        self.assertTakes(ticket, 3)
        ticket.incident_outcome_id = self.defect
        self.assertTakes(ticket, 0)
        ticket.incident_minutes = 45
        self.assertTakes(ticket, 0)
        ticket.incident_outcome_id = False
        self.assertTakes(ticket, 3)
        ticket.incident_outcome_id = self.defect
        self.account()._adjust(-4, "One is left")
        ticket.incident_outcome_id = False
        self.assertTakes(ticket, 1, short=2)
        self.give_lifetime(9)
        self.account()._release()
        self.assertTakes(ticket, 3)
        ticket.incident_outcome_id = self.defect
        ticket.incident_count = 2
        self.assertTakes(ticket, 0)
        self.assertIn("of which it takes none now", self.said(ticket))
        ticket.incident_outcome_id = False
        self.assertTakes(ticket, 2)

    def test_on_a_waiting_ticket(self):
        """R17.1: it waits no more; emptied it takes its number, short if it is
        missing."""
        self.account()._adjust(-5, "None is left")
        self.paid_team.write({"incident_shortage_policy": "park", "incident_cost": 2})
        ticket = self.submitted()
        self.assertEqual(ticket.incident_state, "parked")
        ticket.incident_outcome_id = self.defect
        self.assertEqual(ticket.incident_state, "waived")
        self.assertTakes(ticket, 0)
        self.assertFalse(ticket.incident_due)
        self.give_lifetime(1)
        self.account()._release()
        self.assertTakes(ticket, 0)
        ticket.incident_outcome_id = self.done
        self.assertTakes(ticket, 1, short=1)

    def test_company(self):
        """R2.3: an outcome stays with the company whose tickets have it."""
        self.submitted().incident_outcome_id = self.defect
        other = self.env["res.company"].create({"name": "Other"})
        with self.assertRefused("so it stays theirs"):
            self.defect.company_id = other
        self.defect.company_id = False
        self.done.company_id = other

    def test_given_with_a_new_ticket(self):
        """R17.1: a ticket that has it from the beginning takes nothing."""
        self.paid_team.incident_on_staff_tickets = True
        ticket = self.ticket(user=self.agent, incident_outcome_id=self.defect.id)
        self.assertTakes(ticket, 0)

    def test_by_stage(self):
        """R17.2: a stage brings an outcome that is not charged, and none clears one."""
        with self.assertRefused("only outcomes that are not charged"):
            self.stage_cancelled.incident_outcome_id = self.done
        self.stage_cancelled.incident_outcome_id = self.defect
        ticket = self.submitted()
        ticket.stage_id = self.stage_cancelled
        self.assertEqual(ticket.incident_outcome_id, self.defect)
        self.assertTakes(ticket, 0)
        ticket.stage_id = self.stage_new
        self.assertEqual(ticket.incident_outcome_id, self.defect)
        goodwill = self.defect.copy({"name": "Goodwill"})
        other = self.submitted(name="Other")
        other.incident_outcome_id = goodwill
        other.stage_id = self.stage_cancelled
        self.assertEqual(other.incident_outcome_id, goodwill)
        # Nor does it bring one that is archived.
        self.defect.active = False
        late = self.submitted(name="Late")
        late.stage_id = self.stage_cancelled
        self.assertFalse(late.incident_outcome_id)
        self.defect.active = True
        # R2.3: an outcome of another company is not theirs.
        foreign = self.defect.copy(
            {"company_id": self.env["res.company"].create({"name": "Other"}).id}
        )
        self.stage_done.incident_outcome_id = foreign
        fourth = self.submitted(name="Fourth")
        fourth.stage_id = self.stage_done
        self.assertFalse(fourth.incident_outcome_id)
        # A customer who closes it in the portal may not write outcomes.
        third = self.submitted(name="Third")
        third.with_user(self.portal_user).sudo().stage_id = self.stage_cancelled
        self.assertEqual(third.incident_outcome_id, self.defect)

    def test_asked_for(self):
        """R17.2: where the team asks for it, staff say what became of a ticket that has
        taken incidents before they close it; customers and scheduled actions need
        not."""
        self.paid_team.incident_outcome_required = True
        ticket = self.submitted()
        with self.assertRefused("Choose the outcome of ticket"):
            ticket.stage_id = self.stage_done
        with self.assertRefused("Choose the outcome of ticket"):
            ticket.write({"stage_id": self.stage_done.id, "incident_outcome_id": False})
        ticket.write(
            {"stage_id": self.stage_done.id, "incident_outcome_id": self.done.id}
        )
        self.assertTrue(ticket.closed)
        second = self.submitted(name="Second")
        second.with_user(self.portal_user).sudo().stage_id = self.stage_done
        self.assertTrue(second.closed)
        other = self.env["res.company"].create({"name": "Other"})
        foreign = self.defect.copy({"company_id": other.id})
        self.stage_done.incident_outcome_id = foreign
        third = self.submitted(name="Third")
        with self.assertRefused("Choose the outcome of ticket"):
            third.stage_id = self.stage_done
        self.stage_done.incident_outcome_id = False
        nothing = self.ticket(user=self.agent)
        nothing.with_user(self.agent).stage_id = self.stage_done
        self.assertTrue(nothing.closed)

    def test_fixed_once_it_is_used(self):
        """R17.1: whether it is charged cannot change for tickets that have it."""
        ticket = self.submitted()
        self.defect.charged = False
        ticket.incident_outcome_id = self.defect
        with self.assertRefused("Archive it, and make another one"):
            self.defect.charged = True
        with self.assertRefused("Archive it instead"):
            self.defect.unlink()
        self.defect.name = "Our fault"
        ticket.incident_outcome_id = False
        with self.assertRefused("Archive it instead"):
            self.defect.unlink()
        self.done.unlink()

    def test_roles(self):
        """R14: each agent sets outcomes of tickets that it may write; only managers
        change the list; of other companies there are none."""
        outcomes = self.env["helpdesk.ticket.outcome"]
        outcomes.with_user(self.manager).create({"name": "Feature request"})
        with self.assertRaises(UserError):
            outcomes.with_user(self.agent).create({"name": "Mine"})
        with self.assertRaises(UserError):
            outcomes.with_user(self.portal_user).search([])
        other = self.env["res.company"].create({"name": "Other"})
        foreign = outcomes.create({"name": "Theirs", "company_id": other.id})
        ticket = self.submitted()
        with self.assertRaises(UserError):
            ticket.with_env(self.env).incident_outcome_id = foreign
        self.assertNotIn(foreign, outcomes.with_user(self.agent).search([]))

    # -- R17.3 ---------------------------------------------------------

    def unanswered(self, **values):
        self.paid_team.incident_return_unanswered = True
        return self.submitted(**values)

    def test_unanswered(self):
        """R17.3: closed before staff have written to the customer or entered time: what
        it took is returned; whoever reopens it makes it take it again."""
        ticket = self.unanswered()
        ticket.message_post(
            body="A note", subtype_xmlid="mail.mt_note", message_type="comment"
        )
        ticket.with_user(self.portal_user).sudo().message_post(
            body="Never mind", subtype_xmlid="mail.mt_comment", message_type="comment"
        )
        ticket.with_user(self.portal_user).sudo().stage_id = self.stage_done
        self.assertTakes(ticket, 0)
        self.assertIn("closed without an answer", self.said(ticket))
        ticket.stage_id = self.stage_new
        self.assertTakes(ticket, 1)
        ticket.stage_id = self.stage_done
        self.assertTakes(ticket, 0)

    def test_answered(self):
        """R17.3: who was answered, or worked for, has got something; a team that does
        not say so returns nothing."""
        ticket = self.unanswered()
        self.answer(ticket)
        ticket.stage_id = self.stage_done
        self.assertTakes(ticket, 1)
        second = self.unanswered(name="Second", incident_minutes=0)
        second.incident_minutes = 5
        second.stage_id = self.stage_done
        self.assertTakes(second, 1)
        self.paid_team.incident_return_unanswered = False
        third = self.submitted(name="Third")
        third.stage_id = self.stage_done
        self.assertTakes(third, 1)

    def test_closed_with_an_outcome(self):
        """R5.3, R17.1: closed without an answer, but by an outcome that is not charged,
        it returns by that: for good, and the customer is told."""
        self.account()._adjust(-5, "None is left")
        self.give_period(2, "2027-04-10", "2027-05-09")
        ticket, second = self.unanswered(), self.unanswered(name="Second")
        self.stage_cancelled.incident_outcome_id = self.defect
        with freeze_time("2027-05-12"):
            ticket.write(
                {
                    "stage_id": self.stage_done.id,
                    "incident_outcome_id": self.defect.id,
                }
            )
            second.stage_id = self.stage_cancelled
            for closed in ticket | second:
                self.assertTakes(closed, 0)
            self.assertEqual(self.account().available, 2)
        self.assertEqual(self.mails(), [("returned", 1)] * 2)

    def test_closed_with_time(self):
        """R17.3: time that is entered when it is closed was worked: nothing moves."""
        ticket = self.unanswered()
        entries = ticket.sudo().incident_entry_ids
        ticket.write({"stage_id": self.stage_done.id, "incident_minutes": 5})
        self.assertTakes(ticket, 1)
        self.assertEqual(ticket.sudo().incident_entry_ids, entries)

    def test_written_by_a_robot(self):
        """R17.3: neither what OdooBot says is an answer, nor the mail of a stage."""
        self.stage_done.mail_template_id = self.env["mail.template"].create(
            {
                "name": "Closed",
                "model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "subject": "Closed",
                "body_html": "<p>Closed</p>",
                "partner_to": "{{ object.partner_id.id }}",
                "auto_delete": False,
            }
        )
        ticket = self.unanswered()
        self.answer(ticket.with_user(SUPERUSER_ID))
        self.env.cr.flush()
        ticket.with_context(tracking_disable=False).stage_id = self.stage_done
        self.env.cr.flush()
        self.assertIn("Closed", ticket.sudo().message_ids.mapped("subject"))
        self.assertTakes(ticket, 0)

    def test_closed_while_it_waits(self):
        """R17.3: whoever goes on with it makes it take its number, not none."""
        self.account()._adjust(-5, "None is left")
        self.paid_team.incident_shortage_policy = "park"
        ticket = self.unanswered()
        ticket.stage_id = self.stage_done
        self.assertTakes(ticket, 0)
        ticket.stage_id = self.stage_new
        self.assertTakes(ticket, 0, short=1)

    def test_goes_on(self):
        """R17.3: an answer, or time, to a ticket that was closed so takes its number
        again, short if it is missing."""
        ticket, second = self.unanswered(), self.unanswered(name="Second")
        (ticket | second).write({"stage_id": self.stage_done.id})
        self.account()._adjust(-5, "None is left")
        self.answer(ticket)
        self.assertTakes(ticket, 0, short=1)
        self.paid_team.incident_unit = "time"
        second.incident_minutes = 70
        self.assertTakes(second, 0, short=2)

    def test_withdrawn_while_it_waits(self):
        """R16.6: what was withdrawn takes nothing, whatever is said, until somebody
        goes on with it."""
        self.account()._adjust(-5, "None is left")
        self.paid_team.incident_shortage_policy = "park"
        ticket = self.submitted()
        ticket.sudo()._incident_withdraw()
        self.give_lifetime(3)
        self.account()._release()
        self.assertTakes(ticket, 0)
        ticket.incident_count = 2
        self.assertTakes(ticket, 0)
        ticket.stage_id = self.stage_new
        self.assertTakes(ticket, 2)

    def answer(self, ticket):
        ticket.message_post(
            body="We look at it",
            subtype_xmlid="mail.mt_comment",
            message_type="comment",
        )

    def said(self, ticket):
        return " ".join(str(m.body) for m in ticket.sudo().message_ids)
