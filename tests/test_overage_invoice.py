from datetime import date

from freezegun import freeze_time

from odoo.tests import tagged

from .test_overage import OverageCommon


@tagged("post_install", "-at_install")
class TestOverageInvoice(OverageCommon):
    """R18.3, R17.1: what was sold to be paid later is invoiced once, and credited."""

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "helpdesk_paid_support.ir_cron_incident_overage"
            ).method_direct_trigger()
        self.env.invalidate_all()

    def invoices(self, *tickets):
        orders = self.env["sale.order"].union(*map(self.sold, tickets))
        return orders.invoice_ids

    def test_at_once(self):
        """R18.3: where the company says so, as soon as the scheduled action runs; the
        customer gets it, and has it to pay."""
        self.company.incident_overage_invoicing = "now"
        triggers = self.env["ir.cron.trigger"].search_count([])
        ticket = self.submit()
        self.assertGreater(self.env["ir.cron.trigger"].search_count([]), triggers)
        for _twice in range(2):
            self.run_cron()
        invoice = self.invoices(ticket)
        self.assertEqual((invoice.state, invoice.amount_total), ("posted", 12))
        self.assertEqual(invoice.invoice_date, date(2027, 4, 11))
        self.assertIn(ticket.number, invoice.invoice_line_ids.name)
        waiting = self.env["helpdesk.incident.outbox"].search(
            [("res_model", "=", invoice._name), ("res_id", "=", invoice.id)]
        )
        self.assertEqual(waiting.method, "_incident_send")
        self.assertEqual(self.customer._incident_account_balance(self.company), -12)
        # What pays it gives nothing more.
        self.register(invoice)
        self.assertEqual(self.incident_account().lifetime_granted, 2)

    def test_monthly(self):
        """R18.3: on the first day of the next month, one invoice for each customer,
        whoever of its contacts has asked; once."""
        colleague = self.env["res.partner"].create(
            {"name": "Nils", "parent_id": self.customer.id, "email": "n@example.com"}
        )
        first = self.submit()
        second = self.submit(partner_id=colleague.id)
        self.assertEqual(self.sold(second).partner_id, colleague)
        with freeze_time("2027-04-30 23:59:00"):
            self.run_cron()
            self.assertFalse(self.invoices(first, second))
        with freeze_time("2027-05-01 00:01:00"):
            third = self.submit()
            for _twice in range(2):
                self.run_cron()
            invoice = self.invoices(first, second)
            self.assertEqual(len(invoice), 1)
            self.assertEqual(invoice.amount_total, 24)
            self.assertEqual(invoice.invoice_date, date(2027, 5, 1))
            self.assertEqual(invoice.partner_id, self.customer)
            self.assertFalse(self.invoices(third))
        with freeze_time("2027-06-02"):
            self.run_cron()
            self.assertEqual(self.invoices(third).amount_total, 12)

    def test_day_of_the_company(self):
        """R18.3: the first day of the month where the company is."""
        self.company.partner_id.tz = "Pacific/Auckland"
        ticket = self.submit()
        with freeze_time("2027-04-30 11:59:00"):
            self.run_cron()
            self.assertFalse(self.invoices(ticket))
        with freeze_time("2027-04-30 12:01:00"):
            self.run_cron()
            self.assertEqual(self.invoices(ticket).invoice_date, date(2027, 5, 1))

    def test_other_address(self):
        """R18.3: one invoice for each customer, though it has another address for them
        since."""
        first = self.submit()
        address = self.env["res.partner"].create(
            {"name": "Books", "type": "invoice", "parent_id": self.customer.id}
        )
        second = self.submit()
        with freeze_time("2027-05-01"):
            self.run_cron()
        invoice = self.invoices(first, second)
        self.assertEqual(
            [(move.partner_id, move.amount_total) for move in invoice], [(address, 24)]
        )

    def test_two_currencies(self):
        """R18.3: one invoice for each currency."""
        ticket = self.submit()
        self.customer.property_product_pricelist = self.env["product.pricelist"].create(
            {"name": "Euro", "currency_id": self.env.ref("base.EUR").id}
        )
        other = self.submit()
        self.assertNotEqual(self.sold(ticket).currency_id, self.sold(other).currency_id)
        with freeze_time("2027-05-01"):
            self.run_cron()
        self.assertEqual(len(self.invoices(ticket, other)), 2)

    def test_two_companies(self):
        """R18.3, R2.3: one invoice for each company, by its own settings; what a branch
        sells is of the root's account."""
        branch = self.env["res.company"].create(
            {
                "name": "Branch",
                "parent_id": self.company.id,
                "incident_overage_product_id": self.single.id,
                "incident_overage_limit": 30,
                "incident_overage_invoicing": "now",
            }
        )
        self.env.user.company_ids |= branch
        # Core gives products this tax when a company is added.
        self.single.taxes_id = self.company_data["default_tax_sale"]
        ticket = self.submit()
        team = self.team.copy({"company_id": branch.id})
        key = self.offer().key
        other = self.submit(key, team_id=team.id, company_id=branch.id)
        self.assertEqual(other.incident_count, 2)
        self.env.invalidate_all()
        self.assertEqual(self.incident_account().lifetime_granted, 4)
        self.run_cron()
        self.assertEqual(self.invoices(other).company_id, branch)
        self.assertFalse(self.invoices(ticket))
        with freeze_time("2027-05-01"):
            self.run_cron()
        self.assertEqual(self.invoices(ticket).company_id, self.company)

    def test_cancelled_before_the_day(self):
        """R18.3: what was cancelled before is not invoiced, the rest is."""
        first, second = self.submit(), self.submit()
        first.incident_count = 0
        self.sold(first)._action_cancel()
        self.assertEqual(self.incident_account().available, 0)
        with freeze_time("2027-05-01"):
            self.run_cron()
        self.assertEqual(self.invoices(first, second).amount_total, 12)

    def test_invoiced_or_credited_by_hand(self):
        """R18.3: what an accountant has invoiced, and what was credited since, is not
        invoiced again."""
        ticket = self.submit()
        invoice = self.bill(self.sold(ticket))
        note = self.reverse(invoice)
        self.assertEqual(note.state, "posted")
        for day in ("2027-05-01", "2027-06-01"):
            with freeze_time(day):
                self.run_cron()
        self.assertEqual(self.invoices(ticket), invoice | note)

    def test_books_closed(self):
        """R18.3: said once in the order; invoiced when they are open again, and others
        meanwhile."""
        ticket = self.submit()
        with freeze_time("2027-05-01"):
            self.company.sale_lock_date = "2027-05-31"
            for _twice in range(2):
                self.run_cron()
            self.assertFalse(self.invoices(ticket))
            told = self.history(self.sold(ticket))
            self.assertEqual(told.count("Not invoiced yet"), 1)
            self.company.sale_lock_date = False
            self.run_cron()
        self.assertEqual(self.invoices(ticket).amount_total, 12)

    # -- R17.1 ---------------------------------------------------------------------

    def outcome(self, ticket):
        """Say that this ticket is not charged."""
        ticket.incident_outcome_id = self.env["helpdesk.ticket.outcome"].create(
            {"name": "Defect of ours", "charged": False}
        )
        self.env.invalidate_all()

    def test_outcome_cancels(self):
        """R17.1: not charged, the form offers to cancel what was sold; done, nothing is
        left of it."""
        ticket = self.submit()
        self.outcome(ticket)
        self.assertEqual(self.incident_account().available, 2)
        self.assertEqual(ticket.incident_overage_open_count, 1)
        self.assertEqual(self.sold(ticket).state, "sale", "not by itself")
        for _twice in range(2):
            ticket.action_incident_undo_overage()
        self.assertEqual(self.sold(ticket).state, "cancel")
        self.assertEqual(self.incident_account().available, 0)
        self.assertEqual(ticket.incident_overage_open_count, 0)

    def test_outcome_credits(self):
        """R17.1: what was invoiced with others is credited alone, once; the invoice is
        paid so far, and the incidents are taken back."""
        ticket, other = self.submit(), self.submit()
        with freeze_time("2027-05-01"):
            self.run_cron()
            invoice = self.invoices(ticket)
            self.assertEqual(invoice.amount_total, 24)
            self.outcome(ticket)
            for _twice in range(2):
                ticket.action_incident_undo_overage()
            self.assertEqual(invoice.amount_residual, 12)
            note = self.invoices(ticket) - invoice
            self.assertEqual((note.state, note.amount_total), ("posted", 12))
            self.assertEqual(self.incident_account().available, 0)
            self.assertEqual(
                [ticket.incident_overage_open_count, other.incident_overage_open_count],
                [0, 1],
            )
            self.run_cron()
        with freeze_time("2027-06-01"):
            self.run_cron()
        self.assertEqual(self.invoices(ticket, other), invoice | note)

    def test_outcome_credits_what_was_paid(self):
        """R17.1: what was paid is the customer's balance then."""
        ticket = self.submit()
        self.company.incident_overage_invoicing = "now"
        self.run_cron()
        self.register(self.invoices(ticket))
        self.outcome(ticket)
        ticket.action_incident_undo_overage()
        self.assertEqual(self.customer._incident_account_balance(self.company), 12)
        self.assertEqual(self.incident_account().available, 0)

    def test_outcome_credits_the_rest(self):
        """R17.1: what an accountant has credited of it is not credited once more."""
        ticket = self.submit()
        self.company.incident_overage_invoicing = "now"
        self.run_cron()
        invoice = self.invoices(ticket)
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids.quantity = 1
        note.action_post()
        self.outcome(ticket)
        for _twice in range(2):
            ticket.action_incident_undo_overage()
        notes = self.invoices(ticket) - invoice
        self.assertEqual(notes.mapped("amount_total"), [6, 6])
        self.assertEqual(self.sold(ticket).order_line.qty_invoiced, 0)
        self.assertEqual(self.incident_account().available, 0)

    def test_outcome_of_a_cancelled_invoice(self):
        """R17.1, R18.3: a cancelled invoice is none to credit, and is not made anew."""
        ticket = self.submit()
        self.company.incident_overage_invoicing = "now"
        self.run_cron()
        invoice = self.invoices(ticket)
        invoice.button_draft()
        invoice.button_cancel()
        self.run_cron()
        self.assertEqual(self.invoices(ticket), invoice)
        self.outcome(ticket)
        self.assertEqual(ticket.incident_overage_open_count, 1)
        ticket.action_incident_undo_overage()
        self.assertEqual(self.sold(ticket).state, "cancel")
        self.assertEqual(self.incident_account().available, 0)

    def test_charged_is_not_undone(self):
        """R17.1, R18.2: while the ticket holds what was sold, nobody takes that away:
        the customer would be below zero."""
        ticket = self.submit()
        with self.assertRefused("has taken 2 support incidents: return them first"):
            ticket.action_incident_undo_overage()
        self.assertEqual(self.sold(ticket).state, "sale")
        self.assertEqual(self.incident_account().lifetime_balance, 0)

    def test_outcome_credits_at_the_rate_of_the_invoice(self):
        """R17.1: 12.00 € that were 24.00 $ are credited as such, whatever they are
        worth by now."""
        self.pay_in_euro()
        ticket = self.submit()
        with freeze_time("2027-05-01"):
            self.run_cron()
        invoice = self.invoices(ticket)
        with freeze_time("2027-05-11"):
            self.outcome(ticket)
            ticket.action_incident_undo_overage()
        note = self.invoices(ticket) - invoice
        self.assertEqual((note.amount_total, note.amount_total_signed), (12, -24))
        self.assertEqual(invoice.amount_residual, 0)
