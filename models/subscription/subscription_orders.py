"""The orders that act on a subscription: extra incidents (R9.4), renewal (R9.5) and
change of plan (R9.6). What can be ordered is in ``subscription_plans.py``, with which
lines in ``subscription_lines.py``; who orders, by ``subscription_operation.py``.

Each is an ordinary order, which is reviewed and paid as any other (R8.3), and taken
back with its payment (R8.4). Its lines say what they do (``OPERATIONS``); what becomes
of it is written by ``_settle`` (``subscription_settle.py``).
"""

from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL

from ..ledger.helpdesk_incident_protected import REMEMBER
from .subscription_agreed import NOTHING_AGREED

#: What an order for a subscription keeps of the one before (R9.9).
KEPT = (
    "partner_invoice_id",
    "partner_shipping_id",
    "client_order_ref",
    "pricelist_id",
    "payment_term_id",
    "fiscal_position_id",
    "user_id",
    "team_id",
)
#: What takes the place of what, if both wait for their payment.
REPLACING = {"renew", "change"}
NOTHING_SCHEDULED = {"next_product_id": False, **NOTHING_AGREED}


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
            .with_company(self._order_company())
            .new(
                {
                    **self._order_values(partner),
                    "order_line": [Command.create(line) for line in lines],
                }
            )
        )

    def _make_order(self, lines, partner=None, automatic=False):
        """Make an order of these lines, for the customer to review and pay. Where there
        is nothing to pay, it is confirmed by being made, but not automatically.

        What waits for its payment and does the same is this order already, and is
        returned. What it takes the place of is cancelled: one renewal, one change.

        :param bool automatic: whether it renews the subscription automatically.
        :raise UserError: if what it takes the place of is just being paid; if the
            customer leaves too many orders unpaid; if it costs nothing, and that is not
            for the user to decide (R7.3).
        :return: the ``sale.order`` with superuser rights.
        """
        self.ensure_one()
        self.account_id._lock()
        order = self._same_order(lines) or self._new_order(lines, partner, automatic)
        free = order.order_line._incident_unconfirmed()
        waiting = self._free_to_confirm(order, automatic)
        (free - waiting)._incident_remember(incident_free=True)
        if automatic:
            return order
        nothing = order.currency_id.is_zero(order.amount_total)
        if nothing or waiting._incident_user()._is_internal():
            # (Customers may pay for the rest of what they order.)
            waiting._incident_confirm()
        if nothing:
            order._validate_order()
        return order

    def _same_order(self, lines):
        """Return the order of these lines that waits for its payment, if there is one.

        :rtype: recordset
        """
        return self._open_orders().filtered(
            lambda order: (
                order._incident_sells(lines)
                and not order.is_expired
                and order.partner_id.commercial_partner_id == self.partner_id
            )
        )[:1]

    def _new_order(self, lines, partner, automatic):
        if any(line["incident_operation"] in REPLACING for line in lines):
            self._supersede()
        values = self._order_values(partner)
        orders = self.env["sale.order"]
        company = self._order_company()
        orders._incident_check_unpaid(self.partner_id, company)
        order = orders.sudo().with_company(company).create(values)
        order._incident_remember(incident_automatic=automatic)
        self.env["sale.order.line"].sudo().with_context(
            incident_protected=REMEMBER
        ).create([{**line, "order_id": order.id} for line in lines])
        if lines[0].get("incident_date_from"):
            order.validity_date = self._boundary() - timedelta(days=1)
        order.action_quotation_sent()
        return order

    def _free_to_confirm(self, order, automatic=False):
        """Return the lines of an order for this subscription that cost nothing, and
        wait for a helpdesk manager (R7.3): where a renewal is automatic, or costs
        something, what costs nothing already goes on.

        :param order: the ``sale.order``, or an offer that is never saved.
        """
        waiting = order.order_line._incident_unconfirmed()
        if automatic or order.currency_id.compare_amounts(order.amount_total, 0) > 0:
            waiting -= waiting.filtered(self._is_free_already)
        return waiting

    def _is_free_already(self, line):
        """Return whether a helpdesk manager has confirmed that what this line renews
        costs nothing, as much of it, or has scheduled it so."""
        if line.incident_operation not in ("renew", "extra") or line.incident_term_id:
            return False
        scheduled = self._scheduled_plan()
        if scheduled:
            ordered = line.order_id.order_line.product_id
            return scheduled in ordered and not self.next_price
        number = sum(
            number
            for term, given in self._numbers().items()
            for (_first, last), number in given.items()
            if last == self.date_end
            and term.sale_line_id.product_id == line.product_id
            and term.sale_line_id.incident_free
            and term.sale_line_id._incident_is_free()
        )
        return line._incident_number() <= number

    def _order_values(self, partner):
        """Return the values of an order for this subscription: what was agreed on with
        the last one stays (R9.9), but for what was archived since. What is empty there
        was left to be looked up."""
        values = self.env["sale.order"]._incident_order_values(
            partner or self._orderer(), self._order_company()
        )
        last = self.sudo().term_ids.sale_line_id.order_id.sorted("id")[-1:]
        gone = last.partner_id.commercial_partner_id - self.sudo().partner_id
        for name in KEPT if last else ():
            value = last[name]
            if not value:
                continue
            if isinstance(value, str):
                values[name] = value
            elif value._name == "res.partner" and value.commercial_partner_id & gone:
                continue  # whoever had ordered belongs to another customer by now
            elif name == "pricelist_id" and not last._incident_pricelist_is_chosen():
                continue
            elif "active" not in value._fields or value.active:
                # (OdooBot is not.)
                values[name] = value.id
        return values

    def _order_company(self):
        """Return the company that sells what is ordered for this subscription: the
        branch that did so last (R2.3). Pages that ask for more as well: see
        :meth:`_sold_and_given`."""
        self.env["helpdesk.incident.subscription.term"].flush_model(
            ["subscription_id", "sale_line_id"]
        )
        self.env["sale.order.line"].flush_model(["company_id", "order_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT line.company_id
                  FROM sale_order_line line
                 WHERE line.id = ANY(ARRAY(
                     SELECT sale_line_id FROM helpdesk_incident_subscription_term
                      WHERE subscription_id IN %s))
                 ORDER BY line.order_id DESC LIMIT 1
                """,
                tuple(self.ids or [0]),
            )
        )
        companies = self.env["res.company"].sudo()
        return companies.browse(rows[0]) if rows else self.company_id

    def _orderer(self):
        """Return the contact of the customer who has ordered for this subscription
        last; whoever has moved to another customer since orders nothing for it."""
        customer = self.sudo().partner_id
        orders = self.sudo().term_ids.sale_line_id.order_id.sorted("id")
        contacts = orders.partner_id.filtered(
            lambda partner: partner.active and partner.commercial_partner_id == customer
        )
        return contacts[-1:] or customer

    def _schedule(self, plan=None):
        """Schedule a change for the end of what is paid (R9.6), or none.

        :raise UserError: if something is just being paid in its place; if it costs
            nothing, and the user is no helpdesk manager (R7.3).
        """
        self.ensure_one()
        self.account_id._lock()
        self._supersede()
        agreed = NOTHING_SCHEDULED
        if plan:
            self.next_product_id = plan
            offer = self._operation("renew").offer()
            free = offer.order_line._incident_unconfirmed()
            if free._incident_user()._is_internal():
                free._incident_check_may_confirm()
            agreed = {"next_product_id": plan.id, **offer._incident_agreed_values()}
            self._agree(self.env.user.partner_id)
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

        :raise UserError: if one of them is just being paid, or a bank transfer for one
            was announced some days ago (R8.13).
        """
        orders = self._open_orders(REPLACING)
        for order in orders:
            if order._incident_is_being_paid():
                raise UserError(
                    self.env._(
                        "%(order)s is just being paid. Wait until that is done.",
                        order=order.name,
                    )
                )
            if order._incident_is_awaited():
                raise UserError(
                    self.env._(
                        "The bank transfer for %(order)s is still awaited. Wait for "
                        "it, pay the order otherwise, or ask us to cancel it.",
                        order=order.name,
                    )
                )
        orders._incident_withdraw()

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
        if not order.incident_automatic:
            for subscription in self.sudo():
                subscription._agree(order._incident_agreed_by())
