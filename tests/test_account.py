from psycopg2 import IntegrityError

from odoo.tools import mute_logger

from .common import PaidSupportCommon


class TestAccount(PaidSupportCommon):
    def test_one_for_all_contacts(self):
        """R2.1"""
        account = self.account(self.portal_user.partner_id)
        self.assertEqual(account, self.account(self.colleague.partner_id))
        self.assertEqual(account.partner_id, self.customer)
        self.assertEqual(len(account._lifetime()), 1)

    def test_unique_in_the_database(self):
        """R2.1"""
        account = self.account()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            self.env.cr.execute(
                """INSERT INTO helpdesk_incident_account
                          (partner_id, company_id, revision) VALUES (%s, %s, 0)""",
                [account.partner_id.id, account.company_id.id],
            )

    def test_companies_never_mix(self):
        """R2.3"""
        company_b = self.env["res.company"].create({"name": "B"})
        self.give_lifetime(5)
        team_b = self.env["helpdesk.ticket.team"].create(
            {"name": "B", "company_id": company_b.id, "incident_required": True}
        )
        with self.assertRefused("1 needed, 0 available"):
            self.ticket(team_b, user=self.portal_user)
        self.account(company=company_b)._adjust(1, "For B")
        ticket = self.ticket(team_b, user=self.portal_user)
        self.assertEqual(ticket.company_id, company_b)
        self.assertEqual(ticket.incident_count, 1)
        self.assertEqual(self.account().available, 5)
        self.assertEqual(self.account(company=company_b).available, 0)

    def test_paid_team_needs_a_company(self):
        """R2.3"""
        with self.assertRefused("needs a company"):
            self.paid_team.company_id = False

    def test_numbers_sort_search_and_group(self):
        """R12.1"""
        low, high = self.give_lifetime(1), self.give_lifetime(7, self.other_customer)
        low._deduct(self.ticket(), 1)
        accounts = self.account_model
        both = [("id", "in", (low + high).ids)]
        for name in ("available", "lifetime_granted", "lifetime_balance"):
            with self.subTest(name=name):
                self.assertEqual(accounts.search(both, order=name), low + high)
                self.assertEqual(
                    accounts.search(both, order=f"{name} DESC"), high + low
                )
        self.assertEqual(accounts.search([*both, ("available", "=", 0)]), low)
        self.assertEqual(accounts.search([*both, ("available", "!=", 0)]), high)
        self.assertEqual(accounts.search([*both, ("lifetime_used", ">=", 1)]), low)
        [(total, used)] = accounts._read_group(
            both, [], ["lifetime_granted:sum", "lifetime_used:sum"]
        )
        self.assertEqual((total, used), (8, 1))
        fields = accounts.fields_get(["available", "next_expiry"])
        for name in fields:
            self.assertTrue(fields[name]["sortable"])
            self.assertTrue(fields[name]["searchable"])
        self.assertEqual(
            (low + high).export_data(["partner_id/name", "available"])["datas"],
            [["Northwind", 0], ["Blue Bakery", 7]],
        )

    def test_next_expiry(self):
        """R12.1"""
        account = self.account()
        self.give_period(1, "2027-04-11", "2027-05-10")
        self.give_period(1, "2027-04-11", "2027-06-10")
        self.assertEqual(str(account.next_expiry), "2027-05-10")
        found = self.account_model.search([("next_expiry", "<=", "2027-05-10")])
        self.assertIn(account, found)
        self.assertNotIn(self.account(self.other_customer), found)
        account._deduct(self.ticket(), 1)
        self.assertEqual(str(account.next_expiry), "2027-06-10")

    def test_many_accounts_in_one_query(self):
        """R12.1: the list costs the same number of queries for 2 and for 40."""
        customers = self.env["res.partner"].create(
            [{"name": f"Customer {n}"} for n in range(40)]
        )
        accounts = self.account_model.union(*(map(self.account, customers)))
        self.env.invalidate_all()
        accounts[:2].mapped("available")
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        accounts[:2].mapped("available")
        two = self.env.cr.sql_log_count - before
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        accounts.mapped("available")
        self.assertEqual(self.env.cr.sql_log_count - before, two)

    def test_deleting_a_customer(self):
        """R2.1, R3.1: a customer with an account is not deleted; a sentence says what
        to do instead. Who has none can be."""
        account = self.give_lifetime(1)
        lone = self.env["res.partner"].create({"name": "Lone"})
        for partners in (self.customer, lone | self.customer):
            with self.assertRefused("Northwind.*Archive"):
                partners.unlink()
        self.assertEqual(account.available, 1)
        lone.unlink()
        contact = self.portal_user.partner_id
        self.portal_user.unlink()
        contact.unlink()

    def test_deleting_a_user(self):
        """R3.8, R3.1: who has moved incidents is named in the ledger."""
        self.give_lifetime(1)
        self.ticket(user=self.portal_user)
        with self.assertRefused("Nora.*Archive"):
            self.portal_user.unlink()
