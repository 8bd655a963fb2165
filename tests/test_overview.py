from datetime import date

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command

from .common import PaidSupportCommon


class TestOverview(PaidSupportCommon):
    """What the lists of customers, allotments and entries show (R12.1, R12.2)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.incident_low_threshold = 3
        cls.third, cls.fourth = cls.env["res.partner"].create(
            [{"name": "Alpine"}, {"name": "Harbour"}]
        )
        cls.months, cls.small = (
            cls.env["product.template"].create(
                {
                    "name": name,
                    "type": "service",
                    "invoice_policy": "order",
                    "list_price": 0,
                    "incident_kind": "period",
                    "incident_quantity": number,
                    "incident_term_months": months,
                }
            )
            for name, number, months in (("3 months", 10, 3), ("1 month", 3, 1))
        )

    def bought(self, plan=None):
        """Order a plan without a price: it is paid when it is confirmed (R8.3)."""
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [
                    Command.create(
                        {"product_id": (plan or self.months).product_variant_id.id}
                    )
                ],
            }
        )
        order.action_confirm()
        return self.env["helpdesk.incident.subscription"].search(
            [("term_ids.sale_line_id", "in", order.order_line.ids)]
        )

    def on(self, day):
        self.env.invalidate_all()
        return freeze_time(f"{day} 10:00:00")

    def accounts(self):
        """Accounts below zero, empty, running low, and with enough."""
        negative = self.give_lifetime(2)
        negative._deduct(self.ticket(), 2)
        negative._adjust(-1, "Not paid")
        empty = self.account(self.other_customer)
        low = self.give_lifetime(3, self.third)
        enough = self.give_lifetime(4, self.fourth)
        return negative + empty + low + enough

    def test_level(self):
        """R12.1: shown, searched, sorted and grouped as one."""
        accounts = self.accounts()
        levels = ["negative", "empty", "low", "enough"]
        self.assertEqual(accounts.mapped("level"), levels)
        mine = [("id", "in", accounts.ids)]
        for account, level in zip(accounts, levels, strict=True):
            with self.subTest(level=level):
                found = self.account_model.search([*mine, ("level", "=", level)])
                self.assertEqual(found, account)
        self.assertEqual(
            self.account_model.search([*mine, ("level", "not in", levels[:2])]),
            accounts[2:].sorted("partner_id"),
        )
        self.assertEqual(
            dict(self.account_model._read_group(mine, ["level"], ["available:sum"])),
            {"negative": 0, "empty": 0, "low": 3, "enough": 4},
        )
        by_level = self.account_model.search(mine, order="level, id")
        self.assertEqual(by_level.mapped("level"), sorted(levels))

    def test_threshold_of_each_company(self):
        """R12.1, R13.2: 0 turns it off; companies have their own."""
        low = self.accounts()[2]
        self.company.incident_low_threshold = 0
        self.env.invalidate_all()
        self.assertEqual(low.level, "enough")
        self.assertNotIn(low, self.account_model.search([("level", "=", "low")]))
        company_b = self.env["res.company"].create(
            {"name": "B", "incident_low_threshold": 9}
        )
        in_b = self.account(self.third, company_b)
        in_b._adjust(4, "For B")
        self.assertEqual(in_b.level, "low")
        self.assertEqual(self.account_model.search([("level", "=", "low")]), in_b)

    def test_subscriptions(self):
        """R12.1: active ones, counted, searched, sorted, grouped and exported."""
        other = self.give_lifetime(1, self.other_customer)
        with self.on("2027-04-11"):
            account = self.bought().account_id.with_env(self.env)
            self.bought(self.small)
            self.assertEqual(account.subscription_count, 2)
        mine = [("id", "in", (account + other).ids)]
        search = self.account_model.search
        for day, number in (("2027-05-10", 2), ("2027-05-11", 1), ("2027-07-11", 0)):
            with self.subTest(day=day), self.on(day):
                self.assertEqual(account.subscription_count, number)
                self.assertEqual(
                    search([*mine, ("subscription_count", "=", number)]) & account,
                    account,
                )
                self.assertEqual(
                    search([*mine, ("subscription_count", ">", 0)]),
                    account if number else account.browse(),
                )
                groups = self.account_model._read_group(
                    mine, ["subscription_count"], ["__count"]
                )
                self.assertIn(number, dict(groups))
        with self.on("2027-05-10"):
            self.assertEqual(
                search(mine, order="subscription_count desc"), account + other
            )
            [[total]] = self.account_model._read_group(
                mine, [], ["subscription_count:sum"]
            )
            self.assertEqual(total, 2)
            self.assertEqual(
                account.export_data(["subscription_count", "level"])["datas"],
                [[2, "Enough"]],
            )

    def test_everything_sorts_and_groups(self):
        """R12.1: as the web client asks for it."""
        for model, names in (
            (
                "helpdesk.incident.account",
                """available lifetime_granted lifetime_used lifetime_balance
                period_balance next_expiry subscription_count level""",
            ),
            ("helpdesk.incident.allotment", "window total left product_id"),
            ("helpdesk.incident.entry", "product_id team_id allotment_kind quantity"),
        ):
            fields = self.env[model].with_user(self.agent_own).fields_get()
            for name in names.split():
                with self.subTest(model=model, name=name):
                    self.assertTrue(fields[name]["searchable"])
                    self.assertTrue(fields[name]["sortable"])
                    self.assertTrue(fields[name]["groupable"])

    def test_no_query_for_each_row(self):
        """R12.1: the list costs as much for 4 customers as for 40."""
        customers = self.env["res.partner"].create(
            [{"name": f"Customer {n}"} for n in range(40)]
        )
        accounts = self.account_model.union(*(map(self.account, customers)))
        names = {
            "partner_id": {"fields": {"display_name": {}}},
            "level": {},
            "subscription_count": {},
            "ticket_count": {},
            "next_expiry": {},
        }

        def cost(records):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.with_user(self.agent).web_read(names)
            return self.env.cr.sql_log_count - before

        cost(accounts[:4])
        self.assertEqual(cost(accounts), cost(accounts[:4]))

    def test_allotments(self):
        """R12.2: what there is, and where today is."""
        with self.on("2027-04-11"):
            subscription = self.bought()
        with self.on("2027-05-20"):
            account = subscription.account_id
            account._deduct(self.ticket(), 4)
            months = subscription.allotment_ids.sorted("date_from")
            self.assertEqual(months.mapped("window"), ["ended", "current", "coming"])
            self.assertEqual(months.mapped("left"), [0, 6, 10])
            self.assertEqual(months.mapped("total"), [10, 10, 10])
            self.assertEqual(months.product_id.product_tmpl_id, self.months)
            allotments = self.env["helpdesk.incident.allotment"]
            mine = [("account_id", "=", account.id)]
            for window, month in zip(
                ("ended", "current", "coming"), months, strict=True
            ):
                found = allotments.search([*mine, ("window", "=", window)])
                self.assertEqual(found - account.sudo()._lifetime(), month)
            self.assertIn(
                account._lifetime(), allotments.search([("window", "=", "current")])
            )
            self.assertEqual(
                allotments.search([*mine, ("left", ">", 0), ("left", "<", 10)]),
                months[1],
            )
            self.assertEqual(
                dict(
                    allotments._read_group(
                        [*mine, ("kind", "=", "period")], ["window"], ["left:sum"]
                    )
                ),
                {"ended": 0, "current": 6, "coming": 10},
            )

    def test_entries_by_plan_and_team(self):
        """R12.2: grouped by the plan and the team of the ticket, for each role."""
        with self.on("2027-04-11"):
            account = self.bought().account_id.with_env(self.env)
            account._deduct(self.ticket(self.emergency_team), 3)
            for user in (self.agent_own, self.manager, self.accountant):
                entries = self.env["helpdesk.incident.entry"].with_user(user)
                mine = [("account_id", "=", account.id)]
                with self.subTest(user=user.login):
                    teams = entries.web_read_group(mine, ["team_id"], ["quantity:sum"])[
                        "groups"
                    ]
                    self.assertEqual(
                        [(group["team_id"], group["quantity:sum"]) for group in teams],
                        [
                            ((self.emergency_team.id, "Emergency"), -3),
                            (False, 10),
                        ],
                    )
                    [plan] = entries.web_read_group(
                        mine, ["product_id"], ["quantity:sum"]
                    )["groups"]
                    self.assertEqual(
                        plan["product_id"][0], self.months.product_variant_id.id
                    )
                    self.assertEqual(plan["quantity:sum"], 7)

    def test_smart_buttons(self):
        """R12.1: what the form leads to, for who may see it."""
        with self.on("2027-04-11"):
            subscription = self.bought()
        account = subscription.account_id.with_env(self.env)
        ticket = self.ticket(user_id=self.agent_own.id)
        hidden = self.ticket(user_id=self.agent.id)
        self.ticket(partner=self.other_portal_user.partner_id)
        for user, tickets in (
            (self.agent_own, ticket),
            (self.agent, ticket + hidden),
            (self.manager, ticket + hidden),
        ):
            mine = account.with_user(user).sudo(False)
            with self.subTest(user=user.login):
                self.assertEqual(mine.ticket_count, len(tickets))
                action = mine.action_view_tickets()
                found = self.env["helpdesk.ticket"].with_user(user)
                self.assertEqual(found.search(action["domain"]), tickets.sorted())
        self.assertEqual(account.action_view_subscriptions()["res_id"], subscription.id)
        entries = self.entry_model.search(account.action_view_entries()["domain"])
        self.assertEqual(entries, account.entry_ids)
        self.manager.group_ids += self.env.ref(
            "sales_team.group_sale_salesman_all_leads"
        )
        orders = self.env["sale.order"].with_user(self.manager)
        domain = account.with_user(self.manager).action_view_orders()["domain"]
        self.assertEqual(
            orders.search(domain).sudo(), subscription.term_ids.sale_line_id.order_id
        )
        with self.assertRaises(AccessError):
            account.with_user(self.employee).sudo(False).action_view_entries()

    def test_next_steps_for_managers(self):
        """R12.1: an empty list leads managers, and nobody else, to the wizard."""
        for xml_id in (
            "helpdesk_incident_account_action",
            "helpdesk_incident_subscription_action",
        ):
            action = self.env.ref(f"helpdesk_paid_support.{xml_id}")
            for user, expected in ((self.manager, True), (self.agent, False)):
                text = action.with_user(user).sudo().read()[0]["help"]
                with self.subTest(action=xml_id, user=user.login):
                    self.assertIn("o_view_nocontent_smiling_face", text)
                    self.assertEqual('type="action"' in text, expected)

    def test_day_of_the_company(self):
        """R3.7: today is the company's."""
        self.company.partner_id.tz = "Pacific/Auckland"
        month = self.give_period(5, date(2027, 4, 1), date(2027, 4, 20))
        with self.on("2027-04-20"):
            self.assertEqual(month.window, "current")
        with freeze_time("2027-04-20 20:00:00"):
            self.env.invalidate_all()
            self.assertEqual(month.window, "ended")
            found = month.search([("id", "=", month.id), ("window", "=", "ended")])
            self.assertEqual(found, month)
