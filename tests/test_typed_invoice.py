from datetime import date

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_typed import TypedCommon


@tagged("post_install", "-at_install")
class TestTypedInvoice(TypedCommon):
    """R8.8: a plan is sold by whatever invoices it."""

    def test_typed(self):
        """R8.8: typed, posted and paid: it gives, is worth its price, and has an order
        that nothing else invoices and nobody is mailed about."""
        invoice = self.typed(
            {"product_id": self.pack.id, "price_unit": 45, "quantity": 2},
            self.service,
        )
        order = invoice.incident_order_ids
        self.assertEqual(order.order_line.product_id, self.pack, "no other product")
        self.assertEqual((order.state, order.amount_total), ("sale", 90))
        self.assertEqual(order.invoice_status, "invoiced")
        self.assertFalse(order.message_ids.mail_ids)
        self.assertEqual(self.given(), 0)
        self.register(invoice)
        self.assertEqual((self.given(), self.value(order)), (20, 90))
        self.assertIn("20", invoice.invoice_line_ids[0].incident_note)
        self.assertFalse(self.fault(invoice))

    def test_waiting_order(self):
        """R8.8: it belongs to the confirmed order that still has to invoice the same
        plan and quantity: a line deleted and typed again in its draft."""
        order = self.order(self.pack)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.unlink()
        invoice.invoice_line_ids = [Command.create({"product_id": self.pack.id})]
        invoice.action_post()
        self.assertFalse(invoice.incident_order_ids)
        self.assertEqual(order.invoice_status, "invoiced")
        self.register(invoice)
        self.assertEqual((self.given(), self.value(order)), (10, 50))

    def test_another_quantity_waits_for_nothing(self):
        """R8.8: an order of two is not what an invoice of one is for."""
        order = self.order(self.pack, quantity=2)
        invoice = self.typed(self.pack)
        self.register(invoice)
        self.assertEqual(self.given(), 10)
        self.assertEqual(order.invoice_status, "to invoice")

    def test_duplicate_renews(self):
        """R8.8, R9.5: last year's invoice duplicated, or posted by itself every month,
        renews the customer's only subscription of the plan."""
        first = self.order(self.months)
        invoice = self.bill(first)
        self.register(invoice)
        copy = invoice.copy({"invoice_date": "2027-04-20"})
        copy.action_post()
        line = copy.incident_order_ids.order_line
        self.assertEqual(line.incident_operation, "renew")
        self.register(copy)
        subscription = self.subscription(first)
        self.assertEqual(subscription.date_end, date(2027, 10, 10))
        self.assertEqual(self.targets(first), [10] * 6)
        again = copy.copy({"invoice_date": "2027-04-21"})
        again.action_post()
        self.register(again)
        self.assertEqual(self.targets(first), [10] * 9)
        again.button_draft()
        self.assertEqual(self.targets(first), [10] * 6 + [0] * 3)

    def test_renews_what_is_paid_first(self):
        """R8.8, R9.5: invoices of two terms, both posted before one is paid: what is
        paid second renews, and does not lapse beside the first."""
        invoice = self.typed(self.months)
        again = invoice.copy({"invoice_date": "2027-04-11"})
        again.action_post()
        self.register(invoice)
        self.register(again)
        order = invoice.incident_order_ids
        self.assertEqual(self.targets(order), [10] * 6)
        self.assertEqual(len(self.incident_account().subscription_ids), 1)
        again.button_draft()
        self.assertEqual(self.targets(order), [10] * 3 + [0] * 3)
        again.action_post()
        self.assertEqual(self.targets(order), [10] * 6)

    def test_two_subscriptions(self):
        """R8.8: of two subscriptions of a plan neither is meant."""
        for _n in range(2):
            self.register(self.bill(self.order(self.months)))
        invoice = self.typed(self.months)
        self.register(invoice)
        self.assertFalse(invoice.incident_order_ids.order_line.incident_operation)
        self.assertEqual(len(self.incident_account().subscription_ids), 3)

    def test_corrected(self):
        """R8.8: the order follows the invoice, in the same windows."""
        invoice = self.typed(self.pack, self.months)
        order = invoice.incident_order_ids
        self.register(invoice)
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))
        with freeze_time("2027-04-20"):
            invoice.button_draft()
            self.assertEqual((self.given(), self.targets(order)), (0, [0, 0, 0]))
            pack, months = invoice.invoice_line_ids
            pack.write({"quantity": 3, "price_unit": 40})
            months.write({"quantity": 2})
            invoice.action_post()
            self.register(invoice)
        self.assertEqual((self.given(), self.targets(order)), (30, [20, 20, 20]))
        self.assertEqual((self.value(order), order.amount_total), (300, 300))
        self.assertEqual(self.subscription(order).date_start, date(2027, 4, 11))

    def test_another_product_and_removed(self):
        """R8.8: another product is a new line, a removed one sells nothing."""
        invoice = self.typed(self.pack, self.months)
        order = invoice.incident_order_ids
        self.register(invoice)
        invoice.button_draft()
        big = self.plan("Pack of 25", 100, "lifetime", 25)
        pack, months = invoice.invoice_line_ids
        pack.product_id = big
        months.unlink()
        invoice.action_post()
        self.register(invoice)
        self.assertEqual((self.given(), self.targets(order)), (25, [0, 0, 0]))
        orders = invoice.incident_order_ids
        self.assertEqual(self.value(*orders), 100)
        self.assertEqual(set(orders.mapped("invoice_status")), {"invoiced"})

    def test_cancelled_and_deleted(self):
        """R8.8: the order is cancelled where the invoice is, and comes back with it."""
        invoice = self.typed(self.pack)
        order = invoice.incident_order_ids
        self.register(invoice)
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual((order.state, self.given()), ("cancel", 0))
        invoice.button_draft()
        invoice.action_post()
        self.register(invoice)
        self.assertEqual((order.state, self.given()), ("sale", 10))
        invoice.button_draft()
        invoice.with_context(force_delete=True).unlink()
        self.assertEqual((order.state, self.given()), ("cancel", 0))

    def test_quantity_that_cannot_be_sold(self):
        """R8.2, R8.8: it is posted, and listed to be checked, until it is corrected or
        said to sell nothing; what is whole beside it is sold."""
        invoice = self.typed({"product_id": self.months.id, "quantity": 0.5}, self.pack)
        self.assertEqual(invoice.state, "posted")
        self.register(invoice)
        self.assertEqual(self.given(), 10)
        fault = self.fault(invoice)
        self.assertIn("0.5 sells nothing", fault.error)
        invoice.invoice_line_ids[0].incident_sells_nothing = True
        fault.sudo()._retry()
        self.assertFalse(self.fault(invoice))

    def test_sells_nothing(self):
        """R8.8: a line that is marked so makes no order."""
        invoice = self.typed(
            {"product_id": self.pack.id, "incident_sells_nothing": True}
        )
        self.register(invoice)
        self.assertEqual((len(invoice.incident_order_ids), self.given()), (0, 0))

    def test_gives_when_posted_or_confirmed(self):
        """R8.3, R8.8: posted, it is confirmed, too; reset, it is neither."""
        for grant_on in ("posted", "confirmed"):
            with self.subTest(grant_on=grant_on):
                self.company.incident_grant_on = grant_on
                before = self.given()
                invoice = self.typed(self.pack)
                self.assertEqual(self.given() - before, 10)
                invoice.button_draft()
                self.assertEqual(self.given() - before, 0)

    def test_costs_nothing(self):
        """R7.3, R8.8: what an invoice gives for nothing waits for a helpdesk manager;
        it is posted all the same."""
        accountant = self.env.user.copy(
            {
                "login": "hps-accountant",
                "group_ids": [
                    Command.set(
                        self.env.ref("account.group_account_invoice").ids
                        + self.env.ref("base.group_user").ids
                    )
                ],
            }
        )
        invoice = self.typed(
            {"product_id": self.pack.id, "price_unit": 0}, post=False
        ).with_user(accountant)
        invoice.action_post()
        self.assertEqual((invoice.state, self.given()), ("posted", 0))
        order = invoice.sudo().incident_order_ids
        self.assertIn("costs nothing", self.fault(order).error)

    def test_in_another_currency(self):
        """R8.8, R12.4: worth what the books have."""
        currency = self.setup_other_currency("EUR", rates=[("2027-01-01", 2)])
        invoice = self.typed(self.pack, currency_id=currency.id)
        order = invoice.incident_order_ids
        self.assertEqual(order.currency_id, currency)
        self.register(invoice)
        self.assertEqual(self.given(), 10)
        self.assertEqual(
            self.value(order), invoice.amount_untaxed_signed, "in company currency"
        )

    # -- corrected, replaced, changed ---------------------------------------------

    def test_locked(self):
        """R8.8: an order that is locked by its confirmation follows its invoice, too:
        3 instead of 1."""
        locks = self.env.ref("sale.group_auto_done_setting")
        self.env.ref("base.group_user").sudo().implied_ids += locks
        invoice = self.typed(self.pack)
        order = invoice.incident_order_ids
        self.assertTrue(order.locked)
        invoice.button_draft()
        invoice.invoice_line_ids.quantity = 3
        invoice.action_post()
        self.register(invoice)
        self.assertFalse(self.fault(invoice))
        self.assertEqual((self.given(), order.amount_total), (30, 150))
        self.assertTrue(order.locked)

    def test_customer_corrected(self):
        """R8.8: the wrong customer is corrected: it sells to the right one; of what was
        renewed for the wrong one nothing is left."""
        other = self._customer("Other")
        first = self.order(self.months)
        self.register(self.bill(first))
        invoice = self.typed(self.pack, self.months)
        self.register(invoice)
        self.assertEqual((self.given(), self.targets(first)), (10, [10] * 6))
        invoice.line_ids.remove_move_reconcile()
        invoice.button_draft()
        invoice.partner_id = other
        invoice.action_post()
        self.register(invoice)
        self.assertEqual((self.given(), self.given(other)), (0, 10))
        self.assertEqual(self.targets(first), [10] * 3 + [0] * 3)
        [subscription] = self.incident_account(other).subscription_ids
        self.assertEqual(subscription.allotment_ids.mapped("target"), [10] * 3)

    def test_currency_corrected(self):
        """R8.8: 100.00 of a currency of half the worth, instead of 50.00."""
        currency = self.setup_other_currency("EUR", rates=[("2027-01-01", 2)])
        invoice = self.typed(self.pack)
        order = invoice.incident_order_ids
        invoice.button_draft()
        invoice.currency_id = currency
        invoice.invoice_line_ids.price_unit = 100
        invoice.action_post()
        self.register(invoice)
        self.assertEqual((order.currency_id, order.amount_total), (currency, 100))
        self.assertEqual((self.given(), self.value(order)), (10, 50))

    def test_marked_later(self):
        """R8.8: marked as one that sells nothing when it was posted, a line sells
        nothing; and sells again without the mark."""
        invoice = self.typed(self.pack)
        self.register(invoice)
        line = invoice.invoice_line_ids
        for marked, given in ((True, 0), (False, 10)):
            line.incident_sells_nothing = marked
            self.assertEqual(self.given(), given)

    def test_replaced(self):
        """R8.8: credited and replaced by the wizard (*Reverse and Create Invoice*):
        the order follows the new invoice, in the same windows, for good."""
        invoice = self.typed(self.pack, self.months)
        order = invoice.incident_order_ids
        self.register(invoice)
        new = self.reverse(invoice, "modify_moves")
        pack, months = new.invoice_line_ids
        pack.write({"quantity": 3, "price_unit": 40})
        months.write({"quantity": 2})
        new.action_post()
        self.register(new)
        self.assertEqual((self.given(), self.targets(order)), (30, [20] * 3))
        self.assertEqual((self.value(order), order.amount_total), (300, 300))
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual(order.amount_total, 300)

    def test_replaced_by_another_plan(self):
        """R8.8: 10 of an order, 25 of its invoice's replacement, 25 in all."""
        order = self.order(self.pack)
        invoice = self.bill(order)
        self.register(invoice)
        new = self.reverse(invoice, "modify_moves")
        new.invoice_line_ids.product_id = self.plan("Pack of 25", 99, "lifetime", 25)
        new.action_post()
        self.register(new)
        self.assertEqual((self.given(), self.value(order)), (25, 0))
        self.assertEqual(self.value(new.incident_order_ids), 99)

    def test_plan_changed_in_the_draft(self):
        """R8.8: an order of 10, and 25 on its invoice: 25 are sold, the 10 wait."""
        order = self.order(self.pack)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.product_id = self.plan("25", 99, "lifetime", 25)
        invoice.action_post()
        self.register(invoice)
        self.assertEqual(self.given(), 25)
        self.assertEqual(order.invoice_status, "to invoice")

    def test_further_lines_of_the_order(self):
        """R8.8: what is added to the order, and invoiced by it, stays."""
        invoice = self.typed(self.pack)
        order = invoice.incident_order_ids
        order.order_line = [
            Command.create({"product_id": product.id})
            for product in (self.service, self.months)
        ]
        self.register(self.bill(order))
        self.register(invoice)
        invoice.button_draft()
        invoice.action_post()
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [1, 1, 1])
        self.assertEqual((self.given(), self.targets(order)), (10, [10, 10, 10]))

    def test_removed_before_it_was_paid(self):
        """R8.8, R13.4: what was removed and never given is nothing to the check."""
        invoice = self.typed(self.pack, self.months)
        months = invoice.incident_order_ids.order_line[1]
        invoice.button_draft()
        invoice.invoice_line_ids[1].unlink()
        invoice.action_post()
        self.assertEqual((months.product_uom_qty, months.incident_units), (0, 0))

    # -- where and how it is posted -----------------------------------------------

    def test_in_another_company(self):
        """R8.8: posted by whoever works in another company, as the scheduled action
        does, it goes by the pricelists of its own."""
        other = self.env["res.company"].create(
            {"name": "Elsewhere", "currency_id": self.company.currency_id.id}
        )
        self.env.user.company_ids += other
        self.env["product.pricelist"].create(
            {
                "name": "Elsewhere",
                "company_id": other.id,
                "sequence": -1,
                "currency_id": other.currency_id.id,
            }
        )
        invoice = self.typed(self.pack, post=False)
        companies = [other.id, self.company.id]
        invoice.with_context(allowed_company_ids=companies).action_post()
        self.assertFalse(self.fault(invoice))
        self.assertTrue(invoice.incident_order_ids)

    def test_analytic(self):
        """R8.8: what orders must have, of analytic accounts, stops no invoice; what the
        line has, the order has."""
        plan = self.env["account.analytic.plan"].create(
            {
                "name": "Department",
                "applicability_ids": [
                    Command.create(
                        {"business_domain": "sale_order", "applicability": "mandatory"}
                    )
                ],
            }
        )
        account = self.env["account.analytic.account"].create(
            {"name": "Support", "plan_id": plan.id}
        )
        for distribution in (False, {str(account.id): 100}):
            line = {"product_id": self.pack.id, "analytic_distribution": distribution}
            invoice = self.typed(line, post=False)
            invoice.with_context(validate_analytic=True).action_post()
            self.assertFalse(self.fault(invoice))
            sold = invoice.incident_order_ids.order_line
            self.assertEqual(sold.analytic_distribution, distribution)

    def test_posted_by_itself(self):
        """R8.8, R9.9: posted by the scheduled action; OdooBot is nobody's contact."""
        invoice = self.typed(self.months, post=False)
        invoice.auto_post = "monthly"
        with self.enter_registry_test_mode():
            cron = self.env.ref("account.ir_cron_auto_post_draft_entry").sudo()
            cron.method_direct_trigger()
        self.assertEqual(invoice.state, "posted")
        order = invoice.incident_order_ids
        self.assertEqual(order.user_id, invoice.invoice_user_id)
        self.register(invoice)
        self.assertEqual(self.targets(order), [10, 10, 10])

    def test_two_at_once(self):
        """R8.8: two duplicates that are posted at once renew twice."""
        first = self.order(self.months)
        invoice = self.bill(first)
        self.register(invoice)
        day = {"invoice_date": "2027-04-11"}
        copies = invoice.copy(day) | invoice.copy(day)
        copies.action_post()
        for copy in copies:
            self.register(copy)
        self.assertEqual(self.targets(first), [10] * 9)

    def test_discounted_to_nothing(self):
        """R7.3, R8.8: a rebate of 50.00 on 50.00 makes it free, which waits."""
        rebate = {"name": "Rebate", "price_unit": -50, "tax_ids": []}
        invoice = self.typed(self.pack, rebate)
        self.assertEqual(self.given(), 0)
        self.assertTrue(self.fault(invoice.incident_order_ids))

    def test_archived_plan_among_sections(self):
        """R8.8: sections, notes, and a plan that was archived meanwhile."""
        invoice = self.typed(
            {"name": "Support", "display_type": "line_section"},
            self.pack,
            {"name": "Thank you", "display_type": "line_note"},
            post=False,
        )
        self.pack.product_tmpl_id.active = False
        invoice.action_post()
        self.register(invoice)
        self.assertFalse(self.fault(invoice))
        self.assertEqual(self.given(), 10)
