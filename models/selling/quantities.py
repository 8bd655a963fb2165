"""Exact numbers of what is ordered, invoiced and paid."""

from fractions import Fraction

#: Quantities are compared by this many decimals.
DIGITS = 6


def as_fraction(number):
    """Return a price or quantity as an exact number: floats are not quite."""
    return Fraction(round(number * 10**DIGITS), 10**DIGITS)
