from itertools import count

from odoo.tests import tagged

from odoo.addons.account_payment.tests.common import AccountPaymentCommon


@tagged("post_install", "-at_install")
class TestOnlinePayment(AccountPaymentCommon):
    """R6.2, R6.3, R6.5 through online transactions of `payment_demo`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.company.write(
            {
                "incident_first_payment_quantity": 5,
                "incident_topup_amount": 100,
                "incident_topup_quantity": 2,
            }
        )
        cls.demo = cls._prepare_provider("demo")
        cls.customer = cls.env["res.partner"].create({"name": "Northwind"})

    references = count(1)

    def transaction(self, amount, **values):
        method = self.demo.payment_method_ids[:1]
        return (
            self.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": method.id,
                    "amount": amount,
                    "currency_id": self.company.currency_id.id,
                    "partner_id": self.customer.id,
                    "reference": f"HPS-{next(self.references)}",
                    "operation": "online_direct",
                    **values,
                }
            )
        )

    def process(self, transaction, state="done"):
        transaction._process(
            "demo", {"reference": transaction.reference, "simulated_state": state}
        )
        transaction._post_process()
        return transaction

    def given(self):
        account = self.env["helpdesk.incident.account"]._of(self.customer, self.company)
        account.invalidate_recordset()
        return account.lifetime_granted

    def test_paid(self):
        """R6.5: the post-processing creates the payment; it counts once."""
        transaction = self.process(self.transaction(250))
        self.assertTrue(transaction.payment_id)
        self.assertEqual(self.given(), 9)
        transaction._post_process()
        self.assertEqual(self.given(), 9)

    def test_not_paid(self):
        """R1: pending, cancelled and failed transactions are no payments."""
        for state in ("pending", "cancel", "error"):
            self.process(self.transaction(250), state)
            self.assertEqual(self.given(), 0, state)

    def test_refunded_in_part_and_in_full(self):
        """R6.2, R6.5: the first payment's incidents go with the last cent."""
        transaction = self.process(self.transaction(250))
        refund = transaction._refund(100)
        refund._post_process()
        self.assertEqual(refund.payment_id.payment_type, "outbound")
        self.assertEqual(self.given(), 5 + 2)
        rest = transaction._refund(150)
        rest._post_process()
        self.assertEqual(self.given(), 0)
        # The refund did not happen after all.
        rest.payment_id.action_reject()
        self.assertEqual(self.given(), 5 + 2)
        self.process(self.transaction(1000))
        self.assertEqual(self.given(), 5 + 22)

    def test_captured(self):
        """R1: an authorized transaction is no payment until it is captured."""
        self.demo.capture_manually = True
        transaction = self.process(self.transaction(250))
        self.assertEqual(transaction.state, "authorized")
        self.assertEqual(self.given(), 0)
        captured = transaction._capture() | transaction
        captured._post_process()
        self.assertEqual(transaction.state, "done")
        self.assertEqual(self.given(), 9)

    def test_voided(self):
        """R1"""
        self.demo.capture_manually = True
        transaction = self.process(self.transaction(250))
        transaction._void()
        transaction._post_process()
        self.assertEqual(self.given(), 0)

    def test_charged_with_a_token(self):
        """R6.5: a payment by a saved token, made by hand."""
        token = self.env["payment.token"].create(
            {
                "provider_id": self.demo.id,
                "payment_method_id": self.demo.payment_method_ids[:1].id,
                "partner_id": self.customer.id,
                "provider_ref": "demo",
                "payment_details": "1234",
                "demo_simulated_state": "done",
            }
        )
        self.demo.journal_id = self.company_data["default_journal_bank"]
        line = self.demo.journal_id.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == self.demo
        )
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer.id,
                "amount": 250,
                "journal_id": line.journal_id.id,
                "payment_method_line_id": line.id,
                "payment_token_id": token.id,
            }
        )
        payment.action_post()
        self.assertEqual(payment.payment_transaction_id.state, "done")
        self.assertEqual(self.given(), 9)
