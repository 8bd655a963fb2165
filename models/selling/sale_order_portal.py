"""What customers do with orders by themselves (R11.4)."""

from datetime import timedelta

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import formatLang

from .res_company import BooksClosed

#: How many orders of plans the users of a customer may leave unpaid.
MAX_OPEN_ORDERS = 20


class BalanceShort(UserError):
    """The account balance does not suffice."""


class BeingPaid(UserError):
    """A provider of payments is just being asked for the money."""


class SaleOrder(models.Model):
    _inherit = "sale.order"

    # ------------------------------------------------------------------
    # Buying
    # ------------------------------------------------------------------

    @api.model
    def _incident_offer(self, partner, company, plans=None, quantity=1):
        """Return what plans cost this customer: an order that is never saved, so that
        prices and taxes are those of a real order.

        :param partner: the ``res.partner`` who buys.
        :param plans: by default all that customers can buy.
        :param int quantity: units of each.
        :return: a new ``sale.order``; a plan without a price has no line, as there is
            nothing that the customer could pay.
        """
        plans = self._incident_plans(company) if plans is None else plans
        order = (
            self.sudo()
            .with_company(company)
            .new(
                {
                    "partner_id": partner.id,
                    "company_id": company.id,
                    "order_line": [
                        Command.create(
                            {"product_id": plan.id, "product_uom_qty": quantity}
                        )
                        for plan in plans
                    ],
                }
            )
        )
        order.order_line -= order.order_line.filtered(
            lambda line: line.currency_id.compare_amounts(line.price_total, 0) <= 0
        )
        return order

    @api.model
    def _incident_buy(self, partner, company, plan, quantity):
        """Make the order of a plan, for the customer to review and pay.

        :param partner: the ``res.partner`` who buys.
        :param plan: a ``product.product``.
        :param int quantity: units.
        :raise UserError: if customers cannot buy this plan.
        :return: the ``sale.order`` with superuser rights.
        """
        plans = self._incident_plans(company) & plan
        if not self._incident_offer(partner, company, plans).order_line:
            raise UserError(
                self.env._("This plan is not sold any more. Choose another one.")
            )
        # Sent twice, it is one order: whoever comes second finds the first one (R3.6).
        self.env["helpdesk.incident.account"]._of(partner, company, create=True)._lock()
        again = partner._incident_open_orders(company).filtered(
            lambda order: (
                order.partner_id == partner
                and order.company_id == company
                and order.order_line.product_id == plan
                and order.order_line.mapped("product_uom_qty") == [quantity]
                and order.create_date > self.env.cr.now() - timedelta(minutes=1)
            )
        )
        if again:
            return again[0]
        self._incident_check_unpaid(partner, company)
        order = (
            self.sudo()
            .with_company(company)
            .create(
                {
                    **self._incident_order_values(partner, company),
                    "order_line": [
                        Command.create(
                            {"product_id": plan.id, "product_uom_qty": quantity}
                        )
                    ],
                }
            )
        )
        order.action_quotation_sent()
        return order

    @api.model
    def _incident_check_unpaid(self, partner, company):
        """Check that the current user can order one more plan, if it is a share user:
        lists and pages would grow with orders that nobody pays. What staff has made
        does not count. The account of the customer is locked (R3.6).

        :param partner: the ``res.partner`` who orders.
        :raise UserError: if too many orders of the customer wait for their payment.
        """
        if not self.env.user.share:
            return
        unpaid = (
            Domain(
                "partner_id.commercial_partner_id",
                "=",
                partner.commercial_partner_id.id,
            )
            & Domain("company_id", "child_of", company.sudo().root_id.id)
            & Domain("state", "in", ("draft", "sent"))
            & Domain("order_line.incident_kind", "!=", False)
            & Domain("create_uid.share", "=", True)
            & (
                Domain("validity_date", "=", False)
                | Domain("validity_date", ">=", company._incident_today())
            )
        )
        orders = self.sudo().with_context(active_test=False)
        if orders.search_count(unpaid, limit=MAX_OPEN_ORDERS) >= MAX_OPEN_ORDERS:
            raise UserError(
                self.env._(
                    "%(limit)s orders of support incidents wait for your payment, and "
                    "there cannot be more. You find them under “Quotations”: pay one "
                    "of them first, or ask us to cancel what you do not need.",
                    limit=MAX_OPEN_ORDERS,
                )
            )

    @api.depends("order_line.incident_operation")
    def _compute_is_expired(self):
        """Override of `sale`: what is valid until the next month begins is so by the
        day of the company (R3.7)."""
        res = super()._compute_is_expired()
        for order in self:
            if order.validity_date and order.order_line.filtered("incident_operation"):
                today = order.company_id._incident_today()
                order.is_expired = (
                    order.state in ("draft", "sent") and order.validity_date < today
                )
        return res

    @api.model
    def _incident_order_values(self, partner, company):
        """Return the values of an order that a customer reviews and pays at once.

        Its salesperson is the customer's, else who makes it; OdooBot, in whose name
        much of it is done, is nobody's contact (R9.9).
        """
        sellers = partner.user_id | partner.commercial_partner_id.user_id
        if self.env.user.has_group("sales_team.group_sale_salesman"):
            sellers |= self.env.user
        sellers = sellers.filtered("active")
        return {
            "partner_id": partner.id,
            "company_id": company.id,
            "user_id": sellers[:1].id,
            "require_signature": False,
            "require_payment": True,
            "prepayment_percent": 1.0,
        }

    def _incident_is_given(self):
        """Return whether all plans of this order are given at present."""
        plans = self.order_line.filtered("incident_kind")
        return bool(plans) and plans == self._incident_given_lines()

    def _incident_given_lines(self):
        """Return the lines whose plans are given at present."""
        return self.order_line.filtered(
            lambda line: line.incident_kind and line._incident_due()
        )

    # ------------------------------------------------------------------
    # Paying from the account balance
    # ------------------------------------------------------------------

    def _incident_balance_offer(self, user):
        """Return the account balance, if this user can pay the order from it.

        :param user: whoever looks at the order; a shared link makes nobody a customer.
        :return: the balance in the currency of the company, None if it is not offered.
        :rtype: float | None
        """
        balance, short = self._incident_balance_for(user)
        return None if short else balance

    def _incident_balance_for(self, user):
        """Return the account balance, and what it lacks to pay this order.

        :param user: whoever looks at the order.
        :return: both in the currency of the company; None if the order is not paid from
            that balance, by this user or at all.
        :rtype: tuple[float | None, float]
        """
        self.ensure_one()
        if not (
            self._incident_is_own(user)
            and self._incident_is_open()
            and self._incident_is_invoiced_to_customer()
        ):
            return None, 0.0
        customer = self.partner_id.commercial_partner_id
        balance = customer._incident_account_balance(self.company_id)
        short = self._incident_company_total() - balance
        return balance, max(self.company_id.currency_id.round(short), 0.0)

    def _incident_short_words(self, balance, short):
        """Return what the account balance lacks for this order, as a sentence.

        :param float balance: in the currency of the company, as is ``short``.
        """
        currency = self.company_id.currency_id
        return self.env._(
            "Your balance is %(balance)s, %(short)s short.",
            balance=formatLang(self.env, balance, currency_obj=currency),
            short=formatLang(self.env, short, currency_obj=currency),
        )

    def _incident_books_closed(self):
        """Return the lock dates that keep this order from being invoiced today, in
        words; None if there are none.

        :rtype: str | None
        """
        try:
            self.company_id._incident_check_books(self.order_line.tax_ids)
        except BooksClosed as error:
            return error.locks
        return None

    def _incident_is_own(self, user):
        """Return whether this user belongs to the customer of the order (R11.6)."""
        customer = self.partner_id.commercial_partner_id
        return (
            not user._is_public() and user.partner_id.commercial_partner_id == customer
        )

    def _incident_is_open(self):
        """Return whether this order of plans waits for its payment."""
        return (
            self.incident_has_plan
            and self._has_to_be_paid()
            and not self._has_to_be_signed()
            and not self._incident_is_being_paid()
        )

    def _incident_is_invoiced_to_customer(self):
        """Return whether the customer pays, and not a reseller, say: nobody's balance
        pays what somebody else is invoiced for (R9.9)."""
        payer = self.partner_invoice_id.commercial_partner_id
        return payer == self.partner_id.commercial_partner_id

    def _incident_company_total(self):
        """Return the total in the currency of the company, at today's rate."""
        return self._incident_total_on(self.company_id._incident_today())

    def _incident_pay_from_balance(self):
        """Confirm the order, invoice it, post the invoice, and settle it from the
        customer's outstanding credits, oldest first (R11.4): all of it or nothing.

        :raise BalanceShort: if the balance does not suffice (any more).
        :raise BooksClosed: if a lock date forbids the invoice.
        :raise BeingPaid: if a provider is just being asked for it.
        :raise UserError: if the order cannot be paid so otherwise.
        :return: the invoice.
        """
        self.ensure_one()
        customer = self.partner_id.commercial_partner_id
        # Two orders at the same moment: whoever comes second sees what is left (R3.6).
        self.env["helpdesk.incident.account"]._of(
            customer, self.company_id, create=True
        )._lock()
        # Nobody waits for a provider with the account locked.
        if not self.try_lock_for_update(allow_referencing=True):
            raise BeingPaid(
                self.env._(
                    "%(order)s is just being paid. Wait until that is done.",
                    order=self.name,
                )
            )
        if not self._incident_is_open():
            raise UserError(
                self.env._("%(order)s does not wait for a payment.", order=self.name)
            )
        if not self._incident_is_invoiced_to_customer():
            raise BalanceShort(
                self.env._(
                    "%(order)s is invoiced to %(payer)s, and cannot be paid from the "
                    "account balance of %(customer)s.",
                    order=self.name,
                    payer=self.partner_invoice_id.display_name,
                    customer=customer.display_name,
                )
            )
        balance = customer._incident_account_balance(self.company_id)
        short = BalanceShort(
            self.env._("The account balance does not suffice any more.")
        )
        if balance < self._incident_company_total():
            raise short
        invoice = self._incident_invoice_at_once()
        # Who has paid it sees an invoice in the portal, not the proforma of one.
        invoice.is_move_sent = True
        invoice._incident_pay_from(customer._incident_credits(self.company_id))
        if not invoice.currency_id.is_zero(invoice.amount_residual):
            raise short
        return invoice
