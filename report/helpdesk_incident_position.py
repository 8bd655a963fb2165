"""Who had paid how much for what was left, on any day (R12.4)."""

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..models.ledger.helpdesk_incident_entry import MOVED
from .layer_history import Gifts, Layer, Merge, Move, Queues, Replay

#: The first day that a report can be of. Ids of rows have the day in them, so that two
#: days can be looked at in one transaction.
EPOCH = date(2000, 1, 1)
#: No report is of a day after this one: not of a thousand years, month by month.
HORIZON = date(2100, 1, 1)


class Stack(NamedTuple):
    """The layers of an allotment at the end of a day, in the order of use."""

    day: date
    allotment_id: int
    #: of each layer its id, the entry that has given it and the order line that has
    #: paid for it, if any, how many incidents, and what was paid for them
    ids: list[int]
    entries: list[int | None]
    lines: list[int | None]
    quantities: list[int]
    amounts: list[float]

    def replay(self, gifts, moves):
        """Return what became of the layers up to the day, and how much of each is used,
        and has lapsed.

        :rtype: tuple[Replay, list[int], list[int]]
        """
        known = gifts.get(self.allotment_id) or Gifts(Queues(self.allotment_id))
        replay = Replay(
            list(map(Layer, self.entries, self.quantities)), known, self.day
        )
        used, lapsed = replay.run(
            [move for move in moves[self.allotment_id] if move.date <= self.day]
        )
        return replay, used, lapsed


