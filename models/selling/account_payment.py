"""The way from a payment to what it has paid for, in one click (R8.6)."""

from odoo import fields, models
from odoo.fields import Domain

from ..groups import INCIDENT_READERS


class AccountPayment(models.Model):
    _inherit = "account.payment"

    incident_bought = fields.Boolean(
        compute="_compute_incident_bought",
        groups=INCIDENT_READERS,
        help="It has paid for support incidents.",
    )
    incident_subscription_count = fields.Integer(
        string="Subscriptions",
        compute="_compute_incident_bought",
        groups=INCIDENT_READERS,
    )

    def _compute_incident_bought(self):
        for payment in self:
            orders = payment._incident_orders()
            payment.incident_bought = bool(orders.order_line.incident_account_id)
            payment.incident_subscription_count = len(orders._incident_subscriptions())

    def _incident_orders(self):
        """Return the orders with plans that these payments may have paid for.

        :return: ``sale.order`` records with superuser rights.
        """
        return self.env["sale.order"]._incident_touched(payments=self._origin)

    def action_view_incident_subscriptions(self):
        """Open the subscriptions that these payments have paid for."""
        self.check_access("read")
        subscriptions = self._incident_orders()._incident_subscriptions()
        return subscriptions.with_env(self.env)._incident_open()

    def action_view_incident_entries(self):
        """Override: what it gave by itself, and what it has paid for."""
        action = super().action_view_incident_entries()
        bought = self._incident_orders()._incident_entries_domain()
        return {**action, "domain": list(Domain(action["domain"]) | Domain(bought))}
