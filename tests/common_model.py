"""The rules of incidents in plain Python: what the model test and the simulation of
subscriptions compare the module with.

It knows nothing of the module, of databases or books: it is told what has happened, or
what the books say, and says what customers should have then. What the rules refuse
raises :class:`Refused`, and has changed nothing.
"""

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import count, takewhile
from math import floor

DAY = timedelta(days=1)
#: What takes the place of what has been ordered, and not paid.
REPLACING = {"renew", "change"}
#: A term has no more; what is longer is bought in parts.
MAX_MONTHS = 120


class Refused(Exception):
    """The rules say no."""


def first_day(anchor, number):
    """R9.1: so many months from the anchor itself; a short month ends early."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + number, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last))


def month(anchor, number, months=1):
    return first_day(anchor, number), first_day(anchor, number + months) - DAY


def month_of(anchor, day):
    return next(k for k in count() if month(anchor, k)[1] >= day)


# -- the ledger ----------------------------------------------------------------


@dataclass(eq=False)
class Allotment:
    """Incidents with one window; the lifetime ones without (R3)."""

    number: int = 0
    first: date | None = None
    last: date | None = None
    #: R15.3: the last day of its own period, where it is carried over
    own_last: date | None = None
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
    id: int = 0
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
    """What is paid, credited and cancelled is known from what was done, or told by the
    books."""

    contact: object
    company: object
    id: int = 0
    lines: list = field(default_factory=list)
    #: where its incidents are, once it has given some
    account: Account | None = None
    #: it gives, as the company wants it (R8.3): by itself, or with its payment
    gives: bool = False
    #: it gives on confirmation, whatever the company wants (R18.2)
    later: bool = False
    payment: Payment | None = None
    invoiced: bool = False
    credited: Fraction = Fraction(0)
    noted: bool = False
    cancelled: bool = False
    #: made by an automatic renewal
    automatic: bool = False
    #: the day on which it was confirmed before it was paid
    confirmed: date | None = None
    #: what was paid for it, and not paid back; paid in full; credited, and kept
    money: Fraction = Fraction(0)
    in_full: bool = False
    given_away: bool = False
    #: its total, less that of its lines
    rounding: Fraction = Fraction(0)

    def due(self, total):
        """R8.3, R8.4: so many of a line's incidents."""
        gives = self.payment.effective if self.payment else self.gives
        if not gives or self.cancelled and not self.invoiced:
            return 0
        return total - floor(total * self.credited)


@dataclass(eq=False)
class Line:
    """What an order sells: for life, once for so many months (R15.1), or so many in
    each of so many months. Those become a term of a subscription when it is paid for
    the first time (R9.1)."""

    order: Order
    number: int
    months: int = 0
    id: int = 0
    product: object = None
    units: int = 1
    price: Fraction = Fraction(0)
    #: what it does to a subscription: renew, change, credit, extra
    operation: str | None = None
    subscription: object = None
    #: the term that it credits or extends, and from which day on (R9.4, R9.6)
    acts_on: object = None
    date_from: date | None = None
    #: the first day that staff have named (R8.12)
    named: date | None = None
    #: R15.2: how many months each period has
    period: int = 1
    #: R15.3: for how many more what is unused can be used
    carry: int = 0
    #: what it has become
    term: object = None
    #: given once, and valid for its months
    pack: bool = False
    #: of a pack, once it has begun
    window: tuple | None = None

    @property
    def kind(self):
        if self.pack:
            return "pack"
        return "period" if self.months else "lifetime"

    @property
    def periods(self):
        return self.months // self.period if self.kind == "period" else 1

    @property
    def total(self):
        return self.number * self.periods

    @property
    def due(self):
        return self.order.due(self.total)

    def worth(self, number):
        """Return what was paid for so many of its incidents."""
        price = self.price
        if self.order.given_away:
            # But for what a change has credited: that was paid before.
            credited = (li.price for li in self.order.lines if li.operation == "credit")
            price = -sum(credited) if self.operation == "change" else Fraction(0)
        return price * number / self.total


