"""What the provider's lists show of accounts (R12.1), in addition to the numbers of the
ledger."""

from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..groups import INCIDENT_READERS

#: How many incidents an account has, in words; the worst case first.
LEVELS = [
    ("negative", "Below zero"),
    ("empty", "Nothing left"),
    ("low", "Running low"),
    ("enough", "Enough"),
]


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    level = fields.Selection(
        selection=LEVELS,
        compute="_compute_level",
        search=lambda self, *args: self._search_number("level", *args),
        help="Running low: no more than the number in the settings is left.",
    )
    subscription_count = fields.Integer(
        string="Active subscriptions",
        compute="_compute_subscription_count",
        search=lambda self, *args: self._search_number("subscription_count", *args),
        help="Subscriptions that are paid for today.",
    )
    ticket_count = fields.Integer(
        string="Tickets",
        compute="_compute_ticket_count",
        help="Tickets of all contacts of the customer that you may see.",
    )
    entry_count = fields.Integer(
        string="Number of entries",
        compute="_compute_entry_count",
        groups=INCIDENT_READERS,
    )
    order_count = fields.Integer(
        string="Orders",
        compute="_compute_order_count",
        help="Orders in which the customer bought incidents that you may see.",
    )

    # ------------------------------------------------------------------
    # Compute and search
    # ------------------------------------------------------------------

    @api.depends("available", "lifetime_balance")
    def _compute_level(self):
        for account in self:
            if account.lifetime_balance < 0:
                account.level = "negative"
            elif account.available <= 0:
                account.level = "empty"
            elif account.available <= account.company_id.sudo().incident_low_threshold:
                account.level = "low"
            else:
                account.level = "enough"

    @api.depends("subscription_ids.date_end", "subscription_ids.date_cancelled")
    def _compute_subscription_count(self):
        counts = dict(
            self.env["helpdesk.incident.subscription"]
            .sudo()
            ._read_group(
                [("account_id", "in", self.ids), ("state", "=", "active")],
                ["account_id"],
                ["__count"],
            )
        )
        for account in self:
            account.subscription_count = counts.get(account._origin.sudo(), 0)

    @api.depends_context("uid")
    def _compute_ticket_count(self):
        """Count the tickets that :meth:`action_view_tickets` shows."""
        ticket_model = self.env["helpdesk.ticket"]
        counts = Counter()
        if ticket_model.has_access("read"):
            for customer, company, count in ticket_model._read_group(
                [
                    ("commercial_partner_id", "in", self.partner_id.ids),
                    ("company_id", "child_of", self.company_id.ids),
                ],
                ["commercial_partner_id", "company_id"],
                ["__count"],
            ):
                counts[customer.id, company.sudo().root_id.id] += count
        for account in self:
            holder = (account.partner_id.id, account.company_id.id)
            account.ticket_count = counts[holder]

    def _compute_entry_count(self):
        counts = dict(
            self.env["helpdesk.incident.entry"]
            .sudo()
            ._read_group([("account_id", "in", self.ids)], ["account_id"], ["__count"])
        )
        for account in self:
            account.entry_count = counts.get(account._origin.sudo(), 0)

    @api.depends_context("uid")
    def _compute_order_count(self):
        orders = self.env["sale.order"]
        may_read = orders.has_access("read")
        for account in self:
            account.order_count = (
                orders.search_count(account._orders_domain()) if may_read else 0
            )

    def _orders_domain(self):
        """Return which orders have sold incidents to this customer."""
        return (
            Domain("partner_id.commercial_partner_id", "=", self.partner_id.id)
            & Domain("company_id", "child_of", self.company_id.id)
            & Domain("order_line.incident_kind", "!=", False)
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override to sort and group by fields that are computed from the numbers and
        the day."""
        if query is not None and field_expr == "level":
            self._check_field_access(self._fields[field_expr], "read")
            return self._level_to_sql(alias, query)
        if query is not None and field_expr == "subscription_count":
            self._check_field_access(self._fields[field_expr], "read")
            return self._subscription_count_to_sql(alias, query)
        return super()._field_to_sql(alias, field_expr, query)

    def _level_to_sql(self, alias, query):
        low = SQL("0")
        for company in self.env["res.company"]._incident_companies():
            low = SQL(
                "CASE WHEN %s = %s THEN %s ELSE %s END",
                SQL.identifier(alias, "company_id"),
                company.id,
                company.incident_low_threshold,
                low,
            )
        available = self._field_to_sql(alias, "available", query)
        return SQL(
            """
            CASE WHEN %(lifetime)s < 0 THEN 'negative'
                 WHEN %(available)s <= 0 THEN 'empty'
                 WHEN %(available)s <= %(low)s THEN 'low' ELSE 'enough' END
            """,
            lifetime=self._field_to_sql(alias, "lifetime_balance", query),
            available=available,
            low=low,
        )

    def _subscription_count_to_sql(self, alias, query):
        counts = query.make_alias(alias, "subscriptions")
        query.add_join(
            "LEFT JOIN",
            counts,
            SQL(
                """(
                SELECT s.account_id, COUNT(*) AS number
                  FROM helpdesk_incident_subscription s
                  JOIN helpdesk_incident_account a ON a.id = s.account_id
                  JOIN %s AS today(company_id, day) ON today.company_id = a.company_id
                 WHERE s.date_cancelled IS NULL AND s.date_end >= today.day
                 GROUP BY s.account_id)""",
                self._today_table(self.env["res.company"]._incident_companies()),
            ),
            SQL(
                "%s = %s",
                SQL.identifier(alias, "id"),
                SQL.identifier(counts, "account_id"),
            ),
        )
        return SQL("COALESCE(%s, 0)", SQL.identifier(counts, "number"))

    @api.model
    def get_empty_list_help(self, help_message):
        """Override to lead managers to the wizard that turns paid support on."""
        return self.env["helpdesk.incident.onboarding"]._help_with_link(
            super().get_empty_list_help(help_message)
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_view_tickets(self):
        """Show the tickets of all contacts of the customer."""
        self.ensure_one()
        return self._open_list(
            "helpdesk_mgmt.helpdesk_ticket_action",
            Domain("commercial_partner_id", "=", self.partner_id.id)
            & Domain("company_id", "child_of", self.company_id.id),
            {"default_partner_id": self.partner_id.id},
        )

    def action_view_subscriptions(self):
        """Show all subscriptions of the customer, whatever their state."""
        self.check_access("read")
        return self.subscription_ids._action_open()

    def action_view_entries(self):
        """Show the entries of the customer, to be searched and grouped."""
        self.ensure_one()
        return self._open_list(
            "helpdesk_paid_support.helpdesk_incident_entry_action",
            Domain("account_id", "=", self.id),
        )

    def action_view_orders(self):
        """Show the orders in which the customer bought incidents."""
        self.ensure_one()
        return self._open_list("sale.action_orders", self._orders_domain())

    def _open_list(self, xml_id, domain, context=None):
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xml_id)
        return {**action, "domain": list(domain), "context": context or {}}


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    @api.model
    def get_empty_list_help(self, help_message):
        """Override to lead managers to the wizard that turns paid support on."""
        return self.env["helpdesk.incident.onboarding"]._help_with_link(
            super().get_empty_list_help(help_message)
        )
