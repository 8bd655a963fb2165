"""What is bought with an order, and what of it a customer has not agreed to (R9.7)."""

from dataclasses import dataclass

from odoo import models
from odoo.tools import formatLang


@dataclass(frozen=True)
class Terms:
    """What is bought with one order."""

    #: ``lifetime``, ``pack`` or ``period``
    kind: str
    #: for how many months, or how long they are valid; 0 of lifetime incidents
    months: int
    #: how many months a period has; nothing where there are none
    period: int
    #: for how many more periods what is unused can be used (R15.3)
    carry: int
    #: incidents in each period, extra ones included; without periods, in all
    incidents: int
    #: what all of it costs, taxes included
    price: float
    #: the currency of that, as a ``res.currency``
    currency: models.BaseModel

    def differences(self, agreed, env):
        """Return what of this was not agreed to, in words; empty if nothing.

        :param Terms agreed: what was.
        :rtype: list[str]
        """
        now, words = self, []
        if agreed.kind != "period":
            if (
                now.kind != agreed.kind
                or now.incidents < agreed.incidents
                or now.months < agreed.months
            ):
                words.append(
                    env._(
                        "%(plan)s instead of %(agreed)s",
                        plan=now.words(env),
                        agreed=agreed.words(env),
                    )
                )
        elif now.kind == "lifetime":
            words.append(
                env._(
                    "%(number)s lifetime incidents instead of %(agreed)s incidents in "
                    "each month",
                    number=now.incidents,
                    agreed=agreed.incidents,
                )
                if agreed.period == 1
                else env._(
                    "%(number)s lifetime incidents instead of %(agreed)s incidents in "
                    "each period",
                    number=now.incidents,
                    agreed=agreed.incidents,
                )
            )
        else:
            if now.months != agreed.months:
                words.append(
                    env._("1 month instead of %(agreed)s", agreed=agreed.months)
                    if now.months == 1
                    else env._(
                        "%(number)s months instead of %(agreed)s",
                        number=now.months,
                        agreed=agreed.months,
                    )
                )
            if now.period != agreed.period:
                words.append(
                    env._(
                        "%(number)s incidents in periods of %(period)s months instead "
                        "of %(agreed)s in periods of %(agreed_period)s",
                        number=now.incidents,
                        period=now.period,
                        agreed=agreed.incidents,
                        agreed_period=agreed.period,
                    )
                )
            elif now.incidents < agreed.incidents:
                values = {"number": now.incidents, "agreed": agreed.incidents}
                words.append(
                    env._(
                        "%(number)s incidents instead of %(agreed)s in each month",
                        **values,
                    )
                    if agreed.period == 1
                    else env._(
                        "%(number)s incidents instead of %(agreed)s in each period",
                        **values,
                    )
                )
            carried, before = now.carry * now.period, agreed.carry * agreed.period
            if carried < before:
                words.append(
                    env._(
                        "unused incidents valid for %(number)s more months instead of "
                        "%(agreed)s",
                        number=carried,
                        agreed=before,
                    )
                    if carried
                    else env._("unused incidents not carried over")
                )
        if (
            now.currency != agreed.currency
            or now.currency.compare_amounts(now.price, agreed.price) > 0
        ):
            words.append(
                env._(
                    "%(price)s instead of %(agreed)s",
                    price=formatLang(env, now.price, currency_obj=now.currency),
                    agreed=formatLang(env, agreed.price, currency_obj=agreed.currency),
                )
            )
        return words

    def words(self, env):
        """Return in words which incidents these are.

        :rtype: str
        """
        return env["product.product"]._incident_words(
            self.kind, self.incidents, self.months, self.period or 1, self.carry
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_terms(self):
        """Return what is bought with this order, saved or not.

        :rtype: Terms
        """
        sold = self.order_line.filtered(
            lambda line: line.incident_kind and line.incident_operation != "credit"
        )
        plan = sold.filtered(lambda line: line.incident_operation != "extra")[:1]
        return Terms(
            kind=plan.incident_kind,
            months=plan.incident_term_months,
            period=plan.incident_period_months,
            carry=plan.incident_carry_periods,
            incidents=sum(line._incident_number() for line in sold),
            price=sum(self.order_line.mapped("price_total")),
            currency=self.currency_id,
        )
