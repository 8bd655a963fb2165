"""Fields by which allotments and entries are listed and grouped (R12.2)."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: Where today is in the window of an allotment. A lifetime one is always current.
WINDOWS = [("current", "Current"), ("coming", "Coming"), ("ended", "Ended")]


class HelpdeskIncidentAllotment(models.Model):
    _inherit = "helpdesk.incident.allotment"

    window = fields.Selection(
        selection=WINDOWS,
        string="Validity",
        compute="_compute_window",
        search="_search_window",
        help="Current: tickets can use it today. Coming: its first day is still to "
        "come. Ended: its last day is over.",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Plan",
        compute="_compute_product_id",
        search="_search_product_id",
        compute_sudo=True,
        help="What the customer subscribes to, or has bought for a limited time; empty "
        "for lifetime incidents.",
    )
    # Both include what is still to be granted: it is paid for (R9.2).
    total = fields.Integer(
        string="Given in all",
        compute="_compute_total",
        search=lambda self, *args: self._search_sum("total", *args),
        help="What was given, and what will be on the first day.",
    )
    left = fields.Integer(
        compute="_compute_total",
        search=lambda self, *args: self._search_sum("left", *args),
        help="What is left, or will be there on the first day.",
    )

    @api.depends("subscription_id.product_id", "cause_key")
    def _compute_product_id(self):
        lines = self._pack_lines()
        for allotment in self:
            line = lines.get(allotment)
            sold = line or allotment.subscription_id
            allotment.product_id = sold.product_id

    @api.depends("date_from", "date_to")
    def _compute_window(self):
        for allotment in self:
            today = allotment.company_id.sudo()._incident_today()
            if allotment.date_to and allotment.date_to < today:
                allotment.window = "ended"
            elif allotment.date_from and allotment.date_from > today:
                allotment.window = "coming"
            else:
                allotment.window = "current"

    def _search_window(self, operator, value):
        if operator != "in":
            return NotImplemented
        days = [
            (Domain("company_id", "=", company.id), company._incident_today())
            for company in self.env["res.company"]._incident_companies()
        ]
        ended = Domain.OR(mine & Domain("date_to", "<", day) for mine, day in days)
        coming = Domain.OR(mine & Domain("date_from", ">", day) for mine, day in days)
        windows = {"ended": ended, "coming": coming, "current": ~(ended | coming)}
        return Domain.OR(windows.get(window, Domain.FALSE) for window in value)

    @api.depends("granted", "balance", "to_grant")
    def _compute_total(self):
        for allotment in self:
            allotment.total = allotment.granted + allotment.to_grant
            allotment.left = allotment.balance + allotment.to_grant

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override to sort, group and sum by computed fields."""
        sums = {"total": "granted", "left": "balance"}
        if field_expr in sums:
            self._check_field_access(self._fields[field_expr], "read")
            return SQL(
                "(%s + %s)",
                SQL.identifier(alias, sums[field_expr]),
                SQL.identifier(alias, "to_grant"),
            )
        if field_expr == "product_id":
            self._check_field_access(self._fields[field_expr], "read")
            return self._product_to_sql(alias)
        if field_expr == "window":
            self._check_field_access(self._fields[field_expr], "read")
            return SQL(
                """
                (SELECT CASE WHEN %(to)s < today.day THEN 'ended'
                             WHEN %(from)s > today.day THEN 'coming'
                             ELSE 'current' END
                   FROM helpdesk_incident_account a
                   JOIN %(today)s AS today(company_id, day) USING (company_id)
                  WHERE a.id = %(account)s)
                """,
                **{
                    "from": SQL.identifier(alias, "date_from"),
                    "to": SQL.identifier(alias, "date_to"),
                    "account": SQL.identifier(alias, "account_id"),
                    "today": self.env["helpdesk.incident.account"]._today_table(
                        self.env["res.company"]._incident_companies()
                    ),
                },
            )
        return super()._field_to_sql(alias, field_expr, query)

    def _product_to_sql(self, alias):
        """Return the plan of an allotment as SQL, as :meth:`_compute_product_id` says
        it."""
        self.env["helpdesk.incident.subscription"].flush_model(["product_id"])
        self.env["sale.order.line"].flush_model(["product_id"])
        return SQL(
            """
            COALESCE(
                (SELECT product_id FROM helpdesk_incident_subscription
                  WHERE id = %(subscription)s),
                (SELECT product_id FROM sale_order_line
                  WHERE id = SUBSTRING(%(key)s FROM '^sale_line:([0-9]+)$')::int))
            """,
            subscription=SQL.identifier(alias, "subscription_id"),
            key=SQL.identifier(alias, "cause_key"),
        )

    def _search_product_id(self, operator, value):
        if operator == "any":
            value = self.env["product.product"].search(value).ids
        elif operator != "in":
            return NotImplemented
        if not value:
            return Domain.FALSE
        return self._search_sum("product_id", "in", value)

    def _search_sum(self, name, operator, value):
        return self.env["helpdesk.incident.account"]._sql_domain(
            self._fields[name], operator, value
        )


class HelpdeskIncidentEntry(models.Model):
    _inherit = "helpdesk.incident.entry"

    allotment_kind = fields.Selection(related="allotment_id.kind", string="Validity")
    product_id = fields.Many2one(
        related="allotment_id.product_id",
        string="Plan",
        help="What the customer subscribes to, or has bought for a limited time; empty "
        "for lifetime incidents.",
    )
    team_id = fields.Many2one(
        related="ticket_id.team_id",
        string="Team",
        help="The team of the ticket that incidents were used for.",
    )
