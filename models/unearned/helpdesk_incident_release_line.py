from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class HelpdeskIncidentReleaseLine(models.Model):
    """What the report said of a product at a month end, and what that changed (R21.1).

    All amounts are what had come together by the end of the day, in company currency
    without tax.
    """

    _name = "helpdesk.incident.release.line"
    _inherit = "helpdesk.incident.described"
    _description = "Release of a Product"
    _order = "release_id, product_id, id"
    _rec_name = "product_id"

    _internal_fields = frozenset({"release_id"})

    release_id = fields.Many2one(
        comodel_name="helpdesk.incident.release",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(related="release_id.company_id")
    currency_id = fields.Many2one(related="release_id.currency_id")
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        domain=[("incident_kind", "!=", "none")],
        ondelete="restrict",
    )
    amount_invoiced = fields.Monetary(string="Invoiced", readonly=True)
    amount_used = fields.Monetary(string="Used", readonly=True)
    amount_lapsed = fields.Monetary(string="Lapsed", readonly=True)
    amount_opened = fields.Monetary(
        string="Opening balances",
        readonly=True,
        help="The part of what was invoiced that another system's books have.",
    )
    amount_discounts = fields.Monetary(
        string="Discounts",
        readonly=True,
        help="The part of discounts that are lines of their own.",
    )
    amount_down = fields.Monetary(
        string="Down payments",
        readonly=True,
        help="What down payments for this product have on income accounts.",
    )
    amount_books = fields.Monetary(
        string="Income accounts",
        readonly=True,
        help="What income accounts have for this product, release entries excepted.",
    )
    amount_difference = fields.Monetary(
        string="Difference",
        compute="_compute_amount_difference",
        help="Income accounts, with the parts of discounts, down payments and opening "
        "balances, less what was invoiced: what was posted for the product otherwise, "
        "or invoiced to another account.",
    )
    amount_reported = fields.Monetary(
        string="To be deferred by the report",
        compute="_compute_amount_reported",
        help="What was invoiced, less what was used and has lapsed.",
    )
    amount_deferred = fields.Monetary(
        string="To be deferred",
        help="The balance that deferred revenue has of this product.",
    )
    amount_before = fields.Monetary(
        string="Posted before",
        readonly=True,
        help="What deferred revenue had of this product without the entry.",
    )
    amount_lapsed_before = fields.Monetary(
        string="Lapsed, posted before", readonly=True
    )
    amount_change = fields.Monetary(
        string="Deferred revenue",
        compute="_compute_changes",
        help="Above zero: more is deferred.",
    )
    amount_lapse = fields.Monetary(
        string="Revenue, lapsed",
        compute="_compute_changes",
        help="The value that has lapsed.",
    )
    amount_revenue = fields.Monetary(
        string="Revenue",
        compute="_compute_changes",
        help="The value that was used, less what was invoiced.",
    )
    amount_now = fields.Monetary(
        string="To be deferred, by now",
        compute="_compute_amount_now",
        help="What the report says of that day by now.",
    )
    amount_since = fields.Monetary(
        string="Changed since",
        compute="_compute_amount_now",
        help="What was posted into the month later. It is part of the next entry.",
    )

    _product_uniq = models.UniqueIndex(
        "(release_id, product_id)", "Each product has one line."
    )

    @api.depends("amount_invoiced", "amount_used", "amount_lapsed")
    def _compute_amount_reported(self):
        for line in self:
            line.amount_reported = (
                line.amount_invoiced - line.amount_used - line.amount_lapsed
            )

    @api.depends(
        *("amount_books", "amount_discounts", "amount_down", "amount_opened"),
        "amount_invoiced",
    )
    def _compute_amount_difference(self):
        for line in self:
            line.amount_difference = (
                line.amount_books
                + line.amount_discounts
                + line.amount_down
                + line.amount_opened
                - line.amount_invoiced
            )

    @api.depends(
        *("amount_deferred", "amount_before", "amount_lapsed", "amount_lapsed_before")
    )
    def _compute_changes(self):
        for line in self:
            line.amount_change = line.amount_deferred - line.amount_before
            line.amount_lapse = line.amount_lapsed - line.amount_lapsed_before
            line.amount_revenue = -line.amount_change - line.amount_lapse

    @api.depends("release_id.date", "product_id", "amount_reported")
    def _compute_amount_now(self):
        for release, lines in self.grouped("release_id").items():
            figures = (
                # Not in a form that is not saved yet.
                release._figures(release.company_id, release.date)
                if release.company_id and release.date
                else {}
            )
            for line in lines:
                now = figures.get(line.product_id.id, {})
                line.amount_now = now.get("amount_invoiced", 0) - (
                    now.get("amount_used", 0) + now.get("amount_lapsed", 0)
                )
                line.amount_since = line.amount_now - line.amount_reported

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: accountants enter opening values, and nothing else."""
        self.browse().check_access("create")
        if not self.env.su:
            self._check_names(set().union(*vals_list) - {"release_id"})
        lines = super().create(vals_list)
        lines._check_open()
        return lines

    def write(self, vals):
        """Override: accountants enter opening values, and nothing else."""
        self.check_access("write")
        self._check_open()
        if not self.env.su:
            self._check_names(vals)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_opening(self):
        self._check_open()

    def _check_open(self):
        if not self.env.su:
            self.release_id._check_opening()

    def _check_names(self, names):
        if set(names) - {"product_id", "amount_deferred"}:
            raise self.env["helpdesk.incident.release"]._closed_error()

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_positions(self):
        """Show what the figures of this product come from: who had what left."""
        self.ensure_one()
        self.check_access("read")
        wizard = self.env["helpdesk.incident.unearned.wizard"]
        return wizard._show_positions(
            self.release_id.date, [("product_id", "=", self.product_id.id)]
        )

    def action_invoiced(self):
        """Show the journal items that are what was invoiced of this product."""
        return self._show_charged(
            SQL("SELECT item_id FROM charged WHERE product_id = %s", self.product_id.id)
        )

    def action_openings(self):
        """Show the opening balances of this product up to the day (R21.4)."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_opening_action"
        )
        domain = (
            Domain("product_id", "=", self.product_id.id)
            & Domain("company_id", "child_of", self.company_id.id)
            & Domain(
                "date_confirmed", "<=", fields.Date.to_string(self.release_id.date)
            )
        )
        return {**action, "domain": list(domain), "context": {}}

    def action_difference(self):
        """Show what the income accounts have for this product otherwise, and what was
        invoiced to another account."""
        return self._show_charged(
            SQL(
                """
                SELECT item_id FROM booked WHERE product_id = %(product)s
                EXCEPT SELECT item_id FROM charged WHERE product_id = %(product)s
                 UNION
                (SELECT item_id FROM charged
                  WHERE product_id = %(product)s AND NOT is_down
                 EXCEPT SELECT item_id FROM booked WHERE product_id = %(product)s)
                """,
                product=self.product_id.id,
            )
        )

    def _show_charged(self, query):
        """Show the journal items of a query, which may use ``charged`` and
        ``booked``."""
        self.ensure_one()
        self.check_access("read")
        months = self.env["helpdesk.incident.unearned.month"].sudo()
        company = self.company_id.sudo()
        rows = self.env.execute_query(
            SQL(
                "WITH charged AS (%s), booked AS (%s) %s",
                months._charged(self.release_id.date, company),
                months._booked(self.release_id.date, company),
                query,
            )
        )
        return self.env["helpdesk.incident.release"]._show_items(
            [("id", "in", sorted(item_id for (item_id,) in rows))]
        )

    def action_entries(self):
        """Show the journal items by which this product was deferred and released."""
        self.ensure_one()
        self.check_access("read")
        return self.env["helpdesk.incident.release"]._show_items(
            [
                ("product_id", "=", self.product_id.id),
                ("company_id", "child_of", self.company_id.id),
                ("date", "<=", fields.Date.to_string(self.release_id.date)),
                ("incident_release_kind", "!=", False),
            ],
        )
