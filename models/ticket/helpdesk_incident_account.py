from odoo import api, models

from ..ledger.account_cache import shows_balance


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _balance_models(self):
        """Override: what a ticket's form shows."""
        return (*super()._balance_models(), ("helpdesk.ticket", shows_balance))

    @api.model
    def _statement_tickets(self, lines):
        """Return the numbers of the tickets that lines of a statement are about, as
        far as there still are tickets.

        :param list[StatementLine] lines: what :meth:`_statement` returns.
        :rtype: dict[tuple[str, int], str]
        """
        tickets = self.env["helpdesk.ticket"].sudo()
        named = {line.res_id for line in lines if line.res_model == tickets._name}
        return {
            (tickets._name, ticket.id): ticket.number
            for ticket in tickets.search_fetch([("id", "in", list(named))], ["number"])
        }
