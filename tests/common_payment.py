from contextlib import nullcontext

from odoo.tests import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.base.tests.common import BaseCommon

from .common_ledger import LedgerCase
from .common_prepared import wake


class PaymentCommon(LedgerCase, AccountTestInvoicingCommon):
    """A company with a chart of accounts, whose payments give incidents."""

    # What Odoo sets beside records.
    maxDiff = None
    tax_number = 0

    @classmethod
    def setUpClass(cls):
        if not wake(cls, "books", above=BaseCommon):
            super().setUpClass()
            cls.build_books()
        # Those of a class below this one, too.
        groups = cls.get_default_groups() - cls.env.user.group_ids
        if groups:
            cls.env.user.sudo().group_ids += groups
        cls.account_model = cls.env["helpdesk.incident.account"]

    @classmethod
    def build_books(cls):
        cls.company = cls.company_data["company"]
        cls.company.write(
            {
                "incident_first_payment_quantity": 0,
                "incident_topup_amount": 100,
                "incident_topup_quantity": 2,
            }
        )
        cls.bank = cls.company_data["default_journal_bank"]
        cls.customer = cls._customer("Northwind")
        cls.manager = new_test_user(
            cls.env,
            "hps-manager",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_manager",
        )

    @classmethod
    def add_branch(cls):
        """Give the company a branch (R2.3), in which the user works as well."""
        cls.branch = cls.env["res.company"].create(
            {"name": "Branch", "parent_id": cls.company.id}
        )
        cls.env.user.company_ids |= cls.branch
        cls.env = cls.env(
            context=dict(
                cls.env.context, allowed_company_ids=[cls.company.id, cls.branch.id]
            )
        )

    @classmethod
    def _customer(cls, name):
        return cls.env["res.partner"].create({"name": name, "is_company": True})

    @classmethod
    def incident_account(cls, customer=None):
        return cls.account_model._of(customer or cls.customer, cls.company, create=True)

    @classmethod
    def analyze(cls):
        """Let the planner know what this transaction has written. It is told of nothing
        that is not committed, and core's query of a payment's invoices takes seconds
        then."""
        cls.env.flush_all()
        cls.env.cr.execute(
            "ANALYZE account_move, account_move_line, account_partial_reconcile, "
            "account_payment"
        )

    @classmethod
    def pay(cls, amount, customer=None, post=True, **values):
        """Register a customer payment by hand; below zero it pays back."""
        payment = cls.env["account.payment"].create(
            {
                "payment_type": "inbound" if amount > 0 else "outbound",
                "partner_type": "customer",
                "partner_id": (customer or cls.customer).id,
                "amount": abs(amount),
                "journal_id": cls.bank.id,
                "date": "2027-04-20",
                **values,
            }
        )
        if post:
            payment.action_post()
        return payment

    @classmethod
    def pay_without_entry(cls, amount, **values):
        """Register a payment of a method without an outstanding account, as with the
        accounting of Odoo Enterprise: it has no journal entry."""
        payment = cls.pay(amount, post=False, **values)
        payment.outstanding_account_id = False
        payment.action_post()
        return payment

    @classmethod
    def invoice(cls, amount, customer=None):
        invoice = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": (customer or cls.customer).id,
                "invoice_date": "2027-04-20",
                "invoice_line_ids": [
                    (
                        0,
                        0,
                        {
                            "product_id": cls.product_a.id,
                            "price_unit": amount,
                            "tax_ids": [],
                        },
                    )
                ],
            }
        )
        invoice.action_post()
        return invoice

    @classmethod
    def register(cls, invoices, **values):
        """Pay invoices with the register-payment wizard."""
        return (
            cls.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoices.ids)
            .create({"payment_date": "2027-04-20", **values})
            ._create_payments()
        )

    def balance(self, customer=None):
        account = self.incident_account(customer)
        account.invalidate_recordset()
        return account.lifetime_granted

    def carry(self, customer=None):
        account = self.incident_account(customer)
        account.invalidate_recordset()
        return account.topup_carry

    def print_and_mail(self):
        """Let the scheduled action print and mail what waits for that (R3.6)."""
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_print").sudo()
        in_test_mode = type(self)._registry_patched
        with nullcontext() if in_test_mode else self.enter_registry_test_mode():
            cron.method_direct_trigger()
        self.env.invalidate_all()
