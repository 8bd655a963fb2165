from datetime import timedelta

from odoo.tests import tagged

from .common_charge import ChargeCommon


@tagged("post_install", "-at_install")
class TestAccountBalance(ChargeCommon):
    """R1, R12.7: what is no money is no balance, and pays for nothing."""

    def test_payment_reset_to_draft(self):
        """R12.7: 59.50 that is paid and reset to draft is owed again: -59.50. Its
        incidents are taken back, and come again."""
        invoice = self.bill(self.order(self.plan("Ten", 59.5, "lifetime", 10)))
        self.assertEqual(self.money(), -59.5)
        payment = self.register(invoice)
        self.assertEqual((self.money(), self.given()), (0, 10))
        payment.action_draft()
        self.assertEqual((self.money(), self.given()), (-59.5, 0))
        payment.action_post()
        self.assertEqual((self.money(), self.given()), (0, 10))

    def test_entry_reset_to_draft(self):
        """R12.7: the payment says *paid*, and its entry is a draft."""
        invoice = self.bill(self.order(self.pack))
        payment = self.register(invoice)
        payment.move_id.button_draft()
        self.assertEqual((self.money(), self.given()), (-50, 0))
        payment.move_id.action_post()
        self.assertEqual((self.money(), self.given()), (0, 10))

    def test_rejected(self):
        """R1: 80 for an invoice of 50, rejected by the bank: 50 are owed, and 30 are
        nobody's credit."""
        invoice = self.bill(self.order(self.pack))
        payment = self.pay(80)
        self.settle_with(invoice, payment.move_id)
        self.assertEqual((self.money(), self.given()), (30, 10))
        payment.action_reject()
        self.assertEqual((self.money(), self.given()), (-50, 0))
        self.assertFalse(self.customer._incident_credits(self.company))

    def test_credit_note_reset_to_draft(self):
        """R12.7: it credits nothing while it is a draft."""
        invoice = self.bill(self.order(self.pack))
        note = self.reverse(invoice)
        self.settle_with(invoice, note)
        self.assertEqual(self.money(), 0)
        note.button_draft()
        self.assertEqual(self.money(), -50)

    def test_payer_of_another_customer(self):
        """R1: who pays for somebody else owes nothing, and is owed nothing."""
        invoice = self.bill(self.order(self.pack))
        payer = self._customer("Parent")
        payment = self.pay(50, payer)
        self.settle_with(invoice, payment.move_id)
        self.assertEqual((self.money(), self.money(payer)), (0, 0))
        payment.action_draft()
        self.assertEqual((self.money(), self.money(payer)), (-50, 0))

    def test_deleted(self):
        """R10.2: a payment of a charge can be deleted; then 20 are to pay."""
        charge = self.charge(20)
        self.register(charge.invoice_ids).unlink()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((charge.payment_state, charge.amount_due), ("not_paid", 20))
        self.assertEqual(self.money(), -20)
        self.assertEqual(self.account_model._check_ledger(), [])

    def test_charge(self):
        """R10.2: a charge of 20 whose payment is reset, or rejected, is not paid, and
        nobody is asked to pay it: it is with accounting."""
        charge = self.charge(20)
        payment = self.register(charge.invoice_ids)
        for action in (payment.action_reject, payment.action_draft):
            self.env.invalidate_all()
            self.assertEqual((charge.payment_state, charge.amount_due), ("paid", 0))
            action()
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertEqual(
                (charge.payment_state, charge.amount_due), ("accounting", 20)
            )
            self.assertEqual(self.money(), -20)
            with self.assertRefused("in work"):
                self.refund(charge)
            if payment.state == "rejected":
                payment.action_draft()
            payment.action_post()
        payment.action_draft()
        payment.action_cancel()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((charge.payment_state, charge.amount_due), ("not_paid", 20))
        self.assertEqual(self.account_model._check_ledger(), [])

    # -- the accountants' list -------------------------------------------------

    def test_where_it_differs(self):
        """R12.7: what is no payment is named beside the receivables, which have it as
        paid."""
        invoice = self.bill(self.order(self.plan("Ten", 59.5, "lifetime", 10)))
        row = self.balance_row(self.customer)
        self.assertEqual(
            (row.receivable, row.ineffective, row.balance), (59.5, 0, -59.5)
        )
        payment = self.register(invoice)
        self.assertFalse(self.balance_row(self.customer), "nothing to say")
        payment.action_draft()
        row = self.balance_row(self.customer)
        self.assertEqual(
            (row.receivable, row.ineffective, row.balance), (0, 59.5, -59.5)
        )
        shown = self.env["account.move.line"].search(row.action_open_items()["domain"])
        self.assertEqual(shown.move_id, invoice)

    def test_overdue(self):
        """R12.7: what was due before today."""
        invoice = self.bill(self.order(self.pack))
        self.assertEqual(self.balance_row(self.customer).overdue, 0)
        invoice.line_ids.filtered("date_maturity").date_maturity -= timedelta(days=1)
        self.assertEqual(self.balance_row(self.customer).overdue, 50)

    def test_below_zero(self):
        """R12.7, R8.4: 10 for 50.00, 4 used, and the payment is reset: 4 below zero,
        20.00, beside the 50.00 that are owed."""
        payment = self.register(self.bill(self.order(self.pack)))
        self.use(4)
        self.assertFalse(self.balance_row(self.customer))
        payment.action_draft()
        row = self.balance_row(self.customer)
        self.assertEqual((row.below, row.amount_below, row.balance), (4, 20, -50))
        self.assertEqual(
            row.action_open_account()["res_id"], self.incident_account().id
        )
