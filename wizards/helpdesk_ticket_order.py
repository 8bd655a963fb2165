from math import ceil

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

from ..fields import WholeNumber

SELLERS = "sales_team.group_sale_salesman"
HELPDESK_USERS = "helpdesk_mgmt.group_helpdesk_user_own"


class HelpdeskTicketOrder(models.TransientModel):
    """Staff order for the customer of a ticket, on the phone, what the customer could
    order in the portal (R4.3, R11.3): the customer reviews and pays it there. Without a
    ticket it is an offer to a customer who will need more (R22.1)."""

    _name = "helpdesk.ticket.order"
    _description = "Order for the Customer of a Ticket"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        readonly=True,
        ondelete="cascade",
    )
    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        string="Customer",
        readonly=True,
        ondelete="cascade",
        help="Whom to offer more, where there is no ticket.",
    )
    missing = fields.Integer(
        string="Missing incidents",
        compute="_compute_missing",
        store=True,
    )
    waits = fields.Boolean(
        string="The ticket waits until it is paid",
        compute="_compute_waits",
        help="Where it has taken incidents already, it does not wait for more.",
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
        compute="_compute_quantity",
        store=True,
        readonly=False,
        help="Units of the plan.",
    )
    preview = fields.Text(
        string="Order",
        compute="_compute_preview",
        help="What is ordered, and what it costs.",
    )
    problem = fields.Char(compute="_compute_preview")

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("account_id", "ticket_id")
    def _compute_missing(self):
        for wizard in self:
            wizard.missing = (
                0 if wizard.account_id else wizard._ticket().incident_missing
            )

    @api.depends("account_id", "ticket_id")
    def _compute_waits(self):
        for wizard in self:
            if wizard.account_id:
                wizard.waits = False
                continue
            ticket = wizard._ticket()
            wizard.waits = bool(ticket.incident_due and ticket.incident_missing)

    @api.depends("account_id", "ticket_id")
    def _compute_plan_ids(self):
        for wizard in self:
            wizard.plan_ids = wizard._offer().order_line.product_id

    @api.depends("account_id", "ticket_id", "missing")
    def _compute_product_id(self):
        """The cheapest that suffices."""
        for wizard in self:
            lines = wizard._offer().order_line
            prices = {
                line: line.price_total * wizard._units(line.product_id)
                for line in lines
            }
            wizard.product_id = lines.sorted(prices.get)[:1].product_id

    @api.depends("product_id", "missing")
    def _compute_quantity(self):
        for wizard in self:
            wizard.quantity = wizard._units(wizard.product_id._origin.sudo())

    @api.depends("account_id", "ticket_id", "product_id", "quantity")
    def _compute_preview(self):
        for wizard in self:
            wizard.preview, wizard.problem = False, False
            try:
                wizard.preview = wizard._describe()
            except AccessError:
                raise
            except UserError as error:
                wizard.problem = error.args[0]

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_order(self):
        """Make the order. The customer gets a link to pay it; until then the ticket
        waits, unless it has taken incidents already.

        :raise AccessError: if the user may not write the ticket, or order for the
            customer.
        :raise UserError: if that cannot be ordered.
        :return: the action that shows the order, if the user may see it.
        """
        self.ensure_one()
        order = self.env["sale.order"]._incident_buy(
            *self._customer(), self._plan(), self._whole_quantity()
        )
        if not self.account_id:
            self._tell_of_ticket(order)
        if order.with_env(self.env).has_access("read"):
            return {
                "type": "ir.actions.act_window",
                "res_model": "sale.order",
                "res_id": order.id,
                "views": [(False, "form")],
            }
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Order %(order)s waits for the customer, who can review and pay it "
                    "in the portal.",
                    order=order.name,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _check_may_order(self, account):
        """Whoever serves customers, or sells to them, may order for them (R14).

        :raise AccessError: if the user is neither, or may not see the account.
        """
        account.check_access("read")
        user = self.env.user
        if not (user.has_group(SELLERS) or user.has_group(HELPDESK_USERS)):
            raise AccessError(
                self.env._("Only helpdesk users may do this for a customer.")
            )

    def _customer(self):
        """Return for whom is ordered, and in which company, with superuser rights.

        :raise UserError: if there is neither a ticket with a customer nor an account.
        :raise AccessError: if the user may not order for it.
        """
        account = self.account_id._origin
        if not account:
            ticket = self._ticket()
            return ticket.partner_id, ticket.company_id
        self._check_may_order(account.sudo(False))
        return account.sudo().partner_id, account.sudo().company_id

    def _tell_of_ticket(self, order):
        ticket = self._ticket()
        account = ticket._incident_account(create=True)
        account._lock()
        if ticket.incident_due and ticket.incident_missing:
            ticket._incident_ask_to_buy(account, order)
        else:
            ticket._incident_tell_ordered(account, order)

    def _ticket(self):
        """Return the ticket with superuser rights.

        :raise UserError: if there is none, or none with a customer.
        :raise AccessError: if the user may not write it.
        """
        # Within a form that is not saved, records are new ones with an origin.
        ticket = self.ticket_id._origin
        if not ticket:
            raise UserError(self.env._("Open this form from a ticket."))
        ticket.sudo(False).check_access("write")
        ticket = ticket.sudo()
        if not ticket.partner_id:
            raise UserError(self.env._("Set the contact of the ticket first."))
        return ticket

    def _offer(self, plans=None):
        """Return what plans cost this customer; all of them by default."""
        return self.env["sale.order"]._incident_offer(*self._customer(), plans)

    def _plan(self):
        return self.product_id._origin.sudo()

    def _units(self, plan):
        """Return how many units of a plan give what is missing."""
        return max(ceil(self.missing / (plan.incident_quantity or 1)), 1)

    def _whole_quantity(self):
        """Return the units.

        :raise UserError: if that is no number above zero.
        """
        if self.quantity < 1:
            raise UserError(
                self.env._("Enter how many you want: a whole number, 1 or more.")
            )
        return self.quantity

    def _describe(self):
        """Return what the order gives and costs.

        :raise UserError: if it cannot be ordered.
        """
        quantity = self._whole_quantity()
        _partner, company = self._customer()
        plans = self.env["sale.order"]._incident_plans(company)
        offer = self._offer(plans & self._plan())
        if not offer.order_line:
            raise UserError(self.env._("Choose a plan that is sold to customers."))
        line = offer.order_line
        line.product_uom_qty = quantity
        return self.env._(
            "%(what)s: %(price)s",
            what=line._incident_words(),
            price=formatLang(
                self.env, offer.amount_total, currency_obj=offer.currency_id
            ),
        )
