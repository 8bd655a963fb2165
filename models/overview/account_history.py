"""What an account used, let lapse and had left by month, and what is ahead (R22.1): the
numbers of the pictures in the client area, and of the table that says the same."""

from collections import defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from babel.dates import format_skeleton
from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.tools import SQL, babel_locale_parse
from odoo.tools.misc import get_lang

from ... import charts, periods
from ...sql import flush
from ..ledger.account_statement import GROUPS

#: How many calendar months are shown, the current one included.
MONTHS = 12
#: The columns of a statement that are bars, from the bottom to the top.
BARS = ("used", "lapsed")
#: How many persons are named; all others are one line.
PEOPLE = 10
#: How many days the curve looks ahead where nothing is known to happen later.
LEAST_AHEAD = 60
#: How many days it goes on after the last thing that is known.
AFTERWARDS = 14


class Month(NamedTuple):
    """A calendar month, in the days of the company (R3.7)."""

    first: date
    #: today, of the current month
    last: date
    #: as the statement of these days says it: less what was returned in them
    used: int
    lapsed: int
    #: what the periods of subscriptions have that begin in it; those of several months
    #: in equal parts
    planned: float
    #: at the end of the last day
    left: int


class Person(NamedTuple):
    """How many incidents a contact of the customer used."""

    name: str
    used: int
    #: the part of the one who used most, in percent
    share: int


class Mark(NamedTuple):
    """A place on the axis of time, with words."""

    x: float
    words: str


class Curve(NamedTuple):
    """What was left, and what is left if it goes on so."""

    ticks: list[charts.Tick]
    marks: list[Mark]
    today: float
    #: SVG paths
    behind: str
    ahead: str
    #: where they run out at the recent pace, if they do
    end: tuple[float, float, str] | None
    #: on which side of that there is room for words
    end_anchor: str


