from freezegun import freeze_time

from odoo.tests import tagged

from .common_sale import WINDOWS
from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestBuyTours(BuyCommon):
    """The customer's way from nothing to a ticket, in a real browser."""

    def test_buy_pay_and_submit(self):
        """R11.4, R8.3, R9.1: the seed's example, bought on April 11."""
        self.start_tour("/new/ticket", "helpdesk_paid_support_buy", login="hps-nora")
        order = self.orders()
        self.assertEqual(order.transaction_ids.mapped("state"), ["done"])
        allotments = self.subscription(order).allotment_ids.sorted("date_from")
        self.assertEqual([(a.date_from, a.date_to) for a in allotments], WINDOWS)
        self.assertEqual(allotments.mapped("target"), [10, 10, 10])
        for day, available in (
            ("2027-05-10", 9),
            ("2027-05-11", 10),
            ("2027-06-11", 10),
            ("2027-07-10", 10),
            ("2027-07-11", 0),
        ):
            with freeze_time(day):
                self.assertEqual(self.available(), available, day)

    def test_buy_on_a_phone(self):
        """R11.4: the same, 390 pixels wide."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.start_tour("/new/ticket", "helpdesk_paid_support_buy", login="hps-nora")
        self.assertEqual(self.available(), 9)

    def test_add_funds_and_buy(self):
        """R11.5, R11.4, R6.3: money first, too little for the plan; the rest, with 2
        incidents free for each 100.00; then the plan from the account balance."""
        self.company.write({"incident_topup_amount": 100, "incident_topup_quantity": 2})
        self.start_tour(
            "/my/incidents", "helpdesk_paid_support_funds", login="hps-nora"
        )
        self.assertEqual(self.orders().invoice_ids.amount_residual, 0)
        self.assertFalse(self.orders().transaction_ids)

    def test_add_funds_on_a_phone(self):
        """R11.5: the same, 390 pixels wide."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.test_add_funds_and_buy()

    def test_buy_with_the_ticket(self):
        """R11.2: a ticket that takes 11, with 10 left and 110.00 on the account: the
        smallest pack that suffices is bought and paid with it."""
        self.team.incident_cost = 11
        self.pay(110)
        self.incident_account()._adjust(10, "A gift")
        self.start_tour("/new/ticket", "helpdesk_paid_support_pack", login="hps-nora")
        self.assertEqual(self.orders().amount_total, 50)
        self.assertEqual(self.orders().invoice_ids.amount_residual, 0)
        self.assertFalse(self.orders().transaction_ids)
        self.assertEqual(self.customer._incident_account_balance(self.company), 60)
        self.assertEqual(self.available(), 9)

    def test_buy_with_the_ticket_on_a_phone(self):
        """R11.2: the same, 390 pixels wide."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self.test_buy_with_the_ticket()
