from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from .common import call_rpc
from .test_subscription_portal import MAY_20, SubscriptionPortalCommon

SIGNATURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)
REFUSED = "costs nothing, and a helpdesk manager has to confirm it"


@tagged("post_install", "-at_install")
class TestFree(SubscriptionPortalCommon):
    """R7.3: what costs nothing is given by helpdesk managers alone, whatever order or
    invoice it comes by; as the real roles, over HTTP and RPC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.staff = {
            login: new_test_user(
                cls.env,
                f"hps-{login}",
                groups=f"base.group_user,{groups}",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
                tz="UTC",
            )
            for login, groups in {
                "seller": "sales_team.group_sale_manager",
                "agent": "helpdesk_mgmt.group_helpdesk_user",
                "chief": "helpdesk_mgmt.group_helpdesk_manager",
                "boss": "helpdesk_mgmt.group_helpdesk_manager,"
                "sales_team.group_sale_salesman_all_leads",
            }.items()
        }

    def setUp(self):
        super().setUp()
        self.log_in("seller")

    # -- helpers -----------------------------------------------------------

    def free(self, *products, **values):
        """Return a quotation of plans with a discount of 100 %."""
        order = self.quotation(*products or self.pack, **values)
        order.order_line.discount = 100
        return order

    def call(self, records, method, *args):
        """Call a method over RPC; return the sentence of its refusal, if any."""
        answer = call_rpc(self, records._name, method, records.ids, *args)
        self.env.invalidate_all()
        return answer["error"]["data"]["message"] if "error" in answer else None

    def assertNeedsManager(self, answer, words=REFUSED):
        self.assertIn(words, answer or "it was done")

    def assertNothing(self):
        self.env.invalidate_all()
        self.assertEqual((self.given(), self.available()), (0, 0))

    def faults(self):
        return self.env["helpdesk.incident.fault"].search([])

    def automatic(self, *products):
        """Return a subscription that nothing was paid for, with automatic renewal."""
        order = self.free(*products or self.months)
        order.action_confirm()
        subscription = self.subscription(order).sudo()
        subscription._set_auto_renew(True)
        return subscription

    def renew(self):
        self.run_actions("renew", "remind")

    # -- orders of salespersons --------------------------------------------------

    def test_salesperson_confirms(self):
        """R7.3: by the button, or by writing what it writes."""
        for order in (
            self.free(),
            self.free(self.months),
            # beside something that is paid for
            self.quotation(self.pack, self.months),
            # by a discount that is a line of its own
            self.quotation(self.pack, self.service),
        ):
            if order.order_line.product_id == self.pack | self.months:
                order.order_line[0].price_unit = 0
            if self.service in order.order_line.product_id:
                order.order_line[1].price_unit = -50
            order.action_quotation_sent()
            for answer in (
                self.call(order, "action_confirm"),
                self.call(order, "write", {"state": "sale"}),
            ):
                self.assertNeedsManager(answer)
            self.assertEqual(order.state, "sent")
        self.assertNothing()

    def test_salesperson_creates_what_is_confirmed(self):
        """R7.3"""
        answer = call_rpc(
            self,
            "sale.order",
            "create",
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "state": "sale",
                "order_line": [
                    Command.create({"product_id": self.pack.id, "price_unit": 0})
                ],
            },
        )
        self.assertNeedsManager(answer.get("error", {}).get("data", {}).get("message"))
        self.assertNothing()

    def test_salesperson_changes_what_is_confirmed(self):
        """R7.3, R8.3: an order that waits for its payment is made free; or one that is
        paid gets a free line."""
        unpaid = self.order(self.pack, self.service)
        line = unpaid.order_line[0]
        paid = self.quotation(self.service)
        self.transaction(paid)
        for answer in (
            self.call(line, "write", {"price_unit": 0}),
            self.call(line, "write", {"discount": 100}),
            self.call(line, "write", {"price_unit": -1}),
            self.call(unpaid.order_line[1], "write", {"price_unit": -50}),
            self.call(
                unpaid,
                "write",
                {"order_line": [Command.update(line.id, {"discount": 100})]},
            ),
            self.call(
                paid,
                "write",
                {
                    "order_line": [
                        Command.create({"product_id": self.pack.id, "price_unit": 0})
                    ]
                },
            ),
        ):
            self.assertNeedsManager(answer)
        answer = call_rpc(
            self,
            "sale.order.line",
            "create",
            {"order_id": paid.id, "product_id": self.pack.id, "price_unit": 0},
        )
        self.assertNeedsManager(answer.get("error", {}).get("data", {}).get("message"))
        self.assertNothing()

    def test_lines_that_change_together(self):
        """R7.3: what they come to together counts, and nothing between."""
        order = self.order(self.pack, self.service)
        plan, discount = order.order_line
        discount.price_unit = -40
        values = [
            Command.update(plan.id, {"price_unit": 30}),
            Command.update(discount.id, {"price_unit": -20}),
        ]
        self.assertFalse(self.call(order, "write", {"order_line": values}))
        self.assertEqual(order.amount_total, 10)
        self.assertNothing()

    def test_confirmed_once_is_not_confirmed_again(self):
        """R7.3: what a manager has confirmed is neither duplicated nor confirmed again
        by others."""
        order = self.free(quantity=2)
        order.action_confirm()
        self.assertEqual(self.given(), 20)
        self.assertNeedsManager(self.call(order.copy(), "action_confirm"))
        self.assertFalse(self.call(order, "action_cancel"))
        self.assertFalse(self.call(order, "action_draft"))
        self.assertEqual(self.available(), 0)
        self.assertNeedsManager(self.call(order, "action_confirm"))
        self.assertEqual(self.available(), 0)
        order.action_confirm()
        self.assertEqual(self.available(), 20)

    def test_back_to_the_customer(self):
        """R7.3: one pack for nothing, of which nothing is given before its invoice, is
        no 1,000 packs, whatever state the order was brought back to."""
        self.company.incident_grant_on = "posted"
        for state in ("sent", "draft", "cancel"):
            with self.subTest(state=state):
                order = self.free()
                order.action_confirm()
                self.log_in("seller")
                self.assertFalse(self.call(order, "write", {"state": state}))
                self.assertFalse(order.order_line.incident_free)
                more = {"product_uom_qty": 1000}
                self.assertFalse(self.call(order.order_line, "write", more))
                self.assertNeedsManager(self.call(order, "write", {"state": "sale"}))
        self.assertNothing()

    def test_remembered_by_nobody_else(self):
        """R3.4: nobody writes that it may cost nothing."""
        order = self.free()
        for login in ("seller", "boss"):
            self.log_in(login)
            answer = self.call(order.order_line, "write", {"incident_free": True})
            self.assertNeedsManager(answer, "cannot be written")

    def test_small_prices_are_the_business_of_sales(self):
        """R7.3: and a line that sells no incidents may cost nothing."""
        order = self.quotation(self.pack, self.service, self.service)
        order.order_line[0].price_unit = 0.01
        order.order_line[1].price_unit = 0
        order.order_line[2].product_uom_qty = 0
        self.assertFalse(self.call(order, "action_confirm"))
        self.transaction(order)
        self.assertEqual(self.given(), 10)

    def test_when_confirmed(self):
        """R8.3: also where incidents need not be paid to be given."""
        self.company.incident_grant_on = "confirmed"
        self.assertNeedsManager(self.call(self.free(), "action_confirm"))
        self.assertNothing()

    def test_manager_confirms(self):
        """R7.3: it is given at once; or with the invoice, where the company gives then,
        whoever posts that."""
        self.log_in("boss")
        self.assertFalse(self.call(self.free(), "action_confirm"))
        self.assertEqual(self.given(), 10)
        order = self.order(self.service)
        values = {"product_id": self.pack.id, "price_unit": 0}
        lines = [Command.create(values)]
        self.assertFalse(self.call(order, "write", {"order_line": lines}))
        self.assertEqual(self.given(), 10)
        self.settle_with(self.bill(order), self.pay(40).move_id)
        self.assertEqual(self.given(), 20)
        self.company.incident_grant_on = "posted"
        order = self.free()
        self.assertFalse(self.call(order, "action_confirm"))
        self.assertEqual(self.given(), 20)
        self.bill(order)
        self.assertEqual(self.given(), 30)
        self.assertFalse(self.faults())

    # -- customers who sign or pay ---------------------------------------------

    def sign(self, order):
        """Sign a quotation as whoever has its link."""
        order._portal_ensure_token()
        order.action_quotation_sent()
        self.authenticate(None, None)
        answer = self.url_open(
            f"/my/orders/{order.id}/accept?access_token={order.access_token}",
            json={"params": {"name": "Nora", "signature": SIGNATURE}},
        ).json()
        self.env.invalidate_all()
        return answer

    def test_customer_signs(self):
        """R7.3, R3.9: a signature is taken, and gives nothing; a helpdesk manager finds
        it in *To Check*, and gives it, once. No others do."""
        order = self.free(require_signature=True, require_payment=False, quantity=2)
        self.assertNotIn("error", self.sign(order))
        self.assertEqual(order.state, "sale")
        self.assertNothing()
        fault = self.faults()
        self.assertIn("2 × Pack of 10: this costs", fault.error)
        self.assertEqual((fault.res_model, fault.res_id), ("sale.order", order.id))
        self.assertIn(REFUSED, fault.error)
        self.assertTrue(fault.costs_nothing)
        self.assertEqual(fault.partner_id, self.customer)
        # Whoever opens the order sees why it has given nothing.
        form = Form(order.with_user(self.staff["seller"]))
        self.assertTrue(form.incident_waits)
        fault.sudo()._retry()  # as the scheduled action does
        for login in ("seller", "agent"):
            self.log_in(login)
            self.assertNeedsManager(
                self.call(fault, "action_confirm_free"), "not allowed"
            )
        self.log_in("chief")
        self.assertFalse(self.call(fault, "action_retry"))
        self.assertEqual(self.faults(), fault)
        self.assertNothing()
        self.assertFalse(self.call(fault, "action_confirm_free"))
        self.assertFalse(self.faults() or order.incident_waits)
        self.assertEqual(self.given(), 20)
        self.assertIn("costs nothing", order.message_ids[0].body)
        order._incident_changed()
        self.assertEqual(self.given(), 20)

    def test_customer_pays_for_the_rest(self):
        """R7.3, R3.9: a payment is never in vain: what was paid for is given."""
        order = self.quotation(self.pack, self.months)
        order.order_line[0].discount = 100
        # As a provider tells of it: nobody has logged in.
        public = self.env.ref("base.public_user")
        order.action_quotation_sent()
        transaction = self.transaction(order, state=None)
        transaction._process(
            "demo", {"reference": transaction.reference, "simulated_state": "done"}
        )
        transaction.with_user(public).sudo()._post_process()
        self.assertEqual(order.state, "sale")
        self.assertEqual((self.given(), self.available()), (0, 10))
        self.assertTrue(self.faults().costs_nothing)

    def test_payment_looked_at_by_staff(self):
        """R7.3: nobody confirms it who looks whether it has arrived, and nobody is
        refused; nor does the scheduled action confirm it."""
        for login in ("seller", "boss"):
            order = self.quotation(self.pack, self.service)
            order.order_line[0].discount = 100
            transaction = self.transaction(order, state=None)
            transaction._process(
                "demo", {"reference": transaction.reference, "simulated_state": "done"}
            )
            transaction.with_user(self.staff[login]).sudo()._post_process()
            self.assertEqual(order.state, "sale")
            self.assertNothing()

    def test_portal(self):
        """R11.4: however many, nothing is sold that costs nothing."""
        subscription = self.bought()
        pricelist = self.env["product.pricelist"].create(
            {
                "name": "Many for nothing",
                "company_id": self.company.id,
                "item_ids": [
                    Command.create(
                        {
                            "compute_price": "fixed",
                            "fixed_price": 0,
                            "applied_on": "1_product",
                            "product_tmpl_id": self.extra.product_tmpl_id.id,
                            "min_quantity": 30,
                        }
                    )
                ],
            }
        )
        self.customer.with_company(self.company).property_product_pricelist = pricelist
        self.log_in()
        page = self.send(subscription, "extra", number="100")
        self.assertIn(REFUSED, self.text(page, "//*[@name='error']"))
        self.assertFalse(self.new_orders(subscription))
        self.assertMonths(
            subscription, dict.fromkeys(["2027-04-11", "2027-05-11", "2027-06-11"], 10)
        )

    # -- what staff order for subscriptions --------------------------------------

    def order_by_wizard(self, subscription, operation, **values):
        wizard = call_rpc(
            self,
            "helpdesk.incident.subscription.order",
            "create",
            {"subscription_id": subscription.id, "operation": operation, **values},
        )["result"]
        wizard = self.env["helpdesk.incident.subscription.order"].browse(wizard)
        return self.call(wizard, "action_order")

    def test_agent_orders(self):
        """R7.3, R9.4–R9.6: extra incidents, a renewal, a change or one that is
        scheduled: as many as he likes, for nothing."""
        subscription = self.bought()
        self.extra.list_price = 0
        self.small.list_price = 0
        self.log_in("agent")
        before = self.months_of(subscription)
        for operation, values in (
            ("extra", {"quantity": 1000}),
            # the extra incidents of a renewal that is paid for
            ("renew", {"product_id": self.months.id, "quantity": 1000}),
            ("change", {"product_id": self.small.id}),
        ):
            with self.subTest(operation=operation):
                self.assertNeedsManager(
                    self.order_by_wizard(subscription, operation, **values)
                )
        self.months.list_price = 0
        self.assertNeedsManager(
            self.order_by_wizard(
                subscription, "renew", product_id=self.months.id, quantity=0
            )
        )
        self.assertFalse(self.new_orders(subscription))
        self.assertFalse(subscription.next_product_id)
        self.assertEqual(self.months_of(subscription), before)
        # The form says so before.
        form = Form(
            self.env["helpdesk.incident.subscription.order"]
            .with_user(self.staff["agent"])
            .with_context(
                default_subscription_id=subscription.id, default_operation="extra"
            )
        )
        self.assertIn(REFUSED, form.problem)
        self.log_in("chief")
        self.assertFalse(self.order_by_wizard(subscription, "extra", quantity=4))
        self.assertEqual(set(self.months_of(subscription).values()), {14})
        self.assertFalse(
            self.order_by_wizard(subscription, "change", product_id=self.small.id)
        )
        self.assertEqual(subscription.next_product_id, self.small)

    def test_paid_by_the_credit(self):
        """R9.6: a change that the credit pays for is paid for, whoever orders it."""
        # June costs as much, from June 11 on.
        self.business.list_price = 30
        for login in ("agent", "nora"):
            subscription = self.bought()
            with self.on(MAY_20):
                self.log_in(login)
                if login == "agent":
                    answer = self.order_by_wizard(
                        subscription, "change", product_id=self.business.id
                    )
                    self.assertFalse(answer)
                else:
                    self.send(subscription, "change", plan=self.business.id)
                self.env.invalidate_all()
                self.assertEqual(subscription.product_id, self.business)
        self.assertFalse(self.faults())

    # -- automatic renewal ---------------------------------------------------

    def test_free_goes_on(self):
        """R9.7: what a manager has confirmed is what was bought last."""
        subscription = self.automatic()
        self.months.list_price = 0
        with self.on("2027-07-03"):
            self.renew()
            self.assertRuns(subscription, "2027-04-11", "2027-10-10")
            self.assertFalse(subscription.renewal_problem)
        with self.on("2027-10-04"):
            self.renew()
            self.assertRuns(subscription, "2027-04-11", "2028-01-10")
        self.assertFalse(self.faults())

    def test_more_for_nothing_does_not(self):
        """R9.7: nobody has confirmed more of it."""
        subscription = self.automatic()
        self.months.write({"list_price": 0, "incident_quantity": 1000})
        with self.on("2027-07-03"):
            self.renew()
            self.assertEqual(subscription.renewal_problem, "free")
            self.assertRuns(subscription, "2027-04-11", "2027-07-10")

    def test_paid_before(self):
        """R9.7: what costs nothing since waits for a helpdesk manager, who renews it;
        the customer is told that it ends, and of no order."""
        subscription = self.bought()
        self.customer.email = "customer@example.com"
        subscription._set_auto_renew(True)
        self.pay(200)
        self.months.list_price = 0
        for day in ("2027-07-03", "2027-07-04"):
            with self.on(day):
                self.renew()
                self.assertEqual(subscription.renewal_problem, "free")
                self.assertRuns(subscription, "2027-04-11", "2027-07-10")
        told = self.env["helpdesk.incident.reminder"].search(
            [("subscription_id", "=", subscription.id)]
        )
        self.assertIn("ends", told.mapped("kind"))
        self.assertNotIn("failed", told.mapped("kind"))
        order = self.new_orders(subscription)
        self.assertEqual((len(order), order.state), (1, "sent"))
        with self.on("2027-07-05"):
            self.log_in()
            self.assertIn(
                "one of us has to confirm",
                self.text(
                    self.page(self.path(subscription)), "//*[@name='renewal_problem']"
                ),
            )
            self.log_in("agent")
            values = {"product_id": self.months.id, "quantity": 0}
            self.assertNeedsManager(
                self.order_by_wizard(subscription, "renew", **values)
            )
            self.log_in("chief")
            self.assertFalse(self.order_by_wizard(subscription, "renew", **values))
            self.assertRuns(subscription, "2027-04-11", "2027-10-10")
            self.assertEqual(order.state, "sale")

    def test_extra_incidents_for_nothing(self):
        """R9.7: those that a manager has confirmed are part of the renewal, automatic
        or not; others wait, and nothing is taken meanwhile."""
        subscription = self.bought()
        subscription._set_auto_renew(True)
        self.pay(500)
        self.extra.list_price = 0
        subscription._order_extra(4)
        with self.on("2027-07-03"):
            self.renew()
            self.assertRuns(subscription, "2027-04-11", "2027-10-10")
            self.assertEqual(self.months_of(subscription)["2027-07-11"], 14)
            self.log_in()
            self.send(subscription, "renew", plan=self.months.id, extra="")
            order = self.new_orders(subscription).filtered(
                lambda order: order.state == "sent"
            )
            self.transaction(order)
            self.assertEqual(self.months_of(subscription)["2027-10-11"], 14)
        self.extra.list_price = 4
        with self.on("2028-01-04"):
            self.paid(subscription._order_renewal())
        self.extra.list_price = 0
        with self.on("2028-04-04"):
            self.renew()
            self.assertEqual(subscription.renewal_problem, "free")
            self.assertRuns(subscription, "2027-04-11", "2028-04-10")

    def test_customer_renews_with_free_extra_incidents(self):
        """R9.5, R3.9: which a manager has not confirmed: he gets what he pays for, and
        they wait."""
        subscription = self.bought()
        self.paid(subscription._order_extra(4))
        self.extra.list_price = 0
        self.log_in()
        self.send(subscription, "renew", plan=self.months.id, extra="")
        self.transaction(
            self.new_orders(subscription).filtered(lambda order: order.state == "sent")
        )
        self.assertEqual(self.months_of(subscription)["2027-07-11"], 10)
        self.assertTrue(self.faults().costs_nothing)
        self.faults().action_confirm_free()
        self.assertEqual(self.months_of(subscription)["2027-07-11"], 14)

    def test_scheduled_for_nothing(self):
        """R9.6, R9.7: a manager has scheduled it, so it is renewed."""
        subscription = self.bought()
        subscription._set_auto_renew(True)
        self.small.list_price = 0
        subscription._order_change(self.small)
        with self.on("2027-07-04"):
            self.renew()
            self.assertRuns(subscription, "2027-04-11", "2027-08-10")
            self.assertEqual(subscription.product_id, self.small)

    def test_scheduled_for_something(self):
        """R9.7: a price that has fallen to nothing since was scheduled by nobody."""
        subscription = self.bought()
        subscription._set_auto_renew(True)
        subscription._order_change(self.small)
        self.small.list_price = 0
        with self.on("2027-07-04"):
            self.renew()
            self.assertEqual(subscription.renewal_problem, "free")
            self.assertRuns(subscription, "2027-04-11", "2027-07-10")

    # -- invoices ---------------------------------------------------------------

    def test_invoice_of_nothing(self):
        """R7.3, R8.3: whoever types a discount on the invoice gives nothing away; nor
        does one of its lines. Posting is never refused."""
        for change in (
            {"discount": 100},
            {"price_unit": 0},
            None,
        ):
            order = self.order(self.pack)
            invoice = order._create_invoices()
            if change:
                invoice.invoice_line_ids.write(change)
            else:
                invoice.invoice_line_ids = [
                    Command.create(
                        {
                            "product_id": self.service.id,
                            "price_unit": -50,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ]
            invoice.action_post()
            self.assertEqual(invoice.state, "posted")
            self.assertNothing()
            fault = self.faults()
            self.assertEqual(fault.res_id, order.id)
            self.log_in("chief")
            self.assertFalse(self.call(fault, "action_confirm_free"))
            self.assertEqual(self.given(), 10)
            order._action_cancel()
            self.assertNothing()

    def test_rewards(self):
        """R7.3: a reward, which a manager of sales has set up, is no discount: whoever
        redeems it gets the incidents (where `sale_loyalty` is installed)."""
        if "loyalty.program" not in self.env:
            self.skipTest("sale_loyalty is not installed")
        program = self.env["loyalty.program"].create(
            {
                "name": "All for nothing",
                "program_type": "promo_code",
                "trigger": "with_code",
                "rule_ids": [Command.create({"mode": "with_code", "code": "FREE"})],
                "reward_ids": [
                    Command.create(
                        {
                            "reward_type": "discount",
                            "discount": 100,
                            "discount_mode": "percent",
                            "discount_applicability": "order",
                        }
                    )
                ],
            }
        )
        order = self.quotation(self.pack).with_user(self.staff["seller"])
        order._try_apply_code("FREE")
        order._apply_program_reward(
            program.reward_ids, program.coupon_ids or order.coupon_point_ids.coupon_id
        )
        self.assertEqual(order.amount_total, 0)
        self.assertFalse(self.call(order, "action_confirm"))
        self.assertEqual(self.given(), 10)
        self.assertFalse(self.faults())

    def test_others_may_not(self):
        """R7.3: not by a method either."""
        order = self.free()
        line = order.order_line
        for login in ("seller", "agent"):
            with self.assertRaises(UserError):
                line.with_user(self.staff[login]).sudo()._incident_confirm()
        with self.assertRaises(AccessError):
            self.env["helpdesk.incident.fault"].with_user(
                self.staff["agent"]
            ).action_confirm_free()
