from odoo.tests import BaseCase

from odoo.addons.helpdesk_paid_support import charts


class TestCharts(BaseCase):
    """R22.1: where the bars and curves of a picture are."""

    def test_steps(self):
        """R22.1: a scale has a few round numbers, 0 among them, and holds all."""
        for low, high, expected in (
            (0, 0, [0, 1]),
            (0, 3, [0, 1, 2, 3]),
            (0, 7, [0, 2, 4, 6, 8]),
            (0, 10.5, [0, 5, 10, 15]),
            (-3, 12, [-5, 0, 5, 10, 15]),
            (0, 9_999, [0, 5000, 10000]),
        ):
            with self.subTest(low=low, high=high):
                self.assertEqual(charts.steps(low, high), expected)

    def test_columns(self):
        """R22.1: parts are stacked from 0 upwards, what is below 0 downwards; each
        column has its share of the width, and a line where there is one."""
        stacks = [{"used": 3, "lapsed": 1}, {"used": -2, "lapsed": 0}]
        low, high = charts.extent(stacks, [None, 2.5])
        self.assertEqual((low, high), (-2, 4))
        scale = charts.Scale(low, high)
        first, second = charts.columns(scale, stacks, [None, 2.5])
        used, lapsed = first.bars
        self.assertEqual([tick.value for tick in scale.ticks], [-2, 0, 2, 4])
        self.assertAlmostEqual(used.y + used.height, scale.y(0), 2)
        self.assertAlmostEqual(lapsed.y + lapsed.height, used.y, 2)
        self.assertAlmostEqual(lapsed.y, scale.y(4), 2)
        [below] = second.bars
        self.assertEqual(below.y, scale.y(0))
        self.assertAlmostEqual(below.y + below.height, 100, 2)
        self.assertEqual((first.line, second.line), (None, scale.y(2.5)))
        self.assertAlmostEqual(first.x + first.width, second.x, 2)
        self.assertAlmostEqual(second.x + second.width, 100, 2)
        self.assertAlmostEqual(used.x + used.width / 2, first.middle, 2)

    def test_mirrored(self):
        """R22.1: where one reads from right to left, time runs so, too."""
        stacks = [{"used": 1}, {"used": 2}, {"used": 3}]
        plain, mirrored = (
            charts.columns(charts.Scale(0, 3, turned), stacks, [None] * 3)
            for turned in (False, True)
        )
        for here, there in zip(plain, mirrored, strict=True):
            self.assertAlmostEqual(here.middle + there.middle, 100, 2)
            self.assertAlmostEqual(here.x + here.width + there.x, 100, 2)
            self.assertEqual(here.bars[0].height, there.bars[0].height)

    def test_paths(self):
        """R22.1: what was left stays until it changes; what is expected slopes."""
        scale = charts.Scale(0, 4)
        points = [(0, 4), (0.5, 2), (1, 2)]
        self.assertEqual(charts.staircase(scale, points), "M7 0H53.5V50H100V50")
        self.assertEqual(charts.slope(scale, points), "M7 0L53.5 50L100 50")
