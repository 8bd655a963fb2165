"""Merged tickets (`glue/helpdesk_paid_support_merge`)."""

from contextlib import contextmanager
from datetime import timedelta

from freezegun import freeze_time

from odoo.fields import Command, Date
from odoo.tests import tagged

from odoo.addons.helpdesk_paid_support.models.ledger.account_settle import Cause

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestGlueMerge(ConcurrencyCase):
    """R17.5"""

    addons = ("helpdesk_paid_support_merge",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.transaction(cls) as env:
            env["account.chart.template"].try_loading("generic_coa", env.company)
            env.ref("helpdesk_paid_support.product_ticket_charge").taxes_id = [
                Command.clear()
            ]

    @contextmanager
    def world(self, incidents=10):
        """A customer with lifetime incidents and a paid team; all of it is undone."""
        with self.undone() as env:
            env.company.partner_id.tz = "UTC"
            self.env = env
            self.customer = env["res.partner"].create({"name": "Customer"})
            self.team = env["helpdesk.ticket.team"].create(
                {
                    "name": "Paid",
                    "incident_required": True,
                    "incident_on_staff_tickets": True,
                    "incident_shortage_policy": "park",
                    "company_id": env.company.id,
                }
            )
            self.account = self.give(self.customer, incidents)
            yield
            for account in env["helpdesk.incident.account"].search([]):
                self.assertEqual(account._check_ledger(), [])

    def give(self, customer, incidents, **window):
        account = self.env["helpdesk.incident.account"]._of(
            customer, self.env.company, True
        )
        kind = "period" if window else "purchase"
        key = f"gift:{customer.id}:{kind}"
        account._settle([Cause(account, key, incidents, kind, "A gift", **window)])
        return account

    def ticket(self, count=None, customer=None):
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "Down",
                "description": "It is down",
                "team_id": self.team.id,
                "partner_id": (customer or self.customer).id,
                "user_id": False,
            }
        )
        if count is not None:
            ticket.incident_count = count
        return ticket

    def merge(self, tickets, into=None):
        """Merge tickets and return the one that stays.

        As an administrator: to others Odoo forbids what OCA's add-on does with
        messages.
        """
        wizard = (
            self.env["helpdesk.ticket.merge"]
            .with_user(self.env.ref("base.user_admin"))
            .with_context(active_ids=tickets.ids)
            .create(
                {
                    "ticket_ids": [Command.set(tickets.ids)],
                    "dst_ticket_id": into and into.id,
                    "create_new_ticket": not into,
                    "dst_ticket_name": "All of it",
                    "dst_helpdesk_team_id": self.team.id,
                }
            )
        )
        action = wizard.merge_tickets()
        self.env.flush_all()
        self.env.invalidate_all()
        return self.env["helpdesk.ticket"].browse(action["res_id"])

    def test_one_and_one(self):
        """R17.5: 1 + 1 → 1, and the history of both says so."""
        with self.world():
            stays, goes = self.ticket(), self.ticket()
            self.assertEqual(self.account.available, 8)
            self.merge(stays | goes, stays)
            self.assertEqual((stays.incident_count, goes.incident_count), (1, 0))
            self.assertEqual(self.account.available, 9)
            self.assertEqual(goes.incident_merged_into_id, stays)

    def test_new_ticket(self):
        """R17.5: merged into a new ticket, 1 + 2 → 2, and no third is deducted."""
        with self.world():
            one, two = self.ticket(), self.ticket(2)
            new = self.merge(one | two)
            self.assertNotIn(new, one | two)
            # Taken over at once, not deducted first.
            bodies = str(new.message_ids.mapped("body"))
            self.assertNotIn("Support incidents deducted", bodies)
            self.assertEqual(new.incident_count, 2)
            self.assertEqual((one | two).mapped("incident_count"), [0, 0])
            self.assertEqual(self.account.available, 8)
            self.assertIn("taken over", str(new.message_ids.mapped("body")))
            self.assertIn("taken over", str(two.message_ids.mapped("body")))
            # Its number is what it took over: more is deducted only by hand.
            new.incident_minutes = 5
            self.assertEqual((new.incident_count, new.incident_short), (2, 0))

    def test_highest_number(self):
        """R17.5, R16.6: the one that stays takes over up to the highest number, and
        that is its number from then on, even where its own was set by hand."""
        with self.world():
            stays, goes, third = self.ticket(1), self.ticket(3), self.ticket(2)
            self.merge(stays | goes | third, stays)
            self.assertEqual((stays.incident_count, stays.incident_target), (3, 3))
            self.assertEqual(self.account.available, 7)
            # Merged on, everything follows.
            last = self.ticket()
            self.merge(stays | last, last)
            self.assertEqual(last.incident_count, 3)
            self.assertEqual(last.incident_merged_ids, stays | goes | third)
            self.assertEqual(self.account.available, 7)

    def test_ended_period(self):
        """R17.5: what is taken over stays in the period that it came from, also where
        that has ended; the rest lapses with it."""
        with self.world(incidents=0):
            today = self.env.company._incident_today()
            self.give(self.customer, 4, date_from=today, date_to=today)
            one, two = self.ticket(), self.ticket(2)
            with freeze_time(Date.to_string(today + timedelta(days=3))):
                new = self.merge(one | two)
            self.assertEqual(new.incident_count, 2)
            [period] = self.account.allotment_ids.filtered(lambda a: a.kind == "period")
            self.assertEqual((period.granted, period.used, period.lapsed), (4, 2, 2))

    def test_other_account(self):
        """R17.5: the incidents of another customer's ticket go back to that one."""
        with self.world():
            other = self.env["res.partner"].create({"name": "Other"})
            account = self.give(other, 5)
            stays, goes = self.ticket(), self.ticket(4, other)
            self.assertEqual(account.available, 1)
            self.merge(stays | goes, stays)
            self.assertEqual((stays.incident_count, goes.incident_count), (1, 0))
            self.assertEqual((self.account.available, account.available), (9, 5))

    def test_waiting(self):
        """R17.5: waiting ones end, and what is free takes nothing over."""
        with self.world(incidents=1):
            has, waits = self.ticket(), self.ticket()
            self.assertEqual(waits.incident_state, "parked")
            self.merge(has | waits, has)
            self.assertEqual(waits.incident_state, "none")
            self.give(self.customer, 9)
            self.assertEqual((has.incident_count, waits.incident_count), (1, 0))
        # The one that waits stays: it takes over what the other one has.
        with self.world(incidents=1):
            has, waits = self.ticket(), self.ticket()
            self.merge(has | waits, waits)
            self.assertEqual((waits.incident_count, has.incident_count), (1, 0))
            self.assertEqual(waits.incident_state, "deducted")

    def test_free(self):
        """R17.5, R16.6: a ticket that takes nothing takes nothing over."""
        with self.world():
            stays, goes = self.ticket(), self.ticket()
            stays.incident_outcome_id = self.env["helpdesk.ticket.outcome"].create(
                {"name": "Defect", "charged": False}
            )
            self.merge(stays | goes, stays)
            self.assertEqual((stays.incident_count, goes.incident_count), (0, 0))
            self.assertEqual(self.account.available, 10)

    def test_charges(self):
        """R17.5: charges of merged tickets are shown at the one that stays."""
        with self.world():
            stays, goes = self.ticket(), self.ticket()
            charge = self.env["helpdesk.ticket.charge"].create(
                {"ticket_id": goes.id, "name": "Restore", "amount": 50}
            )
            self.merge(stays | goes, stays)
            self.assertEqual(stays.incident_merged_charge_ids, charge)
            self.assertEqual(stays._charges_shown(), charge)
            arch = self.env["helpdesk.ticket"].get_view(view_type="form")["arch"]
            self.assertIn("incident_merged_charge_ids", arch)
