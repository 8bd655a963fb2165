"""The report that release entries have attached (R21.3): what an auditor asks for."""

import base64
import io

import xlsxwriter

from odoo import models
from odoo.tools import format_date

#: How wide columns are, in characters: words, then numbers.
WIDTHS = (34, 16)
#: The row with the words above the columns.
TOP = 4


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
            for name, (head, rows) in sheets:
                # Excel's limit, in any language.
                self._write_sheet(book, name[:31], head, rows)
        return output.getvalue()

    def _write_sheet(self, book, name, head, rows):
        """Write a sheet, with the sums of its amounts.

        :param list[str] head: the words above the columns.
        :param rows: lists of text, and of amounts in company currency.
        """
        sheet = book.add_worksheet(name)
        places = self.currency_id.decimal_places
        form = {"num_format": "#,##0" + ("." + "0" * places if places else "")}
        bold = book.add_format({"bold": True})
        money = book.add_format(form)
        total = book.add_format({**form, "bold": True, "top": 1})
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        sheet.write(0, 0, f"{self.company_id.name}, {self.display_name}", bold)
        sheet.write(
            1, 0, f"{format_date(self.env, self.date)}, {self.currency_id.name}"
        )
        if self.locked:
            words = self.env._(
                "The books of %(months)s were closed: what belongs there is part of "
                "this entry.",
                months=self.locked,
            )
            sheet.write(2, 0, words)
        sheet.set_column(0, 0, WIDTHS[0])
        sheet.set_column(1, len(head), WIDTHS[1])
        sheet.write_row(TOP, 0, head, heading)
        for number, values in enumerate(rows, TOP + 1):
            for column, value in enumerate(values):
                sheet.write(
                    number, column, value, money if isinstance(value, float) else None
                )
        for column, amounts in enumerate(zip(*rows, strict=True)):
            if isinstance(amounts[0], float):
                value = self.currency_id.round(sum(amounts))
                sheet.write(TOP + 1 + len(rows), column, value, total)
        sheet.freeze_panes(TOP + 1, 1)

    def _columns(self, lines, names):
        """Return the head and the rows of a table of products and fields."""
        rows = [
            [line.product_id.display_name, *(line[name] for name in names)]
            for line in lines
        ]
        return self._head(lines, ["product_id", *names]), rows

    def _head(self, model, names):
        """Return what people call fields."""
        described = model.fields_get(names, ["string"])
        return [described[name]["string"] for name in names]

    def _summary(self):
        """Return what is posted, by product."""
        names = [
            *("amount_invoiced", "amount_used", "amount_lapsed", "amount_deferred"),
            *("amount_before", "amount_change", "amount_lapse", "amount_revenue"),
        ]
        return self._columns(self.line_ids, names)

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
        words = ["partner_id", "product_id", "name"]
        amounts = ["amount", "amount_used", "amount_lapsed", "amount_left"]
        rows = [
            [
                row.partner_id.display_name,
                row.product_id.display_name,
                row.name,
                *(row[name] for name in amounts),
            ]
            for row in report.search_fetch([("amount", "!=", 0)], [*words, *amounts])
        ]
        return self._head(report, [*words, *amounts]), rows

    def _reconciliation(self):
        """Return how what was invoiced agrees with the income accounts (R12.7)."""
        names = [
            *("amount_books", "amount_discounts", "amount_down", "amount_opened"),
            *("amount_invoiced", "amount_difference"),
        ]
        return self._columns(self.line_ids, names)
