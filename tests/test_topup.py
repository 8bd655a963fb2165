from odoo.exceptions import UserError
from odoo.tests import BaseCase, new_test_user, tagged

from odoo.addons.helpdesk_paid_support.hooks import post_init_hook
from odoo.addons.helpdesk_paid_support.models.grants.account_topup import steps_made

from .common_payment import PaymentCommon


@tagged("post_install", "-at_install")
class TestTopup(PaymentCommon):
    """R6.3–R6.6: incidents for funds added."""

    def test_example(self):
        """R6.4, to the number."""
        first = self.pay(250)
        self.assertEqual((self.balance(), self.carry()), (4, 50))
        self.pay(50)
        self.assertEqual((self.balance(), self.carry()), (6, 0))
        first.action_draft()
        self.assertEqual((self.balance(), self.carry()), (0, 50))
        # What a payment of 50 alone would have given.
        other = self._customer("Other")
        self.pay(50, other)
        self.assertEqual((self.balance(other), self.carry(other)), (0, 50))

    def test_ways_to_undo(self):
        """R6.3, R1: reset, rejected, cancelled, only the entry reset, deleted."""

        def delete(payment):
            payment.action_draft()
            payment.unlink()

        for undo, redo in (
            (lambda p: p.action_draft(), lambda p: p.action_post()),
            (lambda p: p.action_reject(), lambda p: p.action_validate()),
            (
                lambda p: p.action_cancel(),
                lambda p: (p.action_draft(), p.action_post()),
            ),
            (lambda p: p.move_id.button_draft(), lambda p: p.move_id.action_post()),
            (lambda p: p.move_id.button_cancel(), None),
            (delete, None),
        ):
            customer = self._customer("Undone")
            payment = self.pay(250, customer)
            self.assertEqual(self.balance(customer), 4)
            undo(payment)
            self.assertEqual((self.balance(customer), self.carry(customer)), (0, 0))
            if redo:
                redo(payment)
                self.assertEqual(
                    (self.balance(customer), self.carry(customer)), (4, 50)
                )

    def test_without_journal_entry(self):
        """R1: a payment without a journal entry is effective by its state alone."""
        payment = self.pay_without_entry(100)
        self.assertFalse(payment.move_id)
        self.assertEqual(self.balance(), 2)
        payment.action_reject()
        self.assertEqual(self.balance(), 0)
        payment.action_validate()
        self.assertEqual(self.balance(), 2)
        payment.unlink()
        self.assertEqual(self.balance(), 0)

    def test_entry_deleted(self):
        """R1: nor is it effective after its entry was deleted as a draft."""
        payment = self.pay(100)
        payment.action_draft()
        payment.outstanding_account_id = False
        payment.move_id.unlink()
        self.assertEqual(self.balance(), 0)
        payment.action_post()
        self.assertFalse(payment.move_id)
        self.assertEqual(self.balance(), 2)

    def test_validated_and_matched(self):
        """R1: from in process to paid, a payment counts once."""
        payment = self.pay(100)
        with self.assertNothingChanges():
            payment.action_validate()
            payment.write({"memo": "Thank you"})
            payment.action_post()
        self.assertEqual(self.balance(), 2)

    def test_invoice_paid_with_the_wizard(self):
        """R6.5: the register-payment wizard, and unreconciling."""
        payment = self.register(self.invoice(100))
        self.assertEqual(self.balance(), 2)
        with self.assertNothingChanges():
            payment.move_id.line_ids.remove_move_reconcile()
        self.assertEqual(self.balance(), 2)

    def test_batch_of_several_customers(self):
        """R6.5: one wizard for several customers."""
        other = self._customer("Other")
        payments = self.register(self.invoice(100) + self.invoice(300, other))
        self.assertEqual(len(payments), 2)
        self.assertEqual((self.balance(), self.balance(other)), (2, 6))

    def test_group_payment(self):
        """R6.5: several invoices in one payment."""
        self.register(self.invoice(100) + self.invoice(150), group_payment=True)
        self.assertEqual((self.balance(), self.carry()), (4, 50))

    def test_over_rpc(self):
        """R6.5: created with its state, as an import or an RPC client may."""
        payment = self.pay(100, post=False)
        payment.write({"state": "paid"})
        self.assertEqual(self.balance(), 2)

    def test_foreign_currency(self):
        """R6.3: in company currency, at the payment date."""
        foreign = self.setup_other_currency(
            "EUR", rates=[("2027-01-01", 2.0), ("2027-04-01", 4.0)]
        )
        self.pay(400, currency_id=foreign.id)
        self.assertEqual(self.balance(), 2)
        march = self.pay(400, currency_id=foreign.id, date="2027-03-31")
        self.assertEqual(self.balance(), 6)
        march.action_draft()
        self.assertEqual(self.balance(), 2)

    def test_rate_corrected_later(self):
        """R6.3: the payment keeps what it has counted, whatever the rate becomes."""
        foreign = self.setup_other_currency("EUR", rates=[("2027-01-01", 0.5)])
        booked = self.pay(100, currency_id=foreign.id)
        loose = self.pay_without_entry(100, currency_id=foreign.id)
        self.assertEqual(self.balance(), 8)
        foreign.rate_ids.rate = 2
        self.env.invalidate_all()
        for payment in booked + loose:
            payment.action_validate()
            self.assertEqual(payment.incident_topup_counted, 200)
        self.assertEqual(self.balance(), 8)
        booked.action_draft()
        booked.action_post()
        self.assertEqual(self.balance(), 8)
        self.assertEqual(self.account_model._check_ledger(), [])

    def test_not_customers(self):
        """R6.3: suppliers, own transfers and drafts give nothing."""
        self.pay(1000, partner_type="supplier")
        self.pay(-1000, partner_type="supplier")
        self.pay(1000, self.company.partner_id)
        self.pay(1000, post=False)
        self.pay(1000, partner_id=False)
        self.assertEqual(self.balance(), 0)

    def test_paid_back(self):
        """R6.5: outbound payments count, at most down to zero."""
        self.pay(250)
        back = self.pay(-100)
        self.assertEqual((self.balance(), self.carry()), (2, 50))
        more = self.pay(-500)
        self.assertEqual((self.balance(), self.carry()), (0, 0))
        more.action_draft()
        back.action_draft()
        self.assertEqual((self.balance(), self.carry()), (4, 50))

    def test_keeps_its_numbers(self):
        """R6.3: undoing uses what was applied, whatever the settings are by then."""
        payment = self.pay(250)
        self.company.write({"incident_topup_amount": 10, "incident_topup_quantity": 7})
        payment.action_draft()
        self.assertEqual(self.balance(), 0)
        self.company.incident_topup_quantity = 0
        payment.action_post()
        self.assertEqual(self.balance(), 4)
        self.company.write({"incident_topup_amount": 100, "incident_topup_quantity": 2})
        self.assertEqual((self.balance(), self.carry()), (4, 50))

    def test_no_way_to_more(self):
        """R3.4: with other settings in between, no order of undo and redo gives one
        incident more, and nothing stays when nothing is effective."""
        for numbers in ((10, 1), (100, 10), (1, 10), (1000, 3)):
            with self.subTest(numbers=numbers):
                customer = self._customer("Tricky")
                self.company.write(
                    {"incident_topup_amount": 100, "incident_topup_quantity": 2}
                )
                first, back = self.pay(199, customer), self.pay(-10, customer)
                self.company.write(
                    {
                        "incident_topup_amount": numbers[0],
                        "incident_topup_quantity": numbers[1],
                    }
                )
                second = self.pay(61, customer)
                before = self.balance(customer)
                for _n in range(3):
                    first.action_draft()
                    second.action_draft()
                    back.action_draft()
                    first.action_post()
                    second.action_post()
                    back.action_post()
                    self.assertEqual(self.balance(customer), before)
                second.action_draft()
                back.action_draft()
                first.action_draft()
                self.assertEqual(self.balance(customer), 0)

    def test_refund_of_what_never_counted(self):
        """R6.5, R6.3: paying back a payment of before takes nothing."""
        self.company.incident_topup_quantity = 0
        old = self.pay(500)
        self.company.incident_topup_quantity = 2
        self.pay(100)
        refund = self.pay(-500, post=False)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_payment SET source_payment_id = %s WHERE id = %s",
            [old.id, refund.id],
        )
        self.env.invalidate_all()
        refund.action_post()
        self.assertEqual(self.balance(), 2)

    def test_the_way_does_not_matter(self):
        """R3.4: what was undone on the way leaves no trace; settling again does
        nothing."""

        def numbers(amount, number):
            self.company.write(
                {"incident_topup_amount": amount, "incident_topup_quantity": number}
            )

        balances = []
        for detour in (False, True):
            customer = self._customer(f"Detour {detour}")
            numbers(100, 2)
            first = self.pay(250, customer)
            numbers(50, 10)
            self.pay(100, customer)
            numbers(100, 2)
            extra = self.pay(100, customer) if detour else None
            self.pay(-100, customer)
            if detour:
                extra.action_draft()
            with self.assertNothingChanges():
                first._incident_settle()
            balances.append(self.balance(customer))
        self.assertEqual(balances, [22, 22])

    def test_deleting_a_refund(self):
        """R6.5: drafts and cancelled refunds go without a trace; the source stays."""
        self.company.incident_first_payment_quantity = 5
        source = self.pay(100)
        self.assertEqual(self.balance(), 7)
        for cancelled in (False, True):
            refund = self.pay(-50, post=False)
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE account_payment SET source_payment_id = %s WHERE id = %s",
                [source.id, refund.id],
            )
            self.env.invalidate_all()
            if cancelled:
                refund.action_cancel()
            with self.assertNothingChanges():
                refund.unlink()
        self.assertEqual(self.balance(), 7)
        self.assertTrue(source.incident_account_id)

    def test_same_values_change_nothing(self):
        """R3.8: the statement tells of changes alone."""
        payment = self.pay_without_entry(100)
        with self.assertNothingChanges():
            payment.write({"date": payment.date, "partner_id": payment.partner_id.id})

    def test_another_company(self):
        """R2.3: a payment that moves to another company counts there."""
        other = self.setup_other_company()
        other["company"].write(
            {"incident_topup_amount": 100, "incident_topup_quantity": 2}
        )
        payment = self.pay_without_entry(100)
        payment.journal_id = other["default_journal_bank"]
        self.assertEqual(payment.company_id, other["company"])
        self.assertEqual(payment.incident_account_id.company_id, other["company"])
        self.assertEqual(self.balance(), 0)

    def test_payment_clerk_without_our_groups(self):
        """R14: who may create payments still may."""
        group = self.env["res.groups"].create({"name": "Clerks"})
        self.env["ir.model.access"].create(
            [
                {
                    "name": model,
                    "model_id": self.env["ir.model"]._get_id(model),
                    "group_id": group.id,
                    "perm_read": True,
                    "perm_write": True,
                    "perm_create": True,
                }
                for model in ("account.payment",)
            ]
        )
        clerk = new_test_user(self.env, "hps-clerk", groups="base.group_user")
        clerk.group_ids += group
        clerk.write(
            {"company_ids": [(4, self.company.id)], "company_id": self.company.id}
        )
        payment = (
            self.env["account.payment"]
            .with_user(clerk)
            .create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.customer.id,
                    "amount": 10,
                    "journal_id": self.bank.id,
                    "payment_method_line_id": self.bank.inbound_payment_method_line_ids[
                        0
                    ].id,
                }
            )
        )
        self.assertTrue(payment)

    def test_changed_while_effective(self):
        """R6.3: what a payment counts follows its amount and its customer."""
        other = self._customer("Other")
        payment = self.pay_without_entry(100)
        payment.amount = 1000
        self.assertEqual(self.balance(), 20)
        payment.partner_id = other
        self.assertEqual((self.balance(), self.balance(other)), (0, 20))

    def test_nobody_writes_what_a_payment_remembers(self):
        """R3.1, R14: over any interface; whoever could would make incidents."""
        payment = self.pay(1, post=False)
        values = {
            "incident_seen": True,
            "incident_topup_step": 0.01,
            "incident_topup_number": 100,
        }
        for user in (self.env.user, self.env.ref("base.user_admin"), self.manager):
            with self.assertRaises(UserError):
                payment.with_user(user).write(values)
        with self.assertRaises(UserError):
            payment.sudo().write({"incident_account_id": False})
        with self.assertRaises(UserError):
            self.pay(1, **values)
        result = self.env["account.payment"].load(
            [".id", "incident_first_number"], [[str(payment.id), "500"]]
        )
        self.assertTrue(result["messages"])
        forged = self.env["account.payment"].with_context(
            **{f"default_{name}": value for name, value in values.items()},
            incident_protected=True,
        )
        payment = payment.with_env(forged.env).copy()
        self.assertFalse(payment.incident_seen)
        payment.action_post()
        self.assertEqual(self.balance(), 0)

    def test_off_and_on(self):
        """R6.6, R6.3: what was not counted is not uncounted, nor counted later."""
        self.company.incident_topup_quantity = 0
        payment = self.pay(250)
        self.company.incident_topup_quantity = 2
        self.assertEqual(self.balance(), 0)
        for _n in range(2):
            payment.action_draft()
            payment.action_post()
            self.assertEqual((self.balance(), self.carry()), (0, 0))
        self.pay(100)
        self.assertEqual(self.balance(), 2)

    def test_installed_books(self):
        """R6.6: payments of before the module was installed never count."""
        self.company.incident_topup_quantity = 0
        payment = self.pay(250)
        self.company.incident_topup_quantity = 2
        draft = self.pay(100, post=False)
        self.env.flush_all()
        self.env.cr.execute("UPDATE account_payment SET incident_seen = NULL")
        self.env.invalidate_all()
        post_init_hook(self.env)
        payment.action_draft()
        payment.action_post()
        self.assertEqual(self.balance(), 0)
        draft.action_post()
        self.assertEqual(self.balance(), 2)

    def test_words(self):
        """R6.3, R3.8: the remainder and the reason, in words."""
        payment = self.pay(250)
        self.assertRegex(
            self.incident_account().topup_progress,
            r"50\.00.* of .*100\.00.* towards the next 2 incidents",
        )
        entry = self.incident_account().entry_ids
        self.assertRegex(entry.name, r"Funds added: .*250\.00.* on Apr 20, 2027")
        self.assertEqual(entry.action_open_source()["res_id"], payment.id)
        self.assertEqual(payment.incident_quantity, 4)
        domain = payment.action_view_incident_entries()["domain"]
        self.assertEqual(self.env["helpdesk.incident.entry"].search(domain), entry)

    def test_used_meanwhile(self):
        """R3.5: what was used is owed."""
        payment = self.pay(250)
        ticket = (
            self.env["helpdesk.ticket"]
            .sudo()
            .create(
                {
                    "name": "Used",
                    "description": "…",
                    "partner_id": self.customer.id,
                    "company_id": self.company.id,
                }
            )
        )
        ticket.incident_count = 3
        payment.action_draft()
        self.assertEqual(self.incident_account().lifetime_balance, -3)
        payment.action_post()
        self.assertEqual(self.incident_account().lifetime_balance, 1)

    def test_queries_do_not_grow(self):
        """No query per payment that could be one per batch."""

        def queries(number):
            payments = self.env["account.payment"]
            for n in range(number):
                payments += self.pay(10, self._customer(f"C {n}"), post=False)
            payments.move_id.line_ids.mapped("balance")
            payments.write({"state": "draft"})
            self.env.flush_all()
            payments._incident_try()  # warm caches
            before = self.env.cr.sql_log_count
            with self.env.cr.savepoint():
                payments.state = "in_process"
                self.env.flush_all()
            return self.env.cr.sql_log_count - before

        def cost(number):
            on = queries(number)
            self.company.incident_topup_quantity = 0
            off = queries(number)
            self.company.incident_topup_quantity = 2
            return on - off

        cost(2)
        self.assertLessEqual(cost(30), cost(2) + 5)


class TestSteps(BaseCase):
    def test_steps_made(self):
        """R6.3, R6.5: whole steps, and what is carried over; never below zero."""
        self.assertEqual(steps_made({(100, 2): 250}), {(100, 2): (2, 50)})
        self.assertEqual(steps_made({(100, 2): 0}), {(100, 2): (0, 0)})
        self.assertEqual(steps_made({(100, 2): -40}), {(100, 2): (0, 0)})

    def test_paid_back_beyond_its_numbers(self):
        """R6.5: what is paid back after the numbers have changed counts, too."""
        self.assertEqual(
            steps_made({(10, 7): -100, (100, 2): 250}),
            {(10, 7): (0, 0), (100, 2): (1, 50)},
        )
