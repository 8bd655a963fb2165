from odoo.tests import HttpCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestOnboardingTour(HttpCase):
    """A helpdesk manager turns paid support on, in a real browser."""

    def test_first_contact(self):
        """R12.5: the Helpdesk app leads to the wizard, which asks for the price; what
        is left to do stays on the dashboard."""
        company = self.env["res.company"].create({"name": "Newcomer"})
        new_test_user(
            self.env,
            "hps-manager",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_manager",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        self.start_tour(
            "/odoo/helpdesk-dashboard",
            "helpdesk_paid_support_onboarding",
            login="hps-manager",
        )
        mine = [("company_id", "=", company.id)]
        team = self.env["helpdesk.ticket.team"].search(mine)
        plan = self.env["product.template"].search(mine)
        self.assertEqual((team.name, team.incident_required), ("Server support", True))
        self.assertEqual((plan.name, plan.list_price), ("Starter", 45))
        self.assertEqual(
            plan.incident_description, "6 incidents every month for 3 months"
        )
        self.assertTrue(company.incident_setup_hidden)
