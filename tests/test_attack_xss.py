import re

from odoo.tests import tagged

from .common_attack import SCRIPT, SECRET, AttackCommon

#: A script that came through, whatever a sanitizer has left of it.
ALIVE = re.compile("<img src=[\"']?x\\b", re.IGNORECASE)
ESCAPED = ("&lt;img src=x", "&lt;img&nbsp;src=x")


@tagged("post_install", "-at_install")
class TestAttackXss(AttackCommon):
    """R11.6: what customers and staff have typed is text, wherever it is shown."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.charge_product = cls.env.ref("helpdesk_paid_support.product_ticket_charge")
        plans = cls.env["product.product"].search([("incident_kind", "!=", "none")])
        for plan in plans | cls.extra | cls.charge_product:
            plan.write(
                {"name": f"{plan.name} {SCRIPT}", "description_sale": f"Text {SCRIPT}"}
            )
        cls.env["product.attribute.value"].search([]).name = f"Term {SCRIPT}"
        (cls.team | cls.parking_team).name = f"Team {SCRIPT}"
        cls.env["helpdesk.ticket.stage"].search([]).name = f"Stage {SCRIPT}"
        cls.company.name = f"Company {SCRIPT}"
        with cls.frozen():
            cls.order = cls.sub._order_renewal(cls.months, 1, cls.user.partner_id)
            cls.charge.amount = 20

    def assertDead(self, text, words=SECRET):
        """Check that a page shows the words, and no script of theirs."""
        self.assertFalse(ALIVE.findall(text))
        if words:
            self.assertIn(words, text)
            self.assertTrue(any(escaped in text for escaped in ESCAPED))

    def test_pages(self):
        """Each page of the customer, with what was typed in its address, too."""
        self.act_as("own")
        subscription = f"/my/incidents/subscription/{self.sub.id}"
        for path in (
            "/my/incidents",
            "/my/incidents/buy",
            f"/my/incidents/buy?ticket={self.parked.id}",
            "/my/incidents/funds",
            "/my/incidents/statement",
            "/my/incidents/statement/print",
            subscription,
            f"{subscription}?order_id={self.order.id}",
            f"{subscription}/renew",
            f"{subscription}/extra",
            f"{subscription}/change",
            f"/my/incidents?order_id={self.order.id}",
            "/my",
            "/my/tickets",
            f"/my/ticket/{self.secret_ticket.id}",
            f"/my/ticket/{self.parked.id}",
            "/new/ticket",
            self.order.get_portal_url(),
            self.charge.invoice_ids[:1].get_portal_url(),
        ):
            with self.subTest(path=path):
                typed = f"{'&' if '?' in path else '?'}search={SCRIPT}&done={SCRIPT}"
                response = self.url_open(f"{path}{typed}")
                self.assertEqual(response.status_code, 200)
                self.assertDead(response.text, None)
                self.assertTrue(any(escaped in response.text for escaped in ESCAPED))

    def test_forms(self):
        """A form that is shown again, with what was typed."""
        self.act_as("own")
        subscription = f"/my/incidents/subscription/{self.sub.id}"
        for path, names in (
            ("/my/incidents/buy/order", ("plan", "quantity", "ticket")),
            ("/my/incidents/funds/pay", ("amount",)),
            (f"{subscription}/renew", ("plan", "extra")),
            (f"{subscription}/extra", ("number",)),
            (f"{subscription}/change", ("plan",)),
            ("/submitted/ticket", ("subject", "description", "team", "category")),
        ):
            form = dict.fromkeys(names, f"\"'>{SCRIPT}")
            with self.subTest(path=path):
                page = self.url_open(path, data={**form, "csrf_token": self.token()})
                self.assertEqual(page.status_code, 200)
                self.assertDead(page.text, None)

    def test_history_and_mails(self):
        """The history of each document, and every mail."""
        self.env["helpdesk.incident.reminder"].sudo().search([])._send()
        self.env.flush_all()
        messages = self.env["mail.message"].search(
            [("model", "in", [*self.own_models(), *self.documents()])]
        )
        self.assertIn("helpdesk.ticket", messages.mapped("model"))
        mails = self.env["mail.mail"].search([])
        for body in [*messages.mapped("body"), *mails.mapped("body_html")]:
            self.assertFalse(ALIVE.findall(body or ""), body)
        self.assertTrue(
            any(ESCAPED[0] in str(body) for body in messages.mapped("body"))
        )

    def documents(self):
        return ("account.move", "helpdesk.ticket", "sale.order", "res.partner")

    def test_templates(self):
        """The mails of each kind."""
        reminder = self.env["helpdesk.incident.reminder"].sudo().search([], limit=1)
        reminder = reminder.copy(
            {"key": "x", "ticket_id": self.parked.id, "order_id": self.order.id}
        )
        templates = self.env["mail.template"].search([])
        own = templates.filtered(
            lambda template: template.get_external_id()[template.id].startswith(
                "helpdesk_paid"
            )
        )
        self.assertTrue(own)
        for template in own:
            record = (
                reminder
                if template.model == reminder._name
                else self.charge.invoice_ids[:1]
            )
            with self.subTest(template=template.name):
                body = template._render_field("body_html", record.ids)[record.id]
                self.assertDead(str(body), None)
                self.assertIn(ESCAPED[0], str(body))

    def test_documents(self):
        """What is printed: orders, invoices."""
        reports = self.env["ir.actions.report"].sudo()
        for report, record in (
            ("sale.report_saleorder", self.order),
            ("account.report_invoice_with_payments", self.charge.invoice_ids[:1]),
        ):
            with self.subTest(report=report):
                page, _type = reports._render_qweb_html(report, record.ids)
                self.assertDead(page.decode(), None)
                self.assertIn(ESCAPED[0], page.decode())

    def test_fields(self):
        """Fields that the back end shows as HTML."""
        for name, fields in self.own_fields().items():
            for field in fields:
                if field.type == "html":
                    for value in self.env[name].sudo().search([]).mapped(field.name):
                        self.assertFalse(ALIVE.findall(value or ""), field)
        help_text = self.env["helpdesk.incident.account"].get_empty_list_help("")
        self.assertFalse(ALIVE.findall(help_text))
