"""What the customer has agreed to pay for, and what a renewal takes instead (R9.7).

Nothing but what was bought last, or what a scheduled change was agreed for, is taken
without consent. Both are ``Terms``; whatever of them differs is said in words.
"""

from odoo import fields, models

from ..selling.sale_order_terms import Terms

NOTHING_AGREED = {
    "next_price": 0,
    "next_months": 0,
    "next_period_months": 0,
    "next_carry_periods": 0,
    "next_incidents": 0,
    "next_currency_id": False,
}


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    next_price = fields.Float(
        string="Agreed price per month",
        digits=0,
        readonly=True,
        help="What the customer has agreed to pay for each month of the next plan, "
        "taxes included.",
    )
    next_months = fields.Integer(
        string="Agreed months",
        readonly=True,
        help="For how many months the customer has agreed to the next plan.",
    )
    next_period_months = fields.Integer(
        string="Agreed months in a period",
        readonly=True,
        help="How many months each period of the next plan had when the customer "
        "agreed to it.",
    )
    next_carry_periods = fields.Integer(
        string="Agreed carry-over",
        readonly=True,
        help="For how many periods the next plan carried over what is unused when the "
        "customer agreed to it.",
    )
    next_incidents = fields.Integer(
        string="Agreed incidents per period",
        readonly=True,
        help="How many incidents each period of the next plan had when the customer "
        "agreed to it.",
    )
    next_currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)

    def _differences(self, order):
        """Return what a renewal takes that the customer has not agreed to, in words.

        :param order: the ``sale.order`` of the renewal.
        :return: empty if it takes nothing else.
        :rtype: list[str]
        """
        self.ensure_one()
        return order._incident_terms().differences(self._agreed_terms(), self.env)

    def _differences_words(self):
        """Return what the renewal that waits for the consent of the customer takes that
        was not agreed to, as a sentence; nothing where it waits for something else.

        :rtype: str
        """
        self.ensure_one()
        order = self._open_orders().filtered("incident_automatic")[:1]
        if self.renewal_problem != "confirm" or not order:
            return ""
        differences = self._differences(order)
        if not differences:
            return ""
        return self.env._("It is not the same: %(what)s.", what="; ".join(differences))

    def _agreed_terms(self):
        """Return what the customer has bought last, or has agreed to with a scheduled
        change. Credit notes of goodwill, and money paid back, lower no price.

        Extra incidents were bought for the months that were left then: they are agreed
        to for all months of the plan, and what rounding makes of that is no other
        price.

        :rtype: Terms
        """
        if self._scheduled_plan():
            return Terms(
                kind="period",
                months=self.next_months,
                period=self.next_period_months or 1,
                carry=self.next_carry_periods,
                incidents=self.next_incidents,
                price=self.next_price * self.next_months,
                currency=self.next_currency_id,
            )
        lines = self._last_lines()
        plan = lines.filtered(lambda line: line.incident_operation != "extra")[-1:]
        price = 0
        for line in lines:
            paid = line._incident_agreed_price()
            if line.incident_operation == "extra":
                paid *= plan.incident_term_months / line.incident_term_months
                if line.incident_term_months != plan.incident_term_months:
                    paid += line.currency_id.rounding
            price += paid
        return Terms(
            kind="period",
            months=plan.incident_term_months,
            period=max(plan.incident_period_months, 1),
            carry=plan.incident_carry_periods,
            incidents=sum(line._incident_number() for line in lines),
            price=price,
            # Of several there is no sum.
            currency=lines.currency_id[len(lines.currency_id) > 1 :][:1],
        )

    def _last_lines(self):
        """Return the order lines that have paid for the last month."""
        lines = self.env["sale.order.line"]
        for term, given in self._numbers().items():
            if any(
                number and last == self.date_end
                for (_first, last), number in given.items()
            ):
                lines |= term.sale_line_id
        return lines


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_agreed_values(self):
        """Return what a subscription remembers of an offer that was agreed to."""
        terms = self._incident_terms()
        return {
            "next_price": terms.price / max(terms.months, 1),
            "next_months": terms.months,
            "next_period_months": terms.period,
            "next_carry_periods": terms.carry,
            "next_incidents": terms.incidents,
            "next_currency_id": terms.currency.id,
        }


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_agreed_price(self):
        """Return what was agreed on for this line, taxes included, in its currency: as
        it was invoiced last, else as it was ordered; what a discount of its own takes
        is left out."""
        self.ensure_one()
        invoices = self._incident_posted_lines("out_invoice")
        last = invoices.filtered(lambda line: line.move_id == invoices[-1:].move_id)
        quantity = sum(self._incident_quantity_of(line) for line in last)
        if quantity <= 0:
            return self.price_total * self.order_id._incident_undiscounted_share()
        price = sum(
            line.currency_id._convert(
                line.price_total * self._incident_undiscounted_part(line),
                self.currency_id,
                self.company_id,
                line.date,
            )
            for line in last
        )
        return price / quantity * self.product_uom_qty

    def _incident_undiscounted_part(self, invoice_line):
        """Return which part of its price a posted line charges, beside discounts."""
        price = -invoice_line.balance
        return self._incident_value_of(invoice_line) / price if price else 1
