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

ACCOUNT = "helpdesk.incident.account"
ALLOTMENT = "helpdesk.incident.allotment"
ENTRY = "helpdesk.incident.entry"
RECURRED = "helpdesk.incident.recurring"
SUBSCRIPTION = "helpdesk.incident.subscription"
TICKET = "helpdesk.ticket"

ENTRIES = "helpdesk_incident_entry_action"
ACCOUNTS = "helpdesk_incident_account_action"
SUBSCRIPTIONS = "helpdesk_incident_subscription_action"
RECURRING = "helpdesk_incident_recurring_action_list"


class Number(NamedTuple):
    """One number of the dashboard, and the list that a click on it opens: both are of
    the same records."""

    #: the action that shows the list, and the model of its records
    action: str
    model: str
    #: which records, beside those of the company
    domain: Domain = Domain.TRUE
    #: what of them: how many, or the sum of a field, below zero shown as above it
    measure: str = "__count"
    sign: int = 1
    #: those of which month by their day: 0 is the current one, -1 the last one; and
    #: which of these: a field and its value, by which all are read at once
    month: int | None = None
    key: tuple[str, str] | None = None
    #: the day that is at most ``SOON_DAYS`` from today
    until: str | None = None

    def of(self, company):
        """Return which records of a company count today.

        :rtype: Domain
        """
        domain = self.domain & Domain("company_id", "child_of", company.id)
        if self.month is not None:
            domain &= in_months(company, self.month, self.month)
            domain &= Domain(self.key[0], "=", self.key[1])
        if self.until:
            last = company._incident_today() + timedelta(days=SOON_DAYS)
            domain &= Domain(self.until, "<=", last)
        return domain


def month_of(company, number):
    """Return the first day of a month: 0 is the current one, -1 the last one."""
    today = company._incident_today()
    return date_utils.start_of(today, "month") + relativedelta(months=number)


def in_months(company, first, last):
    """Return which days are in the months from ``first`` to ``last``."""
    return Domain("date", ">=", month_of(company, first)) & Domain(
        "date", "<", month_of(company, last + 1)
    )


def moved(effect, sign, month, domain=Domain.TRUE):
    return Number(
        ENTRIES, ENTRY, domain, "quantity:sum", sign, month, ("effect", effect)
    )


def valued(kind, sign=1, month=0):
    key = ("kind", kind)
    return Number(RECURRING, RECURRED, Domain.TRUE, "amount:sum", sign, month, key)


#: What customers have bought, be it taken back since.
SOLD = Domain("res_model", "in", SOLD_BY) & Domain("kind", "!=", "opening")
ACTIVE = Domain("state", "=", "active")
#: By the name of the field.
NUMBERS = {
    "sold": moved("gives", 1, 0, SOLD),
    "used": moved("uses", -1, 0),
    "lapsed": moved("lapses", -1, 0),
    "sold_before": moved("gives", 1, -1, SOLD),
    "used_before": moved("uses", -1, -1),
    "lapsed_before": moved("lapses", -1, -1),
    "left": Number(
        "helpdesk_incident_allotment_action",
        ALLOTMENT,
        Domain("balance", "!=", 0),
        "balance:sum",
    ),
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


def number(label, text=None, compute="_compute_numbers"):
    """A whole number of the dashboard."""
    return fields.Integer(string=label, compute=compute, help=text)


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
    left = number("Left now", "What all customers hold today, as the ledger has it.")
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
        compute="_compute_runs_out",
    )
    subscribed = number(
        "Active subscriptions", "Subscriptions that are paid for today."
    )
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
        compute="_compute_runs_out",
    )
    recurring_graph = fields.Text(
        string="Recurring value by month", compute="_compute_values", groups=MONEY
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
        for board in self:
            sums = board._sums(ENTRY, -1)
            for name, one in NUMBERS.items():
                if one.model == ENTRY:
                    board[name] = one.sign * sums(one)
                elif one.model == ALLOTMENT:
                    board[name] = board._total(one)
                elif one.model != RECURRED and name != "runs_out":
                    board[name] = board._found(one, "search_count", 0)

    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_values(self):
        """Sum up all amounts at once, those of the picture included."""
        for board in self:
            sums = board._sums(RECURRED, 1 - MONTHS)
            for name, one in NUMBERS.items():
                if one.model == RECURRED:
                    board[name] = one.sign * sums(one)
            board.recurring_graph = json.dumps(
                [
                    {
                        "key": self.env._("Recurring value"),
                        "values": [
                            {
                                "label": format_date(
                                    self.env,
                                    month_of(board.company_id.sudo(), number),
                                    date_format="MMM",
                                ),
                                "value": sums(valued("active", month=number)),
                                "type": "past" if number else "future",
                            }
                            for number in range(1 - MONTHS, 1)
                        ],
                    }
                ]
            )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_runs_out(self):
        for board in self:
            accounts = board._found(
                NUMBERS["runs_out"], "search", self.env[ACCOUNT], order="runs_out, id"
            )
            board.runs_out = len(accounts)
            board.next_account_ids = accounts[:NAMED]

    def _found(self, one, method, nothing, **options):
        """Return what a search finds for a number; ``nothing`` for users who may not
        read such records."""
        model = self.env[one.model]
        if not model.has_access("read"):
            return nothing
        return getattr(model, method)(one.of(self.company_id.sudo()), **options)

    def _total(self, one):
        """Return the sum of all that counts for a number without a month."""
        groups = self._found(one, "_read_group", [], aggregates=[one.measure])
        return sum(total or 0 for [total] in groups)

    def _sums(self, model, first):
        """Return a function from a number with a month to its sum, for all numbers of a
        model from the month ``first`` on. Numbers with one domain are summed together.
        """
        company = self.company_id.sudo()
        ones = [one for one in NUMBERS.values() if one.model == model]
        sums = {}
        if self.env[model].has_access("read"):
            for domain, field, measure in {
                (one.domain, one.key[0], one.measure) for one in ones
            }:
                for month, value, total in self.env[model]._read_group(
                    domain
                    & Domain("company_id", "child_of", company.id)
                    & in_months(company, first, 0)
                    & Domain(field, "in", [one.key[1] for one in ones]),
                    ["date:month", field],
                    [measure],
                ):
                    sums[domain, month, value] = total
        return lambda one: sums.get(
            (one.domain, month_of(company, one.month), one.key[1]), 0
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
        if not isinstance(name, str) or name not in NUMBERS:
            raise UserError(self.env._("Open this from the dashboard."))
        self._check_field_access(self._fields[name], "read")
        one = NUMBERS[name]
        action = self.env["ir.actions.act_window"]._for_xml_id(
            f"helpdesk_paid_support.{one.action}"
        )
        return {
            **action,
            "display_name": self._fields[name]._description_string(self.env),
            "domain": list(one.of(self.company_id.sudo())),
            "context": {},
        }
