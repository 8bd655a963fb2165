from odoo import api, fields, models
from odoo.tools import SQL


class AccountMove(models.Model):
    """What is posted decides on what is paid (R8.3) and credited (R8.4)."""

    _inherit = "account.move"

    incident_goodwill = fields.Boolean(
        string="Goodwill: keep the incidents",
        copy=False,
        help="The customer keeps the support incidents although they are credited.",
    )
    incident_has_plan = fields.Boolean(compute="_compute_incident_has_plan")
    incident_subscription_count = fields.Integer(compute="_compute_incident_has_plan")

    @api.depends("invoice_line_ids.sale_line_ids.incident_kind")
    def _compute_incident_has_plan(self):
        for move in self:
            lines = move.invoice_line_ids.sudo().sale_line_ids
            move.incident_has_plan = any(line.incident_kind for line in lines)
            move.incident_subscription_count = len(
                lines.incident_term_ids.subscription_id
            )

    def write(self, vals):
        """Override: a payment is effective while its journal entry is posted (R1), and
        an order is paid by posted documents (R8.3)."""
        payments = self.sudo().origin_payment_id if "state" in vals else None
        before = payments and payments._incident_booked()
        res = super().write(vals)
        documents = self
        if payments:
            payments._incident_changed()
            payments._incident_orders_changed(before)
            documents -= payments.move_id
        if {"state", "incident_goodwill", "matched_payment_ids"} & set(vals):
            documents._incident_orders()._incident_changed()
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_view_incident_subscriptions(self):
        """Open the subscriptions that this document is about (R8.6)."""
        orders = self.invoice_line_ids.sudo().sale_line_ids.order_id
        return orders._incident_subscriptions().with_env(self.env)._incident_open()

    def action_view_incident_entries(self):
        """Show what the orders of this document gave and took back (R8.6)."""
        orders = self.invoice_line_ids.sudo().sale_line_ids.order_id
        return orders.with_env(self.env).action_view_incident_entries()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_is_settled(self, seen=None):
        """Return whether nothing of this invoice is left to pay, and every payment
        behind that is effective (R8.3c).

        :param seen: invoices that are looked at already.
        :rtype: bool
        """
        self.ensure_one()
        if self.state != "posted":
            return False
        seen = (seen or self.browse()) | self
        if self.currency_id.compare_amounts(self._incident_to_pay(), 0) > 0:
            return False
        lines = self.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        return all(
            move._incident_is_money(seen)
            for move in lines.matched_credit_ids.credit_move_id.move_id
        )

    def _incident_to_pay(self):
        """Return what is left to pay of this invoice, in its currency.

        Payments without a journal entry are not reconciled: they count by themselves.
        """
        loose = self.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment._incident_is_booked()
        )
        if not loose or self.currency_id.is_zero(self.amount_residual):
            return self.amount_residual
        # They may be for several invoices: then they must suffice for all.
        invoices = loose.invoice_ids.filtered(lambda move: move.state == "posted")
        return sum(
            invoice.currency_id._convert(
                invoice.amount_residual,
                self.currency_id,
                self.company_id,
                invoice.date,
            )
            for invoice in invoices
        ) - sum(
            payment.currency_id._convert(
                payment._incident_left_for(invoices),
                self.currency_id,
                self.company_id,
                payment.date,
            )
            for payment in loose
        )

    def _incident_is_money(self, seen):
        """Return whether this entry, which pays for an invoice, stands for money.

        A payment does while it is effective and was not paid back; the credit note of
        an invoice does if that invoice was paid itself.

        :param seen: as for :meth:`_incident_is_settled`.
        """
        self.ensure_one()
        if self.state != "posted":
            return False
        payment = self.origin_payment_id
        if payment:
            return payment._incident_is_booked() and not payment._incident_is_short()
        credited = self.reversed_entry_id if self.move_type == "out_refund" else None
        return not credited or credited in seen or credited._incident_is_settled(seen)

    def _incident_orders(self):
        """Return the orders with plans that may be paid otherwise, when something has
        changed about these entries (R8.3).

        They are those of invoices that these entries are, pay for, or credit, on and
        on: a credit note pays for further invoices with the money of the first one.

        :return: ``sale.order`` records with superuser rights.
        """
        return self.env["sale.order"]._incident_touched(moves=self)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _incident_touched(self, moves=None, payments=None):
        """See :meth:`AccountMove._incident_orders`.

        :param moves: ``account.move`` records that have changed.
        :param payments: ``account.payment`` records that have changed.
        """
        orders = self.sudo()
        move_ids = list(moves.ids if moves else [])
        payment_ids = list(payments.ids if payments else [])
        if not move_ids and not payment_ids:
            return orders
        # Only what the query reads: to write everything would slow down whoever posts
        # many entries at once.
        for model, names in (
            (
                "account.payment",
                ["move_id", "payment_transaction_id", "source_payment_id"],
            ),
            ("account.move", ["reversed_entry_id"]),
            ("account.move.line", ["move_id"]),
            ("account.partial.reconcile", ["debit_move_id", "credit_move_id"]),
            ("payment.transaction", ["source_transaction_id"]),
            ("sale.order.line", ["order_id", "incident_kind"]),
        ):
            self.env[model].flush_model(names)
        rows = self.env.execute_query(
            SQL(
                """
                WITH RECURSIVE payment AS (
                    SELECT p.id, p.move_id, p.source_payment_id,
                           p.payment_transaction_id
                      FROM account_payment p
                     WHERE p.id = ANY(%(payments)s::int[])
                        OR p.move_id = ANY(%(moves)s::int[])
                ), touched(id) AS (
                    SELECT unnest(%(moves)s::int[])
                     UNION
                    SELECT move_id FROM payment WHERE move_id IS NOT NULL
                     UNION
                    SELECT source.move_id
                      FROM payment JOIN account_payment source
                        ON source.id = payment.source_payment_id
                     WHERE source.move_id IS NOT NULL
                     UNION
                    SELECT loose.invoice_id
                      FROM payment JOIN account_move__account_payment loose
                        ON loose.payment_id = payment.id
                     UNION
                    SELECT next.id
                      FROM touched, LATERAL (
                        SELECT debit.move_id AS id
                          FROM account_move_line credit
                          JOIN account_partial_reconcile p
                            ON p.credit_move_id = credit.id
                          JOIN account_move_line debit ON debit.id = p.debit_move_id
                         WHERE credit.move_id = touched.id
                         UNION ALL
                        SELECT reversal.id FROM account_move reversal
                         WHERE reversal.reversed_entry_id = touched.id
                      ) next
                ), found AS (
                    SELECT line.order_id
                      FROM touched
                      JOIN account_move_line item ON item.move_id = touched.id
                      JOIN sale_order_line_invoice_rel rel
                        ON rel.invoice_line_id = item.id
                      JOIN sale_order_line line ON line.id = rel.order_line_id
                     UNION
                    SELECT rel.sale_order_id
                      FROM touched
                      JOIN account_payment p ON p.move_id = touched.id
                      JOIN payment_transaction tx ON tx.id = p.payment_transaction_id
                      JOIN sale_order_transaction_rel rel ON rel.transaction_id
                           IN (tx.id, tx.source_transaction_id)
                     UNION
                    SELECT rel.sale_order_id
                      FROM payment
                      JOIN payment_transaction tx
                        ON tx.id = payment.payment_transaction_id
                      JOIN sale_order_transaction_rel rel ON rel.transaction_id
                           IN (tx.id, tx.source_transaction_id)
                )
                SELECT DISTINCT order_id FROM found
                 WHERE EXISTS (SELECT FROM sale_order_line line
                                WHERE line.order_id = found.order_id
                                  AND line.incident_kind IS NOT NULL)
                """,
                moves=move_ids,
                payments=payment_ids,
            )
        )
        return orders.browse([order_id for (order_id,) in rows]).exists()