@dataclass(eq=False)
class Term:
    """What a line has added to a subscription: incidents in a row of months."""

    line: Line
    subscription: object
    anchor: date
    windows: list
    #: how many of its months had ended: when it was paid (R9.4), or when it was
    #: confirmed, and from then on until it was paid (R8.12)
    late: int = 0
    lapsed: int = 0

    @property
    def is_extra(self):
        return self.line.operation == "extra"

    def until(self, window):
        """R15.3: the last day on which what is unused of a period can be used."""
        months = self.line.period * (1 + self.line.carry)
        return month(self.anchor, month_of(self.anchor, window[0]), months)[1]

    def numbers(self, due):
        """R8.4: the last months give way first."""
        given = {}
        for window in self.windows:
            given[window] = min(self.line.number, due)
            due -= given[window]
        return given

    def on_time(self, given):
        return {window: given[window] for window in self.windows[self.late :]}

    def usable(self, given):
        """R8.12: what had ended when it was paid has lapsed."""
        gone = self.windows[: self.late + self.lapsed]
        return {
            window: 0 if window in gone else number
            for window, number in self.on_time(given).items()
        }


@dataclass(eq=False)
class Subscription:
    account: Account
    #: the line that has sold its last paid month
    plan: Line
    anchor: date
    id: int = 0
    end: date | None = None
    extra: int = 0
    cancelled: date | None = None
    #: R9.6: the plan that comes next, and what was agreed to for it, as :meth:`agreed`
    #: returns it
    next_product: object = None
    next_terms: tuple = ()
    #: R9.7: automatic renewal, its last try, and why it has failed
    automatic: bool = False
    tried: date | None = None
    problem: str | None = None
    terms: list = field(default_factory=list)
    credits: list = field(default_factory=list)

    @property
    def scheduled(self):
        """The next plan, while it is another one."""
        return self.next_product if self.next_product != self.plan.product else None

    def runs(self, today):
        return bool(not self.cancelled and self.end and self.end >= today)

    def has_ended(self, today):
        return bool(not self.cancelled and self.end and self.end < today)

    def goes_on(self, window):
        """R9.8: it was not withdrawn."""
        return not self.cancelled or window[1] < self.cancelled

    def numbers(self):
        """What each term has paid for in each month (R9.2), less what was credited of
        it (R9.6). A change is paid as far as there was something to credit."""
        orders = defaultdict(lambda: ([], []))
        for credit in self.credits:
            orders[credit.order.id][0].append(credit)
        for term in self.terms:
            orders[term.line.order.id][1].append(term)
        result = {}
        for _order, (credits, terms) in sorted(orders.items()):
            missing = Fraction(0)
            for credit in sorted(credits, key=lambda credit: credit.id):
                left = credit.due
                given = result.get(credit.acts_on, {})
                for window in sorted(given, reverse=True):
                    if window[0] >= credit.date_from:
                        taken = min(given[window], left)
                        given[window] -= taken
                        left -= taken
                missing -= credit.price * left / credit.total
            for term in sorted(terms, key=lambda term: term.line.id):
                due = term.line.due
                if missing > 0:
                    due = floor(due * max(1 - missing / term.line.price, 0))
                result[term] = term.numbers(due)
        return result

    def worth(self):
        return sum(
            term.line.worth(number)
            for term, given in self.numbers().items()
            for number in given.values()
        )

    def follow(self):
        """What it is by now: as in the last month that is paid for."""
        numbers = self.numbers()
        paid = [
            (window, term)
            for term, given in numbers.items()
            for window, number in term.on_time(given).items()
            if number and self.goes_on(window)
        ]
        end = max((window[1] for window, _term in paid), default=None)
        if end != self.end:
            self.end, self.problem = end, None
        last = [(window, term) for window, term in paid if window[1] == self.end]
        plans = [(window, term) for window, term in last if not term.is_extra]
        if plans:
            window, plan = plans[-1]
            self.plan, self.anchor = plan.line, plan.anchor
            # R9.4: extras stay with the subscription, paid late or not.
            self.extra = sum(
                given.get(window, 0) for term, given in numbers.items() if term.is_extra
            )

    def replaced(self, lines):
        """A renewal or a change was paid: what comes next is what it says."""
        replacing = [line for line in lines if line.operation in REPLACING]
        if not replacing:
            return
        self.problem = None
        if [line.product for line in replacing] != [self.next_product]:
            self.next_product, self.next_terms = None, ()
        if any(line.kind == "lifetime" for line in replacing):
            self.automatic = False

    def late(self, term, given, numbers):
        """R9.4: what was missed comes as lifetime incidents, but for what the credited
        term has given in these months anyway, as far as it is credited."""
        total = 0
        for window in term.windows[: term.late]:
            replaced = sum(
                number - numbers[line.acts_on][old]
                for line in term.line.order.lines
                if line.operation == "credit"
                for old, number in line.acts_on.numbers(line.acts_on.line.due).items()
                if window[0] <= old[0] <= window[1]
            )
            total += max(given[window] - replaced, 0)
        return total

    def left_in_place(self, term, given, numbers):
        """R9.4, R15.3: of what was missed, what the credited term has given, and
        carries over."""
        left = defaultdict(int)
        for late in term.windows[: term.late] if self.goes_on(term.windows[0]) else ():
            missing = given[late]
            for line in term.line.order.lines:
                old = line.acts_on
                if line.operation != "credit" or not old.line.carry:
                    continue
                full = old.on_time(old.numbers(old.line.due))
                for window, number in full.items():
                    if late[0] <= window[0] <= late[1]:
                        taken = min(number - numbers[old][window], missing)
                        left[window, old.until(window)] += taken
                        missing -= taken
        return left

    def ahead(self, today):
        """R15.2: the periods from the current one on that are paid for, as far as they
        are as long as that; before the first one, from that on (R8.12). And for how
        many more each is carried over (R15.3): once, as the later plan says where two
        have it."""
        last = {
            window: (term.line.period, term.line.carry)
            for term, given in self.numbers().items()
            for window, number in given.items()
            if number and window[1] >= today
        }
        found = [(window, *plan) for window, plan in sorted(last.items())]
        same = takewhile(lambda row: row[1] == found[0][1], found)
        return [(window, carry) for window, _period, carry in same]

    def boundary(self, today):
        """R9.6: the first day of the next period."""
        (first, last), _carry = self.ahead(today)[0]
        return first if first > today else last + DAY

    def terms_after(self, day):
        return [
            term
            for term, given in self.numbers().items()
            if any(number and window[0] > day for window, number in given.items())
        ]

    def plan_term(self):
        """The plan of the current anchor that has begun last: it is extended."""
        return [
            term
            for term in self.terms
            if not term.is_extra and term.anchor == self.anchor
        ][-1]

    def agreed(self):
        """R9.7: what was bought last, or agreed upon for the next plan: months, those
        of a period, for how many it is carried over, incidents in each of them, and the
        price of all, be it given away since."""
        if self.scheduled:
            return self.next_terms
        lines = [
            term.line
            for term, given in self.numbers().items()
            if any(number and window[1] == self.end for window, number in given.items())
        ]
        plan = [line for line in lines if line.operation != "extra"][-1]
        return (
            plan.months,
            plan.period,
            plan.carry,
            sum(line.number for line in lines),
            sum(line.price * plan.months / line.months for line in lines),
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
    #: so many minutes take an incident, where time counts; those that were spent; how
    #: many they took as they were entered (R16.5)
    block: int = 0
    minutes: int = 0
    timed: int = 0
    #: R16.6: who has said what it takes: nobody but its submission, that or its time,
    #: or somebody by hand
    basis: str | None = None
    submitted: int = 0
    chosen: int = 0
    short: int = 0
    #: what says that it takes nothing: its outcome, a duplicate, withdrawn
    outcome: bool = False
    double: bool = False
    withdrawn: bool = False

    @property
    def number(self):
        return sum(leg[2] for leg in self.legs)

    @property
    def is_free(self):
        return self.outcome or self.double or self.withdrawn

    @property
    def required(self):
        """R16.1, R16.5: what it takes where it waits."""
        return 0 if self.is_free else max(self.cost, self.timed)

    @property
    def aim(self):
        """R16.6"""
        if self.is_free or self.hold == "parked":
            return 0
        if self.basis == "hand":
            return self.chosen
        if self.basis:
            return max(self.submitted, self.timed)
        return self.number

    def note(self):
        """R16.6: its number at submission, before something else has its say."""
        self.submitted = self.at_submission
        self.basis = self.basis or "submission"

    @property
    def at_submission(self):
        if self.basis:
            return self.submitted
        return self.required if self.hold == "parked" else self.number

    def count(self):
        """R16.5: the started blocks of its time."""
        blocks = -(-self.minutes // self.block) if self.block else 0
        if blocks != self.timed:
            self.note()
            self.timed = blocks

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


@dataclass(eq=False)
class Proposal:
    """R18.5: a customer is asked whether a ticket may take so many more."""

    ticket: Ticket
    contact: object
    number: int
    #: the last day on which it can be answered
    last: date
    state: str = "open"
    id: int = 0


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
        self.tickets, self.proposals = [], []
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
        """R7.2: what is given is never refused, even where less than nothing was given
        because something has been taken back."""
        if number < 0 and any(
            account.lifetime.given + number < 0 for account in accounts
        ):
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

    def settle(self, *orders):
        """What orders should have given by now.

        :return: those of them that have begun to give.
        """
        began = [
            order
            for order in orders
            if not order.account and any(line.due for line in order.lines)
        ]
        for order in began:
            self._begin(order)
        subscriptions = {}
        for order in orders:
            if not order.account:
                continue
            for line in order.lines:
                if line.window:
                    today, cause = self.today(order.company), ("pack", line)
                    order.account.aim(cause, line.due, line.window, today, self.counter)
                elif line.kind != "period":
                    order.account.give(("line", line), line.due)
                subscriptions |= dict.fromkeys(self._subscriptions_of(line))
        for subscription in subscriptions:
            self.settle_subscription(subscription)
        return began

    @staticmethod
    def _subscriptions_of(line):
        """What it was ordered for; and what it has become a term of."""
        found = [line.subscription, line.term and line.term.subscription]
        return [subscription for subscription in found if subscription]

    def _begin(self, order):
        ordered_for = {line.subscription: line for line in order.lines}
        ordered_for.pop(None, None)
        order.account = (
            next(iter(ordered_for)).account
            if ordered_for
            else self.account(order.contact, order.company)
        )
        anew, touched = {}, {}
        for line in order.lines:
            if line.kind == "pack":
                line.window = self._window(line)
            if line.kind != "period":
                continue
            subscription = line.subscription
            if not subscription or subscription.cancelled and not line.date_from:
                # What was cancelled is not added to: it begins anew.
                if not subscription or subscription not in anew:
                    today = self.today(order.company)
                    anew[subscription] = Subscription(order.account, line, today)
                    self.subscriptions.append(anew[subscription])
                subscription = anew[subscription]
            if line.operation == "credit":
                subscription.credits.append(line)
            else:
                self._begin_term(line, subscription)
            touched[subscription] = True
        for subscription in touched:
            subscription.follow()
        for subscription in ordered_for:
            subscription.replaced(
                [line for line in order.lines if line.subscription is subscription]
            )

    def _window(self, line):
        """R15.1, R8.12: from the first day on which it is due, or the one that was
        named; what was over at the confirmation comes for life."""
        today = self.today(line.order.company)
        confirmed = line.order.confirmed or today
        first = line.named or today
        if first > confirmed:
            first = max(first, today)
        last = first_day(first, line.months) - DAY
        return None if last < confirmed else (first, last)

    def _begin_term(self, line, subscription):
        """R8.12, R9.1, R9.4–R9.6"""
        today = self.today(subscription.account.company)
        confirmed = line.order.confirmed or today
        kept = line.named and line.named <= confirmed
        if line.date_from:
            anchor, first = line.acts_on.anchor, line.date_from
        elif line.named:
            anchor = first = line.named if kept else max(line.named, today)
        elif subscription.runs(today):
            anchor, first = subscription.anchor, subscription.end + DAY
        else:
            anchor, first = today, today
        begin = month_of(anchor, first)
        windows = [
            month(anchor, number, line.period)
            for number in range(begin, begin + line.months, line.period)
        ]
        assert windows[0][0] == first, (anchor, first)
        line.term = Term(line, subscription, anchor, windows)
        if line.date_from:
            gone = [subscription.cancelled or last < today for _first, last in windows]
            line.term.late = sum(map(bool, gone))
        elif kept:
            late = sum(last < confirmed for _first, last in windows)
            over = sum(line.term.until(window) < today for window in windows)
            line.term.late, line.term.lapsed = late, max(over - late, 0)
        subscription.terms.append(line.term)

    def settle_subscription(self, subscription):
        account, targets = subscription.account, defaultdict(int)
        numbers = subscription.numbers()
        for term, given in numbers.items():
            for window, number in term.usable(given).items():
                targets[window, term.until(window)] += number
            if term.late:
                left = subscription.left_in_place(term, given, numbers)
                for window, number in left.items():
                    targets[window] += number
                account.give(("late", term), subscription.late(term, given, numbers))
        today = self.today(account.company)
        for (window, until), target in sorted(targets.items()):
            first, last = window
            account.aim(
                (subscription, (window, until)),
                target if subscription.goes_on(window) else 0,
                (first, until, last if last < until else None),
                today,
                self.counter,
            )
        subscription.follow()

    def renewal(self, subscription, contact):
        """R9.5"""
        if subscription.cancelled or not subscription.end:
            raise Refused("nothing to renew")
        order, plan = Order(contact, subscription.account.company), subscription.plan
        again = {
            "subscription": subscription,
            "months": plan.months,
            "period": plan.period,
            "carry": plan.carry,
        }
        order.lines.append(Line(order, plan.number, operation="renew", **again))
        if subscription.extra:
            order.lines.append(
                Line(order, subscription.extra, operation="extra", **again)
            )
        return order

    def extra(self, subscription, contact, number):
        """R9.4: from the current period to the last paid one."""
        order = Order(contact, subscription.account.company)
        for first, months, period, carry in self.months_left(subscription):
            order.lines.append(
                Line(
                    order,
                    number,
                    months,
                    operation="extra",
                    subscription=subscription,
                    acts_on=subscription.plan_term(),
                    date_from=first,
                    period=period,
                    carry=carry,
                )
            )
        return order

    def months_left(self, subscription):
        """R9.4, R15.2: from the current period to the last paid one of its length.

        :return: of each stretch that is carried over for as long (R15.3) its first day;
            how many months it has; how many of them a period has; and for how many
            periods it is carried over.
        """
        today = self.today(subscription.account.company)
        if not subscription.runs(today):
            raise Refused("it has ended")
        ahead, anchor = subscription.ahead(today), subscription.anchor
        first, last = ahead[0][0]
        period = month_of(anchor, last) - month_of(anchor, first) + 1
        stretches = []
        for (first, _last), carry in ahead:
            if (
                not stretches
                or stretches[-1][3] != carry
                or stretches[-1][1] + period > MAX_MONTHS
            ):
                stretches.append((first, 0, period, carry))
            begin, months, *rest = stretches[-1]
            stretches[-1] = (begin, months + period, *rest)
        return stretches

    def cancel(self, subscription, cancelled):
        """R9.8"""
        if bool(subscription.cancelled) != cancelled:
            today = self.today(subscription.account.company)
            subscription.cancelled = today if cancelled else None
        if cancelled and subscription.automatic:
            subscription.automatic, subscription.problem = False, None
        self.settle_subscription(subscription)

    # -- R4, R5 ----------------------------------------------------------------

    def set(self, ticket, number):
        """R4.5, R16.6: by hand; kept for later, while it takes nothing."""
        said = ticket.basis and ticket.hold != "parked"
        if not (number or said or ticket.number):
            return
        submitted = ticket.at_submission
        if not ticket.is_free or number < 0:
            self._put(ticket, number)
        ticket.submitted = submitted
        ticket.basis, ticket.chosen, ticket.short = "hand", number, 0

    def follow(self, ticket):
        """R16.6: the difference to what it takes, as far as there is; what waits goes
        on waiting."""
        if ticket.hold == "parked" and not self._end_if_over(ticket):
            return
        target = ticket.aim
        missing = max(target - ticket.number, 0)
        if ticket.contact:
            available = self.available(ticket.contact, ticket.company)
            missing -= min(missing, max(available, 0))
        if target - missing != ticket.number:
            self._put(ticket, target - missing)
        ticket.short = missing

    def spend(self, ticket, minutes):
        """R16.5, R17.3: who enters time goes on with a ticket."""
        ticket.note()
        ticket.minutes = minutes
        ticket.count()
        ticket.withdrawn = ticket.withdrawn and not minutes
        self.follow(ticket)

    def judge(self, ticket, charged):
        """R17.1: what became of it."""
        ticket.note()
        ticket.outcome = not charged
        self.follow(ticket)

    def ask(self, ticket, number, days):
        """R18.5: nobody is asked about what is closed, not charged, or waits."""
        if not ticket.contact or ticket.hold == "parked" or self._is_over(ticket):
            raise Refused("nobody can be asked")
        last = self.today(ticket.company) + days * DAY
        return Proposal(ticket, self.customers[ticket.contact], number, last)

    def answer(self, proposal, approves):
        """R18.5, R16.6: approved it adds to what the ticket takes, at once."""
        ticket = proposal.ticket
        if proposal.state == ("approved" if approves else "declined"):
            return
        if proposal.state != "open" or self.today(ticket.company) > proposal.last:
            raise Refused("not open any more")
        if approves:
            if ticket.hold == "parked":
                raise Refused("it waits")
            self.set(ticket, ticket.aim + proposal.number)
        proposal.state = "approved" if approves else "declined"

    def review(self):
        """R18.5: what ends what was asked."""
        self.proposals = [p for p in self.proposals if p.ticket in self.tickets]
        for proposal in self.proposals:
            ticket = proposal.ticket
            holder = ticket.contact and self.customers[ticket.contact]
            moved = holder != self.customers[proposal.contact]
            if proposal.state == "open" and (moved or self._is_over(ticket)):
                proposal.state = "withdrawn"

    def expire(self):
        """R18.5: by the scheduled action."""
        for proposal in self.proposals:
            late = proposal.last < self.today(proposal.ticket.company)
            if late and proposal.state == "open":
                proposal.state = "expired"

    def _is_over(self, ticket):
        return ticket.closed or ticket.is_free

    def let_time_count(self, ticket):
        """R16.6: instead of what was set by hand."""
        if ticket.basis == "hand":
            if ticket.hold == "waived":
                ticket.end_hold()
            ticket.basis = "submission"
            self.follow(ticket)

    def waive_rest(self, ticket):
        if ticket.short:
            self.set(ticket, ticket.number)

    def _put(self, ticket, number):
        """Deduct or return so that it holds so many."""
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
                keep = ticket.outcome or self.numbers[account.company].keep
                today = self.today(account.company)
                kept = account.give_back(allotment, returned, today, keep)
                cause = ("kept", ticket)
                account.give(cause, account.causes[cause] + kept)
                leg[2] -= returned
                number -= returned

    def submit(self, ticket):
        """R4.4, R11.2, R11.3: by the customer."""
        if ticket.parks and self._lacks(ticket):
            ticket.hold, ticket.told = "parked", self.today(ticket.company)
        else:
            self._put(ticket, ticket.cost)

    def sell(self, ticket):
        """R18.1, R18.2: what it lacks, to be paid later, unless its customer is below
        zero.

        :return: the order, None if nothing is sold.
        """
        account = self.account(ticket.contact, ticket.company)
        available = self.available(ticket.contact, ticket.company)
        if account.lifetime.left < 0 or available >= ticket.cost:
            return None
        order = Order(ticket.contact, ticket.company, gives=True, later=True)
        order.lines.append(Line(order, ticket.cost - available))
        self.settle(order)
        return order

    def _lacks(self, ticket):
        return self.available(ticket.contact, ticket.company) < ticket.required

    def arrive(self, ticket):
        """R11.3: by e-mail."""
        if ticket.cost:
            ticket.hold = "parked"
            self.admit(ticket)

    def admit(self, ticket, refusable=True):
        """R11.3: released, told, or refused."""
        if ticket.hold != "parked" or self._end_if_over(ticket):
            return
        if ticket.contact and not self._lacks(ticket):
            self._put(ticket, ticket.required)
            ticket.submitted = ticket.cost
        elif ticket.contact and not ticket.told:
            if refusable and not ticket.parks:
                self._turn_away(ticket)
            else:
                ticket.told = self.today(ticket.company)

    def _end_if_over(self, ticket):
        """R11.3: nothing is left to wait for, but for time that was worked (R16.5).

        :return: whether it does not wait now.
        """
        takes = ticket.cost and not ticket.is_free
        if takes and not (ticket.closed or ticket.duplicate):
            return False
        self._drop(ticket)
        return True

    def _drop(self, ticket):
        """It waits no more, and is not submitted: its time counts all the same."""
        ticket.end_hold()
        if ticket.basis == "submission" and not (ticket.duplicate or ticket.is_free):
            ticket.submitted = 0
            self.follow(ticket)

    def _turn_away(self, ticket):
        self._drop(ticket)
        ticket.closed = True

    def due(self, ticket):
        """R4.4, R11.3: what the button deducts of a ticket that has taken nothing."""
        waits = ticket.hold == "parked"
        nothing = not (ticket.hold or ticket.number or ticket.short or ticket.outcome)
        return ticket.required if waits or nothing and ticket.contact else 0

    def more(self, ticket):
        """R16.4: what it takes by now beyond what it took."""
        goes_on = ticket.number or ticket.short
        if not goes_on or ticket.hold or ticket.closed:
            return 0
        return max(ticket.required - ticket.number - ticket.short, 0)

    def waive(self, ticket):
        """R11.3: as if 0 was set by hand (R16.6)."""
        if self.due(ticket):
            ticket.note()
            ticket.basis, ticket.chosen = "hand", 0
            ticket.hold, ticket.told = "waived", None

    def withdraw(self, ticket):
        """R11.3, R16.6"""
        if ticket.hold == "parked":
            ticket.note()
            ticket.withdrawn = True
            self._turn_away(ticket)

    def close(self, ticket):
        """R11.3: what is closed waits no more."""
        ticket.closed = True
        self.admit(ticket)

    def mark(self, ticket, duplicate):
        """R4.7, R16.6: a duplicate takes nothing, if the company says so by then, or if
        it has waited."""
        ticket.note()
        waited, ticket.duplicate = ticket.hold == "parked", duplicate
        self.admit(ticket)
        if not duplicate or waited or self.numbers[ticket.company].return_duplicates:
            ticket.double = duplicate
        self.follow(ticket)

    def delete(self, ticket):
        """R4.7: what a closed one has used stays used."""
        if not ticket.closed:
            self._put(ticket, 0)
        self.tickets.remove(ticket)

    def give_up(self):
        """R13.3"""
        for ticket in sorted(self.tickets, key=lambda ticket: ticket.id):
            since = self.today(ticket.company)
            since -= self.numbers[ticket.company].close_days * DAY
            if ticket.hold == "parked" and ticket.told and ticket.told <= since:
                self.admit(ticket)
                if ticket.hold == "parked":
                    self._turn_away(ticket)

    def commit(self, everywhere=False):
        """R11.3, R16.6: when something arrives, what is short gets it, the oldest
        first; then what waits is released: those whose link was used first, then the
        oldest."""
        for account in list(self.accounts.values()):
            if account.touched or everywhere:
                tickets = sorted(self._tickets_of(account), key=lambda t: t.id)
                for ticket in tickets:
                    if ticket.short:
                        self.follow(ticket)
                for ticket in sorted(tickets, key=lambda t: -t.link):
                    self.admit(ticket)
            account.touched = False

    def _tickets_of(self, account):
        return (
            ticket
            for ticket in self.tickets
            if ticket.contact
            and ticket.company == account.company
            and self.customers[ticket.contact] == account.customer
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
        elif ticket.short and not ticket.unopened:
            self.follow(ticket)

    def open_now(self, ticket, on_staff):
        """R4.4: what staff have saved before its customer was known."""
        if not ticket.unopened:
            return
        ticket.unopened = False
        early = ticket.basis or ticket.minutes
        if early and not ticket.number:
            ticket.basis, ticket.timed, ticket.short = None, 0, 0
        returns = ticket.duplicate and self.numbers[ticket.company].return_duplicates
        if on_staff and ticket.required and not returns:
            self.submit(ticket)
        if early:
            ticket.count()
            self.follow(ticket)

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
            elif ticket.contact in moved and ticket.short:
                self.follow(ticket)

    def merge(self, customer, other):
        """Two customers become one: so do their accounts, and all that names them."""
        self._follow(customer, other)
        for contact, holder in list(self.customers.items()):
            if holder == customer:
                self.customers[contact] = other
        del self.customers[customer]
        for document in [
            *self.payments,
            *self.orders,
            *self.tickets,
            *self.proposals,
        ]:
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


class Reminders:
    """What customers should be told (R13.2).

    :param days: so many days before something ends, each number once (R15.4)
    :param thresholds: when no more than so many incidents are left (R19.3)
    """

    def __init__(self, model, days, thresholds):
        self.model, self.days, self.thresholds = model, days, thresholds
        self.told = {}
        self.waiting = []
        self.seen = {}

    def queue(self, kind, key, days=0):
        """Something has happened that the customer is to be told, once; of what ends,
        once more nearer to it, and not further from it."""
        if days < self.told.get((kind, key), days + 1):
            self.told[kind, key] = days
            self.waiting.append((kind, key))

    def due(self, today, first, last):
        """Return how many days before its last day something is told today, if it is:
        by the least number that is reached. What is there for fewer days than that is
        told by the least of all."""
        reached = [
            days
            for days in self.days
            if last - days * DAY <= today <= last
            and (first < last - days * DAY or days == min(self.days))
        ]
        return min(reached, default=None)

    def remind(self, today):
        """Return what should be sent now."""
        for subscription in self.model.subscriptions:
            if (
                (not subscription.automatic or subscription.problem == "paying")
                and not subscription.cancelled
                and subscription.end
            ):
                begun = [t.windows[0][0] for t in subscription.terms if not t.is_extra]
                first = max(day for day in begun if day <= subscription.end)
                days = self.due(today, first, subscription.end)
                if days is not None:
                    self.queue("ends", f"{subscription.id}:{subscription.end}", days)
        for account in self.model.accounts.values():
            for cause, period in account.periods.items():
                days = self.due(today, period.first, period.last)
                if days is not None and period.first <= today:
                    self._note_expiry(*cause, period, days)
        sent = []
        problems = {str(s.id): s.problem for s in self.model.subscriptions}
        for kind, key in self.waiting:
            # Who has acted in between is not told any more.
            number, _, problem = key.partition(":")
            if kind != "failed" or problem.endswith(f":{problems[number]}"):
                sent.append((kind, key))
        self.waiting = []
        for account in self.model.accounts.values():
            available = account.available(today)
            if account in self.seen or available > min(self.thresholds):
                before = self.seen.get(account, 0)
                if any(available <= number < before for number in self.thresholds):
                    sent.append(("low", str(account.id)))
                self.seen[account] = available
        return sorted(sent)

    def _note_expiry(self, subscription, what, period, days):
        if subscription == "pack":
            if period.left:
                self.queue("pack_expires", f"sale_line:{what.id}:{period.last}", days)
            return
        goes_on = subscription.end and period.last != subscription.end
        if period.left and (goes_on or subscription.automatic):
            self.queue("expires", f"{subscription.id}:{period.last}", days)
