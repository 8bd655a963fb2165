from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_subscription import RenewalCommon
from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestBalanceLock(BuyCommon):
    """R9.7, R11.4: paying from the balance while the books are closed."""

    def test_order(self):
        """R11.4: 100 on the balance, an order of 50, and a lock date to come: the page
        names the lock and its date, staff are told so, and nothing is paid."""
        self.pay(100)
        order = self.quotation(self.pack, customer=self.user.partner_id)
        order.action_quotation_sent()
        self.company.fiscalyear_lock_date = "2027-04-30"
        with self.assertRaisesRegex(
            UserError, r"closed for today: .*Lock Date \(04/30/2027\)"
        ):
            order._incident_pay_from_balance()
        self.authenticate("hps-nora", "hps-nora")
        page = self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.env.invalidate_all()
        self.assertEqual((order.state, self.given()), ("sent", 0))
        text = self.text(page, "//*[@name='incident_balance_short']")
        self.assertIn("Nothing was paid.", text)
        self.assertRegex(text, r"Lock Date \(04/30/2027\)")
        self.assertNotIn("suffice", text)
        self.company.fiscalyear_lock_date = "2027-03-31"
        self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.env.invalidate_all()
        self.assertEqual((order.state, self.given()), ("sale", 10))

    def test_short(self):
        """R11.4: where it does not suffice, the lock does not matter."""
        self.pay(20)
        order = self.quotation(self.pack)
        order.action_quotation_sent()
        self.company.fiscalyear_lock_date = "2027-04-30"
        with self.assertRaisesRegex(UserError, "does not suffice"):
            order._incident_pay_from_balance()


@tagged("post_install", "-at_install")
class TestRenewalLock(RenewalCommon):
    def test_nothing_is_charged_elsewhere(self):
        """R9.7: 100 on the balance, a saved card, and a lock date to come: the card is
        left alone, the renewal of 90 is listed as a problem, and tried again."""
        self.pay(100)
        self.token()
        with self.on("2027-07-03"):
            self.company.fiscalyear_lock_date = "2027-07-31"
            self.run_renewal()
            self.assertNotRenewed("books")
            order = self.renewals()
            self.assertFalse(order.transaction_ids)
            self.assertIn("(07/31/2027)", order.message_ids[0].body)
            self.assertEqual(self.told("failed"), 0)
            self.assertIn(
                self.subscription_one,
                self.subscription_one.search([("renewal_problem", "!=", False)]),
            )
        with self.on("2027-07-04"):
            self.run_renewal()
            self.assertNotRenewed("books")
            self.assertFalse(order.transaction_ids)
        with self.on("2027-07-05"):
            self.company.fiscalyear_lock_date = "2027-06-30"
            self.run_renewal()
            self.assertRenewed()
            self.assertFalse(order.transaction_ids)
            self.assertEqual(self.customer._incident_account_balance(self.company), 10)

    def test_whatever_accounting_refuses(self):
        """R9.7: so with every reason but the balance itself."""
        self.pay(100)
        self.token()
        journals = self.env["account.journal"].search(
            [("type", "=", "sale"), ("company_id", "=", self.company.id)]
        )
        with self.on("2027-07-03"):
            journals.active = False
            with mute_logger("odoo.sql_db"):
                self.run_renewal()
            self.assertNotRenewed("books")
            self.assertFalse(self.renewals().transaction_ids)
        with self.on("2027-07-04"):
            journals.active = True
            self.run_renewal()
            self.assertRenewed()

    def test_card_where_the_balance_is_short(self):
        """R9.7: the saved card, as on any day."""
        self.pay(20)
        token = self.token()
        with self.on("2027-07-03"):
            self.company.fiscalyear_lock_date = "2027-07-31"
            self.run_renewal()
            self.assertEqual(self.renewals().transaction_ids.token_id, token)
