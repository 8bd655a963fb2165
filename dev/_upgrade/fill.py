"""What customers have after some months with a released version.

Written with its code: by names that are fixed, the public ones of models, fields,
actions and XML ids, so that the same lines fill every version.
"""

from contextlib import contextmanager
from copy import copy
from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

SETTINGS = {
    "incident_registration_quantity": 3,
    "incident_first_payment_quantity": 2,
    "incident_topup_amount": 100,
    "incident_topup_quantity": 1,
    "incident_expired_return": "lifetime",
    "incident_return_on_duplicate": False,
    "incident_renewal_days": 5,
    "incident_reminder_days": 40,
    "incident_low_threshold": 4,
    "incident_parked_reminder_days": 2,
    "incident_parked_close_days": 30,
}


def fill(env):
    """Fill a database in which the module was just installed, and commit."""
    with _days_ago(75):
        books = Books(env)
        books.customize()
        books.sell_and_use()
        books.sell_in_branch()
    with _days_ago(40):
        books.run("open_and_close")
        books.go_on()
    with _days_ago(0):
        books.finish()
        books.run("open_and_close", "remind", "parked", "renew", "check")
    books.must_be_rich()
    env.cr.commit()


@contextmanager
def _days_ago(number):
    with freeze_time(fields.Datetime.now() - timedelta(days=number)):
        yield


