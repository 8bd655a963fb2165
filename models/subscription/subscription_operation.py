"""What can be ordered for a subscription: a renewal (R9.5), extra incidents (R9.4), a
change of plan (R9.6). The portal, staff and the scheduled action order the same.
"""

from odoo import models


class Operation:
    """What somebody orders for a subscription. An add-on with one more returns it from
    ``_operation``."""

    def __init__(self, subscription, partner=None):
        """
        :param subscription: one, with superuser rights.
        :param partner: who orders; by default who did last.
        """
        self.subscription = subscription
        self.partner = partner

    def is_possible(self):
        """Return whether it can be ordered at present, for some plan."""
        raise NotImplementedError

    def plans(self):
        """Return the plans to choose from; empty where there is no choice."""
        return self.subscription.product_id.browse()

    def lines(self, plan=None, number=None):
        """Return what is ordered.

        :param plan: one of :meth:`plans`.
        :param int number: of extra incidents in each month.
        :raise UserError: if that cannot be ordered.
        :return: values of ``sale.order.line``.
        :rtype: list[dict]
        """
        raise NotImplementedError

    def offer(self, plan=None, number=None):
        """Return the order of :meth:`lines`, never saved, for its prices and taxes."""
        return self.subscription._offer(self.lines(plan, number), self.partner)

    def order(self, plan=None, number=None, automatic=False):
        """Make the order of :meth:`lines`: see ``_make_order``.

        :return: the ``sale.order``; empty if nothing had to be ordered.
        """
        lines = self.lines(plan, number)
        return self.subscription._make_order(lines, self.partner, automatic)

    def offers(self, number=None):
        """Return what the customer can order in the portal: what costs something, as
        nobody could pay for the rest.

        :param int number: as for :meth:`lines`, where extra incidents are sold.
        :return: an :meth:`offer` by plan.
        :rtype: dict
        """
        if not self.is_possible():
            return {}
        subscription = self.subscription
        offers = {
            plan: self.offer(plan, number if subscription._sold_extra(plan) else None)
            for plan in subscription._in_portal(self.plans())
        }
        return {plan: offer for plan, offer in offers.items() if costs(offer)}


class Renewal(Operation):
    """R9.5; by default of the plan that comes next, with as many extra incidents."""

    def is_possible(self):
        return self.subscription._can_renew()

    def plans(self):
        return self.subscription._renewal_plans()

    def lines(self, plan=None, number=None):
        return self.subscription._renewal_values(plan, number)


class Extra(Operation):
    """R9.4; of the plan as it is."""

    def is_possible(self):
        return self.subscription._can_add_extra()

    def lines(self, plan=None, number=None):
        return self.subscription._extra_values(number)

    def offers(self, number=None):
        offer = self.is_possible() and self.offer(number=number)
        return {self.subscription.product_id: offer} if offer and costs(offer) else {}


class Change(Operation):
    """R9.6; what costs less than is credited is scheduled, and nothing is ordered."""

    def is_possible(self):
        return self.subscription._can_change()

    def plans(self):
        return self.subscription._change_plans()

    def lines(self, plan=None, number=None):
        return self.subscription._change_values(plan, self.partner)

    def order(self, plan=None, number=None, automatic=False):
        lines = self.lines(plan, number)
        offer = self.subscription._offer(lines, self.partner)
        if offer.currency_id.compare_amounts(offer.amount_total, 0) < 0:
            self.subscription._schedule(plan)
            return self.subscription.env["sale.order"]
        return self.subscription._make_order(lines, self.partner, automatic)


def costs(offer):
    """Return whether the first line of an order, what it sells, has a price."""
    line = offer.order_line[:1]
    return line.currency_id.compare_amounts(line.price_total, 0) > 0


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    def _operation(self, name, partner=None):
        """Return what can be ordered for this subscription.

        :param str name: ``renew``, ``extra`` or ``change``.
        :param partner: see :class:`Operation`.
        :rtype: Operation
        """
        self.ensure_one()
        operations = {"renew": Renewal, "extra": Extra, "change": Change}
        return operations[name](self, partner)

    def _order_renewal(self, plan=None, extra=None, partner=None, automatic=False):
        return self._operation("renew", partner).order(plan, extra, automatic)

    def _order_extra(self, number, partner=None):
        return self._operation("extra", partner).order(number=number)

    def _order_change(self, plan, partner=None):
        return self._operation("change", partner).order(plan)
