"""What a manager looks at first (R22.1)."""

import json
from datetime import timedelta
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, date_utils, format_date

from ..models.groups import ACCOUNTANTS, MANAGERS

#: Who sees amounts.
MONEY = f"{MANAGERS},{ACCOUNTANTS}"
#: How far "soon" is.
SOON_DAYS = 30
#: How many of those who run out next are named.
NAMED = 8
#: Months of the picture, the current one included.
MONTHS = 12
#: What sells incidents: entries that come from these were bought.
SOLD_BY = ("sale.order", "helpdesk.incident.subscription")

ENTRIES = "helpdesk_incident_entry_action"
ACCOUNTS = "helpdesk_incident_account_action"
SUBSCRIPTIONS = "helpdesk_incident_subscription_action"
RECURRING = "helpdesk_incident_recurring_action_list"

SOLD = (
    Domain("effect", "=", "gives")
    & Domain("res_model", "in", SOLD_BY)
    & Domain("kind", "!=", "opening")
)
USED = Domain("effect", "=", "uses")
LAPSED = Domain("effect", "=", "lapses")


class Number(NamedTuple):
    """One number of the dashboard, and the list that a click on it opens: both are of
    the same records."""

    #: the action that shows the list, and the model of its records
    action: str
    model: str
    #: which records, beside those of the company
    domain: Domain
    #: what of them: how many, or the sum of a field, below zero shown as above it
    measure: str = "__count"
    sign: int = 1
    #: of which month by the day of the records: 0 is the current one, -1 the last one
    month: int | None = None
    #: up to how many days from today, and of which field
    until: str | None = None

    def of(self, company, today):
        """Return which records of a company count on a day.

        :rtype: Domain
        """
        domain = self.domain & Domain("company_id", "child_of", company.id)
        if self.month is not None:
            first = date_utils.start_of(today, "month") + relativedelta(
                months=self.month
            )
            domain &= Domain("date", ">=", first) & Domain(
                "date", "<", first + relativedelta(months=1)
            )
        if self.until:
            domain &= Domain(self.until, "<=", today + timedelta(days=SOON_DAYS))
        return domain


def moved(domain, sign, month):
    return Number(
        ENTRIES, "helpdesk.incident.entry", domain, "quantity:sum", sign, month
    )


def valued(kind, sign=1, month=0):
    return Number(
        RECURRING,
        RECURRED,
        Domain("kind", "=", kind),
        "amount:sum",
        sign,
        month,
    )


ACTIVE = Domain("state", "=", "active")
SUBSCRIPTION = "helpdesk.incident.subscription"
RECURRED = "helpdesk.incident.recurring"
TICKET = "helpdesk.ticket"
ACCOUNT = "helpdesk.incident.account"
#: By the name of the field.
NUMBERS = {
    "sold": moved(SOLD, 1, 0),
    "used": moved(USED, -1, 0),
    "lapsed": moved(LAPSED, -1, 0),
    "sold_before": moved(SOLD, 1, -1),
    "used_before": moved(USED, -1, -1),
    "lapsed_before": moved(LAPSED, -1, -1),
    "waiting": Number(
        "helpdesk_ticket_action_waiting",
        TICKET,
        Domain("incident_state", "=", "parked"),
    ),
    "short": Number(
        "helpdesk_ticket_action_short", TICKET, Domain("incident_short", ">", 0)
    ),
    "contested": Number(
        "helpdesk_incident_contest_action",
        "helpdesk.incident.contest",
        Domain("state", "=", "open"),
    ),
    "low": Number(ACCOUNTS, ACCOUNT, Domain("level", "=", "low")),
    "runs_out": Number(
        "helpdesk_incident_account_action_next",
        ACCOUNT,
        Domain("runs_out", "!=", False),
        until="runs_out",
    ),
    "subscribed": Number(SUBSCRIPTIONS, SUBSCRIPTION, ACTIVE),
    "ends": Number(SUBSCRIPTIONS, SUBSCRIPTION, ACTIVE, until="date_end"),
    "failed": Number(
        SUBSCRIPTIONS, SUBSCRIPTION, ACTIVE & Domain("renewal_problem", "!=", False)
    ),
    "recurring": valued("active"),
    "recurring_before": valued("active", month=-1),
    "started": valued("new"),
    "started_before": valued("new", month=-1),
    "renewed": valued("renewed"),
    "renewed_before": valued("renewed", month=-1),
    "lost": valued("lost", -1),
    "lost_before": valued("lost", -1, -1),
}


def number(label, text=None, **values):
    """A whole number of the dashboard."""
    return fields.Integer(string=label, compute="_compute_numbers", help=text, **values)


def value(label, text=None):
    """An amount of the dashboard, in company currency without tax."""
    return fields.Monetary(
        string=label, compute="_compute_values", help=text, groups=MONEY
    )


