import base64
import io
from datetime import date

from openpyxl import load_workbook

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Domain
from odoo.tests import new_test_user, tagged

from .common_unearned import UnearnedCommon


class ReleaseCommon(UnearnedCommon):
    """A company whose books release what was earned (R21)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids |= cls.quick_ref("account.group_account_user")
        cls.deferred_account = cls._account("290001", "Deferred", "liability_current")
        cls.lapse_account = cls._account("400901", "Lapsed", "income_other")
        cls.company.write(
            {
                "incident_release_journal_id": cls.company_data[
                    "default_journal_misc"
                ].id,
                "incident_deferred_account_id": cls.deferred_account.id,
                "incident_lapse_account_id": cls.lapse_account.id,
                "incident_release_post": True,
            }
        )
        cls.releases = cls.env["helpdesk.incident.release"]

    @classmethod
    def _account(cls, code, name, kind, company=None):
        return cls.env["account.account"].create(
            {
                "code": code,
                "name": name,
                "account_type": kind,
                "company_ids": [Command.set((company or cls.company).ids)],
            }
        )

    def opening(self, day="2027-03-31", **amounts):
        """Enter the opening values.

        :param amounts: of products, by the name of the attribute of this class.
        """
        model = self.releases.with_company(self.company)
        opening = model.browse(model.action_opening()["res_id"])
        opening.date = day
        for name, amount in amounts.items():
            product = getattr(self, name)
            line = opening.line_ids.filtered(
                lambda line, product=product: line.product_id == product
            )
            if line:
                line.amount_deferred = amount
            else:
                opening.line_ids = [
                    Command.create(
                        {"product_id": product.id, "amount_deferred": amount}
                    )
                ]
        return opening

    def release(self, month, company=None):
        """Make what is missing up to the end of a month."""
        self.env.invalidate_all()
        return self.releases._release(
            company or self.company, date.fromisoformat(f"{month}-01")
        )

    def held(self, day, account=None):
        """Return what an account holds at the end of a day, as a credit."""
        items = self.env["account.move.line"].search(
            Domain("account_id", "=", (account or self.deferred_account).id)
            & Domain("parent_state", "=", "posted")
            & Domain("date", "<=", day)
        )
        return -round(sum(items.mapped("balance")), 2)

    def items(self, release):
        """Return account, debit and credit of each line of an entry."""
        return [
            (item.account_id, item.debit, item.credit)
            for item in release.move_id.line_ids.sorted("id")
        ]

    def assertHeld(self, *days):
        """At the end of each day the books have what is to be deferred (R21.1)."""
        for day in days:
            self.assertEqual(self.held(day), self.deferred(day), day)


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
                # R21.1: twice posts nothing.
                self.assertFalse(self.release(month))
                earned.append(self.books(release.date))
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
