"""What an order is to subscriptions (R9)."""

from odoo import models
from odoo.exceptions import UserError


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

    def _incident_pricelist_is_chosen(self):
        """Return whether the pricelist of this order was chosen, for it or for the
        customer: it is not the one that everybody has.

        :rtype: bool
        """
        country = self.partner_id.country_id
        pricelists = self.env["product.pricelist"].with_company(self.company_id)
        usual = pricelists._get_country_pricelist_multi([country.id])[country.id]
        return bool(self.pricelist_id) and self.pricelist_id != usual

    def _incident_check_reorder(self):
        """Check that what is to be ordered once more does not act on a subscription: a
        change of plan would be both plans at full price (R24.3).

        :raise UserError: which says where to renew instead.
        """
        subscription = self.sudo().order_line.incident_subscription_id[:1]
        if subscription:
            raise UserError(
                self.env._(
                    "%(order)s was for your subscription %(plan)s, and cannot be "
                    "ordered again. Renew the subscription instead: %(link)s",
                    order=self.name,
                    plan=subscription.product_id.display_name,
                    link=f"{self.get_base_url()}/my/incidents/subscription/"
                    f"{subscription.id}/renew",
                )
            )
