from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestTicketOrder(BuyCommon):
    """R4.3, R11.3: an agent orders for the customer of a ticket what it lacks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.incident_cost = 12
        cls.agent = new_test_user(
            cls.env,
            "hps-order-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )
        cls.short = cls.env["helpdesk.ticket"].create(
            {
                "name": "It does not work",
                "description": "Please help",
                "team_id": cls.team.id,
                "partner_id": cls.user.partner_id.id,
                "company_id": cls.company.id,
            }
        )

    def dialog(self, user=None, ticket=None, **context):
        ticket = ticket or self.short
        action = ticket.with_user(user or self.agent).action_incident_order()
        orders = self.env["helpdesk.ticket.order"].with_user(user or self.agent)
        return Form(orders.with_context(**action["context"], **context))

    def told(self, ticket):
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        return reminders.search([("ticket_id", "=", ticket.id)], order="id")

    def test_order_and_pay(self):
        """R11.3: the cheapest plan that suffices, as many as it takes: 2 packs of 10
        for 12 incidents. The customer gets a link to pay; paid, the ticket takes 12 of
        20."""
        form = self.dialog()
        self.assertEqual((form.product_id, form.quantity), (self.pack, 2))
        self.assertIn("100.00", form.preview)
        self.assertFalse(form.problem)
        form.save().action_order()
        order = self.orders()
        self.assertEqual((order.state, order.amount_total), ("sent", 100))
        self.assertEqual(self.short.incident_state, "parked")
        self.assertTrue(self.short.incident_link_on)
        [told] = self.told(self.short)
        self.assertEqual(told.kind, "parked")
        self.assertIn(f"/my/orders/{order.id}?", told.url)
        self.assertIn(order.name, self.short.message_ids[0].body)
        self.transaction(order)
        self.short._incident_account()._release()
        self.assertEqual(self.short.incident_count, 12)
        self.assertEqual(self.available(), 8)

    def test_more_for_what_has_some(self):
        """R4.5, R11.3: of 3 the ticket holds 2, and is to hold 5: 2 are missing. It
        does not wait, and the dialog says so; the customer gets a link to pay all the
        same, once."""
        self.incident_account()._adjust(3, "A gift")
        self.short.incident_count = 2
        form = self.dialog(default_missing=2)
        self.assertFalse(form.waits)
        for _twice in range(2):
            form.save().action_order()
        order = self.orders()
        self.assertEqual(self.short.incident_state, "deducted")
        [told] = self.told(self.short)
        self.assertEqual(told.kind, "ordered")
        self.assertIn(f"/my/orders/{order.id}?", told.url)
        note = self.short.message_ids[0].body
        self.assertIn(order.name, note)
        self.assertNotIn("waits", note)
        told._send()
        mail = self.short.message_ids[0]
        self.assertEqual(told.state, "sent")
        self.assertIn(f"/my/orders/{order.id}?", mail.body)
        self.assertIn(order.name, mail.subject)
        # Not of what is paid meanwhile.
        told.state = "waiting"
        self.transaction(order)
        told._send()
        self.assertEqual(told.state, "armed")

    def test_one_mail(self):
        """R11.3, R13.2: what is ordered before the customer was told that the ticket
        waits is in the same mail, and is all that there is to pay."""
        self.team.write(
            {"incident_on_staff_tickets": True, "incident_shortage_policy": "park"}
        )
        ticket = self.short.with_user(self.agent).create(
            {
                "name": "On the phone",
                "description": "…",
                "team_id": self.team.id,
                "partner_id": self.user.partner_id.id,
            }
        )
        self.assertTrue(self.dialog(ticket=ticket).waits)
        for quantity in (2, 3):
            with self.dialog(ticket=ticket) as form:
                form.quantity = quantity
            form.record.action_order()
            order = self.orders()[0]
            [told] = self.told(ticket)
            self.assertEqual((told.kind, told.order_id), ("parked", order))
            self.assertIn(f"/my/orders/{order.id}?", told.url)
            self.assertIn(order.name, ticket.message_ids[0].body)
        told.state = "sent"
        with self.dialog(ticket=ticket) as form:
            form.quantity = 4
        form.record.action_order()
        self.assertEqual(self.told(ticket).mapped("kind"), ["parked", "still_parked"])

    def test_twice(self):
        """R3.6: the same order sent twice is one."""
        self.dialog().save().action_order()
        self.dialog().save().action_order()
        self.assertEqual(len(self.orders()), 1)

    def test_what_cannot_be_ordered(self):
        """R8.1, R8.2: not what is not sold in the portal, and no 0 units."""
        form = self.dialog()
        form.quantity = 0
        self.assertIn("1 or more", form.problem)
        form.quantity = 1
        form.product_id = self.hidden
        self.assertIn("sold to customers", form.problem)
        self.assertFalse(self.orders())

    def test_who_may(self):
        """R14: whoever may write the ticket, and nobody by naming another's."""
        own = new_test_user(
            self.env,
            "hps-order-own",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user_own",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.short.user_id = self.agent
        with self.assertRaises(AccessError):
            self.dialog(own)
        orders = self.env["helpdesk.ticket.order"].with_user(own)
        with self.assertRaises(AccessError):
            orders.create({"ticket_id": self.short.id}).action_order()
        self.assertFalse(self.orders())
