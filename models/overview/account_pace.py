"""Which customers run out next, for whoever sells them more (R22.1)."""

from odoo import api, fields, models
from odoo.tools import SQL

from ..ledger.account_forecast import PACE_DAYS, PACE_LEAST_DAYS, PACE_LEAST_USED


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    runs_out = fields.Date(
        string="Lasts until",
        compute="_compute_runs_out",
        search=lambda self, *args: self._search_number("runs_out", *args),
        help="At the pace of the last 90 days, what the customer can use today lasts "
        "until this day. Empty where more comes before, where nothing is left, and "
        "where too little was used to say.",
    )

    def _compute_runs_out(self):
        days = {}
        if self.ids:
            companies = self.sudo().company_id
            days = dict(
                self.env.execute_query(
                    self._runs_out_query(
                        companies, SQL("account.id IN %s", tuple(self.ids))
                    )
                )
            )
        for account in self:
            account.runs_out = days.get(account._origin.id, False)

    @api.model
    def _runs_out_query(self, companies, condition):
        """Return a query of the accounts that have something left and will run out, and
        of the last day for which there is enough. The pace is that of ``_forecast``,
        which follows every window of one account; this one looks at today's number
        alone, for all of them, and of each at its own entries.

        :param companies: the ``res.company`` records of these accounts.
        :param SQL condition: on ``account``, the table of the accounts.
        :rtype: SQL
        """
        return SQL(
            """
            SELECT left_now.account_id, lasts.until AS runs_out
              FROM (%(numbers)s) AS left_now
              JOIN helpdesk_incident_account account
                ON account.id = left_now.account_id
              JOIN %(today)s AS today(company_id, day)
                ON today.company_id = account.company_id
             CROSS JOIN LATERAL (
                SELECT today.day - GREATEST(MIN(date) FILTER (WHERE quantity < 0),
                                            today.day - %(days)s + 1) + 1 AS days,
                       -SUM(quantity) FILTER (WHERE date > today.day - %(days)s)
                       AS used
                  FROM helpdesk_incident_entry
                 WHERE account_id = account.id AND effect = 'uses') pace
             CROSS JOIN LATERAL (
                SELECT today.day + LEAST(left_now.available * pace.days / pace.used,
                                         36500)::int AS until) lasts
             WHERE left_now.available > 0 AND pace.used >= %(least_used)s
               AND pace.days >= %(least_days)s
               AND NOT EXISTS (
                   SELECT FROM helpdesk_incident_allotment m
                    WHERE m.account_id = account.id AND m.to_grant <> 0
                      AND m.date_from > today.day AND m.date_from <= lasts.until + 1)
            """,
            numbers=self._numbers_query(companies, condition, ("available",)),
            today=self._today_table(companies),
            days=PACE_DAYS,
            least_used=PACE_LEAST_USED,
            least_days=PACE_LEAST_DAYS,
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override to search and sort by the day on which they run out."""
        if field_expr != "runs_out" or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        days = query.make_alias(alias, "pace")
        query.add_join(
            "LEFT JOIN",
            days,
            SQL(
                "(%s)",
                self._runs_out_query(
                    self.env["res.company"]._incident_companies(), SQL("TRUE")
                ),
            ),
            SQL(
                "%s = %s",
                SQL.identifier(alias, "id"),
                SQL.identifier(days, "account_id"),
            ),
        )
        return SQL.identifier(days, "runs_out")

    def action_offer(self):
        """Open the dialog that orders for this customer what the portal sells.

        :raise AccessError: if the user is neither a helpdesk user nor a salesperson, or
            may not see the account.
        """
        self.ensure_one()
        self.env["helpdesk.ticket.order"]._check_may_order(self)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_ticket_order_action"
        )
        return {**action, "context": {"default_account_id": self.id}}

    def action_view_months(self):
        """Show what came, was used and lapsed by month, as a picture."""
        self.ensure_one()
        action = self._open_list(
            "helpdesk_paid_support.helpdesk_incident_entry_action_months",
            [("account_id", "=", self.id)],
        )
        return {**action, "display_name": self.display_name}
