"""Exact numbers of what is ordered, invoiced and paid."""

from fractions import Fraction

#: Quantities are compared by this many decimals.
DIGITS = 6


def as_fraction(number):
    """Return a price or quantity as an exact number: floats are not quite."""
    return Fraction(round(number * 10**DIGITS), 10**DIGITS)


def net_share(prices, full):
    """Return which share of the prices ``full`` is left with the discounts among
    ``prices``, 1 where there are none."""
    full = sum(full)
    return max(sum(prices) / full, 0) if full > 0 else 1
