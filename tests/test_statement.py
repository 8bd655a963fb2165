import csv
import io
import time
from datetime import date
from urllib.parse import urlencode

from freezegun import freeze_time
from lxml import html

from odoo.tests import HttpCase, tagged

from odoo.addons.helpdesk_paid_support.models.ledger.account_statement import GROUPS

from .common import PaidSupportCommon

PATH = "/my/incidents/statement"


class StatementCommon(PaidSupportCommon):
    """An account with entries of every kind, from March to May 2027.

    ========== =========================== ======= =======
    day        what                        number  balance
    ========== =========================== ======= =======
    March 1    lifetime, by hand               +20      20
    March 11   a month of 10 begins            +10      30
    March 15   a ticket                         −4      26
    April 1    2 of them returned               +2      28
    April 10   the month ends                   −8      20
    April 11   a month of 10 begins            +10      30
    April 20   5 lifetime taken back            −5      25
    May 2      a ticket                         −3      22
    ========== =========================== ======= =======
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time("2027-03-01"):
            cls.statement_account = cls.give_lifetime(20)
            for first, last in (
                (date(2027, 3, 11), date(2027, 4, 10)),
                (date(2027, 4, 11), date(2027, 5, 10)),
            ):
                cls.give_period(10, first, last)
        with freeze_time("2027-03-15"):
            ticket = cls.ticket(team=cls.free_team)
            ticket.incident_count = 4
        with freeze_time("2027-04-01"):
            ticket.incident_count = 2
        with freeze_time("2027-04-20"):
            cls.statement_account._adjust(-5, "Taken back")
        with freeze_time("2027-05-02"):
            cls.last_ticket = cls.ticket(team=cls.free_team, name="=1+1")
            cls.last_ticket.incident_count = 3

    def figures(self, since=None, until=None):
        return self.statement_account._statement_figures(
            since and date.fromisoformat(since), until and date.fromisoformat(until)
        )


class TestStatementFigures(StatementCommon):
    """R11.4: opening + given − used − lapsed − taken back = closing."""

    def test_everything(self):
        """R11.4: from the beginning, the closing balance is what there is."""
        self.assertEqual(
            self.figures(),
            {
                "opening": 0,
                "given": 40,
                "used": 5,
                "lapsed": 8,
                "taken": 5,
                "closing": 22,
            },
        )

    def test_a_month(self):
        """R3.7, R11.4: by the dates of the entries, first and last day included."""
        self.assertEqual(
            self.figures("2027-04-01", "2027-04-20"),
            {
                "opening": 26,
                "given": 10,
                "used": -2,
                "lapsed": 8,
                "taken": 5,
                "closing": 25,
            },
        )
        self.assertEqual(self.figures("2027-04-11", "2027-04-11")["given"], 10)

    def test_any_days(self):
        """R3.3: of any two days, opening and closing are the sums of the entries, the
        figures add up, and what closes one period opens the next."""
        entries = self.entry_model.search(
            [("account_id", "=", self.statement_account.id)]
        )
        days = [date(2027, month, day) for month in (2, 3, 4, 5) for day in (1, 11, 20)]
        for since in days:
            for until in (day for day in days if day >= since):
                figures = self.statement_account._statement_figures(since, until)

                def held(entries, until=until):
                    return sum(
                        entries.filtered(lambda e: e.date <= until).mapped("quantity")
                    )

                before = entries.filtered(lambda e, since=since: e.date < since)
                self.assertEqual(figures["opening"], sum(before.mapped("quantity")))
                self.assertEqual(figures["closing"], held(entries))
                self.assertEqual(
                    figures["closing"],
                    figures["opening"]
                    + figures["given"]
                    - figures["used"]
                    - figures["lapsed"]
                    - figures["taken"],
                )
                for group, sign in GROUPS.items():
                    listed = self.account_model._statement_filter(group, since, until)
                    lines = self.statement_account._statement(listed)
                    self.assertEqual(
                        sign * sum(line.quantity for line in lines), figures[group]
                    )

    def test_running_balance(self):
        """R11.4: each line has what the account held after it, whatever is left out."""
        lines = self.statement_account._statement()
        self.assertEqual(
            [(line.quantity, line.balance) for line in lines],
            [
                (-3, 22),
                (-5, 25),
                (10, 30),
                (-8, 20),
                (2, 28),
                (-4, 26),
                (10, 30),
                (20, 20),
            ],
        )
        used = self.account_model._statement_filter("used")
        self.assertEqual(
            [line.balance for line in self.statement_account._statement(used)],
            [22, 28, 26],
        )
        self.assertEqual(
            [line.balance for line in self.statement_account._statement(used, 1, 1)],
            [28],
        )

    def test_agrees_with_what_is_available(self):
        """R4.1, R11.4: today's closing balance is what tickets can use."""
        with freeze_time("2027-05-02"):
            self.env.invalidate_all()
            self.assertEqual(
                self.figures()["closing"], self.statement_account.available
            )

    def test_catch_up(self):
        """R9.3: the statement does not depend on when the scheduled action ran."""
        with freeze_time("2027-05-20"):
            self.env.invalidate_all()
            self.statement_account._catch_up()
            self.assertEqual(self.figures()["closing"], 15)
            self.assertEqual(self.statement_account.available, 15)
            count = self.statement_account._statement_count()
            self.statement_account._catch_up()
            self.assertEqual(self.statement_account._statement_count(), count)
        self.assertLedgerSound()

    def test_another_customer(self):
        """R11.6: no entry of anybody else."""
        other = self.give_lifetime(7, self.other_customer)
        self.assertEqual(other._statement_figures()["closing"], 7)
        self.assertEqual(len(other._statement()), 1)
        nobody = self.account_model.browse()
        self.assertEqual(nobody._statement(), [])
        self.assertEqual(nobody._statement_count(), 0)
        self.assertEqual(set(nobody._statement_figures().values()), {0})