class Books:
    def __init__(self, env):
        self.env = env
        self.company = env.company
        self.company.write(SETTINGS)
        self.northwind = self._customer("Northwind")
        self.bakery = self._customer("Blue Bakery")
        self.nora = self._portal_user("nora", self.northwind)
        self.bella = self._portal_user("bella", self.bakery)
        self.team, self.waiting_team = env["helpdesk.ticket.team"].create(
            [
                {"name": "Support", "incident_required": True},
                {
                    "name": "Emergency",
                    "incident_required": True,
                    "incident_cost": 50,
                    "incident_shortage_policy": "park",
                    "incident_on_staff_tickets": True,
                },
            ]
        )
        self.extra = self._plan("Extra incident", 4)
        self.pack = self._plan("Pack of 10", 50, "lifetime", 10)
        self.standard = self._plan("Standard support", 90, "period", 10, 3)
        self.business = self._plan("Business support", 240, "period", 20, 3)
        self.company.incident_charge_product_id = self._plan("Our time", 0)
        for plan in self.standard, self.business:
            plan.incident_extra_product_id = self.extra
            plan.incident_portal_published = True
        self.standard.product_tmpl_id.incident_change_template_ids = (
            self.business.product_tmpl_id
        )

    # -- what happens ------------------------------------------------------

    def customize(self):
        """Change what users may change of the records that come with the module."""
        reference = self.env.ref
        module = "helpdesk_paid_support"
        reference(f"{module}.mail_template_incident_ends").subject = "It ends soon"
        reference(f"{module}.mail_template_ticket_charge").body_html = "<p>Look</p>"
        reference(f"{module}.ir_cron_incident_remind").interval_number = 7
        reference(f"{module}.ir_cron_incident_check").active = False
        reference(f"{module}.product_ticket_charge").name = "Our work"

    def sell_and_use(self):
        self.pack_order = self._sell(self.nora.partner_id, self.pack, quantity=2)
        self.order = self._sell(self.nora.partner_id, self.standard)
        self._sell(self.bella.partner_id, self.standard)
        self._give_away(self.bella.partner_id, self.pack)
        self.first = self._ticket(self.nora, self.team)
        self.first.incident_count = 12
        self._ticket(self.nora, self.team).incident_count = 2
        # Funds, of which a payment is undone.
        self._pay(self.northwind, 260)
        self._pay(self.northwind, 120).action_draft()

    def sell_in_branch(self):
        """Sell in a branch, too: to a customer of the company, and to one who has no
        account there."""
        self.branch = self.env["res.company"].create(
            {"name": "Our branch", "parent_id": self.company.id}
        )
        # Funds of both would make a step together.
        self.branch.write(
            {
                **SETTINGS,
                "incident_first_payment_quantity": 0,
                "incident_topup_quantity": 0,
            }
        )
        self.env.user.company_ids |= self.branch
        books = copy(self)
        books.env = self.env(
            context={**self.env.context, "allowed_company_ids": [self.branch.id]}
        )
        team = books.env["helpdesk.ticket.team"].create(
            {
                "name": "Support of the branch",
                "incident_required": True,
                "company_id": self.branch.id,
            }
        )
        self.southwind = self._customer("Southwind")
        sue = books._portal_user("sue", self.southwind)
        for user in self.nora, sue:
            books._sell(user.partner_id, self.pack)
            books._sell(user.partner_id, self.standard)
            books._ticket(user, team).incident_count = 13
        books._pay(self.northwind, 30)

    def go_on(self):
        # From the lifetime incidents and from a period that has ended.
        self.first.incident_count = 4
        self.bakery.incident_lifetime_granted += 5
        self.env["helpdesk.incident.adjust"].create(
            {
                "partner_ids": [Command.set((self.northwind | self.bakery).ids)],
                "quantity": 2,
                "reason": "For your patience",
            }
        ).action_apply()
        self._order_for(self._subscription(self.northwind), "extra", quantity=3)
        self._order_for(
            self._subscription(self.bakery), "change", product_id=self.business.id
        )
        self._credit(self.pack_order.invoice_ids, incident_goodwill=False)
        self._charge(60, "Restore of a backup")
        self._charge(90, "A visit").amount = 70
        self._charge(900, "Night work")
        self._charge(30, "A mistake").action_refund()

    def finish(self):
        self._ticket(self.bella, self.waiting_team)
        self._ticket(self.nora, self.waiting_team).action_incident_waive()
        self._ticket(self.nora, self.env["helpdesk.ticket.team"])
        self._ticket(self.nora, self.team)
        self._ticket(self.bella, self.team).incident_count = 3
        self._subscription(self.bakery).action_auto_renew_on()
        self.bella.with_user(self.bella).email = "bella@typed.example"

    def run(self, *names):
        """Run scheduled actions, each in a transaction of its own."""
        for name in names:
            cron = self.env.ref(f"helpdesk_paid_support.ir_cron_incident_{name}")
            self.env.cr.commit()
            cron.method_direct_trigger()
            self.env.cr.commit()
            self.env.invalidate_all()

    def must_be_rich(self):
        """Check that there is something of each kind."""
        missing = []
        for model, field, values in (
            (
                "helpdesk.incident.entry",
                "kind",
                "registration first_payment topup purchase revocation period expiry "
                + "adjustment deduction return",
            ),
            ("helpdesk.incident.account", "company_id", self.branch.ids),
            ("helpdesk.incident.subscription", "auto_renew", (True, False)),
            ("helpdesk.incident.subscription.term", "kind", "term extra change"),
            ("helpdesk.ticket", "incident_state", "none deducted parked waived"),
            ("helpdesk.ticket.charge", "state", "charged refunded"),
            ("helpdesk.ticket.charge", "payment_state", "paid partial"),
            ("helpdesk.incident.reminder", "kind", "ends expires parked"),
        ):
            for value in values.split() if isinstance(values, str) else values:
                if not self.env[model].search_count([(field, "=", value)], limit=1):
                    missing.append(f"{model}.{field}: {value}")
        assert not missing, missing

    # -- how ---------------------------------------------------------------

    def _customer(self, name):
        return self.env["res.partner"].create({"name": name, "is_company": True})

    def _portal_user(self, login, customer):
        return self.env["res.users"].create(
            {
                "name": login.title(),
                "login": f"{login}@example.com",
                "email": f"{login}@example.com",
                "parent_id": customer.id,
                "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
            }
        )

    def _plan(self, name, price, kind="none", quantity=0, months=0):
        return self.env["product.product"].create(
            {
                "name": name,
                "type": "service",
                "invoice_policy": "order",
                "list_price": price,
                "taxes_id": [Command.clear()],
                "incident_kind": kind,
                "incident_quantity": quantity,
                "incident_term_months": months,
            }
        )

    def _sell(self, partner, product, quantity=1):
        order = self.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity}
                    )
                ],
            }
        )
        return self._pay_order(order)

    def _give_away(self, partner, product):
        line = Command.create({"product_id": product.id, "discount": 100})
        order = self.env["sale.order"].create(
            {"partner_id": partner.id, "order_line": [line]}
        )
        order.action_confirm()

    def _pay_order(self, order):
        order.action_confirm()
        invoices = order._create_invoices(final=True)
        invoices.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoices.ids
        ).create({}).action_create_payments()
        return order

    def _pay(self, customer, amount):
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": customer.id,
                "amount": amount,
            }
        )
        payment.action_post()
        return payment

    def _subscription(self, customer):
        return self.env["helpdesk.incident.subscription"].search(
            [
                ("account_id.partner_id", "=", customer.id),
                ("company_id", "=", self.company.id),
            ]
        )

    def _order_for(self, subscription, operation, **values):
        before = self.env["sale.order"].search([])
        self.env["helpdesk.incident.subscription.order"].create(
            {"subscription_id": subscription.id, "operation": operation, **values}
        ).action_order()
        self._pay_order(self.env["sale.order"].search([]) - before)

    def _credit(self, invoice, **values):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, **values})
        )
        notes = self.env["account.move"].browse(wizard.reverse_moves()["res_id"])
        notes.action_post()

    def _ticket(self, user, team):
        """Open a ticket as the portal does: it takes what the team takes."""
        tickets = self.env["helpdesk.ticket"].with_user(user).sudo()
        return tickets.create(
            {
                "name": "It does not work",
                "description": "Please help",
                "team_id": team.id,
                "partner_id": user.partner_id.id,
                "user_id": False,
            }
        ).with_env(self.env)

    def _charge(self, amount, name):
        return self.env["helpdesk.ticket.charge"].create(
            {"ticket_id": self.first.id, "name": name, "amount": amount}
        )
