from datetime import datetime

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import PaidSupportCommon

#: A Wednesday, in UTC
NOON = datetime(2027, 4, 14, 12)
MIDNIGHT = datetime(2027, 4, 14, 23)


@tagged("post_install", "-at_install")
class TestTeamRules(PaidSupportCommon):
    """R16: what a ticket takes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team = cls.paid_team
        cls.billing, cls.outage = cls.env["helpdesk.ticket.category"].create(
            [{"name": "Billing"}, {"name": "Outage"}]
        )
        cls.give_lifetime(10)

    def rule(self, number, **values):
        return self.env["helpdesk.ticket.team.rule"].create(
            {"team_id": self.team.id, "incident_cost": number, **values}
        )

    def submit(self, **values):
        return self.ticket(user=self.portal_user, **values).with_env(self.env)

    def takes(self, **values):
        ticket = self.env["helpdesk.ticket"].new({"team_id": self.team.id, **values})
        return ticket._incident_required()

    def test_words(self):
        """R16.3: each rule says what it names, also while it is typed in; what it names
        cannot be deleted."""
        values = {
            "category_ids": [Command.set((self.billing | self.outage).ids)],
            "outside_hours": True,
        }
        rules = self.rule(3, **values) | self.rule(0, priority="3") | self.rule(2)
        said = ["Billing, Outage · outside working hours: 3", "Very High: 0"]
        self.assertEqual(
            [*rules.mapped("display_name")],
            [*said, "any ticket: 2"],
        )
        self.assertEqual(
            self.env["helpdesk.ticket.team.rule"].new(values).display_name,
            "Billing, Outage · outside working hours: 1",
        )
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            self.outage.unlink()

    def test_highest_that_applies(self):
        """R16.1: a rule applies if all that it names holds; of several the highest
        counts, never a sum; without one, *Incidents per ticket*."""
        self.assertEqual(self.takes(), 1)
        self.rule(2, priority="3")
        self.rule(0, category_ids=[Command.set(self.billing.ids)])
        self.rule(3, priority="3", category_ids=[Command.set(self.outage.ids)])
        for priority, category, number in (
            ("1", None, 1),
            ("3", None, 2),
            ("1", self.billing, 0),
            ("3", self.billing, 2),
            ("1", self.outage, 1),
            ("3", self.outage, 3),
        ):
            with self.subTest(priority=priority, category=category):
                self.assertEqual(
                    self.takes(priority=priority, category_id=category and category.id),
                    number,
                )
        self.team.incident_required = False
        self.assertEqual(self.takes(priority="3"), 0)

    def test_any_of_the_tags(self):
        """R16.1: of several tags or channels one is enough."""
        red, green, blue = self.env["helpdesk.ticket.tag"].create(
            [{"name": name} for name in ("red", "green", "blue")]
        )
        phone = self.env.ref("helpdesk_mgmt.helpdesk_ticket_channel_phone")
        self.rule(4, tag_ids=[Command.set((red | green).ids)])
        self.rule(5, channel_ids=[Command.set(phone.ids)])
        for tags, number in ((red, 4), (green | blue, 4), (blue, 1), (blue[:0], 1)):
            self.assertEqual(self.takes(tag_ids=[Command.set(tags.ids)]), number)
        self.assertEqual(self.takes(channel_id=phone.id), 5)

    def test_outside_hours(self):
        """R16.1: at submission, in the time zone of the calendar; without a calendar
        nothing is outside."""
        self.rule(3, outside_hours=True)
        self.assertEqual(self.takes(create_date=MIDNIGHT), 1)
        calendar = self.env["resource.calendar"].create(
            {
                "name": "Office",
                "tz": "UTC",
                "company_id": self.company.id,
                "attendance_ids": [
                    Command.clear(),
                    Command.create(
                        {
                            "name": "Wednesday",
                            "dayofweek": "2",
                            "hour_from": 9,
                            "hour_to": 17,
                        }
                    ),
                ],
            }
        )
        self.team.incident_calendar_id = calendar
        self.assertEqual(self.takes(create_date=NOON), 1)
        self.assertEqual(self.takes(create_date=MIDNIGHT), 3)
        calendar.tz = "Pacific/Auckland"  # midnight of the next day
        self.assertEqual(self.takes(create_date=NOON), 3)
        calendar.tz = "America/Los_Angeles"  # 16:00 of the same day
        self.assertEqual(self.takes(create_date=MIDNIGHT), 1)
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Closed",
                "calendar_id": calendar.id,
                "date_from": datetime(2027, 4, 14),
                "date_to": datetime(2027, 4, 15),
            }
        )
        self.assertEqual(self.takes(create_date=MIDNIGHT), 3)

    def test_fixed_at_submission(self):
        """R16.3, R16.4: taken when it is submitted; changed rules and a later change of
        the ticket take nothing by themselves."""
        rule = self.rule(2, priority="3")
        urgent, usual = (self.submit(priority=priority) for priority in ("3", "1"))
        self.assertEqual((urgent.incident_count, usual.incident_count), (2, 1))
        usual.priority = "3"
        rule.incident_cost = 5
        self.assertEqual((urgent.incident_count, usual.incident_count), (2, 1))
        self.assertIn("Takes 5 by now: 4 more.", usual.incident_notice)
        usual.priority = "1"
        self.assertFalse(usual.incident_notice)
        urgent.action_incident_deduct()
        self.assertEqual((urgent.incident_count, urgent.incident_more), (5, 0))
        rule.unlink()
        self.assertEqual(self.submit(priority="3").incident_count, 1)

    def test_nothing(self):
        """R16.1: a ticket that takes nothing needs no incidents."""
        self.account()._adjust(-10, "None left")
        self.rule(0, category_ids=[Command.set(self.billing.ids)])
        self.assertTrue(self.team._incident_may_take_nothing())
        ticket = self.submit(category_id=self.billing.id)
        self.assertEqual(ticket.incident_count, 0)
        self.assertFalse(ticket.incident_parking)
        with self.assertRaises(UserError):
            self.submit(category_id=self.outage.id)

    def test_waiting(self):
        """R16.4: what waits takes what its fields and the rules say at present."""
        self.team.incident_shortage_policy = "park"
        rule = self.rule(20, priority="3")
        ticket = self.submit(priority="3")
        self.assertEqual(ticket.incident_parking, "parked")
        rule.incident_cost = 4
        self.account()._release()
        self.assertEqual(ticket.incident_count, 4)

    @mute_logger("odoo.sql_db")
    def test_who_and_what(self):
        """R14, R1: helpdesk managers write rules, in their companies; no number below
        zero."""
        rule = self.rule(2)
        user = new_test_user(
            self.env, "hps-agent-r", groups="helpdesk_mgmt.group_helpdesk_user"
        )
        self.assertEqual(rule.with_user(user).incident_cost, 2)
        with self.assertRaises(AccessError):
            rule.with_user(user).incident_cost = 0
        with self.assertRaises(IntegrityError):
            rule.incident_cost = -1
            self.env.flush_all()
        self.assertEqual(self.team.copy().incident_rule_ids.incident_cost, 2)
