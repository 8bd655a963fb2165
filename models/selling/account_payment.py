"""What payments are good for: what they pay for, and what was bought (R8.3, R8.6)."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import formatLang

from ..groups import INCIDENT_READERS
from .account_because import Because


class AccountPayment(models.Model):
    _inherit = "account.payment"

    incident_bought = fields.Boolean(
        compute="_compute_incident_bought",
        groups=INCIDENT_READERS,
        help="It has paid for support incidents.",
    )
    incident_subscription_count = fields.Integer(
        string="Subscriptions",
        compute="_compute_incident_bought",
        groups=INCIDENT_READERS,
    )

    def _compute_incident_bought(self):
        for payment in self:
            orders = payment._incident_affected_orders()
            payment.incident_bought = bool(orders.order_line.incident_account_id)
            payment.incident_subscription_count = len(orders._incident_subscriptions())

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: a payment may pay for an order from its beginning (R8.3)."""
        payments = super().create(vals_list)
        payments._incident_orders_changed({})
        return payments

    def write(self, vals):
        """Override: what these payments pay for may be paid otherwise now (R8.3)."""
        if self:
            self.check_access("write")
        # Each gets its journal entry within such a write, by one of its own.
        if "state" in vals and "move_id" not in vals:
            self.env["helpdesk.incident.account"]._lock_ahead(self._incident_holders())
        before = self._incident_booked()
        relinked = self if "invoice_ids" in vals else self.browse()
        orders = self.env["sale.order"]._incident_touched(payments=relinked)
        res = super().write(vals)
        self._incident_orders_changed(before)
        orders |= orders._incident_touched(payments=relinked)
        orders._incident_changed()
        return res

    def unlink(self):
        """Override: what these payments have paid for is paid no more (R8.4)."""
        if self:
            self.check_access("unlink")
        orders = self.env["sale.order"]._incident_touched(payments=self)
        because = Because([payment._incident_undone() for payment in self.sudo()])
        res = super().unlink()
        orders.with_context(incident_because=because)._incident_changed()
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_post(self):
        """Override of `account_payment` for R3.6: what a provider is asked for is asked
        before anything is posted, which locks accounts."""
        asked = self.filtered(
            lambda payment: (
                payment.payment_token_id and not payment.payment_transaction_id
            )
        )
        others = self - asked
        if asked and others:
            super(AccountPayment, asked).action_post()
        return super(AccountPayment, others or self).action_post()

    def action_view_incident_subscriptions(self):
        """Open the subscriptions that these payments have paid for."""
        self.check_access("read")
        subscriptions = self._incident_affected_orders()._incident_subscriptions()
        return subscriptions.with_env(self.env)._action_open()

    def action_view_incident_entries(self):
        """Override: what it gave by itself, and what it has paid for."""
        action = super().action_view_incident_entries()
        bought = self._incident_affected_orders()._incident_entries_domain()
        return {**action, "domain": list(Domain(action["domain"]) | Domain(bought))}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_affected_orders(self):
        """Return the orders with plans that these payments may have paid for.

        :return: ``sale.order`` records with superuser rights.
        """
        return self.env["sale.order"]._incident_touched(payments=self._origin)

    def _incident_holders(self):
        """Override: and where the orders settle that these payments pay for."""
        payments = self.sudo()
        orders = (
            payments.payment_transaction_id._incident_orders()
            | payments.invoice_ids._incident_sold()
        )
        return super()._incident_holders() | orders._incident_holders()

    def _incident_booked(self):
        """Return what each of these payments is good for: its amount, while it is
        effective. One that is about to get its journal entry is so with the entry.

        :rtype: dict[recordset, float]
        """
        return {
            payment: payment.amount
            if payment._incident_is_booked()
            and (payment.move_id or not payment.outstanding_account_id)
            else 0
            for payment in self.sudo()
        }

    def _incident_orders_changed(self, before):
        """Look again at the orders that these payments may pay for, if the payments are
        not what they were. Mostly they are, which is found without a query.

        :param dict before: what :meth:`_incident_booked` has returned; none if new.
        """
        changed = [
            payment
            for payment, amount in self._incident_booked().items()
            if amount != before.get(payment, 0)
        ]
        self.env["sale.order"]._incident_touched(
            payments=self.browse().union(*changed)
        ).with_context(
            incident_because=Because(payment._incident_undone() for payment in changed)
        )._incident_changed()

    def _incident_undone(self):
        """Return what has happened to this payment, should it take something back: a
        fact of :class:`Because` that outlives the payment."""
        self.ensure_one()
        amount, currency = self.amount, self.currency_id
        paid = self.payment_type == "inbound"

        def words(env):
            money = formatLang(env, amount, currency_obj=currency)
            if paid:
                return env._("Payment of %(amount)s was undone", amount=money)
            return env._("%(amount)s paid back", amount=money)

        return self.partner_id.commercial_partner_id.id, words

    def _incident_paid_for(self, invoices, currency):
        """Return what this payment has to pay for ``invoices``, reconciled with them
        already or not: its amount, less what has paid for something else. What was
        paid back of it counts like a credit note (R8.4).

        :param currency: the currency of the result, at the rate of the payment's day.
        :rtype: float
        """
        self.ensure_one()
        if not self._incident_is_booked() or self.payment_type != "inbound":
            return 0
        items = self.move_id._incident_receivable()
        elsewhere = sum(
            partial.credit_amount_currency
            for partial in items.matched_debit_ids - self._incident_paid_out()
            if partial.debit_move_id.move_id not in invoices
        )
        return self.currency_id._convert(
            max(self.amount - elsewhere, 0), currency, self.company_id, self.date
        )
