from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_sale import SaleCommon


@tagged("post_install", "-at_install")
class TestSaleTakeBack(SaleCommon):
    """R8.4: what is paid no longer is taken back; paid again, exactly that comes back.

    Each way is tried again and again: with nothing used, and after some were used.
    """

    def undone_and_redone(self, undo, redo, pay=None):
        """Buy a pack and a subscription, and check what ``undo`` takes back and
        ``redo`` restores.

        :param undo: takes the order, and undoes its payment.
        :param redo: takes the order, and what ``undo`` has returned.
        """
        order = self.quotation(self.pack, self.months)
        (pay or self._pay)(order)
        self.assertEqual(self.state(order), (10, [10, 10, 10]))
        used = 0
        # Nothing, a part of the month, all of it and a part of the pack.
        for more in (0, 4, 11):
            if more:
                self.use(more)
            used += more
            with self.subTest(used=used):
                undone = undo(order)
                self.assertEqual(self.state(order), (0, [0, 0, 0]))
                # What was used stays used: of the month, and then of the pack.
                self.assertEqual(self.granted(order), [min(used, 10), 0, 0])
                self.assertEqual(self.lifetime_left(), -max(used - 10, 0))
                redo(order, undone)
                self.assertEqual(self.state(order), (10, [10, 10, 10]))
                self.assertEqual(self.granted(order), [10, 0, 0])
                self.assertEqual(self.available(), 20 - used)

    def _pay(self, order):
        order.action_confirm()
        self.register(self.bill(order))

    def _pay_online(self, order):
        self.transaction(order)

    def payments(self, order):
        credits = order.invoice_ids.line_ids.matched_credit_ids.credit_move_id
        return order.transaction_ids.payment_id or credits.move_id.origin_payment_id

    def state(self, order):
        return self.given(), self.targets(order)

    def lifetime_left(self):
        account = self.incident_account()
        account.invalidate_recordset()
        return account.lifetime_balance

    # -- payments -----------------------------------------------------------

    def test_payment_reset(self):
        """Resetting a payment unreconciles nothing, ``payment_state`` stays paid."""

        def undo(order):
            payment = self.payments(order)
            payment.action_draft()
            self.assertEqual(order.invoice_ids.amount_residual, 0)
            return payment

        def redo(order, payment):
            payment.action_post()
            if order.invoice_ids.amount_residual:
                self.settle_with(order.invoice_ids, payment.move_id)

        self.undone_and_redone(undo, redo)

    def test_entry_reset(self):
        """R1: resetting the entry of a payment leaves its state alone."""

        def undo(order):
            entry = self.payments(order).move_id
            entry.button_draft()
            return entry

        def redo(order, entry):
            entry.action_post()
            if order.invoice_ids.amount_residual:
                self.settle_with(order.invoice_ids, entry)

        self.undone_and_redone(undo, redo)

    def test_payment_rejected(self):
        def undo(order):
            payment = self.payments(order)
            payment.action_reject()
            return payment

        def redo(order, payment):
            payment.action_draft()
            payment.action_post()
            if order.invoice_ids.amount_residual:
                self.settle_with(order.invoice_ids, payment.move_id)

        self.undone_and_redone(undo, redo)

    def test_unreconciled(self):
        def undo(order):
            payment = self.payments(order)
            order.invoice_ids.line_ids.remove_move_reconcile()
            return payment

        def redo(order, payment):
            self.settle_with(order.invoice_ids, payment.move_id)

        self.undone_and_redone(undo, redo)

    def test_payment_deleted(self):
        def undo(order):
            payment = self.payments(order)
            payment.action_draft()
            payment.unlink()

        self.undone_and_redone(undo, lambda order, _: self.register(order.invoice_ids))

    def test_online_payment_reset(self):
        """A transaction stays done although its payment is not."""
        self.undone_and_redone(
            lambda order: self.payments(order).action_draft(),
            lambda order, _undone: self.payments(order).action_post(),
            pay=self._pay_online,
        )

    def test_online_payment_deleted(self):
        def undo(order):
            payment = self.payments(order)
            payment.action_draft()
            payment.unlink()

        self.undone_and_redone(
            undo, lambda order, _: self.transaction(order), pay=self._pay_online
        )

    def test_refunded_online(self):
        """Refunded, and the refund rejected."""
        self.undone_and_redone(
            self._refund,
            lambda order, refund: refund.payment_id.action_reject(),
            pay=self._pay_online,
        )

    def test_refunded_online_after_invoicing(self):
        """The invoice has nothing left to pay, but its money went back."""

        def pay(order):
            self.transaction(order)
            self.bill(order)
            self.assertEqual(order.invoice_ids.amount_residual, 0)

        self.undone_and_redone(
            self._refund,
            lambda order, refund: refund.payment_id.action_reject(),
            pay=pay,
        )

    def _refund(self, order):
        refund = order.transaction_ids[:1]._refund()
        refund._post_process()
        self.assertEqual(refund.payment_id.payment_type, "outbound")
        return refund

    def test_spent_elsewhere(self):
        """R8.3b: money that pays for something else does not pay for the order."""
        order = self.quotation(self.pack)
        transaction = self.transaction(order)
        other = self.bill(self.order(self.pack))
        self.assertEqual(self.given(), 10)
        self.settle_with(other, transaction.payment_id.move_id)
        self.assertEqual(self.given(), 10)
        other.line_ids.remove_move_reconcile()
        self.assertEqual(self.given(), 10)

    def test_refund_by_hand(self):
        """R8.3: paid back by hand, against the payment."""
        order = self.quotation(self.pack)
        transaction = self.transaction(order)
        refund = self.pay(-50)
        self.assertEqual(self.given(), 10)
        lines = (transaction.payment_id.move_id | refund.move_id).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        lines.reconcile()
        self.assertEqual(self.given(), 0)
        lines.remove_move_reconcile()
        self.assertEqual(self.given(), 10)

    # -- invoices -------------------------------------------------------------

    def test_invoice_reset(self):
        def undo(order):
            order.invoice_ids.button_draft()

        def redo(order, _undone):
            invoice = order.invoice_ids
            invoice.action_post()
            if invoice.amount_residual:
                self.settle_with(
                    invoice,
                    self.env["account.payment"]
                    .search([("partner_id", "=", self.customer.id)])
                    .move_id,
                )

        self.undone_and_redone(undo, redo)

    def test_invoice_cancelled(self):
        def undo(order):
            invoice = order.invoice_ids.filtered(lambda move: move.state == "posted")
            invoice.button_draft()
            invoice.button_cancel()

        def redo(order, _undone):
            self.register(self.bill(order))

        self.undone_and_redone(undo, redo)

    # -- credit notes ---------------------------------------------------------

    def test_credit_note(self):
        """Credited in full, and the credit note reset."""

        def undo(order):
            invoice = order.invoice_ids.filtered(
                lambda move: move.move_type == "out_invoice"
            )
            return self.reverse(invoice)

        def redo(order, credit_note):
            credit_note.button_draft()
            credit_note.button_cancel()

        self.undone_and_redone(undo, redo)

    def test_credit_note_in_part(self):
        """R8.4: in proportion, rounded down; the last periods first."""
        order = self.order(self.pack, self.months)
        invoice = self.bill(order)
        self.register(invoice)
        self.use(3)
        credit_note = self.reverse(invoice, post=False)
        for line in credit_note.invoice_line_ids:
            # 14.90 of 50 and 40 of 90: 2.98 and 13.33 incidents
            line.price_unit = 14.90 if line.price_unit == 50 else 40
        credit_note.action_post()
        self.assertEqual(self.state(order), (8, [10, 7, 0]))
        self.assertEqual(self.subscription(order).date_end.isoformat(), "2027-06-10")
        second = self.reverse(invoice, post=False)
        for line in second.invoice_line_ids:
            line.price_unit = 35.10 if line.price_unit == 50 else 40
        second.action_post()
        self.assertEqual(self.state(order), (0, [4, 0, 0]))
        self.assertEqual(self.granted(order), [4, 0, 0])
        credit_note.button_draft()
        self.assertEqual(self.state(order), (3, [10, 7, 0]))
        second.button_draft()
        self.assertEqual(self.state(order), (10, [10, 10, 10]))

    def test_goodwill(self):
        """R8.4: a credit note of goodwill takes nothing, also when marked later."""
        order = self.order(self.pack, self.months)
        invoice = self.bill(order)
        self.register(invoice)
        credit_note = self.reverse(invoice, incident_goodwill=True)
        self.assertEqual(self.state(order), (10, [10, 10, 10]))
        credit_note.incident_goodwill = False
        self.assertEqual(self.state(order), (0, [0, 0, 0]))
        credit_note.incident_goodwill = True
        self.assertEqual(self.state(order), (10, [10, 10, 10]))

    def test_credited_and_invoiced_anew(self):
        """R8.4: a corrected invoice is no credit."""
        order = self.order(self.pack)
        invoice = self.bill(order)
        self.register(invoice)
        new = self.reverse(invoice, "modify_moves")
        self.assertEqual(self.given(), 0)
        new.action_post()
        self.assertEqual(self.given(), 0)
        self.register(new)
        self.assertEqual(self.given(), 10)
        self.reverse(new)
        self.assertEqual(self.given(), 0)

    def test_credit_without_an_invoice(self):
        """R8.4: what was paid online and credited is taken back, too."""
        order = self.quotation(self.pack)
        self.transaction(order)
        self.reverse(self.bill(order))
        self.assertEqual(self.given(), 0)

    def test_credit_spent_on_another_order(self):
        """R8.3: a credit note pays with the money of its invoice, no longer than that
        is effective."""
        first = self.order(self.pack)
        invoice = self.bill(first)
        payment = self.register(invoice)
        credit_note = self.reverse(invoice)
        self.assertEqual(self.given(), 0)
        second = self.bill(self.order(self.pack))
        self.settle_with(second, credit_note)
        self.assertEqual(self.given(), 10)
        payment.action_draft()
        self.assertEqual(self.given(), 0)
        payment.action_post()
        self.settle_with(invoice, payment.move_id)
        self.assertEqual(self.given(), 10)

    def test_credit_of_an_unpaid_invoice_spent(self):
        """R8.3: the credit note of an invoice that nobody paid is no money."""
        invoice = self.bill(self.order(self.pack))
        credit_note = self.reverse(invoice)
        second = self.bill(self.order(self.pack))
        invoice.line_ids.remove_move_reconcile()
        self.settle_with(second, credit_note)
        self.assertEqual(second.amount_residual, 0)
        self.assertEqual(self.given(), 0)

    # -- orders -----------------------------------------------------------------

    def test_cancelled(self):
        """R8.4: without an invoice, all is taken back."""

        def redo(order, _undone):
            order.action_draft()
            order.action_confirm()

        self.undone_and_redone(
            lambda order: order._action_cancel(), redo, pay=self._pay_online
        )

    def test_cancelled_with_a_paid_invoice(self):
        """R8.4: what a paid, uncredited invoice covers stays."""
        order = self.order(self.pack, self.months)
        invoice = self.bill(order)
        payment = self.register(invoice)
        order._action_cancel()
        self.assertEqual(self.state(order), (10, [10, 10, 10]))
        payment.action_draft()
        self.assertEqual(self.state(order), (0, [0, 0, 0]))
        payment.action_post()
        if invoice.amount_residual:
            self.settle_with(invoice, payment.move_id)
        self.assertEqual(self.state(order), (10, [10, 10, 10]))
        self.reverse(invoice)
        self.assertEqual(self.state(order), (0, [0, 0, 0]))

    def test_cancelled_with_an_unpaid_invoice(self):
        """R8.4"""
        self.company.incident_grant_on = "confirmed"
        order = self.order(self.pack)
        self.bill(order)
        self.assertEqual(self.given(), 10)
        order._action_cancel()
        self.assertEqual(self.given(), 0)

    def test_cancelled_before_its_invoice_is_paid(self):
        """R8.4: what a paid invoice covers is given, whenever the order was cancelled;
        so is what its draft invoice covers, which is posted all the same."""
        order = self.order(self.pack)
        invoice = self.bill(order)
        order._action_cancel()
        self.register(invoice)
        self.assertEqual(self.given(), 10)
        order = self.order(self.pack)
        invoice = order._create_invoices()
        order._action_cancel()
        invoice.button_draft()
        invoice.action_post()
        self.register(invoice)
        self.assertEqual(self.given(), 20)

    def test_given_order_cannot_be_deleted(self):
        """R3.8: it is the source of entries."""
        order = self.quotation(self.pack)
        self.transaction(order)
        order._action_cancel()
        for records in (order, order.order_line):
            with self.assertRaisesRegex(UserError, "part of the customer's statement"):
                records.unlink()

    # -- over time ----------------------------------------------------------------

    def test_periods_gone_by(self):
        """R8.4: only the current period and those to come are taken back; paid again,
        each comes back in its own window (R3.4)."""
        order = self.order(self.months)
        self.register(self.bill(order))
        payment = self.payments(order)
        self.use(4)
        with freeze_time("2027-05-20"):
            self.use(3)
            payment.action_draft()
            self.assertEqual(self.granted(order), [10, 3, 0])
            self.assertEqual(self.available(), 0)
        with freeze_time("2027-06-20"):
            payment.action_post()
            if order.invoice_ids.amount_residual:
                self.settle_with(order.invoice_ids, payment.move_id)
            self.assertEqual(self.granted(order), [10, 10, 10])
            self.assertEqual(self.available(), 10)
            allotments = self.subscription(order).allotment_ids.sorted("date_from")
            self.assertEqual(allotments.mapped("lapsed"), [6, 7, 0])

    def test_returned_after_revocation(self):
        """R5.3, R3.4: what a ticket gives back to a period that is not paid lapses, and
        comes back when it is paid again."""
        order = self.quotation(self.months)
        transaction = self.transaction(order)
        ticket = self.use(4)
        transaction.payment_id.action_draft()
        ticket.incident_count = 0
        self.assertEqual((self.available(), self.granted(order)), (0, [0, 0, 0]))
        transaction.payment_id.action_post()
        self.assertEqual((self.available(), self.granted(order)), (10, [10, 0, 0]))

    def test_twice_changes_nothing(self):
        """R3.4"""
        order = self.quotation(self.pack, self.months, self.service)
        self.transaction(order)
        with self.assertNothingChanges():
            order._incident_changed()
            order._incident_settle()
            order.write({"state": "sale"})
            order.order_line = [Command.update(order.order_line[0].id, {"discount": 0})]
