from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_compare, float_is_zero
from odoo.tools.sql import column_exists, create_column

from ...fields import MAX_INCIDENTS
from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED
from .product_product import KINDS, TERM_KINDS

#: In the context, as ``incident_following``: an order follows its invoice (R8.8). An
#: object cannot come in over RPC.
FOLLOWING = object()
#: What decides on the price of an order, and with it whether it is paid (R8.3).
PRICE_FIELDS = {
    "order_id",
    "invoice_lines",
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "price_unit",
    "discount",
    "tax_ids",
}
#: What a plan line sells; it cannot change once it is sold.
SOLD_FIELDS = ("order_id", "product_id", "product_uom_id", "product_uom_qty")
#: What a line does with a subscription that exists (R9.4–R9.6).
OPERATIONS = [
    ("renew", "Renewal"),
    ("extra", "Extra incidents"),
    ("change", "Change of plan"),
    ("credit", "Credit for the old plan"),
]
#: The attributes of the fields that keep what a plan was when the line was written.
OF_PLAN = {
    "compute": "_compute_incident_plan",
    "store": True,
    "precompute": True,
    "readonly": False,
    "copy": False,
    "incident_protected": True,
}


class SaleOrderLine(models.Model):
    """A line that sells a plan keeps what it sold (R8.7): its numbers are those that
    the plan had when the line was written, and a change of the plan changes nothing.
    """

    _name = "sale.order.line"
    _inherit = ["sale.order.line", "helpdesk.incident.protected"]

    incident_kind = fields.Selection(
        selection=KINDS,
        string="Support incidents",
        **OF_PLAN,
    )
    incident_quantity = fields.Integer(string="Incidents per unit", **OF_PLAN)
    incident_term_months = fields.Integer(string="Term in months", **OF_PLAN)
    incident_period_months = fields.Integer(string="Months in a period", **OF_PLAN)
    incident_carry_periods = fields.Integer(
        string="Carried over for periods", **OF_PLAN
    )
    incident_units = fields.Integer(
        string="Units of incidents",
        compute="_compute_incident_units",
        store=True,
        precompute=True,
        help="The ordered quantity in the unit of the product, as it was by then.",
        incident_protected=True,
    )
    incident_account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        string="Incidents given to",
        index="btree_not_null",
        ondelete="restrict",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )
    incident_due = fields.Integer(
        string="Incidents due",
        help="How many incidents it should have given by now, of all months: what is "
        "paid for and not credited, as it was when something about it changed last.",
        **REMEMBERED,
    )
    incident_value = fields.Float(
        string="Value of the incidents due",
        digits=0,
        groups=INCIDENT_READERS,
        help="What was paid for the incidents due, without tax, in company currency.",
        **REMEMBERED,
    )
    incident_operation = fields.Selection(
        selection=OPERATIONS, string="Does with a subscription", **REMEMBERED
    )
    incident_subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription",
        string="Acts on subscription",
        index="btree_not_null",
        ondelete="restrict",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )
    incident_term_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription.term",
        string="Acts on term",
        index="btree_not_null",
        ondelete="restrict",
        groups=INCIDENT_READERS,
        help="The term whose months are counted, or credited.",
        **REMEMBERED,
    )
    incident_date_from = fields.Date(
        string="Acts from",
        help="The first day of the month from which on it acts; of incidents that "
        "expire, the first day on which they are valid.",
        **REMEMBERED,
    )
    incident_date_start = fields.Date(
        string="First day",
        copy=False,
        help="The first day of the term, where it is not the day of payment. A day to "
        "come: it begins then, or on the day of payment if that is later. A past day: "
        "it begins on that day; months that are over when the order is confirmed come "
        "as lifetime incidents, those that are over when it is paid lapse.",
    )
    incident_term_ids = fields.One2many(
        comodel_name="helpdesk.incident.subscription.term",
        inverse_name="sale_line_id",
        string="Terms",
        readonly=True,
    )

    def _auto_init(self):
        """Override: lines of before the installation sell nothing. Empty columns need
        not be computed row by row."""
        for name, column in (
            ("incident_kind", "varchar"),
            ("incident_quantity", "int4"),
            ("incident_term_months", "int4"),
            ("incident_period_months", "int4"),
            ("incident_carry_periods", "int4"),
            ("incident_units", "int4"),
        ):
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, column)
        return super()._auto_init()

    # ------------------------------------------------------------------
    # Compute and constraints
    # ------------------------------------------------------------------

    @api.depends("product_id")
    def _compute_incident_plan(self):
        for line in self:
            if line._incident_is_sold() or line.incident_operation in (
                "extra",
                "credit",
            ):
                continue
            product = line.product_id
            sells = product.incident_kind not in (False, "none")
            line.incident_kind = product.incident_kind if sells else False
            line.incident_quantity = product.incident_quantity if sells else 0
            line.incident_term_months = (
                product.incident_term_months
                if product.incident_kind in TERM_KINDS
                else 0
            )
            line.incident_period_months = (
                product.incident_period_months
                if product.incident_kind == "period"
                else 0
            )
            line.incident_carry_periods = (
                product.incident_carry_periods
                if product.incident_kind == "period"
                else 0
            )

    @api.depends("incident_kind", "product_uom_id", "product_uom_qty")
    def _compute_incident_units(self):
        """R8.2"""
        for line in self:
            if not line._incident_is_sold():
                line.incident_units = (
                    round(line._incident_quantity()) if line.incident_kind else 0
                )

    @api.constrains("product_id", "product_uom_id", "product_uom_qty")
    def _check_incident_quantity(self):
        """R8.2"""
        for line in self:
            if not line.incident_kind:
                continue
            units = line._incident_quantity()
            whole = float_is_zero(units - round(units), precision_digits=6)
            if not units and line.order_id.incident_invoice_id:
                continue  # the invoice does not sell it any more (R8.8)
            if line._is_line_optional() and not units:
                # An offer that was not taken, which is nothing sold.
                continue
            if line.incident_operation == "extra" and (not whole or round(units) < 1):
                raise ValidationError(line._incident_uneven_message())
            if not whole or round(units) < 1:
                raise ValidationError(
                    self.env._(
                        "%(product)s is sold in whole units, 1 or more; “%(quantity)s” "
                        "is not possible.",
                        product=line.product_id.display_name,
                        quantity=f"{units:g}",
                    )
                )
            if line._incident_total() > MAX_INCIDENTS:
                raise ValidationError(
                    self.env["helpdesk.incident.account"]._too_many_message()
                )

    def _incident_uneven_message(self):
        values = {
            "product": self.product_id.display_name,
            "number": self._incident_periods(),
            "twice": 2 * self._incident_periods(),
            "quantity": f"{self.product_uom_qty:g}",
        }
        if self.incident_period_months > 1:
            return self.env._(
                "%(product)s: the same number of incidents in each of %(number)s "
                "periods, %(number)s, %(twice)s … in all; “%(quantity)s” is not "
                "possible.",
                **values,
            )
        return self.env._(
            "%(product)s: the same number of incidents in each of %(months)s months, "
            "%(months)s, %(twice)s … in all; “%(quantity)s” is not possible.",
            months=values["number"],
            **values,
        )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a further line changes what a confirmed order costs (R8.3)."""
        lines = super().create(vals_list)
        lines.order_id._incident_priced()
        return lines

    def write(self, vals):
        """Override: what was sold stays as it was sold (R8.7)."""
        self._incident_check_sold(vals)
        res = super().write(vals)
        if PRICE_FIELDS & set(vals):
            self.order_id._incident_priced()
        return res

    def unlink(self):
        """Override: a reward or discount less changes what an order costs (R8.4)."""
        if self:
            self.check_access("unlink")
        orders = self.order_id
        res = super().unlink()
        orders.exists()._incident_changed()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_incidents(self):
        self._incident_check_deletion()

    def _incident_check_deletion(self):
        if self.sudo().incident_account_id:
            raise UserError(
                self.env._(
                    "Incidents were given for this order: it is part of the customer's "
                    "statement and cannot be deleted."
                )
            )

    def _incident_check_sold(self, vals):
        self._incident_check_first_day(vals)
        changed = {name for name in SOLD_FIELDS if name in vals}
        if not changed or self.env.context.get("incident_following") is FOLLOWING:
            return
        for line in self:
            differs = {
                name
                for name in changed
                if line._incident_sold_differs(name, vals[name])
            }
            if differs and line._incident_is_sold():
                raise UserError(
                    self.env._(
                        "%(product)s is sold: what the customer gets goes by product "
                        "and quantity, and they cannot change any more. To sell more, "
                        "make a new order; to take back, issue a credit note.",
                        product=line.product_id.display_name,
                    )
                )
            if line.incident_operation != "credit":
                differs.discard("product_uom_qty")
            if differs and line.incident_operation:
                raise UserError(
                    self.env._(
                        "%(product)s was made for %(subscription)s. Remove the line, "
                        "or make a new order from the subscription.",
                        product=line.product_id.display_name,
                        subscription=line.sudo().incident_subscription_id.display_name,
                    )
                )

    def _incident_is_sold(self):
        """Return whether this line has sold a plan, which stays as it is (R8.7)."""
        self.ensure_one()
        return bool(
            self._origin.incident_kind
            and (
                self._origin.state == "sale" or self._origin.sudo().incident_account_id
            )
            # An option that nobody has taken is nothing sold.
            and self._origin.incident_units
        )

    def _incident_sold_differs(self, name, value):
        if name == "product_uom_qty":
            return float_compare(value, self[name], precision_digits=6) != 0
        return self[name].id != value

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_quantity(self):
        """Return the ordered quantity as it is now (R8.2): in the product's unit; of
        extra incidents, how many there are in each period (R9.4)."""
        self.ensure_one()
        product_uom = self.product_id.uom_id
        quantity = self.product_uom_qty
        if self.product_uom_id and self.product_uom_id != product_uom:
            quantity = self.product_uom_id._compute_quantity(
                quantity, product_uom, round=False
            )
        if self.incident_operation == "extra":
            quantity /= self._incident_periods()
        return quantity

    def _incident_number(self):
        """Return how many incidents the line sells: once, or in each period (R8.2)."""
        return self.incident_quantity * self.incident_units

    def _incident_periods(self):
        """Return how often it gives its number: in each period (R15.2), or once."""
        if self.incident_kind != "period":
            return 1
        return self.incident_term_months // max(self.incident_period_months, 1)

    def _incident_total(self):
        """Return how many incidents the line sells, of all periods."""
        return self._incident_number() * self._incident_periods()

    # A credit is worth what was paid, with the taxes of that (R9.6): whatever the plan
    # costs by now, prices and taxes that are updated leave it alone.

    def _reset_price_unit(self):
        """Override of `sale` for R9.6."""
        if self.incident_operation == "credit":
            return None
        return super()._reset_price_unit()

    def _compute_discount(self):
        """Override of `sale` for R9.6."""
        return super(SaleOrderLine, self - self._incident_credits())._compute_discount()

    def _compute_tax_ids(self):
        """Override of `sale` for R9.6."""
        return super(SaleOrderLine, self - self._incident_credits())._compute_tax_ids()

    def _incident_credits(self):
        return self.filtered(lambda line: line.incident_operation == "credit")

    def copy_data(self, default=None):
        """Override: what a line does with a subscription is done once.

        :raise UserError: for a line that acts on a subscription.
        """
        for line in self:
            if line.incident_operation:
                raise UserError(
                    self.env._(
                        "%(order)s acts on a subscription and cannot be duplicated. "
                        "Make a new order from the subscription.",
                        order=line.order_id.name,
                    )
                )
        return super().copy_data(default)
