import os
import signal
from unittest.mock import patch

from odoo import SUPERUSER_ID
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestChargeConcurrency(ConcurrencyCase):
    """R10.1, R10.2, R10.4 with real connections that commit: two at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.transaction(cls) as env:
            env["account.chart.template"].try_loading("generic_coa", env.company)
            env.ref("helpdesk_paid_support.product_ticket_charge").taxes_id = [
                Command.clear()
            ]
            cls.charger_id = new_test_user(
                env,
                "hps-charger",
                "base.group_user,helpdesk_mgmt.group_helpdesk_user,"
                "helpdesk_paid_support.group_ticket_charge",
            ).id

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            env["helpdesk.incident.outbox"].search([]).unlink()
            customer = env["res.partner"].create(
                {"name": self._testMethodName, "email": "customer@example.com"}
            )
            self.ticket_ids = (
                env["helpdesk.ticket"]
                .create(
                    [
                        {
                            "name": "A",
                            "description": "A",
                            "partner_id": customer.id,
                            "user_id": False,
                        }
                    ]
                    * 2
                )
                .ids
            )
            self.customer_id = customer.id

    def _pay(self, amount):
        with self.transaction() as env:
            env["account.payment"].create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": self.customer_id,
                    "amount": amount,
                    "journal_id": env["account.journal"]
                    .search(
                        [("type", "=", "bank"), ("company_id", "=", env.company.id)],
                        limit=1,
                    )
                    .id,
                }
            ).action_post()

    def _charge(self, env, amount=100, ticket=0, **values):
        return env["helpdesk.ticket.charge"].create(
            {
                "ticket_id": self.ticket_ids[ticket],
                "name": "Restore",
                "amount": amount,
                **values,
            }
        )

    def _charged(self):
        """Charge 100, and return the id of the charge."""
        with self.transaction(self.charger_id) as env:
            return self._charge(env).id

    def test_approved_twice(self):
        """R18.5: a charge that the customer approves in two tabs is charged once."""
        with self.transaction(self.charger_id) as env:
            proposals = env["helpdesk.ticket.proposal"]
            proposal = proposals.create(
                {
                    "ticket_id": self.ticket_ids[0],
                    "kind": "charge",
                    "amount": 100,
                    "name": "Restore",
                }
            )
            proposal_id, key = proposal.id, proposal._question().key
        with self.transaction() as env:
            user_id = new_test_user(
                env,
                "hps-approver",
                groups="base.group_portal",
                parent_id=self.customer_id,
            ).id

        def work(env, _number):
            user = env["res.users"].browse(user_id)
            proposals = env["helpdesk.ticket.proposal"].with_user(user).sudo()
            proposals.browse(proposal_id)._approve(user, key)

        self.assertEqual([r for r, _tries in self.race(work)], [None] * 2)
        self.assertDocuments(100)

    def assertDocuments(self, *amounts):
        """Check what was posted for the customer, in order."""
        with self.transaction() as env:
            moves = env["account.move"].search(
                [("ticket_charge_id.ticket_id", "in", self.ticket_ids)], order="id"
            )
            self.assertEqual(
                moves.mapped("amount_total_in_currency_signed"), list(amounts)
            )
            self.assertEqual(set(moves.mapped("state")), {"posted"})

    def test_same_request_twice(self):
        """R10.1: a double click charges once, and both get the same charge."""
        results = self.race(
            lambda env, number: self._charge(env, request_key="k1").id,
            workers=3,
            uid=self.charger_id,
        )
        self.assertEqual(len({charge for charge, _tries in results}), 1)
        self.assertGreater(sum(tries for _charge, tries in results), 3)
        self.assertDocuments(100)

    def test_two_charges_one_credit(self):
        """R10.2: what is spent once is spent once; the rest is due."""
        self._pay(150)
        self.race(
            lambda env, number: self._charge(env, ticket=number).id, uid=self.charger_id
        )
        self.assertDocuments(100, 100)
        with self.transaction() as env:
            customer = env["res.partner"].browse(self.customer_id)
            self.assertEqual(customer._incident_account_balance(env.company), -50)
            charges = env["helpdesk.ticket.charge"].search(
                [("ticket_id", "in", self.ticket_ids)]
            )
            self.assertEqual(sorted(charges.mapped("amount_due")), [0, 50])

    def test_funds_and_charge(self):
        """R10.2: funds of 100 that arrive while 100 are charged pay for it, whichever
        comes first: with the charge, or by the scheduled action; run by two, once."""
        payment = self._fund(100)

        def work(env, number):
            if number:
                self._charge(env)
            else:
                env["helpdesk.incident.outbox"]._cron_print()

        self.race(work, uid=SUPERUSER_ID)
        for _n in range(2):
            self.race(
                lambda env, _number: env["helpdesk.incident.outbox"]._cron_print()
            )
        self.assertSettled(payment)

    def test_funds_killed(self):
        """R10.2: whoever is killed while money settles what is open, has settled
        nothing; the next run does, once."""
        self._charged()
        payment = self._fund(100)
        partner_class = self.registry["res.partner"]
        settle = partner_class._incident_settle_open

        def settled(partner, *args, **kwargs):
            settle(partner, *args, **kwargs)
            partner.env.flush_all()
            os.kill(os.getpid(), signal.SIGKILL)

        with patch.object(partner_class, "_incident_settle_open", settled):
            pid = self.fork(lambda env: env["helpdesk.incident.outbox"]._cron_print())
            _pid, status = os.waitpid(pid, 0)
        self.assertEqual(os.WTERMSIG(status), signal.SIGKILL)
        with self.transaction() as env:
            charge = env["helpdesk.ticket.charge"].search(
                [("ticket_id", "in", self.ticket_ids)]
            )
            self.assertEqual(charge.payment_state, "not_paid")
        for _n in range(2):
            self._print()
            self.assertSettled(payment)

    def _fund(self, amount):
        """Add funds online, as a customer does.

        :return: the id of the payment.
        """
        with self.transaction() as env:
            provider = env["payment.provider"].search(
                [("code", "=", "demo"), ("company_id", "=", env.company.id)], limit=1
            )
            provider.state = "test"
            transaction = env["payment.transaction"].create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": provider.payment_method_ids[:1].id,
                    "amount": amount,
                    "currency_id": env.company.currency_id.id,
                    "partner_id": self.customer_id,
                    "reference": self._testMethodName,
                    "operation": "online_direct",
                }
            )
            transaction._set_done()
            transaction._post_process()
            return transaction.payment_id.id

    def assertSettled(self, payment_id):
        """Check that a payment pays for the one charge, once, and nothing is left."""
        with self.transaction() as env:
            charge = env["helpdesk.ticket.charge"].search(
                [("ticket_id", "in", self.ticket_ids)]
            )
            self.assertEqual(charge.payment_state, "paid")
            payment = env["account.payment"].browse(payment_id)
            partials = payment.move_id.line_ids.matched_debit_ids
            self.assertEqual(partials.debit_move_id.move_id, charge.invoice_ids)
            self.assertEqual(len(partials), 1)
            customer = env["res.partner"].browse(self.customer_id)
            self.assertEqual(customer._incident_account_balance(env.company), 0)
            rows = env["helpdesk.incident.outbox"].search([("prints", "=", False)])
            self.assertFalse(rows)

    def test_two_refunds(self):
        """R10.4: credited once."""
        charge = self._charged()
        self.race(
            lambda env, number: (
                env["helpdesk.ticket.charge"].browse(charge).action_refund()
            ),
            uid=self.charger_id,
        )
        self.assertDocuments(100, -100)

    def test_same_edit_twice(self):
        """R10.4: the amount is a target."""
        charge = self._charged()
        self.race(
            lambda env, number: (
                env["helpdesk.ticket.charge"].browse(charge).write({"amount": 60})
            ),
            uid=self.charger_id,
        )
        self.assertDocuments(100, -40)

    def test_refund_and_accountants_credit_note(self):
        """R10.4: together they credit what there is, once."""
        charge = self._charged()
        with self.transaction() as env:
            invoice = env["helpdesk.ticket.charge"].browse(charge).invoice_ids
            note = invoice._reverse_moves([{"invoice_date": invoice.date}])
            note.invoice_line_ids.price_unit = 30
            note_id = note.id

        def work(env, number):
            if number:
                env["account.move"].browse(note_id).action_post()
            else:
                env["helpdesk.ticket.charge"].browse(charge)._check_ticket()._refund()

        results = self.race(work)
        # Either the refund comes second and credits 70, or it is told to wait.
        refused = [r for r, _tries in results if isinstance(r, Exception)]
        if refused:
            self.assertDocuments(100, -30)
        else:
            self.assertDocuments(100, -30, -70)

    def test_charged_while_moved(self):
        """R10.4: a ticket never has a charge of somebody else."""
        with self.transaction() as env:
            other_id = env["res.partner"].create({"name": "Other"}).id

        def work(env, number):
            if number:
                env["helpdesk.ticket"].browse(self.ticket_ids[0]).partner_id = other_id
            else:
                self._charge(env)

        self.race(work)
        with self.transaction() as env:
            ticket = env["helpdesk.ticket"].browse(self.ticket_ids[0])
            self.assertIn(
                ticket.charge_ids.partner_id, (ticket.partner_id, env["res.partner"])
            )

    # -- printed and mailed after the commit -----------------------------------

    def _print(self):
        """Run the scheduled action that prints and mails."""
        with self.transaction() as env, mute_logger("odoo.sql_db"):
            env["helpdesk.incident.outbox"]._cron_print()

    def _while_printing(self, work):
        """Let ``work(env)`` happen in the middle of it, the first time."""
        report_class = self.registry["ir.actions.report"]
        render, done = report_class._pre_render_qweb_pdf, []

        def rendered(report, *args, **kwargs):
            content = render(report, *args, **kwargs)
            if not done:
                done.append(True)
                work(report.env)
            return content

        return patch.object(report_class, "_pre_render_qweb_pdf", rendered)

    def _mailed(self):
        """Return how often the customer was told, with a document."""
        with self.transaction() as env:
            return len(
                env["mail.message"]
                .search(
                    [
                        ("model", "=", "helpdesk.ticket"),
                        ("res_id", "in", self.ticket_ids),
                    ]
                )
                .filtered(
                    lambda message: message.partner_ids and message.attachment_ids
                )
            )

    def test_killed_before_and_while_printing(self):
        """R3.6, R10.3: what is charged is committed; whoever dies then, the customer
        gets the invoice afterwards, once."""
        self._charged()
        self.assertEqual(self._mailed(), 0)
        with self._while_printing(lambda env: os.kill(os.getpid(), signal.SIGKILL)):
            pid = self.fork(lambda env: env["helpdesk.incident.outbox"]._cron_print())
            _pid, status = os.waitpid(pid, 0)
        self.assertEqual(os.WTERMSIG(status), signal.SIGKILL)
        self.assertEqual(self._mailed(), 0)
        for _n in range(2):
            self._print()
            self.assertEqual(self._mailed(), 1)

    def test_printed_by_two(self):
        """R3.6: what one prints no other one does."""
        self._charged()
        with self._while_printing(lambda env: self._print()):
            self._print()
        self.assertEqual(self._mailed(), 1)

    def test_written_while_it_is_printed(self):
        """R3.6: whoever writes to the document does not wait, and it is mailed once."""
        charge = self._charged()

        def write(_env):
            with self.transaction() as env:
                env.cr.execute("SET LOCAL lock_timeout = '500ms'")
                env["helpdesk.ticket.charge"].browse(charge).invoice_ids.ref = "Read"
                env["helpdesk.ticket"].browse(self.ticket_ids[0]).name = "Read"

        with self._while_printing(write):
            self._print()
        self.assertEqual(self._mailed(), 1)

    def test_nothing_locked_while_it_is_printed(self):
        """R3.6: nobody can wait for who prints."""
        self._charged()
        locked = []

        def look(env):
            pid = env.cr._cnx.get_backend_pid()
            with self.transaction() as other:
                rows = other.execute_query(
                    SQL(
                        """
                        SELECT relation::regclass::text, mode
                          FROM pg_locks JOIN pg_class ON pg_class.oid = relation
                         WHERE pid = %s AND relkind = 'r'
                           AND mode IN ('RowShareLock', 'RowExclusiveLock')
                        """,
                        pid,
                    )
                )
            locked.extend(rows)

        with self._while_printing(look):
            self._print()
        self.assertEqual(locked, [("helpdesk_incident_outbox", "RowShareLock")])
