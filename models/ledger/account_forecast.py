"""What a customer has, and what comes next (R11.4): read from the ledger."""

from collections import defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

#: The pace is measured over so many days, or since the first use of the account.
PACE_DAYS = 90
#: With fewer than these, the past says nothing about the next weeks: days since the
#: first use, and incidents used.
PACE_LEAST_DAYS = 14
PACE_LEAST_USED = 2
#: How far the forecast looks.
HORIZON = 366


class Forecast(NamedTuple):
    """Until when the incidents of an account last."""

    #: incidents used in so many days, today included
    used: int
    days: int
    #: the last day on which there are enough; None beyond the horizon
    until: date | None


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _ahead(self):
        """Return the allotments that have not ended, in the order in which tickets use
        them (R4.2). All that is said here needs no others: a page reads them once.

        :return: allotments with superuser rights.
        """
        return (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search_fetch(
                Domain("account_id", "in", self.ids)
                & (
                    Domain("kind", "=", "lifetime")
                    | Domain("date_to", ">=", self._today())
                )
            )
        )

    def _windows(self, ahead=None):
        """Return the allotments that are valid today, in the order in which tickets use
        them (R4.2): months that are used up too, unless they have ended and were
        carried over (R15.3), and lifetime incidents last.

        :param ahead: what :meth:`_ahead` has returned, if it is known.
        :return: allotments with superuser rights.
        """
        today = self._today()
        return (self._ahead() if ahead is None else ahead).filtered(
            lambda window: (
                window.balance > 0
                if window.kind == "lifetime"
                else window.date_from <= today
                and (
                    window.balance + window.to_grant > 0
                    or window.granted > 0
                    and (window.date_period_to or window.date_to) >= today
                )
            )
        )

    def _on_hand(self, ahead=None):
        """Return what tickets can use today, as ``available`` says it, and how many
        lifetime incidents have been used that were taken back since: without another
        query.

        :param ahead: as for :meth:`_windows`.
        :rtype: tuple[int, int]
        """
        ahead = self._ahead() if ahead is None else ahead
        lifetime = ahead.filtered(lambda window: window.kind == "lifetime")
        return (
            sum(window.balance + window.to_grant for window in self._windows(ahead)),
            max(-sum(lifetime.mapped("balance")), 0),
        )

    def _expiries(self, ahead=None):
        """Return how many incidents expire on which day, if no ticket uses them before:
        those of the months that run today.

        :param ahead: as for :meth:`_windows`.
        :rtype: dict[date, int]
        """
        numbers = defaultdict(int)
        for window in self._windows(ahead):
            if window.kind == "period":
                numbers[window.date_to] += window.balance + window.to_grant
        return {day: number for day, number in numbers.items() if number}

    def _arrivals(self, ahead=None):
        """Return how many incidents come on which day: only what comes next of each
        document that gives them.

        :param ahead: as for :meth:`_windows`.
        :rtype: dict[date, int]
        """
        today = self._today()
        numbers, first = defaultdict(int), {}
        coming = (self._ahead() if ahead is None else ahead).filtered(
            lambda window: (
                window.kind == "period"
                and window.date_from > today
                and window.to_grant > 0
            )
        )
        for window in coming.sorted("date_from"):
            source = (window.res_model, window.res_id) if window.res_id else window
            if first.setdefault(source, window.date_from) == window.date_from:
                numbers[window.date_from] += window.to_grant
        return dict(numbers)

    def _today(self):
        return (self.company_id or self.env.company)._incident_today()

    def _outlook(self, ahead=None):
        """Return what happens next, in sentences: what expires, what comes, and until
        when the rest lasts.

        :param ahead: as for :meth:`_windows`.
        :return: pairs of ``expiry``, ``arrival`` or ``forecast`` and a sentence.
        :rtype: list[tuple[str, str]]
        """
        ahead = self._ahead() if ahead is None else ahead
        sentences = [
            (day, "expiry", self._expiry_words(number, day))
            for day, number in self._expiries(ahead).items()
        ] + [
            (day, "arrival", self._arrival_words(number, day))
            for day, number in self._arrivals(ahead).items()
        ]
        forecast = self._forecast(ahead)
        return [
            *((kind, words) for _day, kind, words in sorted(sentences)),
            *([("forecast", self._forecast_words(forecast))] if forecast else []),
        ]

    def _expiry_words(self, number, day):
        if number == 1:
            return self.env._(
                "1 incident expires at the end of %(date)s.", date=self._day_words(day)
            )
        return self.env._(
            "%(number)s incidents expire at the end of %(date)s.",
            number=number,
            date=self._day_words(day),
        )

    def _arrival_words(self, number, day):
        if number == 1:
            return self.env._(
                "1 more incident comes on %(date)s.", date=self._day_words(day)
            )
        return self.env._(
            "%(number)s more incidents come on %(date)s.",
            number=number,
            date=self._day_words(day),
        )

    def _forecast_words(self, forecast):
        if not forecast.until:
            return self.env._(
                "At your pace you have enough for more than a year: you used "
                "%(used)s in the last %(days)s days.",
                used=forecast.used,
                days=forecast.days,
            )
        return self.env._(
            "At your pace you have enough until %(date)s: you used %(used)s in the "
            "last %(days)s days.",
            date=self._day_words(forecast.until),
            used=forecast.used,
            days=forecast.days,
        )

    def _day_words(self, day):
        return format_date(self.env, day, date_format="medium")

    # ------------------------------------------------------------------
    # Until when they last
    # ------------------------------------------------------------------

    def _forecast(self, ahead=None):
        """Return until when the incidents last, if they are used at the recent pace.

        *Pace*: what was deducted less what was returned in the last ``PACE_DAYS`` days,
        today included, per day; counted from the account's first deduction if that is
        later. From tomorrow on, each day takes that many, in the same order as tickets
        (R4.2): first those that end first, then lifetime incidents. What is unused
        after its last day is gone; months that are paid for begin (R9.2). Incidents
        that are neither paid for nor given yet do not count.

        *Until*: the last day on which there is enough. It is today if tomorrow there is
        not.

        :param ahead: as for :meth:`_windows`.
        :return: None if there is nothing to use today, or too little history: fewer
            than ``PACE_LEAST_DAYS`` days or ``PACE_LEAST_USED`` incidents.
        :rtype: Forecast | None
        """
        ahead = self._ahead() if ahead is None else ahead
        available, _overdrawn = self._on_hand(ahead)
        if not available:
            return None
        today = self._today()
        used, days = self._pace(today)
        if days < PACE_LEAST_DAYS or used < PACE_LEAST_USED:
            return None
        for day, enough, *_rest in self._days_ahead(ahead, used, days):
            if not enough:
                return Forecast(used, days, until=day - timedelta(days=1))
        return Forecast(used, days, until=None)

    def _days_ahead(self, ahead, used, days):
        """Go through the coming days at a pace of so many incidents in so many days,
        and use on each what there is.

        :param ahead: as for :meth:`_windows`.
        :return: for each day from tomorrow to the horizon, whether there was enough,
            how many incidents are left then, parts of one included, and how many of
            these end with that day.
        :rtype: Iterator[tuple[date, bool, float, float]]
        """
        today = self._today()
        # Whole numbers only: an incident is worth ``days``, and a day takes ``used``.
        stock = [
            [
                window.date_from or date.min,
                window.date_to or date.max,
                (window.balance + window.to_grant) * days,
            ]
            for window in ahead
            if window.kind == "lifetime" or window.date_to > today
        ]
        for day in (today + timedelta(days=n) for n in range(1, HORIZON + 1)):
            enough = self._take(stock, day, used)
            valid = [leg for leg in stock if leg[0] <= day <= leg[1]]
            left = sum(leg[2] for leg in valid)
            ending = sum(leg[2] for leg in valid if leg[1] == day)
            yield day, enough, left / days, ending / days

    def _pace(self, today):
        """Return how many incidents were used recently, and in how many days.

        :rtype: tuple[int, int]
        """
        since = today - timedelta(days=PACE_DAYS - 1)
        [(first, used)] = self.env.execute_query(
            SQL(
                """
                SELECT MIN(date) FILTER (WHERE quantity < 0),
                       -COALESCE(SUM(quantity) FILTER (WHERE date >= %s), 0)::int
                  FROM helpdesk_incident_entry
                 WHERE account_id = %s AND effect = 'uses'
                """,
                since,
                self.id,
            )
        )
        if not first:
            return 0, 0
        return used, (today - max(first, since)).days + 1

    def _take(self, stock, day, quantity):
        """Take ``quantity`` from what is valid on ``day``, in the order of R4.2.

        :param list stock: lists of a first day, a last day, and what is left in
            between, in that order.
        :return: whether there was enough.
        :rtype: bool
        """
        for leg in stock:
            first, last, left = leg
            if first <= day <= last:
                taken = min(max(left, 0), quantity)
                leg[2] -= taken
                quantity -= taken
        return not quantity
