"""What became of lifetime incidents in the order of time (R12.4): given and taken back
by hand, taken by tickets and returned, and in which queue, before and after a merge."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from odoo.tools import groupby


class Move(NamedTuple):
    """An entry that takes, returns or, by hand, gives."""

    entry: int
    date: date
    #: the cause key of the ticket
    ticket: str | None
    #: what a ticket takes (above zero) or returns, what is given (above zero) by hand
    #: or taken back
    number: int


class Merge(NamedTuple):
    """An entry that came into the lifetime allotment of another customer."""

    entry: int
    #: when, as a day and as the last entry before
    date: date
    last_entry: int
    #: the allotment in which it was until then
    former: int


class Queues:
    """Which queue the entries of a lifetime allotment were in: what customers had
    before they were merged was a queue of its own until then.

    Between two merges things are as they are: such a time has a running number.

    :param list[Merge] merges: of entries of the allotment, in order.
    """

    def __init__(self, allotment, merges=()):
        self.allotment = allotment
        self.events = sorted({(merge.date, merge.last_entry) for merge in merges})
        self.moved = defaultdict(list)
        for merge in merges:
            number = self.events.index((merge.date, merge.last_entry))
            self.moved[merge.entry].append((number, merge.former))

    def at(self, entry, time):
        """Return the queue of an entry at a time."""
        return next(
            (former for until, former in self.moved.get(entry, ()) if until >= time),
            self.allotment,
        )

    def end_of(self, day):
        """Return the time at the end of a day."""
        return bisect_right(self.events, day, key=itemgetter(0))

    def time_of(self, move):
        """Return the time of a move."""
        return bisect_left(self.events, move.entry, key=itemgetter(1))

    def joined(self, time):
        """Return the queues that became one at the end of a time.

        :rtype: dict[int, set[int]]
        """
        joined = defaultdict(set)
        for entry, formers in self.moved.items():
            if any(until == time for until, _former in formers):
                target = self.at(entry, time + 1)
                joined[target] |= {self.at(entry, time), target}
        return joined


class Gifts:
    """What was given and taken back by hand in an allotment.

    What is taken back reduces gifts of that day or an earlier one, the last one first.
    What there was no gift for is lost: a later gift is another one.

    :param list[Move] moves: in order.
    """

    def __init__(self, queues, moves=()):
        self.queues, self.moves, self.known = queues, moves, {}

    def until(self, day):
        """Return what remains of each gift at the end of a day, by entry, used or not;
        and how many others were taken back, by queue.

        :rtype: tuple[dict[int, int], dict[int, int]]
        """
        if day not in self.known:
            self.known[day] = self._after(
                [move for move in self.moves if move.date <= day]
            )
        return self.known[day]

    def before(self, time):
        """Return the same for the end of a time."""
        return self._after(
            [move for move in self.moves if self.queues.time_of(move) <= time]
        )

    def _after(self, moves):
        kept, lost = {}, defaultdict(int)

        def when(move):
            return move.date, self.queues.time_of(move)

        for (_day, time), of_day in groupby(moves, when):
            nets = defaultdict(int)
            for move in of_day:
                nets[self.queues.at(move.entry, time)] += move.number
            for move in of_day:
                queue = self.queues.at(move.entry, time)
                if move.number > 0:
                    kept[move.entry] = min(move.number, max(nets[queue], 0))
                    nets[queue] -= kept[move.entry]
            for queue, net in nets.items():
                missing = max(-net, 0)
                for gift in reversed(kept):
                    if missing and self.queues.at(gift, time) == queue:
                        taken = min(kept[gift], missing)
                        kept[gift] -= taken
                        missing -= taken
                lost[queue] += missing
        return kept, lost


class Layer(NamedTuple):
    #: the entry that has given it; None if that is none
    entry: int | None
    quantity: int


class Replay:
    """Tickets take from the first layer that has something left, and return to the
    layer that they have taken from.

    What was lost lapses in the end, of what is left by then; before that when queues
    are joined: what each had been until then stays so.

    :param list[Layer] layers: in the order in which they are used, as they are at the
        end of ``day``.
    """

    def __init__(self, layers, gifts, day):
        self.layers, self.day = layers, day
        self.gifts, self.queues = gifts, gifts.queues
        self.left = [layer.quantity for layer in layers]
        self.lapsed = [0] * len(layers)
        #: what tickets have taken where nothing is left, as it was taken back since
        self.missing = defaultdict(int)
        #: what that was set against: index and number
        self.instead = []
        #: the layers that what each entry has returned went back to: index and number
        self.returned = defaultdict(list)
        #: the layers that each entry has taken from, less what was returned since; the
        #: index None is what nothing is left for
        self.taken = {}
        #: what was lost and nothing was left for, and what was looked at of it
        self.lacking = defaultdict(int)
        self.counted = defaultdict(int)

    def run(self, moves):
        """Return how much of each layer is used after ``moves``, and has lapsed.

        :param list[Move] moves: those of tickets, in order, up to the day.
        :rtype: tuple[list[int], list[int]]
        """
        held = defaultdict(list)
        now, end = 0, self.queues.end_of(self.day)
        for move in moves:
            while now < self.queues.time_of(move):
                self._join(now)
                now += 1
            queue = self.queues.at(move.entry, now)
            if move.number > 0:
                taken = self._take(move.number, queue, now)
                rest = move.number - sum(part for _index, part in taken)
                self.missing[queue] += rest
                self.taken[move.entry] = [*taken, [None, rest]] if rest else taken
                held[move.ticket] += self.taken[move.entry]
            else:
                legs = held[move.ticket]
                self._return(-move.number, legs, queue, self.returned[move.entry])
        for time in range(now, end):
            self._join(time)
        _kept, lost = self.gifts.until(self.day)
        for queue in {self.queues.at(layer.entry, end) for layer in self.layers}:
            self._settle(queue, end, lost[queue])
        return [
            layer.quantity - free - lapsed
            for layer, free, lapsed in zip(
                self.layers, self.left, self.lapsed, strict=True
            )
        ], self.lapsed

    def used(self):
        """Return which layers what each entry has taken and nobody has returned is of,
        after :meth:`run`: index and number; the index is None where nothing was left
        and has not come since.

        :rtype: dict[int, list[tuple[int | None, int]]]
        """
        instead = [list(leg) for leg in self.instead if leg[1]]
        result = {}
        for entry, legs in self.taken.items():
            parts = result[entry] = []
            for index, number in legs:
                while number and index is None and instead:
                    part = min(number, instead[0][1])
                    parts.append((instead[0][0], part))
                    number -= part
                    instead[0][1] -= part
                    if not instead[0][1]:
                        instead.pop(0)
                if number:
                    parts.append((index, number))
        return result

    def _take(self, number, queue, time):
        """Return what is taken from a queue, as index and number: as far as there is
        something left."""
        legs = []
        for index, free in enumerate(self.left):
            taken = min(free, number)
            if taken and self.queues.at(self.layers[index].entry, time) == queue:
                self.left[index] -= taken
                number -= taken
                legs.append([index, taken])
        return legs

    def _return(self, number, legs, queue, parts):
        while number and legs:
            index, taken = legs[-1]
            returned = min(taken, number)
            number -= returned
            legs[-1][1] -= returned
            if returned == taken:
                legs.pop()
            if index is not None:
                self.left[index] += returned
                parts.append((index, returned))
                continue
            still = min(returned, self.missing[queue])
            self.missing[queue] -= still
            if returned > still:
                self._return(returned - still, self.instead, queue, parts)

    def _join(self, time):
        _kept, lost = self.gifts.before(time)
        for target, queues in self.queues.joined(time).items():
            for queue in queues:
                self._settle(queue, time, lost[queue])
            for pending in self.missing, self.lacking:
                pending[target] = sum(pending.pop(queue, 0) for queue in queues)

    def _settle(self, queue, time, lost):
        # What is missing is used all the same: of what is left by now.
        legs = self._take(self.missing[queue], queue, time)
        self.instead += legs
        self.missing[queue] -= sum(taken for _index, taken in legs)
        self.lacking[queue] += lost - self.counted[queue]
        self.counted[queue] = lost
        for index, taken in self._take(self.lacking[queue], queue, time):
            self.lapsed[index] += taken
            self.lacking[queue] -= taken
