from freezegun import freeze_time
from lxml import html

from odoo.tests import tagged

from .common_sale import BOUGHT
from .test_buy import BuyCommon

PATH = "/my/incidents/purchases"
DAYS = "Apr 11, 2027 – Jul 10, 2027"


@tagged("post_install", "-at_install")
class TestPurchases(BuyCommon):
    """R11.4: beside the statement stands what was bought, paid, credited and given."""

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def rows(self, path=PATH):
        """Return what the page says of each order, by its name."""
        page = html.fromstring(self.url_open(path).text)
        return {
            " ".join(row.xpath(".//a")[0].text_content().split()): row
            for row in page.xpath("//ul[@name='purchases']/li")
        }

    def said(self, row, name):
        cells = row.xpath(f".//*[@name='{name}']")
        return [" ".join(cell.text_content().split()) for cell in cells]

    def assertRow(self, row, **expected):
        for name, words in expected.items():
            self.assertEqual(self.said(row, name), words, name)

    def test_paid_and_credited(self):
        """R11.4: each document of an order is a click away; a credit note shows."""
        order = self.order(self.pack, self.months)
        invoice = self.bill(order)
        self.assertRow(self.rows()[order.name], paid=["$ 0.00"], credited=["–"])
        self.register(invoice)
        note = self.reverse(invoice)
        row = self.rows()[order.name]
        self.assertRow(
            row,
            bought=[
                "Pack of 10 0 of 10 lifetime incidents given",
                f"Standard support, 3 months 0 of 3 months given: {DAYS}",
            ],
            documents=[f"{invoice.name} {note.name}"],
            total=["$ 140.00"],
            paid=["$ 140.00"],
            credited=["$ 140.00"],
        )
        addresses = row.xpath(".//a/@href")
        subscription = self.subscription(order)
        self.assertEqual(
            addresses,
            [
                order.access_url,
                f"/my/incidents/subscription/{subscription.id}",
                invoice.access_url,
                note.access_url,
            ],
        )
        for address in addresses:
            self.assertEqual(self.url_open(address).status_code, 200)

    def test_paid_in_part(self):
        """R11.4: a part of an invoice of two orders, shared by what they are."""
        first, second = self.order(self.pack), self.order(self.months)
        invoice = self.bill(first | second)
        self.register(invoice, amount=70)
        rows = self.rows()
        self.assertRow(rows[first.name], paid=["$ 25.00"])
        self.assertRow(rows[second.name], paid=["$ 45.00"])

    def test_paid_online(self):
        """R11.4: paid before there is an invoice, and paid back."""
        order = self.quotation(self.months)
        transaction = self.transaction(order)
        row = self.rows()[order.name]
        self.assertRow(
            row,
            paid=["$ 90.00"],
            bought=[f"Standard support, 3 months 3 of 3 months given: {DAYS}"],
            documents=["–"],
        )
        refund = transaction._create_child_transaction(30, is_refund=True)
        refund._set_done()
        refund._post_process()
        row = self.rows()[order.name]
        self.assertRow(row, paid_back=["Paid back: $ 30.00"])
        self.assertIn("2 of 3 months", self.said(row, "bought")[0])

    def test_what_is_not_there(self):
        """R11.6: no quotation, nothing without a plan, and nothing of anybody else."""
        self.quotation(self.pack)
        self.order(self.service)
        self.order(self.pack, customer=self.other_customer)
        text = self.url_open(PATH).text
        self.assertIn("You have not bought any support incidents yet.", text)
        mine = self.order(self.pack)
        self.assertEqual(list(self.rows()), [mine.name])

    def test_pages_and_queries(self):
        """R11.4: the second page has the rest; a full page takes as many queries as one
        order."""
        counts = []
        for number in (2, 10):
            for _n in range(number):
                order = self.quotation(self.months)
                self.transaction(order)
                self.register(self.bill(self.order(self.pack)))
            self.env.flush_all()
            self.rows()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            rows = self.rows()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(len(rows), 20)
        self.assertEqual(len(self.rows(f"{PATH}/page/2")), 4)
        self.assertLessEqual(counts[1], counts[0] + 8)  # the pager, and its last page

    def test_languages(self):
        """R11.4: dates as the customer writes them."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.user.lang = "fr_FR"
        with freeze_time(BOUGHT):
            self.transaction(self.quotation(self.months))
        self.authenticate("hps-nora", "hps-nora")
        [row] = self.rows().values()
        self.assertIn("avr. 2027", self.said(row, "bought")[0])
