from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import date_utils, format_date

from ..report.helpdesk_incident_position import EPOCH


class HelpdeskIncidentUnearnedWizard(models.TransientModel):
    """Ask accountants which day, or which months, they want to see (R12.4)."""

    _name = "helpdesk.incident.unearned.wizard"
    _description = "Unearned Support Incidents"

    moment = fields.Selection(
        selection=[
            ("month", "End of last month"),
            ("today", "Today"),
            ("year", "End of the last fiscal year"),
            ("other", "Another day"),
        ],
        compute="_compute_moment",
        inverse="_inverse_moment",
        help="What most reports are made for.",
    )
    date = fields.Date(
        string="As of",
        required=True,
        default=lambda self: self._moments()["month"],
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

    can_release = fields.Boolean(compute="_compute_can_release")

    @api.model
    def _moments(self):
        """Return the days that most reports are made for. First the end of last month:
        what accountants close.

        :rtype: dict[str, datetime.date]
        """
        today = self.env.company._incident_today()
        year = self.env.company.sudo().compute_fiscalyear_dates(today)
        return {
            "month": date_utils.start_of(today, "month") - timedelta(days=1),
            "today": today,
            "year": year["date_from"] - timedelta(days=1),
        }

    @api.depends_context("company")
    def _compute_can_release(self):
        releases = self.env.company._incident_releases()
        self.can_release = (
            releases and self.env["helpdesk.incident.release"]._may_release()
        )

    @api.depends("date")
    def _compute_moment(self):
        moments = {day: moment for moment, day in reversed(self._moments().items())}
        for wizard in self:
            wizard.moment = moments.get(wizard.date, "other")

    def _inverse_moment(self):
        moments = self._moments()
        for wizard in self:
            wizard.date = moments.get(wizard.moment, wizard.date)

    @api.onchange("moment")
    def _onchange_moment(self):
        self._inverse_moment()

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
        return self._show_months(
            "helpdesk_incident_unearned_month_action",
            self.env._(
                "To %(date)s: Unearned by Month", date=format_date(self.env, self.date)
            ),
            search_default_paid=1,
            search_default_group_date=1,
        )

    def action_chart(self):
        """Show, month by month, how much was used, has lapsed, and was unearned at the
        end, as a chart."""
        self.ensure_one()
        return self._show_months(
            "helpdesk_incident_unearned_part_action",
            self.env._(
                "To %(date)s: Used, Lapsed and Unearned",
                date=format_date(self.env, self.date),
            ),
        )

    def _show_months(self, name, title, **context):
        return self._show(
            name,
            title,
            unearned_date=fields.Date.to_string(self.date),
            unearned_from=fields.Date.to_string(self.date_from),
            **context,
        )

    def action_release(self):
        """Make what is missing up to the end of the month of the day (R21.1).

        :raise AccessError: if the user is no accountant.
        :raise UserError: if something is not set up, or the month is not over.
        """
        self.ensure_one()
        release_model = self.env["helpdesk.incident.release"]
        release_model._check_right()
        made = release_model._release(self.env.company, self.date)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_release_action"
        )
        if len(made) == 1:
            action = made.with_env(self.env)._get_records_action()
        return {**action, "target": "main"}

    @api.model
    def _show_positions(self, day, domain=None):
        action = self._show(
            "helpdesk_incident_unearned_action",
            # The day first: titles are cut where there is little room.
            self.env._("%(date)s: Unearned", date=format_date(self.env, day)),
            unearned_date=fields.Date.to_string(day),
            search_default_left=1,
            search_default_group_partner=1,
        )
        return {**action, "domain": domain or []}

    @api.model
    def _show(self, name, title, **context):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"helpdesk_paid_support.{name}"
        )
        return {**action, "name": title, "display_name": title, "context": context}
