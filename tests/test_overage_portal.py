from odoo.tests import tagged

from .test_buy import BuyCommon
from .test_overage import OverageCommon


@tagged("post_install", "-at_install")
class TestOveragePortal(OverageCommon, BuyCommon):
    """R18.1, R18.4: customers see what is paid later, and agree to it, in the form,
    without JavaScript, too."""

    def setUp(self):
        super().setUp()
        self.authenticate("hps-otto", "hps-otto")

    def notice(self, page=None):
        page = self.page("/new/ticket") if page is None else page
        [notice] = page.xpath(f"//div[@data-team-id='{self.team.id}']")
        return notice

    def tick(self, page=None):
        """Return the name and value of the box; nothing if there is none."""
        boxes = self.notice(page).xpath(".//*[@name='later']/input")
        self.assertFalse([box for box in boxes if box.get("checked")])
        return {box.get("name"): box.get("value") for box in boxes}

    def send(self, form="a form", **values):
        return self.post(
            "/submitted/ticket",
            incident_form=form,
            **{
                "team": self.team.id,
                "subject": "Mail server is down",
                "description": "Please help",
                **values,
            },
        )

    def tickets(self):
        return self.env["helpdesk.ticket"].search([("team_id", "=", self.team.id)])

    def error(self, page):
        return self.text(page, "//*[@name='error']")

    def sold_orders(self):
        return self.env["sale.order"].search([("incident_overage_date", "!=", False)])

    def test_ask_and_submit(self):
        """R18.1: how many, the price, the total with taxes; ticked, the ticket is
        submitted and its page shows what was bought, once."""
        self.single.taxes_id = self.tax_sale_a
        page = self.page("/new/ticket")
        asked = self.text(self.notice(page), ".//*[@name='later']")
        self.assertIn("I buy 2 support incidents for $ 13.80", asked)
        self.assertIn("$ 6.90 each", asked)
        self.assertIn("at the beginning of next month", asked)
        self.assertNotIn("it waits until", self.text(self.notice(page), "."))
        tick = self.tick(page)
        for _twice in range(2):
            page = self.send(**tick)
            bought = self.text(page, "//*[@name='overages']")
            self.assertIn("2 support incidents", bought)
            self.assertIn("$ 13.80", bought)
            self.assertIn("Not invoiced yet", bought)
        self.assertEqual(self.tickets().incident_count, 2)
        order = self.sold_orders()
        self.assertEqual(
            (order.state, order.incident_ticket_id), ("sale", self.tickets())
        )
        self.assertEqual(
            self.page(f"/my/orders/{order.id}").xpath("//title") != [], True
        )
        self.company.incident_overage_invoicing = "now"
        order._incident_invoice_overage()
        page = self.page(f"/my/ticket/{self.tickets().id}")
        self.assertIn(order.invoice_ids.name, self.text(page, "//*[@name='overages']"))

    def test_not_ticked(self):
        """R18.1: nothing is submitted, nothing is lost, nothing stays ticked."""
        page = self.send()
        self.assertIn("agree to pay", self.error(page))
        self.assertEqual(
            page.xpath("//input[@name='subject']/@value"), ["Mail server is down"]
        )
        tick = self.tick(page)
        page = self.send("another", subject=" ", **tick)
        self.assertIn("Enter a subject", self.error(page))
        self.assertEqual(self.tick(page), tick)
        self.assertFalse(self.tickets() or self.sold_orders())

    def test_changed_total(self):
        """R18.1: a total that has changed since asks again; what nobody was offered is
        not agreed to."""
        tick = self.tick()
        self.single.list_price = 7
        page = self.send(**tick)
        self.assertIn("has changed", self.error(page))
        self.assertNotEqual(self.tick(page), tick)
        for crafted in ("x", f"{self.single.id}-2-0.0-1", "\x00", "-" * 5000):
            page = self.send(crafted, **dict.fromkeys(tick, crafted))
            self.assertTrue(self.error(page))
        self.assertFalse(self.tickets() or self.sold_orders())

    def test_crafted(self):
        """R18.4: a tick where nothing is allowed buys nothing: the ticket waits."""
        tick = self.tick()
        self.company.incident_overage_limit = 11.99
        self.assertFalse(self.tick())
        self.assertIn("it waits until", self.text(self.notice(), "."))
        self.send(**tick)
        self.assertEqual(self.tickets().incident_state, "parked")
        self.assertFalse(self.sold_orders())

    def test_refusing_team(self):
        """R18.1: nor for a team that sells nothing."""
        tick = self.tick()
        self.team.incident_shortage_policy = "refuse"
        self.assertFalse(self.tick())
        page = self.send(**tick)
        self.assertIn("2 needed, 0 available", self.error(page))
        self.assertFalse(self.tickets() or self.sold_orders())

    def test_nothing_else_to_buy(self):
        """R11.1, R18.1: who can buy nothing, but pay later, is offered the team."""
        plans = (self.pack | self.months).product_tmpl_id
        plans.incident_portal_published = False
        page = self.page("/new/ticket")
        self.assertTrue(self.tick(page))
        self.assertFalse(self.notice(page).xpath(".//button[@name='buy']"))
        self.send(**self.tick(page))
        self.assertEqual(self.tickets().incident_count, 2)
        self.company.incident_overage_limit = 0
        page = self.page("/new/ticket")
        self.assertFalse(page.xpath(f"//div[@data-team-id='{self.team.id}']"))

    def test_bought_instead(self):
        """R11.2, R18.1: a pack that is paid from the balance needs nothing paid later,
        whatever is ticked besides."""
        self.pay(60)
        page = self.page("/new/ticket")
        [box] = self.notice(page).xpath(".//*[@name='pack']/input")
        self.send(**{box.get("name"): box.get("value")}, **self.tick(page))
        self.assertEqual(self.tickets().incident_count, 2)
        self.assertFalse(self.sold_orders())
        self.assertEqual(self.incident_account().available, 8)

    def test_others_see_nothing(self):
        """R11.6: a follower of another customer sees nothing of it."""
        self.send(**self.tick())
        ticket = self.tickets()
        ticket.message_subscribe(self.other_user.partner_id.ids)
        self.authenticate("hps-bella", "hps-bella")
        page = self.page(f"/my/ticket/{ticket.id}")
        self.assertFalse(page.xpath("//*[@name='overages']"))

    # -- by e-mail ---------------------------------------------------------------------

    def test_allow_by_mail(self):
        """R18.4: allowed by a user of the customer, for the customer; undone at any
        time; it says what it costs and what is used; the customer's history says who
        has allowed it."""
        self.send(**self.tick())
        card = self.text(self.page("/my/incidents"), "//section[@name='later']")
        self.assertIn("$ 6.00 for each", card)
        self.assertIn("You have used $ 12.00 of $ 30.00", card)
        self.assertIn("unless you allow", card)
        for value, allowed in (("on", True), ("on", True), ("x", True), ("off", False)):
            self.post("/my/incidents/later", by_mail=value)
            self.assertEqual(self.customer.incident_overage_by_mail, allowed)
            self.assertFalse(self.other_customer.incident_overage_by_mail)
        said = self.history(self.customer)
        self.assertEqual(
            [said.count(word) for word in ("Allowed in", "Allowed no longer")], [1, 1]
        )
        self.assertIn(self.user.partner_id, self.customer.message_ids.author_id)
        self.post("/my/incidents/later", by_mail="on")
        card = self.text(self.page("/my/incidents"), "//section[@name='later']")
        self.assertIn("as you have allowed", card)
        self.company.incident_overage_limit = 0
        page = self.page("/my/incidents")
        self.assertFalse(page.xpath("//section[@name='later']"))
        # Looking changes nothing.
        self.page("/my/incidents/later?by_mail=off")
        self.assertTrue(self.customer.incident_overage_by_mail)
