from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import PaidSupportCommon


@tagged("post_install", "-at_install")
class TestTicketDesk(PaidSupportCommon):
    """R4.4, R4.5, R11.3: what the ticket's form tells agents before they save, and what
    they can do where the customer has too few."""

    def form(self, ticket=None, user=None):
        tickets = self.env["helpdesk.ticket"].with_user(user or self.agent)
        return Form(tickets.browse(ticket.id) if ticket else tickets)

    def phone(self, form, team=None):
        form.name = "On the phone"
        form.description = "Please help"
        form.team_id = team or self.paid_team
        form.partner_id = self.portal_user.partner_id
        return form

    def offered(self, form, action):
        """Return whether the form has the button."""
        # Not those of the tickets that it refers to.
        [hidden] = form._view["tree"].xpath(
            f"//button[@name='{action}'][not(ancestor::field)]/@invisible"
        )
        return not safe_eval(hidden, {**form._values, "id": form._record.id})

    def notes(self, ticket):
        self.env.invalidate_all()
        return [str(m.body) for m in ticket.message_ids.sorted("id")]

    def reminders(self, ticket):
        return self.env["helpdesk.incident.reminder"].search(
            [("ticket_id", "=", ticket.id)], order="id"
        )

    # -- before it is saved --------------------------------------------------------

    def test_what_a_change_leaves(self):
        """R4.2, R4.5, R12.3: 2 of a period and 1 lifetime: raising says how many are
        left and which are taken, lowering which come back; 4 are too many."""
        self.give_period(2, date(2027, 4, 1), date(2027, 4, 30))
        self.give_lifetime(1)
        ticket = self.ticket()
        with self.form(ticket) as form:
            self.assertFalse(form.incident_preview)
            form.incident_count = 1
            self.assertEqual(
                form.incident_preview, "3 → 2 left (1 valid to Apr 30, 2027)"
            )
            form.incident_count = 4
            self.assertEqual(
                form.incident_preview,
                "Not enough support incidents: 4 needed, 3 available.",
            )
            self.assertEqual(form.incident_missing, 1)
            form.incident_count = 3
            self.assertEqual(
                form.incident_preview,
                "3 → 0 left (2 valid to Apr 30, 2027; 1 lifetime)",
            )
        with self.form(ticket) as form:
            form.incident_count = 1
            self.assertEqual(
                form.incident_preview,
                "0 → 2 left (1 lifetime; 1 valid to Apr 30, 2027)",
            )
        self.assertEqual(self.account().available, 2)

    def test_what_lapses_is_not_left(self):
        """R5.3: what goes back to a period that has ended lapses: 0 → 0."""
        allotment = self.give_period(1, date(2027, 4, 1), date(2027, 4, 30))
        ticket = self.ticket(incident_count=1)
        with freeze_time("2027-05-02"), self.form(ticket) as form:
            form.incident_count = 0
            self.assertIn("0 → 0 left", form.incident_preview)
            self.company.incident_expired_return = "lifetime"
            form.incident_count = 1
            form.incident_count = 0
            self.assertIn("0 → 1 left", form.incident_preview)
        self.assertEqual(allotment.used, 0)

    def test_reason(self):
        """R4.6: the reason stands in the history, once, as it was typed."""
        self.give_lifetime(3)
        ticket = self.ticket()
        with self.form(ticket) as form:
            form.incident_count = 2
            form.incident_reason = "<b>Two</b> servers"
        note = self.notes(ticket)[-1]
        self.assertIn("deducted: 2", note)
        self.assertIn("Reason: &lt;b&gt;Two&lt;/b&gt; servers", note)
        with self.form(ticket) as form:
            self.assertFalse(form.incident_reason)
            form.incident_count = 1
        self.assertNotIn("Reason", self.notes(ticket)[-1])
        with self.phone(self.form()) as form:
            form.incident_count = 1
            form.incident_reason = "As agreed"
        self.assertIn("Reason: As agreed", " ".join(self.notes(form.record)))

    # -- by phone ------------------------------------------------------------------

    def test_save_and_deduct(self):
        """R4.4: the form says before it is saved what the ticket takes and what there
        is; saving alone deducts nothing, the button what the team takes."""
        self.give_lifetime(5)
        form = self.phone(self.form(), self.emergency_team)
        self.assertEqual(
            form.incident_notice,
            "A ticket of this team takes 3, 5 available. Saving alone deducts nothing.",
        )
        ticket = form.save()
        self.assertEqual(ticket.incident_count, 0)
        self.assertEqual(
            form.incident_notice,
            "Nothing was deducted for this ticket: 3 needed, 5 available.",
        )
        ticket.action_incident_deduct()
        self.assertEqual((ticket.incident_count, self.account().available), (3, 2))

    def test_deducted_by_saving(self):
        """R4.4: a team that takes incidents of tickets of staff says so before."""
        self.paid_team.incident_on_staff_tickets = True
        self.give_lifetime(5)
        form = self.phone(self.form())
        self.assertEqual(
            form.incident_notice, "Deducted when you save: 1. Available: 5."
        )
        self.assertFalse(form.incident_asks)
        ticket = form.save()
        ticket.action_incident_deduct()
        self.assertEqual(ticket.incident_count, 1)

    def test_waive_before_it_is_saved(self):
        """R11.3: what saving deducts cannot be waived at the same time: the button is
        there where saving deducts nothing, or too few are there."""
        self.give_lifetime(5)
        waive = "action_incident_waive"
        form = self.phone(self.form())
        self.assertTrue(self.offered(form, waive))
        self.paid_team.incident_on_staff_tickets = True
        form = self.phone(self.form())
        self.assertFalse(self.offered(form, waive))
        ticket = form.save()
        ticket.incident_count = 0
        self.assertTrue(self.offered(self.form(ticket), waive))
        self.account()._adjust(-5, "Gone")
        self.paid_team.incident_shortage_policy = "park"
        form = self.phone(self.form())
        self.assertTrue(self.offered(form, waive))
        ticket = form.save()
        ticket.action_incident_waive()
        self.assertEqual(ticket.incident_state, "waived")

    def test_customer_known_later(self):
        """R4.3, R4.4: a ticket that was saved before its contact is known is opened by
        saving it with one: the form says what that deducts, and asks where the customer
        has too few."""
        self.paid_team.incident_on_staff_tickets = True
        for choice, state in (("waive", "waived"), ("park", "parked")):
            form = self.form(self.ticket(partner_id=False))
            self.assertFalse(form.incident_asks)
            form.partner_id = self.portal_user.partner_id
            self.assertTrue(form.incident_asks)
            form.incident_if_short = choice
            self.assertEqual(form.save().incident_state, state)
        self.give_lifetime(5)
        form = self.form(self.ticket(partner_id=False))
        form.partner_id = self.portal_user.partner_id
        self.assertEqual(
            form.incident_notice, "Deducted when you save: 1. Available: 5."
        )
        self.assertFalse(self.offered(form, "action_incident_waive"))
        self.assertEqual(form.save().incident_count, 1)

    def test_team_known_later(self):
        """R4.3, R4.4: so with a ticket that was saved before its team is known."""
        self.paid_team.incident_on_staff_tickets = True
        form = self.form(self.ticket(team_id=False))
        form.team_id = self.paid_team
        self.assertTrue(form.incident_asks)
        form.incident_if_short = "waive"
        self.assertEqual(form.save().incident_state, "waived")

    def test_not_enough_on_the_phone(self):
        """R4.3, R11.3: where the team refuses, the agent says what becomes of it."""
        self.paid_team.incident_on_staff_tickets = True
        with self.assertRefused("1 needed, 0 available"), self.env.cr.savepoint():
            self.ticket(user=None)
        for choice, state in (("waive", "waived"), ("park", "parked")):
            form = self.phone(self.form())
            self.assertTrue(form.incident_asks)
            form.incident_if_short = choice
            ticket = form.save()
            self.assertEqual(ticket.incident_state, state)
        self.assertEqual(self.reminders(ticket).mapped("kind"), ["parked"])

    def test_customers_cannot_choose(self):
        """R4.4: nothing in a context lets customers decide what becomes of it."""
        tickets = self.env["helpdesk.ticket"].with_user(self.portal_user).sudo()
        for context in (
            {"incident_if_short": "waive"},
            {"default_incident_if_short": 1},
        ):
            with self.assertRefused("1 needed, 0 available"):
                tickets.with_context(**context).create(
                    {
                        "name": "Free",
                        "description": "…",
                        "team_id": self.paid_team.id,
                        "partner_id": self.portal_user.partner_id.id,
                    }
                )

    # -- too few -------------------------------------------------------------------

    def test_send_a_link(self):
        """R11.3: the ticket waits, and the customer is told with a link to buy it for
        this ticket; once more the next day, not twice the same day."""
        self.give_lifetime(2)
        ticket = self.ticket(self.emergency_team).with_user(self.agent)
        ticket.action_incident_send_link()
        self.assertEqual(ticket.incident_state, "parked")
        [told] = self.reminders(ticket)
        self.assertEqual((told.kind, told.quantity), ("parked", 3))
        self.assertIn(f"/my/incidents/buy?ticket={ticket.id}", told.sudo().url)
        self.assertIn("3 needed, 2 available", self.notes(ticket)[-1])
        ticket.action_incident_send_link()
        self.assertEqual(self.reminders(ticket), told, "it was not sent yet")
        told.state = "sent"
        ticket.action_incident_send_link()
        ticket.action_incident_send_link()
        kinds = self.reminders(ticket).mapped("kind")
        self.assertEqual(kinds, ["parked", "still_parked"])
        self.reminders(ticket).state = "sent"
        with freeze_time("2027-04-21"):
            ticket.action_incident_send_link()
        self.assertEqual(len(self.reminders(ticket)), 3)
        self.give_lifetime(1)
        ticket.sudo()._incident_release()
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 3)
        )

    def test_nowhere_to_send_it(self):
        """R11.3: without an address it says so, and the ticket does not wait."""
        (self.customer | self.portal_user.partner_id).email = False
        ticket = self.ticket().with_user(self.agent)
        with self.assertRefused("no e-mail address"):
            ticket.action_incident_send_link()
        self.assertEqual(ticket.incident_state, "none")

    def test_who_may(self):
        """R14: whoever may write the ticket."""
        ticket = self.ticket()
        for user in (self.employee, self.portal_user, self.accountant):
            for action in ("send_link", "order", "create_contact"):
                with self.assertRaises(AccessError):
                    getattr(ticket.with_user(user), f"action_incident_{action}")()
        self.assertEqual(ticket.incident_state, "none")

    # -- unknown senders -----------------------------------------------------------

    def unknown(self, sender):
        ticket = self.ticket(partner_id=False, partner_email=sender)
        ticket._incident_remember(incident_parking="parked")
        return ticket.with_user(self.agent)

    def test_create_contact(self):
        """R11.3: the contact has the name and the address of the mail, given by staff:
        the next mail is his."""
        self.agent.group_ids += self.env.ref("base.group_partner_manager")
        self.paid_team.incident_shortage_policy = "park"
        ticket = self.unknown('"Ada Moss" <Ada@Moss.example>')
        ticket.action_incident_create_contact()
        contact = ticket.partner_id
        self.assertEqual(
            (contact.name, contact.email), ("Ada Moss", "ada@moss.example")
        )
        self.assertEqual(ticket.incident_state, "parked")
        owners = self.env["res.partner"]._incident_email_owners(
            {"ada@moss.example"}, self.company
        )
        self.assertEqual(owners["ada@moss.example"].id, contact.id)

    def test_create_contact_refused(self):
        """R11.3: no second contact with an address; none without the right to make
        contacts, or without an address."""
        with self.assertRaises(AccessError):
            self.unknown("ada@moss.example").action_incident_create_contact()
        self.agent.group_ids += self.env.ref("base.group_partner_manager")
        known = self.portal_user.partner_id.email or self.customer.email
        with self.assertRefused(self.customer.name):
            self.unknown(known).action_incident_create_contact()
        with self.assertRaises(UserError):
            self.unknown(False).action_incident_create_contact()
