from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common_unearned import UnearnedCommon


@tagged("post_install", "-at_install")
class TestReturned(UnearnedCommon):
    """R17.6: what was returned, in incidents and in value."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.defect, cls.goodwill = cls.env["helpdesk.ticket.outcome"].create(
            [{"name": "Defect of ours"}, {"name": "Goodwill"}]
        )

    def returned(self):
        """Return ticket, outcome, incidents and value of each row, oldest first."""
        report = self.env["helpdesk.incident.returned"].with_company(self.company)
        report.invalidate_model()
        return [
            (row.ticket_id, row.outcome_id, row.quantity, round(row.amount, 2))
            for row in report.search([], order="id")
        ]

    def bought_pack(self, price):
        order = self.quotation(self.pack)
        order.order_line.price_unit = price
        self.paid(order)
        return order

    def test_by_layers(self):
        """R12.4, R17.6: 10 for 50.00, then 10 for 25.00. A ticket takes 11, of which
        one is worth 2.50; that comes back first."""
        none = self.env["helpdesk.ticket.outcome"]
        self.bought_pack(50)
        self.bought_pack(25)
        ticket = self.use(11)
        self.assertEqual(self.returned(), [])
        ticket.incident_count = 9
        self.assertEqual(self.returned(), [(ticket, none, 2, 7.5)])
        ticket.incident_outcome_id = self.defect
        self.assertEqual(
            self.returned(), [(ticket, none, 2, 7.5), (ticket, self.defect, 9, 45.0)]
        )
        # Charged again: it is not returned any more.
        ticket.incident_outcome_id = False
        self.assertEqual(self.returned(), [(ticket, none, 2, 7.5)])
        ticket.incident_count = 10
        self.assertEqual(self.returned(), [(ticket, none, 1, 2.5)])
        second = self.use(1)
        second.incident_outcome_id = self.goodwill
        self.assertEqual(self.returned()[-1], (second, self.goodwill, 1, 2.5))

    def test_free_and_periods(self):
        """R12.4: what was given is worth nothing; of a month its own price."""
        self.incident_account()._adjust(2, "A gift")
        ticket = self.use(1)
        ticket.incident_outcome_id = self.defect
        self.assertEqual(self.returned(), [(ticket, self.defect, 1, 0.0)])
        order = self.quotation(self.months)
        self.paid(order)
        month = self.subscription(order).sudo().allotment_ids.sorted("date_from")[0]
        value = order.order_line.price_subtotal / 3 / month.granted
        ticket = self.use(2)
        ticket.incident_outcome_id = self.defect
        self.assertEqual(
            self.returned()[-1], (ticket, self.defect, 2, round(2 * value, 2))
        )

    def test_groups(self):
        """R17.6: by outcome and team; managers and accountants see it, agents do
        not."""
        self.bought_pack(50)
        ticket = self.use(2)
        ticket.incident_outcome_id = self.defect
        report = self.env["helpdesk.incident.returned"].with_company(self.company)
        groups = report._read_group(
            [], ["outcome_id", "team_id", "date:month"], ["quantity:sum", "amount:sum"]
        )
        self.assertEqual(
            [(outcome, team, *numbers) for outcome, team, _month, *numbers in groups],
            [(self.defect, ticket.team_id, 2, 10.0)],
        )
        agent = new_test_user(
            self.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
        )
        accountant = new_test_user(
            self.env,
            "hps-accountant",
            groups="base.group_user,account.group_account_readonly",
        )
        for user in (self.manager, accountant):
            self.assertEqual(len(report.with_user(user).search([])), 1)
        with self.assertRaises(AccessError):
            report.with_user(agent).search([])
