import re
from datetime import date, timedelta

from freezegun import freeze_time
from lxml import html

from odoo.tests import HttpCase, tagged

from odoo.addons.helpdesk_paid_support.models.overview.account_history import MONTHS

from .common import PaidSupportCommon
from .common_subscription import SubscriptionCommon
from .test_statement import StatementCommon

MAY_2 = date(2027, 5, 2)
SVG = "//*[local-name()='svg'][@name='%s']"


class TestHistoryNumbers(StatementCommon):
    """R22.1: what was used, lapsed and left by month, from the same entries as the
    statement."""

    def setUp(self):
        super().setUp()
        self.startPatcher(freeze_time(MAY_2))

    def history(self, customer=None):
        return self.account(customer)._history()

    def by_month(self, name):
        return {
            month.first.isoformat()[:7]: getattr(month, name)
            for month in self.history().months
            if getattr(month, name)
        }

    def test_sums(self):
        """R22.1: the numbers of each month, what was returned counted where it was."""
        self.assertEqual(
            self.by_month("used"), {"2027-03": 4, "2027-04": -2, "2027-05": 3}
        )
        self.assertEqual(self.by_month("lapsed"), {"2027-04": 8})
        self.assertEqual(
            self.by_month("left"), {"2027-03": 26, "2027-04": 25, "2027-05": 22}
        )

    def test_as_the_statement(self):
        """R22.1, R11.4: each month says what its statement says, and the ledger."""
        history = self.history()
        self.assertEqual(len(history.months), MONTHS)
        self.assertEqual(history.months[-1].last, MAY_2)
        account = self.statement_account
        for month in history.months:
            figures = account._statement_figures(month.first, month.last)
            self.assertEqual(
                (month.used, month.lapsed, month.left),
                (figures["used"], figures["lapsed"], figures["closing"]),
                month.first,
            )
            entries = self.entry_model.search(
                [
                    ("account_id", "=", account.id),
                    ("date", ">=", month.first),
                    ("date", "<=", month.last),
                ]
            )
            for number, effect in ((month.used, "uses"), (month.lapsed, "lapses")):
                found = entries.filtered(lambda e, effect=effect: e.effect == effect)
                self.assertEqual(number, -sum(found.mapped("quantity")))
        self.assertEqual(history.used, 5)
        self.assertEqual(history.lapsed, 8)

    def test_day_of_the_company(self):
        """R22.1, R3.7: what was used at night counts on the day of the company."""
        self.company.partner_id.tz = "Pacific/Auckland"
        with freeze_time("2027-06-30 20:00:00"):  # July there
            self.ticket(team=self.free_team).incident_count = 1
            self.assertEqual(self.by_month("used")["2027-07"], 1)
            self.assertNotIn("2027-06", self.by_month("used"))

    def test_nothing_used(self):
        """R22.1: nothing is drawn for who has used nothing."""
        self.assertIsNone(self.history(self.other_customer))
        self.give_lifetime(5, self.other_customer)
        self.assertIsNone(self.history(self.other_customer))
        self.assertIsNone(self.account_model.browse()._history())

    def test_people(self):
        """R22.1, R11.6: contacts of the customer by name, others by none; together they
        used what the months say."""
        colleague = self.env["res.partner"].create(
            {"name": "Nils", "parent_id": self.customer.id}
        )
        self.ticket(self.free_team, colleague).incident_count = 6
        moved = self.ticket(self.free_team)
        moved.incident_count = 2
        self.env.flush_all()
        # Its contact belongs to somebody else by now.
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET partner_id = %s WHERE id = %s",
            [self.other_portal_user.partner_id.id, moved.id],
        )
        self.env.invalidate_all()
        history = self.history()
        self.assertEqual(
            [(person.name, person.used, person.share) for person in history.people],
            [("Nils", 6, 100), (self.portal_user.name, 5, 83), ("Others", 2, 33)],
        )
        self.assertEqual(sum(p.used for p in history.people), history.used)

    def test_people_of_others(self):
        """R11.6: each customer sees its own contacts."""
        bella = self.other_portal_user.partner_id
        self.give_lifetime(3, self.other_customer)
        self.ticket(self.free_team, bella).incident_count = 1
        for customer, own in (
            (self.customer, self.portal_user),
            (self.other_customer, self.other_portal_user),
        ):
            names = [person.name for person in self.history(customer).people]
            self.assertEqual(names, [own.name])

    def test_curve(self):
        """R22.1: what was left ends where what is expected begins; a dot shows until
        when it lasts."""
        with freeze_time("2027-05-20"):
            self.env.invalidate_all()
            self.account()._catch_up()
            account = self.account()
            history = account._history()
            forecast = account._forecast()
        self.assertTrue(forecast.until)
        curve = history.curve
        begin = re.match(r"M([\d.]+) ([\d.]+)L", curve.ahead)
        end = re.search(r"H([\d.]+)V([\d.]+)$", curve.behind)
        self.assertEqual(begin.groups(), end.groups())
        self.assertEqual(curve.today, float(end[1]))
        self.assertGreater(curve.end[0], curve.today)
        self.assertIn("runs out about", curve.end[2])
        # (The lifetime incidents; the month ended on May 10.)
        self.assertEqual(history.months[-1].left, 15)

    def test_nothing_between_two_months(self):
        """R22.1: one month follows the other: nothing is missing in between."""
        balances = dict(self.statement_account._statement_balances(date(2027, 3, 1)))
        self.assertEqual(
            {day.isoformat(): number for day, number in balances.items()},
            {
                "2027-02-28": 0,
                "2027-03-01": 20,
                "2027-03-11": 30,
                "2027-03-15": 26,
                "2027-04-01": 28,
                "2027-04-11": 30,
                "2027-04-20": 25,
                "2027-05-02": 22,
            },
        )


