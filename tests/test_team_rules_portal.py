from odoo import http
from odoo.fields import Command
from odoo.tests import tagged

from .test_portal import PortalCommon


@tagged("post_install", "-at_install")
class TestTeamRulesPortal(PortalCommon):
    """R16.3: the form says what is taken, whatever is chosen in it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.billing, cls.outage = cls.env["helpdesk.ticket.category"].create(
            [
                {"name": name, "show_in_portal": True, "company_id": cls.company.id}
                for name in ("Billing", "Outage")
            ]
        )
        cls.company.helpdesk_mgmt_portal_select_category = True
        cls.paid_team.incident_rule_ids = [
            Command.create({"category_ids": categories.ids, "incident_cost": number})
            for categories, number in ((cls.billing, 0), (cls.outage, 3))
        ]

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def notice(self, page):
        [box] = page.xpath(f"//*[@data-team-id='{self.paid_team.id}']")
        return " ".join(box.text_content().split())

    def asked(self, **values):
        values = {
            "csrf_token": http.Request.csrf_token(self),
            "team": self.paid_team.id,
            **values,
        }
        return self.notice(self.page("/new/ticket/incidents", data=values))

    def test_tour(self):
        """R16.3: in a browser."""
        self.give(5)
        self.start_tour("/new/ticket", "helpdesk_paid_support_rules", login="hps-nora")
        self.assertEqual(self.give(0).available, 2)

    def test_answers(self):
        """R16.3: what is typed cannot be trusted; nothing is made of it."""
        self.give(5)
        before = self.env["helpdesk.ticket"].search_count([])
        for category, said in (
            ("", "A ticket takes 1 support incident."),
            (self.billing.id, "takes no support incidents."),
            (self.outage.id, "A ticket takes 3 support incidents. You have 5 now and"),
            ("abc", "A ticket takes 1 "),
            ("9" * 30, "A ticket takes 1 "),
        ):
            self.assertIn(said, self.asked(category=category))
        self.assertIn("takes 1 ", self.asked(type="x", priority="x" * 9000))
        self.assertEqual(self.env["helpdesk.ticket"].search_count([]), before)

    def test_without_script(self):
        """R16.3: all numbers are listed."""
        self.give(5)
        listed = self.page("/new/ticket").xpath(
            f"//*[@data-team-id='{self.paid_team.id}']/noscript/ul/li/text()"
        )
        self.assertEqual(listed, ["Outage: 3", "Billing: 0"])

    def test_without_incidents(self):
        """R16.1, R11.1: a team that can take nothing is shown to all; a ticket that
        takes some is refused, and what was typed stays."""
        page = self.submit(team=self.paid_team.id, category=self.outage.id)
        self.assertIn("3 needed, 0 available", self.error(page))
        self.submit(team=self.paid_team.id, category=self.billing.id)
        ticket = self.env["helpdesk.ticket"].search([], order="id desc", limit=1)
        self.assertEqual(ticket.category_id, self.billing)
        self.assertEqual(ticket.incident_count, 0)
