from datetime import date

from odoo.fields import Command, Domain

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

    @classmethod
    def switch_on(cls, company):
        """Let another company release what was earned, and return its account of
        deferred revenue."""
        deferred = cls._account("290001", "Deferred", "liability_current", company)
        journal = cls.env["account.journal"].search(
            [("company_id", "=", company.id), ("type", "=", "general")], limit=1
        )
        company.write(
            {
                "incident_release_journal_id": journal.id,
                "incident_deferred_account_id": deferred.id,
                "incident_release_post": True,
            }
        )
        model = cls.releases.with_company(company)
        opening = model.browse(model.action_opening()["res_id"])
        opening.date = "2027-03-31"
        return deferred

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
        items = (
            self.env["account.move.line"]
            .sudo()
            .search(
                Domain("account_id", "=", (account or self.deferred_account).id)
                & Domain("parent_state", "=", "posted")
                & Domain("date", "<=", day)
            )
        )
        return -round(sum(items.mapped("balance")), 2)

    def revenue(self, day):
        """Return the income that the books have at the end of a day."""
        return self.books(day, Domain.TRUE)

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
