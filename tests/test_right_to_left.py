import re

from lxml import html

from odoo.tests import tagged

from .test_buy import BuyCommon

#: A number with its sign, an arrow or a currency, as it stands in a page.
SIGNED = re.compile(r"[+\N{MINUS SIGN}-]\s*\d|\d\s*[→$€]|[$€]\s*[\d-]")
#: What keeps the direction of what is in it to itself.
ISOLATED = "ancestor-or-self::*[self::bdi or @dir or hasclass('oe_currency_value')]"


@tagged("post_install", "-at_install")
class TestRightToLeft(BuyCommon):
    """R11.4: numbers and signs stand right where one reads from right to left, and a
    page is called what it shows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("he_IL")
        cls.user.lang = "he_IL"

    def pages(self):
        """Return the customer's pages with something on each."""
        order = self.order(self.pack, self.months)
        self.register(self.bill(order))
        refused = self.order(self.pack)
        self.register(self.bill(refused)).action_draft()
        self.order(self.pack)
        self.pay(20)
        self.use(3)
        self.authenticate("hps-nora", "hps-nora")
        for address in self.client_area_of(self.subscription(order)):
            response = self.url_open(address)
            self.assertEqual(response.status_code, 200, address)
            yield address, html.fromstring(response.text)

    def test_pages(self):
        """R11.4: each page is turned, and each number with a sign is kept apart from
        the text around it."""
        titles = {}
        for address, page in self.pages():
            with self.subTest(address=address):
                self.assertTrue(page.xpath("//*[hasclass('o_rtl')]"))
                for node in page.xpath("//main//*[not(self::script)]/text()"):
                    # Where there are words, they say which way it is read.
                    bare = not any(map(str.isalpha, node))
                    if bare and SIGNED.search(node):
                        parent = node.getparent()
                        self.assertTrue(
                            parent.xpath(ISOLATED), html.tostring(parent, encoding=str)
                        )
                titles[address] = page.xpath("string(//title)")
        self.assertNotIn("Odoo", titles.values())
        plan = self.months.display_name
        self.assertTrue(any(f"Renew {plan}" in title for title in titles.values()))

    def test_titles_in_the_language(self):
        """R11.4: the title of a page is translated like its heading."""
        self.env["res.lang"]._activate_lang("de_DE")
        self.env["ir.module.module"]._load_module_terms(
            ["helpdesk_paid_support"], ["de_DE"]
        )
        self.user.lang = "de_DE"
        self.authenticate("hps-nora", "hps-nora")
        page = html.fromstring(self.url_open("/my/incidents/buy").text)
        heading = page.xpath("string(//h1)")
        self.assertNotEqual(heading, "Buy support incidents")
        self.assertEqual(
            page.xpath("string(//title)"), f"{heading} | {self.company.name}"
        )
