from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_charge import ChargeCommon


@tagged("post_install", "-at_install")
class TestChargeErrors(ChargeCommon):
    """Issue: one clear error in words, nothing half-posted."""

    def test_lock_dates(self):
        """Each lock is named; Odoo would post on a later day."""
        self.charge_product.taxes_id = self.company_data["default_tax_sale"]
        charge = self.charge(100)
        self.env["account.move"].search([("state", "=", "draft")]).unlink()
        for field, words in (
            ("fiscalyear_lock_date", "Global Lock Date.*Ask an accountant"),
            ("sale_lock_date", "Sales Lock Date.*Ask an accountant"),
            ("tax_lock_date", "Tax Return Lock Date.*Ask an accountant"),
            ("hard_lock_date", "Hard Lock Date.*Nobody can lift"),
        ):
            self.company[field] = "2027-04-11"
            with self.subTest(field=field):
                with self.assertRefused(words):
                    self.charge(50)
                with self.assertRefused(words):
                    self.edit(charge, 50)
                with self.assertRefused(words):
                    self.edit(charge, 150)
                with self.assertRefused(words):
                    self.refund(charge)
            if field != "hard_lock_date":
                self.company[field] = False

    def test_preview(self):
        """The dialog says beforehand what the change would say."""
        charge = self.charge(100)
        wizards = self.env["helpdesk.ticket.charge.wizard"].with_user(self.charger)
        values = {"ticket_id": self.charged_ticket.id, "charge_id": charge.id}

        def problem(amount):
            return wizards.create({**values, "amount": amount}).problem or ""

        self.assertFalse(problem(50))
        self.company.sale_lock_date = "2027-04-11"
        self.assertIn("Sales Lock Date", problem(50))
        self.assertIn("Sales Lock Date", problem(150))
        self.company.sale_lock_date = False
        charge.invoice_ids.button_draft()
        self.assertIn("in work", problem(50))
        charge.invoice_ids.action_post()
        self.refund(charge)
        self.assertIn("was refunded", problem(50))

    def test_tax_lock_without_taxes(self):
        """Nothing with taxes is posted, so that lock is none."""
        self.company.tax_lock_date = "2027-04-11"
        self.assertEqual(self.charge(50).amount, 50)

    def test_no_income_account(self):
        self.charge_product.categ_id = False
        self.charge_product.property_account_income_id = False
        self.company.income_account_id = False
        self.company_data["default_journal_sale"].default_account_id = False
        with self.assertRefused("no income account.*Ask an accountant"):
            self.charge(50)

    def test_archived_income_account(self):
        account = self.company_data["default_account_revenue"].copy()
        self.charge_product.property_account_income_id = account
        account.active = False
        with self.assertRefused(
            "accounting refuses it.*is archived.*Ask an accountant"
        ):
            self.charge(50)

    def test_no_journal(self):
        self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        ).active = False
        with self.assertRefused("no journal for sales.*Ask an accountant"):
            self.charge(50)

    def test_no_chart_of_accounts(self):
        company = self.env["res.company"].create({"name": "New"})
        self.charger.company_ids += company
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "A",
                "description": "A",
                "partner_id": self.contact.id,
                "company_id": company.id,
            }
        )
        with self.assertRefused("New has no journal for sales"):
            self.charge(50, ticket=ticket, by=self.charger.with_company(company))

    def test_archived_product(self):
        for product in (self.charge_product, self.service):
            self.company.incident_charge_product_id = (
                product if product == self.service else False
            )
            product.active = False
            with self.assertRefused(f"{product.name}.*is archived.*Ask a helpdesk"):
                self.charge(50)

    def test_product_deleted(self):
        self.charge_product.unlink()
        with self.assertRefused("has no product to charge with"):
            self.charge(50)

    def test_product_of_another_company(self):
        self.charge_product.company_id = self.env["res.company"].create({"name": "B"})
        with self.assertRefused("belongs to another company"):
            self.charge(50)

    def test_no_customer(self):
        self.charged_ticket.partner_id = False
        with self.assertRefused("Set the customer of the ticket first"):
            self.charge(50)

    def test_archived_customer(self):
        self.contact.active = False
        with self.assertRefused("Nora is archived"):
            self.charge(50)
        self.contact.active = True
        self.customer.active = False
        with self.assertRefused("Northwind is archived"):
            self.charge(50)

    def test_customer_without_address(self):
        """Odoo needs none: it works."""
        self.customer.write({"country_id": False, "street": False, "email": False})
        self.assertEqual(self.charge(50).amount, 50)

    def test_no_ticket(self):
        for ticket in (False, 0, 10**8):
            with self.subTest(ticket=ticket), self.assertRefused("Choose the ticket"):
                self.env["helpdesk.ticket.charge"].with_user(self.charger).create(
                    {"ticket_id": ticket, "name": "A", "amount": 5}
                )

    def test_currency_not_in_use(self):
        currency = self.env["res.currency"].create(
            {"name": "XOX", "symbol": "x", "active": False}
        )
        with self.assertRefused("currency that is in use"):
            self.charge(50, currency_id=currency.id)

    def test_accounting_refuses(self):
        """Whatever else: in one sentence."""
        self.company_data["default_account_receivable"].active = False
        self.customer.with_company(
            self.company
        ).property_account_receivable_id = self.company_data[
            "default_account_receivable"
        ]
        with self.assertRefused("Nothing was charged.*Ask an accountant"):
            self.charge(50)

    def test_second_of_two_fails(self):
        """Two invoices to be credited, and the second cannot be: none is."""
        charge = self.charge(100)
        self.edit(charge, 150)
        moves = type(self.env["account.move"])
        post, posted = moves.action_post, []

        def fail(move):
            if posted:
                raise UserError(move.env._("The printer is on fire."))
            posted.append(move)
            return post(move)

        self.patch(moves, "action_post", fail)
        with self.assertRefused("accounting refuses it: The printer is on fire. Ask"):
            self.refund(charge)
        self.assertTrue(posted)
        self.assertEqual((charge.state, charge.amount), ("charged", 150))

    def test_caught(self):
        """Code that goes on after the error has nothing half-posted."""
        charges = self.env["helpdesk.ticket.charge"].with_user(self.charger)
        self.patch(
            type(self.env["account.move"]),
            "js_assign_outstanding_line",
            lambda *args: 1 / 0,
        )
        self.pay(10)
        before = self.env["account.move"].search_count([])
        # Not assertRaises: Odoo's makes a savepoint of its own.
        caught = None
        try:
            charges.create(
                {"ticket_id": self.charged_ticket.id, "name": "A", "amount": 5}
            )
        except ZeroDivisionError as error:
            caught = error
        self.assertTrue(caught)
        self.env.invalidate_all()
        self.assertEqual(self.env["account.move"].search_count([]), before)
        self.assertFalse(self.charged_ticket.charge_ids)
