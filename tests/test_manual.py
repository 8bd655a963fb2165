from odoo.exceptions import AccessError
from odoo.tests import Form

from .common import PaidSupportCommon


class TestManual(PaidSupportCommon):
    def wizard(self, user=None, **values):
        return (
            self.env["helpdesk.incident.adjust"]
            .with_user(user or self.manager)
            .create({"reason": "A gift", **values})
        )

    def test_maximum_on_the_customer(self):
        """R7.1: editing it writes the difference, however many are used."""
        contacts_manager = self.env.ref("base.group_partner_manager")
        self.manager.group_ids += contacts_manager
        partner = self.customer.with_user(self.manager)
        partner.incident_lifetime_granted = 5
        self.assertEqual(self.kinds(), [("adjustment", 5)])
        self.account()._deduct(self.ticket(), 4)
        partner.incident_lifetime_granted = 3
        self.assertEqual(
            (
                partner.incident_lifetime_granted,
                partner.incident_lifetime_used,
                partner.incident_lifetime_balance,
                partner.incident_available,
            ),
            (3, 4, -1, 0),
        )
        partner.incident_lifetime_granted = 3
        self.assertEqual(len(self.kinds()), 3)
        self.assertLedgerSound()

    def test_any_contact_shows_the_customers_account(self):
        """R2.1, R7.1"""
        self.give_lifetime(5)
        contact = self.colleague.partner_id
        self.assertEqual(contact.incident_available, 5)
        with self.assertRefused("shares the incidents of Northwind"):
            contact.incident_lifetime_granted = 6

    def test_new_contact_changes_nothing(self):
        """R7.1: the form of a new contact shows the customer's number; it stays."""
        account = self.give_lifetime(5)
        self.manager.group_ids += self.env.ref("base.group_partner_manager")
        form = Form(self.env["res.partner"].with_user(self.manager))
        form.name = "New contact"
        form.parent_id = self.customer
        account._adjust(5, "Meanwhile")
        form.save()
        self.assertEqual(account.lifetime_granted, 10)

    def test_several_customers_in_one_write(self):
        """R7.1: each gets its own difference."""
        self.give_lifetime(5)
        customers = self.customer + self.other_customer
        customers.write({"incident_lifetime_granted": 7})
        self.assertEqual(customers.mapped("incident_available"), [7, 7])

    def test_on_the_account_without_rights_on_contacts(self):
        """R7.1: helpdesk managers may not edit contacts, but accounts."""
        account = self.give_lifetime(5)
        with self.assertRaises(AccessError):
            self.customer.with_user(self.manager).incident_lifetime_granted = 6
        with Form(account.with_user(self.manager).sudo(False)) as form:
            form.lifetime_granted = 6
        self.assertEqual(account.lifetime_granted, 6)
        self.assertEqual(account.entry_ids[0].user_id, self.manager)

    def test_only_managers(self):
        """R7.3"""
        account = self.give_lifetime(5)
        editor = self.agent
        editor.group_ids += self.env.ref("base.group_partner_manager")
        with self.assertRaises(AccessError):
            self.customer.with_user(editor).incident_lifetime_granted = 6
        for user in (self.agent, self.accountant, self.charger, self.portal_user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                account.with_user(user).sudo(False).write({"lifetime_granted": 6})
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.wizard(user, partner_ids=self.customer.ids, quantity=1)
        self.assertEqual(account.lifetime_granted, 5)

    def test_wizard(self):
        """R7.2: several customers at once, contacts of one customer once."""
        partners = self.customer + self.portal_user.partner_id + self.other_customer
        wizard = self.wizard(partner_ids=partners.ids, quantity=4)
        wizard.action_apply()
        self.assertEqual(self.kinds(), [("adjustment", 4)])
        self.assertEqual(self.account(self.other_customer).available, 4)
        entry = self.account().entry_ids
        self.assertEqual((entry.name, entry.user_id), ("A gift", self.manager))
        # A double click, or the request sent again.
        wizard.action_apply()
        self.assertEqual(self.account().available, 4)

    def test_wizard_takes_back_at_most_what_was_given(self):
        """R7.2, R3.5: all or nothing."""
        self.give_lifetime(2)
        self.give_lifetime(5, self.other_customer)
        partners = self.customer + self.other_customer
        with self.assertRefused("Northwind was given 2"):
            self.wizard(partner_ids=partners.ids, quantity=-3).action_apply()

    def test_wizard_takes_back_what_is_used(self):
        """R3.5: a downward adjustment may leave less than nothing."""
        account = self.give_lifetime(2)
        account._deduct(self.ticket(), 2)
        self.wizard(partner_ids=self.customer.ids, quantity=-2).action_apply()
        self.assertEqual(account.lifetime_balance, -2)

    def test_wizard_refuses_nothing_and_needs_a_reason(self):
        """R7.2"""
        with self.assertRefused("how many"):
            self.wizard(partner_ids=self.customer.ids, quantity=0).action_apply()
        with self.assertRefused("Choose the customers"):
            self.wizard(partner_ids=[], quantity=1).action_apply()
        with self.assertRefused("Enter the reason"):
            self.wizard(
                partner_ids=self.customer.ids, quantity=1, reason="  "
            ).action_apply()
        form = Form(self.env["helpdesk.incident.adjust"].with_user(self.manager))
        form.quantity = 1
        with self.assertRaisesRegex(AssertionError, "reason"):
            form.save()

    def test_wizard_in_another_company(self):
        """R2.3"""
        company_b = self.env["res.company"].create({"name": "B"})
        wizard = self.wizard(partner_ids=self.customer.ids, quantity=1)
        wizard.sudo().company_id = company_b
        with self.assertRaises(AccessError):
            wizard.action_apply()

    def test_wizard_from_the_list_of_accounts(self):
        """R7.2"""
        accounts = self.give_lifetime(1) + self.give_lifetime(1, self.other_customer)
        wizard = Form(
            self.env["helpdesk.incident.adjust"]
            .with_user(self.manager)
            .with_context(active_model=accounts._name, active_ids=accounts.ids)
        )
        self.assertEqual(wizard.partner_ids[:], self.customer + self.other_customer)
