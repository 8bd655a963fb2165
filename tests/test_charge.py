import math

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common_charge import ChargeCommon


@tagged("post_install", "-at_install")
class TestCharge(ChargeCommon):
    """R10.1, R10.3, R10.4: charge, edit, refund, and what the ticket tells of it."""

    def test_charge_edit_refund(self):
        """R10.4: charge 100, edit to 60, refund: 100, -40, -60; the balance is back
        where it was, no document was altered, the ticket tells the story."""
        self.pay(250)
        before = self.money()
        charge = self.charge(100)
        self.assertEqual(charge.payment_state, "paid")
        self.assertEqual(self.money(), before - 100)
        first = charge.invoice_ids.copy_data()
        self.edit(charge, 60)
        self.assertEqual((charge.amount, self.money()), (60, before - 60))
        self.refund(charge)
        self.assertEqual(self.documents(charge), [100, -40, -60])
        self.assertEqual(self.money(), before)
        self.assertEqual(charge.invoice_ids.sorted("id")[0].copy_data(), first)
        self.assertEqual(
            (charge.state, charge.amount, charge.amount_invoiced),
            ("refunded", 0, 100),
        )
        story = self.history()
        for words in (
            "Charged: “Restore”. Invoice INV/2027/00001 of $ 100.00, paid from",
            "The customer's account balance is $ 150.00 now.",
            "Charge changed from $ 100.00 to $ 60.00",
            "Credit note RINV/2027/00001 of $ 40.00",
            "Charge refunded",
            "Credit note RINV/2027/00002 of $ 60.00",
        ):
            self.assertIn(words, story)

    def test_raise(self):
        """R10.4: an invoice of the difference; the same again changes nothing."""
        charge = self.charge(100)
        self.edit(charge, 130)
        self.edit(charge, 130)
        self.assertEqual(self.documents(charge), [100, 30])
        self.assertEqual(charge.amount_due, 130)

    def test_refund_twice(self):
        """R10.4: the second one changes nothing; there is no way back."""
        charge = self.charge(100)
        self.refund(charge)
        self.refund(charge)
        self.assertEqual(self.documents(charge), [100, -100])
        with self.assertRefused("was refunded"):
            self.edit(charge, 50)

    def test_amounts_refused(self):
        """R10.1: zero, negative, no number, less than a cent."""
        for amount, words in (
            (0, "more than zero"),
            (-1, "more than zero"),
            (None, "more than zero"),
            (False, "no amount"),
            ("abc", "no amount"),
            ([5], "no amount"),
            (math.nan, "no amount"),
            (math.inf, "no amount"),
            (0.001, "smallest unit is 0.01"),
            (9.999, "smallest unit is 0.01"),
            (1e12, "At most"),
        ):
            with self.subTest(amount=amount), self.assertRefused(words):
                self.charge(amount)
        charge = self.charge(100)
        for amount, words in ((0, "Refund"), (-5, "Refund"), (9.999, "smallest unit")):
            with self.subTest(amount=amount), self.assertRefused(words):
                self.edit(charge, amount)
        self.assertEqual(self.charge(0.1 + 0.2).amount, 0.3)

    def test_what_for_is_required(self):
        """R10.1"""
        for name in ("", "  ", False):
            with self.subTest(name=name), self.assertRefused("what the charge is for"):
                self.charge(10, name=name)

    # -- once ----------------------------------------------------------------

    def test_same_request_charges_once(self):
        """R10.1: a retried request, even when the charge has changed since."""
        charge = self.charge(100, request_key="k1")
        self.assertEqual(self.charge(100, request_key="k1"), charge)
        self.edit(charge, 60)
        self.assertEqual(self.charge(100, request_key="k1"), charge)
        self.assertEqual(self.documents(charge), [100, -40])

    def test_same_key_for_another_charge(self):
        """R10.1: nothing is posted, and it says so."""
        self.charge(100, request_key="k1")
        with self.assertRefused("used for another charge"):
            self.charge(50, request_key="k1")
        with self.assertRefused("used for another charge"):
            self.charge(100, ticket=self._open_ticket(self.contact), request_key="k1")

    def test_dialog(self):
        """R10.1: what it comes to is seen before; two clicks charge once."""
        self.charge_product.taxes_id = self.company_data["default_tax_sale"]
        self.pay(30)
        action = self.charged_ticket.with_user(self.charger).action_charge()
        model = self.env["helpdesk.ticket.charge.wizard"].with_user(self.charger)
        with Form(model.with_context(**action["context"])) as form:
            self.assertEqual(form.name, "Restore a backup")
            form.amount = 115
            self.assertEqual(
                (form.amount_untaxed, form.amount_tax, form.amount_total),
                (100, 15, 115),
            )
            self.assertEqual((form.balance, form.balance_after), (30, -85))
            self.assertFalse(form.problem)
        form.record.action_apply()
        form.record.action_apply()
        charge = self.charged_ticket.charge_ids
        self.assertEqual(self.documents(charge), [115])
        self.assertEqual(self.money(), -85)
        action = charge.with_user(self.charger).action_edit()
        with Form(model.with_context(**action["context"])) as form:
            self.assertEqual((form.name, form.amount), ("Restore a backup", 115))
            form.amount = 46
            self.assertEqual((form.amount_credited, form.balance_after), (69, -16))
        form.record.action_apply()
        form.record.action_apply()
        self.assertEqual(self.documents(charge.with_env(self.env)), [115, -69])
        self.assertEqual(self.money(), -16)

    def test_dialog_says_what_stands_in_the_way(self):
        """R10.1"""
        self.charge_product.active = False
        model = self.env["helpdesk.ticket.charge.wizard"].with_user(self.charger)
        action = self.charged_ticket.with_user(self.charger).action_charge()
        with Form(model.with_context(**action["context"])) as form:
            form.amount = 50
            self.assertIn("is archived", form.problem)

    # -- for good ------------------------------------------------------------

    def test_never_deleted_nor_copied(self):
        """R10.4: deleting names Refund."""
        charge = self.charge(100)
        for user in (self.charger, self.manager, self.env.user):
            with self.subTest(user=user.login):
                with self.assertRefused("Refund"):
                    charge.with_user(user).unlink()
                with self.assertRefused("cannot be duplicated"):
                    charge.with_user(user).copy()

    def test_nothing_else_is_written(self):
        """R10.4: not by the superuser, nor by a default or through the ticket."""
        charge = self.charge(100)
        other = self._open_ticket(self.contact)
        for values in (
            {"name": "Another"},
            {"ticket_id": other.id},
            {"state": "refunded"},
            {"amount_invoiced": 5},
            {"request_key": "k"},
            {"invoice_ids": [Command.clear()]},
            {"amount": 50, "partner_id": self.partner_a.id},
        ):
            for user in (self.charger, self.env.user):
                with (
                    self.subTest(values=values, user=user.login),
                    self.assertRefused("only its amount can be changed"),
                ):
                    charge.with_user(user).write(values)
        for values in (
            {"state": "refunded"},
            {"user_id": self.manager.id},
            {"invoice_ids": [Command.create({"move_type": "out_invoice"})]},
            {"date": "2020-01-01"},
            {"tax_included": False},
            {"company_id": self.company.id},
        ):
            with self.subTest(values=values), self.assertRefused("and not: "):
                self.charge(100, **values)
        with self.assertRefused("only its amount"):
            other.with_user(self.charger).charge_ids = [Command.link(charge.id)]
        with self.assertRefused("only its amount|Refund"):
            self.charged_ticket.with_user(self.charger).charge_ids = [Command.clear()]

    def test_defaults_set_nothing(self):
        """R10.1: in a context or of a user."""
        self.env["ir.default"].set("helpdesk.ticket.charge", "request_key", "k")
        charges = self.env["helpdesk.ticket.charge"].with_user(self.charger)
        charge = charges.with_context(
            default_amount=5,
            default_state="refunded",
            default_user_id=self.manager.id,
            default_tax_included=False,
            default_ticket_charge_id=1,
            default_move_type="in_invoice",
            default_invoice_line_ids=[],
        ).create({"ticket_id": self.charged_ticket.id, "name": "A", "amount": 10})
        self.assertEqual(
            (charge.amount, charge.state, charge.user_id, charge.tax_included),
            (10, "charged", self.charger, True),
        )
        self.assertFalse(charge.request_key)
        self.assertEqual(self.documents(charge.with_env(self.env)), [10])

    def test_charge_of_a_document_cannot_be_set(self):
        """R10.4: the amounts of a charge follow from its documents."""
        charge = self.charge(100)
        invoice = self.init_invoice("out_invoice", self.customer, amounts=[5])
        with self.assertRefused("cannot be set"):
            invoice.ticket_charge_id = charge
        with self.assertRefused("cannot be set"):
            charge.invoice_ids.ticket_charge_id = False
        copy = charge.invoice_ids.with_context(
            default_ticket_charge_id=charge.id
        ).copy()
        self.assertFalse(copy.ticket_charge_id)

    # -- the ticket ------------------------------------------------------------

    def test_ticket_shows_what_was_charged(self):
        """R10.3: net, searchable and sortable."""
        self.charge(100)
        charge = self.charge(50)
        self.edit(charge, 20)
        self.assertEqual(self.charged_ticket.charge_amount, 120)
        found = self.env["helpdesk.ticket"].search(
            [("charge_amount", ">", 100)], order="charge_amount"
        )
        self.assertEqual(found, self.charged_ticket)

    def test_ticket_is_not_deleted(self):
        """R10.4"""
        self.charge(100)
        with self.assertRefused("cannot be deleted"):
            self.charged_ticket.unlink()

    def test_ticket_is_not_moved(self):
        """R10.4, as R4.7: until it is refunded. Within the customer it may."""
        charge = self.charge(100)
        with self.assertRefused("was charged .*Refund"):
            self.charged_ticket.partner_id = self.partner_a
        with self.assertRefused("was charged"):
            self.charged_ticket.company_id = self.env["res.company"].create(
                {"name": "B"}
            )
        self.charged_ticket.partner_id = self.customer
        self.refund(charge)
        self.charged_ticket.partner_id = self.partner_a

    def test_ticket_copy(self):
        """R10.4: a copy has no charges."""
        self.charge(100)
        copy = self.charged_ticket.copy()
        self.assertFalse(copy.charge_ids)
        self.assertEqual(copy.charge_amount, 0)

    def test_customers_merge(self):
        """R2.2: the charge follows, and can be refunded."""
        charge = self.charge(100)
        other = self._customer("Northwind again")
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer + other).ids, other
        )
        self.env.invalidate_all()
        self.assertEqual(charge.partner_id, other)
        self.refund(charge)
        self.assertEqual(self.documents(charge), [100, -100])
        self.assertEqual(self.money(other), 0)

    # -- the customer ----------------------------------------------------------

    def test_customer_is_told(self):
        """R10.3, R11.6: a mail with the invoice, to the customer alone; followers of
        other customers see nothing of it."""
        self.let_print()
        follower = self.env["res.partner"].create(
            {"name": "Somebody else", "email": "else@example.com"}
        )
        self.charged_ticket.message_subscribe(follower.ids)
        charge = self.charge(100)
        self.print_and_mail()
        [message] = self.charged_ticket.message_ids.filtered("partner_ids")
        self.assertEqual(message.partner_ids, self.contact)
        self.assertEqual(message.notified_partner_ids, self.contact)
        self.assertEqual(message.author_id, self.charger.partner_id)
        self.assertIn("$ 100.00", message.preview)
        self.assertIn(charge.invoice_ids.get_portal_url(), message.body)
        self.assertTrue(message.attachment_ids)
        self.assertEqual(
            set(message.attachment_ids.mapped("res_model")), {"account.move"}
        )
        self.assertFalse(self.charged_ticket.attachment_ids)
        # Without it the portal would show a proforma of the invoice.
        self.assertEqual(
            charge.invoice_ids.invoice_pdf_report_id, message.attachment_ids
        )
        self.assertTrue(message.subtype_id.internal)

    def test_told_in_the_language_of_the_customer(self):
        """R10.3"""
        self.let_print()
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("helpdesk_paid_support.mail_template_ticket_charge")
        template.with_context(lang="fr_FR").subject = "Facture {{ object.name }}"
        self.contact.lang = "fr_FR"
        charge = self.charge(100)
        self.print_and_mail()
        subjects = self.charged_ticket.message_ids.mapped("subject")
        self.assertIn(f"Facture {charge.invoice_ids.name}", subjects)

    def test_no_mail_blocks_nothing(self):
        """R10.3: the ticket says that the customer was not told."""
        template = self.env.ref("helpdesk_paid_support.mail_template_ticket_charge")
        with self.subTest("no address"):
            self.contact.email = False
            self.assertTrue(self.charge(1).invoice_ids)
            self.print_and_mail()
            self.assertIn("no e-mail address", self.history())
        self.contact.email = "nora@example.com"
        with self.subTest("no template"):
            template.active = False
            self.assertTrue(self.charge(2).invoice_ids)
            self.print_and_mail()
            self.assertIn("no mail template", self.history())
        template.active = True
        with self.subTest("broken template"):
            self.patch(type(template), "_generate_template", lambda *args: 1 / 0)
            with self.assertLogs("odoo.addons.helpdesk_paid_support", "ERROR"):
                self.assertTrue(self.charge(3).invoice_ids)
                self.print_and_mail()
            self.assertIn("could not be written", self.history())

    def test_print_fails(self):
        """R10.3: the mail goes out without the document."""

        def fail(*args, **kwargs):
            raise OSError("No printer")

        self.patch(type(self.env["ir.actions.report"]), "_render_qweb_pdf", fail)
        with self.assertLogs("odoo.addons.helpdesk_paid_support", "ERROR"):
            self.charge(100)
            self.print_and_mail()
        [message] = self.charged_ticket.message_ids.filtered("partner_ids")
        self.assertFalse(message.attachment_ids)

    # -- from here to there -----------------------------------------------------

    def test_one_click(self):
        """Issue: from documents and payments to the ticket, and back."""
        charge = self.charge(100)
        payment = self.register(charge.invoice_ids)
        self.edit(charge, 60)
        for record, method in (
            *((move, "action_view_ticket_charge") for move in charge.invoice_ids),
            (payment, "action_view_charge_tickets"),
            (charge, "action_view_ticket"),
        ):
            action = getattr(record, method)()
            self.assertEqual(
                (action["res_model"], action["res_id"]),
                ("helpdesk.ticket", self.charged_ticket.id),
            )
        self.assertEqual(payment.charge_ticket_count, 1)
        found = self.env["account.move"].search(charge.action_view_invoices()["domain"])
        self.assertEqual(found, charge.invoice_ids)


