import os
import sys
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from fractions import Fraction
from functools import wraps
from unittest.mock import patch
from zoneinfo import ZoneInfo

import freezegun
from freezegun import freeze_time
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from odoo import SUPERUSER_ID
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.helpdesk_paid_support.models.charge.ticket_overage import Agreed
from odoo.addons.helpdesk_paid_support.models.ticket import ticket_parking
from odoo.addons.helpdesk_paid_support.models.ticket.account_release import NOTED

from .common_model import Line, Model, Order, Payment, Refused, Ticket
from .common_sale import SaleCommon

#: More examples, and longer ones, with these settings: for a long campaign, which is
#: different each time.
EXAMPLES = os.environ.get("PAID_SUPPORT_EXAMPLES")
STEPS = int(os.environ.get("PAID_SUPPORT_STEPS", "0"))
CAMPAIGN = bool(EXAMPLES or STEPS)
#: The days on which the examples begin: at the ends of months, before a leap day.
BEGINNINGS = [
    datetime(2027, 1, 31, 10),
    datetime(2028, 1, 30, 22),
    datetime(2027, 4, 11, 3),
    datetime(2027, 12, 31, 9),
]
ZONES = ["UTC", "Pacific/Auckland", "America/Los_Angeles"]
#: How many incidents teams take, and whether they let tickets wait. The last one is of
#: the second company; the one before takes them of tickets that staff open, too.
TEAMS = [(0, False), (1, False), (3, True), (2, True), (1, True)]
#: The one that sells what is missing to whoever agrees to pay later (R18).
LATER = 2
MESSAGE = """\
MIME-Version: 1.0
Message-Id: <{number}@customer.example>
From: {sender}
To: {to}@provider.test
Subject: It does not work
Content-Type: text/plain; charset=utf-8

Please help.
"""
#: The minutes that take an incident, where a team counts time.
BLOCKS = {1: 30, 2: 20}
PICK = st.integers(0, 999)
# It measures how long it looks for a shorter example.
freezegun.configure(extend_ignore_list=["hypothesis"])


class Nothing(Exception):
    """There is nothing that this could happen to."""


def step(**draws):
    """A rule that passes where there is nothing that it could happen to; days have
    passed before."""

    def decorate(function):
        @rule(**draws, pause=st.sampled_from([0] * 9 + [1, 16, 31]))
        @wraps(function)
        def run(self, pause, **values):
            with suppress(Nothing):
                if pause:
                    self.go_on(days=pause)
                function(self, **values)
                self.test.seen[function.__name__] += 1

        run.is_step = True
        return run

    return decorate


def is_step(function):
    return getattr(function, "is_step", False)


def quick(examples, steps):
    return settings(
        max_examples=int(EXAMPLES or examples),
        stateful_step_count=STEPS or steps,
        deadline=None,
        database=None,
        derandomize=not CAMPAIGN,
        suppress_health_check=list(HealthCheck),
        # To shrink what has failed takes long: only where somebody waits for it.
        phases=[Phase.generate] + ([Phase.shrink] if CAMPAIGN else []),
        print_blob=False,
    )


