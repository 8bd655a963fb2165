from freezegun import freeze_time

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common_sale import SaleCommon


@tagged("post_install", "-at_install")
class TestSaleMoney(SaleCommon):
    """R8.3, R8.4: what stands behind an invoice is money, and money pays once."""

    def refund(self, order, amount=None):
        refund = order.transaction_ids[:1]._refund(amount)
        refund._post_process()
        return refund.payment_id.move_id

    def receivable(self, moves):
        return moves.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def reconcile(self, moves):
        """Reconcile entries, which they may be already: core does so with the credit
        note of an invoice that is not paid."""
        items = self.receivable(moves)
        if not all(items.mapped("reconciled")):
            items.reconcile()

    # -- credited, refunded, invoiced anew ----------------------------------

    def test_invoiced_anew_after_a_refund(self):
        """R8.4: an invoice that nobody paid makes up for no credit."""
        order = self.quotation(self.pack)
        self.transaction(order)
        credit_note = self.reverse(self.bill(order))
        self.reconcile(credit_note | self.refund(order))
        self.assertEqual(self.given(), 0)
        invoice = self.bill(order)
        self.assertEqual((invoice.amount_residual, self.given()), (50, 0))
        self.register(invoice)
        self.assertEqual(self.given(), 10)

    def test_invoiced_anew_with_the_credit(self):
        """R8.3: the credit note carries the money to the new invoice."""
        order = self.quotation(self.pack)
        self.transaction(order)
        credit_note = self.reverse(self.bill(order))
        invoice = self.bill(order)
        self.assertEqual(self.given(), 0)
        self.settle_with(invoice, credit_note)
        self.assertEqual(self.given(), 10)
        order.transaction_ids.payment_id.action_draft()
        self.assertEqual(self.given(), 0)

    def test_invoiced_anew_after_the_credit_was_spent(self):
        """R8.4"""
        order = self.quotation(self.pack)
        self.transaction(order)
        credit_note = self.reverse(self.bill(order))
        self.settle_with(self.bill(self.order(self.pack)), credit_note)
        self.assertEqual(self.given(), 10)
        self.bill(order)
        self.assertEqual(self.given(), 10)

    def test_refund_and_its_credit_note(self):
        """R8.3: a refund is explained by a posted credit note of what was paid, whether
        they are reconciled or not."""
        order = self.quotation(self.pack, self.service)
        self.transaction(order)
        invoice = self.bill(order)
        credit_note = self.reverse(invoice, post=False)
        credit_note.invoice_line_ids.filtered(
            lambda line: line.product_id == self.pack
        ).unlink()
        credit_note.action_post()
        refund = self.refund(order, 40)
        self.assertEqual(self.given(), 10)
        self.reconcile(credit_note | refund)
        self.assertEqual(self.given(), 10)
        # The reconciliation survives that, the explanation does not: 40 of 90.
        credit_note.button_draft()
        self.assertEqual(self.given(), 6)

    def test_refund_explained_by_something_else(self):
        """R8.3"""
        order = self.quotation(self.pack)
        self.transaction(order)
        self.bill(order)
        refund = self.refund(order)
        other = self.reverse(self.bill(self.order(self.pack)))
        self.assertEqual(self.given(), 0)
        other.line_ids.remove_move_reconcile()
        self.reconcile(refund | other)
        self.assertEqual(self.given(), 0)
        payment = self.pay(50)
        self.receivable(refund).remove_move_reconcile()
        self.reconcile(refund | payment.move_id)
        self.assertEqual(self.given(), 0)

    # -- credit notes that stand for no money --------------------------------

    def test_credited_only(self):
        """R8.3: credited is not paid, with goodwill, or by a line of its own."""
        goodwill = self.bill(self.order(self.pack))
        self.reconcile(goodwill | self.reverse(goodwill, incident_goodwill=True))
        self.assertEqual((goodwill.amount_residual, self.given()), (0, 0))
        invoice = self.bill(self.order(self.pack))
        credit_note = self.reverse(invoice, post=False)
        credit_note.invoice_line_ids.sale_line_ids = [Command.clear()]
        credit_note.action_post()
        self.reconcile(invoice | credit_note)
        self.assertEqual((invoice.amount_residual, self.given()), (0, 0))

    def test_credited_twice(self):
        """R8.3: a credit note carries no more than the invoice has received."""
        invoice = self.bill(self.order(self.pack))
        first, second = self.reverse(invoice), self.reverse(invoice)
        self.reconcile(invoice | first)
        self.settle_with(self.bill(self.order(self.pack)), second)
        self.assertEqual(self.given(), 0)

    def test_credit_note_made_from_the_order(self):
        """R8.3: it names no invoice, but its order lines."""
        big = self.plan("Big", 100)
        order = self.order(self.pack, big)
        invoice = self.bill(order)
        order.order_line[1].product_uom_qty = 0
        credit_note = order._create_invoices(final=True)
        credit_note.action_post()
        (invoice | credit_note).line_ids.remove_move_reconcile()
        self.settle_with(self.bill(self.order(self.pack, quantity=2)), credit_note)
        self.assertEqual(self.given(), 0)
        self.register(invoice)
        self.assertEqual(self.given(), 30)

    # -- proportions -------------------------------------------------------------

    def test_corrected_price(self):
        """R8.4: the share is that of the invoice that stands."""
        for price, credited, left in ((10, 5, 5), (90, 45, 5), (90, 81, 1)):
            with self.subTest(price=price), self.env.cr.savepoint() as savepoint:
                invoice = self.bill(self.order(self.pack))
                self.register(invoice)
                new = self.reverse(invoice, "modify_moves")
                new.invoice_line_ids.price_unit = price
                new.action_post()
                if new.amount_residual:
                    self.register(new)
                self.assertEqual(self.given(), 10)
                credit_note = self.reverse(new, post=False)
                credit_note.invoice_line_ids.price_unit = credited
                credit_note.action_post()
                self.assertEqual(self.given(), left)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_half_credited_half_invoiced_anew(self):
        """R8.4: issuing an invoice takes nothing."""
        order = self.order(self.pack)
        invoice = self.bill(order)
        self.register(invoice)
        credit_note = self.reverse(invoice, post=False)
        credit_note.invoice_line_ids.quantity = 0.5
        credit_note.action_post()
        self.assertEqual(self.given(), 5)
        rest = self.bill(order)
        self.assertEqual((rest.amount_total, self.given()), (25, 5))
        self.register(rest)
        self.assertEqual(self.given(), 10)

    def test_credited_at_another_rate(self):
        """R8.4: all is all."""
        currency = self.setup_other_currency(
            "EUR", rates=[("2027-01-01", 2), ("2027-05-01", 2.2)]
        )
        order = self.order(self.pack)
        invoice = order._create_invoices()
        invoice.currency_id = currency
        invoice.action_post()
        self.register(invoice)
        self.assertEqual(self.given(), 10)
        with freeze_time("2027-05-10"):
            self.reverse(invoice, date="2027-05-10")
        self.assertEqual(self.given(), 0)

    def test_down_payment_in_full(self):
        """R8.3: all of it is paid, before the last invoice as after it."""
        order = self.order(self.pack)
        down_payment = self.down_payment(order, "percentage", 100)
        self.assertEqual(self.given(), 0)
        self.register(down_payment)
        self.assertEqual(self.given(), 10)
        self.bill(order)
        self.assertEqual(self.given(), 10)

    def test_down_payment_corrected(self):
        """R8.3: what was credited before anybody paid it stands in nobody's way."""
        order = self.order(self.pack)
        self.reverse(self.down_payment(order))
        self.register(self.bill(order))
        self.assertEqual(self.given(), 10)
        order = self.order(self.pack)
        new = self.reverse(self.down_payment(order), "modify_moves")
        new.action_post()
        self.register(new)
        self.register(self.bill(order))
        self.assertEqual(self.given(), 20)

    def test_last_invoice_corrected(self):
        """R8.3: so with the invoice that deducts the down payment."""
        for method in ("reverse_moves", "modify_moves"):
            order = self.order(self.pack)
            before = self.given()
            self.register(self.down_payment(order))
            new = self.reverse(self.bill(order), method)
            if method == "reverse_moves":
                new = self.bill(order)
            else:
                new.action_post()
            self.assertEqual(self.given(), before)
            self.register(new)
            self.assertEqual(self.given(), before + 10)

    def test_down_payments_of_more_than_the_rest(self):
        """R8.3: the last document pays back what is too much, or a cent of rounding."""
        tax = self.company_data["default_tax_sale"].copy({"amount": 21, "name": "21 %"})
        plan = self.plan("Taxed", 99.99, "lifetime", 10, taxes_id=[(6, 0, tax.ids)])
        order = self.order(plan)
        for _n in range(2):
            self.register(self.down_payment(order, "percentage", 50))
        self.assertEqual(self.given(), 10)
        self.bill(order)
        self.assertEqual(self.given(), 10)
        order = self.order(self.pack)
        self.register(self.down_payment(order, amount=60))
        self.assertEqual(self.given(), 20)
        last = self.bill(order)
        self.assertEqual((last.move_type, self.given()), ("out_refund", 20))

    def test_down_payment_of_what_comes_later(self):
        """R8.3: issuing an invoice takes nothing."""
        later = self.plan("Later", 40, invoice_policy="delivery")
        order = self.order(self.pack, later)
        self.register(self.down_payment(order))
        self.register(self.bill(order))
        self.assertEqual(self.given(), 10)
        self.down_payment(order)
        self.assertEqual(self.given(), 10)

    def test_down_payment_credited_in_part(self):
        """R8.4: in proportion."""
        order = self.order(self.pack)
        down_payment = self.down_payment(order, "percentage", 50)
        self.register(down_payment)
        self.register(self.bill(order))
        self.assertEqual(self.given(), 10)
        credit_note = self.reverse(down_payment, post=False)
        credit_note.invoice_line_ids.filtered("price_unit").price_unit = 2.5
        credit_note.action_post()
        self.assertEqual(self.given(), 9)

    def test_credit_in_another_currency(self):
        """R8.3: a credit note carries what was paid, whatever the rate is by then."""
        currency = self.setup_other_currency(
            "EUR", rates=[("2027-01-01", 2), ("2027-05-01", 1.6)]
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Other", "currency_id": currency.id}
        )
        order = self.order(self.pack, pricelist_id=pricelist.id)
        invoice = self.bill(order)
        self.register(invoice)
        with freeze_time("2027-05-10"):
            first = self.reverse(invoice, date="2027-05-10")
            self.settle_with(self.bill(order), first)
            self.assertEqual(self.given(), 10)
            second = self.reverse(invoice, date="2027-05-10")
            other = self.order(self.pack, pricelist_id=pricelist.id)
            self.settle_with(self.bill(other), second)
        self.assertEqual(self.given(), 0)

    def test_payment_without_entry_and_a_credit_note(self):
        """R8.3"""
        invoice = self.bill(self.order(self.pack, self.service))
        credit_note = self.reverse(invoice, post=False)
        credit_note.invoice_line_ids.filtered(
            lambda line: line.product_id == self.pack
        ).unlink()
        credit_note.action_post()
        self.pay_without_entry(50, invoice_ids=[Command.set(invoice.ids)])
        self.assertEqual(self.given(), 10)
        paid = self.bill(self.order(self.pack))
        self.pay_without_entry(50, invoice_ids=[Command.set(paid.ids)])
        self.assertEqual(self.given(), 20)
        credit_note = self.reverse(paid)
        credit_note.line_ids.remove_move_reconcile()
        self.settle_with(self.bill(self.order(self.pack)), credit_note)
        self.assertEqual(self.given(), 20)

    def test_credit_note_of_an_order_paid_online(self):
        """R8.4: it takes what it credits, and no more."""
        order = self.quotation(self.pack, self.months)
        self.transaction(order)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.filtered(
            lambda line: line.product_id == self.months
        ).unlink()
        invoice.action_post()
        credit_note = self.reverse(invoice, post=False, incident_goodwill=True)
        credit_note.invoice_line_ids.price_unit = 1
        credit_note.action_post()
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))
        credit_note.incident_goodwill = False
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))
        self.reverse(invoice)
        self.assertEqual((self.given(), self.targets(order)), (0, [10, 10, 10]))

    def test_credit_notes_that_pay_for_each_other(self):
        """R8.3: there is no money in a circle."""
        invoices = [self.bill(self.order(self.pack)) for _n in range(2)]
        notes = [self.reverse(invoice, incident_goodwill=True) for invoice in invoices]
        for note in notes:
            note.line_ids.remove_move_reconcile()
        self.settle_with(invoices[0], notes[1])
        self.settle_with(invoices[1], notes[0])
        self.assertEqual(self.given(), 0)

    def test_credit_notes_of_an_invoice_without_order(self):
        """R8.3: the other one is looked at, too."""
        invoice = self.new_invoice(50)
        self.register(invoice)
        first, second = self.reverse(invoice), self.reverse(invoice)
        self.settle_with(self.bill(self.order(self.pack)), first)
        self.assertEqual(self.given(), 10)
        self.settle_with(self.new_invoice(50), second)
        self.assertEqual(self.given(), 0)

    def new_invoice(self, amount):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer.id,
                "invoice_date": "2027-04-11",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.service.id,
                            "price_unit": amount,
                            "tax_ids": [],
                        }
                    )
                ],
            }
        )
        invoice.action_post()
        return invoice

    # -- links that are written anew --------------------------------------------

    def test_payment_without_entry_for_another_invoice(self):
        """R8.3: the invoice that loses it is looked at, too."""
        first, second = (
            self.bill(self.order(self.pack)),
            self.bill(self.order(self.pack)),
        )
        payment = self.pay_without_entry(50, invoice_ids=[Command.set(first.ids)])
        self.assertEqual(self.given(), 10)
        payment.invoice_ids = second
        self.assertEqual(self.given(), 10)
        payment.invoice_ids = first | second
        self.assertEqual(self.given(), 0)
        first.matched_payment_ids = [Command.clear()]
        self.assertEqual(self.given(), 10)

    def test_payment_without_entry_for_an_invoice_posted_later(self):
        """R8.3: the money of one invoice does not pay for two."""
        first, second = self.order(self.pack), self.order(self.pack)
        invoices = self.bill(first) | second._create_invoices()
        self.pay_without_entry(50, invoice_ids=[Command.set(invoices.ids)])
        self.assertEqual(self.given(), 10)
        second.invoice_ids.action_post()
        self.assertEqual(self.given(), 0)

    def test_transaction_of_another_order(self):
        """R8.3: the order that loses it is looked at, too."""
        first, second = self.quotation(self.pack), self.order(self.pack)
        transaction = self.transaction(first)
        second.sudo().transaction_ids = transaction
        first.sudo().transaction_ids = [Command.clear()]
        self.assertEqual(self.given(), 10)
        self.assertFalse(first.order_line._incident_due())

    def test_invoice_line_of_another_order(self):
        """R8.3: an invoice line pays for one plan line."""
        paid, other = self.order(self.pack), self.order(self.pack)
        self.register(self.bill(paid))
        other.order_line.invoice_lines = [
            Command.link(paid.invoice_ids.invoice_line_ids.id)
        ]
        self.assertEqual(self.given(), 10)

    # -- lines that are written anew ---------------------------------------------

    def test_the_same_product_written_again(self):
        """R8.7: a salesman or an import does that."""
        order = self.quotation(self.pack, self.months)
        self.transaction(order)
        self.pack.incident_quantity = 25
        self.months.write({"incident_quantity": 1, "incident_term_months": 12})
        for line in order.order_line:
            line.write({"product_id": line.product_id.id})
        order._incident_changed()
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))
        self.pack.incident_kind = "none"
        order.order_line[0].write({"product_id": self.pack.id})
        order.transaction_ids.payment_id.action_draft()
        self.assertEqual(self.given(), 0)

    def test_moved_to_another_order(self):
        """R8.7"""
        order, other = self.quotation(self.pack), self.quotation(self.service)
        self.transaction(order)
        with self.assertRaisesRegex(UserError, "cannot change any more"):
            order.order_line.order_id = other

    def test_unit_of_measure_changed(self):
        """R8.7: a box is what it was when it was sold."""
        box = self.env["uom.uom"].create(
            {
                "name": "Box",
                "relative_factor": 2,
                "relative_uom_id": self.pack.uom_id.id,
            }
        )
        order = self.quotation(self.pack)
        order.order_line.product_uom_id = box
        self.transaction(order)
        self.assertEqual(self.given(), 20)
        box.relative_factor = 5
        order._incident_changed()
        self.assertEqual(self.given(), 20)

    def test_setting_is_kept_from_the_first_look(self):
        """R8.3: an order keeps what was chosen when it began to sell incidents."""
        order = self.order(self.service)
        order.order_line = [Command.create({"product_id": self.pack.id})]
        self.company.incident_grant_on = "confirmed"
        order._incident_changed()
        self.assertEqual((order.incident_grant_on, self.given()), ("paid", 0))

    def test_optional_line(self):
        """R8.2: an option is offered with a quantity of 0, and sells nothing."""
        order = self.quotation(self.service)
        order.order_line = [
            Command.create(
                {"display_type": "line_section", "name": "Options", "is_optional": True}
            ),
            Command.create({"product_id": self.pack.id, "product_uom_qty": 0}),
        ]
        self.transaction(order)
        self.assertEqual(self.given(), 0)

    def test_optional_line_taken_later(self):
        """R8.2: an option of a confirmed order is taken later: 2 packs are 20
        incidents. Then it is sold, and stays as it is (R8.7)."""
        order = self.quotation(self.service)
        order.order_line = [
            Command.create(
                {"display_type": "line_section", "name": "Options", "is_optional": True}
            ),
            Command.create({"product_id": self.pack.id, "product_uom_qty": 0}),
        ]
        order.action_confirm()
        option = order.order_line[-1]
        with self.assertRaisesRegex(ValidationError, "whole units"):
            option.product_uom_qty = 0.5
        option.product_uom_qty = 2
        self.assertEqual((option.incident_units, self.given()), (2, 0))
        self.register(self.bill(order))
        self.assertEqual(self.given(), 20)
        with self.assertRaisesRegex(UserError, "is sold"):
            option.product_uom_qty = 0

    def test_customer_of_an_order(self):
        """R2.2: a contact that moved away leaves the incidents where they are."""
        contact = self.env["res.partner"].create(
            {"name": "Nora", "parent_id": self.customer.id}
        )
        other = self._customer("Other")
        order = self.quotation(self.pack, customer=contact)
        self.transaction(order)
        contact.parent_id = other
        with self.assertRaisesRegex(UserError, "about incidents of Northwind"):
            order.partner_id = other
        order.partner_id = self.customer
        self.assertEqual(self.given(), 10)

    def test_plan_of_several_variants(self):
        """R8.1: what a new product says is for all of its variants."""
        attribute = self.env["product.attribute"].create(
            {
                "name": "Size",
                "value_ids": [Command.create({"name": name}) for name in "AB"],
            }
        )
        template = self.env["product.template"].create(
            {
                "name": "Sizes",
                "type": "service",
                "incident_kind": "lifetime",
                "incident_quantity": 7,
                "attribute_line_ids": [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
            }
        )
        self.assertEqual(
            template.product_variant_ids.mapped("incident_quantity"), [7, 7]
        )

    def test_return_to_a_past_period_of_a_cancelled_subscription(self):
        """R9.8, R5.3: what had ended when it was cancelled stays as it was."""
        self.company.incident_expired_return = "lifetime"
        order = self.quotation(self.months)
        self.transaction(order)
        ticket = self.use(4)
        with freeze_time("2027-05-20"):
            self.subscription(order).action_cancel()
            self.assertEqual(self.targets(order), [10, 0, 0])
            ticket.incident_count = 0
            self.assertEqual(self.given(), 4)
            self.assertEqual(
                self.subscription(order).date_end.isoformat(), "2027-05-10"
            )

    def test_queries(self):
        """No query per line of an order."""

        def queries(number):
            order = self.order(*[self.pack] * number)
            self.env.flush_all()
            order._incident_settle()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            order._incident_settle()
            return self.env.cr.sql_log_count - before

        self.assertLessEqual(queries(30), queries(3) + 5)

    def test_salesman(self):
        """R8.7: who sells without accounting rights can, and nothing else."""
        seller = new_test_user(
            self.env,
            "hps-seller",
            groups="base.group_user,sales_team.group_sale_salesman",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        order = (
            self.env["sale.order"]
            .with_user(seller)
            .create(
                {
                    "partner_id": self.customer.id,
                    "order_line": [Command.create({"product_id": self.months.id})],
                }
            )
        )
        order.action_confirm()
        self.assertIn("from the day", order.order_line.incident_note)
        order._create_invoices()
        order.read(["incident_subscription_count", "incident_quantity"])
