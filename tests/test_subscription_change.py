from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_sale import BOUGHT
from .common_subscription import SubscriptionCommon
from .test_subscription_life import APRIL, AUGUST, JULY, JUNE, MAY, SEPTEMBER

CHANGED = {APRIL: 10, MAY: 10, JUNE: 20, JULY: 20, AUGUST: 20}


@tagged("post_install", "-at_install")
class TestSubscriptionChange(SubscriptionCommon):
    """R9.6: changing the plan; R9.5: renewing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time(BOUGHT):
            cls.sub = cls.bought()

    def credits(self, order):
        lines = order.order_line.filtered(
            lambda line: line.incident_operation == "credit"
        )
        return lines.mapped("price_unit")

    # -- what is credited ------------------------------------------------------

    def test_extras_and_renewals_are_credited(self):
        """R9.6: all that is paid and has not begun, each at its own price."""
        with self.on("2027-05-01"):
            self.paid(self.sub._order_renewal())
        with self.on("2027-05-20"):
            self.paid(self.sub._order_extra(1))
            order = self.sub._order_change(self.business)
            # 1 of 3 months; 3 of 3 months; 4 of 5 months of an extra incident
            self.assertEqual(self.credits(order), [-30, -90, -16])
            self.paid(order)
        self.assertMonths(self.sub, CHANGED | {MAY: 11, SEPTEMBER: 0})
        self.assertEqual(str(self.sub.date_end), "2027-09-10")
        self.assertEqual(self.sub.extra_incidents, 0)

    def test_credit_waits_for_no_invoice(self):
        """R8.8: a typed invoice of the old plan renews it; the line that credits it
        is nothing that waits to be invoiced as a plan."""
        with self.on("2027-04-12"):
            order = self.sub._order_change(self.business)
            order.action_confirm()
            invoice = self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.sub.account_id.partner_id.id,
                    "invoice_line_ids": [
                        Command.create({"product_id": self.months.id})
                    ],
                }
            )
            invoice.action_post()
        self.assertFalse(order.order_line.invoice_lines)
        self.assertEqual(
            invoice.incident_order_ids.order_line.incident_subscription_id, self.sub
        )

    def test_rounding(self):
        """R9.6: the last month takes the rounding."""
        self.months.list_price = 100
        sub = self.bought()
        with self.on("2027-05-20"):
            order = sub._order_change(self.business)
            self.assertEqual(self.credits(order), [-33.34])
        with self.on("2027-04-12"):
            order = sub._order_change(self.business)
            self.assertEqual(self.credits(order), [-66.67])

    def test_credit_notes(self):
        """R9.6: credit notes are counted in."""
        invoice = self.order_of(self.sub).invoice_ids
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids.price_unit = 15
        note.action_post()
        self.assertMonths(self.sub, {APRIL: 10, MAY: 10, JUNE: 5})
        with self.on("2027-05-20"):
            order = self.sub._order_change(self.business)
            self.assertEqual(self.credits(order), [-15])
            self.paid(order)
            self.assertMonths(self.sub, CHANGED)

    def test_goodwill(self):
        """R9.6: at what was paid: a price that was lowered since credits less."""
        invoice = self.order_of(self.sub).invoice_ids
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids.price_unit = 45
        note.incident_goodwill = True
        note.action_post()
        with self.on("2027-05-20"):
            self.assertEqual(self.credits(self.sub._order_change(self.business)), [-15])

    def test_taxes(self):
        """R9.6: with their own taxes, not those of the new plan."""
        tax = self.env["account.tax"].create({"name": "20%", "amount": 20})
        other = self.env["account.tax"].create(
            {
                "name": "10% included",
                "amount": 10,
                "price_include_override": "tax_included",
            }
        )
        self.months.taxes_id = [Command.set(other.ids)]
        self.business.taxes_id = [Command.set(tax.ids)]
        sub = self.bought()
        with self.on("2027-05-20"):
            order = sub._order_change(self.business)
            new, credit = order.order_line
            self.assertEqual(credit.tax_ids, other)
            self.assertEqual((credit.price_total, credit.price_subtotal), (-30, -27.27))
            self.assertEqual(new.price_total, 180)
            self.paid(order)
            self.assertEqual(order.invoice_ids.amount_total, 150)

    def test_currencies(self):
        """R9.6: in the currency of the new order, at the rate of the day."""
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {"currency_id": euro.id, "name": "2027-01-01", "rate": 2}
        )
        self.customer.property_product_pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": euro.id}
        )
        with self.on("2027-05-20"):
            order = self.sub._order_change(self.business)
            self.assertEqual(order.currency_id, euro)
            self.assertEqual(self.lines(order), [(1, 300, 300), (1, -60, -60)])

    def test_discount_and_units(self):
        """R9.6: two units at a discount: what was paid for them."""
        order = self.quotation(self.months, quantity=2)
        order.order_line.discount = 50
        self.transaction(order)
        sub = self.subscription(order).sudo()
        with self.on("2027-05-20"):
            change = sub._order_change(self.business)
            self.assertEqual(self.credits(change), [-30])
            self.assertEqual(change.order_line[0].product_uom_qty, 2)

    def test_discount_line(self):
        """R9.6: a discount may be a line of its own, for all others."""
        order = self.quotation(self.months)
        order.order_line = [
            Command.create({"product_id": self.service.id, "price_unit": -45})
        ]
        self.transaction(order)
        sub = self.subscription(order).sudo()
        with self.on("2027-05-20"):
            self.assertEqual(self.credits(sub._order_change(self.business)), [-15])

    def test_discount_of_the_pricelist(self):
        """R9.6: a discount that the pricelist shows is not given on the credit again,
        nor when prices and taxes are updated."""
        self.env.user.group_ids |= self.env.ref("sale.group_discount_per_so_line")
        self.customer.property_product_pricelist = self.env["product.pricelist"].create(
            {
                "name": "Half",
                "item_ids": [
                    Command.create({"compute_price": "percentage", "percent_price": 50})
                ],
            }
        )
        sub = self.bought()
        with self.on("2027-05-20"):
            order = sub._order_change(self.business)
            credit = order.order_line[1]
            self.assertEqual(credit.price_total, -15)
            self.months.taxes_id = self.env["account.tax"].create(
                {"name": "20%", "amount": 20}
            )
            order._recompute_prices()
            order.action_update_taxes()
            self.assertEqual((credit.price_total, credit.tax_ids.ids), (-15, []))

    def test_units_of_measure(self):
        """R8.2: a dozen units are credited as what they are."""
        order = self.quotation(self.months)
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        self.paid(order)
        sub = self.subscription(order).sudo()
        with self.on("2027-05-20"):
            self.paid(sub._order_change(self.business))
        self.assertMonths(
            sub, {APRIL: 120, MAY: 120, JUNE: 240, JULY: 240, AUGUST: 240}
        )

    def test_down_payment_paid_back(self):
        """R9.6: what was paid back is not credited; what is not paid cannot change."""
        order = self.order(self.months)
        down = self.down_payment(order, amount=45)
        self.register(down)
        self.register(self.bill(order))
        sub = self.subscription(order).sudo()
        self.assertTrue(sub._can_change())
        self.assertTrue(sub._is_given_ahead())
        self.reverse(down)
        self.assertFalse(sub._can_change())
        self.assertFalse(sub._is_given_ahead())

    def test_scheduled_with_extras(self):
        """R9.4, R9.6: the next plan sells no extra incidents, and goes without."""
        with self.on("2027-05-20"):
            self.paid(self.sub._order_extra(1))
            self.small.list_price = 10
            self.assertFalse(self.sub._order_change(self.small))
            self.assertEqual(self.sub.next_price, 10)
            self.assertEqual(self.sub._order_renewal().amount_total, 10)

    def test_scheduled_again_when_undone(self):
        """R8.4: a scheduled change whose renewal is undone is scheduled again."""
        with self.on("2027-05-20"):
            self.sub._order_change(self.small)
        with self.on("2027-07-01"):
            payment = self.paid(self.sub._order_renewal())
            self.assertFalse(self.sub._scheduled_plan())
            payment.action_draft()
            self.assertEqual(self.sub._scheduled_plan(), self.small)

    def test_free_months_credit_nothing(self):
        """R9.6: what cost nothing is worth nothing."""
        order = self.quotation(self.months)
        order.order_line.discount = 100
        order.action_confirm()
        sub = self.subscription(order).sudo()
        with self.on("2027-05-20"):
            change = sub._order_change(self.business)
            self.assertEqual(self.credits(change), [0])
            self.paid(change)
        self.assertMonths(sub, CHANGED)

    def order_of(self, subscription):
        return subscription.term_ids.sale_line_id.order_id

    # -- when it takes effect ----------------------------------------------------

    def test_last_month(self):
        """R9.6: nothing is left to credit in the last month."""
        with self.on("2027-07-01"):
            order = self.sub._order_change(self.business)
            self.assertEqual(self.credits(order), [])
            self.paid(order)
        self.assertMonths(
            self.sub,
            {APRIL: 10, MAY: 10, JUNE: 10, JULY: 20, AUGUST: 20, SEPTEMBER: 20},
        )

    def test_paid_late(self):
        """R9.6: it counts from its boundary: what was used of the old month is used of
        the new one."""
        with self.on("2027-05-20"):
            order = self.sub._order_change(self.business)
        with self.on("2027-06-20"):
            self.use(6)
            self.paid(order)
            self.assertMonths(self.sub, CHANGED)
            self.assertEqual(self.available(), 14)

    def test_paid_a_month_late(self):
        """R9.6: of a month that is over, what the new plan has more comes as lifetime
        incidents: nothing that is paid is lost, or given twice."""
        with self.on("2027-05-20"):
            order = self.sub._order_change(self.business)
        with self.on("2027-07-20"):
            self.paid(order)
            self.assertEqual(self.incident_account().lifetime_granted, 10)
            self.assertEqual(self.months_of(self.sub)[JULY], 20)
            self.assertEqual(self.available(), 30)

    def test_nothing_to_pay(self):
        """R9.6: the credit is the price: the order is confirmed by the customer's word,
        and has its effect."""
        self.small.list_price = 30
        with self.on("2027-05-20"):
            order = self.sub._order_change(self.small)
            self.assertEqual((order.amount_total, order.state), (0, "sale"))
        self.assertMonths(self.sub, {APRIL: 10, MAY: 10, JUNE: 3})

    def test_scheduled_and_given_up(self):
        """R9.6: a change that was scheduled can be taken back."""
        with self.on("2027-05-20"):
            self.sub._order_change(self.small)
            self.sub._schedule(None)
            self.assertFalse(self.sub.next_product_id)
            self.sub._order_change(self.small)
            self.paid(self.sub._order_change(self.business))
            self.assertFalse(self.sub._scheduled_plan())

    # -- undone ------------------------------------------------------------------

    def test_credit_note_of_a_change(self):
        """R8.4: credited in full, the old months are back."""
        with self.on("2027-05-20"):
            order = self.sub._order_change(self.business)
            self.paid(order)
            note = self.reverse(order.invoice_ids)
            self.assertMonths(
                self.sub, {APRIL: 10, MAY: 10, JUNE: 10, JULY: 0, AUGUST: 0}
            )
            note.button_draft()
            self.assertMonths(self.sub, CHANGED)

    def test_old_plan_unpaid_afterwards(self):
        """R8.4: what was credited must have been paid: the change is taken back as far
        as it was paid with it, and given back when it is."""
        payment = self.env["account.payment"].search([], order="id desc", limit=1)
        with self.on("2027-05-20"):
            self.paid(self.sub._order_change(self.business))
            payment.action_draft()
            # 120 of 150 are paid: 48 of 60
            self.assertMonths(
                self.sub, {APRIL: 0, MAY: 0, JUNE: 20, JULY: 20, AUGUST: 8}
            )
            payment.action_post()
            self.assertMonths(self.sub, CHANGED)

    def test_changed_twice(self):
        """R9.6: there and back again."""
        with self.on("2027-05-20"):
            first = self.paid(self.sub._order_change(self.business))
        with self.on("2027-06-20"):
            order = self.sub._order_change(self.months)
            self.assertFalse(order, "100.00 of credit, 90.00 to pay")
            self.months.list_price = 110
            order = self.sub._order_change(self.months)
            self.assertEqual(self.credits(order), [-100])
            second = self.paid(order)
            twice = {JULY: 10, AUGUST: 10, SEPTEMBER: 10}
            self.assertMonths(self.sub, CHANGED | twice)
            second.action_draft()
            self.assertMonths(self.sub, CHANGED | {SEPTEMBER: 0})
            first.action_draft()
            second.action_post()
            # 10 of 110 were paid with money, the rest with a credit for nothing.
            self.assertMonths(
                self.sub,
                {APRIL: 10, MAY: 10, JUNE: 10, JULY: 2, AUGUST: 0, SEPTEMBER: 0},
            )

    # -- what cannot be ------------------------------------------------------------

    def test_not_paid_in_full(self):
        """R9.6: while the term is paid in full, whenever it was given."""
        self.company.incident_grant_on = "confirmed"
        order = self.order(self.months)
        sub = self.subscription(order).sudo()
        self.assertEqual(sub.state, "active")
        with self.assertRaisesRegex(UserError, "not paid"):
            sub._order_change(self.business)
        invoice = self.bill(order)
        with self.assertRaisesRegex(UserError, "not paid"):
            sub._order_change(self.business)
        self.register(invoice)
        self.assertTrue(sub._order_change(self.business))

    def test_not_allowed(self):
        """R9.6: only plans that the product lists, and that are sold."""
        with self.assertRaisesRegex(UserError, "not on offer"):
            self.sub._order_change(self.lifetime)
        self.business.active = False
        with self.assertRaisesRegex(UserError, "not on offer"):
            self.sub._order_change(self.business)
        with self.on("2027-07-11"), self.assertRaisesRegex(UserError, "not on offer"):
            self.sub._order_change(self.small)

    def test_credit_line_stays_as_it_is(self):
        """R9.6: nobody makes more of a credit; prices updated leave it alone."""
        with self.on("2027-05-20"):
            order = self.sub._order_change(self.business)
            credit = order.order_line[1]
            with self.assertRaises(UserError):
                credit.product_uom_qty = 5
            order._recompute_prices()
            self.assertEqual(credit.price_unit, -30)
            for name in ("incident_due", "incident_operation", "incident_date_from"):
                with self.assertRaises(UserError):
                    credit.write({name: credit[name]})

    # -- renewing (R9.5) -------------------------------------------------------------

    def test_renewed_into_lifetime(self):
        """R9.5: lifetime incidents; the months that there are stay usable."""
        product = self.env["product.template"].create(
            {"name": "Plan", "type": "service", "invoice_policy": "order"}
        )
        product.attribute_line_ids = [
            Command.create(
                {
                    "attribute_id": self.env["product.attribute"]
                    .create(
                        {
                            "name": "Term",
                            "value_ids": [
                                Command.create({"name": "3 months"}),
                                Command.create({"name": "for ever"}),
                            ],
                        }
                    )
                    .id,
                    "value_ids": [
                        Command.set(
                            self.env["product.attribute.value"]
                            .search([("name", "in", ("3 months", "for ever"))])
                            .filtered(lambda v: v.attribute_id.name == "Term")[-2:]
                            .ids
                        )
                    ],
                }
            )
        ]
        term, forever = product.product_variant_ids
        term.write(
            {
                "incident_kind": "period",
                "incident_quantity": 10,
                "incident_term_months": 3,
            }
        )
        forever.write({"incident_kind": "lifetime", "incident_quantity": 25})
        sub = self.bought(term)
        sub._set_auto_renew(True)
        before = self.available()
        with self.on("2027-05-01"):
            self.paid(sub._order_renewal(forever))
            self.assertEqual(self.available(), before + 25)
            self.assertMonths(sub, {APRIL: 10, MAY: 10, JUNE: 10})
            self.assertFalse(sub.auto_renew)
            self.assertEqual(sub.product_id, term)

    def test_two_renewals(self):
        """R9.5: each begins where the other ends, paid with one invoice, too."""
        first = self.sub._order_renewal()
        first.action_confirm()
        second = self.sub._order_renewal()
        self.assertNotEqual(first, second)
        second.action_confirm()
        self.register(self.bill(first | second))
        self.assertEqual(str(self.sub.date_end), "2028-01-10")
        self.assertEqual(set(self.months_of(self.sub).values()), {10})

    def test_renewal_ordered_before_and_paid_after_the_end(self):
        """R9.5: a new term from the day on which it is paid, with a new anchor."""
        with self.on("2027-07-01"):
            order = self.sub._order_renewal(extra=2)
        with self.on("2027-07-20"):
            self.paid(order)
        self.assertMonths(
            self.sub,
            {
                APRIL: 10,
                MAY: 10,
                JUNE: 10,
                "2027-07-20": 12,
                "2027-08-20": 12,
                "2027-09-20": 12,
            },
        )
        self.assertRuns(self.sub, "2027-07-20", "2027-10-19")

    def test_renewal_of_what_was_cancelled(self):
        """R9.8: what staff cancelled is not added to: a paid renewal begins anew."""
        transaction = self.transaction(
            self.sub._order_renewal(extra=2), state="pending"
        )
        with self.on("2027-05-20"):
            self.sub.action_cancel()
            with self.assertRaisesRegex(UserError, "cannot be renewed"):
                self.sub._order_renewal()
            transaction.action_demo_set_done()
            transaction._post_process()
        new = self.incident_account().subscription_ids - self.sub
        self.assertMonths(new, {"2027-05-20": 12, "2027-06-20": 12, "2027-07-20": 12})
        self.assertEqual(new.extra_incidents, 2)

    def test_superseded(self):
        """R9.7: one renewal or change waits for its payment; what was paid takes the
        place of what was not."""
        first = self.sub._order_renewal()
        second = self.sub._order_change(self.business)
        self.assertEqual((first.state, second.state), ("cancel", "sent"))
        with self.on("2027-04-12"):
            extra = self.sub._order_extra(1)
            self.transaction(second)
            self.assertEqual(extra.state, "sent")
            self.assertEqual(self.sub._open_orders(), extra)
