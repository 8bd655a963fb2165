from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .common_charge import ChargeCommon


@tagged("post_install", "-at_install")
class TestChargeForm(ChargeCommon):
    """R10.1, R10.3: what chargers find in the dialog and beside a charge."""

    def dialog(self):
        action = self.charged_ticket.with_user(self.charger).action_charge()
        wizards = self.env["helpdesk.ticket.charge.wizard"].with_user(self.charger)
        return Form(wizards.with_context(**action["context"]))

    def test_texts_that_come_back(self):
        """R10.1: charged twice for the same, it is offered, with the last amount."""
        wizards = self.env["helpdesk.ticket.charge.wizard"].with_user(self.charger)
        self.charge(20, name="Visit", by=self.charger)
        self.assertNotIn(("Visit", "Visit"), wizards._presets())
        self.charge(25, name="Visit", by=self.charger)
        self.assertIn(("Visit", "Visit"), wizards._presets())
        with self.dialog() as form:
            form.preset = "Visit"
            self.assertEqual((form.name, form.amount), ("Visit", 25))

    def test_amounts_of_another_kind(self):
        """R10.1, R2.3: the last amount is one of the ticket's company, in the currency
        of the dialog, and with taxes as now: any other is another price."""
        self.charge(20, name="Visit", by=self.charger)
        self.charge(40, name="Visit", currency_id=self.env.ref("base.EUR").id)
        included = self.company.incident_charge_tax_included
        self.company.incident_charge_tax_included = not included
        self.charge(50, name="Visit", by=self.charger)
        self.company.incident_charge_tax_included = included
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        foreign = self.charge(60, name="Visit", by=self.charger)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE helpdesk_ticket_charge SET company_id = %s WHERE id = %s",
            [elsewhere.id, foreign.id],
        )
        self.env.invalidate_all()
        self.charger.company_ids += elsewhere
        with self.dialog() as form:
            currency = form.currency_id
            form.preset = "Visit"
            self.assertEqual((form.name, form.amount), ("Visit", 20))
            self.assertEqual(form.currency_id, currency)

    def test_payment_link(self):
        """R10.3: the link that the customer got by mail, while there is something to
        pay; only for who may charge."""
        charge = self.charge(30, name="Visit", by=self.charger)
        link = charge.with_user(self.charger).payment_link
        invoice = charge.sudo().invoice_ids
        self.assertIn(f"/my/invoices/{invoice.id}?access_token=", link)
        reader = self._staff("reader", "base.group_user")
        with self.assertRaises(AccessError):
            charge.with_user(reader).read(["payment_link"])
        self.refund(charge)
        self.env.invalidate_all()
        self.assertFalse(charge.with_user(self.charger).payment_link)

    def test_incidents_sold_is_a_number(self):
        """R8.6: 2 packs of 10 sell 20; 10 a month for 3 months, 30; credited, −20."""
        order = self.order(self.pack, quantity=2)
        invoice = self.bill(order)
        self.assertEqual(invoice.invoice_line_ids.incident_sold, 20)
        note = self.reverse(invoice)
        self.assertEqual(note.invoice_line_ids.incident_sold, -20)
        months = self.bill(self.order(self.months))
        self.assertEqual(months.invoice_line_ids.incident_sold, 30)
        service = self.bill(self.order(self.service))
        self.assertEqual(service.invoice_line_ids.incident_sold, 0)

    def test_incidents_sold_of_a_part(self):
        """R8.6: 0.29 of a pack of 100 sells 29; a dozen of packs of 10, 120."""
        hundred = self.plan("Pack of 100", 400, "lifetime", 100)
        line = self.order(hundred)._create_invoices().invoice_line_ids
        line.quantity = 0.29
        self.assertEqual(line.incident_sold, 29)
        dozen = self.env.ref("uom.product_uom_dozen")
        line = self.order(self.pack, quantity=12)._create_invoices().invoice_line_ids
        line.write({"product_uom_id": dozen.id, "quantity": 1})
        self.assertEqual(line.incident_sold, 120)
