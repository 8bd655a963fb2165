from contextlib import contextmanager

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user

from .common_sale import SaleCommon


class ChargeCommon(SaleCommon):
    """A ticket of a customer, and an agent who may charge and has no other rights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charger = cls._staff("charger", "helpdesk_paid_support.group_ticket_charge")
        cls.contact = cls.env["res.partner"].create(
            {
                "name": "Nora",
                "parent_id": cls.customer.id,
                "email": "nora@example.com",
            }
        )
        cls.charged_ticket = cls._open_ticket(cls.contact)
        cls.charge_product = cls.env.ref("helpdesk_paid_support.product_ticket_charge")
        cls.charge_product.taxes_id = [Command.clear()]

    @classmethod
    def _staff(cls, login, groups):
        return new_test_user(
            cls.env,
            f"hps-{login}",
            groups=f"base.group_user,helpdesk_mgmt.group_helpdesk_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
            email=f"{login}@example.com",
        )

    @classmethod
    def _open_ticket(cls, partner):
        return cls.env["helpdesk.ticket"].create(
            {
                "name": "Restore a backup",
                "description": "Please",
                "partner_id": partner.id,
                "company_id": cls.company.id,
                "user_id": False,
            }
        )

    # -- what is done ------------------------------------------------------

    def charge(self, amount, ticket=None, by=None, **values):
        """Charge as an agent without rights in accounting; return it with all rights.

        :param by: the user, by default the one who may charge.
        """
        charge = (
            self.env["helpdesk.ticket.charge"]
            .with_user(by or self.charger)
            .create(
                {
                    "ticket_id": (ticket or self.charged_ticket).id,
                    "name": "Restore",
                    "amount": amount,
                    **values,
                }
            )
        )
        self.env.invalidate_all()
        return charge.with_env(self.env)

    def edit(self, charge, amount):
        charge.with_user(self.charger).amount = amount
        self.env.invalidate_all()

    def refund(self, charge):
        charge.with_user(self.charger).action_refund()
        self.env.invalidate_all()

    # -- what has become of it ---------------------------------------------

    def documents(self, charge):
        """Return what the documents come to, in the order in which they were made;
        credit notes are below zero."""
        moves = charge.invoice_ids.sorted("id")
        self.assertEqual(set(moves.mapped("state")), {"posted"})
        return moves.mapped("amount_total_in_currency_signed")

    def money(self, customer=None):
        """Return the account balance. The accountants' list has the same, and says how
        it follows from the receivables (R12.7)."""
        self.env.flush_all()
        customer = customer or self.customer
        balance = customer._incident_account_balance(self.company)
        row = self.balance_row(customer)
        self.assertAlmostEqual(
            -row.receivable - row.ineffective - row.held, row.balance
        )
        if row or self.env["helpdesk.incident.account"]._of(customer, self.company):
            self.assertAlmostEqual(row.balance, balance)
        return balance

    def balance_row(self, customer):
        """Return the row of a customer in the accountants' list."""
        rows = self.env["helpdesk.incident.customer.balance"].with_company(self.company)
        rows.invalidate_model()
        return rows.search([("partner_id", "=", customer.id)])

    def history(self, ticket=None):
        """Return the words of the ticket's history, oldest first."""
        messages = (ticket or self.charged_ticket).message_ids.sorted("id")
        return " | ".join(messages.mapped(lambda message: message.preview or ""))

    @contextmanager
    def assertRefused(self, words):
        """Check that a clear error with these words is raised, and nothing posted."""
        moves = self.env["account.move"].with_context(active_test=False)
        before = moves.search_count([])
        charges = self.env["helpdesk.ticket.charge"].search_count([])
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            yield
        self.assertRegex(str(caught.exception), words)
        self.env.invalidate_all()
        self.assertEqual(moves.search_count([]), before)
        self.assertEqual(self.env["helpdesk.ticket.charge"].search_count([]), charges)
