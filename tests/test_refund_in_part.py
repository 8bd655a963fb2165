from odoo.fields import Command
from odoo.tests import tagged

from .common_sale import SaleCommon


@tagged("post_install", "-at_install")
class TestRefundInPart(SaleCommon):
    """R8.4: money paid back counts like a credit note of that sum."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.year = cls.plan("Year", 120, "period", 5, 12)
        cls.thirty = cls.plan("Thirty", 60, "lifetime", 30)

    def paid(self, *products, invoiced=True, **values):
        """Return an order that was paid online."""
        order = self.quotation(*products, **values)
        self.transaction(order)
        if invoiced:
            self.bill(order)
        return order

    def refund(self, order, amount=None):
        refund = order.transaction_ids[:1]._refund(amount)
        refund._post_process()
        return refund.payment_id

    def credit(self, order, amount, **values):
        """Post a credit note of an amount of the order's invoice."""
        invoice = order.invoice_ids.filtered(lambda one: one.move_type == "out_invoice")
        note = self.reverse(invoice, post=False, **values)
        note.invoice_line_ids = [
            *(Command.delete(line.id) for line in note.invoice_line_ids[1:]),
            Command.update(
                note.invoice_line_ids[:1].id, {"price_unit": amount, "quantity": 1}
            ),
        ]
        note.action_post()
        return note

    def value(self, order):
        self.env.invalidate_all()
        return sum(order.order_line.mapped("incident_value"))

    # -- one document -------------------------------------------------------------

    def test_one_of_120(self):
        """R8.4: 1.00 of 120.00 paid back takes nothing of 60; each is worth less."""
        for invoiced in (False, True):
            with self.subTest(invoiced=invoiced):
                order = self.paid(self.year, invoiced=invoiced)
                refund = self.refund(order, 1)
                self.assertEqual(self.targets(order), [5] * 12)
                self.assertEqual(self.value(order), 119)
                refund.action_reject()
                self.assertEqual(self.value(order), 120)

    def test_twenty_of_60(self):
        """R8.4: 20.00 of 60.00 takes 10 of 30, with or without its credit note, in
        whatever order they come."""
        for invoiced in (False, True):
            with self.subTest(invoiced=invoiced):
                before = self.given()
                order = self.paid(self.thirty, invoiced=invoiced)
                self.refund(order, 20)
                self.assertEqual(self.given() - before, 20)
                self.assertEqual(self.value(order), 40)
                if not invoiced:
                    self.bill(order)
                    self.assertEqual(self.given() - before, 20)
                self.credit(order, 20)
                self.assertEqual(self.given() - before, 20)
                self.assertEqual(self.value(order), 40)
        order = self.paid(self.thirty)
        before = self.given()
        self.credit(order, 20)
        self.assertEqual(self.given() - before, -10)
        self.refund(order, 20)
        self.assertEqual(self.given() - before, -10)
        self.refund(order, 40)
        self.assertEqual(self.given() - before, -30)

    def test_five_of_a_pack(self):
        """R8.4: 5.00 of 50.00 takes 1 of 10; all of it takes everything."""
        order = self.paid(self.pack)
        self.refund(order, 5)
        self.assertEqual(self.given(), 9)
        self.refund(order, 45)
        self.assertEqual((self.given(), self.value(order)), (0, 0))

    def test_goodwill(self):
        """R8.4: a refund that a goodwill credit note explains takes nothing."""
        order = self.paid(self.thirty)
        note = self.credit(order, 20, incident_goodwill=True)
        self.refund(order, 20)
        self.assertEqual((self.given(), self.value(order)), (30, 40))
        self.refund(order, 40)
        self.assertEqual((self.given(), self.value(order)), (0, 0))
        note.incident_goodwill = False
        self.assertEqual(self.given(), 0)

    def test_by_hand(self):
        """R8.4: so does what is paid back by hand, and reconciled with the payment."""
        order = self.paid(self.thirty, invoiced=False)
        refund = self.pay(-20)
        entries = order.transaction_ids.payment_id.move_id | refund.move_id
        entries._incident_receivable().reconcile()
        self.assertEqual((self.given(), self.value(order)), (20, 40))
        entries._incident_receivable().remove_move_reconcile()
        self.assertEqual((self.given(), self.value(order)), (30, 60))

    def test_credit_note_spent_on_something_else(self):
        """R8.4: then it explains no refund."""
        order = self.paid(self.thirty)
        note = self.credit(order, 20)
        other = self.bill(self.order(self.service, quantity=1))
        self.settle_with(other, note)
        self.assertEqual(self.given(), 20)
        self.refund(order, 20)
        self.assertEqual((self.given(), self.value(order)), (10, 20))

    def test_credit_note_spent_on_a_plan(self):
        """R8.3, R8.4: the money of the first invoice has paid for the second one: paid
        back, it is missing there."""
        order = self.paid(self.thirty)
        note = self.credit(order, 60)
        second = self.order(self.thirty)
        self.settle_with(self.bill(second), note)
        self.assertEqual((self.given(), self.value(second)), (30, 60))
        self.refund(order, 20)
        self.assertEqual((self.given(), self.value(second)), (20, 40))

    # -- several documents --------------------------------------------------------

    def test_one_payment_for_two_invoices(self):
        """R8.4: 80.00 of 230.00 back is shared by what it has paid for each; the credit
        note of one says that it was for that one."""
        orders = self.order(self.plan("Large", 150, "lifetime", 150)) | self.order(
            self.plan("Small", 80, "lifetime", 80)
        )
        invoices = self.env["account.move"].union(*map(self.bill, orders))
        transaction = self.transaction(
            orders, 230, invoice_ids=[Command.set(invoices.ids)]
        )
        self.assertEqual(
            orders.order_line.mapped("incident_due"), [150, 80], "paid by one payment"
        )
        transaction._refund(80)._post_process()
        # 52.17 and 27.83
        self.assertEqual(orders.order_line.mapped("incident_due"), [98, 53])
        self.reverse(invoices[1])
        self.assertEqual(orders.order_line.mapped("incident_due"), [150, 0])

    def test_two_payments_for_one_invoice(self):
        """R8.4: one credit note explains one refund of that sum, not one of each."""
        order = self.order(self.thirty)
        invoice = self.bill(order)
        payments = [
            self.transaction(order, 30, invoice_ids=[Command.set(invoice.ids)])
            for _n in range(2)
        ]
        self.assertEqual(self.given(), 30)
        note = self.credit(order, 30)
        self.assertEqual(self.given(), 15)
        payments[0]._refund()._post_process()
        self.assertEqual(self.given(), 15)
        payments[1]._refund()._post_process()
        self.assertEqual(self.given(), 0)
        note.button_draft()
        self.assertEqual(self.given(), 0)

    def test_all_lines_share_it(self):
        """R8.4: a refund is of no line in particular."""
        order = self.paid(self.pack, self.months)  # 50 and 90
        self.refund(order, 70)
        self.assertEqual((self.given(), self.targets(order)), (5, [10, 5, 0]))

    # -- down payments --------------------------------------------------------------

    def test_down_payment(self):
        """R8.4: a 100 % down payment, half of it credited: 5 of 10. Or paid back."""
        order = self.order(self.pack)
        down_payment = self.down_payment(order, "percentage", 100)
        self.transaction(order, 50, invoice_ids=[Command.set(down_payment.ids)])
        self.assertEqual(self.given(), 10)
        refund = self.refund(order, 25)
        self.assertEqual((self.given(), self.value(order)), (5, 25))
        refund.action_draft()
        self.assertEqual(self.given(), 10)
        note = self.reverse(down_payment, post=False)
        note.invoice_line_ids.filtered("price_unit").price_unit = 25
        note.action_post()
        self.assertEqual((self.given(), self.value(order)), (5, 25))

    def test_gives_before_payment(self):
        """R8.3, R8.4: who gives on confirmation waits for no money, and misses none."""
        self.company.incident_grant_on = "confirmed"
        order = self.paid(self.pack)
        self.refund(order, 20)
        self.assertEqual(self.given(), 10)

    # -- free of charge -----------------------------------------------------------

    def test_cancelled_after_an_invoice_of_nothing(self):
        """R8.4: an invoice of 0.00 covers nothing once its order is cancelled."""
        order = self.quotation(self.pack)
        order.order_line.discount = 100
        order.action_confirm()
        self.bill(order)
        self.assertEqual(self.given(), 10)
        order._action_cancel()
        self.assertEqual(self.given(), 0)
