from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.selling import sale_order_transfer
from .common_subscription import RenewalCommon


@tagged("post_install", "-at_install")
class TestTransfer(RenewalCommon):
    """R8.13: a bank transfer that was announced, and that nobody answers: a renewal of
    90.00 that the customer has ordered on July 1."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # As `payment_custom` makes them, which need not be installed.
        cls.wire = cls.demo.copy({"name": "Wire Transfer", "code": "none"})
        cls.company.incident_pending_days = 5

    def announced(self, order):
        transaction = self.transaction(order, state=None, provider_id=self.wire.id)
        transaction._set_pending()
        transaction._post_process()
        return transaction

    def ordered(self, **values):
        with self.on("2027-07-01"):
            order = self.subscription_one._order_renewal(**values)
            return order, self.announced(order)

    def test_listed_and_paid_from_the_balance(self):
        """R8.13: it is in the customer's list, can be paid from the balance of 500.00,
        and the transfer is cancelled then."""
        order, transfer = self.ordered()
        self.pay(500)
        self.assertEqual(self.customer._incident_open_orders(self.company), order)
        with self.on("2027-07-01"):
            order._incident_pay_from_balance()
            self.assertRenewed()
        self.assertEqual(transfer.state, "cancel")
        self.assertEqual(self.customer._incident_account_balance(self.company), 410)

    def test_paid_online(self):
        """R8.13: or online."""
        order, transfer = self.ordered()
        with self.on("2027-07-02"):
            self.transaction(order)
            self.assertRenewed()
        self.assertEqual(transfer.state, "cancel")

    def test_rest_and_other_orders(self):
        """R8.13: a transfer of 40.00 is awaited still after 50.00 of 90.00 were paid
        online; one for an order without a plan is none of ours."""
        order, transfer = self.ordered()
        with self.on("2027-07-02"):
            self.transaction(order, amount=50)
            order._validate_order()
            self.assertEqual((order.state, transfer.state), ("sale", "pending"))
        other = self.quotation(self.product_a)
        transfer = self.announced(other)
        self.transaction(other)
        self.assertEqual((other.state, transfer.state), ("sale", "pending"))

    def test_it_arrives(self):
        """R8.3: nothing is given before, and all when it has come."""
        # One of kind `none` has no journal.
        with patch(f"{sale_order_transfer.__name__}.SILENT", ("demo",)):
            with self.on("2027-07-01"):
                order = self.subscription_one._order_renewal()
                transfer = self.transaction(order, state="pending")
            with self.on("2027-07-02"):
                self.assertNotRenewed(False)
                transfer._set_done()
                transfer._post_process()
                self.assertRenewed()
        self.assertEqual((order.state, transfer.state), ("sale", "done"))

    def test_automatic_renewal(self):
        """R8.13: automatic renewal waits for 5 days, and staff see why; then it pays
        the order from the balance of 500.00."""
        order, transfer = self.ordered()
        self.pay(500)
        for day in ("2027-07-03", "2027-07-06"):
            with self.on(day):
                self.run_renewal()
                self.assertNotRenewed("transfer")
                self.assertIn("bank transfer", self.subscription_one.attention)
        self.assertFalse(self.told("failed"))
        with self.on("2027-07-07"):
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual((order.state, transfer.state), ("sale", "cancel"))

    def test_automatic_renewal_of_something_else(self):
        """R8.13: what was ordered besides, and is not paid after 5 days, stands in
        nobody's way."""
        order, transfer = self.ordered(extra=2)
        self.pay(500)
        with self.on("2027-07-07"):
            self.run_renewal()
            self.assertRenewed(orders=2)
        self.assertEqual((order.state, transfer.state), ("cancel", "cancel"))

    def test_change_of_plan(self):
        """R8.13: so does a change of plan."""
        order, _transfer = self.ordered()
        with self.on("2027-07-02"), self.assertRaisesRegex(UserError, "bank transfer"):
            self.subscription_one._order_change(self.business)
        with self.on("2027-07-07"):
            self.subscription_one._order_change(self.business)
        self.assertEqual(order.state, "cancel")

    def test_confirmed(self):
        """R8.13, R9.7: what staff have confirmed is not charged again; after 5 days the
        customer is told that it is not paid."""
        order, _transfer = self.ordered()
        order.action_confirm()
        with self.on("2027-07-06"):
            self.run_renewal()
            self.assertNotRenewed("transfer")
        with self.on("2027-07-07"):
            self.run_renewal()
            self.assertNotRenewed("unpaid")
        self.assertEqual(self.told("failed"), 1)

    def test_staff_see_it(self):
        """R8.13: in the order, and in a list."""
        order, transfer = self.ordered()
        self.assertEqual(str(order.incident_transfer_date), "2027-07-01")
        orders = self.env["sale.order"].search(
            [("incident_transfer_date", "!=", False)]
        )
        self.assertIn(order, orders)
        transfer._set_canceled()
        self.assertFalse(order.incident_transfer_date)
        orders = self.env["sale.order"].search(
            [("incident_transfer_date", "!=", False)]
        )
        self.assertNotIn(order, orders)

    def test_direct_debit(self):
        """R8.13: a pending payment of a provider that answers is waited for."""
        with self.on("2027-07-01"):
            order = self.subscription_one._order_renewal()
            self.transaction(order, state="pending")
        self.pay(500)
        self.assertFalse(self.customer._incident_open_orders(self.company))
        with self.on("2027-07-10"):
            self.run_renewal()
            self.assertNotRenewed("paying")
