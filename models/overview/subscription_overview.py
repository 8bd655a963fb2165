"""What a subscription's form says beside what the subscription keeps (R8.6, R12.2)."""

from markupsafe import Markup

from odoo import api, fields, models
from odoo.tools import format_date

from ..groups import INCIDENT_READERS, INCIDENT_VIEWERS


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    next_amount = fields.Monetary(
        string="Agreed price for a month",
        compute="_compute_next_amount",
        currency_field="next_currency_id",
        help="What the customer has agreed to pay for each month of the next plan, "
        "taxes included.",
    )
    order_count = fields.Integer(
        string="Orders", compute="_compute_counts", groups=INCIDENT_VIEWERS
    )
    invoice_count = fields.Integer(
        string="Invoices", compute="_compute_counts", groups=INCIDENT_VIEWERS
    )
    entry_count = fields.Integer(
        string="Entries", compute="_compute_counts", groups=INCIDENT_READERS
    )
    history = fields.Html(
        compute="_compute_history",
        sanitize=False,
        groups=INCIDENT_VIEWERS,
        help="Every purchase, renewal, extra, change, credit, and the end.",
    )

    @api.depends("next_price", "next_currency_id")
    def _compute_next_amount(self):
        for subscription in self:
            subscription.next_amount = subscription.next_price

    @api.depends("term_ids")
    def _compute_counts(self):
        """Count what the buttons of the form lead to."""
        entries = self.env["helpdesk.incident.entry"].sudo()
        for subscription in self:
            lines = subscription.sudo().term_ids.sale_line_id
            subscription.order_count = len(lines.order_id)
            subscription.invoice_count = len(lines.invoice_lines.move_id)
            subscription.entry_count = entries.search_count(
                [("allotment_id.subscription_id", "in", subscription.ids)]
            )

    @api.depends("term_ids", "date_end", "date_cancelled")
    @api.depends_context("lang")
    def _compute_history(self):
        row = Markup(
            "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td>"
            '<td class="text-end text-nowrap">%s</td></tr>'
        )
        for subscription in self:
            rows = [
                row % (format_date(self.env, day, date_format="medium"), *words)
                for day, *words in sorted(
                    subscription._history(), key=lambda words: words[0]
                )
            ]
            subscription.history = Markup(
                '<table class="table table-sm"><tbody>%s</tbody></table>'
            ) % Markup().join(rows)

    def _history(self):
        """Return what has happened to this subscription.

        :return: of each event the day, what it is, for what, its document, and the
            amount with taxes.
        :rtype: list[tuple[date, str, str, str, str]]
        """
        self.ensure_one()
        terms = self.sudo().term_ids.sorted("id")
        kinds = dict(terms._fields["kind"]._description_selection(self.env))
        events = []
        for number, term in enumerate(terms):
            line = term.sale_line_id
            kind = kinds[term.kind]
            if term.kind == "term":
                kind = self.env._("Renewal") if number else self.env._("Purchase")
                if line.order_id.incident_opening:
                    kind = self.env._("Opening balance")
            events.append(self._history_of_line(line, kind))
        lines = terms.sale_line_id
        credits = lines.order_id.order_line.filtered(
            lambda line: line.incident_operation == "credit"
        )
        events += [
            self._history_of_line(line, self.env._("Credit")) for line in credits
        ]
        events += [
            (
                note.invoice_date,
                self.env._("Credit note"),
                note.ref or "",
                note.name,
                note.currency_id.format(-note.amount_total),
            )
            for note in lines.invoice_lines.move_id
            if note.move_type == "out_refund" and note.state == "posted"
        ]
        if self.date_cancelled:
            events.append((self.date_cancelled, self.env._("Cancelled"), "", "", ""))
        elif self.state == "ended":
            events.append((self.date_end, self.env._("Ended"), "", "", ""))
        return events

    def _history_of_line(self, line, kind):
        order = line.order_id
        return (
            order.company_id._incident_day(order.date_order),
            kind,
            line._incident_words() or line.name,
            order.name,
            line.currency_id.format(line.price_total),
        )
