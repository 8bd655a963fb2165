"""R3.6: what is printed, mailed and asked of a provider, and when."""

from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mail.models import mail_thread

from .common import call_rpc
from .test_charge_portal import ChargePortalCommon

#: A picture of one pixel.
SIGNATURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAA"
    "BJRU5ErkJggg=="
)


@tagged("post_install", "-at_install")
class TestOutbox(ChargePortalCommon):
    """R3.6: nothing is printed, mailed or asked of a provider while an account is
    locked; it follows the commit, once. `guard.py` watches over the first half."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("sale.async_emails", False)
        cls.outbox = cls.env["helpdesk.incident.outbox"]
        cls.bank.inbound_payment_method_line_ids |= cls.env[
            "account.payment.method.line"
        ].create(
            {
                "payment_method_id": cls.env["account.payment.method"]
                .sudo()
                .search([("code", "=", "demo")], limit=1)
                .id,
                "journal_id": cls.bank.id,
                "payment_provider_id": cls.demo.id,
            }
        )

    def printed(self, document):
        """Return the messages that a document was sent with."""
        return document.message_ids.filtered("attachment_ids")

    def token(self, partner):
        return (
            self.env["payment.token"]
            .sudo()
            .create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": self.demo.payment_method_ids[:1].id,
                    "partner_id": partner.id,
                    "provider_ref": "demo",
                    "payment_details": "1234",
                    "demo_simulated_state": "done",
                }
            )
        )

    def report(self, model):
        """Return a report of documents, which a user may attach to a mail."""
        view = self.env["ir.ui.view"].create(
            {
                "name": "Sheet",
                "type": "qweb",
                "key": "helpdesk_paid_support.test_sheet",
                "arch": "<t t-call='web.html_container'><div class='page'>Sheet</div>"
                "</t>",
            }
        )
        return self.env["ir.actions.report"].create(
            {"name": "Sheet", "model": model, "report_name": view.key}
        )

    # -- printed after the commit ---------------------------------------------

    def test_charge(self):
        """R10.3: the invoice of a charge; it is *sent* when it was printed."""
        charge = self.charge(100)
        self.assertEqual(self.printed(self.charged_ticket), self.env["mail.message"])
        self.assertFalse(charge.invoice_ids.is_move_sent)
        self.assertTrue(self.outbox.search([]))
        self.print_and_mail()
        [message] = self.printed(self.charged_ticket)
        self.assertEqual(message.author_id, self.charger.partner_id)
        self.assertTrue(charge.invoice_ids.is_move_sent)
        self.assertFalse(self.outbox.search([]))
        self.print_and_mail()
        self.assertEqual(self.printed(self.charged_ticket), message)

    def test_charge_taken_back_meanwhile(self):
        """R10.3: what is not posted any more is not sent."""
        charge = self.charge(100)
        charge.invoice_ids.button_draft()
        self.print_and_mail()
        self.assertFalse(self.printed(self.charged_ticket))
        self.assertFalse(charge.invoice_ids.is_move_sent)

    def test_order_paid_from_the_balance(self):
        """R11.4: the confirmation of the order, by whoever has paid it."""
        self.pay(50)
        order = self.quotation(self.pack, partner_id=self.user.partner_id.id)
        self.authenticate("hps-nora", "hps-nora")
        self.post(f"/my/orders/{order.id}/pay_from_balance")
        self.assertEqual(order.state, "sale")
        self.assertFalse(self.printed(order))
        self.print_and_mail()
        self.assertEqual(len(self.printed(order)), 1)
        self.assertIn(self.user.partner_id, self.printed(order).partner_ids)

    def test_order_paid_online(self):
        """R8.3: the confirmation, and the invoice where the shop invoices at once."""
        self.env["ir.config_parameter"].set_param("sale.automatic_invoice", True)
        order = self.quotation(self.pack)
        self.customer.email = "northwind@example.com"
        transaction = self.transaction(order)
        invoice = transaction.invoice_ids
        self.assertEqual((order.state, invoice.state), ("sale", "posted"))
        self.assertFalse(self.printed(order) | self.printed(invoice))
        self.assertFalse(invoice.is_move_sent)
        self.print_and_mail()
        self.assertEqual(len(self.printed(order)), 1)
        self.assertEqual(len(self.printed(invoice)), 1)
        self.assertTrue(invoice.is_move_sent)
        # Nor does Odoo's own action, which looks for what was not sent, do it again.
        self.env["payment.transaction"].browse()._cron_send_invoice()
        self.print_and_mail()
        self.assertEqual(len(self.printed(invoice)), 1)

    def test_signed(self):
        """R8.3: an order that is confirmed by a signature. One that is to be paid, too,
        is not confirmed yet, and printed at once."""
        self.company.incident_grant_on = "confirmed"
        self.authenticate("hps-nora", "hps-nora")
        for paid in (False, True):
            order = self.quotation(
                self.pack,
                partner_id=self.user.partner_id.id,
                require_signature=True,
                require_payment=paid,
                state="sent",
            )
            with self.subTest(paid=paid):
                answer = self.make_jsonrpc_request(
                    f"/my/orders/{order.id}/accept",
                    {"name": "Nora", "signature": SIGNATURE},
                )
                self.assertIn("redirect_url", answer)
                self.env.invalidate_all()
                self.assertEqual(order.state, "sent" if paid else "sale")
                signed = self.printed(order).filtered(
                    lambda message: "Order signed by Nora" in message.body
                )
                self.assertEqual(len(signed), 1 if paid else 0)
                self.print_and_mail()
                signed = self.printed(order).filtered(
                    lambda message: "Order signed by Nora" in message.body
                )
                self.assertEqual(len(signed), 1)
                self.assertEqual(signed.author_id, self.user.partner_id)
                self.assertEqual(signed.attachment_ids.name, f"{order.name}.pdf")

    def test_mail_of_a_stage(self):
        """R4.4: a report that users have attached to the mail of a stage."""
        template = self.env["mail.template"].create(
            {
                "name": "New",
                "model_id": self.env.ref("helpdesk_mgmt.model_helpdesk_ticket").id,
                "subject": "We have your ticket",
                "partner_to": "{{ object.partner_id.id }}",
                "report_template_ids": [
                    Command.set(self.report("helpdesk.ticket").ids)
                ],
            }
        )
        self.team._get_applicable_stages()[0].mail_template_id = template
        self.incident_account()._adjust(1, "A gift")
        ticket = (
            self.env(context={"allowed_company_ids": self.company.ids})[
                "helpdesk.ticket"
            ]
            .with_user(self.user)
            .sudo()
            .create(
                {
                    "name": "It does not work",
                    "description": "Please help",
                    "team_id": self.team.id,
                    "partner_id": self.user.partner_id.id,
                    "company_id": self.company.id,
                }
            )
        )
        self.env.cr.flush()
        self.assertEqual(ticket.incident_count, 1)
        sent = [("subject", "=", "We have your ticket")]
        self.assertFalse(self.env["mail.mail"].search(sent))
        self.print_and_mail()
        [mail] = self.env["mail.mail"].search(sent)
        self.assertEqual(len(mail.attachment_ids), 1)

    def test_mail_of_a_server_action(self):
        """What automation rules send in the transaction that moves incidents."""
        template = self.env["mail.template"].create(
            {
                "name": "Sheet",
                "model_id": self.env.ref("base.model_res_partner").id,
                "subject": "Your sheet",
                "email_to": "somebody@example.com",
                "report_template_ids": [Command.set(self.report("res.partner").ids)],
            }
        )
        self.incident_account()._lock()
        self.assertFalse(template.send_mail(self.customer.id, force_send=True))
        sent = [("subject", "=", "Your sheet")]
        self.assertFalse(self.env["mail.mail"].search(sent))
        self.print_and_mail()
        [mail] = self.env["mail.mail"].search(sent)
        self.assertEqual(len(mail.attachment_ids), 1)

    def test_on_demand(self):
        """R11.4: what somebody asks to see printed is printed at once: that locks
        nothing."""
        order = self.order(self.pack)
        invoice = self.bill(order)
        self.authenticate("hps-nora", "hps-nora")
        for document in (order, invoice):
            url = document.get_portal_url(report_type="pdf")
            with self.subTest(url=url):
                self.assertEqual(self.url_open(url).status_code, 200)

    def test_printing_fails(self):
        """R3.6: it is tried again, and not for ever; the document says so. The others
        are printed."""
        orders = self.env["sale.order"].union(
            *(self.quotation(self.pack) for _n in range(3))
        )
        for order in orders:
            order._validate_order()
        report_class = self.env.registry["ir.actions.report"]
        render = report_class._render_qweb_pdf
        broken = set(orders[:2].ids)

        def fail(report, reference, res_ids=None, data=None):
            if broken & set(res_ids or []):
                raise OSError("No paper")
            return render(report, reference, res_ids=res_ids, data=data)

        self.patch(report_class, "_render_qweb_pdf", fail)
        for printed in (1, 2, 2, 2):
            with mute_logger("odoo.addons.helpdesk_paid_support.models"):
                self.print_and_mail()
                self.print_and_mail()  # it waits for a while
            self.assertEqual(len(self.printed(orders)), printed)
            broken.discard(orders[1].id)
            self.outbox.sudo().search([]).date_due = False
        self.assertIn("No paper", orders[0].message_ids[0].body)
        self.assertNotIn("No paper", orders[1].message_ids[0].body)
        self.assertFalse(self.outbox.search([]))

    def test_killed_each_time(self):
        """R3.6: what kills whoever prints it is not tried for ever, and the others are
        printed."""
        orders = self.quotation(self.pack) | self.quotation(self.pack)
        for order in orders:
            order._validate_order()
        deadly = self.outbox.sudo().search([("res_id", "=", orders[0].id)])
        deadly.tries = 3
        with mute_logger("odoo.addons.helpdesk_paid_support.models"):
            self.print_and_mail()
        self.assertEqual(self.printed(orders).mapped("res_id"), orders[1].ids)
        self.assertIn("could not be printed", orders[0].message_ids[0].body)
        self.assertFalse(self.outbox.search([]))

    def test_model_is_gone(self):
        """R3.6: what was put by a module that is uninstalled keeps nobody back."""
        order = self.quotation(self.pack)
        order._validate_order()
        row = self.outbox.sudo().search([])
        row.copy({"res_model": "not.there", "tries": -1})
        with mute_logger("odoo.addons.helpdesk_paid_support.models"):
            self.print_and_mail()
        self.assertEqual(self.printed(order).mapped("res_id"), order.ids)
        self.assertFalse(self.outbox.search([]))

    def test_many_mails_by_a_template(self):
        """R3.6: mails of a template that prints follow the commit, many at once."""
        orders = self.quotation(self.pack) | self.quotation(self.pack)
        template = self.env.ref("sale.email_template_edi_sale")
        self.incident_account()._lock()
        self.assertFalse(template.send_mail_batch(orders.ids))
        self.assertFalse(template.send_mail(orders[0].id))
        rows = self.outbox.sudo().search([])
        self.assertEqual(rows.mapped("res_id"), [*orders.ids, orders[0].id])
        self.print_and_mail()
        self.assertFalse(self.outbox.search([]))

    # -- mailed after the commit ------------------------------------------------

    def test_closed_and_returned(self):
        """R4.5: staff close a ticket and return what it took in one go, which mails
        that it was closed."""
        self.incident_account()._adjust(1, "A gift")
        ticket = self.use(1)
        stage = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        self.charger.password = "hps-charger"
        self.authenticate("hps-charger", "hps-charger")
        answer = call_rpc(
            self,
            "helpdesk.ticket",
            "write",
            ticket.ids,
            {"incident_count": 0, "stage_id": stage.id},
        )
        self.assertNotIn("error", answer)
        self.env.invalidate_all()
        self.assertEqual((ticket.closed, self.available()), (True, 1))
        self.assertTrue(
            self.env["mail.mail"].search([("subject", "ilike", "has been closed")])
        )

    def test_invitation(self):
        """R6.1: whoever is invited gets incidents, and the mail after them."""
        self.company.incident_registration_quantity = 2
        newcomer = self.env["res.partner"].create(
            {"name": "Neil", "email": "neil@example.com"}
        )
        self.env.user.password = "manager-of-all"
        self.authenticate(self.env.user.login, "manager-of-all")
        answer = call_rpc(
            self,
            "portal.wizard",
            "create",
            {"partner_ids": [Command.set(newcomer.ids)]},
        )
        wizard = self.env["portal.wizard"].browse(answer["result"])
        answer = call_rpc(
            self, "portal.wizard.user", "action_grant_access", wizard.user_ids.ids
        )
        self.assertNotIn("error", answer)
        self.env.invalidate_all()
        self.assertEqual(self.available(newcomer), 2)

    def test_browser(self):
        """A browser that asks to be told is told by the scheduled action."""
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("mail.web_push_vapid_public_key", "public")
        parameters.set_param("mail.web_push_vapid_private_key", "private")
        self.env["mail.push.device"].create(
            {
                "partner_id": self.charger.partner_id.id,
                "endpoint": "https://push.example.com",
                "keys": "{}",
            }
        )
        self.charger.notification_type = "inbox"
        self.incident_account()._lock()
        with patch.object(mail_thread, "push_to_end_point") as told:
            self.charged_ticket.message_post(
                body="Look", partner_ids=self.charger.partner_id.ids
            )
        told.assert_not_called()
        self.assertEqual(self.env["mail.push"].search_count([]), 1)

    # -- asked before anything is locked ------------------------------------------

    def test_paid_with_a_saved_card(self):
        """R8.3: an order that is confirmed, and paid later in the client area; what was
        paid is given."""
        token = self.token(self.user.partner_id)
        order = self.order(self.pack, partner_id=self.user.partner_id.id)
        self.authenticate("hps-nora", "hps-nora")
        for flow in ("direct", "token"):
            with self.subTest(flow=flow):
                answer = self.make_jsonrpc_request(
                    f"/my/orders/{order.id}/transaction",
                    {
                        "access_token": order._portal_ensure_token(),
                        "provider_id": self.demo.id,
                        "payment_method_id": self.demo.payment_method_ids[:1].id,
                        "token_id": token.id if flow == "token" else None,
                        "amount": order.amount_total,
                        "flow": flow,
                        "tokenization_requested": False,
                        "landing_route": "/my",
                    },
                )
                self.assertIn("reference", answer)
        self.env.invalidate_all()
        order.transaction_ids.filtered(lambda tx: tx.state == "done")._post_process()
        self.assertEqual(self.given(), 10)

    def test_refunded(self):
        """R8.4: the provider is asked to pay back what has given incidents."""
        order = self.quotation(self.pack)
        transaction = self.transaction(order)
        self.assertEqual(self.given(), 10)
        transaction.action_refund()
        transaction.child_transaction_ids._post_process()
        self.assertEqual(self.given(), 0)

    def test_captured_one_after_another(self):
        """R8.3: what the first one has paid is looked at after all were asked for."""
        self.demo.capture_manually = True
        orders = [self.order(self.pack) for _n in range(2)]
        transactions = self.env["payment.transaction"].union(
            *(self.transaction(order) for order in orders)
        )
        self.assertEqual(set(transactions.mapped("state")), {"authorized"})
        captured = self.env["payment.transaction"].union(
            *(transaction._capture() for transaction in transactions)
        )
        (captured | transactions)._post_process()
        self.assertEqual(self.given(), 20)

    def test_staff_use_a_saved_card(self):
        """R8.3: staff register a payment by the card of the customer, beside one that
        asks nobody."""
        token = self.token(self.customer)
        line = self.bank.inbound_payment_method_line_ids.filtered(
            lambda line: line.payment_provider_id == self.demo
        )
        orders = self.order(self.pack) | self.order(self.pack)
        invoices = [self.bill(order) for order in orders]
        payment = self.register(
            invoices[0], payment_method_line_id=line.id, payment_token_id=token.id
        )
        self.assertEqual(payment.payment_transaction_id.state, "done")
        self.assertEqual(self.given(), 10)
        payments = self.pay(50, post=False) | self.pay(
            50, post=False, payment_method_line_id=line.id, payment_token_id=token.id
        )
        payments.action_post()
        self.assertEqual(set(payments.mapped("state")), {"in_process"})
