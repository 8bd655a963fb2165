import random
import re
from datetime import date, datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import UserError

from odoo.addons.helpdesk_paid_support import periods

from .common import PaidSupportCommon


class TestScheduled(PaidSupportCommon):
    """R13.1, R9.3: the scheduled action, and that nothing waits for it."""

    def run_action(self, **options):
        """Run it, without the commits that tests cannot have."""
        with patch.object(
            type(self.env["ir.cron"]),
            "_commit_progress",
            lambda *_args, **_options: float("inf"),
        ):
            self.account_model._cron_open_and_close(**options)

    def test_action(self):
        """R9.2, R13.1: grants on the first day, closes after the last, of everybody."""
        windows = (date(2027, 5, 11), date(2027, 6, 10))
        for customer in (self.customer, self.other_customer):
            self.give_period(5, *windows, customer=customer)
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_open_and_close")
        for day, kinds in (
            ("2027-05-10", []),
            ("2027-05-11", [("period", 5)]),
            ("2027-06-10", [("period", 5)]),
            ("2027-06-11", [("period", 5), ("expiry", -5)]),
        ):
            with freeze_time(day), self.enter_registry_test_mode():
                cron.method_direct_trigger()
            for customer in (self.customer, self.other_customer):
                self.assertEqual(self.kinds(self.account(customer)), kinds, day)
        self.assertLedgerSound()

    def test_batches(self):
        """R13.1: in as many transactions as it takes."""
        customers = self.env["res.partner"].create(
            [{"name": f"Customer {n}"} for n in range(7)]
        )
        for customer in customers:
            self.give_period(2, date(2027, 5, 1), date(2027, 5, 31), customer=customer)
        for batch in (1, 2, 7, 100):
            with freeze_time("2027-05-01"), self.env.cr.savepoint() as savepoint:
                self.run_action(batch=batch)
                for customer in customers:
                    self.assertEqual(
                        self.kinds(self.account(customer)), [("period", 2)]
                    )
                savepoint.rollback()
            self.env.invalidate_all()

    def test_caches(self):
        """What the ORM has read before is read again."""
        account = self.account()
        allotment = self.give_period(3, date(2027, 5, 11), date(2027, 6, 10))
        self.assertEqual((allotment.balance, account.available), (0, 0))
        with freeze_time("2027-05-11"):
            self.run_action()
            self.assertEqual((allotment.balance, allotment.to_grant), (3, 0))
            self.assertEqual(account.available, 3)
            self.assertEqual(self.customer.incident_available, 3)

    def test_companies_and_their_days(self):
        """R3.7: at one moment the new month has begun in Auckland alone."""
        windows = (date(2027, 5, 11), date(2027, 6, 10))
        accounts = {}
        for zone in ("Pacific/Auckland", "America/Los_Angeles", "UTC"):
            company = self.env["res.company"].create({"name": zone})
            company.partner_id.tz = zone
            accounts[zone] = self.account(company=company)
            self.settle(f"test:{zone}", 1, accounts[zone], *windows)
        for moment, granted in (
            ("2027-05-10 11:59:59", 0),
            ("2027-05-10 12:00:00", 1),
            ("2027-05-11 00:00:00", 2),
            ("2027-05-11 06:59:59", 2),
            ("2027-05-11 07:00:00", 3),
        ):
            with freeze_time(moment):
                self.run_action()
                self.assertEqual(
                    sum(len(account.entry_ids) for account in accounts.values()),
                    granted,
                    moment,
                )

    def test_simulated_year(self):
        """R9.3: never run, every balance and deduction of a year is that of a database
        where it ran every few hours."""
        self.company.partner_id.tz = "Pacific/Auckland"
        traces = []
        for runs in (False, True):
            with self.env.cr.savepoint() as savepoint:
                traces.append(self._simulate(random.Random(2027), runs))
                savepoint.rollback()
            self.env.invalidate_all()
        never, often = traces
        self.assertGreater(len(never), 400)
        for one, other in zip(never, often, strict=True):
            self.assertEqual(one, other)

    def _simulate(self, rng, runs):
        """Live through a year, three hours at a time, and return what was seen."""
        trace, sold, tickets = [], [], []
        account = self.give_lifetime(5)
        moment = datetime(2027, 1, 30, 11)
        # One clock that moves: to stop it anew takes longer than most hours.
        with freeze_time(moment) as clock:
            for hour in range(0, 365 * 24, 3):
                moment += timedelta(hours=3)
                clock.move_to(moment)
                if runs:
                    self.run_action()
                if hour % 24 == 0:
                    trace.append((moment, *self._seen(account)))
                if rng.random() < 0.06:
                    # No help of a stale cache, in neither of them.
                    self.env.invalidate_all()
                    event = rng.choice(("buy", "use", "use", "use", "return", "undo"))
                    result = self._happen(event, rng, account, sold, tickets)
                    trace.append((moment, event, result, *self._seen(account)))
        with freeze_time(moment + timedelta(days=1000)):
            account._open_and_close()
            self.assertLedgerSound()
            trace.append(
                sorted(
                    (e.allotment_id.date_from or date.min, e.kind, e.date, e.quantity)
                    for e in account.entry_ids
                )
            )
        return trace

    def _happen(self, event, rng, account, sold, tickets):
        today = self.company._incident_today()
        if event == "buy":
            number, windows = rng.randint(1, 6), self._windows(rng, today)
            for window in windows:
                key = f"simulated:{len(sold)}"
                sold.append([key, number, window, number])
                self.settle(key, number, account, **window)
        elif event == "undo" and sold:
            cause = rng.choice(sold)
            cause[3] = 0 if cause[3] else cause[1]
            self.settle(cause[0], cause[3], account, **cause[2])
        elif event == "use":
            ticket = self.ticket(team=self.free_team)
            try:
                with self.env.cr.savepoint():
                    ticket.incident_count = rng.randint(1, 4)
                tickets.append(ticket)
            except UserError as error:
                # Tickets are numbered by a sequence that no rollback sets back.
                return re.sub(r"HT\d+", "HT", str(error))
        elif event == "return" and tickets:
            ticket = rng.choice(tickets)
            ticket.incident_count = rng.randint(0, ticket.incident_count)
            return ticket.incident_count
        return None

    def _windows(self, rng, today):
        """Return the windows of a pack (R15.1), or of months or quarters (R15.2) that
        are carried over or not (R15.3)."""
        count, length = rng.randint(1, 4), rng.choice((1, 1, 3))
        if rng.random() < 0.2:
            last = periods.period(today, 0, count)[1]
            return [{"date_from": today, "date_to": last, "kind": "purchase"}]
        windows, carry = [], rng.choice((0, 0, 1, 2))
        for k in range(0, count * length, length):
            first, last = periods.period(today, k, length)
            until = periods.period(today, k, length * (1 + carry))[1]
            windows.append(
                {
                    "date_from": first,
                    "date_to": until,
                    "date_period_to": last if carry else None,
                }
            )
        return windows

    def _seen(self, account):
        account.invalidate_recordset()
        return (
            account.available,
            account.lifetime_balance,
            account.period_balance,
            account.next_expiry,
            [
                (allotment.date_from, allotment.date_to, number)
                for allotment, number in account._breakdown()
            ],
        )
