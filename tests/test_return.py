from datetime import date
from itertools import permutations

from freezegun import freeze_time

from odoo.exceptions import UserError

from .common import PaidSupportCommon

APR_11, MAY_10, JUNE_10 = date(2027, 4, 11), date(2027, 5, 10), date(2027, 6, 10)


class TestReturn(PaidSupportCommon):
    def returned(self, account, ticket, quantity):
        """Return incidents; say what went where and what was of no use there."""
        return [
            (leg.allotment, leg.quantity, leg.revoked + leg.lapsed)
            for leg in account._return(ticket, quantity)
        ]

    def test_last_taken_first(self):
        """R5.1: of 2 May + 1 June + 1 lifetime, two back are 1 lifetime, 1 June."""
        account = self.give_lifetime(5)
        june = self.give_period(1, APR_11, JUNE_10)
        may = self.give_period(2, APR_11, MAY_10)
        ticket = self.ticket()
        account._deduct(ticket, 4)
        legs = self.returned(account, ticket, 2)
        self.assertEqual(legs, [(account._lifetime(), 1, 0), (june, 1, 0)])
        self.assertEqual(
            (may.balance, june.balance, account.lifetime_balance), (0, 1, 5)
        )
        legs = self.returned(account, ticket, 2)
        self.assertEqual(legs, [(may, 2, 0)])
        self.assertEqual(account.available, 8)
        self.assertLedgerSound()

    def test_never_more_than_taken(self):
        """R5.2: a ticket gives back what it took, not one more."""
        account = self.give_lifetime(5)
        ticket, other = self.ticket(), self.ticket()
        account._deduct(ticket, 2)
        account._deduct(other, 1)
        with self.assertRefused("Only 2"):
            self.returned(account, ticket, 3)
        self.returned(account, ticket, 2)
        with self.assertRaises(UserError):
            self.returned(account, ticket, 1)
        self.assertEqual(account.lifetime_balance, 4)

    def test_taken_returned_taken_again(self):
        """R5.1: the order is that of what is still held."""
        account = self.give_lifetime(1)
        may = self.give_period(1, APR_11, MAY_10)
        ticket = self.ticket()
        account._deduct(ticket, 2)  # May, lifetime
        self.returned(account, ticket, 2)
        account._deduct(ticket, 1)  # May
        self.assertEqual(may.balance, 0)
        june = self.give_period(1, APR_11, JUNE_10)
        account._deduct(ticket, 1)  # June
        self.assertEqual(self.returned(account, ticket, 1), [(june, 1, 0)])
        self.assertEqual(self.returned(account, ticket, 1), [(may, 1, 0)])

    def test_every_order_of_returns(self):
        """R5.1: three tickets returned in every order end where they began."""
        for order in permutations(range(3)):
            account = self.account()
            may = self.give_period(2, APR_11, MAY_10)
            june = self.give_period(2, APR_11, JUNE_10)
            before = account.available
            tickets = [self.ticket() for _index in range(3)]
            for ticket, quantity in zip(tickets, (1, 2, 1), strict=True):
                account._deduct(ticket, quantity)
            for index in order:
                account._return(tickets[index], (1, 2, 1)[index])
            self.assertEqual((may.balance, june.balance), (2, 2), order)
            self.assertEqual(account.available, before)
        self.assertLedgerSound()

    def test_ended_period_lapses(self):
        """R5.3: returned after the end, incidents lapse at once by default."""
        account = self.account()
        may = self.give_period(2, APR_11, MAY_10)
        ticket = self.ticket()
        account._deduct(ticket, 1)
        with freeze_time("2027-05-11"):
            self.assertEqual(self.returned(account, ticket, 1), [(may, 1, 1)])
            self.assertEqual(account.available, 0)
        self.assertEqual(
            self.kinds(),
            [
                ("period", 2),
                ("deduction", -1),
                ("expiry", -1),
                ("return", 1),
                ("expiry", -1),
            ],
        )
        self.assertEqual((may.granted, may.used, may.lapsed), (2, 0, 2))
        self.assertLedgerSound()

    def test_ended_period_comes_back_as_lifetime(self):
        """R5.3: the company's other choice."""
        self.company.incident_expired_return = "lifetime"
        account = self.account()
        self.give_period(1, APR_11, MAY_10)
        ticket = self.ticket()
        account._deduct(ticket, 1)
        with freeze_time("2027-05-11"):
            self.returned(account, ticket, 1)
            self.assertEqual(account.available, 1)
        self.assertEqual(account.lifetime_granted, 1)
        self.assertEqual(
            self.kinds()[-3:], [("return", 1), ("expiry", -1), ("adjustment", 1)]
        )
        self.assertLedgerSound()

    def test_revoked_period_always_lapses(self):
        """R5.3: what was not paid for in the end does not come back."""
        self.company.incident_expired_return = "lifetime"
        account = self.account()
        may = self.give_period(5, APR_11, MAY_10, key="period:1")
        ticket = self.ticket()
        account._deduct(ticket, 2)
        self.settle("period:1", 0, account, APR_11, MAY_10)
        self.assertEqual((may.granted, may.balance), (2, 0))
        self.assertEqual(self.returned(account, ticket, 1), [(may, 1, 1)])
        self.assertEqual(account.available, 0)
        with freeze_time("2027-05-11"):
            self.returned(account, ticket, 1)
            self.assertEqual(account.available, 0)
        self.assertLedgerSound()

    def test_order_of_undo_redo_and_return(self):
        """R3.4, R8.4: unpaid, returned and paid again in any order ends the same."""
        account = self.account()
        for order in permutations(("unpay", "return", "repay")):
            if order.index("unpay") > order.index("repay"):
                continue
            key = f"period:{'-'.join(order)}"
            period = self.give_period(5, APR_11, MAY_10, key=key)
            ticket = self.ticket()
            account._deduct(ticket, 3)
            for event in order:
                if event == "return":
                    account._return(ticket, 3)
                else:
                    target = 5 if event == "repay" else 0
                    self.settle(key, target, account, APR_11, MAY_10)
            self.assertEqual((period.balance, period.granted), (5, 5), order)
            account._deduct(self.ticket(), 5)
        self.assertLedgerSound()

    def test_what_the_agent_reads(self):
        """R5.3: the ticket says what became of the incidents."""
        self.account()
        self.give_period(3, APR_11, MAY_10)
        ticket = self.ticket(incident_count=2)
        with freeze_time("2027-05-11"):
            ticket.incident_count = 1
            self.assertIn("1 lapsed: their period has", ticket.message_ids[0].body)
            self.company.incident_expired_return = "lifetime"
            ticket.incident_count = 0
            self.assertIn("1 came back as lifetime", ticket.message_ids[0].body)

    def test_last_day_still_returns(self):
        """R5.3, R3.7: the last day is inclusive, in the company's time zone."""
        self.company.partner_id.tz = "Pacific/Auckland"
        account = self.account()
        may = self.give_period(1, APR_11, MAY_10)
        ticket = self.ticket()
        account._deduct(ticket, 1)
        with freeze_time("2027-05-10 11:59:00"):  # 23:59 in Auckland
            self.returned(account, ticket, 1)
            self.assertEqual(may.balance, 1)
            account._deduct(ticket, 1)
        with freeze_time("2027-05-10 12:00:00"):  # May 11 in Auckland
            self.assertEqual(self.returned(account, ticket, 1), [(may, 1, 1)])
