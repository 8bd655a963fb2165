"""Which orders a change of entries and payments reaches (R8.3)."""

from odoo import api, models
from odoo.tools import SQL

from ...sql import flush


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _incident_touched(self, moves=None, payments=None):
        """See :meth:`AccountMove._incident_affected_orders`.

        :param moves: ``account.move`` records that have changed.
        :param payments: ``account.payment`` records that have changed.
        """
        orders = self.sudo()
        move_ids = list(moves.ids if moves else [])
        payment_ids = list(payments.ids if payments else [])
        if not move_ids and not payment_ids:
            return orders
        flush(
            self.env,
            {
                "account.payment": "move_id payment_transaction_id source_payment_id",
                "account.move": "reversed_entry_id incident_credited_id",
                "account.move.line": "move_id",
                "account.partial.reconcile": "debit_move_id credit_move_id",
                "payment.transaction": "source_transaction_id",
                "sale.order.line": "order_id incident_kind",
            },
        )
        rows = self.env.execute_query(
            SQL(
                """
                WITH RECURSIVE payment AS (
                    SELECT p.id, p.move_id, p.payment_transaction_id
                      FROM account_payment p
                     WHERE p.id = ANY(%(payments)s::int[])
                        OR p.id IN (SELECT source_payment_id FROM account_payment
                                     WHERE id = ANY(%(payments)s::int[]))
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
                        -- what a credit note is said to credit
                        SELECT note.id FROM account_move note
                         WHERE note.incident_credited_id = touched.id
                         UNION ALL
                        SELECT move.incident_credited_id FROM account_move move
                         WHERE move.id = touched.id
                           AND move.incident_credited_id IS NOT NULL
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
                        -- a credit note of an invoice whose payment was paid back
                        -- leaves more, or less, of the others that it has paid
                        SELECT credit.move_id
                          FROM account_move_line debit
                          JOIN account_partial_reconcile p
                            ON p.debit_move_id = debit.id
                          JOIN account_move_line credit ON credit.id = p.credit_move_id
                          JOIN account_payment paid ON paid.move_id = credit.move_id
                         WHERE debit.move_id = touched.id
                           AND EXISTS (SELECT FROM account_payment refund
                                        WHERE refund.source_payment_id = paid.id)
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
