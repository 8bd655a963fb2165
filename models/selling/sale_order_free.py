"""What costs nothing is given by helpdesk managers alone (R7.3).

A plan line *costs nothing* where its price is zero, or that of all lines of its order
together. What a change of plan credits was paid before, and is no discount (R9.6). Nor
are rewards of `sale_loyalty`: managers of sales set up programs, coupons and gift
cards, `sale_loyalty` checks and counts them, and who redeems one need not ask anybody
else.

Such a line gives nothing before a helpdesk manager has confirmed that it may cost
nothing, which it remembers (``incident_free``). Whoever of the staff is none is
refused, when the order is confirmed, or made free afterwards. Customers who pay or sign
are not: what they have paid for is theirs, and the rest is listed in *Incidents to
Check*.
"""

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import SQL, format_list
from odoo.tools.sql import column_exists, create_column

from ..groups import MANAGERS
from ..ledger.helpdesk_incident_protected import REMEMBERED


class SaleOrder(models.Model):
    _inherit = "sale.order"

    incident_waits = fields.Boolean(
        string="Waits for a helpdesk manager",
        compute="_compute_incident_waits",
        help="It would give incidents, but that they cost nothing.",
    )

    def _compute_incident_waits(self):
        for order in self:
            lines = order._origin.sudo().order_line
            order.incident_waits = any(line._incident_waits() for line in lines)

    def write(self, vals):
        """Override: lines that change together are looked at together."""
        if "order_line" not in vals:
            return super().write(vals)
        together = self.with_context(incident_lines_change=True)
        res = super(SaleOrder, together).write(vals)
        if self._incident_confirm_free():
            self._incident_changed()
        return res

    def _incident_priced(self):
        """Follow a change of what these orders cost, or that they are confirmed.

        :raise UserError: if staff confirm what costs nothing, and are no helpdesk
            managers (R7.3).
        """
        self._incident_confirm_free()
        self._incident_changed()

    def _incident_confirm_free(self):
        """Let the user confirm what costs nothing of those of these orders that are
        confirmed, if he is of the staff and does so himself.

        :raise UserError: if he is no helpdesk manager (R7.3).
        :return: the lines that he has confirmed by that.
        """
        orders = self.sudo().filtered(lambda order: order.state == "sale")
        free = orders.order_line._incident_unconfirmed()
        if not free._incident_user()._is_internal() or {
            "incident_lines_change",  # in a moment
            "incident_unattended",  # a payment does it, whoever looks at it
        } & set(self.env.context):
            return free.browse()
        free._incident_confirm()
        return free

    def _incident_problems(self):
        """Override: what costs nothing is listed until a helpdesk manager has confirmed
        it (R7.3)."""
        problems = super()._incident_problems()
        waiting = self.order_line.filtered(lambda line: line._incident_waits())
        if waiting:
            lang = waiting.company_id[0].partner_id.lang
            problems.append(waiting.with_context(lang=lang)._incident_free_message())
        return problems


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    incident_free = fields.Boolean(
        string="May cost nothing",
        help="A helpdesk manager has confirmed that its incidents cost nothing.",
        **REMEMBERED,
    )

    def _auto_init(self):
        """Override: what was given for nothing before this was kept, stays given."""
        cr = self.env.cr
        if not column_exists(cr, self._table, "incident_free"):
            create_column(cr, self._table, "incident_free", "bool")
            if column_exists(cr, self._table, "incident_value"):
                cr.execute(
                    SQL(
                        """
                        UPDATE sale_order_line line SET incident_free = TRUE
                         WHERE incident_due > 0
                           AND incident_operation IS DISTINCT FROM 'credit'
                           AND (incident_value <= 0 OR EXISTS (
                               SELECT FROM sale_order_line_invoice_rel rel
                                 JOIN account_move_line item
                                   ON item.id = rel.invoice_line_id
                                WHERE rel.order_line_id = line.id
                                  AND item.parent_state = 'posted'
                                  AND item.price_total <= 0))
                        """
                    )
                )
        return super()._auto_init()

    def _incident_unconfirmed(self):
        """Return those of these lines that cost nothing, as they are ordered, and wait
        for a helpdesk manager (R7.3)."""
        return self.filtered(
            lambda line: not line.incident_free and line._incident_is_free()
        )

    def _incident_is_free(self):
        """Return whether the incidents of this line cost nothing, as they are ordered.

        :rtype: bool
        """
        self.ensure_one()
        if not self.incident_kind or not self.incident_units or self._incident_pays():
            return False
        prices = self.order_id.order_line.filtered(
            lambda line: not line._incident_pays()
        )
        return any(
            self.currency_id.compare_amounts(sum(lines.mapped("price_total")), 0) <= 0
            for lines in (self, prices)
        )

    def _incident_is_charged(self, invoice):
        """Return whether a posted invoice charges something for this line: as it does
        itself, as the lines of the order do together, and as all of it does.

        :rtype: bool
        """
        self.ensure_one()
        if self._incident_pays():
            return True
        prices = invoice.invoice_line_ids.filtered(
            lambda item: (
                not any(
                    line.is_downpayment or line._incident_pays()
                    for line in item.sale_line_ids
                )
            )
        )
        return all(
            invoice.currency_id.compare_amounts(sum(items.mapped("price_total")), 0) > 0
            for items in (
                prices.filtered(lambda item: self in item.sale_line_ids),
                prices.filtered(
                    lambda item: self.order_id in item.sale_line_ids.order_id
                ),
                prices,
            )
        )

    def _incident_pays(self):
        """Return whether this line pays for the others of its order, and is no price or
        discount."""
        return bool(
            self.incident_operation == "credit"
            or ("reward_id" in self._fields and self.reward_id)
        )

    def _incident_waits(self):
        """Return whether this line would give incidents, but that they cost nothing,
        and no helpdesk manager has confirmed it.

        :rtype: bool
        """
        self.ensure_one()
        if self.state != "sale" or self.incident_free or not self.incident_kind:
            return False
        invoices = self._incident_posted_lines("out_invoice").move_id
        if not self._incident_is_free() and all(
            self._incident_is_charged(invoice) for invoice in invoices
        ):
            return False
        return self._incident_due(free=True) > self._incident_due(free=False)

    def _incident_confirm(self):
        """Confirm, as a helpdesk manager, that these lines may cost nothing.

        :raise UserError: if the user is none (R7.3).
        """
        self._incident_check_may_confirm()
        self._incident_remember(incident_free=True)

    def _incident_check_may_confirm(self):
        if self and not self._incident_user().has_group(MANAGERS):
            raise UserError(self._incident_free_message())

    def _incident_user(self):
        """Return who does it: in core's portal pages everybody acts as OdooBot."""
        if request and request.env and self.env.user._is_superuser():
            return request.env.user
        return self.env.user

    def _incident_free_message(self):
        return self.env._(
            "%(plans)s: this costs nothing, and a helpdesk manager has to confirm it.",
            plans=self._incident_plan_names(),
        )

    def _incident_plan_names(self):
        """Return what is sold, and how many of it, in words."""
        names = [
            f"{line.incident_units} × {line.product_id.display_name}"
            if line.incident_units > 1
            else line.product_id.display_name
            for line in self
        ]
        return format_list(self.env, names)
