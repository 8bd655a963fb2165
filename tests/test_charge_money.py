import os
import random
from itertools import product

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_charge import ChargeCommon

#: Amounts that are hard to reach from a price.
AMOUNTS = (0.03, 0.99, 1, 9.99, 19.9, 33.33, 100, 1234.57, 99999.99)
EVERY_COMBINATION = bool(os.environ.get("PAID_SUPPORT_EXAMPLES"))


@tagged("post_install", "-at_install")
class TestChargeTaxes(ChargeCommon):
    """R10.1: to the cent, whatever the taxes are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.t19 = cls._tax("19 %", 19)
        cls.t7_included = cls._tax(
            "7 % incl.", 7, price_include_override="tax_included"
        )
        cls.t5 = cls._tax("5 %", 5)
        cls.t9975 = cls._tax("9.975 %", 9.975)
        cls.compound = cls._tax("10 % on top", 10, sequence=1, include_base_amount=True)
        cls.deposit = cls._tax("A fixed 0.25", 0.25, amount_type="fixed", sequence=0)
        cls.division = cls._tax("10 % of the total", 10, amount_type="division")
        cls.reverse = cls._tax(
            "21 % reverse charge",
            21,
            invoice_repartition_line_ids=cls._reverse_charge(),
            refund_repartition_line_ids=cls._reverse_charge(),
        )
        cls.group = cls.env["account.tax"].create(
            {
                "name": "A group",
                "amount_type": "group",
                "children_tax_ids": [Command.set((cls.t5 + cls.t9975).ids)],
            }
        )
        cls.sets = {
            "none": cls.t19.browse(),
            "one": cls.t19,
            "included": cls.t7_included,
            "two": cls.t5 + cls.t9975,
            "mixed": cls.t19 + cls.t7_included,
            "compound": cls.compound + cls.t19,
            "fixed": cls.deposit + cls.t19,
            "division": cls.division,
            "reverse": cls.reverse,
            "group": cls.group,
            "many": cls.compound + cls.t5 + cls.t9975 + cls.t7_included,
        }

    @classmethod
    def _tax(cls, name, amount, **values):
        return cls.env["account.tax"].create(
            {"name": name, "amount": amount, "type_tax_use": "sale", **values}
        )

    @classmethod
    def _reverse_charge(cls):
        return [
            Command.create({"repartition_type": "base"}),
            Command.create({"repartition_type": "tax", "factor_percent": 100}),
            Command.create({"repartition_type": "tax", "factor_percent": -100}),
        ]

    def _currency(self, decimals):
        return self.env["res.currency"].create(
            {
                "name": f"X{decimals}X",
                "symbol": "¤",
                "rounding": 10**-decimals,
                "rate_ids": [Command.create({"name": "2027-01-01", "rate": 1.37})],
            }
        )

    def assertTaxesGone(self, charge):
        """Check that the documents of a refunded charge leave nothing in any account,
        for any tax."""
        items = self.env["account.move.line"]._read_group(
            [("move_id", "in", charge.invoice_ids.ids)],
            ["account_id", "tax_line_id"],
            ["amount_currency:sum"],
        )
        for account, tax, amount in items:
            self.assertAlmostEqual(amount, 0, 6, (account.name, tax.name))

    def _check(self, charge, amount, name):
        document = charge.invoice_ids[-1]
        self.assertEqual(
            charge.currency_id.compare_amounts(document[name], amount),
            0,
            f"{document[name]} for {amount}",
        )
        # What is printed adds up, and is what is in the books.
        totals = document.tax_totals
        self.assertAlmostEqual(totals["total_amount_currency"], document.amount_total)
        self.assertAlmostEqual(totals["base_amount_currency"], document.amount_untaxed)
        self.assertAlmostEqual(sum(document.line_ids.mapped("balance")), 0)
        receivable = document._incident_receivable()
        self.assertAlmostEqual(
            sum(receivable.mapped("amount_currency")), document.amount_total
        )

    def _combinations(self):
        """Yield rounding, taxes and mode: each set of taxes with one rounding and in
        one mode, all four in turn, or in all four ways."""
        ways = tuple(product(("round_per_line", "round_globally"), (True, False)))
        for number, (kind, taxes) in enumerate(self.sets.items()):
            for way, (method, included) in enumerate(ways):
                if EVERY_COMBINATION or way == number % len(ways):
                    yield method, kind, taxes, included

    def test_combinations(self):
        """R10.1: taxes × rounding × mode, over amounts; edited and refunded."""
        randomly = random.Random(10)
        for method, kind, taxes, included in self._combinations():
            self.analyze()
            self.company.tax_calculation_rounding_method = method
            self.company.incident_charge_tax_included = included
            self.charge_product.taxes_id = taxes
            name = "amount_total" if included else "amount_untaxed"
            amounts = (0.99, randomly.choice(AMOUNTS[2:]))
            for amount in amounts if EVERY_COMBINATION else amounts[1:]:
                with self.subTest(
                    method=method, kind=kind, included=included, amount=amount
                ):
                    charge = self.charge(amount)
                    self._check(charge, amount, name)
                    self.assertEqual(charge.amount, amount)
            with self.subTest(method=method, kind=kind, included=included):
                less = round(amount * 0.7, 2)
                self.edit(charge, less)
                self.assertEqual(charge.amount, less)
                self.refund(charge)
                self.assertEqual(charge.amount, 0)
                self.assertEqual(charge.amount_total, 0)
                self.assertTaxesGone(charge)

    def test_small_amounts(self):
        """R10.1: 19 % has no price for 0.03."""
        self.charge_product.taxes_id = self.t19
        for cents in range(1, 60, 4):
            with self.subTest(cents=cents):
                charge = self.charge(cents / 100)
                self.assertEqual(charge.invoice_ids.amount_total, cents / 100)

    def test_currencies(self):
        """R10.1: with 0, 2 and 3 decimals; the books balance at the rate of today."""
        self.charge_product.taxes_id = self.t19
        for decimals, amount in ((0, 1001), (2, 10.01), (3, 10.125)):
            for kind in ("one", "included", "none"):
                self.charge_product.taxes_id = self.sets[kind]
                with self.subTest(decimals=decimals, kind=kind):
                    currency = self.env["res.currency"].search(
                        [("name", "=", f"X{decimals}X")]
                    ) or self._currency(decimals)
                    charge = self.charge(amount, currency_id=currency.id)
                    self._check(charge, amount, "amount_total")
                    self.edit(charge, 2)
                    self.refund(charge)
                    self.assertTaxesGone(charge)

    def test_fiscal_position(self):
        """R10.2: the customer's fiscal position maps the taxes, or removes them."""
        abroad, none = self.env["account.fiscal.position"].create(
            [{"name": "Abroad"}, {"name": "No taxes"}]
        )
        self.charge_product.taxes_id = self.t19
        self.t5.write(
            {
                "original_tax_ids": [Command.set(self.t19.ids)],
                "fiscal_position_ids": [Command.set(abroad.ids)],
            }
        )
        for position, taxes in ((abroad, self.t5), (none, self.t5.browse())):
            with self.subTest(position=position.name):
                self.customer.with_company(
                    self.company
                ).property_account_position_id = position
                invoice = self.charge(33.33).invoice_ids
                self.assertEqual(invoice.fiscal_position_id, position)
                self.assertEqual(invoice.invoice_line_ids.tax_ids, taxes)
                self.assertEqual(invoice.amount_total, 33.33)

    def test_credited_with_the_taxes_of_the_invoice(self):
        """R10.4: whatever the product and the setting say today."""
        self.charge_product.taxes_id = self.t19
        charge = self.charge(119)
        self.charge_product.taxes_id = self.t5
        self.company.incident_charge_tax_included = False
        self.edit(charge, 59.5)
        note = charge.invoice_ids.sorted("id")[-1]
        self.assertEqual((note.amount_total, note.amount_tax), (59.5, 9.5))
        self.assertEqual(note.invoice_line_ids.tax_ids, self.t19)
        self.edit(charge, 100)
        more = charge.invoice_ids.sorted("id")[-1]
        self.assertEqual((more.amount_total, more.amount_tax), (40.5, 1.93))
        self.refund(charge)
        self.assertEqual(self.documents(charge), [119, -59.5, 40.5, -40.5, -59.5])
        self.assertTaxesGone(charge)

    def test_less_than_the_fixed_taxes(self):
        """R10.1: what cannot be reached is refused."""
        self.charge_product.taxes_id = self.deposit
        with self.assertRefused("less than the taxes"):
            self.charge(0.2)

    def test_plus_tax(self):
        """R10.1: the company setting."""
        self.charge_product.taxes_id = self.t19
        self.company.incident_charge_tax_included = False
        charge = self.charge(100)
        self.assertEqual((charge.amount, charge.amount_total), (100, 119))

    def test_payment_terms(self):
        """R10.2: those of the customer; an early discount changes no total."""
        self.charge_product.taxes_id = self.t19
        half = self.env["account.payment.term"].create(
            {
                "name": "Two halves",
                "line_ids": [
                    Command.create(
                        {"value": "percent", "value_amount": 50, "nb_days": days}
                    )
                    for days in (0, 30)
                ],
            }
        )
        self.customer.property_payment_term_id = half
        self.contact.property_payment_term_id = half
        self.pay(30)
        charge = self.charge(100)
        self.assertEqual(charge.invoice_ids.invoice_payment_term_id, half)
        self.assertEqual((charge.amount_due, charge.payment_state), (70, "partial"))
        self.refund(charge)
        self.assertEqual(self.money(), 30)

    def test_early_discount_of_taxes(self):
        """R10.1: terms that reduce the taxes at once come to the amount, or nothing is
        posted."""
        self.charge_product.taxes_id = self.t19
        term = self.env["account.payment.term"].create(
            {
                "name": "2 % within 10 days, taxes always reduced",
                "early_discount": True,
                "discount_percentage": 2,
                "discount_days": 10,
                "early_pay_discount_computation": "mixed",
                "line_ids": [
                    Command.create(
                        {"value": "percent", "value_amount": 100, "nb_days": 30}
                    )
                ],
            }
        )
        self.customer.property_payment_term_id = term
        self.contact.property_payment_term_id = term
        with self.assertRefused("would come to .* payment terms"):
            self.charge(100)


