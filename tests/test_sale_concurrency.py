from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestSaleConcurrency(ConcurrencyCase):
    """R3.6 for orders, with real connections that commit, and Odoo's own retry."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            self.customer_id = (
                env["res.partner"].create({"name": self._testMethodName}).id
            )
            self.plan_id = self.product(
                env, "Pack of 10", 50, incident_kind="lifetime", incident_quantity=10
            ).id

    def quotation(self, env, quantity=1):
        return env["sale.order"].create(
            {
                "partner_id": self.customer_id,
                "require_signature": False,
                "require_payment": True,
                "order_line": [
                    Command.create(
                        {"product_id": self.plan_id, "product_uom_qty": quantity}
                    )
                ],
            }
        )

    def account(self, env):
        customer = env["res.partner"].browse(self.customer_id)
        return env["helpdesk.incident.account"]._of(customer, env.company, create=True)

    def pay(self, env, amount):
        payment = env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.customer_id,
                "amount": amount,
                "journal_id": env["account.journal"]
                .search([("type", "=", "bank")], limit=1)
                .id,
            }
        )
        payment.action_post()
        return payment

    def invoice(self, env, **values):
        """A confirmed order, and its invoice in draft."""
        order = self.quotation(env)
        order.write(values)
        order.action_confirm()
        return order._create_invoices()

    def other_invoice(self, env, partner_id):
        """An invoice that has nothing to do with incidents."""
        return env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner_id,
                "invoice_line_ids": [
                    Command.create({"name": "A day", "price_unit": 10, "tax_ids": []})
                ],
            }
        )

    def register(self, env, *invoice_ids):
        env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice_ids
        ).create({})._create_payments()

    def count_payments(self, env):
        env.company.incident_topup_amount = 10
        env.company.incident_topup_quantity = 1

    def transaction_of(self, env, order):
        provider = env["payment.provider"].search([], limit=1)
        return env["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": env["payment.method"].search([], limit=1).id,
                "reference": f"{self._testMethodName} {order.name}",
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "sale_order_ids": [Command.set(order.ids)],
            }
        )

    def test_accounts_before_all_else(self):
        """R3.6: who waits for an account has nothing yet that others want, who have the
        account already, as a second try has: no next number of a journal, no order, no
        transaction. So nobody waits for each other."""
        with self.transaction() as env:
            self.account(env)
            order = self.quotation(env)
            posted, paid = self.invoice(env), self.invoice(env)
            (posted | paid).action_post()
            self.register(env, paid.id)
            service = env["product.product"].create(
                {"name": "A day", "type": "service", "invoice_policy": "order"}
            )
            paid_online = self.transaction_of(env, self.quotation(env))
            paid_online._set_done()
            paid_online._post_process()
            plain = self.quotation(env)
            plain.order_line.product_id = service
            plain_transaction = self.transaction_of(env, plain)
            ids = {
                "order": order.id,
                "transaction": self.transaction_of(env, order).id,
                "plain transaction": plain_transaction.id,
                "paid transaction": paid_online.id,
                "posted": posted.id,
                "partial": paid.line_ids.matched_credit_ids.id,
                "invoice": self.invoice(env).id,
                "other invoice": self.invoice(env).id,
                "moved": self._invoice_of_who_has_moved(env).id,
            }

        def of(env, name, model="account.move"):
            return env[model].browse(ids[name])

        def row(table, name):
            return lambda env: env.cr.execute(
                SQL(
                    "SELECT FROM %s WHERE id = %s FOR UPDATE",
                    SQL.identifier(table),
                    ids[name],
                )
            )

        def count_and_pay(env):
            self.count_payments(env)
            self.pay(env, 10)

        def process_and_count(env):
            self.count_payments(env)
            env["ir.config_parameter"].set_param("sale.automatic_invoice", True)
            transaction = of(env, "plain transaction", "payment.transaction")
            transaction._set_done()
            transaction._post_process()

        for what, who_waits, who_has in (
            (
                "a payment that counts",
                count_and_pay,
                lambda env: self.pay(env, 10),
            ),
            (
                "a payment of an invoice",
                lambda env: self.register(env, ids["posted"]),
                lambda env: self.pay(env, 10),
            ),
            (
                "an invoice",
                lambda env: of(env, "invoice").action_post(),
                lambda env: of(env, "other invoice").action_post(),
            ),
            (
                "an invoice of a contact that has moved since",
                lambda env: of(env, "moved").action_post(),
                lambda env: of(env, "other invoice").action_post(),
            ),
            (
                "an order",
                lambda env: of(env, "order", "sale.order").action_confirm(),
                row("sale_order", "order"),
            ),
            (
                "a transaction",
                lambda env: of(env, "paid transaction", "payment.transaction").write(
                    {"state": "error"}
                ),
                row("payment_transaction", "paid transaction"),
            ),
            (
                "a transaction that is processed",
                lambda env: of(
                    env, "transaction", "payment.transaction"
                )._post_process(),
                row("payment_transaction", "transaction"),
            ),
            (
                "a transaction whose payment counts",
                process_and_count,
                lambda env: of(env, "other invoice").action_post(),
            ),
            (
                "what is reconciled",
                lambda env: of(env, "partial", "account.partial.reconcile").unlink(),
                row("account_partial_reconcile", "partial"),
            ),
        ):
            with self.subTest(what):
                self.meet(self.account, who_waits, who_has)
        with self.undone() as env, self.undone() as other:
            # Before there is money it waits for nobody: a provider may be asked next.
            self.account(env)._lock()
            other.cr.execute("SET LOCAL lock_timeout = '500ms'")
            of(other, "transaction", "payment.transaction")._set_done()
            other.flush_all()

    def _invoice_of_who_has_moved(self, env):
        """An invoice of the second half of an order: the first one has given to the
        customer that the contact belonged to."""
        contact, other = env["res.partner"].create(
            [
                {"name": "Nora", "parent_id": self.customer_id},
                {"name": "Another customer", "is_company": True},
            ]
        )
        order = self.quotation(env, 2)
        order.partner_id = contact
        order.action_confirm()
        invoices = env["account.move"]
        for _n in range(2):
            invoice = order._create_invoices()
            invoice.invoice_line_ids.quantity = 1
            invoices |= invoice
            if not order.order_line.incident_account_id:
                invoice.action_post()
                self.register(env, invoice.id)
        contact.parent_id = other
        return invoices[1]

    def test_payments_of_several_customers(self):
        """R3.6: all accounts are locked at once, in one order: those of orders that are
        paid, and those at which payments count."""
        with self.transaction() as env:
            self.account(env)
            other = env["res.partner"].create({"name": "Another customer"})
            account = env["helpdesk.incident.account"]._of(
                other, env.company, create=True
            )
            self.assertGreater(account.id, self.account(env).id)
            invoices = self.other_invoice(env, self.customer_id)
            invoices |= self.invoice(env, partner_id=other.id)
            invoices.action_post()
            invoice_ids, account_id = invoices.ids, account.id

        def register(env):
            self.count_payments(env)
            self.register(env, *invoice_ids)

        self.meet(
            self.account,
            register,
            lambda env: env["helpdesk.incident.account"].browse(account_id)._lock(),
        )

    def test_each_pays_a_half(self):
        """R8.3: two payments of the two invoices of a line, at the same moment, must
        not overlook each other."""
        with self.transaction() as env:
            order = self.quotation(env, 2)
            order.action_confirm()
            for _n in range(2):
                invoice = order._create_invoices()
                invoice.invoice_line_ids.quantity = 1
                invoice.action_post()
            invoice_ids = order.invoice_ids.ids

        def register(env, number):
            env["account.payment.register"].with_context(
                active_model="account.move", active_ids=[invoice_ids[number]]
            ).create({})._create_payments()
            return True

        results = self.race(register)
        self.assertEqual([result for result, _tries in results], [True, True])
        with self.transaction() as env:
            self.assertEqual(self.account(env).lifetime_granted, 20)

    def test_one_balance_two_orders(self):
        """R11.4: the account balance is spent once; the other order stays as it is."""
        with self.transaction() as env:
            self.pay(env, 60)
            self.account(env)
            order_ids = [self.quotation(env).id for _n in range(2)]

        def buy(env, number):
            env["sale.order"].browse(order_ids[number])._incident_pay_from_balance()
            return True

        results = [result for result, _tries in self.race(buy)]
        self.assertEqual(results.count(True), 1)
        [error] = [result for result in results if isinstance(result, UserError)]
        self.assertIn("does not suffice", str(error))
        with self.transaction() as env:
            orders = env["sale.order"].browse(order_ids)
            self.assertEqual(sorted(orders.mapped("state")), ["draft", "sale"])
            self.assertEqual(len(orders.invoice_ids), 1)
            self.assertEqual(self.account(env).lifetime_granted, 10)
            customer = env["res.partner"].browse(self.customer_id)
            self.assertEqual(customer._incident_account_balance(env.company), 10)

    def test_one_order_twice(self):
        """R11.4: a double click pays once."""
        with self.transaction() as env:
            self.pay(env, 200)
            order_id = self.quotation(env).id

        def buy(env, _number):
            env["sale.order"].browse(order_id)._incident_pay_from_balance()
            return True

        results = [result for result, _tries in self.race(buy)]
        self.assertEqual(results.count(True), 1)
        with self.transaction() as env:
            self.assertEqual(len(env["sale.order"].browse(order_id).invoice_ids), 1)
            self.assertEqual(self.account(env).lifetime_granted, 10)

    def test_paid_and_taken_back(self):
        """R8.4: a payment is reset while the invoice is credited: nothing is left, and
        nothing is taken twice."""
        with self.transaction() as env:
            order = self.quotation(env)
            order.action_confirm()
            invoice = order._create_invoices()
            invoice.action_post()
            payment = (
                env["account.payment.register"]
                .with_context(active_model="account.move", active_ids=invoice.ids)
                .create({})
                ._create_payments()
            )
            payment_id, invoice_id = payment.id, invoice.id
            self.assertEqual(self.account(env).lifetime_granted, 10)

        def undo(env, number):
            if number:
                env["account.payment"].browse(payment_id).action_draft()
            else:
                invoice = env["account.move"].browse(invoice_id)
                wizard = (
                    env["account.move.reversal"]
                    .with_context(active_model="account.move", active_ids=invoice.ids)
                    .create({"journal_id": invoice.journal_id.id})
                )
                action = wizard.refund_moves()
                env["account.move"].browse(action["res_id"]).action_post()
            return True

        results = self.race(undo)
        self.assertEqual([result for result, _tries in results], [True, True])
        with self.transaction() as env:
            account = self.account(env)
            self.assertEqual(account.lifetime_granted, 0)
            self.assertEqual(account.entry_ids.mapped("quantity"), [-10, 10])

    def test_one_opening_twice(self):
        """R21.4: an opening balance that two confirm, or cancel, at once is given, or
        taken back, once."""
        with self.transaction() as env:
            opening_id = (
                env["helpdesk.incident.opening"]
                .create(
                    {
                        "reference": self._testMethodName,
                        "partner_id": self.customer_id,
                        "product_id": self.plan_id,
                        "quantity": 7,
                    }
                )
                .id
            )
        for method, left, orders in (
            ("action_confirm", 7, ["sale"]),
            ("action_cancel", 0, ["cancel"]),
        ):

            def act(env, _number, method=method):
                getattr(env["helpdesk.incident.opening"].browse(opening_id), method)()
                return True

            results = self.race(act)
            self.assertEqual([result for result, _tries in results], [True, True])
            with self.transaction() as env:
                self.assertEqual(self.account(env).lifetime_granted, left)
                opened = env["sale.order"].search(
                    [("partner_id", "=", self.customer_id)]
                )
                self.assertEqual(opened.mapped("state"), orders)
