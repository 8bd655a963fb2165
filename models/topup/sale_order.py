from odoo import fields, models

from ..groups import INCIDENT_VIEWERS
from ..ledger.helpdesk_incident_protected import REMEMBERED


class SaleOrder(models.Model):
    _inherit = "sale.order"

    incident_topup_id = fields.Many2one(
        comodel_name="helpdesk.incident.topup",
        string="Tops up",
        ondelete="set null",
        index="btree_not_null",
        groups=INCIDENT_VIEWERS,
        help="It was made because the customer had fewer incidents than wanted.",
        **REMEMBERED,
    )
    incident_topup_date = fields.Date(
        string="Topped up on",
        help="The day on which it was confirmed: it counts in that month.",
        **REMEMBERED,
    )
    incident_topup_failures = fields.Integer(
        string="Failures to pay it",
        help="How often it could not be paid automatically, or 1 if its payment was "
        "reversed.",
        **REMEMBERED,
    )

    def _incident_expected_because(self):
        """Return why money for this order is expected though we ask for none: a key of
        the problems; None if it is not.

        :rtype: str | None
        """
        if self.state == "sale":
            settled = self._incident_is_giving() or self._incident_was_paid()
            return None if settled else self._incident_payment_problem()
        if self.state == "cancel":
            return None
        if self._incident_is_being_paid() or self._incident_is_unanswered():
            return "paying"
        return "transfer" if self._incident_is_awaited() else None

    def _incident_is_giving(self):
        """Return whether something of this order is due, as was written last."""
        return any(line.incident_due for line in self.order_line)

    def _incident_topup_units(self):
        """Return how many units of the plan this order has; staff may have added other
        lines, or removed that of the plan.

        :return: 1 or more.
        :rtype: int
        """
        plans = self.order_line.filtered("incident_kind")
        return max(int(sum(plans.mapped("product_uom_qty"))), 1)

    def _incident_count_failure(self):
        for order in self:
            order._incident_remember(
                incident_topup_failures=order.incident_topup_failures + 1
            )

    def _incident_buyer(self):
        """Override: what it tops up."""
        return self.sudo().incident_topup_id or super()._incident_buyer()

    def _prepare_confirmation_values(self):
        """Override of `sale`: it counts in the month of today (R19.1)."""
        self.sudo().filtered("incident_topup_id")._incident_count_from_today(
            "incident_topup_date"
        )
        return super()._prepare_confirmation_values()

    def _incident_begin(self):
        """Override: what tops up follows what becomes of its orders (R19.2)."""
        orders = self.filtered("incident_topup_id")
        before = orders.filtered(lambda order: order._incident_is_giving())
        res = super()._incident_begin()
        now = orders.filtered(lambda order: order._incident_is_giving())
        for order in now - before:
            order.incident_topup_id._bought(order)
        for order in before - now:
            if order._incident_expected_because():
                order.incident_topup_id._taken_back(order)
        return res
