"""What the lines of a statement are called, and lead to, in the client area (R11.4)."""

from typing import NamedTuple

from odoo import api, models

#: The models that have a page for each document, and what names it there: of their many
#: columns no other is read.
WITH_PAGES = {
    "account.move": "name",
    "helpdesk.incident.subscription": "product_id",
    "helpdesk.ticket": "number",
    "sale.order": "name",
}


class Document(NamedTuple):
    """A document that the customer may open."""

    name: str
    url: str


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _statement_word(self, line):
        """Return what has happened, as customers call it.

        :param StatementLine line: one of :meth:`_statement`.
        :rtype: str
        """
        env = self.env
        if line.kind == "adjustment":
            if line.quantity > 0:
                return env._("Given by hand")
            return env._("Taken back by hand")
        words = {
            "registration": env._("For new clients"),
            "first_payment": env._("For the first payment"),
            "topup": env._("For funds added"),
            "purchase": env._("Bought"),
            "opening": env._("Brought over"),
            "period": env._("New period"),
            "revocation": env._("Taken back"),
            "deduction": env._("Used"),
            "return": env._("Returned"),
            "expiry": env._("Lapsed"),
        }
        if line.kind in words:
            return words[line.kind]
        # R3.2: add-ons bring their own.
        kinds = env["helpdesk.incident.entry"]._fields["kind"]
        return dict(kinds._description_selection(env)).get(line.kind, line.kind)

    @api.model
    def _statement_documents(self, lines):
        """Return what the lines of a statement lead to, as far as the current user may
        open it: a few queries, however many lines there are.

        A payment leads to an invoice that it has paid, else to the order that it was
        made for: it has no page of its own.

        :param list[StatementLine] lines: what :meth:`_statement` returns.
        :return: by the model and the id of the source of a line.
        :rtype: dict[tuple[str, int], Document]
        """
        sources = {}
        for line in lines:
            if line.res_model in self.env:
                sources.setdefault(line.res_model, set()).add(line.res_id)
        payments = (
            self.env["account.payment"]
            .sudo()
            .browse(sources.pop("account.payment", ()))
            .exists()
        )
        paid = {payment: payment._incident_documents() for payment in payments}
        for document in (document for found in paid.values() for document in found):
            sources.setdefault(document._name, set()).add(document.id)
        documents = {}
        for name in WITH_PAGES:
            documents |= self._documents_open_to_user(name, sources.get(name))
        for payment, found in paid.items():
            for document in found:
                known = documents.get((document._name, document.id))
                if known:
                    documents.setdefault((payment._name, payment.id), known)
        return documents

    @api.model
    def _documents_open_to_user(self, name, ids):
        """Return those of these documents that the current user may open.

        :rtype: dict[tuple[str, int], Document]
        """
        model = self.env[name].sudo(False)
        if not ids or not model.has_access("read"):
            return {}
        # As the user: rules, not ids, say what is his.
        shown = [WITH_PAGES[name]]
        found = model.search_fetch([("id", "in", list(ids))], shown).sudo()
        return {
            (name, record.id): Document(*self._document_words(record))
            for record in found
        }

    @api.model
    def _document_words(self, record):
        if record._name == "helpdesk.ticket":
            return record.number, f"/my/ticket/{record.id}"
        if record._name == "helpdesk.incident.subscription":
            plan = record.product_id.display_name
            return plan, f"/my/incidents/subscription/{record.id}"
        return record.name, record.access_url


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_documents(self):
        """Return the documents that this payment was made for, invoices first.

        :rtype: list
        """
        self.ensure_one()
        items = self.move_id._incident_receivable()
        invoices = items.matched_debit_ids.debit_move_id.move_id | self.invoice_ids
        orders = self.payment_transaction_id._incident_orders()
        return [
            *invoices.filtered(lambda move: move.is_invoice()).sorted("id"),
            *orders.sorted("id"),
        ]
