"""The check of opening balances (R13.4, R21.4)."""

from odoo import api, models
from odoo.tools import SQL

from .check_documents import _compared, _listed


class HelpdeskIncidentOpening(models.Model):
    _inherit = "helpdesk.incident.opening"

    @api.model
    def _incident_check_documents(self):
        """Return the ids of those that were confirmed, as a query."""
        return SQL("SELECT id FROM helpdesk_incident_opening WHERE state <> 'draft'")

    @api.model
    def _incident_check_listed(self):
        """Return the ids of those to which a difference is listed, as a query."""
        return _listed(self)

    def _incident_differences(self):
        """Compare what was entered with the orders that were made of it, whatever the
        plans are by now (R8.7).

        :return: ``Difference`` tuples.
        """
        account_model = self.env["helpdesk.incident.account"]
        for opening in self:
            yield from _compared(
                account_model._of(opening.partner_id, opening.company_id),
                opening,
                {
                    name: (
                        opening._fields[name].convert_to_write(opening[name], opening),
                        value,
                    )
                    for name, value in opening._ordered().items()
                },
            )

    def _ordered(self):
        """Return the values that the order of this opening balance says it should have.

        :rtype: dict
        """
        order = self.order_id
        if not order:
            return {"state": "draft"}
        lines = order.order_line
        plans = lines.filtered(lambda line: line.incident_operation != "extra")
        values = {
            "state": "confirmed" if order.state == "sale" else "cancelled",
            "product_id": plans.product_id.id,
            "value": self.currency_id.round(
                sum(lines.mapped("incident_opening_value"))
            ),
        }
        terms = lines.incident_term_ids
        if not terms:
            return values | {"quantity": lines._incident_number()}
        left = 0
        for term in terms:
            bought = term._left(term._numbers(term.sale_line_id._incident_total()))
            left += sum(
                number
                for (first, last), number in bought.items()
                if first <= self.date <= last
            )
        extra = (lines - plans)[:1]
        return values | {
            "quantity": plans[:1].incident_units,
            "extra_incidents": extra._incident_number() if extra else 0,
            "current_left": left,
            "date_start": terms[:1].anchor,
            "date_end": max(terms.mapped("date_to")),
        }
