from odoo import api, fields, models
from odoo.tools import SQL


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    subscription_ids = fields.One2many(
        comodel_name="helpdesk.incident.subscription",
        inverse_name="account_id",
        string="Subscriptions",
        readonly=True,
    )

    def _shown_subscriptions(self):
        """Return the subscriptions of this account, with what a page shows of all of
        them: they and their plans have many other columns.

        :return: records with superuser rights.
        """
        subscriptions = (
            self.env["helpdesk.incident.subscription"]
            .sudo()
            .search_fetch(
                [("account_id", "in", self.ids)],
                [
                    "account_id",
                    "auto_renew",
                    "date_cancelled",
                    "date_end",
                    "extra_incidents",
                    "incidents_per_period",
                    "next_product_id",
                    "product_id",
                    "renewal_problem",
                ],
            )
        )
        subscriptions.product_id._incident_fetch_shown()
        return subscriptions

    @api.model
    def _references(self):
        """Override for R2.2: subscriptions, and order lines that have given."""
        return [
            *super()._references(),
            ("helpdesk.incident.subscription", "account_id"),
            ("sale.order.line", "incident_account_id"),
        ]

    @api.model
    def _set_targets(self, causes):
        """Override to link the allotments of subscriptions."""
        res = super()._set_targets(causes)
        self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_allotment SET subscription_id = res_id
                 WHERE cause_key IN %s AND res_model = %s AND subscription_id IS NULL
                """,
                tuple(cause.key for cause in causes),
                "helpdesk.incident.subscription",
            )
        )
        # And with it the months of each subscription.
        self.env["helpdesk.incident.allotment"].invalidate_model(
            ["subscription_id"], flush=False
        )
        return res

    @api.model
    def _balance_models(self):
        """Override: what is left of the month of a subscription."""
        return (
            *super()._balance_models(),
            (
                "helpdesk.incident.subscription",
                lambda field: field.name == "period_balance",
            ),
        )
