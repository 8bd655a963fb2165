from freezegun import freeze_time
from lxml import html

from odoo.tests import tagged

from .common_sale import BOUGHT
from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestTakenBack(BuyCommon):
    """R3.8, R11.4: the customer reads why something was taken back, leads on to what it
    is about, and is told by mail if the company likes (R13.2)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "customer@example.com"
        cls.company.incident_tell_taken = True

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def paid(self, *products):
        order = self.order(*products)
        return order, self.bill(order)

    def page(self, path="/my/incidents/statement"):
        return html.fromstring(self.url_open(path).text)

    def newest(self, kind="Taken back"):
        """Return the text and the address of the newest line of the statement."""
        cell = self.page().xpath("//main//tbody/tr[1]/td[2]")[0]
        said = cell.xpath("div")[0].text_content()
        self.assertEqual(said.split("·")[0].strip(), kind)
        words = cell.text_content().replace(said, "")
        return " ".join(words.split()), (cell.xpath("a/@href") or [None])[0]

    def mail(self):
        """Return the mail of what was taken back just now, if there is one."""
        with self.enter_registry_test_mode():
            self.env.ref(
                "helpdesk_paid_support.ir_cron_incident_remind"
            ).method_direct_trigger()
        self.env.invalidate_all()
        mails = self.env["mail.mail"].search([("subject", "ilike", "taken back")])
        text = html.fromstring(mails.body_html or "<p/>").text_content()
        return mails, " ".join(text.split())

    def test_payment_undone(self):
        """R3.8: the payment's sum; the line leads to the order."""
        order, invoice = self.paid(self.pack)
        payment = self.register(invoice)
        payment.action_draft()
        words, url = self.newest()
        self.assertEqual(
            words, f"Payment of $ 50.00 was undone – {order.name}: Pack of 10"
        )
        self.assertEqual(url, f"/my/orders/{order.id}")
        self.assertIn(order.name, self.url_open(url).text)

    def test_unreconciled(self):
        """R3.8: an invoice is not paid any more."""
        _order, invoice = self.paid(self.pack)
        self.register(invoice)
        invoice.line_ids.remove_move_reconcile()
        words, _url = self.newest()
        self.assertIn(f"Invoice {invoice.name} is not paid any more – ", words)

    def test_payment_deleted(self):
        """R3.8: of a payment that is there no more, the sum is."""
        order = self.quotation(self.pack)
        self.transaction(order)
        payment = order.transaction_ids.payment_id
        payment.action_draft()
        payment.action_post()
        self.assertEqual(self.given(), 10)
        payment.action_draft()
        payment.unlink()
        words, _url = self.newest()
        self.assertIn("Payment of $ 50.00 was undone – ", words)

    def test_credit_note(self):
        """R3.8: its number and sum; of a subscription, too, which the line leads to."""
        order, invoice = self.paid(self.months)
        self.register(invoice)
        note = self.reverse(invoice)
        words, url = self.newest()
        plan = self.months.display_name
        self.assertEqual(words, f"Credit note {note.name} of $ 90.00 – {plan}")
        subscription = self.subscription(order)
        self.assertEqual(url, f"/my/incidents/subscription/{subscription.id}")
        self.assertEqual(self.url_open(url).status_code, 200)

    def test_order_cancelled(self):
        self.company.incident_grant_on = "confirmed"
        order = self.order(self.pack)
        order._action_cancel()
        words, _url = self.newest()
        self.assertEqual(words, f"Order cancelled – {order.name}: Pack of 10")

    def test_subscription_cancelled(self):
        order, invoice = self.paid(self.months)
        self.register(invoice)
        self.subscription(order).action_cancel()
        words, _url = self.newest()
        self.assertEqual(words, f"Subscription cancelled – {self.months.display_name}")

    def test_by_hand(self):
        """R7.2: the reason that staff have typed."""
        account = self.env["helpdesk.incident.account"]._of(
            self.customer, self.company, create=True
        )
        account._adjust(10, "Welcome back")
        self.assertEqual(self.newest("Given by hand"), ("Welcome back", None))
        account._adjust(-3, "Given twice")
        self.assertEqual(self.newest("Taken back by hand"), ("Given twice", None))

    def test_funds(self):
        """R6.2, R6.3: what a payment gave; it leads to the invoice that it has paid."""
        self.company.write(
            {
                "incident_first_payment_quantity": 3,
                "incident_topup_amount": 25,
                "incident_topup_quantity": 1,
            }
        )
        _order, invoice = self.paid(self.service)
        payment = self.register(invoice)
        said, url = self.newest("For the first payment")
        self.assertIn("First payment: $ 40.00", said)
        self.assertEqual(url, invoice.access_url)
        payment.action_draft()
        page = self.page("/my/incidents/statement?group=taken")
        words = page.xpath("//main//tbody/tr/td[2]/a//text()")
        self.assertEqual(set(words), {"Payment of $\xa040.00 was undone"})
        self.assertEqual(len(words), 2)

    def test_another_customer(self):
        """R11.6: what is another's is not named, nor led to."""
        order, invoice = self.paid(self.pack)
        other = self.order(self.pack, customer=self.other_customer)
        bill = self.bill(other)
        for document in (invoice, bill):
            self.register(document)
        (invoice | bill).button_draft()
        words, _url = self.newest()
        self.assertIn(f"Invoice {invoice.name} of $ 50.00 was withdrawn", words)
        self.assertNotIn(bill.name, words)
        # An order that went to somebody else leads nowhere.
        self.env.cr.execute(
            "UPDATE sale_order SET partner_id = %s WHERE id = %s",
            [self.other_customer.id, order.id],
        )
        self.env.invalidate_all()
        self.assertEqual(self.newest()[1], None)

    def test_mail(self):
        """R13.2: one mail says all that one change has taken back, and why."""
        self.company.incident_first_payment_quantity = 3
        order, invoice = self.paid(self.pack, self.months)
        payment = self.register(invoice)
        self.assertFalse(self.mail()[0])
        payment.action_draft()
        mail, text = self.mail()
        self.assertEqual(mail.recipient_ids, self.customer)
        why = "Payment of $ 140.00 was undone"
        self.assertIn(f"10 incidents: {why} – {order.name}: Pack of 10", text)
        self.assertIn(f"10 incidents: {why} – {self.months.display_name}", text)
        self.assertIn(f"3 incidents: {why}", text)
        self.assertIn("that you can use now: 0", text)
        self.assertIn("/my/incidents/statement?group=taken", mail.body_html)
        self.assertEqual(len(self.mail()[0]), 1)

    def test_no_mail_of_what_came_again(self):
        """R13.2: who corrects a payment alarms nobody."""
        _order, invoice = self.paid(self.pack)
        payment = self.register(invoice)
        payment.action_draft()
        payment.action_post()
        if invoice.amount_residual:
            self.settle_with(invoice, payment.move_id)
        self.assertEqual(self.given(), 10)
        self.assertFalse(self.mail()[0])

    def test_no_mail_unless_wanted(self):
        """R13.2"""
        self.company.incident_tell_taken = False
        _order, invoice = self.paid(self.pack)
        self.register(invoice).action_draft()
        self.assertFalse(self.mail()[0])

    def test_language(self):
        """R3.8: in the customer's language, whoever has undone it."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        with freeze_time(BOUGHT):
            _order, invoice = self.paid(self.pack)
            self.register(invoice).action_draft()
        self.assertIn("50,00", self.newest()[0])