@tagged("post_install", "-at_install")
class TestStatementPages(StatementCommon, HttpCase):
    """The statement as a browser without JavaScript sees it (R11.4)."""

    def setUp(self):
        super(PaidSupportCommon, self).setUp()
        self.startPatcher(freeze_time("2027-05-02 10:00:00", tick=True))
        self.authenticate("hps-nora", "hps-nora")

    def get(self, path="", status=200, **query):
        response = self.url_open(f"{PATH}{path}?{urlencode(query)}")
        self.assertEqual(response.status_code, status)
        return response

    def page(self, path="", **query):
        return html.fromstring(self.get(path, **query).text)

    def text(self, page, xpath):
        return " ".join(" ".join(page.xpath(f"{xpath}//text()")).split())

    def numbers(self, page):
        return [
            " ".join(cell.text_content().split()).replace("\N{MINUS SIGN}", "-")
            for cell in page.xpath("//main//tbody/tr/td[4]")
        ]

    def csv(self, **query):
        response = self.get("/csv", **query)
        text = response.content.decode("utf-8-sig")
        return response, list(csv.reader(io.StringIO(text)))

    def test_everything(self):
        """R11.4: every entry, newest first, and the figures."""
        page = self.page()
        self.assertEqual(
            self.numbers(page), ["-3", "-5", "+10", "-8", "+2", "-4", "+10", "+20"]
        )
        for name, words in (
            ("opening", "0"),
            ("given", "+ 40"),
            ("used", "− 5"),
            ("lapsed", "− 8"),
            ("taken", "− 5"),
            ("closing", "22"),
        ):
            self.assertEqual(self.text(page, f"//dd[@name='{name}']"), words)

    def test_groups(self):
        """R11.4: each filter lists what its figure sums."""
        for group, numbers in (
            ("given", ["+10", "+10", "+20"]),
            ("used", ["-3", "+2", "-4"]),
            ("lapsed", ["-8"]),
            ("taken", ["-5"]),
        ):
            page = self.page(group=group)
            self.assertEqual(self.numbers(page), numbers)
            # The figures are those of the period, whatever is listed.
            self.assertEqual(self.text(page, "//dd[@name='closing']"), "22")
            current = page.xpath("//*[@name='groups']//a[@aria-current='page']")
            self.assertIn(f"group={group}", current[0].get("href"))

    def test_days(self):
        """R11.4: from–to, both included."""
        page = self.page(since="2027-04-01", until="2027-04-20")
        self.assertEqual(self.numbers(page), ["-5", "+10", "-8", "+2"])
        self.assertEqual(self.text(page, "//dd[@name='opening']"), "26")
        self.assertEqual(self.text(page, "//dd[@name='closing']"), "25")
        self.assertIn("Balance before Apr 1, 2027", self.text(page, "//dl"))
        self.assertIn("Balance on Apr 20, 2027", self.text(page, "//dl"))

    def test_last_day_in_the_future(self):
        """R11.4: of days to come nothing is known, so none is claimed."""
        page = self.page(until="2099-12-31")
        self.assertIn("Balance today", self.text(page, "//dl"))

    def test_search(self):
        """R11.4: in the descriptions; signs of patterns mean themselves."""
        self.assertEqual(self.numbers(self.page(search="taken")), ["-5"])
        self.assertEqual(
            self.numbers(self.page(search=self.last_ticket.number)), ["-3"]
        )
        for words in ("%", "_", "\\", "'", '"', "nothing like this"):
            self.assertEqual(self.numbers(self.page(search=words)), [], words)

    def test_paging_keeps_filters(self):
        """R11.4: the second page is one of the same entries."""
        for _n in range(90):
            self.statement_account._adjust(1, "One & more")
        query = {"group": "given", "search": "One & more", "since": "2027-05-01"}
        page = self.page(**query)
        self.assertEqual(len(self.numbers(page)), 80)
        links = page.xpath("//*[hasclass('o_portal_pager')]//a/@href")
        second = next(link for link in links if "/page/2" in link)
        page = html.fromstring(self.url_open(second).text)
        self.assertEqual(self.numbers(page), ["+1"] * 10)
        self.assertEqual(
            page.xpath("//input[@name='search']/@value"), [query["search"]]
        )
        # Beyond the last page is the last page.
        for number in (3, 10**9, 10**30):
            self.assertEqual(
                len(self.numbers(self.page(f"/page/{number}", **query))), 10
            )
        self.assertEqual(len(self.numbers(self.page("/page/0", **query))), 80)

    def test_bad_days(self):
        """R11.4: a clear message, and nothing that could be taken for an answer."""
        for query, words in (
            ({"since": "abc"}, "“abc” is no date"),
            ({"until": "2027-02-30"}, "“2027-02-30” is no date"),
            ({"since": "31.12.2026"}, "“31.12.2026” is no date"),
            ({"since": "2027-W01-1"}, "is no date"),
            ({"since": "20270101"}, "is no date"),
            ({"since": "٢٠٢٧-٠١-٠١"}, "is no date"),
            ({"since": "0000-00-00"}, "is no date"),
            ({"since": "9" * 5000}, "is no date"),
            ({"since": "2027-04-20", "until": "2027-04-01"}, "is after the last day"),
            ({"since": "2027-06-01"}, "in the future"),
            ({"since": "9999-12-31"}, "in the future"),
        ):
            with self.subTest(query=str(query)[:60]):
                page = self.page(**query)
                self.assertIn(words, self.text(page, "//*[@name='error']"))
                self.assertFalse(page.xpath("//dl | //main//table"))
                # No file, nor paper, of something else either.
                for path in ("/csv", "/print"):
                    page = self.page(path, **query)
                    self.assertIn(words, self.text(page, "//*[@name='error']"))

    def test_odd_parameters(self):
        """R11.4: what makes no sense is ignored, and never breaks anything."""
        for query in (
            {"group": "nonsense"},
            {"group": ["given", "used"]},
            {"search": "\x00"},
            {"search": " "},
            {"since": "\x00"},
            {"since": "  "},
            {"until": "9999-12-31"},
            {"since": "0001-01-01"},
            {"account_id": self.account(self.other_customer).id},
            {"sortby": "nonsense", "filterby": "x", "page": "abc", "debug": "1"},
        ):
            with self.subTest(query=query):
                response = self.url_open(f"{PATH}?{urlencode(query, doseq=True)}")
                self.assertEqual(response.status_code, 200)
                self.assertTrue(self.numbers(html.fromstring(response.text)))
        self.assertFalse(self.numbers(self.page(search="x" * 5000)))
        for path in ("?search=%ff%fe", "?since=%ff", "?search=%ED%A0%80"):
            self.assertEqual(self.url_open(f"{PATH}{path}").status_code, 200)
        self.get("/page/abc", status=404)

    def test_empty_states(self):
        """R11.4: an empty list says what to do."""
        words = self.text(self.page(search="nothing like this"), "//main")
        self.assertIn("No entry of this period matches.", words)
        page = self.page(since="2026-01-01", until="2026-12-31")
        self.assertIn("Nothing happened in this period.", self.text(page, "//main"))
        self.assertTrue(
            page.xpath(f"//*[@name='no_matches']/a[@href='{PATH}']"),
        )
        self.authenticate("hps-bella", "hps-bella")
        self.assertIn("Nothing has happened yet", self.text(self.page(), "//main"))
        for path in ("/print", "/csv"):
            self.get(path)

    def test_csv(self):
        """R11.4: what is filtered, for spreadsheets; numbers are numbers."""
        response, rows = self.csv(since="2027-04-01", until="2027-05-02")
        self.assertTrue(response.content.startswith(b"\xef\xbb\xbf"))
        self.assertEqual(response.headers["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn(
            "incidents_2027-04-01_2027-05-02.csv",
            response.headers["Content-Disposition"],
        )
        self.assertIn("attachment", response.headers["Content-Disposition"])
        self.assertEqual(rows[0][-2:], ["Incidents", "Balance"])
        self.assertEqual(
            rows[1],
            [
                "2027-05-02",
                "Used",
                f"Ticket {self.last_ticket.number}: =1+1",
                self.last_ticket.number,
                "2027-05-10",
                "-3",
                "22",
            ],
        )
        self.assertEqual([int(row[5]) for row in rows[1:]], [-3, -5, 10, -8, 2])
        _response, rows = self.csv(group="lapsed")
        self.assertEqual([row[5] for row in rows[1:]], ["-8"])

    def test_csv_is_no_formula(self):
        """R11.4: texts that a spreadsheet would take for a formula are texts."""
        reasons = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/c calc'!A0")
        for reason in reasons:
            self.statement_account._adjust(1, reason)
        _response, rows = self.csv(since="2027-05-01", group="given")
        self.assertEqual(len(rows), len(reasons) + 1)
        for row in rows[1:]:
            self.assertNotIn(row[2].strip()[0], "=+-@")
            self.assertEqual(int(row[5]), 1)

    def test_csv_is_no_formula_with_another_separator(self):
        """R11.4: nor where somebody reads it with semicolons or tabs."""
        for text in (
            "x;=1+1",
            "x;=cmd|' /C calc'!A0;",
            "x; +1",
            'x;"=1+1"',
            "x\t=1",
            "x\n=1+1",
            "x,@SUM(A1)",
            'x,"\n-1',
        ):
            self.statement_account._adjust(1, text)
        response, rows = self.csv(since="2027-05-01", group="given")
        self.assertEqual(len(rows), 9)
        for separator in ",;\t":
            for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
                for row in csv.reader(
                    io.StringIO(response.text), delimiter=separator, quoting=quoting
                ):
                    for cell in row:
                        # Excel drops what stands in quotation marks around.
                        start = cell.strip().strip('"').strip()[:1]
                        self.assertNotIn(start, set("=+-@"), cell)

    def test_csv_is_no_formula_in_other_characters(self):
        """R11.4: nor with what only looks like the sign of one, or what nobody sees
        before it; what is seen stays as it was typed."""
        signs = ["=", *"＝﹦⁼₌＋﹢⁺₊﬩－﹣⁻₋−＠﹫"]
        before = [
            *("", "\u200b", "\ufeff", "\u2060", "\u00ad", "\u200e", "\u202e", "\u180e"),
            *("\u00a0", "\u3000", "\u2003", "\u202f", "\x0b", "\x0c", "\x1f", "\x85"),
            *("\u2028", "\u2029", "\u034f", "\ufe0f", "\u115f", "\u3164", "\u2800"),
            *("x；", "x，", "x;\u200b", "\u200b \ufeff", "＂", "x\n\u200b"),
            *("\ue000", "\U000e0001", "\U000e0fff"),
        ]
        texts = {f"{first}=1+1": f"{first}'=1+1" for first in before}
        texts |= {f"{sign}1+1": f"'{sign}1+1" for sign in signs}
        texts |= {f"\u200b{sign}1": f"\u200b'{sign}1" for sign in signs}
        for harmless in ("Größe＝1", "a\u200b=b", "Žluťoučký－kůň", "≠1", "①=1", "…-1"):
            texts[harmless] = harmless
        for text in texts:
            self.statement_account._adjust(1, text)
        _response, rows = self.csv(since="2027-05-01", group="given")
        # newest first
        for typed, row in zip(reversed(texts), rows[1:], strict=True):
            with self.subTest(typed=ascii(typed)):
                self.assertEqual(row[2], texts[typed])

    def test_csv_is_quick(self):
        """R11.4: however long a text is, and whatever it consists of."""
        self.statement_account._adjust(1, "\t" * 100_000)
        start = time.monotonic()
        self.csv(since="2027-05-01", group="given")
        self.assertLess(time.monotonic() - start, 10)

    def test_csv_language(self):
        """R11.4: texts that are not ASCII come whole."""
        self.statement_account._adjust(1, "Žluťoučký kůň; „quoted“, and\nmore")
        _response, rows = self.csv(search="kůň")
        self.assertEqual(rows[1][2], "Žluťoučký kůň; „quoted“, and\nmore")

    def test_print(self):
        """R11.4: provider, customer and period stand above; all on one page."""
        for _n in range(90):
            self.statement_account._adjust(1, "One more")
        page = self.page("/print", since="2027-04-01", until="2027-05-02")
        self.assertEqual(len(self.numbers(page)), 95)
        self.assertIn(
            self.company.partner_id.name, self.text(page, "//*[@name='provider']")
        )
        self.assertIn("Northwind", self.text(page, "//*[@name='customer']"))
        self.assertEqual(
            self.text(page, "//*[@name='period']"), "From Apr 1, 2027 to May 2, 2027"
        )
        self.assertFalse(page.xpath("//*[hasclass('o_portal_pager')]"))
        self.assertTrue(page.xpath("//body[hasclass('o_incident_print')]"))
        page = self.page("/print", group="used", search="Ticket")
        words = self.text(page, "//*[@name='filtered']")
        self.assertIn("“Used”", words)
        self.assertIn("“Ticket”", words)

    def test_language(self):
        """R11.4: dates as the customer writes them."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.portal_user.lang = "fr_FR"
        self.authenticate("hps-nora", "hps-nora")
        page = self.page(since="2027-04-01")
        self.assertIn("avr. 2027", self.text(page, "//dl"))
