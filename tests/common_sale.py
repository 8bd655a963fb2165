from datetime import date, datetime
from itertools import count

from freezegun import freeze_time

from odoo.fields import Command

from .common import hide_from_customers
from .common_payment import PaymentCommon

#: The seed's example: bought on April 11 (R9.1).
BOUGHT = datetime(2027, 4, 11, 10)
WINDOWS = [
    (date(2027, 4, 11), date(2027, 5, 10)),
    (date(2027, 5, 11), date(2027, 6, 10)),
    (date(2027, 6, 11), date(2027, 7, 10)),
]


class SaleCommon(PaymentCommon):
    """A company that sells plans, and takes payments by every way."""

    @classmethod
    def get_default_groups(cls):
        return (
            super().get_default_groups()
            | cls.quick_ref("sales_team.group_sale_manager")
            | cls.quick_ref("helpdesk_mgmt.group_helpdesk_manager")
        )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        # With a second currency Odoo has pricelists, too.
        cls._enable_currency("EUR")
        cls.company.write({"incident_topup_amount": 0, "incident_topup_quantity": 0})
        hide_from_customers(cls.env)
        cls.company.partner_id.tz = "UTC"
        cls.pack = cls.plan("Pack of 10", 50, "lifetime", 10)
        cls.months = cls.plan("Standard support, 3 months", 90, "period", 10, 3)
        cls.service = cls.plan("Setup", 40)
        cls.demo = cls.env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", cls.company.id)]
        )
        cls.demo.state = "test"
        # As many shops have it: to write the mail of each order takes longer than most
        # of what is tested here.
        cls.env["ir.config_parameter"].sudo().set_param("sale.async_emails", True)

    def setUp(self):
        super().setUp()
        self.startPatcher(freeze_time(BOUGHT))

    # -- selling ---------------------------------------------------------

    @classmethod
    def plan(cls, name, price, kind="none", quantity=0, months=0, **values):
        return (
            cls.env["product.template"]
            .create(
                {
                    "name": name,
                    "type": "service",
                    "invoice_policy": "order",
                    "list_price": price,
                    "taxes_id": [Command.clear()],
                    "incident_kind": kind,
                    "incident_quantity": quantity,
                    "incident_term_months": months,
                    **values,
                }
            )
            .product_variant_id
        )

    @classmethod
    def quotation(cls, *products, customer=None, quantity=1, **values):
        return cls.env["sale.order"].create(
            {
                "partner_id": (customer or cls.customer).id,
                "company_id": cls.company.id,
                "require_signature": False,
                "require_payment": True,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity}
                    )
                    for product in products
                ],
                **values,
            }
        )

    @classmethod
    def order(cls, *products, **values):
        order = cls.quotation(*products, **values)
        order.action_confirm()
        return order

    @classmethod
    def bill(cls, orders):
        """Invoice orders, and post the invoice."""
        invoice = orders._create_invoices(final=True)
        invoice.action_post()
        return invoice

    @classmethod
    def reverse(cls, invoice, method="reverse_moves", post=True, **values):
        """Credit an invoice with the wizard of accountants."""
        wizard = (
            cls.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id, **values})
        )
        action = getattr(wizard, method)()
        moves = cls.env["account.move"].browse(action["res_id"])
        if post and method == "reverse_moves":
            moves.action_post()
        return moves

    @classmethod
    def down_payment(cls, order, method="fixed", amount=20):
        """Invoice a down payment, and post the invoice."""
        wizard = (
            cls.env["sale.advance.payment.inv"]
            .with_context(active_model="sale.order", active_ids=order.ids)
            .create(
                {
                    "advance_payment_method": method,
                    "amount" if method == "percentage" else "fixed_amount": amount,
                }
            )
        )
        invoice = wizard._create_invoices(order)
        invoice.action_post()
        return invoice

    @classmethod
    def settle_with(cls, invoice, entry):
        """Reconcile an invoice with a payment's entry, or a credit note."""
        (invoice | entry).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        ).reconcile()

    # -- online ----------------------------------------------------------

    references = count(1)

    @classmethod
    def transaction(cls, order, amount=None, state="done", **values):
        """Pay an order online, through `payment_demo`."""
        transaction = (
            cls.env["payment.transaction"]
            .sudo()
            .create(
                {
                    "provider_id": cls.demo.id,
                    "payment_method_id": cls.demo.payment_method_ids[:1].id,
                    "amount": order.amount_total if amount is None else amount,
                    "currency_id": order.currency_id.id,
                    "partner_id": order.partner_id.id,
                    "reference": f"HPS-S-{next(cls.references)}",
                    "operation": "online_direct",
                    "sale_order_ids": [Command.set(order.ids)],
                    **values,
                }
            )
        )
        if state:
            transaction._process(
                "demo",
                {"reference": transaction.reference, "simulated_state": state},
            )
            transaction._post_process()
        return transaction

    # -- what was given ----------------------------------------------------

    def given(self, customer=None):
        """Return the lifetime incidents given."""
        return self.balance(customer)

    @classmethod
    def subscription(cls, order):
        return order._incident_subscriptions()

    def targets(self, order):
        """Return what each period should have given, in order."""
        self.env.invalidate_all()
        allotments = self.subscription(order).allotment_ids.sorted("date_from")
        return allotments.mapped("target")

    def granted(self, order):
        self.env.invalidate_all()
        allotments = self.subscription(order).allotment_ids.sorted("date_from")
        return allotments.mapped("granted")

    def available(self, customer=None):
        account = self.incident_account(customer)
        account.invalidate_recordset()
        return account.available

    def use(self, quantity, customer=None):
        """Open a ticket that takes incidents."""
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "It does not work",
                "description": "Please help",
                "partner_id": (customer or self.customer).id,
                "company_id": self.company.id,
            }
        )
        ticket.incident_count = quantity
        return ticket

    def run_actions(self, *names):
        """Run scheduled actions as the server does."""
        with self.enter_registry_test_mode():
            for name in names:
                self.env.ref(
                    f"helpdesk_paid_support.ir_cron_incident_{name}"
                ).method_direct_trigger()
        self.env.invalidate_all()


class AutomaticCommon(SaleCommon):
    """What is bought by the scheduled actions, with a saved payment method, too."""

    def token(self, state="done", **values):
        return (
            self.env["payment.token"]
            .sudo()
            .create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": self.demo.payment_method_ids[:1].id,
                    "partner_id": self.customer.id,
                    "provider_ref": "demo",
                    "payment_details": "4242",
                    "demo_simulated_state": state,
                    **values,
                }
            )
        )
