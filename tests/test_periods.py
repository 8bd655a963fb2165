from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.helpdesk_paid_support.periods import (
    MAX_MONTHS,
    first_day,
    last_day,
    number_at,
    period,
)

ANCHORS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


class TestPeriods(BaseCase):
    """R9.1"""

    def test_example(self):
        """R9.1: anchor April 11, three months."""
        anchor = date(2027, 4, 11)
        self.assertEqual(
            [period(anchor, k) for k in range(3)],
            [
                (date(2027, 4, 11), date(2027, 5, 10)),
                (date(2027, 5, 11), date(2027, 6, 10)),
                (date(2027, 6, 11), date(2027, 7, 10)),
            ],
        )
        self.assertEqual(last_day(anchor, 3), date(2027, 7, 10))

    def test_january_31(self):
        """R9.1: from the anchor itself, in a common year and in a leap year."""
        for year, february in ((2027, 28), (2028, 29)):
            self.assertEqual(
                [period(date(year, 1, 31), k) for k in range(3)],
                [
                    (date(year, 1, 31), date(year, 2, february - 1)),
                    (date(year, 2, february), date(year, 3, 30)),
                    (date(year, 3, 31), date(year, 4, 29)),
                ],
            )

    def test_leap_day(self):
        """R9.1: February 29 comes back after four years."""
        anchor = date(2028, 2, 29)
        self.assertEqual(first_day(anchor, 12), date(2029, 2, 28))
        self.assertEqual(first_day(anchor, 48), date(2032, 2, 29))

    @settings(max_examples=300, derandomize=True, database=None, deadline=None)
    @given(anchor=ANCHORS, months=st.integers(1, MAX_MONTHS))
    def test_without_gap_or_overlap(self, anchor, months):
        """R9.1: the periods of a term follow each other, and end where it ends."""
        day = anchor
        for number in range(months):
            first, last = period(anchor, number)
            self.assertEqual(first, day)
            self.assertTrue(28 <= (last - first).days + 1 <= 31)
            self.assertEqual(first.day, min(anchor.day, _days_of_month(first)))
            day = last + timedelta(days=1)
        self.assertEqual(last, last_day(anchor, months))

    @settings(max_examples=300, derandomize=True, database=None, deadline=None)
    @given(anchor=ANCHORS, days=st.integers(-400, 3700))
    def test_number_at(self, anchor, days):
        """R9.1: each day is in one period, and this is its number."""
        day = anchor + timedelta(days=days)
        first, last = period(anchor, number_at(anchor, day))
        self.assertTrue(first <= day <= last, (anchor, day, first, last))


def _days_of_month(day):
    following = day.replace(day=28) + timedelta(days=4)
    return (following - timedelta(days=following.day)).day
