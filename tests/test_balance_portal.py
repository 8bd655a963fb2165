from odoo.tests import tagged

from .test_charge_portal import ChargePortalCommon


@tagged("post_install", "-at_install")
class TestBalancePortal(ChargePortalCommon):
    """R10.2, R11.5: nobody is asked for the same money twice."""

    FORM = "//form[@name='settle']"
    PAY_NOW = "//a[@data-bs-target='#pay_with']"

    def owed(self):
        return self.bill(self.order(self.pack))

    def settle(self, invoice=""):
        return self.post("/my/incidents/settle", invoice=invoice and invoice.id)

    # -- what is offered ----------------------------------------------------------

    def test_charge(self):
        """R10.2: a charge of 20, and 65 that an accountant has posted since: the ticket
        offers the balance and no card; used, 20 are paid and 45 are left."""
        charge = self.charge(20)
        self.authenticate("hps-nora", "hps-nora")
        page = self.ticket_page()
        self.assertTrue(page.xpath("//a[@name='pay_charge']"))
        self.assertFalse(page.xpath(self.FORM))
        self.pay(65)
        page = self.ticket_page()
        self.assertFalse(page.xpath("//a[@name='pay_charge']"))
        self.assertIn("You have $ 65.00", self.text(page, self.FORM))
        page = self.settle(charge.invoice_ids)
        self.assertIn("Paid", self.text(page, "//*[@name='payment_state']"))
        self.assertFalse(page.xpath(self.FORM))
        self.assertEqual((charge.payment_state, self.money()), ("paid", 45))
        # Sent twice, it pays nothing else.
        self.settle(charge.invoice_ids)
        self.assertEqual(self.money(), 45)

    def test_plan_invoice(self):
        """R10.2: so does the page of a plan's invoice of 50, wherever it is reached
        from; its 10 incidents are there."""
        invoice = self.owed()
        self.authenticate("hps-nora", "hps-nora")
        page = self.page(f"/my/invoices/{invoice.id}")
        self.assertTrue(page.xpath(self.PAY_NOW))
        self.assertTrue(self.page("/my/invoices").xpath("//a[@title='Pay Now']"))
        self.pay(65)
        for path in (
            f"/my/invoices/{invoice.id}",
            f"/my/invoices/{invoice.id}?payment=True",
        ):
            page = self.page(path)
            self.assertFalse(page.xpath(self.PAY_NOW), path)
            self.assertFalse(page.xpath("//form[@id='o_payment_form']"), path)
            self.assertTrue(page.xpath(self.FORM), path)
        self.assertFalse(self.page("/my/invoices").xpath("//a[@title='Pay Now']"))
        invoice.invoice_date_due = "2027-04-10"
        page = self.page("/my/invoices/overdue")
        self.assertIn(invoice.name, self.text(page, "//main"))
        self.assertFalse(page.xpath("//form[@id='o_payment_form']"))
        self.settle(invoice)
        self.assertEqual((self.given(), self.money()), (10, 15))

    def test_in_part(self):
        """R10.2: 30 for an invoice of 50: they are used first, then the card is asked
        for 20."""
        invoice = self.owed()
        self.pay(30)
        self.authenticate("hps-nora", "hps-nora")
        self.assertFalse(self.page(f"/my/invoices/{invoice.id}").xpath(self.PAY_NOW))
        page = self.settle(invoice)
        self.assertTrue(page.xpath(self.PAY_NOW))
        [form] = page.xpath("//form[@id='o_payment_form']")
        self.assertEqual(float(form.get("data-amount")), 20)

    def test_all(self):
        """R10.2: the pages of incidents and funds list what is open, and pay all of it:
        65 for a charge of 20 and an invoice of 45."""
        charge = self.charge(20)
        invoice = self.owed()
        self.authenticate("hps-nora", "hps-nora")
        page = self.page("/my/incidents/funds")
        [amount] = page.xpath("//input[@name='amount']/@value")
        self.assertEqual(float(amount), 70)
        self.assertFalse(page.xpath(self.FORM))
        self.pay(70)
        for path in ("/my/incidents/funds", "/my/incidents"):
            page = self.page(path)
            text = self.text(page, "//*[@name='open_invoices']")
            for words in (charge.invoice_ids.name, invoice.name, "You have $ 70.00"):
                self.assertIn(words, text)
        self.assertFalse(page.xpath("//a[@name='invoices']"))
        page = self.settle()
        self.assertFalse(page.xpath("//*[@name='open_invoices']"))
        self.assertEqual((self.money(), self.given()), (0, 10))
        self.assertEqual((charge.payment_state, invoice.payment_state), ("paid",) * 2)

    def test_on_its_way(self):
        """R11.5: funds whose payment is under way are named before more is asked for;
        a wire transfer that nobody knows of is not."""
        order = self.quotation(self.pack)
        self.transaction(
            order, 65, "pending", sale_order_ids=False, partner_id=self.contact.id
        )
        self.transaction(order, 12, "pending")
        self.authenticate("hps-nora", "hps-nora")
        for path in ("/my/incidents/funds", "/my/incidents"):
            text = self.text(self.page(path), "//*[@name='coming']")
            self.assertIn("$ 65.00", text)
            self.assertNotIn("12.00", text)

    def test_balance_after_reset(self):
        """R12.7: a payment of 59.50 that is reset to draft: -59.50 on each page."""
        plan = self.plan("Ten", 59.5, "lifetime", 10)
        invoice = self.bill(self.order(plan))
        self.register(invoice).action_draft()
        self.authenticate("hps-nora", "hps-nora")
        for path in ("/my/incidents/funds", "/my/incidents"):
            text = self.text(self.page(path), "//*[@name='balance']")
            self.assertIn("-59.50", text.replace("\ufeff", ""))
        wizard = (
            self.env["helpdesk.ticket.charge.wizard"]
            .with_user(self.charger)
            .create({"ticket_id": self.charged_ticket.id, "amount": 1, "name": "A"})
        )
        self.assertEqual(wizard.balance, -59.5)

    # -- who may ------------------------------------------------------------------

    def test_others(self):
        """R11.6: only the customer, logged in; no other's invoice, none that is
        neither a charge nor of a plan, and nothing that is no id."""
        invoice, other = self.owed(), self.invoice(10)
        link = invoice.get_portal_url()
        self.pay(100)
        self.assertFalse(self.page(link).xpath(self.FORM))
        self.assertTrue(self.page(link).xpath(self.PAY_NOW))
        self.authenticate("hps-bella", "hps-bella")
        self.pay(100, self.other_customer)
        self.assertFalse(self.page(link).xpath(self.FORM))
        self.settle(invoice)
        self.settle()
        self.authenticate("hps-nora", "hps-nora")
        self.settle(other)
        for value in ("x", "-1", "0", str(10**30), str(10**8)):
            self.post("/my/incidents/settle", invoice=value)
        self.assertEqual(
            (invoice.amount_residual, other.amount_residual, self.money()),
            (50, 10, 40),
        )
        self.assertTrue(self.page(f"/my/invoices/{other.id}").xpath(self.PAY_NOW))

    def test_refused(self):
        """R3.9: what accounting refuses is said, and nothing is paid."""
        charge = self.charge(20)
        self.pay(65)
        self.company.hard_lock_date = "2027-04-30"
        self.authenticate("hps-nora", "hps-nora")
        page = self.settle(charge.invoice_ids)
        self.env.invalidate_all()
        if charge.payment_state != "paid":
            self.assertTrue(page.xpath("//*[@name='settle_refused']"))
