"""Plans beside each other, as customers compare them (R11.4)."""

from typing import NamedTuple

from odoo import models
from odoo.tools import formatLang


class Offered(NamedTuple):
    """A plan on offer."""

    #: the ``sale.order.line`` that says what it costs, never saved
    line: models.BaseModel
    #: what tells it from the other plans of its product, where their words are the same
    variant: str
    #: its price for a month and for an incident, and what it saves
    facts: list[str]


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_compare(self):
        """Return the plans of an offer by their products, the cheapest first; those
        that expire are a group of their own, the last one (R15.1).

        :return: the title of each group, if it has one, and its plans.
        :rtype: list[tuple[str, dict[recordset, list[Offered]]]]
        """
        self.ensure_one()
        lines = self.order_line.sorted("price_total")
        packs = lines.filtered(lambda line: line.incident_kind == "pack")
        return [
            (
                title,
                {
                    template: same._incident_offered()
                    for template, same in group.grouped("product_template_id").items()
                },
            )
            for title, group in (
                ("", lines - packs),
                (self.env._("Valid for a limited time"), packs),
            )
            if group
        ]


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_offered(self):
        """Return these lines, which offer the plans of one product.

        :rtype: list[Offered]
        """
        words = self.product_id.mapped("incident_description")
        return [
            Offered(
                line,
                line.product_id.product_template_attribute_value_ids._get_combination_name()
                if words.count(line.product_id.incident_description) > 1
                else "",
                line._incident_price_facts(self),
            )
            for line in self
        ]

    def _incident_price_facts(self, others):
        """Return what this line costs by month and incident, and what it saves beside
        the dearest of the others that sell the same kind, in words.

        :rtype: list[str]
        """
        self.ensure_one()
        env, months, facts = self.env, self.incident_term_months, []
        if self.incident_kind == "period" and months > 1:
            facts.append(
                env._(
                    "%(price)s a month",
                    price=self._incident_money(self.price_total / months),
                )
            )
        each = self._incident_price_each()
        if self._incident_total() > 1:
            facts.append(
                env._("%(price)s an incident", price=self._incident_money(each))
            )
        dearest = max(
            other._incident_price_each()
            for other in others
            if other.incident_kind == self.incident_kind
        )
        # Rounded down: nobody is promised more than it is.
        percent = int(100 * (1 - each / dearest) + 1e-9) if dearest else 0
        if percent > 0:
            facts.append(env._("you save %(percent)s %%", percent=percent))
        return facts

    def _incident_price_each(self):
        """Return what one incident of this line costs, taxes included."""
        total = self._incident_total()
        return self.price_total / total if total else 0.0

    def _incident_money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)
