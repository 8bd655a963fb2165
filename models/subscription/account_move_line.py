"""What a typed invoice line of a period plan does with a subscription (R8.8)."""

from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _incident_operation_values(self):
        """Override: it renews the customer's subscription of the plan, if there is one
        that can be renewed, and no other."""
        values = super()._incident_operation_values()
        if self.product_id.incident_kind != "period":
            return values
        account = self.env["helpdesk.incident.account"]._of(
            self.move_id.commercial_partner_id, self.company_id
        )
        subscriptions = (
            self.env["helpdesk.incident.subscription"]
            .search(
                [
                    ("account_id", "in", account.ids),
                    ("product_id", "=", self.product_id.id),
                ]
            )
            .filtered(lambda subscription: subscription._can_renew())
        )
        if len(subscriptions) != 1:
            return values
        return {
            **values,
            "incident_operation": "renew",
            "incident_subscription_id": subscriptions.id,
        }


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_follow(self):
        """Override: what has not begun renews what was paid since it was posted."""
        res = super()._incident_follow()
        if (
            self.incident_kind == "period"
            and not self.incident_account_id
            and not self.incident_operation
        ):
            billed = self._incident_posted_lines("out_invoice")[-1:]
            values = billed._incident_operation_values()
            if values:
                self._incident_remember(**values)
        return res

    def _incident_follow_units(self):
        """Override: the terms give as many in their periods."""
        res = super()._incident_follow_units()
        for term in self.incident_term_ids:
            if term.incidents_per_period != self._incident_number() > 0:
                term.incidents_per_period = self._incident_number()
        return res
