from odoo.tests import tagged

from .test_mail_gateway import GatewayCommon


@tagged("post_install", "-at_install")
class TestOverageMail(GatewayCommon):
    """R18.4: tickets by e-mail wait, unless the customer has allowed that they are
    sold, to be paid later."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        product = cls.env["product.product"].create(
            {
                "name": "Extra incident",
                "type": "service",
                "invoice_policy": "order",
                "list_price": 6,
                "taxes_id": False,
                "incident_kind": "lifetime",
                "incident_quantity": 1,
            }
        )
        cls.company.write(
            {"incident_overage_product_id": product.id, "incident_overage_limit": 10}
        )
        cls.paid_team.incident_shortage_policy = "charge"

    def sold(self, ticket):
        return self.env["sale.order"].search([("incident_ticket_id", "=", ticket.id)])

    def allow(self, allowed=True):
        self.customer._incident_agree_overage_by_mail(self.company, allowed)

    def test_not_allowed(self):
        """R18.4: it waits; what is allowed afterwards is for later ones."""
        ticket = self.mail()
        self.assertEqual(ticket.incident_state, "parked")
        self.assertEqual(self.told(ticket), ["parked"])
        self.allow()
        ticket._incident_account()._release()
        self.assertFalse(self.sold(ticket))

    def test_allowed(self):
        """R18.4: sold and deducted on arrival, from any contact of the customer, up to
        the limit; then it waits, and the customer is told."""
        self.allow()
        ticket = self.mail(sender=self.contact.email)
        self.assertEqual(
            (ticket.incident_state, ticket.incident_count), ("deducted", 1)
        )
        order = self.sold(ticket)
        self.assertEqual((order.state, order.amount_total), ("sale", 6))
        self.assertEqual(order.partner_id, self.contact)
        self.assertEqual(self.told(ticket), [])
        self.assertIn("Please help", ticket.description)
        second = self.mail()
        self.assertEqual(second.incident_state, "parked")
        self.assertEqual(self.told(second), ["parked"])
        self.assertIn("6.00 of the", " ".join(second.message_ids.mapped("body")))
        self.assertEqual(self.account().available, 0)

    def test_undone(self):
        """R18.4: undone, the next one waits."""
        self.allow()
        self.allow(False)
        self.assertEqual(self.mail().incident_state, "parked")

    def test_enough(self):
        """R18.1: nothing is sold while there is enough."""
        self.allow()
        self.give_lifetime(1)
        ticket = self.mail()
        self.assertEqual(ticket.incident_count, 1)
        self.assertFalse(self.sold(ticket))

    def test_unknown_sender(self):
        """R11.3, R18.4: of an unknown sender when staff set the customer, if that one
        has allowed it."""
        self.allow()
        ticket = self.mail(sender="stranger@example.com")
        self.assertEqual(ticket.incident_state, "parked")
        ticket.with_user(self.agent).partner_id = self.contact
        self.assertEqual(ticket.incident_state, "deducted")
        self.assertTrue(self.sold(ticket))

    def test_moved(self):
        """R18.4: moved, a waiting ticket is not sold to the other customer."""
        ticket = self.mail()
        self.other_customer._incident_agree_overage_by_mail(self.company, True)
        ticket.partner_id = self.other_portal_user.partner_id
        self.assertEqual(ticket.incident_state, "parked")
        self.assertFalse(self.sold(ticket))

    def test_opened_by_staff(self):
        """R18.4: what staff open waits: that is no e-mail of the customer."""
        self.allow()
        self.paid_team.incident_on_staff_tickets = True
        ticket = self.ticket()
        self.assertEqual(ticket.incident_state, "parked")
        self.assertFalse(self.sold(ticket))