@tagged("post_install", "-at_install")
class TestChargeMoney(ChargeCommon):
    """R10.2: settled from outstanding credits."""

    def test_no_credit(self):
        """R10.2: the rest stays due; the account balance is below zero."""
        charge = self.charge(100)
        self.assertEqual((charge.amount_due, charge.payment_state), (100, "not_paid"))
        self.assertEqual(self.money(), -100)
        self.refund(charge)
        self.assertEqual(self.money(), 0)
        self.assertEqual(charge.payment_state, "refunded")
        self.assertEqual(charge.amount_due, 0)

    def test_more_than_enough(self):
        """R10.2"""
        self.pay(250)
        charge = self.charge(100)
        self.assertEqual((charge.amount_due, charge.payment_state), (0, "paid"))
        self.assertEqual(self.money(), 150)

    def test_partial(self):
        """R10.2"""
        self.pay(30)
        charge = self.charge(100)
        self.assertEqual((charge.amount_due, charge.payment_state), (70, "partial"))
        self.assertEqual(self.money(), -70)
        self.assertIn("$ 30.00 was paid from the account balance", self.history())

    def test_oldest_first(self):
        """R10.2"""
        late = self.pay(50, date="2027-04-10")
        early = self.pay(50, date="2027-04-01")
        self.charge(60)
        for payment, left in ((early, 0), (late, -40)):
            items = payment.move_id._incident_receivable()
            self.assertEqual(items.amount_residual, left)

    def test_held_money(self):
        """R1, R10.2: what was paid online for an order belongs to the order."""
        order = self.quotation(self.service)
        self.transaction(order)
        self.assertEqual(order.state, "sale")
        charge = self.charge(30)
        self.assertEqual((charge.amount_due, self.money()), (30, -30))

    def test_overdue_invoice(self):
        """R10.2: nothing is blocked; credits pay the charge, not what is overdue."""
        with freeze_time("2027-01-01"):
            overdue = self.init_invoice(
                "out_invoice", self.customer, amounts=[500], post=True
            )
        self.pay(100)
        charge = self.charge(60)
        self.assertEqual(charge.payment_state, "paid")
        self.assertEqual(overdue.amount_residual, 500)
        self.assertEqual(self.money(), 100 - 500 - 60)

    def test_credits_in_other_currencies(self):
        """R10.2"""
        other = self.setup_other_currency("EUR", rates=[("2027-01-01", 2.0)])
        self.pay(100, currency_id=other.id)
        charge = self.charge(80)
        self.assertEqual((charge.amount_due, charge.payment_state), (30, "partial"))
        foreign = self.charge(80, currency_id=other.id)
        self.assertEqual((foreign.amount_due, self.money()), (80, -70))
        self.assertEqual(self.charged_ticket.charge_amount, 120)

    def test_credit_on_another_account(self):
        """R10.2: it cannot be reconciled, and is left alone."""
        self.pay(100)
        other = self.company_data["default_account_receivable"].copy()
        self.customer.with_company(self.company).property_account_receivable_id = other
        charge = self.charge(80)
        self.assertEqual((charge.amount_due, self.money()), (80, 20))

    def test_credit_notes_pay_own_invoices_first(self):
        """R10.4: what is open of the charge, before it is anybody's balance."""
        self.pay(100)
        charge = self.charge(100)
        self.edit(charge, 150)
        self.assertEqual(charge.amount_due, 50)
        self.edit(charge, 80)
        # 50 off the second invoice, 20 off the first one.
        self.assertEqual(self.documents(charge), [100, 50, -50, -20])
        self.assertEqual((charge.amount_due, charge.payment_state), (0, "paid"))
        self.assertEqual(self.money(), 20)

    def test_refund_half_paid(self):
        """R10.4: what was paid is the customer's balance again."""
        self.pay(30)
        charge = self.charge(100)
        self.refund(charge)
        self.assertEqual(charge.invoice_ids.mapped("amount_residual"), [30, 0])
        self.assertEqual(self.money(), 30)

    def test_accountants_credit_note(self):
        """R10.4: it counts, and Refund credits what it has left."""
        charge = self.charge(100)
        note = self.reverse(charge.invoice_ids, post=False)
        note.invoice_line_ids.price_unit = 30
        self.assertEqual(note.ticket_charge_id, charge)
        self.assertEqual(charge.amount, 100)
        with self.assertRefused("accountant has a document"):
            self.refund(charge)
        note.action_post()
        self.assertEqual(charge.amount, 70)
        self.assertIn("was posted in accounting", self.history())
        self.refund(charge)
        self.assertEqual(self.documents(charge), [100, -30, -70])

    def test_accountant_credits_all(self):
        """R10.4: the charge is refunded then."""
        charge = self.charge(100)
        self.reverse(charge.invoice_ids)
        self.assertEqual((charge.state, charge.payment_state), ("refunded",) * 2)
        self.refund(charge)
        self.assertEqual(self.documents(charge), [100, -100])

    def test_accountant_replaces_the_invoice(self):
        """R10.4: the new invoice counts in the place of the old one."""
        charge = self.charge(100)
        invoice = self.reverse(charge.invoice_ids, method="modify_moves")
        self.assertEqual((invoice.ticket_charge_id, charge.amount), (charge, 0))
        invoice.action_post()
        self.assertEqual((charge.amount, charge.state), (100, "charged"))
        self.assertEqual(self.documents(charge), [100, -100, 100])

    def test_paid_later(self):
        """R10.3: paid by whatever means."""
        charge = self.charge(100)
        self.register(charge.invoice_ids, amount=40)
        self.assertEqual((charge.amount_due, charge.payment_state), (60, "partial"))
        self.register(charge.invoice_ids)
        self.assertEqual((charge.amount_due, charge.payment_state), (0, "paid"))

    def test_line_and_reference(self):
        """R10.2: product, what for, ticket number, invoice address, salesperson."""
        address = self.env["res.partner"].create(
            {"name": "Books", "type": "invoice", "parent_id": self.customer.id}
        )
        invoice = self.charge(100).invoice_ids
        number = self.charged_ticket.number
        self.assertEqual(invoice.partner_id, address)
        self.assertEqual((invoice.ref, invoice.invoice_origin), (number, number))
        line = invoice.invoice_line_ids
        self.assertEqual(line.product_id, self.charge_product)
        self.assertEqual(line.name, f"Restore (ticket {number})")
        self.assertEqual((line.quantity, line.discount), (1, 0))

    def test_other_product(self):
        """R10.2: of the settings, with its account."""
        account = self.company_data["default_account_revenue"].copy()
        self.service.property_account_income_id = account
        self.company.incident_charge_product_id = self.service
        line = self.charge(100).invoice_ids.invoice_line_ids
        self.assertEqual((line.product_id, line.account_id), (self.service, account))

    def test_no_discount(self):
        """R10.1: no pricelist counts."""
        self.customer.property_product_pricelist = self.env["product.pricelist"].create(
            {
                "name": "Half price",
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 50})
                ],
            }
        )
        self.assertEqual(self.charge(100).amount_total, 100)

    def test_analytic_distribution(self):
        """R10.2: of the ticket's team, if it has one; on credit notes, too."""
        plan = self.env["account.analytic.plan"].create({"name": "Teams"})
        account = self.env["account.analytic.account"].create(
            {"name": "Support", "plan_id": plan.id}
        )
        self.charged_ticket.team_id = self.env["helpdesk.ticket.team"].create(
            {"name": "Support", "analytic_distribution": {str(account.id): 100}}
        )
        charge = self.charge(100)
        self.edit(charge, 60)
        items = self.env["account.analytic.line"].search(
            [("auto_account_id", "=", account.id)]
        )
        self.assertEqual(sorted(items.mapped("amount")), [-40, 100])
