from odoo.tests import tagged

from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestPaymentLanding(BuyCommon):
    """R11.4, R11.5: the page after a payment says what came and went."""

    ORDER = "//*[@name='paid_order']"
    FUNDS = "//*[@name='paid_funds']"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.write({"incident_cost": 3, "incident_shortage_policy": "park"})

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def submit(self, subject="It does not work"):
        self.post(
            "/submitted/ticket",
            team=self.team.id,
            subject=subject,
            description="Please help",
        )
        return self.env["helpdesk.ticket"].search([], limit=1, order="id desc")

    def landing(self, **query):
        [(name, record)] = query.items()
        path = f"/my/incidents?{name}={record.id}"
        return self.page(path)

    def add_funds(self, amount):
        transaction = self.transaction(
            self.quotation(self.pack),
            amount,
            sale_order_ids=False,
            partner_id=self.user.partner_id.id,
        )
        return transaction

    # -- an order ---------------------------------------------------------------

    def test_bought_free_and_taken(self):
        """R6.2, R6.3, R11.3: 10 bought for 50.00, 3 for the first payment, 1 for each
        25.00; the ticket that waited took 3, and 12 are left."""
        self.company.write(
            {
                "incident_first_payment_quantity": 3,
                "incident_topup_amount": 25,
                "incident_topup_quantity": 1,
            }
        )
        ticket = self.submit()
        order = self.quotation(self.pack)
        self.transaction(order)
        self.incident_account()._release()
        page = self.landing(order_id=order)
        self.assertEqual(
            [
                " ".join(item.text_content().split())
                for item in page.xpath(f"{self.ORDER}//li")
            ],
            [
                "10 lifetime incidents",
                "3 incidents free, for your first payment",
                "2 incidents free, for the amount that you have paid",
                f"Ticket {ticket.number}, which waited, took 3 incidents",
            ],
        )
        self.assertTrue(
            page.xpath(f"{self.ORDER}//li/a[@href='/my/ticket/{ticket.id}']")
        )
        text = self.text(page, self.ORDER)
        self.assertIn(f"Order {order.name} is paid", text)
        self.assertIn("can use now: 12", text)

    def test_term(self):
        """R8.6, R11.3: a term with its days; what its first month gave to a ticket is
        told on the subscription's page, too."""
        ticket = self.submit()
        order = self.quotation(self.months)
        self.transaction(order)
        self.incident_account()._release()
        subscription = self.subscription(order)
        for path in ("/my/incidents", f"/my/incidents/subscription/{subscription.id}"):
            text = self.text(self.page(f"{path}?order_id={order.id}"), self.ORDER)
            self.assertIn(
                "10 incidents every month for 3 months, Apr 11, 2027 – Jul 10, 2027",
                text,
            )
            self.assertIn(f"Ticket {ticket.number}, which waited, took 3", text)

    def test_only_what_waited(self):
        """R11.3: tickets that were opened with incidents that were there, and what came
        with another payment, are no news of this one."""
        first, second = self.quotation(self.pack), self.quotation(self.pack)
        self.transaction(first)
        opened = self.submit()
        self.assertEqual(opened.incident_state, "deducted")
        self.team.incident_cost = 12
        waiting = self.submit("Much work")
        self.assertEqual(waiting.incident_state, "parked")
        self.transaction(second)
        self.incident_account()._release()
        self.assertNotIn("Ticket", self.text(self.landing(order_id=first), self.ORDER))
        text = self.text(self.landing(order_id=second), self.ORDER)
        self.assertIn(f"Ticket {waiting.number}, which waited, took 12", text)
        self.assertNotIn(opened.number, text)

    def test_nothing_left(self):
        """R11.3: where the ticket took all of it, no further one is suggested."""
        self.team.incident_cost = 10
        self.submit()
        order = self.quotation(self.pack)
        self.transaction(order)
        self.incident_account()._release()
        page = self.landing(order_id=order)
        self.assertFalse(page.xpath(f"{self.ORDER}//a[@href='/new/ticket']"))

    # -- funds ------------------------------------------------------------------

    def test_funds(self):
        """R6.3: 105.00 with 2 for each 100.00: they came, 5.00 are carried, and the
        page says how much more brings the next ones."""
        self.company.write({"incident_topup_amount": 100, "incident_topup_quantity": 2})
        page = self.page("/my/incidents/funds")
        self.assertIn(
            "Pay $ 100.00 more and get 2 incidents free",
            self.text(page, "//*[@name='funds_offers']"),
        )
        transaction = self.add_funds(105)
        page = self.landing(tx_id=transaction)
        text = self.text(page, self.FUNDS)
        self.assertIn("$ 105.00 was added", text)
        self.assertIn("2 incidents free, for the amount that you have paid", text)
        [more] = page.xpath("//*[@name='topup_progress']/a")
        self.assertEqual(
            more.text.replace("\xa0", " "), "Pay $ 95.00 more and get 2 incidents free"
        )
        page = self.page(more.get("href"))
        self.assertEqual(page.xpath("//input[@id='amount']/@value"), ["95.00"])
        amounts = page.xpath("//*[@name='funds_offers']//input[@name='amount']/@value")
        self.assertEqual(amounts, ["95.0", "195.0", "495.0"])
        page = self.post("/my/incidents/funds/pay", amount=amounts[0])
        [form] = page.xpath("//form[@id='o_payment_form']")
        self.assertEqual(form.get("data-amount"), "95.0")

    def test_funds_pay_what_is_open(self):
        """R10.2: 70.00 pay an invoice of 50.00 first, and the page says so."""
        invoice = self.bill(self.order(self.pack))
        transaction = self.add_funds(70)
        self.customer._incident_settle_open(self.company)
        page = self.landing(tx_id=transaction)
        [paid] = page.xpath(f"{self.FUNDS}//li/a")
        self.assertIn(f"50.00 of it paid {invoice.name}", paid.text)
        self.assertIn(f"/my/invoices/{invoice.id}", paid.get("href"))

    def test_no_free_incidents(self):
        """R6.3: nothing is promised where nothing is given, nor while what was paid
        back has to be made up for."""
        for path in ("/my/incidents/funds", "/my/incidents"):
            page = self.page(path)
            self.assertNotIn("free", self.text(page, "//main"), path)
        self.company.write({"incident_topup_amount": 100, "incident_topup_quantity": 2})
        self.pay(10)
        self.pay(-30)
        page = self.page("/my/incidents/funds")
        self.assertFalse(page.xpath("//*[@name='funds_offers']"))

    def test_amount_of_a_link(self):
        """R11.5: an amount is filled in; what is none is not."""
        for amount, shown in (
            ("12.5", ["12.50"]),
            ("-1", []),
            ("x", []),
            ("inf", []),
            ("1e300", []),
            ("", []),
        ):
            page = self.page(f"/my/incidents/funds?amount={amount}")
            self.assertEqual(page.xpath("//input[@id='amount']/@value"), shown, amount)
