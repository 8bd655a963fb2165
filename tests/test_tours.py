from odoo.tests import HttpCase, new_test_user, tagged

from .common import default_settings, hide_from_customers


@tagged("post_install", "-at_install")
class TestTours(HttpCase):
    """The main job, as a person does it in a real browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        default_settings(cls.env.company)
        hide_from_customers(cls.env)
        cls.customer = cls.env["res.partner"].create({"name": "Northwind"})
        cls.user = new_test_user(
            cls.env,
            "hps-nora",
            groups="base.group_portal",
            parent_id=cls.customer.id,
        )
        cls.agent = new_test_user(
            cls.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
        )
        cls.env["helpdesk.ticket.team"].create(
            [
                {"name": "Questions"},
                {"name": "Paid support", "incident_required": True},
                {
                    "name": "Emergency support",
                    "incident_required": True,
                    "incident_cost": 3,
                },
            ]
        )

    def give(self, quantity, customer=None):
        account = self.env["helpdesk.incident.account"]._of(
            customer or self.customer, self.env.company, create=True
        )
        account._adjust(quantity, "A gift")
        return account

    def tickets(self):
        return self.env["helpdesk.ticket"].search(
            [("partner_id", "=", self.user.partner_id.id)]
        )

    def test_submit(self):
        """R4.4, R11.1, R17.4, R18.5: log in, choose the paid team, read, submit, see
        the rest; contest what the ticket took; approve what is asked first in another
        one, and decline something."""
        self.env.company.incident_contest_days = 14
        account = self.give(5)
        asked = self.asked()
        self.start_tour("/web/login", "helpdesk_paid_support_submit")
        self.env.invalidate_all()
        submitted = self.tickets() - asked
        self.assertEqual((submitted.incident_count, asked.incident_count), (1, 2))
        self.assertEqual(account.available, 2)
        proposals = asked.incident_proposal_ids.sorted("id")
        self.assertEqual(proposals.mapped("state"), ["approved", "declined"])
        self.assertEqual(proposals[1].answer, "Not this year")
        contest = submitted.incident_contest_ids
        self.assertEqual(contest.reason, "Your update has broken it")

    def test_submit_on_a_phone(self):
        """R11.1, R17.4, R18.5: the same, 390 pixels wide."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.test_submit()

    def asked(self):
        """A ticket in which the customer is asked first, twice."""
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "Files are gone",
                "description": "…",
                "partner_id": self.user.partner_id.id,
            }
        )
        self.env["helpdesk.ticket.proposal"].create(
            [
                {
                    "ticket_id": ticket.id,
                    "kind": "incidents",
                    "quantity": quantity,
                    "name": name,
                }
                for quantity, name in (
                    (2, "Restore of a backup"),
                    (1, "Move to a larger disk"),
                )
            ]
        )
        return ticket

    def contested(self):
        """A ticket of another customer, who contests what it took."""
        self.env.company.incident_contest_days = 14
        self.env["helpdesk.ticket.outcome"].create({"name": "Defect of ours"})
        user = new_test_user(
            self.env,
            "hps-bella",
            groups="base.group_portal",
            parent_id=self.env["res.partner"].create({"name": "Blue Bakery"}).id,
        )
        self.give(1, user.commercial_partner_id)
        tickets = self.env["helpdesk.ticket"].with_user(user).sudo()
        ticket = tickets.create(
            {
                "name": "It does not work",
                "description": "…",
                "partner_id": user.partner_id.id,
                "team_id": tickets.env["helpdesk.ticket.team"]
                .search([("name", "=", "Paid support")])
                .id,
            }
        )
        return ticket._incident_do_contest(user, "It was your fault")

    def test_too_few(self):
        """R11.2: nothing is created, nothing is lost."""
        self.give(1)
        self.start_tour(
            "/new/ticket", "helpdesk_paid_support_too_few", login="hps-nora"
        )
        self.assertFalse(self.tickets())

    def test_none(self):
        """R11.1: with nothing to use and nothing to buy, free teams are left."""
        self.start_tour("/new/ticket", "helpdesk_paid_support_none", login="hps-nora")
        self.assertEqual(self.tickets().team_id.name, "Questions")

    def test_agent(self):
        """R4.4–R4.6, R11.3, R12.3, R17.4: deduct and return in the ticket form, with a
        reason; tickets by phone, with enough incidents and too few; what waits is seen,
        and ordered for; what is contested is decided."""
        account = self.give(5)
        contest = self.contested()
        team = self.env["helpdesk.ticket.team"].search(
            [("name", "=", "Emergency support")]
        )
        values = {
            "name": "On the phone",
            "description": "…",
            "partner_id": self.user.partner_id.id,
            "team_id": team.id,
        }
        self.user.partner_id.email = "nora@example.com"
        self.env["product.product"].create(
            {
                "name": "Pack of 10",
                "type": "service",
                "list_price": 50,
                "taxes_id": False,
                "incident_kind": "lifetime",
                "incident_quantity": 10,
                "incident_portal_published": True,
            }
        )
        ticket = self.env["helpdesk.ticket"].create(values)
        for name, value in values.items():
            self.env["ir.default"].set(
                "helpdesk.ticket", name, value, user_id=self.agent.id
            )
        self.start_tour(
            f"/odoo/helpdesk-tickets/{ticket.id}",
            "helpdesk_paid_support_agent",
            login="hps-agent",
        )
        self.env.invalidate_all()
        self.assertEqual((ticket.incident_count, account.available), (2, 0))
        deducted, waiting = (self.tickets() - ticket).sorted("id")
        self.assertEqual(deducted.incident_count, 3)
        self.assertEqual(waiting.incident_state, "parked")
        self.assertTrue(waiting.incident_link_on)
        self.assertEqual((contest.state, contest.quantity), ("accepted", 1))
        self.assertEqual(contest.ticket_id.incident_count, 0)

    def test_agent_on_a_phone(self):
        """R4.5, R11.3: the same, 390 pixels wide."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.test_agent()
