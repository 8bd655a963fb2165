"""What tickets have returned, and what that was worth (R17.6)."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .helpdesk_incident_position import _array


class HelpdeskIncidentReturned(models.Model):
    """What tickets have given back, and not taken again since: by outcome, team,
    category and agent. One row is one entry.

    Its value is what was paid for the incidents that came back, by the layers from
    which the ticket had taken them (R12.4), as far as that is paid and not credited at
    present.
    """

    _name = "helpdesk.incident.returned"
    _inherit = "helpdesk.incident.position"
    _description = "Returned Support Incidents"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "ticket_id"

    date = fields.Date(readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    ticket_id = fields.Many2one(comodel_name="helpdesk.ticket", readonly=True)
    team_id = fields.Many2one(comodel_name="helpdesk.ticket.team", readonly=True)
    category_id = fields.Many2one(
        comodel_name="helpdesk.ticket.category", readonly=True
    )
    user_id = fields.Many2one(
        comodel_name="res.users", string="Assigned user", readonly=True
    )
    outcome_id = fields.Many2one(
        comodel_name="helpdesk.ticket.outcome",
        readonly=True,
        help="By which it came back; by none, if by hand.",
    )
    quantity = fields.Integer(string="Incidents", readonly=True)
    amount = fields.Monetary(
        string="Value",
        readonly=True,
        help="What was paid for them, without tax. What was given free of charge is "
        "worth nothing.",
    )

    @property
    def _table_query(self):
        companies = self.env.companies.sudo().root_id
        self.env["helpdesk.ticket"].flush_model(["team_id", "category_id", "user_id"])
        rows = self._returned(companies)
        return SQL(
            """
            SELECT entry.id, entry.date, account.company_id, account.partner_id,
                   entry.ticket_id, ticket.team_id, ticket.category_id, ticket.user_id,
                   entry.outcome_id, r.quantity,
                   ROUND(r.amount, currency.decimal_places) AS amount
              FROM unnest(%(ids)s::int[], %(quantities)s::int[], %(amounts)s::numeric[])
                AS r(id, quantity, amount)
              JOIN helpdesk_incident_entry entry ON entry.id = r.id
              JOIN helpdesk_incident_account account ON account.id = entry.account_id
              JOIN res_company company ON company.id = account.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
              LEFT JOIN helpdesk_ticket ticket ON ticket.id = entry.ticket_id
            """,
            ids=_array(entry_id for entry_id, _quantity, _amount in rows),
            quantities=_array(quantity for _id, quantity, _amount in rows),
            amounts=_array(amount for _id, _quantity, amount in rows),
        )

    @api.model
    def _returned(self, companies):
        """Return what each entry of these companies has returned and was not taken
        again since, and what was paid for it.

        :rtype: list[tuple[int, int, float]]
        """
        self._flush_ledger()
        kept, allotment_ids = self._kept(companies)
        if not kept:
            return []
        day = max(company._incident_today() for company in companies)
        values = {}
        for stack, replay in self._replays(day, companies, allotment_ids):
            for entry_id, parts in replay.returned.items():
                values[entry_id] = _value(kept.get(entry_id, 0), parts, stack)
        return [
            (entry_id, number, values.get(entry_id, 0))
            for entry_id, number in kept.items()
        ]

    @api.model
    def _kept(self, companies):
        """Return how much of what each entry has returned was not taken again by the
        same document since, and of which allotments.

        :rtype: tuple[dict[int, int], list[int]]
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entry.cause_key, entry.id, entry.quantity, entry.allotment_id
                  FROM helpdesk_incident_entry entry
                  JOIN helpdesk_incident_account account
                    ON account.id = entry.account_id AND account.company_id IN %s
                 WHERE entry.effect = 'uses' AND entry.cause_key IN (
                       SELECT cause_key FROM helpdesk_incident_entry
                        WHERE effect = 'uses' AND quantity > 0)
                 ORDER BY entry.id
                """,
                tuple(companies.ids),
            )
        )
        returned, allotments = defaultdict(list), {}
        for key, entry_id, quantity, allotment_id in rows:
            if quantity > 0:
                returned[key].append([entry_id, quantity])
                allotments[entry_id] = allotment_id
                continue
            # The last one first: that is what was undone.
            taken = -quantity
            while taken and returned[key]:
                last = returned[key][-1]
                again = min(taken, last[1])
                taken -= again
                last[1] -= again
                if not last[1]:
                    returned[key].pop()
        kept = {
            entry_id: number
            for parts in returned.values()
            for entry_id, number in parts
        }
        return kept, sorted({allotments[entry_id] for entry_id in kept})


def _value(number, parts, stack):
    """Return what was paid for so many of what came back.

    :param list parts: the layers that it came back to: index and number.
    :param Stack stack: the layers.
    """
    value = 0
    for index, back in parts:
        counted = min(number, back)
        number -= counted
        if counted:
            value += max(stack.amounts[index], 0) * counted / stack.quantities[index]
    return value
