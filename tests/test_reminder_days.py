from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import html2plaintext

from .common_subscription import SubscriptionCommon


@tagged("post_install", "-at_install")
class TestReminderDays(SubscriptionCommon):
    """R15.4: customers are told of what ends on several days before, once each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "customer@example.com"
        cls.year = cls.plan("Pack for a year", 100, "pack", 10, 12)
        cls.reminders = cls.env["helpdesk.incident.reminder"].sudo()
        # Of demo data.
        cls.others = cls.account_model.search([("partner_id", "!=", cls.customer.id)])

    def found(self, *conditions, **kwargs):
        """Return the reminders of which this holds."""
        own = self.account_model.search([]) - self.others
        return self.reminders.search(
            [("account_id", "in", own.ids), *conditions], **kwargs
        )

    def remind(self, *days):
        """Look on these days what is to be told, and tell it, twice."""
        for day in days:
            with self.on(day):
                for _time in range(2):
                    self.reminders._note_occasions()
                    self.found(("state", "=", "waiting"))._send()

    def told(self, kind=None):
        """Return how many days before what was told."""
        told = self.found(("state", "=", "sent"), order="id")
        return [(r.kind, r.days) for r in told if kind in (None, r.kind)]

    def test_packs(self):
        """R15.1: by each number once, and never what is used."""
        self.company.incident_reminder_days = "3, 30, 14"
        self.transaction(self.quotation(self.year))
        self.remind("2028-03-10")
        self.assertEqual(self.told(), [])
        self.remind("2028-03-11", "2028-03-12", "2028-03-27", "2028-03-28")
        self.assertEqual(self.told(), [("pack_expires", 30), ("pack_expires", 14)])
        with self.on("2028-04-01"):
            self.use(4)
        self.remind("2028-04-07", "2028-04-10", "2028-04-11")
        self.assertEqual(self.told()[2:], [("pack_expires", 3)])
        last = self.found(("days", "=", 3))
        self.assertEqual((last.quantity, str(last.day)), (6, "2028-04-10"))

    def test_used_up_in_between(self):
        """R13.2: nothing is left to be told of."""
        self.company.incident_reminder_days = "14, 3"
        self.transaction(self.quotation(self.year))
        self.remind("2028-03-27")
        with self.on("2028-04-01"):
            self.use(10)
        self.remind("2028-04-07")
        self.assertEqual(self.told(), [("pack_expires", 14)])

    def test_subscription(self):
        """Each month by what is shorter than it, the last one by the end."""
        self.company.incident_reminder_days = "40, 14, 3"
        self.bought()
        self.remind("2027-04-12", "2027-04-26", "2027-04-27", "2027-05-07")
        self.assertEqual(self.told(), [("expires", 14), ("expires", 3)])
        self.remind("2027-06-01", "2027-06-26", "2027-06-27", "2027-07-07")
        self.assertEqual(
            self.told()[2:],
            [("ends", 40), ("expires", 14), ("ends", 14), ("ends", 3)],
        )

    def test_carried(self):
        """R15.3: of what is carried over before it lapses, not at the end of its own
        month; of what outlasts the subscription, too."""
        self.company.incident_reminder_days = "14, 3"
        carried = self.plan(
            "Carried, 2 months", 60, "period", 10, 2, incident_carry_periods=1
        )
        self.bought(carried)
        self.use(3)
        self.remind("2027-04-27", "2027-05-07")
        self.assertEqual(self.told(), [])
        # 7 of the first month lapse with the second, with which the term ends.
        self.remind("2027-05-27", "2027-06-07")
        self.assertEqual(self.told(), [("ends", 14), ("ends", 3)])
        ends = self.found(("kind", "=", "ends"))
        self.assertEqual(set(ends.mapped("quantity")), {7})
        # The second month's are carried beyond the end.
        self.remind("2027-06-26", "2027-07-07")
        self.assertEqual(self.told()[2:], [("expires", 14), ("expires", 3)])
        last = self.found(("kind", "=", "expires"), limit=1)
        self.assertEqual((last.quantity, str(last.day)), (10, "2027-07-10"))

    def test_what_lapses_with_the_subscription(self):
        """The mail says how many, and nothing of the month that runs before the last
        one."""
        self.company.incident_reminder_days = "40, 3"
        subscription = self.bought()
        self.remind("2027-06-02")
        with self.on("2027-06-20"):
            self.use(4)
        self.remind("2027-07-07")
        messages = subscription.message_ids.filtered(lambda m: "ends on" in m.subject)
        last, first = messages.sorted("id", reverse=True).mapped("body")
        self.assertNotIn("not used yet", first)
        self.assertIn("Incidents not used yet: 6", html2plaintext(last))

    def test_renewed_automatically(self):
        """R9.7: then only unused incidents are told of; while it waits for a transfer,
        the mail that it ends says how many lapse: one mail for one day."""
        subscription = self.bought()
        subscription.write({"auto_renew": True, "renewal_problem": False})
        self.remind("2027-07-05")
        self.assertEqual(self.told("expires"), [("expires", 7)])
        self.company.incident_reminder_days = "3"
        subscription.renewal_problem = "transfer"
        self.remind("2027-07-07")
        self.assertEqual(self.told("expires"), [("expires", 7)])
        self.assertEqual(self.told("ends"), [("ends", 3)])
        self.assertEqual(self.found(("kind", "=", "ends")).quantity, 10)

    def test_one_number_longer_than_a_month(self):
        """The smallest number tells of what is shorter, too, from the beginning."""
        self.company.incident_reminder_days = "40"
        self.bought(self.small)
        self.remind("2027-04-12")
        self.assertEqual(self.told(), [("ends", 40)])

    def test_renewed_by_hand_each_month(self):
        """R9.5: of a month that was just paid nobody is told that it ends in 40 days,
        how old the subscription may be."""
        self.company.incident_reminder_days = "40, 3"
        subscription = self.bought(self.small)
        with self.on("2027-05-05"):
            self.paid(subscription._order_renewal())
        self.remind("2027-05-06", "2027-06-01")
        self.assertEqual(self.told("ends"), [])
        self.remind("2027-06-07")
        self.assertEqual(self.told("ends"), [("ends", 3)])

    def test_missed_days(self):
        """R13.1: after days without the scheduled action it is told once, not twice."""
        self.company.incident_reminder_days = "14, 3"
        self.transaction(self.quotation(self.year))
        self.remind("2028-04-09", "2028-04-10")
        self.assertEqual(self.told(), [("pack_expires", 3)])

    def test_other_numbers_meanwhile(self):
        """What was told is not told again because there are more numbers."""
        self.transaction(self.quotation(self.year))
        self.remind("2028-04-03")
        self.company.incident_reminder_days = "14, 3"
        self.remind("2028-04-04", "2028-04-06")
        self.assertEqual(self.told(), [("pack_expires", 7)])
        self.remind("2028-04-07")
        self.assertEqual(self.told(), [("pack_expires", 7), ("pack_expires", 3)])

    def test_branches_go_by_their_root(self):
        """R2.3"""
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.company.incident_reminder_days = "20, 5"
        branch.incident_reminder_days = "1"
        self.assertEqual(branch._incident_days_before(), [20, 5])
        self.assertEqual(branch._incident_soon(), self.company._incident_soon())

    def test_lists(self):
        """They are kept in order; what is no list is refused with a clear message."""
        for value, kept in (
            ("3,14", "14, 3"),
            (" 3 ; 14 3", "14, 3"),
            (7, "7"),
            ("0", False),
            (0, False),
            ("", False),
            (False, False),
            (", ", False),
        ):
            self.company.incident_reminder_days = value
            self.env.flush_all()
            self.env.invalidate_all()
            self.assertEqual(self.company.incident_reminder_days, kept, value)
            self.assertFalse(self.company._incident_days_before() and not kept)
        made = self.env["res.company"].create(
            {"name": "Other", "incident_reminder_days": "1, 5"}
        )
        self.assertEqual(made.incident_reminder_days, "5, 1")
        settings = self.env["res.config.settings"].create(
            {"incident_reminder_days": "2,10"}
        )
        settings.execute()
        self.assertEqual(self.company.incident_reminder_days, "10, 2")
        for value in ("a week", "7, x", "-3", "2.5", "14, 0", "3651", "9" * 300, True):
            for record in (self.company, self.env["res.config.settings"]):
                values = {"incident_reminder_days": value}
                with (
                    self.subTest(value=value, model=record._name),
                    self.assertRaisesRegex(UserError, "such as “14, 3”"),
                ):
                    record.write(values) if record else record.create(values)
        self.assertEqual(self.company.incident_reminder_days, "10, 2")

    def test_never(self):
        """Without a number nobody is told."""
        self.company.incident_reminder_days = False
        self.bought()
        self.transaction(self.quotation(self.year))
        self.remind("2027-05-10", "2027-07-10", "2028-04-10")
        self.assertEqual(self.told(), [])
