"""The calendar of subscriptions (R9.1, R15.2): anchored months, and periods of several.

Pure functions of dates; every date is a day in the company's time zone, and both ends
of a period are inclusive.
"""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

#: The longest term that a plan can have, in months (R8.1).
MAX_MONTHS = 120


def first_day(anchor, number):
    """Return the day on which month ``number`` begins.

    It is the anchor plus so many months, counted from the anchor itself and not from
    the month before: an anchor on the 31st comes back to the 31st after a short month.

    :param date anchor: the first day of month 0.
    :param int number: 0, 1, …
    """
    return anchor + relativedelta(months=number)


def period(anchor, number, months=1):
    """Return the first and the last day of the period that begins with month
    ``number``.

    :param int months: how long it is.
    :rtype: tuple[date, date]
    """
    return (
        first_day(anchor, number),
        first_day(anchor, number + months) - timedelta(days=1),
    )


def last_day(anchor, months, begin=None):
    """Return the last day of a term of so many months.

    :param date begin: the first day of the month that it begins with; by default the
        anchor.
    """
    number = number_at(anchor, begin) if begin else 0
    return first_day(anchor, number + months) - timedelta(days=1)


def number_at(anchor, day):
    """Return the number of the month that contains ``day``; below 0 before the anchor.

    :rtype: int
    """
    number = (day.year - anchor.year) * 12 + day.month - anchor.month
    return number - 1 if first_day(anchor, number) > day else number
