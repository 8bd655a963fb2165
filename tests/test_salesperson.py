from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from .common_sale import BOUGHT
from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestSalesperson(SubscriptionCommon):
    """R14: salespeople read accounts, subscriptions and allotments of customers, and
    order for them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time(BOUGHT):
            cls.sub = cls.bought()
        cls.sellers = [
            new_test_user(
                cls.env,
                f"hps-{group}",
                groups=f"base.group_user,sales_team.{group}",
                company_id=cls.company.id,
                company_ids=[(6, 0, cls.company.ids)],
            )
            for group in ("group_sale_salesman", "group_sale_manager")
        ]

    def test_opens_what_was_sold(self):
        """R14: the forms of the subscription, the account and its allotments."""
        for user in self.sellers:
            with self.subTest(user=user.login):
                for record in (
                    *(self.sub, self.sub.account_id, self.sub.allotment_ids[:1]),
                    self.sub.term_ids,
                ):
                    self.env.invalidate_all()
                    own = record.with_user(user).sudo(False)
                    own.read()
                    if record._name != "helpdesk.incident.subscription.term":
                        Form(own)
                order = self.sub.term_ids.sale_line_id.order_id
                order.user_id = user
                own = order.with_user(user).sudo(False)
                action = own.action_view_incident_subscriptions()
                self.assertEqual(action["res_id"], self.sub.id)
                partner = self.customer.with_user(user)
                self.assertEqual(partner.incident_available, 10)
                self.assertEqual(
                    partner.action_view_incidents()["res_id"], self.sub.account_id.id
                )

    def test_orders_for_the_customer(self):
        """R14: an extra incident in 3 months for 4.00 each; but switches nothing."""
        user = self.sellers[0]
        own = self.sub.with_user(user).sudo(False)
        action = own.action_order_extra()
        wizard = self.env[action["res_model"]].with_user(user)
        form = Form(wizard.with_context(**action["context"]))
        form.save().action_order()
        self.assertEqual(self.sub._open_orders().amount_total, 12)
        for refused in (
            *(own.action_auto_renew_on, own.action_auto_renew_off),
            *(own.action_cancel, own.action_reopen),
        ):
            with self.assertRaises(AccessError):
                refused()

    def test_reads_no_more(self):
        """R14: neither entries, with the tickets that have used them, nor charges."""
        user = self.sellers[0]
        for name in (
            *("helpdesk.incident.entry", "helpdesk.ticket.charge"),
            *("helpdesk.incident.reminder", "helpdesk.incident.purchase"),
        ):
            with self.subTest(model=name), self.assertRaises(AccessError):
                self.env[name].with_user(user).search([])

    def test_other_company(self):
        """R2.3: salespeople of another company read nothing."""
        other = self.env["res.company"].create({"name": "Another company"})
        user = new_test_user(
            self.env,
            "hps-seller-elsewhere",
            groups="base.group_user,sales_team.group_sale_manager",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        for record in (self.sub, self.sub.account_id, self.sub.allotment_ids):
            with self.assertRaises(AccessError):
                record.with_user(user).sudo(False).read(["display_name"])
