import re

from lxml import html

from odoo.tests import tagged

from .common_subscription import SubscriptionCommon
from .test_buy import BuyCommon

#: What the plans are in words, by language (R8.6).
PACK = {"en_US": "10 lifetime incidents", "de_DE": "10 unbefristete Supportfälle"}
MONTHS = {
    "en_US": "10 incidents every month for 3 months",
    "de_DE": "10 Supportfälle pro Monat für 3 Monate",
}
DAYS = {
    "en_US": "Apr 11, 2027 – Jul 10, 2027",
    "de_DE": "11.04.2027 – 10.07.2027",
}


def text(page):
    return " ".join(html.fromstring(page).text_content().split())


@tagged("post_install", "-at_install")
class TestWords(BuyCommon, SubscriptionCommon):
    """R8.6: the words of what was bought stand there once, in the reader's language,
    whatever language the document was written in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("de_DE")
        cls.user.lang = "en_US"
        cls.customer.lang = "en_US"

    def pdf(self, report, record):
        content, _type = self.env["ir.actions.report"]._render_qweb_html(
            report, record.ids
        )
        return text(content)

    def portal(self, record):
        # What the page of an invoice shows is a page of its own.
        shown = "html" if record._name == "account.move" else None
        response = self.url_open(record.get_portal_url(report_type=shown))
        return text(response.content.decode())

    def assertOnce(self, page, *words, language):
        for in_languages in words:
            for code, word in in_languages.items():
                found = len(re.findall(re.escape(word), page))
                self.assertEqual(found, int(code == language), f"{word} ({language})")

    def read_in(self, language, record, report, *words):
        """Look at what staff, the customer, and the customer's printer get."""
        self.customer.lang = language
        self.user.lang = language
        self.env.invalidate_all()
        self.assertOnce(self.pdf(report, record), *words, language=language)
        self.authenticate(self.user.login, self.user.login)
        self.assertOnce(self.portal(record), *words, language=language)

    def test_order(self):
        """R8.6: an order in English read in German, and one in German in English."""
        for written, read in (("en_US", "de_DE"), ("de_DE", "en_US")):
            self.customer.lang = written
            order = self.quotation(self.pack, self.months)
            order.action_quotation_sent()
            self.assertIn(PACK[written], order.order_line[0].name)
            for language in (written, read):
                with self.subTest(written=written, read=language):
                    self.read_in(
                        language,
                        order,
                        "sale.action_report_saleorder",
                        PACK,
                        MONTHS,
                    )

    def test_invoice(self):
        """R8.6: with the days of a term that is paid already, and after it is paid."""
        for written, read in (("en_US", "de_DE"), ("de_DE", "en_US")):
            self.customer.lang = written
            order = self.quotation(self.pack, self.months)
            self.transaction(order)
            invoice = self.bill(order)
            later = self.bill(self.order(self.pack, self.months))
            self.register(later)
            for language in (written, read):
                for move in (invoice, later):
                    with self.subTest(written=written, read=language):
                        self.read_in(
                            language,
                            move,
                            "account.account_invoices",
                            PACK,
                            MONTHS,
                            DAYS,
                        )

    def test_german_contact_on_an_english_page(self):
        """R8.6: a contact whose language is German, and staff who read English."""
        self.customer.lang = "de_DE"
        order = self.quotation(self.pack)
        order.action_quotation_sent()
        line = order.order_line
        self.assertFalse(line.with_context(lang="en_US").incident_note)
        self.user.lang = "en_US"
        self.authenticate(self.user.login, self.user.login)
        self.assertOnce(self.portal(order), PACK, language="en_US")
        # What staff have written stays what they have written.
        line.name = (
            "10 unbefristete Supportfälle für Sie, 110 unbefristete Supportfälle"
        )
        page = self.portal(order)
        self.assertIn("10 lifetime incidents für Sie", page)
        self.assertIn("110 unbefristete Supportfälle", page)
        line.name = "Support"
        self.assertOnce(self.portal(order), PACK, language="en_US")

    def test_what_it_does_with_a_subscription(self):
        """R8.6, R9: renewals, extra incidents, changes and their credit."""
        subscription = self.bought(customer=self.customer)
        for order_by, words in (
            (
                lambda: subscription._order_renewal(),
                {"en_US": "Renewal of Standard", "de_DE": "Verlängerung von Standard"},
            ),
            (
                lambda: subscription._order_extra(2),
                {
                    "en_US": "2 more incidents in each of 3 months",
                    "de_DE": "2 zusätzliche Supportfälle in jedem von 3 Monaten",
                },
            ),
            (
                lambda: subscription._order_change(self.business),
                {
                    "en_US": "credit for 20 incidents of the old plan",
                    "de_DE": "Gutschrift für 20 Supportfälle des alten Tarifs",
                },
            ),
        ):
            self.customer.lang = "en_US"
            order = order_by()
            with self.subTest(words["en_US"]):
                self.assertIn(words["en_US"], str(order.order_line.mapped("name")))
                for language in ("en_US", "de_DE"):
                    self.read_in(language, order, "sale.action_report_saleorder", words)
