"""What months of use would have cost with a plan (R22.2): pure functions of numbers."""

from typing import NamedTuple


class Plan(NamedTuple):
    """What a plan sells, and for how much."""

    #: ``period``: so many in each period; ``pack`` or ``lifetime``: so many at once,
    #: bought whenever none are left
    kind: str
    #: incidents, of all units that are bought together
    number: int
    #: of a term, or of a pack; in any currency
    price: float
    #: of a term; how long a pack is valid
    months: int = 0
    #: how many months a period has (R15.2)
    period: int = 1
    #: for how many more periods what is unused can be used (R15.3)
    carry: int = 0
    #: of one incident beyond the number, None where none are sold
    beyond: float | None = None

    def window(self, month):
        """Return in which month that ends which is given in ``month``; None: never."""
        if self.kind == "lifetime":
            return None
        valid = self.months
        if self.kind == "period":
            valid = self.period * (1 + self.carry)
        return month + valid - 1


class Fit(NamedTuple):
    """What became of months of use with a plan."""

    #: its price, and that of what was missing where it is sold
    cost: float
    lapsed: int
    #: used beyond its number
    missing: int
    #: still to be used after the last month
    left: int


def settled(used):
    """Return what was used in each month, where what was returned is taken from the
    last months in which something was used: a month of the ledger can be below 0.

    :param list[int] used: less what was returned in that month.
    :rtype: list[int]
    """
    months, returned = [], 0
    for number in reversed(used):
        number -= returned
        returned = max(-number, 0)
        months.append(max(number, 0))
    return months[::-1]


def fit(plan, used):
    """Return what these months would have been with a plan that begins with the first
    of them: what ends first is used first (R4.2), what is unused lapses.

    A term that is longer than the months costs in proportion, one that is shorter is
    renewed.

    :param Plan plan:
    :param list[int] used: incidents in each month, 0 or more.
    :rtype: Fit
    """
    stock, bought, lapsed, missing = [], 0, 0, 0
    for month, wanted in enumerate(used):
        if plan.kind == "period" and month % plan.period == 0:
            stock.append([plan.window(month), plan.number])
        # (What was given first ends first.)
        for leg in stock:
            taken = min(leg[1], wanted)
            leg[1] -= taken
            wanted -= taken
        if wanted and plan.kind != "period" and plan.number:
            units = -(-wanted // plan.number)
            bought += units
            stock.append([plan.window(month), units * plan.number - wanted])
            wanted = 0
        missing += wanted
        lapsed += sum(left for last, left in stock if last == month)
        stock = [leg for leg in stock if leg[0] != month]
    if plan.kind == "period":
        bought = len(used) / plan.months
    cost = plan.price * bought + missing * (plan.beyond or 0)
    return Fit(cost, lapsed, missing, sum(left for _last, left in stock))
