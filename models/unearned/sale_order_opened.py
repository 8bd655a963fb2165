"""What orders, their lines and terms ask the opening balance that has made them."""

from odoo import api, fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    incident_opening_ids = fields.One2many(
        comodel_name="helpdesk.incident.opening",
        inverse_name="order_id",
        string="Opening balances",
        readonly=True,
    )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_opening(self):
        """Return the opening balance that has made this line, if one has."""
        order = self.order_id.sudo()
        return (
            order.incident_opening_ids
            if order.incident_opening
            else (self.env["helpdesk.incident.opening"].sudo())
        )

    def _incident_first_day(self):
        """Override: of incidents that expire, the first day is known."""
        opening = self._incident_opening()
        if opening and self.incident_kind == "pack":
            return opening.date_start or opening.date
        return super()._incident_first_day()

    def _incident_last_day(self):
        """Override: of incidents that expire, the last day is known."""
        opening = self._incident_opening()
        if opening and self.incident_kind == "pack":
            return opening.date_end
        return super()._incident_last_day()

    def _incident_agreed_price(self):
        """Override for R9.7: what was paid last in the other system, extra incidents
        included."""
        opening = self._incident_opening()
        if not opening:
            return super()._incident_agreed_price()
        return 0.0 if self.incident_operation == "extra" else opening.agreed_price


class HelpdeskIncidentSubscriptionTerm(models.Model):
    _inherit = "helpdesk.incident.subscription.term"

    @api.model
    def _begin(self, lines):
        """Override: what was opened has begun in another system."""
        opened = lines.filtered("order_id.incident_opening")
        for order, order_lines in opened.grouped("order_id").items():
            order.incident_opening_ids._begin(order_lines)
        return super()._begin(lines - opened)

    def _grant_kind(self, period):
        """Override: the rest of the period that had begun comes with the opening; those
        after it come with time."""
        opening = self.sale_line_id._incident_opening()
        if opening and period[0] <= opening.date:
            return "opening"
        return super()._grant_kind(period)
