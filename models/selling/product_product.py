from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...fields import MAX_INCIDENTS, WholeNumber
from ...periods import MAX_MONTHS

KINDS = [
    ("none", "None"),
    ("lifetime", "Lifetime incidents"),
    ("pack", "Incidents that expire"),
    ("period", "Incidents every month"),
]
#: Those that sell incidents.
PLAN_KINDS = ("lifetime", "pack", "period")
#: Those that have a term.
TERM_KINDS = ("pack", "period")
#: What makes a plan, and is kept by every order line (R8.7).
PLAN_FIELDS = (
    "incident_kind",
    "incident_quantity",
    "incident_term_months",
    "incident_period_months",
    "incident_carry_periods",
)


class ProductProduct(models.Model):
    """A plan is a product variant that sells incidents (R8.1)."""

    _inherit = "product.product"

    incident_kind = fields.Selection(
        selection=KINDS,
        string="Support incidents",
        default="none",
        required=True,
        help="What a customer gets for each unit.",
    )
    incident_quantity = WholeNumber(
        string="Incidents per unit",
        default=0,
        help="Every month: in each month, or period, of the term. Others: once.",
    )
    incident_term_months = WholeNumber(
        string="Term in months",
        default=0,
        help="For how many months a customer gets them, or they are valid: from 1 to "
        f"{MAX_MONTHS}.",
    )
    incident_period_months = WholeNumber(
        string="Period in months",
        default=1,
        help="How many months each period has: 1 for incidents every month, 3 for "
        "every quarter. The term has whole periods.",
    )
    incident_carry_periods = WholeNumber(
        string="Carried over for periods",
        default=0,
        help="For how many more periods a customer can use what is left at the end of "
        "a period; 0: it lapses then.",
    )
    incident_description = fields.Char(
        string="A customer gets", compute="_compute_incident_description"
    )

    incident_extra_of_ids = fields.One2many(
        comodel_name="product.template",
        inverse_name="incident_extra_product_id",
        string="Extra incidents of",
        context={"active_test": False},
        readonly=True,
        groups="base.group_user",
    )

    _incident_plan_check = models.Constraint(
        f"""CHECK (CASE incident_kind
            WHEN 'none' THEN TRUE
            ELSE incident_quantity BETWEEN 1 AND {MAX_INCIDENTS}
             AND (incident_kind = 'lifetime'
                  OR incident_term_months BETWEEN 1 AND {MAX_MONTHS})
             AND (incident_kind <> 'period' OR incident_period_months >= 1
                 AND MOD(incident_term_months, GREATEST(incident_period_months, 1)) = 0
                 AND incident_carry_periods BETWEEN 0
                     AND {MAX_MONTHS} / GREATEST(incident_period_months, 1))
                 END)""",
        "A plan gives 1 incident or more, for a whole number of months "
        f"from 1 to {MAX_MONTHS}, and of periods; what is carried over is for no more "
        "months than that.",
    )

    @api.depends(*PLAN_FIELDS)
    @api.depends_context("lang")
    def _compute_incident_description(self):
        for product in self:
            product.incident_description = self._incident_words(
                product.incident_kind,
                product.incident_quantity,
                product.incident_term_months,
                product.incident_period_months,
                product.incident_carry_periods,
            )

    def _incident_is_in_portal(self, company):
        """Return whether customers can buy this plan in the portal: see
        ``sale.order._incident_plans``, which searches for these."""
        self.ensure_one()
        return (
            self.active
            and self.incident_kind != "none"
            and self.incident_portal_published
            and self.sale_ok
            and self.company_id <= company.sudo().parent_ids
        )

    def _incident_is_single(self):
        """Return whether a unit of this product is one lifetime incident."""
        return self.incident_kind == "lifetime" and self.incident_quantity == 1

    def _incident_fetch_shown(self):
        """Fetch what pages show of these plans, and ask of them."""
        self.fetch(["active", "default_code", "incident_kind", "product_tmpl_id"])
        self.product_tmpl_id.fetch(
            ["company_id", "incident_extra_product_id", "name", "sale_ok"]
        )
        if not self:
            return
        # Names say the attributes of a variant, which takes long to read; most plans
        # have none.
        attributes = self._fields["product_template_attribute_value_ids"]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT product_product_id FROM product_variant_combination
                 WHERE product_product_id IN %s
                """,
                tuple(self.ids),
                to_flush=attributes,
            )
        )
        plain = self - self.browse([row[0] for row in rows])
        attributes._insert_cache(plain, [()] * len(plain))

    @api.constrains(*PLAN_FIELDS)
    def _check_incident_plan(self):
        """R8.1, with words that say what to do."""
        for product in self:
            if product.incident_kind == "none":
                continue
            if not 1 <= product.incident_quantity <= MAX_INCIDENTS:
                raise ValidationError(
                    self.env._(
                        "%(product)s sells support incidents: enter how many a "
                        "customer gets for each unit, 1 or more.",
                        product=product.display_name,
                    )
                )
            if product.incident_kind in TERM_KINDS and not (
                1 <= product.incident_term_months <= MAX_MONTHS
            ):
                raise ValidationError(
                    self.env._(
                        "The term of %(product)s must be a whole number of months, "
                        "from 1 to %(limit)s.",
                        product=product.display_name,
                        limit=MAX_MONTHS,
                    )
                )
            if product.incident_kind == "period" and (
                product.incident_period_months < 1
                or product.incident_term_months % product.incident_period_months
            ):
                raise ValidationError(
                    self.env._(
                        "The term of %(product)s must be whole periods: %(months)s "
                        "months cannot be divided into periods of %(period)s.",
                        product=product.display_name,
                        months=product.incident_term_months,
                        period=product.incident_period_months,
                    )
                )
            most = MAX_MONTHS // max(product.incident_period_months, 1)
            if product.incident_kind == "period" and not (
                0 <= product.incident_carry_periods <= most
            ):
                raise ValidationError(
                    self.env._(
                        "What is left of a period of %(product)s can be carried over "
                        "for 0 to %(limit)s periods.",
                        product=product.display_name,
                        limit=most,
                    )
                )
            product.product_tmpl_id._check_incident_policy()

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a new plan is part of support, and so is its product (R14)."""
        template_model = self.env["product.template"]
        return super().create(
            [template_model._incident_support_values(vals) for vals in vals_list]
        )

    def write(self, vals):
        """Override: a product that becomes a plan, or is one no more, is part of
        support, or no more (R14)."""
        if "incident_kind" not in vals:
            return super().write(vals)
        changed = self.filtered(
            lambda product: product.incident_kind != vals["incident_kind"]
        )
        res = super().write(vals)
        changed.product_tmpl_id._incident_follow_support()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sold_plan(self):
        self._incident_check_unused()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_check_unused(self):
        """
        :raise UserError: if one of these plans was sold or offered.
        """
        line = (
            self.env["sale.order.line"]
            .sudo()
            .search(
                [("product_id", "in", self.ids), ("incident_kind", "!=", False)],
                limit=1,
            )
        )
        if line:
            raise UserError(
                self.env._(
                    "%(product)s sells support incidents and is part of order "
                    "%(order)s. Archive it instead: it is sold no more then, and "
                    "customers keep what they bought.",
                    product=line.product_id.display_name,
                    order=line.order_id.name,
                )
            )

    @api.model
    def _incident_words(self, kind, number, months, period=1, carry=0):
        """Return in words what a customer gets (R8.1, R8.6).

        :param str kind: a key of ``KINDS``.
        :param int number: incidents in all, or in each period.
        :param int months: of a term.
        :param int period: how many months a period has.
        :param int carry: for how many more periods what is unused can be used (R15.3).
        :rtype: str | False
        """
        if kind == "period" and carry:
            plan = self._incident_words(kind, number, months, period)
            return self._incident_carry_words(plan, carry * period)
        if kind == "lifetime":
            if number == 1:
                return self.env._("1 lifetime incident")
            return self.env._("%(number)s lifetime incidents", number=number)
        if kind not in TERM_KINDS:
            return False
        if number == 1:
            incidents = self.env._("1 incident")
        else:
            incidents = self.env._("%(number)s incidents", number=number)
        if kind == "pack":
            if months == 1:
                return self.env._(
                    "%(incidents)s, valid for 1 month", incidents=incidents
                )
            return self.env._(
                "%(incidents)s, valid for %(months)s months",
                incidents=incidents,
                months=months,
            )
        if months == 1:
            return self.env._("%(incidents)s for 1 month", incidents=incidents)
        if months == period:
            return self.env._(
                "%(incidents)s for %(months)s months",
                incidents=incidents,
                months=months,
            )
        if period > 1:
            return self.env._(
                "%(incidents)s every %(period)s months for %(months)s months",
                incidents=incidents,
                period=period,
                months=months,
            )
        return self.env._(
            "%(incidents)s every month for %(months)s months",
            incidents=incidents,
            months=months,
        )

    @api.model
    def _incident_carry_words(self, plan, months):
        """Return in words that what is unused of a plan at the end of a period can be
        used for so many months more (R15.3).

        :param str plan: how many incidents it has, in words.
        :rtype: str
        """
        if not months:
            return plan
        if months == 1:
            return self.env._("%(plan)s, unused ones valid for 1 more month", plan=plan)
        return self.env._(
            "%(plan)s, unused ones valid for %(months)s more months",
            plan=plan,
            months=months,
        )
