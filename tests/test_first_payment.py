from unittest.mock import patch

from psycopg2.errors import CheckViolation

from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_payment import PaymentCommon


@tagged("post_install", "-at_install")
class TestFirstPayment(PaymentCommon):
    """R6.2"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.write(
            {"incident_first_payment_quantity": 5, "incident_topup_quantity": 0}
        )

    def test_first_only(self):
        """R6.2"""
        first = self.pay(1)
        self.pay(1000)
        self.assertEqual(self.balance(), 5)
        self.assertEqual(first.incident_quantity, 5)
        self.assertRegex(self.incident_account().entry_ids.name, "First payment")

    def test_two_in_one_batch(self):
        """R6.2: two first payments posted at once grant once."""
        payments = self.pay(1, post=False) + self.pay(2, post=False)
        payments.action_post()
        self.assertEqual(self.balance(), 5)
        self.assertEqual(payments.mapped("state"), ["in_process"] * 2)

    def test_moves_on(self):
        """R6.2: undone, it is revoked; the next that becomes effective gets it."""
        first = self.pay(1)
        second = self.pay(1)
        first.action_draft()
        self.assertEqual(self.balance(), 0)
        third = self.pay(1)
        self.assertEqual((self.balance(), third.incident_quantity), (5, 5))
        first.action_post()
        self.assertEqual((self.balance(), first.incident_quantity), (5, 0))
        third.action_reject()
        self.assertEqual(self.balance(), 0)
        second.action_draft()
        second.action_post()
        self.assertEqual((self.balance(), second.incident_quantity), (5, 5))

    def test_asking_writes_nothing(self):
        """R3.4: payments say what they should have given by now, before anything is
        written: one loses the 5 incidents, which another customer gets for it."""
        other = self._customer("Other")
        payment = self.pay(1)
        with patch.object(type(payment), "_incident_give"):
            payment.action_draft()
            payment.partner_id = other
            payment.action_post()
        account = payment.sudo()._incident_opened() - self.incident_account()
        self.env.flush_all()
        with self.assertNothingChanges(), self.env.cr.savepoint():
            self.env.cr.execute("SET TRANSACTION READ ONLY")
            causes = payment._incident_causes()
            self.env.flush_all()
        self.assertEqual(
            [(cause.account, cause.key, cause.target) for cause in causes],
            [
                (self.incident_account(), f"first_payment:{payment.id}", 0),
                (account, f"first_payment:{payment.id}", 5),
            ],
        )
        payment._incident_settle()
        self.assertEqual((self.balance(), self.balance(other)), (0, 5))
        self.assertEqual(payment._incident_causes(), [])
        self.assertLedgerSound()

    def test_redone(self):
        """R3.4: undone and redone, the same payment holds the same again."""
        first = self.pay(1)
        self.pay(1)
        self.company.incident_first_payment_quantity = 50
        first.action_draft()
        first.action_post()
        self.assertEqual(self.balance(), 5)

    def test_deleted(self):
        """R6.2"""
        first = self.pay(1)
        first.action_draft()
        first.unlink()
        self.assertEqual(self.balance(), 0)
        self.pay(1)
        self.assertEqual(self.balance(), 5)

    def test_paid_before(self):
        """R6.2, R6.6: payments of before count as the first ones."""
        self.company.incident_first_payment_quantity = 0
        old = self.pay(1)
        self.company.incident_first_payment_quantity = 5
        self.pay(1)
        self.assertEqual(self.balance(), 0)
        old.action_draft()
        old.action_post()
        self.pay(1)
        self.assertEqual(self.balance(), 0)

    def test_contacts_are_one_customer(self):
        """R6.2, R2.1"""
        contact = self.env["res.partner"].create(
            {"name": "Nora", "parent_id": self.customer.id}
        )
        self.pay(1, contact)
        self.pay(1)
        self.assertEqual(self.balance(), 5)

    def test_not_paid_out(self):
        """R6.2: inbound payments alone."""
        self.pay(-10)
        self.assertEqual(self.balance(), 0)
        self.pay(10)
        self.assertEqual(self.balance(), 5)

    def reconcile(self, *payments):
        lines = self.env["account.move.line"]
        for payment in payments:
            lines |= payment.move_id.line_ids.filtered(
                lambda line: line.account_id.account_type == "asset_receivable"
            )
        lines.reconcile()
        return lines

    def test_refunded_by_hand(self):
        """R6.2: paid back in full and reconciled; and unreconciled again."""
        first = self.pay(10)
        part = self.pay(-4)
        self.reconcile(first, part)
        self.assertEqual(self.balance(), 5)
        rest = self.pay(-6)
        lines = self.reconcile(first, rest)
        self.assertEqual(self.balance(), 0)
        lines.remove_move_reconcile()
        self.assertEqual(self.balance(), 5)

    def test_refund_reset(self):
        """R6.2: the refund is undone, the payment holds the grant again."""
        first = self.pay(10)
        refund = self.pay(-10)
        self.reconcile(first, refund)
        self.assertEqual(self.balance(), 0)
        refund.move_id.button_draft()
        self.assertEqual(self.balance(), 5)
        refund.move_id.action_post()
        second = self.pay(10)
        self.assertEqual(self.balance(), 5)
        self.assertEqual(first.incident_quantity + second.incident_quantity, 5)

    def test_turned_around(self):
        """R6.2: inbound payments alone, whichever way they were when first seen."""
        payment = self.pay(100)
        payment.action_draft()
        payment.payment_type = "outbound"
        payment.action_post()
        self.assertEqual(self.balance(), 0)
        payment.action_draft()
        payment.payment_type = "inbound"
        payment.action_post()
        self.assertEqual(self.balance(), 5)

    def test_refunded_in_foreign_currency(self):
        """R6.2: in full is in full, whatever the rate is by then."""
        foreign = self.setup_other_currency(
            "EUR", rates=[("2027-01-01", 2.0), ("2027-06-01", 4.0)]
        )
        first = self.pay(100, currency_id=foreign.id)
        self.assertEqual(self.balance(), 5)
        refund = self.pay(-100, currency_id=foreign.id, date="2027-06-10")
        self.reconcile(first, refund)
        self.assertEqual(self.balance(), 0)

    def test_settling_again_changes_nothing(self):
        """R3.4, R6.2: nor does a refund in part give anything."""
        first = self.pay(100)
        first.action_draft()
        second = self.pay(100)
        first.action_post()
        second.action_draft()
        self.assertEqual(self.balance(), 0)
        first._incident_give()
        self.assertEqual(self.balance(), 0)
        self.reconcile(first, self.pay(-30))
        self.assertEqual(self.balance(), 0)

    def test_earlier_payment_without_entry(self):
        """R6.2: it was the first one all the same."""
        self.company.incident_first_payment_quantity = 0
        self.pay_without_entry(100)
        self.company.incident_first_payment_quantity = 5
        self.pay(100)
        self.assertEqual(self.balance(), 0)

    def test_refund_deleted(self):
        """R6.2: the payment that it paid back holds the grant again."""
        first = self.pay(10)
        refund = self.pay(-10)
        self.reconcile(first, refund)
        self.assertEqual(self.balance(), 0)
        refund.action_draft()
        self.assertEqual(self.balance(), 5)
        refund.unlink()
        self.assertEqual(self.balance(), 5)

    def test_lost_is_lost(self):
        """R6.2, R3.4: a refund that is undone while another payment holds the grant
        gives no claim to it later."""
        first = self.pay(100)
        refund = self.pay(-100)
        lines = self.reconcile(first, refund)
        second = self.pay(100)
        self.assertEqual(second.incident_quantity, 5)
        lines.remove_move_reconcile()
        second.action_draft()
        self.assertEqual(self.balance(), 0)
        with self.assertNothingChanges():
            first._incident_settle()
            self.reconcile(first, self.pay(-30))

    def test_faults_do_not_lose_it(self):
        """R6.2, R3.9: what could not be settled at first is settled in the end."""
        account_class = type(self.account_model)
        settle = account_class._settle
        other = self._customer("Other")

        def fail(model, causes):
            if any(cause.account.partner_id == other for cause in causes):
                raise ValueError("Not this one")
            return settle(model, causes)

        logger = (
            "odoo.addons.helpdesk_paid_support.models.ledger.helpdesk_incident_cause"
        )
        payments = self.pay(1, post=False) + self.pay(2, post=False)
        payments += self.pay(3, other, post=False)
        with mute_logger(logger), patch.object(account_class, "_settle", fail):
            payments.action_post()
        self.assertEqual((self.balance(), self.balance(other)), (5, 0))
        faults = self.env["helpdesk.incident.fault"].sudo().search([])
        faults._retry()
        self.assertEqual((self.balance(), self.balance(other)), (5, 5))

    # -- the least amount that counts ----------------------------------------

    def test_below_the_minimum(self):
        """R6.2: 0.01 gets nothing and does not use it up; 50.00, the least amount that
        counts, gets the 5; 49.99 after that nothing."""
        self.company.incident_first_payment_minimum = 50
        self.pay(0.01)
        self.pay(49.99)
        self.assertEqual(self.balance(), 0)
        self.pay(50)
        self.assertEqual(self.balance(), 5)
        self.pay(1000)
        self.assertEqual(self.balance(), 5)

    def test_minimum_and_payments_of_before(self):
        """R6.2, R6.6: what was paid before the module uses it up from 50.00 on."""
        self.company.write(
            {"incident_first_payment_quantity": 0, "incident_first_payment_minimum": 50}
        )
        other = self._customer("Other")
        self.pay(49.99)
        self.pay(50, other)
        self.company.incident_first_payment_quantity = 5
        self.pay(60)
        self.pay(60, other)
        self.assertEqual((self.balance(), self.balance(other)), (5, 0))

    def test_less_than_the_minimum_is_left(self):
        """R6.2: of 60.00, 10.00 paid back leave 50.00 and the 5; 0.01 more takes them
        back; undone, they come back."""
        self.company.incident_first_payment_minimum = 50
        first = self.pay(60)
        self.reconcile(first, self.pay(-10))
        self.assertEqual(self.balance(), 5)
        refund = self.pay(-0.01)
        lines = self.reconcile(first, refund)
        self.assertEqual(self.balance(), 0)
        lines.remove_move_reconcile()
        self.assertEqual(self.balance(), 5)
        self.reconcile(first, refund)
        self.pay(70)
        self.assertEqual(self.balance(), 5)

    def test_minimum_is_kept(self):
        """R6.2, R6.3: a payment keeps the least amount of its time: 20.00 that held the
        5 holds them again at a minimum of 50.00, 60.00 that did not at one of 100.00
        does not get them at one of 10.00."""
        first = self.pay(20)
        self.company.incident_first_payment_minimum = 50
        first.action_draft()
        first.action_post()
        self.assertEqual(self.balance(), 5)
        other = self._customer("Other")
        self.company.incident_first_payment_minimum = 100
        second = self.pay(60, other)
        self.company.incident_first_payment_minimum = 10
        second.action_draft()
        second.action_post()
        self.assertEqual(self.balance(other), 0)

    def test_minimum_in_foreign_currency(self):
        """R6.2: in company currency, at the rate of the payment: 100.00 at 2.0 are
        50.00, 99.98 are 49.99."""
        foreign = self.setup_other_currency("EUR", rates=[("2027-01-01", 2.0)])
        self.company.incident_first_payment_minimum = 50
        self.pay(99.98, currency_id=foreign.id)
        self.assertEqual(self.balance(), 0)
        first = self.pay(100, currency_id=foreign.id)
        self.assertEqual(self.balance(), 5)
        self.reconcile(first, self.pay(-1, currency_id=foreign.id))
        self.assertEqual(self.balance(), 0)

    def test_minimum_without_entry(self):
        """R6.2: payments without a journal entry count alike."""
        self.company.incident_first_payment_minimum = 50
        self.pay_without_entry(49.99)
        self.assertEqual(self.balance(), 0)
        self.pay_without_entry(50)
        self.assertEqual(self.balance(), 5)

    def test_minimum_is_no_minus(self):
        """R12.5: a least amount is 0 or more."""
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
            self.company.incident_first_payment_minimum = -1
            self.env.flush_all()
