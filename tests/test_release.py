import base64
import io
from datetime import date, timedelta

from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common_concurrency import ConcurrencyCase
from .common_release import ReleaseCommon


@tagged("post_install", "-at_install")
class TestRelease(ReleaseCommon):
    def test_worked_example(self):
        """R21.1: the figures of docs/accounting.md, as entries: 90.00 for three months,
        12.00 used in April, and nothing later."""
        self.opening()
        self.bought()
        self.use(4)
        income = self.months._get_product_accounts()["income"]
        deferred, lapsed = self.deferred_account, self.lapse_account
        expected = {
            "2027-04": [(deferred, 0, 78), (income, 78, 0)],
            "2027-05": [(deferred, 18, 0), (lapsed, 0, 18)],
            "2027-06": [(deferred, 30, 0), (lapsed, 0, 30)],
            "2027-07": [(deferred, 30, 0), (lapsed, 0, 30)],
        }
        earned = []
        for month, items in expected.items():
            year, number = map(int, month.split("-"))
            with self.on(f"{year}-{number + 1:02}-01"):
                release = self.release(month)
                self.assertEqual(self.items(release), items, month)
                self.assertEqual(release.move_id.state, "posted")
                self.assertHeld(release.date)
                # Twice posts nothing.
                self.assertFalse(self.release(month))
                earned.append(self.revenue(release.date))
        # Revenue of each month: 12.00, 18.00, 30.00 and 30.00.
        self.assertEqual(earned, [12, 30, 60, 90])

    def test_one_run_for_several_months(self):
        """R21.1: each month in order, each with an entry of its own."""
        self.opening()
        self.bought()
        self.use(4)
        with self.on("2027-08-02"):
            made = self.release("2027-07")
            self.assertEqual(
                made.mapped("move_id.date"),
                [date(2027, n, d) for n, d in ((4, 30), (5, 31), (6, 30), (7, 31))],
            )
            self.assertHeld("2027-04-30", "2027-05-31", "2027-06-30", "2027-07-31")

    def test_opening_values(self):
        """R21.1: switched on in May with 78.00 on the account: May posts the
        difference, and nothing that had lapsed or was used before."""
        self.bought()
        self.use(4)
        with self.on("2027-05-20"):
            self.opening("2027-04-30", months=78)
            with self.assertRaisesRegex(UserError, "May 2027 is not over"):
                self.release("2027-05")
        with self.on("2027-06-01"):
            release = self.release("2027-05")
            self.assertEqual(
                self.items(release),
                [(self.deferred_account, 18, 0), (self.lapse_account, 0, 18)],
            )
            # 78.00 were posted by hand.
            self.assertEqual(self.held("2027-05-31"), -18)
            self.assertEqual(release.amount_deferred, 60)

    def test_nothing_without_opening_values(self):
        """R21.1: what the account holds is said before the first entry; and it is off
        by default."""
        with self.on("2027-05-01"):
            with self.assertRaisesRegex(UserError, "Opening values"):
                self.release("2027-04")
            self.company.incident_release_journal_id = False
            with self.assertRaisesRegex(UserError, "Choose a journal"):
                self.release("2027-04")

    def test_first_opening_day(self):
        """R21.1: by default what the account held at the end of last month; nothing is
        posted before this one is over. The day stays once something follows."""
        with self.on("2027-05-20"):
            model = self.releases.with_company(self.company)
            opening = model.browse(model.action_opening()["res_id"])
            self.assertEqual(opening.date, date(2027, 4, 30))
            for day in ("2027-04-29", "2027-05-31"):
                with self.assertRaises(ValidationError):
                    opening.date = day
            self.assertEqual(model.action_opening()["res_id"], opening.id)
        with self.on("2027-06-01"):
            nothing = self.release("2027-05")
            self.assertEqual(nothing.state, "nothing")
            opening.date = "2027-03-31"
            self.assertFalse(nothing.exists())
            opening.line_ids = [
                Command.create({"product_id": self.pack.id, "amount_deferred": 5})
            ]
            self.assertEqual(len(self.release("2027-05")), 2)
            with self.assertRaisesRegex(UserError, "release entries already"):
                opening.date = "2027-02-28"

    def test_reversed_on_a_later_day(self):
        """R21.1: April's entry, reversed by an accountant on May 15: it is right at the
        end of April, and of May; whether May was released before or not."""
        self.opening()
        self.bought()
        self.use(4)
        with self.on("2027-06-03"):
            april = self.release("2027-04")
            april.move_id._reverse_moves([{"date": "2027-05-15"}])[0].action_post()
            may = self.release("2027-05")
            self.assertEqual(
                self.items(may),
                [
                    (self.deferred_account, 0, 60),
                    (self._income(), 78, 0),
                    (self.lapse_account, 0, 18),
                ],
            )
            self.assertHeld("2027-04-30", "2027-05-31")
            may.move_id._reverse_moves([{"date": "2027-05-31"}])[0].action_post()
            again = self.release("2027-05")
            self.assertEqual(again.date, date(2027, 5, 31))
            self.assertHeld("2027-04-30", "2027-05-31")
            self.assertFalse(self.release("2027-05"))

    def _income(self):
        return self.months._get_product_accounts()["income"]

    def test_reset_and_made_again(self):
        """R21.1: April's entry is reset while May's stays: the next run replaces it,
        and May is as it was."""
        self.opening()
        self.bought()
        self.use(4)
        with self.on("2027-06-03"):
            april, may = self.release("2027-05").sorted("date")
            april.move_id.button_draft()
            first = april.move_id
            again = self.release("2027-05")
            self.assertEqual((again, again.move_id), (april, first))
            self.assertEqual(first.state, "posted")
            # What is known by now differs: it is made anew.
            first.button_draft()
            invoice = self.bill(self.order(self.pack))
            self.assertEqual(invoice.date, date(2027, 6, 3))
            invoice.button_draft()
            invoice.date = "2027-04-30"
            invoice.action_post()
            again = self.release("2027-05")
            self.assertFalse(april.exists())
            self.assertEqual(first.state, "cancel")
            self.assertHeld("2027-04-30", "2027-05-31")
            # Of May it says something else by now, and there is nothing to post.
            self.assertEqual(again.mapped("state"), ["posted", "nothing"])
            self.assertEqual(again.mapped("amount_deferred"), [128, 110])
            self.assertEqual(may.amount_deferred, 60)
            self.assertFalse(self.release("2027-05"))

    def test_draft(self):
        """R21.1: one draft at a time. The next run leaves it while it says the same,
        replaces it when something is known since; the next month waits for it."""
        self.company.incident_release_post = False
        self.opening()
        self.bought()
        self.use(4)
        with self.on("2027-06-02"):
            draft = self.release("2027-05")
            self.assertEqual((draft.date, draft.state), (date(2027, 4, 30), "draft"))
            self.assertEqual(self.release("2027-05"), draft)
            self.assertEqual(self.held("2027-06-02"), 0)
            invoice = self.bill(self.order(self.pack))
            invoice.button_draft()
            invoice.date = "2027-04-30"
            invoice.action_post()
            again = self.release("2027-05")
            self.assertFalse(draft.exists())
            self.assertEqual(again.amount_deferred, 128)
            moves = self.env["account.move.line"].search(
                [("incident_release_kind", "!=", False)]
            )
            self.assertEqual(moves.move_id, again.move_id)
            again.move_id.action_post()
            may = self.release("2027-05")
            self.assertEqual((may.date, may.state), (date(2027, 5, 31), "draft"))
            # An accountant who deletes the draft gets it anew.
            may.move_id.unlink()
            self.assertFalse(may.exists())
            may = self.release("2027-05")
            may.move_id.action_post()
            self.assertHeld("2027-04-30", "2027-05-31")
            self.assertFalse(self.release("2027-05"))

    def test_locked_month(self):
        """R21.2: nothing is posted into a closed month: what belongs there is part of
        the first open one, which says so. Reopened, each gets its own."""
        self.opening()
        self.bought()
        self.use(4)
        with self.on("2027-05-02"):
            self.company.fiscalyear_lock_date = "2027-04-30"
            self.assertFalse(self.release("2027-04"))
        with self.on("2027-06-02"):
            may = self.release("2027-05")
            self.assertEqual(may.date, date(2027, 5, 31))
            self.assertEqual(may.locked, "04/01/2027 to 04/30/2027")
            self.assertIn("04/01/2027 to 04/30/2027", self._cells(may, "Summary"))
            self.assertEqual(
                self.items(may),
                [
                    (self.deferred_account, 0, 60),
                    (self._income(), 78, 0),
                    (self.lapse_account, 0, 18),
                ],
            )
            self.assertHeld("2027-05-31")
            self.assertFalse(self.release("2027-05"))
            self.company.fiscalyear_lock_date = False
            self.assertEqual(len(self.release("2027-05")), 2)
            self.assertHeld("2027-04-30", "2027-05-31")

    def _sheet(self, release, name):
        attachment = self.env["ir.attachment"].search(
            [("res_model", "=", "account.move"), ("res_id", "=", release.move_id.id)]
        )
        book = load_workbook(io.BytesIO(base64.b64decode(attachment.datas)))
        return [[cell.value for cell in row] for row in book[name].iter_rows()]

    def _cells(self, release, name):
        return " ".join(
            str(cell) for row in self._sheet(release, name) for cell in row if cell
        )

    def test_report(self):
        """R21.3: summary, detail and reconciliation are attached. What customers are
        called is no formula."""
        self.customer.name = "=1+1"
        self.opening()
        self.bought()
        self.use(4)
        with self.on("2027-05-02"):
            release = self.release("2027-04")
            name = self.months.display_name
            summary = self._sheet(release, "Summary")
            self.assertIn([name, 90, 12, 0, 78, 0, 78, 0, -78], summary)
            self.assertEqual(summary[-1][4], 78)
            detail = self._sheet(release, "Detail")
            self.assertEqual(detail[-1][3:], [90, 12, 0, 78])
            self.assertEqual(detail[-2][0], "=1+1")
            books = self._sheet(release, "Reconciliation")
            self.assertIn([name, 90, 0, 0, 0, 90, 0], books)

    def test_ties_out(self):
        """R12.7: what was invoiced agrees with the income accounts; discounts and down
        payments are shown apart. What does not agree is said, and leads to the
        documents."""
        self.opening()
        order = self.quotation(self.months, self.pack)
        order.order_line += self.env["sale.order.line"].new(
            {"product_id": self.service.id, "price_unit": -14, "product_uom_qty": 1}
        )
        order.action_confirm()
        down = self.down_payment(order, amount=28)
        self.bill(order)
        stray = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": "2027-04-20",
                "line_ids": [
                    Command.create(
                        {
                            "account_id": account.id,
                            "product_id": self.pack.id,
                            "balance": amount,
                        }
                    )
                    for account, amount in (
                        (self._income(), -7),
                        (self.company_data["default_account_receivable"], 7),
                    )
                ],
            }
        )
        stray.action_post()
        with self.on("2027-05-02"):
            release = self.release("2027-04")
            lines = release.line_ids.grouped("product_id")
            months, pack = lines[self.months], lines[self.pack]
            self.assertEqual(
                [
                    (line.amount_books, line.amount_discounts, line.amount_down)
                    for line in (months, pack)
                ],
                [(90, -9, 0), (57, -5, 0)],
            )
            self.assertEqual(months.amount_difference, 0)
            self.assertEqual(pack.amount_difference, 7)
            found = self._found(pack.action_difference())
            self.assertEqual(found.move_id, stray)
            self.assertFalse(self._found(months.action_difference()))
            self.assertEqual(
                self._found(months.action_invoiced()).product_id, self.months
            )
            self.assertTrue(down)

    def _found(self, action):
        return self.env[action["res_model"]].search(action["domain"])

    def test_leads_to_what_is_behind(self):
        """R21.3: from a line to who had what, and to the journal items."""
        self.opening()
        self.bought()
        self.use(4)
        with self.on("2027-06-02"):
            april, may = self.release("2027-05").sorted("date")
            action = may.line_ids.action_positions()
            rows = (
                self.env["helpdesk.incident.unearned"]
                .with_company(self.company)
                .with_context(**action["context"])
                .search(action["domain"])
            )
            self.assertEqual(sum(rows.mapped("amount_left")), 60)
            items = self._found(may.line_ids.action_entries())
            self.assertEqual(items.move_id, april.move_id | may.move_id)
            self.assertEqual(april.action_open_move()["res_id"], april.move_id.id)

    def test_changed_since(self):
        """R21.2: a closed month says what it said, and what has changed since, which is
        part of the next entry."""
        self.opening()
        self.bought()
        with self.on("2027-05-02"):
            april = self.release("2027-04")
            self.assertEqual(april.line_ids.amount_since, 0)
            invoice = self.bill(self.order(self.months))
            invoice.button_draft()
            invoice.date = "2027-04-30"
            invoice.action_post()
            self.assertFalse(self.release("2027-04"))
        with self.on("2027-06-02"):
            line = self._found(april.action_compare())
            self.assertEqual(
                (line.amount_deferred, line.amount_now, line.amount_since),
                (90, 180, 90),
            )
            may = self.release("2027-05")
            self.assertEqual(may.amount_change, 60)
            self.assertHeld("2027-05-31")

    def test_opening_balances(self):
        """R21.1, R21.4, R12.7: what the old books had deferred is released as it is
        used; what they had as revenue is no revenue once more; both are named where
        income accounts have nothing. Cancelled, nothing of them is deferred."""
        self.opening(pack=50)
        old = self.plan("5 of old", 25, "lifetime", 5)
        self._brought_over(old, 5, 25)
        self.company.incident_opening_deferred = True
        brought = self._brought_over(self.pack, 10, 50)
        with self.on("2027-05-20"):
            self.use(9)
        with self.on("2027-06-02"):
            april, may = self.release("2027-05").sorted("date")
            self.assertFalse(april.move_id)
            self.assertEqual(self._brought(april), {self.pack: (50, 50, 50, 0)})
            self.assertEqual(
                self._brought(may), {old: (25, 25, 0, 0), self.pack: (50, 50, 30, 0)}
            )
            of_pack = may.line_ids.filtered(lambda line: line.product_id == self.pack)
            shown = self.env["helpdesk.incident.opening"].search(
                of_pack.action_openings()["domain"]
            )
            self.assertEqual(shown, brought)
            income = self._income()
            self.assertEqual(
                self.items(may), [(self.deferred_account, 20, 0), (income, 0, 20)]
            )
            self.assertEqual(self.deferred("2027-05-31"), 30)
            brought.action_cancel()
        with self.on("2027-07-02"):
            june = self.release("2027-06")
            self.assertEqual(
                self.items(june), [(self.deferred_account, 30, 0), (income, 0, 30)]
            )
            self.assertEqual(june.line_ids.mapped("amount_difference"), [0, 0])
            self.assertEqual(self.held("2027-06-30"), -50)
            # Of days that are over it says what it said.
            self.assertEqual(self.deferred("2027-05-31"), 30)

    def test_opening_balance_changed(self):
        """R9.6, R21.4: what a change of plan credits of a subscription that was
        brought over is credited of what the old books had: none of it is revenue once
        more, whether they had deferred it or not."""
        self.opening(months=72)
        for deferred in (True, False):
            self.company.incident_opening_deferred = deferred
            opening = self._brought_over(
                self.months,
                *(1, 72),
                reference=str(deferred),
                date_start="2027-02-28",
                date_end="2027-06-27",
                current_left=4,
                agreed_price=90,
            )
            subscription = self.subscription(opening.order_id)
            self.paid(subscription._order_change(self.business))
        [months, business] = self.by_month("2027-04-01", "2027-04-30").sorted(
            lambda row: row.product_id == self.business
        )
        # Of each, 60.00 of two months are credited, and 12.00 are left.
        self.assertEqual((months.amount_closing, months.amount_deferred), (24, 12))
        self.assertEqual(business.amount_deferred, 300)
        with self.on("2027-05-02"):
            # By then these 12.00 have lapsed, too. 60.00 make up for the credit.
            april = self.release("2027-04")
            self.assertEqual(self._brought(april)[self.months], (24, 144, 0, 0))
            line = april.line_ids.filtered(lambda row: row.product_id == self.months)
            self.assertEqual((line.amount_lapse, line.amount_revenue), (24, 60 - 12))

    def _brought_over(self, product, quantity, value, **values):
        balance = self.env["helpdesk.incident.opening"].create(
            {
                "reference": product.name,
                "partner_id": self.customer.id,
                "product_id": product.id,
                "quantity": quantity,
                "value": value,
                **values,
            }
        )
        balance.action_confirm()
        return balance

    def _brought(self, release):
        return {
            line.product_id: (
                line.amount_invoiced,
                line.amount_opened,
                line.amount_deferred,
                line.amount_difference,
            )
            for line in release.line_ids
        }

    def test_below_zero(self):
        """R21.1: used, and not invoiced yet: earned, and posted."""
        self.opening()
        self.transaction(self.quotation(self.pack))
        self.use(4)
        with self.on("2027-05-02"):
            release = self.release("2027-04")
            self.assertEqual(
                self.items(release),
                [(self.deferred_account, 20, 0), (self._income(), 0, 20)],
            )
            self.assertHeld("2027-04-30")

    def test_income_account(self):
        """R21.1: revenue is the income account of the product, or of its category,
        wherever a fiscal position has invoiced to; taxes of the account are none."""
        category = self.env["product.category"].create({"name": "Plans"})
        account = self._account("400902", "Plans", "income")
        account.tax_ids = self.tax_sale_a
        category.property_account_income_categ_id = account
        self.months.categ_id = category
        self.months.property_account_income_id = False
        self.opening()
        self.customer.property_account_position_id = self.env[
            "account.fiscal.position"
        ].create(
            {
                "name": "Abroad",
                "account_ids": [
                    Command.create(
                        {
                            "account_src_id": account.id,
                            "account_dest_id": self._account(
                                "400903", "Abroad", "income"
                            ).id,
                        }
                    )
                ],
            }
        )
        self.bought()
        with self.on("2027-05-02"):
            release = self.release("2027-04")
            self.assertEqual(
                self.items(release),
                [(self.deferred_account, 0, 90), (account, 90, 0)],
            )
            self.assertFalse(release.move_id.line_ids.tax_ids)
            self.assertHeld("2027-04-30")

    def test_no_income_account(self):
        """R21.1: an account of deferred revenue is no income."""
        self.months.property_account_income_id = self.deferred_account
        self.opening()
        self.bought()
        with self.on("2027-05-02"), self.assertRaisesRegex(UserError, "income account"):
            self.release("2027-04")

    def test_scheduled(self):
        """R21.1: each company that has switched it on, once its month is over; what
        stands in the way of one is shown, and blocks no other."""
        other = self.setup_other_company(name="Other")["company"]
        self.switch_on(other)
        self.opening()
        self.bought()
        self.company.incident_release_journal_id.active = True
        self.months.property_account_income_id = self.deferred_account
        with self.on("2027-05-01"):
            self._run()
            opening = self.releases._opening_of(self.company)
            self.assertIn("no income account", opening.problem)
            [made] = self.releases.search([("company_id", "=", other.id)]).filtered(
                lambda release: not release.opening
            )
            self.assertEqual(made.date, date(2027, 4, 30))
            self.months.property_account_income_id = False
            self._run()
            self.assertFalse(opening.problem)
            self.assertHeld("2027-04-30")

    def _run(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "helpdesk_paid_support.ir_cron_incident_release"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def test_dialog(self):
        """R21.1: a month at the press of a button, for accountants; billing clerks and
        helpdesk managers do not see it, and are refused."""
        self.opening()
        self.bought()
        with self.on("2027-05-02"):
            wizard = (
                self.env["helpdesk.incident.unearned.wizard"]
                .with_company(self.company)
                .create({"date": "2027-04-30"})
            )
            self.assertTrue(wizard.can_release)
            action = wizard.action_release()
            release = self.releases.browse(action["res_id"])
            self.assertEqual(release.date, date(2027, 4, 30))
            clerk = self._user("hps-clerk", "account.group_account_invoice")
            theirs = (
                self.env["helpdesk.incident.unearned.wizard"]
                .with_user(clerk)
                .create({"date": "2027-04-30"})
            )
            self.assertFalse(theirs.can_release)
            with self.assertRaises(AccessError):
                theirs.action_release()
            with self.assertRaises(AccessError):
                self.releases.with_user(clerk).action_opening()
            # They read what was posted.
            self.assertEqual(release.with_user(clerk).amount_deferred, 90)
            for user in (self.manager, self._user("hps-stranger", "base.group_user")):
                with self.assertRaises(AccessError):
                    self.releases.with_user(user).search([])

    def _user(self, login, group):
        return new_test_user(
            self.env,
            login,
            groups=f"base.group_user,{group}",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_said_for_ever(self):
        """R21.2, R21.3: accountants change opening values, and nothing else."""
        opening = self.opening()
        self.bought()
        admin = self._user("hps-admin", "account.group_account_manager")
        with self.on("2027-05-02"):
            release = self.release("2027-04").with_user(admin)
            line = release.line_ids
            for record, values in (
                (release, {"date": "2027-03-31"}),
                (release, {"line_ids": [Command.clear()]}),
                (line, {"amount_deferred": 1}),
                (line, {"release_id": opening.id}),
                (opening.with_user(admin), {"move_id": release.move_id.id}),
            ):
                with self.assertRaises(UserError):
                    record.write(values)
            for forbidden in (
                lambda: release.unlink(),
                lambda: line.unlink(),
                lambda: line.create(
                    {"release_id": release.id, "product_id": self.pack.id}
                ),
                lambda: line.create(
                    {
                        "release_id": opening.id,
                        "product_id": self.pack.id,
                        "amount_lapsed": 5,
                    }
                ),
                lambda: release.create({"date": "2027-05-31"}),
            ):
                with self.assertRaises(UserError):
                    forbidden()
            opening.with_user(admin).line_ids = [
                Command.create({"product_id": self.pack.id, "amount_deferred": 5})
            ]
            self.assertEqual(opening.amount_deferred, 5)
            # What was corrected is part of what is posted next.
            self.assertEqual(self.release("2027-04").amount_change, -5)

    def test_check(self):
        """R21.3: the ledger check finds what is posted otherwise than the report says,
        once the last release is of that month; the managers hear of it by company."""
        self.opening()
        self.bought()
        with self.on("2027-05-02"):
            release = self.release("2027-04")
            model = self.env["helpdesk.incident.difference"].sudo()
            model._cron_check()
            self.assertFalse(model.search([]))
            release.move_id.button_draft()
            model._cron_check()
            # A draft says nothing yet.
            self.assertFalse(model.search([]))
            deferred, revenue = release.move_id.line_ids
            release.move_id.line_ids = [
                Command.update(deferred.id, {"balance": -80}),
                Command.update(revenue.id, {"balance": 80}),
            ]
            release.move_id.action_post()
            model._cron_check()
            found = model.search([])
            self.assertEqual(
                found.display_name,
                f"{self.company.name}, {self.months.display_name}: Release of a "
                "Product: To be deferred is 90, should be 80",
            )
            self.assertEqual(found.company_id, self.company)
            # The next run posts the difference.
            self.assertEqual(self.release("2027-04").amount_change, 10)
            model._cron_check()
            self.assertFalse(model.search([]))


@tagged("post_install", "-at_install")
class TestReleaseBranch(ReleaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.add_branch()

    def test_branch(self):
        """R2.3, R21.1: what a branch has invoiced is released by its root company,
        which is asked from the branch, too."""
        self.opening()
        self.paid(self.quotation(self.pack, company_id=self.branch.id))
        self.use(4)
        with self.on("2027-05-02"):
            release = self.release("2027-04", self.branch)
            self.assertEqual(release.company_id, self.company)
            self.assertEqual(release.move_id.company_id, self.company)
            self.assertEqual(self.held("2027-04-30"), 30)
            self.assertHeld("2027-04-30")


@tagged("post_install", "-at_install")
class TestReleaseConcurrency(ConcurrencyCase):
    def test_two_at_once(self):
        """R21.1: an accountant and the scheduled action at the same time: one entry."""
        with self.transaction() as env:
            company = env.company
            deferred, income = env["account.account"].create(
                [
                    {
                        "code": "290001",
                        "name": "D",
                        "account_type": "liability_current",
                    },
                    {"code": "400901", "name": "R", "account_type": "income"},
                ]
            )
            company.write(
                {
                    "incident_release_journal_id": env["account.journal"]
                    .create({"name": "M", "code": "HPS", "type": "general"})
                    .id,
                    "incident_deferred_account_id": deferred.id,
                    "incident_release_post": True,
                    "income_account_id": income.id,
                }
            )
            product = self.product(
                env, "Pack", 50, incident_kind="lifetime", incident_quantity=10
            )
            model = env["helpdesk.incident.release"]
            opening = model.browse(model.action_opening()["res_id"])
            opening.date = opening.date.replace(day=1) - timedelta(days=1)
            opening.line_ids = [
                Command.create({"product_id": product.id, "amount_deferred": 78})
            ]
            month = opening.date + timedelta(days=1)

        def release(env, _number):
            model = env["helpdesk.incident.release"]
            return len(model._release(env.company, month))

        answers = self.race(release, workers=3)
        self.assertEqual(sorted(made for made, _tries in answers), [0, 0, 1])
        with self.transaction() as env:
            [entry] = env["helpdesk.incident.release"].search([]).move_id
            self.assertEqual(entry.mapped("line_ids.balance"), [78, -78])
