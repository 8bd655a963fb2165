from datetime import date

from freezegun import freeze_time

from odoo.addons.helpdesk_paid_support.models.ledger.account_settle import Cause

from .common import PaidSupportCommon

WINDOW = (date(2027, 4, 11), date(2027, 5, 10))


class TestSettle(PaidSupportCommon):
    def test_twice_changes_nothing(self):
        """R3.4"""
        self.assertEqual(self.settle("payment:1", 3), 1)
        self.assertEqual(self.settle("payment:1", 3), 0)
        self.assertEqual(self.account().lifetime_balance, 3)

    def test_undo_and_redo(self):
        """R3.4: undoing takes back what was given, redoing restores it."""
        for target in (5, 0, 5, 0, 0, 5, 5):
            self.settle("payment:1", target)
            self.assertEqual(self.account().lifetime_balance, target)
        self.assertEqual(
            self.kinds(),
            [
                ("purchase", 5),
                ("revocation", -5),
                ("purchase", 5),
                ("revocation", -5),
                ("purchase", 5),
            ],
        )
        entries = self.entry_model.search([("cause_key", "=", "payment:1")], order="id")
        self.assertEqual(entries.mapped("cause_number"), [1, 2, 3, 4, 5])

    def test_lifetime_below_zero_fills_up_first(self):
        """R3.5"""
        account = self.account()
        self.settle("line:1", 5)
        account._deduct(self.ticket(), 4)
        self.settle("line:1", 0)
        self.assertEqual(account.lifetime_balance, -4)
        self.assertEqual(account.available, 0)
        self.settle("line:2", 5)
        self.assertEqual(account.available, 1)
        self.assertLedgerSound()

    def test_period_gives_back_what_is_unused(self):
        """R3.5, R3.4: a period is never negative; redoing gives what was revoked."""
        account = self.account()
        allotment = self.give_period(10, *WINDOW, key="period:1")
        account._deduct(self.ticket(), 4)
        self.settle("period:1", 0, account, *WINDOW)
        self.assertEqual((allotment.granted, allotment.balance), (4, 0))
        self.settle("period:1", 0, account, *WINDOW)
        self.assertEqual((allotment.granted, allotment.balance), (4, 0))
        self.settle("period:1", 10, account, *WINDOW)
        self.assertEqual((allotment.granted, allotment.balance), (10, 6))
        self.assertLedgerSound()

    def test_period_in_part(self):
        """R3.4: a lower target than what was used takes what is unused."""
        account = self.account()
        allotment = self.give_period(10, *WINDOW, key="period:1")
        account._deduct(self.ticket(), 7)
        self.settle("period:1", 5, account, *WINDOW)
        self.assertEqual((allotment.granted, allotment.balance), (7, 0))
        self.settle("period:1", 9, account, *WINDOW)
        self.assertEqual((allotment.granted, allotment.balance), (9, 2))

    def test_period_not_begun(self):
        """R9.2: before its first day a period is only planned, and can be withdrawn."""
        window = (date(2027, 5, 11), date(2027, 6, 10))
        account = self.account()
        allotment = self.give_period(10, *window, key="period:2")
        self.assertEqual((allotment.to_grant, allotment.balance), (10, 0))
        self.assertEqual(self.kinds(), [])
        self.settle("period:2", 0, account, *window)
        self.assertEqual(allotment.to_grant, 0)
        self.settle("period:2", 10, account, *window)
        with freeze_time("2027-05-11"):
            self.assertEqual(account.available, 10)
            account._deduct(self.ticket(), 1)
        self.assertEqual(self.kinds(), [("period", 10), ("deduction", -1)])

    def test_redone_after_the_end(self):
        """R3.4: in the original window, never more: nothing usable."""
        account = self.account()
        allotment = self.give_period(10, *WINDOW, key="period:1")
        self.settle("period:1", 0, account, *WINDOW)
        with freeze_time("2027-06-01"):
            self.settle("period:1", 10, account, *WINDOW)
            self.assertEqual(account.available, 0)
        self.assertEqual((allotment.granted, allotment.lapsed), (10, 10))
        self.assertLedgerSound()

    def test_cause_stays_on_its_account(self):
        """R3.4, R3.6: what another account was given for is not settled here."""
        self.settle("line:1", 5)
        other = self.account(self.other_customer)
        with self.assertRaises(ValueError):
            self.settle("line:1", 5, other)
        self.give_period(5, *WINDOW, key="period:1")
        with self.assertRaises(ValueError):
            self.settle("period:1", 7, other, *WINDOW)

    def test_many_causes_at_once(self):
        """R3.4: one call for many causes costs as many queries as for one."""
        accounts = [self.account(), self.account(self.other_customer)]

        def causes(numbers):
            return [
                Cause(accounts[n % 2], f"payment:{n}", 2, "topup", "Funds added")
                for n in numbers
            ]

        self.account_model._settle(causes([1000]))
        before = self.env.cr.sql_log_count
        self.account_model._settle(causes([1001]))
        one = self.env.cr.sql_log_count - before
        before = self.env.cr.sql_log_count
        self.account_model._settle(causes(range(500)))
        self.assertLessEqual(self.env.cr.sql_log_count - before, one + 2)
        self.assertEqual([account.lifetime_balance for account in accounts], [502, 502])
