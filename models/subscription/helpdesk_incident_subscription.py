from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..selling.account_because import Because


class HelpdeskIncidentSubscription(models.Model):
    """A period plan bought by a customer (R9), made of terms.

    What it should have given follows from its terms alone: each says how many incidents
    it has paid for in which periods, and each period of the subscription is one cause
    (R3.4). Undoing, redoing, credit notes and cancelling are other numbers for the same
    periods.
    """

    _name = "helpdesk.incident.subscription"
    _inherit = [
        "helpdesk.incident.cause",
        "helpdesk.incident.automatic",
        "mail.thread",
        "mail.activity.mixin",
        "helpdesk.incident.described",
    ]
    _description = "Support Subscription"
    # Whoever may read it may talk about it, as about orders, its customer included;
    # nobody writes it over an interface.
    _mail_post_access = "read"
    _order = "date_end desc, id desc"
    _internal_fields = frozenset(
        {
            *("agreed_partner_id", "renewal_tried"),
            *(
                "next_carry_periods",
                "next_currency_id",
                "next_incidents",
                "next_months",
                "next_period_months",
            ),
        }
    )

    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    partner_id = fields.Many2one(related="account_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="account_id.company_id")
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Plan",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    quantity = fields.Integer(
        string="Units", required=True, readonly=True, help="How many were bought."
    )
    incidents_per_period = fields.Integer(
        string="Incidents per period",
        required=True,
        readonly=True,
        help="How many incidents each month, or period, of the term has.",
    )
    period_months = fields.Integer(
        string="Months in a period", required=True, readonly=True, default=1
    )
    carry_periods = fields.Integer(
        string="Carried over for periods",
        readonly=True,
        help="For how many more periods the customer can use what is left at the end "
        "of a period.",
    )
    extra_incidents = fields.Integer(
        string="Extra incidents per period",
        readonly=True,
        help="How many more each month, or period, has; they are part of the next "
        "renewal.",
    )
    date_start = fields.Date(
        string="Start",
        required=True,
        readonly=True,
        help="The day on which it was paid. Its months are counted from this day.",
    )
    date_end = fields.Date(
        string="Paid Through",
        readonly=True,
        index=True,
        help="The last day that is paid for, inclusive; empty when nothing is paid.",
    )
    date_cancelled = fields.Date(
        string="Cancelled on",
        readonly=True,
        help="What had not ended by this day was withdrawn.",
    )
    state = fields.Selection(
        selection=[
            ("draft", "Not Paid"),
            ("active", "Active"),
            ("ended", "Ended"),
            ("cancelled", "Cancelled"),
        ],
        compute="_compute_state",
        search="_search_state",
    )
    term_ids = fields.One2many(
        comodel_name="helpdesk.incident.subscription.term",
        inverse_name="subscription_id",
        string="Terms",
        readonly=True,
    )
    allotment_ids = fields.One2many(
        comodel_name="helpdesk.incident.allotment",
        inverse_name="subscription_id",
        string="Periods",
        readonly=True,
    )
    attention = fields.Char(
        compute="_compute_attention",
        help="What the customer is, or should be told at present.",
    )
    period_balance = fields.Integer(
        string="Left now",
        compute="_compute_period_balance",
        help="What is left of the current month, or period, and of what was carried "
        "over.",
    )

    _quantity_check = models.Constraint(
        "CHECK (quantity >= 1 AND incidents_per_period >= 1)",
        "A subscription has 1 incident or more in each period.",
    )

    # ------------------------------------------------------------------
    # Compute and search
    # ------------------------------------------------------------------

    @api.depends("product_id", "partner_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for subscription in self:
            subscription.display_name = self.env._(
                "%(customer)s: %(plan)s",
                customer=subscription.sudo().partner_id.display_name,
                plan=subscription.sudo().product_id.display_name,
            )

    @api.depends("date_cancelled", "date_end")
    def _compute_state(self):
        """R9.8"""
        for subscription in self:
            if subscription.date_cancelled:
                subscription.state = "cancelled"
            elif not subscription.date_end:
                subscription.state = "draft"
            else:
                today = subscription.company_id.sudo()._incident_today()
                ended = subscription.date_end < today
                subscription.state = "ended" if ended else "active"

    def _state_words(self):
        """Return the state as the customer reads it."""
        states = self._fields["state"]._description_selection(self.env)
        return dict(states)[self.state]

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        companies = self.env["res.company"]._incident_companies()
        ended = Domain.OR(
            Domain("company_id", "=", company.id)
            & Domain("date_end", "<", company._incident_today())
            for company in companies
        )
        goes_on = Domain("date_cancelled", "=", False)
        domains = {
            "cancelled": ~goes_on,
            "draft": goes_on & Domain("date_end", "=", False),
            "active": goes_on & Domain("date_end", "!=", False) & ~ended,
            "ended": goes_on & Domain("date_end", "!=", False) & ended,
        }
        return Domain.OR(domains.get(state, Domain.FALSE) for state in value)

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override to sort and group by state, which changes with the day."""
        if field_expr != "state":
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        companies = self.env["res.company"]._incident_companies()
        today = SQL(
            """
            (SELECT today.day FROM helpdesk_incident_account a
               JOIN %s AS today(company_id, day) USING (company_id)
              WHERE a.id = %s)
            """,
            self.env["helpdesk.incident.account"]._today_table(companies),
            SQL.identifier(alias, "account_id"),
        )
        return SQL(
            """
            CASE WHEN %(cancelled)s IS NOT NULL THEN 'cancelled'
                 WHEN %(end)s IS NULL THEN 'draft'
                 WHEN %(end)s < %(today)s THEN 'ended' ELSE 'active' END
            """,
            cancelled=SQL.identifier(alias, "date_cancelled"),
            end=SQL.identifier(alias, "date_end"),
            today=today,
        )

    @api.depends_context("uid")
    def _compute_period_balance(self):
        numbers = defaultdict(int)
        for company, subscriptions in self.grouped("company_id").items():
            today = company.sudo()._incident_today()
            for subscription, balance, to_grant in (
                self.env["helpdesk.incident.allotment"]
                .sudo()
                ._read_group(
                    [
                        ("subscription_id", "in", subscriptions.ids),
                        ("date_from", "<=", today),
                        ("date_to", ">=", today),
                    ],
                    ["subscription_id"],
                    ["balance:sum", "to_grant:sum"],
                )
            ):
                numbers[subscription.id] = balance + to_grant
        for subscription in self:
            subscription.period_balance = numbers[subscription._origin.id]

    @api.depends("renewal_problem", "date_end", "date_cancelled", "next_product_id")
    def _compute_attention(self):
        """R13.2: staff see what the customer is told."""
        for subscription in self:
            subscription.attention = " ".join(subscription._attention()) or False

    def _attention(self):
        """Return what staff should know about this subscription, as sentences.

        :rtype: list[str]
        """
        self.ensure_one()
        if self.state != "active":
            return []
        sentences = []
        company = self.company_id.sudo()
        if self.renewal_problem:
            problems = dict(
                self._fields["renewal_problem"]._description_selection(self.env)
            )
            sentences.append(
                self.env._(
                    "It could not be renewed automatically. %(problem)s.",
                    problem=problems[self.renewal_problem],
                )
            )
            sentences += filter(None, [self.sudo()._differences_words()])
        elif self.date_end <= company._incident_soon():
            sentences.append(
                self.env._(
                    "It ends on %(date)s.",
                    date=format_date(self.env, self.date_end, date_format="medium"),
                )
            )
        if self._scheduled_plan():
            sentences.append(
                self.env._(
                    "The next renewal is for %(plan)s.",
                    plan=self.sudo()._scheduled_plan().display_name,
                )
            )
        low = company.incident_low_threshold
        available = self.account_id.available
        if low and available <= low:
            sentences.append(
                self.env._(
                    "Incidents that the customer has left: %(number)s.",
                    number=available,
                )
            )
        return sentences

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_cancel(self):
        """End subscriptions at once (R9.8): periods not yet begun are withdrawn, and
        the unused rest of the current one. No money is paid back by this.

        :raise AccessError: if the user is no helpdesk manager (R14).
        """
        self._set_cancelled(lambda company: company._incident_today())

    def action_reopen(self):
        """Undo the cancelling: what is paid is given again, in the same periods.

        :raise AccessError: if the user is no helpdesk manager (R14).
        """
        self._set_cancelled(lambda _company: False)

    def action_order_renewal(self):
        """Open the wizard that orders a renewal for the customer."""
        return self._open_wizard("renew")

    def action_order_extra(self):
        """Open the wizard that orders extra incidents for the customer."""
        return self._open_wizard("extra")

    def action_order_change(self):
        """Open the wizard that orders a change of plan for the customer."""
        return self._open_wizard("change")

    def action_view_entries(self):
        """Show what was granted and taken back for this subscription."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_entry_action"
        )
        return {
            **action,
            "domain": [("allotment_id.subscription_id", "=", self.id)],
            "context": {},
        }

    def action_view_orders(self):
        """Show the orders that this subscription was bought with."""
        self.ensure_one()
        self.check_access("read")
        orders = self.sudo().term_ids.sale_line_id.order_id
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_orders")
        if len(orders) == 1:
            return {**action, "views": [(False, "form")], "res_id": orders.id}
        return {**action, "domain": [("id", "in", orders.ids)]}

    def action_view_invoices(self):
        """Show the invoices and credit notes of this subscription."""
        self.ensure_one()
        self.check_access("read")
        moves = self.sudo().term_ids.sale_line_id.invoice_lines.move_id
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        return {**action, "domain": [("id", "in", moves.ids)], "context": {}}

    def message_subscribe(self, partner_ids=None, subtype_ids=None):
        """Override of `mail`: staff who may read these may plan activities on them for
        each other, although nobody may write them."""
        self.check_access("read")
        users = self.env["res.partner"].sudo().browse(partner_ids or []).user_ids
        colleagues = len(users.partner_id) == len(partner_ids or []) and all(
            user._is_internal() for user in users
        )
        internal = colleagues and self.env.user._is_internal()
        model = self.sudo() if internal else self
        return super(HelpdeskIncidentSubscription, model).message_subscribe(
            partner_ids, subtype_ids
        )

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _action_open(self):
        """Return the action that shows these subscriptions."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_subscription_action"
        )
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id}
        return {**action, "domain": [("id", "in", self.ids)], "context": {}}

    def _open_wizard(self, operation):
        self.ensure_one()
        self._check_seller()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_subscription_order_action"
        )
        return {
            **action,
            "context": {
                "default_subscription_id": self.id,
                "default_operation": operation,
            },
        }

    def _check_seller(self):
        """Whoever sells to customers may order for them (R14).

        :raise AccessError: if the user is neither a helpdesk user nor a salesperson, or
            may not see these.
        """
        self.check_access("read")
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            self._check_staff()

    def _check_staff(self):
        """Whoever serves customers on the phone may order, and switch, for them.

        :raise AccessError: if the user is no helpdesk user, or may not see these.
        """
        self.check_access("read")
        if not self.env.user.has_group("helpdesk_mgmt.group_helpdesk_user_own"):
            raise AccessError(
                self.env._("Only helpdesk users may do this for a customer.")
            )

    def _set_cancelled(self, day):
        self.check_access("read")
        self.env["helpdesk.incident.account"]._check_manager()
        subscriptions = self.sudo()
        subscriptions.account_id._lock()
        for subscription in subscriptions:
            # Cancelled twice is cancelled on the first day.
            if bool(subscription.date_cancelled) != bool(day(subscription.company_id)):
                subscription.date_cancelled = day(subscription.company_id)
                subscription._set_auto_renew(False)
                # What was ordered for it would add to what there is no more.
                subscription._open_orders()._incident_withdraw()
        subscriptions.with_context(
            incident_because=Because(
                (
                    subscription.partner_id.id,
                    lambda env: env._("Subscription cancelled"),
                )
                for subscription in subscriptions
            )
        )._incident_settle()
