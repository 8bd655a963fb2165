"""Plans side by side: what each sells, costs, and how many have it (R8.1, R12.2)."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang

from ..groups import INCIDENT_VIEWERS
from ..selling.product_product import TERM_KINDS


class ProductProduct(models.Model):
    _inherit = "product.product"

    incident_price = fields.Float(
        string="Price of the plan",
        compute="_compute_incident_price",
        inverse="_inverse_incident_price",
        min_display_digits="Product Price",
        help="What a unit costs, before pricelists and taxes. Of a variant it is kept "
        "as the extra price of its attribute value: the others keep theirs.",
    )
    incident_price_is_own = fields.Boolean(
        string="The price is its own",
        compute="_compute_incident_price_is_own",
        help="Where a value is shared with other variants, so is its extra price: set "
        "it on the product, page Attributes.",
    )
    incident_active_count = fields.Integer(
        string="Active subscriptions",
        compute="_compute_incident_active_count",
        groups=INCIDENT_VIEWERS,
        help="Subscriptions to this plan that are paid for today.",
    )
    incident_card = fields.Char(
        string="Plan in short",
        compute="_compute_incident_card",
        groups=INCIDENT_VIEWERS,
    )

    @api.depends("lst_price")
    def _compute_incident_price(self):
        for plan in self:
            plan.incident_price = plan.lst_price

    @api.depends("product_template_attribute_value_ids")
    def _compute_incident_price_is_own(self):
        for plan in self:
            plan.incident_price_is_own = plan._incident_is_alone() or bool(
                plan._incident_own_value()
            )

    def _incident_is_alone(self):
        return len(self.product_tmpl_id.product_variant_ids) == 1

    def _incident_own_value(self):
        """Return the attribute value that no other variant has, if there is one."""
        self.ensure_one()
        others = self.product_tmpl_id.product_variant_ids - self
        values = self.product_template_attribute_value_ids
        return (values - others.product_template_attribute_value_ids)[:1]

    def _inverse_incident_price(self):
        """Set the price of this variant, and of no other.

        :raise UserError: if it shares its extra prices with other variants.
        """
        for plan in self:
            wanted = plan.incident_price
            value = plan._incident_own_value()
            if plan._incident_is_alone():
                plan.product_tmpl_id.list_price = wanted - plan.price_extra
            elif value:
                value.price_extra += wanted - plan.lst_price
            else:
                raise UserError(
                    self.env._(
                        "%(plan)s shares its attribute values, and so their extra "
                        "prices, with other variants. Set them on the product, page "
                        "“Attributes & Variants”.",
                        plan=plan.display_name,
                    )
                )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_incident_active_count(self):
        counts = dict(
            self.env["helpdesk.incident.subscription"]._read_group(
                [("product_id", "in", self.ids), ("state", "=", "active")],
                ["product_id"],
                ["__count"],
            )
        )
        for plan in self:
            plan.incident_active_count = counts.get(plan._origin, 0)

    @api.depends("incident_kind", "incident_quantity", "incident_term_months")
    @api.depends("lst_price", "incident_active_count")
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_incident_card(self):
        for plan in self:
            plan.incident_card = plan.incident_kind != "none" and " · ".join(
                plan._incident_card_parts()
            )

    def _incident_card_parts(self):
        """Return what is said of this plan in a line: what it sells, its price, and how
        many subscribe to it."""
        self.ensure_one()
        number, months = self.incident_quantity, self.incident_term_months
        if self.incident_kind not in TERM_KINDS:
            what = self.env._("%(number)s lifetime", number=number)
        elif self.incident_kind == "pack" and months > 1:
            what = self.env._(
                "%(number)s for %(months)s months", number=number, months=months
            )
        elif self.incident_kind == "period" and self.incident_period_months > 1:
            what = self.env._(
                "%(number)s × %(periods)s periods of %(months)s months",
                number=number,
                periods=months // self.incident_period_months,
                months=self.incident_period_months,
            )
        elif months > 1:
            what = self.env._(
                "%(number)s × %(months)s months", number=number, months=months
            )
        else:
            what = self.env._("%(number)s for 1 month", number=number)
        parts = [
            what,
            formatLang(self.env, self.lst_price, currency_obj=self.currency_id),
        ]
        if self.incident_kind == "period":
            parts.append(
                self.env._("%(number)s active", number=self.incident_active_count)
            )
        return parts


class ProductTemplate(models.Model):
    _inherit = "product.template"

    incident_cards = fields.Text(
        string="Plans in short",
        compute="_compute_incident_cards",
        groups=INCIDENT_VIEWERS,
    )
    incident_active_count = fields.Integer(
        string="Active subscriptions",
        compute="_compute_incident_cards",
        groups=INCIDENT_VIEWERS,
        help="Subscriptions to plans of this product that are paid for today.",
    )

    @api.depends_context("lang", "uid", "allowed_company_ids")
    @api.depends("product_variant_ids.incident_card")
    def _compute_incident_cards(self):
        for template in self:
            plans = template.product_variant_ids
            template.incident_cards = "\n".join(
                filter(None, plans.mapped("incident_card"))
            )
            template.incident_active_count = sum(plans.mapped("incident_active_count"))

    def action_view_incident_subscriptions(self):
        """Show the active subscriptions to plans of this product."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_subscription_action"
        )
        return {
            **action,
            "domain": [
                ("product_id.product_tmpl_id", "in", self.ids),
                ("state", "=", "active"),
            ],
            "context": {},
        }
