"""What an opening balance does when it is confirmed, and cancelled (R21.4)."""

from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ... import periods
from ..ledger.helpdesk_incident_protected import REMEMBER


class Part(NamedTuple):
    """What one order line of a subscription sells."""

    #: how many months from the anchor its first period begins
    first: int
    months: int
    #: incidents in each period, and how many of all were gone before
    number: int
    before: int
    #: whether they are extra incidents
    extra: bool


class HelpdeskIncidentOpening(models.Model):
    _inherit = "helpdesk.incident.opening"

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_confirm(self):
        """Give what is entered, by an order for each. What is confirmed already is left
        alone.

        :raise AccessError: if the user is no helpdesk manager (R14).
        :raise UserError: if one of them cannot be given; none is, then.
        """
        account_model = self.env["helpdesk.incident.account"]
        account_model._check_manager()
        self.check_access("write")
        drafts = self.filtered(lambda opening: opening.state == "draft").sorted("id")
        # Months may have passed since they were entered.
        drafts._check_balance()
        drafts = drafts.sudo()
        holders = {opening: opening._holder() for opening in drafts}
        opened = account_model._get_or_create(list(holders.values()))
        accounts = {o: opened[holder].sudo() for o, holder in holders.items()}
        account_model.sudo().union(*accounts.values())._lock()
        drafts._mark(accounts)
        for company, openings in drafts.grouped("company_id").items():
            openings.with_company(company)._open()

    def action_cancel(self):
        """Take back what was given and not used: unused rests of periods, and lifetime
        incidents, which may be below zero then (R8.4).

        :raise AccessError: if the user is no helpdesk manager (R14).
        :raise UserError: if one of them was not confirmed.
        """
        self.env["helpdesk.incident.account"]._check_manager()
        self.check_access("write")
        for opening in self:
            if opening.state == "draft":
                raise UserError(
                    self.env._(
                        "%(reference)s has given nothing yet: change or delete it.",
                        reference=opening.reference,
                    )
                )
        confirmed = self.sudo().filtered(lambda opening: opening.state == "confirmed")
        orders = confirmed.order_id.with_context(incident_protected=REMEMBER)
        orders.write({"state": "cancel"})
        for company, openings in confirmed.grouped("company_id").items():
            openings._incident_remember(
                state="cancelled", date_cancelled=company._incident_today()
            )

    def action_view_order(self):
        """Show the order."""
        self.ensure_one()
        self.check_access("read")
        return self.order_id._get_records_action()

    def action_view_entries(self):
        """Show what was given, and taken back."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_entry_action"
        )
        domain = self.sudo().order_id._incident_entries_domain()
        return {**action, "domain": domain, "context": {}}

    def action_view_subscription(self):
        """Show the subscription that lives on."""
        self.ensure_one()
        self.check_access("read")
        order = self.sudo().order_id
        return order._incident_subscriptions().with_env(self.env)._action_open()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _holder(self):
        return self.partner_id.commercial_partner_id.id, self.company_id.id

    def _mark(self, accounts):
        """Remember what customers need not be given any more (R6.1, R6.2).

        :param dict accounts: the account of each of these.
        """
        none = self.env["helpdesk.incident.account"].sudo()
        none.union(
            *(accounts[opening] for opening in self if opening.registered)
        )._set_registered()
        none.union(
            *(accounts[opening] for opening in self if opening.first_payment)
        ).filtered(lambda account: not account.first_payment)._write_first_payment(
            "past"
        )

    def _open(self):
        """Make and confirm the orders of these openings of one company."""
        company = self.env.company
        orders = (
            self.env["sale.order"]
            .with_context(
                incident_protected=REMEMBER,
                mail_create_nosubscribe=True,
                mail_create_nolog=True,
                tracking_disable=True,
                mail_notrack=True,
                mail_activity_automation_skip=True,
                validate_analytic=False,
            )
            .create([opening._order_values() for opening in self])
        )
        for opening, order in zip(self, orders, strict=True):
            opening._incident_remember(
                order_id=order.id,
                state="confirmed",
                date_confirmed=company._incident_today(),
                # That of the legal entity, as its reports (R2.3).
                deferred=company.root_id.incident_opening_deferred,
            )
            opening._price(order)
        orders.action_confirm()
        for opening, order in zip(self, orders, strict=True):
            if not all(order.order_line.mapped("incident_account_id")):
                # Another fault is recorded, and tried again (R3.9). This is not to be
                # half done.
                raise ValidationError(
                    self.env._(
                        "%(reference)s could not be given. The reason is in the "
                        "server's log.",
                        reference=opening.reference,
                    )
                )

    def _order_values(self):
        """Return the values of the order: without a pricelist, a team or whatever else
        would count in figures, or be kept by the next order (R9.9)."""
        values = self.env["sale.order"]._incident_order_values(
            self.partner_id, self.company_id
        )
        return {
            **values,
            "pricelist_id": False,
            "team_id": False,
            "payment_term_id": False,
            "require_payment": False,
            "origin": self.reference,
            "incident_opening": True,
            "incident_grant_on": "paid",
            "order_line": [Command.create(line) for line in self._line_values()],
        }

    def _line_values(self):
        """Return the values of the order lines: one, or the plan and its extra
        incidents of each term of a subscription."""
        lines = (
            self._subscription_lines()
            if self.incident_kind == "period"
            else [
                {
                    "product_id": self.product_id.id,
                    "product_uom_qty": 1,
                    "price_unit": self.value,
                    "tax_ids": [Command.clear()],
                    "incident_kind": self.incident_kind,
                    "incident_quantity": self.quantity,
                    "incident_term_months": self.product_id.incident_term_months,
                }
            ]
        )
        # A helpdesk manager enters them (R7.3).
        return [
            {
                **line,
                "product_uom_id": self.product_id.uom_id.id,
                "discount": 0,
                "analytic_distribution": False,
                "incident_free": True,
                "incident_opening_value": value,
            }
            for line, value in zip(lines, self._values_by_line(), strict=True)
        ]

    def _values_by_line(self):
        """Return the part of the value that each order line has: evenly by what is left
        of it; the last one takes the rounding."""
        left = self._left_by_line()
        values, passed, spent = [], 0, 0
        for number in left:
            passed += number
            share = self.currency_id.round(self.value * passed / (sum(left) or 1))
            values.append(self.currency_id.round(share - spent))
            spent = share
        return values

    def _left_by_line(self):
        """Return how many incidents each order line gives, of all periods."""
        if self.incident_kind != "period":
            return [self.quantity]
        length = self.product_id.incident_period_months
        return [
            part.number * (part.months // length) - part.before
            for part in self._parts()
        ]

    # -- subscriptions -----------------------------------------------------

    def _months_paid(self):
        """Return how many months are paid for from the first day on, to the month of
        the last day."""
        return periods.number_at(self.date_start, self.date_end) + 1

    def _terms(self):
        """Return the terms that are running and paid ahead: the last one ends with the
        last day, and each is as long as the plan's, as far as it does not begin before
        the first day.

        :return: number of its first month, and how many it has.
        :rtype: list[tuple[int, int]]
        """
        now = periods.number_at(self.date_start, self.date)
        end, terms = self._months_paid(), []
        while end > now:
            months = min(self.product_id.incident_term_months, end)
            end -= months
            terms.insert(0, (end, months))
        return terms

    def _parts(self):
        """Return the order lines of a subscription. Of what is left of the current
        period, the plan's incidents are counted first.

        :rtype: list[Part]
        """
        length = self.product_id.incident_period_months
        now = periods.number_at(self.date_start, self.date)
        parts = []
        for first, months in self._terms():
            begun, left = max((now - first) // length + 1, 0), self.current_left
            for number, extra in (
                (self._per_period(), False),
                (self.extra_incidents, True),
            ):
                kept = min(left, number)
                left -= kept
                gone = number * begun - kept if begun else 0
                if number:
                    parts.append(Part(first, months, number, gone, extra))
        return parts

    def _subscription_lines(self):
        plan = self.product_id
        length = plan.incident_period_months
        extra = {
            "product_id": plan.incident_extra_product_id.id,
            "price_unit": 0,
            "incident_operation": "extra",
            "incident_quantity": 1,
        }
        own = {
            "product_id": plan.id,
            "product_uom_qty": self.quantity,
            "incident_quantity": plan.incident_quantity,
        }
        return [
            {
                **(
                    {**extra, "product_uom_qty": part.number * (part.months // length)}
                    if part.extra
                    else own
                ),
                "incident_kind": "period",
                "incident_term_months": part.months,
                "incident_period_months": length,
                "incident_carry_periods": plan.incident_carry_periods,
                "incident_before": part.before,
            }
            for part in self._parts()
        ]

    def _price(self, order):
        """Set the price of a unit so that each term costs what was agreed, taxes
        included: that is what is credited of it (R9.6)."""
        for line in order.order_line.filtered(
            lambda line: line.incident_kind == "period" and not line.incident_operation
        ):
            tax_model = self.env["account.tax"]
            base_line = tax_model._prepare_base_line_for_taxes_computation(
                {},
                tax_ids=line.tax_ids,
                price_unit=self.agreed_price,
                quantity=1.0,
                currency_id=order.currency_id,
                product_id=line.product_id,
                partner_id=order.partner_id,
                special_mode="total_included",
            )
            tax_model._add_tax_details_in_base_line(base_line, order.company_id)
            details = base_line["tax_details"]
            # As it is entered: with those taxes that prices include.
            price = details["raw_total_excluded_currency"] + sum(
                data["raw_tax_amount_currency"]
                for data in details["taxes_data"]
                if data["tax"].price_include
            )
            line.price_unit = price / line.product_uom_qty

    def _begin(self, lines):
        """Begin the subscription that was brought over, with its terms.

        :param lines: the lines of the order.
        """
        self.ensure_one()
        subscription = self.env["helpdesk.incident.subscription"]._start(
            lines[0], date_start=self.date_start, auto_renew=self.auto_renew
        )
        terms = self.env["helpdesk.incident.subscription.term"]
        for line, part in zip(lines, self._parts(), strict=True):
            first = periods.first_day(self.date_start, part.first)
            terms.create(
                {
                    "subscription_id": subscription.id,
                    "sale_line_id": line.id,
                    **terms._values(line, self.date_start, first),
                }
            )
        subscription._update_summary()
