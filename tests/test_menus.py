from lxml import etree

from .common import PaidSupportCommon

#: What the lists of each table can be grouped by, beside what other add-ons bring.
GROUPS = {
    "helpdesk.incident.account": {
        *("available", "company_id", "first_payment", "level", "lifetime_balance"),
        *("lifetime_granted", "lifetime_used", "next_expiry", "partner_id"),
        *("period_balance", "registered_before", "runs_out", "subscription_count"),
    },
    "helpdesk.incident.allotment": {
        *("account_id", "balance", "company_id", "date_from", "date_period_to"),
        *(
            "date_to",
            "granted",
            "kind",
            "lapsed",
            "left",
            "name",
            "product_id",
            "subscription_id",
            "total",
        ),
        *("used", "window"),
    },
    "helpdesk.incident.entry": {
        *("account_id", "allotment_id", "allotment_kind", "company_id", "date"),
        *("effect", "kind", "name", "outcome_id", "product_id", "quantity", "team_id"),
        *("ticket_id", "user_id"),
    },
    "helpdesk.incident.opening": {
        *("auto_renew", "company_id", "current_left", "date"),
        *("date_cancelled", "date_confirmed", "date_end", "date_start", "deferred"),
        *("extra_incidents", "first_payment", "incident_kind", "order_id"),
        *("partner_id", "product_id"),
        *("quantity", "reference", "registered", "state"),
    },
    "helpdesk.incident.recurring": {
        *("company_id", "date", "kind", "partner_id", "product_id"),
        "subscription_id",
    },
    "helpdesk.incident.reminder": {
        *("account_id", "company_id", "date_sent", "day", "days", "kind", "order_id"),
        *("partner_id", "product_id", "quantity", "reason", "state"),
        *("subscription_id", "ticket_id"),
    },
    "helpdesk.incident.subscription": {
        *("account_id", "activity_state", "auto_renew", "carry_periods", "company_id"),
        *("date_cancelled", "date_end", "date_start", "extra_incidents"),
        *("incidents_per_period", "next_product_id", "partner_id", "period_months"),
        *("product_id", "quantity", "renewal_problem", "state"),
    },
    "helpdesk.incident.subscription.term": {
        *("carry_periods", "company_id", "date_from", "date_to"),
        *("incidents_per_period", "kind", "months", "period_months"),
        *("sale_line_id", "subscription_id"),
    },
    "helpdesk.ticket.charge": {
        *("company_id", "date", "name", "partner_id", "payment_state", "state"),
        *("ticket_id", "user_id"),
    },
}
#: The types that the menu to group by offers.
TYPES = {
    *("boolean", "char", "date", "datetime", "integer"),
    *("many2many", "many2one", "selection"),
}


class TestMenus(PaidSupportCommon):
    """What lists offer to be grouped by, and as columns (R12.1)."""

    def test_groups(self):
        """R12.1: menus to group by have no field that only the module understands."""
        for model, expected in GROUPS.items():
            with self.subTest(model=model):
                found = {
                    name
                    for name, field in self.env[model].fields_get().items()
                    if field.get("groupable") and field["type"] in TYPES
                }
                self.assertEqual(found - {"id"}, expected)

    def test_columns(self):
        """R12.1: nor do the columns that can be shown."""
        views = self.env["ir.ui.view"].search(
            [("model", "in", list(GROUPS)), ("type", "in", ("list", "form"))]
        )
        columns = 0
        for view in views:
            internal = self.env[view.model]._internal_fields
            for field in etree.fromstring(view.arch).xpath("//field[@optional]"):
                columns += 1
                self.assertNotIn(field.get("name"), internal, view.name)
        self.assertGreater(columns, 10)
