"""What customers can buy by themselves, and whether they can (R8.1, R11.1)."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

ALL = SQL("TRUE")


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _incident_plans(self, company, condition=ALL):
        """Return the plans that customers can buy in the portal (R8.1): those of a
        parent company are sold in its branches, too (R2.3). Of plans that are known
        already ``_incident_is_in_portal`` says it.

        :param SQL condition: see :meth:`_incident_plans_query`.
        :return: ``product.product`` records with superuser rights.
        """
        plans = self.env["product.product"].sudo()
        return plans.search(
            Domain("id", "in", self._incident_plans_query(company, condition)),
            order="product_tmpl_id, id",
        )

    @api.model
    def _incident_plans_query(self, company, condition=ALL):
        """Return a query of the ids of those plans that meet ``condition``.

        :param SQL condition: on a variant, ``plan``, and its template, ``product``.
        :rtype: SQL
        """
        variants = self.env["product.product"]._fields
        templates = self.env["product.template"]._fields
        return SQL(
            """
            SELECT plan.id
              FROM product_product plan
             WHERE plan.active AND plan.incident_kind <> 'none'
               AND (SELECT product.incident_portal_published AND product.sale_ok
                           AND (product.company_id IS NULL OR product.company_id IN %s)
                           AND %s
                      FROM product_template product
                     WHERE product.id = plan.product_tmpl_id)
            """,
            tuple(company.sudo().parent_ids.ids),
            condition,
            to_flush=[
                *(variants[name] for name in ("active", "incident_kind")),
                *(
                    templates[name]
                    for name in ("company_id", "incident_portal_published", "sale_ok")
                ),
            ],
        )

    @api.model
    def _incident_can_buy(self, partner, company):
        """Return whether this customer can buy incidents in the portal (R11.1): whether
        :meth:`_incident_offer` has a line."""
        return self._incident_is_priced(partner, company) or bool(
            self._incident_offer(partner, company).order_line
        )

    @api.model
    def _incident_is_priced(self, partner, company):
        """Return whether a plan has a price for this customer, as far as that can be
        said without an order: every page asks. What it says is so; where discounts are
        shown on the order, or taxes are no plain percentages, only an order knows.

        :param partner: the ``res.partner`` who buys.
        """
        pricelist = partner.sudo().with_company(company).property_product_pricelist
        currency = pricelist.currency_id or company.currency_id
        # Far above what rounding leaves when taxes are taken out of it.
        least = 100 * currency.rounding
        only_add = self._incident_taxes_only_add(company)
        if not pricelist:
            # Nothing but what stands on the product, less what an attribute takes off.
            priced = SQL(
                """
                %s AND product.list_price >= %s AND product.type <> 'combo'
                AND NOT EXISTS (
                    SELECT FROM product_variant_combination rel
                     WHERE rel.product_product_id = plan.id
                       AND rel.product_template_attribute_value_id = ANY(ARRAY(
                           SELECT id FROM product_template_attribute_value
                            WHERE price_extra < 0)))
                """,
                only_add,
                least,
                to_flush=[
                    self.env[model]._fields[name]
                    for model, name in (
                        ("product.template", "list_price"),
                        ("product.template", "type"),
                        ("product.template.attribute.value", "price_extra"),
                        ("product.product", "product_template_attribute_value_ids"),
                    )
                ],
            )
            return bool(
                self.env.execute_query(
                    SQL("%s LIMIT 1", self._incident_plans_query(company, priced))
                )
            )
        # One after the other, not all of a large shop: the first one has a price.
        plans = self._incident_plans(company, only_add).with_company(company)
        for plan_id in plans.ids:
            plan = plans.browse(plan_id)
            price, rule_id = pricelist._get_product_price_rule(
                plan, quantity=1, currency=currency
            )
            rule = self.env["product.pricelist.item"].sudo().browse(rule_id)
            if price >= least and plan.type != "combo" and not rule._show_discount():
                return True
        return False

    @api.model
    def _incident_taxes_only_add(self, company):
        """Return whether all taxes on sales are percentages of 0 to 100, or groups of
        them, as SQL: what costs something costs something with taxes, whatever a fiscal
        position maps."""
        taxes = self.env["account.tax"]._fields
        return SQL(
            """
            NOT EXISTS (
                SELECT FROM account_tax tax
                 WHERE tax.company_id = ANY(%s) AND tax.type_tax_use <> 'purchase'
                   AND (tax.amount_type NOT IN ('percent', 'group')
                        OR tax.amount NOT BETWEEN 0 AND 100))
            """,
            company._incident_entity(),
            to_flush=[
                taxes[name]
                for name in ("amount", "amount_type", "company_id", "type_tax_use")
            ],
        )
