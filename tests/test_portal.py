import re

from lxml import html

from odoo import http
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.helpdesk_paid_support.models.ticket.ticket_form import SentForm

from .common import default_settings, hide_from_customers


class PortalCommon(HttpCase):
    """A customer's pages, and three teams."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        default_settings(cls.company)
        hide_from_customers(cls.env)
        customers = cls.env["res.partner"].create(
            [{"name": "Northwind"}, {"name": "Blue Bakery"}]
        )
        cls.customer, cls.other_customer = customers
        cls.user, cls.other_user = (
            new_test_user(
                cls.env, login, groups="base.group_portal", parent_id=customer.id
            )
            for login, customer in zip(
                ("hps-nora", "hps-bella"), customers, strict=True
            )
        )
        cls.free_team, cls.paid_team, cls.emergency_team = cls.env[
            "helpdesk.ticket.team"
        ].create(
            [
                {"name": "Questions"},
                {"name": "Support", "incident_required": True},
                {"name": "Emergency", "incident_required": True, "incident_cost": 3},
            ]
        )

    def give(self, quantity, customer=None):
        account = self.env["helpdesk.incident.account"]._of(
            customer or self.customer, self.company, create=True
        )
        if quantity:
            account._adjust(quantity, "A gift")
        return account

    def page(self, path, **options):
        response = self.url_open(path, **options)
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def text(self, page, xpath):
        return " ".join(" ".join(page.xpath(f"{xpath}//text()")).split())

    def submit(self, **values):
        data = {
            "csrf_token": http.Request.csrf_token(self),
            "subject": "It does not work",
            "description": "Line one\nLine two",
            **values,
        }
        return self.page("/submitted/ticket", data=data)

    def tickets(self):
        return self.env["helpdesk.ticket"].search(
            [("partner_id", "=", self.user.partner_id.id)]
        )

    def error(self, page):
        return self.text(page, "//*[@name='error']")


@tagged("post_install", "-at_install")
class TestPortal(PortalCommon):
    """The pages as a browser without JavaScript sees them (R11)."""

    def test_form_says_what_a_ticket_takes(self):
        """R11.1: how many, how many are left now and after, and which are used."""
        self.give(5)
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/new/ticket")
        teams = page.xpath("//select[@name='team']/option/@value")
        for team in (self.free_team, self.paid_team, self.emergency_team):
            self.assertIn(str(team.id), teams)
        notice = self.text(page, f"//div[@data-team-id='{self.emergency_team.id}']")
        for words in (
            "3 support incidents",
            "You have 5 now and 2 after",
            "Will be used: 3 lifetime",
        ):
            self.assertIn(words, notice)
        self.assertFalse(page.xpath(f"//div[@data-team-id='{self.free_team.id}']"))

    def test_another_number(self):
        """R16.2: what a ticket takes, as another module says it, is what the form says,
        and what is deducted: 2 of 5, also of a team that requires none."""
        self.patch(
            self.registry["helpdesk.ticket"],
            "_incident_required",
            lambda ticket: 2 if ticket.team_id else 0,
        )
        account = self.give(5)
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/new/ticket")
        for team in (self.free_team, self.paid_team, self.emergency_team):
            notice = self.text(page, f"//div[@data-team-id='{team.id}']")
            self.assertIn("2 support incidents", notice)
        self.submit(team=self.free_team.id)
        self.assertEqual((self.tickets().incident_count, account.available), (2, 3))
        account._adjust(-2, "Taken back")
        page = self.page("/new/ticket")
        notice = self.text(page, f"//div[@data-team-id='{self.paid_team.id}']")
        self.assertIn("You have 1", notice)

    def test_form_without_incidents(self):
        """R11.1: with neither incidents nor a way to buy, paid teams are not shown."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/new/ticket")
        teams = page.xpath("//select[@name='team']/option/@value")
        self.assertIn(str(self.free_team.id), teams)
        self.assertNotIn(str(self.paid_team.id), teams)
        self.assertFalse(page.xpath("//div[@data-team-id]"))

    def test_form_with_too_few(self):
        """R11.2: the form says so beside that team."""
        self.give(1)
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/new/ticket")
        notice = self.text(page, f"//div[@data-team-id='{self.emergency_team.id}']")
        self.assertIn("3 support incidents", notice)
        self.assertIn("You have 1", notice)

    def test_submit(self):
        """R4.4, R11.5: one is deducted, and the customer sees what is left."""
        account = self.give(5)
        self.authenticate("hps-nora", "hps-nora")
        page = self.submit(team=self.paid_team.id)
        ticket = self.tickets()
        self.assertEqual((ticket.incident_count, account.available), (1, 4))
        self.assertIn(
            "You have 4 left", self.text(page, "//div[@name='incident_count']")
        )
        self.assertIn("4 available, 1 used", self.text(self.page("/my"), "//main"))
        button = self.page("/my/tickets").xpath("//a[@name='incidents']")[0]
        self.assertIn("4", button.text_content())

    def test_card(self):
        """R11.5: the picture of its card is as large as those of Odoo's."""
        self.authenticate("hps-nora", "hps-nora")
        pictures = {}
        for picture in self.page("/my").xpath(
            "//*[contains(@class, 'o_portal_icon')]/img/@src"
        ):
            if picture.endswith(".svg"):
                pictures[picture] = html.fromstring(self.url_open(picture).content).get(
                    "width"
                )
        self.assertIn(
            "/helpdesk_paid_support/static/src/img/portal_incidents.svg", pictures
        )
        self.assertEqual(set(pictures.values()), {"64"}, pictures)

    def test_crafted_post(self):
        """R11.2: nothing is created, the reason is shown, what was typed is kept."""
        self.authenticate("hps-nora", "hps-nora")
        for given in (0, 1):
            if given:
                self.give(given)
            page = self.submit(team=self.emergency_team.id, subject="<b>Help</b>")
            error = self.text(page, "//div[@name='error']")
            self.assertIn("was not submitted", error)
            self.assertIn(f"3 needed, {given} available", error)
            self.assertEqual(
                page.xpath("//input[@name='subject']/@value"), ["<b>Help</b>"]
            )
            self.assertEqual(
                page.xpath("//textarea[@name='description']")[0].text.strip(),
                "Line one\nLine two",
            )
            self.assertFalse(self.tickets())
        # Chosen, as it was offered.
        self.assertEqual(
            page.xpath("//select[@name='team']/option[@selected]/@value"),
            [str(self.emergency_team.id)],
        )
        # Other teams stay usable.
        self.submit(team=self.free_team.id)
        self.assertEqual(self.tickets().incident_count, 0)

    def test_bad_input(self):
        """R11.2: malformed requests create nothing, and nothing breaks."""
        self.give(5)
        hidden = self.free_team.copy({"name": "Hidden", "show_in_portal": False})
        self.authenticate("hps-nora", "hps-nora")
        for values in (
            {"team": "abc"},
            {"team": "-1"},
            {"team": "9" * 30},
            {"team": str(hidden.id)},
            {"team": "²"},
            {"category": "abc"},
            {"category": "9" * 30},
            {"subject": ""},
            {"subject": " "},
            {"description": ""},
        ):
            with self.subTest(values=values):
                page = self.submit(**{"team": self.paid_team.id, **values})
                self.assertTrue(page.xpath("//div[@name='error']"))
        self.assertFalse(self.tickets())
        self.page("/submitted/ticket")  # GET: the empty form
        self.assertFalse(self.tickets())

    def test_without_a_team(self):
        """R11.2: leaving the team empty is no way to a free ticket."""
        self.give(5)
        self.authenticate("hps-nora", "hps-nora")
        page = self.submit()
        self.assertIn("Choose a team", self.text(page, "//div[@name='error']"))
        self.assertFalse(self.tickets())

    def test_lost_files_are_said(self):
        """R11.2: browsers cannot keep chosen files."""
        self.give(1)
        self.authenticate("hps-nora", "hps-nora")
        response = self.url_open(
            "/submitted/ticket",
            data={
                "csrf_token": http.Request.csrf_token(self),
                "team": self.emergency_team.id,
                "subject": "With a file",
                "description": "…",
            },
            files={"attachment": ("log.txt", b"line", "text/plain")},
        )
        self.assertIn("choose your files again", response.text)
        self.assertFalse(self.env["ir.attachment"].search([("name", "=", "log.txt")]))

    def test_attachment_is_kept(self):
        """R4.4: an accepted ticket has its files."""
        self.give(1)
        self.authenticate("hps-nora", "hps-nora")
        self.url_open(
            "/submitted/ticket",
            data={
                "csrf_token": http.Request.csrf_token(self),
                "team": self.paid_team.id,
                "subject": "With a file",
                "description": "…",
                "attachment": "1",
            },
            files={"attachment": ("log.txt", b"line", "text/plain")},
        )
        self.assertEqual(self.tickets().incident_count, 1)

    def form_token(self):
        [token] = self.page("/new/ticket").xpath(
            "//input[@name='incident_form']/@value"
        )
        return token

    def test_form_leaves_defaults_alone(self):
        """R4.7, R11.6: the form that was sent is no form that is not saved, which has
        only defaults that its user may see."""
        form = SentForm(self.user, "a token", [])
        tickets = self.env["helpdesk.ticket"].with_user(self.user)
        tickets = tickets.with_context(
            incident_form=form, default_partner_id=self.other_customer.id
        )
        self.assertEqual(
            tickets.default_get(["partner_id"]), {"partner_id": self.other_customer.id}
        )

    def test_form_sent_twice(self):
        """R4.7: the same form posted twice is one ticket and one incident, 1 of 5; the
        second answer leads to it, as the first one did."""
        account = self.give(5)
        self.authenticate("hps-nora", "hps-nora")
        form = {"team": self.paid_team.id, "incident_form": self.form_token()}
        self.submit(**form)
        ticket = self.tickets()
        page = self.submit(**form)
        self.assertEqual(self.tickets(), ticket)
        self.assertIn(ticket.name, self.text(page, "//main"))
        self.assertFalse(page.xpath("//div[@name='error']"))
        ticket.active = False
        self.submit(**form)
        self.assertEqual(
            self.env["helpdesk.ticket"]
            .with_context(active_test=False)
            .search_count([("partner_id", "=", self.user.partner_id.id)]),
            1,
        )
        self.assertEqual((ticket.incident_count, account.available), (1, 4))
        # Another form, or one without a token, is another ticket.
        self.submit(**{**form, "incident_form": self.form_token()})
        self.submit(team=self.paid_team.id)
        self.submit(team=self.paid_team.id)
        self.assertEqual(account.available, 1)

    def test_form_sent_with_other_words(self):
        """R4.7, R11.2: who goes back, and sends the form with other words, is asked: he
        means the same ticket, or one more. Nothing that was typed is lost."""
        account = self.give(5)
        self.authenticate("hps-nora", "hps-nora")
        form = {"team": self.paid_team.id, "incident_form": self.form_token()}
        self.submit(**form)
        ticket = self.tickets()
        page = self.submit(**form, subject="Something else")
        error = self.text(page, "//div[@name='error']")
        self.assertIn(ticket.number, error)
        self.assertEqual((self.tickets(), account.available), (ticket, 4))
        self.assertEqual(
            page.xpath("//input[@name='subject']/@value"), ["Something else"]
        )
        [token] = page.xpath("//input[@name='incident_form']/@value")
        self.assertNotEqual(token, form["incident_form"])
        self.submit(**{**form, "incident_form": token}, subject="Something else")
        self.assertEqual((len(self.tickets()), account.available), (2, 3))

    def test_form_token_of_another(self):
        """R11.6: who knows the token of another user's form gets nothing of it; what is
        not submitted can be sent again."""
        self.give(5)
        other = self.give(0, self.other_customer)
        self.authenticate("hps-nora", "hps-nora")
        form = {"team": self.paid_team.id, "incident_form": self.form_token()}
        self.submit(**form)
        self.authenticate("hps-bella", "hps-bella")
        page = self.submit(**form)
        self.assertIn("1 needed, 0 available", self.text(page, "//div[@name='error']"))
        self.give(1, self.other_customer)
        self.submit(**form)
        self.assertEqual(other.available, 0)
        self.assertEqual(len(self.tickets()), 1)

    def test_my_incidents(self):
        """R11.4: what is available and the statement."""
        account = self.give(5)
        self.authenticate("hps-nora", "hps-nora")
        self.submit(team=self.paid_team.id)
        page = self.page("/my/incidents")
        self.assertEqual(self.text(page, "//div[@name='available']"), "4")
        self.assertIn("4 lifetime", self.text(page, "//ul[@name='breakdown']"))
        statement = self.text(page, "//table[hasclass('o_portal_my_doc_table')]//tbody")
        self.assertIn(self.tickets().number, statement)
        self.assertIn("+5", statement)
        self.assertIn("\N{MINUS SIGN}1", statement)
        for _n in range(100):
            account._adjust(1, "One more")
        pages = [
            self.page(f"/my/incidents/statement{path}").xpath("//main//tbody/tr")
            for path in ("", "/page/2", "/page/999")
        ]
        self.assertEqual(len(pages[0]) + len(pages[1]), 102)
        self.assertEqual(len(pages[2]), len(pages[1]))

    def test_nothing_yet(self):
        """R11.4: an empty page says what to do."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/my/incidents")
        self.assertIn("no support incidents", self.text(page, "//main"))
        self.assertIn("Nothing has happened yet", self.text(page, "//main"))
        self.page("/my/incidents/statement")
        self.assertIn("0 available, 0 used", self.text(self.page("/my"), "//main"))

    def test_follower_of_another_customer(self):
        """R11.6: sees the ticket, none of its incidents."""
        self.give(5)
        self.give(7, self.other_customer)
        self.authenticate("hps-nora", "hps-nora")
        self.submit(team=self.emergency_team.id)
        ticket = self.tickets()
        ticket.message_subscribe(self.other_user.partner_id.ids)
        self.authenticate("hps-bella", "hps-bella")
        for path in (
            f"/my/ticket/{ticket.id}",
            f"/my/ticket/{ticket.id}?access_token={ticket._portal_ensure_token()}",
        ):
            page = self.page(path)
            self.assertIn("It does not work", self.text(page, "//main"))
            self.assertFalse(page.xpath("//div[@name='incident_count']"))
            self.assertNotRegex(
                self.text(page, "//main"), re.compile("incident", re.IGNORECASE)
            )
        thread = self.make_jsonrpc_request(
            "/mail/thread/messages",
            {"thread_model": "helpdesk.ticket", "thread_id": ticket.id},
        )
        self.assertNotIn("incident", str(thread).lower())
        page = self.page("/my/incidents")
        self.assertEqual(self.text(page, "//div[@name='available']"), "7")

    def test_employee(self):
        """R14: an employee has no incidents page of customers; nothing breaks."""
        new_test_user(self.env, "hps-employee", groups="base.group_user")
        self.authenticate("hps-employee", "hps-employee")
        self.page("/my/incidents")
        self.page("/new/ticket")
