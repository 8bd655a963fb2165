"""Which plan fits (R22.2): what the last months would have cost with each plan that a
subscription can be renewed with or changed to. Nothing is written."""

from datetime import date, timedelta
from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date, formatLang

from ... import fitting, periods
from ..selling.product_product import TERM_KINDS

#: How many months are compared, and with how few nothing is.
MONTHS = 12
LEAST_MONTHS = 3


class Row(NamedTuple):
    """One plan of the comparison."""

    #: ``product.product``
    plan: models.BaseModel
    is_own: bool
    #: what a customer gets, and what it costs, in words
    words: str
    cost: str
    #: what one incident beyond its number costs, in words; empty if it is not sold
    beyond: str
    fit: fitting.Fit

    def order(self):
        """What comes first fits best: least is missing that is not sold, then it costs
        least; of the same, the plan that is there already."""
        lacking = 0 if self.beyond else self.fit.missing
        return lacking, round(self.fit.cost, 6), not self.is_own


class Comparison(NamedTuple):
    """What a customer reads of it."""

    #: the own plan first, then what fits best
    rows: list[Row]
    sentence: str
    #: which days were looked at, and what was used on them
    days: str
    used: int
    months: int


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    def _which_plan_fits(self, offers, partner=None):
        """Return what the last 12 months, as far as there are so many, would have cost
        with each plan on offer, and with the one that it has (R22.2), at the prices of
        today.

        :param dict offers: an offered ``sale.order`` by plan, see ``Operation.offers``.
        :param partner: who would order, as for :meth:`_offer`.
        :return: None where there is nothing to compare.
        :rtype: Comparison | None
        """
        self.ensure_one()
        firsts, last = self._fit_months()
        if len(firsts) < LEAST_MONTHS or not set(offers) - set(self.product_id):
            return None
        used = [
            month["used"]
            for month in self.account_id._statement_sums(
                firsts, last, self._not_of_others()
            )
        ]
        lines = {
            plan: offer.order_line.filtered(
                lambda line: line.incident_operation != "credit"
            )
            for plan, offer in offers.items()
        }
        own = self.product_id
        lines = {own: lines.get(own) or self._own_lines(partner), **lines}
        beyond, rows = {}, []
        for plan, sold in lines.items():
            if sold:
                rows.append(self._fit_row(plan, sold, used, beyond, partner))
        if len(rows) < 2 or not rows[0].is_own:
            return None
        return Comparison(
            [rows[0], *sorted(rows[1:], key=Row.order)],
            self._fit_sentence(rows, len(firsts)),
            self.env._(
                "%(first)s – %(last)s",
                first=format_date(self.env, firsts[0], date_format="medium"),
                last=format_date(self.env, last, date_format="medium"),
            ),
            sum(used),
            len(firsts),
        )

    def _fit_months(self):
        """Return the months to compare, counted from the anchor (R9.1): the last whole
        ones, or periods, as far as the account has a history.

        :return: their first days, and the last day.
        :rtype: tuple[list[date], date | None]
        """
        if not self.date_start or not self.date_end:
            return [], None
        after = min(self._today(), self.date_end + timedelta(days=1))
        number = periods.number_at(self.date_start, after)
        number -= number % max(self.period_months, 1)
        [(begin,)] = self.env.execute_query(
            SQL(
                "SELECT MIN(date) FROM helpdesk_incident_entry WHERE account_id = %s",
                self.account_id.id,
            )
        )
        firsts = [
            periods.first_day(self.date_start, number - ago)
            for ago in range(MONTHS, 0, -1)
        ]
        return (
            [first for first in firsts if first >= (begin or date.max)],
            periods.first_day(self.date_start, number) - timedelta(days=1),
        )

    def _not_of_others(self):
        """Return which entries count for this subscription, as SQL: not what other
        subscriptions of the customer have covered."""
        return SQL(
            """
            entry.allotment_id NOT IN (
                SELECT id FROM helpdesk_incident_allotment
                 WHERE account_id = %s AND subscription_id <> %s)
            """,
            self.account_id.id,
            self.id,
        )

    def _own_lines(self, partner):
        """Return the lines of a renewal as it is; of what is not sold any more, what
        was bought last."""
        try:
            offer = self._operation("renew", partner).offer(self.product_id)
        except UserError:
            return self._last_lines()
        return offer.order_line

    def _fit_row(self, plan, lines, used, beyond, partner):
        """Return what becomes of these months with a plan.

        :param lines: ``sale.order.line`` that sell one term of it, extra incidents
            included.
        :param list[int] used: by month.
        :param dict beyond: what is known of prices of further incidents.
        :rtype: Row
        """
        main = lines.filtered(lambda line: line.incident_operation != "extra")[:1]
        kind, months = main.incident_kind, main.incident_term_months
        currency = main.currency_id
        price = sum(
            # Extra incidents can have been bought for fewer months.
            line.price_total
            * (months / line.incident_term_months if kind == "period" else 1)
            for line in lines
        )
        key = plan.sudo().incident_extra_product_id, main.incident_period_months
        if kind == "period" and key not in beyond:
            beyond[key] = self._price_beyond(main, partner)
        sells = fitting.Plan(
            kind=kind,
            number=sum(line._incident_number() for line in lines),
            price=price,
            months=months if kind in TERM_KINDS else 0,
            period=max(main.incident_period_months, 1),
            carry=main.incident_carry_periods,
            beyond=beyond[key] if kind == "period" else None,
        )
        found = fitting.fit(sells, fitting.settled(used))
        return Row(
            plan,
            plan == self.product_id,
            plan._incident_words(kind, sells.number, months, sells.period, sells.carry),
            self._fit_money(found.cost, currency),
            self._fit_money(sells.beyond, currency) if sells.beyond else "",
            found,
        )

    def _price_beyond(self, line, partner=None):
        """Return what one incident more in a period costs with a plan, taxes included:
        as an extra incident (R9.4). None where none are sold.

        :param line: the ``sale.order.line`` that offers the plan.
        :rtype: float | None
        """
        product = self._sold_extra(line.product_id)
        if not product:
            return None
        length = max(line.incident_period_months, 1)
        offer = self._offer([self._extra_line(product, 1, length, length)], partner)
        return offer.amount_total or None

    def _fit_sentence(self, rows, months):
        """Return which of these plans would have fitted best, in words.

        :param list[Row] rows: the own one first.
        """
        own, best = rows[0], min(rows, key=Row.order)
        names = {
            "plan": best.plan.display_name,
            "cost": best.cost,
            "own": own.cost,
            "months": months,
        }
        lacking = own.order()[0]
        if best is own:
            if lacking:
                return self.env._(
                    "Incidents missing with the present plan in these %(months)s "
                    "months: %(missing)s. No other plan here would have come closer.",
                    missing=lacking,
                    **names,
                )
            return self.env._(
                "The present plan fits: no other plan here would have been cheaper in "
                "these %(months)s months.",
                **names,
            )
        if lacking > best.order()[0]:
            return self.env._(
                "The present plan was too small: with %(plan)s fewer incidents would "
                "have been missing, and these %(months)s months would have cost "
                "%(cost)s instead of %(own)s.",
                **names,
            )
        return self.env._(
            "%(plan)s would have been cheaper: these %(months)s months would have cost "
            "%(cost)s instead of %(own)s.",
            **names,
        )

    def _fit_money(self, amount, currency):
        return formatLang(self.env, amount, currency_obj=currency)
