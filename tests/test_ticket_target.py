import runpy

from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import file_path, mute_logger

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

    def test_pairs(self):
        """R16.6: two that say what a ticket takes, in both orders: what it takes then,
        and what it takes when nothing says any more that it takes nothing."""
        self.paid_team.incident_return_unanswered = True
        self.paid_team.incident_rule_ids = [
            Command.create({"priority": "3", "incident_cost": 2})
        ]
        self.give_lifetime(500)
        original = self.submitted()
        outcome = self.env["helpdesk.ticket.outcome"].create({"name": "Defect"})
        opened, closed = (
            self.env.ref(f"helpdesk_mgmt.helpdesk_ticket_stage_{stage}").id
            for stage in ("new", "done")
        )

        def button(ticket):
            ticket.priority = "3"
            ticket.action_incident_deduct()

        writers = {
            "hand": lambda ticket: ticket.write({"incident_count": 3}),
            "button": button,
            "time": lambda ticket: ticket.write({"incident_minutes": 125}),
            "count": lambda ticket: ticket.action_incident_count_time(),
            "outcome": lambda ticket: ticket.write({"incident_outcome_id": outcome.id}),
            "double": lambda ticket: ticket.write({"duplicate_id": original.id}),
            "close": lambda ticket: ticket.write({"stage_id": closed}),
        }
        # The first one of two has a row.
        table = """
            hand    -   3/3 3/3 1/1 0/3 0/3 0/3
            button  3/3 -   2/2 1/1 0/2 0/2 0/2
            time    3/3 5/5 -   5/5 0/5 0/5 5/5
            count   3/3 2/2 5/5 -   0/1 0/1 0/1
            outcome 0/3 0/1 0/5 0/1 -   0/1 0/1
            double  0/3 0/1 0/5 0/1 0/1 -   0/1
            close   0/3 0/1 5/5 0/1 0/1 0/1 -
        """
        for row in table.strip().splitlines():
            first, *numbers = row.split()
            for second, number in zip(writers, numbers, strict=True):
                if first == second:
                    continue
                with self.subTest(first=first, second=second):
                    ticket = self.submitted()
                    writers[first](ticket)
                    writers[second](ticket)
                    then, undone = map(int, number.split("/"))
                    self.assertEqual(ticket._incident_holds(), then)
                    ticket.write({"incident_outcome_id": False, "duplicate_id": False})
                    ticket.stage_id = opened
                    self.assertTakes(ticket, undone)

    def test_all_at_once(self):
        """R16.6: what is said in one write, of several tickets; other incidents than it
        held before are asked for by nobody."""
        tickets = self.submitted() | self.submitted(name="Second")
        original = self.submitted(name="Original")
        entries = self.entry_model.search_count([])
        tickets.write({"incident_count": 1, "incident_minutes": 125})
        for ticket in tickets:
            self.assertTakes(ticket, 1)
        self.assertEqual(self.entry_model.search_count([]), entries)
        tickets.write({"incident_count": 2, "duplicate_id": original.id})
        for ticket in tickets:
            self.assertTakes(ticket, 0)
        tickets.duplicate_id = False
        for ticket in tickets:
            self.assertTakes(ticket, 2)
        with self.assertRefused("Return them before you move it"):
            tickets.write(
                {"incident_minutes": 600, "partner_id": self.other_customer.id}
            )
        tickets.write(
            {
                "incident_count": 0,
                "incident_minutes": 600,
                "partner_id": self.other_customer.id,
            }
        )
        for ticket in tickets:
            self.assertTakes(ticket, 0)

    def test_of_before(self):
        """R16.6: time asks again for nothing of what was waived, or returned of a
        duplicate, before targets were known."""
        ticket, waived = self.submitted(), self.submitted(name="Waived")
        waived.incident_count = 0
        double = self.submitted(name="Double", duplicate_id=ticket.id)
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE helpdesk_ticket
               SET incident_basis = NULL, incident_is_duplicate = NULL,
                   incident_parking = CASE id WHEN %s THEN 'waived' END
             WHERE team_id = %s
            """,
            [waived.id, self.paid_team.id],
        )
        self.env.invalidate_all()
        script = runpy.run_path(
            file_path("helpdesk_paid_support/migrations/19.0.1.1.0/post-targets.py")
        )
        script["migrate"](self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        (ticket | waived | double).incident_minutes = 45
        for which, number in ((ticket, 2), (waived, 0), (double, 0)):
            self.assertTakes(which, number)

    # -- before it is opened, and while it waits -----------------------------

    def none_left(self):
        self.account()._adjust(-self.account().available, "None is left")

    def unopened(self):
        """Staff save a ticket, with time, before they know whose it is."""
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        return tickets.create(
            {
                "name": "Who is it?",
                "description": "?",
                "team_id": self.paid_team.id,
                "incident_minutes": 45,
            }
        )

    def test_opened_late(self):
        """R4.4, R16.5: what is opened late takes the number of its team at submission;
        time that was worked before counts, and is never refused."""
        team = self.paid_team
        team.write({"incident_on_staff_tickets": True, "incident_cost": 3})
        ticket = self.unopened()
        self.assertTakes(ticket, 0, short=2)
        ticket.partner_id = self.customer
        self.assertTakes(ticket, 3)
        ticket.incident_minutes = 100
        self.assertTakes(ticket, 4)
        team.incident_cost = 1
        self.account()._adjust(1 - self.account().available, "One is left")
        second = self.unopened()
        second.partner_id = self.customer
        self.assertTakes(second, 1, short=1)
        third = self.unopened()
        with self.assertRefused("1 needed, 0 available"):
            third.partner_id = self.customer
        third.write({"partner_id": self.customer.id, "incident_if_short": "waive"})
        self.assertTakes(third, 0)
        team.incident_shortage_policy = "park"
        fourth = self.unopened()
        fourth.partner_id = self.customer
        self.assertEqual(fourth.incident_state, "parked")
        self.assertTakes(fourth, 0)
        self.give_lifetime(5)
        self.release()
        self.assertTakes(fourth, 2)

    def test_time_before_the_team(self):
        """R16.5: time counts where it is entered before the team is known, too, or
        comes with the context."""
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        values = {"name": "?", "description": "?", "partner_id": self.customer.id}
        ticket = tickets.create({**values, "incident_minutes": 45})
        self.assertTakes(ticket, 0)
        ticket.team_id = self.paid_team
        self.assertTakes(ticket, 2)
        self.paid_team.incident_on_staff_tickets = True
        by_hand = tickets.create({**values, "incident_count": 2})
        by_hand.team_id = self.paid_team
        self.assertTakes(by_hand, 2)
        self.assertEqual(len(by_hand.sudo().incident_entry_ids), 1)
        tickets = tickets.with_context(default_incident_minutes=45)
        self.assertTakes(tickets.create({**values, "team_id": self.paid_team.id}), 2)

    def test_waits_again(self):
        """R16.4, R16.6: what waits, waits for its number of now, whatever was set by
        hand before; 0 is set by the button that waives."""
        ticket = self.submitted()
        ticket.incident_count = 0
        self.none_left()
        ticket.action_incident_send_link()
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(ticket.incident_target, 0)
        self.give_lifetime(1)
        self.release()
        self.assertTakes(ticket, 1)
        ticket.incident_minutes = 10
        self.assertTakes(ticket, 1)
        self.paid_team.incident_shortage_policy = "park"
        second = self.submitted(name="Second")
        second.incident_minutes = 10
        second.incident_count = 0
        self.assertEqual(second.incident_state, "parked")
        self.paid_team.incident_cost = 2
        self.give_lifetime(2)
        self.release()
        self.assertTakes(second, 2)
        second.incident_minutes = 0
        self.assertTakes(second, 2)

    def test_waits_no_more(self):
        """R16.6: what waited, and is no duplicate any more, takes its number; where it
        is in a team that takes nothing, its time, which was worked."""
        self.none_left()
        self.paid_team.incident_shortage_policy = "park"
        ticket, original = self.submitted(), self.submitted(name="Original")
        ticket.duplicate_id = original
        self.assertTakes(ticket, 0)
        ticket.duplicate_id = False
        self.assertTakes(ticket, 0, short=1)
        original.incident_minutes = 45
        original.team_id = self.free_team
        self.assertEqual(original.incident_state, "short")
        self.assertTakes(original, 0, short=2)

    def test_new_duplicate(self):
        """R4.7: what is a duplicate from the beginning takes nothing, worked or not."""
        ticket = self.submitted(duplicate_id=self.submitted().id, name="Second")
        ticket.incident_minutes = 45
        self.assertTakes(ticket, 0)
        ticket.duplicate_id = False
        self.assertTakes(ticket, 2)

    def test_target_of_now(self):
        """R16.6: the number that it is to hold is not one of before."""
        ticket = self.submitted()
        self.assertEqual(ticket.incident_target, 1)
        ticket.duplicate_id = self.submitted(name="Second")
        self.assertEqual(ticket.incident_target, 0)
        ticket.duplicate_id = False
        self.none_left()
        ticket.incident_minutes = 95
        self.assertEqual(ticket.incident_target, 4)

    def test_archived_and_merged(self):
        """R2.2, R16.6: what is short is settled when it is archived, too, or when its
        customer is merged with one that has incidents."""
        self.none_left()
        ticket, second = self.opened(incident_minutes=45), self.opened(name="Second")
        ticket.active = False
        self.give_lifetime(2)
        self.release()
        self.assertTakes(ticket, 2)
        second.incident_minutes = 45
        self.assertTakes(second, 0, short=2)
        self.give_lifetime(3, self.other_customer)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer | self.other_customer).ids,
            self.other_customer,
            extra_checks=False,
        )
        self.env.invalidate_all()
        self.release()
        self.assertTakes(second, 2)

    def said(self, ticket):
        return " ".join(ticket.sudo().message_ids.mapped(lambda m: str(m.body)))
