from itertools import permutations

from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import PaidSupportCommon


@tagged("post_install", "-at_install")
class TestTicketTarget(PaidSupportCommon):
    """R16.5, R16.6: what a ticket takes in the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.paid_team.write({"incident_unit": "time", "incident_block_minutes": 30})
        cls.give_lifetime(10)

    def submitted(self, **values):
        return self.ticket(user=self.portal_user, **values).with_user(self.agent)

    def opened(self, **values):
        """A ticket that staff have opened: it has taken nothing by itself."""
        return self.ticket(user=self.agent, **values)

    def release(self):
        """What the scheduled action does."""
        for account in (
            self.env["helpdesk.ticket"].sudo()._incident_accounts_to_release()
        ):
            account._release()

    def assertTakes(self, ticket, held, short=0):
        self.env.flush_all()
        numbers = (ticket.incident_count, ticket.incident_short)
        self.assertEqual(numbers, (held, short))
        self.assertEqual(ticket.incident_target, held + short)
        self.assertEqual(self.account_model._check_ledger(), [])

    def test_blocks(self):
        """R16.5: one incident for each started block; less time returns them, down to
        the number at submission."""
        ticket = self.submitted()
        for minutes, number in (
            (0, 1),
            (1, 1),
            (30, 1),
            (31, 2),
            (95, 4),
            (60, 2),
            (0, 1),
        ):
            ticket.incident_minutes = minutes
            self.assertTakes(ticket, number)
        for wrong, error in (
            ("an hour", UserError),
            (1.5, UserError),
            (-1, IntegrityError),
            (10**6, IntegrityError),
        ):
            with (
                self.subTest(wrong=wrong),
                mute_logger("odoo.sql_db"),
                self.assertRaises(error),
            ):
                ticket.write({"incident_minutes": wrong})
                self.env.flush_all()

    def test_short(self):
        """R16.6: time is never refused: the ticket takes what there is, and the rest
        when incidents arrive, before what waits, the oldest first."""
        self.account()._adjust(-8, "Two are left")
        ticket = self.opened(incident_minutes=95)
        self.assertTakes(ticket, 2, short=2)
        self.assertEqual(ticket.incident_state, "short")
        self.assertIn("Short of support incidents: 2 of the 4", self.said(ticket))
        second = self.opened()
        second.incident_minutes = 10
        self.assertTakes(second, 0, short=1)
        self.paid_team.incident_shortage_policy = "park"
        waiting = self.submitted()
        self.assertEqual(waiting.incident_state, "parked")
        found = self.env["helpdesk.ticket"].search([("incident_state", "=", "short")])
        self.assertEqual(found, ticket.with_env(self.env) | second.with_env(self.env))
        for given, numbers in ((1, (3, 0, 0)), (2, (4, 1, 0)), (1, (4, 1, 1))):
            self.give_lifetime(given)
            self.account()._release()
            tickets = ticket | second | waiting
            self.assertEqual(tuple(t.incident_count for t in tickets), numbers)
        self.give_lifetime(5)
        self.assertEqual(self.account().available, 5)
        self.assertEqual(self.account_model._check_ledger(), [])

    def test_bought(self):
        """R16.6: 95 minutes of blocks of 30 with 2 left: 4 wanted, 2 taken, 2 short;
        five more settle it, and 3 are left."""
        self.account()._adjust(-8, "Two are left")
        ticket = self.opened(incident_minutes=95)
        self.assertTakes(ticket, 2, short=2)
        self.give_lifetime(5)
        self.release()
        self.assertTakes(ticket, 4)
        self.assertEqual(self.account().available, 3)

    def test_by_hand(self):
        """R16.6: a number that was set by hand stays, whatever the time; a button lets
        time count again. Beyond what is there it is refused."""
        ticket = self.submitted()
        ticket.incident_count = 3
        ticket.incident_minutes = 35
        self.assertTakes(ticket, 3)
        ticket.incident_minutes = 300
        self.assertTakes(ticket, 3)
        with self.assertRefused("needed"):
            ticket.incident_count = 14
        self.assertTakes(ticket, 3)
        ticket.action_incident_count_time()
        self.assertTakes(ticket, 10)
        ticket.incident_minutes = 330
        self.assertTakes(ticket, 10, short=1)
        with self.assertRefused("needed"):
            ticket.incident_count = 11
        ticket.incident_count = 10
        self.assertTakes(ticket, 10)
        ticket.action_incident_count_time()
        self.assertTakes(ticket, 10, short=1)
        ticket.action_incident_waive_rest()
        self.assertTakes(ticket, 10)
        self.assertIn("Waived: 1 of", self.said(ticket))
        ticket.incident_count = 0
        self.assertTakes(ticket, 0)

    def test_form_of_a_new_ticket(self):
        """R16.6: who saves a new ticket has not set its number by hand."""
        form = Form(self.env["helpdesk.ticket"].with_user(self.agent))
        form.name, form.description = "On the phone", "It does not print"
        form.partner_id, form.team_id = self.customer, self.paid_team
        form.incident_minutes = 40
        self.assertIn("10 → 8 left", form.incident_preview)
        ticket = form.save()
        self.assertTakes(ticket, 2)
        self.assertEqual(ticket.incident_basis, "submission")
        form = Form(ticket)
        self.assertFalse(form.incident_preview)
        form.incident_minutes = 70
        self.assertIn("8 → 7 left", form.incident_preview)
        form.incident_minutes = 1000
        self.assertIn("8 → 0 left", form.incident_preview)
        form.incident_minutes = 10
        self.assertIn("8 → 9 left", form.incident_preview)
        form.save()
        self.assertTakes(ticket, 1)

    def test_only_where_time_counts(self):
        """R16.4, R16.5: other teams count no time; a team that counts otherwise by now
        changes no ticket."""
        ticket = self.submitted(incident_minutes=0)
        ticket.incident_minutes = 40
        self.assertTakes(ticket, 2)
        self.paid_team.incident_block_minutes = 10
        self.assertTakes(ticket, 2)
        ticket.name = "Another title"
        self.assertTakes(ticket, 2)
        self.paid_team.incident_unit = "ticket"
        self.assertTakes(ticket, 2)
        free = self.opened(team=self.free_team)
        free.incident_minutes = 500
        self.assertTakes(free, 0)

    def test_duplicate(self):
        """R4.7, R16.6: a duplicate takes nothing; what it took comes back when it is
        none, as far as there is."""
        ticket, original = self.submitted(), self.submitted()
        ticket.duplicate_id = original
        self.assertTakes(ticket, 0)
        ticket.incident_minutes = 70
        self.assertTakes(ticket, 0)
        self.account()._adjust(-7, "Two are left")
        ticket.duplicate_id = False
        self.assertTakes(ticket, 2, short=1)
        self.company.incident_return_on_duplicate = False
        ticket.duplicate_id = original
        self.assertTakes(ticket, 2, short=1)

    def test_waiting(self):
        """R16.4, R16.6: a ticket that waits takes what its team and its time say at
        present; waived it takes nothing until its number is set by hand, or its time
        counts again."""
        self.account()._adjust(-10, "None is left")
        self.paid_team.incident_shortage_policy = "park"
        ticket = self.submitted()
        ticket.incident_minutes = 45
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(ticket.incident_due, 2)
        self.give_lifetime(1)
        self.release()
        self.assertEqual(ticket.incident_state, "parked")
        self.give_lifetime(1)
        self.release()
        self.assertTakes(ticket, 2)
        ticket.incident_minutes = 0
        self.assertTakes(ticket, 1)
        waived = self.submitted(name="Second")
        waived.incident_count = 0
        self.account()._adjust(-2, "None is left")
        third = self.submitted(name="Third")
        self.assertEqual(third.incident_state, "parked")
        third.action_incident_waive()
        third.incident_minutes = 45
        self.assertTakes(third, 0)
        self.assertEqual(third.incident_state, "waived")
        third.action_incident_count_time()
        self.assertTakes(third, 0, short=2)

    def test_closed_while_it_waits(self):
        """R16.5: time that was worked on a ticket that waits counts, if it is closed
        without having been submitted."""
        self.account()._adjust(-10, "None is left")
        self.paid_team.incident_shortage_policy = "park"
        self.paid_team.incident_cost = 3
        ticket = self.submitted()
        ticket.incident_minutes = 45
        ticket.stage_id = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        self.assertTakes(ticket, 0, short=2)

    def test_without_a_customer(self):
        """R16.6: who pays can be known later."""
        ticket = (
            self.env["helpdesk.ticket"]
            .with_user(self.agent)
            .create(
                {
                    "name": "Unknown",
                    "description": "Who is it?",
                    "team_id": self.paid_team.id,
                    "incident_minutes": 45,
                }
            )
        )
        self.assertTakes(ticket, 0, short=2)
        ticket.partner_id = self.customer
        self.assertTakes(ticket, 2)

    def test_copy(self):
        """R4.7: a copy has none of it."""
        ticket = self.submitted()
        ticket.incident_minutes = 45
        ticket.incident_count = 4
        self.assertTakes(ticket.copy(), 0)
        self.assertEqual(ticket.copy().incident_minutes, 0)

    def test_moved_while_short(self):
        """R4.7, R16.6: what is short, and holds nothing, is short of the incidents of
        whose it becomes."""
        self.account()._adjust(-10, "None is left")
        ticket = self.opened(incident_minutes=45)
        self.assertTakes(ticket, 0, short=2)
        other = self.other_customer
        self.give_lifetime(5, other)
        ticket.partner_id = other
        self.assertTakes(ticket, 2)
        self.assertEqual(self.account(other).available, 3)

    def test_order_does_not_matter(self):
        """R16.6: whatever says what a ticket takes, the order in which it is said
        changes nothing."""
        original = self.submitted()

        def hand(ticket):
            ticket.incident_count = 3

        def time(ticket):
            ticket.incident_minutes = 125

        def duplicate(ticket):
            ticket.duplicate_id = original

        def no_duplicate(ticket):
            ticket.duplicate_id = False

        for steps, number in (
            ((hand, time), 3),
            ((hand, duplicate), 0),
            ((time, duplicate), 0),
            ((hand, time, duplicate), 0),
        ):
            for order in permutations(steps):
                with self.subTest(order=[step.__name__ for step in order]):
                    ticket = self.submitted()
                    for step in order:
                        step(ticket)
                    self.assertTakes(ticket, number)
                    no_duplicate(ticket)
                    by_hand = hand in steps
                    self.assertTakes(
                        ticket, 3 if by_hand else 5 if time in steps else 1
                    )
                    ticket.incident_count = 0

    def said(self, ticket):
        return " ".join(ticket.sudo().message_ids.mapped(lambda m: str(m.body)))
