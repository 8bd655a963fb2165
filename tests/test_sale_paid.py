from odoo.fields import Command
from odoo.tests import tagged

from .common_sale import WINDOWS, SaleCommon


@tagged("post_install", "-at_install")
class TestSalePaid(SaleCommon):
    """R8.3: incidents are given when the line is paid, by whatever way."""

    # -- online (R8.3b) ---------------------------------------------------

    def test_online(self):
        """The quotation is confirmed by the transaction, nothing is invoiced yet."""
        order = self.quotation(self.pack, self.months)
        self.transaction(order)
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.invoice_ids)
        self.assertEqual(self.given(), 10)
        self.assertEqual(self.targets(order), [10, 10, 10])
        self.assertEqual(self.available(), 20)
        entries = self.env["helpdesk.incident.entry"].search(
            [("account_id", "=", self.incident_account().id)], order="id"
        )
        self.assertEqual(
            entries.mapped(lambda e: (e.kind, e.quantity)),
            [("period", 10), ("purchase", 10)],
        )
        self.assertEqual(entries[1].name, f"{order.name}: Pack of 10")
        self.assertEqual(entries[1].action_open_source()["res_id"], order.id)

    def test_online_less_than_the_sum_of_the_lines(self):
        """R8.3b: the taxes of an order are rounded in all, and may be less than those
        of its lines: who has paid it has paid all of them."""
        tax = self.company_data["default_tax_sale"].copy(
            {"name": "15 %", "amount": 15, "price_include_override": "tax_excluded"}
        )
        plan = self.plan("One", 3.33, "lifetime", 1, taxes_id=[Command.set(tax.ids)])
        order = self.quotation(plan, plan, plan, quantity=8)
        order.order_line[0].product_uom_qty = 2
        lines = sum(order.order_line.mapped("price_total"))
        self.assertGreater(round(lines - order.amount_total, 2), 0)
        self.transaction(order)
        self.assertEqual(self.given(), 18)

    def test_online_invoiced_at_once(self):
        """With automatic invoicing the invoice is paid by the same payment."""
        self.env["ir.config_parameter"].sudo().set_param("sale.automatic_invoice", True)
        order = self.quotation(self.pack, self.months)
        self.transaction(order)
        self.assertEqual(order.invoice_ids.amount_residual, 0)
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))

    def test_online_and_invoiced_later(self):
        order = self.quotation(self.pack)
        self.transaction(order)
        with self.assertNothingChanges():
            self.bill(order)
        self.assertEqual(order.invoice_ids.amount_residual, 0)
        self.assertEqual(self.given(), 10)

    def test_online_not_done(self):
        """R1: what is pending, cancelled or failed is not paid."""
        for state in ("pending", "cancel", "error"):
            order = self.quotation(self.pack)
            self.transaction(order, state=state)
            self.assertEqual(self.given(), 0, state)

    def test_authorized_then_captured(self):
        self.demo.capture_manually = True
        order = self.quotation(self.pack)
        transaction = self.transaction(order)
        self.assertEqual((transaction.state, order.state), ("authorized", "sale"))
        self.assertEqual(self.given(), 0)
        (transaction._capture() | transaction)._post_process()
        self.assertEqual(self.given(), 10)

    def test_authorized_then_voided(self):
        self.demo.capture_manually = True
        order = self.quotation(self.pack)
        transaction = self.transaction(order)
        transaction._void()
        transaction._post_process()
        self.assertEqual(self.given(), 0)

    def test_captured_in_parts(self):
        self.demo.capture_manually = True
        order = self.quotation(self.pack)
        transaction = self.transaction(order)
        part = transaction._capture(amount_to_capture=20)
        (part | transaction)._post_process()
        self.assertEqual(self.given(), 0)
        rest = transaction._capture(amount_to_capture=30)
        (rest | transaction)._post_process()
        self.assertEqual(self.given(), 10)

    def test_online_in_two_parts(self):
        """R8.3b: a down payment confirms the order; 49.99 of 50.00 is not paid, and the
        last cent gives all 10."""
        order = self.quotation(self.pack, prepayment_percent=0.4)
        self.transaction(order, 20)
        self.assertEqual((order.state, self.given()), ("sale", 0))
        self.transaction(order, 29.99)
        self.assertEqual(self.given(), 0)
        self.transaction(order, 0.01)
        self.assertEqual(self.given(), 10)

    # -- invoices (R8.3c) --------------------------------------------------

    def test_invoice_paid_by_registered_payment(self):
        order = self.order(self.pack, self.months, self.service)
        self.assertEqual(self.available(), 0)
        invoice = self.bill(order)
        self.assertEqual(self.available(), 0)
        self.register(invoice)
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))

    def test_invoice_paid_by_payment_without_entry(self):
        """R1: an effective payment need not have a journal entry."""
        invoice = self.bill(self.order(self.pack))
        payment = self.pay_without_entry(50, invoice_ids=[Command.set(invoice.ids)])
        self.assertFalse(payment.move_id)
        self.assertTrue(invoice.amount_residual)
        self.assertEqual(self.given(), 10)
        payment.action_reject()
        self.assertEqual(self.given(), 0)

    def test_invoice_paid_by_outstanding_credit(self):
        payment = self.pay(80)
        invoice = self.bill(self.order(self.pack))
        self.assertEqual(self.given(), 0)
        credit = payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        invoice.js_assign_outstanding_line(credit.id)
        self.assertEqual(self.given(), 10)

    def test_invoice_paid_in_two_parts(self):
        invoice = self.bill(self.order(self.pack))
        self.register(invoice, amount=20)
        self.assertEqual(self.given(), 0)
        self.register(invoice)
        self.assertEqual(self.given(), 10)

    def test_two_invoices(self):
        """Each line is paid with the invoices that it is on."""
        order = self.order(self.pack, self.service)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.filtered(
            lambda line: line.product_id == self.service
        ).unlink()
        invoice.action_post()
        rest = self.bill(order)
        self.register(rest)
        self.assertEqual(self.given(), 0)
        self.register(invoice)
        self.assertEqual(self.given(), 10)

    def test_invoiced_in_part(self):
        """R8.4: a line gives as much as paid invoices cover."""
        order = self.order(self.pack, quantity=2)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.quantity = 1
        invoice.action_post()
        self.register(invoice)
        self.assertEqual(self.given(), 10)
        rest = self.bill(order)
        self.assertEqual(self.given(), 10)
        order._action_cancel()
        self.assertEqual(self.given(), 10)
        self.register(rest)
        self.assertEqual(self.given(), 20)

    def test_down_payment(self):
        order = self.order(self.pack)
        down_payment = self.down_payment(order, "percentage", 40)
        rest = self.bill(order)
        self.assertEqual((down_payment.amount_total, rest.amount_total), (20, 30))
        self.register(rest)
        self.assertEqual(self.given(), 0)
        self.register(down_payment)
        self.assertEqual(self.given(), 10)
        # Credited afterwards, it has not paid for its part.
        self.reverse(down_payment)
        self.assertEqual(self.given(), 6)

    def test_several_orders_in_an_invoice(self):
        orders = self.order(self.pack) | self.order(self.months)
        self.register(self.bill(orders))
        self.assertEqual((self.given(), self.targets(orders[1])), (10, [10] * 3))

    def test_zero_total(self):
        """R8.3a: confirmed is enough."""
        free = self.plan("Free pack", 0, "lifetime", 3)
        quotation = self.quotation(free)
        self.assertEqual(self.given(), 0)
        quotation.action_confirm()
        self.assertEqual(self.given(), 3)
        self.order(self.pack, free)
        self.assertEqual(self.given(), 3)

    def test_bank_statement(self):
        """An invoice matched with a line of the bank statement is paid."""
        invoice = self.bill(self.order(self.pack))
        statement_line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.bank.id,
                "payment_ref": invoice.name,
                "partner_id": self.customer.id,
                "amount": 50,
            }
        )
        _liquidity, suspense, _other = statement_line._seek_for_lines()
        suspense.account_id = invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        ).account_id
        self.settle_with(invoice, statement_line.move_id)
        self.assertEqual(self.given(), 10)

    # -- when -------------------------------------------------------------

    def test_on_confirmation(self):
        """R8.3: the company's setting; the order keeps it."""
        self.company.incident_grant_on = "confirmed"
        order = self.order(self.pack)
        self.assertEqual(self.given(), 10)
        self.company.incident_grant_on = "paid"
        self.bill(order)
        self.assertEqual(self.given(), 10)
        order._action_cancel()
        self.assertEqual(self.given(), 0)

    def test_on_posting(self):
        """R8.3: the invoice is enough, and the payment alone is not."""
        self.company.incident_grant_on = "posted"
        order = self.quotation(self.pack)
        self.transaction(order)
        self.assertEqual(self.given(), 0)
        invoice = self.bill(order)
        self.assertEqual(self.given(), 10)
        invoice.button_draft()
        self.assertEqual(self.given(), 0)
        invoice.action_post()
        self.assertEqual(self.given(), 10)

    # -- what -------------------------------------------------------------

    def test_quantity(self):
        """R8.2: the quantity in the product's unit multiplies the incidents."""
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.quotation(self.pack, quantity=2)
        order.order_line.product_uom_id = dozen
        order.action_confirm()
        self.register(self.bill(order))
        self.assertEqual(self.given(), 240)

    def test_two_subscriptions(self):
        """R4.2: each line is a subscription of its own."""
        order = self.quotation(self.months, self.months, quantity=2)
        self.transaction(order)
        subscriptions = self.subscription(order)
        self.assertEqual(len(subscriptions), 2)
        self.assertEqual(subscriptions.mapped("incidents_per_period"), [20, 20])
        self.assertEqual(
            [(a.date_from, a.date_to) for a in subscriptions[0].allotment_ids],
            WINDOWS,
        )
        self.assertEqual(self.available(), 40)

    def test_currencies(self):
        """R2.3: a quotation in another currency is paid in it."""
        currency = self.setup_other_currency("EUR", rates=[("2027-01-01", 2)])
        pricelist = self.env["product.pricelist"].create(
            {"name": "Other", "currency_id": currency.id}
        )
        order = self.quotation(self.pack, pricelist_id=pricelist.id)
        self.assertEqual(order.amount_total, 100)
        self.transaction(order, 60)
        self.assertEqual(self.given(), 0)
        self.transaction(order, 40)
        self.assertEqual(self.given(), 10)

    def test_contact_buys_for_the_customer(self):
        """R2.1"""
        contact = self.env["res.partner"].create(
            {"name": "Nora", "parent_id": self.customer.id}
        )
        self.transaction(self.quotation(self.pack, customer=contact))
        self.assertEqual(self.given(), 10)

    def test_line_added_later(self):
        """R8.10: 90.00 of consulting added to a paid pack takes nothing from it; a plan
        that is added waits until all before it is paid, too."""
        order = self.quotation(self.pack)
        self.transaction(order)
        order.order_line = [
            Command.create({"product_id": self.service.id, "price_unit": 90})
        ]
        self.assertEqual(self.given(), 10)
        order.order_line = [Command.create({"product_id": self.pack.id})]
        self.assertEqual(self.given(), 10)
        self.transaction(order, 90)
        self.assertEqual(self.given(), 10)
        self.transaction(order, 50)
        self.assertEqual(self.given(), 20)

    def test_discount_added_later(self):
        """R8.10: what makes the order cheaper makes each line before it cheaper."""
        order = self.quotation(self.pack)
        order.order_line = [
            Command.create({"product_id": self.service.id, "price_unit": -10})
        ]
        self.transaction(order)
        self.assertEqual((order.amount_total, self.given()), (40, 10))
        order.order_line = [Command.create({"product_id": self.service.id})]
        self.assertEqual(self.given(), 10)

    def test_nobody_sets_defaults_for_what_is_remembered(self):
        """R8.7: a default of a salesperson's own makes no incidents."""
        self.env["ir.default"].set("sale.order.line", "incident_quantity", 5000)
        self.env["ir.default"].set("sale.order.line", "incident_due", 77)
        self.env["ir.default"].set("sale.order", "incident_grant_on", "confirmed")
        order = self.order(self.pack)
        self.assertEqual(order.incident_grant_on, "paid")
        self.assertEqual(order.order_line.incident_quantity, 10)
        self.assertEqual(order.order_line.incident_due, 0)
