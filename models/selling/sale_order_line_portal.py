"""What customers may ask for in an order (R8.3)."""

from odoo import api, models
from odoo.exceptions import UserError


class SaleOrderLine(models.Model):
    """Prices are what staff and core say (R8.3): core lets customers, and whoever has a
    link to an order, write quantities of optional lines, whatever they are.
    """

    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        """Override for R8.3."""
        lines = super().create(vals_list)
        if self.env.user.share:
            lines._incident_check_added()
        return lines

    def write(self, vals):
        """Override for R8.3."""
        if "product_uom_qty" not in vals or not self.env.user.share:
            return super().write(vals)
        before = {line: line.product_uom_qty for line in self}
        res = super().write(vals)
        self._incident_check_asked(before)
        return res

    def _incident_check_added(self):
        """Check the lines that a share user has added to orders with a plan, and those
        that were there already if the plan has come only now.

        :raise UserError: as for `_incident_check_asked`.
        """
        new = self.sudo()
        came = new.order_id.filtered(
            lambda order: order.order_line.filtered("incident_kind") <= new
        )
        # Of renewals and other operations, this module says how many.
        counted = {
            line: line.product_uom_qty for line in new if line.incident_operation
        }
        (new | came.order_line)._incident_check_asked(counted)

    def _incident_check_asked(self, before):
        """Check the quantities that a share user has asked for, of orders with a plan.

        :param dict before: by line, the quantity that was there.
        :raise UserError: if one is below zero; or if more is asked for of what costs
            nothing, or less, than staff offers: one, or what was there.
        """
        for line in self.sudo().filtered("order_id.incident_has_plan"):
            if line.product_uom_qty < 0:
                raise UserError(
                    self.env._(
                        "%(product)s: enter how many you want, 0 or more.",
                        product=line.product_id.display_name,
                    )
                )
            most = max(before.get(line, 0), 1)
            if line.product_uom_qty > most and line._incident_is_gift():
                raise UserError(
                    self.env._(
                        "%(product)s: at this price no more than %(most)s can be "
                        "taken.",
                        product=line.product_id.display_name,
                        most=f"{most:g}",
                    )
                )

    def _incident_is_gift(self):
        """Return whether more of this line makes its order cheaper, or gives incidents
        for nothing: its price is below zero, be it by less than can be paid, or it
        sells incidents and all of it costs nothing. Rewards are counted by core."""
        if "is_reward_line" in self._fields and self.is_reward_line:
            return False
        together = self._incident_together()
        price = sum(line.price_unit * (1 - line.discount / 100) for line in together)
        return price < 0 or (
            self.currency_id.is_zero(price * self.product_uom_qty)
            and any(line.incident_kind for line in together)
        )

    def _incident_together(self):
        """Return the lines that are paid together: this one or, where it belongs to a
        combo, all of that; core gives each item a part of the price. Where there are
        not as many of each item, a line stands for itself."""
        combo = self.linked_line_id if self.combo_item_id else self
        items = combo.linked_line_ids.filtered("combo_item_id")
        if any(item.product_uom_qty != self.product_uom_qty for item in items):
            return self
        return self | combo | items
