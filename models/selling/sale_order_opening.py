"""What customers had in another system, as orders (R21.4).

An order marked *opening* gives what it sells by the same code as any other. It counts
as paid while it is confirmed, is never invoiced, and is no sales figure. Only
``helpdesk.incident.opening`` makes, confirms and cancels it.
"""

from fractions import Fraction

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBER, REMEMBERED

#: What makes an order what it is: of an opening balance, staff change none of it.
ORDER_FIELDS = {"currency_id", "order_line", "pricelist_id", "state", "team_id"}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    incident_opening = fields.Boolean(
        string="Opening balance",
        help="What the customer had in another system: it counts as paid, is never "
        "invoiced, and is no sales figure.",
        **REMEMBERED,
    )

    def write(self, vals):
        """Override: an opening balance stays what it is, until it is cancelled there.

        :raise UserError: if somebody changes one.
        """
        if ORDER_FIELDS & vals.keys():
            self.check_access("write")
            self._incident_check_opening()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_opening(self):
        self._incident_check_opening()

    def _incident_check_opening(self):
        """
        :raise UserError: if one of these orders is an opening balance, and it is not
            the module that changes it.
        """
        if self.env.context.get("incident_protected") is REMEMBER:
            return
        opening = self.sudo().filtered("incident_opening")
        if opening:
            raise UserError(
                self.env._(
                    "%(order)s is an opening balance, and cannot be changed: a "
                    "helpdesk manager cancels it under “Opening Balances”.",
                    order=opening[0].name,
                )
            )

    def _incident_covered(self, returned):
        """Override: an opening balance was paid in the other system."""
        if self.incident_opening:
            return dict.fromkeys(self.order_line, Fraction(1))
        return super()._incident_covered(returned)

    def _incident_undone(self, env):
        """Override: it is the opening balance that is cancelled."""
        if self.incident_opening:
            return env._("Opening balance cancelled")
        return super()._incident_undone(env)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    incident_before = fields.Integer(
        string="Incidents gone before",
        help="How many incidents of its first periods were used, or had lapsed, before "
        "they came from another system.",
        **REMEMBERED,
    )
    incident_opening_value = fields.Float(
        string="Value when it was opened",
        digits=0,
        groups=INCIDENT_READERS,
        help="What was paid, without tax, for what was left when it came from another "
        "system, in company currency.",
        **REMEMBERED,
    )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: nothing is added to an opening balance."""
        lines = super().create(vals_list)
        lines.order_id._incident_check_opening()
        return lines

    def write(self, vals):
        """Override: an opening balance stays what it is."""
        if {"price_unit", "discount", "tax_ids"} & vals.keys():
            self.check_access("write")
            self.order_id._incident_check_opening()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_opening(self):
        self.order_id._incident_check_opening()

    # ------------------------------------------------------------------
    # Never invoiced
    # ------------------------------------------------------------------

    def _incident_of_opening(self):
        return self.filtered("order_id.incident_opening")

    @api.depends("order_id.incident_opening")
    def _compute_qty_to_invoice(self):
        """Override of `sale`: nothing of an opening balance is to be invoiced."""
        opened = self._incident_of_opening()
        opened.qty_to_invoice = 0
        return super(SaleOrderLine, self - opened)._compute_qty_to_invoice()

    @api.depends("order_id.incident_opening")
    def _compute_untaxed_amount_to_invoice(self):
        """Override of `sale`: see :meth:`_compute_qty_to_invoice`."""
        opened = self._incident_of_opening()
        opened.untaxed_amount_to_invoice = 0
        lines = super(SaleOrderLine, self - opened)
        return lines._compute_untaxed_amount_to_invoice()

    @api.depends("order_id.incident_opening")
    def _compute_amount_to_invoice(self):
        """Override of `sale`: see :meth:`_compute_qty_to_invoice`."""
        opened = self._incident_of_opening()
        opened.amount_to_invoice = 0
        return super(SaleOrderLine, self - opened)._compute_amount_to_invoice()

    # ------------------------------------------------------------------
    # What it gives
    # ------------------------------------------------------------------

    def _incident_value(self, paid):
        """Override for R12.4: the value that was entered, for what was left."""
        if not self.order_id.incident_opening:
            return super()._incident_value(paid)
        return self.incident_opening_value if self in paid.covered else 0.0

    def _incident_cause_kind(self):
        """Override: what was opened has a kind of its own."""
        if self.order_id.incident_opening:
            return "opening"
        return super()._incident_cause_kind()

    def _incident_cause_name(self, env):
        """Override: the number of its order tells customers nothing."""
        if not self.order_id.incident_opening:
            return super()._incident_cause_name(env)
        return env._(
            "Opening balance: %(product)s",
            product=self.product_id.with_env(env).display_name,
        )
