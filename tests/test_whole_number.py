from odoo.exceptions import UserError

from .common import PaidSupportCommon

BAD = (1.5, "1.5", "many", "", [1], {"a": 1}, 10**12, float("inf"), float("nan"))


class TestWholeNumber(PaidSupportCommon):
    def test_bad_input_on_a_ticket(self):
        """R1, R4.5: fractional, huge and non-numeric input is refused in words."""
        self.give_lifetime(5)
        ticket = self.ticket()
        for value in BAD:
            if value == "":
                continue
            with self.subTest(value=value), self.assertRaises(UserError):
                ticket.write({"incident_count": value})
        self.assertEqual(ticket.incident_count, 0)
        with self.assertRefused("fewer than 0"):
            ticket.incident_count = -1

    def test_bad_input_on_an_account(self):
        """R1, R7.1"""
        account = self.give_lifetime(5).with_user(self.manager).sudo(False)
        for value in BAD:
            if value == "":
                continue
            with self.subTest(value=value), self.assertRaises(UserError):
                account.write({"lifetime_granted": value})
        with self.assertRefused("zero or more"):
            account.write({"lifetime_granted": -1})

    def test_whole_numbers_in_other_dress(self):
        """R1: 2.0 and "2" are whole numbers; an empty field is none."""
        self.give_lifetime(5)
        ticket = self.ticket()
        for value, count in ((2.0, 2), ("3", 3), (False, 0)):
            ticket.write({"incident_count": value})
            self.assertEqual(ticket.incident_count, count)

    def test_huge_sums(self):
        """A sum that no column could hold is refused in words."""
        account = self.give_lifetime(1_000_000_000)
        with self.assertRefused("at most"):
            account._adjust(1_000_000_000, "More")
        with self.assertRefused("at most"):
            self.settle("line:1", 2**31 - 1)
        self.assertEqual(account.lifetime_granted, 1_000_000_000)
