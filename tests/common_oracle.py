"""What customers should have, in plain Python: the oracle of the simulation.

It is told what was ordered, and which orders are paid, and knows nothing of the module
but the rules.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import count
from math import floor

from dateutil.relativedelta import relativedelta

DAY = timedelta(days=1)
#: What takes the place of what has been ordered, and not paid.
REPLACING = {"renew", "change"}


def month(anchor, number):
    """R9.1: counted from the anchor, never from the month before."""
    return (
        anchor + relativedelta(months=number),
        anchor + relativedelta(months=number + 1) - DAY,
    )


def month_of(anchor, day):
    """Return the number of the month that contains ``day``, by looking for it."""
    return next(number for number in count() if month(anchor, number)[1] >= day)


@dataclass(eq=False)
class Order:
    id: int
    lines: list = field(default_factory=list)
    automatic: bool = False
    #: the day on which it was confirmed before it was paid
    confirmed: date | None = None
    #: its total, less that of its lines
    rounding: Fraction = Fraction(0)
    #: what the books say: is it paid, and not credited; paid in full; at what price
    due: bool = False
    in_full: bool = False
    money: Fraction = Fraction(0)
    given_away: bool = False


@dataclass(eq=False)
class Line:
    id: int
    order: Order
    kind: str
    number: int
    months: int
    units: int
    product: int
    price: Fraction
    operation: str | None = None
    #: the subscription it acts on, the term it extends or credits, and from when on
    subscription: object = None
    acts_on: object = None
    date_from: date | None = None
    #: the first day that staff have named (R8.12)
    named: date | None = None
    begun: bool = False
    term: object = None

    @property
    def total(self):
        return self.number * max(self.months, 1)

    @property
    def due(self):
        return self.total if self.order.due else 0

    def worth(self, number):
        price = self.price
        if self.order.given_away:
            # But for what a change has credited: that was paid before.
            credited = (li.price for li in self.order.lines if li.operation == "credit")
            price = -sum(credited) if self.operation == "change" else Fraction(0)
        return price * number / self.total


@dataclass(eq=False)
class Term:
    line: Line
    subscription: object
    anchor: date
    months: list
    late: int = 0
    lapsed: int = 0

    @property
    def is_extra(self):
        return self.line.operation == "extra"

    def numbers(self, due):
        """R8.4: the last months give way first."""
        given = {}
        for window in self.months:
            given[window] = min(self.line.number, due)
            due -= given[window]
        return given

    def on_time(self, given):
        return {window: given[window] for window in self.months[self.late :]}

    def usable(self, given):
        """R8.12: what had ended when it was paid has lapsed."""
        gone = self.months[: self.late + self.lapsed]
        return {
            window: 0 if window in gone else number
            for window, number in self.on_time(given).items()
        }


@dataclass(eq=False)
class Allotment:
    """Incidents with one window; the lifetime ones without (R3)."""

    number: int = 0
    first: date | None = None
    last: date | None = None
    target: int = 0
    granted: int = 0
    used: int = 0
    lapsed: int = 0

    @property
    def balance(self):
        return self.granted - self.used - self.lapsed

    def live(self, today):
        """R9.2: granted on the first day, lapsed after the last."""
        if self.first <= today:
            self.granted = max(self.granted, self.target)
        if self.last < today:
            self.lapsed += self.balance

    def aim(self, target, today):
        """R3.5: what is unused is taken back."""
        self.live(today)
        self.target = target
        self.granted -= max(min(self.balance, self.granted - target), 0)
        self.live(today)


@dataclass(eq=False)
class Subscription:
    account: object
    product: int
    units: int
    anchor: date
    id: int = 0
    end: date | None = None
    extra: int = 0
    cancelled: date | None = None
    automatic: bool = False
    next_product: int | None = None
    #: what was agreed to for it, as :meth:`agreed` returns it
    next_terms: tuple = ()
    tried: date | None = None
    problem: str | None = None
    terms: list = field(default_factory=list)
    credits: list = field(default_factory=list)
    periods: dict = field(default_factory=dict)

    @property
    def scheduled(self):
        """The next plan, while it is another one."""
        return self.next_product if self.next_product != self.product else None

    def runs(self, today):
        return bool(not self.cancelled and self.end and self.end >= today)

    def has_ended(self, today):
        return bool(not self.cancelled and self.end and self.end < today)

    def goes_on(self, window):
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
            self.product, self.units = plan.line.product, plan.line.units
            self.anchor = plan.anchor
            # R9.4: extras stay with the subscription, paid late or not.
            self.extra = sum(
                given.get(window, 0) for term, given in numbers.items() if term.is_extra
            )

    def settle(self, today, counter):
        targets = defaultdict(int)
        numbers = self.numbers()
        for term, given in numbers.items():
            for window, number in term.usable(given).items():
                targets[window] += number
            if term.late:
                self.account.lifetime_targets[term.line.id] = self.late(term, given)
        for window in sorted(targets):
            if window not in self.periods:
                allotment = Allotment(next(counter), *window)
                self.periods[window] = allotment
                self.account.live_on(allotment, window[0], window[1] + DAY)
            target = targets[window] if self.goes_on(window) else 0
            self.periods[window].aim(target, today)
        self.follow()

    def late(self, term, given):
        """R9.4: what was missed comes as lifetime incidents, but for what the credited
        term has given in these months anyway."""
        total = 0
        for window in term.months[: term.late]:
            replaced = sum(
                line.acts_on.numbers(line.acts_on.line.due).get(window, 0)
                for line in term.line.order.lines
                if line.operation == "credit"
            )
            total += max(given[window] - replaced, 0)
        return total

    def current(self, today):
        """Return the current month; before the first one, that (R8.12)."""
        return month(self.anchor, month_of(self.anchor, today))

    def boundary(self, today):
        """R9.6: the first day of the next month."""
        first, last = self.current(today)
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
        """R9.7: what was bought last, or agreed upon for the next plan: months,
        incidents in each of them, and the price of all, be it given away since."""
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
            sum(line.number for line in lines),
            sum(line.price * plan.months / line.months for line in lines),
        )


@dataclass(eq=False)
class Account:
    oracle: object
    partner: object
    id: int
    rng: object
    orders: dict = field(default_factory=dict)
    subscriptions: list = field(default_factory=list)
    tickets: dict = field(default_factory=dict)
    lifetime: Allotment = field(default_factory=Allotment)
    lifetime_targets: dict = field(default_factory=dict)
    token: str | None = None

    def live_on(self, allotment, *days):
        for day in days:
            self.oracle.calendar[day].append(allotment)
        self.oracle.ending[allotment.last].append((self, allotment))

    def periods(self):
        for subscription in self.subscriptions:
            yield from subscription.periods.values()

    def available(self, today):
        """R4.1"""
        return sum(
            allotment.balance + max(allotment.target - allotment.granted, 0)
            for allotment in self.periods()
            if allotment.first <= today <= allotment.last
        ) + max(self.lifetime.balance, 0)

    def lines(self):
        for order in self.orders.values():
            yield from order.lines

    # -- R8.3, R9 --------------------------------------------------------------

    def settle(self, today):
        """The books say which orders are paid: what follows?

        :return: the orders that have begun.
        """
        began, touched = [], []
        for _id, order in sorted(self.orders.items()):
            new = [line for line in order.lines if not line.begun]
            if any(line.due for line in new):
                self.begin(new, today)
                began.append(order)
        for line in self.lines():
            if line.begun and line.kind == "lifetime":
                self.lifetime_targets[line.id] = line.due
            for subscription in (
                line.subscription,
                line.term and line.term.subscription,
            ):
                if subscription and subscription not in touched:
                    touched.append(subscription)
        for subscription in touched:
            subscription.settle(today, self.oracle.counter)
        self.lifetime.granted = sum(self.lifetime_targets.values())
        return began

    def begin(self, lines, today):
        anew = {}
        for line in sorted(lines, key=lambda line: line.id):
            line.begun = True
            if line.kind == "lifetime":
                continue
            subscription = line.subscription
            if not subscription or subscription.cancelled and not line.date_from:
                if not subscription or subscription not in anew:
                    anew[subscription] = Subscription(
                        self, line.product, line.units, today
                    )
                    self.subscriptions.append(anew[subscription])
                subscription = anew[subscription]
            if line.operation == "credit":
                subscription.credits.append(line)
            else:
                self.begin_term(line, subscription, today)
        for subscription in self.subscriptions:
            subscription.follow()
        order = lines[0].order
        for subscription in {line.subscription for line in lines} - {None}:
            replacing = [
                line
                for line in order.lines
                if line.subscription == subscription and line.operation in REPLACING
            ]
            if replacing:
                subscription.problem = None
                if [line.product for line in replacing] != [subscription.next_product]:
                    subscription.next_product = None
                    subscription.next_terms = ()
                if any(line.kind == "lifetime" for line in replacing):
                    subscription.automatic = False

    def begin_term(self, line, subscription, today):
        """R9.1, R9.4–R9.6"""
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
        number = month_of(anchor, first)
        months = [month(anchor, number + k) for k in range(line.months)]
        assert months[0][0] == first, (anchor, first)
        term = Term(line, subscription, anchor, months)
        if line.date_from:
            term.late = (
                line.months
                if subscription.cancelled
                else sum(window[1] < today for window in months)
            )
        elif kept:
            term.late = sum(window[1] < confirmed for window in months)
            term.lapsed = sum(confirmed <= window[1] < today for window in months)
        line.term = term
        subscription.terms.append(term)

    # -- R4, R5 ----------------------------------------------------------------

    def deduct(self, ticket, quantity, today):
        """R4.2"""
        legs = self.tickets.setdefault(ticket, [])
        usable = sorted(
            (a for a in self.periods() if a.first <= today <= a.last and a.balance),
            key=lambda a: (a.last, a.first, a.number),
        )
        for allotment in [*usable, self.lifetime]:
            taken = min(max(allotment.balance, 0), quantity)
            if taken:
                allotment.used += taken
                quantity -= taken
                legs.append([allotment, taken])
        assert not quantity

    def give_back(self, ticket, quantity, today):
        """R5.1, R5.3: lapses where the month has ended or was taken back."""
        for leg in reversed(self.tickets[ticket]):
            allotment, returned = leg[0], min(leg[1], quantity)
            leg[1] -= returned
            quantity -= returned
            allotment.used -= returned
            if allotment.first:
                over = min(returned, max(allotment.granted - allotment.target, 0))
                allotment.granted -= over
                if allotment.last < today:
                    allotment.lapsed += returned - over
        assert not quantity


class Oracle:
    """All customers, and what they should be told (R13.2)."""

    def __init__(self, soon, low):
        self.soon, self.low = soon, low
        self.accounts = []
        self.counter = count(1)
        #: what is to be looked at on a day, and what ends on a day
        self.calendar = defaultdict(list)
        self.ending = defaultdict(list)
        self.told = set()
        self.waiting = []
        self.episodes = {}

    def live(self, today):
        for allotment in self.calendar.pop(today, ()):
            allotment.live(today)

    def subscriptions(self):
        for account in self.accounts:
            yield from account.subscriptions

    def queue(self, kind, key):
        """Something has happened that the customer is to be told, once."""
        if (kind, key) not in self.told:
            self.told.add((kind, key))
            self.waiting.append((kind, key))

    def remind(self, today):
        """Return what should be sent now."""
        last = today + self.soon * DAY
        for subscription in self.subscriptions():
            if (
                (not subscription.automatic or subscription.problem == "paying")
                and not subscription.cancelled
                and subscription.end
                and today <= subscription.end <= last
            ):
                self.queue("ends", f"{subscription.id}:{subscription.end}")
        for days in range(self.soon + 1):
            for account, allotment in self.ending[today + days * DAY]:
                self.note_expiry(account, allotment, today)
        sent = []
        problems = {str(s.id): s.problem for s in self.subscriptions()}
        for kind, key in self.waiting:
            # Who has acted in between is not told any more.
            number, _, problem = key.partition(":")
            if kind != "failed" or problem.endswith(f":{problems[number]}"):
                sent.append((kind, key))
        self.waiting = []
        for account in self.accounts:
            available = account.available(today)
            if available > self.low:
                self.episodes[account] = True
            elif self.episodes.get(account):
                self.episodes[account] = False
                sent.append(("low", str(account.id)))
        return sorted(sent)

    def note_expiry(self, account, allotment, today):
        subscription = next(
            subscription
            for subscription in account.subscriptions
            if subscription.periods.get((allotment.first, allotment.last)) is allotment
        )
        left = allotment.balance or allotment.target > allotment.granted
        goes_on = subscription.end and allotment.last < subscription.end
        if left and allotment.first <= today and (goes_on or subscription.automatic):
            self.queue("expires", f"{subscription.id}:{allotment.last}")
