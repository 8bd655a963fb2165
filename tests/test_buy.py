from freezegun import freeze_time
from lxml import html

from odoo import http
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from .common_sale import BOUGHT, SaleCommon


class BuyCommon(SaleCommon, HttpCase):
    """Customers with portal users, and plans that are sold in the portal."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for plan in (cls.pack, cls.months):
            plan.product_tmpl_id.incident_portal_published = True
        cls.hidden = cls.plan("Hidden pack", 5, "lifetime", 5)
        cls.other_customer = cls._customer("Blue Bakery")
        cls.user = cls._portal_user("nora", cls.customer)
        cls.other_user = cls._portal_user("bella", cls.other_customer)
        cls.company.partner_id.country_id = cls.env.ref("base.us")
        providers = cls.env["payment.provider"].sudo().search([])
        (providers - cls.demo).filtered("is_published").is_published = False
        cls.demo.write({"state": "test", "is_published": True})
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Paid support",
                "incident_required": True,
                "company_id": cls.company.id,
            }
        )

    @classmethod
    def _portal_user(cls, login, customer):
        return new_test_user(
            cls.env,
            f"hps-{login}",
            groups="base.group_portal",
            name=login.title(),
            parent_id=customer.id,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            tz="UTC",
        )

    def setUp(self):
        super(SaleCommon, self).setUp()
        # The server and the browser work by the clock: it goes on.
        self.startPatcher(freeze_time(BOUGHT, tick=True))

    def page(self, path, status=200, **options):
        response = self.url_open(path, **options)
        self.assertEqual(response.status_code, status)
        self.env.invalidate_all()
        return html.fromstring(response.text)

    def post(self, path, **data):
        data["csrf_token"] = http.Request.csrf_token(self)
        return self.page(path, data=data)

    def text(self, page, xpath):
        return " ".join(" ".join(page.xpath(f"{xpath}//text()")).split())

    def client_area_of(self, subscription):
        """Return the paths of the pages about incidents, and about a subscription."""
        path = f"/my/incidents/subscription/{subscription.id}"
        return [
            "/my/incidents",
            "/my/incidents/statement",
            "/my/incidents/statement/print",
            "/my/incidents/purchases",
            "/my/incidents/buy",
            "/my/incidents/funds",
            path,
            f"{path}/renew",
            f"{path}/extra",
            f"{path}/change",
            "/new/ticket",
        ]

    def orders(self, customer=None):
        return self.env["sale.order"].search(
            [("partner_id", "child_of", (customer or self.customer).id)]
        )


@tagged("post_install", "-at_install")
class TestBuy(BuyCommon):
    """R11.4, R11.5: buy, pay from the account balance, add funds."""

    # -- buying -------------------------------------------------------------

    def test_plans(self):
        """R11.4: the published plans alone, with what they give and cost."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/my/incidents/buy")
        offers = page.xpath("//form[contains(@class, 'o_incident_offer')]")
        self.assertEqual(len(offers), 2)
        text = self.text(page, "//main")
        self.assertRegex(text, r"10 incidents every month for 3 months .*\$ 90\.00")
        self.assertNotIn("Hidden", text)
        self.pack.active = False
        self.months.product_tmpl_id.sale_ok = False
        page = self.page("/my/incidents/buy")
        self.assertTrue(page.xpath("//*[@name='nothing']"))

    def test_prices_of_the_customer(self):
        """R11.4: by the customer's pricelist, taxes and fiscal position."""
        tax = self.company_data["default_tax_sale"]
        self.pack.taxes_id = tax
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Half price",
                "company_id": self.company.id,
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 50})
                ],
            }
        )
        self.customer.with_company(self.company).property_product_pricelist = pricelist
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/my/incidents/buy")
        self.assertIn("$ 28.75", self.text(page, "//main"))
        self.assertIn("Prices include taxes.", self.text(page, "//main"))
        self.post("/my/incidents/buy/order", plan=self.pack.id, quantity="2")
        self.assertEqual(self.orders().amount_total, 57.50)
        exempt = self.env["account.fiscal.position"].create(
            {"name": "Exempt", "company_id": self.company.id}
        )
        if "tax_ids" in exempt._fields and exempt._fields["tax_ids"].type == "one2many":
            exempt.tax_ids = [Command.create({"tax_src_id": tax.id})]
        else:
            tax.fiscal_position_ids = exempt
        self.user.partner_id.with_company(
            self.company
        ).property_account_position_id = exempt
        self.customer.with_company(self.company).property_account_position_id = exempt
        page = self.page("/my/incidents/buy")
        offered = self.text(page, "//main")
        self.post("/my/incidents/buy/order", plan=self.pack.id)
        self.assertIn(f"$ {self.orders()[0].amount_total:.2f}", offered)

    def test_order(self):
        """R11.4: an order in the standard page, to review and pay."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.post("/my/incidents/buy/order", plan=self.months.id, quantity="2")
        order = self.orders()
        self.assertEqual((order.state, order.amount_total), ("sent", 180))
        self.assertEqual(order.partner_id, self.user.partner_id)
        self.assertTrue(order._has_to_be_paid())
        text = self.text(page, "//main")
        self.assertIn(
            "20 incidents every month for 3 months, from the day of payment", text
        )
        page = self.page("/my/incidents")
        self.assertIn(order.name, self.text(page, "//*[@name='open_orders']"))

    def test_sent_twice(self):
        """R11.4: a double click makes one order, a further wish another one."""
        self.authenticate("hps-nora", "hps-nora")
        for quantity in ("1", "1", "2"):
            self.post("/my/incidents/buy/order", plan=self.pack.id, quantity=quantity)
        self.assertEqual(sorted(self.orders().mapped("amount_total")), [50, 100])

    def test_payment_under_way(self):
        """R11.4: an order whose payment is being processed does not ask for another."""
        self.authenticate("hps-nora", "hps-nora")
        self.post("/my/incidents/buy/order", plan=self.pack.id)
        waiting = "//*[@name='open_orders']"
        self.assertTrue(self.page("/my/incidents").xpath(waiting))
        self.transaction(self.orders(), state="pending")
        self.assertFalse(self.page("/my/incidents").xpath(waiting))

    def test_nothing_to_buy(self):
        """R11.1: who could buy nothing is not sent to buy."""
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "For nothing",
                "company_id": self.company.id,
                "item_ids": [
                    Command.create(
                        {"compute_price": "percentage", "percent_price": 100}
                    )
                ],
            }
        )
        self.customer.with_company(self.company).property_product_pricelist = pricelist
        self.authenticate("hps-nora", "hps-nora")
        self.assertFalse(self.page("/my/incidents").xpath("//a[@name='buy']"))
        page = self.page("/new/ticket")
        self.assertNotIn("Paid support", self.text(page, "//select[@name='team']"))

    def test_actions_of_others(self):
        """R11.6: no id of another customer, over RPC either."""
        order = self.quotation(self.months)
        self.transaction(order)
        subscription = self.subscription(order)
        for records, names in (
            (
                order,
                ["action_view_incident_subscriptions", "action_view_incident_entries"],
            ),
            (
                subscription,
                ["action_view_orders", "action_view_invoices", "action_view_entries"],
            ),
            (self.customer, ["action_view_incidents"]),
        ):
            for name in names:
                with self.assertRaises(AccessError, msg=name):
                    getattr(records.with_user(self.other_user).sudo(False), name)()

    def test_bad_orders(self):
        """R8.2, R11.6: nothing is ordered, it says why."""
        self.authenticate("hps-nora", "hps-nora")
        free = self.plan("Free", 0, "lifetime", 5, incident_portal_published=True)
        for plan, quantity, words in (
            (self.hidden.id, "1", "not sold any more"),
            (self.service.id, "1", "not sold any more"),
            (free.id, "1", "not sold any more"),
            (0, "1", "not sold any more"),
            ("", "1", "Choose a plan"),
            ("x", "1", "not sold any more"),
            (2**40, "1", "not sold any more"),
            (self.pack.id, "0", "whole number"),
            (self.pack.id, "-1", "whole number"),
            (self.pack.id, "1.5", "whole number"),
            (self.pack.id, "", "whole number"),
            (self.pack.id, "²", "whole number"),
            (self.pack.id, "9" * 30, "whole number"),
            (self.pack.id, "9" * 5000, "whole number"),
            ("9" * 5000, "1", "not sold any more"),
        ):
            with self.subTest(plan=plan, quantity=quantity):
                page = self.post(
                    "/my/incidents/buy/order", plan=plan, quantity=quantity
                )
                self.assertIn(words, self.text(page, "//*[@name='error']"))
        self.assertFalse(self.orders())

    def test_paid_teams_are_offered_to_who_can_buy(self):
        """R11.1, R11.2: with a button to buy beside the team."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/new/ticket")
        self.assertIn("Paid support", self.text(page, "//select[@name='team']"))
        notice = "//*[contains(@class, 'o_incident_notice ')]"
        self.assertIn("You have 0", self.text(page, notice))
        self.assertTrue(page.xpath(f"{notice}//a[@href='/my/incidents/buy']"))
        for plan in (self.pack, self.months):
            plan.product_tmpl_id.incident_portal_published = False
        page = self.page("/new/ticket")
        self.assertNotIn("Paid support", self.text(page, "//select[@name='team']"))

    # -- the account balance ---------------------------------------------------

    def test_pay_from_balance(self):
        """R11.4: confirms, invoices, posts and settles in one step; oldest first."""
        order = self.quotation(self.pack, self.months, customer=self.user.partner_id)
        order.action_quotation_sent()
        new = self.pay(100, date="2027-04-05")
        old = self.pay(100, date="2027-04-01")
        self.authenticate("hps-nora", "hps-nora")
        page = self.page(order.get_portal_url())
        self.assertIn("$ 200.00", self.text(page, "//form[@name='pay_from_balance']"))
        page = self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertIn("is paid", self.text(page, "//*[@name='paid_order']"))
        self.assertEqual(self.text(page, "//*[@name='available']"), "20")
        self.assertIn("$ 60.00", self.text(page, "//*[@name='balance']"))
        invoice = order.invoice_ids
        self.assertEqual((order.state, invoice.state), ("sale", "posted"))
        page = self.page(invoice.get_portal_url())
        self.assertNotIn("Proforma", self.text(page, "//body"))
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(self.left(old), 0)
        self.assertEqual(self.left(new), 60)
        self.assertEqual((self.given(), self.targets(order)), (10, [10] * 3))
        # Once more: nothing happens.
        page = self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertTrue(page.xpath("//*[@name='paid_order']"))
        self.assertEqual(len(order.invoice_ids), 1)
        # Nor for one that does not wait for a payment.
        order._action_cancel()
        page = self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertIn(
            "does not wait", self.text(page, "//*[@name='incident_balance_short']")
        )

    def left(self, payment):
        return -sum(payment.move_id._incident_receivable().mapped("amount_residual"))

    def test_balance_does_not_suffice(self):
        """R11.4: not offered, and refused cleanly if it no longer suffices."""
        order = self.quotation(self.pack, customer=self.user.partner_id)
        order.action_quotation_sent()
        self.pay(49.99)
        self.authenticate("hps-nora", "hps-nora")
        url = order.get_portal_url()
        offered = "//form[@name='pay_from_balance']"
        self.assertFalse(self.page(url).xpath(offered))
        self.pay(0.01)
        self.assertTrue(self.page(url).xpath(offered))
        # What is to be paid counts, too.
        invoice = self.bill(self.order(self.plan("A trifle", 1)))
        self.assertFalse(self.page(url).xpath(offered))
        page = self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertIn(
            "does not suffice", self.text(page, "//*[@name='incident_balance_short']")
        )
        self.assertEqual((order.state, len(order.invoice_ids)), ("sent", 0))
        self.reverse(invoice)
        self.assertTrue(self.page(url).xpath(offered))

    def test_held_money(self):
        """R1: what was paid online for a confirmed order is neither shown nor spent,
        until that order is invoiced."""
        first = self.quotation(self.pack)
        self.transaction(first)
        order = self.quotation(self.pack, customer=self.user.partner_id)
        order.action_quotation_sent()
        balance = self.customer._incident_account_balance
        self.assertEqual(balance(self.company), 0)
        self.authenticate("hps-nora", "hps-nora")
        self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertEqual(order.state, "sent")
        self.pay(60)
        self.assertEqual(balance(self.company), 60)
        self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertEqual(order.state, "sale")
        self.assertEqual(self.left(first.transaction_ids.payment_id), 50)
        self.assertEqual(balance(self.company), 10)
        # A draft invoice covers nothing.
        invoice = first._create_invoices()
        self.assertEqual(balance(self.company), 10)
        invoice.action_post()
        self.assertEqual(balance(self.company), 10)
        self.assertEqual(self.given(), 20)

    def test_held_until_the_invoice_is_posted(self):
        """R1: an invoice that is reset does not set the money free, one that is posted
        sets free what is too much."""
        order = self.quotation(self.pack)
        self.transaction(order, 70)
        balance = self.customer._incident_account_balance
        self.assertEqual(balance(self.company), 0)
        invoice = self.bill(order)
        self.assertEqual(balance(self.company), 20)
        invoice.line_ids.remove_move_reconcile()
        invoice.button_draft()
        self.assertEqual(balance(self.company), 0)

    def test_held_money_of_a_cancelled_order(self):
        """R1: it is the customer's again."""
        order = self.quotation(self.pack)
        self.transaction(order)
        order._action_cancel()
        self.assertEqual(self.customer._incident_account_balance(self.company), 50)

    def test_others_cannot_pay(self):
        """R11.4, R11.6: only the customer, logged in; never by a shared link."""
        order = self.quotation(self.pack, customer=self.user.partner_id)
        order.action_quotation_sent()
        self.pay(100)
        self.pay(100, self.other_customer)
        url = order.get_portal_url()
        path = f"/my/orders/{order.id}/pay_from_balance"
        offered = "//form[@name='pay_from_balance']"
        self.assertFalse(self.page(url).xpath(offered))
        self.authenticate("hps-bella", "hps-bella")
        self.assertFalse(self.page(url).xpath(offered))
        self.post(path, access_token=order.access_token)
        self.post(f"{path}?access_token={order.access_token}")
        self.assertEqual(order.state, "sent")
        # Nor a colleague of the provider, who may read it.
        new_test_user(
            self.env,
            "hps-sales",
            groups="base.group_user,sales_team.group_sale_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.authenticate("hps-sales", "hps-sales")
        self.post(path)
        self.assertEqual(order.state, "sent")

    def test_orders_that_are_not_offered(self):
        """R11.4: only orders of plans that wait for their payment."""
        self.pay(500)
        user = self.user
        plain = self.quotation(self.service)
        self.assertIsNone(plain._incident_balance_offer(user))
        # What staff did not offer for payment, nobody confirms by paying.
        unsent = self.quotation(self.pack, require_payment=False)
        self.assertIsNone(unsent._incident_balance_offer(user))
        unsigned = self.quotation(self.pack, require_signature=True)
        self.assertIsNone(unsigned._incident_balance_offer(user))
        order = self.quotation(self.pack)
        self.assertEqual(order._incident_balance_offer(user), 500)
        self.assertIsNone(order._incident_balance_offer(self.other_user))
        self.assertIsNone(
            order._incident_balance_offer(self.env.ref("base.public_user"))
        )
        order.action_quotation_sent()
        order.validity_date = "2027-04-10"
        self.env.invalidate_all()
        self.assertIsNone(order._incident_balance_offer(user))
        order.validity_date = False
        self.env.invalidate_all()
        self.assertEqual(order._incident_balance_offer(user), 500)
        self.transaction(order, state="pending")
        self.assertIsNone(order._incident_balance_offer(user))

    def test_another_currency(self):
        """R1: the balance is in the company's currency."""
        currency = self.setup_other_currency("EUR", rates=[("2027-01-01", 2)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "Other", "currency_id": currency.id}
        )
        self.pay(49)
        order = self.quotation(self.pack, pricelist_id=pricelist.id)
        self.assertEqual(order.amount_total, 100)
        self.assertIsNone(order._incident_balance_offer(self.user))
        self.pay(20, currency_id=currency.id)
        self.assertEqual(order._incident_balance_offer(self.user), 59)
        order._incident_pay_from_balance()
        self.assertEqual(self.given(), 10)
        self.assertEqual(self.customer._incident_account_balance(self.company), 9)

    def test_customer_cannot_cancel(self):
        """R8.5: what was bought for a lifetime, staff take back by a credit note."""
        order = self.quotation(self.pack, customer=self.user.partner_id)
        self.transaction(order)
        self.authenticate("hps-nora", "hps-nora")
        self.post(f"/my/orders/{order.id}/decline", decline_message="No, thank you")
        with self.assertRaises(AccessError):
            order.with_user(self.user).sudo(False).action_cancel()
        self.assertEqual((order.state, self.given()), ("sale", 10))
        self.reverse(self.bill(order))
        self.assertEqual(self.given(), 0)

    # -- funds ----------------------------------------------------------------

    def test_add_funds(self):
        """R11.5: any amount, in the standard payment page."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.post("/my/incidents/funds/pay", amount="75.50")
        form = page.xpath("//form[@id='o_payment_form']")[0]
        self.assertEqual(form.get("data-amount"), "75.5")
        self.assertEqual(form.get("data-landing-route"), "/my/incidents")
        self.assertEqual(form.get("data-partner-id"), str(self.user.partner_id.id))
        for amount in (
            *("0", "-5", "", "abc", "nan", "inf", "1e300", "0.001", "1e-7", "5e-324"),
            "9" * 5000,
        ):
            page = self.post("/my/incidents/funds/pay", amount=amount)
            self.assertIn("above 0", self.text(page, "//*[@role='alert']"), amount)

    def test_what_a_payment_did(self):
        """R11.6: the page tells of the customer's own payments alone."""
        order = self.quotation(self.pack)
        transaction = self.transaction(order)
        thanks = "//*[@name='paid_order' or @name='paid_funds']"
        for login, shown in (("hps-nora", True), ("hps-bella", False)):
            self.authenticate(login, login)
            for query in (f"order_id={order.id}", f"tx_id={transaction.id}"):
                page = self.page(f"/my/incidents?{query}")
                self.assertEqual(bool(page.xpath(thanks)), shown, query)
        for query in ("order_id=x", "order_id=-1", f"tx_id={10**30}", "order_id=0"):
            self.assertFalse(self.page(f"/my/incidents?{query}").xpath(thanks))

    # -- subscriptions --------------------------------------------------------

    def test_subscription_page(self):
        """R11.4, R11.6: the customer's own, month by month."""
        order = self.quotation(self.months)
        self.transaction(order)
        subscription = self.subscription(order)
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/my/incidents")
        self.assertIn(
            "Standard support, 3 months", self.text(page, "//*[@name='subscriptions']")
        )
        path = f"/my/incidents/subscription/{subscription.id}"
        rows = self.page(path).xpath("//tbody/tr")
        self.assertEqual(len(rows), 3)
        self.authenticate("hps-bella", "hps-bella")
        page = self.page(path)
        self.assertNotIn("Standard support", self.text(page, "//main"))
