import csv
from io import StringIO

from odoo.tests import tagged
from odoo.tools import file_open, mute_logger

from .common_opening import OpeningCommon

TEMPLATE = "helpdesk_paid_support/static/csv/opening_balances.csv"
COLUMNS = {
    "Reference": "reference",
    "Customer": "partner_id",
    "Plan": "product_id",
    "Quantity": "quantity",
    "First Day": "date_start",
    "Last Day": "date_end",
    "Left": "current_left",
    "Extra": "extra_incidents",
    "Value": "value",
    "Price": "agreed_price",
}
#: What is wrong with a line, and what is said of it.
WRONG = [
    ({"Reference": ""}, "The reference is missing"),
    ({"Reference": " "}, "The reference is missing"),
    ({"Reference": "OLD-2"}, "OLD-2 is taken already"),
    ({"Customer": "Nobody"}, "No matching record found for name 'Nobody'"),
    ({"Plan": "No plan at all"}, "No matching record found for name 'No plan at all'"),
    ({"Plan": "Setup"}, "Setup sells no support incidents"),
    ({"Quantity": "0"}, "the quantity is a whole number, 1 or more"),
    ({"Quantity": "-3"}, "the quantity is a whole number, 1 or more"),
    ({"Quantity": "1.5"}, "1.5' does not seem to be an integer"),
    ({"Quantity": "many"}, "many' does not seem to be an integer"),
    ({"Value": "-1"}, "values and prices are 0 or more"),
    ({"Last Day": "2027-12-31"}, "never expires"),
    ({"Left": "2"}, "is no subscription"),
    ({"Plan": "30 for half a year"}, "the last day is missing"),
    ({"Plan": "30 for half a year", "Last Day": "2027-04-10"}, "last day is over"),
    (
        {
            "Plan": "30 for half a year",
            "First Day": "2027-07-01",
            "Last Day": "2027-06-01",
        },
        "it ends before it begins",
    ),
    ({"Plan": "Standard support, 3 months", "Last Day": "2027-06-10"}, "the first day"),
    (
        {
            "Plan": "Standard support, 3 months",
            "First Day": "2027-03-11",
            "Last Day": "2027-06-11",
        },
        "not the last day of one of its months",
    ),
    (
        {
            "Plan": "Standard support, 3 months",
            "First Day": "2027-03-11",
            "Last Day": "2027-06-10",
            "Quantity": "1",
            "Left": "11",
        },
        "more is left in this period than the 10",
    ),
    (
        {
            "Plan": "Small support, 1 month",
            "First Day": "2027-03-11",
            "Last Day": "2027-06-10",
            "Extra": "2",
        },
        "extra incidents are not sold with Small support",
    ),
    (
        {
            "Plan": "Standard support, 3 months",
            "First Day": "2000-03-11",
            "Last Day": "2087-06-10",
        },
        "more than 120 months ahead",
    ),
]


