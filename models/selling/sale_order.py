from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ledger.account_settle import Cause
from ..ledger.helpdesk_incident_cause import Said
from ..ledger.helpdesk_incident_protected import REMEMBERED
from .account_because import Because

#: When what was ordered is given (R8.3).
GRANT_ON = [
    ("paid", "when it is paid"),
    ("posted", "when the invoice is posted"),
    ("confirmed", "when the order is confirmed"),
]


class SaleOrder(models.Model):
    """An order gives the incidents of its plan lines when they are due (R8.3), and
    takes back what is due no more (R8.4).

    What is due is looked at in ``sale_order_payment.py``. Here it becomes incidents:
    lifetime ones, one cause for each line; or a term of a subscription, one cause for
    each period. A pack is one cause, with a window (R15.1).
    """

    _name = "sale.order"
    _inherit = [
        "sale.order",
        "helpdesk.incident.cause",
        "helpdesk.incident.protected",
    ]

    incident_grant_on = fields.Selection(
        selection=GRANT_ON,
        string="Gives incidents",
        help="When the order gives its incidents, as was chosen for the customer, or "
        "for all, when it was confirmed.",
        **REMEMBERED,
    )
    incident_automatic = fields.Boolean(
        string="Ordered automatically",
        help="It was made to renew a subscription, or to top up, without asking the "
        "customer each time.",
        **REMEMBERED,
    )
    incident_has_plan = fields.Boolean(compute="_compute_incident_has_plan")
    incident_subscription_count = fields.Integer(compute="_compute_incident_counts")
    incident_has_given = fields.Boolean(compute="_compute_incident_counts")
    incident_quantity = fields.Integer(
        string="Support incidents",
        compute="_compute_incident_counts",
        help="The incidents that this order has given so far, less those taken back.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("order_line.incident_kind")
    def _compute_incident_has_plan(self):
        for order in self:
            order.incident_has_plan = any(
                line.incident_kind for line in order.order_line
            )

    def _compute_incident_counts(self):
        once = dict(
            self.env["helpdesk.incident.entry"]
            .sudo()
            ._read_group(
                [
                    ("res_model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("effect", "=", "gives"),
                ],
                ["res_id"],
                ["quantity:sum"],
            )
        )
        for order in self:
            subscriptions = order._incident_subscriptions().sudo()
            order.incident_subscription_count = len(subscriptions)
            order.incident_has_given = bool(order.sudo().order_line.incident_account_id)
            order.incident_quantity = once.get(order._origin.id, 0) + sum(
                subscription._given_with(order.sudo().order_line.incident_term_ids)
                for subscription in subscriptions
            )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override: an order that gave incidents keeps its customer; confirming and
        cancelling it may give and take back (R8.3, R8.4)."""
        if self:
            # First of all: nothing is told, nor locked, to who may not. (Of nothing,
            # everybody may.)
            self.check_access("write")
        self._incident_check_customer(vals)
        if vals.get("state", "sent") != "sent":
            self.env["helpdesk.incident.account"]._lock_ahead(self._incident_holders())
        transactions = (
            self.sudo().transaction_ids if "transaction_ids" in vals else None
        )
        res = super().write(vals)
        if vals.get("state", "sale") != "sale":
            # Confirmed again, it is confirmed by somebody else.
            given_away = self.sudo().order_line.filtered("incident_free")
            given_away._incident_remember(incident_free=False)
        if {"state", "currency_id"} & set(vals):
            self.with_context(
                incident_because=Because(
                    (order.partner_id.commercial_partner_id.id, order._incident_undone)
                    for order in self.sudo()
                )
            )._incident_priced()
        if transactions is not None:
            # They may have paid for other orders, or do so now.
            transactions |= self.sudo().transaction_ids
            (self | transactions._incident_orders())._incident_changed()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_incidents(self):
        # The database deletes the lines with it.
        self.order_line._incident_check_deletion()

    def _prepare_confirmation_values(self):
        """Override of `sale` to keep when the order gives its incidents (R8.3)."""
        orders = self.filtered("incident_has_plan")
        orders._incident_remember_grant_on()
        orders._incident_remember_confirmation()
        return super()._prepare_confirmation_values()

    def _incident_remember_grant_on(self):
        """Keep what is chosen for the customer by now, or for all of the company, if
        nothing was kept before (R8.11)."""
        new = self.filtered(lambda order: not order.incident_grant_on)
        for grant_on, orders in new.grouped(
            lambda order: order._incident_customer_grant_on()
        ).items():
            orders._incident_remember(incident_grant_on=grant_on)

    def _incident_check_customer(self, vals):
        if not {"partner_id", "company_id"} & set(vals):
            return
        partner = self.env["res.partner"].sudo().browse(vals.get("partner_id"))
        for order in self.sudo():
            lines = order.order_line
            # What acts on a subscription is for its customer, given or not.
            account = (
                lines.incident_account_id | lines.incident_subscription_id.account_id
            )[:1]
            if account and (
                "partner_id" in vals
                and partner.commercial_partner_id != account.partner_id
                or "company_id" in vals
                and self.env["res.company"].sudo().browse(vals["company_id"]).root_id
                != account.company_id
            ):
                raise UserError(
                    self.env._(
                        "%(order)s is about incidents of %(customer)s. Make a new "
                        "order for another customer.",
                        order=order.name,
                        customer=account.partner_id.display_name,
                    )
                )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_view_incident_subscriptions(self):
        """Open the subscriptions that this order paid for (R8.6)."""
        self.ensure_one()
        self.check_access("read")
        return self._incident_subscriptions()._action_open()

    def action_view_incident_entries(self):
        """Show what this order gave, and what was taken back (R8.6)."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_entry_action"
        )
        return {**action, "domain": self._incident_entries_domain(), "context": {}}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_undone(self, env):
        """Return what has happened to this order that takes back, in words."""
        if self.state == "cancel":
            return env._("Order cancelled")
        return env._("Order not confirmed any more")

    def _incident_subscriptions(self):
        terms = self.sudo().order_line.incident_term_ids
        return terms.subscription_id.with_env(self.env)

    def _incident_entries_domain(self):
        return [
            "|",
            "&",
            ("res_model", "=", self._name),
            ("res_id", "in", self.ids),
            ("allotment_id.subscription_id", "in", self._incident_subscriptions().ids),
        ]

    def _incident_changed(self):
        """Settle those of these orders that sell or sold incidents.

        Called on every change that may matter (R8.3).
        """
        orders = self.sudo().filtered(
            lambda order: (
                order.order_line.incident_account_id
                or order.incident_has_plan
                # A payment may confirm it at this very moment.
                and (
                    order.state == "sale"
                    or "done" in order.transaction_ids.mapped("state")
                    # Paid after it was cancelled, it is paid (R8.4).
                    or "posted" in order.invoice_ids.mapped("state")
                )
            )
        )
        orders.sorted("id")._incident_give()

    def _incident_holders(self):
        """Return at whose accounts these orders settle, or may.

        :rtype: set[tuple[int, int]]
        """
        orders = self.sudo()
        lines = orders.order_line
        given = lines.incident_account_id | lines.incident_subscription_id.account_id
        return given._holders() | given._holders_of(
            orders.filtered("incident_has_plan")
        )

    def _incident_opened(self):
        """Override of `helpdesk.incident.cause`."""
        accounts = self.order_line.filtered("incident_kind")._incident_accounts()
        return self.env["helpdesk.incident.account"].sudo().union(*accounts.values())

    def _incident_begin(self):
        """Override of `helpdesk.incident.cause` for R8.3: keep what is due by now, and
        begin what is due for the first time. Two changes, each of which pays for a
        half, see each other here."""
        self.filtered(lambda order: order.state == "sale")._incident_remember_grant_on()
        lines = self.order_line.filtered("incident_kind")
        accounts = lines._incident_accounts()
        for line, changed in self._incident_due_said().changes().items():
            if changed.get("incident_due", 0) > line.incident_due:
                # It may be missed anew.
                changed["incident_missed_seen"] = False
            line._incident_remember(**changed)
        for order_lines in lines.grouped("order_id").values():
            new = order_lines.filtered(lambda line: not line.incident_account_id)
            if any(line.incident_due for line in new):
                new._incident_begin(accounts)

    def _incident_due_said(self):
        """Return what is due of the lines by now (R8.3, R8.4), and was paid for it.

        :rtype: Said
        """
        facts = {}
        for order in self:
            paid = order._incident_paid()
            for line in order.order_line.filtered("incident_kind"):
                facts[line] = {
                    "incident_due": line._incident_due(paid),
                    "incident_value": line._incident_value(paid),
                }
        return Said([], facts)

    def _incident_said(self):
        """Override of `helpdesk.incident.cause` for R8.3 and R8.4."""
        lines = self.order_line.filtered("incident_kind")
        causes, facts = (
            lines.incident_term_ids.subscription_id | lines.incident_subscription_id
        )._incident_said()
        once, paid = lines._incident_once()
        purchases = self.env["helpdesk.incident.purchase"]
        paid += facts.get(purchases, {}).get("paid", [])
        return Said([*once, *causes], {**facts, purchases: {"paid": paid}})


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_accounts(self):
        """Return the account that each of these lines gives to.

        :rtype: dict[recordset, recordset]
        """
        given = {
            line: line.incident_account_id or line.incident_subscription_id.account_id
            for line in self
        }
        holders = {
            line: (
                line.order_id.partner_id.commercial_partner_id.id,
                line.company_id.id,
            )
            for line in self
            if not given[line]
        }
        opened = (
            self.env["helpdesk.incident.account"]._get_or_create(list(holders.values()))
            if holders
            else {}
        )
        return given | {line: opened[holder] for line, holder in holders.items()}

    def _incident_begin(self, accounts):
        """Begin what these lines of one order sell: all that acts on one subscription
        begins together.

        :param dict accounts: the account of each line.
        """
        begun = self.filtered("incident_due")
        begun |= self.filtered(
            lambda line: line.incident_subscription_id & begun.incident_subscription_id
        )
        for line in begun:
            line._incident_remember(
                incident_account_id=accounts[line].id,
                incident_date_from=line._incident_first_day(),
            )
        self.env["helpdesk.incident.subscription.term"]._begin(
            begun.filtered(lambda line: line.incident_kind == "period")
        )
        begun.incident_subscription_id._superseded_by(self.order_id)

    def _incident_once(self):
        """Return what those of these lines should have given that give once, and what
        was paid for it, by what is due of them.

        :rtype: tuple[list[Cause], list[Paid]]
        """
        causes, paid = [], []
        for line in self:
            if line.incident_kind != "period" and line.incident_account_id:
                cause = line._incident_cause(
                    line.incident_due, *line._incident_window()
                )
                causes.append(cause)
                paid += self.env["helpdesk.incident.purchase"]._spread(
                    line,
                    line.incident_value,
                    [(cause.date_from and cause.key, cause.target, 0)],
                )
        return causes, paid

    @api.model
    def _incident_key_prefix(self):
        return "sale_line:"

    def _incident_key(self):
        """Return the key of the cause that this line is, but for a subscription."""
        return f"{self._incident_key_prefix()}{self.id}"

    def _incident_cause(self, target, date_from=None, date_to=None):
        """Return the cause that this line is for incidents that are given once.

        :param date date_from: the first day, and ``date_to``: the last day on which
            they are valid; for a lifetime without them.
        """
        self.ensure_one()
        account = self.incident_account_id
        name = self._incident_cause_name(account._in_customer_language().env)
        return Cause(
            account=account,
            key=self._incident_key(),
            target=target,
            kind=self._incident_cause_kind(),
            name=name,
            source=self.order_id,
            taken=account._taken_words(name),
            date_from=date_from,
            date_to=date_to,
        )

    def _incident_cause_kind(self):
        """Return the kind of the entries by which this line gives (R3.2)."""
        return "purchase"

    def _incident_cause_name(self, env):
        """Return what this line gives, as its customer reads it in the statement.

        :param env: in the language of the customer.
        """
        return env._(
            "%(order)s: %(product)s",
            order=self.order_id.name,
            product=self.product_id.with_env(env).display_name,
        )
