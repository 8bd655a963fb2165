from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools.sql import column_exists

from ...fields import WholeNumber
from .product_product import KINDS, PLAN_FIELDS


class ProductTemplate(models.Model):
    """The plans of a product: one for each variant (R8.1).

    The fields of a plan belong to the variants. A product with one variant shows and
    edits them, as it does its cost and weight.
    """

    _inherit = "product.template"

    incident_kind = fields.Selection(
        selection=KINDS,
        string="Support incidents",
        compute="_compute_incident_kind",
        inverse="_inverse_incident_plan",
        search=lambda self, *args: self._search_incident_plan("incident_kind", *args),
        copy=True,
        help="What a customer gets for each unit.",
    )
    incident_quantity = WholeNumber(
        string="Incidents per unit",
        compute="_compute_incident_quantity",
        inverse="_inverse_incident_plan",
        copy=True,
        help="Every month: in each month, or period, of the term. Others: once.",
    )
    incident_term_months = WholeNumber(
        string="Term in months",
        compute="_compute_incident_term_months",
        inverse="_inverse_incident_plan",
        copy=True,
        help="For how many months a customer gets them, or they are valid.",
    )
    incident_period_months = WholeNumber(
        string="Period in months",
        compute="_compute_incident_period_months",
        inverse="_inverse_incident_plan",
        copy=True,
        help="How many months each period has: 1 for incidents every month, 3 for "
        "every quarter. The term has whole periods.",
    )
    incident_carry_periods = WholeNumber(
        string="Carried over for periods",
        compute="_compute_incident_carry_periods",
        inverse="_inverse_incident_plan",
        copy=True,
        help="For how many more periods a customer can use what is left at the end of "
        "a period; 0: it lapses then.",
    )
    incident_description = fields.Text(
        string="A customer gets", compute="_compute_incident_description"
    )
    incident_portal_published = fields.Boolean(
        string="Sold in the portal",
        help="Customers can buy it themselves, on their page “Support incidents”.",
    )
    incident_extra_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Extra incidents",
        ondelete="restrict",
        check_company=True,
        domain=[("sale_ok", "=", True), ("incident_kind", "=", "none")],
        help="The product that is the price of one more incident in one month of a "
        "running term.",
    )

    incident_change_template_ids = fields.Many2many(
        comodel_name="product.template",
        relation="product_template_incident_change_rel",
        column1="template_id",
        column2="other_id",
        string="Can be changed to",
        check_company=True,
        domain=[("sale_ok", "=", True), ("incident_kind", "!=", "none")],
        help="The plans that a customer can change to during a term. List the plan "
        "itself to allow its other terms.",
    )

    incident_is_support = fields.Boolean(
        string="Part of paid support",
        readonly=True,
        help="A plan, or the price of extra incidents of one: helpdesk managers may "
        "change it.",
    )

    # Each by itself: computed together, one would undo what is written to the other.

    @api.depends("product_variant_ids.incident_kind")
    def _compute_incident_kind(self):
        self._compute_template_field_from_variant_field("incident_kind")
        # One that is new has no variant yet.
        for template in self:
            if not template._origin and not template.incident_kind:
                template.incident_kind = "none"

    @api.depends("product_variant_ids.incident_quantity")
    def _compute_incident_quantity(self):
        self._compute_template_field_from_variant_field("incident_quantity")

    @api.depends("product_variant_ids.incident_term_months")
    def _compute_incident_term_months(self):
        self._compute_template_field_from_variant_field("incident_term_months")

    @api.depends("product_variant_ids.incident_period_months")
    def _compute_incident_period_months(self):
        self._compute_template_field_from_variant_field("incident_period_months")
        for template in self:
            if not template._origin and not template.incident_period_months:
                template.incident_period_months = 1

    @api.depends("product_variant_ids.incident_carry_periods")
    def _compute_incident_carry_periods(self):
        self._compute_template_field_from_variant_field("incident_carry_periods")

    @api.depends("product_variant_ids.incident_description")
    @api.depends_context("lang")
    def _compute_incident_description(self):
        """A sentence for one variant, a line for each of several."""
        for template in self:
            plans = template.product_variant_ids.filtered("incident_description")
            if len(template.product_variant_ids) <= 1:
                template.incident_description = plans.incident_description
                continue
            template.incident_description = "\n".join(
                self.env._(
                    "%(variant)s: %(plan)s",
                    variant=plan.product_template_attribute_value_ids._get_combination_name()
                    or plan.display_name,
                    plan=plan.incident_description,
                )
                for plan in plans
            )

    @api.onchange("incident_kind")
    def _onchange_incident_kind(self):
        """What a plan must be, it is from the start."""
        if self.incident_kind not in (False, "none"):
            self.type = "service"
            self.invoice_policy = "order"

    @api.constrains("invoice_policy")
    def _check_incident_policy(self):
        """R8.1"""
        for template in self:
            plans = template.with_context(active_test=False).product_variant_ids
            if template.invoice_policy != "order" and any(
                plan.incident_kind != "none" for plan in plans
            ):
                raise ValidationError(
                    self.env._(
                        "%(product)s sells support incidents, so its invoicing policy "
                        "must be “Ordered quantities”.",
                        product=template.display_name,
                    )
                )

    def _auto_init(self):
        """Override: what was part of paid support before there was such a field."""
        new = not column_exists(self.env.cr, self._table, "incident_is_support")
        res = super()._auto_init()
        if new and column_exists(self.env.cr, "product_product", "incident_kind"):
            self.env.cr.execute(
                """
                UPDATE product_template t SET incident_is_support = TRUE
                 WHERE EXISTS (
                       SELECT FROM product_product p
                        WHERE p.product_tmpl_id = t.id
                          AND (p.incident_kind <> 'none' OR EXISTS (
                              SELECT FROM product_template plan
                               WHERE plan.incident_extra_product_id = p.id)))
                """
            )
        return res

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `product`: a new product hands its plan to its variant."""
        vals_list = [self._incident_support_values(vals) for vals in vals_list]
        self._incident_check_maker(vals_list)
        templates = super().create(vals_list)
        for template, vals in zip(templates, vals_list, strict=True):
            plan = {name: vals[name] for name in PLAN_FIELDS if vals.get(name)}
            if plan:
                template.product_variant_ids.write(plan)
        templates.incident_extra_product_id.product_tmpl_id._incident_follow_support()
        return templates

    def write(self, vals):
        """Override: what extra incidents cost belongs to support (R14)."""
        if "incident_extra_product_id" not in vals:
            return super().write(vals)
        extras = self.incident_extra_product_id
        res = super().write(vals)
        extras |= self.incident_extra_product_id
        extras.product_tmpl_id._incident_follow_support()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sold_plan(self):
        # The database deletes the variants with it.
        variants = self.with_context(active_test=False).product_variant_ids
        variants._incident_check_unused()

    # ------------------------------------------------------------------
    # What helpdesk managers may change (R14)
    # ------------------------------------------------------------------

    @api.model
    def _incident_support_values(self, vals):
        """Return the values of a new product: a plan is part of support from the start,
        before it has a variant."""
        kind = vals.get("incident_kind") or self.env.context.get(
            "default_incident_kind"
        )
        plan = kind not in (None, False, "none")
        return {**vals, "incident_is_support": True} if plan else vals

    @api.model
    def _incident_check_maker(self, vals_list):
        """Say in words what helpdesk managers may create, before the rule does."""
        default = self.env.context.get("default_incident_is_support")
        if all(vals.get("incident_is_support", default) for vals in vals_list):
            return
        user = self.env.user
        if (
            not self.env.su
            and user.has_group("helpdesk_mgmt.group_helpdesk_manager")
            and not user.has_group("product.group_product_manager")
        ):
            raise AccessError(
                self.env._(
                    "Helpdesk managers create plans: choose on the page “Paid Support” "
                    "what a customer gets. Other products are for those who have the "
                    "right to create products."
                )
            )

    def _incident_follow_support(self):
        """Note which of these products are part of support: with the rights of the
        user, so that nobody makes a product his own by offering it with a plan.

        :raise AccessError: if the user may not change a product that becomes one.
        """
        for template in self.with_context(active_test=False):
            variants = template.sudo().product_variant_ids
            is_support = any(
                variant.incident_kind != "none" for variant in variants
            ) or bool(variants.incident_extra_of_ids)
            if template.incident_is_support != is_support:
                template.incident_is_support = is_support

    def _inverse_incident_plan(self):
        plans = {
            template: {name: template[name] for name in PLAN_FIELDS}
            for template in self
        }
        for template, plan in plans.items():
            variants = (
                template.product_variant_ids
                or template.with_context(active_test=False).product_variant_ids
            )
            if len(variants) == 1 and plan["incident_kind"]:
                variants.write(plan)

    def _search_incident_plan(self, name, operator, value):
        return [(f"product_variant_ids.{name}", operator, value)]
