from odoo import api, fields, models

from ... import periods

#: What kind of term the operation of an order line makes.
TERM_KINDS = {"extra": "extra", "change": "change"}


class HelpdeskIncidentSubscriptionTerm(models.Model):
    """What one order line adds to a subscription (R9): incidents in a row of periods.

    It comes into being when its line is paid for the first time, and keeps its days
    for ever: paid again, it gives the same periods (R3.4, R8.4). Which days they are
    follows from what the line does (``OPERATIONS``).
    """

    _name = "helpdesk.incident.subscription.term"
    _inherit = "helpdesk.incident.described"
    _description = "Term of a Support Subscription"
    _order = "date_from, id"
    _internal_fields = frozenset({"anchor", "months_lapsed", "months_late"})

    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="subscription_id.company_id")
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Order Line",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    kind = fields.Selection(
        selection=[
            ("term", "Term"),
            ("extra", "Extra Incidents"),
            ("change", "Change of plan"),
        ],
        required=True,
        readonly=True,
        default="term",
    )
    anchor = fields.Date(
        required=True,
        readonly=True,
        help="The day from which the periods are counted (R9.1).",
    )
    date_from = fields.Date(string="First Day", required=True, readonly=True)
    date_to = fields.Date(string="Last Day", required=True, readonly=True)
    months = fields.Integer(required=True, readonly=True)
    period_months = fields.Integer(
        string="Months in a period", required=True, readonly=True, default=1
    )
    carry_periods = fields.Integer(
        string="Carried over for periods", required=True, readonly=True, default=0
    )
    months_late = fields.Integer(
        string="Periods late",
        required=True,
        readonly=True,
        default=0,
        help="How many of its periods had ended when it was paid: their incidents come "
        "as lifetime incidents.",
    )
    months_lapsed = fields.Integer(
        string="Periods lapsed",
        required=True,
        readonly=True,
        default=0,
        help="Of how many more of its periods nothing could be used any more when it "
        "was paid, since it was confirmed to begin on a past day: they have lapsed.",
    )
    incidents_per_period = fields.Integer(
        string="Incidents per period", required=True, readonly=True
    )

    _sale_line_uniq = models.UniqueIndex(
        "(sale_line_id)", "An order line has one term."
    )
    _window_check = models.Constraint(
        f"""CHECK (anchor <= date_from AND date_from <= date_to
              AND months BETWEEN 1 AND {periods.MAX_MONTHS}
              AND period_months >= 1 AND MOD(months, GREATEST(period_months, 1)) = 0
              AND carry_periods >= 0
              AND months_late BETWEEN 0 AND months
              AND months_lapsed BETWEEN 0 AND months - months_late
              AND incidents_per_period >= 1)""",
        "A term has whole periods, and 1 incident or more in each.",
    )

    def _periods(self):
        """Return the first and last days of the periods of this term (R9.1, R15.2).

        :rtype: list[tuple[date, date]]
        """
        self.ensure_one()
        first = periods.number_at(self.anchor, self.date_from)
        return [
            periods.period(self.anchor, number, self.period_months)
            for number in range(first, first + self.months, self.period_months)
        ]

    def _usable_to(self, period):
        """Return the last day on which what is unused of a period can be used (R15.3):
        that of the last period to which it is carried over, as if the term went on.

        :param period: its first and last day.
        :rtype: date
        """
        months = self.period_months * (1 + self.carry_periods)
        return periods.last_day(self.anchor, months, period[0])

    def _numbers(self, due):
        """Return how many incidents the line has paid for in each period: of what it
        should have given in all, the last periods give way first (R8.4).

        :param int due: what the line should have given by now, of all periods.
        :rtype: dict[tuple[date, date], int]
        """
        numbers = {}
        for period in self._periods():
            numbers[period] = min(due, self.incidents_per_period)
            due -= numbers[period]
        return numbers

    def _on_time(self, numbers):
        """Return those of the numbers by period that were paid in time: the others come
        as lifetime incidents (R9.4)."""
        if not self.months_late:
            return numbers
        return dict(sorted(numbers.items())[self.months_late :])

    def _has_lapsed(self, period):
        """Return whether what was bought for a period had lapsed when it was paid
        (R8.12): nothing of it could be carried over either (R15.3).

        :param period: its first and last day.
        :rtype: bool
        """
        if not self.months_lapsed:
            return False
        gone = self._periods()[: self.months_late + self.months_lapsed]
        return period in gone[self.months_late :]

    def _left(self, numbers):
        """Return what is left of the numbers by period where the term was brought from
        another system (R21.4): without what was gone there. Periods of which nothing
        was left are left out.

        :param dict numbers: how many incidents were paid for in each period.
        :rtype: dict[tuple[date, date], int]
        """
        before = self.sale_line_id.incident_before
        if not before:
            return numbers
        left = {}
        for period, number in sorted(numbers.items()):
            gone = min(before, self.incidents_per_period)
            before -= gone
            if gone < self.incidents_per_period:
                left[period] = max(number - gone, 0)
        return left

    def _grant_kind(self, _period):
        """Hook: return the kind of the entries that give a period (R3.2)."""
        return "period"

    # ------------------------------------------------------------------
    # Beginning
    # ------------------------------------------------------------------

    @api.model
    def _begin(self, lines):
        """Begin what these lines have bought, today (R9.1, R9.4–R9.6).

        :param lines: lines of one order that sell periods, paid for the first time;
            their accounts are locked.
        """
        subscriptions = self.subscription_id
        anew = {}
        for line in lines:
            subscription = line.incident_subscription_id
            fixed = line.incident_date_from
            if not subscription or subscription.date_cancelled and not fixed:
                # What was cancelled is not added to: it begins anew.
                if subscription not in anew or not subscription:
                    anew[subscription] = subscription._start(line)
                subscription = anew[subscription]
            subscriptions |= subscription
            if line.incident_operation == "credit":
                continue
            anchor, first = (
                (line.incident_term_id.anchor, fixed)
                if fixed
                else subscription._next_window(line)
            )
            term = self.create(
                {
                    "subscription_id": subscription.id,
                    "sale_line_id": line.id,
                    **self._values(line, anchor, first),
                }
            )
            if fixed:
                term.months_late = term._months_gone()
            elif line._incident_is_day_kept():
                term.months_late = term._months_gone(line._incident_confirmed_on())
                term.months_lapsed = max(term._months_over() - term.months_late, 0)
        # What comes next goes on where this ends.
        subscriptions._update_summary()

    @api.model
    def _values(self, line, anchor, first):
        """Return what a term is that a line has bought (R9.1).

        :param date anchor: what its months are counted from.
        :param date first: its first day.
        """
        return {
            "kind": TERM_KINDS.get(line.incident_operation, "term"),
            "anchor": anchor,
            "date_from": first,
            "date_to": periods.last_day(anchor, line.incident_term_months, first),
            "months": line.incident_term_months,
            "period_months": max(line.incident_period_months, 1),
            "carry_periods": line.incident_carry_periods,
            "incidents_per_period": line._incident_number(),
        }

    def _months_gone(self, day=None):
        """Return how many periods of this term have ended: all of them where the
        subscription was cancelled.

        :param date day: by which day, by default today.
        """
        return self._months_before([last for _first, last in self._periods()], day)

    def _months_over(self):
        """Return of how many periods of this term nothing can be used any more, what is
        carried over included (R15.3)."""
        return self._months_before(map(self._usable_to, self._periods()))

    def _months_before(self, days, day=None):
        days = list(days)
        if self.subscription_id.date_cancelled:
            return len(days)
        day = day or self.company_id._incident_today()
        return sum(last < day for last in days)
