import os
import random
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from unittest.mock import patch
from zoneinfo import ZoneInfo

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.helpdesk_paid_support.models.charge.ticket_overage import Agreed
from odoo.addons.helpdesk_paid_support.models.reminder import (
    helpdesk_incident_reminder,
)

from .common_books import Books, cents
from .common_model import (
    DAY,
    REPLACING,
    Account,
    Line,
    Model,
    Order,
    Refused,
    Reminders,
    Ticket,
)
from .common_sale import SaleCommon

#: How many customers and days, and which dice. For a long campaign, which says what
#: it has seen: PAID_SUPPORT_CUSTOMERS=200 PAID_SUPPORT_DAYS=1096 dev/test -s -k years
CUSTOMERS = int(os.environ.get("PAID_SUPPORT_CUSTOMERS", "8"))
DAYS = int(os.environ.get("PAID_SUPPORT_DAYS", "70"))
SEED = os.environ.get("PAID_SUPPORT_SEED", "2027")
#: After so many minutes it comes to its end, with the days that it has lived.
MINUTES = float(os.environ.get("PAID_SUPPORT_MINUTES", "inf"))

LONG = "PAID_SUPPORT_CUSTOMERS" in os.environ
ZONE = ZoneInfo("Pacific/Auckland")
BEGIN = datetime(2027, 1, 29).date()
#: How often something happens to a customer, on average: each so many days.
PACE = int(os.environ.get("PAID_SUPPORT_PACE", "10"))
EVENTS = {
    "buy": 5,
    "extra": 6,
    "renew": 6,
    "change": 8,
    "automatic": 4,
    "token": 3,
    "fund": 4,
    "reset": 4,
    "credit": 3,
    "cancel": 1,
    "cancel_order": 1,
    "use": 9,
    "give_back": 4,
    "judge": 3,
    "pay_later": 3,
    "approve": 3,
    "top_up": 4,
}
#: R15.3: for how many periods the terms of some plans carry over.
CARRY = {("Care", 3): 1, ("Care", 12): 1, ("Swap", 1): 2, ("Large", 3): 3}
#: How an order is paid.
PAYING = {
    "online": 9,
    "late": 4,
    "invoice": 4,
    "balance": 3,
    "pending": 2,
    "never": 1,
}


#: Of these the customer is told at once: they are no occasions of time.
AT_ONCE = (
    *helpdesk_incident_reminder.SWITCHES,
    "proposed",
    *(k for k, _words in helpdesk_incident_reminder.KINDS if k.startswith("topup_")),
)


class NotNow(Exception):
    """This cannot happen to what there is."""


@dataclass(eq=False)
class Customer:
    """One of them, with dice of its own; what it has ordered and opened."""

    partner: object
    model: Model
    account: Account
    rng: random.Random
    orders: dict = field(default_factory=dict)
    tickets: list = field(default_factory=list)
    #: those of them that a team has
    urgent: list = field(default_factory=list)
    #: how the provider answers for its saved payment method, if there is one
    token: str | None = None

    @property
    def subscriptions(self):
        return [s for s in self.model.subscriptions if s.account is self.account]

    def lines(self):
        for order in self.orders.values():
            yield from order.lines


