from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import html2plaintext

from .test_charge_portal import ChargePortalCommon


@tagged("post_install", "-at_install")
class TestProposal(ChargePortalCommon):
    """R18.5: customers are asked first, and answer in the client area."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.incident_cost = 1
        cls.charger.name = "Carla"
        cls.team.user_ids = cls.charger
        cls.charged_ticket.team_id = cls.team
        cls.single = cls.plan("Extra incident", 6, "lifetime", 1)
        cls.company.incident_overage_product_id = cls.single
        cls.agent = new_test_user(
            cls.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.defect = cls.env["helpdesk.ticket.outcome"].create({"name": "Defect"})

    def setUp(self):
        super().setUp()
        self.ticket = self.charged_ticket
        self.url = f"/my/ticket/{self.ticket.id}"

    def propose(self, quantity=2, by=None, **values):
        proposals = self.env["helpdesk.ticket.proposal"].with_user(by or self.charger)
        proposal = proposals.create(
            {
                "ticket_id": self.ticket.id,
                "kind": "incidents",
                "quantity": quantity,
                "name": "Move to the new server",
                **values,
            }
        )
        self.env.invalidate_all()
        return proposal.with_env(self.env)

    def propose_charge(self, amount=50, **values):
        return self.propose(
            False, kind="charge", amount=amount, name="Restore a backup", **values
        )

    def give(self, quantity):
        self.incident_account()._adjust(quantity, "A gift")

    def approve(self, proposal, key=None, user=None, **values):
        user = user or self.nora
        if key is None:
            key = proposal._question().key
        proposal.with_user(user).sudo()._approve(user, key, **values)
        self.env.invalidate_all()

    def decline(self, proposal, word="", user=None):
        user = user or self.nora
        proposal.with_user(user).sudo()._decline(user, word)

    def answer(self, proposal, **values):
        """Answer as the form does; without values as a click on *Approve* does."""
        return self.post(f"{self.url}/proposal/{proposal.id}", **values)

    def form(self, page=None):
        """Return what the form to approve sends."""
        page = self.page(self.url) if page is None else page
        inputs = page.xpath("//form[@name='approve']//input")
        return {
            box.get("name"): box.get("value")
            for box in inputs
            if box.get("name") != "csrf_token"
        }

    def box(self, page=None):
        page = self.page(self.url) if page is None else page
        return self.text(page, "//section[@name='proposal']")

    def login(self, name="nora"):
        self.authenticate(f"hps-{name}", f"hps-{name}")

    def mail(self):
        reminder = self.env["helpdesk.incident.reminder"].sudo().search([], limit=1)
        reminder._send()
        return str(self.ticket.message_ids.sorted("id")[-1].body)

    # -- approved and declined --

    def test_incidents_approved(self):
        """R18.5, R16.6: the mail has one link; the ticket says what it takes and what
        is left then; approved, it happens at once, and once: page, statement, history
        say by whom; who has asked is told."""
        self.give(5)
        self.ticket.incident_count = 1
        proposal = self.propose()
        body = self.mail()
        self.assertIn(f"{self.url}#proposals", body)
        self.assertEqual(body.count("<a "), 1)
        for words in ("Move to the new server", "You have 4 now and 2 after."):
            self.assertIn(words, html2plaintext(body))
        self.login()
        page = self.page(self.url)
        box = self.box(page)
        self.assertIn("Do you agree: Move to the new server ?", box)
        self.assertIn("The ticket takes 2 more support incidents.", box)
        self.assertIn("You have 4 now and 2 after.", box)
        self.assertIn("Will be used: 2 lifetime", box)
        self.assertIn("Please answer by Apr 25, 2027", box)
        form = self.form(page)
        for _twice in range(2):
            page = self.answer(proposal, **form)
            self.assertFalse(page.xpath("//*[@name='answered_no']"))
            ended = self.text(page, "//*[@name='proposals_ended']")
            self.assertIn("Approved by Nora", ended)
        self.assertEqual(
            (self.ticket.incident_count, self.ticket.incident_basis), (3, "hand")
        )
        self.assertEqual(self.incident_account().available, 2)
        self.assertEqual(proposal.answered_by_id, self.nora.partner_id)
        statement = self.text(self.page("/my/incidents/statement"), "//table")
        self.assertIn("(Move to the new server, approved by Nora)", statement)
        entry = self.ticket.incident_entry_ids.sorted("id")[-1]
        self.assertEqual(entry.user_id, self.nora)
        self.assertIn("Approved by Nora", self.history())
        self.assertEqual(self.ticket.activity_ids.user_id, self.charger)

    def test_charge_approved(self):
        """R18.5, R10: what it costs with taxes, and what the balance pays, before; it
        is charged in the name of who has asked, once."""
        self.pay(20)
        self.charge_product.taxes_id = self.tax_sale_a
        self.company.incident_charge_tax_included = False
        proposal = self.propose_charge()
        self.login()
        page = self.page(self.url)
        self.assertIn("It costs $ 57.50 , taxes included", self.box(page))
        self.assertIn("your account balance of $ 20.00", self.box(page))
        form = self.form(page)
        for _twice in range(2):
            page = self.answer(proposal, **form)
        charge = self.ticket.charge_ids
        self.assertEqual((charge.amount, charge.amount_total), (50, 57.5))
        self.assertEqual(charge.amount_due, 37.5)
        self.assertEqual((proposal.charge_id, charge.user_id), (charge, self.charger))
        self.assertEqual(charge.name, "Restore a backup")
        self.assertIn("Restore a backup", self.text(page, "//*[@name='charges']"))

    def test_declined(self):
        """R18.5: with a word, of which staff are told; nothing happens, then or
        later."""
        self.give(5)
        proposal = self.propose()
        self.login()
        form = self.form()
        page = self.answer(proposal, word="Too <b>dear</b>")
        self.assertIn("Too <b>dear</b>", self.text(page, "//li[@name='declined']"))
        self.assertEqual(proposal.answer, "Too <b>dear</b>")
        activity = self.ticket.activity_ids
        self.assertEqual(activity.user_id, self.charger)
        self.assertIn("Too &lt;b&gt;dear", activity.note)
        page = self.answer(proposal, **form)
        self.assertTrue(page.xpath("//*[@name='answered_no']"))
        self.assertEqual((self.ticket.incident_count, proposal.state), (0, "declined"))

    def test_adds_to_what_it_takes(self):
        """R16.6: to the number set by hand, to that of its submission, to its time; to
        what it is short of."""
        self.give(9)
        self.ticket.incident_count = 3
        self.approve(self.propose(2))
        self.assertEqual(self.ticket.incident_chosen, 5)
        self.ticket.incident_count = 0
        self.ticket.action_incident_count_time()
        self.team.write({"incident_unit": "time", "incident_block_minutes": 30})
        self.ticket.incident_minutes = 100
        self.assertEqual(self.ticket.incident_count, 4)
        self.approve(self.propose(1))
        self.assertEqual(
            (self.ticket.incident_count, self.ticket.incident_basis), (5, "hand")
        )

    # -- not enough --

    def test_too_few(self):
        """R16.6: it says what has to be bought, with a link; a crafted approval does
        nothing. Bought, it can be approved."""
        self.give(1)
        proposal = self.propose()
        self.login()
        page = self.page(self.url)
        self.assertIn("You have 1 . Missing: 1 .", self.box(page))
        buy = page.xpath("//section[@name='proposal']//a[@name='buy']/@href")
        self.assertEqual(len(buy), 1)
        self.assertFalse(self.form(page))
        key = proposal._question().key
        page = self.answer(proposal, approved=key)
        self.assertTrue(page.xpath("//*[@name='answered_no']"))
        self.assertEqual((self.ticket.incident_count, proposal.state), (0, "open"))
        self.give(1)
        self.answer(proposal, **self.form())
        self.assertEqual((self.ticket.incident_count, proposal.state), (2, "approved"))

    def test_short(self):
        """R16.6: what the ticket is short of is needed, too."""
        self.team.write({"incident_unit": "time", "incident_block_minutes": 30})
        self.ticket.incident_minutes = 60
        self.assertEqual(self.ticket.incident_short, 2)
        question = self.propose(1)._question()
        self.assertEqual((question.needed, question.missing), (3, 3))

    def test_paid_later(self):
        """R18.1: where the team sells what is missing, with a tick, the price and the
        total; a total that has changed since asks again; at once, once."""
        self.team.incident_shortage_policy = "charge"
        self.company.incident_overage_limit = 30
        self.give(1)
        proposal = self.propose(3)
        self.login()
        page = self.page(self.url)
        self.assertIn("I buy 2 support incidents for $ 12.00", self.box(page))
        form = self.form(page)
        self.assertIn("later", form)
        without = {name: text for name, text in form.items() if name != "later"}
        self.assertTrue(
            self.answer(proposal, **without).xpath("//*[@name='answered_no']")
        )
        self.single.list_price = 7
        self.assertTrue(self.answer(proposal, **form).xpath("//*[@name='answered_no']"))
        self.assertEqual((proposal.state, self.ticket.incident_count), ("open", 0))
        form = self.form()
        for _twice in range(2):
            page = self.answer(proposal, **form)
        self.assertIn("$ 14.00", self.text(page, "//*[@name='overages']"))
        order = self.env["sale.order"].search(
            [("incident_ticket_id", "=", self.ticket.id)]
        )
        self.assertEqual(order.amount_total, 14)
        self.assertEqual((self.ticket.incident_count, proposal.state), (3, "approved"))
        self.assertEqual(self.incident_account().lifetime_balance, 0)

    def test_limit(self):
        """R18.4: beyond the limit nothing is offered, and nothing sold."""
        self.team.incident_shortage_policy = "charge"
        self.company.incident_overage_limit = 12
        proposal = self.propose(2)
        later = proposal._question().later.key
        key = proposal._question().key
        self.company.incident_overage_limit = 11
        self.assertFalse(proposal._question().later)
        with self.assertRaisesRegex(Exception, "2 needed, 0 available"):
            self.approve(proposal, key, later=later)
        self.assertEqual(proposal.state, "open")

    def test_changed_total(self):
        """R18.5: what it costs has changed since the form was read: asked again."""
        proposal = self.propose_charge()
        self.login()
        form = self.form()
        self.charge_product.taxes_id = self.tax_sale_a
        self.company.incident_charge_tax_included = False
        for crafted in (form["approved"], "x", "-" * 5000, "\x00"):
            page = self.answer(proposal, approved=crafted)
            self.assertFalse(self.ticket.charge_ids)
        self.assertIn("$ 57.50", self.box(page))
        self.answer(proposal, **self.form())
        self.assertEqual(self.ticket.charge_ids.amount_total, 57.5)

    # -- who --

    def test_strangers(self):
        """R11.6: no follower of another customer, no token, no other ticket's address,
        no RPC."""
        self.give(5)
        proposal = self.propose()
        key = proposal._question().key
        with self.assertRaisesRegex(Exception, "not asked"):
            self.approve(proposal, key, user=self.other_user)
        self.ticket.message_subscribe(self.other_user.partner_id.ids)
        self.login("bella")
        page = self.page(self.url)
        self.assertFalse(page.xpath("//section[@name='proposal']"))
        self.assertNotIn("Move to the new server", page.text_content())
        self.answer(proposal, approved=key)
        own = self._open_ticket(self.other_user.partner_id)
        self.post(f"/my/ticket/{own.id}/proposal/{proposal.id}", approved=key)
        self.authenticate(None, None)
        self.ticket._portal_ensure_token()
        page = self.page(f"{self.url}?access_token={self.ticket.access_token}")
        self.assertFalse(page.xpath("//section[@name='proposal']"))
        self.assertEqual((proposal.state, self.ticket.incident_count), ("open", 0))
        for user in (self.nora, self.other_user):
            with self.assertRaises(AccessError):
                proposal.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                self.propose(by=user)
        self.login()
        self.page(f"{self.url}/proposal/{proposal.id}?approved={key}")
        self.assertEqual(proposal.state, "open")

    def test_who_may_propose(self):
        """R14, R10.5: incidents by who may write the ticket, an amount by who may
        charge in it; withdrawn by who may write it."""
        self.give(5)
        proposal = self.propose(by=self.agent)
        with self.assertRaisesRegex(AccessError, "may not charge"):
            self.propose_charge(by=self.agent)
        own = new_test_user(
            self.env,
            "hps-own",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user_own",
        )
        self.ticket.user_id = self.agent
        with self.assertRaises(AccessError):
            self.propose(by=own)
        with self.assertRaises(AccessError):
            proposal.with_user(own).action_withdraw()
        with self.assertRaises(AccessError):
            proposal.with_user(self.charger).write({"state": "approved"})
        with self.assertRaises(AccessError):
            proposal.with_user(self.charger).unlink()
        proposal.with_user(self.agent).action_withdraw()
        self.assertEqual(proposal.state, "withdrawn")

    def test_refused(self):
        """R18.5: bad input gets a clear error; a context sets nothing."""
        for values, words in (
            ({"ticket_id": False}, "Choose the ticket"),
            ({"name": "  "}, "Say what it is for"),
            ({"name": "x" * 201}, "at most 200"),
            ({"quantity": 0}, "how many more"),
            ({"quantity": -1}, "how many more"),
            ({"quantity": 1.5}, "whole number"),
            ({"quantity": 10**12}, "at most"),
            ({"quantity": "many"}, "whole number"),
            ({"quantity": [2]}, "whole number"),
            ({"kind": "gift"}, "Choose what to propose"),
            ({"kind": ["charge"]}, "Choose what to propose"),
            ({"kind": None}, "Choose what to propose"),
            ({"kind": "charge", "amount": 0}, "more than zero"),
            ({"kind": "charge", "amount": "1e400"}, "no amount"),
            ({"state": "approved"}, "not: state"),
            ({"user_id": self.agent.id}, "not: user_id"),
        ):
            with (
                self.subTest(values=values),
                self.assertRaisesRegex(Exception, words),
                self.env.cr.savepoint(),
            ):
                self.propose(**{"quantity": 2, **values})
        proposals = self.env["helpdesk.ticket.proposal"].with_context(
            default_state="approved", default_answer="Yes"
        )
        proposal = proposals.with_user(self.charger).create(
            {"ticket_id": self.ticket.id, "kind": "incidents", "quantity": 1}
            | {"name": "More"}
        )
        self.assertEqual((proposal.state, proposal.answer), ("open", False))
        nobody = self._open_ticket(self.env["res.partner"])
        with self.assertRaisesRegex(Exception, "Set the customer"):
            self.propose(ticket_id=nobody.id)

    # -- how it ends otherwise --

    def test_withdrawn(self):
        """R18.5: once; then it cannot be approved, and no mail tells of it."""
        self.give(5)
        proposal = self.propose()
        key = proposal._question().key
        proposal.with_user(self.charger).action_withdraw()
        with self.assertRaisesRegex(Exception, "not open any more: Called off"):
            self.approve(proposal, key)
        with self.assertRaisesRegex(Exception, "not open any more: Called off"):
            proposal.with_user(self.charger).action_withdraw()
        reminder = self.env["helpdesk.incident.reminder"].sudo().search([], limit=1)
        reminder._send()
        self.assertEqual(reminder.state, "armed")
        self.assertFalse(self.ticket.activity_ids)

    def test_expired(self):
        """R18.5: it can be answered on the last day, and not on the day after, whether
        the scheduled action has run or not; who has asked is told."""
        self.give(5)
        proposal, other = self.propose(), self.propose(1)
        key = proposal._question().key
        self.assertEqual(
            proposal.date_end, self.company._incident_today() + timedelta(14)
        )
        with freeze_time(proposal.date_end):
            self.approve(other)
            self.assertNotIn(proposal, proposal._overdue())
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        reminder = reminders.search([("key", "=", str(proposal.id))])
        self.assertTrue(reminder._is_still_due())
        with freeze_time(proposal.date_end + timedelta(1)):
            self.assertFalse(reminder._is_still_due())
            self.login()
            page = self.page(self.url)
            self.assertFalse(self.box(page))
            self.assertIn("Not answered in time", self.text(page, "//li"))
            with self.assertRaisesRegex(Exception, "not open any more: Not answered"):
                self.approve(proposal, key)
            for step in self.ticket._incident_cron_steps():
                step()
                step()
        self.assertEqual(proposal.state, "expired")
        self.assertIn(
            "Not answered in time", self.ticket.activity_ids.mapped("note")[-1]
        )
        self.company.incident_proposal_days = 0
        self.assertFalse(self.propose().date_end)

    def test_ticket_goes_on(self):
        """R18.5: of a ticket that was closed, has another customer, or an outcome that
        is not charged, nobody is asked any more; a waiting one takes no more."""
        self.give(5)
        stage = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        for values, why in (
            ({"stage_id": stage.id}, "is closed"),
            ({"active": False}, "is closed"),
            ({"incident_outcome_id": self.defect.id}, "Outcome: Defect"),
            ({"partner_id": self.other_user.partner_id.id}, ""),
            ({"duplicate_id": self._open_ticket(self.contact).id}, "duplicate"),
        ):
            with self.subTest(values=values):
                self.ticket = self._open_ticket(self.nora.partner_id)
                self.ticket.team_id = self.team
                proposals = self.propose() | self.propose_charge()
                key = proposals[0]._question().key
                self.ticket.write({"priority": "3"})
                self.assertEqual(set(proposals.mapped("state")), {"open"})
                self.ticket.write(values)
                self.assertEqual(set(proposals.mapped("state")), {"withdrawn"})
                with self.assertRaisesRegex(Exception, "not open any more|not asked"):
                    self.approve(proposals[0], key)
                if why:
                    with self.assertRaisesRegex(Exception, why):
                        self.propose()
        self.ticket = self._open_ticket(self.nora.partner_id)
        self.ticket.write({"team_id": self.team.id})
        proposal = self.propose()
        self.team.incident_cost = 9
        self.ticket.with_user(self.agent).action_incident_send_link()
        self.assertEqual(self.ticket.incident_state, "parked")
        with self.assertRaisesRegex(Exception, "waits for support incidents"):
            self.approve(proposal)
        self.login()
        self.url = f"/my/ticket/{self.ticket.id}"
        self.assertIn("not possible at the moment", self.box())

    def test_other_company(self):
        """R2.3: what one company has asked, another one does not charge or take."""
        proposals = self.propose() | self.propose_charge()
        other = self.env["res.company"].sudo().create({"name": "Another company"})
        self.ticket.sudo().write({"team_id": False, "company_id": other.id})
        self.assertEqual(set(proposals.mapped("state")), {"withdrawn"})

    def test_customers_merged(self):
        """R2.2: what the one was asked, the other one answers."""
        self.give(5)
        proposal = self.propose()
        partners = self.customer | self.other_customer
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge(partners.ids, self.other_customer)
        self.env.invalidate_all()
        self.approve(proposal)
        self.assertEqual(self.ticket.incident_count, 2)

    # -- what staff see --

    def wizard(self, user=None, **values):
        wizards = self.env["helpdesk.ticket.propose"].with_user(user or self.charger)
        return wizards.create(
            {"ticket_id": self.ticket.id, "name": "Move it", "quantity": 2, **values}
        )

    def test_dialog(self):
        """R18.5: what the customer will see, who could answer, before; asked once,
        however often it is clicked."""
        self.give(5)
        action = self.ticket.with_user(self.agent).action_incident_propose()
        self.assertEqual(action["context"], {"default_ticket_id": self.ticket.id})
        wizard = self.wizard()
        self.assertIn("more support incidents", wizard.asked)
        self.assertFalse(wizard.warning or wizard.problem)
        for _twice in range(2):
            wizard.action_ask()
        self.assertEqual(len(self.ticket.incident_proposal_ids), 1)
        wizard = self.wizard(kind="charge", amount=50)
        self.assertIn("$&nbsp;50.00", wizard.asked.replace("\xa0", "&nbsp;"))
        self.assertIn("how many more", self.wizard(quantity=0).problem)
        with self.assertRaisesRegex(AccessError, "may not charge"):
            self.wizard(self.agent, kind="charge", amount=50).read(["asked"])
        self.nora.active = False
        self.assertIn("Nobody of this customer", self.wizard().warning)

    def test_home(self):
        """R11.5: the portal home says that there is a question."""
        self.give(5)
        self.propose()
        self.login()
        self.assertIn("Questions about tickets: 1", self.page("/my").text_content())
