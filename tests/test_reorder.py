import json

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_subscription_portal import MAY_20, SubscriptionPortalCommon


@tagged("post_install", "-at_install")
class TestReorder(SubscriptionPortalCommon):
    """R24.3: *Order again* of `website_sale` never repeats what acted on a
    subscription, and leads to renewing: a change of plan of 150.00 − 60.00 would be
    both plans."""

    def changed(self):
        with self.on(MAY_20):
            order = self.bought()._order_change(self.business)
            self.paid(order)
        return order

    def test_refused(self):
        """R24.3: with the page where it is renewed."""
        order = self.changed()
        subscription = self.subscription(order)
        page = f"/my/incidents/subscription/{subscription.id}/renew"
        with self.assertRaisesRegex(UserError, page):
            order._incident_check_reorder()
        # What acts on nothing that exists can be ordered again.
        self.quotation(self.pack)._incident_check_reorder()

    def test_in_the_shop(self):
        """R24.3: nothing comes into the cart (where `website_sale` is installed)."""
        if "website" not in self.env or "cart_quantity" not in self.env["sale.order"]:
            self.skipTest("website_sale is not installed")
        order = self.changed()
        order.partner_id = self.user.partner_id
        before = self.env["sale.order"].search([])
        self.log_in()
        answer = self.url_open(
            "/my/orders/reorder",
            data=json.dumps({"params": {"order_id": order.id}}),
            headers={"Content-Type": "application/json"},
        ).json()
        self.assertIn("/renew", answer["error"]["data"]["message"])
        new = self.env["sale.order"].search([]) - before
        self.assertFalse(new.order_line)