@tagged("post_install", "-at_install")
class TestHistoryPlan(SubscriptionCommon):
    """R22.1: what the plan gives, and what comes."""

    def test_plan(self):
        """R22.1: a line for what the plan gives in each month, from the first on."""
        with freeze_time("2027-04-11 10:00:00"):
            subscription = self.bought()
        account = subscription.account_id
        with self.on("2027-05-20"):
            self.use(4)
            self.env.invalidate_all()
            account._catch_up()
            history = account._history()
            windows = account._ahead()
        each = subscription.incidents_per_period
        planned = {str(m.first): m.planned for m in history.months if m.planned}
        self.assertEqual(planned, {"2027-04-01": each, "2027-05-01": each})
        self.assertTrue(history.planned)
        self.assertEqual(
            [column.line is None for column in history.columns],
            [True] * 10 + [False] * 2,
        )
        # What is paid for begins: a step.
        self.assertEqual(len(windows.filtered(lambda w: w.to_grant)), 1)
        self.assertEqual(
            [(str(day), left) for day, left in history.expected],
            [("2027-05-31", each - 4), ("2027-06-30", each)],
        )

    def test_quarters(self):
        """R22.1, R15.2: what a period of several months has is spread over them."""
        self.months.write({"incident_period_months": 3, "incident_quantity": 30})
        with freeze_time("2027-01-31 10:00:00"):
            subscription = self.bought()
        account = subscription.account_id
        with self.on("2027-04-15"):
            self.use(4)
            self.env.invalidate_all()
            history = account._history()
        planned = {str(m.first)[:7]: m.planned for m in history.months if m.planned}
        self.assertEqual(planned, {"2027-01": 10, "2027-02": 10, "2027-03": 10})


