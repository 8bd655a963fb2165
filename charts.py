"""Where the bars and curves of a picture are (R22.1): pure functions of numbers.

All places are percents of the plot: from 0 at the left to 100 at the right, from 0 at
the top to 100 at the bottom. So a picture fits any width, and its words keep their
size. Where one reads from right to left, time runs from right to left, too.
"""

from math import ceil, floor
from typing import NamedTuple

#: How many lines the scale of a picture has at most, beside the lowest one.
PARTS = 4
#: What is left free where reading begins, for the numbers of the scale.
MARGIN = 7
#: How much of its column a bar takes.
BAR_SHARE = 0.7


class Tick(NamedTuple):
    """A line of the scale."""

    value: int
    y: float


class Bar(NamedTuple):
    """One part of a column: a number that is drawn as a rectangle."""

    kind: str
    x: float
    y: float
    width: float
    height: float


class Column(NamedTuple):
    """What stands above one place of the axis."""

    x: float
    width: float
    middle: float
    bars: list[Bar]
    #: the height of the line that crosses it, if there is one
    line: float | None


class Scale:
    """Turns numbers into places."""

    def __init__(self, low, high, mirrored=False):
        """
        :param low: the lowest number that is shown.
        :param high: the highest one.
        :param bool mirrored: whether time runs from right to left.
        """
        values = steps(low, high)
        self.bottom, self.top, self.mirrored = values[0], values[-1], mirrored
        self.ticks = [Tick(value, self.y(value)) for value in values]

    def y(self, value):
        """Return how far a number is below the top."""
        return round(100 * (self.top - value) / (self.top - self.bottom), 3)

    def x(self, share):
        """Return where a share of the axis is, from 0 to 1 as time goes."""
        place = MARGIN + (100 - MARGIN) * share
        return round(100 - place if self.mirrored else place, 3)


def steps(low, high, parts=PARTS):
    """Return the numbers of a scale: round ones at equal distances, from the lowest to
    the highest number or beyond, with 0 among them.

    :rtype: list[int]
    """
    low, high = min(low, 0), max(high, 1)
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            first, last = floor(low / step), ceil(high / step)
            if last - first <= parts:
                return [number * step for number in range(first, last + 1)]
        size *= 10


def columns(scale, stacks, lines):
    """Return the columns of a picture, one beside the other: what is above 0 is stacked
    upwards from there, what is below 0 downwards.

    :param Scale scale:
    :param list[dict] stacks: the numbers of each column by their kind, lowest first.
    :param list lines: a number for each column, or None.
    :rtype: list[Column]
    """
    width = 1 / len(stacks)
    found = []
    for index, (stack, line) in enumerate(zip(stacks, lines, strict=True)):
        edges = scale.x(index * width), scale.x((index + 1) * width)
        middle = scale.x((index + 0.5) * width)
        whole = abs(edges[1] - edges[0])
        bar = BAR_SHARE * whole
        ends = {True: 0, False: 0}
        bars = []
        for kind, number in stack.items():
            if not number:
                continue
            begin = ends[number > 0]
            end = ends[number > 0] = begin + number
            top, bottom = scale.y(max(begin, end)), scale.y(min(begin, end))
            bars.append(
                Bar(
                    kind,
                    round(middle - bar / 2, 3),
                    top,
                    round(bar, 3),
                    round(bottom - top, 3),
                )
            )
        height = None if line is None else scale.y(line)
        found.append(Column(min(edges), round(whole, 3), middle, bars, height))
    return found


def extent(stacks, lines=()):
    """Return the lowest and the highest number that :func:`columns` draws."""
    lows = [sum(n for n in stack.values() if n < 0) for stack in stacks]
    highs = [sum(n for n in stack.values() if n > 0) for stack in stacks]
    return min(lows, default=0), max([*highs, *(n for n in lines if n)], default=0)


def staircase(scale, points):
    """Return the path of a number that stays as it is until it changes.

    :param points: pairs of a share of the axis and the number from there on.
    :return: commands of an SVG path.
    :rtype: str
    """
    path = []
    for share, value in points:
        x, y = scale.x(share), scale.y(value)
        path.append(f"H{x:g}V{y:g}" if path else f"M{x:g} {y:g}")
    return "".join(path)


def slope(scale, points):
    """Return the path of a number that goes from point to point.

    :param points: pairs of a share of the axis and the number there.
    :return: commands of an SVG path.
    :rtype: str
    """
    places = (f"{scale.x(share):g} {scale.y(value):g}" for share, value in points)
    return "M" + "L".join(places)
