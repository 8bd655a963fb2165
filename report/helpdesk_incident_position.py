"""Who had paid how much for what was left, on any day (R12.4)."""

from collections import defaultdict
from datetime import date

from odoo import api, models
from odoo.tools import SQL

from ..models.helpdesk_incident_entry import GIVING_KINDS, USING_KINDS

#: The first day that a report can be of. Ids of rows have the day in them, so that two
#: days can be looked at in one transaction.
EPOCH = date(2000, 1, 1)

GIVING = tuple(kind for kind, _label in GIVING_KINDS)
USING = tuple(kind for kind, _label in USING_KINDS)


class HelpdeskIncidentPosition(models.AbstractModel):
    """The layers of the allotments: what was given at one price, by one grant.

    Everything follows from what the ledger and ``helpdesk.incident.purchase`` have up
    to the day. Neither is ever changed: what the report of a day has said it says for
    ever.

    * Lifetime incidents: each entry that gives is a layer. What was taken back since is
      missing in the layers of its own cause, the last one first; all that is given and
      taken back by hand is one cause.
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
            ), used AS (
                SELECT layer.*,
                       COALESCE(restored.used, LEAST(quantity, GREATEST(
                           taken - SUM(quantity) OVER stack + quantity, 0))) AS used
                  FROM layer LEFT JOIN restored USING (day, id)
                WINDOW stack AS (PARTITION BY day, allotment_id ORDER BY position, id)
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
                       CASE quantity WHEN 0 THEN 0
                            ELSE ROUND(amount * used / quantity, places)
                       END AS amount_used,
                       CASE quantity WHEN 0 THEN amount
                            ELSE ROUND(amount * (used + lapsed) / quantity, places)
                       END AS amount_gone
                  FROM gone
            )
            SELECT day, id, allotment_id, entry_id, sale_line_id,
                   quantity::int, used::int, lapsed::int,
                   amount, amount_used, amount_gone - amount_used AS amount_lapsed
              FROM valued
            """,
            layers=self._layers(days, companies),
            days=[day for day, _id, _number in restored],
            ids=[layer for _day, layer, _number in restored],
            numbers=[number for _day, _id, number in restored],
        )

    @api.model
    def _layers(self, days, companies, condition=None):
        """Return the common table expressions of :meth:`_positions`; the last one is
        ``layer``, with what was ``taken`` and ``lost`` of its allotment.

        They join nothing but tables: what is known of an allotment or a cause comes
        together in windows, whose cost grows with the number of rows and no faster.

        :param SQL condition: on the allotment ``m``, by default none.
        :rtype: SQL
        """
        return SQL(
            """
            day(day) AS (
                SELECT unnest(%(days)s::date[])
            ), fact AS (
                -- what gives lifetime incidents
                SELECT day.day, e.allotment_id, e.id AS position,
                       -- whatever is given and taken back by hand is one cause
                       CASE e.kind WHEN 'adjustment' THEN 'by hand'
                            ELSE e.cause_key END AS cause_key,
                       e.id AS entry_id, NULL::int AS sale_line_id, e.quantity AS given,
                       NULL::int8 AS paid, NULL::int8 AS withdrawn,
                       NULL::numeric AS amount, NULL::int8 AS used,
                       NULL::int8 AS granted
                  FROM helpdesk_incident_entry e
                  JOIN helpdesk_incident_allotment m ON m.id = e.allotment_id
                   AND m.kind = 'lifetime' AND %(condition)s
                  JOIN day ON e.date <= day.day
                 WHERE e.kind IN %(giving)s
                 UNION ALL
                -- what was paid for
                SELECT day.day, p.allotment_id, MIN(p.id),
                       'sale_line:' || p.sale_line_id, NULL, p.sale_line_id, NULL,
                       SUM(p.quantity), SUM(p.withdrawn), SUM(p.amount), NULL, NULL
                  FROM helpdesk_incident_purchase p
                  JOIN helpdesk_incident_allotment m ON m.id = p.allotment_id
                   AND %(condition)s
                  JOIN day ON p.date <= day.day
                 GROUP BY day.day, p.allotment_id, p.sale_line_id
                 UNION ALL
                -- all that has moved
                SELECT day.day, e.allotment_id, NULL, NULL, NULL, NULL, NULL, NULL,
                       NULL, NULL,
                       -SUM(e.quantity) FILTER (WHERE e.kind IN %(using)s),
                       SUM(e.quantity) FILTER (WHERE e.kind IN %(giving)s)
                  FROM helpdesk_incident_entry e
                  JOIN helpdesk_incident_allotment m ON m.id = e.allotment_id
                   AND %(condition)s
                  JOIN day ON e.date <= day.day
                 GROUP BY day.day, e.allotment_id
            ), known AS (
                SELECT fact.*, m.kind, m.subscription_id, places,
                       -- not while it can be used, if the report is of today
                       m.kind = 'period' AND m.date_to <= fact.day
                           AND m.date_to < today.day AS ended,
                       GREATEST(SUM(given) OVER cause, 0) AS total,
                       SUM(GREATEST(given, 0)) OVER past AS passed,
                       SUM(fact.amount) OVER cause AS price,
                       MAX(fact.sale_line_id) OVER cause AS line_id,
                       SUM(paid) OVER allotment AS paid_in_all,
                       COALESCE(SUM(fact.used) OVER allotment, 0) AS taken,
                       SUM(fact.granted) OVER allotment AS granted_in_all
                  FROM fact
                  JOIN helpdesk_incident_allotment m ON m.id = fact.allotment_id
                  JOIN helpdesk_incident_account account ON account.id = m.account_id
                  JOIN %(today)s AS today(company_id, day, places) USING (company_id)
                WINDOW allotment AS (PARTITION BY fact.day, fact.allotment_id),
                       cause AS (PARTITION BY fact.day, fact.allotment_id,
                                              fact.cause_key),
                       past AS (PARTITION BY fact.day, fact.allotment_id,
                                             fact.cause_key ORDER BY fact.entry_id)
            ), part AS (
                SELECT known.*,
                       CASE WHEN kind = 'lifetime' AND entry_id IS NULL THEN 0
                            WHEN kind = 'lifetime'
                            THEN LEAST(passed, total) - LEAST(passed - given, total)
                            WHEN sale_line_id IS NOT NULL THEN paid
                            -- used, and not paid for any more; or given without order
                            WHEN subscription_id IS NOT NULL
                            THEN used - COALESCE(paid_in_all, 0)
                            ELSE granted - COALESCE(paid_in_all, 0)
                       END AS quantity
                  FROM known
                 WHERE kind = 'period' OR given > 0 OR total = 0 AND amount <> 0
            ), layer AS (
                SELECT day, allotment_id, entry_id, line_id AS sale_line_id, position,
                       CASE WHEN entry_id IS NOT NULL THEN entry_id::int8 * 4
                            WHEN line_id IS NOT NULL THEN position::int8 * 4 + 1
                            ELSE allotment_id::int8 * 4 + 2 END AS id,
                       quantity, COALESCE(withdrawn, 0) AS withdrawn, places, ended,
                       taken,
                       CASE kind WHEN 'lifetime'
                            THEN SUM(quantity) OVER allotment - granted_in_all
                            ELSE 0 END AS lost,
                       CASE WHEN price IS NULL THEN 0
                            WHEN kind = 'period' OR entry_id IS NULL THEN price
                            WHEN total = 0 THEN 0
                            ELSE ROUND(price * LEAST(passed, total) / total, places)
                               - ROUND(price * LEAST(passed - given, total) / total,
                                       places)
                       END AS amount
                  FROM part
                 -- what was paid and has given nothing (any more) is worth its price
                 WHERE quantity > 0 OR amount <> 0
                WINDOW allotment AS (PARTITION BY day, allotment_id)
            )
            """,
            days=days,
            condition=condition or SQL("TRUE"),
            today=SQL(
                "(VALUES %s)",
                SQL(", ").join(
                    SQL(
                        "(%s, %s, %s)",
                        company.id,
                        company._incident_today(),
                        company.currency_id.decimal_places,
                    )
                    for company in companies.sudo()
                ),
            ),
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
                          FROM layer) AS l
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
                        for moved_on, ticket, number in moves[allotment_id]
                        if moved_on <= day
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
            for allotment_id, moved_on, ticket, number in self.env.execute_query(
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
                moves[allotment_id].append((moved_on, ticket, number))
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
    return [quantity - free for quantity, free in zip(quantities, left, strict=True)]
