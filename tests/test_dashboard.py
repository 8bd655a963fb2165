from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.helpdesk_paid_support.report.helpdesk_incident_dashboard import (
    NUMBERS,
)

from .common_subscription import RenewalCommon


@tagged("post_install", "-at_install")
class TestDashboard(RenewalCommon):
    """R22.1: what a manager looks at first; each number is that of its list.

    One subscription of 90.00 for 3 months, paid through July 10, is in the books.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.board_model = cls.env["helpdesk.incident.dashboard"]
        cls.team = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Support",
                "company_id": cls.company.id,
                "incident_required": True,
                "incident_shortage_policy": "park",
            }
        )
        cls.account = cls.subscription_one.account_id
        cls.other_customer = cls.env["res.partner"].create({"name": "Blue Bakery"})
        cls.agent = cls.staff("agent", "helpdesk_mgmt.group_helpdesk_user")

    @classmethod
    def staff(cls, login, groups):
        return new_test_user(
            cls.env,
            f"hps-board-{login}",
            groups=f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def board(self, user=None, company=None):
        self.env.invalidate_all()
        model = self.board_model.with_user(user) if user else self.board_model
        return model.browse((company or self.company).id)

    def behind(self, board, name):
        """Return the number that the list behind a number adds up to."""
        action = board.with_context(incident_number=name).action_open_number()
        self.assertEqual(action["res_model"], NUMBERS[name].model)
        records = self.env[action["res_model"]].with_user(board.env.user)
        records = records.search(action["domain"])
        if NUMBERS[name].measure == "__count":
            return len(records)
        field, _sum = NUMBERS[name].measure.split(":")
        return NUMBERS[name].sign * sum(records.mapped(field))

    def live(self):
        """A customer uses, waits, is short, contests, runs low; something lapses."""
        self.company.incident_low_threshold = 8
        with self.on("2027-04-15"):
            ticket = self.use(2)
            self.env["helpdesk.incident.contest"].sudo().create(
                {
                    "ticket_id": ticket.id,
                    "entry_id": self.entries(ticket).id,
                    "partner_id": self.customer.id,
                    "quantity": 2,
                    "reason": "It was your fault",
                }
            )
        with self.on("2027-05-20"):
            self.run_actions("open_and_close")
            self.use(3)
            self.order(self.pack, customer=self.customer)

    def use(self, number):
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "Help",
                "description": "Help",
                "team_id": self.team.id,
                "partner_id": self.customer.id,
                "company_id": self.company.id,
            }
        )
        ticket.incident_count = number
        return ticket

    def entries(self, ticket):
        return self.env["helpdesk.incident.entry"].search(
            [("ticket_id", "=", ticket.id)]
        )

    def test_numbers_are_those_of_their_lists(self):
        """R22.1: each number, in three months, is what the list behind it adds up to;
        for a manager, and for an agent without amounts."""
        self.live()
        seen = set()
        for day in ("2027-05-20", "2027-06-12", "2027-07-12"):
            with self.on(day):
                self.run_actions("open_and_close")
                for user in (self.env.user, self.agent):
                    board = self.board(user)
                    for name, number in NUMBERS.items():
                        if user == self.agent and number.measure == "amount:sum":
                            continue
                        with self.subTest(day=day, user=user.login, name=name):
                            self.assertAlmostEqual(
                                board[name], self.behind(board, name)
                            )
                            seen |= {name} if board[name] else set()
        self.assertGreaterEqual(
            seen,
            {
                *(
                    "sold",
                    "used",
                    "lapsed",
                    "used_before",
                    "lapsed_before",
                    "subscribed",
                ),
                *("contested", "ends", "recurring", "started_before", "lost"),
            },
        )

    def test_what_they_are(self):
        """R22.1: of 10 incidents from April 11 on 2 were used and 8 have lapsed on May
        10; from May 11 on there are 10 more, of which 3 are used."""
        self.live()
        with self.on("2027-05-20"):
            board = self.board()
            self.assertEqual((board.sold, board.sold_before), (10, 10))
            self.assertEqual((board.used, board.used_before), (3, 2))
            self.assertEqual((board.lapsed, board.lapsed_before), (8, 0))
            self.assertEqual(board.left, 7)
            self.assertEqual((board.low, board.contested, board.subscribed), (1, 1, 1))
            self.assertEqual((board.recurring, board.started_before), (30, 30))
            self.assertEqual((board.ends, board.renewed, board.lost), (0, 0, 0))

    def test_value_renewed_and_lost(self):
        """R22.1: 30.00 a month until July 10; renewed for 3 months on, it is renewed in
        July, and lost in October, when nothing follows."""
        with self.on("2027-07-05"):
            self.paid(self.subscription_one._order_renewal())
        with self.on("2027-07-20"):
            board = self.board()
            self.assertEqual((board.recurring, board.recurring_before), (30, 30))
            self.assertEqual((board.renewed, board.lost), (30, 0))
        with self.on("2027-10-20"):
            board = self.board()
            self.assertEqual((board.recurring, board.recurring_before), (0, 30))
            self.assertEqual((board.lost, board.subscribed), (30, 0))

    def test_cancelled_is_lost(self):
        """R9.8, R22.1: cancelled on May 20, it is lost that day, and not active at the
        end of the month."""
        with self.on("2027-05-20"):
            self.subscription_one.action_cancel()
            board = self.board()
            self.assertEqual((board.recurring, board.lost), (0, 30))
            self.assertEqual(board.recurring_before, 30)

    def test_quarters(self):
        """R15.2, R22.1: 12 months for 240.00 in quarters are 20.00 a month."""
        plan = self.plan("Quarters", 240, "period", 30, 12, incident_period_months=3)
        self.bought(plan, customer=self.other_customer)
        found = self.env["helpdesk.incident.recurring"].search(
            [("kind", "=", "active"), ("product_id", "=", plan.id)]
        )
        self.assertEqual(found.mapped("amount"), [20])
        self.assertEqual(found.date, date(2027, 4, 11))
        with self.on("2028-02-15"):
            found = self.env["helpdesk.incident.recurring"].search(
                [("kind", "=", "active"), ("product_id", "=", plan.id)]
            )
            self.assertEqual(len(found), 11)
            self.assertEqual(sum(found.mapped("amount")), 220)

    def test_who_runs_out_next(self):
        """R22.1: 3 of 9 used in 30 days: the 6 that are left last 60 days. Where a new
        period comes before, nobody runs out."""
        with self.on("2027-04-15"):
            self.use(2)
        with self.on("2027-05-08"):
            # 8 left, 2 used in 24 days: more comes on May 11.
            self.assertFalse(self.account.runs_out)
        other = self.other_customer
        account = self.env["helpdesk.incident.account"]._of(
            other, self.company, create=True
        )
        account._adjust(9, "A gift")
        with self.on("2027-04-11"):
            self.env["helpdesk.ticket"].create(
                {
                    "name": "Help",
                    "description": "Help",
                    "team_id": self.team.id,
                    "partner_id": other.id,
                    "company_id": self.company.id,
                }
            ).incident_count = 3
        with self.on("2027-05-10"):
            # 3 in 30 days, 6 left: 60 days more.
            self.assertEqual(account.sudo(False).runs_out, date(2027, 7, 9))
            self.assertEqual(self.board().runs_out, 0)
        with self.on("2027-05-24"):
            # 3 in 44 days.
            self.assertEqual(account.runs_out, date(2027, 8, 20))
        with self.on("2027-07-08"):
            self.env["helpdesk.ticket"].search(
                [("partner_id", "=", other.id)]
            ).incident_count = 8
            # 8 in 89 days, 1 left.
            board = self.board()
            self.assertEqual(account.runs_out, date(2027, 7, 19))
            self.assertEqual(board.runs_out, 1)
            self.assertEqual(board.next_account_ids, account.sudo(False))

    def test_offer(self):
        """R22.1: the dialog of tickets makes the order, for who serves or sells."""
        action = self.account.with_user(self.agent).action_offer()
        dialog = self.env["helpdesk.ticket.order"].with_user(self.agent)
        with self.assertRaises(UserError):
            dialog._customer()
        self.pack.product_tmpl_id.incident_portal_published = True
        form = Form(dialog.with_context(**action["context"]))
        self.assertEqual((form.product_id, form.quantity), (self.pack, 1))
        self.assertIn("50.00", form.preview)
        self.assertFalse(form.waits)
        form.save().action_order()
        order = self.env["sale.order"].search(
            [("order_line.product_id", "=", self.pack.id)]
        )
        self.assertEqual(order.partner_id, self.customer)
        seller = self.staff("seller", "sales_team.group_sale_salesman")
        action = self.account.with_user(seller).action_offer()
        dialog = self.env["helpdesk.ticket.order"].with_user(seller)
        form = Form(dialog.with_context(**action["context"]))
        form.quantity = 3
        form.save().action_order()
        orders = self.env["sale.order"].search(
            [("order_line.product_id", "=", self.pack.id)]
        )
        self.assertEqual(sorted(orders.order_line.mapped("product_uom_qty")), [1, 3])
        accountant = self.staff("clerk", "account.group_account_invoice")
        with self.assertRaises(AccessError):
            self.account.with_user(accountant).action_offer()

    def test_roles(self):
        """R14: agents see no amounts; nobody opens what is no number."""
        board = self.board(self.agent)
        values = board.read()[0]
        self.assertIn("used", values)
        self.assertNotIn("recurring", values)
        with self.assertRaises(AccessError):
            board.with_context(incident_number="recurring").action_open_number()
        for name in (None, "company_id", "_compute_numbers"):
            with self.assertRaises(UserError):
                board.with_context(incident_number=name).action_open_number()
        action = self.board_model.with_user(self.agent).action_open_dashboard()
        self.assertEqual(action["res_id"], self.company.id)
        with self.assertRaises(AccessError):
            self.board_model.with_user(self.staff("x", "base.group_user")).search([])

    def test_companies(self):
        """R2.3: a user of another company sees his own numbers, all 0."""
        other = self.env["res.company"].create({"name": "Other"})
        user = new_test_user(
            self.env,
            "hps-board-other",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_manager",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.live()
        with self.on("2027-05-20"):
            board = self.board(user, other)
            self.assertFalse([name for name in NUMBERS if board[name]])
            with self.assertRaises(AccessError):
                self.board(user).read(["used"])

    def test_queries(self):
        """R22.1: as many queries for many entries as for few."""
        names = [*NUMBERS, "next_account_ids", "recurring_graph"]

        def queries():
            board = self.board()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            board.web_read({name: {} for name in names})
            return self.env.cr.sql_log_count - before

        self.live()
        queries()
        few = queries()
        for number in range(6):
            with self.on(f"2027-05-{21 + number}"):
                self.use(1)
        self.assertLessEqual(queries(), few)

    def test_months_of_a_customer(self):
        """R22.1: the picture on the customer's form is of its entries alone."""
        self.live()
        with self.on("2027-05-20"):
            action = self.customer.action_view_incident_months()
            self.assertEqual(action["views"][0][1], "graph")
            entries = self.env["helpdesk.incident.entry"].search(action["domain"])
            self.assertEqual(entries.account_id, self.account.sudo(False))
            left = sum(entries.mapped("quantity"))
            self.assertEqual((left, self.account.period_balance), (7, 7))
