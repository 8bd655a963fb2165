from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common import call_rpc
from .test_subscription_portal import MAY_20, SubscriptionPortalCommon


@tagged("post_install", "-at_install")
class TestConsent(SubscriptionPortalCommon):
    """R9.7: whose payment methods are charged, and who is told of every switch. Nora
    has bought 3 months for 90.00; Nils is a colleague of hers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "office@example.com"
        cls.nora = cls.user.partner_id
        cls.nils = cls._portal_user("nils", cls.customer).partner_id
        for person in cls.nora | cls.nils:
            person.email = f"{person.name.lower()}@example.com"
        cls.agent = new_test_user(
            cls.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
            name="Marc",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
            tz="UTC",
        )

    def setUp(self):
        super().setUp()
        self.sub = self.bought(customer=self.nora)
        self.cards = {
            partner: self.card(partner)
            for partner in (self.nora, self.nils, self.customer)
        }

    # -- helpers -----------------------------------------------------------

    def card(self, partner):
        return (
            self.env["payment.token"]
            .sudo()
            .create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": self.demo.payment_method_ids[:1].id,
                    "partner_id": partner.id,
                    "provider_ref": "demo",
                    "payment_details": partner.name,
                    "demo_simulated_state": "done",
                }
            )
        )

    def switch(self, login, value):
        self.log_in(login)
        self.send(self.sub, "auto_renew", value=value)
        self.env.invalidate_all()

    def schedule(self, login, plan=None):
        """Schedule a change on May 20: what it costs less than the credit."""
        with self.on(MAY_20):
            self.log_in(login)
            self.send(self.sub, "change", plan=(plan or self.small).id)
        self.env.invalidate_all()

    def call(self, method):
        self.log_in("agent")
        answer = call_rpc(self, self.sub._name, method, self.sub.ids)
        self.assertNotIn("error", answer)
        self.env.invalidate_all()

    def charged(self, day="2027-07-04"):
        """Return whose card the automatic renewal charges on a day."""
        before = self.env["payment.transaction"].search([], order="id desc", limit=1)
        with self.on(day):
            self.run_actions("renew")
        transactions = self.env["payment.transaction"].search([("id", ">", before.id)])
        return transactions.token_id.partner_id

    def without(self, *partners):
        for partner in partners:
            self.cards[partner].active = False

    def told(self):
        """Return what was told of switches: subject, text, and to whom."""
        self.run_actions("remind")
        messages = self.sub.message_ids.filtered("subject").sorted("id")
        return [
            (message.subject, message.body, message.notified_partner_ids)
            for message in messages
        ]

    # -- whose card it is ------------------------------------------------------

    def test_who_has_ordered(self):
        """R9.7: and has switched it on herself."""
        self.without(self.customer)
        self.switch("nora", "on")
        self.assertEqual(self.charged(), self.nora)

    def test_colleague_switches_it_on(self):
        """R9.7: his card is charged, not hers."""
        self.without(self.customer)
        self.switch("nils", "on")
        self.assertEqual(self.charged(), self.nils)
        # and with what it has renewed itself the next time, too
        self.assertEqual(self.charged("2027-10-04"), self.nils)

    def test_colleague_without_a_card(self):
        """R9.7: nobody's is charged, and the order is sent to be paid."""
        self.without(self.customer, self.nils)
        self.switch("nils", "on")
        self.assertFalse(self.charged())
        self.assertEqual(self.sub.renewal_problem, "method")
        self.assertRuns(self.sub, "2027-04-11", "2027-07-10")

    def test_card_of_the_customer(self):
        """R9.7: the customer's own pays, whoever has agreed."""
        self.without(self.nora, self.nils)
        self.switch("nils", "on")
        self.assertEqual(self.charged(), self.customer)

    def test_colleague_schedules_a_dearer_plan(self):
        """R9.6: Nora, who has switched automatic renewal on, has not agreed to another
        plan, whatever a month of it costs."""
        self.without(self.customer, self.nils)
        self.small.list_price = 29
        self.switch("nora", "on")
        self.schedule("nils")
        self.assertEqual(self.sub.next_product_id, self.small)
        self.assertFalse(self.charged())
        self.assertEqual(self.sub.renewal_problem, "method")
        self.cards[self.nils] = self.card(self.nils)
        self.assertEqual(self.charged("2027-07-05"), self.nils)

    def test_colleague_buys_more(self):
        """R9.4, R9.7: what he adds to it makes the renewal dearer: he has agreed to
        that. So he has where an agent has ordered it, and he has paid."""
        self.without(self.customer)
        self.switch("nora", "on")
        self.log_in("nils")
        self.send(self.sub, "extra", number="3")
        self.transaction(self.sub._open_orders(), partner_id=self.nils.id)
        self.assertEqual(self.charged(), self.nils)

    def test_colleague_pays_what_staff_have_ordered(self):
        """R9.7: who pays agrees to it."""
        self.without(self.customer)
        self.switch("nora", "on")
        order = self.sub.with_user(self.agent).sudo()._order_extra(3)
        self.assertEqual(order.partner_id, self.nora)
        self.transaction(order, partner_id=self.nils.id)
        self.assertEqual(self.charged(), self.nils)

    def test_nobody_pays_what_staff_have_ordered(self):
        """R9.7: 30 more each month are ordered by an agent and given: nobody's card is
        charged for them, be they not paid yet, paid from the bank, or with a card that
        staff have charged."""
        self.without(self.customer)
        for paid in (None, "bank", "card"):
            with self.subTest(paid=paid), self.env.cr.savepoint() as savepoint:
                self.company.incident_grant_on = "paid" if paid else "confirmed"
                self.switch("nora", "on")
                order = self.sub.with_user(self.agent).sudo()._order_extra(30)
                self.assertEqual(order.partner_id, self.nora)
                order.action_confirm()
                if paid == "bank":
                    self.settle_with(self.bill(order), self.pay(360).move_id)
                elif paid:
                    self.transaction(
                        order, token_id=self.cards[self.nora].id, operation="offline"
                    )
                self.env.invalidate_all()
                self.assertEqual(self.sub.extra_incidents, 30)
                self.assertEqual(self.sub.agreed_partner_id, self.customer)
                self.assertFalse(self.charged())
                # Who gets incidents first gets an invoice (R8.11).
                problem = "method" if paid else False
                self.assertEqual(self.sub.renewal_problem, problem)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_who_has_ordered_last(self):
        """R9.7: a renewal by hand is agreed to by who has ordered it."""
        self.without(self.customer)
        self.switch("nils", "on")
        self.log_in("nora")
        self.send(self.sub, "renew", plan=self.months.id, extra="0")
        self.paid(self.sub._open_orders())
        self.assertEqual(self.charged("2027-10-04"), self.nora)

    def test_staff_switch_it_on(self):
        """R9.7: staff agree for the customer, and for nobody's own card."""
        self.switch("nora", "on")
        self.call("action_auto_renew_off")
        self.call("action_auto_renew_on")
        self.without(self.customer)
        self.assertFalse(self.charged())
        self.assertEqual(self.sub.renewal_problem, "method")
        self.cards[self.customer] = self.card(self.customer)
        self.assertEqual(self.charged("2027-07-05"), self.customer)

    def test_staff_schedule_a_dearer_plan(self):
        """R9.6: nor is hers charged for what an agent has scheduled."""
        self.without(self.customer)
        self.small.list_price = 29
        self.switch("nora", "on")
        with self.on(MAY_20):
            self.sub.with_user(self.agent).sudo()._order_change(self.small)
        self.assertFalse(self.charged())
        self.assertEqual(self.sub.renewal_problem, "method")

    def test_who_has_left(self):
        """R11.6: the card of who belongs to another customer by now, or was archived,
        is not charged."""
        self.without(self.customer)
        self.switch("nils", "on")
        self.nils.parent_id = self.other_customer
        self.assertFalse(self.charged())
        self.nils.parent_id = self.customer
        self.nils.user_ids.active = False
        self.nils.active = False
        self.assertFalse(self.charged("2027-07-05"))

    def test_before_it_was_remembered(self):
        """R9.7: subscriptions of before go by who has ordered last."""
        self.without(self.customer)
        self.sub.write({"auto_renew": True, "agreed_partner_id": False})
        self.assertEqual(self.charged(), self.nora)

    def test_nobody_writes_who_has_agreed(self):
        """R14: over RPC, whoever it is."""
        self.env.ref("base.user_admin").write(
            {"password": "admin", "company_ids": [(4, self.company.id)]}
        )
        for login in ("hps-nils", "hps-agent", "admin"):
            self.authenticate(login, login)
            values = {"agreed_partner_id": self.nora.id}
            answer = call_rpc(self, self.sub._name, "write", self.sub.ids, values)
            self.assertIn("AccessError", answer["error"]["data"]["name"], login)

    def test_portal_says_whose(self):
        """R11.4: whoever looks at it sees whose payment method it is."""
        self.switch("nils", "on")
        (self.cards[self.nora] | self.cards[self.customer]).active = False
        self.log_in("nora")
        text = self.text(self.page(self.path(self.sub)), "//*[@name='auto_renew']")
        self.assertIn("saved payment method of Nils", text)

    # -- who is told -------------------------------------------------------------

    def test_switches_are_told(self):
        """R9.7: each of them, in its order, to who has ordered, who has agreed and the
        customer, and by whom it was done; never by OdooBot (R9.9)."""
        self.switch("nils", "on")
        self.switch("nora", "off")
        self.switch("nora", "on")
        self.schedule("nils")
        self.log_in("nora")
        self.send(self.sub, "keep")
        self.call("action_auto_renew_off")
        told = self.told()
        self.assertEqual(
            [(subject.partition(": ")[2]) for subject, _body, _to in told],
            [
                "automatic renewal is switched on",
                "automatic renewal is switched off",
                "automatic renewal is switched on",
                "a change of plan is scheduled",
                "the change of plan is withdrawn",
                "automatic renewal is switched off",
            ],
        )
        who = ["Nils", "Nora", "Nora", "Nils", "Nora", f"Marc ({self.company.name})"]
        for (_subject, body, to), name in zip(told, who, strict=True):
            self.assertRegex(" ".join(body.split()), f"{name[:4]}.* has ")
            self.assertIn(name, body)
            self.assertIn(f"/my/incidents/subscription/{self.sub.id}", body)
            self.assertLessEqual(self.nora | self.customer, to)
        # Whoever had agreed until then, too.
        self.assertIn(self.nils, told[1][2])
        for number in (3, 4):
            self.assertIn("Small support, 1 month", told[number][1])
        authors = self.sub.message_ids.filtered("subject").author_id
        self.assertNotIn(self.env.ref("base.partner_root"), authors)

    def test_told_once(self):
        """R9.7: what changes nothing is no switch; and nothing is sent at once."""
        self.switch("nils", "on")
        self.switch("nils", "on")
        self.assertFalse(self.sub.message_ids.filtered("subject"))
        self.assertEqual(len(self.told()), 1)
        self.assertEqual(len(self.told()), 1)

    def test_told_in_the_language_of_the_customer(self):
        """R9.7, R13.2: by a template that a user can edit."""
        self.env["res.lang"]._activate_lang("de_DE")
        template = self.env.ref(
            "helpdesk_paid_support.mail_template_incident_renewal_on"
        )
        template.with_context(lang="de_DE").subject = "An: {{ object.actor }}"
        (self.nora | self.nils | self.customer).lang = "de_DE"
        self.switch("nils", "on")
        self.assertEqual(self.told()[0][0], "An: Nils")

    def test_told_what_follows(self):
        """R9.6, R9.7: what another order ends, and that staff cancel it."""
        self.switch("nora", "on")
        self.schedule("nora")
        _subject, body, _to = self.told()[-1]
        self.assertIn("20.00", body)
        with self.on(MAY_20):
            self.paid(self.sub._order_change(self.business, self.nils))
        self.sub.action_cancel()
        told = [subject.partition(": ")[2] for subject, _body, _to in self.told()]
        self.assertEqual(
            told[-2:],
            ["the change of plan is withdrawn", "automatic renewal is switched off"],
        )

    def test_colleague_of_another_customer(self):
        """R11.6: switches nothing."""
        self.switch("bella", "on")
        self.assertFalse(self.sub.auto_renew)
        with self.assertRaises(AccessError):
            self.sub.with_user(self.other_user).sudo(False).action_auto_renew_on()
        self.assertFalse(self.told())
