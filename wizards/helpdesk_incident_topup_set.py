from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..fields import WholeNumber
from ..models.topup.helpdesk_incident_topup import KINDS, METHODS


class HelpdeskIncidentTopupSet(models.TransientModel):
    """Staff choose for a customer what is bought when few incidents are left (R19.1).
    No payment method is charged before the customer agrees."""

    _name = "helpdesk.incident.topup.set"
    _inherit = "helpdesk.incident.naming"
    _description = "Top Up for a Customer"

    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    is_on = fields.Boolean(string="Switched on", compute="_compute_chosen")
    chosen = fields.Char(
        string="At present",
        compute="_compute_chosen",
        help="What was chosen last, and by whom.",
    )
    plan_ids = fields.Many2many(
        comodel_name="product.product",
        string="Plans on offer",
        compute="_compute_plan_ids",
    )
    threshold = WholeNumber(
        string="Below",
        required=True,
        default=3,
        help="When fewer incidents than this are available, as many units are bought "
        "as it takes to have so many again.",
    )
    product_id = fields.Many2one(
        comodel_name="product.product", string="Plan", required=True
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", compute="_compute_currency_id"
    )
    monthly_limit = fields.Monetary(
        string="At most each month",
        help="How much may be bought this way in a calendar month, taxes included.",
    )
    method = fields.Selection(
        selection=METHODS,
        string="Paid from",
        required=True,
        default="balance",
        help="A saved payment method is charged once the customer has agreed to it in "
        "the client area.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.model
    def default_get(self, fields_list):
        """Override: what was chosen before."""
        defaults = super().default_get(fields_list)
        account = self.env["helpdesk.incident.account"].browse(
            defaults.get("account_id")
        )
        if account.has_access("read"):
            topup = account.sudo()._topup()
            names = ("threshold", "product_id", "monthly_limit", "method")
            for name in set(names) & set(fields_list) if topup else ():
                value = topup[name]
                defaults[name] = value.id if name == "product_id" else value
        return defaults

    @api.depends("account_id")
    def _compute_chosen(self):
        for wizard in self:
            topup = wizard._account()._topup()
            wizard.is_on = topup.is_on
            wizard.chosen = topup.is_on and (
                self.env._(
                    "%(what)s. Agreed by %(who)s.",
                    what=topup._words(),
                    who=topup.agreed_partner_id.display_name,
                )
                if topup.agreed_partner_id
                else topup._words()
            )

    @api.depends("account_id")
    @api.depends_context("company")
    def _compute_plan_ids(self):
        orders = self.env["sale.order"]
        for wizard in self:
            plans = self.env["product.product"]
            if wizard._account():
                plans = orders._incident_plans(wizard._company()).filtered(
                    lambda plan: plan.incident_kind in KINDS
                )
            wizard.plan_ids = plans.sudo(False)

    @api.depends("account_id")
    def _compute_currency_id(self):
        for wizard in self:
            wizard.currency_id = wizard._account().company_id.currency_id

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_save(self):
        """Switch it on, as was chosen.

        :raise AccessError: if the user is no helpdesk user, or may not see the account.
        :raise UserError: if that cannot be chosen.
        """
        self.ensure_one()
        account = self._checked_account()
        self.env["helpdesk.incident.topup"].sudo()._set_up(
            account,
            self._company(),
            threshold=self.threshold,
            product_id=self.product_id.id,
            monthly_limit=self.monthly_limit,
            method=self.method,
        )
        return {"type": "ir.actions.act_window_close"}

    def action_switch_off(self):
        """Switch it off. See :meth:`action_save`."""
        self.ensure_one()
        self._checked_account()._topup()._switch_off()
        return {"type": "ir.actions.act_window_close"}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _account(self):
        """Return the account with superuser rights; none, if the user may not see
        it."""
        account = self.account_id._origin.sudo(False)
        return (account if account.has_access("read") else account.browse()).sudo()

    def _checked_account(self):
        self.account_id.sudo(False).check_access("read")
        if not self.env.user.has_group("helpdesk_mgmt.group_helpdesk_user_own"):
            raise AccessError(
                self.env._("Only helpdesk users may do this for a customer.")
            )
        return self._account()

    def _company(self):
        """Return who sells: the company that the user works in, where it is of the
        account, else that of the account (R2.3)."""
        company, own = self.env.company, self._account().company_id
        return company if company.sudo().root_id == own else own
