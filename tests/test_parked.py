from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_paid_support.models.ticket import ticket_parking
from odoo.addons.helpdesk_paid_support.models.ticket.account_release import NOTED

from .common import PaidSupportCommon


class ParkedCommon(PaidSupportCommon):
    """Teams that keep tickets waiting."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.paid_team | cls.emergency_team).incident_shortage_policy = "park"
        cls.reminder_model = cls.env["helpdesk.incident.reminder"].sudo()

    def submitted(self, team=None, **values):
        """Return a ticket that the customer submits in the portal."""
        return self.ticket(team, user=self.portal_user, **values)

    def arrive(self, quantity=1):
        """Give lifetime incidents, and end the transaction."""
        account = self.give_lifetime(quantity)
        self.after_commit()
        return account

    def after_commit(self):
        """Do what is done when the transaction has been committed."""
        hooks = self.env.cr.postcommit
        accounts = self.account_model.sudo().browse(hooks.data.pop(NOTED, ()))
        hooks.clear()
        accounts._release()

    def told(self, ticket):
        """Return the kinds of what the customer is told of a ticket, in order."""
        reminders = self.reminder_model.search(
            [("ticket_id", "=", ticket.id)], order="id"
        )
        return reminders.mapped("kind")

    def states(self, *tickets):
        return [ticket.incident_state for ticket in tickets]

    def run_cron(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"helpdesk_paid_support.{name}").method_direct_trigger()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestParked(ParkedCommon):
    """R11.3: a ticket is kept when incidents run out, and released when they arrive."""

    def test_parked_at_submission(self):
        """R11.3: kept, marked, told; nothing is deducted."""
        self.give_lifetime(2)
        ticket = self.submitted(self.emergency_team)
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(ticket.incident_count, 0)
        self.assertEqual(ticket.incident_parked_date, date(2027, 4, 20))
        self.assertEqual(self.account().available, 2)
        self.assertEqual(self.told(ticket), ["parked"])
        self.assertIn("3 needed, 2 available", ticket.message_ids[0].body)

    def test_deducted_while_there_are_enough(self):
        """R4.4: a team that parks deducts as any other."""
        self.give_lifetime(3)
        ticket = self.submitted(self.emergency_team)
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 3)
        )
        self.assertEqual(self.told(ticket), [])

    def test_refused_by_default(self):
        """R11.2: a team refuses unless it says otherwise."""
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Strict", "incident_required": True}
        )
        with self.assertRefused("1 needed, 0 available"):
            self.submitted(team)

    def test_released_by_each_way_in(self):
        """R11.3: given by hand, bought, a new period, given back by another ticket."""
        account = self.account()

        def by_cause():
            self.settle("test:bought", 1)

        def by_period():
            self.give_period(1, date(2027, 4, 20), date(2027, 5, 19))

        def by_return():
            taker.incident_count = 0

        self.give_lifetime(1)
        taker = self.ticket(incident_count=1)
        for way in (lambda: self.give_lifetime(1), by_cause, by_period, by_return):
            ticket = self.submitted()
            self.assertEqual(ticket.incident_state, "parked")
            way()
            self.after_commit()
            self.assertEqual(ticket.incident_state, "deducted")
            self.assertEqual(ticket.incident_count, 1)
            self.assertEqual(account.available, 0)
            self.assertEqual(self.told(ticket), ["parked", "released"])
        self.assertLedgerSound()

    def test_released_when_a_period_begins(self):
        """R11.3, R13.1: by the scheduled action, on the first day of the period."""
        self.give_period(1, date(2027, 5, 1), date(2027, 5, 31))
        ticket = self.submitted()
        self.run_cron("ir_cron_incident_open_and_close")
        self.assertEqual(ticket.incident_state, "parked")
        with freeze_time("2027-05-01"):
            self.run_cron("ir_cron_incident_open_and_close")
            self.run_cron("ir_cron_incident_parked")
        self.assertEqual(ticket.incident_state, "deducted")

    def test_oldest_first_skipping_what_does_not_fit(self):
        """R11.3"""
        large = self.submitted(self.emergency_team)
        first, second = self.submitted(), self.submitted()
        self.arrive(1)
        self.assertEqual(
            self.states(large, first, second), ["parked", "deducted", "parked"]
        )
        self.arrive(3)
        self.assertEqual(
            self.states(large, first, second), ["deducted", "deducted", "parked"]
        )
        self.arrive(1)
        self.assertEqual(second.incident_state, "deducted")

    def test_whose_link_was_used_first(self):
        """R11.3"""
        first, second, third = (self.submitted() for _n in range(3))
        third._incident_use_link()
        self.arrive(1)
        self.assertEqual(
            self.states(first, second, third), ["parked", "parked", "deducted"]
        )
        self.arrive(1)
        self.assertEqual(first.incident_state, "deducted")

    def test_other_customers_and_companies(self):
        """R2.3, R11.6: what others get releases nothing."""
        ticket = self.submitted()
        self.give_lifetime(5, self.other_customer)
        company = self.env["res.company"].create({"name": "Second"})
        self.account(company=company)._adjust(5, "Elsewhere")
        self.after_commit()
        self.assertEqual(ticket.incident_state, "parked")

    def test_undone_with_what_gave(self):
        """R3.4: a gift that is undone in the same transaction releases nothing."""
        ticket = self.submitted()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.give_lifetime(1)
            raise ZeroDivisionError
        self.after_commit()
        self.assertEqual(ticket.incident_state, "parked")
        self.give_lifetime(1)
        self.env.cr.flush()
        with self.env.cr.savepoint():
            self.account()._adjust(-1, "Back")
        self.after_commit()
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(self.account().available, 0)

    def test_fault_of_one_ticket(self):
        """R3.9: a ticket that cannot be released blocks neither the gift nor others."""
        broken, sound = self.submitted(), self.submitted()
        release = type(broken)._incident_release

        def fail(ticket):
            if ticket == broken:
                raise ValueError("broken")
            return release(ticket)

        self.patch(type(broken), "_incident_release", fail)
        with self.assertLogs("odoo.addons.helpdesk_paid_support", "ERROR"):
            self.arrive(1)
        self.assertEqual(self.states(broken, sound), ["parked", "deducted"])

    def test_withdrawn(self):
        """R11.3: the customer may withdraw it; it is closed, and takes nothing."""
        ticket = self.submitted()
        self.assertTrue(ticket._incident_withdraw())
        self.assertTrue(ticket.closed)
        self.assertEqual(ticket.incident_state, "none")
        self.assertFalse(ticket._incident_withdraw())
        self.arrive(1)
        self.assertEqual(ticket.incident_state, "none")

    def test_waived(self):
        """R11.3, R14: staff who may write the ticket can waive."""
        ticket = self.submitted(user_id=self.agent.id)
        for user in (self.accountant, self.employee, self.portal_user):
            with self.assertRaises(AccessError):
                ticket.with_user(user).action_incident_waive()
        ticket.with_user(self.agent).action_incident_waive()
        self.assertEqual((ticket.incident_state, ticket.incident_due), ("waived", 0))
        self.arrive(1)
        self.assertEqual(ticket.incident_state, "waived")
        # What was deducted cannot be waived, nor is it: it can be returned.
        ticket.incident_count = 1
        self.assertEqual(ticket.incident_state, "deducted")
        ticket.action_incident_waive()
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 1)
        )

    def test_by_hand(self):
        """R4.5: deducted by hand, it waits no more, and takes no second time."""
        ticket = self.submitted(self.emergency_team)
        self.give_lifetime(1)
        ticket.incident_count = 1
        self.arrive(5)
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 1)
        )
        ticket.incident_count = 0
        self.assertEqual(ticket.incident_state, "none")

    def test_what_ends_waiting(self):
        """R11.3: closed, archived, a duplicate, or of a team that takes nothing."""
        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        original = self.ticket()
        for values in (
            {"stage_id": done.id},
            {"active": False},
            {"duplicate_id": original.id},
            {"team_id": self.free_team.id},
            {"team_id": False},
        ):
            with self.subTest(values=values):
                ticket = self.submitted()
                ticket.write(values)
                self.assertEqual(ticket.incident_state, "none")
                self.arrive(1)
                self.assertEqual(ticket.incident_count, 0)
                self.account()._adjust(-1, "Back")

    def test_waits_for_what_its_team_takes_now(self):
        """R11.3: another team, or other numbers of the team."""
        ticket = self.submitted(self.emergency_team)
        self.give_lifetime(1)
        ticket.team_id = self.paid_team
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 1)
        )
        ticket = self.submitted(self.emergency_team)
        self.give_lifetime(2)
        self.emergency_team.incident_cost = 2
        self.run_cron("ir_cron_incident_parked")
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 2)
        )

    def test_team_takes_nothing_any_more(self):
        """R11.3: then there is nothing to wait for."""
        changed, deleted = self.submitted(), self.submitted(self.emergency_team)
        self.paid_team.incident_required = False
        self.emergency_team.unlink()
        self.env.invalidate_all()
        self.run_cron("ir_cron_incident_parked")
        self.assertEqual(self.states(changed, deleted), ["none", "none"])
        self.assertEqual(self.told(changed), ["parked"])

    def test_another_customer(self):
        """R4.7, R11.3: it waits for the incidents of its customer, who is told."""
        ticket = self.submitted()
        ticket.partner_id = self.other_portal_user.partner_id
        self.assertEqual(self.told(ticket), ["parked", "parked"])
        self.arrive(1)
        self.assertEqual(ticket.incident_state, "parked")
        self.give_lifetime(1, self.other_customer)
        self.after_commit()
        self.assertEqual(ticket.incident_state, "deducted")
        self.assertEqual(self.account(self.other_customer).available, 0)
        self.assertEqual(self.account().available, 1)

    def test_contact_that_moves(self):
        """R2.2, R11.3: to another customer, with what waits; no word to the old one."""
        ticket = self.submitted()
        self.give_lifetime(1, self.other_customer)
        self.portal_user.partner_id.parent_id = self.other_customer
        self.assertEqual(ticket.incident_state, "deducted")
        self.assertEqual(self.account(self.other_customer).available, 0)
        self.run_cron("ir_cron_incident_remind")
        sent = self.reminder_model.search(
            [("ticket_id", "=", ticket.id), ("state", "=", "sent")]
        )
        self.assertNotIn(self.account(), sent.account_id)

    def test_contact_that_moves_with_several(self):
        """R11.3: the oldest ticket is released first."""
        first, second = self.submitted(), self.submitted()
        self.give_lifetime(1, self.other_customer)
        self.portal_user.partner_id.parent_id = self.other_customer
        self.assertEqual(self.states(first, second), ["deducted", "parked"])

    def test_subsidiary_that_moves(self):
        """R2.2, R11.6: a customer of its own stays that, under whatever company it is:
        it is told nothing anew, and waits since the same day."""
        ticket = self.submitted()
        with freeze_time("2027-04-23"):
            self.customer.parent_id = self.other_customer
            self.assertEqual(ticket.commercial_partner_id, self.customer)
            self.assertEqual(ticket.incident_parked_date, date(2027, 4, 20))
            self.assertEqual(self.told(ticket), ["parked"])

    def test_moved_before_the_mail(self):
        """R11.6: who had the ticket before hears nothing of it any more."""
        ticket = self.submitted()
        ticket.partner_id = self.other_portal_user.partner_id
        self.run_cron("ir_cron_incident_remind")
        sent = self.reminder_model.search(
            [("ticket_id", "=", ticket.id), ("state", "=", "sent")]
        )
        self.assertEqual(sent.account_id.partner_id, self.other_customer)

    def test_many_that_do_not_fit(self):
        """R11.3: a gift looks at what fits, not at each ticket that waits."""
        self.patch(ticket_parking, "MAX_PARKED", 99)
        self.submitted(self.emergency_team)
        account = self.account()

        def queries():
            self.give_lifetime(1)
            before = self.env.cr.sql_log_count
            account._release()
            self.account()._adjust(-1, "Back")
            return self.env.cr.sql_log_count - before

        queries()
        few = queries()
        for _n in range(20):
            self.submitted(self.emergency_team)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertLessEqual(queries(), few + 5)

    def test_given_without_waiting(self):
        """R3.9: a gift notes nothing where nothing waits."""
        self.give_lifetime(1)
        self.assertNotIn(NOTED, self.env.cr.postcommit.data)

    def test_mail_of_the_stage(self):
        """R11.3: the stage says nothing that helps; the customer is told once."""
        self.portal_user.partner_id.email = "nora@example.com"

        def closed():
            self.env.cr.flush()
            mails = self.env["mail.mail"].sudo().search([("id", ">", last)])
            return mails.filtered(lambda mail: "has been closed" in mail.subject)

        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        withdrawn, refused, finished = (
            self.submitted().with_env(self.env(context={})) for _n in range(3)
        )
        self.env.cr.flush()
        last = self.env["mail.mail"].sudo().search([], limit=1, order="id desc").id or 0
        withdrawn._incident_withdraw()
        refused._incident_give_up()
        self.assertFalse(closed())
        self.assertEqual([withdrawn.closed, refused.closed], [True, True])
        finished.stage_id = done
        self.assertEqual(len(closed()), 1)

    def test_opened_by_staff(self):
        """R4.4: a team that deducts on tickets of staff parks those, too."""
        self.paid_team.incident_on_staff_tickets = True
        self.assertEqual(self.ticket().incident_state, "parked")

    def test_copy_and_delete(self):
        """R4.7: a copy does not wait; a ticket that waits can be deleted."""
        ticket = self.submitted()
        self.assertEqual(ticket.copy().incident_state, "none")
        ticket.unlink()
        self.arrive(1)
        self.assertEqual(self.account().available, 1)

    def test_merged_customers(self):
        """R2.2: what the other customer had releases."""
        ticket = self.submitted()
        self.give_lifetime(1, self.other_customer)
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | self.other_customer).ids, self.customer)
        self.env.invalidate_all()
        self.run_cron("ir_cron_incident_parked")
        self.assertEqual(ticket.incident_state, "deducted")

    def test_merged_into_who_has_incidents(self):
        """R2.2, R11.3: what waited for the other account is released at once."""
        ticket = self.submitted()
        self.give_lifetime(1, self.other_customer)
        self.after_commit()
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((self.customer | self.other_customer).ids, self.other_customer)
        self.env.invalidate_all()
        self.after_commit()
        self.assertEqual(ticket.incident_state, "deducted")

    def test_nobody_writes_it(self):
        """R14: whether a ticket waits is written over no interface."""
        ticket = self.submitted()
        for user in (self.agent, self.manager, self.env.user):
            for values in (
                {"incident_parking": "waived"},
                {"incident_parked_date": "2020-01-01"},
                {"incident_link_on": "2020-01-01 00:00:00"},
                {"incident_state": "none"},
            ):
                with self.subTest(user=user, values=values):
                    try:
                        ticket.with_user(user).write(values)
                    except UserError:
                        continue
                    ticket.invalidate_recordset()
                    self.assertEqual(ticket.incident_state, "parked")

    def test_search(self):
        """R11.3: staff find what waits, and what was waived."""
        parked, waived, taken = self.submitted(), self.submitted(), self.ticket()
        waived.action_incident_waive()
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        mine = [("id", "in", (parked | waived | taken).ids)]
        for state, found in (
            ("parked", parked),
            ("waived", waived),
            ("none", taken),
            ("deducted", self.env["helpdesk.ticket"]),
        ):
            domain = [*mine, ("incident_state", "=", state)]
            self.assertEqual(tickets.search(domain), found, state)


@tagged("post_install", "-at_install")
class TestParkedTime(ParkedCommon):
    """R13.3: tickets that wait are reminded of, and closed in the end."""

    def test_reminded_and_closed(self):
        self.customer.email = "customer@example.com"
        ticket = self.submitted()
        days = {
            "2027-04-22": ["parked"],
            "2027-04-23": ["parked", "still_parked"],
            "2027-05-03": ["parked", "still_parked"],
            "2027-05-04": ["parked", "still_parked", "given_up"],
        }
        for day, told in days.items():
            for _twice in range(2):
                with freeze_time(day):
                    self.run_cron("ir_cron_incident_remind")
                    self.run_cron("ir_cron_incident_parked")
            self.assertEqual(self.told(ticket), told, day)
        self.assertTrue(ticket.closed)
        self.assertEqual(ticket.incident_state, "none")
        self.arrive(1)
        self.assertEqual(ticket.incident_count, 0)

    def test_never(self):
        """R13.3: 0 days is never."""
        self.company.incident_parked_reminder_days = 0
        self.company.incident_parked_close_days = 0
        ticket = self.submitted()
        with freeze_time("2028-04-20"):
            self.run_cron("ir_cron_incident_remind")
            self.run_cron("ir_cron_incident_parked")
        self.assertEqual(self.told(ticket), ["parked"])
        self.assertEqual(ticket.incident_state, "parked")

    def test_another_number(self):
        """R16.2: what a ticket takes, as another module says it, is what it waits for,
        what its customer is told, and what releases it: 3, not 1."""
        self.patch(
            self.registry["helpdesk.ticket"], "_incident_required", lambda ticket: 3
        )
        ticket = self.submitted()
        with freeze_time("2027-04-23"):
            self.run_cron("ir_cron_incident_remind")
        reminders = self.reminder_model.search([("ticket_id", "=", ticket.id)])
        self.assertEqual(reminders.mapped("quantity"), [3, 3])
        self.give_lifetime(2)
        accounts = self.env["helpdesk.ticket"].sudo()._incident_accounts_to_release
        self.assertNotIn(self.account(), accounts())
        self.give_lifetime(1)
        self.assertIn(self.account(), accounts())
        self.run_cron("ir_cron_incident_parked")
        self.assertEqual(ticket.incident_count, 3)

    def test_released_rather_than_closed(self):
        """R13.3: what can be released on the last day is."""
        ticket = self.submitted(self.emergency_team)
        self.give_lifetime(1)
        self.emergency_team.incident_cost = 1
        with freeze_time("2027-05-04"):
            self.run_cron("ir_cron_incident_parked")
        self.assertEqual(ticket.incident_state, "deducted")
        self.assertFalse(ticket.closed)

    def test_mail(self):
        """R13.3: each mail says what to do, in the history of the ticket."""
        self.portal_user.partner_id.email = "nora@example.com"
        ticket = self.submitted(self.emergency_team)
        for kind, words in (
            ("parked", "/my/incidents/buy?ticket="),
            ("still_parked", "withdraw it"),
            ("refused", "Nothing was deducted"),
            ("given_up", "open a new ticket"),
        ):
            self.reminder_model.search([]).state = "sent"
            self.reminder_model._queue(
                kind, "test", self.account(), ticket=ticket, quantity=3
            )
            self.reminder_model.search([("state", "=", "waiting")])._send()
            message = ticket.message_ids[0]
            self.assertIn(words, message.body, kind)
            self.assertIn(ticket.number, message.subject)
            self.assertEqual(message.partner_ids, self.portal_user.partner_id)
            self.assertTrue(message.is_internal or message.subtype_id.internal)

    def test_not_told_what_is_over(self):
        """R13.2: who has acted in between is not bothered."""
        ticket = self.submitted()
        self.arrive(1)
        self.run_cron("ir_cron_incident_remind")
        sent = self.reminder_model.search(
            [("ticket_id", "=", ticket.id), ("state", "=", "sent")]
        )
        self.assertEqual(sent.mapped("kind"), ["released"])
