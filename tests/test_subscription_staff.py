from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from .common_sale import BOUGHT
from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestSubscriptionStaff(SubscriptionCommon):
    """R9.4–R9.7 for a customer on the phone, and what staff see of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time(BOUGHT):
            cls.sub = cls.bought()
        cls.agent = cls._user("hps-phone", "helpdesk_mgmt.group_helpdesk_user_own")

    @classmethod
    def _user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login,
            groups=",".join(["base.group_user", *groups]),
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def wizard(self, operation, user=None):
        """Open the wizard as the form does."""
        subscription = self.sub.with_user(user or self.agent).sudo(False)
        action = getattr(subscription, f"action_order_{operation}")()
        model = self.env[action["res_model"]].with_user(user or self.agent)
        return Form(model.with_context(**action["context"]))

    def test_extra(self):
        """R9.4: the agent sees what it costs before the order is made."""
        with self.on("2027-05-20"):
            form = self.wizard("extra")
            form.quantity = 4
            self.assertIn("4 more incidents in each of 2 months", form.preview)
            self.assertIn("32.00", form.preview)
            action = form.save().action_order()
            order = self.sub._open_orders()
            self.assertEqual(order.amount_total, 32)
            self.assertEqual(order.partner_id, self.customer)
            # The agent may not read orders, and is told what comes next.
            self.assertIn(order.name, action["params"]["message"])

    def test_renewal(self):
        """R9.5: with extra incidents, by a manager who may read the order."""
        form = self.wizard("renewal", self.env.user)
        form.quantity = 2
        self.assertIn("Jul 11, 2027 – Oct 10, 2027", form.preview)
        action = form.save().action_order()
        order = self.env["sale.order"].browse(action["res_id"])
        self.assertEqual(order.amount_total, 90 + 2 * 3 * 4)

    def test_change(self):
        """R9.6: with the credit; or without money."""
        with self.on("2027-05-20"):
            form = self.wizard("change")
            self.assertEqual(form.product_id, self.business)
            self.assertIn("120.00", form.preview)
            self.assertFalse(form.problem)
            form.product_id = self.small
            self.assertIn("Nothing to pay", form.preview)
            form.save().action_order()
            self.assertEqual(self.sub.next_product_id, self.small)

    def test_bad_input(self):
        """A clear error before anything is made."""
        for number in (0, -1, 2_000_000_000):
            form = self.wizard("extra")
            form.quantity = number
            self.assertTrue(form.problem, number)
            with self.assertRaises(UserError):
                form.save().action_order()
        with self.on("2027-08-01"):
            self.assertTrue(self.wizard("change").problem)
        self.assertFalse(self.sub._open_orders())

    def test_automatic_renewal(self):
        """R9.7: switched for the customer; R14: by helpdesk users alone."""
        self.sub.with_user(self.agent).sudo(False).action_auto_renew_on()
        self.assertTrue(self.sub.auto_renew)
        self.sub.with_user(self.agent).sudo(False).action_auto_renew_off()
        self.assertFalse(self.sub.auto_renew)
        accountant = self._user("hps-accountant", "account.group_account_invoice")
        stranger = self._user("hps-stranger")
        for user in (accountant, stranger):
            own = self.sub.with_user(user).sudo(False)
            for refused in (
                own.action_auto_renew_on,
                own.action_order_extra,
                own.action_order_renewal,
                own.action_order_change,
            ):
                with self.assertRaises(AccessError):
                    refused()

    def test_other_company(self):
        """R2.3: agents of another company do nothing here."""
        other = self.env["res.company"].create({"name": "Another company"})
        agent = self._user("hps-other", "helpdesk_mgmt.group_helpdesk_user_own")
        agent.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        with self.assertRaises(AccessError):
            self.sub.with_user(agent).sudo(False).action_auto_renew_on()
        with self.assertRaises(AccessError):
            self.env["helpdesk.incident.subscription.order"].with_user(agent).create(
                {"subscription_id": self.sub.id, "operation": "extra", "quantity": 3}
            ).read(["preview", "problem"])

    def test_groups_by_state(self):
        """R9.8: kanban by state, which follows the day."""
        other = self.bought(customer=self._customer("Other"))
        model = self.env["helpdesk.incident.subscription"]
        domain = [("id", "in", (self.sub | other).ids)]

        def states():
            self.env.invalidate_all()
            return dict(model._read_group(domain, ["state"], ["__count"]))

        self.assertEqual(states(), {"active": 2})
        other.action_cancel()
        self.assertEqual(states(), {"active": 1, "cancelled": 1})
        with self.on("2027-07-11"):
            self.assertEqual(states(), {"ended": 1, "cancelled": 1})
            self.assertEqual(
                model.search(domain, order="state"), (other | self.sub).sorted("state")
            )

    def test_attention(self):
        """R13.2: staff see what the customer is told."""
        self.assertFalse(self.sub.attention)
        with self.on("2027-07-03"):
            self.assertEqual(self.sub.attention, "It ends on Jul 10, 2027.")
            self.sub._fail("declined")
            self.assertIn("declined", self.sub.attention)
        with self.on("2027-05-20"):
            self.sub.renewal_problem = False
            self.company.incident_low_threshold = 10
            self.env.invalidate_all()
            self.assertIn("that the customer has left: 10.", self.sub.attention)

    def test_activity(self):
        """Staff plan activities and write notes on a subscription."""
        own = self.sub.with_user(self.agent).sudo(False)
        own.activity_schedule("mail.mail_activity_data_todo", note="Call", user_id=2)
        own.message_post(body="Called")
        self.assertTrue(own.activity_ids)

    def test_lists_cost_no_query_for_each(self):
        """A list of many is read with as many queries as one of a few."""
        self.company.incident_low_threshold = 10
        subscriptions = self.sub
        for number in range(9):
            subscriptions |= self.bought(customer=self._customer(f"C{number}"))
        names = ["display_name", "state", "attention", "period_balance", "auto_renew"]
        model = self.env["helpdesk.incident.subscription"].with_user(self.agent)
        model = model.with_context(allowed_company_ids=self.company.ids).sudo(False)

        def queries(records):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            model.web_search_read(
                [("id", "in", records.ids)], {name: {} for name in names}
            )
            return self.env.cr.sql_log_count - before

        queries(subscriptions)
        self.assertEqual(queries(subscriptions), queries(subscriptions[:2]))


@tagged("post_install", "-at_install")
class TestOneClick(SubscriptionCommon):
    def test_from_a_payment(self):
        """R8.6: to the subscription and the entries that it has paid for."""
        order = self.quotation(self.months)
        payment = self.paid(order)
        subscription = self.subscription(order)
        self.assertTrue(payment.incident_bought)
        self.assertEqual(payment.incident_subscription_count, 1)
        action = payment.action_view_incident_subscriptions()
        self.assertEqual(action["res_id"], subscription.id)
        action = payment.action_view_incident_entries()
        entries = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(entries.allotment_id.subscription_id, subscription)

    def test_from_a_payment_that_bought_nothing(self):
        """R8.6"""
        payment = self.pay(30)
        self.assertFalse(payment.incident_bought)
        self.assertEqual(payment.incident_subscription_count, 0)

    def test_from_a_ticket(self):
        """R3.8: to its entries."""
        self.paid(self.quotation(self.pack))
        ticket = self.use(2)
        action = ticket.action_view_incident_entries()
        entries = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(entries.mapped("quantity"), [-2])
