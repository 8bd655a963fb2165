"""What a customer has bought in a month of what is limited by month (R18.4, R19.1)."""

from odoo import api, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _incident_month_sum(self, customer, company, day, name):
        """Return what a customer has bought in the calendar month of a day, taxes
        included. Only what is cancelled counts no more.

        :param customer: the commercial partner.
        :param str name: the field that says on which day an order counts.
        :return: in the currency of the company.
        :rtype: float
        """
        orders = self.sudo().search(
            Domain("partner_id.commercial_partner_id", "=", customer.id)
            & Domain("company_id", "child_of", company._incident_root_id())
            & Domain(name, ">=", day.replace(day=1))
            & Domain(name, "<=", day)
            & Domain("state", "=", "sale")
        )
        return sum(order._incident_total_on(order[name]) for order in orders)

    def _incident_total_on(self, day):
        """Return the total of this order in the currency of the company, at the rate of
        a day."""
        company = self.company_id
        return self.currency_id._convert(
            self.amount_total, company.currency_id, company, day
        )

    def _incident_count_from_today(self, name):
        """Note that these orders, which are being confirmed, count in the month of
        today.

        :param str name: the field that says on which day an order counts.
        """
        for order in self:
            today = order.company_id._incident_today()
            order._incident_remember(**{name: today})
