from datetime import date, timedelta

from freezegun import freeze_time

from odoo.addons.helpdesk_paid_support.models.ledger.account_forecast import (
    PACE_LEAST_DAYS,
)

from .common import TODAY, PaidSupportCommon


class TestForecast(PaidSupportCommon):
    """R11.4: what comes next, and until when the rest lasts."""

    def use(self, quantity, days_ago=0):
        """Use incidents for a ticket of so many days ago."""
        with freeze_time(TODAY - timedelta(days=days_ago)):
            ticket = self.ticket(team=self.free_team)
            ticket.incident_count = quantity
        self.env.invalidate_all()
        return ticket

    def give_before(self, quantity):
        with freeze_time(TODAY - timedelta(days=200)):
            return self.give_lifetime(quantity)

    def until(self, account=None):
        forecast = (account or self.account())._forecast()
        return forecast and forecast.until

    # -- what comes next ---------------------------------------------------

    def test_outlook(self):
        """R11.4: what expires, and what comes next, in whole sentences."""
        self.give_period(10, date(2027, 4, 11), date(2027, 5, 10))
        self.give_period(20, date(2027, 5, 11), date(2027, 6, 10))
        self.use(3)
        account = self.account()
        self.assertEqual(account._expiries(), {date(2027, 5, 10): 7})
        self.assertEqual(account._arrivals(), {date(2027, 5, 11): 20})
        self.assertEqual(
            account._outlook(),
            [
                ("expiry", "7 incidents expire at the end of May 10, 2027."),
                ("arrival", "20 more incidents come on May 11, 2027."),
            ],
        )

    def test_one_is_singular(self):
        """R11.4: sentences for one."""
        self.give_period(1, date(2027, 4, 11), date(2027, 5, 10))
        self.give_period(1, date(2027, 5, 11), date(2027, 6, 10))
        self.assertEqual(
            [words for _kind, words in self.account()._outlook()],
            [
                "1 incident expires at the end of May 10, 2027.",
                "1 more incident comes on May 11, 2027.",
            ],
        )

    def test_due_and_not_written(self):
        """R9.3: what is due counts, whether the scheduled action ran or not; what has
        ended does not."""
        self.give_period(10, date(2027, 4, 11), date(2027, 5, 10))
        self.give_period(20, date(2027, 5, 11), date(2027, 6, 10))
        account = self.account()
        with freeze_time("2027-05-11"):
            self.env.invalidate_all()
            self.assertEqual(account._expiries(), {date(2027, 6, 10): 20})
            self.assertEqual(account._arrivals(), {})
            self.assertEqual(account._windows().mapped("date_to"), [date(2027, 6, 10)])

    def test_windows(self):
        """R11.4, R4.2: months that are used up are shown, empty lifetime is not."""
        used_up = self.give_period(2, date(2027, 4, 1), date(2027, 4, 30))
        later = self.give_period(5, date(2027, 4, 11), date(2027, 5, 10))
        self.use(2)
        account = self.account()
        self.assertEqual(account._windows(), used_up | later)
        self.give_lifetime(3)
        self.assertEqual(account._windows()[-1].kind, "lifetime")
        self.assertEqual(account._windows()[:2], used_up | later)

    def test_no_account(self):
        """R11.4: nothing is said to who has nothing."""
        nobody = self.account_model.browse()
        self.assertFalse(nobody._windows())
        self.assertEqual(nobody._outlook(), [])
        self.assertIsNone(nobody._forecast())

    # -- until when they last ------------------------------------------------

    def test_lifetime(self):
        """R11.4: 18 in 90 days are one in 5 days: 4 last for 20 days."""
        self.give_before(22)
        self.use(9, days_ago=89)
        self.use(9, days_ago=10)
        forecast = self.account()._forecast()
        self.assertEqual((forecast.used, forecast.days), (18, 90))
        self.assertEqual(forecast.until, TODAY + timedelta(days=20))
        self.assertEqual(
            dict(self.account()._outlook())["forecast"],
            "At your pace you have enough until May 10, 2027: you used 18 in the last "
            "90 days.",
        )

    def test_what_is_older_does_not_count(self):
        """R11.4: the pace is that of 90 days; the first use may be older."""
        self.give_before(120)
        self.use(100, days_ago=90)
        self.use(9, days_ago=89)
        forecast = self.account()._forecast()
        self.assertEqual((forecast.used, forecast.days), (9, 90))
        # 11 left, one in 10 days
        self.assertEqual(forecast.until, TODAY + timedelta(days=110))

    def test_from_the_first_use_on(self):
        """R11.4: a customer who began 20 days ago, first day included."""
        self.give_before(15)
        self.use(10, days_ago=19)
        forecast = self.account()._forecast()
        self.assertEqual((forecast.used, forecast.days), (10, 20))
        self.assertEqual(forecast.until, TODAY + timedelta(days=10))

    def test_too_little_history(self):
        """R11.4: nothing is said of a few days, of one incident, of none."""
        account = self.give_before(50)
        self.assertIsNone(self.until())
        self.use(1, days_ago=60)
        self.assertIsNone(self.until())
        other = self.give_lifetime(50, self.other_customer)
        with freeze_time(TODAY - timedelta(days=PACE_LEAST_DAYS - 2)):
            ticket = self.ticket(
                team=self.free_team, partner=self.other_portal_user.partner_id
            )
            ticket.incident_count = 20
        self.env.invalidate_all()
        self.assertIsNone(self.until(other))
        with freeze_time(TODAY + timedelta(days=1)):
            self.env.invalidate_all()
            self.assertIsNotNone(self.until(other))
        self.assertNotIn("forecast", dict(account._outlook()))

    def test_what_was_returned_was_not_used(self):
        """R4.5, R11.4: a ticket whose incidents came back makes no pace."""
        self.give_before(50)
        self.use(20, days_ago=60).incident_count = 0
        self.assertIsNone(self.until())

    def test_nothing_left(self):
        """R11.4: who has nothing to use is not told until when it lasts."""
        self.give_before(10)
        self.use(10, days_ago=50)
        self.assertIsNone(self.until())

    def test_not_enough_for_tomorrow(self):
        """R11.4: what is less than a day's use lasts until today."""
        self.give_before(41)
        self.use(40, days_ago=19)
        self.assertEqual(self.until(), TODAY)

    def test_more_than_a_year(self):
        """R11.4: the forecast does not look further."""
        self.give_before(500)
        self.use(9, days_ago=89)
        self.assertIsNone(self.account()._forecast().until)
        self.assertIn("more than a year", dict(self.account()._outlook())["forecast"])

    def test_months_lapse(self):
        """R9.2, R11.4: what a month has left at its end is gone; lifetime ones go on
        from there."""
        self.give_before(20 + 3)
        self.use(20, days_ago=19)  # one a day
        # 100 to April 30: ten of them are used, then the 3 lifetime ones.
        self.give_period(100, date(2027, 4, 11), date(2027, 4, 30))
        self.assertEqual(self.until(), date(2027, 5, 3))

    def test_months_to_come(self):
        """R9.2, R11.4: months that are paid for count from their first day on."""
        self.give_before(20)
        self.use(20, days_ago=19)  # one a day
        self.give_period(100, date(2027, 4, 11), date(2027, 5, 10))
        self.give_period(100, date(2027, 5, 11), date(2027, 6, 10))
        self.assertEqual(self.until(), date(2027, 6, 10))
        # The month runs out before the next one begins.
        self.settle("test:short", 12, None, date(2027, 6, 11), date(2027, 7, 10))
        self.give_period(100, date(2027, 7, 11), date(2027, 8, 10))
        self.assertEqual(self.until(), date(2027, 6, 22))

    def test_order(self):
        """R4.2, R11.4: what ends first is used first, so that less is lost."""
        self.give_before(20)
        self.use(20, days_ago=19)
        self.give_period(10, date(2027, 4, 11), date(2027, 5, 10))
        self.give_period(5, date(2027, 4, 20), date(2027, 4, 25))
        # 5 to April 25, then 10 more.
        self.assertEqual(self.until(), date(2027, 5, 5))

    def test_debt(self):
        """R3.5: a lifetime balance below zero takes nothing from the month."""
        account = self.give_before(20)
        self.use(20, days_ago=19)
        account._adjust(-5, "Taken back")
        self.give_period(10, date(2027, 4, 11), date(2027, 5, 10))
        self.assertEqual(self.until(), date(2027, 4, 30))
