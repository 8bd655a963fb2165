"""Who had paid how much for what was left, on any day (R12.4)."""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ..models.helpdesk_incident_entry import GIVING_KINDS, USING_KINDS

GIVING = tuple(kind for kind, _label in GIVING_KINDS)
USING = tuple(kind for kind, _label in USING_KINDS)


class HelpdeskIncidentPosition(models.AbstractModel):
    """The layers of the allotments: what was given at one price, by one grant.

    Everything follows from what the ledger and ``helpdesk.incident.purchase`` have up
    to the day. Neither is ever changed: what the report of a day has said it says for
    ever.

    * Lifetime incidents: each entry that gives is a layer. What was taken back since is
      missing in the layers of its own cause, the last one first.
    * A period: each order line that has paid for it is a layer. What was used and is
      not paid for any more, or was granted without an order, is one without value.

    The first layer is used first, and what a ticket returns goes back to the layer from
    which the ticket has taken it. What was not used when its period ended has lapsed;
    so has what was withdrawn from a cancelled subscription, and what staff have taken
    back by hand beyond what they had given by hand.
    """

    _name = "helpdesk.incident.position"
    _description = "Positions of Support Incidents"

    @api.model
    def _positions(self, days, companies):
        """Return a query of the layers as they were at the end of days.

        Its columns: ``day``; ``id``, the same on every day; ``allotment_id``;
        ``entry_id`` or ``sale_line_id`` or neither, what has given the layer;
        ``quantity``, ``used`` and ``lapsed`` in incidents, what remains is left; and
        ``amount``, ``amount_used`` and ``amount_lapsed`` in company currency without
        tax, what remains is unearned.

        :param list[date] days: one or more.
        :param companies: ``res.company`` records, one or more.
        :rtype: SQL
        """
        for name in ("entry", "allotment", "purchase"):
            self.env[f"helpdesk.incident.{name}"].flush_model()
        restored = self._restored(days, companies)
        return SQL(
            """
            WITH %(layers)s, restored AS (
                SELECT * FROM unnest(%(days)s::date[], %(ids)s::int8[],
                                     %(numbers)s::int[]) AS r(day, id, used)
            ), stacked AS (
                SELECT layer.*, scope.places,
                       -- not while it can be used, if the report is of today
                       scope.kind = 'period' AND scope.date_to <= layer.day
                       AND scope.date_to < scope.today AS ended,
                       COALESCE(flow.used, 0) AS used_in_all,
                       CASE scope.kind WHEN 'lifetime'
                            THEN SUM(layer.quantity) OVER allotment - flow.granted
                            ELSE 0 END AS lost,
                       SUM(layer.quantity) OVER stack - layer.quantity AS before
                  FROM layer
                  JOIN scope USING (allotment_id)
                  LEFT JOIN flow USING (day, allotment_id)
                WINDOW allotment AS (PARTITION BY day, allotment_id),
                       stack AS (PARTITION BY day, allotment_id ORDER BY position, id)
            ), used AS (
                SELECT stacked.*,
                       COALESCE(restored.used,
                                LEAST(GREATEST(used_in_all - before, 0), quantity))
                       AS used
                  FROM stacked LEFT JOIN restored USING (day, id)
            ), gone AS (
                SELECT used.*,
                       CASE WHEN ended THEN quantity - used
                            ELSE LEAST(quantity - used, withdrawn + GREATEST(
                                lost - SUM(quantity - used) OVER stack
                                + quantity - used, 0))
                       END AS lapsed
                  FROM used
                WINDOW stack AS (PARTITION BY day, allotment_id ORDER BY position, id)
            ), valued AS (
                SELECT gone.*,
                       COALESCE(ROUND(amount * used / NULLIF(quantity, 0), places), 0)
                           AS amount_used,
                       COALESCE(ROUND(amount * (used + lapsed) / NULLIF(quantity, 0),
                                      places), 0) AS amount_gone
                  FROM gone
            )
            SELECT day, id, allotment_id, entry_id, sale_line_id,
                   quantity::int, used::int, lapsed::int,
                   amount, amount_used, amount_gone - amount_used AS amount_lapsed
              FROM valued
             WHERE quantity <> 0
            """,
            layers=self._layers(days, companies),
            days=[day for day, _id, _number in restored],
            ids=[layer for _day, layer, _number in restored],
            numbers=[number for _day, _id, number in restored],
        )

    @api.model
    def _layers(self, days, companies, condition=None):
        """Return the common table expressions ``scope`` (allotments), ``flow`` (what
        has moved in them) and ``layer``.

        :param SQL condition: on the allotment ``m``, by default none.
        :rtype: SQL
        """
        return SQL(
            """
            day(day) AS (
                SELECT unnest(%(days)s::date[])
            ), scope AS (
                SELECT m.id AS allotment_id, m.kind, m.date_to, today.day AS today,
                       currency.decimal_places AS places
                  FROM helpdesk_incident_allotment m
                  JOIN helpdesk_incident_account account ON account.id = m.account_id
                  JOIN %(today)s AS today(company_id, day) USING (company_id)
                  JOIN res_company company ON company.id = account.company_id
                  JOIN res_currency currency ON currency.id = company.currency_id
                 WHERE %(condition)s
            ), flow AS (
                SELECT day.day, e.allotment_id,
                       -SUM(e.quantity) FILTER (WHERE e.kind IN %(using)s) AS used,
                       SUM(e.quantity) FILTER (WHERE e.kind IN %(giving)s) AS granted
                  FROM helpdesk_incident_entry e
                  JOIN scope USING (allotment_id)
                  JOIN day ON e.date <= day.day
                 GROUP BY day.day, e.allotment_id
            ), paid AS (
                SELECT day.day, p.allotment_id, p.sale_line_id,
                       'sale_line:' || p.sale_line_id AS cause_key,
                       MIN(p.id) AS purchase_id, SUM(p.quantity) AS quantity,
                       SUM(p.withdrawn) AS withdrawn, SUM(p.amount) AS amount
                  FROM helpdesk_incident_purchase p
                  JOIN scope USING (allotment_id)
                  JOIN day ON p.date <= day.day
                 GROUP BY day.day, p.allotment_id, p.sale_line_id
            ), given AS (
                SELECT day.day, e.allotment_id, e.id AS entry_id, e.cause_key,
                       e.quantity, scope.places,
                       GREATEST(SUM(e.quantity) OVER cause, 0) AS total,
                       SUM(GREATEST(e.quantity, 0)) OVER past AS passed
                  FROM helpdesk_incident_entry e
                  JOIN scope ON scope.allotment_id = e.allotment_id
                            AND scope.kind = 'lifetime'
                  JOIN day ON e.date <= day.day
                 WHERE e.kind IN %(giving)s
                WINDOW cause AS (PARTITION BY day.day, e.allotment_id, e.cause_key),
                       past AS (PARTITION BY day.day, e.allotment_id, e.cause_key
                                    ORDER BY e.id)
            ), lifetime AS (
                SELECT given.*, LEAST(passed - quantity, total) AS low,
                       LEAST(passed, total) AS high
                  FROM given
                 WHERE quantity > 0
            ), layer AS (
                SELECT l.day, l.entry_id::int8 * 4 AS id, l.allotment_id,
                       l.entry_id AS position, l.entry_id, paid.sale_line_id,
                       l.high - l.low AS quantity, 0 AS withdrawn,
                       CASE WHEN l.total = 0 OR paid.amount IS NULL THEN 0
                            ELSE ROUND(paid.amount * l.high / l.total, l.places)
                               - ROUND(paid.amount * l.low / l.total, l.places)
                       END AS amount
                  FROM lifetime l
                  LEFT JOIN paid USING (day, allotment_id, cause_key)
                 UNION ALL
                SELECT paid.day, paid.purchase_id::int8 * 4 + 1, paid.allotment_id,
                       paid.purchase_id, NULL, paid.sale_line_id,
                       paid.quantity, paid.withdrawn, paid.amount
                  FROM paid
                  JOIN scope USING (allotment_id)
                 WHERE scope.kind = 'period'
                 UNION ALL
                SELECT flow.day, flow.allotment_id::int8 * 4 + 2, flow.allotment_id,
                       NULL, NULL, NULL, unpaid.quantity, 0, 0
                  FROM flow
                  JOIN scope USING (allotment_id),
                       LATERAL (
                    SELECT CASE WHEN EXISTS (SELECT FROM helpdesk_incident_purchase p
                                              WHERE p.allotment_id = flow.allotment_id)
                           THEN flow.used ELSE flow.granted END
                         - COALESCE(SUM(paid.quantity), 0) AS quantity
                      FROM paid
                     WHERE paid.day = flow.day
                       AND paid.allotment_id = flow.allotment_id) AS unpaid
                 WHERE scope.kind = 'period' AND unpaid.quantity > 0
            )
            """,
            days=days,
            condition=condition or SQL("TRUE"),
            today=self.env["helpdesk.incident.account"]._today_table(companies),
            giving=GIVING,
            using=USING,
        )

    @api.model
    def _restored(self, days, companies):
        """Return how much of each layer is used in allotments with several layers to
        which tickets have returned incidents: those go back to the layer that they came
        from (R12.4), wherever that is in the order.

        :return: day, id of the layer, and number used.
        :rtype: list[tuple[date, int, int]]
        """
        returned = SQL(
            """m.id IN (SELECT allotment_id FROM helpdesk_incident_entry
                         WHERE kind = 'return' AND date <= %s)""",
            max(days),
        )
        stacks = defaultdict(list)
        for day, allotment_id, layer, quantity in self.env.execute_query(
            SQL(
                """
                WITH %s
                SELECT day, allotment_id, id, quantity
                  FROM (SELECT layer.*, COUNT(*)
                          OVER (PARTITION BY day, allotment_id) AS layers
                          FROM layer WHERE quantity > 0) AS l
                 WHERE layers > 1
                 ORDER BY day, allotment_id, position, id
                """,
                self._layers(days, companies, returned),
            )
        ):
            stacks[day, allotment_id].append((layer, quantity))
        moves = self._moves({allotment_id for _day, allotment_id in stacks})
        return [
            (day, layer, used)
            for (day, allotment_id), layers in stacks.items()
            for (layer, _quantity), used in zip(
                layers,
                _used_by_layer(
                    [quantity for _layer, quantity in layers],
                    [
                        (ticket, number)
                        for date, ticket, number in moves[allotment_id]
                        if date <= day
                    ],
                ),
                strict=True,
            )
        ]

    @api.model
    def _moves(self, allotment_ids):
        """Return what tickets have taken (above zero) and returned, in order: the date,
        the cause key of the ticket and the number, by allotment."""
        moves = defaultdict(list)
        if allotment_ids:
            for allotment_id, date, ticket, number in self.env.execute_query(
                SQL(
                    """
                    SELECT allotment_id, date, cause_key, -quantity
                      FROM helpdesk_incident_entry
                     WHERE allotment_id IN %s AND kind IN %s
                     ORDER BY id
                    """,
                    tuple(allotment_ids),
                    USING,
                )
            ):
                moves[allotment_id].append((date, ticket, number))
        return moves


def _used_by_layer(quantities, moves):
    """Return how much of each layer is used after ``moves``.

    :param list[int] quantities: the layers, in the order in which they are used.
    :param moves: pairs of a ticket and the number that it takes (above zero) or
        returns, in the order of time.
    """
    left = list(quantities)
    held = defaultdict(list)

    def take(number):
        for index, free in enumerate(left):
            taken = min(free, number)
            if taken:
                left[index] -= taken
                number -= taken
                yield index, taken
        if number:
            # Nothing is left of what it was taken from: it was taken back since.
            yield None, number

    missing = 0
    for ticket, number in moves:
        if number > 0:
            for index, taken in take(number):
                held[ticket].append([index, taken])
                missing += taken if index is None else 0
        while number < 0 and held[ticket]:
            index, taken = held[ticket][-1]
            returned = min(taken, -number)
            number += returned
            held[ticket][-1][1] -= returned
            if returned == taken:
                held[ticket].pop()
            if index is None:
                missing -= returned
            else:
                left[index] += returned
    # What is missing is used all the same: of what is left by now.
    for _taken in take(missing):
        pass
    return [
        quantity - free for quantity, free in zip(quantities, left, strict=True)
    ]
