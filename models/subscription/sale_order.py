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

    def _incident_agreed_by(self):
        """Return who of the customer has agreed to this order, which is confirmed: who
        has paid it himself, else who has ordered it. What staff have ordered, and the
        customer has paid in another way or not yet, no single contact has agreed to.
        """
        paid = self.transaction_ids.filtered(
            lambda payer: payer.state == "done" and payer.operation != "offline"
        )
        customer = self.partner_id.commercial_partner_id
        contacts = (self.env.user.partner_id | paid.partner_id).filtered(
            lambda partner: partner.commercial_partner_id == customer
        )
        return contacts[-1:] or (self.partner_id if self.create_uid.share else customer)

    def _incident_withdraw(self):
        """Cancel these orders, but those that are just being paid, and those for which
        a bank transfer is awaited still (R8.13)."""
        orders = self.filtered(
            lambda order: (
                not (order._incident_is_being_paid() or order._incident_is_awaited())
            )
        )
        orders._incident_give_up_transfers()
        orders._action_cancel()
