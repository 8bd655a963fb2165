from odoo.tests import tagged

from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestOverviewHistory(SubscriptionCommon):
    """R8.6, R12.1, R12.2: what staff see of what has happened, in one place."""

    def test_statement_with_balance(self):
        """R12.1: 10 given, 3 used, 2 returned: 10, 7, 9; by whom, in words."""
        sub = self.bought()
        ticket = self.use(3)
        ticket.incident_count = 1
        self.env.invalidate_all()
        entries = sub.account_id.entry_ids.sorted("id")
        self.assertEqual(entries.mapped("balance"), [10, 7, 9])
        self.assertEqual(
            sub.account_id.with_user(self.manager).entry_count, len(entries)
        )

    def test_automatic(self):
        """R3.8: what nobody has done is automatic; no list names OdooBot."""
        robot = self.env.ref("base.user_root")
        account = self.incident_account()
        account.with_user(robot).sudo()._adjust(1, "By a robot")
        self.assertEqual(account.entry_ids[0].actor, "automatic")

    def test_history_of_a_subscription(self):
        """R8.6: the purchase, and the renewal, with order and amount."""
        sub = self.bought()
        self.assertEqual(sub.order_count, 1)
        order = sub.term_ids.sale_line_id.order_id
        self.assertIn("Purchase", sub.history)
        self.assertIn(order.name, sub.history)
        self.assertIn("90.00", sub.history)
        sub.with_user(self.manager).action_cancel()
        self.env.invalidate_all()
        self.assertIn("Cancelled", sub.history)
        self.assertEqual(sub.entry_count, len(sub.allotment_ids.entry_ids))

    def test_days_of_the_company(self):
        """R3.7: what was bought at 20:00 UTC was bought on the next day in Auckland,
        wherever it is read."""
        sub = self.bought()
        order = sub.term_ids.sale_line_id.order_id
        order.date_order = "2027-04-12 20:00:00"
        self.assertIn("Apr 12, 2027", sub.history)
        self.company.partner_id.tz = "Pacific/Auckland"
        self.env.invalidate_all()
        for tz in ("America/Los_Angeles", "Pacific/Auckland"):
            history = sub.with_context(tz=tz).history
            self.assertIn("Apr 13, 2027", history)

    def test_nobody_groups_by_bookkeeping(self):
        """R12.2: menus offer what has a meaning for people."""
        for model, names in {
            "helpdesk.incident.account": ["revision", "create_uid"],
            "helpdesk.incident.entry": ["cause_key", "cause_number", "res_model"],
            "helpdesk.incident.allotment": ["cause_key", "res_model"],
            "helpdesk.incident.unearned": ["allotment_id", "currency_id", "used"],
            "helpdesk.ticket": ["access_token", "charge_currency_id", "incident_form"],
        }.items():
            described = self.env[model].fields_get()
            for name in names:
                self.assertFalse(described[name]["groupable"], name)
            shown = "partner_id" if "partner_id" in described else "account_id"
            self.assertTrue(described[shown]["groupable"])
        self.assertTrue(described["create_date"]["groupable"])
