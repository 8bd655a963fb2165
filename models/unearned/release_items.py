"""What a release entry posts of a product, and to which accounts (R21.1)."""

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date


class HelpdeskIncidentReleaseLine(models.Model):
    _inherit = "helpdesk.incident.release.line"

    def _prepare_items(self):
        """Return the values of the journal items of this product, used and lapsed apart
        (R21.1): none, where nothing has changed.

        :rtype: list[dict]
        :raise UserError: if the product has no income account.
        """
        self.ensure_one()
        words = {
            "product": self.product_id.display_name,
            "date": format_date(self.env, self.release_id.date),
        }
        parts = (
            (
                "deferred",
                self.amount_change,
                self.env._("%(product)s: deferred on %(date)s", **words),
            ),
            (
                "revenue",
                self.amount_revenue,
                self.env._("%(product)s: invoiced and used by %(date)s", **words),
            ),
            (
                "lapsed",
                self.amount_lapse,
                self.env._("%(product)s: lapsed by %(date)s", **words),
            ),
        )
        return [
            {
                "incident_release_kind": kind,
                "account_id": self._account_of(kind).id,
                "product_id": self.product_id.id,
                "name": name,
                "balance": -amount,
                # What is released was taxed when it was invoiced.
                "tax_ids": [Command.clear()],
            }
            for kind, amount, name in parts
            if not self.currency_id.is_zero(amount)
        ]

    def _account_of(self, kind):
        """Return the account of a part of the entry."""
        company = self.company_id
        if kind == "deferred":
            return company.incident_deferred_account_id
        lapse_account = kind == "lapsed" and company.incident_lapse_account_id
        return lapse_account or self._income_account()

    def _income_account(self):
        """Return the account that the product is invoiced to."""
        company = self.company_id
        product = self.product_id.with_company(company)
        account = product._get_product_accounts()["income"] or company.income_account_id
        deferred = company.incident_deferred_account_id
        if account.internal_group != "income" or account == deferred:
            raise UserError(
                self.env._(
                    "“%(product)s” has no income account: it is taken from the product "
                    "or its category, and must not be that of deferred revenue.",
                    product=product.display_name,
                )
            )
        return account