class HelpdeskIncidentDashboard(models.Model):
    """What has happened this month, and what needs somebody: one row for each root
    company, with nothing of its own (R22.1).

    Each number is that of the list which it opens, for the user who looks at it: the
    same domain, with the same rights (``NUMBERS``).
    """

    _name = "helpdesk.incident.dashboard"
    _inherit = "helpdesk.incident.described"
    _description = "Support Incident Dashboard"
    _auto = False
    _rec_name = "company_id"
    _internal_fields = frozenset({"currency_id"})

    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")

    sold = number(
        "Sold this month",
        "What customers got this month for what they bought: once, and in the periods "
        "of subscriptions that began; less what was taken back.",
    )
    used = number("Used this month", "Incidents that tickets took, less returned ones.")
    lapsed = number("Lapsed this month", "Incidents that ended unused.")
    sold_before = number("Sold last month")
    used_before = number("Used last month")
    lapsed_before = number("Lapsed last month")
    waiting = number("Waiting tickets", "Tickets that wait for incidents.")
    short = number("Short tickets", "Tickets that have taken less than they should.")
    contested = number("Contested", "Deductions that customers contest, not decided.")
    low = number(
        "Running low", "Customers who have no more left than the settings say."
    )
    runs_out = number(
        "Run out within 30 days",
        "Customers for whom what they have lasts no longer, at the pace of the last "
        "90 days.",
    )
    subscribed = number("Active subscriptions", "Subscriptions that are paid for today.")
    ends = number(
        "End within 30 days", "Active subscriptions that are paid for no longer."
    )
    failed = number(
        "Renewals that failed",
        "Active subscriptions that could not be renewed automatically.",
    )
    recurring = value(
        "Recurring value",
        "What was paid for the periods of all subscriptions that are active today, per "
        "month, without tax.",
    )
    recurring_before = value("Recurring value last month")
    started = value("New this month", "Value per month of what began this month.")
    started_before = value("New last month")
    renewed = value(
        "Renewed this month",
        "Value per month of what goes on with a further term that began this month.",
    )
    renewed_before = value("Renewed last month")
    lost = value(
        "Lost this month",
        "Value per month of what ended this month without a renewal, or was cancelled.",
    )
    lost_before = value("Lost last month")
    next_account_ids = fields.Many2many(
        comodel_name="helpdesk.incident.account",
        string="Who runs out next",
        compute="_compute_next_account_ids",
    )
    used_graph = fields.Text(
        string="Used by month", compute="_compute_used_graph", help="As a picture."
    )

    @property
    def _table_query(self):
        return SQL(
            "SELECT id, id AS company_id FROM res_company WHERE parent_id IS NULL"
        )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends_context("lang")
    def _compute_display_name(self):
        self.display_name = self.env._("Dashboard")

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_numbers(self):
        self._count([name for name in NUMBERS if NUMBERS[name].model != RECURRED])

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_values(self):
        self._count([name for name in NUMBERS if NUMBERS[name].model == RECURRED])

    def _count(self, names):
        for board in self:
            company = board.company_id.sudo()
            today = company._incident_today()
            for name in names:
                one = NUMBERS[name]
                model = self.env[one.model]
                total = 0
                if model.has_access("read"):
                    domain = one.of(company, today)
                    [(total,)] = model._read_group(domain, [], [one.measure])
                board[name] = one.sign * (total or 0)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_next_account_ids(self):
        for board in self:
            company = board.company_id.sudo()
            domain = NUMBERS["runs_out"].of(company, company._incident_today())
            board.next_account_ids = self.env[ACCOUNT].search(
                domain, order="runs_out, id", limit=NAMED
            )

    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_used_graph(self):
        """Write what the widget of Odoo's own dashboards draws."""
        for board in self:
            company = board.company_id.sudo()
            this = date_utils.start_of(company._incident_today(), "month")
            months = [this - relativedelta(months=n) for n in reversed(range(MONTHS))]
            found = dict(
                self.env["helpdesk.incident.entry"]._read_group(
                    USED
                    & Domain("company_id", "child_of", company.id)
                    & Domain("date", ">=", months[0])
                    & Domain("date", "<", this + relativedelta(months=1)),
                    ["date:month"],
                    ["quantity:sum"],
                )
            )
            values = [
                {
                    "label": format_date(self.env, month, date_format="MMM"),
                    "value": -found.get(month, 0),
                    "type": "future" if month == this else "past",
                }
                for month in months
            ]
            board.used_graph = json.dumps(
                [{"key": self.env._("Used"), "values": values}]
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    @api.model
    def action_open_dashboard(self):
        """Open the dashboard of the current company."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_dashboard_action"
        )
        return {**action, "res_id": self.env.company.sudo().root_id.id}

    def action_open_number(self):
        """Open the list behind a number: the context says which, as
        ``incident_number``.

        :raise UserError: if there is no such number.
        """
        self.ensure_one()
        self.check_access("read")
        name = self.env.context.get("incident_number")
        if name not in NUMBERS:
            raise UserError(self.env._("Open this from the dashboard."))
        self._check_field_access(self._fields[name], "read")
        one = NUMBERS[name]
        company = self.company_id.sudo()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"helpdesk_paid_support.{one.action}"
        )
        return {
            **action,
            "display_name": self._fields[name]._description_string(self.env),
            "domain": list(one.of(company, company._incident_today())),
            "context": {},
        }
