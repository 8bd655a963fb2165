"""What stands in the way of a charge: each in words, with what to do about it."""

from odoo import models
from odoo.exceptions import UserError


class HelpdeskTicketCharge(models.Model):
    _inherit = "helpdesk.ticket.charge"

    def _check_customer(self, ticket):
        """Check that there is somebody to charge.

        :param ticket: a ``helpdesk.ticket`` with superuser rights.
        """
        customer = ticket.partner_id
        if not customer:
            raise UserError(
                self.env._("Set the customer of the ticket first: nobody to charge.")
            )
        for partner in customer | customer.commercial_partner_id:
            if not partner.active:
                raise UserError(
                    self.env._(
                        "%(customer)s is archived and cannot be charged: unarchive the "
                        "contact, or set another customer in the ticket.",
                        customer=partner.display_name,
                    )
                )

    def _product(self):
        """Return the product that charges are invoiced with: the one of the settings,
        else the one of this module.

        :raise UserError: if there is none that can be used.
        """
        product = self.company_id.incident_charge_product_id or self.env.ref(
            "helpdesk_paid_support.product_ticket_charge", raise_if_not_found=False
        )
        company = self.company_id.display_name
        if not product:
            raise UserError(
                self.env._(
                    "%(company)s has no product to charge with. Ask a helpdesk manager "
                    "to choose one in the settings, block “Paid support”.",
                    company=company,
                )
            )
        if not product.active:
            raise UserError(
                self.env._(
                    "The product to charge with, “%(product)s”, is archived. Ask a "
                    "helpdesk manager to unarchive it, or to choose another one in the "
                    "settings, block “Paid support”.",
                    product=product.display_name,
                )
            )
        if product.company_id and product.company_id not in self.company_id.parent_ids:
            raise UserError(
                self.env._(
                    "The product to charge with, “%(product)s”, belongs to another "
                    "company than %(company)s. Ask a helpdesk manager to choose "
                    "another one in the settings, block “Paid support”.",
                    product=product.display_name,
                    company=company,
                )
            )
        return product

    def _check_setup(self):
        """Check that there is a journal and a receivable account."""
        company = self.company_id
        journal_model = self.env["account.journal"]
        domain = journal_model._check_company_domain(company)
        if not journal_model.search_count([*domain, ("type", "=", "sale")], limit=1):
            raise UserError(
                self.env._(
                    "%(company)s has no journal for sales. Ask an accountant to make "
                    "one, or to install a chart of accounts.",
                    company=company.display_name,
                )
            )
        account_model = self.env["account.account"]
        if not self.partner_id.property_account_receivable_id and not (
            account_model.search_count(
                [
                    *account_model._check_company_domain(company),
                    ("account_type", "=", "asset_receivable"),
                ],
                limit=1,
            )
        ):
            raise UserError(
                self.env._(
                    "%(company)s has no receivable account. Ask an accountant to make "
                    "one, or to install a chart of accounts.",
                    company=company.display_name,
                )
            )

    def _check_account(self, draft):
        """Check that the line of a draft invoice has an account to be posted to."""
        if not draft.invoice_line_ids.account_id:
            raise UserError(
                self.env._(
                    "There is no income account for “%(product)s” in %(company)s. Ask "
                    "an accountant to set it on the product, on its category, or on "
                    "the journal %(journal)s.",
                    product=draft.invoice_line_ids.product_id.display_name,
                    company=self.company_id.display_name,
                    journal=draft.journal_id.display_name,
                )
            )

    def _check_documents(self):
        """Check that the documents of this charge are the customer's, and that no
        accountant is changing them, or what has paid them."""
        invoices = self.invoice_ids.filtered(lambda move: move.state != "cancel")
        strange = invoices.filtered(
            lambda move: move.commercial_partner_id != self.partner_id
        )
        if strange:
            raise UserError(
                self.env._(
                    "An accountant has addressed %(documents)s of “%(name)s” to "
                    "somebody else. Ask for a credit note of that, and charge anew.",
                    name=self.name,
                    documents=", ".join(
                        strange.mapped(lambda move: move._get_move_display_name())
                    ),
                )
            )
        payers = invoices._incident_receivable().matched_credit_ids
        drafts = invoices.filtered(lambda move: move.state == "draft")
        drafts |= payers._incident_void().credit_move_id.move_id
        if drafts:
            raise UserError(
                self.env._(
                    "An accountant has a document of “%(name)s”, or a payment of it, "
                    "in work: %(documents)s. Ask for it to be posted or cancelled "
                    "first.",
                    name=self.name,
                    documents=", ".join(
                        drafts.mapped(lambda move: move._get_move_display_name())
                    ),
                )
            )
        if self.currency_id.compare_amounts(self.amount_total, 0) < 0:
            raise UserError(
                self.env._(
                    "More of “%(name)s” was credited than is invoiced, as an "
                    "accountant has cancelled a document. Ask for that to be put right "
                    "first.",
                    name=self.name,
                )
            )
