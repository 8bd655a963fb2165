from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common_sale import BOUGHT
from .common_unearned import UnearnedCommon


@tagged("post_install", "-at_install")
class TestUsed(UnearnedCommon):
    """R12.7: from a ticket's deduction to the purchases that it has used, and back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = new_test_user(
            cls.env,
            "auditor",
            "account.group_account_readonly",
            company_id=cls.company.id,
        )

    def bought_pack(self, price):
        order = self.quotation(self.pack)
        order.order_line.price_unit = price
        return order, self.paid(order)

    def shown(self, action):
        """Return order, incidents and value of each row that an action shows."""
        self.env["helpdesk.incident.used"].invalidate_model()
        return [
            (row.order_id, row.quantity, row.amount)
            for row in self.env["helpdesk.incident.used"]
            .with_user(self.accountant)
            .with_company(self.company)
            .with_context(**action["context"])
            .search(action["domain"], order="id")
        ]

    def of_ticket(self, ticket):
        entries = ticket.sudo().incident_entry_ids.filtered(
            lambda entry: entry.kind == "deduction"
        )
        return self.shown(entries.with_user(self.accountant).action_view_used())

    def test_there_and_back(self):
        """R12.7: 10 for 50.00, then 10 for 25.00. A ticket of 11 has used all of the
        first and 1 of the second; what it returns came from the second first."""
        first, payment = self.bought_pack(50)
        second, _paid = self.bought_pack(25)
        none = self.env["sale.order"]
        ticket = self.use(11)
        self.assertEqual(self.of_ticket(ticket), [(first, 10, 50), (second, 1, 2.5)])
        ticket.incident_count = 9
        self.assertEqual(self.of_ticket(ticket), [(first, 9, 45)])
        other = self.use(3)
        self.assertEqual(self.of_ticket(other), [(first, 1, 5), (second, 2, 5)])
        # And back, from the report of unearned incidents.
        rows = self.rows().filtered("order_id").sorted("id")
        self.assertEqual(rows.order_id, first | second)
        for row in rows:
            shown = self.shown(row.with_user(self.accountant).action_view_used())
            self.assertEqual({order for order, *_rest in shown}, {row.order_id})
            self.assertEqual(sum(number for _o, number, _v in shown), row.used)
            self.assertEqual(sum(value for *_rest, value in shown), row.amount_used)
        # More was used than there is now: nobody has paid for that.
        payment.action_draft()
        self.assertEqual(
            self.of_ticket(ticket) + self.of_ticket(other),
            [(second, 9, 22.5), (second, 1, 2.5), (none, 2, 0)],
        )

    def test_past_day(self):
        """R12.7: the report of a past day leads to what was used by then."""
        with freeze_time(BOUGHT):
            self.bought_pack(50)
            self.use(2)
            day = self.company._incident_today()
        with freeze_time(BOUGHT + timedelta(days=1)):
            self.use(3)
        [row] = self.rows(day).filtered("order_id")
        shown = self.shown(row.with_user(self.accountant).action_view_used())
        self.assertEqual([number for _order, number, _value in shown], [2])

    def test_accountants_alone(self):
        """R14: what was paid is for accountants."""
        self.bought_pack(50)
        agent = new_test_user(self.env, "agent", "helpdesk_mgmt.group_helpdesk_user")
        entries = self.use(1).sudo().incident_entry_ids
        with self.assertRaises(AccessError):
            entries.with_user(agent).action_view_used()

    def test_parts_of_a_month(self):
        """R12.4: the chart stacks what was used, has lapsed and is left of a month: the
        same numbers as the totals by month."""
        self.bought_pack(50)
        self.use(3)
        today = str(self.company._incident_today())
        months = self.by_month(today, today).filtered("product_id")
        parts = (
            self.env["helpdesk.incident.unearned.part"]
            .with_context(unearned_date=today, unearned_from=today)
            .with_company(self.company)
            .search([("product_id", "=", self.pack.id)])
        )
        self.assertEqual(
            {part.part: part.amount for part in parts},
            {"1_used": months.amount_used, "3_left": months.amount_closing},
        )
        self.assertEqual(sum(parts.mapped("amount")), 50)
        self.assertEqual(months.amount_opening + months.amount, 50)
