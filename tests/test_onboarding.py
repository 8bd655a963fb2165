from odoo.exceptions import AccessError

from .common import PaidSupportCommon


class TestOnboarding(PaidSupportCommon):
    """A new company turns paid support on in one wizard."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A company that has nothing yet.
        cls.company = cls.env["res.company"].create({"name": "Newcomer"})
        cls.company.partner_id.tz = False
        cls.manager.write(
            {
                "company_ids": [(4, cls.company.id)],
                "company_id": cls.company.id,
                "tz": "Europe/Vienna",
            }
        )
        cls.wizard_model = cls.env["helpdesk.incident.onboarding"].with_user(
            cls.manager
        )

    def wizard(self, **values):
        return self.wizard_model.create({"list_price": 90, **values})

    def apply(self, **values):
        wizard = self.wizard(**values)
        wizard.action_apply()
        return wizard.sudo()

    def made(self):
        """Return the teams and the plans of the company."""
        mine = [("company_id", "=", self.company.id)]
        return (
            self.env["helpdesk.ticket.team"].search(mine),
            self.env["product.template"].search(mine),
        )

    def test_as_proposed(self):
        """R8.1, R4.4: only a price to enter, and customers can buy and submit."""
        wizard = self.apply()
        self.assertEqual(wizard.state, "done")
        team, plan = self.made()
        self.assertEqual((wizard.team_id, wizard.plan_id), (team, plan))
        self.assertEqual(
            (team.name, team.incident_required, team.incident_cost, team.user_ids),
            ("Technical support", True, 1, self.manager),
        )
        self.assertEqual(
            (plan.name, plan.type, plan.invoice_policy, plan.list_price),
            ("Standard support", "service", "order", 90),
        )
        self.assertEqual(
            plan.incident_description, "10 incidents every month for 3 months"
        )
        self.assertTrue(self.company.helpdesk_mgmt_portal_select_team)
        plans = self.env["sale.order"]._incident_plans(self.company)
        self.assertEqual(plans.product_tmpl_id & plan, plan)
        offer = self.env["sale.order"]._incident_offer(self.customer, self.company)
        self.assertIn(plan, offer.order_line.product_template_id)

    def test_company(self):
        """R3.7, R6.1: its day, and what new clients get."""
        self.apply(registration_quantity=2)
        self.assertEqual(self.company.incident_registration_quantity, 2)
        self.assertEqual(self.company.partner_id.tz, "Europe/Vienna")
        self.apply(tz="Asia/Tokyo", registration_quantity=0)
        self.assertEqual(self.company.incident_registration_quantity, 0)
        self.assertEqual(self.company.partner_id.tz, "Europe/Vienna")

    def test_twice(self):
        """Run again: the same team and plan, with what was chosen last."""
        self.apply()
        made = self.made()
        self.apply()
        self.assertEqual(self.made(), made)
        again = self.wizard_model.new({})
        self.assertEqual(again.team_id._origin.sudo(), made[0])
        self.assertEqual(again.plan_name, "Standard support")
        self.assertEqual(again.list_price, 90)
        wizard = self.apply(
            team_id=False,
            team_name=" technical Support ",
            incident_cost=2,
            plan_name="standard support",
            incident_kind="lifetime",
            incident_quantity=5,
            list_price=30,
        )
        self.assertEqual(self.made(), made)
        team, plan = made
        self.assertEqual(team.incident_cost, 2)
        self.assertEqual((plan.incident_kind, plan.incident_quantity), ("lifetime", 5))
        self.assertEqual(plan.list_price, 30)
        wizard.with_user(self.manager).action_apply()
        self.assertEqual(self.made(), made)
        self.assertEqual(
            wizard.with_user(self.manager).action_back()["res_id"], wizard.id
        )
        self.assertEqual(wizard.state, "ask")

    def test_other_names(self):
        """Another name is another team, and another plan."""
        self.apply()
        self.apply(team_id=False, team_name="Emergency", plan_name="Gold")
        teams, plans = self.made()
        self.assertEqual(set(teams.mapped("name")), {"Technical support", "Emergency"})
        self.assertEqual(set(plans.mapped("name")), {"Standard support", "Gold"})

    def test_existing_team(self):
        """A free team of the company becomes a paid one; nothing else changes."""
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Questions", "company_id": self.company.id}
        )
        self.apply(team_id=team.id, incident_cost=3, incident_on_staff_tickets=True)
        self.assertEqual(self.made()[0], team)
        self.assertEqual((team.name, team.incident_cost), ("Questions", 3))
        self.assertTrue(team.incident_required and team.incident_on_staff_tickets)

    def test_bad_input(self):
        """R8.1: a clear error each, and nothing is made."""
        for values, words in (
            ({"incident_quantity": 0}, "1 or more"),
            ({"incident_quantity": -1}, "1 or more"),
            ({"incident_quantity": 1.5}, "whole number"),
            ({"incident_kind": "lifetime", "incident_quantity": 0}, "1 or more"),
            ({"incident_kind": False}, "what a customer of the plan gets"),
            ({"incident_term_months": 0}, "from 1 to 120"),
            ({"incident_term_months": 121}, "from 1 to 120"),
            ({"list_price": -1}, "below zero"),
            ({"list_price": 0}, "Enter a price"),
            ({"plan_name": "  "}, "name of the plan"),
            ({"team_name": " ", "team_id": False}, "name of a new one"),
            ({"incident_cost": 0}, "Incidents per ticket"),
            ({"registration_quantity": -1}, "0 or more"),
            ({"team_id": self.paid_team.id}, "Choose a team of Newcomer"),
        ):
            with self.subTest(values=values), self.assertRefused(words):
                self.wizard_model.create({"list_price": 90, **values}).action_apply()
        self.assertFalse(any(self.made()))

    def test_name_of_another_product(self):
        """No product that sells something else is turned into a plan."""
        self.env["product.template"].create({"name": "Server 100%", "list_price": 7})
        with self.assertRefused("another product named"):
            self.apply(plan_name="server 100%")

    def test_not_for_the_portal(self):
        """R8.1: a plan that staff sell may cost nothing."""
        self.apply(list_price=0, incident_portal_published=False)
        self.assertFalse(self.made()[1].incident_portal_published)

    def left(self, steps):
        return [step["key"] for step in steps if not step["done"]]

    def dashboard(self, user):
        """Return what the dashboard says that is left to do."""
        self.env.invalidate_all()
        teams = self.env["helpdesk.ticket.team"].with_user(user)
        sections = teams.with_company(self.company).retrieve_dashboard()
        return [section for section in sections if "incident_steps" in section]

    def test_next_steps(self):
        """R12.5: what is left to do is said, and no more once it is done."""
        [section] = self.dashboard(self.manager)
        self.assertFalse(section["incident_begun"])
        wizard = self.apply()
        self.assertEqual(
            self.left(wizard.steps), ["books", "provider", "mail", "customer"]
        )
        [section] = self.dashboard(self.manager)
        self.assertTrue(section["incident_begun"])
        self.assertEqual(
            (section["value"], section["incident_number"]),
            (len(section["incident_steps"]), 6),
        )
        self.assertFalse(self.left(wizard.steps[:2]))
        journals = self.env["account.journal"]
        for name, kind in (("Sales", "sale"), ("Bank", "bank")):
            journals.create(
                {
                    "name": name,
                    "type": kind,
                    "code": kind[:3].upper(),
                    "company_id": self.company.id,
                }
            )
        self.portal_user.company_ids += self.company
        provider = self.env["payment.provider"].create(
            {"name": "Bank", "code": "none", "company_id": self.company.id}
        )
        provider.state = "test"
        self.env.invalidate_all()
        self.assertEqual(self.left(wizard.steps), ["mail"])
        domain = self.env["mail.alias.domain"].create({"name": "newcomer.example.com"})
        self.company.alias_domain_id = domain
        wizard.team_id.write({"alias_name": "newcomer", "alias_domain_id": domain.id})
        self.assertFalse(self.dashboard(self.manager))

    def test_pay_later(self):
        """R18.1, R12.5: a team that sells what is missing needs to know what."""
        wizard = self.apply(incident_shortage_policy="charge")
        self.assertEqual(self.left(wizard.steps)[0], "later")
        single = self.env["product.product"].create(
            {
                "name": "One incident",
                "type": "service",
                "list_price": 6,
                "incident_kind": "lifetime",
                "incident_quantity": 1,
            }
        )
        self.company.write(
            {"incident_overage_product_id": single.id, "incident_overage_limit": 60}
        )
        self.env.invalidate_all()
        self.assertNotIn("later", self.left(wizard.steps))
        [step] = [step for step in wizard.steps if step["key"] == "later"]
        self.assertTrue(step["done"])
        self.assertFalse(step["link"], "the manager may not open the settings")

    def test_steps_lead_somewhere(self):
        """R12.5: each step leads to where it is done, if the manager may do it."""
        wizard = self.apply()
        self.assertEqual(wizard.steps[0]["action"]["res_id"], wizard.team_id.id)
        for user in (self.manager, self.env.ref("base.user_admin")):
            steps = self.wizard_model.with_user(user)._steps(self.company)
            for step in steps:
                self.assertEqual(bool(step["link"]), bool(step["action"]))
                if isinstance(step["action"], str):
                    self.assertEqual(
                        self.env.ref(step["action"])._name, "ir.actions.act_window"
                    )
        self.env["helpdesk.ticket.team"].create(
            {
                "name": "Second",
                "company_id": self.company.id,
                "incident_required": True,
            }
        )
        steps = self.wizard_model._steps(self.company)
        self.assertEqual(
            steps[0]["action"], "helpdesk_mgmt.helpdesk_ticket_team_action"
        )

    def test_hidden_steps(self):
        """R12.5: whoever wants no more of it hides it; the wizard still has it."""
        self.agent.company_ids += self.company
        self.assertFalse(self.dashboard(self.agent))
        with self.assertRaises(AccessError):
            self.wizard_model.with_user(self.agent).action_hide_steps()
        self.wizard_model.with_company(self.company).action_hide_steps()
        self.assertFalse(self.dashboard(self.manager))
        self.apply()
        again = self.wizard_model.create({})
        self.assertEqual(again.state, "done")
        self.assertIn("customer", self.left(again.steps))

    def test_empty_lists(self):
        """R12.1: where nobody has incidents yet, the list leads managers here."""
        action = self.env.ref(
            "helpdesk_paid_support.helpdesk_incident_onboarding_action"
        )
        for name in ("account", "subscription"):
            records = self.env[f"helpdesk.incident.{name}"]
            for user, leads in ((self.manager, True), (self.agent, False)):
                words = records.with_user(user).get_empty_list_help("")
                self.assertEqual(f'name="{action.id}"' in words, leads)

    def test_managers_only(self):
        """R14: nobody else, and in their own companies."""
        for user in (self.agent, self.charger, self.accountant, self.portal_user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.wizard_model.with_user(user).create({"list_price": 90})
        foreign = self.env["res.company"].create({"name": "Foreign"})
        with self.assertRaises(AccessError):
            self.wizard(company_id=foreign.id).action_apply()
        self.assertFalse(any(self.made()))
