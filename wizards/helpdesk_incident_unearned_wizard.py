from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import date_utils, format_date

from ..report.helpdesk_incident_position import EPOCH


class HelpdeskIncidentUnearnedWizard(models.TransientModel):
    """Ask accountants which day, or which months, they want to see (R12.4)."""

    _name = "helpdesk.incident.unearned.wizard"
    _description = "Unearned Support Incidents"

    date = fields.Date(
        string="As of",
        required=True,
        default=lambda self: self._default_date(),
        help="The report shows the end of this day.",
    )
    date_from = fields.Date(
        string="Months from",
        compute="_compute_date_from",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        help="The totals by month begin with the month of this day.",
    )

    @api.model
    def _default_date(self):
        """The end of last month: what accountants close."""
        today = self.env.company._incident_today()
        return date_utils.start_of(today, "month") - timedelta(days=1)

    @api.depends("date")
    def _compute_date_from(self):
        for wizard in self:
            wizard.date_from = wizard.date
            if wizard.date and wizard.date >= EPOCH:
                year = self.env.company.sudo().compute_fiscalyear_dates(wizard.date)
                wizard.date_from = year["date_from"]

    @api.constrains("date", "date_from")
    def _check_date(self):
        today = self.env.company._incident_today()
        for wizard in self:
            if wizard.date_from < EPOCH:
                raise ValidationError(
                    self.env._(
                        "The months begin in %(date)s or later.",
                        date=format_date(self.env, EPOCH),
                    )
                )
            if wizard.date > today:
                raise ValidationError(
                    self.env._(
                        "%(date)s has not come yet. Choose today or a day before: what "
                        "customers will use until then is not known.",
                        date=format_date(self.env, wizard.date),
                    )
                )
            if wizard.date_from > wizard.date:
                raise ValidationError(
                    self.env._(
                        "The first month begins on the day of the report or before."
                    )
                )

    def action_positions(self):
        """Show what was unearned on the day, by allotment."""
        self.ensure_one()
        return self._show_positions(self.date)

    def action_months(self):
        """Show the totals by month up to the day."""
        self.ensure_one()
        return self._show(
            "helpdesk_incident_unearned_month_action",
            self.env._(
                "Unearned Incidents by Month to %(date)s",
                date=format_date(self.env, self.date),
            ),
            unearned_date=fields.Date.to_string(self.date),
            unearned_from=fields.Date.to_string(self.date_from),
            search_default_paid=1,
            search_default_group_date=1,
        )

    @api.model
    def _show_positions(self, day, domain=None):
        action = self._show(
            "helpdesk_incident_unearned_action",
            self.env._(
                "Unearned Incidents as of %(date)s", date=format_date(self.env, day)
            ),
            unearned_date=fields.Date.to_string(day),
            search_default_left=1,
        )
        return {**action, "domain": domain or []}

    @api.model
    def _show(self, name, title, **context):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"helpdesk_paid_support.{name}"
        )
        return {**action, "name": title, "display_name": title, "context": context}
