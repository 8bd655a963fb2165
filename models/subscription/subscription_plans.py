"""What can be ordered for a subscription (R9.4, R9.5, R9.6)."""

from datetime import timedelta

from odoo import models
from odoo.tools import SQL

from ... import periods
from ...sql import flush


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

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
            self._is_running() and bool(self._change_plans()) and self._is_paid_ahead()
        )

    def _is_paid_ahead(self):
        """Return whether what is running and ahead is paid in full."""
        return all(
            line._incident_is_paid_in_full()
            for line in self._terms_ahead().sale_line_id
        )

    def _is_given_ahead(self):
        """Return whether all of what is running and ahead is given, by orders that give
        what is paid, whose invoices are paid: then it is paid in full. That is so of
        most; of others :meth:`_is_paid_ahead` knows.
        """
        return self._sold_and_given()[1]

    def _sold_and_given(self):
        """Return what every page asks of each subscription, by one query: the company
        that sells what is ordered for it, see :meth:`_order_company`, and
        :meth:`_is_given_ahead`.

        :rtype: tuple[recordset, bool]
        """
        flush(
            self.env,
            {
                "account.move": "move_type payment_state",
                "account.move.line": "move_id parent_state",
                "helpdesk.incident.subscription.term": "date_to sale_line_id "
                "subscription_id",
                "sale.order": "incident_grant_on state",
                "sale.order.line": "company_id incident_due incident_free "
                "incident_period_months incident_quantity incident_term_months "
                "incident_units invoice_lines order_id",
            },
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.company_id,
                       term.date_to >= %s
                       AND (line.incident_free
                            OR COALESCE(line.incident_due, 0) < line.incident_quantity
                               * line.incident_units
                               * GREATEST(line.incident_term_months
                                          / GREATEST(line.incident_period_months, 1), 1)
                            OR (SELECT state = 'sale' AND incident_grant_on = 'paid'
                                  FROM sale_order WHERE id = line.order_id) IS NOT TRUE
                            OR EXISTS (
                                SELECT FROM account_move move
                                 WHERE move.move_type = 'out_invoice'
                                   AND move.payment_state NOT IN ('paid', 'in_payment')
                                   AND move.id = ANY(ARRAY(
                                       SELECT move_id FROM account_move_line
                                        WHERE parent_state = 'posted'
                                          AND id = ANY(ARRAY(
                                              SELECT invoice_line_id
                                                FROM sale_order_line_invoice_rel
                                               WHERE order_line_id = line.id))))))
                  FROM helpdesk_incident_subscription_term term
                  JOIN sale_order_line line ON line.id = term.sale_line_id
                 WHERE term.subscription_id = %s
                 ORDER BY line.order_id DESC
                """,
                self._today(),
                self.id,
            )
        )
        companies = self.env["res.company"].sudo()
        company = companies.browse(rows[0][0]) if rows else self.company_id
        return company, not any(other for _company, other in rows)

    def _portal_actions(self):
        """Return what the customer can order for this subscription in the portal: parts
        of the addresses of the pages that do it. They list the plans; here it is enough
        that there is one, however many there are.

        :rtype: set[str]
        """
        self.ensure_one()
        if not self._can_renew():
            return set()
        company, given = self._sold_and_given()
        plan = self.product_id.sudo()
        renewed = self._next_plan().sudo().product_tmpl_id
        offered = {
            # Its own plan goes on for who has it: see `_in_portal`.
            "renew": renewed == plan.product_tmpl_id
            and self._sold_by(company, plan)
            or self._is_one_in_portal(company, SQL("product.id = %s", renewed.id)),
            "extra": self._can_add_extra(),
            "change": self._is_running()
            and self._is_one_in_portal(
                company,
                SQL(
                    """
                    plan.incident_kind = 'period' AND plan.id <> %s
                    AND product.id = ANY(ARRAY(
                        SELECT other_id FROM product_template_incident_change_rel
                         WHERE template_id = %s))
                    """,
                    plan.id,
                    plan.product_tmpl_id.id,
                ),
            )
            and (given or self._is_paid_ahead()),
        }
        return {name for name, can in offered.items() if can}

    def _is_one_in_portal(self, company, condition):
        """Return whether customers of ``company`` can buy a plan that meets
        ``condition``: see ``sale.order._incident_plans_query``."""
        plans = self.env["sale.order"]._incident_plans_query(company, condition)
        self.env["product.template"].flush_model(["incident_change_template_ids"])
        return bool(self.env.execute_query(SQL("%s LIMIT 1", plans)))

    def _today(self):
        return self.company_id._incident_today()

    def _extra_product(self):
        """Return the product that is the price of an extra incident, if it is sold."""
        return self._sold_extra(self.product_id)

    def _sold_extra(self, plan):
        product = plan.sudo().incident_extra_product_id
        return product.filtered(lambda product: product.active and product.sale_ok)

    def _sold(self, plans):
        """Return those of these plans that can be sold at present: those of a parent
        company in its branches, too (R2.3)."""
        return self._sold_by(self._order_company(), plans)

    def _sold_by(self, company, plans):
        sellers = company.sudo().parent_ids
        return plans.filtered(
            lambda plan: (
                plan.active
                and plan.sale_ok
                and plan.incident_kind in ("lifetime", "period")
                and plan.company_id <= sellers
            )
        )

    def _renewal_plans(self):
        """Return the plans that it can be renewed with (R9.5): the terms and the
        lifetime variants of its product; where a change was scheduled, of the next
        one. A pack renews nothing (R15.1).

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
        company = self._order_company()
        return plans.filtered(
            lambda plan: plan == self.product_id or plan._incident_is_in_portal(company)
        )

    def _terms_ahead(self):
        """Return the terms that have incidents in the current month or a later one."""
        numbers, today = self._numbers(), self._today()
        return self.term_ids.filtered(
            lambda term: any(
                number and last >= today
                for (_first, last), number in numbers.get(term, {}).items()
            )
        )

    def _periods_ahead(self):
        """Return the periods from the current one to the last one that is paid for, as
        far as they are as long as the current one (R15.2), in the order of time. A
        renewal can begin later than on the day after the old end (R8.12), and has an
        anchor of its own then; and it can carry over for longer (R15.3).

        :return: how many months each has; and one row after the other of periods that
            are counted from one anchor, carry over for as long, and are no more than a
            term can have: that anchor, how many periods that is, and their first and
            last days.
        :rtype: tuple[int, list[tuple[date, int, list[tuple[date, date]]]]]
        """
        today = self._today()
        # Each period once: where a change of plan was credited in part, two plans have
        # it, and the later one counts.
        ahead = {
            period: (term.anchor, term.carry_periods, term.period_months)
            for term, given in self.sudo()._numbers().items()
            for period, number in given.items()
            if number and period[1] >= today
        }
        length, rows = self.period_months, []
        for period, (anchor, carry, months) in sorted(ahead.items()):
            if not rows:
                length = months
            elif months != length:
                break
            if (
                not rows
                or rows[-1][:2] != (anchor, carry)
                or (len(rows[-1][2]) + 1) * length > periods.MAX_MONTHS
            ):
                rows.append((anchor, carry, []))
            rows[-1][2].append(period)
        return length, rows

    def _boundary(self):
        """Return the first day of the next period (R9.6)."""
        today = self._today()
        _length, ahead = self._periods_ahead()
        for _anchor, _carry, found in ahead:
            first, last = found[0]
            return first if first > today else last + timedelta(days=1)
        number = periods.number_at(self.date_start, today) + 1
        return periods.first_day(self.date_start, number)

    def _plan_term(self, anchor=None):
        """Return the last term of the plan with this anchor, by default with the one
        that the current period is counted from."""
        ahead = self._periods_ahead()[1]
        anchor = anchor or (ahead[0][0] if ahead else self.date_start)
        return self.term_ids.filtered(
            lambda term: term.kind != "extra" and term.anchor == anchor
        ).sorted("id")[-1:]
