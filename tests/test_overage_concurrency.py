import os
import signal
import time

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.helpdesk_paid_support.models.charge import ticket_overage

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestOverageConcurrency(ConcurrencyCase):
    """R3.6, R18.3, R18.4: what is paid later, as something else happens."""

    CUSTOMERS = 4

    def setUp(self):
        super().setUp()
        name = self._testMethodName.replace("_", "-")
        with self.transaction() as env:
            product = self.product(
                env, name, 6, incident_kind="lifetime", incident_quantity=1
            )
            env.company.write(
                {
                    "incident_overage_product_id": product.id,
                    "incident_overage_limit": 10,
                    "incident_overage_invoicing": "now",
                }
            )
            team = env["helpdesk.ticket.team"].create(
                {
                    "name": name,
                    "company_id": env.company.id,
                    "incident_required": True,
                    "incident_shortage_policy": "charge",
                }
            )
            self.team_id, self.user_ids = team.id, []
            for number in range(self.CUSTOMERS):
                customer = env["res.partner"].create({"name": f"{name} {number}"})
                user = new_test_user(
                    env,
                    f"{name}-{number}",
                    groups="base.group_portal",
                    parent_id=customer.id,
                )
                self.user_ids.append(user.id)

    def submit(self, env, user_id):
        user = env["res.users"].browse(user_id)
        offer = env["sale.order"]._incident_overage(user.partner_id, env.company, 1)
        agreed = ticket_overage.Agreed(user, offer.key)
        tickets = env["helpdesk.ticket"].with_user(user).sudo()
        return (
            tickets.with_context(incident_agreed=agreed)
            .create(
                {
                    "name": "It does not work",
                    "description": "…",
                    "team_id": self.team_id,
                    "partner_id": user.partner_id.id,
                }
            )
            .incident_state
        )

    def orders(self, env):
        tickets = env["helpdesk.ticket"].search([("team_id", "=", self.team_id)])
        return env["sale.order"].search([("incident_ticket_id", "in", tickets.ids)])

    def test_at_the_edge_of_the_limit(self):
        """R18.4: two tickets at once, of which the limit allows one: that is sold, the
        other one waits; the balance is 0."""
        user_id = self.user_ids[0]
        answers = self.race(lambda env, number: self.submit(env, user_id))
        states = sorted(state for state, _tries in answers)
        self.assertEqual(states, ["deducted", "parked"])
        self.assertEqual(sorted(tries for _state, tries in answers), [1, 2])
        with self.transaction() as env:
            self.assertEqual(self.orders(env).mapped("amount_total"), [6])
            partner = env["res.users"].browse(user_id).partner_id
            account = env["helpdesk.incident.account"]._of(partner, env.company)
            self.assertEqual((account.available, account.lifetime_balance), (0, 0))

    def test_invoiced_by_two_workers(self):
        """R18.3: each order once, whoever invoices it."""
        with self.transaction() as env:
            for user_id in self.user_ids:
                self.assertEqual(self.submit(env, user_id), "deducted")

        def work(env, number):
            for orders in env["sale.order"]._incident_overage_due():
                orders._incident_invoice_overage()

        self.race(work)
        self.assertInvoicedOnce()

    def test_undone_while_it_is_invoiced(self):
        """R17.1, R18.3: it is cancelled, and never invoiced, or credited in full; twice
        at once it is credited once."""
        with self.transaction() as env:
            for user_id in self.user_ids:
                self.submit(env, user_id)
            for order in self.orders(env):
                order.incident_ticket_id.incident_count = 0

        def work(env, number):
            if number:
                for order in self.orders(env):
                    order._incident_undo_overage()
            else:
                for orders in env["sale.order"]._incident_overage_due():
                    orders._incident_invoice_overage()

        self.race(work, workers=3)
        with self.transaction() as env:
            for order in self.orders(env):
                posted = order.invoice_ids.filtered(lambda m: m.state == "posted")
                self.assertEqual(sum(posted.mapped("amount_total_signed")), 0)
                self.assertIn((order.state, len(posted)), (("cancel", 0), ("sale", 2)))
                partner = order.partner_id.commercial_partner_id
                account = env["helpdesk.incident.account"]._of(partner, env.company)
                self.assertEqual(account.lifetime_balance, 0)

    def test_killed(self):
        """R18.3: killed at any moment, each order is invoiced once in the end."""
        with self.transaction() as env:
            for user_id in self.user_ids:
                self.submit(env, user_id)

        def work(env):
            with mute_logger("odoo.addons.helpdesk_paid_support"):
                env["sale.order"]._cron_overage()

        for pause in (0.05, 0.15, 0.3, 0.6):
            pid = self.fork(work)
            time.sleep(pause)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.waitpid(self.fork(work), 0)
        self.assertInvoicedOnce()

    def assertInvoicedOnce(self):
        with self.transaction() as env:
            orders = self.orders(env)
            self.assertEqual(len(orders), self.CUSTOMERS)
            for order in orders:
                self.assertEqual(order.invoice_ids.mapped("state"), ["posted"])
                self.assertEqual(order.invoice_ids.amount_total, 6)