class World(RuleBasedStateMachine):
    """The module and the model, side by side. Each rule does one thing in both."""

    #: when orders give their incidents (R8.3)
    grant_on = "confirmed"

    def __init__(self, test):
        super().__init__()
        self.test, self.env = test, test.env
        self.company, self.other_company = test.company, test.other_company
        self.savepoint = self.env.cr.savepoint()
        self.records = {}
        self.messages = 0
        self.done = set()

    def teardown(self):
        self.env.cr.precommit.clear()
        self.env.cr.postcommit.clear()
        self.savepoint.close(rollback=True)
        self.env.invalidate_all()

    @initialize(
        begin=st.sampled_from(BEGINNINGS),
        zones=st.permutations(ZONES),
        topup=st.booleans(),
        keep=st.booleans(),
        bought=st.lists(st.tuples(PICK, PICK), min_size=1, max_size=2),
    )
    def begin(self, begin, zones, topup, keep, bought):
        self.now = begin
        self.test.frozen.move_to(begin)
        self.zones = {}
        self.model = Model(self._today)
        for company, zone in zip(self._companies(), zones, strict=False):
            company.partner_id.tz = zone
            self.zones[company.id] = ZoneInfo(zone)
        self.company.incident_grant_on = self.grant_on
        for contact in self.test.contacts:
            self.model.customers[contact.id] = contact.commercial_partner_id.id
        for customer in self.test.contacts.commercial_partner_id:
            self.model.customers[customer.id] = customer.id
        self.model.logins.update(self.test.logins.ids)
        for record, (contact, amount) in self.test.drafts.items():
            self._keep(Payment(contact.id, self.company.id, amount), record)
        self._choose(self.company, 2, 3, 100 * topup, 2, keep)
        self._choose(self.other_company, 1, 0, 0, 0, not keep)
        for customer, company, number in self.test.gifts:
            self.test.account_model._of(customer, company, create=True)._adjust(
                number, "A gift"
            )
            account = self.model.account(customer.id, company.id)
            self.model.adjust([account], number)
        self._begin_with(bought)

    def _begin_with(self, bought):
        """Something to return in an order (R5.1), to merge with what another customer
        has used (R2.2), and to wait in an order (R11.3)."""
        for number, (contact, plan) in enumerate(bought):
            self._buy(contact if number else 1, plan if number else 1 + plan % 3)
        self._buy(*bought[0], later=True)
        self._open(self._contact(1), team=0, number=6)
        self._open(self.test.persons[1], team=0, number=2)
        self._ask(*self._one(0), 1)
        for _ticket in range(3):
            self._submit(self.test.users[1], team=2)

    def _today(self, company_id):
        moment = self.now.replace(tzinfo=ZoneInfo("UTC"))
        return moment.astimezone(self.zones[company_id]).date()

    def _companies(self):
        return [self.company, self.other_company]

    def _choose(
        self, company, registration, first, step, topup, keep, dup=True, minimum=0
    ):
        numbers = self.model.numbers[company.id]
        numbers.minimum = minimum
        numbers.registration, numbers.first_payment = registration, first
        numbers.step, numbers.topup = step, topup
        numbers.keep, numbers.return_duplicates = keep, dup
        company.write(
            {
                "incident_registration_quantity": registration,
                "incident_first_payment_quantity": first,
                "incident_first_payment_minimum": minimum,
                "incident_topup_amount": step,
                "incident_topup_quantity": topup,
                "incident_expired_return": "lifetime" if keep else "lapse",
                "incident_return_on_duplicate": dup,
            }
        )

    def _once(self, what):
        """Odoo takes long for it: but for a campaign, once in each example."""
        if what in self.done and not CAMPAIGN:
            raise Nothing
        self.done.add(what)

    # -- doing it in both, and comparing ---------------------------------------

    def _keep(self, document, record):
        self.records[document] = record
        name = type(document).__name__.lower()
        getattr(self.model, f"{name}s").append(document)
        return document

    def _both(self, rules, real):
        """Let the rules say what should happen, and see that it does: all of it, or
        nothing where they refuse."""
        try:
            rules()
        except Refused as refusal:
            before = self._snapshot()
            with (
                self.test.assertRaises(UserError, msg=refusal),
                self.env.cr.savepoint(),
            ):
                real()
                self.env.flush_all()
            self.env.cr.postcommit.data.pop(NOTED, None)
            self.test.refused += 1
            self.test.assertEqual(self._snapshot(), before, "refused, and not undone")
        else:
            real()
        self._end()

    def _end(self):
        """End the request: what waits is released, and everything agrees."""
        self.model.live()
        self.model.commit()
        self._commit()
        self.model.live()
        self.model.review()
        self._compare()

    def _commit(self):
        """Do what is done when the transaction has been committed."""
        self.env.flush_all()
        hooks = self.env.cr.postcommit
        accounts = self.test.account_model.sudo()
        while noted := hooks.data.pop(NOTED, None):
            accounts.browse(sorted(noted)).exists()._release()
            self.env.flush_all()
        hooks.clear()

    def _compare(self):
        self.env.flush_all()
        self._compare_ledger()
        self._compare_accounts()
        self._compare_tickets()
        self._compare_others()

    def _compare_ledger(self):
        """R3.3, R3.4, R3.5, R9.2"""
        rows = self._rows(
            """
            SELECT a.partner_id, a.company_id, m.kind, m.date_from, m.date_to,
                   m.date_period_to, m.target, m.granted, m.used, m.lapsed, m.balance,
                   COALESCE(SUM(e.quantity), 0),
                   -COALESCE(SUM(e.quantity) FILTER
                       (WHERE e.kind IN ('deduction', 'return')), 0),
                   -COALESCE(SUM(e.quantity) FILTER (WHERE e.kind = 'expiry'), 0),
                   COALESCE(BOOL_OR(e.account_id <> m.account_id), FALSE)
              FROM helpdesk_incident_account a
              JOIN helpdesk_incident_allotment m ON m.account_id = a.id
              LEFT JOIN helpdesk_incident_entry e ON e.allotment_id = m.id
             WHERE a.company_id = ANY(%s)
             GROUP BY a.id, m.id
            """
        )
        module = []
        for row in rows:
            holder, (kind, first, last, own_last) = row[:2], row[2:6]
            target, granted, used, lapsed, balance = row[6:11]
            self.test.assertEqual(
                row[10:], (granted - used - lapsed, balance, used, lapsed, False), row
            )
            if kind == "period":
                self.test.assertGreaterEqual(balance, 0, row)
                # R9.3: written by now or not.
                today = self._today(holder[1])
                granted = max(granted, target) if first <= today else granted
                lapsed = granted - used if last < today else lapsed
            numbers = (granted, used, lapsed)
            if first or any(numbers):
                window = str(first), str(last), str(own_last)
                module.append((holder, window, target, numbers))
        model = [
            (
                holder,
                (str(lot.first), str(lot.last), str(lot.own_last)),
                lot.target,
                numbers,
            )
            for holder, account in self.model.accounts.items()
            for lot in (account.lifetime, *account.periods.values())
            if any(numbers := (lot.given, lot.used, lot.lapsed)) or lot.first
        ]
        self.test.assertEqual(sorted(module), sorted(model))
        [[entries, causes]] = self._rows(
            "SELECT COUNT(*), COUNT(DISTINCT (cause_key, cause_number)) "
            "FROM helpdesk_incident_entry"
        )
        self.test.assertEqual(entries, causes)

    def _compare_accounts(self):
        """R4.1, R6.3, R7.1"""
        accounts = self.test.account_model.sudo().browse(
            [
                account_id
                for (account_id,) in self._rows(
                    "SELECT id FROM helpdesk_incident_account "
                    "WHERE company_id = ANY(%s)"
                )
            ]
        )
        names = ["granted", "used", "balance"]
        module = {}
        accounts.invalidate_recordset(["topup_carry"])
        numbers_of = accounts._numbers()
        for account in accounts:
            row = numbers_of[account.id]
            numbers = (
                *(row[f"lifetime_{name}"] or 0 for name in names),
                row["period_balance"] or 0,
                row["available"] or 0,
                round(account.topup_carry),
            )
            if any(numbers):
                module[account.partner_id.id, account.company_id.id] = numbers
        model = {}
        for holder, account in self.model.accounts.items():
            lifetime = account.lifetime
            available = account.available(self._today(account.company))
            numbers = (
                lifetime.given,
                lifetime.used,
                lifetime.left,
                available - max(lifetime.left, 0),
                available,
                self.model.carry(account),
            )
            if any(numbers):
                model[holder] = numbers
        self.test.assertEqual(module, model)

    def _compare_tickets(self):
        """R4.5, R11.3"""
        tickets = self.model.tickets
        if not tickets:
            return
        ids = [ticket.id for ticket in tickets]
        counts = self.env["helpdesk.ticket"].browse(ids)._incident_counts()
        self.env.cr.execute(
            """
            SELECT t.id, COALESCE(t.incident_short, 0),
                   t.incident_parking, t.incident_parked_date,
                   COALESCE(s.closed, FALSE), t.partner_id
              FROM helpdesk_ticket t
              LEFT JOIN helpdesk_ticket_stage s ON s.id = t.stage_id
             WHERE t.id IN %s
            """,
            [tuple(ids)],
        )
        rows = {row[0]: row[1:] for row in self.env.cr.fetchall()}
        module = [(counts.get(i, 0), *rows[i]) for i in ids]
        self.test.assertEqual(
            module,
            [
                (
                    ticket.number,
                    ticket.short,
                    ticket.hold,
                    ticket.told,
                    ticket.closed,
                    ticket.contact,
                )
                for ticket in tickets
            ],
        )

        proposals = self.model.proposals
        records = self.env["helpdesk.ticket.proposal"].browse([p.id for p in proposals])
        self.test.assertEqual(records.mapped("state"), [p.state for p in proposals])

    def _compare_others(self):
        """R3.9, R8.3, R9.1: what was due of each line, and what subscriptions are."""
        # R15.1: a pack that was paid after its last day is listed, and nothing else.
        rows = self._rows(
            "SELECT res_model, res_id, error FROM helpdesk_incident_fault"
        )
        missed = {
            ("sale.order", order.id)
            for order in self.model.orders
            for line in order.lines
            if line.window and line.window[1] < self._today(order.company)
        }
        self.test.assertLessEqual({row[:2] for row in rows}, missed, rows)
        due = self._rows(
            "SELECT id, incident_due FROM sale_order_line "
            "WHERE incident_due <> 0 AND company_id = ANY(%s) ORDER BY id"
        )
        model = []
        for order in self.model.orders:
            lines = self.records[order].order_line.sorted("id")
            for line, record in zip(order.lines, lines, strict=True):
                if line.due:
                    model.append((record.id, line.due))
        self.test.assertEqual(due, sorted(model))
        subscriptions = self._rows(
            """
            SELECT a.partner_id, s.date_start, s.date_end,
                   COALESCE(s.extra_incidents, 0),
                   s.date_cancelled
              FROM helpdesk_incident_subscription s
              JOIN helpdesk_incident_account a ON a.id = s.account_id
             WHERE a.company_id = ANY(%s) ORDER BY s.id
            """
        )
        self.test.assertEqual(
            subscriptions,
            [
                (s.account.customer, s.anchor, s.end, s.extra, s.cancelled)
                for s in self.model.subscriptions
            ],
        )

    def _snapshot(self):
        """Return all that the module keeps, as one text."""
        self.env.flush_all()
        return [
            self._rows(
                "SELECT MD5(STRING_AGG(ROW_TO_JSON(t)::text, ',' ORDER BY t.id)) "
                f"FROM (SELECT {columns} FROM {table}) t"
            )
            for table, columns in (
                ("helpdesk_incident_account", "id, partner_id, first_payment"),
                ("helpdesk_incident_allotment", "*"),
                ("helpdesk_incident_entry", "*"),
                ("helpdesk_incident_subscription", "id, account_id, date_end"),
                ("helpdesk_incident_purchase", "*"),
                (
                    "helpdesk_ticket",
                    (
                        "id, incident_parking, incident_parked_date, stage_id, "
                        "incident_basis, incident_submitted, incident_timed, "
                        "incident_chosen, incident_short, incident_outcome_id"
                    ),
                ),
                ("account_payment", "id, state, incident_account_id, incident_seen"),
            )
        ]

    def _rows(self, query):
        """Return rows of the companies that the example plays in, where a query asks
        for companies: demo data have others."""
        companies = [company.id for company in self._companies()]
        self.env.cr.execute(query, [companies] * query.count("%s"))
        return self.env.cr.fetchall()

    @staticmethod
    def _pick(documents, number):
        documents = list(documents)
        if not documents:
            raise Nothing
        return documents[number % len(documents)]

    def _contact(self, number):
        """Return a contact: one in two times one of the same customer."""
        contacts = self.test.contacts.filtered(self._is_left)
        return contacts[0] if number % 2 else self._pick(contacts, number // 2)

    def _is_left(self, partner):
        return partner.id in self.model.customers

    # -- time and settings -----------------------------------------------------

    @step(
        days=st.sampled_from([0, 1, 1, 3, 9, 16, 28, 31, 40]), hours=st.integers(1, 23)
    )
    def wait(self, days, hours):
        """It is some days later."""
        self.go_on(days=days, hours=hours)
        self._end()

    def go_on(self, **pause):
        self.now += timedelta(**pause)
        self.test.frozen.move_to(self.now)
        self.env.invalidate_all()
        self.model.live()

    @step(which=st.sampled_from(["time", "parked", "all"]))
    def run_actions(self, which):
        """R13.1: twice is once."""
        for again in (False, True):
            before = self._snapshot()
            env = self.env(user=SUPERUSER_ID)
            with self.test.uncommitted():
                if which != "parked":
                    env["helpdesk.incident.account"]._cron_open_and_close()
                    self._commit()
                if which != "time":
                    env["helpdesk.ticket"]._cron_parked()
                    self._commit()
                if which == "all":
                    env["helpdesk.incident.subscription"]._cron_renew()
                    env["helpdesk.incident.fault"]._cron_retry()
                    env["helpdesk.incident.reminder"]._cron_remind()
            self._commit()
            if again:
                self.test.assertEqual(self._snapshot(), before)
        if which != "parked":
            self.model.commit(everywhere=True)
        if which != "time":
            self.model.give_up()
            self.model.expire()
            self.model.commit(everywhere=True)
        self._end()

    @step(
        company=PICK,
        numbers=st.tuples(st.integers(0, 3), st.integers(0, 3)),
        minimum=st.sampled_from([0, 60]),
        step=st.sampled_from([0, 30, 100]),
        topup=st.integers(0, 3),
        keep=st.booleans(),
        dup=st.booleans(),
    )
    def choose(self, company, numbers, minimum, step, topup, keep, dup):
        company = self._pick(self._companies(), company)
        self._choose(company, *numbers, step, topup, keep, dup, minimum)
        self._end()

    # -- R6, R7 ----------------------------------------------------------------

    @step(contact=PICK, company=PICK)
    def register(self, contact, company):
        contact = self._contact(contact)
        company = self._pick(self._companies(), company)
        staff = contact.with_user(self.test.staff).with_company(company)
        self._both(
            lambda: self.model.register(contact.id, company.id),
            staff.action_incident_register,
        )

    @step(contact=PICK, company=PICK, maximum=st.integers(-1, 12))
    def set_maximum(self, contact, company, maximum):
        company = self._pick(self._companies(), company)
        customer = self._contact(contact).commercial_partner_id
        account = self.model.account(customer.id, company.id)

        def real():
            # As a form does, and whoever may not edit contacts.
            manager = self.test.manager
            if maximum % 2:
                record = customer.with_user(self.test.staff).with_company(company)
                record.incident_lifetime_granted = maximum
            else:
                record = self.test.account_model._of(customer, company, create=True)
                record.with_user(manager).lifetime_granted = maximum

        self._both(lambda: self.model.adjust_to(account, maximum), real)

    @step(contacts=st.tuples(PICK, PICK), number=st.sampled_from([-9, -4, -1, 2, 5]))
    def adjust(self, contacts, number):
        partners = self.env["res.partner"]
        for contact in contacts:
            partners |= self._contact(contact)
        accounts = [
            self.model.account(customer.id, self.company.id)
            for customer in partners.commercial_partner_id
        ]
        wizard = (
            self.env["helpdesk.incident.adjust"]
            .with_user(self.test.manager)
            .create(
                {
                    "company_id": self.company.id,
                    "partner_ids": [Command.set(partners.ids)],
                    "quantity": number,
                    "reason": "A reason",
                }
            )
        )
        self._both(lambda: self.model.adjust(accounts, number), wizard.action_apply)

    @step(pick=PICK, way=st.sampled_from(["reset", "cancel", "reject", "delete"]))
    def pay_or_undo(self, pick, way):
        """R6.2, R6.3: what is effective is undone, what is not is posted."""
        payment = self._pick([p for p in self.model.payments if not p.gone], pick)
        record = self.records[payment]
        if not payment.effective:
            self._both(
                lambda: self._book(payment, True),
                lambda: self._post(record),
            )
            return
        if record.move_id and way != "reject":
            # It stays reconciled, and can be posted again.
            way = "reset"

        def undo():
            if way == "reject":
                record.action_reject()
                return
            record.action_draft()
            if way == "cancel":
                record.action_cancel()
            elif way == "delete" and not payment.paid_back and not payment.pays_back:
                payment.gone = True
                record.unlink()

        self._both(lambda: self._book(payment, False), undo)

    pay_or_undo_too = pay_or_undo

    @staticmethod
    def _post(record):
        if record.state in ("canceled", "rejected"):
            record.action_draft()
        record.action_post()

    def _book(self, payment, effective):
        self.model.book(payment, effective)
        for order in self.model.orders:
            if order.payment is payment:
                self.model.settle(order)

    # -- R8, R9 ----------------------------------------------------------------

    @step(contact=PICK, plan=PICK, later=st.booleans())
    def buy(self, contact, plan, later):
        self._buy(contact, plan, later)

    def _buy(self, contact, plan, later=False):
        contact = self._contact(contact)
        product, number, months, values = self._pick(self.test.plans, plan)
        order = Order(contact.id, self.company.id)
        order.lines.append(Line(order, number, months, **values))
        record = self.test.quotation(product, customer=contact)
        self._order(order, record, later)

    @step(contact=PICK, plan=st.integers(0, 1), missing=st.integers(1, 12))
    def top_up(self, contact, plan, missing):
        """R19.1: a ticket has left fewer than the customer wants to have: as many units
        as reach that, before others look again (a day later)."""
        contact = self._contact(contact)
        product, number, months, values = self.test.plans[plan]
        account = self.model.account(contact.id, self.company.id)
        available = self.model.available(contact.id, self.company.id)
        accounts = self.env["helpdesk.incident.account"]
        topup = self.env["helpdesk.incident.topup"]._set_up(
            accounts._of(contact, self.company, create=True),
            self.company,
            contact,
            threshold=available + missing,
            product_id=product.id,
            monthly_limit=1_000_000,
            method="balance",
        )
        topup.due = True
        with patch.object(type(topup), "_is_buying_otherwise", lambda _topup: False):
            topup._buy()
        if not months:
            missing -= min(account.lifetime.left, 0)
        order = Order(contact.id, self.company.id, gives=True)
        order.lines.append(
            Line(order, -(-missing // number) * number, months, **values)
        )
        self._keep(order, topup._orders()[0]).id = topup._orders()[0].id
        order.lines[0].id = topup._orders()[0].order_line.id
        self.model.settle(order)
        self._end()

    @step(pick=PICK)
    def renew(self, pick):
        """R9.5"""
        subscription = self._pick(self.model.subscriptions, pick)
        record = self._subscription(subscription)
        self._order_for(
            lambda: self.model.renewal(subscription, record._orderer().id),
            record._order_renewal,
        )

    renew_too = renew

    @step(pick=PICK, number=st.integers(1, 3), later=st.booleans())
    def buy_extra(self, pick, number, later):
        """R9.4"""
        subscription = self._pick(self.model.subscriptions, pick)
        record = self._subscription(subscription)
        self._order_for(
            lambda: self.model.extra(subscription, record._orderer().id, number),
            lambda: record._order_extra(number),
            later,
        )

    def _subscription(self, subscription):
        companies = [company.id for company in self._companies()]
        records = (
            self.env["helpdesk.incident.subscription"]
            .sudo()
            .search([("company_id", "in", companies)], order="id")
        )
        return records[self.model.subscriptions.index(subscription)]

    def _order_for(self, rules, real, later=False):
        try:
            order = rules()
        except Refused:
            self._both(rules, real)
            return
        record = real()
        known = {self.records[order]: order for order in self.model.orders}
        self._order(known.get(record, order), record, later)

    def _order(self, order, record, later):
        """R8.3: an order gives with its confirmation, or when it is paid."""
        if order not in self.records:
            self._keep(order, record).id = record.id
            lines = record.order_line.sorted("id")
            for line, row in zip(order.lines, lines, strict=True):
                line.id = row.id
        if not later:
            self._settle_order(order, record)
        self._end()

    def _settle_order(self, order, record):
        order.gives = True
        record.action_confirm()
        self.model.settle(order)

    @step(pick=PICK)
    def confirm_later(self, pick):
        order = self._pick(self._waiting_orders(), pick)
        self._order(order, self.records[order], later=False)

    def _waiting_orders(self):
        return [
            order
            for order in self.model.orders
            if not order.gives and not order.payment and not order.cancelled
        ]

    @step(pick=PICK)
    def cancel_order(self, pick):
        """R8.4: and confirm it again."""
        order = self._pick(self.model.orders, pick)
        record = self.records[order]
        order.cancelled = not order.cancelled
        if order.cancelled:
            record._action_cancel()
        else:
            order.gives = order.later or self.grant_on == "confirmed"
            record.action_draft()
            record.action_confirm()
        self.model.settle(order)
        self._end()

    @step(pick=PICK)
    def cancel_subscription(self, pick):
        """R9.8: and reopen it."""
        subscription = self._pick(self.model.subscriptions, pick)
        record = self._subscription(subscription).with_user(self.test.manager)
        if subscription.cancelled:
            record.action_reopen()
            self.model.cancel(subscription, False)
        else:
            record.action_cancel()
            self.model.cancel(subscription, True)
            for order in self._waiting_orders():
                if any(line.subscription is subscription for line in order.lines):
                    order.cancelled = True
        self._end()

    # -- R4, R5 ----------------------------------------------------------------

    def _ticket(self, contact, number):
        team = self.test.teams[number % len(self.test.teams)]
        cost, parks = TEAMS[number % len(TEAMS)]
        ticket = Ticket(contact.id, team.company_id.id, cost, parks)
        ticket.block = BLOCKS.get(number % len(TEAMS), 0)
        ticket.team = team
        return ticket, {
            "name": "It does not work",
            "description": "Please help",
            "team_id": team.id,
            "company_id": team.company_id.id,
            "partner_id": contact.id,
            "user_id": False,
        }

    def _admitted(self, ticket, record):
        ticket.id = record.id
        ticket.link = 0
        self._keep(ticket, record)

    @step(user=PICK, team=PICK)
    def submit(self, user, team):
        """R4.4, R11.2: in the portal."""
        user, number = self._pick(self.test.users, user), team % len(TEAMS)
        # Every second one of that team agrees to pay later.
        if number == LATER and team // len(TEAMS) % 2:
            self._submit_and_pay_later(user)
        else:
            self._submit(user, team)

    def _submit(self, user, team):
        ticket, values = self._ticket(user.partner_id, team)
        created = []

        def rules():
            if ticket.cost:
                self.model.submit(ticket)
            created.append(True)

        def real():
            tickets = self.env["helpdesk.ticket"].with_user(user).sudo()
            record = tickets.create(values).with_env(self.env)
            if created:
                self._admitted(ticket, record)

        self._both(rules, real)

    def _submit_and_pay_later(self, user):
        """R18.1, R18.2: what is missing is sold with it."""
        ticket, values = self._ticket(user.partner_id, LATER)
        available = self.model.available(ticket.contact, ticket.company)
        missing = max(ticket.cost - available, 1)
        offer = self.env["sale.order"]._incident_overage(
            user.partner_id, self.company, missing
        )
        order = self.model.sell(ticket)
        self.model.submit(ticket)
        tickets = self.env["helpdesk.ticket"].with_user(user).sudo()
        agreeing = tickets.with_context(incident_agreed=Agreed(user, offer.key))
        record = agreeing.create(values).with_env(self.env)
        self._admitted(ticket, record)
        sold = self.env["sale.order"].search([("incident_ticket_id", "=", record.id)])
        self.test.assertEqual(len(sold), bool(order))
        if order:
            self._keep(order, sold).id = sold.id
            order.lines[0].id = sold.order_line.id
        self._end()

    @step(contact=PICK, team=PICK, number=st.sampled_from([None, None, 0, 1, 6]))
    def open_by_staff(self, contact, team, number):
        """R4.4: nothing by itself, unless the team says so, or the form a number."""
        self._open(self._contact(contact), team, number)

    def _open(self, contact, team, number):
        ticket, values = self._ticket(contact, team)
        on_staff = ticket.team.incident_on_staff_tickets
        if number is not None:
            values["incident_count"] = number
        created = []

        def rules():
            if number:
                self.model.set(ticket, number)
            elif on_staff:
                self.model.submit(ticket)
            created.append(True)

        def real():
            tickets = self.env["helpdesk.ticket"].with_user(self.test.staff)
            record = tickets.create(values).with_env(self.env)
            if created:
                self._admitted(ticket, record)

        self._both(rules, real)

    @step(team=PICK)
    def open_before(self, team):
        """R4.4: staff save a ticket before they know whose it is."""
        ticket, values = self._ticket(self.env["res.partner"], team)
        ticket.contact, ticket.unopened = None, True
        tickets = self.env["helpdesk.ticket"].with_user(self.test.staff)
        self._admitted(ticket, tickets.create(values).with_env(self.env))
        self._end()

    @step(contact=PICK, team=PICK, stranger=st.integers(0, 3))
    def mail(self, contact, team, stranger):
        """R4.4, R11.3: by e-mail, which never fails."""
        contact = self._contact(contact)
        ticket, _values = self._ticket(contact, team)
        sender = contact.email
        if not stranger:
            ticket.contact, sender = None, "stranger@nowhere.example"
        self.messages += 1
        message = MESSAGE.format(
            number=self.messages, sender=sender, to=ticket.team.alias_id.alias_name
        )
        with mute_logger("odoo.addons.mail.models.mail_thread"):
            ticket_id = self.env["mail.thread"].message_process(
                "helpdesk.ticket", message
            )
        self._admitted(ticket, self.env["helpdesk.ticket"].browse(ticket_id))
        self.model.arrive(ticket)
        self._end()

    @step(pick=PICK, change=st.sampled_from([-9, -3, -2, -1, -1, 1, 3, 9, 9, 0]))
    def edit(self, pick, change):
        """R4.5: up or down; -9 is to nothing, 9 is all that there is."""
        ticket, record = self._one(pick)
        if change < 0:
            # Where the order matters (R5.1), if there is such a ticket.
            ticket, record = self._one(pick, self._holds_most)
        if change == 9 and ticket.contact:
            change = self.model.available(ticket.contact, ticket.company)
        number = 0 if change == -9 else ticket.number + change
        agent = record.with_user(self.test.staff)
        self._both(
            lambda: self.model.set(ticket, number),
            lambda: agent.write({"incident_count": number}),
        )

    edit_too = edit_again = edit_at_last = edit

    def _holds_most(self, ticket):
        def legs(ticket):
            return sum(bool(leg[2]) for leg in ticket.legs)

        return legs(ticket) == max(map(legs, self.model.tickets))

    def _one(self, pick, condition=lambda ticket: True):
        ticket = self._pick(filter(condition, self.model.tickets), pick)
        return ticket, self.records[ticket]

    @step(pick=PICK)
    def press_the_button(self, pick):
        """R4.4"""
        ticket, record = self._one(pick)
        missing = self.model.due(ticket) + self.model.more(ticket)
        self._both(
            lambda: missing and self.model.set(ticket, ticket.number + missing),
            record.with_user(self.test.staff).action_incident_deduct,
        )

    @step(pick=PICK, minutes=st.sampled_from([0, 10, 30, 35, 70, 125]))
    def spend_time(self, pick, minutes):
        """R16.5"""
        ticket, record = self._one(pick)
        record.with_user(self.test.staff).incident_minutes = minutes
        self.model.spend(ticket, minutes)
        self._end()

    @step(pick=PICK, outcome=st.sampled_from(["free", "free", "charged", "none"]))
    def judge(self, pick, outcome):
        """R17.1"""
        ticket, record = self._one(pick)
        record.with_user(self.test.staff).incident_outcome_id = self.test.outcomes[
            outcome
        ]
        self.model.judge(ticket, outcome != "free")
        self._end()

    @step(
        pick=PICK,
        way=st.sampled_from(["time", "rest", "ask", "approve", "approve", "decline"]),
    )
    def decide_otherwise(self, pick, way):
        """R16.6: time counts again, or the rest is waived; the customer is asked first,
        or answers (R18.5)."""
        tickets = self.model.tickets
        if way == "ask":
            return self._ask(*self._one(pick), 1 + pick % 3)
        if way in ("approve", "decline"):
            return self._answer(pick, way == "approve")
        if way == "time":
            likely = [ticket for ticket in tickets if ticket.basis == "hand"]
            ticket = self._pick(likely or tickets, pick)
            rule, name = self.model.let_time_count, "action_incident_count_time"
        else:
            likely = [ticket for ticket in tickets if ticket.short]
            ticket = self._pick(likely or tickets, pick)
            rule, name = self.model.waive_rest, "action_incident_waive_rest"
        getattr(self.records[ticket].with_user(self.test.staff), name)()
        rule(ticket)
        self._end()

    @step(
        pick=PICK,
        way=st.sampled_from(["duplicate", "duplicate", "original", "close", "delete"]),
    )
    def finish(self, pick, way):
        """R4.7, R11.3"""
        ticket, record = self._one(pick)
        if way == "delete":
            record.unlink()
            self.model.delete(ticket)
        elif way == "close":
            record.stage_id = self.test.closing
            self.model.close(ticket)
        elif way == "original":
            doubles = [t for t in self.model.tickets if t.duplicate]
            ticket = self._pick(doubles, pick)
            self.records[ticket].duplicate_id = False
            self.model.mark(ticket, duplicate=False)
        else:
            _other, other_record = self._one(pick // 7, lambda t: t is not ticket)
            record.duplicate_id = other_record
            self.model.mark(ticket, duplicate=True)
        self._end()

    @step(pick=PICK)
    def open_a_copy(self, pick):
        """R4.7: no incidents."""
        ticket, record = self._one(pick)
        copy = Ticket(ticket.contact, ticket.company, ticket.cost, ticket.parks)
        copy.team, copy.block = ticket.team, ticket.block
        copied = record.with_user(self.test.staff).copy().with_env(self.env)
        copy.closed, copy.duplicate = copied.closed, bool(copied.duplicate_id)
        self._admitted(copy, copied)
        self._end()

    @step(pick=PICK, contact=PICK)
    def hand_over(self, pick, contact):
        """R4.7: not while it holds incidents. Unknown senders get a customer."""
        strangers = [t for t in self.model.tickets if not t.contact]
        ticket = self._pick(strangers or self.model.tickets, pick)
        contact = self._contact(contact)
        record = self.records[ticket].with_user(self.test.staff)

        def rules():
            self.model.hand_over(ticket, contact.id)
            self.model.open_now(ticket, ticket.team.incident_on_staff_tickets)

        self._both(rules, lambda: record.write({"partner_id": contact.id}))

    @step(pick=PICK, team=st.integers(0, len(TEAMS) - 2))
    def change_team(self, pick, team):
        """R4.4: deducts nothing, but for what waits."""
        ticket, record = self._one(pick, lambda t: t.company == self.company.id)
        ticket.team = self.test.teams[team]
        ticket.cost, ticket.parks = TEAMS[team]
        ticket.block = BLOCKS.get(team, 0)
        record.with_user(self.test.staff).team_id = ticket.team
        self.model.admit(ticket)
        self._end()

    def _ask(self, ticket, record, number):
        values = {"ticket_id": record.id, "kind": "incidents", "name": "More"}
        asked = []

        def real():
            proposals = self.env["helpdesk.ticket.proposal"].with_user(self.test.staff)
            created = proposals.create({**values, "quantity": number})
            if asked:
                self._keep(asked[0], created.with_env(self.env)).id = created.id

        self._both(lambda: asked.append(self.model.ask(ticket, number, 14)), real)

    def _answer(self, pick, approves):
        """By a user of the customer, if it has one."""
        proposals = self.model.proposals
        likely = [proposal for proposal in proposals if proposal.state == "open"]
        proposal = self._pick(likely or proposals, pick)
        record = self.records[proposal].sudo()
        user = self.test.users.filtered(
            lambda user: (
                user.commercial_partner_id
                == record.partner_id.commercial_partner_id
                == record.ticket_id.commercial_partner_id
            )
        )[:1]
        if not user:
            raise Nothing
        record = record.with_user(user).sudo()
        self._both(
            lambda: self.model.answer(proposal, approves),
            lambda: (
                record._approve(user, record._question().key)
                if approves
                else record._decline(user, "No")
            ),
        )

    @step(pick=PICK, way=st.sampled_from(["withdraw", "waive", "link"]))
    def wait_no_more(self, pick, way):
        """R11.3"""
        waiting = [t for t in self.model.tickets if t.hold == "parked"]
        ticket = self._pick(waiting or self.model.tickets, pick)
        record = self.records[ticket]
        if way == "waive":
            record.with_user(self.test.staff).action_incident_waive()
            self.model.waive(ticket)
        elif way == "link":
            record._incident_use_link()
            if ticket.hold:
                ticket.link = next(self.model.counter)
        else:
            record._incident_withdraw()
            self.model.withdraw(ticket)
        self._end()

    # -- R2.2 ------------------------------------------------------------------

    @step(contact=PICK, customer=PICK)
    def move(self, contact, customer):
        """A person becomes a contact of another customer, or of yet another one."""
        contact = self._pick(self.test.persons.filtered(self._is_left), contact)
        customer = self._pick(self.test.customers.filtered(self._is_left), customer)
        if contact.is_company or self.model.customers[customer.id] == contact.id:
            raise Nothing
        contact.parent_id = customer
        if self.model.customers[contact.id] != customer.id:
            self.model.move(contact.id, customer.id)
        self._end()

    @step(source=PICK, other=PICK)
    def merge(self, source, other):
        """R2.2"""
        self._once("merge")
        everybody = (self.test.customers | self.test.persons).filtered(
            lambda partner: self.model.customers.get(partner.id) == partner.id
        )
        source = self._pick(everybody, source)
        target = self._pick(everybody - source, other)
        if source.user_ids:
            raise Nothing
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (source | target).ids, target, extra_checks=False
        )
        self.model.merge(source.id, target.id)
        self._end()

    # -- R6.1 ------------------------------------------------------------------

    @step(contact=PICK)
    def sign_up(self, contact):
        """R6.1"""
        self._once("sign_up")
        contacts = self.test.persons.filtered(self._is_left)
        new = contacts.filtered(lambda c: c.id not in self.model.logins)
        contact = self._pick(new, contact)
        companies = self.company | self.other_company
        new_test_user(
            self.env,
            contact.email,
            groups="base.group_portal",
            partner_id=contact.id,
            company_id=self.company.id,
            company_ids=[Command.set(companies.ids)],
        )
        self.model.sign_up(contact.id, companies.ids)
        self._end()


class FullWorld(World):
    """With money in the books: transactions, invoices, credit notes and refunds; and
    what takes core long."""

    grant_on = "paid"
    # What has nothing to do with money takes as long here, and shows no more.
    change_team = finish = hand_over = mail = open_a_copy = open_before = None
    open_by_staff = press_the_button = wait = wait_no_more = None
    decide_otherwise = judge = spend_time = None
    # An order that is paid is one, whoever has made it.
    top_up = None

    def _begin_with(self, bought):
        """With what is bought, to have something to undo."""
        for contact, plan in bought:
            self._buy(contact, plan)
        self._buy(*bought[0], later=True)
        self._pay(bought[0][0], 100)

    def _settle_order(self, order, record):
        """R8.3: paid online, or by invoice."""
        if len(self.model.payments) % 2:
            paid = self.test.transaction(record).payment_id
        else:
            if record.state != "sale":
                record.action_confirm()
            paid = self.test.register(self.test.bill(record))
            order.invoiced = True
        payment = Payment(paid.partner_id.id, self.company.id, int(paid.amount))
        order.payment = self._keep(payment, paid)
        self._book(payment, True)

    @step(pick=PICK)
    def invoice(self, pick):
        """R8.3: what was paid online."""
        order = self._pick(
            (
                order
                for order in self.model.orders
                if order.payment
                and order.payment.effective
                and not (order.invoiced or order.cancelled)
            ),
            pick,
        )
        invoice = self.test.bill(self.records[order])
        self.test.settle_with(invoice, self.records[order.payment].move_id)
        order.invoiced = True
        self._end()

    @step(
        pick=PICK,
        share=st.sampled_from([Fraction(1, 4), Fraction(2, 5), Fraction(1)]),
        goodwill=st.integers(0, 3),
    )
    def credit(self, pick, share, goodwill):
        """R8.4"""
        order = self._pick(
            (
                order
                for order in self.model.orders
                if order.invoiced and order.payment.effective and not order.noted
            ),
            pick,
        )
        note = self.test.reverse(
            self.records[order].invoice_ids,
            post=False,
            incident_goodwill=not goodwill,
        )
        for line in note.invoice_line_ids:
            line.price_unit *= float(share)
        note.action_post()
        order.noted = True
        order.credited = share if goodwill else Fraction(0)
        self.model.settle(order)
        self._end()

    @step(contact=PICK, amount=st.sampled_from([40, 100, 260]))
    def pay(self, contact, amount):
        """R6.2, R6.3: with a journal entry."""
        self._pay(contact, amount)

    def _pay(self, contact, amount):
        contact = self._contact(contact)
        record = self.test.pay(amount, contact)
        payment = self._keep(Payment(contact.id, self.company.id, amount), record)
        self._book(payment, True)
        self._end()

    @step(pick=PICK, part=st.sampled_from([1, 1, 2]))
    def refund(self, pick, part):
        """R6.2, R6.5: paid back, and reconciled with what it pays back."""
        ordered = [order.payment for order in self.model.orders]
        payment = self._pick(
            (
                payment
                for payment in self.model.payments
                if payment.effective
                and payment.amount > 0
                and self.records[payment].move_id
                and payment not in ordered
                and not payment.paid_back
            ),
            pick,
        )
        record = self.records[payment]
        amount = payment.amount // part
        refund = self.test.pay(-amount, record.partner_id)
        refunded = Payment(payment.contact, self.company.id, -amount)
        self._book(self._keep(refunded, refund), True)
        self.test.settle_with(record.move_id, refund.move_id)
        refunded.pays_back = payment
        payment.paid_back.append(refunded)
        self.model.refunded(payment)
        self._end()


@tagged("post_install", "-at_install")
class TestModel(SaleCommon):
    """R2–R9, R11.3: everything that can happen, in any order, beside a model of the
    rules (``common_model.py``)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Long campaigns would reach them.
        for bound in ("MAX_PARKED", "MAX_ANSWERS"):
            cls.classPatch(ticket_parking, bound, 1_000_000)
        cls.other_company = cls.env["res.company"].create({"name": "Second"})
        cls.env.user.company_ids |= cls.other_company
        companies = (cls.company | cls.other_company).ids
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=companies))
        cls._prepare_people()
        cls._prepare_teams()
        cls._prepare_plans()
        cls.drafts = {
            cls._draft(contact, amount): (contact, amount)
            for contact in cls.contacts
            for amount in (250, 70, -100)
        }
        cls.env.flush_all()

    @classmethod
    def _prepare_people(cls):
        partners = cls.env["res.partner"].create(
            [
                {"name": name, "is_company": True, "email": f"{name}@c.example"}
                for name in ("north", "bakery")
            ]
        )
        cls.customers = partners
        north, bakery = partners
        cls.contacts = cls.persons = cls.env["res.partner"].create(
            [
                {"name": name, "email": f"{name}@p.example", "parent_id": parent.id}
                for name, parent in (
                    ("nils", north),
                    ("pat", partners.browse()),
                    ("quinn", partners.browse()),
                )
            ]
        )
        cls.gifts = [
            (north, cls.company, 4),
            (bakery, cls.company, 3),
            (bakery, cls.other_company, 2),
            (cls.persons[1], cls.company, 3),
        ]
        cls.users = cls.env["res.users"]
        companies = cls.company | cls.other_company
        for name, customer in (("nora", north), ("bella", bakery)):
            cls.users |= new_test_user(
                cls.env,
                f"hps-{name}",
                groups="base.group_portal",
                name=name,
                email=f"{name}@p.example",
                parent_id=customer.id,
                company_id=cls.company.id,
                company_ids=[Command.set(companies.ids)],
            )
        cls.logins = cls.users.partner_id
        cls.contacts |= cls.logins
        cls.staff, cls.manager = (
            new_test_user(
                cls.env,
                f"hps-{name}",
                groups=f"base.group_user,helpdesk_mgmt.{group}",
                company_id=cls.company.id,
                company_ids=[Command.set(companies.ids)],
            )
            for name, group in (
                ("staff", "group_helpdesk_manager,base.group_partner_manager"),
                ("boss", "group_helpdesk_manager"),
            )
        )

    @classmethod
    def _prepare_teams(cls):
        domain = cls.env["mail.alias.domain"].create({"name": "provider.test"})
        companies = [cls.company] * (len(TEAMS) - 1) + [cls.other_company]
        cls.company.alias_domain_id = cls.other_company.alias_domain_id = domain
        cls.teams = cls.env["helpdesk.ticket.team"].create(
            [
                {
                    "name": f"Team {number}",
                    "company_id": company.id,
                    "incident_required": cost > 0,
                    "incident_cost": max(cost, 1),
                    "incident_shortage_policy": "charge"
                    if number == LATER
                    else "park"
                    if parks
                    else "refuse",
                    "incident_on_staff_tickets": number == 3,
                    "incident_unit": "time" if number in BLOCKS else "ticket",
                    "incident_block_minutes": BLOCKS.get(number, 60),
                }
                for number, ((cost, parks), company) in enumerate(
                    zip(TEAMS, companies, strict=True)
                )
            ]
        )
        for number, team in enumerate(cls.teams):
            team.alias_id.write(
                {"alias_name": f"team{number}", "alias_domain_id": domain.id}
            )
        cls.closing = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        outcomes = cls.env["helpdesk.ticket.outcome"]
        cls.outcomes = {
            "free": outcomes.create({"name": "Defect", "company_id": False}),
            "charged": outcomes.create(
                {"name": "Done", "charged": True, "company_id": False}
            ),
            "none": outcomes,
        }

    @classmethod
    def _prepare_plans(cls):
        extra = cls.plan("Extra incident", 4)
        cls.company.write(
            {
                "incident_overage_product_id": cls.plan("One", 6, "lifetime", 1).id,
                "incident_overage_limit": 1_000_000,
            }
        )
        pack = cls.plan("5 for 2 months", 20, "pack", 5, 2)
        # What can top up is sold in the portal.
        (cls.pack | pack).product_tmpl_id.incident_portal_published = True
        quarters = cls.plan("2 quarters", 150, "period", 9, 6, incident_period_months=3)
        quarters.incident_extra_product_id = extra
        cls.plans = [
            (cls.pack, 10, 0, {}),
            (pack, 5, 2, {"pack": True}),
            (quarters, 9, 6, {"period": 3}),
        ]
        for months, carry in ((1, 2), (2, 0), (3, 1)):
            product = cls.plan(f"{months} months", 30 * months, "period", 4, months)
            product.incident_extra_product_id = extra
            product.incident_carry_periods = carry
            cls.plans.append((product, 4, months, {"carry": carry}))

    @classmethod
    def _draft(cls, contact, amount):
        """A payment without an entry is the quickest one."""
        payment = cls.pay(amount, contact, post=False)
        payment.outstanding_account_id = False
        return payment

    @contextmanager
    def uncommitted(self):
        """Let scheduled actions run in the transaction of the test."""
        with (
            patch.object(
                self.env.registry["ir.cron"], "_commit_progress", lambda *_a, **_k: 60
            ),
            patch.object(
                self.env.registry["helpdesk.incident.reminder"],
                "_send_mail",
                lambda _reminder: None,
            ),
        ):
            yield

    def setUp(self):
        super().setUp()
        self.frozen = self.startPatcher(freeze_time(BEGINNINGS[0]))
        self.seen, self.refused = Counter(), 0
        self.addCleanup(self._report)

    def _report(self):
        """With -s, say what has happened how often."""
        sys.stdout.write(
            f"{self.seen.total()} steps, {self.refused} refused: {dict(self.seen)}\n"
        )

    def _play(self, world, examples, steps):
        run_state_machine_as_test(lambda: world(self), settings=quick(examples, steps))
        members = [getattr(world, name) for name in dir(world)]
        can_happen = {member.__name__ for member in members if is_step(member)}
        self.assertEqual(set(self.seen), can_happen, "all that can happen happens")

    def test_model(self):
        """R2–R7, R9, R11.3: balances, tickets and subscriptions are as the rules say,
        after each step; what is refused changes nothing."""
        self._play(World, 16, 40)

    def test_with_money(self):
        """R2.2, R6–R9: the same with what pays in the books."""
        self._play(FullWorld, 6, 30)
