from datetime import date
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.http import serialize_exception

from odoo.addons.helpdesk_paid_support.models.ledger.errors import NotEnoughIncidents

from .common import PaidSupportCommon

MAY_10, JUNE_10 = date(2027, 5, 10), date(2027, 6, 10)


class TestDeduct(PaidSupportCommon):
    def test_order_across_allotments(self):
        """R4.2: the allotment that ends first, then the next, then lifetime."""
        account = self.give_lifetime(5)
        june = self.give_period(1, date(2027, 4, 11), JUNE_10)
        may = self.give_period(2, date(2027, 4, 11), MAY_10)
        self.assertEqual(account.available, 8)
        ticket = self.ticket()
        legs, left = account._deduct(ticket, 4)
        self.assertEqual(legs, [(may, 2), (june, 1), (account._lifetime(), 1)])
        self.assertEqual(left, 4)
        self.assertEqual((may.balance, june.balance), (0, 0))
        self.assertEqual(account.lifetime_balance, 4)
        self.assertEqual(account.available, 4)
        self.assertLedgerSound()

    def test_equal_ends(self):
        """R4.2: of those that end together, the earlier start, then the lower id."""
        account = self.account()
        late = self.give_period(1, date(2027, 4, 15), MAY_10)
        early_1 = self.give_period(1, date(2027, 4, 11), MAY_10)
        early_2 = self.give_period(1, date(2027, 4, 11), MAY_10)
        legs = account._deduct(self.ticket(), 3).legs
        self.assertEqual(legs, [(early_1, 1), (early_2, 1), (late, 1)])

    def test_day_begins_under_the_lock(self):
        """R4.1: whoever waits for the lock until the next day takes what is granted."""
        account = self.give_lifetime(5)
        self.give_period(3, date(2027, 4, 21), MAY_10)
        lock_open = type(account)._lock_open

        def until_the_next_day(*args):
            rows = lock_open(*args)
            self.startPatcher(freeze_time(date(2027, 4, 21)))
            return rows

        ticket = self.ticket()
        with patch.object(type(account), "_lock_open", until_the_next_day):
            legs = account._deduct(ticket, 1).legs
        self.assertEqual(legs, [(account._lifetime(), 1)])
        entry = self.entry_model.search([("ticket_id", "=", ticket.id)])
        self.assertEqual(entry.date, date(2027, 4, 20))
        self.assertEqual(account.available, 7)
        self.assertLedgerSound()

    def test_only_valid_today(self):
        """R4.1: windows before and after today do not count, both days inclusive."""
        account = self.account()
        self.give_period(1, date(2027, 3, 20), date(2027, 4, 19))
        self.give_period(1, date(2027, 4, 21), date(2027, 5, 20))
        self.assertEqual(account.available, 0)
        self.give_period(1, date(2027, 3, 21), date(2027, 4, 20))
        self.give_period(1, date(2027, 4, 20), date(2027, 5, 19))
        self.assertEqual(account.available, 2)
        account._deduct(self.ticket(), 2)
        self.assertEqual(account.available, 0)

    def test_what_is_due_is_written_first(self):
        """R9.3: 1 is left when its period ends, 3 begin the next day: a ticket of that
        day takes 2 of the 3, without the scheduled action."""
        account = self.account()
        april = self.give_period(1, date(2027, 4, 11), MAY_10)
        may = self.give_period(3, date(2027, 5, 11), JUNE_10)
        with freeze_time("2027-05-11"):
            legs, left = account._deduct(self.ticket(), 2)
        self.assertEqual((legs, left), ([(may, 2)], 1))
        self.assertEqual((may.granted, may.used, may.balance), (3, 2, 1))
        self.assertEqual((april.lapsed, april.balance), (1, 0))
        self.assertEqual(
            sorted(self.kinds()),
            [("deduction", -2), ("expiry", -1), ("period", 1), ("period", 3)],
        )

    def test_shortage_writes_nothing(self):
        """R4.3: nothing is written, and the error names both numbers."""
        account = self.give_lifetime(1)
        self.give_period(2, date(2027, 4, 11), MAY_10)
        before = self.kinds()
        # Not by assertRaises, which would undo what was written.
        try:
            account._deduct(self.ticket(), 4)
        except NotEnoughIncidents as error:
            self.assertIn("4 needed, 3 available", str(error))
            self.assertEqual((error.needed, error.available), (4, 3))
            told = serialize_exception(error)["context"]
            self.assertLessEqual({"needed": 4, "available": 3}.items(), told.items())
            self.assertEqual(told["exception_class"], "odoo.exceptions.UserError")
        else:
            self.fail("more was taken than there is")
        self.assertEqual(self.kinds(), before)
        self.assertEqual(account.available, 3)

    def test_negative_lifetime_is_no_debt_of_periods(self):
        """R4.1: a lifetime balance below zero does not reduce what periods hold."""
        account = self.account()
        self.settle("line:1", 2)
        account._deduct(self.ticket(), 2)
        self.settle("line:1", 0)
        self.assertEqual(account.lifetime_balance, -2)
        self.give_period(3, date(2027, 4, 11), MAY_10)
        self.assertEqual(account.available, 3)
        account._deduct(self.ticket(), 3)
        with self.assertRaises(UserError):
            account._deduct(self.ticket(), 1)
        self.assertEqual(account.lifetime_balance, -2)

    def test_entry_says_why(self):
        """R3.8: words, source and user."""
        account = self.give_lifetime(1)
        ticket = self.ticket()
        account.with_user(self.agent).sudo()._deduct(ticket, 1)
        entry = self.entry_model.search([("kind", "=", "deduction")], limit=1)
        self.assertIn(ticket.number, entry.name)
        self.assertIn(ticket.name, entry.name)
        self.assertEqual((entry.res_model, entry.res_id), (ticket._name, ticket.id))
        self.assertEqual(entry.action_open_source()["res_id"], ticket.id)
        self.assertEqual(entry.user_id, self.agent)

    def test_words_in_the_customers_language(self):
        """R3.8: the customer reads the statement, not the agent."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.customer.lang = "fr_FR"
        account = self.give_lifetime(1)
        self.assertEqual(account._in_customer_language().env.lang, "fr_FR")

    def test_queries_do_not_grow(self):
        """One deduction costs as many queries with 50 allotments as with one."""
        account = self.give_lifetime(200)

        def queries():
            ticket = self.ticket()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            account._deduct(ticket, 2)
            return self.env.cr.sql_log_count - before

        first = queries()
        for day in range(1, 25):
            self.give_period(1, date(2027, 4, 1), date(2027, 5, day))
            self.give_period(1, date(2027, 3, 1), date(2027, 4, min(day, 19)))
        self.assertLessEqual(queries(), first)
