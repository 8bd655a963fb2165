from contextlib import suppress

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date, formatLang

from ..fields import WholeNumber


class HelpdeskIncidentSubscriptionOrder(models.TransientModel):
    """Staff order for a customer, for example on the phone, what customers can order in
    the portal: a renewal, extra incidents, a change of plan (R9.4–R9.6)."""

    _name = "helpdesk.incident.subscription.order"
    _description = "Order for a Subscription"

    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    operation = fields.Selection(
        selection=[
            ("renew", "Renew"),
            ("extra", "Extra incidents"),
            ("change", "Change the plan"),
        ],
        required=True,
        readonly=True,
    )
    plan_ids = fields.Many2many(
        comodel_name="product.product",
        string="Plans on offer",
        compute="_compute_plan_ids",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Plan",
        compute="_compute_product_id",
        store=True,
        readonly=False,
    )
    quantity = WholeNumber(
        string="Extra incidents per period",
        compute="_compute_quantity",
        store=True,
        readonly=False,
        help="How many more incidents each month, or period, has.",
    )
    has_extra = fields.Boolean(compute="_compute_preview")
    preview = fields.Text(
        compute="_compute_preview", help="What is ordered, and what it costs."
    )
    problem = fields.Char(compute="_compute_preview")
    fits = fields.Html(
        string="Which plan fits?",
        compute="_compute_fits",
        sanitize=False,
        help="What the last months would have cost with each of these plans, as the "
        "customer sees it in the portal.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("operation", "subscription_id")
    def _compute_plan_ids(self):
        for wizard in self:
            wizard.plan_ids = wizard._operation().plans()

    @api.depends("operation", "subscription_id")
    def _compute_product_id(self):
        for wizard in self:
            plan = wizard._subscription()._next_plan()
            wizard.product_id = (
                plan if wizard.operation == "renew" else wizard.plan_ids._origin[:1]
            )

    @api.depends("operation", "subscription_id", "product_id")
    def _compute_quantity(self):
        for wizard in self:
            plan = wizard.product_id.sudo()
            wizard.quantity = (
                wizard._subscription()._renewal_extra(plan)
                if wizard.operation == "renew"
                else 1
            )

    @api.depends("operation", "subscription_id", "product_id", "quantity")
    def _compute_preview(self):
        for wizard in self:
            product = wizard.product_id.sudo()
            wizard.has_extra = wizard.operation == "extra" or (
                wizard.operation == "renew"
                and product.incident_kind == "period"
                and bool(product.incident_extra_product_id)
            )
            wizard.preview, wizard.problem = False, False
            try:
                lines = wizard._lines()
            except AccessError:
                raise
            except UserError as error:
                wizard.problem = error.args[0]
                continue
            offer = wizard._subscription()._offer(lines)
            wizard.preview = wizard._describe(offer)
            try:
                wizard._subscription()._free_to_confirm(
                    offer
                )._incident_check_may_confirm()
            except UserError as error:
                wizard.problem = error.args[0]

    @api.depends("operation", "subscription_id")
    def _compute_fits(self):
        """R22.2"""
        for wizard in self:
            wizard.fits = False
            if wizard.operation == "extra":
                continue
            operation = wizard._operation()
            offers = {}
            for plan in operation.plans():
                # What cannot be ordered at present is not offered.
                with suppress(UserError):
                    offers[plan] = operation.offer(plan)
            fits = wizard._subscription()._which_plan_fits(offers)
            if fits:
                wizard.fits = self.env["ir.qweb"]._render(
                    "helpdesk_paid_support.subscription_fits",
                    {"fits": fits, "staff": True},
                )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_order(self):
        """Make the order, which the customer finds in the portal, and can pay there.

        :raise AccessError: if the user is neither a helpdesk user nor a salesperson.
        :raise UserError: if that cannot be ordered.
        :return: the action that shows the order, if the user may see it.
        """
        self.ensure_one()
        self.subscription_id.with_env(self.env)._check_seller()
        # As the portal says it: bad input is refused before anything is made.
        self._lines()
        order = self._operation().order(self.product_id.sudo(), self.quantity)
        if not order:
            return self._notify(
                self.env._(
                    "The change is scheduled for the end of what is paid; it costs "
                    "nothing now."
                )
            )
        if order.with_env(self.env).has_access("read"):
            return {
                "type": "ir.actions.act_window",
                "res_model": "sale.order",
                "res_id": order.id,
                "views": [(False, "form")],
            }
        return self._notify(
            self.env._(
                "Order %(order)s waits for the customer, who can review and pay it in "
                "the portal.",
                order=order.name,
            )
        )

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _subscription(self):
        """Return the subscription with superuser rights.

        :raise UserError: if there is none.
        :raise AccessError: if the user may not see it.
        """
        # Within a form that is not saved, records are new ones with an origin.
        subscription = self.subscription_id._origin
        if not subscription:
            raise UserError(self.env._("Open this form from a subscription."))
        subscription.sudo(False).check_access("read")
        return subscription.sudo()

    def _operation(self):
        return self._subscription()._operation(self.operation or "renew")

    def _lines(self):
        plan = self.product_id._origin.sudo()
        return self._operation().lines(plan, self.quantity)

    def _describe(self, offer):
        """Return what an order does and costs, a line for each of its lines."""
        if self.operation == "change" and offer.amount_total < 0:
            return self.env._(
                "Nothing to pay: the credit is more than the new plan costs, so it "
                "begins after %(date)s, with the next renewal.",
                date=format_date(
                    self.env, self._subscription().date_end, date_format="medium"
                ),
            )
        words = [
            self.env._(
                "%(product)s: %(what)s: %(price)s",
                product=line.product_id.display_name,
                what=line._incident_words(),
                price=formatLang(
                    self.env, line.price_total, currency_obj=line.currency_id
                ),
            )
            for line in offer.order_line
        ]
        words.append(
            self.env._(
                "Total: %(total)s",
                total=formatLang(
                    self.env, offer.amount_total, currency_obj=offer.currency_id
                ),
            )
        )
        return "\n".join(words)

    def _notify(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
