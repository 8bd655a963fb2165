"""The orders that act on a subscription: extra incidents (R9.4), renewal (R9.5) and
change of plan (R9.6).

Each is an ordinary order, which is reviewed and paid as any other (R8.3), and taken
back with its payment (R8.4). Its lines say what they do (``OPERATIONS``); what becomes
of it is written by ``_settle`` (``helpdesk_incident_subscription_settle.py``).
"""

from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

from .. import periods
from ..fields import MAX_INCIDENTS
from .helpdesk_incident_memory import REMEMBER

#: What takes the place of what, if both wait for their payment.
REPLACING = {"renew", "change"}
NOTHING_SCHEDULED = {
    "next_product_id": False,
    "next_price": 0,
    "next_currency_id": False,
}


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    next_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Next Plan",
        readonly=True,
        ondelete="restrict",
        help="The plan that the next renewal is for: a change of plan that was "
        "scheduled for the end of what is paid.",
    )
    next_price = fields.Float(
        string="Agreed price per month",
        digits="Product Price",
        readonly=True,
        help="What the customer has agreed to pay for each month of the next plan, "
        "taxes included.",
    )

    next_currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)

    # ------------------------------------------------------------------
    # What can be ordered
    # ------------------------------------------------------------------

    def _can_renew(self):
        """Return whether this subscription can be renewed (R9.5)."""
        self.ensure_one()
        return self.state in ("active", "ended")

    def _can_add_extra(self):
        """Return whether extra incidents can be bought for it (R9.4)."""
        self.ensure_one()
        return self._is_running() and bool(self._extra_product())

    def _can_change(self):
        """Return whether the plan can be changed (R9.6): while it is active, and what
        is running and ahead is paid in full."""
        self.ensure_one()
        return (
            self._is_running()
            and bool(self._change_plans())
            and all(
                line._incident_is_paid_in_full()
                for line in self._terms_ahead().sale_line_id
            )
        )

    def _today(self):
        return self.company_id._incident_today()

    def _extra_product(self):
        """Return the product that is the price of an extra incident, if it is sold."""
        return self._sold_extra(self.product_id)

    def _sold_extra(self, plan):
        product = plan.sudo().incident_extra_product_id
        return product.filtered(lambda product: product.active and product.sale_ok)

    def _sold(self, plans):
        """Return those of these plans that can be sold at present."""
        return plans.filtered(
            lambda plan: (
                plan.active
                and plan.sale_ok
                and plan.incident_kind != "none"
                and plan.company_id in (self.company_id, plan.company_id.browse())
            )
        )

    def _renewal_plans(self):
        """Return the plans that it can be renewed with (R9.5): the terms and the
        lifetime variants of its product; where a change was scheduled, of the next
        one.

        :return: ``product.product`` records with superuser rights.
        """
        plan = self._next_plan().sudo()
        return self._sold(plan.product_tmpl_id.product_variant_ids)

    def _scheduled_plan(self):
        """Return the plan that a change was scheduled to, while it is another one."""
        return self.next_product_id - self.product_id

    def _next_plan(self):
        """Return the plan that the next renewal is for."""
        return self._scheduled_plan() or self.product_id

    def _change_plans(self):
        """Return the plans that it can be changed to (R9.6).

        :return: ``product.product`` records with superuser rights.
        """
        templates = self.product_id.sudo().incident_change_template_ids
        plans = self._sold(templates.product_variant_ids) - self.product_id
        return plans.filtered(lambda plan: plan.incident_kind == "period")

    def _in_portal(self, plans):
        """Return those of these plans that the customer can order in the portal (R8.1):
        published ones; and its own one, which goes on for who has it."""
        published = self.env["sale.order"]._incident_plans(self.company_id)
        return plans & (published | self.product_id)

    def _terms_ahead(self):
        """Return the terms that have incidents in the current month or a later one."""
        numbers, today = self._numbers(), self._today()
        return self.term_ids.filtered(
            lambda term: any(
                number and last >= today
                for (_first, last), number in numbers.get(term, {}).items()
            )
        )

    def _current_number(self):
        """Return the number of the current month, counted from the anchor."""
        return periods.number_at(self.date_start, self._today())

    def _boundary(self):
        """Return the first day of the next month (R9.6)."""
        return periods.first_day(self.date_start, self._current_number() + 1)

    def _last_plan_term(self):
        return self.term_ids.filtered(
            lambda term: term.kind != "extra" and term.anchor == self.date_start
        ).sorted("id")[-1:]

    # ------------------------------------------------------------------
    # What is ordered
    # ------------------------------------------------------------------

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
            extra = self.extra_incidents if self._sold_extra(plan) else 0
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
            lines.append(self._extra_line(product, extra, plan.incident_term_months))
        return lines

    def _extra_values(self, number):
        """Return the lines of extra incidents (R9.4), from the current month to the
        last one that is paid.

        :param int number: incidents more in each month, 1 or more.
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
        current = self._current_number()
        months = periods.number_at(self.date_start, self.date_end) - current + 1
        return [
            {
                **self._extra_line(self._extra_product(), number, months),
                "incident_term_id": self._last_plan_term().id,
                "incident_date_from": periods.first_day(self.date_start, current),
            }
        ]

    def _extra_line(self, product, number, months):
        return {
            "product_id": product.id,
            "product_uom_id": product.uom_id.id,
            "product_uom_qty": number * months,
            "incident_operation": "extra",
            "incident_subscription_id": self.id,
            "incident_kind": "period",
            "incident_quantity": 1,
            "incident_term_months": months,
        }

    def _change_values(self, plan, partner=None):
        """Return the lines of a change of plan (R9.6): the new plan from the next
        month on, and what is credited of the old one.

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
            "incident_term_id": self._last_plan_term().id,
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
        }

    # ------------------------------------------------------------------
    # Ordering
    # ------------------------------------------------------------------

    def _offer(self, lines, partner=None):
        """Return an order of these lines that is never saved, for its prices and taxes.

        :param list[dict] lines: values of ``sale.order.line``.
        :param partner: who orders; by default who did last.
        """
        return (
            self.env["sale.order"]
            .sudo()
            .with_company(self.company_id)
            .new(
                {
                    **self._order_values(partner),
                    "order_line": [Command.create(line) for line in lines],
                }
            )
        )

    def _make_order(self, lines, partner=None, automatic=False):
        """Make an order of these lines, for the customer to review and pay. One that
        costs nothing is confirmed by being made.

        :param bool automatic: whether it renews the subscription automatically.
        What waits for its payment and does the same is this order already, and is
        returned. What it takes the place of is cancelled: one renewal, one change.

        :raise UserError: if what it takes the place of is just being paid, or the
            customer leaves too many orders unpaid.
        :return: the ``sale.order`` with superuser rights.
        """
        self.ensure_one()
        self.account_id._lock()
        for order in self._open_orders():
            if (
                order._incident_sells(lines)
                and not order.is_expired
                and order.partner_id.commercial_partner_id == self.partner_id
            ):
                return order
        if any(line["incident_operation"] in REPLACING for line in lines):
            self._supersede()
        values = self._order_values(partner)
        orders = self.env["sale.order"]
        orders._incident_check_unpaid(self.partner_id, self.company_id)
        order = orders.sudo().with_company(self.company_id).create(values)
        order._incident_remember(incident_automatic=automatic)
        self.env["sale.order.line"].sudo().with_context(
            incident_memory=REMEMBER
        ).create([{**line, "order_id": order.id} for line in lines])
        if lines[0].get("incident_date_from"):
            order.validity_date = self._boundary() - timedelta(days=1)
        order.action_quotation_sent()
        if order.currency_id.is_zero(order.amount_total):
            order._validate_order()
        return order

    def _order_values(self, partner):
        return self.env["sale.order"]._incident_order_values(
            partner or self._orderer(), self.company_id
        )

    def _orderer(self):
        """Return the contact of the customer who has ordered for this subscription
        last; whoever has moved to another customer since orders nothing for it."""
        customer = self.sudo().partner_id
        orders = self.sudo().term_ids.sale_line_id.order_id.sorted("id")
        contacts = orders.partner_id.filtered(
            lambda partner: partner.active and partner.commercial_partner_id == customer
        )
        return contacts[-1:] or customer

    def _order_renewal(self, plan=None, extra=None, partner=None, automatic=False):
        """Make a renewal order (R9.5). See :meth:`_renewal_values`,
        :meth:`_make_order`."""
        lines = self._renewal_values(plan, extra)
        return self._make_order(lines, partner, automatic)

    def _order_extra(self, number, partner=None):
        """Make an order of extra incidents (R9.4). See :meth:`_extra_values`,
        :meth:`_make_order`."""
        return self._make_order(self._extra_values(number), partner)

    def _order_change(self, plan, partner=None):
        """Make an order to change the plan, or schedule the change where the credit is
        more than the new plan costs (R9.6). See :meth:`_change_values`.

        :return: the order; empty if the change was scheduled.
        """
        lines = self._change_values(plan, partner)
        offer = self._offer(lines, partner)
        if offer.currency_id.compare_amounts(offer.amount_total, 0) < 0:
            self._schedule(plan)
            return self.env["sale.order"]
        return self._make_order(lines, partner)

    def _schedule(self, plan=None):
        """Schedule a change for the end of what is paid (R9.6), or none."""
        self.ensure_one()
        self.account_id._lock()
        self._supersede()
        agreed = NOTHING_SCHEDULED
        if plan:
            self.next_product_id = plan
            offer = self._offer(self._renewal_values())
            agreed = {
                "next_product_id": plan.id,
                "next_price": offer._incident_price_per_month(),
                "next_currency_id": offer.currency_id.id,
            }
        self.write(agreed)

    def _open_orders(self, operations=None):
        """Return the orders on this subscription that wait for their payment.

        :param operations: keys of ``OPERATIONS``, by default any.
        """
        domain = Domain("incident_subscription_id", "in", self.ids) & Domain(
            "state", "in", ("draft", "sent")
        )
        if operations:
            domain &= Domain("incident_operation", "in", list(operations))
        return self.env["sale.order.line"].sudo().search(domain).order_id

    def _supersede(self):
        """Cancel the renewals and changes that wait for their payment: something else
        is about to be ordered in their place.

        :raise UserError: if one of them is just being paid.
        """
        orders = self._open_orders(REPLACING)
        being_paid = orders.filtered(lambda order: order._incident_is_being_paid())
        if being_paid:
            raise UserError(
                self.env._(
                    "%(order)s is just being paid. Wait until that is done.",
                    order=being_paid[0].name,
                )
            )
        orders._action_cancel()

    def _superseded_by(self, order):
        """Follow an order that has begun: its renewal or change takes the place of
        those that wait for their payment, and of what was scheduled."""
        for subscription in self.sudo():
            replacing = order.order_line.filtered(
                lambda line, subscription=subscription: (
                    line.incident_subscription_id == subscription
                    and line.incident_operation in REPLACING
                )
            )
            if not replacing:
                continue
            (subscription._open_orders(REPLACING) - order)._incident_withdraw()
            done = {"renewal_problem": False}
            if replacing.product_id != subscription.next_product_id:
                done |= NOTHING_SCHEDULED
            if "lifetime" in replacing.mapped("incident_kind"):
                done["auto_renew"] = False
            subscription.write(done)
            if order.incident_automatic:
                self.env["helpdesk.incident.reminder"].sudo()._queue_subscription(
                    "renewed", f"{order.id}", subscription, order
                )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_sells(self, lines):
        """Return whether this order has just these lines on subscriptions.

        :param list[dict] lines: values of ``sale.order.line``.
        """
        self.ensure_one()
        return [
            {
                name: line._fields[name].convert_to_write(line[name], line)
                for name in values
                if name != "tax_ids"
            }
            for line, values in zip(self.order_line, lines, strict=False)
        ] == [
            {name: value for name, value in values.items() if name != "tax_ids"}
            for values in lines
        ] and len(self.order_line) == len(lines)

    def _incident_is_being_paid(self):
        """Return whether a payment of this order is under way or done."""
        return bool(
            self.transaction_ids.filtered(
                lambda transaction: (
                    transaction.state in ("pending", "authorized", "done")
                )
            )
        )

    def _incident_undiscounted_share(self):
        """Return which share of the prices of its lines the order costs: a discount or
        a coupon may be a line of its own, which is for all others.

        :rtype: float
        """
        lines = self.order_line.filtered(
            lambda line: line.incident_operation != "credit" and not line.is_downpayment
        )
        prices = lines.mapped("price_subtotal")
        full = sum(price for price in prices if price > 0)
        return max(sum(prices) / full, 0) if full else 1

    def _incident_withdraw(self):
        """Cancel these orders, but those that are just being paid."""
        self.filtered(
            lambda order: not order._incident_is_being_paid()
        )._action_cancel()

    def _incident_price_per_month(self):
        """Return what a month of the periods that this order sells costs, taxes
        included, in its currency."""
        months = max(self.order_line.mapped("incident_term_months"), default=0)
        sold = self.order_line.filtered(
            lambda line: line.incident_kind and line.incident_operation != "credit"
        )
        return sum(sold.mapped("price_total")) / max(months, 1)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_is_paid_in_full(self):
        """Return whether all of this line is paid (R9.6), whenever it gives."""
        self.ensure_one()
        order = self.order_id
        if (
            order.currency_id.is_zero(order.amount_total)
            or order._incident_is_paid_online()
            or order._incident_is_paid_down()
        ):
            return order.state == "sale"
        if order._incident_paid_down_share() < 1:
            return False
        invoices = self._incident_posted_lines("out_invoice")
        quantity = sum(self._incident_quantity_of(line) for line in invoices)
        return quantity >= self.product_uom_qty and all(
            move._incident_is_settled() for move in invoices.move_id
        )

    def _incident_paid_share(self):
        """Return which share of the price of this line was paid for: what was invoiced
        otherwise, and credit notes, counted in (R9.6).

        :rtype: float
        """
        self.ensure_one()
        if self.currency_id.is_zero(self.price_subtotal):
            return 0.0
        quantity, amount = 0, 0
        for line in self.invoice_lines:
            move = line.move_id
            if line.parent_state != "posted" or move.move_type not in (
                "out_invoice",
                "out_refund",
            ):
                continue
            sign = 1 if move.move_type == "out_invoice" else -1
            amount += sign * line.currency_id._convert(
                line.price_subtotal, self.currency_id, self.company_id, line.date
            )
            if sign > 0 or self._incident_is_charge(line):
                quantity += sign * self._incident_quantity_of(line)
        # What is not invoiced yet was paid as it was ordered.
        open_part = max(1 - quantity / self.product_uom_qty, 0)
        share = max(open_part + amount / self.price_subtotal, 0)
        return share * self.order_id._incident_undiscounted_share()
