import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_sale import SaleCommon
from .guard import committed

#: How many random sequences; more with this setting, for a long campaign.
EXAMPLES = int(os.environ.get("PAID_SUPPORT_EXAMPLES", "3"))

#: Each sequence begins with orders that were bought in some of these ways.
BEGINNINGS = {
    "online": ["order", "pay_online"],
    "online, invoiced": ["order", "pay_online", "invoice"],
    "invoiced, paid": ["order", "confirm", "invoice", "register"],
    "paid before": ["pay", "order", "confirm", "invoice", "match", "register"],
    "credited": ["order", "confirm", "invoice", "register", "credit"],
}
EVENTS = [
    "order",
    "pay_online",
    "confirm",
    "invoice",
    "invoice",
    "register",
    "pay",
    "match",
    "match",
    "match",
    "unmatch",
    "reset_payment",
    "reset_entry",
    "reject_payment",
    "post_payment",
    "post_payment",
    "refund_online",
    "credit",
    "credit_part",
    "type_invoice",
    "type_credit",
    "add_line",
    "add_funds",
    "reset_document",
    "post_document",
    "cancel",
    "use",
    "return",
]
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class NotNow(Exception):
    """This cannot happen to what there is."""


@tagged("post_install", "-at_install")
class TestSaleProperty(SaleCommon):
    """R8.3, R8.4 over random sequences of everything that happens to an order."""

    @QUIET
    @given(
        beginnings=st.lists(
            st.tuples(st.sampled_from(list(BEGINNINGS)), st.integers(0, 1)),
            min_size=1,
            max_size=3,
        ),
        events=st.lists(
            st.tuples(st.sampled_from(EVENTS), st.integers(0, 1000)),
            min_size=2,
            max_size=15,
        ),
    )
    def test_never_more_than_was_paid_for(self, beginnings, events):
        """R8.4: whatever is undone and redone, what is given is worth no more than the
        money that is there; and whoever looks again finds nothing to do (R3.4)."""
        with self.env.cr.savepoint() as savepoint:
            self.world = {"orders": [], "payments": [], "tickets": []}
            self.buyer = self._customer("Random")
            for name, number in beginnings:
                for kind in BEGINNINGS[name]:
                    # The first event says which plan; the others take the last order.
                    self._try(kind, number if kind == "order" else -1)
                self._check(name)
            for kind, number in events:
                self._try(kind, number)
                self._check((kind, number))
            # R13.4
            self.assertEqual(self.env["helpdesk.incident.account"]._check_ledger(), [])
            self._make_good()
            savepoint.rollback()
        self.env.invalidate_all()

    # -- what must hold ------------------------------------------------------

    def _check(self, event):
        orders = self._orders()
        before = self._entry_count()
        orders._incident_settle()
        self.assertEqual(self._entry_count(), before, f"{event} went by unseen")
        faults = self.env["helpdesk.incident.fault"].search([])
        self.assertFalse(faults.filtered(lambda one: "not clear" not in one.error))
        lines = orders.order_line.filtered("incident_kind")
        worth = sum(lines.mapped("incident_value"))
        self.assertLessEqual(round(worth, 2), round(self._money(), 2), event)
        # What is paid back takes whole incidents: up to one of each line is left.
        worth = sum(
            line.price_total
            * max(self._given_for(line) - 1, 0)
            / (line._incident_total() or 1)
            for line in lines
        )
        self.assertLessEqual(round(worth, 2), round(self._money(), 2), event)
        for line in lines:
            self._check_credits(line)
        for subscription in lines.incident_term_ids.subscription_id:
            # R9.6: what is said at once, and what takes long.
            if subscription._is_given_ahead():
                self.assertTrue(subscription._is_paid_ahead(), event)

    def _check_credits(self, line):
        """What was credited is not kept, but for the rounding (R8.4)."""
        amounts = {"out_invoice": 0, "out_refund": 0}
        for item in line.invoice_lines:
            if item.parent_state == "posted":
                amounts[item.move_id.move_type] += item.price_total
        if amounts["out_refund"]:
            price = line.price_total / (line._incident_total() or 1)
            left = max(amounts["out_invoice"] - amounts["out_refund"], 0)
            self.assertLessEqual(self._given_for(line) * price, left + price)

    def _given_for(self, line):
        """Return what the ledger says a line should have given, of all periods."""
        self.env.invalidate_all()
        if line.incident_kind == "lifetime":
            entries = self.env["helpdesk.incident.entry"].search(
                [("cause_key", "=", f"sale_line:{line.id}")]
            )
            return sum(entries.mapped("quantity"))
        terms = line.incident_term_ids
        numbers = terms.subscription_id._numbers() if terms else {}
        return sum(sum(numbers[term].values()) for term in terms)

    def _money(self):
        """Return what effective payments come to, less what was paid back of each."""

        def effective(payments):
            return payments.filtered(
                lambda payment: (
                    payment.state in ("in_process", "paid")
                    and payment.move_id.state == "posted"
                )
            )

        return sum(
            max(
                payment.amount
                - sum(
                    effective(
                        self._payments(("source_payment_id", "=", payment.id))
                    ).mapped("amount")
                ),
                0,
            )
            for payment in effective(self._payments(("payment_type", "=", "inbound")))
        )

    def _make_good(self):
        """At last, invoice and pay each order anew: each has given all of it."""
        for order in self._orders():
            if order.state == "cancel" or any(
                order.order_line.mapped("incident_operation")
            ):
                continue
            fresh = order.copy()
            if fresh.amount_total <= 0:
                continue
            self.transaction(fresh)
            for line in fresh.order_line.filtered("incident_kind"):
                self.assertEqual(self._given_for(line), line._incident_total())
        self._check("the end")

    # -- what happens ----------------------------------------------------------

    def _try(self, kind, number):
        """Do something, if it can be done."""
        committed(self.env)
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                getattr(self, f"_do_{kind}")(number)
        except (UserError, NotNow):
            self.env.invalidate_all()

    def _entry_count(self):
        return self.env["helpdesk.incident.entry"].search_count([])

    def _orders(self, state=None):
        domain = [("partner_id", "=", self.buyer.id)]
        if state:
            domain.append(("state", "in", state))
        return self.env["sale.order"].search(domain, order="id")

    def _moves(self, *domain):
        return self.env["account.move"].search(
            [("partner_id", "=", self.buyer.id), *domain], order="id"
        )

    def _payments(self, *domain):
        return self.env["account.payment"].search(
            [("partner_id", "=", self.buyer.id), *domain], order="id"
        )

    @staticmethod
    def _pick(records, number):
        if not records:
            raise NotNow("nothing there")
        return records[number % len(records)]

    def _do_order(self, number):
        self.quotation(
            self._pick([self.pack, self.months], number), customer=self.buyer
        )

    def _do_confirm(self, number):
        self._pick(self._orders(["draft", "sent"]), number).action_confirm()

    def _do_pay_online(self, number):
        order = self._pick(self._orders(["draft", "sent", "sale"]), number)
        self.transaction(order, order.amount_total if number % 3 else 20)

    def _do_invoice(self, number):
        self.bill(self._pick(self._orders(["sale"]), number))

    def _do_register(self, number):
        invoice = self._pick(
            self._moves(("move_type", "=", "out_invoice"), ("state", "=", "posted")),
            number,
        )
        if not invoice.amount_residual:
            raise NotNow("paid")
        self.register(invoice, **({} if number % 3 else {"amount": 20}))

    def _do_pay(self, number):
        self.pay(20 + number % 80, self.buyer)

    def _do_match(self, number):
        open_items = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.buyer.id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ],
            order="id",
        )
        debit = self._pick(open_items.filtered(lambda l: l.balance > 0), number)
        credit = self._pick(open_items.filtered(lambda l: l.balance < 0), number // 7)
        (debit | credit).reconcile()

    def _do_unmatch(self, number):
        self._pick(self._moves(("state", "=", "posted")), number).line_ids.filtered(
            "matching_number"
        ).remove_move_reconcile()

    def _do_reset_payment(self, number):
        self._pick(self._payments(("state", "!=", "draft")), number).action_draft()

    def _do_reset_entry(self, number):
        payment = self._pick(self._payments(("state", "!=", "draft")), number)
        payment.move_id.button_draft()

    def _do_reject_payment(self, number):
        self._pick(self._payments(("state", "=", "in_process")), number).action_reject()

    def _do_post_payment(self, number):
        payment = self._pick(
            self._payments().filtered(
                lambda p: p.state in ("draft", "rejected") or p.move_id.state == "draft"
            ),
            number,
        )
        payment.action_draft()
        payment.action_post()

    def _do_refund_online(self, number):
        payments = self._payments(
            ("payment_transaction_id.state", "=", "done"),
            ("payment_type", "=", "inbound"),
            ("state", "in", ("in_process", "paid")),
        ).filtered(lambda payment: payment.move_id.state == "posted")
        transaction = self._pick(payments, number).payment_transaction_id
        refunded = -sum(
            transaction.child_transaction_ids.filtered(
                lambda child: child.operation == "refund"
            ).mapped("amount")
        )
        left = transaction.amount - refunded
        if left <= 0:
            raise NotNow("refunded")
        refund = transaction._refund(left if number % 2 else left / 2)
        refund._post_process()

    def _do_credit(self, number):
        self._credit(number, 1)

    def _do_credit_part(self, number):
        self._credit(number, 0.4)

    def _credit(self, number, share):
        invoice = self._pick(
            self._moves(("move_type", "=", "out_invoice"), ("state", "=", "posted")),
            number,
        )
        # No accountant credits an invoice twice.
        if invoice.reversal_move_ids:
            raise NotNow("credited")
        credit_note = self.reverse(invoice, post=False)
        for line in credit_note.invoice_line_ids:
            line.price_unit *= share
        credit_note.action_post()

    def _do_type_invoice(self, number):
        self._type("out_invoice", [self.pack, self.months][number % 2], number)

    def _do_type_credit(self, number):
        self._type("out_refund", [self.pack, self.months][number % 2], number)

    def _type(self, move_type, plan, number):
        """Type a document of a plan, without an order (R8.8, R8.9)."""
        self.env["account.move"].create(
            {
                "move_type": move_type,
                "partner_id": self.buyer.id,
                "invoice_date": "2027-04-11",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": plan.id,
                            "price_unit": plan.list_price / (1 + number % 3),
                        }
                    )
                ],
            }
        ).action_post()

    def _do_add_funds(self, number):
        """What a customer adds online settles what is open (R10.2)."""
        nothing = self.env["sale.order"].new(
            {"partner_id": self.buyer.id, "currency_id": self.company.currency_id.id}
        )
        funds = self.transaction(
            nothing,
            20 + number % 80,
            partner_id=self.buyer.id,
            currency_id=self.company.currency_id.id,
            sale_order_ids=[Command.clear()],
        )
        funds.payment_id.move_id._incident_spend()

    def _do_add_line(self, number):
        order = self._pick(self._orders(["sale"]), number)
        product = [self.service, self.pack, self.months][number % 3]
        order.order_line = [Command.create({"product_id": product.id})]

    def _do_reset_document(self, number):
        self._pick(
            self._moves(("move_type", "!=", "entry"), ("state", "=", "posted")), number
        ).button_draft()

    def _do_post_document(self, number):
        self._pick(
            self._moves(("move_type", "!=", "entry"), ("state", "=", "draft")), number
        ).action_post()

    def _do_cancel(self, number):
        order = self._pick(self._orders(), number)
        if order.state == "cancel":
            order.action_draft()
            order.action_confirm()
        else:
            order._action_cancel()

    def _do_use(self, number):
        self.world["tickets"].append(self.use(1 + number % 5, self.buyer))

    def _do_return(self, number):
        ticket = self._pick(self.world["tickets"], number)
        ticket.incident_count = number % (ticket.incident_count + 1)
