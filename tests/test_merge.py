from odoo.tests import Form, tagged

from .common import PaidSupportCommon
from .common_payment import PaymentCommon


class TestMerge(PaidSupportCommon):
    """R2.2: accounts merge before any foreign key is rewritten."""

    def merge_partners(self, source, target):
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        wizard._merge((source + target).ids, target, extra_checks=False)

    def prepare(self):
        """Give both customers something of each kind."""
        account = self.give_lifetime(5)
        other = self.give_lifetime(7, self.other_customer)
        period = self.give_period(
            4, "2027-04-11", "2027-05-10", customer=self.other_customer
        )
        ticket = self.ticket(partner=self.other_customer, incident_count=5)
        return account, other, period, ticket

    def check(self, account, period, ticket):
        self.env.invalidate_all()
        self.assertEqual(
            (
                account.lifetime_granted,
                account.lifetime_used,
                account.lifetime_balance,
                account.period_balance,
            ),
            (12, 1, 11, 0),
        )
        self.assertEqual(period.account_id, account)
        self.assertEqual(len(account._lifetime()), 1)
        self.assertEqual(len(account.entry_ids), 5)
        self.assertLedgerSound()
        # Returned to where it came from, now in one account.
        ticket.incident_count = 0
        self.assertEqual((account.available, period.balance), (16, 4))
        self.assertLedgerSound()

    def test_merge_wizard(self):
        """R2.2: totals add up, nothing is lost or counted twice."""
        account, other, period, ticket = self.prepare()
        self.merge_partners(self.other_customer, self.customer)
        self.assertFalse(other.exists())
        self.check(account, period, ticket)

    def test_merge_into_one_without_account(self):
        """R2.2"""
        account, _other, _period, _ticket = self.prepare()
        target = self.env["res.partner"].create({"name": "Target"})
        self.merge_partners(self.customer, target)
        self.assertEqual(account.partner_id, target)
        self.assertEqual(account.lifetime_granted, 5)

    def test_merge_into_a_contact(self):
        """R2.2: the account is that of the contact's customer."""
        account, other, period, ticket = self.prepare()
        self.merge_partners(self.other_customer, self.portal_user.partner_id)
        self.assertFalse(other.exists())
        self.check(account, period, ticket)

    def test_contact_moves_under_a_company(self):
        """R2.2: a person with an account becomes a contact of a customer."""
        account, other, period, ticket = self.prepare()
        self.other_customer.is_company = False
        self.other_customer.parent_id = self.customer
        self.assertFalse(other.exists())
        self.check(account, period, ticket)

    def test_moves_under_a_company_without_account(self):
        """R2.2"""
        person = self.env["res.partner"].create({"name": "Person"})
        account = self.give_lifetime(2, person)
        company = self.env["res.partner"].create({"name": "C", "is_company": True})
        person.parent_id = company
        self.assertEqual(account.partner_id, company)
        self.assertEqual(person.incident_available, 2)

    def test_subsidiary_stays(self):
        """R2.1: a company under a company is a customer of its own."""
        account, other, _period, _ticket = self.prepare()
        self.other_customer.parent_id = self.customer
        self.assertTrue(other.exists())
        self.assertEqual(account.lifetime_granted, 5)

    def last_note(self, partner):
        return partner.message_ids.sorted("id")[-1:].body or ""

    def warning(self, partner, **values):
        """Return what the contact's form warns of, when these are set, unsaved."""
        with self.assertLogs("odoo.tests.form.onchange", "WARNING") as logs:
            self.env.invalidate_all()
            form = Form(partner)
            for name, value in values.items():
                setattr(form, name, value)
        return "".join(logs.output)

    def test_histories_say_it(self):
        """R2.2: a contact gets a parent company by mistake, and is freed at once: both
        histories say what moved, 7 lifetime less 1, 4 of a period used up."""
        account, _other, _period, _ticket = self.prepare()
        self.other_customer.is_company = False
        before = {p: p.message_ids for p in self.customer | self.other_customer}
        self.other_customer.parent_id = self.customer
        self.other_customer.parent_id = False
        self.assertEqual(account.lifetime_granted, 12)
        for partner, notes in before.items():
            note = (partner.message_ids - notes).filtered(
                lambda message: "Support incidents" in message.body
            )
            self.assertEqual(len(note), 1, partner.name)
            for words in ("Blue Bakery", "Northwind", "6 lifetime"):
                self.assertIn(words, note.body)
            self.assertTrue(note.subtype_id.internal)

    def test_history_of_who_had_no_account(self):
        """R2.2: the account itself moves, 2 lifetime."""
        person = self.env["res.partner"].create({"name": "Person"})
        self.give_lifetime(2, person)
        company = self.env["res.partner"].create({"name": "C", "is_company": True})
        person.parent_id = company
        for partner in person | company:
            self.assertRegex(self.last_note(partner), "Person.*C.*2 lifetime")

    def test_history_of_merged_contacts(self):
        """R2.2: who is merged leaves its history to who stays: it says it once."""
        self.prepare()
        self.merge_partners(self.other_customer, self.customer)
        notes = self.customer.message_ids.filtered(
            lambda message: "Support incidents" in message.body
        )
        self.assertEqual(len(notes), 1)
        self.assertRegex(notes.body, "Blue Bakery.*Northwind.*6 lifetime")

    def test_form_warns(self):
        """R2.2: before a parent company is set by which an account becomes another's,
        and where a company becomes a person."""
        self.prepare()
        other = self.other_customer
        other.is_company = False
        warning = self.warning(other, parent_id=self.customer)
        self.assertRegex(warning, "(?s)Blue Bakery.*Northwind.*6 lifetime")
        self.assertFalse(other.parent_id)
        other.is_company = True
        other.parent_id = self.customer
        self.assertIn("6 lifetime", self.warning(other, company_type="person"))

    def test_form_does_not_warn(self):
        """R2.2: of what moves no account: a subsidiary, a contact, another address."""
        self.prepare()
        contact = self.portal_user.partner_id
        holdings = self.env["res.partner"].create(
            [{"name": f"Holding {n}", "is_company": True} for n in range(2)]
        )
        self.other_customer.parent_id = holdings[0]
        with self.assertNoLogs("odoo.tests.form.onchange", "WARNING"):
            for partner in (self.other_customer, contact):
                form = Form(partner)
                form.parent_id = holdings[1]
            form = Form(self.other_customer)
            form.city = "Brussels"

    def test_each_company_for_itself(self):
        """R2.3"""
        company_b = self.env["res.company"].create({"name": "B"})
        account, _other, _period, _ticket = self.prepare()
        there = self.account(self.other_customer, company_b)
        there._adjust(9, "In B")
        self.merge_partners(self.other_customer, self.customer)
        self.assertEqual(there.partner_id, self.customer)
        self.assertEqual(there.lifetime_granted, 9)
        self.assertEqual(account.lifetime_granted, 12)

    def test_registered_once(self):
        """R6.1, R2.2: the merged account was registered already."""
        self.company.incident_registration_quantity = 3
        person = self.env["res.partner"].create({"name": "Person"})
        person.action_incident_register()
        account = self.give_lifetime(1)
        self.merge_partners(person, self.customer)
        self.assertEqual(account.lifetime_granted, 4)
        self.assertEqual(self.customer._incident_register(self.company), 0)
        # R3.8: what the entry comes from was merged, too.
        entry = account.entry_ids.filtered(lambda e: e.kind == "registration")
        self.assertEqual(entry.action_open_source()["res_id"], self.customer.id)


