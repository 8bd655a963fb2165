from odoo.tests import tagged

from .common_charge import ChargeCommon


@tagged("post_install", "-at_install")
class TestCharge(ChargeCommon):
    """R10.1, R10.2, R10.4: charge, edit, refund."""

    def test_charge_edit_refund(self):
        """R10.4: charge 100, edit to 60, refund: 100, -40, -60; the balance is back
        where it was, no document was altered, the ticket tells the story."""
        self.pay(250)
        before = self.money()
        charge = self.charge(100)
        self.assertEqual(charge.invoice_ids.payment_state, "paid")
        self.assertEqual(self.money(), before - 100)
        first = charge.invoice_ids.copy_data()
        self.edit(charge, 60)
        self.assertEqual(charge.amount, 60)
        self.assertEqual(self.money(), before - 60)
        self.refund(charge)
        self.assertEqual(self.documents(charge), [100, -40, -60])
        self.assertEqual(self.money(), before)
        self.assertEqual(charge.invoice_ids.sorted("id")[0].copy_data(), first)
        self.assertEqual(
            (charge.state, charge.amount, charge.amount_invoiced),
            ("refunded", 0, 100),
        )
        story = self.history()
        print(story)
