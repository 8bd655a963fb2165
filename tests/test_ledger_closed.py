from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import PaidSupportCommon, call_rpc, default_settings

LEDGER = (
    "helpdesk.incident.account",
    "helpdesk.incident.allotment",
    "helpdesk.incident.entry",
)


class TestLedgerClosed(PaidSupportCommon):
    def test_nobody_writes(self):
        """R3.1, R14: not even the superuser, through the ORM."""
        account = self.give_lifetime(5)
        entry, allotment = account.entry_ids, account.allotment_ids
        for operation in (
            lambda: entry.write({"quantity": 50}),
            lambda: entry.unlink(),
            lambda: entry.copy(),
            lambda: entry.create({"account_id": account.id}),
            lambda: allotment.write({"balance": 50}),
            lambda: allotment.unlink(),
            lambda: allotment.create({"account_id": account.id}),
            lambda: account.write({"partner_id": self.other_customer.id}),
            lambda: account.write({"allotment_ids": [(5, 0, 0)]}),
            lambda: account.write({"revision": 1}),
            lambda: account.unlink(),
            lambda: account.create({"partner_id": self.customer.id}),
        ):
            with self.assertRaises(UserError):
                operation()
        self.assertEqual(self.kinds(), [("adjustment", 5)])

    def test_kinds(self):
        """R3.2"""
        self.assertEqual(
            {kind for kind, _label in self.entry_model._fields["kind"].selection},
            {
                *("registration", "first_payment", "topup", "purchase", "period"),
                *("adjustment", "deduction", "return", "revocation", "expiry"),
                "opening",
            },
        )

    def test_import_is_no_way_in(self):
        """R3.1"""
        account = self.give_lifetime(5)
        result = self.entry_model.load(
            [".id", "quantity"], [[str(account.entry_ids.id), "50"]]
        )
        self.assertTrue(result["messages"])
        self.env.invalidate_all()
        self.assertEqual(account.entry_ids.quantity, 5)


@tagged("post_install", "-at_install")
class TestLedgerClosedOverRpc(HttpCase):
    """R3.1: over HTTP, as administrator and as a portal user."""

    def setUp(self):
        super().setUp()
        self.customer = self.env["res.partner"].create({"name": "Northwind"})
        self.other = self.env["res.partner"].create({"name": "Blue Bakery"})
        company = self.env.company
        default_settings(company)
        accounts = self.env["helpdesk.incident.account"]
        self.account = accounts._of(self.customer, company, create=True)
        self.other_account = accounts._of(self.other, company, create=True)
        (self.account + self.other_account)._adjust(5, "A gift")

    def call(self, model, method, *args, **kwargs):
        response = call_rpc(self, model, method, *args, **kwargs)
        if "error" in response:
            return response["error"]["data"]["name"]
        return response["result"]

    def test_administrator(self):
        """R3.1: entries are never changed or deleted by anyone."""
        self.authenticate("admin", "admin")
        refused = ("odoo.exceptions.UserError", "odoo.exceptions.AccessError")
        for record in (
            self.account,
            self.account.allotment_ids,
            self.account.entry_ids,
        ):
            name, ids = record._name, record.ids
            field = "quantity" if "entry" in name else "company_id"
            with self.subTest(model=name):
                self.assertIn(self.call(name, "write", ids, {field: 1}), refused)
                self.assertIn(self.call(name, "unlink", ids), refused)
                self.assertIn(self.call(name, "create", [{}]), refused)
                self.assertIn(self.call(name, "web_save", ids, {field: 1}, {}), refused)
                for verb in ("_post", "_settle", "_adjust", "_deduct", "_write"):
                    self.assertIn("Error", self.call(name, verb, ids))
        self.env.invalidate_all()
        self.assertEqual(self.account.available, 5)

    def test_portal_user_names_another_customers_account(self):
        """R11.6, R14"""
        new_test_user(
            self.env,
            "hps-rpc",
            groups="base.group_portal",
            parent_id=self.customer.id,
        )
        self.authenticate("hps-rpc", "hps-rpc")
        denied = "odoo.exceptions.AccessError"
        for mine, theirs in (
            (self.account, self.other_account),
            (self.account.allotment_ids, self.other_account.allotment_ids),
            (self.account.entry_ids, self.other_account.entry_ids),
        ):
            name = mine._name
            with self.subTest(model=name):
                self.assertEqual(
                    self.call(name, "read", mine.ids, ["id"])[0]["id"], mine.id
                )
                self.assertEqual(self.call(name, "read", theirs.ids, ["id"]), denied)
                self.assertEqual(self.call(name, "search", []), mine.ids)
                self.assertEqual(self.call(name, "search_count", []), 1)
                self.assertIn("Error", self.call(name, "write", mine.ids, {"id": 1}))
        # What staff see on tickets and customers is not for the portal.
        for model, field in (
            ("helpdesk.ticket", "incident_count"),
            ("helpdesk.ticket", "incident_available"),
            ("res.partner", "incident_available"),
        ):
            self.assertEqual(self.call(model, "search_read", [], [field]), denied)
        self.assertEqual(
            self.call(
                self.account._name, "write", self.account.ids, {"lifetime_granted": 9}
            ),
            denied,
        )


class TestRpcErrors(PaidSupportCommon):
    def test_company_rule(self):
        """R2.3, R14: staff read the companies that they work in."""
        company_b = self.env["res.company"].create({"name": "B"})
        account = self.account(company=company_b)
        account._adjust(1, "For B")
        for record in (account, account.allotment_ids, account.entry_ids):
            with self.assertRaises(AccessError):
                record.with_user(self.agent).sudo(False).read(["id"])
