from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import format_date, formatLang

from .helpdesk_incident_memory import REMEMBER
from .helpdesk_incident_settle import Cause
from .helpdesk_incident_topup import steps_made
from .res_partner import INCIDENT_READERS

#: What makes a payment effective (R1), what it counts, and to whom (R6.2, R6.3).
TRIGGERS = {
    "state",
    "move_id",
    "partner_type",
    "payment_type",
    "amount",
    "currency_id",
    "journal_id",
    "date",
    "partner_id",
    "company_id",
}
#: What a payment remembers of what it gave.
MEMORY_FIELDS = {
    "incident_seen",
    "incident_first_number",
    "incident_topup_step",
    "incident_topup_number",
    "incident_account_id",
    "incident_partner_id",
    "incident_topup_counted",
    "incident_first_given",
    "incident_first_lost",
}


class Leaving:
    """In the context, as ``incident_leaving``: the payments that are to be taken as
    effective no more. An object cannot come in over RPC."""

    def __init__(self, payments):
        self.ids = frozenset(payments.ids)


class AccountPayment(models.Model):
    """Customer payments give incidents: the first one (R6.2), and funds added (R6.3).

    When a payment becomes effective for the first time, it is *seen*: it keeps the
    numbers that the company has chosen by then, and they are used whenever it is undone
    or redone, whatever the settings are later. One that was effective before the
    module was installed keeps zeros, and so does one of a time when both features
    were off: they never count (R6.6).
    """

    _name = "account.payment"
    _inherit = [
        "account.payment",
        "helpdesk.incident.cause",
        "helpdesk.incident.memory",
    ]
    _incident_memory_fields = frozenset(MEMORY_FIELDS)

    incident_seen = fields.Boolean(
        string="Seen for incidents", readonly=True, copy=False, groups=INCIDENT_READERS
    )
    incident_first_number = fields.Integer(
        string="Incidents for the first payment",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
    )
    incident_topup_step = fields.Monetary(
        string="Amount for incidents",
        currency_field="company_currency_id",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
    )
    incident_topup_number = fields.Integer(
        string="Incidents for each amount",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
    )
    # The account to which the payment counts at present, and what it counts and gives.
    incident_account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        string="Counts to",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups=INCIDENT_READERS,
    )
    incident_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Counted as paid by",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
    )
    incident_topup_counted = fields.Monetary(
        string="Counts for incidents",
        currency_field="company_currency_id",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
    )
    incident_first_given = fields.Integer(
        string="First-payment incidents held",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
    )
    # It held the grant until it was paid back: it may hold it again (R6.2).
    incident_first_lost = fields.Boolean(
        string="First-payment incidents lost",
        readonly=True,
        copy=False,
        groups=INCIDENT_READERS,
    )
    incident_entry_count = fields.Integer(
        compute="_compute_incident_entries", groups=INCIDENT_READERS
    )
    incident_quantity = fields.Integer(
        string="Support incidents",
        compute="_compute_incident_entries",
        groups=INCIDENT_READERS,
        help="The incidents that this payment has given.",
    )

    def _compute_incident_entries(self):
        rows = (
            self.env["helpdesk.incident.entry"]
            .sudo()
            ._read_group(
                self._incident_entries_domain(),
                ["res_id"],
                ["__count", "quantity:sum"],
            )
        )
        numbers = {res_id: (count, quantity) for res_id, count, quantity in rows}
        for payment in self:
            payment.incident_entry_count, payment.incident_quantity = numbers.get(
                payment._origin.id, (0, 0)
            )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        payments = super().create(vals_list)
        payments._incident_changed()
        payments._incident_orders_changed({})
        return payments

    def write(self, vals):
        if self:
            self.check_access("write")
        # Each gets its journal entry within such a write, by one of its own.
        if "state" in vals and "move_id" not in vals:
            self.env["helpdesk.incident.account"]._lock_ahead(self._incident_holders())
        before = self._incident_booked()
        relinked = self if "invoice_ids" in vals else self.browse()
        orders = self.env["sale.order"]._incident_touched(payments=relinked)
        res = super().write(vals)
        if TRIGGERS & set(vals):
            self._incident_changed()
        self._incident_orders_changed(before)
        orders |= orders._incident_touched(payments=relinked)
        orders._incident_changed()
        return res

    def unlink(self):
        """Override to take back first what a payment gave (R6.2, R6.3)."""
        if self:
            self.check_access("unlink")
        self._incident_leave()
        orders = self.env["sale.order"]._incident_touched(payments=self)
        res = super().unlink()
        orders._incident_changed()
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_post(self):
        """Override of `account_payment` for R3.6: what a provider is asked for is asked
        before anything is posted, which locks accounts."""
        asked = self.filtered(
            lambda payment: (
                payment.payment_token_id and not payment.payment_transaction_id
            )
        )
        res = super(AccountPayment, asked).action_post()
        return super(AccountPayment, self - asked).action_post() or res

    def action_view_incident_entries(self):
        """Show what this payment gave, and what was taken back."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_entry_action"
        )
        return {**action, "domain": self._incident_entries_domain()}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_entries_domain(self):
        return [("res_model", "=", self._name), ("res_id", "in", self.ids)]

    def _incident_is_effective(self):
        """Return whether this is an effective payment of a customer (R1)."""
        self.ensure_one()
        return bool(
            self._incident_is_booked()
            and self.partner_type == "customer"
            and self.amount > 0
            and self.partner_id
            # Money moved between the company's own journals is nobody's.
            and self.partner_id.commercial_partner_id != self.company_id.partner_id
        )

    def _incident_is_booked(self):
        """Return whether this payment is effective, whoever it is of (R1)."""
        self.ensure_one()
        leaving = self.env.context.get("incident_leaving")
        if isinstance(leaving, Leaving) and self.id in leaving.ids:
            return False
        return self.state in ("in_process", "paid") and (
            not self.move_id or self.move_id.state == "posted"
        )

    def _incident_changed(self):
        """Settle the payments that have become effective, or are so no more, or count
        otherwise now.

        Called on every change that may matter; mostly there is nothing to do, which is
        found without a query.
        """
        payments = self.sudo()
        payments._incident_see()
        changed = payments.filtered(
            lambda payment: (
                payment._incident_can_count() and payment._incident_differs()
            )
        )
        (changed | payments._incident_pays_back()).sorted(
            lambda payment: (payment.date, payment.id)
        )._incident_give()

    def _incident_differs(self):
        """Return whether the payment is not what it was counted as."""
        self.ensure_one()
        effective = self._incident_is_effective()
        if effective != bool(self.incident_account_id):
            return True
        # A contact that moves to another customer leaves its payments where they are.
        return effective and (
            self.partner_id != self.incident_partner_id
            or self.company_id != self.incident_account_id.company_id
            or self.incident_topup_counted != self._incident_amount()
        )

    def _incident_leave(self):
        """Let these payments count no more. A fault stops whoever wants that: once
        they are deleted, nobody could try again."""
        payments = self.sudo().with_context(incident_leaving=Leaving(self))
        counted = payments.filtered("incident_account_id")
        affected = counted | payments._incident_pays_back()
        if affected:
            affected._incident_settle()

    def _incident_can_count(self):
        return bool(self.incident_first_number or self.incident_topup_number)

    def _incident_may_count(self):
        """Return whether this payment counts, or may once it is effective."""
        self.ensure_one()
        if self.incident_seen:
            return self._incident_can_count()
        return (
            self.partner_type == "customer"
            and self.company_id._incident_counts_payments()
        )

    def _incident_holders(self):
        """Return at whose accounts these payments settle, or may: where they count, and
        where the orders do that they pay for.

        :rtype: set[tuple[int, int]]
        """
        payments = self.sudo()
        orders = (
            payments.payment_transaction_id._incident_orders()
            | payments.invoice_ids._incident_sold()
        )
        counted = payments.incident_account_id
        return (
            counted._holders()
            | orders._incident_holders()
            | counted._holders_of(
                payments.filtered(lambda payment: payment._incident_may_count())
            )
        )

    def _incident_settle(self):
        """Override of `helpdesk.incident.cause` for R6.2 and R6.3."""
        account_model = self.env["helpdesk.incident.account"]
        payments = (
            self.sudo()
            .with_context(incident_memory=REMEMBER)
            .filtered(lambda payment: payment._incident_can_count())
            .sorted(lambda payment: (payment.date, payment.id))
        )
        changed = payments.filtered(lambda payment: payment._incident_differs())
        entering = changed.filtered(lambda payment: payment._incident_is_effective())
        leaving = changed.filtered("incident_account_id")
        holders = {
            payment: (
                payment.partner_id.commercial_partner_id.id,
                payment.company_id.id,
            )
            for payment in entering
        }
        opened = account_model._open(list(holders.values())) if holders else {}
        accounts = account_model.sudo().union(
            payments.incident_account_id, *opened.values()
        )
        accounts._lock()
        target = {payment: opened[holder] for payment, holder in holders.items()}
        causes = self._incident_topup_causes(accounts, target, leaving)
        # What leaves one account for another gives up the grant there, first.
        causes += leaving._incident_first_causes(leaving.browse(), leaving)
        leaving.write(
            {
                "incident_account_id": False,
                "incident_partner_id": False,
                "incident_topup_counted": 0,
            }
        )
        account_model._settle(causes)
        for payment, account in target.items():
            payment.write(
                {
                    "incident_account_id": account.id,
                    "incident_partner_id": payment.partner_id.id,
                    "incident_topup_counted": payment._incident_amount(),
                }
            )
        staying = payments.filtered("incident_account_id")
        account_model._settle(
            staying._incident_first_causes(entering, leaving.browse())
        )

    def _incident_see(self):
        """Let payments that are effective for the first time keep the numbers of the
        company (R6.3); refunds keep those of the payment that they pay back."""
        new = self.filtered(
            lambda payment: (
                not payment.incident_seen and payment._incident_is_effective()
            )
        )
        for (company, source), payments in new.grouped(
            lambda payment: (payment.company_id, payment.source_payment_id)
        ).items():
            step, number = (
                (source.incident_topup_step, source.incident_topup_number)
                if source
                else (company.incident_topup_amount, company.incident_topup_quantity)
            )
            payments._incident_remember(
                incident_seen=True,
                incident_first_number=company.incident_first_payment_quantity,
                incident_topup_step=step,
                incident_topup_number=number if step > 0 else 0,
            )

    def _incident_name(self, kind, account):
        """Return what this payment is, in the words and language of the customer."""
        env = account._in_customer_language().env
        values = {
            "amount": formatLang(env, self.amount, currency_obj=self.currency_id),
            "date": format_date(env, self.date, date_format="medium"),
        }
        if kind == "first_payment":
            return env._("First payment: %(amount)s of %(date)s", **values)
        if self.payment_type == "inbound":
            return env._("Funds added: %(amount)s on %(date)s", **values)
        return env._("Funds paid back: %(amount)s on %(date)s", **values)

    # -- what was bought (R8.3) ----------------------------------------

    def _incident_booked(self):
        """Return what each of these payments is good for: its amount, while it is
        effective. One that is about to get its journal entry is so with the entry.

        :rtype: dict[recordset, float]
        """
        return {
            payment: payment.amount
            if payment._incident_is_booked()
            and (payment.move_id or not payment.outstanding_account_id)
            else 0
            for payment in self.sudo()
        }

    def _incident_orders_changed(self, before):
        """Look again at the orders that these payments may pay for, if the payments are
        not what they were. Mostly they are, which is found without a query.

        :param dict before: what :meth:`_incident_booked` has returned; none if new.
        """
        changed = [
            payment
            for payment, amount in self._incident_booked().items()
            if amount != before.get(payment, 0)
        ]
        self.env["sale.order"]._incident_touched(
            payments=self.browse().union(*changed)
        )._incident_changed()

    def _incident_left_for(self, invoices, currency):
        """Return what this payment has to pay for ``invoices``, reconciled with them
        already or not: its amount, less what has paid for something else and what was
        paid back.

        :param currency: the currency of the result, at the rate of the payment's day.
        :rtype: float
        """
        self.ensure_one()
        if not self._incident_is_booked() or self.payment_type != "inbound":
            return 0
        elsewhere = sum(
            partial.credit_amount_currency
            for partial in self.move_id._incident_receivable().matched_debit_ids
            if partial.debit_move_id.move_id not in invoices
        )
        left = max(self.amount - elsewhere - self._incident_paid_back(), 0)
        return self.currency_id._convert(left, currency, self.company_id, self.date)

    def _incident_is_short(self):
        """Return whether more was paid back of this payment than it has left. What was
        paid back for a posted credit note of an invoice that it has paid is no more
        than what is credited.

        :rtype: bool
        """
        self.ensure_one()
        items = self.move_id._incident_receivable()
        left = max(-sum(items.mapped("amount_residual_currency")), 0)
        notes = items.matched_debit_ids.debit_move_id.move_id._incident_notes()
        # Core does not reconcile them: an open credit note is as good.
        left += -sum(notes._incident_receivable().mapped("amount_residual_currency"))
        paid_back = self._incident_paid_back(notes)
        return self.currency_id.compare_amounts(paid_back, left) > 0

    def _incident_paid_back(self, notes=None):
        """Return what was paid back online of this payment, in its currency, but for
        what is reconciled with the payment itself, or with ``notes``.

        :param notes: credit notes, as ``account.move`` records.
        :rtype: float
        """
        self.ensure_one()
        explained = self.move_id | (notes or self.move_id.browse())
        paid_back = 0
        for refund in self.search([("source_payment_id", "=", self.id)]):
            if refund._incident_is_booked():
                partials = refund.move_id._incident_receivable().matched_credit_ids
                amount = refund.amount - sum(
                    partial.debit_amount_currency
                    for partial in partials
                    if partial.credit_move_id.move_id in explained
                )
                paid_back += refund.currency_id._convert(
                    amount, self.currency_id, refund.company_id, refund.date
                )
        return paid_back

    # -- funds added ---------------------------------------------------

    def _incident_amount(self):
        """Return what the payment counts, in company currency at its date (R6.3);
        below zero if it pays back (R6.5)."""
        self.ensure_one()
        if not self.incident_topup_number:
            return 0
        amount = self.amount
        if self.currency_id != self.company_currency_id:
            # As its journal entry has it: a rate that is corrected later changes
            # nothing that is booked.
            amount = abs(self.amount_company_currency_signed)
        return amount if self.payment_type == "inbound" else -amount

    @api.model
    def _incident_topup_causes(self, accounts, entering, leaving):
        """Return what accounts should have given for funds added (R6.3).

        :param accounts: all the accounts concerned, locked.
        :param dict entering: the accounts to which payments will count.
        :param leaving: payments that will count no more.
        :return: step by step, one payment after the other, so that each entry names
            the payment that made it.
        :rtype: list[Cause]
        """
        funds = accounts._funds()
        moves = [
            (payment, payment.incident_account_id, -payment.incident_topup_counted)
            for payment in leaving
        ] + [
            (payment, account, payment._incident_amount())
            for payment, account in entering.items()
        ]
        causes = []
        for payment, account, amount in moves:
            if not payment.incident_topup_number:
                continue
            step = account._units(payment.incident_topup_step)
            group = (step, payment.incident_topup_number)
            funds[account.id][group] += account._units(amount)
            causes += self._incident_topup_targets(account, funds[account.id], payment)
        return causes

    @api.model
    def _incident_topup_targets(self, account, funds, payment=None):
        return [
            Cause(
                account=account,
                key=f"topup:{account.id}:{step}:{number}",
                target=steps * number,
                kind="topup",
                name=payment._incident_name("topup", account)
                if payment
                else account._in_customer_language().env._("Funds added"),
                source=payment,
            )
            for (step, number), (steps, _carry) in steps_made(funds).items()
        ]

    # -- the first payment ---------------------------------------------

    def _incident_first_causes(self, entering, leaving):
        """Move the incidents for the first payment as R6.2 says.

        :param entering: those of these payments that have become effective.
        :param leaving: those that are effective no more.
        :rtype: list[Cause]
        """
        payments = self.filtered(
            lambda payment: (
                payment.incident_first_number and payment.payment_type == "inbound"
            )
        )
        refunded = payments._incident_refunded()
        losing = (payments & (leaving | refunded)).filtered("incident_first_given")
        losing.incident_first_given = 0
        candidates = payments - leaving - refunded
        winning = candidates.filtered(
            lambda payment: payment in entering or payment.incident_first_lost
        )._incident_first_of_all(entering)
        for payment in winning:
            payment.incident_first_given = payment.incident_first_number
        # It has its chance when the refund is undone, not later.
        (candidates | leaving).filtered("incident_first_lost").write(
            {"incident_first_lost": False}
        )
        (losing & refunded - leaving).incident_first_lost = True
        return [
            Cause(
                account=payment.incident_account_id,
                key=f"first_payment:{payment.id}",
                target=payment.incident_first_given,
                kind="first_payment",
                name=payment._incident_name(
                    "first_payment", payment.incident_account_id
                ),
                source=payment,
            )
            for payment in losing | winning
        ]

    def _incident_first_of_all(self, entering):
        """Return those of these payments that get the grant: one for each account, if
        no effective payment holds it.

        An account to which it was never given gives it to the customer's very first
        payment, those made before the module was installed included.
        """
        free = accounts = self.incident_account_id
        for (account,) in self._read_group(
            [
                ("incident_account_id", "in", accounts.ids),
                ("incident_first_given", ">", 0),
            ],
            ["incident_account_id"],
        ):
            free -= account
        undecided = free.filtered(lambda account: not account.first_payment)
        passed = undecided._first_payment_passed(entering)
        passed._write_first_payment("past")
        winning = self.browse()
        for payment in self:
            account = payment.incident_account_id
            if account in free and (
                account.first_payment == "given" or account in undecided - passed
            ):
                winning |= payment
                free -= account
        winning.incident_account_id._write_first_payment("given")
        return winning

    def _incident_refunds(self):
        """Return the effective payments that pay back these payments (R6.2): refunds
        of online payments, and payments reconciled with them.

        :return: by payment, pairs of a refund and what it pays back, in the currency
            of the payment.
        :rtype: dict[recordset, list[tuple[recordset, float]]]
        """
        refunds = defaultdict(list)
        online = self.search([("source_payment_id", "in", self.ids)]).filtered(
            lambda refund: (
                refund.partner_id.commercial_partner_id
                == refund.source_payment_id.partner_id.commercial_partner_id
            )
        )
        for refund in online:
            payment = refund.source_payment_id
            amount = refund.currency_id._convert(
                refund.amount, payment.currency_id, refund.company_id, refund.date
            )
            refunds[payment].append((refund, amount))
        for partial in self.move_id.line_ids.matched_debit_ids:
            payment = partial.credit_move_id.move_id.origin_payment_id
            refund = partial.debit_move_id.move_id.origin_payment_id
            if refund and refund not in online:
                refunds[payment].append((refund, partial.credit_amount_currency))
        return refunds

    def _incident_refunded(self):
        """Return those of these payments that were paid back in full (R6.2)."""
        refunds = self._incident_refunds() if self else {}
        return self.filtered(
            lambda payment: (
                payment in refunds
                and payment.currency_id.compare_amounts(
                    sum(
                        amount
                        for refund, amount in refunds[payment]
                        if refund.payment_type == "outbound"
                        and refund._incident_is_effective()
                    ),
                    payment.amount,
                )
                >= 0
            )
        )

    def _incident_pays_back(self):
        """Return the payments with a grant that these may pay back (R6.2)."""
        refunds = self.filtered(
            lambda payment: (
                payment.payment_type == "outbound"
                and payment.partner_type == "customer"
            )
        )
        credits = refunds.move_id.line_ids.matched_credit_ids.credit_move_id
        return (refunds.source_payment_id | credits.move_id.origin_payment_id).filtered(
            "incident_first_number"
        )
