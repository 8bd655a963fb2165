from odoo.tests import Form, tagged

from .test_parked import ParkedCommon


@tagged("post_install", "-at_install")
class TestTicketWaitingSeen(ParkedCommon):
    """R11.3, R12.3: staff see what waits, since when, and for how many, everywhere."""

    def seen(self, ticket):
        return ticket.with_user(self.agent).incident_waiting

    def test_since_when_and_how_many(self):
        """R11.3: 3 needed, 2 there: 1 missing, since the day of the company."""
        self.give_lifetime(2)
        ticket = self.submitted(self.emergency_team)
        self.assertEqual(self.seen(ticket), "Waiting since Apr 20: 1 missing")
        self.assertEqual(ticket.incident_missing, 1)
        self.arrive(1)
        self.assertFalse(self.seen(ticket))
        self.assertEqual(ticket.incident_missing, 0)

    def test_unknown_sender(self):
        """R11.3: whoever has written is unknown: nothing is missing yet."""
        ticket = self.ticket(partner_id=False)
        ticket._incident_remember(incident_parking="parked")
        self.assertEqual(self.seen(ticket), "Unknown sender")
        self.assertEqual(ticket.incident_missing, 0)

    def test_nothing_to_do(self):
        """R11.3: 3 open tickets, one of which waits: 2 to do, 1 waiting; the lists
        behind the numbers say the same."""
        self.give_lifetime(2)
        open_tickets = self.submitted() | self.submitted()
        waiting = self.submitted(priority="3")
        team = self.paid_team.with_user(self.agent)
        self.assertEqual((team.todo_ticket_count, team.incident_waiting_count), (2, 1))
        self.assertEqual(team.todo_ticket_count_unassigned, 2)
        self.assertEqual(team.todo_ticket_count_unattended, 2)
        self.assertEqual(team.todo_ticket_count_high_priority, 0)
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        mine = [("team_id", "=", team.id)]
        to_do = tickets.search([*mine, ("incident_state", "!=", "parked")])
        self.assertEqual(to_do, open_tickets)
        found = tickets.search([*mine, ("incident_state", "=", "parked")])
        self.assertEqual(found, waiting)

    def test_dashboard(self):
        """R11.3, R14: the dashboard leads to what waits; whoever may not see
        incidents is told of none."""
        self.submitted()

        def sections(user):
            team = self.env["helpdesk.ticket.team"].with_user(user)
            return [
                s["value"] for s in team.retrieve_dashboard() if "Wait" in s["name"]
            ]

        tickets = self.env["helpdesk.ticket"]
        parked = tickets.search_count([("incident_state", "=", "parked")])
        self.assertEqual(sections(self.agent), [parked])
        self.assertEqual(sections(self.employee), [])
        # Of tickets neither.
        self.assertEqual(self.paid_team.with_user(self.employee).todo_ticket_count, 0)

    def test_list_costs_no_query_per_ticket(self):
        """R12.3: as many queries for 6 that wait as for 2."""
        self.give_lifetime(1)
        tickets = self.ticket() | self.ticket()
        for _number in range(6):
            tickets |= self.submitted(self.emergency_team)

        def queries(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            some.with_user(self.agent).read(["incident_waiting"])
            return self.env.cr.sql_log_count - before

        queries(tickets)
        self.assertLessEqual(queries(tickets), queries(tickets[:4]) + 1)

    def test_form(self):
        """R11.3: the form says it in a sentence."""
        self.give_lifetime(2)
        ticket = self.submitted(self.emergency_team)
        with Form(ticket.with_user(self.agent)) as form:
            self.assertIn(
                "since Apr 20: 3 needed, 2 available",
                form.incident_notice,
            )
