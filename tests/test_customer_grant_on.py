from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .common_subscription import RenewalCommon


@tagged("post_install", "-at_install")
class TestCustomerGrantOn(RenewalCommon):
    """R8.11: customers with a *when incidents are given* of their own."""

    def test_own_when(self):
        """R8.11: 10 incidents for 50.00 on confirmation, where all others pay first; it
        is the customer's in this company, contacts included."""
        self.customer.incident_grant_on = "confirmed"
        contact = self.env["res.partner"].create(
            {"name": "Nora", "parent_id": self.customer.id}
        )
        order = self.order(self.pack, customer=contact)
        self.assertEqual((order.incident_grant_on, self.given()), ("confirmed", 10))
        other = self._customer("Other")
        self.order(self.pack, customer=other)
        self.assertEqual(self.given(other), 0)
        elsewhere = self.env["res.company"].create({"name": "Another company"})
        self.assertFalse(self.customer.with_company(elsewhere).incident_grant_on)

    def test_kept_by_the_order(self):
        """R8.11: what is set later changes no order that is confirmed."""
        self.customer.incident_grant_on = "posted"
        order = self.order(self.pack)
        self.customer.incident_grant_on = False
        self.assertEqual(self.given(), 0)
        self.bill(order)
        self.assertEqual(self.given(), 10)

    def test_later_than_the_company(self):
        """R8.11: or pays first, where all others get theirs on confirmation."""
        self.company.incident_grant_on = "confirmed"
        self.customer.incident_grant_on = "paid"
        order = self.order(self.pack)
        self.assertEqual(self.given(), 0)
        self.register(self.bill(order))
        self.assertEqual(self.given(), 10)

    def test_who_may(self):
        """R14: helpdesk managers alone, on the account where they may not edit
        contacts."""
        manager = self.manager
        manager.write(
            {"company_ids": [(4, self.company.id)], "company_id": self.company.id}
        )
        account = self.incident_account().with_user(manager).sudo(False)
        account.grant_on = "confirmed"
        self.assertEqual(self.customer.incident_grant_on, "confirmed")
        clerk = new_test_user(
            self.env,
            "hps-clerk",
            groups="base.group_user,base.group_partner_manager,"
            "sales_team.group_sale_manager,account.group_account_manager",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.customer.with_user(clerk).write({"incident_grant_on": "paid"})
        with self.assertRaises(AccessError):
            self.env["res.partner"].with_user(clerk).create(
                {"name": "Friend", "incident_grant_on": "confirmed"}
            )
        with self.assertRaises(AccessError):
            account.with_user(clerk).write({"grant_on": "paid"})
        self.customer.with_user(clerk).write({"name": "Northwind Ltd"})

    # -- automatic renewal -----------------------------------------------------

    def test_renewal_is_invoiced(self):
        """R8.11: the renewal of 90.00 is confirmed and invoiced, and no card is
        charged; the customer gets the invoice and pays it later."""
        self.customer.incident_grant_on = "confirmed"
        self.token()
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
            self.run_renewal()
            self.assertEqual(len(self.renewals()), 1)
        order = self.renewals()
        self.assertEqual((order.state, len(order.transaction_ids)), ("sale", 0))
        invoice = order.invoice_ids
        self.assertEqual((invoice.state, invoice.amount_residual), ("posted", 90))
        self.assertEqual(self.customer._incident_account_balance(self.company), -90)
        self.assertFalse(self.told("failed"))
        waiting = self.env["helpdesk.incident.outbox"].search(
            [("res_model", "=", invoice._name), ("res_id", "=", invoice.id)]
        )
        self.assertEqual(waiting.method, "_incident_send")

    def test_renewal_on_posting(self):
        """R8.11: so where all of the company's are given when the invoice is posted."""
        self.company.incident_grant_on = "posted"
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()

    def test_renewal_from_the_balance(self):
        """R8.11, R9.7: a balance of 100.00 pays the invoice at once."""
        self.customer.incident_grant_on = "confirmed"
        self.pay(100)
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertRenewed()
        self.assertEqual(self.renewals().invoice_ids.amount_residual, 0)

    def test_renewal_while_books_are_closed(self):
        """R8.11: a lock date that forbids the invoice keeps it from being made, and no
        card is charged instead."""
        self.customer.incident_grant_on = "confirmed"
        self.token()
        self.company.sale_lock_date = "2027-12-31"
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("books")
        self.assertEqual(self.renewals().state, "sent")
        self.assertFalse(self.renewals().transaction_ids)

    def test_renewal_that_needs_consent(self):
        """R8.11, R9.7: what was not agreed to is not invoiced: 91.00, not 90.00."""
        self.customer.incident_grant_on = "confirmed"
        self.months.list_price = 91
        with self.on("2027-07-03"):
            self.run_renewal()
            self.assertNotRenewed("confirm")
        self.assertEqual(self.renewals().state, "sent")
