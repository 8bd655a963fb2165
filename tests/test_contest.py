from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.helpdesk_paid_support.models.groups import MANAGERS

from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestContest(BuyCommon):
    """R17.4: customers contest what a ticket took."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.incident_contest_days = 14
        cls.incident_account()._adjust(5, "A gift")
        cls.agent = new_test_user(
            cls.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
        )
        cls.team.user_ids = cls.agent
        cls.defect, cls.done = cls.env["helpdesk.ticket.outcome"].create(
            [{"name": "Defect of ours"}, {"name": "Work done", "charged": True}]
        )

    def setUp(self):
        super().setUp()
        self.taken = (
            self.env["helpdesk.ticket"]
            .with_user(self.user)
            .sudo()
            .create(
                {
                    "name": "It does not work",
                    "description": "Please help",
                    "team_id": self.team.id,
                    "partner_id": self.user.partner_id.id,
                    "user_id": False,
                }
            )
            .with_env(self.env)
        )
        self.url = f"/my/ticket/{self.taken.id}"

    def contest(self, reason="Your update broke it", user=None):
        return self.taken._incident_do_contest(user or self.user, reason)

    def decide(self, contest, **values):
        wizards = self.env["helpdesk.incident.contest.decide"].with_user(self.agent)
        return wizards.create({"contest_id": contest.id, **values})

    def told(self):
        reminders = self.env["helpdesk.incident.reminder"].search([], order="id")
        return [(reminder.kind, reminder.quantity) for reminder in reminders]

    def mail(self):
        reminder = self.env["helpdesk.incident.reminder"].sudo().search([])
        reminder._send()
        return str(self.taken.message_ids.sorted("id")[-1].body)

    def test_accepted(self):
        """R17.4: the customer contests on the page of the ticket; the team is told by
        an activity, and nothing moves before it is accepted by an outcome that is not
        charged. Mail, page and statement say so."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.page(self.url)
        self.assertTrue(page.xpath("//details[@name='contest_form']"))
        page = self.post(f"{self.url}/contest", reason="Your update broke it")
        self.assertIn("We look at it", self.text(page, "//div[@name='open']"))
        self.assertFalse(page.xpath("//details[@name='contest_form']"))
        self.assertEqual(self.taken.incident_count, 1)
        activity = self.taken.activity_ids
        self.assertEqual(activity.user_id, self.agent)
        self.assertIn("Your update broke it", activity.note)
        self.assertIn(
            "Nora contests support incidents (1)", self.taken.incident_contest
        )
        contest = self.taken.incident_contest_ids
        self.assertEqual(
            self.taken.with_user(self.agent).action_incident_decide()["context"],
            {"default_contest_id": contest.id},
        )
        badge = "//div[@name='contested']"
        statement = self.page("/my/incidents/statement")
        self.assertEqual(self.text(statement, badge), "Contested")

        with self.assertRaisesRegex(Exception, "outcome that is not charged"):
            self.decide(contest, outcome_id=self.done.id).action_accept()
        self.decide(
            contest, outcome_id=self.defect.id, answer="Sorry, it was ours"
        ).action_accept()
        self.assertEqual(self.taken.incident_count, 0)
        self.assertEqual(contest.state, "accepted")
        self.assertEqual(contest.decided_by_id, self.agent)
        self.assertFalse(self.taken.activity_ids)
        self.assertFalse(self.taken.incident_contest)
        self.assertEqual(self.told(), [("accepted", 1)])
        body = self.mail()
        self.assertIn("Sorry, it was ours", body)
        self.assertIn("Defect of ours", body)
        page = self.page(self.url)
        self.assertIn("we agree", self.text(page, "//div[@name='accepted']"))
        self.assertIn("Sorry, it was ours", self.text(page, "//div[@name='answer']"))
        statement = self.page("/my/incidents/statement")
        self.assertEqual(self.text(statement, badge), "Contested: returned")
        self.assertIn("(Defect of ours)", self.text(statement, "//table"))

    def test_declined(self):
        """R17.4: declined with a reason, of which the customer is told; what is
        deducted later can be contested again."""
        contest = self.contest()
        with self.assertRaisesRegex(Exception, "Say why"):
            self.decide(contest, answer=" ").action_decline()
        self.decide(contest, answer="We worked for an hour").action_decline()
        self.assertEqual(self.taken.incident_count, 1)
        self.assertEqual(self.told(), [("declined", 1)])
        self.assertIn("We worked for an hour", self.mail())
        with self.assertRaisesRegex(Exception, "nothing to contest"):
            self.contest()
        self.taken.incident_count = 2
        self.assertEqual(self.contest().quantity, 2)

    def test_decided_once(self):
        """R17.4: what was decided is not decided again."""
        contest = self.contest()
        self.decide(contest, answer="No").action_decline()
        for action in ("action_accept", "action_decline"):
            wizard = self.decide(contest, outcome_id=self.defect.id, answer="Yes")
            with self.assertRaisesRegex(Exception, "decided already: Declined"):
                getattr(wizard, action)()
        # A form that shows the contest still shows it no more.
        action = self.taken.with_user(self.agent).action_incident_decide()
        self.assertEqual(action["tag"], "soft_reload")
        self.assertEqual(self.taken.incident_count, 1)

    def test_two_open(self):
        """R17.4: what was deducted and contested meanwhile is decided with the first:
        each is all that the ticket holds."""
        first = self.contest()
        self.taken.incident_count = 2
        second = self.contest("The second one, too")
        self.decide(second, outcome_id=self.defect.id).action_accept()
        self.assertEqual((first | second).mapped("state"), ["accepted"] * 2)
        self.assertEqual(self.told(), [("accepted", 2)])
        self.assertFalse(self.taken.activity_ids)
        self.assertFalse(self.taken.incident_contest)

    def test_accepted_in_the_ticket(self):
        """R17.4: who gives the ticket an outcome that is not charged has accepted; the
        mail about the outcome says so."""
        contest = self.contest()
        self.taken.with_user(self.agent).incident_outcome_id = self.done
        self.assertEqual(contest.state, "open")
        self.taken.with_user(self.agent).incident_outcome_id = self.defect
        self.assertEqual(contest.state, "accepted")
        self.assertEqual(contest.outcome_id, self.defect)
        self.assertEqual(contest.decided_by_id, self.agent)
        self.assertFalse(self.taken.activity_ids)
        self.assertEqual(self.told(), [("returned", 1)])

    def test_who_is_asked(self):
        """R17.4: a team of nobody: a manager, never the customer. What the customer
        types is text."""
        self.team.user_ids = False
        self.taken.with_user(self.user).sudo()._incident_do_contest(
            self.user, "1 < 2, and <a href='https://x.example'>free</a>"
        )
        activity = self.taken.activity_ids
        self.assertTrue(activity.user_id.has_group(MANAGERS))
        self.assertIn("1 &lt; 2, and &lt;a", activity.note)

    def test_once_for_each_deduction(self):
        """R17.4: once, within so many days, while it holds any."""
        with self.assertRaisesRegex(Exception, "Say why you contest it"):
            self.contest(" ")
        self.contest()
        with self.assertRaisesRegex(Exception, "nothing to contest"):
            self.contest()

    def test_too_late(self):
        """R17.4: the last day is the one so many days after it; 0 is never."""
        day = self.taken.incident_entry_ids.date
        self.assertTrue(self.taken._incident_contestable())
        for days, possible in ((14, True), (15, False)):
            with freeze_time(day + timedelta(days=days)):
                self.assertEqual(bool(self.taken._incident_contestable()), possible)
        self.company.incident_contest_days = 0
        self.assertFalse(self.taken._incident_contestable())
        self.company.incident_contest_days = 14
        self.taken.incident_count = 0
        self.assertFalse(self.taken._incident_contestable())

    def test_strangers(self):
        """R11.6: neither another customer nor a follower of the ticket."""
        with self.assertRaisesRegex(Exception, "nothing to contest"):
            self.contest(user=self.other_user)
        self.taken.message_subscribe(self.other_user.partner_id.ids)
        self.authenticate("hps-bella", "hps-bella")
        page = self.page(self.url)
        self.assertFalse(page.xpath("//section[@name='contest']"))
        self.post(f"{self.url}/contest", reason="It was not me")
        self.assertFalse(self.taken.incident_contest_ids)
        contest = self.contest()
        page = self.page(self.url)
        self.assertFalse(page.xpath("//section[@name='contest']"))
        self.assertNotIn("Your update broke it", page.text_content())
        with self.assertRaises(AccessError):
            contest.with_user(self.other_user).read(["reason"])
        own = new_test_user(
            self.env,
            "hps-own",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user_own",
        )
        self.taken.user_id = self.agent
        wizards = self.env["helpdesk.incident.contest.decide"].with_user(own)
        wizard = wizards.create({"contest_id": contest.id, "answer": "No"})
        with self.assertRaises(AccessError):
            wizard.action_decline()
        # R2.3: of a contest of another company nobody reads anything in the dialog.
        other = self.env["res.company"].create({"name": "Other"})
        own.write({"company_id": other.id, "company_ids": [Command.set(other.ids)]})
        foreign = wizards.create({"contest_id": contest.id})
        foreign.invalidate_recordset()
        with self.assertRaises(AccessError):
            foreign.read(["reason"])

    def test_without_a_reason(self):
        """R17.4: bad input says so; with GET the page of the ticket is shown."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.post(f"{self.url}/contest", reason="  ")
        self.assertIn(
            "Nothing was sent", self.text(page, "//div[@name='contested_no']")
        )
        page = self.page(f"{self.url}/contest")
        self.assertTrue(page.xpath("//details[@name='contest_form']"))
        self.assertFalse(self.taken.incident_contest_ids)
        link = self.page("/my/incidents/statement").xpath("//a[@name='contest']/@href")
        self.assertEqual(len(link), 1)
        self.assertTrue(link[0].endswith(f"{self.url}#contest"))