@tagged("post_install", "-at_install")
class TestMergeFunds(PaymentCommon):
    def test_carried_funds(self):
        """R2.2, R6.3: carried funds add up, and give what they come to."""
        other = self._customer("Other")
        first, second = self.pay(160), self.pay(160, other)
        self.assertEqual((self.balance(), self.balance(other)), (2, 2))
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((other + self.customer).ids, self.customer, extra_checks=False)
        self.env.invalidate_all()
        self.assertEqual((self.balance(), self.carry()), (6, 20))
        second.action_draft()
        self.assertEqual((self.balance(), self.carry()), (2, 60))
        second.action_post()
        self.assertEqual((self.balance(), self.carry()), (6, 20))
        first.action_draft()
        second.action_draft()
        self.assertEqual((self.balance(), self.carry()), (0, 0))

    def test_carried_at_other_numbers(self):
        """R2.2, R6.6: merging gives nothing for what other settings have left over."""
        other = self._customer("Other")
        payments = self.pay(99) + self.pay(99, other)
        self.company.write({"incident_topup_amount": 1, "incident_topup_quantity": 10})
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((other + self.customer).ids, self.customer, extra_checks=False)
        self.env.invalidate_all()
        self.assertEqual(self.balance(), 2)
        payments.action_draft()
        self.assertEqual(self.balance(), 0)

    def test_first_payments(self):
        """R2.2, R6.2: what both held stays, and moves on as one."""
        self.company.write(
            {"incident_first_payment_quantity": 5, "incident_topup_quantity": 0}
        )
        other = self._customer("Other")
        first, second = self.pay(1), self.pay(1, other)
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((other + self.customer).ids, self.customer, extra_checks=False)
        self.env.invalidate_all()
        self.assertEqual(self.balance(), 10)
        second.action_draft()
        self.assertEqual(self.balance(), 5)
        self.pay(1)
        self.assertEqual(self.balance(), 5)
        first.action_draft()
        self.assertEqual(self.balance(), 0)
        self.pay(1)
        self.assertEqual(self.balance(), 5)
