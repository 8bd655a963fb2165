from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common_charge import ChargeCommon


@tagged("post_install", "-at_install")
class TestArrivingFunds(ChargeCommon):
    """R10.2: money that has come settles what is open."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.outbox = cls.env["helpdesk.incident.outbox"]
        cls.plan45 = cls.plan("Ten", 45, "lifetime", 10)

    def fund(self, amount, customer=None, run=True, **values):
        """Add funds online, through `payment_demo`."""
        partner = customer or self.contact
        nothing = self.env["sale.order"].new(
            {"partner_id": partner.id, "currency_id": self.company.currency_id.id}
        )
        transaction = self.transaction(
            nothing,
            amount,
            partner_id=partner.id,
            currency_id=self.company.currency_id.id,
            sale_order_ids=[Command.clear()],
            **values,
        )
        if run:
            self.print_and_mail()
        return transaction.payment_id

    def owed(self, product=None, **values):
        """Return the open invoice of an order."""
        return self.bill(self.order(product or self.plan45, **values))

    def states(self, *records):
        self.env.flush_all()
        self.env.invalidate_all()
        return [record.payment_state for record in records]

    # -- what settles -----------------------------------------------------------

    def test_both(self):
        """R10.2: a charge of 20 unpaid, a plan invoice of 45 open, 65 are added: both
        are paid, 10 incidents are there, nothing is left and nothing is asked for."""
        charge, invoice = self.charge(20), self.owed()
        self.assertEqual(self.money(), -65)
        self.fund(65, run=False)
        self.assertEqual(self.states(charge, invoice), ["not_paid"] * 2)
        self.assertEqual((self.money(), self.given()), (0, 0))
        self.print_and_mail()
        self.assertEqual(self.states(charge, invoice), ["paid"] * 2)
        self.assertEqual((self.money(), self.given()), (0, 10))
        self.assertFalse(charge._portal_to_pay())
        self.assertIn("Settled: “Restore”", self.history())
        self.assertEqual(self.account_model._check_ledger(), [])

    def test_worked_entry(self):
        """docs/accounting.md: the entries of that, with the numbers of the accounts."""
        charge, invoice = self.charge(20), self.owed()
        payment = self.fund(65)
        entries = {
            move: {(line.account_id.code, line.debit, line.credit) for line in lines}
            for move, lines in (charge.invoice_ids | invoice | payment.move_id)
            .line_ids.grouped("move_id")
            .items()
        }
        self.assertEqual(
            list(entries.values()),
            [
                {("121000", 20, 0), ("400000", 0, 20)},
                {("121000", 45, 0), ("400000", 0, 45)},
                {("101403", 65, 0), ("121000", 0, 65)},
            ],
        )
        partials = payment.move_id.line_ids.matched_debit_ids.sorted("id")
        self.assertEqual(
            [(partial.debit_move_id.move_id, partial.amount) for partial in partials],
            [(charge.invoice_ids, 20), (invoice, 45)],
        )

    def test_undone(self):
        """R12.7, R8.4: what had settled is owed again, and redone it is paid again."""
        charge, invoice = self.charge(20), self.owed()
        payment = self.fund(65)
        payment.action_draft()
        self.assertEqual(self.states(charge), ["accounting"])
        self.assertEqual((self.money(), self.given()), (-65, 0))
        payment.action_post()
        self.assertEqual(self.states(charge, invoice), ["paid"] * 2)
        self.assertEqual((self.money(), self.given()), (0, 10))

    def test_in_part(self):
        """R10.2: 30 pay the charge of 20, and 10 of the plan, which gives nothing; 35
        more pay the rest."""
        charge, invoice = self.charge(20), self.owed()
        self.fund(30)
        self.assertEqual(self.states(charge, invoice), ["paid", "partial"])
        self.assertEqual((self.money(), self.given()), (-35, 0))
        self.fund(40)
        self.assertEqual(self.states(invoice), ["paid"])
        self.assertEqual((self.money(), self.given()), (5, 10))

    def test_order_of_settling(self):
        """R10.2: charges first, then plans, the oldest due date before the others."""
        late, soon = self.owed(), self.owed()
        late.button_draft()
        late.invoice_date_due = "2027-08-01"
        late.action_post()
        second, first = self.charge(20), self.charge(20)
        second.invoice_ids.button_draft()
        second.invoice_ids.invoice_date_due = "2027-07-01"
        second.invoice_ids.action_post()
        self.fund(20)
        self.assertEqual(
            self.states(first, second, soon, late),
            ["paid", "not_paid", "not_paid", "not_paid"],
        )
        self.fund(65)
        self.assertEqual(
            self.states(first, second, soon, late),
            ["paid", "paid", "paid", "not_paid"],
        )

    def test_lowered_and_refunded_charge(self):
        """R10.2: 30 of a paid charge are given back, and settle another one and a plan;
        so does what a refund gives back."""
        self.pay(70)
        paid = self.charge(70)
        charge, invoice = self.charge(20), self.owed()
        self.edit(paid, 40)
        self.assertEqual(self.states(charge, invoice), ["not_paid"] * 2)
        self.print_and_mail()
        self.assertEqual(self.states(charge, invoice), ["paid", "partial"])
        self.refund(paid)
        self.print_and_mail()
        self.assertEqual(self.states(charge), ["paid"])
        self.assertEqual(invoice.amount_residual, 0)
        self.assertEqual((self.money(), self.given()), (5, 10))
        self.assertEqual(self.account_model._check_ledger(), [])

    def test_unpaid_charge_gives_nothing_back(self):
        """R10.4: its own credit note pays it; nothing of it settles another one."""
        unpaid, charge = self.charge(30), self.charge(20)
        self.refund(unpaid)
        self.print_and_mail()
        self.assertEqual(self.states(unpaid, charge), ["refunded", "not_paid"])
        self.assertEqual(self.money(), -20)

    def test_incidents_for_funds(self):
        """R6.3: they are given all the same, once."""
        self.company.write({"incident_topup_amount": 10, "incident_topup_quantity": 1})
        self.charge(20)
        self.fund(65)
        self.print_and_mail()
        self.assertEqual(self.given(), 6)

    # -- what stays ---------------------------------------------------------------

    def test_what_accountants_post_stays(self):
        """R10.2: a payment of 65 that an accountant has posted stays as it was left;
        the button on the customer settles both, and says so; again it does nothing."""
        charge, invoice = self.charge(20), self.owed()
        payment = self.pay(65)
        self.print_and_mail()
        self.assertEqual(self.states(charge, invoice), ["not_paid"] * 2)
        # Nor do funds that come later touch it.
        self.fund(5)
        self.assertEqual(self.states(charge, invoice), ["partial", "not_paid"])
        items = payment.move_id._incident_receivable()
        self.assertEqual(items.amount_residual, -65)
        accountant = new_test_user(
            self.env,
            "hps-accountant",
            groups="base.group_user,account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        customer = self.contact.with_user(accountant).with_company(self.company)
        told = customer.action_incident_settle()["params"]
        self.assertEqual(self.states(charge, invoice), ["paid"] * 2)
        self.assertIn(invoice.name, told["message"])
        self.assertEqual((self.money(), self.given()), (5, 10))
        told = customer.action_incident_settle()["params"]
        self.assertEqual(told["type"], "info")
        with self.assertRaises(AccessError):
            self.customer.with_user(self.charger).action_incident_settle()

    def test_other_invoices_stay(self):
        """R10.2: what is neither a charge nor of an order with plans is for accounting,
        as is what an accountant has blocked."""
        other, blocked = self.invoice(10), self.owed()
        blocked.payment_state = "blocked"
        self.fund(65)
        self.assertEqual(self.states(other, blocked), ["not_paid", "blocked"])
        self.assertEqual(self.money(), 10)

    def test_held_stays(self):
        """R1, R10.2: 50 paid online for an order that is not invoiced yet, and for one
        whose invoice is open, pay for nothing else."""
        charge = self.charge(20)
        waits = self.quotation(self.pack)
        self.transaction(waits)
        billed = self.quotation(self.pack)
        self.transaction(billed)
        invoice = self.bill(billed)
        invoice.line_ids.remove_move_reconcile()
        self.fund(5)
        self.customer.with_company(self.company).action_incident_settle()
        self.assertEqual(self.states(charge, invoice), ["partial", "not_paid"])
        self.assertFalse(self.customer._incident_credits(self.company))
        # Invoiced, what is too much is free.
        self.assertEqual(self.money(), -15)

    def test_paid_back_stays(self):
        """R8.4: funds that were paid back before they settled, settle nothing."""
        charge = self.charge(20)
        payment = self.fund(65, run=False)
        transaction = payment.payment_transaction_id
        self.demo.support_refund = "partial"
        refund = transaction._create_child_transaction(65, is_refund=True)
        refund._set_done()
        refund._post_process()
        self.assertTrue(payment._incident_is_paid_back())
        self.print_and_mail()
        self.assertEqual(self.states(charge), ["not_paid"])
        self.assertEqual(self.money(), -20)

    def test_other_customers_stay(self):
        """R2.3: it settles nothing of others."""
        charge = self.charge(20)
        self.fund(65, self._customer("Southwind"))
        self.assertEqual(self.states(charge), ["not_paid"])

    def test_paid_for_a_document(self):
        """R10.2: what was paid online for an invoice pays it alone; what is too much is
        left to the customer."""
        charge, invoice = self.charge(20), self.owed()
        self.fund(65, invoice_ids=[Command.set(invoice.ids)])
        self.assertEqual(self.states(charge, invoice), ["not_paid", "paid"])
        self.assertFalse(self.outbox.search([("prints", "=", False)]))

    def test_free_credit_is_no_difference(self):
        """R13.4: what accountants take apart stays so, and is no difference."""
        charge = self.charge(20)
        payment = self.fund(65)
        charge.invoice_ids.line_ids.remove_move_reconcile()
        self.print_and_mail()
        self.assertEqual(self.states(charge), ["not_paid"])
        self.assertEqual(self.account_model._check_ledger(), [])
        payment.action_draft()
        self.assertEqual(self.account_model._check_ledger(), [])

    def test_asked_for_by_staff(self):
        """R10.2: a card that staff have charged is theirs to assign."""
        charge = self.charge(20)
        self.fund(65, operation="offline")
        self.assertEqual(self.states(charge), ["not_paid"])

    def test_invoice_to_somebody_else(self):
        """R9.9: a reseller pays for the incidents of its customer."""
        reseller = self._customer("Reseller")
        invoice = self.owed(partner_invoice_id=reseller.id)
        self.fund(45, reseller)
        self.assertEqual(self.states(invoice), ["paid"])
        self.assertEqual(self.given(), 10)

    def test_installments(self):
        """R10.2: of an invoice in two parts the one that is due first."""
        term = self.env["account.payment.term"].create(
            {
                "name": "Two",
                "line_ids": [
                    Command.create(
                        {"value": "percent", "value_amount": 50, "nb_days": days}
                    )
                    for days in (0, 60)
                ],
            }
        )
        one = self.owed(self.pack, payment_term_id=term.id)
        two = self.owed(self.pack, payment_term_id=term.id)
        self.fund(50)
        self.assertEqual(self.states(one, two), ["partial"] * 2)
        self.fund(50)
        self.assertEqual(self.states(one, two), ["paid"] * 2)

    # -- how it is done -----------------------------------------------------------

    def test_again_and_killed(self):
        """R10.2: killed, it is done by the next run; run twice, once."""
        charge = self.charge(20)
        self.fund(65, run=False)
        partner_class = self.env.registry["res.partner"]
        with (
            patch.object(
                partner_class, "_incident_settle_open", side_effect=KeyboardInterrupt
            ),
            self.assertRaises(KeyboardInterrupt),
            mute_logger("odoo.addons.base.models.ir_cron"),
        ):
            self.print_and_mail()
        self.assertEqual(self.states(charge), ["not_paid"])
        row = self.outbox.search([("prints", "=", False)])
        document = row._document()
        self.print_and_mail()
        self.assertEqual(self.states(charge), ["paid"])
        document._incident_spend()
        self.assertEqual(self.states(charge), ["paid"])
        self.assertEqual(self.money(), 45)

    def test_fault(self):
        """R3.9: what cannot be settled is said in the payment's history, and blocks
        neither the payment nor what is printed."""
        charge = self.charge(20)
        payment = self.fund(65, run=False)
        partner_class = self.env.registry["res.partner"]
        with (
            patch.object(
                partner_class, "_incident_settle_open", side_effect=UserError("No")
            ),
            mute_logger(
                "odoo.addons.helpdesk_paid_support.models.outbox"
                ".helpdesk_incident_outbox"
            ),
        ):
            for _n in range(3):
                self.outbox.search([]).sudo().flush_recordset()
                self.env.cr.execute(
                    "UPDATE helpdesk_incident_outbox SET date_due = NULL"
                )
                self.env.invalidate_all()
                self.print_and_mail()
        self.assertEqual(self.states(charge), ["not_paid"])
        self.assertIn("could not be settled", payment.message_ids[0].body)
        self.assertTrue(charge.invoice_ids.is_move_sent)
        self.assertFalse(self.outbox.search([]))

    def test_first(self):
        """R10.2: it does not wait for what is printed."""
        self.charge(20)
        self.fund(65, run=False)
        self.assertEqual(self.outbox.search([]).mapped("prints"), [False, True])
