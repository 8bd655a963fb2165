from lxml import etree

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common_unearned import UnearnedCommon


@tagged("post_install", "-at_install")
class TestUnearned(UnearnedCommon):
    # -- lifetime ----------------------------------------------------------

    def test_unit_value(self):
        """R12.4: unit value = price paid without tax ÷ incidents bought."""
        self.paid(self.quotation(self.pack))
        self.use(3)
        self.assertEqual(self.positions(), [(10, 3, 0, 7, 35)])
        [row] = self.rows()
        self.assertEqual(
            (row.unit_value, row.amount, row.amount_used, row.product_id),
            (5, 50, 15, self.pack),
        )
        self.assertAgrees()

    def test_without_tax(self):
        """R12.4"""
        self.pack.taxes_id = self.tax_sale_a  # 15 %
        self.paid(self.quotation(self.pack))
        [row] = self.rows()
        self.assertEqual(row.amount, 50)

    def test_first_in_first_out(self):
        """R12.4: free ones are worth 0, and used in their turn."""
        account = self.incident_account()
        account._adjust(2, "A gift")
        self.paid(self.quotation(self.pack))
        account._adjust(1, "Another gift")
        self.pack.list_price = 80
        self.paid(self.quotation(self.pack))
        self.use(4)
        self.assertEqual(
            self.positions(),
            [(2, 2, 0, 0, 0), (10, 2, 0, 8, 40), (1, 0, 0, 1, 0), (10, 0, 0, 10, 80)],
        )
        self.use(10)
        self.assertEqual(self.unearned(), 72)
        self.assertAgrees()

    def test_a_return_restores_its_layer(self):
        """R12.4: although a later ticket has used another one since."""
        small = self.plan("Pack of 2", 20, "lifetime", 2)
        dear = self.plan("Dear pack of 2", 40, "lifetime", 2)
        self.paid(self.quotation(small))
        self.paid(self.quotation(dear))
        first = self.use(2)
        second = self.use(1)
        self.assertEqual(self.unearned(), 20)
        first.incident_count = 0
        self.assertEqual(self.positions(), [(2, 0, 0, 2, 20), (2, 1, 0, 1, 20)])
        self.use(1)
        self.assertEqual(self.positions(), [(2, 1, 0, 1, 10), (2, 1, 0, 1, 20)])
        second.incident_count = 0
        self.assertEqual(self.positions(), [(2, 1, 0, 1, 10), (2, 0, 0, 2, 40)])
        self.assertAgrees()

    def test_a_revocation_reduces_its_own_purchase(self):
        """R12.4: a credit note takes back what it credits, whatever was used."""
        self.paid(self.quotation(self.pack))
        self.pack.list_price = 80
        order = self.quotation(self.pack)
        self.paid(order)
        self.use(4)
        self.reverse(order.invoice_ids)
        self.assertEqual(self.positions(), [(10, 4, 0, 6, 30)])
        self.assertAgrees()

    def test_revoked_after_use(self):
        """R12.4: what was used before is used of what is left; nothing is owed."""
        order = self.quotation(self.pack)
        self.paid(order)
        self.use(4)
        self.reverse(order.invoice_ids)
        self.assertEqual((self.positions(), self.unearned()), ([], 0))
        self.paid(self.quotation(self.pack))
        self.assertEqual(self.positions(), [(10, 4, 0, 6, 30)])
        self.assertAgrees()

    def test_credited_in_part(self):
        """R12.4, R8.4: what remains paid is spread over what remains."""
        three = self.plan("Pack of 3", 100, "lifetime", 3)
        order = self.quotation(three)
        self.paid(order)
        self.use(1)
        note = self.reverse(order.invoice_ids, post=False)
        note.invoice_line_ids.price_unit = 50
        note.action_post()
        # 50 % of 3 is 1: the customer keeps 2, of which 1 is used.
        self.assertEqual(self.positions(), [(2, 1, 0, 1, 25)])
        self.assertAgrees()

    def test_goodwill(self):
        """R12.4, R8.4: the customer keeps them, and they are worth less."""
        order = self.quotation(self.pack)
        self.paid(order)
        self.use(2)
        self.reverse(order.invoice_ids, incident_goodwill=True)
        self.assertEqual(self.positions(), [(10, 2, 0, 8, 0)])
        self.assertAgrees()

    def test_credited_beyond_the_price(self):
        """R12.4: goodwill of 60.00 on 50.00, 4 of 10 used: what is beyond the price is
        lost, nothing used or left is worth less than 0.00."""
        order = self.quotation(self.pack)
        self.paid(order)
        self.use(4)
        with self.on("2027-05-03"):
            note = self.reverse(order.invoice_ids, post=False, incident_goodwill=True)
            note.invoice_line_ids.price_unit = 60
            note.action_post()
            [row] = self.rows()
            self.assertEqual(
                (row.amount, row.amount_used, row.amount_lapsed, row.amount_left),
                (-10, 0, -10, 0),
            )
            self.assertEqual((row.used, row.quantity_left), (4, 6))
            april, may = self.by_month("2027-04-01", "2027-05-31").sorted("date")
            self.assertEqual((april.amount_used, april.amount_closing), (20, 30))
            self.assertEqual(
                (may.amount, may.amount_used, may.amount_lapsed, may.amount_closing),
                (-60, -20, -10, 0),
            )
            self.assertAgrees()

    def test_term_credited_beyond_the_price(self):
        """R12.4: 90.00 for three months, 4 of 10 used, goodwill of 120.00: no month is
        worth less than 0.00, the ones to come neither."""
        subscription = self.bought()
        self.use(4)
        invoice = subscription.term_ids.sale_line_id.invoice_lines.move_id
        note = self.reverse(invoice, post=False, incident_goodwill=True)
        note.invoice_line_ids.price_unit = 120
        note.action_post()
        for day in ("2027-04-12", "2027-06-20", "2027-08-01"):
            with self.on(day):
                self.incident_account()._open_and_close()
                self.assertEqual(
                    [
                        (row.amount_used, row.amount_lapsed, row.amount_left)
                        for row in self.rows()
                    ],
                    [(0, -10, 0)] * 3,
                )
                self.assertAgrees()

    def test_present_after_taking_back(self):
        """R12.4: 3 of 10 paid incidents were taken back by hand in April, 3 given as a
        present in June: a present is worth 0.00, and June neither earns nor owes."""
        self.paid(self.quotation(self.pack))
        account = self.incident_account()
        account._adjust(-3, "Fraud")
        self.assertEqual(self.positions(), [(10, 0, 3, 7, 35)])
        with self.on("2027-06-08"):
            account._adjust(3, "A present")
            self.assertEqual(self.positions(), [(10, 0, 3, 7, 35), (3, 0, 0, 3, 0)])
            june = self.by_month("2027-06-01", "2027-06-30")
            self.assertEqual(june.mapped("amount_lapsed"), [0, 0])
            account._adjust(-4, "Taken back again")
            self.assertEqual(self.positions(), [(10, 0, 4, 6, 30)])
            self.assertAgrees()

    def test_corrected_on_the_same_day(self):
        """R12.4: 3 taken back in error and given again on the same day: as it was."""
        self.paid(self.quotation(self.pack))
        account = self.incident_account()
        account._adjust(-3, "An error")
        account._adjust(3, "Corrected")
        self.assertEqual(self.positions(), [(10, 0, 0, 10, 50)])
        self.assertAgrees()

    def test_taken_back_by_hand(self):
        """R7.1, R12.4: gifts first; beyond them, what was paid for lapses."""
        account = self.incident_account()
        self.paid(self.quotation(self.pack))
        account._adjust(3, "A gift")
        account._adjust(-2, "Too many")
        self.assertEqual(self.positions(), [(10, 0, 0, 10, 50), (1, 0, 0, 1, 0)])
        account._adjust(-3, "Fraud")
        self.assertEqual(self.positions(), [(10, 0, 2, 8, 40)])
        self.assertAgrees()

    def test_payment_undone_and_redone(self):
        """R3.4, R12.4"""
        payment = self.paid(self.quotation(self.pack))
        self.use(4)
        payment.action_draft()
        self.assertEqual(self.positions(), [])
        payment.action_post()
        self.assertEqual(self.positions(), [(10, 4, 0, 6, 30)])

    def test_cents(self):
        """R12.4: three for 100.00 are worth 33.33, 33.34 and 33.33."""
        three = self.plan("Pack of 3", 100, "lifetime", 3)
        self.paid(self.quotation(three))
        left = [self.unearned()]
        for _ticket in range(3):
            self.use(1)
            left.append(self.unearned())
            self.assertAgrees()
        self.assertEqual(left, [100, 66.67, 33.33, 0])

    def test_paid_online_not_invoiced(self):
        """R12.4: price paid, although there is no invoice."""
        self.transaction(self.quotation(self.pack))
        self.assertEqual(self.positions(), [(10, 0, 0, 10, 50)])

    def test_invoiced_not_paid(self):
        """R12.4: what was not given is not unearned incidents; the books defer it."""
        order = self.order(self.pack)
        self.bill(order)
        self.assertEqual(self.positions(), [])
        [month] = self.by_month("2027-04-01", "2027-04-11")
        self.assertEqual(
            (month.amount, month.amount_invoiced, month.amount_deferred), (0, 50, 50)
        )

    def test_discount(self):
        """R12.4: what was paid is less than the price, on the line or on its own."""
        order = self.quotation(self.pack)
        order.order_line.discount = 20
        order.order_line = [
            (
                0,
                0,
                {"name": "Friends", "product_id": self.service.id, "price_unit": -10},
            )
        ]
        self.paid(order)
        self.assertEqual(self.unearned(), 30)
        [month] = self.by_month("2027-04-01", "2027-04-11")
        self.assertEqual((month.amount_invoiced, month.amount_deferred), (30, 30))

    # -- periods -----------------------------------------------------------

    def test_term(self):
        """R12.4: periods not yet begun count in full; what is unused lapses."""
        subscription = self.bought()
        self.use(4)
        self.assertEqual(
            self.positions(),
            [(10, 4, 0, 6, 18), (10, 0, 0, 10, 30), (10, 0, 0, 10, 30)],
        )
        with self.on("2027-05-12"):
            self.use(1)
            self.assertAgrees(self.day("2027-04-30"))
            self.assertAgrees(self.day("2027-05-10"))
            self.assertEqual(
                self.positions(),
                [(10, 4, 6, 0, 0), (10, 1, 0, 9, 27), (10, 0, 0, 10, 30)],
            )
            # A past day, as it was then.
            self.assertEqual(self.unearned("2027-04-11"), 78)
            self.assertEqual(self.unearned("2027-05-09"), 78)
            # The end of the day on which they lapse.
            self.assertEqual(self.unearned("2027-05-10"), 60)
            self.assertEqual(self.unearned("2027-04-10"), 0)
        self.assertEqual(self.rows()[0].subscription_id, subscription)

    def test_nobody_has_closed_the_period(self):
        """R9.3, R12.4: the report never waits for the scheduled action."""
        self.bought()
        with self.on("2027-08-01"):
            self.assertEqual(
                self.positions(),
                [(10, 0, 10, 0, 0), (10, 0, 10, 0, 0), (10, 0, 10, 0, 0)],
            )

    def test_extra_incidents(self):
        """R9.4, R12.4: by product, the plan's incidents are used first."""
        subscription = self.bought()
        self.paid(subscription._order_extra(2))
        self.use(11)
        self.assertEqual(self.positions()[:2], [(10, 10, 0, 0, 0), (2, 1, 0, 1, 4)])
        self.assertEqual(self.unearned(product=self.extra), 20)
        self.assertEqual(self.unearned(product=self.months), 60)
        self.assertAgrees()

    def test_change_of_plan(self):
        """R9.6, R12.4: what is credited of the old plan leaves its value."""
        subscription = self.bought()
        self.paid(subscription._order_change(self.business))
        self.assertEqual(self.unearned(), 180)  # 30 of the old plan, 150 of the new
        self.assertEqual(self.unearned(product=self.business), 150)
        self.assertEqual(
            [row[:4] for row in self.positions()],
            [(10, 0, 0, 10), *[(20, 0, 0, 20)] * 3],
        )
        self.assertAgrees()

    def test_change_credited_beyond_its_price(self):
        """R9.6, R12.4: a change that is credited in full, and by a tenth again: what
        that gives back of its credit counts for the old plan, as in the books."""
        order = self.bought()._order_change(self.business)
        self.paid(order)
        invoice = order.invoice_ids
        self.reverse(invoice)
        again = self.reverse(invoice, post=False)
        for line in again.invoice_line_ids:
            line.price_unit *= 0.1
        again.action_post()
        self.assertEqual(
            {
                (row.product_id, row.amount, row.amount_invoiced, row.amount_deferred)
                for row in self.by_month("2027-04-01", "2027-04-30")
            },
            {(self.months, 96, 96, 96), (self.business, -15, -15, 0)},
        )
        self.assertAgrees()

    def test_credit_note_takes_the_last_periods(self):
        """R8.4, R12.4; a past day knows nothing of it."""
        subscription = self.bought()
        order = subscription.term_ids.sale_line_id.order_id
        with self.on("2027-05-15"):
            note = self.reverse(order.invoice_ids, post=False)
            note.invoice_line_ids.price_unit = 60
            note.action_post()
            # The first month is 10 for 30.00, the others are gone.
            self.assertEqual(self.unearned(), 0)
            self.assertEqual(self.positions(), [(10, 0, 10, 0, 0)])
            self.assertEqual(self.unearned("2027-05-14"), 60)
            self.assertEqual(self.unearned("2027-04-30"), 90)
            self.assertAgrees(self.day("2027-04-30"))
            self.assertAgrees()

    def test_cancelled_by_staff(self):
        """R9.8, R12.4: what is not paid back has lapsed; what is paid back has not."""
        subscription = self.bought()
        with self.on("2027-05-15"):
            self.use(2)
            subscription.with_user(self.manager).action_cancel()
            self.assertEqual(
                self.positions(),
                [(10, 0, 10, 0, 0), (10, 2, 8, 0, 0), (10, 0, 10, 0, 0)],
            )
            self.assertAgrees()
            self.assertEqual(self.unearned("2027-05-14"), 60)

    def test_returned_to_an_ended_period(self):
        """R5.3, R12.4: used, then lapsed; months that are closed stay as they were."""
        self.bought()
        ticket = self.use(4)
        with self.on("2027-06-02"):
            before = self.positions("2027-05-31")
            ticket.incident_count = 0
            self.assertEqual(self.positions("2027-05-31"), before)
            self.assertEqual(before[0], (10, 4, 6, 0, 0))
            self.assertEqual(self.positions()[0], (10, 0, 10, 0, 0))
            [june] = self.by_month("2027-06-01", "2027-06-02")
            self.assertEqual((june.amount_used, june.amount_lapsed), (-12, 12))

    def test_paid_late(self):
        """R9.4, R12.4: months that were missed are lifetime incidents."""
        subscription = self.bought()
        order = subscription._order_extra(2)
        with self.on("2027-05-15"):
            self.paid(order)
            rows = self.rows().filtered(lambda row: row.product_id == self.extra)
            self.assertEqual(
                sorted((row.kind, row.quantity, row.amount) for row in rows),
                [("lifetime", 2, 8), ("period", 2, 8), ("period", 2, 8)],
            )
            self.assertAgrees()

    # -- as it is in the books -------------------------------------------------

    def test_gift_taken_back_with_the_wizard(self):
        """R7.2, R12.4: it takes gifts back, whatever they were given with."""
        self.paid(self.quotation(self.pack))
        for quantity in (5, -5):
            self.env["helpdesk.incident.adjust"].with_company(self.company).with_user(
                self.manager
            ).create(
                {
                    "partner_ids": [Command.set(self.customer.ids)],
                    "quantity": quantity,
                    "reason": "A mistake",
                    "company_id": self.company.id,
                }
            ).action_apply()
        self.assertEqual(self.positions(), [(10, 0, 0, 10, 50)])

    def test_down_payment(self):
        """R12.4: income that is deferred, before the last invoice and after it."""
        order = self.order(self.pack)
        invoice = self.down_payment(order, "percentage", 100)
        self.settle_with(invoice, self.pay(50).move_id)
        self.assertEqual((self.books(), self.unearned(), self.deferred()), (50, 50, 50))
        self.use(4)
        self.assertEqual(self.deferred(), 30)
        self.bill(order)
        self.assertEqual((self.books(), self.unearned(), self.deferred()), (50, 30, 30))

    def test_down_payment_of_a_part(self):
        """R12.4: nothing is given yet; all of it is to be deferred."""
        order = self.order(self.pack, self.service)
        invoice = self.down_payment(order, "fixed", 45)
        self.settle_with(invoice, self.pay(45).move_id)
        # 50.00 of 90.00 are the pack's.
        self.assertEqual((self.unearned(), self.deferred()), (0, 25))

    def discounted(self):
        order = self.quotation(self.pack)
        order.order_line = [
            Command.create(
                {
                    "name": "Friends",
                    "product_id": self.service.id,
                    "price_unit": -10,
                    "tax_ids": [Command.clear()],
                }
            )
        ]
        self.paid(order)
        return order

    def test_discount_and_a_later_line(self):
        """R12.4: what is invoiced later changes nothing of before."""
        order = self.discounted()
        with self.on("2027-05-05"):
            order.order_line = [
                Command.create({"product_id": self.service.id, "price_unit": 50})
            ]
            self.assertEqual(self.deferred("2027-04-30"), 40)
            self.assertEqual((self.unearned(), self.deferred()), (40, 40))

    def test_discount_and_credit_note(self):
        """R12.4, R8.4: a credit note takes what it credits."""
        order = self.discounted()
        note = self.reverse(order.invoice_ids, post=False, incident_goodwill=True)
        note.invoice_line_ids.filtered(lambda line: line.price_unit < 0).unlink()
        note.invoice_line_ids.price_unit = 25
        note.action_post()
        self.assertEqual((self.books(), self.unearned(), self.deferred()), (15, 15, 15))

    def test_two_invoices(self):
        """R12.4, R8.3: one of two halves is paid."""
        order = self.quotation(self.pack, quantity=2)
        order.action_confirm()
        first = order._create_invoices()
        first.invoice_line_ids.quantity = 1
        first.action_post()
        self.settle_with(first, self.pay(50).move_id)
        second = self.bill(order)
        self.assertEqual(self.positions(), [(10, 0, 0, 10, 50)])
        self.assertEqual((self.books(), self.deferred()), (100, 100))
        self.settle_with(second, self.pay(50).move_id)
        self.assertEqual(self.positions(), [(10, 0, 0, 10, 50)] * 2)

    def test_goodwill_and_then_all_of_it(self):
        """R12.4: what was credited beyond the price is income at once."""
        order = self.quotation(self.pack)
        self.paid(order)
        note = self.reverse(order.invoice_ids, post=False, incident_goodwill=True)
        note.invoice_line_ids.price_unit = 5
        note.action_post()
        self.assertEqual((self.unearned(), self.deferred()), (45, 45))
        self.reverse(order.invoice_ids.filtered(lambda m: m.move_type == "out_invoice"))
        self.assertEqual((self.books(), self.unearned(), self.deferred()), (-5, 0, 0))

    def test_foreign_currency(self):
        """R12.4: in company currency, at the rates of the documents; what rates leave
        is income."""
        euro = self.setup_other_currency(
            "EUR", rates=[("2027-04-01", 2.0), ("2027-05-01", 4.0)]
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": euro.id, "company_id": self.company.id}
        )
        order = self.quotation(self.pack, pricelist_id=pricelist.id)
        order.order_line.price_unit = 100
        self.paid(order)
        self.assertEqual((self.books(), self.unearned(), self.deferred()), (50, 50, 50))
        with self.on("2027-05-05"):
            self.reverse(order.invoice_ids)
            self.assertEqual(self.positions(), [(0, 0, 0, 0, 0)])
            self.assertEqual(self.rows().amount_lapsed, 25)
            self.assertEqual((self.books(), self.deferred()), (25, 0))

    # -- by month ------------------------------------------------------------

    def test_a_month_without_anything(self):
        """R12.4: what was paid back has a row of its own."""
        transaction = self.transaction(self.quotation(self.pack))
        with self.on("2027-05-05"):
            transaction.payment_id.action_draft()
        with self.on("2027-06-05"):
            transaction.payment_id.action_post()
            self.assertEqual(
                [
                    (month.amount_opening, month.amount, month.amount_closing)
                    for month in self.assertChains("2027-04-01", "2027-06-05")
                ],
                [(0, 50, 50), (50, -50, 0), (0, 50, 50)],
            )

    def test_two_days_at_once(self):
        """R12.4: rows of several days can be read in one transaction."""
        self.bought()
        self.use(4)
        with self.on("2027-07-20"):
            reports = [
                self.env["helpdesk.incident.unearned"]
                .with_context(unearned_date=day)
                .with_company(self.company)
                .search([])
                for day in ("2027-04-30", "2027-05-31", "2027-06-30")
            ]
            self.assertEqual(
                [sum(report.mapped("amount_left")) for report in reports], [78, 60, 30]
            )

    def test_two_companies(self):
        """R2.3, R12.4: each company's rows lead to its own."""
        other = self.setup_other_company(name="Other")["company"]
        self.pack.product_tmpl_id.company_id = False
        self.paid(self.quotation(self.pack))
        account = self.account_model._of(self.customer, other, create=True)
        account._adjust(3, "A gift")
        report = self.env["helpdesk.incident.unearned"].with_context(
            allowed_company_ids=[self.company.id, other.id]
        )
        self.assertEqual(
            {row.company_id: row.quantity_left for row in report.search([])},
            {self.company: 10, other: 3},
        )
        months = self.env["helpdesk.incident.unearned.month"].with_context(
            allowed_company_ids=[self.company.id, other.id]
        )
        for month in months.search([]):
            action = month.action_open_positions()
            rows = report.with_context(**action["context"]).search(action["domain"])
            self.assertEqual(rows.company_id, month.company_id)

    def test_no_day(self):
        """R12.4: a clear error for whatever comes in."""
        for value in ("x", [1], 5, True, "1999-12-31"):
            with self.subTest(value=value), self.assertRaises(UserError):
                self.env["helpdesk.incident.unearned"].with_context(
                    unearned_date=value
                ).search([])

    def test_dialog(self):
        """R12.4: of the day, by allotment and by month."""
        self.bought()
        with self.on("2027-06-20"):
            wizard = (
                self.env["helpdesk.incident.unearned.wizard"]
                .with_company(self.company)
                .create({})
            )
            self.assertEqual(
                (str(wizard.date), str(wizard.date_from)), ("2027-05-31", "2027-01-01")
            )
            for action, field, amount in (
                (wizard.action_positions(), "amount_left", 60),
                (wizard.action_months(), "amount", 90),
            ):
                rows = self.env[action["res_model"]].with_context(**action["context"])
                rows = rows.with_company(self.company).search(action["domain"] or [])
                self.assertEqual(sum(rows.mapped(field)), amount)
                self.assertIn("2027", action["name"])

    def test_moments(self):
        """R12.4: what most reports are made for, by a click; by customer first, and
        from the report to that of another day."""
        self.company.write({"fiscalyear_last_month": "3", "fiscalyear_last_day": 31})
        with self.on("2027-06-20"):
            for moment, day in (
                ("today", "2027-06-20"),
                ("year", "2027-03-31"),
                ("month", "2027-05-31"),
            ):
                form = Form(
                    self.env["helpdesk.incident.unearned.wizard"].with_company(
                        self.company
                    )
                )
                form.moment = moment
                self.assertEqual(str(form.date), day)
            form.date = "2027-06-03"
            self.assertEqual(form.moment, "other")
            action = form.save().action_positions()
        self.assertTrue(action["context"]["search_default_group_partner"])
        again = self.env.ref(
            "helpdesk_paid_support.helpdesk_incident_unearned_wizard_action"
        )
        for name in ("unearned", "unearned.month"):
            view = self.env[f"helpdesk.incident.{name}"].get_view(view_type="list")
            [button] = etree.fromstring(view["arch"]).findall("header/button")
            self.assertEqual(button.get("name"), str(again.id))

    def test_open(self):
        """R12.4: from a row to the order, the gift's account, and the entries."""
        self.paid(self.quotation(self.pack))
        self.incident_account()._adjust(1, "A gift")
        bought, gift = self.rows().sorted("amount", reverse=True)
        self.assertEqual(bought.action_open_source()["res_id"], bought.order_id.id)
        self.assertEqual(
            gift.action_open_source()["res_model"], "helpdesk.incident.account"
        )
        action = bought.action_view_entries()
        entries = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(entries.mapped("quantity"), [1, 10])

    def test_months(self):
        """R12.4: opening + paid − used − lapsed = closing, and what is to be posted."""
        self.bought()
        self.use(4)
        with self.on("2027-07-20"):
            months = self.by_month("2027-04-01", "2027-07-20")
            self.assertEqual(
                [
                    (
                        str(month.date),
                        month.amount_opening,
                        month.amount,
                        month.amount_used,
                        month.amount_lapsed,
                        month.amount_closing,
                        month.amount_invoiced,
                        month.amount_deferred,
                    )
                    for month in months
                ],
                [
                    ("2027-04-30", 0, 90, 12, 0, 78, 90, 78),
                    ("2027-05-31", 78, 0, 0, 18, 60, 0, 60),
                    ("2027-06-30", 60, 0, 0, 30, 30, 0, 30),
                    ("2027-07-20", 30, 0, 0, 30, 0, 0, 0),
                ],
            )
            action = months[0].action_open_positions()
            rows = self.env[action["res_model"]].with_context(**action["context"])
            self.assertEqual(
                sum(rows.search(action["domain"]).mapped("amount_left")), 78
            )
            # R12.7: to the journal items.
            found = [
                self.env["account.move.line"].search(
                    month.action_open_invoiced()["domain"]
                )
                for month in months[:2]
            ]
            self.assertEqual([sum(items.mapped("credit")) for items in found], [90, 0])

    def test_groups_and_sums(self):
        """R12.4: by customer, product and expiry month."""
        self.bought()
        self.paid(self.quotation(self.pack))
        self.rows()
        groups = self.env["helpdesk.incident.unearned"]._read_group(
            [("company_id", "=", self.company.id)],
            ["partner_id", "product_id", "date_to:month"],
            ["amount_left:sum"],
        )
        self.assertEqual(
            {
                (product, day and day.month): amount
                for _who, product, day, amount in groups
            },
            {
                (self.pack, False): 50,
                (self.months, 5): 30,
                (self.months, 6): 30,
                (self.months, 7): 30,
            },
        )

    # -- customers, companies, people ----------------------------------------

    def test_expires_in(self):
        """R12.4: what lapses in 30, 60 and 90 days, with its value."""
        self.bought()
        self.paid(self.quotation(self.pack))
        self.use(4)
        left = {}
        for row in self.rows():
            left[row.expires_in] = left.get(row.expires_in, 0) + row.amount_left
        # May 10 is 29 days away, June 10 is 60, July 10 is 90.
        self.assertEqual(left, {"30": 18, "60": 30, "90": 30, "never": 50})
        later = self.rows("2027-05-10")
        self.assertEqual(sorted(later.mapped("expires_in")), ["0", "60", "90", "never"])

    def test_merged_customers(self):
        """R2.2: values move with the incidents."""
        other = self._customer("Southwind")
        self.paid(self.quotation(self.pack, customer=other))
        self.paid(self.quotation(self.pack))
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (other | self.customer).ids, self.customer
        )
        self.assertEqual(self.positions(), [(10, 0, 0, 10, 50)] * 2)
        self.assertAgrees()

    def test_merge_changes_no_past_day(self):
        """R12.4: A used 2 of 10 for 50.00 and B 2 of 10 for 130.00, earned 36.00 in
        April; merged on May 15 April says 36.00, and each ticket goes on from there."""
        other = self._customer("Southwind")
        dear = self.plan("Dear pack of 10", 130, "lifetime", 10)
        self.paid(self.quotation(dear, customer=other))
        self.paid(self.quotation(self.pack))
        self.incident_account(other)._adjust(-1, "Fraud")
        ticket = self.use(2, other)
        self.use(2)
        with self.on("2027-05-15"):
            said = [
                self.by_month("2027-04-01", "2027-04-30").mapped(name)
                for name in ("amount_used", "amount_lapsed", "amount_closing")
            ]
            self.assertEqual(sum(said[0]), 36)
            self.assertEqual(sum(said[1]), 13)
            before = self.figures("2027-05-14")
            self.env["base.partner.merge.automatic.wizard"]._merge(
                (other | self.customer).ids, self.customer
            )
            self.assertEqual(
                said,
                [
                    self.by_month("2027-04-01", "2027-04-30").mapped(name)
                    for name in ("amount_used", "amount_lapsed", "amount_closing")
                ],
            )
            self.assertEqual(self.figures("2027-05-14"), before)
            # Merging earns nothing.
            self.assertEqual(
                [row[1:] for row in self.figures("2027-05-15")],
                [row[1:] for row in before],
            )
            self.assertAgrees()
        with self.on("2027-05-20"):
            # One queue from now on: the oldest first, then the next.
            self.use(9)
            self.assertEqual(self.positions(), [(10, 9, 1, 0, 0), (10, 4, 0, 6, 30)])
            ticket.incident_count = 0
            self.assertEqual(self.positions(), [(10, 7, 1, 2, 26), (10, 4, 0, 6, 30)])
            self.incident_account()._adjust(2, "A present")
            self.incident_account()._adjust(-1, "Too much")
            self.assertAgrees()
            self.assertEqual(self.figures("2027-05-14"), before)
        self._check_merged_twice(other=self._customer("Westwind"), before=before)

    def _check_merged_twice(self, other, before):
        with self.on("2027-06-01"):
            account = self.incident_account(other)
            account._adjust(4, "A present")
            self.use(3, other)
            june = self.figures("2027-05-31")
            self.env["base.partner.merge.automatic.wizard"]._merge(
                (other | self.customer).ids, other
            )
            self.assertEqual(self.figures("2027-05-14"), before)
            self.assertEqual(self.figures("2027-05-31"), june)
            self.assertAgrees()

    def figures(self, day):
        """Return the figures of each layer, whose ever they are by now."""
        return sorted(
            (row.id, row.used, row.lapsed, row.quantity_left, row.amount_left)
            for row in self.rows(day)
        )

    def test_export(self):
        """R12.4: as accountants take it to a spreadsheet."""
        self.paid(self.quotation(self.pack))
        rows = self.rows().with_user(self.accountant())
        data = rows.export_data(["partner_id/name", "quantity_left", "amount_left"])
        self.assertEqual(data["datas"], [["Northwind", 10, 50.0]])

    def accountant(self):
        user = self.env["res.users"].create(
            {
                "name": "Ada",
                "login": "hps-ada",
                "company_id": self.company.id,
                "company_ids": [(6, 0, self.company.ids)],
                "group_ids": [
                    (
                        6,
                        0,
                        [
                            self.env.ref("base.group_user").id,
                            self.env.ref("account.group_account_readonly").id,
                        ],
                    )
                ],
            }
        )
        return user

    def test_who_reads(self):
        """R14: accountants; helpdesk users and customers do not."""
        self.paid(self.quotation(self.pack))
        accountant = self.accountant()
        for name in ("unearned", "unearned.month", "purchase"):
            model = self.env[f"helpdesk.incident.{name}"]
            self.assertTrue(model.with_user(accountant).search([]), name)
            with self.assertRaises(AccessError):
                model.with_user(self.manager).search([])

    def test_other_company(self):
        """R2.3"""
        self.paid(self.quotation(self.pack))
        other = self.setup_other_company()["company"]
        rows = self.env["helpdesk.incident.unearned"].with_company(other)
        rows = rows.with_context(allowed_company_ids=other.ids)
        self.assertFalse(rows.search([]))

    def test_a_day_to_come(self):
        """R12.4: nobody knows what will be used."""
        with self.assertRaisesRegex(ValidationError, "has not come yet"):
            self.env["helpdesk.incident.unearned.wizard"].with_company(
                self.company
            ).create({"date": "2027-04-12"})
