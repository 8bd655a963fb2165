from freezegun import freeze_time

from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common_charge import ChargeCommon
from .test_buy import BuyCommon


class ChargePortalCommon(ChargeCommon, BuyCommon):
    """A customer whose portal user opened the ticket."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nora = cls.env["res.users"].search([("login", "=", "hps-nora")])
        cls.nora.partner_id.email = "nora@example.com"
        cls.charged_ticket.partner_id = cls.nora.partner_id

    def ticket_page(self, ticket=None):
        return self.page(f"/my/ticket/{(ticket or self.charged_ticket).id}")


@tagged("post_install", "-at_install")
class TestChargePortal(ChargePortalCommon):
    """R10.3: what the customer sees at the top of the ticket."""

    def test_nothing_charged(self):
        """R10.3"""
        self.authenticate("hps-nora", "hps-nora")
        self.assertFalse(self.ticket_page().xpath("//*[@name='charges']"))

    def test_to_pay(self):
        """R10.3: what, when, what for, the invoice, and how to pay."""
        invoice = self.charge(60).invoice_ids
        self.authenticate("hps-nora", "hps-nora")
        page = self.ticket_page()
        text = self.text(page, "//*[@name='charges']")
        for words in ("Restore", "Apr 11, 2027", invoice.name, "$ 60.00", "To pay"):
            self.assertIn(words, text)
        [pay] = page.xpath("//*[@name='charges']//a[@name='pay_charge']/@href")
        self.assertTrue(
            self.page(pay).xpath("//*[@id='portal_pay'][@data-payment='True']")
        )

    def test_partly_paid_and_paid(self):
        """R10.3: by which payment."""
        payment = self.pay(20)
        invoice = self.charge(60).invoice_ids
        self.authenticate("hps-nora", "hps-nora")
        text = self.text(self.ticket_page(), "//*[@name='charges']")
        for words in ("Partly paid", "$ 40.00 to pay", "$ 20.00 paid on", payment.name):
            self.assertIn(words, text)
        self.register(invoice)
        page = self.ticket_page()
        self.assertIn("Paid", self.text(page, "//*[@name='payment_state']"))
        self.assertFalse(page.xpath("//a[@name='pay_charge']"))

    def test_refunded_stays(self):
        """R10.4: with what it once was; the total counts it no more."""
        self.refund(self.charge(60))
        self.charge(25)
        self.authenticate("hps-nora", "hps-nora")
        page = self.ticket_page()
        self.assertIn("$ 60.00", self.text(page, "//*[@name='charges']//s"))
        self.assertIn("Refunded", self.text(page, "//*[@name='charges']"))
        self.assertIn("$ 25.00", self.text(page, "//*[@name='charge_total']"))

    def test_colleague(self):
        """R11.6: all contacts of the customer see it."""
        self._portal_user("nils", self.customer)
        self.charge(60)
        self.authenticate("hps-nils", "hps-nils")
        page = self.ticket_page()
        self.assertIn("$ 60.00", self.text(page, "//*[@name='charges']"))

    def test_follower_of_another_customer(self):
        """R11.6: sees the ticket, and nothing of the money."""
        bella = self.env["res.users"].search([("login", "=", "hps-bella")])
        self.assertNotEqual(bella.commercial_partner_id, self.customer)
        self.charged_ticket.message_subscribe(bella.partner_id.ids)
        invoice = self.charge(61.37).invoice_ids
        self.authenticate("hps-bella", "hps-bella")
        response = self.url_open(f"/my/ticket/{self.charged_ticket.id}")
        self.assertIn(self.charged_ticket.name, response.text)
        for words in ("61.37", invoice.name, 'name="charges"'):
            self.assertNotIn(words, response.text)
        self.page(f"/my/invoices/{invoice.id}", status=200)
        messages = self.make_jsonrpc_request(
            "/mail/thread/messages",
            {
                "thread_model": "helpdesk.ticket",
                "thread_id": self.charged_ticket.id,
            },
        )
        self.assertNotIn("61.37", str(messages))

    def test_guessed_ids(self):
        """R11.6: nobody in the portal reads internal notes by their ids, nor what the
        mails have attached."""
        bella = self.env["res.users"].search([("login", "=", "hps-bella")])
        self.charged_ticket.message_subscribe(bella.partner_id.ids)
        charge = self.charge(61.37)
        self.edit(charge, 50)
        self.charged_ticket._incident_set(0)
        self.print_and_mail()
        notes = self.charged_ticket.message_ids.filtered(
            lambda message: "61.37" in (message.body or "")
        )
        self.assertGreater(len(notes), 1)
        mails = notes.filtered("partner_ids")
        self.assertEqual(mails.partner_ids, self.nora.partner_id)
        for login in ("hps-bella", "hps-nora"):
            self.authenticate(login, login)
            for note in notes:
                with self.subTest(login=login, note=note.preview):
                    refused = self.assertRaisesRegex(JsonRpcException, "AccessError")
                    with mute_logger("odoo.http"), refused:
                        self.make_jsonrpc_request(
                            "/web/dataset/call_kw/mail.message/read",
                            {
                                "model": "mail.message",
                                "method": "read",
                                "args": [note.ids, ["body"]],
                                "kwargs": {},
                            },
                        )
        self.authenticate("hps-bella", "hps-bella")
        attachments = self.charged_ticket.message_ids.attachment_ids
        self.assertTrue(attachments)
        for attachment in attachments:
            response = self.url_open(f"/web/content/{attachment.id}")
            self.assertEqual(response.status_code, 404)

    def test_ticket_moved(self):
        """R11.6: refunded and moved, the new customer sees nothing of it."""
        bella = self.env["res.users"].search([("login", "=", "hps-bella")])
        charge = self.charge(61.37, name="Secret of Northwind")
        self.refund(charge)
        self.charged_ticket.partner_id = bella.partner_id
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(charge.recipient_id, self.customer)
        self.authenticate("hps-bella", "hps-bella")
        self.assertFalse(self.ticket_page().xpath("//*[@name='charges']"))
        self.charge(25)
        page = self.ticket_page()
        text = self.text(page, "//*[@name='charges']")
        self.assertIn("$ 25.00", text)
        self.assertNotIn("Secret", text)
        self.assertFalse(page.xpath("//*[@name='charge_total']"))

    def test_contact_moved(self):
        """R11.6: the contact has gone to another customer, the charge has not."""
        bella = self.env["res.users"].search([("login", "=", "hps-bella")])
        self.customer.email = "northwind@example.com"
        charge = self.charge(61.37)
        self.nora.partner_id.parent_id = bella.commercial_partner_id
        self.env.flush_all()
        self.env.invalidate_all()
        self.edit(charge, 50)
        self.print_and_mail()
        last = self.charged_ticket.message_ids.filtered("partner_ids").sorted("id")[-1]
        self.assertEqual(last.partner_ids, self.customer)
        self.authenticate("hps-nora", "hps-nora")
        self.assertFalse(self.ticket_page().xpath("//*[@name='charges']"))

    def test_highest(self):
        """R10.4: what is struck through was charged at one time."""
        charge = self.charge(100)
        self.edit(charge, 60)
        self.edit(charge, 100)
        self.refund(charge)
        self.authenticate("hps-nora", "hps-nora")
        page = self.ticket_page()
        self.assertIn("$ 100.00", self.text(page, "//*[@name='charges']//s"))

    def test_payment_not_effective(self):
        """R10.3: what is no payment is not shown as one."""
        payment = self.pay(100)
        charge = self.charge(60)
        self.assertEqual([p["amount"] for p in charge._portal_payments()], [60])
        payment.action_draft()
        self.assertFalse(charge._portal_payments())

    def test_exchange_difference(self):
        """R10.3: it is no payment."""
        rates = [("2027-01-01", 2.0), ("2027-04-12", 1.0)]
        euro = self.setup_other_currency("EUR", rates=rates)
        charge = self.charge(100, currency_id=euro.id)
        with freeze_time("2027-04-13"):
            self.register(charge.invoice_ids)
        partials = charge.invoice_ids._incident_receivable().matched_credit_ids
        self.assertTrue(partials.exchange_move_id)
        self.assertEqual([p["amount"] for p in charge._portal_payments()], [100])

    def test_shared_link(self):
        """R11.6: a link with a token makes nobody a customer."""
        self.charge(61.37)
        self.authenticate(None, None)
        token = self.charged_ticket._portal_ensure_token()
        response = self.url_open(
            f"/my/ticket/{self.charged_ticket.id}?access_token={token}"
        )
        self.assertNotIn("61.37", response.text)