@tagged("post_install", "-at_install")
class TestOpeningImport(OpeningCommon):
    """R21.4: what customers had, from a file, by Odoo's own import."""

    def load(self, lines, dryrun=False, columns=None):
        """Import lines as the web client does, as a helpdesk manager.

        :param list[dict] lines: by the names of the columns.
        :return: the messages, each with its line.
        """
        columns = columns or COLUMNS
        text = StringIO()
        writer = csv.DictWriter(text, list(columns))
        writer.writeheader()
        writer.writerows(lines)
        wizard = (
            self.env["base_import.import"]
            .with_user(self.manager)
            .with_company(self.company)
            .create(
                {
                    "res_model": "helpdesk.incident.opening",
                    "file": text.getvalue().encode(),
                    "file_type": "text/csv",
                    "file_name": "balances.csv",
                }
            )
        )
        result = wizard.execute_import(
            list(columns.values()),
            list(columns),
            {
                "has_headers": True,
                "quoting": '"',
                "separator": ",",
                "date_format": "%Y-%m-%d",
                "datetime_format": "",
                "float_thousand_separator": ",",
                "float_decimal_separator": ".",
            },
            dryrun=dryrun,
        )
        self.env.invalidate_all()
        return [
            # (What is no date at all Odoo says before it looks at lines.)
            (message.get("rows", {}).get("from"), message["message"])
            for message in result["messages"]
        ]

    def openings(self):
        return self.env["helpdesk.incident.opening"].search(
            [("company_id", "=", self.company.id)], order="id"
        )

    @staticmethod
    def line(reference, **values):
        return {
            "Reference": reference,
            "Customer": "Northwind",
            "Plan": "Pack of 10",
            "Quantity": "3",
            **values,
        }

    def test_every_wrong_line_is_named(self):
        """R21.4: each wrong line is named, and says why; nothing is written, by a test
        run or by the import."""
        lines = [self.line(f"OLD-{number}") for number in range(5)]
        lines += [
            {**self.line(f"NEW-{number}"), **values}
            for number, (values, _words) in enumerate(WRONG)
        ]
        lines.append(self.line("LAST"))
        for dryrun in (True, False):
            with mute_logger("odoo.sql_db"):
                messages = self.load(lines, dryrun)
            said = dict(messages)
            for number, (values, words) in enumerate(WRONG, 5):
                with self.subTest(values=values):
                    self.assertIn(words.lower(), said.pop(number).lower())
            self.assertFalse(said)
            self.assertEqual(len(messages), len(WRONG))
            self.assertFalse(self.openings())

    def test_test_run(self):
        """R21.4: a test run writes nothing; nor does a file with something that is no
        date."""
        before = self.env["helpdesk.incident.account"].search_count([])
        self.assertEqual(self.load([self.line("OLD-1")], dryrun=True), [])
        self.assertFalse(self.openings())
        self.assertEqual(self.env["helpdesk.incident.account"].search_count([]), before)
        wrong = self.line("OLD-1", **{"Last Day": "tomorrow"})
        [(_row, words)] = self.load([self.line("OLD-2"), wrong])
        self.assertIn("Error in line 2: time data 'tomorrow'", words)
        self.assertFalse(self.openings())

    def test_twice(self):
        """R21.4: a file that is imported twice changes nothing, confirmed or not."""
        self.customer.write({"email": "n@example.com", "ref": "C-17"})
        lines = [
            self.line("OLD-1"),
            self.line("OLD-2", Customer="n@example.com"),
            self.line("OLD-3", Customer="C-17"),
        ]
        self.assertEqual(self.load(lines), [])
        openings = self.openings()
        self.assertEqual(len(openings), 3)
        self.assertEqual(openings.partner_id, self.customer)
        for _confirmed in (False, True):
            messages = self.load(lines)
            self.assertEqual([row for row, _words in messages], [0, 1, 2])
            self.assertIn("OLD-3 is taken already", messages[2][1])
            self.assertEqual(self.openings(), openings)
            openings.with_user(self.manager).action_confirm()
            self.assertEqual(self.given(), 9)
        # With spaces it is the same reference.
        [(_row, words)] = self.load([self.line(" OLD-1 ")])
        self.assertIn("taken already", words)

    def test_template(self):
        """R21.4: the template can be downloaded, and imported as it is."""
        [template] = self.env["helpdesk.incident.opening"].get_import_templates()
        self.assertEqual(template["template"], f"/{TEMPLATE}")
        with file_open(TEMPLATE) as file:
            lines = list(csv.DictReader(file))
        fields = {field.string: name for name, field in self.openings()._fields.items()}
        columns = {column: fields[column] for column in lines[0]}
        # (Demo data have one.)
        if not self.env["res.partner"].search_count([("name", "=", "Blue Bakery")]):
            self._customer("Blue Bakery")
        self.plan("30 incidents for half a year", 120, "pack", 30, 6)
        with self.on("2027-04-20"):
            self.assertEqual(self.load(lines, columns=columns), [])
            self.openings().with_user(self.manager).action_confirm()
            self.assertEqual(self.unearned(), 170)
        self.assertEqual(set(self.openings().mapped("state")), {"confirmed"})