class HelpdeskIncidentPosition(models.AbstractModel):
    """The layers of the allotments: what was given at one price, by one grant.

    Everything follows from what the ledger and ``helpdesk.incident.purchase`` have up
    to the day. Neither is ever changed: what the report of a day has said it says for
    ever.

    * Lifetime incidents: each entry that gives is a layer. What was taken back since is
      missing in the layers of its own cause, the last one first; what was taken back by
      hand in those that were given by hand until then, wherever they come from.
    * A period: each order line that has paid for it is a layer. What was used and is
      not paid for any more, or was granted without an order, is one without value.

    The first layer is used first, and what a ticket returns goes back to the layer from
    which the ticket has taken it. What was not used when its period ended has lapsed;
    so has what was withdrawn from a cancelled subscription, and what staff have taken
    back by hand beyond what they had given by hand. What customers had before they were
    merged is a queue of its own until that day.
    """

    _name = "helpdesk.incident.position"
    _inherit = "helpdesk.incident.described"
    _description = "Positions of Support Incidents"

    _internal_fields = frozenset({"currency_id"})

    @api.model
    def _positions(self, days, companies):
        """Return a query of the layers as they were at the end of days.

        Its columns: ``day``; ``id``, the same on every day; ``company_id``;
        ``allotment_id``; ``entry_id`` or ``sale_line_id`` or neither, what has given
        the layer; ``quantity``, ``used`` and ``lapsed`` in incidents, what remains is
        left; and ``amount``, ``amount_used`` and ``amount_lapsed`` in company currency
        without tax, what remains is unearned.

        :param list[date] days: one or more.
        :param companies: ``res.company`` records, one or more.
        :rtype: SQL
        """
        self._flush_ledger()
        gifts = self._gifts(days, companies)
        replayed = self._replayed(days, companies, gifts)
        return SQL(" UNION ALL ").join(
            self._positions_of(day, companies, gifts, replayed[day]) for day in days
        )

    @api.model
    def _positions_of(self, day, companies, gifts, replayed):
        """Return the query of :meth:`_positions` for one day.

        :param replayed: the id of a layer, and how much of it was used and has lapsed,
            for layers of which that does not follow from their order.
        :rtype: SQL
        """
        return SQL(
            """
            (WITH %(layers)s, spent AS (
                SELECT layer.*,
                       COALESCE(replayed.used, LEAST(quantity, GREATEST(
                           taken - before, 0))) AS used,
                       CASE WHEN ended THEN quantity
                            ELSE LEAST(quantity, withdrawn + COALESCE(
                                replayed.used + replayed.lapsed,
                                GREATEST(taken + lost - before, 0)))
                       END AS gone
                  FROM layer
                  LEFT JOIN (
                    -- each id once, as the planner can see
                    SELECT id, MAX(used) AS used, MAX(lapsed) AS lapsed
                      FROM unnest(%(ids)s::int8[], %(used)s::int[], %(lapsed)s::int[])
                        AS r(id, used, lapsed)
                     GROUP BY id) AS replayed USING (id)
                OFFSET 0
            ), valued AS (
                SELECT spent.*,
                       CASE WHEN used = 0 OR amount < 0 THEN 0
                            WHEN used = quantity THEN amount
                            ELSE ROUND(amount * used / quantity, places)
                       END AS amount_used,
                       -- of what has given nothing (any more), all is gone; and what
                       -- was credited beyond the price: nothing is worth less than 0
                       CASE WHEN gone = quantity OR amount < 0 THEN amount
                            WHEN gone = 0 THEN 0
                            ELSE ROUND(amount * gone / quantity, places)
                       END AS amount_gone
                  FROM spent
            )
            SELECT %(day)s::date AS day, id, company_id, allotment_id, entry_id,
                   sale_line_id, quantity, used, gone - used AS lapsed,
                   amount, amount_used, amount_gone - amount_used AS amount_lapsed
              FROM valued)
            """,
            day=day,
            layers=self._layers(day, companies, gifts),
            ids=_array(layer for layer, _used, _lapsed in replayed),
            used=_array(used for _layer, used, _lapsed in replayed),
            lapsed=_array(lapsed for _layer, _used, lapsed in replayed),
        )

    @api.model
    def _layers(self, day, companies, gifts, allotment_ids=None):
        """Return the common table expressions of :meth:`_positions_of`; the last one is
        ``layer``, with what was ``taken`` and ``lost`` of its allotment, and the number
        of incidents ``before`` it.

        What is a sum is a sum: nothing is replayed that need not be, and only two
        things are sorted, the layers of each allotment, and the entries of those
        allotments from which something was taken back. It relies on these invariants:

        * The numbers of an allotment are the sums of its entries (R3.3): what it had on
          the day is what it has now, less what has moved since.
        * What a cause has given at once and nobody has taken back is a layer as it is.
        * What an order line has paid for in the lifetime allotment is what its cause
          has given: both are written together.

        (``OFFSET 0``: what was computed is not computed again wherever it is used.)

        :param gifts: see :meth:`_gifts`.
        :param list[int] allotment_ids: by default all of ``companies``.
        :rtype: SQL
        """

        by_hand = {key: known.until(day) for key, known in gifts.items()}

        def among(column):
            if allotment_ids is None:
                return SQL("TRUE")
            return SQL("%s = ANY(%s::int[])", column, _array(allotment_ids))

        return SQL(
            """
            later AS MATERIALIZED (
                SELECT allotment_id, -%(used)s AS used, %(granted)s AS granted
                  FROM helpdesk_incident_entry
                 WHERE date > %(day)s AND %(among)s
                 GROUP BY allotment_id
            ), allotment AS NOT MATERIALIZED (
                SELECT m.id, m.kind, m.account_id, m.date_to,
                       (m.used - COALESCE(later.used, 0))::int AS taken,
                       -- of this, what was not paid for is a layer without value
                       (CASE WHEN m.subscription_id IS NULL
                             THEN m.granted - COALESCE(later.granted, 0)
                             ELSE m.used - COALESCE(later.used, 0)
                        END)::int AS counted
                  FROM helpdesk_incident_allotment m
                  LEFT JOIN later ON later.allotment_id = m.id
                 WHERE %(among_m)s
            ), paid AS (
                SELECT allotment_id, sale_line_id, MIN(id) AS position,
                       SUM(quantity)::int AS quantity, SUM(withdrawn)::int AS withdrawn,
                       SUM(amount) AS amount
                  FROM helpdesk_incident_purchase
                 WHERE date <= %(day)s AND %(among)s
                 GROUP BY allotment_id, sale_line_id
            ), given AS NOT MATERIALIZED (
                SELECT id, allotment_id, kind, quantity, cause_number, cause_key
                  FROM helpdesk_incident_entry
                 WHERE effect = 'gives' AND date <= %(day)s AND %(among)s
            ), summed AS (
                SELECT given.*, GREATEST(SUM(given.quantity) OVER cause, 0) AS total,
                       SUM(GREATEST(given.quantity, 0)) OVER past AS passed
                  FROM given
                 WHERE kind <> 'adjustment'
                   AND allotment_id IN (
                           SELECT allotment_id FROM given
                            WHERE kind <> 'adjustment'
                              AND (quantity < 0 OR cause_number > 1))
                WINDOW cause AS (PARTITION BY allotment_id, cause_key),
                       past AS (PARTITION BY allotment_id, cause_key ORDER BY id)
            ), changed AS (
                -- what was taken back is missing in the last entries of its cause
                SELECT id, total::int,
                       LEAST(passed, total)::int AS until,
                       LEAST(passed - GREATEST(quantity, 0), total)::int AS since
                  FROM summed
                 UNION ALL
                SELECT id, NULL, kept, 0
                  FROM unnest(%(gifts)s::int[], %(kept)s::int[]) AS gift(id, kept)
            ), lost AS (
                -- and what was taken back by hand beyond gifts, in the allotment
                SELECT *
                  FROM unnest(%(losers)s::int[], %(lost)s::int[])
                    AS lost(allotment_id, lost)
            ), part AS (
                -- what gives lifetime incidents
                SELECT m.id AS allotment_id, m.account_id, m.date_to, m.taken,
                       COALESCE(lost.lost, 0)::int AS lost, 0 AS counted,
                       given.id AS entry_id, paid.sale_line_id, given.id AS position,
                       COALESCE(until - since, given.quantity) AS quantity,
                       0 AS withdrawn, paid.amount AS price, total, since, until
                  FROM given
                  JOIN allotment m ON m.id = given.allotment_id AND m.kind = 'lifetime'
                  LEFT JOIN changed ON changed.id = given.id
                  LEFT JOIN lost ON lost.allotment_id = m.id
                  LEFT JOIN paid ON paid.allotment_id = m.id
                   AND 'sale_line:' || paid.sale_line_id = given.cause_key
                 WHERE given.quantity > 0
                 UNION ALL
                -- what was paid for in a period; or has given nothing (any more)
                SELECT m.id, m.account_id, m.date_to, m.taken, 0, 0, NULL,
                       paid.sale_line_id, paid.position, paid.quantity, paid.withdrawn,
                       paid.amount, NULL, NULL, NULL
                  FROM paid JOIN allotment m ON m.id = paid.allotment_id
                 WHERE m.kind = 'period' OR paid.quantity = 0
                 UNION ALL
                -- and, last in a period, the rest, which was not paid for
                SELECT m.id, m.account_id, m.date_to, m.taken, 0, m.counted, NULL,
                       NULL, NULL, 0, 0, NULL, NULL, NULL, NULL
                  FROM allotment m
                 WHERE m.kind = 'period' AND m.counted > 0
            ), stacked AS (
                SELECT part.*, (SUM(quantity) OVER stack)::int - quantity AS before
                  FROM part
                WINDOW stack AS (PARTITION BY allotment_id ORDER BY position
                                 ROWS UNBOUNDED PRECEDING)
            ), priced AS (
                SELECT allotment_id, account.company_id, entry_id, sale_line_id,
                       position, taken, lost, before, withdrawn, places,
                       -- not while it can be used, if the report is of today
                       date_to <= %(day)s AND date_to < today.day AS ended,
                       COALESCE(entry_id::int8 * 4, position::int8 * 4 + 1,
                                allotment_id::int8 * 4 + 2) AS id,
                       CASE WHEN position IS NULL THEN counted - before
                            ELSE quantity END AS quantity,
                       CASE WHEN price IS NULL OR total = 0 THEN 0
                            WHEN total IS NULL THEN price
                            ELSE ROUND(price * until / total, places)
                               - ROUND(price * since / total, places)
                       END AS amount
                  FROM stacked
                  JOIN helpdesk_incident_account account ON account.id = account_id
                  JOIN %(today)s AS today(company_id, day, places) USING (company_id)
                OFFSET 0
            ), layer AS (
                -- what was paid and has given nothing is worth its price
                SELECT * FROM priced WHERE quantity > 0 OR amount <> 0
            )
            """,
            day=day,
            among=among(SQL("allotment_id")),
            among_m=among(SQL("m.id")),
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
            used=MOVED["used"],
            granted=MOVED["granted"],
            gifts=_array(gift for kept, _lost in by_hand.values() for gift in kept),
            kept=_array(
                number for kept, _lost in by_hand.values() for number in kept.values()
            ),
            losers=_array(by_hand),
            lost=_array(sum(lost.values()) for _kept, lost in by_hand.values()),
        )

    @api.model
    def _gifts(self, days, companies):
        """Return what was given and taken back by hand, of the allotments where
        something was taken back, and of those of merged customers.

        :rtype: dict[int, Gifts]
        """
        merges, moves = defaultdict(list), defaultdict(list)
        for allotment_id, *merge in self.env.execute_query(
            SQL(
                """
                SELECT entry.allotment_id, merge.entry_id, merge.date, merge.last_entry,
                       merge.former
                  FROM helpdesk_incident_merge merge
                  JOIN helpdesk_incident_entry entry ON entry.id = merge.entry_id
                  JOIN helpdesk_incident_account account
                    ON account.id = entry.account_id AND account.company_id IN %s
                 ORDER BY merge.id
                """,
                tuple(companies.ids),
            )
        ):
            merges[allotment_id].append(Merge(*merge))
        for allotment_id, *move in self.env.execute_query(
            SQL(
                """
                SELECT entry.allotment_id, entry.id, entry.date, NULL, entry.quantity
                  FROM helpdesk_incident_entry entry
                  JOIN helpdesk_incident_account account
                    ON account.id = entry.account_id AND account.company_id IN %s
                 WHERE entry.kind = 'adjustment' AND entry.date <= %s
                   AND entry.allotment_id IN (
                       SELECT allotment_id FROM helpdesk_incident_entry
                        WHERE kind = 'adjustment' AND quantity < 0)
                 ORDER BY entry.id
                """,
                tuple(companies.ids),
                max(days),
            )
        ):
            moves[allotment_id].append(Move(*move))
        return {
            allotment_id: Gifts(
                Queues(allotment_id, merges[allotment_id]), moves[allotment_id]
            )
            for allotment_id in {*merges, *moves}
        }

    @api.model
    def _replayed(self, days, companies, gifts):
        """Return what is gone of each layer of the allotments with several layers to
        which tickets have returned incidents: those go back to the layer that they came
        from (R12.4), wherever that is in the order; and of those of merged customers.

        :return: for each day, ids of layers, and the numbers used and lapsed.
        :rtype: dict[date, list[tuple[int, int, int]]]
        """
        result = {day: [] for day in days}
        returned = [
            allotment_id
            for [allotment_id] in self.env.execute_query(
                SQL(
                    """
                    SELECT DISTINCT allotment_id FROM helpdesk_incident_entry
                     WHERE effect = 'uses' AND quantity > 0 AND date <= %s
                    """,
                    max(days),
                )
            )
        ]
        merged = {key for key, known in gifts.items() if known.queues.events}
        returned = [*{*returned, *merged}]
        if not returned:
            return result
        stacks = self._stacks(
            days,
            companies,
            gifts,
            returned,
            SQL("COUNT(*) > 1 OR allotment_id = ANY(%s::int[])", _array(merged)),
        )
        moves = self._moves({stack.allotment_id for stack in stacks})
        for stack in stacks:
            _replay, used, lapsed = stack.replay(gifts, moves)
            result[stack.day] += zip(stack.ids, used, lapsed, strict=True)
        return result

    @api.model
    def _stacks(self, days, companies, gifts, allotment_ids, condition):
        """Return the layers of allotments as they were at the end of days.

        :param SQL condition: which allotments, on the group of their layers.
        :rtype: list[Stack]
        """
        rows = self.env.execute_query(
            SQL(" UNION ALL ").join(
                SQL(
                    """
                    (WITH %(layers)s
                     SELECT %(day)s::date, allotment_id,
                            ARRAY_AGG(id ORDER BY position),
                            ARRAY_AGG(entry_id ORDER BY position),
                            ARRAY_AGG(sale_line_id ORDER BY position),
                            ARRAY_AGG(quantity ORDER BY position),
                            ARRAY_AGG(amount ORDER BY position)
                       FROM layer GROUP BY allotment_id HAVING %(condition)s)
                    """,
                    day=day,
                    layers=self._layers(day, companies, gifts, allotment_ids),
                    condition=condition,
                )
                for day in days
            )
        )
        return [Stack(*row) for row in rows]

    @api.model
    def _replays(self, day, companies, allotment_ids):
        """Replay what became of allotments up to the end of a day.

        :param allotment_ids: the ids of allotments of ``companies``.
        :return: for each allotment with layers, these and the replay.
        :rtype: Iterator[tuple[Stack, Replay]]
        """
        self._flush_ledger()
        gifts = self._gifts([day], companies)
        stacks = self._stacks([day], companies, gifts, allotment_ids, SQL("TRUE"))
        moves = self._moves(set(allotment_ids))
        for stack in stacks:
            replay, _used, _lapsed = stack.replay(gifts, moves)
            yield stack, replay

    @api.model
    def _flush_ledger(self):
        for name in ("entry", "allotment", "purchase"):
            self.env[f"helpdesk.incident.{name}"].flush_model()

    @api.model
    def _moves(self, allotment_ids):
        """Return what tickets have taken and returned, in order, by allotment.

        :rtype: dict[int, list[Move]]
        """
        moves = defaultdict(list)
        if allotment_ids:
            for allotment_id, *move in self.env.execute_query(
                SQL(
                    """
                    SELECT allotment_id, id, date, cause_key, -quantity
                      FROM helpdesk_incident_entry
                     WHERE allotment_id IN %s AND effect = 'uses'
                     ORDER BY id
                    """,
                    tuple(allotment_ids),
                )
            ):
                moves[allotment_id].append(Move(*move))
        return moves


def _array(numbers):
    """Return integers as PostgreSQL writes an array: it reads one literal much quicker
    than thousands of them."""
    return f"{{{','.join(map(str, numbers))}}}"
