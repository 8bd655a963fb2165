"""What was sold to be paid later is invoiced, and credited (R18.3, R17.1)."""

import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.fields import Domain
from odoo.tools import html2plaintext

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    """An order is due to be invoiced when its company says so: at once, or when its
    month is over. Whether it was done stands nowhere but in its invoices."""

    _inherit = "sale.order"

    @api.model
    def _incident_trigger_overage(self):
        """Let the scheduled action run soon, if there is one."""
        cron = self.env.ref(
            "helpdesk_paid_support.ir_cron_incident_overage", raise_if_not_found=False
        )
        if cron:
            cron.sudo()._trigger()

    @api.model
    def _cron_overage(self):
        """Invoice what is due of what was sold to be paid later (R18.3). Each customer
        is a transaction: it is safe to run twice, at once, and to be killed; what is
        left is reported."""
        groups = self._incident_overage_due()
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(groups))
        for orders in groups:
            try:
                with self.env.cr.savepoint():
                    orders._incident_invoice_overage()
            except (OperationalError, ConcurrencyError):
                # Somebody else is at it: the next run will see.
                self.env.cr.rollback()
            except UserError as error:
                self.env.invalidate_all()
                orders._incident_log_overage_error(error)
            except Exception:
                _logger.exception("%s could not be invoiced", orders)
            if not cron._commit_progress(1):
                return

    @api.model
    def _incident_overage_due(self):
        """Return the orders that are to be invoiced by now: what belongs on one invoice
        together.

        :rtype: list[recordset]
        """
        orders = self.sudo().search(
            Domain("incident_overage_date", "!=", False)
            & Domain("state", "=", "sale")
            & Domain("invoice_status", "=", "to invoice"),
            order="id",
        )
        # What somebody has invoiced, or credited since, is not invoiced again.
        due = orders.filtered(
            lambda order: not order.invoice_ids and order._incident_overage_is_due()
        )
        return list(
            due.grouped(
                lambda order: (
                    order.partner_id.commercial_partner_id,
                    order.company_id,
                    order.currency_id,
                )
            ).values()
        )

    def _incident_overage_is_due(self):
        """Return whether this order is to be invoiced by now.

        :rtype: bool
        """
        if self.company_id.incident_overage_invoicing == "now":
            return True
        first = self.company_id._incident_today().replace(day=1)
        return self.incident_overage_date < first

    def _incident_invoice_overage(self):
        """Invoice these orders of one customer, and let the invoice be mailed.

        :raise BooksClosed: if a lock date forbids it.
        """
        company = self.company_id
        # Whoever does the same at this moment comes second, and finds it done.
        account_model = self.env["helpdesk.incident.account"]
        account_model._of(self.partner_id[:1], company, create=True)._lock()
        orders = self.filtered(
            lambda order: order.state == "sale" and not order.invoice_ids
        ).with_company(company)
        if not orders:
            return
        company._incident_check_books(orders.order_line.tax_ids)
        # On one invoice, where the customer gets it by now: the address may have
        # changed, or customers were merged.
        orders.partner_invoice_id = orders[-1:].partner_invoice_id
        invoices = orders._create_invoices(final=True)
        invoices.invoice_date = company._incident_today()
        invoices.action_post()
        for invoice in invoices:
            self.env["helpdesk.incident.outbox"]._put(
                invoice.with_company(company), "_incident_send"
            )

    def _incident_log_overage_error(self, error):
        """Say in the history of these orders, once, why they are not invoiced."""
        why = str(error.args[0])
        for order in self:
            if not any(why in html2plaintext(m.body or "") for m in order.message_ids):
                order._message_log(
                    body=self.env._("Not invoiced yet: %(why)s", why=why)
                )

    # ------------------------------------------------------------------
    # Credited (R17.1)
    # ------------------------------------------------------------------

    def _incident_overage_invoices(self):
        """Return the invoices and credit notes of this order that are not cancelled."""
        return self.invoice_ids.filtered(lambda move: move.state != "cancel")

    def _incident_overage_is_open(self):
        """Return whether something of this order is paid, or to be paid.

        :rtype: bool
        """
        return bool(self.incident_overage_date) and (
            any(line.qty_invoiced > 0 for line in self.order_line)
            if self._incident_overage_invoices()
            else self.state == "sale"
        )

    def _incident_undo_overage(self):
        """Cancel these orders, or credit what was invoiced of them: by that their
        incidents are taken back (R8.4).

        :raise UserError: if somebody is just invoicing them, or the books are closed.
        """
        for order in self.filtered(lambda order: order._incident_overage_is_open()):
            order = order.with_company(order.company_id)
            account_model = self.env["helpdesk.incident.account"]
            account_model._of(order.partner_id, order.company_id, create=True)._lock()
            moves = order._incident_overage_invoices()
            drafts = moves.filtered(lambda move: move.state == "draft")
            if drafts:
                raise UserError(
                    self.env._(
                        "There is a draft invoice of %(order)s: ask an accountant.",
                        order=order.name,
                    )
                )
            if not moves:
                order._action_cancel()
                continue
            for invoice in moves.filtered(lambda move: move.move_type == "out_invoice"):
                order._incident_credit_overage(invoice)

    def _incident_credit_overage(self, invoice):
        """Post a credit note of what an invoice has of this order, which others may be
        on, too, less what was credited before. It pays that invoice where it is open,
        else it is the customer's."""
        company, lines = self.company_id, self.order_line
        company._incident_check_books(lines.tax_ids)
        left = {line: line.qty_invoiced for line in lines}
        note = invoice.with_context(include_business_fields=True)._reverse_moves(
            [invoice._incident_reversed_today(self.origin)]
        )
        others = note.invoice_line_ids.filtered(
            lambda line: not line.sale_line_ids & lines
        )
        others.unlink()
        for item in note.invoice_line_ids:
            there = sum(left[line] for line in item.sale_line_ids & lines)
            item.quantity = min(item.quantity, there)
        note.action_post()
        invoice._incident_pay_from(note._incident_receivable())
        note._incident_settle_later()
        self.env["helpdesk.incident.outbox"]._put(
            note.with_company(company), "_incident_send"
        )
