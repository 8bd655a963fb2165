from datetime import date

from freezegun import freeze_time

from odoo.addons.helpdesk_paid_support.models.ledger.res_company import AsOf

from .common import PaidSupportCommon

WINDOW = (date(2027, 4, 11), date(2027, 5, 10))


class TestOpenAndClose(PaidSupportCommon):
    def test_dates(self):
        """R3.7: ``period`` at the beginning of its window, ``expiry`` at its end."""
        account = self.account()
        with freeze_time("2027-04-01"):
            self.give_period(3, *WINDOW)
        with freeze_time("2027-08-01"):
            account._open_and_close()
        dates = [(e.kind, e.date) for e in self.entry_model.search([], order="id")]
        self.assertEqual(dates[-2:], [("period", WINDOW[0]), ("expiry", WINDOW[1])])

    def test_as_of(self):
        """R3.7: code that makes a history says which day is today; a context that came
        in from outside says nothing."""
        account, day = self.account(), date(2026, 2, 28)
        account.with_context(incident_as_of=AsOf(day))._adjust(2, "Long ago")
        self.assertEqual(self.entry_model.search([], order="id")[-1:].date, day)
        today = self.company._incident_today()
        for value in ("2026-02-28", ["2026-02-28"], {"day": "2026-02-28"}, day):
            company = self.company.with_context(incident_as_of=value)
            self.assertEqual(company._incident_today(), today)

    def test_first_and_last_day(self):
        """R9.2: 3 are granted on their first day, and no day before; they lapse on the
        day after their last one, and no day before."""
        account = self.account()
        self.give_period(3, date(2027, 5, 11), date(2027, 6, 10))
        granted, lapsed = ("period", 3), ("expiry", -3)
        for day, written in (
            ("2027-05-10", []),
            ("2027-05-11", [granted]),
            ("2027-06-10", [granted]),
            ("2027-06-11", [granted, lapsed]),
        ):
            with freeze_time(day):
                account._open_and_close()
            self.assertEqual(self.kinds(), written, day)

    def test_missed_altogether(self):
        """R9.3: made up without granting anything usable in the past."""
        account = self.account()
        self.give_period(3, date(2027, 6, 11), date(2027, 7, 10))
        with freeze_time("2027-08-01"):
            self.assertEqual(account.available, 0)
            self.assertEqual(account._open_and_close(), 2)
            self.assertEqual(account._open_and_close(), 0)
            self.assertEqual(account.available, 0)
        self.assertEqual(self.kinds(), [("period", 3), ("expiry", -3)])
        self.assertLedgerSound()

    def test_due_counts_before_it_is_granted(self):
        """R9.3, R4.1: available from the first day, and not after the last."""
        account = self.account()
        allotment = self.give_period(3, date(2027, 5, 11), date(2027, 6, 10))
        for day, available in (
            ("2027-05-10", 0),
            ("2027-05-11", 3),
            ("2027-06-10", 3),
            ("2027-06-11", 0),
        ):
            with freeze_time(day):
                account.invalidate_recordset()
                self.assertEqual(account.available, available, day)
                self.assertEqual(account.period_balance, available, day)
        self.assertEqual(allotment.to_grant, 3)

    def test_time_zones(self):
        """R3.7: at the same moment it is May 11 in Auckland, May 10 elsewhere."""
        for zone, available in (
            ("Pacific/Auckland", 0),
            ("America/Los_Angeles", 3),
            (False, 3),
        ):
            self.company.partner_id.tz = zone
            customer = self.env["res.partner"].create({"name": f"In {zone}"})
            account = self.account(customer)
            with freeze_time("2027-05-10 12:30:00"):
                self.give_period(3, *WINDOW, customer=customer)
                self.assertEqual(account.available, available, zone)
                self.assertEqual(account.allotment_ids.mapped("to_grant"), [0, 0])

    def test_other_partner_of_the_company(self):
        """R3.7: the company's time zone is that of the partner it has now."""
        with freeze_time("2027-05-10 12:30:00"):
            self.assertEqual(str(self.company._incident_today()), "2027-05-10")
            self.company.partner_id = self.env["res.partner"].create(
                {"name": "Down under", "tz": "Pacific/Auckland"}
            )
            self.assertEqual(str(self.company._incident_today()), "2027-05-11")

    def test_expiry_says_why_in_the_customers_language(self):
        """R3.8"""
        account = self.account()
        self.give_period(1, *WINDOW)
        with freeze_time("2027-05-11"):
            account._open_and_close()
        entry = self.entry_model.search([("kind", "=", "expiry")], limit=1)
        self.assertEqual(
            entry.name, "A plan: unused incidents lapsed at the end of the period"
        )
