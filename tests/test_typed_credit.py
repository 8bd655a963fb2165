from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_typed import TypedCommon


@tagged("post_install", "-at_install")
class TestTypedCredit(TypedCommon):
    """R8.9: a credit note counts whoever typed it."""

    def note(self, *products, **values):
        return self.typed(*products, move_type="out_refund", **values)

    def paid(self, *products):
        order = self.order(*products)
        invoice = self.bill(order)
        self.register(invoice)
        return order, invoice

    def test_unpaid_invoice(self):
        """R8.9: an invoice that nothing but a typed credit note of its plan settles was
        not paid: none of 10."""
        invoice = self.bill(self.order(self.pack))
        self.settle_with(invoice, self.note(self.pack))
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual(self.given(), 0)

    def test_paid_invoice(self):
        """R8.9: the customer's only invoice of the plan: taken back, worth nothing; and
        given again when the credit note is reset."""
        order, invoice = self.paid(self.pack)
        note = self.note(self.pack)
        self.assertEqual(note.incident_credited_id, invoice)
        self.pay(-50)
        self.assertEqual((self.given(), self.value(order)), (0, 0))
        note.button_draft()
        self.assertEqual((self.given(), self.value(order)), (10, 50))

    def test_in_part(self):
        """R8.4, R8.9: 20.00 of 50.00 takes 4 of 10."""
        order, _invoice = self.paid(self.pack)
        self.note({"product_id": self.pack.id, "price_unit": 20})
        self.assertEqual((self.given(), self.value(order)), (6, 30))

    def test_free_text_of_a_reversal(self):
        """R8.9: 75.00 of 150.00 that a reversal credits by a line without a product
        takes half of each plan."""
        order = self.order(self.pack, self.months, self.service)  # 50, 90 and 40
        invoice = self.bill(order)
        self.register(invoice)
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids = [
            Command.clear(),
            Command.create({"name": "Agreed", "price_unit": 90, "tax_ids": []}),
        ]
        note.action_post()
        self.assertEqual((self.given(), self.targets(order)), (5, [10, 5, 0]))
        self.assertEqual(self.value(order), 70)
        note.incident_goodwill = True
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))
        self.assertEqual(self.value(order), 70)

    def test_plain_money(self):
        """R8.9: without a plan, and reversing nothing, it is money as any other."""
        order, _invoice = self.paid(self.pack)
        note = self.note({"name": "Sorry", "price_unit": 50, "tax_ids": []})
        self.assertEqual((self.given(), self.value(order)), (10, 50))
        self.settle_with(self.bill(self.order(self.pack)), note)
        self.assertEqual(self.given(), 20)

    def test_two_invoices(self):
        """R8.9: of two invoices of the plan it is not clear which one: listed, and of
        no effect, until somebody says so."""
        first, invoice = self.paid(self.pack)
        second, other = self.paid(self.pack)
        note = self.note(self.pack)
        self.assertIn("not clear which invoice", self.fault(note).error)
        self.assertEqual(self.given(), 20)
        unpaid = self.bill(self.order(self.plan("Other", 50, "lifetime", 7)))
        self.settle_with(unpaid, note)
        self.assertEqual(self.given(), 20, "no money for another plan meanwhile")
        unpaid.line_ids.remove_move_reconcile()
        note.incident_credited_id = other
        self.assertEqual(first.order_line.incident_due, 10)
        self.assertEqual(second.order_line.incident_due, 0)
        self.fault(note).sudo()._retry()
        self.assertFalse(self.fault(note))
        note.incident_credited_id = invoice
        self.assertEqual(first.order_line.incident_due, 0)
        self.assertEqual(second.order_line.incident_due, 10)

    def test_goodwill(self):
        """R8.9: or that it is goodwill."""
        self.paid(self.pack)
        self.paid(self.pack)
        note = self.note(self.pack)
        note.incident_goodwill = True
        self.fault(note).sudo()._retry()
        self.assertFalse(self.fault(note))
        self.assertEqual(self.given(), 20)

    def test_reconciled(self):
        """R8.9: what it is reconciled with says which one."""
        first = self.bill(self.order(self.pack))
        second = self.order(self.pack)
        invoice = self.bill(second)
        note = self.note(self.pack)
        self.assertTrue(self.fault(note))
        self.settle_with(invoice, note)
        self.assertEqual(note.incident_credited_id, invoice)
        self.register(first)
        self.assertEqual((self.given(), second.order_line.incident_due), (10, 0))

    def test_only_one_that_is_not_credited(self):
        """R8.9: an invoice that is credited already is not meant."""
        _first, invoice = self.paid(self.pack)
        _second, other = self.paid(self.pack)
        self.reverse(invoice)
        note = self.note(self.pack)
        self.assertEqual(note.incident_credited_id, other)
        self.assertEqual(self.given(), 0)

    def test_bought_afterwards(self):
        """R8.9: what the customer buys after the credit note is not meant by it."""
        note = self.note(self.pack)
        _order, invoice = self.paid(self.pack)
        self.fault(note).sudo()._retry()
        self.assertTrue(self.fault(note))
        self.assertEqual((note.incident_credited_id.ids, self.given()), ([], 10))
        self.settle_with(self.bill(self.order(self.service)), note)
        self.assertEqual(self.given(), 10)
        note.incident_credited_id = invoice
        self.assertEqual(self.given(), 0)

    def test_of_another_customer(self):
        """R2.3: it credits no other customer's invoice."""
        _order, invoice = self.paid(self.pack)
        other = self._customer("Other")
        note = self.note(self.pack, partner_id=other.id)
        self.assertTrue(self.fault(note))
        with self.assertRaisesRegex(UserError, "same customer"):
            note.incident_credited_id = invoice

    def test_line_below_zero(self):
        """R8.8, R8.9: a line below zero on an invoice is a credit."""
        order, _invoice = self.paid(self.pack)
        self.typed({"product_id": self.pack.id, "quantity": -1}, self.months)
        self.assertEqual((self.given(), self.value(order)), (0, 0))

    def test_price_below_zero(self):
        """R8.8, R8.9: so is one whose price is below zero: -50.00 of a pack of 50.00,
        beside another plan, takes back 10 and sells nothing."""
        order, _invoice = self.paid(self.pack)
        self.typed({"product_id": self.pack.id, "price_unit": -50}, self.months)
        self.assertEqual((self.given(), self.value(order)), (0, 0))

    def test_credited_on_the_same_invoice(self):
        """R8.9: 2 packs less 1 on the same invoice are 1, whatever was sold before."""
        first, _invoice = self.paid(self.pack)
        lines = [{"product_id": self.pack.id, "quantity": number} for number in (2, -1)]
        invoice = self.typed(*lines)
        self.register(invoice)
        self.assertFalse(self.fault(invoice))
        self.assertEqual((self.given(), self.value(first)), (20, 50))
        self.assertEqual(self.value(invoice.incident_order_ids), 50)
        invoice.button_draft()
        invoice.action_post()
        self.assertEqual((self.given(), self.value(first)), (20, 50))

    def test_two_lines_of_a_plan(self):
        """R8.9: two lines of 50.00 of a plan, credited by two such lines: all of it."""
        order, _invoice = self.paid(self.pack, self.pack)
        note = self.note(self.pack, self.pack)
        self.assertEqual((self.given(), self.value(order)), (0, 0))
        note.button_draft()
        self.assertEqual((self.given(), self.value(order)), (20, 100))

    def test_plan_that_the_invoice_has_not(self):
        """R8.9: an accountant says that a note of 25.00 of another plan credits an
        invoice of 50.00: half of it, and it is listed no more."""
        order, invoice = self.paid(self.pack)
        note = self.note({"product_id": self.months.id, "price_unit": 25})
        self.assertTrue(self.fault(note))
        note.incident_credited_id = invoice
        self.assertEqual((self.given(), self.value(order)), (5, 25))
        self.fault(note).sudo()._retry()
        self.assertFalse(self.fault(note))
        note.button_draft()
        self.assertEqual((self.given(), self.value(order)), (10, 50))
        note.action_post()
        self.assertEqual((self.given(), self.value(order)), (5, 25))
        note.incident_credited_id = False
        self.assertEqual((self.given(), self.value(order)), (10, 50))

    def test_customer_corrected_note(self):
        """R8.9: typed for the wrong customer and corrected, it takes back nothing of
        that one; it is listed, as it credits nothing of the other."""
        self.paid(self.pack)
        note = self.note(self.pack)
        self.assertEqual(self.given(), 0)
        note.button_draft()
        note.partner_id = self._customer("Other")
        note.action_post()
        self.assertEqual(self.given(), 10)
        self.assertFalse(note.incident_credited_id)
        self.assertTrue(self.fault(note))

    def test_down_payment(self):
        """R8.4, R8.9: 25.00 of a down payment of 50.00, typed or in free text."""
        for typed in (True, False):
            with self.subTest(typed=typed):
                before = self.given()
                order = self.order(self.pack)
                invoice = self.down_payment(order, "percentage", 100)
                self.register(invoice)
                self.assertEqual(self.given() - before, 10)
                if typed:
                    note = self.note({"product_id": self.pack.id, "price_unit": 25})
                    note.incident_credited_id = invoice
                else:
                    note = self.reverse(invoice, post=False)
                    note.invoice_line_ids = [
                        Command.clear(),
                        Command.create(
                            {"name": "Agreed", "price_unit": 25, "tax_ids": []}
                        ),
                    ]
                    note.action_post()
                self.assertEqual((self.given() - before, self.value(order)), (5, 25))

    def test_of_a_branch(self):
        """R2.3, R8.9: a company and its branches are one: a note of the branch credits
        an invoice of the company."""
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.env.user.company_ids |= branch
        _order, invoice = self.paid(self.pack)
        line = {"product_id": self.pack.id, "price_unit": 50, "tax_ids": []}
        note = (
            self.env["account.move"]
            .with_company(branch)
            .create(
                {
                    "move_type": "out_refund",
                    "partner_id": self.customer.id,
                    "company_id": branch.id,
                    "invoice_date": "2027-04-11",
                    "invoice_line_ids": [Command.create(line)],
                }
            )
        )
        note.action_post()
        self.assertEqual(note.company_id, branch)
        self.assertEqual((self.given(), note.incident_credited_id), (0, invoice))
