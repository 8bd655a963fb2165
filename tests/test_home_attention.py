from odoo.tests import tagged

from .test_subscription_portal import SubscriptionPortalCommon


@tagged("post_install", "-at_install")
class TestHomeAttention(SubscriptionPortalCommon):
    """R11.5: the home page says what needs attention."""

    def words(self, login="hps-nora"):
        self.authenticate(login, login)
        page = self.page("/my/home")
        return page.xpath("//*[@name='incident_attention']/text()")

    def test_attention(self):
        """R11.3, R11.4: what waits, is to be paid and to be renewed, of the customer's
        own; nothing where there is nothing."""
        self.assertEqual(self.words(), [])
        self.team.write({"incident_cost": 30, "incident_shortage_policy": "park"})
        self.bought()
        self.post(
            "/submitted/ticket", team=self.team.id, subject="Down", description="Help"
        )
        with self.on("2027-07-05"):
            for _twice in range(2):
                self.quotation(self.pack).action_quotation_sent()
            self.assertEqual(
                self.words(),
                [
                    "Tickets that wait: 1",
                    "Orders to pay: 2",
                    "Subscriptions to renew: 1",
                ],
            )
            self.assertEqual(self.words("hps-bella"), [])
