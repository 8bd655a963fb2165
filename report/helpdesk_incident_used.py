"""Which purchases the deductions of tickets have used, and their value (R12.7)."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .helpdesk_incident_position import _array

#: How many layers an entry can take from, as powers of 2: ids of rows have both.
PARTS = 20


class Part(NamedTuple):
    """What one entry has used of one layer."""

    entry: int
    #: the running number among those of the entry
    part: int
    #: the entry that has given the layer and the order line that has paid for it, or 0
    given: int
    line: int
    #: how many incidents the layer has, 0 if there is none; and what was paid for them
    total: int
    value: float
    #: how many of the layer were used before, and with this
    since: int
    until: int


class HelpdeskIncidentUsed(models.Model):
    """What tickets have taken and not returned, by the purchase or grant that it came
    from. One row is what one entry has used of one of the layers that the report of
    unearned incidents has: for each of these, the rows add up to its *value used*.

    The day is that of the report, ``unearned_date`` in the context, today by default.
    ``incident_allotment_ids`` in the context are the only allotments that are looked
    at: actions name those that they lead from.
    """

    _name = "helpdesk.incident.used"
    _inherit = "helpdesk.incident.position"
    _description = "Used Support Incidents"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "ticket_id"

    _internal_fields = frozenset(
        {"account_id", "allotment_id", "entry_id", "given_id", "sale_line_id"}
    )

    date = fields.Date(readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account", readonly=True
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", readonly=True
    )
    allotment_id = fields.Many2one(
        comodel_name="helpdesk.incident.allotment", readonly=True
    )
    entry_id = fields.Many2one(
        comodel_name="helpdesk.incident.entry", string="Deduction", readonly=True
    )
    name = fields.Char(string="Used for", readonly=True)
    ticket_id = fields.Many2one(comodel_name="helpdesk.ticket", readonly=True)
    team_id = fields.Many2one(comodel_name="helpdesk.ticket.team", readonly=True)
    given_id = fields.Many2one(comodel_name="helpdesk.incident.entry", readonly=True)
    source = fields.Char(
        string="Given by",
        readonly=True,
        help="The purchase or gift that the incidents came from. Empty where there was "
        "none: more was used than has been given since.",
    )
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line", string="Order Line", readonly=True
    )
    order_id = fields.Many2one(comodel_name="sale.order", readonly=True)
    product_id = fields.Many2one(comodel_name="product.product", readonly=True)
    quantity = fields.Integer(string="Incidents", readonly=True)
    amount = fields.Monetary(
        string="Value",
        readonly=True,
        help="What was paid for them, without tax. What was given free of charge is "
        "worth nothing.",
    )

    @property
    def _table_query(self):
        day = self.env["helpdesk.incident.unearned"]._day()
        self.env["helpdesk.ticket"].flush_model(["team_id"])
        rows = self._used(day, self.env.companies.sudo().root_id)
        return SQL(
            """
            SELECT (r.entry_id::int8 << %(parts)s) | r.part AS id, entry.date,
                   account.company_id, entry.account_id, account.partner_id,
                   entry.allotment_id, r.entry_id, entry.name, entry.ticket_id,
                   ticket.team_id, given.id AS given_id, line.id AS sale_line_id,
                   line.order_id, line.product_id,
                   CASE WHEN r.total > 0 THEN COALESCE(
                       given.name,
                       CASE WHEN m.subscription_id IS NOT NULL
                            THEN sale.name || ': ' || m.name END,
                       m.name) END AS source,
                   r.until - r.since AS quantity,
                   COALESCE(
                       ROUND(r.value * r.until / NULLIF(r.total, 0), places.places)
                       - ROUND(r.value * r.since / NULLIF(r.total, 0), places.places),
                       0) AS amount
              FROM unnest(%(entries)s::int[], %(numbers)s::int[], %(givens)s::int[],
                          %(lines)s::int[], %(totals)s::int[], %(values)s::numeric[],
                          %(since)s::int[], %(until)s::int[])
                AS r(entry_id, part, given_id, line_id, total, value, since, until)
              JOIN helpdesk_incident_entry entry ON entry.id = r.entry_id
              JOIN helpdesk_incident_allotment m ON m.id = entry.allotment_id
              JOIN helpdesk_incident_account account ON account.id = entry.account_id
              JOIN LATERAL (
                SELECT currency.decimal_places AS places
                  FROM res_company company
                  JOIN res_currency currency ON currency.id = company.currency_id
                 WHERE company.id = account.company_id) AS places ON TRUE
              LEFT JOIN helpdesk_incident_entry given ON given.id = r.given_id
              LEFT JOIN sale_order_line line ON line.id = r.line_id
              LEFT JOIN sale_order sale ON sale.id = line.order_id
              LEFT JOIN helpdesk_ticket ticket ON ticket.id = entry.ticket_id
            """,
            parts=PARTS,
            **{
                name: _array(getattr(row, column) for row in rows)
                for name, column in (
                    ("entries", "entry"),
                    ("numbers", "part"),
                    ("givens", "given"),
                    ("lines", "line"),
                    ("totals", "total"),
                    ("values", "value"),
                    ("since", "since"),
                    ("until", "until"),
                )
            },
        )

    @api.model
    def _used(self, day, companies):
        """Return what entries have used of which layers, as they were at the end of a
        day.

        :rtype: list[Part]
        """
        self._flush_ledger()
        allotment_ids = self._allotment_ids(companies)
        return [
            part
            for stack, replay in self._replays(day, companies, allotment_ids)
            for part in _parts(stack, replay)
        ]

    @api.model
    def _allotment_ids(self, companies):
        """Return the ids of the allotments that are looked at.

        :rtype: set[int]
        """
        asked = self.env.context.get("incident_allotment_ids")
        # It may come from anywhere.
        known = isinstance(asked, list | tuple) and all(type(n) is int for n in asked)
        among = SQL("m.id = ANY(%s::int8[])", list(asked)) if known else SQL("TRUE")
        return {
            allotment_id
            for (allotment_id,) in self.env.execute_query(
                SQL(
                    """
                    SELECT m.id FROM helpdesk_incident_allotment m
                      JOIN helpdesk_incident_account account
                        ON account.id = m.account_id AND account.company_id IN %s
                     WHERE %s
                    """,
                    tuple(companies.ids),
                    among,
                )
            )
        }

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_open_order(self):
        """Open the order that the incidents were bought with, or what else has given
        them."""
        self.ensure_one()
        self.check_access("read")
        if self.order_id:
            return self.order_id._get_records_action()
        if self.given_id.res_model:
            return self.given_id.action_open_source()
        return self.account_id._get_records_action()

    @api.model
    def _show(self, allotments, domain, day=None):
        """Return the action that shows what was used of these allotments.

        :param day: as of which day, by default today.
        """
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_used_action"
        )
        context = {"incident_allotment_ids": allotments.ids}
        if day:
            context["unearned_date"] = fields.Date.to_string(day)
        return {**action, "domain": list(domain), "context": context}


def _parts(stack, replay):
    """Return what entries have used of the layers of an allotment.

    :param Stack stack: the layers.
    :param Replay replay: what became of them.
    :rtype: Iterator[Part]
    """
    passed = [0] * len(stack.ids)
    for entry, legs in sorted(replay.used().items()):
        for number, (index, quantity) in enumerate(legs):
            if index is None:
                yield Part(entry, number, 0, 0, 0, 0, 0, quantity)
                continue
            since = passed[index]
            passed[index] += quantity
            yield Part(
                entry=entry,
                part=number,
                given=stack.entries[index] or 0,
                line=stack.lines[index] or 0,
                total=stack.quantities[index],
                # Nothing is worth less than 0 (R12.4).
                value=max(stack.amounts[index], 0),
                since=since,
                until=passed[index],
            )


class HelpdeskIncidentEntry(models.Model):
    _inherit = "helpdesk.incident.entry"

    def action_view_used(self):
        """Show which purchases these deductions have used, and what that was worth
        (R12.7).

        :raise AccessError: if the user is no accountant.
        """
        self.check_access("read")
        used = self.env["helpdesk.incident.used"]
        used.check_access("read")
        return used._show(self.allotment_id, Domain("entry_id", "in", self.ids))


class HelpdeskIncidentUnearned(models.Model):
    _inherit = "helpdesk.incident.unearned"

    def action_view_used(self):
        """Show which tickets have used this (R12.7)."""
        self.ensure_one()
        self.check_access("read")
        of_this = Domain("allotment_id", "=", self.allotment_id.id)
        for name, of in (
            ("given_id", self.entry_id),
            ("sale_line_id", self.sale_line_id),
        ):
            of_this &= Domain(name, "=", of.id)
        return self.env["helpdesk.incident.used"]._show(
            self.allotment_id, of_this & Domain("source", "!=", False), self.date
        )
