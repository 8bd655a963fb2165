"""What a subscription has paid for, and by now should have given (R3.4, R9).

It follows from the terms and what is due of their lines; the same numbers, asked for
again, change nothing.
"""

from collections import Counter, defaultdict
from datetime import timedelta
from fractions import Fraction
from math import floor

from odoo import api, models

from ..ledger.account_settle import Cause
from ..ledger.helpdesk_incident_cause import Said
from ..selling.quantities import as_fraction


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    @api.model
    def _start(self, line, **values):
        """Open the subscription that a line has paid for, today (R9.1).

        :param values: what is otherwise with this one.
        """
        account = line.incident_account_id
        quiet = self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True)
        return quiet.create(
            {
                "account_id": account.id,
                "product_id": line.product_id.id,
                "quantity": line.incident_units,
                "incidents_per_period": line._incident_number(),
                "period_months": max(line.incident_period_months, 1),
                "carry_periods": line.incident_carry_periods,
                "date_start": account.company_id._incident_today(),
                **values,
            }
        )

    def _is_running(self):
        """Return whether the subscription is active today (R9.8)."""
        self.ensure_one()
        return self.state == "active"

    def _next_window(self, line):
        """Return what a further term begins with (R9.5): the day after the days that
        are paid for, with the anchor as it is; today, with a new anchor, where none
        are. Staff may have named another day (R8.12).

        :param line: the order line that the term is bought with.
        :return: the anchor, and the first day of the term.
        :rtype: tuple[date, date]
        """
        today = line.company_id._incident_today()
        after = self.date_end and self.date_end + timedelta(days=1)
        goes_on = bool(self) and self._is_running()
        day = line._incident_named_day()
        if day:
            goes_on = bool(after)
            day = day if line._incident_is_day_kept() else max(day, today)
        else:
            day = after if goes_on else today
        if goes_on and day <= after:
            return self.date_start, after
        return day, day

    def _incident_opened(self):
        """Override of `helpdesk.incident.cause`."""
        return self.account_id

    def _incident_said(self):
        """Override of `helpdesk.incident.cause`: what the terms have paid for by now,
        and what accountants are told of it (R12.4)."""
        causes, paid = [], []
        known = {}
        for subscription in self:
            known[subscription], values = subscription._numbers_and_values()
            name = subscription._incident_name()
            taken = subscription.account_id._taken_words(name)
            total, kinds = defaultdict(int), {}
            for term, given in known[subscription].items():
                late, left = [], {}
                if term.months_late:
                    credited = subscription._credited_late(
                        term, given, known[subscription]
                    )
                    late = [subscription._late_cause(term, given, credited)]
                    left = subscription._left_in_place(given, credited)
                    causes += late
                for window, number in left.items():
                    total[window] += number
                on_time = term._left(term._on_time(given))
                for period, number in on_time.items():
                    window = *period, term._usable_to(period)
                    kinds.setdefault(window, term._grant_kind(period))
                    total[window] += 0 if term._has_lapsed(period) else number
                paid += subscription._paid(term, late, left, on_time, values[term])
            for (first, last, usable_to), number in sorted(total.items()):
                causes.append(
                    Cause(
                        account=subscription.account_id,
                        key=subscription._period_key(first, last, usable_to),
                        target=number if subscription._is_kept_until(last) else 0,
                        kind=kinds.get((first, last, usable_to), "period"),
                        name=name,
                        source=subscription,
                        taken=taken,
                        date_from=first,
                        date_to=usable_to,
                        date_period_to=last if last < usable_to else None,
                    )
                )
        facts = {s: s._summary(numbers) for s, numbers in known.items()}
        facts[self.env["helpdesk.incident.purchase"]] = {"paid": paid}
        return Said(causes, facts)

    def _incident_remember(self, **values):
        """Write what these subscriptions are by now."""
        if "date_end" in values:
            # Another end, which has not been tried to renew.
            values["renewal_problem"] = False
        self.write(values)

    def _period_key(self, first, last, usable_to):
        """Return the key of the cause that a period is. What is carried over for
        another time (R15.3), as by another plan, has another one."""
        key = f"period:{self.id}:{first}:{last}"
        return key if last == usable_to else f"{key}:{usable_to}"

    def _paid(self, term, late, left, on_time, value):
        """Return what a term has paid for by now, for accountants (R12.4).

        :param list[Cause] late: for the months that had ended when it was paid.
        :param dict left: what :meth:`_left_in_place` says.
        :param dict on_time: its number of incidents by period.
        :param value: what was paid for all of it.
        :rtype: list[Paid]
        """
        return self.env["helpdesk.incident.purchase"]._spread(
            term.sale_line_id,
            value,
            [(None, cause.target, 0) for cause in late]
            + [
                (self._period_key(*window), number, 0)
                for window, number in left.items()
            ]
            + [
                (
                    self._period_key(first, last, term._usable_to((first, last))),
                    number,
                    number
                    if term._has_lapsed((first, last)) or not self._is_kept_until(last)
                    else 0,
                )
                for (first, last), number in sorted(on_time.items())
            ],
        )

    def _numbers(self):
        """Return how many incidents each term has paid for in each period (R9.2), from
        what its line should have given by now.

        :rtype: dict[recordset, dict[tuple[date, date], int]]
        """
        return self._numbers_and_values()[0]

    def _numbers_and_values(self):
        """Return what :meth:`_numbers` does, and what was paid for each term, without
        tax, in company currency.

        What a change of plan credits is taken from the periods of the terms that it
        credits (R9.6), their last ones first. As far as there is nothing (any more)
        that could be credited, the change itself is not paid.

        :rtype: tuple[dict[recordset, dict[tuple[date, date], int]],
            dict[recordset, float]]
        """
        self.ensure_one()
        credits = self.env["sale.order.line"].search(
            [
                ("incident_subscription_id", "=", self.id),
                ("incident_operation", "=", "credit"),
                ("incident_account_id", "!=", False),
            ]
        )
        terms = self.term_ids.sorted(lambda term: term.sale_line_id.id)
        lines = (credits | terms.sale_line_id).sorted("id")
        numbers, values = {}, defaultdict(float)
        for order_lines in lines.grouped("order_id").values():
            uncovered = 0
            for credit in order_lines & credits:
                taken = self._take_credit(credit, numbers)
                # Of a credit that was given back, and more, the value alone is left.
                share = taken / credit.incident_due if credit.incident_due else 1
                values[credit.incident_term_id] += credit.incident_value * share
                if taken < credit.incident_due:
                    share = Fraction(
                        credit.incident_due - taken, credit._incident_total()
                    )
                    uncovered += share * as_fraction(-credit.price_total)
            for term in terms & order_lines.incident_term_ids:
                line = term.sale_line_id
                due, paid = line.incident_due, 1
                if uncovered > 0 and line.price_total > 0:
                    paid = max(1 - uncovered / as_fraction(line.price_total), 0)
                    due = floor(due * paid)
                numbers[term] = term._numbers(due)
                values[term] += line.incident_value * float(paid)
        return numbers, values

    @api.model
    def _take_credit(self, credit, numbers):
        """Take what a line credits from the numbers of the term that it credits.

        :return: how many incidents there were to take.
        :rtype: int
        """
        given = numbers.get(credit.incident_term_id, {})
        left = credit.incident_due
        for first, last in sorted(given, reverse=True):
            if first >= credit.incident_date_from:
                taken = min(given[first, last], left)
                given[first, last] -= taken
                left -= taken
        return credit.incident_due - left

    def _credited_late(self, term, given, numbers):
        """Return what a term that was paid late credits of its months that had ended
        (R9.4): the old plan has given that. The old one may have had other periods
        (R15.2): they count where they begin.

        :param dict given: its number of incidents by period.
        :param dict numbers: what :meth:`_numbers` returns.
        :return: rows of the old term, its period, the one in which that begins, and how
            many are credited: all, or less where the change was credited in part.
        :rtype: list[tuple[recordset, tuple[date, date], tuple[date, date], int]]
        """
        late = sorted(given)[: term.months_late]
        if not self._is_kept_until(late[-1][1]):
            return []
        rows = []
        for credit in term.sale_line_id.order_id.order_line:
            if credit.incident_operation == "credit":
                old = credit.incident_term_id
                now = numbers.get(old, {})
                rows += [
                    (old, period, own, number - now.get(period, 0))
                    for period, number in old._numbers(
                        old.sale_line_id.incident_due
                    ).items()
                    for own in late
                    if own[0] <= period[0] <= own[1]
                ]
        return rows

    @api.model
    def _late_cause(self, term, given, credited):
        """Return the cause that a term is for the months that had ended when it was
        paid (R9.4): lifetime incidents, less what was given in these months anyway and
        is credited now.

        :param list credited: what :meth:`_credited_late` returns.
        """
        replaced = Counter()
        for _old, _period, own, number in credited:
            replaced[own] += number
        late = sorted(given)[: term.months_late]
        return term.sale_line_id._incident_cause(
            sum(max(given[period] - replaced[period], 0) for period in late)
        )

    @api.model
    def _left_in_place(self, given, credited):
        """Return what a term that was paid late leaves in place of what it credits
        (R9.4): what the old plan gave in months that had ended, and can be carried over
        (R15.3), is not taken back. It is part of what the term has paid for, as
        :meth:`_late_cause` counts it.

        :param list credited: what :meth:`_credited_late` returns.
        :return: how many incidents by period and end of its window.
        :rtype: dict[tuple[date, date, date], int]
        """
        found, missing = Counter(), dict(given)
        for old, period, own, number in credited:
            if old.carry_periods and period in old._periods()[old.months_late :]:
                taken = min(number, missing[own])
                missing[own] -= taken
                window = (*period, old._usable_to(period))
                found[window] += taken
        return found

    def _given_with(self, terms):
        """Return how many incidents some of the terms have given by today."""
        today = self._today()
        numbers = self._numbers()
        return sum(
            number
            for term in terms & self.term_ids
            for (first, last), number in term._left(
                term._on_time(numbers[term])
            ).items()
            if first <= today
            and self._is_kept_until(last)
            and not term._has_lapsed((first, last))
        )

    def _is_kept_until(self, day):
        """Return whether what ends on ``day`` was not withdrawn by staff (R9.8)."""
        return not self.date_cancelled or day < self.date_cancelled

    def _update_summary(self):
        """Write what the subscriptions are by now."""
        facts = {s: s._summary(s._numbers()) for s in self}
        for subscription, values in Said([], facts).changes().items():
            subscription._incident_remember(**values)

    def _summary(self, numbers):
        """Return what the subscription is by now: plan, number and last day as its
        terms have them in the last month that is paid for.

        :param dict numbers: what :meth:`_numbers` has returned.
        """
        last = max(
            (
                period
                for term, given in numbers.items()
                for period, number in term._on_time(given).items()
                if number and self._is_kept_until(period[1])
            ),
            key=lambda period: period[1],
            default=None,
        )
        if not last:
            return {"date_end": False}
        facts = {"date_end": last[1]}
        plans = [
            term
            for term, given in numbers.items()
            if term.kind != "extra" and given.get(last)
        ]
        if plans:
            line = plans[-1].sale_line_id
            facts |= {
                "product_id": line.product_id.id,
                "quantity": line.incident_units,
                "incidents_per_period": line._incident_number(),
                "period_months": max(line.incident_period_months, 1),
                "carry_periods": line.incident_carry_periods,
                "extra_incidents": sum(
                    given.get(last, 0)
                    for term, given in numbers.items()
                    if term.kind == "extra"
                ),
                "date_start": plans[-1].anchor,
            }
        return facts

    def _incident_name(self):
        account = self.account_id._in_customer_language()
        return self.product_id.with_env(account.env).display_name
