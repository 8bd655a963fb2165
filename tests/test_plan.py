from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .common_sale import SaleCommon


@tagged("post_install", "-at_install")
class TestPlan(SaleCommon):
    """R8.1, R8.2, R8.7: what a plan is, and what was sold."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        attribute = cls.env["product.attribute"].create(
            {
                "name": "Term",
                "value_ids": [
                    Command.create({"name": name})
                    for name in ("1 month", "3 months", "Lifetime")
                ],
            }
        )
        cls.support = cls.env["product.template"].create(
            {
                "name": "Standard support",
                "type": "service",
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
        cls.month, cls.quarter, cls.ever = cls.support.product_variant_ids
        cls.month.write(
            {
                "incident_kind": "period",
                "incident_quantity": 10,
                "incident_term_months": 1,
            }
        )
        cls.quarter.write(
            {
                "incident_kind": "period",
                "incident_quantity": 10,
                "incident_term_months": 3,
            }
        )
        cls.ever.write({"incident_kind": "lifetime", "incident_quantity": 1})

    def test_words(self):
        """R8.1: a sentence says what a customer gets."""
        for kind, number, months, words in (
            ("none", 5, 3, False),
            ("lifetime", 1, 0, "1 lifetime incident"),
            ("lifetime", 25, 0, "25 lifetime incidents"),
            ("period", 10, 3, "10 incidents every month for 3 months"),
            ("period", 1, 12, "1 incident every month for 12 months"),
            ("period", 10, 1, "10 incidents for 1 month"),
        ):
            self.assertEqual(
                self.env["product.product"]._incident_words(kind, number, months), words
            )
        self.assertEqual(
            self.support.incident_description.splitlines(),
            [
                "1 month: 10 incidents for 1 month",
                "3 months: 10 incidents every month for 3 months",
                "Lifetime: 1 lifetime incident",
            ],
        )

    def test_bad_input(self):
        """R8.1: a whole number of incidents, a term of 1 to 120 months."""
        for values in (
            {"incident_kind": "lifetime", "incident_quantity": 0},
            {"incident_kind": "lifetime", "incident_quantity": -1},
            {"incident_kind": "period", "incident_quantity": 1},
            {"incident_term_months": 0},
            {"incident_term_months": -1},
            {"incident_term_months": 121},
            {"incident_term_months": 1.5},
            {"incident_quantity": 1.5},
            {"incident_quantity": "ten"},
            {"incident_quantity": 10**12},
        ):
            product = self.service if "incident_kind" in values else self.months
            for record in (product, product.product_tmpl_id):
                with self.subTest(values=values), self.assertRaises(UserError):
                    record.write(values)
        with self.assertRaises(ValidationError):
            self.plan("Bad", 1, "period", 10, 0)
        self.months.product_tmpl_id.incident_term_months = 120
        self.assertEqual(self.months.incident_term_months, 120)
        self.assertEqual(self.months.incident_quantity, 10)

    def test_policy(self):
        """R8.1: plans are invoiced on ordered quantities."""
        with self.assertRaisesRegex(ValidationError, "Ordered quantities"):
            self.pack.invoice_policy = "delivery"
        self.service.invoice_policy = "delivery"
        with self.assertRaisesRegex(ValidationError, "Ordered quantities"):
            self.service.write({"incident_kind": "lifetime", "incident_quantity": 1})

    def test_form(self):
        """R8.1: an office worker makes a plan."""
        with Form(self.env["product.template"]) as form:
            form.name = "Pack of 5"
            form.incident_kind = "lifetime"
            form.incident_quantity = 5
        template = form.record
        self.assertEqual((template.type, template.invoice_policy), ("service", "order"))
        self.assertEqual(template.product_variant_id.incident_quantity, 5)
        self.assertEqual(template.incident_description, "5 lifetime incidents")
        copy = template.copy()
        self.assertEqual(copy.product_variant_id.incident_quantity, 5)
        self.assertIn(
            template,
            self.env["product.template"].search([("incident_kind", "=", "lifetime")]),
        )

    def test_variants(self):
        """R8.1: each variant is a plan of its own."""
        order = self.quotation(self.quarter, self.ever)
        self.transaction(order)
        self.assertEqual((self.given(), self.targets(order)), (1, [10, 10, 10]))

    def test_quantity(self):
        """R8.2: a whole number, 1 or more."""
        order = self.quotation(self.pack, self.service)
        line = order.order_line[0]
        for quantity in (1.5, 0, -1, 0.99):
            with self.subTest(quantity=quantity):
                with self.assertRaisesRegex(ValidationError, "whole units, 1 or more"):
                    line.product_uom_qty = quantity
                with self.assertRaisesRegex(ValidationError, "whole units, 1 or more"):
                    self.quotation(self.pack, quantity=quantity)
        with self.assertRaisesRegex(ValidationError, "at most 1,000,000,000"):
            line.product_uom_qty = 200_000_000
        order.order_line[1].product_uom_qty = 1.5
        dozen = self.env.ref("uom.product_uom_dozen")
        with self.assertRaisesRegex(ValidationError, "whole units, 1 or more"):
            line.write({"product_uom_id": dozen.id, "product_uom_qty": 0.3})
        line.write({"product_uom_id": dozen.id, "product_uom_qty": 0.25})
        self.transaction(order)
        self.assertEqual(self.given(), 30)

    def test_sold_as_it_was_sold(self):
        """R8.7: a change of the plan changes nothing that is quoted or sold."""
        sold = self.quotation(self.pack, self.months)
        self.transaction(sold)
        offered = self.quotation(self.pack)
        self.pack.write({"incident_quantity": 25, "list_price": 1})
        self.months.write({"incident_quantity": 1, "incident_term_months": 12})
        with self.assertNothingChanges():
            sold._incident_changed()
        payment = sold.transaction_ids.payment_id
        payment.action_draft()
        payment.action_post()
        self.assertEqual((self.given(), self.targets(sold)), (10, [10, 10, 10]))
        self.pack.write({"incident_kind": "none"})
        self.transaction(offered)
        self.assertEqual(self.given(), 20)
        self.assertFalse(self.quotation(self.pack).order_line.incident_kind)

    def test_sold_lines_cannot_change(self):
        """R8.7: nor does what is sold change by itself."""
        order = self.quotation(self.pack)
        self.transaction(order)
        line = order.order_line
        dozen = self.env.ref("uom.product_uom_dozen")
        for values in (
            {"product_uom_qty": 2},
            {"product_uom_id": dozen.id},
            {"product_id": self.months.id},
        ):
            with self.assertRaisesRegex(UserError, "cannot change any more|product"):
                line.write(values)
        line.write({"product_uom_qty": 1, "name": "Ten incidents"})
        order._action_cancel()
        order.action_draft()
        with self.assertRaisesRegex(UserError, "cannot change any more"):
            line.product_uom_qty = 2
        other = self.env["res.partner"].create({"name": "Other"})
        with self.assertRaisesRegex(UserError, "about incidents of"):
            order.partner_id = other

    def test_numbers_of_a_line_are_closed(self):
        """R14, R8.7: over no interface."""
        order = self.quotation(self.pack)
        self.transaction(order)
        for values in (
            {"incident_quantity": 100},
            {"incident_term_months": 9},
            {"incident_kind": "period"},
            {"incident_account_id": False},
        ):
            with self.assertRaisesRegex(UserError, "follows from what happens"):
                order.order_line.write(values)
            with self.assertRaises(UserError):
                self.env["sale.order.line"].create(
                    {"order_id": order.id, "product_id": self.pack.id, **values}
                )
        with self.assertRaises(UserError):
            order.incident_grant_on = "confirmed"
        line = (
            self.env["sale.order.line"]
            .with_context(default_incident_quantity=500, incident_protected=True)
            .create({"order_id": self.quotation().id, "product_id": self.pack.id})
        )
        self.assertEqual(line.incident_quantity, 10)

    def test_deleting(self):
        """R8.7: a plan in use is archived, not deleted; it is said in words."""
        order = self.quotation(self.pack)
        for record in (self.pack, self.pack.product_tmpl_id):
            with self.assertRaisesRegex(UserError, "Archive it instead"):
                record.unlink()
        self.pack.product_tmpl_id.active = False
        self.transaction(order)
        self.assertEqual(self.given(), 10)
        self.support.unlink()

    def test_description(self):
        """R8.6: lines, invoices and their descriptions say what was bought."""
        self.customer.lang = "en_US"
        order = self.quotation(self.months, self.pack, quantity=2)
        line, pack_line = order.order_line
        self.assertIn("10 incidents every month for 3 months", line.name)
        self.assertEqual(
            line.incident_note,
            "20 incidents every month for 3 months, from the day of payment",
        )
        self.assertEqual(pack_line.incident_note, "20 lifetime incidents")
        self.assertFalse(self.quotation(self.pack).order_line.incident_note)
        order.action_confirm()
        invoice = self.bill(order)
        item = invoice.invoice_line_ids[0]
        self.assertIn("10 incidents every month for 3 months", item.name)
        self.assertIn("from the day of payment", item.incident_note)
        self.register(invoice)
        term = "20 incidents every month for 3 months, Apr 11, 2027 – Jul 10, 2027"
        self.env.invalidate_all()
        self.assertEqual(line.incident_note, term)
        self.assertEqual(item.incident_note, term)
        for report, record in (
            ("account.account_invoices", invoice),
            ("sale.action_report_saleorder", order),
        ):
            html = self.env["ir.actions.report"]._render_qweb_html(report, record.ids)
            self.assertIn(term, html[0].decode(), report)

    def test_description_of_what_is_paid_already(self):
        """R8.6: the days are part of the description, and said once."""
        self.customer.lang = "en_US"
        order = self.quotation(self.months)
        self.assertEqual(order.order_line.incident_note, "from the day of payment")
        self.transaction(order)
        item = self.bill(order).invoice_line_ids
        self.assertEqual(
            item.name.splitlines()[-2:],
            [
                "10 incidents every month for 3 months",
                "Apr 11, 2027 – Jul 10, 2027",
            ],
        )
        self.assertFalse(item.incident_note)
