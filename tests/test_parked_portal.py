from freezegun import freeze_time

from odoo.tests import tagged

from odoo.addons.helpdesk_paid_support.models.ticket import ticket_parking

from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestParkedPortal(BuyCommon):
    """R11.3: what customers see of tickets that wait, and do with them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.write({"incident_cost": 3, "incident_shortage_policy": "park"})

    def submit(self, **values):
        page = self.post(
            "/submitted/ticket",
            **{
                "team": self.team.id,
                "subject": "It does not work",
                "description": "…",
                **values,
            },
        )
        return page, self.env["helpdesk.ticket"].search([], limit=1, order="id desc")

    def test_submit_and_see(self):
        """R11.3: the form says so before, the ticket after, with a link to buy."""
        self.authenticate("hps-nora", "hps-nora")
        form = self.page("/new/ticket")
        self.assertIn("it waits until you have enough", self.text(form, "//form"))
        page, ticket = self.submit()
        self.assertEqual(ticket.incident_state, "parked")
        notice = self.text(page, "//section[@name='incident_parked']")
        self.assertRegex(notice, "Needed: 3 ?. You have: 0 ?.")
        link = page.xpath("//section[@name='incident_parked']//a[@name='buy']/@href")
        self.assertEqual(link, [f"/my/incidents/buy?ticket={ticket.id}"])
        self.assertFalse(page.xpath("//div[@name='incident_count']"))
        badges = self.page("/my/tickets").xpath("//td/div[@name='incident_parked']")
        self.assertEqual(len(badges), 1)
        page = self.page("/my/incidents")
        self.assertIn(ticket.name, self.text(page, "//section[@name='parked']"))

    def test_link_to_buy(self):
        """R11.3: the ticket whose link was used is released first."""
        self.authenticate("hps-nora", "hps-nora")
        _page, older = self.submit()
        _page, newer = self.submit(subject="More urgent")
        page = self.page(f"/my/incidents/buy?ticket={newer.id}")
        self.assertIn("More urgent", self.text(page, "//div[@name='waiting']"))
        self.assertFalse(newer.incident_link_on, "looking at a page changes nothing")
        self.team.incident_cost = 6
        self.post("/my/incidents/buy/order", plan=self.pack.id, ticket=newer.id)
        self.assertTrue(newer.incident_link_on)
        self.transaction(self.orders()[0])
        newer._incident_account()._release()
        self.assertEqual(
            [older.incident_state, newer.incident_state], ["parked", "deducted"]
        )
        # A link to what waits no more is an ordinary link.
        page = self.page(f"/my/incidents/buy?ticket={newer.id}")
        self.assertFalse(page.xpath("//div[@name='waiting']"))

    def test_withdraw(self):
        """R11.3: once; the page says what has become of it."""
        self.authenticate("hps-nora", "hps-nora")
        page, ticket = self.submit()
        form = page.xpath("//form[contains(@action, '/withdraw')]/@action")[0]
        for _twice in range(2):
            page = self.post(form)
            self.assertTrue(ticket.closed)
            self.assertFalse(page.xpath("//section[@name='incident_parked']"))
            told = self.text(page, "//*[@name='withdrawn']")
            self.assertIn("You have withdrawn this ticket", told)
        self.assertEqual(ticket.stage_id.name, "Cancelled")
        page = self.page(f"/my/ticket/{ticket.id}")
        self.assertFalse(page.xpath("//*[@name='withdrawn']"))

    def test_withdraw_too_late(self):
        """R11.3: what was released meanwhile is not withdrawn, and the page says so."""
        self.authenticate("hps-nora", "hps-nora")
        page, ticket = self.submit()
        form = page.xpath("//form[contains(@action, '/withdraw')]/@action")[0]
        self.incident_account()._adjust(3, "A gift")
        ticket._incident_account()._release()
        page = self.post(form)
        self.assertIn("was not withdrawn", self.text(page, "//*[@name='withdrawn']"))
        self.assertEqual((ticket.closed, ticket.incident_count), (False, 3))
        self.assertIn("3", self.text(page, "//div[@name='incident_count']"))
        # What was answered and closed has taken 3.
        ticket.stage_id = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        told = self.text(self.post(form), "//*[@name='withdrawn']")
        self.assertNotIn("Nothing was deducted", told)
        self.assertIn("was not withdrawn", told)
        page = self.page(f"/my/ticket/{ticket.id}?withdrawn=yes")
        self.assertFalse(page.xpath("//*[@name='withdrawn']"))

    def test_closes_on(self):
        """R13.3: the ticket, and the list of those that wait, say when it is closed,
        and then it is."""
        self.company.incident_parked_close_days = 30
        self.authenticate("hps-nora", "hps-nora")
        page, ticket = self.submit()
        told = "//*[@name='incident_parked']//*[@name='closes_on']"
        self.assertIn("May 11, 2027", self.text(page, told))
        page = self.page("/my/incidents")
        self.assertIn("May 11, 2027", self.text(page, "//*[@name='closes_on']"))
        for day, overdue in (("2027-05-10", False), ("2027-05-11", True)):
            with freeze_time(day):
                self.assertEqual(ticket in ticket._incident_overdue(), overdue)
        self.company.incident_parked_close_days = 0
        page = self.page(f"/my/ticket/{ticket.id}")
        self.assertFalse(page.xpath(told))

    def test_foreign(self):
        """R11.6: nobody else sees that it waits, withdraws it, or buys for it."""
        self.authenticate("hps-nora", "hps-nora")
        _page, ticket = self.submit()
        ticket.message_subscribe(self.other_user.partner_id.ids)
        self.authenticate("hps-bella", "hps-bella")
        page = self.page(f"/my/ticket/{ticket.id}")
        self.assertFalse(page.xpath("//section[@name='incident_parked']"))
        self.assertFalse(self.page("/my/tickets").xpath("//*[@name='incident_parked']"))
        self.post(f"/my/ticket/{ticket.id}/withdraw")
        self.post("/my/ticket/2147483647/withdraw")
        self.assertEqual(ticket.incident_state, "parked")
        for malformed in (ticket.id, "abc", "-1", "9" * 30, "²"):
            page = self.page(f"/my/incidents/buy?ticket={malformed}")
            self.assertFalse(page.xpath("//div[@name='waiting']"))
        self.post("/my/incidents/buy/order", plan=self.pack.id, ticket=ticket.id)
        self.assertFalse(ticket.incident_link_on)
        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        for stage in (done.id, "abc", "9" * 30, ""):
            self.post("/ticket/close", ticket_id=ticket.id, stage_id=stage)
        self.post("/ticket/close")
        self.assertFalse(ticket.closed)
        self.authenticate(None, None)
        self.url_open(f"/my/ticket/{ticket.id}/withdraw", method="POST")
        self.assertEqual(ticket.incident_state, "parked")

    def test_closed_by_its_customer(self):
        """R11.3: helpdesk_mgmt's own buttons to close end the waiting, too."""
        self.authenticate("hps-nora", "hps-nora")
        _page, ticket = self.submit()
        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        self.post("/ticket/close", ticket_id=ticket.id, stage_id=done.id)
        self.assertEqual((ticket.closed, ticket.incident_state), (True, "none"))

    def test_too_many(self):
        """R11.3, R11.2: so many tickets of a customer can wait; one more creates
        nothing, says what to do, and keeps what was typed."""
        self.patch(ticket_parking, "MAX_PARKED", 2)
        tickets = self.env["helpdesk.ticket"]
        self.authenticate("hps-nora", "hps-nora")
        for _one in range(2):
            _page, ticket = self.submit()
        self._portal_user("nils", self.customer)
        for login in ("hps-nora", "hps-nils"):
            self.authenticate(login, login)
            before = tickets.search_count([])
            page, _last = self.submit(subject="A third one")
            self.assertEqual(tickets.search_count([]), before)
            self.assertIn("2 tickets", self.text(page, "//*[@name='error']"))
            self.assertEqual(
                page.xpath("//input[@name='subject']/@value"), ["A third one"]
            )
        # Of other customers, of staff, and where nothing has to wait, there are more.
        self.authenticate("hps-bella", "hps-bella")
        _page, other = self.submit()
        self.assertEqual(other.incident_state, "parked")
        self.authenticate("hps-nora", "hps-nora")
        ticket._incident_withdraw()
        _page, ticket = self.submit(subject="A third one")
        self.assertEqual(ticket.incident_state, "parked")
        self.team.incident_cost = 1
        self.incident_account()._adjust(1, "A gift")
        _page, ticket = self.submit(subject="A fourth one")
        self.assertEqual(ticket.incident_state, "deducted")

    def test_list_of_tickets(self):
        """R11.3: the list of tickets looks at those that it shows."""
        self.authenticate("hps-nora", "hps-nora")
        for _one in range(2):
            _page, ticket = self.submit()
        ticket._incident_withdraw()
        tickets = type(ticket)
        asked = []
        parked_of = tickets._incident_parked_of

        def parked(tickets, user):
            asked.append(tickets)
            return parked_of(tickets, user)

        self.patch(tickets, "_incident_parked_of", parked)
        page = self.page("/my/tickets?sortby=date")
        self.assertEqual(len(page.xpath("//td/div[@name='incident_parked']")), 1)
        self.assertEqual([len(tickets) for tickets in asked], [2])

    def test_tour(self):
        """R11.3: submit, wait, buy by the link, pay, and withdraw another one. R18.1:
        an urgent one is paid later."""
        self.company.write(
            {
                "incident_overage_product_id": self.plan("One", 6, "lifetime", 1).id,
                "incident_overage_limit": 20,
            }
        )
        self.team.copy({"name": "On call", "incident_shortage_policy": "charge"})
        # The cursor of a test runs no post-commit hooks.
        account_class = type(self.env["helpdesk.incident.account"])
        self.patch(account_class, "_release_soon", account_class._release)
        self.start_tour("/new/ticket", "helpdesk_paid_support_parked", login="hps-nora")
        tickets = self.env["helpdesk.ticket"].search(
            [("partner_id", "=", self.user.partner_id.id)], order="id"
        )
        self.assertEqual(tickets.mapped("incident_count"), [3, 3, 3, 0, 3])
        self.assertEqual(tickets.mapped("closed"), [False, False, False, True, False])
        order = self.env["sale.order"].search(
            [("incident_ticket_id", "=", tickets[-1].id)]
        )
        self.assertEqual((order.state, order.amount_total), ("sale", 12))

    def test_tour_on_a_phone(self):
        """R11.3: the same, 390 pixels wide."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.test_tour()
