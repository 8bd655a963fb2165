"""R2.3: a company and its branches are one legal entity."""

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common_subscription import SubscriptionCommon
from .test_buy import BuyCommon


@tagged("post_install", "-at_install")
class TestBranches(BuyCommon, SubscriptionCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.add_branch()
        # Odoo has given the taxes of the new company to what had none.
        (cls.pack | cls.months).product_tmpl_id.company_id = cls.company
        (cls.pack | cls.months).sudo().taxes_id = False
        cls.branch_team = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Support of the branch",
                "incident_required": True,
                "company_id": cls.branch.id,
            }
        )
        here = {
            "company_id": cls.branch.id,
            "company_ids": [Command.set(cls.branch.ids)],
        }
        cls.user.write(here)
        cls.branch_agent = new_test_user(
            cls.env,
            "hps-branch-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
            **here,
        )
        cls.branch_accountant = new_test_user(
            cls.env,
            "hps-branch-accountant",
            groups="base.group_user,account.group_account_invoice",
            **here,
        )

    def accounts(self):
        return self.account_model.search([("partner_id", "=", self.customer.id)])

    def branch_order(self, *products, **values):
        return self.quotation(
            *products, company_id=self.branch.id, **values
        ).with_company(self.branch)

    def branch_ticket(self, number=1):
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "It does not work",
                "description": "Please help",
                "team_id": self.branch_team.id,
                "partner_id": self.user.partner_id.id,
                "user_id": False,
            }
        )
        self.assertEqual(ticket.company_id, self.branch)
        ticket.incident_count = number
        return ticket

    # -- incidents -------------------------------------------------------------

    def test_one_account(self):
        """R2.3: 10 bought in the branch and 10 in the company are 20 of one account; a
        ticket of either team takes of them."""
        self.paid(self.branch_order(self.pack))
        self.paid(self.quotation(self.pack))
        [account] = self.accounts()
        self.assertEqual((account.company_id, account.available), (self.company, 20))
        ticket = self.branch_ticket(12)
        self.assertEqual((account.available, ticket.incident_available), (8, 8))
        for company in self.company, self.branch:
            partner = self.customer.with_company(company)
            self.assertEqual(partner.incident_available, 8)
            self.assertEqual(partner.incident_lifetime_granted, 20)
        self.assertEqual(account.ticket_count, 1)

    def test_day_of_the_company(self):
        """R2.3, R3.7: the day is that of the root company, the settings of a document
        those of its own: the branch gives late returns back as lifetime incidents."""
        self.company.partner_id.tz = "Pacific/Auckland"
        self.branch.partner_id.tz = "America/Los_Angeles"
        self.assertEqual(self.branch._incident_today(), self.company._incident_today())
        self.company.incident_expired_return = "lapse"
        self.branch.incident_expired_return = "lifetime"
        self.paid(self.branch_order(self.months))
        ticket = self.branch_ticket(3)
        with self.on("2027-05-20"):
            ticket.incident_count = 1
            [account] = self.accounts()
            self.assertEqual(account.lifetime_balance, 2)

    def test_funds_added(self):
        """R2.3, R6: a payment gives by the numbers of its own company, to the account
        of the root company; undone it takes that back."""
        self.branch.write({"incident_topup_amount": 50, "incident_topup_quantity": 1})
        payment = self.pay(120, company_id=self.branch.id)
        self.assertEqual(payment.company_id, self.branch)
        [account] = self.accounts()
        self.assertEqual((account.company_id, account.available), (self.company, 2))
        payment.action_draft()
        self.assertEqual(account.available, 0)

    def test_registered_once(self):
        """R2.3, R6.1: a customer with a portal user in the branch is a client of the
        company."""
        self.company.incident_registration_quantity = 4
        self.branch.incident_registration_quantity = 3
        customer = self._customer("Southwind")
        user = self._portal_user("sue", customer)
        user.company_ids |= self.branch
        account = self.incident_account(customer)
        self.assertEqual(account.available, 4)
        self.assertFalse(
            customer.with_company(self.branch).incident_can_register,
        )

    def test_waiting_ticket(self):
        """R2.3, R11.3: what waits in the branch is released by what the company
        sells, and the customer is reminded of it by the days of the company."""
        self.branch_team.incident_shortage_policy = "park"
        ticket = (
            self.env["helpdesk.ticket"]
            .with_user(self.user)
            .sudo()
            .create(
                {
                    "name": "It does not work",
                    "description": "Please help",
                    "team_id": self.branch_team.id,
                    "partner_id": self.user.partner_id.id,
                }
            )
        )
        self.assertEqual(ticket.incident_state, "parked")
        self.company.incident_parked_reminder_days = 2
        reminders = self.env["helpdesk.incident.reminder"]
        with self.on("2027-04-14"):
            reminders._note_occasions()
            told = reminders.search([("ticket_id", "=", ticket.id)])
            self.assertIn("still_parked", told.mapped("kind"))
        self.paid(self.quotation(self.pack))
        self.accounts()._release()
        self.assertEqual(ticket.incident_state, "deducted")

    # -- who sees it -----------------------------------------------------------

    def test_users_of_the_branch(self):
        """R2.3: they see the account of the company, its entries and subscriptions;
        users of another company do not."""
        self.paid(self.branch_order(self.months))
        [account] = self.accounts()
        records = (
            account,
            account.allotment_ids,
            account.entry_ids,
            account.subscription_ids,
            account.subscription_ids.term_ids,
        )
        ticket = self.branch_ticket()
        for record in (*records, ticket):
            seen = record.with_user(self.branch_agent)
            seen = seen.with_context(allowed_company_ids=self.branch.ids)
            self.assertEqual(len(seen.read()), len(record))
            for field in "display_name", "company_id":
                self.assertTrue(seen[0][field])
        self.assertIn("9", ticket.with_user(self.branch_agent).incident_source)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self.branch_agent.write(
            {
                "company_ids": [Command.set(elsewhere.ids)],
                "company_id": elsewhere.id,
            }
        )
        for record in records:
            with self.assertRaises(AccessError):
                record.with_user(self.branch_agent).check_access("read")

    def test_report(self):
        """R2.3, R12.4: what a branch has sold and invoiced stands in the report of the
        company, which users of the branch read."""
        self.paid(self.branch_order(self.pack))
        self.branch_ticket(4)
        for model, field in (
            ("helpdesk.incident.unearned", "amount_left"),
            ("helpdesk.incident.unearned.month", "amount_closing"),
        ):
            for user, company in (
                (self.env.user, self.company),
                (self.branch_accountant, self.branch),
            ):
                report = (
                    self.env[model]
                    .with_user(user)
                    .with_context(allowed_company_ids=company.ids)
                )
                row = report.search([("product_id", "=", self.pack.id)])
                self.assertEqual((row.company_id, row[field]), (self.company, 30))
        self.env["helpdesk.incident.unearned.month"].invalidate_model()
        [row] = self.env["helpdesk.incident.unearned.month"].search([])
        self.assertEqual((row.amount_invoiced, row.amount_deferred), (50, 30))

    # -- money -----------------------------------------------------------------

    def test_add_funds_and_pay(self):
        """R2.3, R12.7: 100.00 added in the client area of the branch by the provider of
        the company are the balance there, and pay an order of the branch."""
        self.authenticate("hps-nora", "hps-nora")
        page = self.post("/my/incidents/funds/pay", amount="100")
        self.assertEqual(
            set(page.xpath("//input[@data-provider-id]/@data-provider-id")),
            {str(self.demo.id)},
        )
        order = self.branch_order(self.pack)
        transaction = self.transaction(
            order, amount=100, sale_order_ids=[Command.clear()]
        )
        self.assertEqual(transaction.payment_id.company_id, self.company)
        for company in self.branch, self.company:
            balance = self.customer._incident_account_balance(company)
            self.assertEqual(balance, 100)
        text = self.page("/my/incidents").text_content()
        self.assertIn("100.00", text)
        order.action_quotation_sent()
        self.assertEqual(order._incident_balance_offer(self.user), 100)
        invoice = order._incident_pay_from_balance()
        self.assertEqual((invoice.company_id, invoice.state), (self.branch, "posted"))
        self.assertEqual(self.customer._incident_account_balance(self.company), 50)
        self.assertEqual(self.accounts().available, 10)

    def test_funds_on_their_way(self):
        """R2.3, R10.2: what a customer of the branch is paying by the provider of the
        company is not asked for again."""
        transaction = self.transaction(
            self.branch_order(self.pack),
            amount=100,
            state="pending",
            sale_order_ids=[Command.clear()],
        )
        self.assertEqual(self.customer._incident_coming(self.branch), transaction)

    def test_when_of_the_customer(self):
        """R2.3, R8.11: a customer with whom the company has agreed on it gets what it
        orders in the branch on confirmation."""
        account = self.incident_account()
        account.with_user(self.manager).grant_on = "confirmed"
        self.branch_order(self.pack).action_confirm()
        self.assertEqual(account.available, 10)

    def test_plans_of_the_company(self):
        """R2.3: plans whose product belongs to the company are sold in its branches,
        not the other way round; what a branch has sold it renews."""
        own = self.plan("Pack of the branch", 30, "lifetime", 5)
        own.product_tmpl_id.write(
            {"incident_portal_published": True, "company_id": self.branch.id}
        )
        orders = self.env["sale.order"]
        self.assertLessEqual(
            self.pack | self.months | own, orders._incident_plans(self.branch)
        )
        self.assertNotIn(own, orders._incident_plans(self.company))
        self.authenticate("hps-nora", "hps-nora")
        text = self.page("/my/incidents/buy").text_content()
        for plan in self.pack, self.months, own:
            self.assertIn(plan.name, text)
        self.paid(self.branch_order(self.months))
        [subscription] = self.accounts().subscription_ids
        self.assertTrue(subscription._can_renew())
        renewal = subscription._order_renewal()
        self.assertEqual(renewal.company_id, self.branch)
        self.paid(renewal)
        self.assertEqual(len(subscription.term_ids), 2)

    def test_order_moves_to_a_branch(self):
        """R2.3: no other customer, and no other legal entity."""
        order = self.quotation(self.pack)
        self.paid(order)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        order._incident_check_customer({"company_id": self.branch.id})
        with self.assertRaisesRegex(Exception, "about incidents of"):
            order._incident_check_customer({"company_id": elsewhere.id})

    # -- as before the update ----------------------------------------------------

    def test_accounts_of_branches_merge(self):
        """R2.3, R2.2: on update the accounts of branches become one with those of the
        company; who has none there keeps his own."""
        self.paid(self.quotation(self.pack))
        other = self._customer("Southwind")
        # As if each had bought in the branch before.
        for customer in self.customer, other:
            account = self.incident_account(self._customer("Before"))
            account._adjust(7, "Bought in the branch")
            self.env.cr.execute(
                "UPDATE helpdesk_incident_account SET partner_id = %s, company_id = %s "
                "WHERE id = %s",
                [customer.id, self.branch.id, account.id],
            )
        self.env.invalidate_all()
        self.account_model._merge_branches()
        self.env.invalidate_all()
        [account] = self.accounts()
        self.assertEqual((account.company_id, account.available), (self.company, 17))
        theirs = self.account_model.search([("partner_id", "=", other.id)])
        self.assertEqual((theirs.company_id, theirs.available), (self.company, 7))
        with self.assertNothingChanges():
            self.account_model._merge_branches()
