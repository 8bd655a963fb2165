"""Who is told of a charge: the ticket's history, and the customer (R10.3, R10.4)."""

import base64
import logging

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ..mails import MAIL_FIELDS, as_note

_logger = logging.getLogger(__name__)


class HelpdeskTicketCharge(models.Model):
    _inherit = "helpdesk.ticket.charge"

    recipient_id = fields.Many2one(
        comodel_name="res.partner",
        compute="_compute_recipient_id",
        compute_sudo=True,
        help="Who gets the mails about this charge.",
    )

    @api.depends("partner_id", "ticket_id.partner_id")
    def _compute_recipient_id(self):
        """The contact of the ticket, while it belongs to who was charged: both may have
        moved to another customer since."""
        for charge in self:
            contact = charge.ticket_id.partner_id
            customer = charge.partner_id.commercial_partner_id
            own = contact.commercial_partner_id == customer
            charge.recipient_id = contact if own else charge.partner_id

    def _tell(self, documents, event):
        """Write to the history of the ticket what was posted, and tell the customer, as
        soon as this is committed.

        Both are internal notes: followers of a ticket can belong to other customers
        (R11.6). The customer gets them as a mail.

        :param documents: the ``account.move`` records posted.
        :param str event: what has happened, in words.
        """
        self.ensure_one()
        self._log(event, documents)
        for document in documents:
            self.env["helpdesk.incident.outbox"]._put(document, "_ticket_charge_mail")

    # ------------------------------------------------------------------
    # History
    # ------------------------------------------------------------------

    def _log(self, event, documents):
        """R10.4"""
        balance = self.partner_id._incident_account_balance(self.company_id)
        lines = [
            self.env._("%(event)s: “%(name)s”.", event=event, name=self.name),
            *(self._describe(document) for document in documents),
            self.env._(
                "The customer's account balance is %(balance)s now.",
                balance=self.company_id.currency_id.format(balance),
            ),
        ]
        self._note(Markup("<br/>").join(lines))

    def _note(self, body):
        """Write an internal note to the history of the ticket. It is no comment, which
        its author could change; portal users do not read it
        (:meth:`MailMessage._get_forbidden_access`)."""
        self.ticket_id._message_log(body=body)

    def _describe(self, document):
        """Return in words what a posted document did."""
        words = {
            "document": document._get_html_link(title=document.name),
            "total": document.currency_id.format(document.amount_total),
            "left": document.currency_id.format(document.amount_residual),
            "settled": document.currency_id.format(
                document.amount_total - document.amount_residual
            ),
        }
        whole = document.currency_id.is_zero(document.amount_residual)
        some = document.currency_id.compare_amounts(
            document.amount_residual, document.amount_total
        )
        if document.move_type == "out_refund":
            if whole:
                text = self.env._(
                    "Credit note %(document)s of %(total)s, set against what was to "
                    "pay."
                )
            else:
                text = self.env._(
                    "Credit note %(document)s of %(total)s, of which %(left)s is the "
                    "customer's balance."
                )
        elif whole:
            text = self.env._(
                "Invoice %(document)s of %(total)s, paid from the account balance."
            )
        elif some < 0:
            text = self.env._(
                "Invoice %(document)s of %(total)s: %(settled)s was paid from the "
                "account balance, %(left)s is to pay."
            )
        else:
            text = self.env._("Invoice %(document)s of %(total)s, to be paid.")
        return Markup(text) % words

    def _log_changed(self, document):
        """Tell what an accountant did with a document of this charge."""
        words = {
            "document": document._get_html_link(
                title=document._get_move_display_name()
            ),
            "total": document.currency_id.format(document.amount_total),
        }
        if document.state == "posted":
            text = self.env._("%(document)s of %(total)s was posted in accounting.")
        elif document.state == "cancel":
            text = self.env._("%(document)s of %(total)s was cancelled in accounting.")
        else:
            text = self.env._(
                "%(document)s of %(total)s was reset to draft in accounting: it counts "
                "again when it is posted."
            )
        self._note(Markup(text) % words)

    # ------------------------------------------------------------------
    # Mail
    # ------------------------------------------------------------------

    def _mail(self, document):
        """Send the customer a document (R10.3), which is printed: never under a lock.
        Whatever fails here is told in the ticket, and blocks nothing."""
        if document.state != "posted":
            return  # as an accountant has changed meanwhile, and the ticket tells
        template = self.env.ref(
            "helpdesk_paid_support.mail_template_ticket_charge",
            raise_if_not_found=False,
        )
        problem = None
        if not template or not template.active:
            problem = self.env._("there is no mail template for it")
        elif not self.recipient_id.email:
            problem = self.env._("the contact has no e-mail address")
        else:
            try:
                with self.env.cr.savepoint():
                    self._send_mail(template, document)
            except (OperationalError, ConcurrencyError):
                raise
            except Exception:
                _logger.exception("No mail about %s", document)
                problem = self.env._("the mail could not be written")
        if problem:
            self._note(
                self.env._(
                    "The customer was not told by mail of %(document)s: %(problem)s.",
                    document=document.name,
                    problem=problem,
                )
            )

    def _send_mail(self, template, document):
        """Write the mail to the ticket, so that answers come to it."""
        try:
            with self.env.cr.savepoint():
                values = self._mail_values(template, document, MAIL_FIELDS)
        except (OperationalError, ConcurrencyError):
            raise
        except Exception:
            # Where nothing can be printed the mail goes out without the document.
            _logger.exception("%s could not be printed", document)
            values = self._mail_values(
                template, document, MAIL_FIELDS - {"report_template_ids"}
            )
        # They belong to the document: those of the ticket are shown to all followers.
        # The first one is the document as it was sent, as with Odoo's own "Send":
        # without, the portal shows a proforma of it.
        attachments = self.env["ir.attachment"].create(
            [
                {
                    "name": name,
                    "raw": base64.b64decode(content),
                    "res_model": document._name,
                    "res_id": document.id,
                }
                for name, content in values.get("attachments") or []
            ]
        )
        attachments[:1].res_field = "invoice_pdf_report_file"
        document.invalidate_recordset(
            ["invoice_pdf_report_id", "invoice_pdf_report_file"]
        )
        self.ticket_id.message_post(
            **as_note(values),
            attachment_ids=[*(values.get("attachment_ids") or []), *attachments.ids],
        )
        if attachments:
            document.is_move_sent = True

    def _mail_values(self, template, document, names):
        return template.sudo()._generate_template(
            document.ids, names, find_or_create_partners=False
        )[document.id]

    # ------------------------------------------------------------------
    # Portal
    # ------------------------------------------------------------------

    def _portal_documents(self):
        """Return the posted documents, oldest first."""
        return self.invoice_ids.filtered(lambda move: move.state == "posted").sorted(
            "id"
        )

    def _portal_to_pay(self):
        """Return the invoices that wait for a payment."""
        return self._portal_documents().filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.payment_state in ("not_paid", "partial")
            )
        )

    def _portal_highest(self):
        """Return the most that was charged at one time, taxes included: what was
        invoiced in all counts again what was lowered and raised."""
        highest = charged = 0
        for document in self._portal_documents():
            sign = -1 if document.move_type == "out_refund" else 1
            charged += sign * self._sum(document, "amount_total")
            highest = max(highest, charged)
        return self.currency_id.round(highest)

    def _portal_payments(self):
        """Return what has paid the invoices (R10.3): effective payments and what
        accountants have posted otherwise; no credit notes of the charge, and no
        differences of exchange rates.

        :return: the ``amount``, ``currency``, ``date`` and ``name`` of each.
        :rtype: list[dict]
        """
        invoices = self._portal_documents().filtered(
            lambda move: move.move_type == "out_invoice"
        )
        payments = []
        for invoice in invoices:
            currency = invoice.currency_id
            partials = invoice._incident_receivable().matched_credit_ids
            exchange = partials.exchange_move_id
            journal = invoice.company_id.currency_exchange_journal_id
            paid = []
            for partial in partials:
                payer = partial.credit_move_id.move_id
                payment = payer.origin_payment_id
                if (
                    payer in self.invoice_ids
                    or payer in exchange
                    or (journal and payer.journal_id == journal)
                    or (payment and not payment._incident_is_booked())
                ):
                    continue
                name = payment.name or payer.name
                paid.append((partial.debit_amount_currency, payer.date, name))
            for payment in invoice._incident_loose_payments():
                # It may pay for other invoices as well.
                left = payment._incident_paid_for(payment.invoice_ids, currency)
                amount = min(left, invoice.amount_total)
                paid.append((amount, payment.date, payment.name))
            payments += [
                {"amount": amount, "currency": currency, "date": date, "name": name}
                for amount, date, name in paid
                if not currency.is_zero(amount)
            ]
        return payments
