from odoo.fields import Command
from odoo.tests import tagged

from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestOrderInPart(BuyCommon):
    """R11.4, R24.5: money that does not suffice says what is missing; an order that was
    paid in part says what came, and how to pay the rest."""

    NOTE = "//div[@name='order_in_part']"
    REST = "//div[@name='rests']/a"

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def sent(self, *products, **values):
        order = self.quotation(*products, customer=self.user.partner_id, **values)
        order.action_quotation_sent()
        return order

    def amounts(self, page):
        return [self.text(link, ".").split()[-1] for link in page.xpath(self.REST)]

    # -- the account balance ------------------------------------------------------

    def test_balance_short(self):
        """R11.4: 30.00 for an order of 50.00: 20.00 are missing, and filled in. Nobody
        else is told, and where there is no money, nothing is said."""
        order = self.sent(self.pack)
        url, short = order.get_portal_url(), "//a[@name='balance_short']"
        self.assertFalse(self.page(url).xpath(short))
        self.pay(30)
        page = self.page(url)
        self.assertIn(
            "Your balance is $ 30.00, $ 20.00 short.",
            self.text(page, short).replace("\xa0", " "),
        )
        page = self.page(page.xpath(f"{short}/@href")[0])
        self.assertEqual(page.xpath("//input[@id='amount']/@value"), ["20.00"])
        # What was enough, and is not any more: the same in the refusal.
        page = self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertTrue(
            page.xpath("//*[@name='incident_balance_short']//a[@name='balance_short']")
        )
        self.authenticate("hps-bella", "hps-bella")
        self.assertFalse(self.page(url).xpath(short))
        self.authenticate(None, None)
        self.assertFalse(self.page(url).xpath(short))

    def test_short_in_another_company(self):
        """R2.3: what is short is added to no other company's balance."""
        order = self.sent(self.pack)
        self.pay(30)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.user.write(
            {
                "company_ids": [Command.link(elsewhere.id)],
                "company_id": elsewhere.id,
            }
        )
        for page in (
            self.page(order.get_portal_url()),
            self.post(f"/my/orders/{order.id}/pay_from_balance"),
        ):
            self.assertIn("20.00 short", self.text(page, "//*[@name='balance_short']"))
            self.assertFalse(page.xpath("//a[contains(@href, '/my/incidents/funds')]"))

    # -- paid in part ---------------------------------------------------------------

    def test_rest_online(self):
        """R24.5, R8.10: of 140.00 half was paid online: the pack came, the term did
        not. The rest is asked for, and no more; paid, all of it came."""
        order = self.sent(self.pack, self.months, prepayment_percent=0.5)
        self.transaction(order, 70)
        self.assertEqual((order.state, self.given()), ("sale", 10))
        page = self.page(f"/my/incidents?order_id={order.id}")
        note = "//*[@name='paid_order']"
        self.assertIn("is paid in part", self.text(page, note))
        self.assertIn("10 lifetime", self.text(page, f"{note}//*[@name='given']"))
        self.assertIn("for 3 months", self.text(page, f"{note}//*[@name='missing']"))
        self.assertEqual(self.amounts(page), ["70.00"])
        listed = self.text(page, "//*[@name='open_orders']")
        self.assertIn(f"{order.name}", listed)
        self.assertIn("Paid in part $ 70.00", listed)
        page = self.page(order.get_portal_url())
        self.assertTrue(page.xpath(self.NOTE))
        [link] = page.xpath(f"{self.REST}/@href")
        page = self.page(link)
        [form] = page.xpath("//form[@id='o_payment_form']")
        self.assertEqual(float(form.get("data-amount")), 70)
        self.assertTrue(page.xpath("//a[@id='o_sale_portal_paynow']"))
        self.transaction(order, 70)
        self.assertEqual(self.targets(order), [10] * 3)
        page = self.page(order.get_portal_url())
        self.assertFalse(page.xpath(self.NOTE))
        page = self.page(f"/my/incidents?order_id={order.id}")
        self.assertIn("is paid", self.text(page, note))
        self.assertFalse(page.xpath("//*[@name='open_orders']"))

    def test_rest_of_a_quotation(self):
        """R24.5: 20.00 of 50.00 do not confirm it: the page asks for 30.00."""
        order = self.sent(self.pack)
        self.transaction(order, 20)
        self.assertEqual(order.state, "sent")
        page = self.page(order.get_portal_url())
        self.assertEqual(self.amounts(page), ["30.00"])
        [form] = page.xpath("//form[@id='o_payment_form']")
        self.assertEqual(float(form.get("data-amount")), 30)
        self.assertIn(
            order.name,
            self.text(self.page("/my/incidents"), "//*[@name='open_orders']"),
        )
        self.transaction(order, 30)
        self.assertEqual((order.state, self.given()), ("sale", 10))

    def test_rest_of_an_invoice(self):
        """R24.5: what is invoiced is paid on the page of its invoice."""
        order = self.order(self.pack, customer=self.user.partner_id)
        invoice = self.bill(order)
        self.assertFalse(order._incident_rests())
        self.register(invoice, amount=20)
        page = self.page(order.get_portal_url())
        self.assertEqual(self.amounts(page), ["30.00"])
        self.assertIn(f"/my/invoices/{invoice.id}", page.xpath(f"{self.REST}/@href")[0])
        self.register(invoice)
        self.assertFalse(self.page(order.get_portal_url()).xpath(self.NOTE))

    def test_credit_is_no_payment(self):
        """R24.5: what was only credited in part was not paid in part; what another
        credit note has paid was."""
        order = self.order(self.pack, customer=self.user.partner_id)
        invoice = self.bill(order)
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids.price_unit = 20
        note.action_post()
        self.settle_with(invoice, note)
        self.assertEqual(
            (invoice.payment_state, invoice.amount_residual), ("partial", 30)
        )
        self.assertFalse(order._incident_rests())
        self.assertFalse(self.page(order.get_portal_url()).xpath(self.NOTE))
        paid = self.bill(self.order(self.service))
        self.register(paid)
        other = self.reverse(paid, post=False)
        other.invoice_line_ids.price_unit = 10
        other.action_post()
        self.settle_with(invoice, other)
        self.assertEqual([rest.amount for rest in order._incident_rests()], [20])

    def test_nothing_is_asked_for(self):
        """R24.5: while the rest is being paid, where an accountant has taken money for
        it by hand, and of an order without plans."""
        order = self.sent(self.pack, prepayment_percent=0.5)
        self.transaction(order, 25)
        self.assertEqual([rest.amount for rest in order._incident_rests()], [25])
        self.transaction(order, 25, state="pending")
        self.assertFalse(order._incident_rests())
        other = self.order(self.pack, customer=self.user.partner_id)
        self.register(self.down_payment(other, amount=10))
        self.transaction(other, 25)
        self.assertFalse(other._incident_rests())
        plain = self.sent(self.service, prepayment_percent=0.5)
        self.transaction(plain, 20)
        self.assertFalse(plain._incident_rests())

    def test_others(self):
        """R11.6: nobody else is told, whatever link he has."""
        order = self.sent(self.pack, prepayment_percent=0.5)
        self.transaction(order, 25)
        self.authenticate("hps-bella", "hps-bella")
        self.assertFalse(self.page(order.get_portal_url()).xpath(self.NOTE))
        page = self.page(f"/my/incidents?order_id={order.id}")
        self.assertFalse(page.xpath("//*[@name='paid_order' or @name='open_orders']"))
