from datetime import date

from odoo.tests import tagged

from .common_subscription import RenewalCommon


@tagged("post_install", "-at_install")
class TestAgreed(RenewalCommon):
    """R9.7: nothing but what the customer has bought last is taken without consent: 3
    months for 90.00 with 10 incidents each."""

    def setUp(self):
        super().setUp()
        self.pay(1000)
        self.token()

    def assertAsked(self, words, day="2027-07-03"):
        """Nothing is taken, and the mail says what differs."""
        with self.on(day):
            self.run_renewal()
            self.assertNotRenewed("confirm")
        order = self.renewals()
        self.assertEqual((order.state, len(order.transaction_ids)), ("sent", 0))
        self.assertFalse(order.invoice_ids)
        self.assertEqual(self.customer._incident_account_balance(self.company), 1000)
        mail = str(self.mails("could not be renewed").body).replace("&nbsp;", " ")
        mail = " ".join(mail.split())
        self.assertIn(words, mail)

    # -- the plan was edited -------------------------------------------------

    def test_longer_term(self):
        """R9.7: the plan of 3 months for 90.00 is one of 12 months for 360.00 by now:
        as much a month, but 360.00 are not taken."""
        self.months.write({"incident_term_months": 12, "list_price": 360})
        self.assertAsked("12 months instead of 3; $ 360.00 instead of $ 90.00")

    def test_shorter_term(self):
        """R9.7: nor is another number of months, be it less."""
        self.months.write({"incident_term_months": 1, "list_price": 30})
        self.assertAsked("1 month instead of 3")

    def test_fewer_incidents(self):
        """R9.7: 10 incidents a month have become 5, at the same price."""
        self.months.incident_quantity = 5
        self.assertAsked("5 incidents instead of 10 in each month")

    def test_more_incidents(self):
        """R9.7: more of them for the same price are no harm."""
        self.months.incident_quantity = 12
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()

    def test_lifetime(self):
        """R9.7: a plan that has become one of 10 lifetime incidents."""
        self.months.write({"incident_kind": "lifetime", "incident_term_months": 0})
        self.assertAsked("10 lifetime incidents instead of 10 incidents in each month")

    def test_dearer(self):
        """R9.7: 91.00 instead of 90.00."""
        self.months.list_price = 91
        self.assertAsked("$ 91.00 instead of $ 90.00")

    def test_extras_not_sold_any_more(self):
        """R9.7, R9.4: 4 extra incidents a month that are sold no more are missed."""
        with self.on("2027-05-20"):
            self.paid(self.subscription_one._order_extra(4))
        self.extra.active = False
        self.assertAsked("10 incidents instead of 14 in each month")

    def test_extras_for_a_part_of_the_term(self):
        """R9.7: 3 extra incidents in 2 of 3 months, for 0.68 each with 5 % of tax, have
        cost 4.28; in 3 months they are 6.43, which is a cent more by rounding alone."""
        tax = self.env["account.tax"].create({"name": "5 %", "amount": 5})
        self.extra.write({"list_price": 0.68, "taxes_id": [(6, 0, tax.ids)]})
        with self.on("2027-05-20"):
            order = self.subscription_one._order_extra(3)
            self.assertEqual(order.amount_total, 4.28)
            self.paid(order)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(self.renewals().amount_total, 96.43)

    def test_scheduled_change(self):
        """R9.7, R9.6: the scheduled plan of 1 month for 20.00 is one of 24 months for
        480.00 by now."""
        with self.on("2027-05-20"):
            self.subscription_one._order_change(self.small)
        self.small.write({"incident_term_months": 24, "list_price": 480})
        self.assertAsked("24 months instead of 1; $ 480.00 instead of $ 20.00")

    def test_scheduled_change_with_fewer_incidents(self):
        """R9.7, R9.6: 3 incidents a month of the scheduled plan have become 2."""
        with self.on("2027-05-20"):
            self.subscription_one._order_change(self.small)
        self.small.incident_quantity = 2
        self.assertAsked("2 incidents instead of 3 in each month")

    def test_odd_prices(self):
        """R9.7: 100.00 for 3 months, scheduled, are 100.00 for 3 months."""
        with self.on("2027-05-20"):
            self.small.write({"incident_term_months": 3, "list_price": 50.01})
            self.subscription_one._order_change(self.small)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()

    def test_staff_see_what_differs(self):
        """R9.7: so does the form of the subscription."""
        self.months.write({"incident_term_months": 12, "list_price": 360})
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertIn("12 months instead of 3", self.subscription_one.attention)

    # -- what was invoiced -----------------------------------------------------

    def goodwill(self, amount, **values):
        """Credit a part of the invoice, as a present."""
        invoice = self.subscription_one.term_ids.sale_line_id.order_id.invoice_ids
        note = self.reverse(invoice, post=False)
        note.write({"incident_goodwill": True, **values})
        note.invoice_line_ids.price_unit = amount
        note.action_post()
        return note

    def test_goodwill(self):
        """R9.7: a goodwill credit note of 5.00 on 90.00 lowers no agreed price."""
        self.goodwill(5)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(self.renewals().amount_total, 90)

    def test_refund(self):
        """R9.7: nor does money paid back for it."""
        order = self.subscription_one.term_ids.sale_line_id.order_id
        self.goodwill(5)
        order.transaction_ids.sudo()._create_child_transaction(
            5, is_refund=True
        )._set_done()
        order.transaction_ids._post_process()
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()

    def test_invoiced_for_less(self):
        """R9.7: what was ordered for 90.00 and invoiced for 80.00 was agreed on for
        80.00."""
        other = self._customer("Other")
        self.pay(1000, other)
        order = self.order(self.months, customer=other)
        invoice = order._create_invoices(final=True)
        invoice.invoice_line_ids.price_unit = 80
        invoice.action_post()
        self.register(invoice)
        subscription = self.subscription(order).sudo()
        subscription._set_auto_renew(True)
        with self.on("2027-07-03"):
            self.run_renewal()
        self.assertEqual(subscription.renewal_problem, "confirm")

    def test_corrected_invoice(self):
        """R9.7: of an invoice for 60.00 that was corrected to 90.00, the last one
        counts."""
        other = self._customer("Other")
        self.pay(1000, other)
        order = self.order(self.months, customer=other)
        wrong = order._create_invoices(final=True)
        wrong.invoice_line_ids.price_unit = 60
        wrong.action_post()
        corrected = self.reverse(wrong, "modify_moves")
        corrected.invoice_line_ids.price_unit = 90
        corrected.action_post()
        self.register(corrected)
        subscription = self.subscription(order).sudo()
        subscription._set_auto_renew(True)
        with self.on("2027-07-03"):
            self.run_renewal()
        self.assertEqual(subscription.date_end, date(2027, 10, 10))

    # -- customers who are gone --------------------------------------------------

    def test_archived_customer(self):
        """R9.7: nothing is taken from an archived customer, or asked for; it is listed
        as a problem."""
        self.customer.active = False
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("archived")
            self.assertIn("archived", self.subscription_one.attention)
        self.assertFalse(self.renewals())
        self.assertFalse(self.told("failed") + self.told("ends"))
        self.customer.active = True
        with self.on("2027-07-04"):
            self.run_renewal()
            self.assertRenewed()

    def test_archived_before_the_provider_is_asked(self):
        """R9.7: nor when the card was to be charged already."""
        self.pay(-1000)
        with self.on("2027-07-03"):
            self.subscription_one._buy()
            transaction = self.renewals().transaction_ids
            self.assertEqual(transaction.state, "draft")
            self.customer.active = False
            self.run_renewal()
            self.assertEqual(transaction.state, "cancel")
            self.assertNotRenewed("archived")
        self.assertEqual(self.subscription_one.date_end, date(2027, 7, 10))
