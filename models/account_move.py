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
        if self and vals:
            self.check_access("write")
        payments = self.sudo().origin_payment_id if "state" in vals else None
        if payments is not None:
            self._incident_lock_ahead(payments)
        before = payments and payments._incident_booked()
        relinked = self if "matched_payment_ids" in vals else self.browse()
        orders = relinked._incident_orders()
        res = super().write(vals)
        documents = self
        if payments:
            payments._incident_changed()
            payments._incident_orders_changed(before)
            documents -= payments.move_id
        if {"state", "incident_goodwill", "matched_payment_ids"} & set(vals):
            (orders | documents._incident_orders())._incident_changed()
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_view_incident_subscriptions(self):
        """Open the subscriptions that this document is about (R8.6)."""
        self.check_access("read")
        subscriptions = self._incident_sold()._incident_subscriptions()
        return subscriptions.with_env(self.env)._incident_open()

    def action_view_incident_entries(self):
        """Show what the orders of this document gave and took back (R8.6)."""
        self.check_access("read")
        # Accountants need not be allowed to read the orders.
        return self._incident_sold().action_view_incident_entries()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_send(self):
        """Print this invoice of what was paid online, and mail it: as `sale` does
        (``payment.transaction._send_invoice``), but says that it was sent only then."""
        if (
            self.is_move_sent
            or self.state != "posted"
            or not self._is_ready_to_be_sent()
        ):
            return
        settings = {"allow_raising": False, "allow_fallback_pdf": True}
        template_id = self.env["ir.config_parameter"].get_param(
            "sale.default_invoice_email_template"
        )
        if template_id:
            template = self.env["mail.template"].browse(int(template_id)).exists()
            if template:
                settings["mail_template"] = template
        self.env["account.move.send"]._generate_and_send_invoices(self, **settings)

    def _incident_is_settled(self, known=None):
        """Return whether nothing of this invoice is left to pay, and every payment
        behind that is effective (R8.3c). Credited is not paid: where nothing but its
        own credit notes stands behind it, nobody has paid.

        :param dict known: what :meth:`_incident_is_money` has found out already.
        :rtype: bool
        """
        self.ensure_one()
        if self.state != "posted":
            return False
        left, loose = self._incident_to_pay()
        if self.currency_id.compare_amounts(left, 0) > 0:
            return False
        known = {} if known is None else known
        partials = self._incident_receivable().matched_credit_ids
        payers = partials.credit_move_id.move_id - partials.exchange_move_id
        own = payers.filtered(lambda move: self in move._incident_credited())
        payers -= own
        if any(note.state != "posted" for note in own):
            return False
        return (
            bool(payers or loose) or self.currency_id.is_zero(self.amount_total)
        ) and all(move._incident_is_money(known) for move in payers)

    def _incident_sold(self):
        """Return the orders whose lines these documents are of, as superuser."""
        return self.sudo().invoice_line_ids.sale_line_ids.order_id

    def _incident_lock_ahead(self, payments):
        """Lock the accounts at which these documents and ``payments`` settle, before
        rows of theirs: see ``_lock_ahead`` of the account."""
        self.env["helpdesk.incident.account"]._lock_ahead(
            payments._incident_holders() | self._incident_sold()._incident_holders()
        )

    def _incident_receivable(self):
        """Return the journal items of these entries that customers pay."""
        return self.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )

    def _incident_loose_payments(self):
        """Return the effective payments of these invoices that have no entry."""
        return self.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment._incident_is_booked()
        )

    def _incident_to_pay(self):
        """Return what is left to pay of this invoice, in its currency, and the payments
        without a journal entry that it counts: they are never reconciled.

        :rtype: tuple[float, recordset]
        """
        loose = self._incident_loose_payments()
        if not loose or self.currency_id.is_zero(self.amount_residual):
            return self.amount_residual, loose
        # They may be for several invoices, and must suffice for all: but for what
        # other payments have paid. A bank statement may show the very same money.
        left = 0
        for invoice in loose.invoice_ids.filtered(lambda move: move.state == "posted"):
            others = invoice._incident_receivable().matched_credit_ids.filtered(
                lambda partial: not partial.credit_move_id.move_id.statement_line_id
            )
            left += invoice.currency_id._convert(
                invoice.amount_total - sum(others.mapped("debit_amount_currency")),
                self.currency_id,
                self.company_id,
                invoice.date,
            )
        for payment in loose:
            left -= payment._incident_left_for(payment.invoice_ids, self.currency_id)
        return left, loose

    def _incident_is_money(self, known):
        """Return whether this entry, which pays for an invoice, stands for money.

        A payment does while it is effective and was not paid back. A credit note does
        as far as the invoices that it credits were paid with money themselves; credit
        notes that pay for each other do not. What an accountant posts otherwise does:
        a bank statement, a write-off.

        :param dict known: by entry, what was found out already; it is added to.
        """
        self.ensure_one()
        if self not in known:
            known[self] = False  # for whoever comes back here
            known[self] = self.state == "posted" and self._incident_has_money(known)
        return known[self]

    def _incident_has_money(self, known):
        payment = self.origin_payment_id
        if payment:
            return payment._incident_is_booked() and not payment._incident_is_short()
        invoices = self._incident_credited()
        if not invoices:
            return True
        # In the currency of the invoices: rates change between the two.
        spent = sum(
            partial.credit_amount_currency
            for partial in invoices._incident_notes()
            ._incident_receivable()
            .matched_debit_ids
            if partial.debit_move_id.move_id not in invoices
        )
        received = sum(
            partial.debit_amount_currency
            for partial in invoices._incident_receivable().matched_credit_ids
            if not partial.credit_move_id.move_id._incident_credited() & invoices
            and partial.credit_move_id.move_id._incident_is_money(known)
        )
        for payment in invoices._incident_loose_payments():
            received += payment._incident_left_for(
                payment.invoice_ids, self.currency_id
            )
        return self.currency_id.compare_amounts(spent, received) <= 0

    def _incident_credited(self):
        """Return the invoices that these credit notes are of.

        A credit note that was made from an order names its lines, and no invoice.
        """
        notes = self.filtered(lambda move: move.move_type == "out_refund")
        unnamed = notes.filtered(lambda move: not move.reversed_entry_id)
        return notes.reversed_entry_id | unnamed._incident_same_lines("out_invoice")

    def _incident_notes(self):
        """Return the posted credit notes of these invoices."""
        unnamed = self._incident_same_lines("out_refund").filtered(
            lambda move: not move.reversed_entry_id
        )
        return (self.reversal_move_ids | unnamed).filtered(
            lambda move: move.state == "posted"
        )

    def _incident_same_lines(self, move_type):
        lines = self.invoice_line_ids.sale_line_ids.invoice_lines
        return lines.move_id.filtered(lambda move: move.move_type == move_type)

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
                    SELECT p.id, p.move_id, p.payment_transaction_id
                      FROM account_payment p
                     WHERE p.id = ANY(%(payments)s::int[])
                        OR p.move_id = ANY(%(moves)s::int[])
                ), touched(id) AS (
                    SELECT unnest(%(moves)s::int[])
                     UNION
                    SELECT move_id FROM payment WHERE move_id IS NOT NULL
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
                         UNION ALL
                        SELECT move.reversed_entry_id FROM account_move move
                         WHERE move.id = touched.id
                           AND move.reversed_entry_id IS NOT NULL
                         UNION ALL
                        -- other invoices and credit notes of the same order lines
                        SELECT other.move_id
                          FROM account_move_line item
                          JOIN sale_order_line_invoice_rel mine
                            ON mine.invoice_line_id = item.id
                          JOIN sale_order_line_invoice_rel theirs
                            ON theirs.order_line_id = mine.order_line_id
                          JOIN account_move_line other
                            ON other.id = theirs.invoice_line_id
                         WHERE item.move_id = touched.id
                         UNION ALL
                        -- what a refund pays back
                        SELECT source.move_id
                          FROM account_payment refund
                          JOIN account_payment source
                            ON source.id = refund.source_payment_id
                         WHERE refund.move_id = touched.id
                           AND source.move_id IS NOT NULL
                         UNION ALL
                        -- invoices that share a payment without an entry
                        SELECT theirs.invoice_id
                          FROM account_move__account_payment mine
                          JOIN account_move__account_payment theirs
                            ON theirs.payment_id = mine.payment_id
                         WHERE mine.invoice_id = touched.id
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
