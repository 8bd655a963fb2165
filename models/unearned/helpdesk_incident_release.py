from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tools import date_utils, format_date

from ..groups import RELEASERS

#: What the report says of a product up to a day, by the names of the lines.
FIGURES = (
    *("amount_invoiced", "amount_used", "amount_lapsed"),
    *("amount_opened", "amount_discounts", "amount_down", "amount_books"),
)
#: The same of a product that it does not have.
NOTHING = dict.fromkeys(FIGURES, 0)


class HelpdeskIncidentRelease(models.Model):
    """What deferred revenue had to be at a month end, and the entry that brought it
    there (R21.1).

    Nothing of it is changed afterwards (R21.2): it is what the accountant was told. The
    first record of a company has no entry: it says what its account held before, as the
    accountant has entered it.
    """

    _name = "helpdesk.incident.release"
    _inherit = "helpdesk.incident.described"
    _description = "Release of Unearned Support Incidents"
    _order = "date desc, id desc"

    _internal_fields = frozenset({"date_from"})

    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
        help="The one at the top, for its branches, too.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    opening = fields.Boolean(
        string="Opening values",
        readonly=True,
        help="What deferred revenue held before the first entry.",
    )
    date = fields.Date(required=True, help="The last day of a month.")
    date_from = fields.Date(
        string="From",
        readonly=True,
        help="The first day of the months that the entry is for: more than one where "
        "the books of earlier ones were closed.",
    )
    move_id = fields.Many2one(
        comodel_name="account.move",
        string="Journal Entry",
        readonly=True,
        index="btree_not_null",
        # Whoever deletes a draft wants it to be made anew.
        ondelete="cascade",
    )
    state = fields.Selection(
        selection=[
            ("opening", "Opening values"),
            ("nothing", "Nothing to post"),
            ("draft", "Draft"),
            ("posted", "Posted"),
            ("cancel", "Cancelled"),
        ],
        compute="_compute_state",
        help="What has become of the journal entry.",
    )
    locked = fields.Char(
        string="Closed months",
        compute="_compute_locked",
        help="What belongs to them is part of this entry.",
    )
    line_ids = fields.One2many(
        comodel_name="helpdesk.incident.release.line",
        inverse_name="release_id",
        string="Products",
    )
    amount_deferred = fields.Monetary(
        string="To be deferred",
        compute="_compute_amounts",
        help="The balance of deferred revenue at the end of the day.",
    )
    amount_change = fields.Monetary(string="Change", compute="_compute_amounts")
    problem = fields.Char(
        readonly=True,
        help="Why the scheduled action could not make the next entry.",
    )

    _opening_uniq = models.UniqueIndex(
        "(company_id) WHERE opening",
        "The opening values of this company were entered in the meantime.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("opening", "move_id.state")
    def _compute_state(self):
        for release in self:
            release.state = (
                "opening"
                if release.opening
                else release.sudo().move_id.state or "nothing"
            )

    @api.depends("date", "date_from")
    @api.depends_context("lang")
    def _compute_locked(self):
        for release in self:
            release.locked = False
            if release.date_from and release.date_from < release._first_day():
                last = release._first_day() - timedelta(days=1)
                release.locked = self.env._(
                    "%(first)s to %(last)s",
                    first=format_date(self.env, release.date_from),
                    last=format_date(self.env, last),
                )

    def _first_day(self):
        return date_utils.start_of(self.date, "month")

    @api.depends("line_ids.amount_deferred", "line_ids.amount_change")
    def _compute_amounts(self):
        for release in self:
            for name in ("amount_deferred", "amount_change"):
                release[name] = sum(release.line_ids.mapped(name))

    @api.depends("date", "opening")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for release in self:
            if release.opening:
                release.display_name = self.env._(
                    "Opening values of %(date)s",
                    date=format_date(self.env, release.date),
                )
            else:
                release.display_name = release._month()

    def _month(self):
        return format_date(self.env, self.date, date_format="MMMM y")

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------

    @api.constrains("date", "opening")
    def _check_opening_date(self):
        for release in self.filtered("opening"):
            if release.date != date_utils.end_of(release.date, "month"):
                raise ValidationError(
                    self.env._("Opening values are those of the last day of a month.")
                )
            if release.date >= release.company_id._incident_today():
                raise ValidationError(
                    self.env._("Opening values are those of a month that is over.")
                )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override: accountants write the opening values, and nothing else. Another
        day has other figures to go by."""
        self.check_access("write")
        if not self.env.su:
            self._check_opening()
            if set(vals) - {"date", "line_ids"}:
                raise self._closed_error()
        moved = self.browse()
        if "date" in vals:
            day = fields.Date.to_date(vals["date"])
            moved = self.filtered(
                lambda release: release.opening and release.date != day
            )
            moved._begin_anew()
        res = super().write(vals)
        moved._fill_opening()
        return res

    def _check_opening(self):
        """Check that these are opening values: what was posted says what it says."""
        if not all(self.mapped("opening")):
            raise self._closed_error()

    def _closed_error(self):
        return UserError(
            self.env._(
                "Release entries are made from the report of unearned incidents. What "
                "differs since becomes part of the next one."
            )
        )

    def _begin_anew(self):
        """Let entries begin after another day: nothing was posted yet."""
        for opening in self:
            following = self._closed(opening.company_id) - opening
            if following.move_id:
                raise UserError(
                    self.env._(
                        "There are release entries already: the day of the opening "
                        "values stays as it is."
                    )
                )
            following.unlink()

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    @api.model
    def _may_release(self):
        return any(self.env.user.has_group(group) for group in RELEASERS.split(","))

    @api.model
    def _check_right(self):
        """Check that the user may make release entries."""
        if not self.env.su and not self._may_release():
            raise AccessError(
                self.env._(
                    "Release entries are made by accountants. Ask one of them, or for "
                    "the right “Administrator” of accounting."
                )
            )

    def action_opening(self):
        """Open the opening values of the current company; make them, where there are
        none.

        :raise AccessError: if the user is no accountant.
        """
        self._check_right()
        company = self.env.company.sudo().root_id
        opening = self._opening_of(company)
        if not opening:
            today = company._incident_today()
            opening = self.sudo().create(
                {
                    "company_id": company.id,
                    "opening": True,
                    "date": date_utils.start_of(today, "month") - timedelta(days=1),
                }
            )
            opening._fill_opening()
        return opening.with_env(self.env)._get_records_action()

    def action_open_move(self):
        """Open the journal entry."""
        self.ensure_one()
        self.check_access("read")
        return self.move_id._get_records_action()

    @api.model
    def _show_items(self, domain):
        """Show journal items."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_account_moves_all"
        )
        return {**action, "domain": domain, "context": {"search_default_posted": 1}}

    def action_compare(self):
        """Show what the report says by now of the month, beside what it said."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_release_line_action_compare"
        )
        return {
            **action,
            "name": self.env._("%(month)s, by now", month=self.display_name),
            "domain": [("release_id", "=", self.id)],
            "context": {},
        }

    # ------------------------------------------------------------------
    # Opening values
    # ------------------------------------------------------------------

    @api.model
    def _opening_of(self, company):
        return self.sudo().search(
            Domain("company_id", "=", company.id) & Domain("opening", "=", True)
        )

    def _fill_opening(self):
        """Write what the report says of the day beside what accountants enter: what
        had lapsed by then is no part of the first entry."""
        for opening in self.sudo():
            figures = self._figures(opening.company_id, opening.date)
            lines = {line.product_id.id: line for line in opening.line_ids}
            opening.line_ids = [
                Command.update(lines[product].id, figures.pop(product, NOTHING))
                for product in list(lines)
            ] + [
                Command.create({"product_id": product, **values})
                for product, values in figures.items()
            ]