@tagged("post_install", "-at_install")
class TestChargeMended(ChargeCommon):
    """R10 when accountants work on the same documents."""

    def test_in_draft(self):
        """R10.4: an invoice in work is neither refunded nor gone from the ticket."""
        charge = self.charge(100)
        charge.invoice_ids.button_draft()
        self.assertEqual(
            (charge.state, charge.payment_state), ("charged", "accounting")
        )
        for change in (lambda: self.edit(charge, 60), lambda: self.refund(charge)):
            with self.assertRefused("in work"):
                change()
        with self.assertRefused("Refund"):
            self.charged_ticket.partner_id = self._customer("Southwind")
        charge.invoice_ids.action_post()
        self.assertEqual((charge.state, charge.payment_state), ("charged", "not_paid"))

    def test_draft_deleted(self):
        """R10.1, R10.4: the ticket says so, and the same request charges no more."""
        charge = self.charge(100, request_key="key")
        invoice = charge.invoice_ids
        invoice.button_draft()
        invoice.with_context(force_delete=True).unlink()
        self.assertEqual(charge.state, "refunded")
        self.assertIn("deleted in accounting", self.history())
        self.assertEqual(self.charge(100, request_key="key"), charge)

    def test_cancelled_after_a_credit_note(self):
        """R10.4: what cannot be put right here is said."""
        charge = self.charge(100)
        self.edit(charge, 60)
        invoice = charge.invoice_ids.filtered(lambda m: m.move_type == "out_invoice")
        invoice.button_draft()
        invoice.button_cancel()
        self.assertEqual(charge.payment_state, "accounting")
        with self.assertRefused("More of “Restore” was credited"):
            self.refund(charge)

    def test_blocked(self):
        """R10.3: an invoice that is blocked is not paid."""
        charge = self.charge(100)
        charge.invoice_ids.action_toggle_block_payment()
        self.assertEqual((charge.amount_due, charge.payment_state), (100, "not_paid"))

    def test_payment_in_draft(self):
        """R8.3, R10.4: nothing comes back of money that did not come."""
        payment = self.pay(100)
        charge = self.charge(100)
        payment.action_draft()
        with self.assertRefused("in work"):
            self.edit(charge, 60)
        payment.action_post()
        self.edit(charge, 60)
        self.assertEqual(self.money(), 40)

    def test_addressed_to_somebody_else(self):
        """R10.4"""
        charge = self.charge(100)
        invoice = charge.invoice_ids
        invoice.button_draft()
        invoice.partner_id = self._customer("Southwind")
        invoice.action_post()
        with self.assertRefused("addressed"):
            self.refund(charge)

    def test_other_rate_when_it_is_given_back(self):
        """R10.4: balance back where it was, whatever the rate is by then."""
        euro = self.setup_other_currency(
            "EUR", rates=[("2027-04-01", 2.0), ("2027-04-15", 1.0)]
        )
        self.pay(500, date="2027-04-02")
        charge = self.charge(100, currency_id=euro.id)
        self.assertEqual(self.money(), 450)
        with freeze_time("2027-04-20 10:00:00"):
            self.edit(charge, 60)
            self.assertEqual(self.money(), 470)
            self.assertEqual(self.charged_ticket.charge_amount, 30)
            self.refund(charge)
        self.assertEqual(self.money(), 500)
        self.assertEqual(self.charged_ticket.charge_amount, 0)

    def test_amount_of_a_ticket_is_nobody_s_to_write(self):
        """R10.5"""
        self.charge(100)
        ticket = self.charged_ticket
        ticket.with_user(self._staff("agent", "base.group_user")).write(
            {"charge_amount": 1}
        )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(ticket.charge_amount, 100)
        self.assertIn(ticket, ticket.search([("charge_amount", ">", 99)]))
        self.assertIn(ticket, ticket.search([("charge_amount", "!=", 0)]))
        self.assertNotIn(ticket, ticket.search([("charge_amount", "=", 0)]))

    def test_all_or_nothing(self):
        """R10.1: who goes on after an error finds nothing half posted."""
        request = {"ticket_id": self.charged_ticket.id, "name": "Restore", "amount": 10}
        moves = self.env["account.move"]
        before = moves.search_count([("company_id", "=", self.company.id)])
        charges = self.env["helpdesk.ticket.charge"].with_user(self.charger)
        refused = False
        try:
            charges.create([request, {**request, "amount": -1}])
        except UserError:
            refused = True
        self.assertTrue(refused)
        self.env.invalidate_all()
        self.assertEqual(
            moves.search_count([("company_id", "=", self.company.id)]), before
        )

    def test_bad_input(self):
        """R10.1: a clear error for whatever comes in."""
        for values in (
            {"ticket_id": "abc"},
            {"ticket_id": [1, 2]},
            {"ticket_id": True},
            {"currency_id": "abc"},
            {"currency_id": [1, 2]},
            {"name": ["a"]},
            {"name": "a\0b"},
            {"request_key": "x" * 20_000},
            {"request_key": 7},
            {"amount": "1_0"},
        ):
            with self.subTest(values=str(values)[:40]), self.assertRefused(" "):
                self.charge(values.pop("amount", 10), **values)
