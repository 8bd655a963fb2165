"""Who is told of a charge: the ticket's history, and the customer (R10.3, R10.4)."""

import base64
import logging
from itertools import accumulate

from markupsafe import Markup
from psycopg2 import OperationalError

from odoo import fields, models
from odoo.exceptions import ConcurrencyError

from .helpdesk_incident_reminder import LAYOUT, MAIL_FIELDS

_logger = logging.getLogger(__name__)


class HelpdeskTicketCharge(models.Model):
    _inherit = "helpdesk.ticket.charge"

    contact_id = fields.Many2one(
        comodel_name="res.partner",
        compute="_compute_contact_id",
        help="Who is told: the contact of the ticket, unless it belongs to another "
        "customer by now.",
    )

    def _tell(self, documents, event):
        """Write to the history of the ticket what was posted, and tell the customer.

        Both are internal notes: followers of a ticket can belong to other customers
        (R11.6). The customer gets them as a mail.

        :param documents: the ``account.move`` records posted.
        :param str event: what has happened, in words.
        """
        self.ensure_one()
        self._log(event, documents)
        for document in documents:
            self._mail(document)

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
        self.ticket_id._message_log(body=Markup("<br/>").join(lines))

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
        self.ticket_id._message_log(body=Markup(text) % words)

    # ------------------------------------------------------------------
    # Mail
    # ------------------------------------------------------------------

    def _mail(self, document):
        """Send the customer a document (R10.3), once the transaction is committed.
        Whatever fails here is told in the ticket, and blocks nothing."""
        template = self.env.ref(
            "helpdesk_paid_support.mail_template_ticket_charge",
            raise_if_not_found=False,
        )
        problem = None
        if not template or not template.active:
            problem = self.env._("there is no mail template for it")
        elif not self.contact_id.email:
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
            self.ticket_id._message_log(
                body=self.env._(
                    "The customer was not told by mail of %(document)s: %(problem)s.",
                    document=document.name,
                    problem=problem,
                )
            )

    def _compute_contact_id(self):
        for charge in self:
            contact = charge.ticket_id.partner_id
            own = contact.commercial_partner_id == charge.partner_id
            charge.contact_id = contact if own else charge.partner_id

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
        # Who is told of it sees an invoice in the portal, not the proforma of one.
        document.is_move_sent = True
        document.invalidate_recordset(
            ["invoice_pdf_report_id", "invoice_pdf_report_file"]
        )
        self.ticket_id.message_post(
            subject=values.get("subject"),
            body=values.get("body_html"),
            email_from=values.get("email_from") or None,
            reply_to=values.get("reply_to") or None,
            partner_ids=values.get("partner_ids") or [],
            attachment_ids=[*(values.get("attachment_ids") or []), *attachments.ids],
            mail_server_id=values.get("mail_server_id"),
            message_type="notification",
            subtype_xmlid="mail.mt_note",
            email_layout_xmlid=LAYOUT,
        )

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
        """Return the most that was charged at one time, taxes included: what it once
        was."""
        totals = (
            self._sum(move, "amount_total")
            * (-1 if move.move_type == "out_refund" else 1)
            for move in self._portal_documents()
        )
        return max(accumulate(totals), default=0)

    def _portal_payments(self):
        """Return what has paid the invoices (R10.3), credit notes excepted.

        :return: the ``amount``, ``currency``, ``date`` and ``name`` of each.
        :rtype: list[dict]
        """
        invoices = self._portal_documents().filtered(
            lambda move: move.move_type == "out_invoice"
        )
        payments = []
        for invoice in invoices:
            loose = invoice._incident_loose_payments()
            payments += [
                self._portal_payment(
                    payment.amount, payment.currency_id, payment.date, payment.name
                )
                for payment in loose
            ]
            for partial in invoice._incident_receivable().matched_credit_ids:
                payer = partial.credit_move_id.move_id
                if (
                    payer not in self.invoice_ids
                    and payer.state == "posted"
                    # What rates leave is no payment.
                    and not invoice.currency_id.is_zero(partial.debit_amount_currency)
                ):
                    payments.append(
                        self._portal_payment(
                            partial.debit_amount_currency,
                            invoice.currency_id,
                            payer.date,
                            payer.origin_payment_id.name or payer.name,
                        )
                    )
        return payments

    def _portal_payment(self, amount, currency, date, name):
        return {"amount": amount, "currency": currency, "date": date, "name": name}
