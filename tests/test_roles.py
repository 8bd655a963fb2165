from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import PaidSupportCommon


class TestRoles(PaidSupportCommon):
    def test_who_reads_what(self):
        """R14"""
        account = self.give_lifetime(5)
        other = self.give_lifetime(5, self.other_customer)
        both = account + other
        for user, mine in (
            (self.portal_user, account),
            (self.other_portal_user, other),
            (self.agent_own, both),
            (self.agent_team, both),
            (self.agent, both),
            (self.charger, both),
            (self.manager, both),
            (self.accountant, both),
        ):
            for field in (None, "allotment_ids", "entry_ids"):
                records = mine[field] if field else mine
                everything = both[field] if field else both
                with self.subTest(user=user.login, field=field):
                    found = (
                        self.env[records._name]
                        .with_user(user)
                        .search([("id", "in", everything.ids)])
                    )
                    self.assertEqual(found, records.with_user(user))
                    found.read()

    def test_who_reads_nothing(self):
        """R14: an employee without a role in it."""
        account = self.give_lifetime(5)
        for user in (self.employee, self.env.ref("base.public_user")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                account.with_user(user).sudo(False).read(["available"])

    def test_nothing_is_written_by_everybody(self):
        """R14: our overrides ask for rights where core does, and not for writing to no
        records, as core does all the time: a salesman cancels an order so."""
        salesman = new_test_user(
            self.env,
            "hps-seller",
            groups="base.group_user,sales_team.group_sale_salesman",
        )
        for name in (
            "account.move",
            "account.partial.reconcile",
            "account.payment",
            "payment.transaction",
            "sale.order",
        ):
            model = self.env[name].with_user(salesman)
            with self.subTest(model=name):
                model.write({"state": "cancel"})
                model.unlink()
                model.create([])
        self.env["account.move"].with_user(salesman).search([], limit=1).write({})
        order = self.env["sale.order"].create(
            {"partner_id": self.customer.id, "user_id": salesman.id}
        )
        order.action_confirm()
        order.with_user(salesman).action_cancel()
        self.assertEqual(order.state, "cancel")

    def test_deduct_on_tickets_one_may_write(self):
        """R14: each level of helpdesk_mgmt."""
        self.give_lifetime(9)
        self.paid_team.user_ids = self.agent_own + self.agent_team
        ticket = self.ticket(user_id=self.agent_own.id)
        for user in (self.agent_own, self.agent_team, self.agent, self.manager):
            with self.subTest(user=user.login):
                ticket.with_user(user).incident_count = 2
                self.assertEqual(ticket.incident_count, 2)
                ticket.with_user(user).incident_count = 0
        for user in (self.employee, self.portal_user, self.accountant):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                ticket.with_user(user).write({"incident_count": 2})
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                ticket.with_user(user).action_incident_deduct()
        self.assertEqual(ticket.incident_count, 0)

    def test_own_tickets_only(self):
        """R14: who may not write a ticket may not deduct on it."""
        self.give_lifetime(9)
        ticket = self.ticket(user_id=self.agent.id)
        with self.assertRaises(AccessError):
            ticket.with_user(self.agent_own).incident_count = 1

    def test_search_tells_nothing_to_others(self):
        """R11.6: who may not read a number may not search for it."""
        self.give_lifetime(5)
        ticket = self.ticket(incident_count=4)
        ticket.message_subscribe(
            (self.other_portal_user.partner_id + self.employee.partner_id).ids
        )
        for user in (self.other_portal_user, self.employee, self.portal_user):
            tickets = self.env["helpdesk.ticket"].with_user(user)
            self.assertTrue(tickets.search([("id", "=", ticket.id)]))
            for condition in (
                ("incident_count", ">=", 4),
                ("incident_count", "=", 4),
                ("incident_state", "=", "deducted"),
                ("incident_entry_ids", "!=", False),
            ):
                with (
                    self.subTest(user=user.login, condition=condition),
                    self.assertRaises(AccessError),
                ):
                    tickets.search_count([("id", "=", ticket.id), condition])

    def test_accountant_opens_what_an_entry_comes_from(self):
        """R14, R3.8: the tickets that incidents were used for."""
        account = self.give_lifetime(5)
        ticket, unpaid = self.ticket(incident_count=1), self.ticket()
        accountant = self.env(user=self.accountant)
        entry = account.entry_ids[0].with_env(accountant)
        action = entry.action_open_source()
        source = accountant[action["res_model"]].browse(action["res_id"])
        self.assertEqual(source.number, ticket.number)
        found = accountant["helpdesk.incident.entry"].search(
            [("ticket_id", "ilike", ticket.number)]
        )
        self.assertEqual(found, entry)
        with self.assertRaises(AccessError):
            unpaid.with_env(accountant).read(["number"])
        with self.assertRaises(AccessError):
            source.name = "Changed"

    def test_button_on_a_customer_without_account(self):
        """R14: it leads somewhere for each role."""
        for user in (self.agent, self.accountant, self.manager):
            env = self.env(user=user)
            action = self.other_customer.with_env(env).action_view_incidents()
            env[action["res_model"]].check_access("read")

    def test_accountant_reads_ticket_numbers(self):
        """R14: without rights in the helpdesk."""
        account = self.give_lifetime(5)
        ticket = self.ticket(incident_count=1)
        entry = account.entry_ids[0].with_user(self.accountant).sudo(False)
        values = entry.web_read(
            {"name": {}, "ticket_id": {"fields": {"display_name": {}}}}
        )
        self.assertIn(ticket.number, values[0]["name"])
        self.assertIn(ticket.number, values[0]["ticket_id"]["display_name"])