@tagged("post_install", "-at_install")
class TestHistoryPage(StatementCommon, HttpCase):
    """R22.1: the pictures in the client area: drawn by the server, without scripts."""

    def setUp(self):
        super(PaidSupportCommon, self).setUp()
        self.startPatcher(freeze_time(f"{MAY_2} 10:00:00", tick=True))

    def page(self, login="hps-nora", language=None):
        if language:
            self.env["res.lang"]._activate_lang(language)
            self.portal_user.lang = language
        self.authenticate(login, login)
        return html.fromstring(self.url_open("/my/incidents").text)

    def test_bars(self):
        """R22.1: each bar leads to its entries; the table has the same numbers."""
        page = self.page()
        [bars] = page.xpath(SVG % "bars")
        links = bars.xpath(".//a/@href")
        self.assertEqual(len(bars.xpath(".//*[hasclass('o_incident_column')]")), MONTHS)
        self.assertEqual(
            links,
            [
                "/my/incidents/statement?since=2027-03-01&until=2027-03-31",
                "/my/incidents/statement?since=2027-04-01&until=2027-04-30",
                f"/my/incidents/statement?since=2027-05-01&until={MAY_2}",
            ],
        )
        self.assertIn(
            "April 2027: used -2, lapsed 8",
            [title.text for title in bars.xpath(".//*[local-name()='title']")],
        )
        [table] = page.xpath("//details[@name='history_table']//table")
        self.assertTrue(table.xpath("./caption"))
        rows = [
            [" ".join(cell.text_content().split()) for cell in row]
            for row in table.xpath(".//tbody/tr")
        ]
        self.assertIn(["March 2027", "4", "0", "26"], rows)
        self.assertIn(["April 2027", "-2", "8", "25"], rows)
        for link, words in (
            (table.xpath(".//a[contains(@href, 'group=used')]/@href")[0], "Used"),
            (table.xpath(".//a[contains(@href, 'group=lapsed')]/@href")[0], "Lapsed"),
        ):
            statement = html.fromstring(self.url_open(link).text)
            found = statement.xpath("//table//td//div[hasclass('text-muted')]")
            self.assertTrue(found)
            for cell in found:
                self.assertIn(words, cell.text_content())

    def test_curve(self):
        """R22.1: one path for what was, one for what is expected."""
        [curve] = self.page().xpath(SVG % "curve")
        self.assertEqual(len(curve.xpath(".//*[local-name()='path']")), 2)
        self.assertEqual(curve.get("role"), "img")

    def test_people(self):
        """R22.1: who used how many."""
        [people] = self.page().xpath("//ul[@name='people']")
        self.assertIn(self.portal_user.name, people.text_content())

    def test_empty(self):
        """R22.1: nothing is drawn for a customer who has used nothing; nothing of
        others is shown (R11.6)."""
        page = self.page("hps-bella")
        self.assertFalse(page.xpath("//section[@name='history']"))

    def test_right_to_left(self):
        """R22.1: where one reads from right to left, the last month is at the left."""

        def places(page):
            [bars] = page.xpath(SVG % "bars")
            return [
                float(x.rstrip("%"))
                for x in bars.xpath(".//*[hasclass('o_incident_column')]/@x")
            ]

        left = places(self.page())
        self.assertEqual(left, sorted(left))
        right = places(self.page(language="he_IL"))
        self.assertEqual(right, sorted(right, reverse=True))


@tagged("post_install", "-at_install")
class TestHistoryQueries(PaidSupportCommon):
    """R22.1: as many queries for years of entries as for some."""

    unsound = "its entries are written without their allotments' numbers"

    def test_queries(self):
        """R22.1: 10 entries or some hundreds: the same number of queries."""
        few, many = self.give_lifetime(5), self.give_lifetime(9999, self.other_customer)
        for account, number in ((few, 3), (many, 300)):
            partner = account.partner_id.child_ids[:1]
            ticket = self.ticket(self.free_team, partner)
            ticket.incident_count = 1
            entry = self.entry_model.search(
                [("account_id", "=", account.id), ("kind", "=", "deduction")]
            )
            self.env.cr.execute(
                """
                INSERT INTO helpdesk_incident_entry
                       (account_id, allotment_id, date, kind, effect, quantity, name,
                        ticket_id, res_model, res_id, user_id, cause_key, cause_number)
                SELECT account_id, allotment_id, date - n, kind, effect, quantity, name,
                       ticket_id, res_model, res_id, user_id, cause_key,
                       cause_number + n
                  FROM helpdesk_incident_entry, generate_series(1, %s) n
                 WHERE id = %s
                """,
                [number, entry.id],
            )
        counts, today = {}, few._today()
        for account in (few, many, few, many):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            history = account._history()
            counts[account] = self.env.cr.sql_log_count - before
        self.assertEqual(history.used, 301)
        self.assertEqual(counts[few], counts[many])
        self.assertLess(history.months[0].first, today - timedelta(days=300))
