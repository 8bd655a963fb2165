import logging
import os
from collections import defaultdict
from datetime import timedelta
from random import Random

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.helpdesk_paid_support import periods

from .common_release import ReleaseCommon
from .common_sale import BOUGHT

_logger = logging.getLogger(__name__)
EXAMPLES = int(os.environ.get("PAID_SUPPORT_EXAMPLES", "1"))
STEPS = int(os.environ.get("PAID_SUPPORT_UNEARNED_STEPS", "35"))


@tagged("post_install", "-at_install")
class TestUnearnedProperty(ReleaseCommon):
    """R12.4 and R21 over random months of sales, tickets, credit notes and changes of
    mind, and of an accountant who resets, reverses and closes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.setup_other_company(name="Other")["company"]
        with freeze_time(BOUGHT):
            cls.opening(cls)
            cls.other_deferred = cls.switch_on(cls.other)
        # One legal entity with the company (R2.3): nothing but the books differs.
        cls.add_branch()
        cls.expiring = cls.plan("7 for a month", 30, "pack", 7, 1)
        # R15.3
        cls.months.incident_carry_periods = 1
        cls.small.incident_carry_periods = 2
        euro = cls.setup_other_currency(
            "EUR", rates=[("2027-04-01", 2.0), ("2027-06-01", 4.0), ("2027-08-01", 3.0)]
        )
        cls.euros = cls.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": euro.id, "company_id": cls.company.id}
        )

    def _seller(self):
        return self.random.choice([self.company, self.company, self.branch]).id

    def test_random_months(self):
        """R12.4: the report agrees with the ledger on every day, with the books in the
        end, with a simulation that knows every single incident, and says of a past day
        for ever what it has said on that day."""
        day = BOUGHT
        for seed in range(EXAMPLES):
            day = self._live(Random(seed), day)

    def _live(self, random, day):
        self.random = random
        self.buyer = self._customer(f"Customer {random.random()}")
        self.tickets, self.orders, self.payments, said = [], [], [], {}
        self.neighbours, self.merged = self.env["res.partner"], False
        self.released = None
        done = defaultdict(int)
        for step in range(STEPS):
            pause = timedelta(days=random.choice([0, 1, 3, 9, 20]))
            if pause:
                # Until midnight, what is valid today can be used.
                with freeze_time(day + timedelta(days=1)):
                    said[day.date()] = self._said(day.date())
            day += pause
            with freeze_time(day):
                self.env.invalidate_all()
                self._release_all(day.date())
                self.account_model.search(
                    [("company_id", "=", self.company.id)]
                )._open_and_close()
                # Enough to choose from, first.
                action = [*self.BEGINNING, *random.choices(self.ACTIONS, k=STEPS)][step]
                try:
                    with self.env.cr.savepoint():
                        getattr(self, f"_do_{action}")()
                        self.env.flush_all()
                    done[action] += 1
                except UserError:
                    self.env.invalidate_all()
                self.assertAgrees()
                self._check_windows()
                if not self.merged:
                    self._check_units()
        with freeze_time(day):
            for past, rows in said.items():
                self.assertEqual(self._said(past), rows, past)
            self._check_books(day)
            self.company.fiscalyear_lock_date = self.released = False
            self._release_all(day.date())
        _logger.info("done: %s", dict(done))
        return day

    def _said(self, day):
        return sorted(
            (row.id, row.quantity, row.used, row.lapsed, row.amount, row.amount_left)
            for row in self.rows(day)
        )

    # -- what happens ----------------------------------------------------------

    BEGINNING = [
        *["pack", "ticket", "gift"] * 3,
        *["subscription", "extra", "change", "expiring"],
    ]
    ACTIONS = [
        *["ticket"] * 8,
        *["give_back"] * 4,
        *["pack"] * 3,
        "expiring",
        "subscription",
        "extra",
        "change",
        "renew",
        "credit",
        "goodwill",
        "undo",
        "redo",
        "gift",
        "take",
        "cancel",
        "resume",
        *["neighbour"] * 2,
        "merge",
        "elsewhere",
        *["reverse_entry", "reset_entry", "close"],
        *["bring"] * 3,
        "send_back",
    ]

    def _buy(self, order):
        payment = self.paid(order)
        self.orders.append(order)
        self.payments.append(payment)

    def _do_ticket(self):
        account = self.incident_account(self.buyer)
        number = self.random.randint(1, min(max(account.available, 1), 7))
        self.tickets.append(self.use(number, self.buyer))

    def _do_give_back(self):
        holding = [ticket for ticket in self.tickets if ticket.incident_count]
        if holding:
            ticket = self.random.choice(holding)
            ticket.incident_count = self.random.randrange(ticket.incident_count)

    def _do_pack(self):
        self.pack.list_price = self.random.choice([0, 10, 33.33, 49.99, 100])
        order = self.quotation(
            self.pack,
            customer=self.buyer,
            company_id=self._seller(),
            pricelist_id=self.random.choice([False, self.euros.id]),
        )
        self._buy(order)

    def _do_expiring(self):
        """R15.1"""
        self.expiring.list_price = self.random.choice([10, 33.33, 49.99])
        self._buy(
            self.quotation(
                self.expiring, customer=self.buyer, company_id=self._seller()
            )
        )

    def _do_subscription(self):
        order = self.quotation(
            self.months, customer=self.buyer, company_id=self._seller()
        )
        self._buy(order)

    def _subscription(self):
        account = self.incident_account(self.buyer)
        subscriptions = account.subscription_ids
        return self.random.choice(subscriptions or [subscriptions])

    def _do_extra(self):
        if subscription := self._subscription():
            self._buy(subscription._order_extra(self.random.randint(1, 3)))

    def _do_change(self):
        if subscription := self._subscription():
            plan = self.random.choice([self.business, self.small, self.months])
            if order := subscription._order_change(plan):
                self._buy(order)

    def _do_renew(self):
        if subscription := self._subscription():
            self._buy(subscription._order_renewal())

    def _invoice(self):
        invoices = self.env["account.move"].union(
            *(order.invoice_ids for order in self.orders)
        )
        return self.random.choice(
            invoices.filtered(lambda move: move.move_type == "out_invoice")
            or [invoices]
        )

    def _do_credit(self, **values):
        if invoice := self._invoice():
            note = self.reverse(invoice, post=False, **values)
            lines = note.invoice_line_ids
            share = self.random.choice([0.1, 0.25, 0.5, 1])
            for line in lines:
                line.price_unit *= share
            note.action_post()

    def _do_goodwill(self):
        self._do_credit(incident_goodwill=True)

    def _do_undo(self):
        posted = [payment for payment in self.payments if payment.state != "draft"]
        if posted:
            self.random.choice(posted).action_draft()

    def _do_redo(self):
        drafts = [payment for payment in self.payments if payment.state == "draft"]
        if drafts:
            self.random.choice(drafts).action_post()

    def _do_gift(self):
        self.incident_account(self.buyer)._adjust(self.random.randint(1, 4), "A gift")

    def _do_take(self):
        self.incident_account(self.buyer)._adjust(-self.random.randint(1, 8), "Sorry")

    def _do_cancel(self):
        if subscription := self._subscription():
            subscription.with_user(self.manager).action_cancel()

    def _do_resume(self):
        if subscription := self._subscription():
            subscription.with_user(self.manager).action_reopen()

    def _do_neighbour(self):
        """Another customer, who has incidents of each kind, too."""
        neighbour = self._customer(f"Neighbour {self.random.random()}")
        self.paid(self.quotation(self.pack, customer=neighbour))
        account = self.incident_account(neighbour)
        account._adjust(self.random.choice([-2, 3]), "By hand")
        self.paid(self.quotation(self.pack, customer=neighbour))
        self.use(self.random.randint(1, 9), neighbour)
        self.neighbours |= neighbour

    def _do_merge(self):
        """R2.2, R12.4: it moves what there is, and earns nothing, unless one of the two
        is below zero: the other one pays for that."""
        neighbour = self.neighbours[:1]
        self.neighbours -= neighbour
        owing = any(
            self.incident_account(customer).lifetime_balance < 0
            for customer in neighbour | self.buyer
        )
        today = self.company._incident_today()
        before = self._said(today)
        if neighbour:
            self.env["base.partner.merge.automatic.wizard"]._merge(
                (neighbour | self.buyer).ids, self.buyer
            )
            self.merged = True
        if not owing:
            self.assertEqual(self._said(today), before)

    def _do_bring(self):
        """R21.4: what the customer had in another system, deferred there or not."""
        self.company.incident_opening_deferred = self.random.choice([True, False])
        today = self.company._incident_today()
        plan = self.random.choice([self.pack, self.expiring, self.months])
        # A month from yesterday on, paid for until the next one ends.
        begun, ends = today - timedelta(days=1), plan != self.pack
        subscription = {"date_start": begun, "current_left": 3, "agreed_price": 80}
        opening = self.env["helpdesk.incident.opening"].create(
            {
                "reference": f"Old {self.random.random()}",
                "partner_id": self.buyer.id,
                "company_id": self._seller(),
                "product_id": plan.id,
                "quantity": 1 if plan == self.months else self.random.randint(1, 9),
                "date_end": periods.last_day(begun, 2) if ends else False,
                "value": self.random.choice([0, 12.34, 72]),
                **(subscription if plan == self.months else {}),
            }
        )
        opening.action_confirm()

    def _do_send_back(self):
        if live := self._live_openings():
            self.random.choice(live).action_cancel()

    def _live_openings(self):
        return self.env["helpdesk.incident.opening"].search(
            [("state", "=", "confirmed")]
        )

    def _do_elsewhere(self):
        """The same customer buys in another company."""
        there = self.env(context={"allowed_company_ids": self.other.ids})
        plan = self.random.choice([self.pack, self.expiring])
        order = there["sale.order"].create(
            {
                "partner_id": self.buyer.id,
                "order_line": [Command.create({"product_id": plan.id})],
            }
        )
        order.action_confirm()
        invoice = self.bill(order)
        there["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({})._create_payments()

    # -- what accountants do ---------------------------------------------------

    def _entry(self):
        entries = self.releases.search([("company_id", "=", self.company.id)])
        moves = entries.move_id.filtered(lambda move: move.state == "posted")
        return self.random.choice(moves or [moves])

    def _do_reverse_entry(self):
        if entry := self._entry():
            days = (self.company._incident_today() - entry.date).days
            day = entry.date + timedelta(days=self.random.randint(0, days))
            entry._reverse_moves([{"date": day}]).action_post()

    def _do_reset_entry(self):
        if entry := self._entry():
            entry.button_draft()

    def _do_close(self):
        """Close the books of last month, or open what is closed."""
        today = self.company._incident_today()
        self.company.fiscalyear_lock_date = (
            False
            if self.company.fiscalyear_lock_date
            else today.replace(day=1) - timedelta(days=1)
        )

    def _release_all(self, day):
        """R21.1: at each month end that is not closed, deferred revenue in the books is
        what is to be deferred, and twice makes nothing."""
        last = day.replace(day=1) - timedelta(days=1)
        if last < BOUGHT.date() or last == self.released:
            return
        self.released = last
        locked = self.company.fiscalyear_lock_date or BOUGHT.date()
        for company, account in (
            (self.company, self.deferred_account),
            (self.other, self.other_deferred),
        ):
            if self.releases._release(company, last):
                self.assertFalse(self.releases._release(company, last))
            months = (
                self.env["helpdesk.incident.unearned.month"]
                .with_context(
                    unearned_from="2027-04-01",
                    unearned_date=str(last),
                    allowed_company_ids=company.ids,
                )
                .search([])
            )
            for end, rows in months.grouped("date").items():
                if company == self.other or end > locked:
                    self.assertAlmostEqual(
                        self.held(end, account),
                        sum(rows.mapped("amount_deferred")),
                        2,
                        f"{company.name} {end}",
                    )

    # -- what must hold --------------------------------------------------------

    def _check_windows(self):
        """R15.1, R15.3: each window is a queue of its own, of single incidents: each
        knows what was paid for it, whether it is used in its own period or after it
        was carried over."""
        rows = self.rows().grouped("allotment_id")
        purchases = self.env["helpdesk.incident.purchase"]
        accounts = self.account_model.search([("company_id", "=", self.company.id)])
        for window in accounts.allotment_ids.filtered("date_to"):
            shelf, lines = (
                [],
                purchases.search(
                    [("allotment_id", "=", window.id)], order="id"
                ).grouped("sale_line_id"),
            )
            for paid in lines.values():
                number, amount, withdrawn = (
                    sum(paid.mapped(name))
                    for name in ("quantity", "amount", "withdrawn")
                )
                # What is returned goes back to the line that it came from.
                returned = "return" in window.entry_ids.mapped("kind")
                if withdrawn or returned and len(lines) > 1:
                    break
                shelf += number * [max(amount, 0) / max(number, 1)]
            else:
                left = window.balance + window.to_grant
                mine = rows.get(window, self.env["helpdesk.incident.unearned"])
                self.assertEqual(sum(mine.mapped("quantity_left")), left)
                self.assertAlmostEqual(
                    sum(mine.mapped("amount_left")),
                    sum(shelf[window.used :][:left]),
                    delta=0.01 * len(lines),
                )

    def _check_units(self):
        """Simulate the lifetime incidents one by one: each knows what was paid for
        it, and each ticket which ones it has."""
        account = self.incident_account(self.buyer)
        allotment = account._lifetime()
        entries = allotment.entry_ids.sorted("id")
        net = defaultdict(int)
        for entry in entries:
            if entry.kind not in ("deduction", "return", "adjustment"):
                net[entry.cause_key] += entry.quantity
        gifts, lost = self._gifts(entries)
        paid = defaultdict(float)
        for purchase in self.env["helpdesk.incident.purchase"].search(
            [("allotment_id", "=", allotment.id)]
        ):
            paid[f"sale_line:{purchase.sale_line_id.id}"] += purchase.amount
        shelf, room = [], dict(net)
        for entry in entries:
            if entry.kind in ("deduction", "return") or entry.quantity < 0:
                continue
            if entry.kind == "adjustment":
                shelf += [(len(shelf) + n, 0) for n in range(gifts.count(entry))]
                continue
            for _unit in range(min(entry.quantity, max(room[entry.cause_key], 0))):
                # What is credited beyond the price is lost.
                worth = max(paid[entry.cause_key], 0)
                price = worth / max(net[entry.cause_key], 1)
                shelf.append((len(shelf), price))
                room[entry.cause_key] -= 1
        free, holds, owed = sorted(shelf), defaultdict(list), 0
        for entry in entries:
            for _unit in range(abs(entry.quantity)):
                if entry.kind == "deduction":
                    holds[entry.cause_key].append(free.pop(0) if free else None)
                elif entry.kind == "return":
                    unit = holds[entry.cause_key].pop()
                    if unit is not None:
                        free = sorted([*free, unit])
        owed = sum(unit is None for units in holds.values() for unit in units)
        owed += lost
        free = free[owed:]
        rows = self.rows().filtered(lambda row: row.allotment_id == allotment)
        self.assertEqual(sum(rows.mapped("quantity_left")), len(free))
        self.assertAlmostEqual(
            sum(rows.mapped("amount_left")), sum(price for _, price in free), delta=0.05
        )

    def _gifts(self, entries):
        """Return the entry of each incident given by hand that is still there, and how
        many were taken back by hand beyond them: what is given later is another gift,
        but on the same day, where it corrects."""
        gifts, lost = [], 0
        by_hand = entries.filtered(lambda entry: entry.kind == "adjustment")
        for of_day in by_hand.grouped("date").values():
            net = sum(of_day.mapped("quantity"))
            for entry in of_day.sorted("id"):
                given = [entry] * max(min(entry.quantity, net), 0)
                gifts += given
                net -= len(given)
            taken = max(-net, 0)
            lost += max(taken - len(gifts), 0)
            gifts = gifts[: max(len(gifts) - taken, 0)]
        return gifts, lost

    def _check_books(self, day):
        """The months add up to the books: what is to be deferred is what is unearned,
        and what was invoiced and not given."""
        months = self.by_month("2027-04-01", str(day.date()))
        lines = self.env["sale.order.line"].search(
            [
                ("order_id.partner_id", "=", self.buyer.id),
                ("incident_kind", "!=", False),
            ]
        )
        invoiced = sum(
            -item.balance
            for item in lines.invoice_lines
            if item.parent_state == "posted"
        )
        mine = self.rows(day.date())
        left = sum(mine.mapped("amount_left"))
        earned = sum(mine.mapped("amount_used")) + sum(mine.mapped("amount_lapsed"))
        brought = self._live_openings()
        kept = mine.filtered(
            lambda row: (
                row.order_id in brought.filtered(lambda o: not o.deferred).order_id
            )
        )
        # Here, and in another system, less what that had as revenue and is left.
        books = self.books(day.date()) + sum(brought.mapped("value"))
        books -= sum(kept.mapped("amount_left"))
        self.assertAlmostEqual(sum(months.mapped("amount_invoiced")), books, 2)
        self.assertAlmostEqual(self.deferred(day.date()), books - earned, 2)
        self.assertAlmostEqual(sum(mine.mapped("amount")), left + earned, 2)
        if all(payment.state != "draft" for payment in self.payments):
            bought = mine.filtered(lambda row: row.partner_id == self.buyer)
            self.assertAlmostEqual(
                sum(bought.mapped("amount")),
                invoiced + sum(o.value for o in brought if o.partner_id == self.buyer),
                delta=0.01 * len(lines),
            )
        self.assertChains("2027-04-01", str(day.date()))
