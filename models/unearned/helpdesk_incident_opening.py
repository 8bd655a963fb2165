from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ... import periods
from ...fields import MAX_INCIDENTS, WholeNumber
from ..ledger.helpdesk_incident_protected import REMEMBERED
from ..selling.product_product import PLAN_KINDS

#: What subscriptions alone have.
OF_SUBSCRIPTION = ("current_left", "extra_incidents", "agreed_price", "auto_renew")


class HelpdeskIncidentOpening(models.Model):
    """What a customer had of one plan in another system (R21.4).

    It is entered in a form or imported from a file, and does nothing before it is
    confirmed: then it makes an order (``opening_order.py``), by which its incidents are
    given, used, renewed and valued as any others.
    """

    _name = "helpdesk.incident.opening"
    _inherit = ["helpdesk.incident.described", "helpdesk.incident.protected"]
    _description = "Opening Balance of Support Incidents"
    _order = "id desc"
    _rec_name = "reference"
    _check_company_auto = True
    _internal_fields = frozenset({"currency_id"})

    reference = fields.Char(
        required=True,
        help="What names it in the other system. Each is taken once in a company.",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        required=True,
        index=True,
        check_company=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Plan",
        required=True,
        check_company=True,
        domain=[("incident_kind", "in", PLAN_KINDS)],
        ondelete="restrict",
    )
    incident_kind = fields.Selection(
        related="product_id.incident_kind", string="Kind of the plan"
    )
    quantity = WholeNumber(
        required=True,
        help="Lifetime incidents, and incidents that expire: how many are left. "
        "Incidents every month: how many units of the plan the customer has.",
    )
    date = fields.Date(
        string="As of",
        required=True,
        default=lambda self: self.env.company._incident_today(),
        help="The day of the other system's figures.",
    )
    date_start = fields.Date(
        string="First Day",
        help="Of a subscription: the day from which its months are counted, the first "
        "one that was paid for.",
    )
    date_end = fields.Date(
        string="Last Day",
        help="The last day on which incidents that expire are valid, or that is paid "
        "for of a subscription, inclusive.",
    )
    current_left = WholeNumber(
        string="Left in this period",
        help="Of a subscription: what is left of the month, or period, in which the "
        "day of the figures is; extra incidents included.",
    )
    extra_incidents = WholeNumber(
        string="Extra incidents per period",
        help="Of a subscription: how many more than its plan has it gets each month, "
        "or period.",
    )
    value = fields.Monetary(
        string="Value without tax",
        help="What the customer paid for what is left, without tax; 0 where that is "
        "not known. It is unearned until it is used or lapses.",
    )
    agreed_price = fields.Monetary(
        help="Of a subscription: what the customer paid last for a term of the plan, "
        "for all units and extra incidents, taxes included. It is renewed "
        "automatically for no more than that.",
    )
    auto_renew = fields.Boolean(
        string="Automatic renewal",
        help="Of a subscription: the customer has agreed to that in the other system.",
    )
    registered = fields.Boolean(
        string="Was a client before",
        help="The customer gets nothing for new clients any more.",
    )
    first_payment = fields.Boolean(
        string="Has paid before",
        help="The customer gets nothing for the first payment any more.",
    )
    state = fields.Selection(
        selection=[
            ("draft", "Draft"),
            ("confirmed", "Confirmed"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        index=True,
        **REMEMBERED,
    )
    order_id = fields.Many2one(
        comodel_name="sale.order",
        index="btree_not_null",
        ondelete="restrict",
        **REMEMBERED,
    )
    date_confirmed = fields.Date(string="Confirmed on", **REMEMBERED)
    date_cancelled = fields.Date(string="Cancelled on", **REMEMBERED)
    deferred = fields.Boolean(
        string="Deferred in the old books",
        help="Its value counts as invoiced from the day of the confirmation, as the "
        "settings said then.",
        **REMEMBERED,
    )

    _reference_uniq = models.UniqueIndex(
        "(company_id, reference) WHERE state <> 'cancelled'",
        "There is an opening balance with this reference already: each is taken once.",
    )

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------

    @api.constrains(
        *("agreed_price", "auto_renew", "company_id", "current_left", "date"),
        *("date_end", "date_start", "extra_incidents", "product_id", "quantity"),
        *("reference", "value"),
    )
    def _check_balance(self):
        """R21.4: what cannot be given is refused when it is entered."""
        for opening in self:
            problem = opening._problem()
            if problem:
                raise ValidationError(
                    self.env._(
                        "%(reference)s: %(problem)s",
                        reference=opening.reference,
                        problem=problem,
                    )
                )

    def _problem(self):
        """Return why this cannot be given, in words; None if it can.

        :rtype: str | None
        """
        self.ensure_one()
        today = self.company_id._incident_today()
        kind = self.product_id.incident_kind
        if kind not in PLAN_KINDS:
            return self.env._(
                "%(product)s sells no support incidents: choose a plan.",
                product=self.product_id.display_name,
            )
        if not 1 <= self.quantity <= MAX_INCIDENTS:
            return self.env._("The quantity is a whole number, 1 or more.")
        if min(self.value, self.agreed_price) < 0:
            return self.env._("Values and prices are 0 or more.")
        if self.date > today:
            return self.env._("The figures are of a day that has not come yet.")
        if kind != "period" and any(self[name] for name in OF_SUBSCRIPTION):
            return self.env._(
                "%(product)s is no subscription: leave empty what is left in this "
                "period, extra incidents, the agreed price and automatic renewal.",
                product=self.product_id.display_name,
            )
        if kind == "lifetime":
            if self.date_start or self.date_end:
                return self.env._(
                    "%(product)s never expires: leave the first and the last day "
                    "empty.",
                    product=self.product_id.display_name,
                )
            return None
        if not self.date_end:
            return self.env._("The last day is missing.")
        if self.date_end < today:
            return self.env._("Its last day is over.")
        if self.date_start and self.date_start > self.date_end:
            return self.env._("It ends before it begins.")
        return self._subscription_problem() if kind == "period" else None

    def _subscription_problem(self):
        plan, today = self.product_id, self.company_id._incident_today()
        if not self.date_start or self.date_start > self.date:
            return self.env._(
                "The first day of a subscription is the day from which its months are "
                "counted, the day of the figures or before."
            )
        months = self._months_paid()
        if periods.last_day(self.date_start, months) != self.date_end:
            return self.env._(
                "Its last day is not the last day of one of its months, counted from "
                "the first day."
            )
        if months % plan.incident_period_months:
            return self.env._(
                "Its last day is not the last day of a period of %(months)s months, "
                "counted from the first day.",
                months=plan.incident_period_months,
            )
        if months - periods.number_at(self.date_start, today) > periods.MAX_MONTHS:
            return self.env._(
                "It is paid for more than %(months)s months ahead.",
                months=periods.MAX_MONTHS,
            )
        if self.extra_incidents < 0 or self.current_left < 0:
            return self.env._("Numbers of incidents are 0 or more.")
        if self.extra_incidents and not plan.sudo().incident_extra_product_id:
            return self.env._(
                "Extra incidents are not sold with %(product)s: enter their product "
                "in the plan first.",
                product=plan.display_name,
            )
        number = self._per_period() + self.extra_incidents
        if number * (months // plan.incident_period_months) > MAX_INCIDENTS:
            return self.env["helpdesk.incident.account"]._too_many_message()
        if self.current_left > number:
            return self.env._(
                "More is left in this period than the %(number)s that it has: enter "
                "what was carried over as incidents that expire.",
                number=number,
            )
        if self.value and not sum(self._left_by_line()):
            return self.env._("Nothing is left, which has no value.")
        return None

    def _per_period(self):
        """Return how many incidents the plan has in each period, without extras."""
        return self.quantity * self.product_id.incident_quantity

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a file that is imported twice changes nothing."""
        self.browse().check_access("create")
        vals_list = [self._clean(vals) for vals in vals_list]
        self._check_references(
            (vals.get("company_id") or self.env.company.id, vals.get("reference"))
            for vals in vals_list
        )
        return super().create(vals_list)

    def write(self, vals):
        """Override: what is confirmed is changed no more.

        :raise UserError: if one of these is.
        """
        vals = self._clean(vals)
        if vals.keys() - self._incident_protected_fields():
            self.check_access("write")
            self._check_draft()
        if {"company_id", "reference"} & vals.keys():
            self._check_references(
                (
                    vals.get("company_id", opening.company_id.id),
                    vals.get("reference", opening.reference),
                )
                for opening in self
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_confirmed(self):
        self._check_draft()

    @api.model
    def _clean(self, vals):
        if isinstance(vals.get("reference"), str):
            vals = {**vals, "reference": vals["reference"].strip()}
        return vals

    def _check_references(self, references):
        """
        :param references: company and reference of each.
        :raise ValidationError: if one of these references is taken by another opening
            balance, or is there twice. (Of two at the same moment the database refuses
            one.)
        """
        references = list(references)
        others = self.sudo().search_fetch(
            [
                ("reference", "in", [reference for _company, reference in references]),
                ("state", "!=", "cancelled"),
                ("id", "not in", self.ids),
            ],
            ["company_id", "reference"],
        )
        taken = {(other.company_id.id, other.reference) for other in others}
        for company_id, reference in references:
            if not reference:
                raise ValidationError(
                    self.env._(
                        "The reference is missing: what names it in the other system."
                    )
                )
            if (company_id, reference) in taken:
                raise ValidationError(
                    self.env._(
                        "%(reference)s is taken already: an opening balance is "
                        "entered, or imported, once.",
                        reference=reference,
                    )
                )
            taken.add((company_id, reference))

    def _check_draft(self):
        for opening in self:
            if opening.state != "draft":
                raise UserError(
                    self.env._(
                        "%(reference)s was confirmed, and is changed no more. Cancel "
                        "it, and enter it anew.",
                        reference=opening.reference,
                    )
                )