@tagged("post_install", "-at_install")
class TestSubscriptionSimulation(SaleCommon):
    """R3.4, R8.3, R8.4, R9, R13.2: years, day by day, for many customers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = ZONE.key
        cls.company.incident_reminder_days = "40, 7"
        thresholds = cls.env["helpdesk.incident.threshold"]
        thresholds.create([{"number": number} for number in (2, 0)])
        cls.tax = cls.company_data["default_tax_sale"]
        cls.tax.write({"amount": 15, "price_include_override": "tax_excluded"})
        cls.outcome = cls.env["helpdesk.ticket.outcome"].create({"name": "Defect"})
        cls.prices, cls.taxed, cls.facts = {}, set(), {}
        cls.extra = cls._sell("Extra incident", 4)
        cls.extra_taxed = cls._sell("Extra incident, taxed", 3.33, taxed=True)
        pack = cls._sell("Pack", 55, kind="lifetime", number=7)
        pack |= cls._sell("8 for 2 months", 40, kind="pack", number=8, months=2)
        cls.overage = cls._sell("One", 6.5, "lifetime", 1, taxed=True)
        cls.company.write(
            {
                "incident_overage_product_id": cls.overage.id,
                "incident_overage_limit": 1_000_000,
                "incident_overage_overdue_days": 9_999,
                "incident_overage_invoicing": "monthly",
            }
        )
        cls.urgent = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Urgent",
                "incident_required": True,
                "incident_shortage_policy": "charge",
            }
        )
        care = cls._sell_variants("Care", {1: 30, 3: 90, 12: 325, 0: 210}, 5, cls.extra)
        swap = cls._sell_variants("Swap", {1: 30, 4: 110, 12: 340}, 6, cls.extra)
        large = cls._sell_variants(
            "Large", {1: 61, 3: 170, 12: 640}, 12, cls.extra_taxed, taxed=True
        )
        small = cls._sell("Small", 20, kind="period", number=2, months=3)
        cls.changes = {}
        for template, others in (
            (care, care | swap | large | small.product_tmpl_id),
            (swap, care | large | small.product_tmpl_id),
            (large, care | swap | small.product_tmpl_id),
            (small.product_tmpl_id, care | large),
        ):
            template.incident_change_template_ids = others
            cls.changes[template] = others
        cls.plans = (care | swap | large).product_variant_ids | small
        pack.product_tmpl_id.incident_portal_published = True
        cls.topping_up = pack
        cls.packs = pack | cls.plans.filtered(lambda p: p.incident_kind == "lifetime")
        cls.plans -= cls.packs

    @classmethod
    def _sell(cls, name, price, kind="none", number=0, months=0, taxed=False):
        product = cls.plan(name, price, kind, number, months)
        cls._sold(product, price, kind, number, months, taxed)
        return product

    @classmethod
    def _sell_variants(cls, name, prices, number, extra, taxed=False):
        """R8.1: a plan for each term, and a lifetime one, as variants of a product."""
        attribute = cls.env["product.attribute"].create(
            {
                "name": name,
                "value_ids": [Command.create({"name": str(term)}) for term in prices],
            }
        )
        template = cls.plan(name, 0).product_tmpl_id
        template.attribute_line_ids = [
            Command.create(
                {
                    "attribute_id": attribute.id,
                    "value_ids": [Command.set(attribute.value_ids.ids)],
                }
            )
        ]
        template.incident_extra_product_id = extra
        for product, (months, price) in zip(
            template.product_variant_ids, prices.items(), strict=True
        ):
            value = product.product_template_attribute_value_ids
            value.price_extra = price
            given = number if months else 30
            kind = "period" if months else "lifetime"
            product.write(
                {
                    "incident_kind": kind,
                    "incident_quantity": given,
                    "incident_term_months": months,
                    # R15.2: some have longer periods.
                    "incident_period_months": {4: 2, 12: 3}.get(months, 1),
                    # R15.3: some carry over.
                    "incident_carry_periods": CARRY.get((name, months), 0),
                }
            )
            cls._sold(product, price, kind, given, months, taxed)
        return template

    @classmethod
    def _sold(cls, product, price, kind, number, months, taxed):
        cls.prices[product] = price
        period = product.incident_period_months if kind == "period" else 1
        carry = product.incident_carry_periods
        cls.facts[product] = (kind, number, months, period, carry)
        if taxed:
            cls.taxed.add(product)
            product.taxes_id = cls.tax

    # -- the days --------------------------------------------------------------

    def test_simulated_years(self):
        """R9, at every day: each period has granted what was paid for, the money in the
        books is worth what was given, nothing is renewed twice, and every reminder was
        sent once."""
        self._prepare()
        begin = os.times().elapsed  # time that is not frozen
        try:
            for number in range(DAYS):
                self.today = BEGIN + number * DAY
                self._live()
                self.seen["seconds"] = round(os.times().elapsed - begin)
                if LONG and number % 50 == 0:
                    sys.stdout.write(f"{self.today}, {self.seen['seconds']} s\n")
                if self.seen["seconds"] > 60 * MINUTES:
                    break
        finally:
            self._report()
        self._check_all_money()
        # R13.4
        self.assertEqual(self.account_model._check_ledger(), [])
        self._check_end()

    def _prepare(self):
        self.rng = random.Random(SEED)
        self.seen = Counter()
        self.sent = []
        self.unsold = {}
        self.compared = {}
        self.tasks = defaultdict(list)
        self.model = Model(lambda _company: self.today)
        self.reminders = Reminders(
            self.model,
            days=self.company._incident_days_before(),
            thresholds=self.company.incident_threshold_ids.mapped("number"),
        )
        self.customers = []
        self.frozen = self.startPatcher(freeze_time(datetime(2027, 1, 1)))
        reminders = self.env.registry["helpdesk.incident.reminder"]
        send = reminders._send_mail

        def recorded(reminder):
            key = reminder.key
            if reminder.kind == "low":
                key = key.partition(":")[0]  # the account
            if (
                reminder.kind not in AT_ONCE
                and reminder.account_id.partner_id.id in self.by_partner
            ):
                self.sent.append((reminder.kind, key))
            # To render each takes long: of some of them is enough.
            if len(self.sent) % 25 == 1:
                send(reminder)

        self.startPatcher(patch.object(reminders, "_send_mail", recorded))
        for name in (
            "_send_order_confirmation_mail",
            "_send_payment_succeeded_for_order_mail",
        ):
            self.startPatcher(
                patch.object(self.env.registry["sale.order"], name, lambda *_args: None)
            )
        partners = self.env["res.partner"].create(
            [
                {
                    "name": f"Customer {n}",
                    "is_company": True,
                    "email": f"c{n}@x.example",
                }
                for n in range(CUSTOMERS)
            ]
        )
        for number, partner in enumerate(partners):
            rng = random.Random(f"{SEED}:{number}")
            self.model.customers[partner.id] = partner.id
            account = self.model.account(partner.id, self.company.id)
            account.id = self.incident_account(partner).id
            new_test_user(
                self.env,
                f"hps-customer-{number}",
                groups="base.group_portal",
                parent_id=partner.id,
            )
            customer = Customer(partner, self.model, account, rng)
            self.customers.append(customer)
            self._draw(customer, number)
        self.by_partner = {c.partner.id: c for c in self.customers}

    def _customer_of(self, subscription):
        return self.by_partner[subscription.account.customer]

    def _draw(self, customer, number):
        """Draw in advance on which days something happens to a customer."""
        # Many of them on the last days of January: anchors on the 29th to the 31st.
        early = number % 3 if number % 5 < 4 else customer.rng.randrange(62)
        day = min(early, DAYS // 4)
        self._on(BEGIN + day * DAY, customer, self._do_begin)
        while day < DAYS:
            day += customer.rng.randint(1, 2 * PACE - 1)
            self._on(BEGIN + day * DAY, customer, self._do_anything)

    def _on(self, day, customer, task, *args):
        self.tasks[day].append((customer, task, args))

    def _later(self, customer, days, task, *args):
        self._on(self.today + max(days, 1) * DAY, customer, task, *args)

    def _at(self, hour, minute):
        """Let it be this time of the day, where the company is."""
        moment = datetime(*self.today.timetuple()[:3], hour, minute, tzinfo=ZONE)
        self.frozen.move_to(moment.astimezone(ZoneInfo("UTC")).replace(tzinfo=None))

    def _live(self):
        """R13.1: the scheduled actions run before or after what happens, twice, or not
        at all."""
        self._at(0, self.rng.randrange(60))
        self.assertEqual(self.company._incident_today(), self.today)
        # What a commit forgets: the numbers of documents are given to others, too.
        self.env.cr.precommit.data.pop("sequence.mixin", None)
        self.model.live()
        runs = self.rng.choices(
            ((1, 0), (0, 1), (1, 1), (2, 0), (0, 0)), (6, 3, 1, 1, 1)
        )
        before, after = runs[0]
        for _run in range(before):
            self._run_actions()
        happened = self.tasks.pop(self.today, ())
        self._at(self.rng.randint(1, 22), 30)
        self._offer_otherwise()
        for customer, task, args in happened:
            self._try(customer, task, args)
        self._at(23, self.rng.randrange(60))
        for _run in range(after):
            self._run_actions()
        self._check(bool(before or after))
        self.seen["days"] += 1

    def _offer_otherwise(self):
        """Once in a while a plan costs something else, or is not sold for some days."""
        for product, until in list(self.unsold.items()):
            if until <= self.today:
                product.active = True
                del self.unsold[product]
        if self.rng.random() < 0.04:
            product = self.rng.choice(self.plans)
            price = round(self.prices[product] * self.rng.choice((0.93, 1.05, 1.1)), 2)
            value = product.product_template_attribute_value_ids
            if value:
                value.price_extra = price
            else:
                product.list_price = price
            self.prices[product] = price
            self.seen["prices changed"] += 1
        if self.rng.random() < 0.03:
            product = self.rng.choice(self.plans)
            product.active = False
            self.unsold[product] = self.today + self.rng.randint(3, 20) * DAY
            self.seen["plans withdrawn"] += 1

    def _try(self, customer, task, args=()):
        """Do something, if it can be done, and see what follows."""
        try:
            task(customer, *args)
            self.seen[task.__name__.removeprefix("_do_")] += 1
        except NotNow:
            self.seen["not now"] += 1
        self._follow(customer)

    # -- what follows ----------------------------------------------------------

    def _follow(self, *customers):
        """Let the model look at the books, and compare its customers at once."""
        self.env.flush_all()
        books = Books(self.env.cr, [customer.partner.id for customer in customers])
        for customer in customers:
            self.assertEqual(
                set(customer.orders), self._orders_of(books, customer.partner.id)
            )
            for order in customer.orders.values():
                books.tell(order)
            orders = sorted(customer.orders.values(), key=lambda order: order.id)
            for order in self.model.settle(*orders):
                self._begun(customer, order)
            self._map(customer)
            self._check_money(customer)
        self.compared |= self._prints(customers)

    @staticmethod
    def _orders_of(books, partner_id):
        return {
            order
            for order, row in books.orders.items()
            if row["partner_id"] == partner_id
        }

    def _begun(self, customer, order):
        """An order was paid for the first time."""
        self.seen["orders begun"] += 1
        if customer.rng.random() < 0.3:
            self._later(customer, customer.rng.randint(1, 9), self._do_automatic)
        if customer.rng.random() < 0.15:
            self._later(customer, customer.rng.randint(1, 9), self._do_token)
        for line in order.lines:
            self.seen[f"begun: {line.operation or line.kind}"] += 1
            if line.term and line.term.late:
                self.seen["begun late"] += 1
            elif line.term and customer.rng.random() < 0.4:
                # Before the end, or after it.
                days = (line.term.windows[-1][1] - self.today).days
                days -= customer.rng.randint(-5, 9)
                self._later(customer, days, self._do_renew)
        if not order.automatic:
            return
        self.reminders.queue("renewed", str(order.id))
        self.seen["renewed automatically"] += 1
        for line in order.lines:
            if line.operation != "renew" or not line.term:
                continue
            # R9.7: not twice for the same days.
            mine = set(line.term.windows)
            for other in line.term.subscription.terms:
                again = other.line.order.automatic and other.line.due
                if again and other is not line.term and not other.is_extra:
                    self.assertFalse(mine & set(other.windows), "renewed twice")

    def _map(self, customer):
        """Learn which subscription each line has become a term of."""
        self.env.cr.execute(
            """
            SELECT t.sale_line_id, t.subscription_id, t.date_from, t.date_to,
                   t.months_late, t.months_lapsed, l.incident_due
              FROM helpdesk_incident_subscription_term t
              JOIN helpdesk_incident_subscription s ON s.id = t.subscription_id
              JOIN sale_order_line l ON l.id = t.sale_line_id
             WHERE s.account_id = %s ORDER BY t.id
            """,
            [customer.account.id],
        )
        rows = self.env.cr.fetchall()
        terms = {line.id: line.term for line in customer.lines() if line.term}
        self.assertEqual({row[0] for row in rows}, set(terms))
        for line_id, subscription_id, first, last, late, lapsed, due in rows:
            term = terms[line_id]
            term.subscription.id = term.subscription.id or subscription_id
            self.assertEqual(
                (subscription_id, first, last, late, lapsed, due),
                (
                    term.subscription.id,
                    term.windows[0][0],
                    term.windows[-1][1],
                    term.late,
                    term.lapsed,
                    term.line.due,
                ),
            )

    def _check_money(self, customer):
        """What the customer has paid, and was not paid back, is worth what was given or
        is to be given, to the cents of the months that were credited."""
        money = sum(
            order.money for order in customer.orders.values() if not order.later
        )
        worth = sum(subscription.worth() for subscription in customer.subscriptions)
        # The taxes of an order are rounded in all, and those of its lines one by one.
        slack = cents(0.02) + sum(abs(o.rounding) for o in customer.orders.values())
        for line in customer.lines():
            if line.kind != "period" and not line.order.later:
                worth += line.worth(line.due)
            if line.operation == "credit" and line.due:
                slack += cents(0.02) * (len(line.acts_on.windows) + 1)
                # What cannot be credited any more is rounded down.
                change = line.order.lines[0]
                slack += change.price / change.total
        self.assertLessEqual(
            abs(money - worth), slack, f"{customer.partner.name}: {money} {worth}"
        )
        self.seen["money compared"] += 1

    def _prints(self, customers):
        """Return what the books of customers come to: by partner."""
        partners = tuple(customer.partner.id for customer in customers)
        prints = {}
        for query in (
            """
            SELECT partner_id, COUNT(*), SUM(amount_residual_signed),
                   SUM(amount_total_signed)
              FROM account_move WHERE state = 'posted' AND partner_id IN %s GROUP BY 1
            """,
            """
            SELECT partner_id, COUNT(*), SUM(amount)
              FROM account_payment WHERE partner_id IN %s
               AND state IN ('in_process', 'paid') GROUP BY 1
            """,
        ):
            self.env.cr.execute(query, [partners])
            for partner, *numbers in self.env.cr.fetchall():
                prints.setdefault(partner, []).append(numbers)
        return prints

    def _check_all_money(self):
        self._follow(*self.customers)

    # -- what must hold --------------------------------------------------------

    def _check(self, ran):
        """At the end of each day, of every customer."""
        self.env.flush_all()
        self._check_periods(ran)
        self._check_subscriptions()
        self._check_accounts()
        # Whose books have changed today, its money was compared after that.
        prints = self._prints(self.customers)
        self.assertEqual({p: self.compared.get(p) for p in prints}, prints)
        self.env.cr.execute(
            """
            SELECT l.incident_subscription_id FROM sale_order_line l
             WHERE l.incident_operation IN ('renew', 'change')
               AND l.state IN ('draft', 'sent')
             GROUP BY 1 HAVING COUNT(DISTINCT l.order_id) > 1
            """
        )
        self.assertFalse(self.env.cr.fetchall(), "two open renewals or changes")
        # R15.1: what was paid after its last day is listed, and nothing else.
        self.env.cr.execute("SELECT res_id FROM helpdesk_incident_fault")
        self.assertLessEqual(
            {order_id for (order_id,) in self.env.cr.fetchall()},
            {
                line.order.id
                for customer in self.customers
                for line in customer.lines()
                if line.window and line.window[1] < self.today
            },
        )

    def _check_periods(self, ran):
        """Each period aims at, and has granted, what was paid for. What was due on a
        day without the scheduled actions may still be to be granted."""
        self.env.cr.execute(
            """
            SELECT COALESCE(subscription_id, 0), date_from, date_to, date_period_to,
                   target, used, granted, lapsed
              FROM helpdesk_incident_allotment
             WHERE kind = 'period' AND (target <> 0 OR granted <> 0 OR used <> 0)
               AND account_id = ANY(%s)
            """,
            [[customer.account.id for customer in self.customers]],
        )
        actual = self.env.cr.fetchall()
        expected = [
            (
                0 if cause[0] == "pack" else cause[0].id,
                *(p.first, p.last, p.own_last, p.target, p.used, p.given, p.lapsed),
            )
            for customer in self.customers
            for cause, p in customer.account.periods.items()
            if p.target or p.given or p.used
        ]
        self.seen["periods compared"] += len(expected)
        if not ran:
            # Those of before were granted already, or will be with the next verb.
            actual = [row[:6] for row in actual]
            expected = [row[:6] for row in expected]
        self.assertSame(actual, expected)

    def _check_subscriptions(self):
        self.env.cr.execute(
            """
            SELECT id, date_start, date_end, product_id, quantity, extra_incidents,
                   next_product_id, date_cancelled, auto_renew IS TRUE
              FROM helpdesk_incident_subscription WHERE account_id = ANY(%s)
            """,
            [[customer.account.id for customer in self.customers]],
        )
        self.assertSame(
            [(*row[:5], row[5] or 0, *row[6:]) for row in self.env.cr.fetchall()],
            [
                (
                    s.id,
                    s.anchor,
                    s.end,
                    s.plan.product,
                    s.plan.units,
                    s.extra,
                    s.next_product,
                    s.cancelled,
                    s.automatic,
                )
                for s in self.model.subscriptions
            ],
        )

    def _check_accounts(self):
        """R4.1, R9.3: what is available never waits for the scheduled actions."""
        expected = [customer.account for customer in self.customers]
        accounts = self.account_model.browse(account.id for account in expected)
        accounts.invalidate_recordset()
        self.assertSame(
            [
                (a.id, a.available, a.lifetime_granted, a.lifetime_used)
                for a in accounts
            ],
            [
                (a.id, a.available(self.today), a.lifetime.given, a.lifetime.used)
                for a in expected
            ],
        )

    def assertSame(self, actual, expected):
        if sorted(actual, key=repr) == sorted(expected, key=repr):
            return
        actual, expected = set(actual), set(expected)
        self.fail(
            f"{self.today}\nthere is   {sorted(actual - expected, key=repr)}\n"
            f"should be  {sorted(expected - actual, key=repr)}"
        )

    def _check_end(self):
        """R3.3, R3.4: the ledger is sound, and who looks again finds nothing to do."""
        accounts = [customer.account.id for customer in self.customers]
        self.account_model.browse(accounts)._open_and_close()
        self.assertLedgerSound()
        orders = self.env["sale.order"].search(
            [("partner_id", "in", list(self.by_partner))]
        )
        with self.assertNothingChanges():
            for order in orders:
                order._incident_settle()
        self.assertFalse(self.env["helpdesk.incident.fault"].search([]))
        self.env.cr.execute(
            "SELECT kind, key FROM helpdesk_incident_reminder "
            "WHERE state = 'sent' AND kind <> 'low' AND kind <> ALL(%s) "
            "AND account_id = ANY(%s)",
            [list(AT_ONCE), accounts],
        )
        self.assertEqual(
            sorted(self.env.cr.fetchall()),
            sorted(row for row in self.sent if row[0] != "low"),
        )

    def _report(self):
        self.env.cr.execute(
            "SELECT move_type, COUNT(*) FROM account_move WHERE partner_id IN %s "
            "AND state = 'posted' GROUP BY 1",
            [tuple(self.by_partner)],
        )
        self.seen.update(dict(self.env.cr.fetchall()))
        self.seen["orders"] = sum(len(c.orders) for c in self.customers)
        self.seen["subscriptions"] = len(self.model.subscriptions)
        self.seen["periods"] = sum(len(c.account.periods) for c in self.customers)
        for kind, _key in self.sent:
            self.seen[f"told: {kind}"] += 1
        if LONG:
            sys.stdout.write(f"\n{CUSTOMERS} customers, seed {SEED}\n")
            for name, number in sorted(self.seen.items()):
                sys.stdout.write(f"{number:9d} {name}\n")

    # -- the scheduled actions -------------------------------------------------

    def _run_actions(self):
        """Run the scheduled actions as the server does, and foresee what they do."""
        due = sorted(
            (
                s
                for s in self.model.subscriptions
                if s.automatic
                and s.runs(self.today)
                and s.end <= self.today + self.company.incident_renewal_days * DAY
                and s.tried != self.today
            ),
            key=lambda s: (s.end, s.id),
        )
        customers = list(dict.fromkeys(map(self._customer_of, due)))
        balances = self._balances(customers)
        before = {s: self._situation(s) for s in due}
        with self.enter_registry_test_mode():
            for name in ("open_and_close", "renew", "overage"):
                self._trigger(name)
        self.env.cr.precommit.data.pop("sequence.mixin", None)
        for subscription in due:
            self._expect_renewal(subscription, before[subscription], balances)
        later = {c: None for c in self.customers if self._is_to_be_invoiced(c)}
        customers = list(dict.fromkeys(customers) | later)
        if customers:
            self._follow(*customers)
            # R9.7: a saved payment method was asked once for each attempt.
            self.env.cr.execute(
                "SELECT COUNT(*) FROM payment_transaction "
                "WHERE operation = 'offline' AND partner_id IN %s",
                [tuple(self.by_partner)],
            )
            [asked] = self.env.cr.fetchone()
            tries = ("done", "error", "pending")
            self.assertEqual(
                asked, sum(self.seen[f"renewal: token {state}"] for state in tries)
            )
        self.sent_before = len(self.sent)
        with self.enter_registry_test_mode():
            self._trigger("remind")
        self.env.invalidate_all()
        expected = self.reminders.remind(self.today)
        self.assertEqual(sorted(self.sent[self.sent_before :]), expected, self.today)
        self.seen["scheduled actions"] += 1

    def _is_to_be_invoiced(self, customer):
        """R18.3: whether the customer has bought something in an earlier month, to be
        paid later."""
        first = self.today.replace(day=1)
        return any(o.later and o.confirmed < first for o in customer.orders.values())

    def _trigger(self, name):
        self.env.ref(
            f"helpdesk_paid_support.ir_cron_incident_{name}"
        ).method_direct_trigger()

    def _balances(self, customers):
        if not customers:
            return {}
        self.env.flush_all()
        books = Books(self.env.cr, [customer.partner.id for customer in customers])
        return {c: books.balance(c.partner.id) for c in customers}

    def _open_orders(self, subscription):
        """Return what waits for its payment: whether it was made automatically, and is
        just being paid, by id."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT o.id, o.incident_automatic IS TRUE, EXISTS (
                   SELECT FROM sale_order_transaction_rel rel
                     JOIN payment_transaction tx ON tx.id = rel.transaction_id
                    WHERE rel.sale_order_id = o.id
                      AND tx.state IN ('pending', 'authorized', 'done')),
                   COALESCE(o.validity_date < %s, FALSE)
              FROM sale_order o
             WHERE o.state IN ('draft', 'sent') AND o.id IN (
                   SELECT order_id FROM sale_order_line
                    WHERE incident_subscription_id = %s
                      AND incident_operation IN ('renew', 'change'))
            """,
            [self.today, subscription.id],
        )
        return {row[0]: row[1:] for row in self.env.cr.fetchall()}

    def _situation(self, subscription):
        return (
            self._open_orders(subscription),
            self._without_effect(subscription),
            subscription.end,
        )

    def _without_effect(self, subscription):
        """Return the renewals and changes that are confirmed, and give nothing."""
        lines = [
            line
            for order in self._customer_of(subscription).orders.values()
            for line in order.lines
            if line.subscription == subscription
            and line.operation in REPLACING
            and not line.due
            and (not line.term or line.term.windows[0][0] > subscription.end)
        ]
        orders = self.env["sale.order"].browse([line.order.id for line in lines])
        return orders.filtered(lambda order: order.state == "sale")

    def _expect_renewal(self, subscription, situation, balances):
        """R9.7: renewed from the balance, else with the token, else sent to be paid;
        and never twice."""
        customer = self._customer_of(subscription)
        orders, without_effect, end = situation
        subscription.tried = self.today
        new = self._register_new(customer, subscription)
        if any(paying for _auto, paying, _expired in orders.values()):
            self.assertFalse(new)
            subscription.problem = "paying"
            self.seen["renewal: paying"] += 1
            return
        if without_effect:
            # It is one order that is waited for, and nothing is taken for another one.
            self.assertFalse(new)
            record = self.env["helpdesk.incident.subscription"].browse(subscription.id)
            self.assertIn(record.renewal_problem, ("paying", "unpaid"))
            subscription.problem = record.renewal_problem
            self.seen["renewal: without effect"] += 1
            if subscription.problem == "unpaid":
                self._expect_failure(subscription, end, "unpaid")
            return
        if any(not auto and not expired for auto, _paying, expired in orders.values()):
            self.assertFalse(new)
            self._expect_failure(subscription, end, "ordered")
            return
        if self._next_plan(subscription) in self.unsold:
            self.assertFalse(new)
            self._expect_failure(subscription, end, "plan")
            return
        self.assertLessEqual(len(new), 1)
        order = new[0] if new else customer.orders[max(orders)]
        order.automatic = True
        row = self.env["sale.order"].browse(order.id)
        total = cents(row.amount_total)
        months, period, carry, number, price = subscription.agreed()
        if (
            (order.lines[0].months, order.lines[0].period) != (months, period)
            or order.lines[0].carry < carry
            or sum(line.number for line in order.lines) < number
            # Extra incidents are agreed to for other months, to the cent.
            or total > price + cents(0.02)
        ):
            problem = "confirm"
        elif balances[customer] >= total:
            balances[customer] -= total
            problem = None
            self.assertEqual(len(row.invoice_ids), 1)
            self.seen["renewal: balance"] += 1
        elif not customer.token:
            problem = "method"
        else:
            problem = {"done": None, "error": "declined", "pending": "paying"}[
                customer.token
            ]
            self.assertEqual(
                max(row.transaction_ids, key=lambda tx: tx.id).state, customer.token
            )
            self.seen[f"renewal: token {customer.token}"] += 1
            if problem == "paying":
                days = customer.rng.randint(1, 20)
                self._later(customer, days, self._do_decide, order)
                return
        self.assertEqual(row.state == "sale", not problem, (problem, self.today))
        if problem:
            self._expect_failure(subscription, end, problem)
            if customer.rng.random() < 0.1:
                self._plan_payment(customer, order)
        else:
            days = customer.rng.randint(1, 15)
            self._later(customer, days, self._do_invoice, order)

    def _expect_failure(self, subscription, end, problem):
        subscription.problem = problem
        self.seen[f"renewal: {problem}"] += 1
        self.reminders.queue("failed", f"{subscription.id}:{end}:{problem}")

    # -- orders ----------------------------------------------------------------

    def _register_new(self, customer, subscription):
        """Register the renewals that were made for a subscription by themselves."""
        found = (
            self.env["sale.order"]
            .search(
                [
                    ("partner_id", "=", customer.partner.id),
                    ("order_line.incident_subscription_id", "=", subscription.id),
                ]
            )
            .filtered(lambda order: order.id not in customer.orders)
        )
        return [
            self._register(customer, order, self._renewal(subscription))
            for order in found
        ]

    def _register(self, customer, order, expected):
        """Note what an order sells; it is what was asked for.

        :param expected: lines, without ids and prices.
        """
        self.assertNotIn(order.id, customer.orders)
        self.assertEqual(len(order.order_line), len(expected), order.order_line)
        result = Order(customer.partner.id, self.company.id, order.id)
        for row, (values, price) in zip(order.order_line, expected, strict=True):
            line = Line(result, id=row.id, price=cents(row.price_total), **values)
            result.lines.append(line)
            self.assertEqual(
                (
                    row.product_id.id,
                    row.incident_operation or None,
                    row.incident_kind,
                    row.incident_quantity * row.incident_units,
                    row.incident_term_months,
                    row.incident_period_months or 1,
                    row.incident_carry_periods,
                    row.incident_operation and row.incident_date_from or None,
                    row.incident_subscription_id.id,
                    row.incident_term_id.sale_line_id.id,
                ),
                (
                    line.product,
                    line.operation,
                    line.kind,
                    line.number,
                    line.months,
                    line.period,
                    line.carry,
                    line.date_from,
                    line.subscription.id if line.subscription else False,
                    line.acts_on.line.id if line.acts_on else False,
                ),
            )
            slack = cents(0.01)
            if line.operation == "credit":
                slack *= len(line.acts_on.windows) + 2
            self.assertLessEqual(abs(line.price - price), slack, row.name)
        total = sum(line.price for line in result.lines)
        result.rounding = cents(order.amount_total) - total
        self.assertLessEqual(abs(result.rounding), cents(0.01) * len(result.lines))
        self.model.orders.append(result)
        customer.orders[order.id] = result
        return result

    def _price(self, product, quantity):
        rate = 1.15 if product in self.taxed else 1
        return cents(self.prices[product] * quantity * rate)

    def _plan_line(self, product, units, **values):
        kind, number, months, period, carry = self.facts[product]
        line = {
            "number": number * units,
            "months": months,
            "units": units,
            "product": product.id,
            "pack": kind == "pack",
            "period": period,
            "carry": carry,
            **values,
        }
        return line, self._price(product, units)

    def _extra_line(self, product, number, months, period, carry, **values):
        line = {
            "number": number,
            "months": months,
            "units": number,
            "product": product.id,
            "operation": "extra",
            "period": period,
            "carry": carry,
            **values,
        }
        return line, self._price(product, number * (months // period))

    def _renewal(self, subscription, plan=None):
        """R9.5: the plan, scheduled or as it is, with its extras (R9.4)."""
        plan = plan or self._next_plan(subscription)
        lines = [
            self._plan_line(
                plan,
                subscription.plan.units,
                operation="renew",
                subscription=subscription,
            )
        ]
        extra = self.extra_of(plan)
        if self.facts[plan][0] == "period" and extra and subscription.extra:
            # R15.2: as many in each month.
            months, period, carry = self.facts[plan][2:]
            number = -(-subscription.extra * period // subscription.plan.period)
            lines.append(
                self._extra_line(
                    extra, number, months, period, carry, subscription=subscription
                )
            )
        return lines

    def _next_plan(self, subscription):
        return self._product(subscription.scheduled or subscription.plan.product)

    def _plan_of(self, subscription):
        return self._product(subscription.plan.product)

    def _product(self, product_id):
        return self.env["product.product"].browse(product_id)

    @staticmethod
    def extra_of(plan):
        return plan.product_tmpl_id.incident_extra_product_id

    def _plan_payment(self, customer, order, **weights):
        """Decide how an order will be paid, if ever."""
        weights = PAYING | weights
        way = customer.rng.choices(list(weights), list(weights.values()))[0]
        self.seen[f"pay {way}"] += 1
        rng = customer.rng
        if way == "online":
            self._do_pay_online(customer, order)
        elif way == "late":
            # After its validity, after the next boundary, after the end.
            self._later(customer, rng.randint(2, 75), self._do_pay_online, order)
        elif way == "invoice":
            if self._order(order).state in ("draft", "sent"):
                self._order(order).action_confirm()
                order.confirmed = self.today
            self._do_invoice(customer, order)
            self._later(customer, rng.randint(0, 40), self._do_register, order)
        elif way == "balance":
            self._do_fund(customer)
            self._later(customer, rng.randint(0, 3), self._do_pay_from_balance, order)
        elif way == "pending":
            self.transaction(self._order(order), state="pending")
            self._later(customer, rng.randint(1, 30), self._do_decide, order)

    def _order(self, order):
        return self.env["sale.order"].browse(order.id)

    # -- what happens ----------------------------------------------------------

    def _do_anything(self, customer):
        kind = customer.rng.choices(list(EVENTS), list(EVENTS.values()))[0]
        getattr(self, f"_do_{kind}")(customer)
        self.seen[f"event: {kind}"] += 1

    def _pick(self, customer, candidates):
        candidates = list(candidates)
        if not candidates:
            raise NotNow
        return customer.rng.choice(candidates)

    def _subscription(self, customer, condition):
        """Pick a subscription, and its record."""
        found = self._pick(customer, filter(condition, customer.subscriptions))
        record = self.env["helpdesk.incident.subscription"].sudo().browse(found.id)
        return found, record

    def _do_begin(self, customer):
        """The first plan is mostly a short one, and paid at once."""
        short = self.plans.filtered(lambda plan: self.facts[plan][2] < 12)
        self._buy(
            customer, short if customer.rng.random() < 0.8 else self.plans, late=0
        )

    def _do_buy(self, customer):
        products = self.plans if customer.rng.random() < 0.85 else self.packs
        self._buy(customer, products)

    def _buy(self, customer, products, **weights):
        product = self._pick(customer, products.filtered("active"))
        units = customer.rng.choice((1, 1, 2))
        order = self.quotation(product, customer=customer.partner, quantity=units)
        line = self._plan_line(product, units)
        if line[0]["months"] and customer.rng.random() < 0.15:
            # R8.12: staff name a day, past or to come.
            day = self.today + customer.rng.randint(-70, 40) * DAY
            order.order_line.incident_date_start = line[0]["named"] = day
            self.seen["named day"] += 1
        self._plan_payment(customer, self._register(customer, order, [line]), **weights)

    def _do_extra(self, customer):
        """R9.4: from the current month to the last one that is paid."""
        found, record = self._subscription(
            customer,
            lambda s: s.runs(self.today) and self.extra_of(self._plan_of(s)),
        )
        number = customer.rng.randint(1, 4)
        stretches = self.model.months_left(found)
        order = record._order_extra(number)
        if order.id in customer.orders:
            raise NotNow
        self.assertEqual(order.validity_date, found.boundary(self.today) - DAY)
        lines = [
            self._extra_line(
                self.extra_of(self._plan_of(found)),
                number,
                *stretch,
                subscription=found,
                acts_on=found.plan_term(),
                date_from=first,
            )
            for first, *stretch in stretches
        ]
        self.seen["extra, carried over otherwise"] += len(lines) > 1
        self._plan_payment(
            customer, self._register(customer, order, lines), late=10, pending=4
        )

    def _do_renew(self, customer):
        """R9.5: before the end, after it, with another term, for a lifetime."""
        found, record = self._subscription(
            customer, lambda s: s.runs(self.today) or s.has_ended(self.today)
        )
        plan = self._next_plan(found)
        if customer.rng.random() < 0.3:
            plan = self._pick(customer, plan.product_tmpl_id.product_variant_ids)
        orders = self._open_orders(found)
        try:
            with self.env.cr.savepoint():
                order = record._order_renewal(plan)
        except UserError as error:
            if plan in self.unsold:
                self.assertIn("is not sold any more", str(error))
            else:
                self.assertIn("just being paid", str(error))
                self.assertTrue(
                    any(paying for _auto, paying, _expired in orders.values())
                )
            raise NotNow from error
        if order.id in customer.orders:
            raise NotNow
        expected = self._renewal(found, plan)
        self._plan_payment(customer, self._register(customer, order, expected))

    def _do_change(self, customer):
        """R9.6: with a credit, for nothing, or scheduled."""
        found, record = self._subscription(customer, lambda s: s.runs(self.today))
        product = self._plan_of(found)
        plan = self._pick(
            customer,
            (self.changes[product.product_tmpl_id].product_variant_ids & self.plans)
            - product,
        )
        paid = all(t.line.order.in_full for t in found.terms_after(self.today))
        paying = any(
            paying for _auto, paying, _expired in self._open_orders(found).values()
        )
        try:
            with self.env.cr.savepoint():
                order = record._order_change(plan)
        except UserError as error:
            self.assertTrue(paying if paid else "is not paid" in str(error), error)
            self.seen["change refused"] += 1
            raise NotNow from error
        self.assertTrue(paid)
        if order.id in customer.orders:
            raise NotNow
        lines = self._change(found, plan)
        total = sum(price for _values, price in lines)
        if not order:
            self.assertLess(total, 0)
            self.seen["change scheduled"] += 1
            found.next_product = plan.id
            later = self._renewal(found)
            found.next_terms = (
                later[0][0]["months"],
                later[0][0]["period"],
                later[0][0]["carry"],
                sum(line["number"] for line, _price in later),
                sum(price for _line, price in later),
            )
            return
        self.assertGreater(total, -cents(0.2))
        order = self._register(customer, order, lines)
        if self._order(order).state == "sale":
            self.seen["change for nothing"] += 1
            self._later(customer, 3, self._do_invoice, order)
        else:
            self._plan_payment(customer, order, late=7)

    def _change(self, found, plan):
        boundary = found.boundary(self.today)
        lines = [
            self._plan_line(
                plan,
                found.plan.units,
                operation="change",
                subscription=found,
                acts_on=found.plan_term(),
                date_from=boundary,
            )
        ]
        for term, given in found.numbers().items():
            number = sum(n for window, n in given.items() if window[0] >= boundary)
            if number:
                values = {
                    "number": number,
                    "months": 1,
                    "units": 1,
                    "product": term.line.product,
                    "operation": "credit",
                    "subscription": found,
                    "acts_on": term,
                    "date_from": boundary,
                }
                lines.append((values, -term.line.worth(number)))
        return lines

    def _do_automatic(self, customer):
        found, record = self._subscription(customer, lambda s: not s.cancelled)
        record._set_auto_renew(not found.automatic)
        found.automatic = not found.automatic
        found.problem = None

    def _do_token(self, customer):
        """The customer saves another payment method, or removes it."""
        tokens = self.env["payment.token"].sudo()
        tokens.search([("partner_id", "=", customer.partner.id)]).active = False
        customer.token = customer.rng.choice(("done", "done", "error", "pending", None))
        if customer.token:
            tokens.create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": self.demo.payment_method_ids[:1].id,
                    "partner_id": customer.partner.id,
                    "provider_ref": "demo",
                    "payment_details": "4242",
                    "demo_simulated_state": customer.token,
                }
            )

    def _do_fund(self, customer):
        amount = customer.rng.choice((30, 90, 250, 700))
        self.pay(amount, customer.partner, date=fields.Date.today())

    # -- paying ----------------------------------------------------------------

    def _do_pay_online(self, customer, order):
        record = self._order(order)
        if order.in_full or record.amount_total <= 0 or record.invoice_ids:
            raise NotNow
        if record._incident_is_being_paid():
            raise NotNow
        if record.state == "cancel" and customer.rng.random() < 0.7:
            raise NotNow
        if record.is_expired:
            self.seen["paid after its validity"] += 1
        self.transaction(record)
        days = customer.rng.randint(1, 15)
        self._later(customer, days, self._do_invoice, order)

    def _do_decide(self, customer, order):
        """The provider has decided."""
        record = self._order(order)
        for transaction in record.transaction_ids.filtered(
            lambda transaction: transaction.state == "pending"
        ):
            way = customer.rng.choice(("done", "done", "error", "canceled"))
            getattr(transaction, f"action_demo_set_{way}")()
            transaction._post_process()
        self._later(customer, customer.rng.randint(1, 15), self._do_invoice, order)

    def _do_invoice(self, customer, order):
        record = self._order(order)
        if record.state != "sale" or record.invoice_ids:
            raise NotNow
        self.bill(record)

    def _do_register(self, customer, order):
        invoice = self._order(order).invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )
        if not invoice.amount_residual:
            raise NotNow
        self.register(invoice, payment_date=fields.Date.today())

    def _do_pay_from_balance(self, customer, order):
        record = self._order(order)
        if not record._incident_is_open():
            raise NotNow
        enough = self._balances([customer])[customer] >= cents(record.amount_total)
        try:
            with self.env.cr.savepoint():
                record._incident_pay_from_balance()
        except UserError as error:
            self.assertFalse(enough)
            raise NotNow from error
        self.assertTrue(enough)

    def _payments(self, customer):
        return self.env["account.payment"].search(
            [
                ("partner_id", "=", customer.partner.id),
                ("payment_type", "=", "inbound"),
                ("state", "in", ("in_process", "paid")),
            ],
            order="id desc",
        )

    def _do_reset(self, customer):
        """A payment is reset to draft, and mostly posted again."""
        payment = self._pick(customer, self._payments(customer)[:6])
        payment.action_draft()
        if customer.rng.random() < 0.85:
            days = customer.rng.randint(1, 45)
            self._later(customer, days, self._do_post_again, payment.id)

    def _do_post_again(self, customer, payment_id):
        payment = self.env["account.payment"].browse(payment_id)
        if payment.state != "draft":
            raise NotNow
        payment.action_post()
        days = customer.rng.randint(1, 10)
        self._later(customer, days, self._do_match, payment_id)

    def _do_match(self, customer, payment_id):
        """An accountant looks for what the payment was for: any open invoice."""
        payment = self.env["account.payment"].browse(payment_id)
        invoices = self.env["account.move"].search(
            [
                ("partner_id", "=", customer.partner.id),
                ("move_type", "=", "out_invoice"),
                ("state", "=", "posted"),
                ("amount_residual", ">", 0),
            ]
        )
        if payment.state not in ("in_process", "paid") or not invoices:
            raise NotNow
        item = payment.move_id.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        if item.reconciled:
            raise NotNow
        self.settle_with(self._pick(customer, invoices), payment.move_id)

    # -- taking back -----------------------------------------------------------

    def _do_credit(self, customer):
        """R8.4: a full credit note, of goodwill or not, and sometimes its reset."""
        credited = {
            line.acts_on.line.order.id
            for line in customer.lines()
            if line.operation == "credit" and line.order.account
        }
        invoice = self._pick(
            customer,
            self.env["account.move"]
            .search(
                [
                    ("partner_id", "=", customer.partner.id),
                    ("move_type", "=", "out_invoice"),
                    ("state", "=", "posted"),
                ],
                order="id desc",
                limit=5,
            )
            .filtered(lambda move: not move.reversal_move_ids),
        )
        note = self.reverse(invoice, post=False)
        orders = set(invoice.invoice_line_ids.sale_line_ids.order_id.ids)
        # What a change has credited is not credited again: no accountant does that.
        note.incident_goodwill = customer.rng.random() < 0.3 and not orders & credited
        note.action_post()
        self.seen["goodwill" if note.incident_goodwill else "credited"] += 1
        if not note.incident_goodwill and customer.rng.random() < 0.4:
            days = customer.rng.randint(1, 30)
            self._later(customer, days, self._do_reset_note, note.id)

    def _do_reset_note(self, customer, note_id):
        note = self.env["account.move"].browse(note_id)
        if note.state == "posted":
            note.button_draft()
            if customer.rng.random() < 0.5:
                days = customer.rng.randint(1, 30)
                self._later(customer, days, self._do_reset_note, note_id)
        else:
            note.action_post()

    def _do_cancel(self, customer):
        """R9.8"""
        found, record = self._subscription(customer, lambda s: s.runs(self.today))
        record.action_cancel()
        self.model.cancel(found, True)
        if customer.rng.random() < 0.7:
            self._later(customer, customer.rng.randint(1, 60), self._do_reopen, found)

    def _do_reopen(self, customer, found):
        self.env["helpdesk.incident.subscription"].browse(found.id).action_reopen()
        self.model.cancel(found, False)

    def _do_cancel_order(self, customer):
        """R8.4: what no paid invoice covers is taken back."""
        order = self._pick(customer, customer.orders.values())
        record = self._order(order)
        if record.state != "sale":
            raise NotNow
        record._action_cancel()
        days = customer.rng.randint(1, 20)
        self._later(customer, days, self._do_confirm_again, order)

    def _do_confirm_again(self, customer, order):
        record = self._order(order)
        if record.state != "cancel":
            raise NotNow
        record.action_draft()
        record.action_confirm()

    # -- tickets ---------------------------------------------------------------

    def _do_use(self, customer):
        """R4.2, R4.3"""
        available = customer.account.available(self.today)
        number = customer.rng.randint(1, available + 1)
        ticket = Ticket(customer.partner.id, self.company.id, 1, False)
        try:
            self.model.set(ticket, number)
        except Refused:
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.use(number, customer.partner)
            return
        ticket.id = self.use(number, customer.partner).id
        customer.tickets.append(ticket)

    def _do_pay_later(self, customer):
        """R18.1–R18.3: what a ticket lacks is sold with it, invoiced with all others of
        the month, and paid some time, or credited, or cancelled."""
        account = customer.account
        missing = customer.rng.randint(1, 3)
        ticket = Ticket(
            customer.partner.id,
            self.company.id,
            account.available(self.today) + missing,
            False,
        )
        if account.lifetime.left < 0:
            raise NotNow
        self.urgent.incident_cost = ticket.cost
        user = customer.partner.child_ids.user_ids
        offer = self.env["sale.order"]._incident_overage(
            customer.partner, self.company, missing
        )
        tickets = self.env["helpdesk.ticket"].with_user(user).sudo()
        record = tickets.with_context(incident_agreed=Agreed(user, offer.key)).create(
            {
                "name": "It is urgent",
                "description": "Please help",
                "partner_id": customer.partner.id,
                "company_id": self.company.id,
                "team_id": self.urgent.id,
            }
        )
        sold = self.env["sale.order"].search([("incident_ticket_id", "=", record.id)])
        line = self._plan_line(self.overage, missing)
        order = self._register(customer, sold, [line])
        order.gives = order.later = True
        order.confirmed = self.today
        self.model.settle(order)
        self.model.submit(ticket)
        ticket.id = record.id
        customer.tickets.append(ticket)
        customer.urgent.append(ticket)
        self._later(customer, customer.rng.randint(5, 60), self._do_register, order)

    def _do_approve(self, customer):
        """R18.5, R16.6: what is asked first adds to what the ticket takes."""
        ticket = self._pick(customer, customer.urgent)
        available = customer.account.available(self.today)
        if ticket.is_free or not available:
            raise NotNow
        number = customer.rng.randint(1, min(available, 4))
        proposal = self.env["helpdesk.ticket.proposal"].create(
            {
                "ticket_id": ticket.id,
                "kind": "incidents",
                "quantity": number,
                "name": "More of it",
            }
        )
        user = customer.partner.child_ids.user_ids
        asked = proposal.with_user(user).sudo()
        if customer.rng.random() < 0.3:
            asked._decline(user, "No")
            return
        asked._approve(user, asked._question().key)
        self.model.set(ticket, ticket.aim + number)

    def _do_top_up(self, customer):
        """R19.1: as many units as reach what is wanted, from the account balance."""
        product = self._pick(customer, self.topping_up)
        account = self.account_model.browse(customer.account.id)
        wanted = customer.account.available(self.today) + customer.rng.randint(1, 9)
        self._do_fund(customer)
        topup = self.env["helpdesk.incident.topup"]._set_up(
            account,
            self.company,
            customer.partner,
            threshold=wanted,
            product_id=product.id,
            monthly_limit=1_000_000,
            method="balance",
        )
        topup.due = True
        # Others have bought something today.
        with patch.object(type(topup), "_is_buying_otherwise", lambda _topup: False):
            topup._buy()
        for order in topup._orders().filtered(lambda o: o.id not in customer.orders):
            units = int(order.order_line.product_uom_qty)
            self._register(customer, order, [self._plan_line(product, units)])
            self.seen[f"topped up: {order.state}"] += 1
        topup._switch_off()

    def _do_give_back(self, customer):
        """R5.1, R5.3"""
        holding = [ticket for ticket in customer.tickets if ticket.number]
        ticket = self._pick(customer, holding[-8:])
        left = customer.rng.randrange(ticket.number)
        self.env["helpdesk.ticket"].browse(ticket.id).incident_count = left
        self.model.set(ticket, left)

    def _do_judge(self, customer):
        """R5.3, R17.1: what comes back by an outcome comes back for good."""
        holding = [ticket for ticket in customer.tickets if ticket.number]
        ticket = self._pick(customer, holding[-8:])
        record = self.env["helpdesk.ticket"].browse(ticket.id)
        record.incident_outcome_id = self.outcome
        self.model.judge(ticket, charged=False)
        last = record._incident_last_entry()
        key = f"{ticket.id}:{customer.account.id}:{last.id}"
        self.reminders.queue("returned", key)
        days = customer.rng.randint(3, 40)
        self._later(customer, days, self._do_charge_again, ticket)

    def _do_charge_again(self, customer, ticket):
        """R17.1: emptied it counts as charged."""
        if customer.account.available(self.today) < ticket.chosen:
            raise NotNow
        self.env["helpdesk.ticket"].browse(ticket.id).incident_outcome_id = False
        self.model.judge(ticket, charged=True)
