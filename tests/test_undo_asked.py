from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.sql_db import db_connect
from odoo.tests import tagged

from .common_concurrency import ConcurrencyCase
from .common_sale import WINDOWS, SaleCommon


@tagged("post_install", "-at_install")
class TestUndoAsked(SaleCommon):
    """R8.4: what is taken back is said before it is."""

    def ask(self, document, method):
        """Press a button of a form.

        :return: the dialog, or what the button does without one.
        """
        self.env.flush_all()
        with self.enter_registry_test_mode():
            return getattr(document.with_context(incident_ask=True), method)()

    def rows(self, action):
        wizard = self.env["helpdesk.incident.undo"].browse(action["res_id"])
        return [
            (
                line.name,
                line.taken,
                line.used,
                line.periods_taken,
                line.left,
                line.date_to,
            )
            for line in wizard.line_ids
        ]

    def confirm(self, action):
        return self.env[action["res_model"]].browse(action["res_id"]).action_confirm()

    def use(self, number):
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Support", "incident_required": True, "incident_cost": number}
        )
        return self.env["helpdesk.ticket"].create(
            {
                "name": "Help",
                "description": "Help",
                "team_id": team.id,
                "partner_id": self.customer.id,
                "incident_count": number,
            }
        )

    def test_credit_note_of_a_term(self):
        """R8.4: a credit of two thirds takes two months of three, and keeps one."""
        invoice = self.bill(self.order(self.months))
        self.register(invoice)
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids.price_unit = 60
        with self.assertNothingChanges():
            action = self.ask(note, "action_post")
        self.assertEqual(note.state, "draft")
        self.assertEqual(
            self.rows(action),
            [(self.months.display_name, 20, 0, "2 of 3", 10, WINDOWS[0][1])],
        )
        self.confirm(action)
        left = self.incident_account().available
        self.assertEqual((note.state, left), ("posted", 10))

    def test_payment_of_a_pack(self):
        """R8.4: of ten lifetime incidents four are used already."""
        invoice = self.bill(self.order(self.pack))
        payment = self.register(invoice)
        self.use(4)
        with self.assertNothingChanges():
            action = self.ask(payment, "action_draft")
        self.assertEqual(
            self.rows(action), [("Lifetime incidents", 10, 4, False, -4, False)]
        )
        wizard = self.env["helpdesk.incident.undo"].browse(action["res_id"])
        self.assertEqual(wizard.used, 4)
        self.confirm(action)
        self.assertEqual(payment.state, "draft")
        self.assertEqual(self.incident_account().lifetime_balance, -4)

    def test_period_used_and_lapsed(self):
        """R8.4, R3.5: what is used of a period stays used; what has lapsed is neither
        used nor lost again."""
        invoice = self.bill(self.order(self.months))
        payment = self.register(invoice)
        self.use(3)
        with freeze_time("2027-05-20 10:00:00"):
            self.use(2)
            action = self.ask(payment, "action_draft")
            ((_name, taken, used, periods, left, day),) = self.rows(action)
        self.assertEqual((used, periods, left, day), (5, "3 of 3", 0, False))
        self.assertEqual(taken, 23)

    def test_funds_added(self):
        """R6.3: what a payment gives by itself."""
        self.company.write({"incident_topup_amount": 100, "incident_topup_quantity": 2})
        payment = self.pay(300)
        action = self.ask(payment, "action_draft")
        self.assertEqual(
            self.rows(action), [("Lifetime incidents", 6, 0, False, 0, False)]
        )

    def test_invoice_reset(self):
        """R8.3c"""
        invoice = self.bill(self.order(self.pack))
        self.register(invoice)
        action = self.ask(invoice, "button_draft")
        self.assertEqual(self.rows(action)[0][:3], ("Lifetime incidents", 10, 0))
        self.confirm(action)
        self.assertEqual((invoice.state, self.given()), ("draft", 0))

    def test_nothing_to_say(self):
        """Nobody is asked where nothing is taken back, nor who calls the method."""
        invoice = self.bill(self.order(self.pack))
        payment = self.register(invoice)
        self.ask(payment, "action_draft")
        self.assertEqual(payment.state, "paid")
        note = self.reverse(invoice, post=False, incident_goodwill=True)
        self.assertFalse(self.ask(note, "action_post"))
        self.assertEqual(note.state, "posted")
        payment.action_draft()
        self.assertEqual(payment.state, "draft")

    def test_a_refusal(self):
        """What the button would refuse is refused at once."""
        payment = self.register(self.bill(self.order(self.pack)))
        self.company.fiscalyear_lock_date = "2027-04-30"
        with self.assertRaises(UserError):
            self.ask(payment, "action_draft")

    def test_nothing_else_is_called(self):
        """Over RPC nobody confirms what was not asked."""
        values = {"res_model": "account.move", "res_id": 1, "method": "unlink"}
        wizards = self.env["helpdesk.incident.undo"]
        with self.assertRaises(AccessError):
            wizards.create(values)
        with self.assertRaises(UserError):
            wizards.browse(wizards.sudo().create(values).id).action_confirm()


@tagged("post_install", "-at_install")
class TestUndoAskedOnce(ConcurrencyCase):
    def test_nothing_is_lost(self):
        """R8.3a, R8.4: what gives when it is invoiced loses nothing by its payment.
        Nobody is asked, and nothing is tried out once more when the payment resets its
        journal entry: that would wait for the account that the payment has locked."""
        with self.transaction() as env:
            customer = env["res.partner"].create({"name": "Customer"})
            plan = self.product(
                env, "Pack", 50, incident_kind="lifetime", incident_quantity=10
            )
            env.company.incident_grant_on = "posted"
            journal = env["account.journal"].search([("type", "=", "bank")], limit=1)
            [way] = journal.inbound_payment_method_line_ids[:1]
            # With one, a payment has a journal entry, which is reset with it.
            way.payment_account_id = env["account.account"].create(
                {
                    "code": "101999",
                    "name": "On its way",
                    "account_type": "asset_current",
                }
            )
            order = env["sale.order"].create(
                {
                    "partner_id": customer.id,
                    "order_line": [Command.create({"product_id": plan.id})],
                }
            )
            order.action_confirm()
            invoice = order._create_invoices()
            invoice.action_post()
            payment = (
                env["account.payment.register"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create({"journal_id": journal.id, "payment_method_line_id": way.id})
                ._create_payments()
            )

        def cursor():
            # Whoever waits for himself would wait for ever.
            cr = db_connect(self.database).cursor()
            cr.execute("SET LOCAL lock_timeout = '2s'")
            return cr

        with self.transaction() as env, patch.object(env.registry, "cursor", cursor):
            payment = payment.with_env(env).with_context(incident_ask=True)
            self.assertTrue(payment.move_id)
            self.assertFalse(payment.action_draft())
            self.assertEqual(payment.state, "draft")
