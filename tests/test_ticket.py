from odoo.exceptions import UserError
from odoo.tests import Form

from .common import PaidSupportCommon


class TestTicket(PaidSupportCommon):
    def last_note(self, ticket):
        return ticket.message_ids.sorted("id")[-1]

    def test_customer_submits(self):
        """R4.4: the team's incidents per ticket, in the same transaction."""
        account = self.give_lifetime(5)
        ticket = self.ticket(user=self.portal_user)
        self.assertEqual(
            (ticket.incident_count, ticket.incident_state), (1, "deducted")
        )
        ticket = self.ticket(self.emergency_team, user=self.colleague)
        self.assertEqual(ticket.incident_count, 3)
        self.assertEqual(account.available, 1)
        self.ticket(self.free_team, user=self.portal_user)
        self.assertEqual(account.available, 1)

    def test_default_number(self):
        """R4.4: a default of the field is the number, not something on top of it."""
        self.give_lifetime(10)
        self.env["ir.default"].set("helpdesk.ticket", "incident_count", 2)
        self.assertEqual(self.ticket(user=self.portal_user).incident_count, 2)

    def test_customer_without_incidents(self):
        """R4.3, R11.2: the rule holds in the model."""
        with self.assertRefused("1 needed, 0 available"):
            self.ticket(user=self.portal_user)
        self.give_lifetime(1)
        self.ticket(user=self.portal_user)
        with self.assertRaises(UserError):
            self.ticket(user=self.portal_user)

    def test_staff_opens(self):
        """R4.4: nothing by itself, unless the team says so."""
        account = self.give_lifetime(5)
        ticket = self.ticket()
        self.assertEqual(ticket.incident_count, 0)
        self.assertEqual(ticket.incident_due, 1)
        self.paid_team.incident_on_staff_tickets = True
        self.assertEqual(self.ticket().incident_count, 1)
        # The web client sends every field of the form.
        self.assertEqual(self.ticket(incident_count=0).incident_count, 1)
        self.assertEqual(self.ticket(incident_count=2).incident_count, 2)
        self.assertEqual(self.ticket(partner_id=False).incident_count, 0)
        self.assertEqual(account.available, 1)

    def test_staff_save_before_the_contact_is_known(self):
        """R4.4: a ticket that staff save without a contact, or without a team, is
        opened when it first has both: 1 of 5 each, once."""
        account = self.give_lifetime(5)
        self.paid_team.incident_on_staff_tickets = True
        contact = self.portal_user.partner_id
        first = self.ticket(partner_id=False).with_user(self.agent)
        first.name = "It does not work at all"
        self.assertEqual(first.incident_count, 0)
        first.partner_id = contact
        self.assertEqual((first.incident_count, account.available), (1, 4))
        second = self.ticket(team_id=False).with_user(self.agent)
        second.team_id = self.paid_team
        self.assertEqual((second.incident_count, account.available), (1, 3))
        third = self.ticket(team_id=False, partner_id=False).with_user(self.agent)
        third.partner_id = contact
        self.assertEqual(third.incident_count, 0)
        with Form(third) as form:
            form.team_id = self.paid_team
            form.incident_count = 2
        self.assertEqual((third.incident_count, account.available), (2, 1))
        # It has had both: what comes later is by hand.
        for ticket in (first, second, third):
            ticket.incident_count = 0
            ticket.partner_id = self.other_customer
            ticket.partner_id = False
            ticket.partner_id = contact
            self.assertEqual((ticket.incident_count, ticket.incident_due), (0, 1))
        self.assertEqual(account.available, 5)

    def test_staff_save_before_the_team_is_known(self):
        """R4.4: a team that comes with its agent; a team that takes nothing, and is
        changed later; a team that leaves it to staff."""
        account = self.give_lifetime(5)
        self.paid_team.incident_on_staff_tickets = True
        self.paid_team.user_ids = self.agent
        assigned, moved, by_hand = (self.ticket(team_id=False) for _n in range(3))
        assigned.user_id = self.agent
        self.assertEqual(
            (assigned.team_id, assigned.incident_count), (self.paid_team, 1)
        )
        moved.team_id = self.free_team
        moved.team_id = self.paid_team
        self.assertEqual((moved.incident_count, moved.incident_due), (0, 1))
        by_hand.team_id = self.emergency_team
        self.assertEqual((by_hand.incident_count, by_hand.incident_due), (0, 3))
        self.assertEqual(account.available, 4)

    def test_staff_save_and_return_before_the_team_is_known(self):
        """R4.4, R3.4: what was taken and given back before is counted on."""
        account = self.give_lifetime(5)
        self.paid_team.incident_on_staff_tickets = True
        ticket = self.ticket(team_id=False).with_user(self.agent)
        ticket.incident_count = 2
        ticket.incident_count = 0
        ticket.team_id = self.paid_team
        self.assertEqual((ticket.incident_count, account.available), (1, 4))
        self.assertEqual(
            ticket.sudo().incident_entry_ids.sorted("id").mapped("cause_number"),
            [1, 2, 3],
        )

    def test_staff_save_before_and_too_few(self):
        """R4.4, R11.3: it is as it is with a ticket that has both at once: refused, or
        it waits."""
        self.paid_team.incident_on_staff_tickets = True
        ticket = self.ticket(partner_id=False).with_user(self.agent)
        with self.assertRefused("1 needed, 0 available"):
            ticket.partner_id = self.portal_user.partner_id
        self.assertFalse(ticket.partner_id)
        self.paid_team.incident_shortage_policy = "park"
        ticket.partner_id = self.portal_user.partner_id
        self.assertEqual(ticket.incident_state, "parked")

    def test_nobody_saved_before_with_another_kind_of_ticket(self):
        """R4.4, R4.7: a copy takes nothing when it gets its contact."""
        account = self.give_lifetime(5)
        self.paid_team.incident_on_staff_tickets = True
        copy = self.ticket(partner_id=False).copy()
        copy.partner_id = self.portal_user.partner_id
        self.assertEqual((copy.incident_count, account.available), (0, 5))

    def test_import(self):
        """R4.3: what is short in an import says whose, and for which ticket: 1 needed,
        0 available."""
        self.paid_team.incident_on_staff_tickets = True
        self.give_lifetime(1)
        answer = self.env["helpdesk.ticket"].load(
            ["name", "description", "team_id/.id", "partner_id/.id"],
            [
                [name, "…", str(self.paid_team.id), str(customer.id)]
                for name, customer in (
                    ("Printer", self.customer),
                    ("Scanner", self.other_customer),
                )
            ],
        )
        words = "; ".join(message["message"] for message in answer["messages"])
        self.assertFalse(answer["ids"])
        self.assertIn("1 needed, 0 available", words)
        self.assertIn("Blue Bakery", words)
        self.assertIn("Scanner", words)
        self.assertNotIn("Printer", words)

    def test_too_few_for_one_of_several(self):
        """R4.3: in a list, too, staff see which ticket it is; customers, who have sent
        one, do not get a number that no ticket will have."""
        self.give_lifetime(1)
        first, second = self.ticket(), self.ticket(name="Scanner")
        with self.assertRefused("1 needed, 0 available.*Northwind.*Scanner"):
            (first + second).with_user(self.agent).action_incident_deduct()
        first.incident_count = 1
        with self.assertRaises(UserError) as caught:
            self.ticket(user=self.portal_user)
        self.assertEqual(
            str(caught.exception),
            "Not enough support incidents: 1 needed, 0 available.",
        )

    def test_moved_to_a_paid_team(self):
        """R4.4: deducts nothing; the form says so, with a button."""
        account = self.give_lifetime(5)
        ticket = self.ticket(self.free_team, user=self.portal_user)
        self.assertEqual(ticket.incident_due, 0)
        ticket.team_id = self.emergency_team
        self.assertEqual((ticket.incident_count, ticket.incident_due), (0, 3))
        ticket.with_user(self.agent).action_incident_deduct()
        self.assertEqual((ticket.incident_count, ticket.incident_due), (3, 0))
        ticket.action_incident_deduct()
        self.assertEqual(account.available, 2)

    def test_by_hand(self):
        """R4.5: the number is the net number; raising deducts, lowering returns."""
        account = self.give_lifetime(5)
        ticket = self.ticket(user=self.portal_user).with_user(self.agent)
        with Form(ticket) as form:
            form.incident_count = 3
        self.assertEqual((ticket.incident_count, account.available), (3, 2))
        with Form(ticket) as form:
            form.incident_count = 0
        self.assertEqual((ticket.incident_count, account.available), (0, 5))
        with self.assertRefused("6 needed, 5 available"):
            ticket.incident_count = 6
        with self.assertRefused("fewer than 0"):
            ticket.incident_count = -1
        self.assertEqual(
            self.kinds()[1:], [("deduction", -1), ("deduction", -2), ("return", 3)]
        )

    def test_without_customer(self):
        """R4.5"""
        ticket = self.ticket(partner_id=False)
        with self.assertRefused("Set the customer"):
            ticket.incident_count = 1
        self.give_lifetime(1)
        ticket.write({"partner_id": self.customer.id, "incident_count": 1})
        self.assertEqual(ticket.incident_count, 1)

    def test_several_tickets_in_one_write(self):
        """R4.5"""
        account = self.give_lifetime(5)
        tickets = self.ticket(incident_count=1) + self.ticket() + self.ticket()
        tickets.write({"incident_count": 1})
        self.assertEqual(tickets.mapped("incident_count"), [1, 1, 1])
        self.assertEqual(account.available, 2)

    def test_history(self):
        """R4.6: how many, from or to which allotment, by whom, and what is left."""
        self.give_lifetime(5)
        self.give_period(1, "2027-04-11", "2027-05-10")
        ticket = self.ticket()
        ticket.with_user(self.agent).incident_count = 2
        note = self.last_note(ticket)
        self.assertEqual(note.author_id, self.agent.partner_id)
        for words in ("deducted: 2", "1 valid to May 10, 2027", "1 lifetime", "4 left"):
            self.assertIn(words, note.body)
        ticket.with_user(self.manager).incident_count = 0
        note = self.last_note(ticket)
        self.assertEqual(note.author_id, self.manager.partner_id)
        for words in ("returned: 2", "1 valid to May 10, 2027", "1 lifetime", "6 left"):
            self.assertIn(words, note.body)
        # Followers of another customer read the thread in the portal (R11.6).
        self.assertTrue(note.subtype_id.internal)

    def test_copy(self):
        """R4.7: copies no incidents, whoever copies."""
        account = self.give_lifetime(5)
        self.paid_team.incident_on_staff_tickets = True
        ticket = self.ticket(incident_count=2)
        copy = ticket.copy()
        self.assertEqual((copy.incident_count, account.available), (0, 3))
        self.assertEqual(copy.env.context, ticket.env.context)

    def test_delete(self):
        """R4.7, R3.1: returns first; the entries stay, with the number."""
        account = self.give_lifetime(5)
        ticket = self.ticket(incident_count=2)
        number = ticket.number
        ticket.with_user(self.manager).unlink()
        self.assertEqual(account.available, 5)
        entries = account.entry_ids.sorted("id")[1:]
        self.assertEqual(entries.mapped("kind"), ["deduction", "return"])
        self.assertFalse(entries.ticket_id)
        self.assertTrue(all(number in entry.name for entry in entries))
        with self.assertRefused("was deleted"):
            entries[0].action_open_source()

    def test_delete_closed(self):
        """R4.7: what a closed ticket has used stays used: 10 used, 0 available after
        it is deleted, in a list with an open one too."""
        account = self.give_lifetime(12)
        closed, open_ = self.ticket(incident_count=10), self.ticket(incident_count=2)
        closed.stage_id = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        self.assertTrue(closed.closed)
        number = closed.number
        (closed + open_).with_user(self.manager).unlink()
        self.assertEqual(
            (account.available, account.lifetime_used), (2, 10), "12 less 10 used"
        )
        self.assertIn(number, account.entry_ids.sorted("id")[1].name)

    def test_duplicate(self):
        """R4.7: returns, unless the company says otherwise."""
        account = self.give_lifetime(5)
        original, first, second = (self.ticket(incident_count=1) for _n in range(3))

        def mark(ticket):
            self.env["helpdesk.ticket.duplicate.wizard"].with_user(self.agent).create(
                {"ticket_id": ticket.id, "duplicate_of_id": original.id}
            ).action_confirm()

        mark(first)
        self.assertEqual((first.incident_count, account.available), (0, 3))
        self.company.incident_return_on_duplicate = False
        mark(second)
        self.assertEqual((second.incident_count, account.available), (1, 3))

    def test_move_to_another_customer(self):
        """R4.7: refused while incidents are deducted."""
        account = self.give_lifetime(5)
        ticket = self.ticket(incident_count=2)
        with self.assertRefused("2 support incidents of Northwind"):
            ticket.partner_id = self.other_customer
        ticket.partner_id = self.colleague.partner_id
        ticket.write({"partner_id": self.other_customer.id, "incident_count": 0})
        self.assertEqual(ticket.partner_id, self.other_customer)
        self.assertEqual(account.available, 5)

    def test_move_to_another_company(self):
        """R4.7"""
        company_b = self.env["res.company"].create({"name": "B"})
        self.give_lifetime(5)
        ticket = self.ticket(incident_count=2)
        with self.assertRefused("Return them"):
            ticket.company_id = company_b
        ticket.incident_count = 0
        ticket.company_id = company_b

    def test_contact_deleted_meanwhile(self):
        """R4.5: incidents go back even if the ticket lost its contact."""
        account = self.give_lifetime(5)
        contact = self.env["res.partner"].create(
            {"name": "Temp", "parent_id": self.customer.id}
        )
        ticket = self.ticket(partner=contact, incident_count=2)
        contact.unlink()
        self.assertFalse(ticket.partner_id)
        with self.assertRefused("Set the customer"):
            ticket.incident_count = 3
        ticket.incident_count = 1
        ticket.incident_count = 0
        self.assertEqual(account.available, 5)

    def test_contact_moved_meanwhile(self):
        """R2.1: more is taken from the new customer, returned to the old one."""
        account = self.give_lifetime(5)
        other = self.give_lifetime(5, self.other_customer)
        contact = self.env["res.partner"].create(
            {"name": "Temp", "parent_id": self.customer.id}
        )
        ticket = self.ticket(partner=contact, incident_count=2)
        contact.parent_id = self.other_customer
        ticket.incident_count = 3
        self.assertEqual((account.available, other.available), (3, 4))
        ticket.incident_count = 1
        self.assertEqual((account.available, other.available), (4, 5))
        ticket.incident_count = 0
        self.assertEqual((account.available, other.available), (5, 5))

    def test_no_way_around_over_rpc(self):
        """R4.4: nothing in the context of a request skips the deduction."""
        self.give_lifetime(5)
        self.paid_team.incident_on_staff_tickets = True
        ticket_model = self.env["helpdesk.ticket"].with_context(
            incident_at_submission=False
        )
        values = {"name": "T", "description": "T", "partner_id": self.customer.id}
        ticket = ticket_model.create({**values, "team_id": self.paid_team.id})
        self.assertEqual(ticket.incident_count, 1)
        # A number that comes by default is a number given.
        ticket = ticket_model.with_context(default_incident_count=3).create(
            {**values, "team_id": self.paid_team.id}
        )
        self.assertEqual(ticket.incident_count, 3)
        self.assertEqual(len(ticket.incident_entry_ids), 1)

    def test_mail_never_fails(self):
        """R11.3: the gateway creates the ticket, with or without incidents."""
        self.paid_team.incident_on_staff_tickets = True
        ticket = self.env["helpdesk.ticket"].message_new(
            {"subject": "Help", "body": "Please", "from": "nobody@example.com"},
            {"team_id": self.paid_team.id},
        )
        self.assertEqual(ticket.incident_count, 0)

    def test_search(self):
        """R4.5: lists filter by the number and the state."""
        self.give_lifetime(5)
        none, one, two = (self.ticket(incident_count=n) for n in range(3))
        tickets = [("id", "in", (none + one + two).ids)]
        for condition, found in (
            (("incident_count", "=", 1), one),
            (("incident_count", "!=", 1), none + two),
            (("incident_count", ">=", 1), one + two),
            (("incident_count", "=", 0), none),
            (("incident_state", "=", "none"), none),
            (("incident_state", "=", "deducted"), one + two),
            (("incident_state", "!=", "deducted"), none),
        ):
            with self.subTest(condition=condition):
                self.assertEqual(
                    self.env["helpdesk.ticket"].search(
                        [*tickets, condition], order="id"
                    ),
                    found,
                )

    def test_what_the_agent_sees(self):
        """R12.3: what the customer has, and which would be used first."""
        self.give_lifetime(5)
        self.give_period(2, "2027-04-11", "2027-05-10")
        ticket = self.ticket()
        self.assertEqual(ticket.incident_available, 7)
        self.assertEqual(ticket.incident_source, "2 valid to May 10, 2027; 5 lifetime")

    def test_list_costs_no_query_per_ticket(self):
        """R12.3"""
        self.give_lifetime(50)
        tickets = self.env["helpdesk.ticket"]
        for _n in range(20):
            tickets += self.ticket(incident_count=1)

        def queries(records):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.read(["incident_count", "incident_available", "incident_state"])
            return self.env.cr.sql_log_count - before

        queries(tickets[:2])
        self.assertEqual(queries(tickets[:2]), queries(tickets))

    def test_team_opens_the_choice_in_the_portal(self):
        """R11.1: paid support needs customers to choose the team."""
        company_b = self.env["res.company"].create({"name": "B"})
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "B", "company_id": company_b.id}
        )
        self.assertFalse(company_b.helpdesk_mgmt_portal_select_team)
        team.incident_required = True
        self.assertTrue(company_b.helpdesk_mgmt_portal_select_team)
        with self.assertRefused("these teams require support incidents"):
            company_b.helpdesk_mgmt_portal_select_team = False
        team.show_in_portal = False
        company_b.helpdesk_mgmt_portal_select_team = False
        team.show_in_portal = True
        self.assertTrue(company_b.helpdesk_mgmt_portal_select_team)
