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
            lines._incident_check_asked({})
        return lines

    def write(self, vals):
        """Override for R8.3."""
        if "product_uom_qty" not in vals or not self.env.user.share:
            return super().write(vals)
        before = {line: line.product_uom_qty for line in self}
        res = super().write(vals)
        self._incident_check_asked(before)
        return res

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
            most = max(before.get(line, line.product_uom_qty), 1)
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
        for nothing, and customers choose how many. Others, as rewards, core counts."""
        if not self._can_be_edited_on_portal():
            return False
        price = self.price_unit * (1 - self.discount / 100)
        sign = self.currency_id.compare_amounts(price, 0)
        return sign < 0 or (not sign and bool(self.incident_kind))