class History(NamedTuple):
    """What the pictures of an account show."""

    months: list[Month]
    people: list[Person]
    used: int
    lapsed: int
    #: whether any plan gave something by month
    planned: bool
    ticks: list[charts.Tick]
    columns: list[charts.Column]
    curve: Curve
    #: how many are expected to be left at the end of coming months
    expected: list[tuple[date, int]]
    #: whether time runs from right to left
    mirrored: bool


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _history(self, ahead=None):
        """Return what the pictures of the last 12 months show, as many queries as ever.

        The numbers are those of the statement: calendar months, days of the company
        (R3.7), what was returned counted on the day on which it was.

        :param ahead: as for :meth:`_windows`.
        :return: None if nothing was used, and nothing lapsed.
        :rtype: History | None
        """
        today = self._today()
        begin = today.replace(day=1)
        firsts = [
            begin - relativedelta(months=number) for number in reversed(range(MONTHS))
        ]
        sums = self._statement_sums(firsts, today)
        if not any(month[kind] for month in sums for kind in BARS):
            return None
        balances = self._statement_balances(firsts[0])
        months = self._history_months(firsts, today, sums, balances[-1][1])
        mirrored = self.env["res.lang"]._get_data(code=self.env.lang).direction == "rtl"
        stacks = [{kind: getattr(month, kind) for kind in BARS} for month in months]
        planned = any(month.planned for month in months)
        lines = [month.planned or None for month in months]
        scale = charts.Scale(*charts.extent(stacks, lines), mirrored)
        path, expected, forecast = self._history_ahead(
            self._ahead() if ahead is None else ahead, balances[-1][1]
        )
        return History(
            months,
            self._history_people(firsts[0], sum(month.used for month in months)),
            used=sum(month.used for month in months),
            lapsed=sum(month.lapsed for month in months),
            planned=planned,
            ticks=scale.ticks,
            columns=charts.columns(scale, stacks, lines),
            curve=self._history_curve(firsts[0], balances, path, forecast, mirrored),
            expected=expected,
            mirrored=mirrored,
        )

    @api.model
    def _history_words(self, day, parts="yMMMM"):
        """Return a day in words, as short as it is meant, in the order of the language.

        :param str parts: a skeleton of the CLDR: the year and the month by default.
        :rtype: str
        """
        locale = babel_locale_parse(get_lang(self.env).code)
        return format_skeleton(parts, day, locale=locale)

    @api.model
    def _history_month_words(self, month):
        """Return what a column says.

        :param Month month:
        :rtype: str
        """
        return self.env._(
            "%(month)s: used %(used)s, lapsed %(lapsed)s",
            month=self._history_words(month.first),
            used=month.used,
            lapsed=month.lapsed,
        )

    def _history_months(self, firsts, today, sums, left):
        """
        :param int left: how many there are at the end of the last month.
        """
        end = firsts[-1] + relativedelta(months=1) - timedelta(days=1)
        planned = self._history_planned(firsts[0], end)
        lasts = [first - timedelta(days=1) for first in firsts[1:]] + [today]
        months = []
        for first, last, numbers in reversed(
            list(zip(firsts, lasts, sums, strict=True))
        ):
            used, lapsed = numbers["used"], numbers["lapsed"]
            months.append(Month(first, last, used, lapsed, planned[first], left))
            left -= sum(sign * numbers[group] for group, sign in GROUPS.items())
        return months[::-1]

    def _history_planned(self, since, until):
        """Return what the subscriptions of this account give in each calendar month, by
        its first day.

        :rtype: dict[date, float]
        """
        flush(
            self.env,
            {
                "helpdesk.incident.allotment": "account_id date_from date_period_to "
                "date_to granted subscription_id to_grant"
            },
        )
        planned = defaultdict(float)
        for first, last, number in self.env.execute_query(
            SQL(
                """
                SELECT date_from, COALESCE(date_period_to, date_to),
                       SUM(granted + to_grant)::int
                  FROM helpdesk_incident_allotment
                 WHERE account_id = %s AND subscription_id IS NOT NULL
                   AND date_to >= %s AND date_from <= %s
                 GROUP BY 1, 2
                """,
                self.id,
                since,
                until,
            )
        ):
            length = periods.number_at(first, last) + 1
            for month in range(length):
                begins = periods.first_day(first, month)
                planned[begins.replace(day=1)] += number / length
        return planned

    def _history_people(self, since, used):
        """Return who used how many since a day: contacts of the customer by their
        names, all others together (R11.6).

        :param int used: by all.
        :rtype: list[Person]
        """
        flush(
            self.env,
            {
                "helpdesk.ticket": "partner_id",
                "res.partner": "commercial_partner_id name",
            },
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT contact.id, contact.name, -SUM(entry.quantity)::int AS used
                  FROM helpdesk_incident_entry entry
                  JOIN helpdesk_ticket ticket ON ticket.id = entry.ticket_id
                  JOIN res_partner contact
                    ON contact.id = ticket.partner_id
                   AND contact.commercial_partner_id = %s
                 WHERE entry.account_id = %s AND entry.effect = 'uses'
                   AND entry.date >= %s
                 GROUP BY contact.id, contact.name
                HAVING SUM(entry.quantity) < 0
                 ORDER BY used DESC, contact.id
                 LIMIT %s
                """,
                self.partner_id.id,
                self.id,
                since,
                PEOPLE,
            )
        )
        numbers = [(name or "", number) for _id, name, number in rows]
        rest = used - sum(number for _name, number in numbers)
        if rest:
            numbers.append((self.env._("Others"), rest))
        most = max((number for _name, number in numbers), default=0)
        return [
            Person(name, number, round(100 * max(number, 0) / most) if most > 0 else 0)
            for name, number in numbers
        ]

    def _history_ahead(self, ahead, left):
        """Return how many incidents are left on each coming day, at the recent pace
        where it is known; how many at the end of coming months; and the forecast.

        :param int left: how many there are now.
        :rtype: tuple[list[tuple[date, float]], list[tuple[date, int]], Forecast | None]
        """
        today = self._today()
        forecast = self._forecast(ahead)
        known = [today + timedelta(days=LEAST_AHEAD - AFTERWARDS)]
        known += [window.date_from for window in ahead if window.date_from]
        if forecast and forecast.until:
            known.append(forecast.until)
        until = max(known) + timedelta(days=AFTERWARDS)
        pace = (forecast.used, forecast.days) if forecast else (0, 1)
        path, expected = [(today, left)], []
        for day, _enough, rest, ending in self._days_ahead(ahead, *pace):
            if day > until:
                break
            path.append((day, rest))
            if (day + timedelta(days=1)).day == 1:
                expected.append((day, round(rest - ending)))
        return path, expected, forecast

    def _history_curve(self, since, balances, path, forecast, mirrored):
        today, last = path[0][0], path[-1][0]
        whole = (last - since).days

        def share(day):
            return (day - since).days / whole

        numbers = [number for _day, number in [*balances, *path]]
        scale = charts.Scale(min(numbers), max(numbers), mirrored)
        behind = [(share(max(day, since)), number) for day, number in balances]
        end = forecast and forecast.until
        rest = dict(path).get(end, 0)
        return Curve(
            scale.ticks,
            # Each third month: there is room for them on a phone.
            [
                Mark(scale.x(share(day)), self._history_words(day, "yMMM"))
                for day in (
                    since + relativedelta(months=number)
                    for number in range(0, 10 * MONTHS, 3 if whole < 550 else 6)
                )
                if share(day) < 0.95
            ],
            today=scale.x(share(today)),
            behind=charts.staircase(scale, [*behind, (share(today), balances[-1][1])]),
            ahead=charts.slope(scale, [(share(day), left) for day, left in path]),
            end=end
            and (
                scale.x(share(end)),
                scale.y(rest),
                self.env._(
                    "runs out about %(day)s",
                    day=self._history_words(end, "MMMd"),
                ),
            ),
            end_anchor="end" if end and share(end) > 0.6 else "start",
        )
