import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from .common_payment import PaymentCommon

#: How many random sequences; more with this setting, for a long campaign.
EXAMPLES = int(os.environ.get("PAID_SUPPORT_EXAMPLES", "5"))

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["pay", "pay", "refund", "undo", "redo"]),
        st.integers(1, 40000),  # cents; and which payment
        st.booleans(),  # in the foreign currency
    ),
    min_size=1,
    max_size=12,
)
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@tagged("post_install", "-at_install")
class TestTopupProperty(PaymentCommon):
    """R6.3 over random sequences of payments, undo, redo and refunds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.setup_other_currency("EUR", rates=[("2027-01-01", 2.0)])

    def amount(self, cents, foreign):
        """Return the payment's amount, and what it is in company currency cents."""
        return (cents / 100, cents // 2) if foreign else (cents / 100, cents)

    def play(self, events, customer):
        """Play events on ``customer``; return what is effective, in cents."""
        payments = []
        for kind, number, foreign in events:
            if kind in ("pay", "refund"):
                number -= number % 2
                number = number or 2
                amount, counts = self.amount(number, foreign)
                sign = 1 if kind == "pay" else -1
                payment = self.pay(
                    sign * amount,
                    customer,
                    **({"currency_id": self.foreign.id} if foreign else {}),
                )
                payments.append([payment, sign * counts, True])
            elif payments:
                chosen = payments[number % len(payments)]
                effective = kind == "redo"
                if chosen[2] != effective:
                    payment = chosen[0]
                    payment.action_post() if effective else payment.action_draft()
                    chosen[2] = effective
        return sum(counts for _payment, counts, effective in payments if effective)

    def expected(self, total):
        steps, carry = divmod(max(total, 0), 10000)
        return steps * 2, carry / 100

    @QUIET
    @given(events=EVENTS)
    def test_floor_of_the_total(self, events):
        """R6.3: floor(total ÷ Amount) × N after any sequence, so in any order."""
        with self.env.cr.savepoint() as savepoint:
            customer = self._customer("Random")
            total = self.play(events, customer)
            self.assertEqual(
                (self.balance(customer), round(self.carry(customer), 2)),
                self.expected(total),
            )
            savepoint.rollback()
        self.env.invalidate_all()

    @QUIET
    @given(events=EVENTS, which=st.integers(0, 100), changed=st.booleans())
    def test_undo_and_redo(self, events, which, changed):
        """R3.4, R6.3: an undo followed by its redo changes nothing; other settings in
        between never make the undo take more than the payment's own numbers give."""
        with self.env.cr.savepoint() as savepoint:
            customer = self._customer("Random")
            self.play(events, customer)
            payments = self.env["account.payment"].search(
                [("partner_id", "=", customer.id), ("state", "!=", "draft")]
            )
            if payments:
                payment = payments[which % len(payments)]
                before = self.balance(customer), self.carry(customer)
                if changed:
                    self.company.write(
                        {"incident_topup_amount": 7, "incident_topup_quantity": 9}
                    )
                payment.action_draft()
                taken = before[0] - self.balance(customer)
                counted = abs(payment._incident_amount())
                self.assertLessEqual(abs(taken), -(-counted // 100) * 2)
                payment.action_post()
                self.company.write(
                    {"incident_topup_amount": 100, "incident_topup_quantity": 2}
                )
                self.assertEqual((self.balance(customer), self.carry(customer)), before)
            savepoint.rollback()
        self.env.invalidate_all()

    def expected_of(self, payments, numbers):
        """Return what the effective payments give, counted in the plainest way."""
        totals, given = {}, 0
        for payment, counts, effective in payments:
            if effective and numbers[payment][1]:
                group = numbers[payment]
                totals[group] = totals.get(group, 0) + counts
        excess = -sum(min(total, 0) for total in totals.values())
        totals = {group: max(total, 0) for group, total in totals.items()}
        for amount, number in sorted(totals):
            taken = min(excess, totals[amount, number])
            excess -= taken
            given += (totals[amount, number] - taken) // (amount * 100) * number
        return given

    @QUIET
    @given(
        events=st.lists(
            st.one_of(
                st.tuples(
                    st.just("settings"),
                    st.sampled_from([10, 30, 100]),
                    st.integers(0, 3),
                ),
                st.tuples(
                    st.sampled_from(["pay", "pay", "refund"]),
                    st.integers(1, 40000),
                    st.just(0),
                ),
                st.tuples(st.just("toggle"), st.integers(0, 20), st.just(0)),
            ),
            min_size=2,
            max_size=14,
        )
    )
    def test_changing_settings(self, events):
        """R6.3, R6.6, R3.4: with other numbers in between and the feature on and off,
        what is given depends on the payments that count alone; settling again does
        nothing; nothing stays when nothing counts."""
        with self.env.cr.savepoint() as savepoint:
            customer = self._customer("Random")
            payments, numbers = [], {}
            current = (100, 2)
            for kind, value, number in events:
                if kind == "settings":
                    current = (value, number)
                    self.company.write(
                        {
                            "incident_topup_amount": value,
                            "incident_topup_quantity": number,
                        }
                    )
                elif kind == "toggle":
                    if payments:
                        chosen = payments[value % len(payments)]
                        chosen[0].action_draft() if chosen[2] else chosen[
                            0
                        ].action_post()
                        chosen[2] = not chosen[2]
                else:
                    sign = 1 if kind == "pay" else -1
                    payment = self.pay(sign * value / 100, customer)
                    payments.append([payment, sign * value, True])
                    numbers[payment] = current
                self.assertEqual(
                    self.balance(customer), self.expected_of(payments, numbers)
                )
            # R13.4: what the ledger check makes of it is the same.
            self.env.flush_all()
            self.assertEqual(self.account_model._check_ledger(), [])
            records = self.env["account.payment"].union(*(p for p, _c, _e in payments))
            with self.assertNothingChanges():
                records._incident_settle()
            records.filtered(lambda payment: payment.state != "draft").action_draft()
            self.assertEqual(self.balance(customer), 0)
            savepoint.rollback()
        self.env.invalidate_all()
