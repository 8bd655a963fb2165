from odoo import http
from odoo.tests import tagged

from .test_buy import BuyCommon
from .test_topping_up import ToppingUpCommon


@tagged("post_install", "-at_install")
class TestToppingUpPortal(ToppingUpCommon, BuyCommon):
    """R19.1: customers choose in the client area what is bought, change it, and switch
    it off; without JavaScript."""

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def form(self, page=None):
        """Return what the form would send as it is."""
        page = self.page("/my/incidents/topup") if page is None else page
        [form] = page.xpath("//form[@name='topup_form']")
        return {
            field.get("name"): field.get("value")
            for field in form.xpath(".//input[@name]")
            if field.get("type") != "radio" or field.get("checked")
        }

    def send(self, **values):
        return self.post(
            "/my/incidents/topup",
            **{**self.form(), "threshold": "3", "limit": "100", **values},
        )

    def card(self, page=None):
        page = self.page("/my/incidents") if page is None else page
        return self.text(page, "//section[@name='topup']")

    def error(self, page):
        return self.text(page, "//*[@name='error']")

    def setting(self):
        return self.account._topup()

    def test_set_up_change_and_switch_off(self):
        """It is set up, tops up after a ticket, is changed and switched off; the
        customer is told each time, and the user who clicked has agreed."""
        self.assertIn("Never wait for incidents", self.card())
        self.assertEqual(self.form()["plan"], str(self.pack.id))
        self.send()
        page = self.send()  # sent twice, it is told once
        words = "Below 3, buy Pack of 10 for $ 50.00, at most $ 100.00 a month."
        self.assertIn(words, self.card(page))
        topup = self.setting()
        self.assertEqual(topup.agreed_partner_id, self.user.partner_id)
        self.assertEqual(topup.method, "card")
        self.token(partner_id=self.user.partner_id.id)
        self.use(2)
        self.run_top_up()
        self.assertEqual(self.available(), 12)
        self.assertEqual(self.orders().partner_id, self.user.partner_id)
        card = self.card()
        self.assertIn("Topped up this month: $ 50.00", card)
        sent = self.form()
        self.assertEqual((sent["threshold"], sent["limit"]), ("3", "100.00"))
        page = self.send(threshold="5", method="balance")
        self.assertIn("Below 5, ", self.card(page))
        page = self.post("/my/incidents/topup/off")
        self.assertIn("Never wait for incidents", self.card(page))
        self.assertFalse(topup.is_on)
        self.run_top_up()
        self.assertEqual(self.told("topup_switched"), 3)
        self.assertIn("not topped up", self.mail("topup_switched"))
        self.assertIn("This was chosen by Nora", self.mail("topup_switched"))

    def orders(self, customer=None):
        """Override: those that top up."""
        return ToppingUpCommon.orders(self)

    def test_what_is_wrong(self):
        """Nothing is changed, why is said, and what was typed stays."""
        for wrong, why in (
            ({"threshold": "0"}, "Enter how many incidents"),
            ({"threshold": "1.5"}, "Enter how many incidents"),
            ({"threshold": "9" * 5000}, "Enter how many incidents"),
            ({"limit": "nan"}, "how much may be bought"),
            ({"limit": "-5"}, "how much may be bought"),
            ({"limit": "49.99"}, "$ 50.00 or more"),
            ({"plan": ""}, "Choose a plan"),
            ({"plan": str(self.months.id)}, "Choose a plan"),
            ({"plan": "x\0"}, "Choose a plan"),
        ):
            with self.subTest(wrong=str(wrong)[:40]):
                page = self.send(**wrong)
                self.assertIn(why, self.error(page))
                self.assertFalse(self.setting())
        page = self.send(limit="49", threshold="7")
        [threshold] = page.xpath("//input[@name='threshold']")
        self.assertEqual(threshold.get("value"), "7")

    def test_price_changed_meanwhile(self):
        """What was shown is what is agreed on: another price by now is asked again."""
        sent = self.form()
        self.pack.list_price = 55
        page = self.post(
            "/my/incidents/topup", **{**sent, "threshold": "3", "limit": "100"}
        )
        self.assertIn("has changed", self.error(page))
        self.assertFalse(self.setting())
        self.send()
        self.assertEqual(self.setting().agreed_price, 55)

    def test_asked(self):
        """A raised price is said on the page, with a link to the order; who agrees to
        it there is asked no more."""
        self.send()
        self.token()
        self.pack.list_price = 55
        self.use(2)
        self.run_top_up()
        page = self.page("/my/incidents")
        self.assertIn("$ 55.00 instead of $ 50.00", self.card(page))
        [link] = page.xpath("//*[@name='topup_problem']/a")
        self.assertIn(f"/my/orders/{self.orders().id}", link.get("href"))
        self.send()
        self.assertNotIn("instead of", self.card())
        self.run_top_up()
        self.assertEqual(self.available(), 12)

    def test_set_up_by_staff(self):
        """What staff have set up says that no payment method is charged; who agrees
        changes that."""
        self.choose(by_customer=False)
        self.assertIn("charge no payment method before you agree", self.card())
        self.assertIn("Agree, or change it", self.card())
        self.send()
        self.assertNotIn("before you agree", self.card())
        self.assertTrue(self.setting()._payers())

    def test_stopped(self):
        """After three failures the page says what failed, and switches it on again."""
        self.send()
        self.token("error")
        self.use(2)
        for day in ("11", "12", "13"):
            with self.on(f"2027-04-{day}", hour=11):
                self.run_top_up()
        self.assertIn("payment method was declined", self.card())
        self.assertIn("Switch it on again", self.card())
        self.send()
        self.assertTrue(self.setting().is_on)
        self.assertEqual(self.setting()._failures_in_a_row(), 0)

    def test_taken_back(self):
        """R19.2: where the bank takes the payment back, nobody is led to an order that
        cannot be paid; its invoice can."""
        self.send()
        self.token(partner_id=self.user.partner_id.id)
        self.use(2)
        self.run_top_up()
        order = self.orders()
        order.transaction_ids.payment_id.action_reject()
        self.run_top_up()
        self.assertFalse(order._has_to_be_paid())
        for text in (self.card(), self.mail("topup_failed")):
            self.assertIn("Please ask us how you can pay it.", text)
            self.assertIn("See the order", text)
            self.assertNotIn("Review and pay", text)
        self.register(self.bill(order))
        self.assertEqual(self.available(), 12)
        self.assertFalse(self.setting().problem)

    def test_when_few_are_left_already(self):
        """Nothing is bought because of the choice: the page says so."""
        self.use(2)
        self.send()
        self.assertIn("after your next ticket", self.card())
        self.run_top_up()
        self.assertFalse(self.orders())

    def test_other_customer(self):
        """R11.6: a user of another customer sees and changes its own, whatever the
        request names; nothing without the token of the form."""
        self.send()
        topup = self.setting()
        self.authenticate("hps-bella", "hps-bella")
        self.assertIn("Never wait for incidents", self.card())
        self.post("/my/incidents/topup/off", topup=topup.id, account=self.account.id)
        self.assertTrue(topup.is_on)
        self.send(
            topup=topup.id,
            account_id=self.account.id,
            partner_id=self.customer.id,
            agreed_partner_id=self.user.partner_id.id,
            threshold="9",
        )
        self.assertEqual(topup.threshold, 3)
        other = self.incident_account(self.other_customer)._topup()
        self.assertEqual(other.threshold, 9)
        self.assertEqual(other.agreed_partner_id, self.other_user.partner_id)
        self.page("/my/incidents/topup/off")
        self.assertTrue(other.is_on)
        sent = {"plan": str(self.pack.id), "threshold": "4", "limit": "100"}
        self.page("/my/incidents/topup", status=400, data=sent)
        self.assertEqual(other.threshold, 9)

    def test_nothing_to_choose(self):
        """Where no plan can top up, the page says so."""
        self.pack.product_tmpl_id.incident_portal_published = False
        page = self.page("/my/incidents/topup")
        self.assertTrue(page.xpath("//*[@name='nothing']"))
        data = {"csrf_token": http.Request.csrf_token(self), "plan": "1"}
        page = self.page("/my/incidents/topup", data=data)
        self.assertIn("Choose a plan", self.error(page))
