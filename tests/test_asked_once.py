"""R3.6, R11.2: the money for an order is asked for once, whoever comes at once."""

from contextlib import closing
from threading import Event, Thread
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import retrying
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.payment.models.payment_transaction import PaymentTransaction

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestAskedOnce(ConcurrencyCase):
    """Two transactions of one order, of two forms, say; and one while its order is paid
    from the account balance."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            provider = env["payment.provider"].search([("code", "=", "demo")], limit=1)
            provider.state = "test"
            customer = env["res.partner"].create({"name": self._testMethodName})
            plan = self.product(
                env, "Pack of 10", 50, incident_kind="lifetime", incident_quantity=10
            )
            order = env["sale.order"].create(
                {
                    "partner_id": customer.id,
                    "require_signature": False,
                    "require_payment": True,
                    "order_line": [Command.create({"product_id": plan.id})],
                }
            )
            token = self.save_cards(env, provider, customer)
            payers = [
                order._incident_create_transaction(token, "online_token")
                for _n in range(2)
            ]
            self.order_id = order.id
            self.payer_ids = [payer.id for payer in payers]
            payment = env["account.payment"].create(
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": customer.id,
                    "amount": 60,
                    "journal_id": env["account.journal"]
                    .search([("type", "=", "bank")], limit=1)
                    .id,
                }
            )
            payment.action_post()

    def asked_meanwhile(self, work):
        """Let a provider take its time, and somebody else work meanwhile.

        :param work: what the other one does with its own ``env``, retried as Odoo does.
        :return: what it has done, or why not; how often the provider was asked.
        """
        charge = PaymentTransaction._charge_with_token
        asking, asked, results = Event(), [], []

        def slow(transaction):
            asked.append(transaction.id)
            if len(asked) == 1:
                asking.set()
                other.join(2)  # it may wait for this one
            return charge(transaction)

        def run():
            asking.wait(30)
            with closing(db_connect(self.database).cursor()) as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})

                def attempt():
                    result = work(env)
                    env.flush_all()
                    cr.commit()  # pylint: disable=invalid-commit
                    return result

                try:
                    results.append(retrying(attempt, env))
                except UserError as error:
                    results.append(error)

        other = Thread(target=run)
        with (
            patch.object(PaymentTransaction, "_charge_with_token", slow),
            mute_logger("odoo.sql_db", "odoo.service.model"),
        ):
            other.start()
            with self.transaction() as env:
                env["payment.transaction"].browse(self.payer_ids[0])._incident_ask()
            other.join(30)
        return results[0], len(asked)

    def assertPaidOnce(self):
        with self.transaction() as env:
            payers = env["payment.transaction"].browse(self.payer_ids)
            payers[0]._incident_post_process()
            self.assertEqual(payers[0].state, "done")
            order = env["sale.order"].browse(self.order_id)
            self.assertEqual(order.state, "sale")
            payments = order.transaction_ids._incident_payments()
            self.assertEqual(sum(payments.mapped("amount")), 50)
            customer = order.partner_id
            account = env["helpdesk.incident.account"]._of(customer, env.company)
            self.assertEqual(account.lifetime_granted, 10)

    def test_two_transactions(self):
        """R11.2: the second one waits, finds the order being paid, and asks nobody."""

        def ask(env):
            env["payment.transaction"].browse(self.payer_ids[1])._incident_ask()

        _result, asked = self.asked_meanwhile(ask)
        self.assertEqual(asked, 1)
        with self.transaction() as env:
            second = env["payment.transaction"].browse(self.payer_ids[1])
            self.assertEqual(second.state, "cancel")
        self.assertPaidOnce()

    def test_from_the_balance(self):
        """R11.4: who pays the order from the account balance meanwhile is refused, and
        waits for no provider with the account locked."""

        def pay(env):
            env["sale.order"].browse(self.order_id)._incident_pay_from_balance()

        result, _asked = self.asked_meanwhile(pay)
        self.assertIsInstance(result, UserError)
        self.assertIn("is just being paid", str(result))
        self.assertPaidOnce()
