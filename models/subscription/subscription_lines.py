"""The lines of what is ordered for a subscription (R9.4, R9.5, R9.6)."""

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...fields import MAX_INCIDENTS


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    def _renewal_values(self, plan=None, extra=None):
        """Return the lines of a renewal (R9.5).

        :param plan: by default the scheduled one, or the plan as it is.
        :param int extra: incidents more in each month, by default as many as now.
        :raise UserError: if that cannot be ordered.
        :return: values of ``sale.order.line``.
        :rtype: list[dict]
        """
        self.ensure_one()
        if not self._can_renew():
            raise UserError(
                self.env._(
                    "%(subscription)s cannot be renewed: it is not paid, or was "
                    "cancelled. Buy a new plan instead.",
                    subscription=self.display_name,
                )
            )
        plan = (plan or self._next_plan()).sudo()
        if plan not in self._renewal_plans():
            raise UserError(
                self.env._(
                    "%(plan)s is not sold any more. Choose another plan.",
                    plan=plan.display_name,
                )
            )
        lines = [
            {
                "product_id": plan.id,
                "product_uom_qty": self.quantity,
                "incident_operation": "renew",
                "incident_subscription_id": self.id,
            }
        ]
        if extra is None:
            # Where they are not sold (any more), it goes on without.
            extra = self._renewal_extra(plan) if self._sold_extra(plan) else 0
        if extra and plan.incident_kind == "period":
            product = self._sold_extra(plan)
            if not product or not 1 <= extra <= MAX_INCIDENTS:
                raise UserError(
                    self.env._(
                        "%(plan)s cannot have so many extra incidents each month. "
                        "Enter a whole number, or 0 for none.",
                        plan=plan.display_name,
                    )
                    if product
                    else self.env._(
                        "Extra incidents are not sold with %(plan)s. Renew it without.",
                        plan=plan.display_name,
                    )
                )
            lines.append(
                self._extra_line(
                    product,
                    extra,
                    plan.incident_term_months,
                    plan.incident_period_months,
                    plan.incident_carry_periods,
                )
            )
        return lines

    def _renewal_extra(self, plan):
        """Return how many extra incidents each period of a renewal with this plan has:
        as many as now, and in periods of another length in proportion (R15.2), rounded
        up."""
        if not self.extra_incidents or plan.incident_kind != "period":
            return self.extra_incidents
        months = self.extra_incidents * plan.incident_period_months
        return -(-months // self.period_months)

    def _extra_values(self, number):
        """Return the lines of extra incidents (R9.4), from the current period to the
        last one of its length that is paid (R15.2).

        :param int number: incidents more in each period, 1 or more.
        :raise UserError: if that cannot be ordered.
        :rtype: list[dict]
        """
        self.ensure_one()
        if not self._can_add_extra():
            raise UserError(
                self.env._(
                    "Extra incidents can be bought for an active subscription, if "
                    "its plan has a product for them. Buy a plan instead."
                )
            )
        if not 1 <= number <= MAX_INCIDENTS:
            raise UserError(
                self.env._("Enter how many you want: a whole number, 1 or more.")
            )
        length, ahead = self._periods_ahead()
        return [
            {
                **self._extra_line(
                    self._extra_product(), number, length * len(found), length, carry
                ),
                "incident_term_id": self._plan_term(anchor).id,
                "incident_date_from": found[0][0],
            }
            for anchor, carry, found in ahead
        ]

    def _extra_line(self, product, number, months, period, carry=0):
        """
        :param int number: incidents more in each period.
        :param int months: for how many months, of which each period has ``period``.
        :param int carry: for how many periods the plan carries them over (R15.3).
        """
        return {
            "product_id": product.id,
            "product_uom_id": product.uom_id.id,
            "product_uom_qty": number * (months // period),
            "incident_operation": "extra",
            "incident_subscription_id": self.id,
            "incident_kind": "period",
            "incident_quantity": 1,
            "incident_term_months": months,
            "incident_period_months": period,
            "incident_carry_periods": carry,
        }

    def _change_values(self, plan, partner=None):
        """Return the lines of a change of plan (R9.6): the new plan from the next
        period on, and what is credited of the old one.

        :param partner: who orders, as for :meth:`_offer`: credits are in the currency
            of that order, at today's rate.
        :raise UserError: if that cannot be ordered.
        :rtype: list[dict]
        """
        self.ensure_one()
        if not self._can_change() or plan not in self._change_plans():
            raise UserError(
                self.env._(
                    "%(subscription)s cannot be changed to this plan: the plan is not "
                    "on offer, or what is left of the subscription is not paid.",
                    subscription=self.display_name,
                )
            )
        boundary = self._boundary()
        change = {
            "product_id": plan.id,
            "product_uom_qty": self.quantity,
            "incident_operation": "change",
            "incident_subscription_id": self.id,
            "incident_term_id": self._plan_term().id,
            "incident_date_from": boundary,
        }
        currency = self._offer([change], partner).currency_id
        credits = [
            self._credit_line(term, given, boundary, currency)
            for term, given in self._numbers().items()
        ]
        return [change, *filter(None, credits)]

    def _credit_line(self, term, given, boundary, order_currency):
        """Return what is credited of a term: its months from ``boundary`` on, at what
        was paid for each, with its own taxes. The last one takes the rounding.

        :param dict given: its number of incidents by period, as it is now.
        :rtype: dict | None
        """
        line = term.sale_line_id
        number = sum(
            number for (first, _last), number in given.items() if first >= boundary
        )
        if not number:
            return None
        currency = line.currency_id
        paid = currency.round(
            line.price_unit
            * line.product_uom_qty
            * (1 - line.discount / 100)
            # What is not due was not paid either, or was paid back.
            * min(
                line._incident_paid_share(),
                line.incident_due / line._incident_total(),
            )
        )
        bought = term._numbers(line.incident_due)
        values = {
            period: currency.round(paid * part / line.incident_due)
            for period, part in bought.items()
        }
        last = max(period for period, part in bought.items() if part)
        values[last] += paid - sum(values.values())
        credit = sum(
            values[period] * part / bought[period]
            for period, part in given.items()
            if part and period[0] >= boundary
        )
        return {
            "product_id": line.product_id.id,
            "product_uom_id": line.product_id.uom_id.id,
            "product_uom_qty": 1,
            "discount": 0,
            "price_unit": -currency._convert(
                credit, order_currency, self.company_id, self._today()
            ),
            "tax_ids": [Command.set(line.tax_ids.ids)],
            "incident_operation": "credit",
            "incident_subscription_id": self.id,
            "incident_term_id": term.id,
            "incident_date_from": boundary,
            "incident_kind": "period",
            "incident_quantity": number,
            "incident_term_months": 1,
            "incident_period_months": 1,
            "incident_carry_periods": 0,
        }
