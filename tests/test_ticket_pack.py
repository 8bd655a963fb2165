from datetime import timedelta

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestTicketPack(BuyCommon):
    """R11.2: the smallest pack that suffices is bought with the ticket, paid from the
    account balance or with a payment method that is saved."""

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def token(self, state="done", **values):
        return (
            self.env["payment.token"]
            .sudo()
            .create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": self.demo.payment_method_ids[:1].id,
                    "partner_id": self.user.partner_id.id,
                    "provider_ref": "demo",
                    "payment_details": "4242",
                    "demo_simulated_state": state,
                    **values,
                }
            )
        )

    def offered(self, page=None):
        """Return the boxes that buy something: their names and values."""
        page = self.page("/new/ticket") if page is None else page
        boxes = page.xpath("//*[@name='pack']/input")
        self.assertFalse([box for box in boxes if box.get("checked")])
        return {box.get("name"): box.get("value") for box in boxes}

    def submit(self, form="a form", **values):
        return self.post(
            "/submitted/ticket",
            incident_form=form,
            **{
                "team": self.team.id,
                "subject": "Mail server refuses",
                "description": "Please help",
                **values,
            },
        )

    def tickets(self):
        return self.env["helpdesk.ticket"].search(
            [("partner_id", "=", self.user.partner_id.id)]
        )

    def drafts(self):
        return self.env["helpdesk.ticket.draft"].with_user(self.user)._mine()

    def error(self, page):
        return self.text(page, "//*[@name='error']")

    # -- what is offered --------------------------------------------------------

    def test_nothing_to_pay_with(self):
        """R11.2: without money and card there is the page to buy."""
        self.pay(49)
        page = self.page("/new/ticket")
        self.assertFalse(self.offered(page))
        self.assertTrue(page.xpath("//form//button[@name='buy']"))

    def test_the_smallest_that_suffices(self):
        """R11.2: the fewest incidents, then the lowest price; several units, if that is
        what suffices; never a subscription, nor what customers cannot buy."""
        self.pay(1000)
        self.token()
        big = self.plan("Pack of 20", 60, "lifetime", 20)
        dear = self.plan("Dear pack of 10", 55, "lifetime", 10)
        single = self.plan("One", 7, "lifetime", 1)
        free = self.plan("For nothing", 0, "lifetime", 2)
        (big + dear + single + free).product_tmpl_id.incident_portal_published = True
        account = self.incident_account()
        for cost, expected in (
            (1, (single, 1, 7.0)),
            (2, (single, 2, 14.0)),
            (10, (self.pack, 1, 50.0)),
            (11, (single, 11, 77.0)),
        ):
            self.team.incident_cost = cost
            plan, units, total = expected
            key = f"{plan.id}-{units}-{total}-balance"
            self.assertEqual(self.offered(), {f"incident_buy_{self.team.id}": key})
        single.product_tmpl_id.incident_portal_published = False
        self.assertIn(f"{big.id}-1-60.0", next(iter(self.offered().values())))
        # What is there counts, and what is below zero.
        account._adjust(1, "A gift")
        self.assertIn(f"{self.pack.id}-1-50.0", next(iter(self.offered().values())))
        self.use(1)
        account._adjust(-1, "Taken back")
        self.team.incident_cost = 10
        self.assertIn(f"{big.id}-1-60.0", next(iter(self.offered().values())))
        account._adjust(11, "A gift")
        self.assertFalse(self.offered())

    # -- from the account balance -------------------------------------------------

    def test_from_the_balance(self):
        """R11.2, R11.4: bought, paid, deducted and submitted at once, once."""
        self.pay(60)
        page = self.page("/new/ticket")
        offer = self.text(page, "//*[@name='pack']")
        self.assertIn("Pack of 10 for $ 50.00 and submit the ticket", offer)
        self.assertIn("from your account balance of $ 60.00", offer)
        box = self.offered(page)
        for _twice in range(2):
            page = self.submit(**box)
            self.assertIn(
                "You have 9 left", self.text(page, "//*[@name='incident_count']")
            )
        self.assertEqual(len(self.tickets()), 1)
        order = self.orders()
        self.assertEqual((order.state, order.amount_total), ("sale", 50))
        self.assertEqual(order.invoice_ids.payment_state, "paid")
        self.assertEqual(self.customer._incident_account_balance(self.company), 10)

    def test_not_chosen(self):
        """R11.2: nothing is bought unless the customer says so."""
        self.pay(60)
        page = self.submit()
        self.assertIn("1 needed, 0 available", self.error(page))
        self.assertFalse(self.orders())
        # Chosen once, it is not chosen for the next time.
        box = self.offered(page)
        page = self.submit("another", subject=" ", **box)
        self.assertIn("Enter a subject", self.error(page))
        self.assertEqual(self.offered(page), box)
        self.assertFalse(self.orders())

    def test_for_another_team(self):
        """R11.2: what was chosen for one team is not bought for another one."""
        self.pay(60)
        free = self.env["helpdesk.ticket.team"].create(
            {"name": "Questions", "company_id": self.company.id}
        )
        self.submit(team=free.id, **self.offered())
        self.assertEqual(self.tickets().team_id, free)
        self.assertFalse(self.orders())

    def test_changed_meanwhile(self):
        """R11.2: another price, or another way to pay, is asked again; where enough is
        there by now, nothing is bought."""
        self.pay(60)
        box = self.offered()
        self.pack.list_price = 55
        page = self.submit(**box)
        self.assertIn("has changed", self.error(page))
        self.assertNotEqual(self.offered(page), box)
        for malformed in ("x", f"{self.pack.id}-1-0.0-balance", "\x00", "-" * 5000):
            page = self.submit(malformed, **dict.fromkeys(box, malformed))
            self.assertIn("has changed", self.error(page))
        self.assertFalse(self.orders() or self.tickets())
        box = self.offered()
        self.incident_account()._adjust(1, "A gift")
        self.submit("another", **box)
        self.assertEqual(self.tickets().incident_count, 1)
        self.assertFalse(self.orders())

    def test_all_or_nothing(self):
        """R11.2: a ticket that is refused buys nothing."""
        self.pay(60)

        refused = "Refused by an add-on"

        def refuse(ticket, *args):
            raise UserError(refused)

        box = self.offered()
        self.patch(type(self.tickets()), "_incident_deduct", refuse)
        page = self.submit(**box)
        self.assertIn(refused, self.error(page))
        self.assertFalse(self.orders() or self.tickets())
        self.assertEqual(self.customer._incident_account_balance(self.company), 60)

    def test_waiting_team(self):
        """R11.3: who buys waits for nothing."""
        self.team.incident_shortage_policy = "park"
        self.pay(60)
        self.submit(**self.offered())
        self.assertEqual(self.tickets().incident_state, "deducted")

    # -- with a saved payment method -------------------------------------------------

    def test_with_a_card(self):
        """R11.2: asked for once, however often the form is sent."""
        self.token()
        page = self.page("/new/ticket")
        offer = self.text(page, "//*[@name='pack']")
        self.assertIn("4242 , which you have saved", offer)
        box = self.offered(page)
        for _twice in range(2):
            page = self.submit(**box)
            self.assertIn(
                "You have 9 left", self.text(page, "//*[@name='incident_count']")
            )
        self.assertEqual(len(self.tickets()), 1)
        transaction = self.orders().transaction_ids
        self.assertEqual(
            (transaction.state, transaction.amount, transaction.operation),
            ("done", 50, "online_token"),
        )
        self.assertEqual(self.orders().state, "sale")
        self.assertFalse(self.drafts())

    def test_declined(self):
        """R11.2: nothing is submitted, nothing is lost, nothing is asked once more by
        itself; the next try pays the same order."""
        token = self.token("error")
        page = self.submit(**self.offered())
        self.assertIn("was declined", self.error(page))
        self.assertEqual(self.orders().state, "sent")
        # What was just ordered is found again in any case.
        before = self.env.cr.now() - timedelta(hours=1)
        self.env.cr.execute("UPDATE sale_order SET create_date = %s", [before])
        self.env.invalidate_all()
        self.assertEqual(
            page.xpath("//input[@name='subject']/@value"), ["Mail server refuses"]
        )
        self.assertFalse(self.tickets())
        draft = page.xpath("//input[@name='incident_draft']/@value")[0]
        token.demo_simulated_state = "done"
        self.submit("another", incident_draft=draft, **self.offered(page))
        self.assertEqual(self.tickets().incident_count, 1)
        self.assertFalse(self.drafts())
        self.assertEqual(
            self.orders().transaction_ids.sorted("id").mapped("state"),
            ["error", "done"],
        )
        self.assertEqual(len(self.orders()), 1)

    def test_pending(self):
        """R11.2: what the provider has not answered is asked for once; when it has come
        the ticket is continued."""
        self.token("pending")
        page = self.submit(**self.offered())
        self.assertIn("is being processed", self.error(page))
        self.assertFalse(self.tickets())
        draft = page.xpath("//input[@name='incident_draft']/@value")[0]
        # Neither the same form, nor the one shown since, nor money buys it twice.
        self.pay(60)
        for form in ("a form", "another"):
            page = self.submit(form, incident_draft=draft, **self.offered(page))
            self.assertIn("is being processed", self.error(page))
        transaction = self.orders().transaction_ids
        self.assertEqual(transaction.state, "pending")
        transaction.action_demo_set_done()
        self.submit("a third", incident_draft=draft)
        self.assertEqual(self.tickets().incident_count, 1)
        self.assertEqual(len(self.orders()), 1)
        self.assertEqual(self.available(), 9)

    def test_pending_where_tickets_wait(self):
        """R11.3: a team that parks takes the ticket all the same; it is released when
        the money comes, before others."""
        self.team.incident_shortage_policy = "park"
        self.submit("older")
        older = self.tickets()
        self.token("pending")
        self.team.incident_cost = 10
        self.submit(**self.offered())
        ticket = self.tickets() - older
        self.assertEqual(ticket.incident_parking, "parked")
        self.assertFalse(self.drafts())
        transaction = self.orders().transaction_ids
        self.assertEqual(transaction.state, "pending")
        transaction.action_demo_set_done()
        transaction._post_process()
        self.incident_account()._release()
        self.assertEqual(ticket.incident_count, 10)
        self.assertEqual(older.incident_parking, "parked")

    def test_killed_before_the_answer(self):
        """R11.2: what was written down, and not asked for, is asked for by the same
        form."""
        self.token()
        box = self.offered()
        transactions = type(self.env["payment.transaction"])
        ask = transactions._incident_ask
        self.patch(transactions, "_incident_ask", lambda transaction: None)
        page = self.submit(**box)
        self.assertIn("is being processed", self.error(page))
        self.patch(transactions, "_incident_ask", ask)
        # Without the box it is an ordinary form.
        draft = page.xpath("//input[@name='incident_draft']/@value")[0]
        page = self.submit("another", incident_draft=draft)
        self.assertIn("1 needed, 0 available", self.error(page))
        self.submit(**box)
        self.assertEqual(self.tickets().incident_count, 1)
        self.assertEqual(len(self.orders().transaction_ids), 1)

    def kill_before_asking(self, **values):
        """Send a form, and stop before the provider is asked.

        :return: the draft, as the next form names it.
        """
        transactions = type(self.env["payment.transaction"])
        ask = transactions._incident_ask
        self.patch(transactions, "_incident_ask", lambda transaction: None)
        page = self.submit(**values)
        self.patch(transactions, "_incident_ask", ask)
        return page.xpath("//input[@name='incident_draft']/@value")[0]

    def test_agreed_otherwise_since(self):
        """R11.2: what was agreed to before, and never asked for, is not taken in place
        of what is agreed to now."""
        self.token()
        draft = self.kill_before_asking(**self.offered())
        stale = self.orders().transaction_ids
        self.assertEqual(stale.state, "draft")
        page = self.submit(
            "b", incident_draft=draft, **dict.fromkeys(self.offered(), "x")
        )
        self.assertIn("has changed", self.error(page))
        self.assertEqual(stale.state, "draft")
        # A lower price, then money.
        self.pack.list_price = 45
        self.pay(60)
        page = self.page(f"/new/ticket?incident_draft={draft}")
        self.assertIn("from your account balance", self.text(page, "//*[@name='pack']"))
        self.submit("c", incident_draft=draft, **self.offered(page))
        self.assertEqual(self.tickets().incident_count, 1)
        self.assertEqual(
            (stale.state, stale.sale_order_ids.state), ("cancel", "cancel")
        )
        self.assertEqual(self.customer._incident_account_balance(self.company), 15)

    def test_two_forms(self):
        """R11.2: what one form has written down, and not asked for, is asked for by
        another one, once."""
        self.token()
        box = self.offered()
        self.kill_before_asking(**box)
        self.submit("in a second tab", **box)
        self.assertEqual(self.orders().transaction_ids.mapped("state"), ["done"])
        self.assertEqual(self.tickets().incident_count, 1)
        self.submit(**box)
        self.assertEqual(len(self.tickets()), 2)
        self.assertEqual(len(self.orders().transaction_ids), 1)
        self.assertEqual(self.available(), 8)

    def test_pending_of_another_form(self):
        """R11.2: what another form has asked for, and waits for, is not bought once
        more."""
        self.token("pending")
        self.submit(**self.offered())
        page = self.submit("in a second tab", **self.offered())
        self.assertIn("is being processed", self.error(page))
        self.assertEqual(len(self.orders().transaction_ids), 1)

    def test_cards_of_others(self):
        """R11.6: a card of another customer, or of a colleague, pays nothing."""
        self.token(partner_id=self.other_user.partner_id.id)
        colleague = self._portal_user("nils", self.customer)
        self.token(partner_id=colleague.partner_id.id)
        self.assertFalse(self.offered())
        own = self.token(partner_id=self.customer.id)
        page = self.page("/new/ticket")
        offer = self.text(page, "//*[@name='pack']")
        self.assertIn("which is saved for your company", offer)
        self.assertNotIn("you have saved", offer)
        box = self.offered(page)
        self.assertTrue(next(iter(box.values())).endswith(f"-{own.id}"))
        own.active = False
        page = self.submit(**box)
        self.assertIn("has changed", self.error(page))
        self.assertFalse(self.orders())

    def test_of_another_company(self):
        """R2.3: nothing is bought here for a ticket of another company."""
        self.pay(60)
        company = self.env["res.company"].create({"name": "Another one"})
        self.user.company_ids = [Command.link(company.id)]
        self.env["helpdesk.ticket.team"].create(
            {
                "name": "Theirs",
                "incident_required": True,
                "company_id": company.id,
            }
        )
        self.assertEqual(list(self.offered()), [f"incident_buy_{self.team.id}"])
