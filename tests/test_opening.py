from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_opening import OpeningCommon


@tagged("post_install", "-at_install")
class TestOpening(OpeningCommon):
    """R21.4: what customers had in another system."""

    def test_lifetime(self):
        """R21.4: lifetime incidents; R7.1 counts them; they are valued."""
        opening = self.opened(quantity=7, value=35)
        self.assertEqual(opening.state, "confirmed")
        self.assertEqual(self.entries(opening), [("opening", 7)])
        self.assertEqual(self.given(), 7)
        self.assertEqual(self.customer.incident_lifetime_granted, 7)
        self.assertEqual(self.unearned(), 35)
        self.use(3)
        self.assertEqual(self.unearned(), 20)
        self.assertAgrees()
        # Confirmed twice: nothing more.
        opening.action_confirm()
        self.assertEqual(self.given(), 7)

    def test_pack(self):
        """R21.4, R15.1: incidents that expire keep their last day."""
        opening = self.opened(self.pieces, quantity=12, date_end="2027-08-31", value=60)
        self.assertEqual(self.entries(opening), [("opening", 12)])
        account = self.incident_account()
        allotment = account.allotment_ids.filtered(lambda m: m.kind == "period")
        self.assertEqual(
            (str(allotment.date_from), str(allotment.date_to), allotment.balance),
            ("2027-04-11", "2027-08-31", 12),
        )
        self.assertEqual(self.unearned(), 60)
        with self.on("2027-09-01"):
            account._lock()._open_and_close()
            self.assertEqual(self.available(), 0)
            self.assertEqual(self.unearned(), 0)

    def test_subscription(self):
        """R21.4, R9: a running subscription has what is left of its period, and all of
        those that are paid for; the anchor stays."""
        opening = self.running()
        subscription = self.lives_on(opening)
        self.assertEqual(
            (str(subscription.date_start), str(subscription.date_end)),
            ("2027-02-28", "2027-06-27"),
        )
        self.assertEqual(subscription.state, "active")
        self.assertEqual(
            self.months_of(subscription),
            {"2027-03-28": 4, "2027-04-28": 10, "2027-05-28": 10},
        )
        self.assertEqual(self.entries(opening), [("opening", 4)])
        self.assertEqual(self.available(), 4)
        self.assertEqual(self.unearned(), 72)
        with self.on("2027-04-28"):
            self.incident_account()._lock()._open_and_close()
            self.assertEqual(
                self.entries(opening),
                [("opening", 4), ("period", 10), ("expiry", -4)],
            )
            self.assertEqual(self.unearned(), 60)
            self.assertAgrees()

    def test_never_invoiced(self):
        """R21.4: an opening balance is not invoiced, in a batch or by a down payment,
        and is no sales figure."""
        opening = self.running()
        order = opening.sudo().order_id.with_env(self.env)
        self.assertEqual(order.state, "sale")
        self.assertTrue(order.incident_opening)
        self.assertEqual(order.invoice_status, "no")
        self.assertEqual(order.amount_to_invoice, 0)
        self.assertEqual(order.order_line.mapped("untaxed_amount_to_invoice"), [0])
        self.assertFalse(order.team_id)
        self.assertFalse(order.message_ids.filtered("partner_ids"))
        self.assertFalse(self.customer.credit_to_invoice)
        with self.assertRaises(UserError), self.cr.savepoint():
            order._create_invoices(final=True)
        sold = self.order(self.pack)
        invoices = (order | sold)._create_invoices(final=True)
        self.assertEqual(invoices.line_ids.sale_line_ids.order_id, sold)
        with self.assertRaises(UserError), self.cr.savepoint():
            self.down_payment(order)
        self.env["sale.report"].invalidate_model()
        self.assertFalse(
            self.env["sale.report"].search(
                [("order_reference", "=", f"sale.order,{order.id}")]
            )
        )
        self.assertTrue(
            self.env["sale.report"].search(
                [("order_reference", "=", f"sale.order,{sold.id}")]
            )
        )

    def test_cancel_after_use(self):
        """R21.4, R8.4: cancelled after use, periods lose the unused rest; lifetime
        incidents may go below zero, and R7.1 counts that."""
        lifetime = self.opened(quantity=3, value=30)
        running = self.running()
        self.use(6)  # 4 of the period, 2 for a lifetime
        (lifetime | running).action_cancel()
        self.assertEqual(self.given(), 0)
        self.assertEqual(self.incident_account().lifetime_balance, -2)
        self.assertEqual(self.available(), 0)
        self.assertEqual(set(self.months_of(self.lives_on(running)).values()), {0})
        self.assertEqual(self.unearned(), 0)
        self.assertEqual(
            [lifetime.state, str(lifetime.date_cancelled)], ["cancelled", "2027-04-11"]
        )
        # Its reference can be entered again, and once only.
        again = self.opened(quantity=3, reference=lifetime.reference)
        self.assertEqual(self.incident_account().lifetime_balance, 1)
        with self.assertRaisesRegex(ValidationError, "is taken already"):
            self.opening(reference=again.reference)
        self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])

    def test_once(self):
        """R21.4, R6.1, R6.2: the line says what the customer is given no more."""
        self.company.write(
            {
                "incident_registration_quantity": 2,
                "incident_first_payment_quantity": 5,
            }
        )
        self.opened(quantity=1, registered=True, first_payment=True)
        self.assertFalse(self.customer.incident_can_register)
        with self.assertRaisesRegex(UserError, "registered as a client before"):
            self.customer.action_incident_register()
        self.pay(50)
        self.assertEqual(self.given(), 1)

    def test_two_companies(self):
        """R2.3, R21.4: the same reference in another company is another one."""
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.manager.company_ids |= other
        opening = self.opened(quantity=2)
        elsewhere = (
            self.env["helpdesk.incident.opening"]
            .with_user(self.manager)
            .with_company(other)
            .create(
                {
                    "reference": opening.reference,
                    "partner_id": self.customer.id,
                    "product_id": self.pack.id,
                    "quantity": 5,
                }
            )
        )
        elsewhere.action_confirm()
        self.assertEqual(self.given(), 2)
        account = self.account_model._of(self.customer, other)
        self.assertEqual(account.lifetime_granted, 5)
        self.assertEqual(elsewhere.sudo().order_id.company_id, other)

    def test_stays_as_it_is(self):
        """R21.4: neither the line nor its order is changed afterwards, by anybody."""
        opening = self.opened(quantity=7, value=35)
        order = opening.sudo().order_id.with_env(self.env)
        for change in (
            lambda: opening.write({"quantity": 8}),
            lambda: opening.unlink(),
            lambda: opening.write({"state": "draft"}),
            lambda: opening.sudo().write({"order_id": False}),
            lambda: order.action_cancel(),
            lambda: order._action_cancel(),
            lambda: order.write({"state": "draft"}),
            lambda: order.write({"order_line": [(5, 0, 0)]}),
            lambda: order.order_line.write({"price_unit": 1}),
            lambda: order.order_line.write({"product_uom_qty": 2}),
            lambda: order.write({"incident_opening": False}),
            lambda: self.env["sale.order.line"].create(
                {"order_id": order.id, "product_id": self.service.id}
            ),
            lambda: self.order(self.pack, incident_opening=True),
        ):
            with self.assertRaises(UserError), self.cr.savepoint():
                change()
        self.assertEqual(self.given(), 7)

    def test_roles(self):
        """R14: helpdesk managers enter them, without rights on contacts or sales;
        others of the staff read them."""
        self.assertFalse(self.manager.has_group("sales_team.group_sale_salesman"))
        opening = self.opening(quantity=7)
        agent = self.env["res.users"].create(
            {
                "name": "Agent",
                "login": "hps-opening-agent",
                "group_ids": [
                    (6, 0, self.env.ref("helpdesk_mgmt.group_helpdesk_user").ids)
                ],
                "company_id": self.company.id,
                "company_ids": [(6, 0, self.company.ids)],
            }
        )
        as_agent = opening.with_user(agent)
        self.assertEqual(as_agent.quantity, 7)
        for attempt in (
            as_agent.action_confirm,
            as_agent.action_cancel,
            as_agent.unlink,
            lambda: as_agent.write({"quantity": 9}),
            lambda: as_agent.copy(),
        ):
            with (
                mute_logger("odoo.addons.base.models.ir_model"),
                self.assertRaises(AccessError),
                self.cr.savepoint(),
            ):
                attempt()

    def test_deferred(self):
        """R21.4, R12.4: where the old books had deferred the value, it is invoiced as
        of the day of the opening, by product; where not, it is earned and not invoiced.
        """
        self.opened(quantity=4, value=40)
        self.assertEqual(self.deferred(), 0)
        self.company.incident_opening_deferred = True
        opening = self.opened(quantity=10, value=100)
        running = self.running(extra_incidents=2, current_left=11, value=70)
        self.assertEqual(self.deferred(), 170)
        # What is set later on changes nothing of what was opened.
        self.company.incident_opening_deferred = False
        self.assertEqual(
            {
                row.product_id: (row.amount, row.amount_invoiced)
                for row in self.by_month("2027-04-01", "2027-04-30")
            },
            {
                self.pack: (140, 100),
                self.months: (60, 60),
                self.extra: (10, 10),
            },
        )
        self.use(11)  # those of the period
        self.assertEqual(self.deferred(), 148)
        with self.on("2027-05-02"):
            opening.action_cancel()
            self.assertEqual(self.deferred("2027-04-30"), 148)
            self.assertEqual(self.deferred(), 48)
            running.action_cancel()
            self.assertEqual(self.deferred(), 0)
        self.assertChains("2027-04-01", "2027-05-31")
