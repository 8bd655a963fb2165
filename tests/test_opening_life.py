from datetime import date

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_opening import OpeningCommon


@tagged("post_install", "-at_install")
class TestOpeningLife(OpeningCommon):
    """R21.4, R9: a subscription that came from another system lives on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.incident_renewal_days = 7
        cls.months.product_tmpl_id.incident_portal_published = True

    def renew(self, day):
        """Run the scheduled action that renews, on a day."""
        with self.on(day), self.enter_registry_test_mode():
            cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_renew")
            cron.method_direct_trigger()
        self.env.invalidate_all()

    def test_renewed_automatically(self):
        """R9.7: renewed from the account balance, at the price that was agreed on."""
        subscription = self.lives_on(self.running(auto_renew=True))
        self.assertTrue(subscription.auto_renew)
        self.assertFalse(
            self.env["helpdesk.incident.reminder"].search(
                [("account_id", "=", subscription.account_id.id)]
            )
        )
        self.pay(200)
        self.renew("2027-06-22")
        self.assertFalse(subscription.renewal_problem)
        self.assertEqual(subscription.date_end, date(2027, 9, 27))
        self.assertEqual(subscription.date_start, date(2027, 2, 28))
        self.assertEqual(self.customer._incident_account_balance(self.company), 110)

    def test_renewed_with_consent(self):
        """R9.7: nothing dearer than what was paid last is taken without consent; nor
        anything where that is not known."""
        for price, problem in ((80, "confirm"), (0, "confirm"), (90, False)):
            customer = self._customer(f"Paid {price}")
            opening = self.running(
                agreed_price=price, auto_renew=True, partner_id=customer.id
            )
            subscription = self.lives_on(opening)
            self.pay(200, customer=customer)
            self.renew("2027-06-22")
            self.assertEqual(subscription.renewal_problem, problem, price)

    def test_extra_incidents(self):
        """R21.4, R9.4, R9.7: extra incidents that it has come with it and are renewed,
        for what was agreed for all of it; more can be bought."""
        opening = self.running(
            extra_incidents=2, current_left=11, agreed_price=114, auto_renew=True
        )
        subscription = self.lives_on(opening)
        self.assertEqual(subscription.extra_incidents, 2)
        self.assertEqual(
            self.months_of(subscription),
            {"2027-03-28": 11, "2027-04-28": 12, "2027-05-28": 12},
        )
        self.assertEqual(self.entries(opening), [("opening", 11)])
        self.assertEqual(self.unearned(), 72)
        # 3 more in each of 3 months.
        order = subscription._operation("extra").order(number=3)
        self.assertEqual(order.amount_total, 36)
        self.paid(order)
        self.assertEqual(
            self.months_of(subscription),
            {"2027-03-28": 14, "2027-04-28": 15, "2027-05-28": 15},
        )
        self.assertEqual(self.entries(opening), [("opening", 11), ("period", 3)])
        self.pay(500)
        self.renew("2027-06-22")
        self.assertFalse(subscription.renewal_problem)
        self.assertEqual(subscription.date_end, date(2027, 9, 27))
        self.assertEqual(subscription.extra_incidents, 5)
        self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])

    def test_nothing_left(self):
        """R21.4: whose month is used up has a subscription all the same, and can buy
        extra incidents for that month."""
        opening = self.running(date_end="2027-04-27", current_left=0, value=0)
        subscription = self.lives_on(opening)
        self.assertEqual(subscription.state, "active")
        self.assertEqual(self.available(), 0)
        self.assertFalse(self.entries(opening))
        self.paid(subscription._operation("extra").order(number=2))
        self.assertEqual(self.available(), 2)
        self.assertEqual(self.entries(opening), [("period", 2)])
        self.paid(subscription._operation("renew").order())
        self.assertEqual(subscription.date_end, date(2027, 7, 27))
        self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])

    def test_changed(self):
        """R9.6: months that are paid for and have not begun are credited at the price
        that was agreed on, with their taxes."""
        tax = self.company_data["default_tax_sale"]  # 15 %
        self.months.taxes_id = tax
        opening = self.running(agreed_price=103.50)  # 90.00 + 13.50
        order = opening.sudo().order_id
        self.assertEqual((order.amount_untaxed, order.amount_total), (90, 103.5))
        subscription = self.lives_on(opening)
        change = subscription._operation("change").order(self.business)
        credit = change.order_line.filtered(lambda line: line.price_unit < 0)
        self.assertEqual(credit.price_subtotal, -60)
        self.assertEqual(credit.tax_ids, tax)
        self.paid(change)
        self.assertEqual(subscription.product_id, self.business)
        self.assertEqual(
            self.months_of(subscription),
            {
                "2027-03-28": 4,
                "2027-04-28": 20,
                "2027-05-28": 20,
                "2027-06-28": 20,
            },
        )
        self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])

    def test_taxes_included(self):
        """R21.4: the agreed price is what the customer paid, to the cent, with taxes
        in prices or beside them, and for several units."""
        taxes = self.company_data["default_tax_sale"]
        for included in ("tax_included", "tax_excluded"):
            tax = taxes.copy(
                {"name": included, "amount": 19, "price_include_override": included}
            )
            self.months.taxes_id = tax
            for quantity, price in ((1, 107.1), (1, 100), (3, 333.33)):
                opening = self.running(
                    quantity=quantity,
                    agreed_price=price,
                    partner_id=self._customer("Somebody").id,
                )
                subscription = self.lives_on(opening)
                self.assertEqual(subscription._agreed_terms().price, price)
                self.assertEqual(subscription._agreed_terms().months, 3)
                self.assertAlmostEqual(
                    opening.sudo().order_id.amount_total, price, delta=0.03
                )

    def test_terms_ahead(self):
        """R21.4: what is paid for longer than a term is as many terms; where it is less
        than one, as long as that. The last one is what a renewal is compared with."""
        months = self.lives_on(self.running(date_end="2027-10-27"))
        self.assertEqual(
            [(str(t.date_from), str(t.date_to), t.months) for t in months.term_ids],
            [
                ("2027-02-28", "2027-04-27", 2),
                ("2027-04-28", "2027-07-27", 3),
                ("2027-07-28", "2027-10-27", 3),
            ],
        )
        self.assertEqual(
            list(self.months_of(months).values()), [4, 10, 10, 10, 10, 10, 10]
        )
        self.assertEqual(months._agreed_terms().months, 3)
        self.assertEqual(months._agreed_terms().price, 90)
        self.assertEqual(self.unearned(), 72)
        short = self.lives_on(
            self.running(
                date_start="2027-04-01",
                date_end="2027-04-30",
                value=10,
                partner_id=self._customer("Short").id,
            )
        )
        self.assertEqual(short.term_ids.months, 1)
        self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])

    def test_thirty_first(self):
        """R9.1: an anchor on the 31st, and in a leap year, comes back to the 31st."""
        for anchor, last, months in (
            (
                "2026-12-31",
                "2027-06-29",
                ["2027-03-31", "2027-04-30", "2027-05-31"],
            ),
            ("2024-02-29", "2027-05-28", ["2027-03-29", "2027-04-29"]),
        ):
            opening = self.running(
                date_start=anchor,
                date_end=last,
                partner_id=self._customer(anchor).id,
            )
            subscription = self.lives_on(opening)
            self.assertEqual([*self.months_of(subscription)], months)
            self.assertEqual(str(subscription.date_start), anchor)
        with self.on("2027-06-20"):
            self.paid(subscription._operation("renew").order())
        # Ended on May 28, 2027: a new term begins on the day of payment.
        self.assertEqual(str(subscription.date_start), "2027-06-20")
        with self.on("2028-01-15"):
            leap = self.lives_on(
                self.running(
                    date_start="2027-12-31",
                    date_end="2028-03-30",
                    date="2028-01-15",
                    partner_id=self._customer("Leap").id,
                )
            )
            self.assertEqual(
                [*self.months_of(leap)], ["2027-12-31", "2028-01-31", "2028-02-29"]
            )
            self.paid(leap._operation("renew").order())
            self.assertEqual(str(leap.date_end), "2028-06-29")

    def test_periods_of_several_months(self):
        """R15.2, R15.3: periods of a quarter, unused ones carried over."""
        plan = self.plan(
            "Quarters",
            400,
            "period",
            30,
            12,
            incident_period_months=3,
            incident_carry_periods=1,
        )
        subscription = self.lives_on(
            self.running(plan, date_end="2028-02-27", current_left=17)
        )
        self.assertEqual(
            {
                str(m.date_from): (m.target, str(m.date_to))
                for m in subscription.allotment_ids
            },
            {
                "2027-02-28": (17, "2027-08-27"),
                "2027-05-28": (30, "2027-11-27"),
                "2027-08-28": (30, "2028-02-27"),
                "2027-11-28": (30, "2028-05-27"),
            },
        )
        with self.assertRaisesRegex(UserError, "period of 3 months"):
            self.running(plan, date_end="2028-01-27")
        self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])

    def test_confirmed_later(self):
        """R21.4: what is left is that of the month of the figures, whenever they are
        confirmed; nothing is usable that has ended since (R9.3)."""
        opening = self.opening(
            self.months,
            date_start="2027-02-28",
            date_end="2027-06-27",
            current_left=4,
            value=72,
        )
        with self.on("2027-05-03"):
            opening.action_confirm()
            self.assertEqual(self.available(), 10)
            self.assertEqual(
                self.months_of(self.lives_on(opening)),
                {"2027-03-28": 4, "2027-04-28": 10, "2027-05-28": 10},
            )
            self.assertEqual(self.unearned(), 60)
            self.assertAgrees()
            self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])
        late = self.opening(self.pieces, quantity=5, date_end="2027-05-01")
        with self.on("2027-05-03"), self.assertRaisesRegex(UserError, "day is over"):
            late.action_confirm()

    def test_merged(self):
        """R2.2: two customers who become one have what both had."""
        other = self._customer("Other")
        self.opened(quantity=7, value=35)
        opening = self.opened(
            quantity=5, value=50, partner_id=other.id, registered=True
        )
        running = self.running(partner_id=other.id)
        with mute_logger("odoo.addons.base.wizard.base_partner_merge"):
            self.env["base.partner.merge.automatic.wizard"].create({})._merge(
                (self.customer | other).ids, self.customer
            )
        self.env.invalidate_all()
        self.assertEqual(opening.partner_id, self.customer)
        self.assertEqual(self.given(), 12)
        self.assertEqual(self.available(), 16)
        self.assertEqual(self.unearned(), 157)
        self.assertTrue(self.incident_account().registered_before)
        (opening | running).action_cancel()
        self.assertEqual(self.given(), 7)
        self.assertEqual(self.available(), 7)
        self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])
