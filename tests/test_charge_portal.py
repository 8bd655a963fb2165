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
        for words in ("Restore", "04/11/2027", invoice.name, "$ 60.00", "To pay"):
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

    def test_refunded_after_changes(self):
        """R10.4: what it once was, not the sum of all invoices."""
        charge = self.charge(100)
        self.edit(charge, 60)
        self.edit(charge, 90)
        self.refund(charge)
        self.authenticate("hps-nora", "hps-nora")
        self.assertIn("$ 100.00", self.text(self.ticket_page(), "//s"))

    def read_notes(self):
        """Return what a portal user can read of the ticket by the ids of its notes."""
        readable = []
        for message in self.charged_ticket.sudo().message_ids:
            try:
                readable += self.make_jsonrpc_request(
                    "/web/dataset/call_kw/mail.message/read",
                    {
                        "model": "mail.message",
                        "method": "read",
                        "args": [[message.id], ["body"]],
                        "kwargs": {},
                    },
                )
            except JsonRpcException:
                continue
        return " ".join(row["body"] for row in readable)

    def test_notes_by_their_ids(self):
        """R11.6: ids can be guessed; neither followers nor the customer read notes."""
        bella = self._portal_user("bella2", self._customer("Bakery"))
        self.charged_ticket.message_subscribe(bella.partner_id.ids)
        self.charged_ticket.message_post(
            body="We are at it", message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        self.charge(61.37, name="Secret")
        self.incident_account()._adjust(5, "A gift")
        self.charged_ticket.incident_count = 2
        self.env.flush_all()
        for login in ("hps-bella2", "hps-nora"):
            self.authenticate(login, login)
            with mute_logger("odoo.http"):
                words = self.read_notes()
            self.assertIn("We are at it", words)
            for secret in ("61.37", "Secret", "access_token", "incidents deducted"):
                self.assertNotIn(secret, words)

    def test_moved_to_another_customer(self):
        """R11.6: what somebody else was charged is not shown to the new customer."""
        self.refund(self.charge(61.37, name="Secret"))
        bakery = self._customer("Bakery")
        bella = self._portal_user("bella2", bakery)
        self.charged_ticket.partner_id = bella.partner_id
        self.charge(5, name="Bread")
        self.authenticate("hps-bella2", "hps-bella2")
        text = self.text(self.ticket_page(), "//*[@name='charges']")
        self.assertIn("Bread", text)
        self.assertNotIn("Secret", text)

    def test_contact_moved_to_another_customer(self):
        """R10.3, R11.6: the mail about a charge goes to its own customer."""
        charge = self.charge(61.37, name="Secret")
        self.nora.partner_id.parent_id = self._customer("Bakery")
        self.env.invalidate_all()
        self.assertEqual(charge.contact_id, self.customer)
        self.authenticate("hps-nora", "hps-nora")
        self.assertFalse(self.ticket_page().xpath("//*[@name='charges']"))

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

    def test_shared_link(self):
        """R11.6: a link with a token makes nobody a customer."""
        self.charge(61.37)
        self.authenticate(None, None)
        token = self.charged_ticket._portal_ensure_token()
        response = self.url_open(
            f"/my/ticket/{self.charged_ticket.id}?access_token={token}"
        )
        self.assertNotIn("61.37", response.text)
