"""The check of release entries (R21.3): what is posted is what the report says."""

from odoo import api, models
from odoo.tools import SQL

from .check_documents import _compared, _listed


class HelpdeskIncidentRelease(models.Model):
    _inherit = "helpdesk.incident.release"

    @api.model
    def _incident_check_documents(self):
        """Return the id of the last release of each company, as a query: deferred
        revenue of the months before is part of what it holds."""
        return SQL(
            """
            SELECT DISTINCT ON (release.company_id) release.id
              FROM helpdesk_incident_release release
              LEFT JOIN account_move move ON move.id = release.move_id
             WHERE NOT COALESCE(release.opening, FALSE)
               AND COALESCE(move.state, 'posted') = 'posted'
             ORDER BY release.company_id, release.date DESC, release.id DESC
            """
        )

    @api.model
    def _incident_check_listed(self):
        """Return the ids of those to which a difference is listed, as a query."""
        return SQL(
            "SELECT release_id FROM helpdesk_incident_release_line WHERE id IN (%s)",
            _listed(self.env["helpdesk.incident.release.line"]),
        )

    def _incident_differences(self):
        """Compare what was said of a month end with what is posted by then, and with
        what the report says: what was used and has lapsed by a day stays as it is. What
        was invoiced may be posted into the month later; that is part of the next entry.

        :return: ``Difference`` tuples.
        """
        none = self.env["helpdesk.incident.account"]
        # What could be used until then has come to an end by now.
        for release in self.filtered(
            lambda release: release.date < release.company_id._incident_today()
        ):
            currency = release.currency_id
            posted = self._posted(release.company_id, release.date)
            figures = self._figures(release.company_id, release.date)
            for line in release.line_ids:
                said = figures.get(line.product_id.id, {})
                deferred, lapsed = map(
                    currency.round, posted.get(line.product_id.id, (0, 0))
                )
                expected = {
                    "amount_used": [said.get("amount_used", 0)],
                    "amount_lapsed": [said.get("amount_lapsed", 0), lapsed],
                    "amount_deferred": [currency.round(line.amount_reported), deferred],
                }
                for name, values in expected.items():
                    for value in values:
                        yield from _compared(none, line, {name: (line[name], value)})
