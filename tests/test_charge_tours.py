from odoo.tests import tagged

from .test_charge_portal import ChargePortalCommon


@tagged("post_install", "-at_install")
class TestChargeTours(ChargePortalCommon):
    """R10: an agent charges, the customer sees it in the ticket and pays online."""

    def test_charge_and_pay(self):
        """R10.1, R10.3, R10.4: charged, raised, refunded, charged again, and paid."""
        path = f"/odoo/helpdesk-tickets/{self.charged_ticket.id}"
        self.start_tour(path, "helpdesk_paid_support_charge", login="hps-charger")
        charges = self.charged_ticket.charge_ids.sorted("id")
        self.assertEqual(self.documents(charges[0]), [60, 40, -40, -60])
        self.assertEqual(self.documents(charges[1]), [45])
        self.assertEqual(charges[1].payment_state, "not_paid")
        self._pay_it(charges[1])

    def _pay_it(self, charge):
        self.start_tour(
            f"/my/ticket/{self.charged_ticket.id}",
            "helpdesk_paid_support_charge_pay",
            login="hps-nora",
        )
        self.env.invalidate_all()
        self.assertEqual(charge.payment_state, "paid")
        self.assertEqual(charge.invoice_ids.transaction_ids.mapped("state"), ["done"])
        self.authenticate("hps-nora", "hps-nora")
        page = self.ticket_page()
        self.assertIn("Paid", self.text(page, "//*[@name='payment_state']"))

    def test_pay_on_a_phone(self):
        """R10.3: 390 pixels wide."""
        charge = self.charge(45, name="Restore a backup")
        self.browser_size = "390x844"
        self.touch_enabled = True
        self._pay_it(charge)
