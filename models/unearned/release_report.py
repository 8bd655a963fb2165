"""The report that release entries have attached (R21.3): what an auditor asks for."""

import base64
import io

import xlsxwriter

from odoo import models
from odoo.tools import format_date

#: How wide columns are, in characters: words, then numbers.
WIDTHS = (34, 16)


class HelpdeskIncidentRelease(models.Model):
    _inherit = "helpdesk.incident.release"

    def _attach_report(self):
        """Attach the report to the journal entry, or to the release where there is
        nothing to post."""
        self.ensure_one()
        document = self.move_id or self
        self.env["ir.attachment"].create(
            {
                "name": self.env._(
                    "Unearned incidents %(date)s.xlsx", date=self.date.isoformat()
                ),
                "res_model": document._name,
                "res_id": document.id,
                "datas": base64.b64encode(self._report()),
            }
        )

    def _report(self):
        """Return the report as an xlsx file: summary, detail, reconciliation.

        :rtype: bytes
        """
        self.ensure_one()
        output = io.BytesIO()
        # What customers and products are called is no formula.
        with xlsxwriter.Workbook(
            output,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
        ) as book:
            sheets = (
                (self.env._("Summary"), self._summary()),
                (self.env._("Detail"), self._detail()),
                (self.env._("Reconciliation"), self._reconciliation()),
            )
            for name, (head, rows, sums) in sheets:
                self._write_sheet(book, name[:31], head, rows, sums)
        return output.getvalue()

    def _write_sheet(self, book, name, head, rows, sums):
        """Write a sheet.

        :param list[str] head: the words above the columns.
        :param rows: lists of text, and of amounts in company currency.
        :param bool sums: whether to add up the amounts.
        """
        sheet = book.add_worksheet(name)
        bold = book.add_format({"bold": True})
        places = self.currency_id.decimal_places
        form = "#,##0" + ("." + "0" * places if places else "")
        money = book.add_format({"num_format": form})
        total = book.add_format({"num_format": form, "bold": True, "top": 1})
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        sheet.write(0, 0, f"{self.company_id.name}, {self.display_name}", bold)
        notes = [format_date(self.env, self.date) + f", {self.currency_id.name}"]
        if self.locked:
            notes.append(
                self.env._(
                    "The books of %(months)s were closed: what belongs there is part "
                    "of this entry.",
                    months=self.locked,
                )
            )
        for number, note in enumerate(notes, 1):
            sheet.write(number, 0, note)
        top = len(notes) + 2
        sheet.set_column(0, 0, WIDTHS[0])
        sheet.set_column(1, max(len(head) - 1, 1), WIDTHS[1])
        for column, word in enumerate(head):
            sheet.write(top, column, word, heading)
        for row, values in enumerate(rows, top + 1):
            for column, value in enumerate(values):
                if isinstance(value, str | bool | type(None)):
                    sheet.write(row, column, value or "")
                else:
                    sheet.write_number(row, column, value, money)
        if sums and rows:
            for column, value in enumerate(rows[0]):
                if not isinstance(value, str | bool | type(None)):
                    sheet.write_number(
                        top + 1 + len(rows),
                        column,
                        self.currency_id.round(sum(row[column] for row in rows)),
                        total,
                    )
        sheet.freeze_panes(top + 1, 1)

    def _columns(self, lines, names):
        """Return the head and the rows of a table of records: their product, and
        fields."""
        described = lines.fields_get(names, ["string"])
        return (
            [
                self.env._("Product"),
                *(described[name]["string"] for name in names),
            ],
            [
                [line.product_id.display_name, *(line[name] for name in names)]
                for line in lines
            ],
        )

    def _summary(self):
        """Return what is posted, by product."""
        names = [
            *("amount_invoiced", "amount_used", "amount_lapsed", "amount_deferred"),
            *("amount_before", "amount_change", "amount_lapse", "amount_revenue"),
        ]
        return *self._columns(self.line_ids, names), True

    def _detail(self):
        """Return what was unearned at the end of the day, grant by grant."""
        report = (
            self.env["helpdesk.incident.unearned"]
            .sudo()
            .with_context(
                unearned_date=self.date.isoformat(),
                allowed_company_ids=self.company_id.ids,
            )
        )
        names = ["amount", "amount_used", "amount_lapsed", "amount_left"]
        rows = report.search_fetch(
            [("amount", "!=", 0)], ["partner_id", "product_id", "name", *names]
        )
        described = report.fields_get(["partner_id", "name", *names], ["string"])
        head = [described["partner_id"]["string"], self.env._("Product")]
        head += [described[name]["string"] for name in ("name", *names)]
        return (
            head,
            [
                [
                    row.partner_id.display_name,
                    row.product_id.display_name,
                    row.name,
                    *(row[name] for name in names),
                ]
                for row in rows
            ],
            True,
        )

    def _reconciliation(self):
        """Return how what was invoiced agrees with the income accounts (R12.7)."""
        names = [
            *("amount_books", "amount_discounts", "amount_down"),
            *("amount_invoiced", "amount_difference"),
        ]
        return *self._columns(self.line_ids, names), True
