from odoo.tests import BaseCase

from odoo.addons.helpdesk_paid_support.fitting import Fit, Plan, fit, settled


class TestFitting(BaseCase):
    """R22.2: what months of use would have cost with a plan: worked examples."""

    def test_months(self):
        """R22.2: 5 a month for 30.00 each 3 months, 2.00 for each beyond."""
        plan = Plan("period", 5, 30, 3, beyond=2)
        used = [5, 2, 8, 0, 5, 6]
        # 0 + 3 + 0 + 5 + 0 + 0 lapse; 3 + 1 are missing.
        self.assertEqual(fit(plan, used), Fit(60 + 8, 8, 4, 0))

    def test_not_sold(self):
        """R22.2: what is missing costs nothing where it is not sold."""
        self.assertEqual(fit(Plan("period", 1, 10, 1), [3, 0]), Fit(20, 1, 2, 0))

    def test_quarters(self):
        """R15.2: 30 every 3 months: what one month leaves the next one can use."""
        plan = Plan("period", 30, 240, 12, period=3, beyond=4)
        used = [25, 0, 4, 0, 31, 0, 0, 0, 30, 10, 10, 10]
        self.assertEqual(fit(plan, used), Fit(240 + 4, 1, 1, 0))

    def test_carried_over(self):
        """R15.3: what is unused stays for one more period, the oldest is used first,
        and nothing is carried twice."""
        plan = Plan("period", 10, 20, 1, carry=1)
        # 6 are carried into the second month, which takes them first; then 8 of its own
        # into the third, which needs none of these: they lapse, its 10 are left.
        self.assertEqual(fit(plan, [4, 8, 0]), Fit(60, 8, 0, 10))
        # Without it, 6, 2 and 10 lapse.
        plain = plan._replace(carry=0)
        self.assertEqual(fit(plain, [4, 8, 0]), Fit(60, 18, 0, 0))
        # It covers a month that needs more than its number.
        self.assertEqual(fit(plan, [4, 16, 10]).missing, 0)
        self.assertEqual(fit(plain, [4, 16, 10]).missing, 6)

    def test_packs(self):
        """R15.1: a pack of 10, valid for 3 months: bought when none are left."""
        plan = Plan("pack", 10, 50, 3)
        # Bought in month 1 (8 used, 2 lapse with month 3), in month 5 (12 need two; 8
        # lapse with month 7).
        used = [0, 4, 4, 0, 0, 12, 0, 0]
        self.assertEqual(fit(plan, used), Fit(150, 2 + 8, 0, 0))
        self.assertEqual(fit(plan, [0, 0, 1]), Fit(50, 0, 0, 9))

    def test_lifetime(self):
        """R22.2: lifetime incidents are bought when they are needed, and stay."""
        plan = Plan("lifetime", 10, 50)
        self.assertEqual(fit(plan, [4, 4, 4, 0]), Fit(100, 0, 0, 8))
        self.assertEqual(fit(plan, [0, 0]), Fit(0, 0, 0, 0))

    def test_long_terms(self):
        """R22.2: of a longer term, the months that are looked at are paid."""
        self.assertEqual(fit(Plan("period", 5, 240, 24), [5] * 12).cost, 120)
        self.assertEqual(fit(Plan("period", 5, 10, 1), [5] * 12).cost, 120)

    def test_returned(self):
        """R22.2: what came back was not used, when it had been taken: a month below 0
        takes from the ones before."""
        self.assertEqual(settled([4, 3, -5, 2]), [2, 0, 0, 2])
        self.assertEqual(settled([1, -3, 2]), [0, 0, 2])
        self.assertEqual(settled([1, 2]), [1, 2])
