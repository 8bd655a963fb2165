from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged
from odoo.tools import html2plaintext

from odoo.addons.helpdesk_paid_support.models.ledger.account_settle import Cause

from .test_buy import BuyCommon

PAGE = "/my/incidents/statement"


@tagged("post_install", "-at_install")
class TestStatementMail(BuyCommon):
    """R22.3: the statement of each month by e-mail, for who has asked for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact = cls.user.partner_id
        cls.colleague = cls._portal_user("nils", cls.customer).partner_id
        with freeze_time("2027-04-11 10:00:00"):
            cls.account = cls.incident_account()
            cls.account._adjust(5, "A gift in April")

    def run_on(self, day):
        """Run the scheduled action.

        :return: the statements that were mailed: to whom, and with what.
        """
        before = self.mails()
        with freeze_time(f"{day} 10:00:00"), self.enter_registry_test_mode():
            self.env.ref(
                "helpdesk_paid_support.ir_cron_incident_remind"
            ).method_direct_trigger()
        self.env.invalidate_all()
        return [
            (mail.recipient_ids, html2plaintext(mail.body_html))
            for mail in self.mails() - before
        ]

    def mails(self):
        return self.env["mail.mail"].search(
            [("subject", "like", "support incidents in")]
        )

    def test_statement_of_a_month(self):
        """R22.3, R11.4: what came and went, and what it sums to; once."""
        self.contact.incident_statement_by_mail = True
        with freeze_time("2027-05-03 10:00:00"):
            self.use(2)
        self.assertEqual(len(self.run_on("2027-05-02")), 1)
        with freeze_time("2027-05-20 10:00:00"):
            self.use(1)
        ((to, text),) = self.run_on("2027-06-01")
        self.assertEqual(to, self.contact)
        words = " ".join(text.split())
        self.assertIn("Balance before May 1, 2027 5", words)
        self.assertIn("Balance on May 31, 2027 2", words)
        self.assertLess(words.index("−2"), words.index("−1"))
        self.assertIn("/my/incidents/statement?since=2027-05-01&until=2027-05-31", text)
        self.assertEqual(self.run_on("2027-06-01") + self.run_on("2027-06-02"), [])
        ((_to, text),) = self.run_on("2027-07-07")
        self.assertIn("Nothing happened in this month", text)

    def test_who_asks_late_gets_the_next_one(self):
        self.contact.incident_statement_by_mail = True
        self.assertEqual(self.run_on("2027-05-08"), [])
        self.assertEqual(len(self.run_on("2027-06-07")), 1)

    def test_lapses_are_in_it(self):
        """R9.3: whether the other scheduled action has run or not."""
        self.contact.incident_statement_by_mail = True
        with freeze_time("2027-04-11 10:00:00"):
            plan = Cause(
                account=self.account,
                key="test:plan",
                target=3,
                kind="period",
                name="A plan",
                date_from=date(2027, 4, 11),
                date_to=date(2027, 4, 30),
            )
            self.account_model._settle([plan])
        ((_to, text),) = self.run_on("2027-05-01")
        self.assertIn("Balance on Apr 30, 2027", " ".join(text.split()))
        with freeze_time("2027-05-01 10:00:00"):
            figures = self.account._statement_figures()
        self.assertEqual(figures["lapsed"], 3)

    def test_everybody_their_own(self):
        """R11.6: each contact of the customer, in the own language; nobody who has
        stopped it, has left, or belongs to another customer by now."""
        both = self.contact | self.colleague
        both.incident_statement_by_mail = True
        mails = self.run_on("2027-05-01")
        self.assertEqual({to for to, _text in mails}, set(both))
        self.colleague.parent_id = False
        self.contact.incident_statement_by_mail = False
        self.assertEqual(self.run_on("2027-06-01"), [])

    def test_asked_for_in_the_client_area(self):
        """R22.3: by the user, for nobody else, and stopped again."""
        self.authenticate(self.user.login, self.user.login)
        for wanted in ("on", "off", "on"):
            page = self.post(f"{PAGE}/mail", wanted=wanted)
            self.assertEqual(
                (
                    self.contact.incident_statement_by_mail,
                    self.colleague.incident_statement_by_mail,
                ),
                (wanted == "on", False),
            )
            said = self.text(page, "//form[@id='mail']")
            self.assertEqual("is sent to" in said, wanted == "on")
        # Looking changes nothing, nor does nonsense.
        self.page(f"{PAGE}/mail?wanted=off")
        self.post(f"{PAGE}/mail", wanted="perhaps")
        self.assertTrue(self.contact.incident_statement_by_mail)
        self.contact.email = False
        page = self.page(PAGE)
        self.assertIn("add your address", self.text(page, "//form[@id='mail']"))
