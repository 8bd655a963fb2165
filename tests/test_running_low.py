from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import html2plaintext, mute_logger

from .common_subscription import SubscriptionCommon

MANAGERS = "helpdesk_mgmt.group_helpdesk_manager"
TOLD = {"low": "customer", "low_salesperson": "salesperson", "low_team": "team"}


@tagged("post_install", "-at_install")
class TestRunningLow(SubscriptionCommon):
    """R19.3: several thresholds, each once for each episode, each says who is told."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.email = "customer@example.com"
        cls.reminders = cls.env["helpdesk.incident.reminder"].sudo()
        # Of demo data.
        cls.others = cls.account_model.search([("partner_id", "!=", cls.customer.id)])
        cls.seller, cls.agent, cls.manager = (
            new_test_user(
                cls.env,
                f"hps-low-{login}",
                groups=f"base.group_user,{group}",
                email=f"{login}@example.com",
                company_ids=[Command.link(cls.company.id)],
            )
            for login, group in (
                ("seller", "sales_team.group_sale_salesman"),
                ("agent", "helpdesk_mgmt.group_helpdesk_user"),
                ("manager", "helpdesk_mgmt.group_helpdesk_manager"),
            )
        )
        cls.customer.user_id = cls.seller

    def found(self, *conditions, **kwargs):
        """Return the reminders of which this holds."""
        own = self.account_model.search([]) - self.others
        return self.reminders.search(
            [("account_id", "in", own.ids), *conditions], **kwargs
        )

    def thresholds(self, **numbers):
        """Choose who is told at each number: c(ustomer), s(alesperson), t(eam)."""
        self.company.incident_threshold_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "number": int(number[1:]),
                        "tell_customer": "c" in who,
                        "tell_salesperson": "s" in who,
                        "tell_team": "t" in who,
                    }
                )
                for number, who in numbers.items()
            ),
        ]

    def has(self, number):
        """Let the customer have so many incidents left, and tell what is to be told."""
        account = self.incident_account()
        if number != account.available:
            account._adjust(number - account.available, "Test")
        return self.remind()

    def remind(self):
        """Return who was told how many are left, now."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.found(("state", "=", "sent"))
        for _twice in range(2):
            self.reminders._note_occasions()
            self.found(("state", "=", "waiting"))._send()
        new = self.found(("state", "=", "sent")) - before
        return sorted((TOLD[r.kind], r.quantity) for r in new)

    def test_each_once_for_each_episode(self):
        """Falling and rising: who is told of what, step by step."""
        self.thresholds(n5="c", n2="ct", n0="cs")
        for number, told in (
            (10, []),
            (6, []),
            (5, [("customer", 5)]),
            (4, []),
            (2, [("customer", 2), ("team", 2)]),
            (1, []),
            # Above 2 again, and not above 5.
            (4, []),
            (1, [("customer", 1), ("team", 1)]),
            (0, [("customer", 0), ("salesperson", 0)]),
            (9, []),
            # Below 5 and 2 at once: the customer gets one mail.
            (2, [("customer", 2), ("team", 2)]),
            (9, []),
            (0, [("customer", 0), ("salesperson", 0), ("team", 0)]),
        ):
            self.assertEqual(self.has(number), told, number)

    def test_never_had_more(self):
        """What an account has never had more than, it does not run low of."""
        self.thresholds(n5="c", n2="s")
        self.assertEqual(self.has(2), [])
        self.assertEqual(self.has(4), [])
        self.assertEqual(self.has(1), [("salesperson", 1)])

    def test_settings_tell_nobody(self):
        """A number that is chosen meanwhile tells of what happens from then on."""
        self.thresholds(n2="c")
        self.assertEqual(self.has(10), [])
        self.assertEqual(self.has(4), [])
        self.thresholds(n5="c", n2="c")
        self.assertEqual(self.has(4), [])
        self.assertEqual(self.has(3), [])
        self.assertEqual(self.has(2), [("customer", 2)])
        self.company.incident_threshold_ids = [Command.clear()]
        self.assertEqual(self.has(0), [])
        self.assertEqual(self.has(9), [])
        self.company.incident_threshold_ids = [Command.clear()]
        self.assertEqual(self.has(1), [])
        # Nobody has looked in the meantime.
        self.thresholds(n5="c", n0="c")
        self.assertEqual(self.has(1), [])
        self.assertEqual(self.has(0), [("customer", 0)])

    def test_bought_before_it_was_told(self):
        """R13.2: who has bought in between is not bothered."""
        self.thresholds(n5="cst")
        self.has(10)
        account = self.incident_account()
        account._adjust(-7, "Test")
        self.env.flush_all()
        self.reminders._note_occasions()
        waiting = self.found(("state", "=", "waiting"))
        self.assertEqual(len(waiting), 3)
        account._adjust(8, "Test")
        self.env.invalidate_all()
        waiting._send()
        self.assertEqual(set(waiting.mapped("state")), {"armed"})
        # That was an episode: the next one is told.
        self.assertEqual(self.has(8), [])
        self.assertEqual(len(self.has(5)), 3)

    def test_periods_count(self):
        """R4.1: what is due without the scheduled action, and what has ended."""
        self.thresholds(n2="c")
        self.bought()
        self.assertEqual(self.remind(), [])
        self.use(9)
        self.assertEqual(self.remind(), [("customer", 1)])
        with self.on("2027-05-11"):
            self.assertEqual(self.remind(), [])
        with self.on("2027-07-11"):
            told = [row for row in self.remind() if row[0] == "customer"]
            self.assertEqual(told, [("customer", 0)])

    def test_salesperson(self):
        """In the salesperson's language, with a link; else who has sold last; nobody
        who has left, or is of another company, but of a branch (R2.3)."""
        self.env["res.lang"]._activate_lang("de_DE")
        template = self.env.ref(
            "helpdesk_paid_support.mail_template_incident_low_salesperson"
        )
        template.with_context(lang="de_DE").subject = "{{ object.partner_id.name }}: 2"
        self.seller.lang = "de_DE"
        self.thresholds(n2="s")
        self.has(9)
        self.assertEqual(self.has(2), [("salesperson", 2)])
        mail = self.env["mail.mail"].search(
            [("subject", "=", f"{self.customer.name}: 2")]
        )
        self.assertEqual(mail.recipient_ids, self.seller.partner_id)
        account = self.incident_account()
        self.assertIn(f"/odoo/support-incidents/{account.id}", mail.body)

        other = new_test_user(
            self.env,
            "hps-low-other",
            groups="sales_team.group_sale_salesman",
            email="other@example.com",
        )
        order = self.order(self.pack, user_id=other.id)
        self.assertEqual(order.user_id, other)

        def told():
            self.has(9)
            before = self.found()
            self.has(1)
            return (self.found() - before).filtered(lambda r: r.state == "sent")

        self.seller.active = False
        self.assertEqual(told().recipient_id, other.partner_id)
        self.seller.active = True
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.seller.write(
            {"company_ids": [Command.set(branch.ids)], "company_id": branch.id}
        )
        self.assertEqual(told().recipient_id, self.seller.partner_id)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.seller.write(
            {"company_ids": [Command.set(elsewhere.ids)], "company_id": elsewhere.id}
        )
        self.assertEqual(told().recipient_id, other.partner_id)
        other.active = False
        self.assertFalse(told())

    def test_team(self):
        """An activity in the agent's language: for who has handled the ticket that took
        incidents last, else for its team, else for a manager."""
        self.thresholds(n2="t")
        managers = self.env["res.users"].search(
            [("all_group_ids", "in", self.env.ref(MANAGERS).ids)], order="id"
        )
        manager = managers.filtered(lambda u: self.company in u.company_ids)[0]
        self.has(9)
        self.use(7)
        self.assertEqual(self.remind(), [("team", 2)])
        activity = self.customer.activity_ids
        self.assertEqual((activity.user_id, len(activity)), (manager, 1))
        self.assertIn("runs low on support incidents", activity.note)
        # All staff can read it: the number is behind the link (R14).
        account = self.incident_account()
        self.assertIn(f"/odoo/support-incidents/{account.id}", activity.note)
        words = html2plaintext(activity.note, include_references=False)
        self.assertNotIn("2", words.replace(self.company.name, ""))

        def told(ticket):
            self.has(9)
            activities = self.customer.activity_ids
            ticket.incident_count += 7
            self.assertEqual(self.remind(), [("team", 2)])
            return (self.customer.activity_ids - activities).user_id

        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Experts", "user_ids": [Command.link(self.agent.id)]}
        )
        ticket = self.use(1)
        ticket.team_id = team
        # Who works elsewhere cannot see the customer (R2.3).
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        team.user_ids |= new_test_user(
            self.env,
            "hps-low-aside",
            name="Aside",
            groups="helpdesk_mgmt.group_helpdesk_user",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        self.env.invalidate_all()
        self.assertEqual(team.user_ids[0].name, "Aside")
        self.assertEqual(told(ticket), self.agent)
        ticket.user_id = self.seller
        self.assertEqual(told(ticket), self.seller)
        self.seller.active = self.agent.active = False
        self.assertEqual(told(ticket), manager)

    def test_nothing_left(self):
        """R13.2: the mails say so, with a 0."""
        self.thresholds(n0="cs")
        self.has(9)
        self.assertEqual(self.has(0), [("customer", 0), ("salesperson", 0)])
        mails = self.env["mail.mail"].search([], limit=2, order="id desc")
        bodies = {mail.subject: mail.body for mail in mails}
        body = bodies[f"{self.customer.name}: support incidents left: 0"]
        self.assertIn("has used all of its support incidents", body)
        body = bodies["Support incidents left: 0"]
        self.assertIn("You have used all of your support incidents", body)

    def test_one_left(self):
        """Any number is right in the mail."""
        self.thresholds(n1="c")
        self.has(9)
        self.has(1)
        mail = self.env["mail.mail"].search([], limit=1, order="id desc")
        self.assertIn("that you have left: <strong>1</strong>.", mail.body)

    def test_archived_customer(self):
        """R9.7: nobody is told of one."""
        self.thresholds(n2="cst")
        self.has(9)
        self.customer.active = False
        self.assertEqual(self.has(1), [])

    def test_merged_customers(self):
        """R2.2: what was told stays; the account that stays is looked at from what it
        had itself."""
        other = self._customer("Blue Bakery")
        self.thresholds(n5="c")
        self.incident_account(other)._adjust(9, "Test")
        self.has(9)
        self.assertEqual(self.has(3), [("customer", 3)])
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((other + self.customer).ids, self.customer, extra_checks=False)
        self.env.invalidate_all()
        self.assertEqual(self.incident_account().available, 12)
        self.assertEqual(self.remind(), [])
        self.assertEqual(self.has(4), [("customer", 4)])
        account = self.incident_account()
        told = self.found(("state", "=", "sent"))
        self.assertEqual(told.account_id, account)

    def test_companies(self):
        """R2.3: each company has its own; branches have none."""
        self.thresholds(n5="c")
        company_b = self.env["res.company"].create(
            {"name": "B", "incident_low_threshold": 3}
        )
        self.assertEqual(company_b.incident_threshold_ids.mapped("number"), [3])
        self.assertEqual(self.company.incident_low_threshold, 5)
        account = self.account_model._of(self.customer, company_b, create=True)
        account._adjust(9, "Test")
        self.remind()
        account._adjust(-5, "Test")
        self.assertEqual(self.remind(), [])
        account._adjust(-1, "Test")
        self.assertEqual(self.remind(), [("customer", 3)])
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        threshold = self.env["helpdesk.incident.threshold"]
        with self.assertRaisesRegex(ValidationError, "is a branch"):
            threshold.create({"company_id": branch.id, "number": 1})
        made = threshold.sudo().with_company(branch).create({"number": 1})
        self.assertEqual(made.company_id, self.company)

    def test_one_number_as_before(self):
        """The highest threshold is where customers run low; written, the only one."""
        self.thresholds(n5="t", n2="c")
        self.assertEqual(self.company.incident_low_threshold, 5)
        self.company.incident_low_threshold = 3
        [threshold] = self.company.incident_threshold_ids
        self.assertEqual((threshold.number, threshold._kinds()), (3, ["low"]))
        self.company.incident_low_threshold = 0
        self.assertFalse(self.company.incident_threshold_ids)

    def test_what_is_refused(self):
        """Each number once, not below 0, and somebody is told."""
        self.thresholds(n5="c")
        threshold = self.env["helpdesk.incident.threshold"]
        with self.assertRaisesRegex(ValidationError, "Say who is told"):
            threshold.create({"number": 1, "tell_customer": False})
        for number in (5, -1):
            with (
                self.assertRaises(IntegrityError),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                threshold.create({"number": number})

    def test_who_may(self):
        """R14: helpdesk managers choose, of their companies; other staff read."""
        self.thresholds(n5="c")
        own = self.company.incident_threshold_ids
        elsewhere = self.env["helpdesk.incident.threshold"].create(
            {
                "company_id": self.env["res.company"].create({"name": "B"}).id,
                "number": 3,
            }
        )
        own.with_user(self.manager).sudo(False).number = 4
        self.assertEqual(own.with_user(self.agent).sudo(False).number, 4)
        for user, threshold in (
            (self.agent, own),
            (self.seller, own),
            (self.manager, elsewhere),
        ):
            with self.assertRaises(AccessError):
                threshold.with_user(user).sudo(False).number = 7
        with self.assertRaises(AccessError):
            elsewhere.with_user(self.agent).sudo(False).read(["number"])

    def test_settings_show_it(self):
        """R12.5"""
        self.thresholds(n5="c", n2="cst")
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(
            settings.incident_thresholds,
            "5 left: customer\n2 left: customer, salesperson, team",
        )
