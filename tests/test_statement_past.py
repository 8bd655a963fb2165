from datetime import date

from odoo.tests import tagged

from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestPastStatements(SubscriptionCommon):
    """R3.7: a statement of a past day says the same for ever."""

    def statement(self, until, since="2027-04-01"):
        """Return the figures of a statement, and its lines, as they are printed."""
        account = self.incident_account()
        account._catch_up()
        listed = account._statement_filter(since=since, until=until)
        return (
            account._statement_figures(self.day(since), self.day(until)),
            account._statement(listed),
        )

    def dated(self, kind):
        entries = self.incident_account().entry_ids
        return [
            (str(entry.date), entry.quantity)
            for entry in entries.sorted("id")
            if entry.kind == kind
        ]

    def test_returned_after_the_end(self):
        """R3.7: 10 a month, 4 used; on May 12 the statement to May 10 says lapsed 6,
        closing 0, and so it does after 3 were returned on June 2."""
        self.bought()
        ticket = self.use(4)
        with self.on("2027-05-12"):
            before = self.statement("2027-05-10")
            self.assertEqual((before[0]["lapsed"], before[0]["closing"]), (6, 0))
        with self.on("2027-06-02"):
            ticket.incident_count = 1
            self.assertEqual(self.statement("2027-05-10"), before)
            self.assertEqual(
                self.dated("expiry"), [("2027-05-10", -6), ("2027-06-02", -3)]
            )
            june = self.statement("2027-06-02", "2027-06-01")[0]
            self.assertEqual((june["used"], june["lapsed"]), (-3, 3))

    def test_extras_in_a_running_period(self):
        """R3.7, R9.4: 2 more a month, bought on April 20, stand on April 20, not on
        April 11; those of the months to come on their first days."""
        subscription = self.bought()
        with self.on("2027-04-15"):
            before = self.statement("2027-04-14")
        with self.on("2027-04-20"):
            self.paid(subscription._order_extra(2))
            self.assertEqual(self.statement("2027-04-14"), before)
        with self.on("2027-06-20"):
            self.statement("2027-06-20")
            self.assertEqual(
                self.dated("period"),
                [
                    ("2027-04-11", 10),
                    ("2027-04-20", 2),
                    ("2027-05-11", 12),
                    ("2027-06-11", 12),
                ],
            )

    def test_paid_again(self):
        """R3.4, R3.7: undone on April 15, and redone on May 20, when the first month is
        over: it comes and lapses on that day, the second month begins on it."""
        order = self.quotation(self.months)
        payment = self.paid(order)
        with self.on("2027-04-15"):
            payment.action_draft()
        with self.on("2027-05-15"):
            before = self.statement("2027-05-14")
            self.assertEqual(before[0]["closing"], 0)
        with self.on("2027-05-20"):
            payment.action_post()
            self.assertEqual(self.statement("2027-05-14"), before)
            self.assertEqual(
                self.dated("period"),
                [("2027-04-11", 10), ("2027-05-20", 10), ("2027-05-20", 10)],
            )
            self.assertEqual(self.dated("expiry"), [("2027-05-20", -10)])
            self.assertEqual(self.incident_account().available, 10)

    def test_nobody_was_at_work(self):
        """R3.7, R9.3: what time does is dated by its window, whenever it is written:
        also where what somebody does is what writes it."""
        subscription = self.bought()
        with self.on("2027-06-02"):
            self.paid(subscription._order_extra(2))
            self.assertEqual(
                self.dated("period"),
                [("2027-04-11", 10), ("2027-05-11", 10), ("2027-06-02", 2)],
            )
            self.assertEqual(self.dated("expiry"), [("2027-05-10", -10)])

    @staticmethod
    def day(text):
        return date.fromisoformat(text)
