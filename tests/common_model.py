"""The rules of incidents in plain Python: the reference of the model test.

It knows nothing of the module, of databases or money: it is told what has happened, and
says what customers should have then. What the rules refuse raises :class:`Refused`, and
has changed nothing.
"""

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import count
from math import floor

DAY = timedelta(days=1)


class Refused(Exception):
    """The rules say no."""


def first_day(anchor, number):
    """R9.1: so many months from the anchor itself; a short month ends early."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + number, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last))


def month(anchor, number):
    return first_day(anchor, number), first_day(anchor, number + 1) - DAY


def month_of(anchor, day):
    return next(k for k in count() if month(anchor, k)[1] >= day)


# -- the ledger ----------------------------------------------------------------


@dataclass(eq=False)
class Allotment:
    """Incidents with one window; the lifetime ones without (R3)."""

    number: int = 0
    first: date | None = None
    last: date | None = None
    target: int = 0
    given: int = 0
    used: int = 0
    lapsed: int = 0

    @property
    def left(self):
        return self.given - self.used - self.lapsed

    def take_back(self, most):
        """R3.5: of what is unused."""
        taken = max(min(self.left, most, self.given - self.target), 0)
        self.given -= taken
        return taken


@dataclass(eq=False)
class Account:
    """R2.1. What time does to it, :meth:`live` does at once: what is right never waits
    for a scheduled action (R9.3)."""

    customer: object
    company: object
    lifetime: Allotment = field(default_factory=Allotment)
    periods: dict = field(default_factory=dict)
    #: what each cause has given for life (R3.4)
    causes: dict = field(default_factory=lambda: defaultdict(int))
    payments: list = field(default_factory=list)
    registered: bool = False
    first_payment: str | None = None
    merged_into: object = None
    #: whether a verb was here since the last commit
    touched: bool = False

    def live(self, today):
        """R9.2, R9.3: granted on the first day, lapsed after the last."""
        for period in self.periods.values():
            if period.first <= today:
                period.given = max(period.given, period.target)
            if period.last < today:
                period.lapsed += period.left

    def valid(self, today):
        """R4.2: what ends first, then what began first; then lifetime."""
        usable = [p for p in self.periods.values() if p.first <= today <= p.last]
        return [
            *sorted(usable, key=lambda p: (p.last, p.first, p.number)),
            self.lifetime,
        ]

    def available(self, today):
        """R4.1"""
        return sum(max(allotment.left, 0) for allotment in self.valid(today))

    def give(self, cause, target):
        """R3.4, R3.5: the difference to what the cause has given."""
        self.touched = True
        self.lifetime.given += target - self.causes[cause]
        self.causes[cause] = target

    def aim(self, cause, target, window, today, numbers):
        """R3.4, R3.5: the same for a window."""
        self.touched = True
        if cause not in self.periods:
            self.periods[cause] = Allotment(next(numbers), *window)
        period = self.periods[cause]
        period.target = target
        period.take_back(period.left)
        self.live(today)

    def deduct(self, number, today):
        """R4.2, R4.3

        :return: how many from which allotment, in order.
        """
        if self.available(today) < number:
            raise Refused(f"{number} needed, {self.available(today)} available")
        self.touched = True
        legs = []
        for allotment in self.valid(today):
            taken = min(max(allotment.left, 0), number)
            if taken:
                allotment.used += taken
                number -= taken
                legs.append([self, allotment, taken])
        return legs

    def give_back(self, allotment, number, today, keep):
        """R5.3

        :return: how many of an ended period are kept as lifetime incidents.
        """
        self.touched = True
        allotment.used -= number
        if not allotment.first:
            return 0
        number -= allotment.take_back(number)
        if allotment.last >= today:
            return 0
        allotment.lapsed += number
        return number if keep else 0

    def merge(self, other):
        """R2.2"""
        for name in ("given", "used"):
            total = getattr(self.lifetime, name) + getattr(other.lifetime, name)
            setattr(self.lifetime, name, total)
        for cause, number in other.causes.items():
            self.causes[cause] += number
        self.periods |= other.periods
        self.payments += other.payments
        self.registered |= other.registered
        states = {self.first_payment, other.first_payment}
        self.first_payment = next((s for s in ("given", "past") if s in states), None)
        self.touched = True
        other.merged_into = self


# -- what causes it ------------------------------------------------------------


@dataclass(eq=False)
class Payment:
    """Of a contact; below zero it pays back."""

    contact: object
    company: object
    amount: int
    effective: bool = False
    #: the numbers of the day on which it was effective first (R6.3)
    numbers: tuple | None = None
    #: the least amount that counted then (R6.2)
    minimum: int = 0
    account: Account | None = None
    holds_first: bool = False
    lost_first: bool = False
    pays_back: object = None
    paid_back: list = field(default_factory=list)
    gone: bool = False

    @property
    def is_too_little(self):
        """R6.2: paid back in full, or less than what counts is left."""
        back = -sum(refund.amount for refund in self.paid_back if refund.effective)
        return self.amount - back < max(self.minimum, 1)


@dataclass(eq=False)
class Order:
    """What is paid, credited and cancelled is known from what was done."""

    contact: object
    company: object
    #: it gives when it is confirmed, or with its payment (R8.3)
    confirmed: bool = False
    payment: Payment | None = None
    invoiced: bool = False
    credited: Fraction = Fraction(0)
    noted: bool = False
    cancelled: bool = False
    account: Account | None = None
    lines: list = field(default_factory=list)

    def due(self, line):
        """R8.3, R8.4"""
        total = line.number * max(line.months, 1)
        paid = self.payment.effective if self.payment else self.confirmed
        if not paid or self.cancelled and not self.invoiced:
            return 0
        return total - floor(total * self.credited)


@dataclass(eq=False)
class Line:
    """What an order sells: for life, or so many in each of so many months. Those become
    a term of a subscription when it is paid for the first time (R9.1)."""

    order: Order
    number: int
    months: int = 0
    subscription: object = None
    extra: bool = False
    #: of extra incidents: the anchor, and the first day (R9.4)
    anchor: date | None = None
    first: date | None = None
    windows: list = field(default_factory=list)
    late: int = 0

    def numbers(self):
        """R8.4: the last months give way first."""
        due, given = self.order.due(self), {}
        for window in self.windows:
            given[window] = min(self.number, due)
            due -= given[window]
        return given

    def on_time(self):
        return dict(list(self.numbers().items())[self.late :])


@dataclass(eq=False)
class Subscription:
    account: Account
    anchor: date
    number: int = 0
    months: int = 0
    end: date | None = None
    more: int = 0
    cancelled: date | None = None
    terms: list = field(default_factory=list)

    def runs(self, today):
        return bool(not self.cancelled and self.end and self.end >= today)

    def goes_on(self, window):
        return not self.cancelled or window[1] < self.cancelled

    def follow(self):
        """What it is: as in the last month that is paid for."""
        paid = [
            (window, term)
            for term in self.terms
            for window, number in term.on_time().items()
            if number and self.goes_on(window)
        ]
        self.end = max((window[1] for window, _term in paid), default=None)
        plans = [
            (window, term)
            for window, term in paid
            if window[1] == self.end and not term.extra
        ]
        if plans:
            window, plan = plans[-1]
            self.anchor, self.number, self.months = (
                plan.anchor,
                plan.number,
                plan.months,
            )
            self.more = sum(
                term.numbers().get(window, 0) for term in self.terms if term.extra
            )


@dataclass(eq=False)
class Ticket:
    contact: object
    company: object
    #: how many its team takes; and whether it lets tickets wait
    cost: int
    parks: bool
    id: int = 0
    #: account, allotment, number: what it holds, first taken first
    legs: list = field(default_factory=list)
    hold: str | None = None
    told: date | None = None
    link: int = 0
    closed: bool = False
    duplicate: bool = False
    #: saved by staff before its customer was known (R4.4)
    unopened: bool = False

    @property
    def number(self):
        return sum(leg[2] for leg in self.legs)

    def end_hold(self):
        self.hold = self.told = None


@dataclass
class Numbers:
    """What a company has chosen."""

    registration: int = 0
    first_payment: int = 0
    minimum: int = 0
    step: int = 0
    topup: int = 0
    keep: bool = False
    return_duplicates: bool = True
    close_days: int = 14


class Model:
    """All customers, and the verbs.

    :param today: what day it is for a company, as a function (R3.7).
    """

    def __init__(self, today):
        self.today = today
        self.numbers = defaultdict(Numbers)
        self.accounts = {}
        #: the customer that each contact belongs to; those with a login
        self.customers, self.logins = {}, set()
        self.payments, self.orders, self.subscriptions = [], [], []
        self.tickets = []
        self.counter = count(1)

    def account(self, contact, company):
        key = (self.customers[contact], company)
        if key not in self.accounts:
            self.accounts[key] = Account(*key)
        return self.accounts[key]

    def live(self):
        for account in self.accounts.values():
            account.live(self.today(account.company))

    def available(self, contact, company):
        return self.account(contact, company).available(self.today(company))

    # -- R6, R7 ----------------------------------------------------------------

    def register(self, contact, company):
        """R6.1: once, for ever."""
        account, number = self.account(contact, company), self.numbers[company]
        known = {self.customers[login] for login in self.logins}
        if not number.registration or account.customer in known or account.registered:
            raise Refused("no new client")
        self._register(account)

    def sign_up(self, contact, companies):
        """R6.1: the first login of a customer."""
        customer = self.customers[contact]
        first = all(self.customers[login] != customer for login in self.logins)
        self.logins.add(contact)
        for company in companies if first else ():
            account = self.account(contact, company)
            if self.numbers[company].registration and not account.registered:
                self._register(account)

    def _register(self, account):
        account.registered = True
        number = self.numbers[account.company].registration
        account.give(("registration", account), number)

    def adjust(self, accounts, number):
        """R7.2"""
        if any(account.lifetime.given + number < 0 for account in accounts):
            raise Refused("more than was given")
        for account in accounts:
            account.give("by hand", account.causes["by hand"] + number)

    def adjust_to(self, account, maximum):
        """R7.1"""
        if maximum < 0:
            raise Refused("below zero")
        self.adjust([account], maximum - account.lifetime.given)

    def book(self, payment, effective):
        """R6.2, R6.3: a payment has become effective, or is so no more."""
        payment.effective = effective
        numbers = self.numbers[payment.company]
        if effective and payment.numbers is None:
            step = numbers.step if numbers.topup else 0
            payment.numbers = (numbers.first_payment, step, step and numbers.topup)
            payment.minimum = numbers.minimum
        if payment.numbers[0] or payment.numbers[2]:
            if effective:
                payment.account = self.account(payment.contact, payment.company)
                payment.account.payments.append(payment)
                self._first_payment(payment)
            elif payment.account:
                payment.account.payments.remove(payment)
                self._first_payment_lost(payment, again=False)
            self.top_up(payment.account)
            payment.account = payment.account if effective else None
        if payment.pays_back:
            self.refunded(payment.pays_back)

    def refunded(self, payment):
        """R6.2: it loses the grant while too little of it is left."""
        if not payment.account:
            return
        if payment.is_too_little:
            if payment.holds_first:
                self._first_payment_lost(payment, again=True)
        elif payment.lost_first:
            payment.lost_first = False
            self._first_payment(payment)

    def _first_payment(self, payment):
        account, number = payment.account, payment.numbers[0]
        if not number or payment.amount < 0 or payment.is_too_little:
            return
        if any(other.holds_first for other in account.payments):
            return
        if not account.first_payment:
            account.first_payment = "given"
            for other in self.payments:
                if (
                    other.effective
                    and other.amount >= max(payment.minimum, 1)
                    and not other.numbers[0]
                    and other.company == account.company
                    and self.customers[other.contact] == account.customer
                ):
                    account.first_payment = "past"
        if account.first_payment == "given":
            payment.holds_first = True
            account.give(("first payment", payment), number)

    def _first_payment_lost(self, payment, again):
        if payment.holds_first:
            payment.account.give(("first payment", payment), 0)
        payment.holds_first, payment.lost_first = False, again

    def funds(self, account):
        """R6.3–R6.5: by the numbers that were applied, what counts; what was paid back
        beyond that is taken from the others."""
        totals = defaultdict(int)
        for payment in account.payments:
            if payment.numbers[2]:
                totals[payment.numbers[1:]] += payment.amount
        excess = -sum(min(total, 0) for total in totals.values())
        for group in sorted(totals):
            taken = min(max(totals[group], 0), excess)
            totals[group] = max(totals[group], 0) - taken
            excess -= taken
        return totals

    def top_up(self, account):
        funds = self.funds(account)
        known = {cause[1] for cause in account.causes if cause[0] == "topup"}
        for group in known | set(funds):
            step, number = group
            account.give(("topup", group), funds[group] // step * number)

    def carry(self, account):
        numbers = self.numbers[account.company]
        group = (numbers.step, numbers.topup)
        return self.funds(account)[group] % group[0] if all(group) else 0

    # -- R8, R9 ----------------------------------------------------------------

    def settle(self, order):
        """What the order should have given by now."""
        if not order.account and any(order.due(line) for line in order.lines):
            self._begin(order)
        if not order.account:
            return
        for line in order.lines:
            if not line.months:
                order.account.give(("line", line), order.due(line))
        for subscription in {line.subscription for line in order.lines} - {None}:
            self.settle_subscription(subscription)

    def _begin(self, order):
        subscriptions = [line.subscription for line in order.lines if line.subscription]
        order.account = (
            subscriptions[0].account
            if subscriptions
            else self.account(order.contact, order.company)
        )
        today, anew = self.today(order.company), {}
        for line in order.lines:
            if not line.months:
                continue
            mine = line.subscription
            if not mine or mine.cancelled and not line.first:
                if mine not in anew or not mine:
                    anew[mine] = Subscription(order.account, today)
                    self.subscriptions.append(anew[mine])
                line.subscription = mine = anew[mine]
            late = bool(line.first)
            if not line.first:
                line.anchor, line.first = (
                    (mine.anchor, mine.end + DAY)
                    if mine.runs(today)
                    else (today, today)
                )
            begin = month_of(line.anchor, line.first)
            line.windows = [
                month(line.anchor, begin + number) for number in range(line.months)
            ]
            assert line.windows[0][0] == line.first
            if late:
                gone = [mine.cancelled or last < today for _first, last in line.windows]
                line.late = sum(map(bool, gone))
        for line in order.lines:
            if line.months:
                line.subscription.terms.append(line)
                line.subscription.follow()

    def settle_subscription(self, subscription):
        account, targets = subscription.account, defaultdict(int)
        for term in subscription.terms:
            for window, number in term.on_time().items():
                targets[window] += number
            if term.late:
                late = list(term.numbers().values())[: term.late]
                account.give(("late", term), sum(late))
        for window in sorted(targets):
            target = targets[window] if subscription.goes_on(window) else 0
            cause = (subscription, window)
            today = self.today(account.company)
            account.aim(cause, target, window, today, self.counter)
        subscription.follow()

    def renewal(self, subscription, contact):
        """R9.5"""
        if subscription.cancelled or not subscription.end:
            raise Refused("nothing to renew")
        order = Order(contact, subscription.account.company)
        order.lines.append(
            Line(order, subscription.number, subscription.months, subscription)
        )
        if subscription.more:
            order.lines.append(
                Line(order, subscription.more, subscription.months, subscription, True)
            )
        return order

    def extra(self, subscription, contact, number):
        """R9.4: from the current month to the last paid one."""
        today = self.today(subscription.account.company)
        if not subscription.runs(today):
            raise Refused("it has ended")
        plan = [
            term
            for term in subscription.terms
            if not term.extra and term.anchor == subscription.anchor
        ][-1]
        current = month_of(subscription.anchor, today)
        months = month_of(subscription.anchor, subscription.end) - current + 1
        first = first_day(subscription.anchor, current)
        order = Order(contact, subscription.account.company)
        order.lines.append(
            Line(order, number, months, subscription, True, plan.anchor, first)
        )
        return order

    def cancel(self, subscription, cancelled):
        """R9.8"""
        if bool(subscription.cancelled) != cancelled:
            today = self.today(subscription.account.company)
            subscription.cancelled = today if cancelled else None
        self.settle_subscription(subscription)

    # -- R4, R5 ----------------------------------------------------------------

    def set(self, ticket, number):
        """R4.5"""
        difference = number - ticket.number
        if number < 0 or difference > 0 and not ticket.contact:
            raise Refused("below zero, or nobody's")
        if difference > 0:
            account = self.account(ticket.contact, ticket.company)
            ticket.legs += account.deduct(difference, self.today(ticket.company))
        self._give_back(ticket, -difference)
        if number:
            ticket.end_hold()

    def _give_back(self, ticket, number):
        """R5.1: last taken first."""
        for leg in reversed(ticket.legs):
            account, allotment, taken = leg
            returned = max(min(taken, number), 0)
            if returned:
                keep = self.numbers[account.company].keep
                today = self.today(account.company)
                kept = account.give_back(allotment, returned, today, keep)
                cause = ("kept", ticket)
                account.give(cause, account.causes[cause] + kept)
                leg[2] -= returned
                number -= returned

    def submit(self, ticket):
        """R4.4, R11.2, R11.3: by the customer."""
        if ticket.parks and self._is_short(ticket):
            ticket.hold, ticket.told = "parked", self.today(ticket.company)
        else:
            self.set(ticket, ticket.cost)

    def _is_short(self, ticket):
        return self.available(ticket.contact, ticket.company) < ticket.cost

    def arrive(self, ticket):
        """R11.3: by e-mail."""
        if ticket.cost:
            ticket.hold = "parked"
            self.admit(ticket)

    def admit(self, ticket, refusable=True):
        """R11.3: released, told, or refused."""
        if ticket.hold != "parked":
            return
        if not ticket.cost or ticket.closed or ticket.duplicate:
            ticket.end_hold()
        elif ticket.contact and not self._is_short(ticket):
            self.set(ticket, ticket.cost)
        elif ticket.contact and not ticket.told:
            if refusable and not ticket.parks:
                ticket.closed = True
                ticket.end_hold()
            else:
                ticket.told = self.today(ticket.company)

    def is_due(self, ticket):
        """What the button deducts, and what can be waived (R4.4, R11.3)."""
        waits = ticket.hold == "parked"
        none = not ticket.hold and not ticket.number and ticket.contact
        return bool(ticket.cost and (waits or none))

    def waive(self, ticket):
        """R11.3"""
        if self.is_due(ticket):
            ticket.hold, ticket.told = "waived", None

    def close(self, ticket, duplicate=False):
        """R4.7, R11.3: what is closed waits no more; of duplicates all comes back."""
        ticket.duplicate |= duplicate
        ticket.closed |= not duplicate
        if ticket.hold == "parked":
            ticket.end_hold()
        if duplicate and self.numbers[ticket.company].return_duplicates:
            self.set(ticket, 0)

    def delete(self, ticket):
        """R4.7: what a closed one has used stays used."""
        if not ticket.closed:
            self.set(ticket, 0)
        self.tickets.remove(ticket)

    def give_up(self):
        """R13.3"""
        for ticket in sorted(self.tickets, key=lambda ticket: ticket.id):
            since = self.today(ticket.company)
            since -= self.numbers[ticket.company].close_days * DAY
            if ticket.hold == "parked" and ticket.told and ticket.told <= since:
                self.admit(ticket)
                if ticket.hold:
                    ticket.closed = True
                    ticket.end_hold()

    def commit(self, everywhere=False):
        """R11.3: what waits is released when something arrives: those whose link was
        used first, then the oldest."""
        for account in list(self.accounts.values()):
            if account.touched or everywhere:
                for ticket in self.waiting(account):
                    self.admit(ticket)
            account.touched = False

    def waiting(self, account):
        return sorted(
            (
                ticket
                for ticket in self.tickets
                if ticket.hold == "parked"
                and ticket.contact
                and ticket.company == account.company
                and self.customers[ticket.contact] == account.customer
            ),
            key=lambda ticket: (-ticket.link, ticket.id),
        )

    def hand_over(self, ticket, contact):
        """R4.7, R11.3: the ticket is another customer's."""
        before, after = (
            self.customers[holder] if holder else None
            for holder in (ticket.contact, contact)
        )
        if ticket.number and before != after:
            raise Refused("return the incidents first")
        ticket.contact = contact
        if ticket.hold == "parked" and before != after:
            self._wait_anew(ticket)
        elif ticket.hold == "parked":
            self.admit(ticket)

    def open_now(self, ticket, on_staff):
        """R4.4: what staff have saved before its customer was known."""
        if not ticket.unopened:
            return
        ticket.unopened = False
        returns = ticket.duplicate and self.numbers[ticket.company].return_duplicates
        if on_staff and not returns:
            self.submit(ticket)

    def _wait_anew(self, ticket):
        accepted = bool(ticket.told)
        ticket.told, ticket.link = None, 0
        self.admit(ticket, refusable=not accepted)

    # -- R2.2 ------------------------------------------------------------------

    def move(self, contact, other):
        """A contact, or a customer with all of its contacts, belongs to another one:
        what waits is told anew."""
        moved = {c for c, holder in self.customers.items() if holder == contact}
        moved.add(contact)
        self._follow(contact, other)
        self.customers |= dict.fromkeys(moved, other)
        for ticket in sorted(self.tickets, key=lambda ticket: ticket.id):
            if ticket.contact in moved and ticket.hold == "parked":
                self._wait_anew(ticket)

    def merge(self, customer, other):
        """Two customers become one: so do their accounts, and all that names them."""
        self._follow(customer, other)
        for contact, holder in list(self.customers.items()):
            if holder == customer:
                self.customers[contact] = other
        del self.customers[customer]
        for document in [*self.payments, *self.orders, *self.tickets]:
            if document.contact == customer:
                document.contact = other

    def _follow(self, customer, other):
        for key, account in list(self.accounts.items()):
            if key[0] != customer:
                continue
            del self.accounts[key]
            there = self.accounts.setdefault((other, key[1]), account)
            account.customer = other
            if there is not account:
                there.merge(account)
                self._rename(account, there)
                self.top_up(there)

    def _rename(self, account, there):
        for document in [*self.payments, *self.orders, *self.subscriptions]:
            if document.account is account:
                document.account = there
        for ticket in self.tickets:
            for leg in ticket.legs:
                if leg[0] is account:
                    leg[0] = there
                if leg[1] is account.lifetime:
                    leg[1] = there.lifetime
