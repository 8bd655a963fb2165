from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import format_date, formatLang

from .helpdesk_incident_account import Cause
from .helpdesk_incident_topup import Funds

#: What makes a payment effective (R1), and a customer's (R6.2, R6.3).
EFFECTIVE_FIELDS = {
    "state",
    "move_id",
    "amount",
    "partner_id",
    "partner_type",
    "company_id",
}


class AccountPayment(models.Model):
    """Customer payments give incidents: the first one (R6.2), and funds added (R6.3).

    When a payment becomes effective for the first time, it is *seen*: it keeps the
    numbers that the company has chosen by then, and they are used whenever it is undone
    or redone, whatever the settings are later. One that was effective before the
    module was installed keeps zeros, and so does one of a time when both features
    were off: they never count (R6.6).
    """

    _name = "account.payment"
    _inherit = ["account.payment", "helpdesk.incident.cause"]

    incident_seen = fields.Boolean(readonly=True, copy=False)
    incident_first_number = fields.Integer(readonly=True, copy=False)
    incident_topup_step = fields.Monetary(
        currency_field="company_currency_id", readonly=True, copy=False
    )
    incident_topup_number = fields.Integer(readonly=True, copy=False)
    # The account to which the payment counts at present, and what it counts and gives.
    incident_account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
    )
    incident_topup_counted = fields.Monetary(
        currency_field="company_currency_id", readonly=True, copy=False
    )
    incident_first_given = fields.Integer(readonly=True, copy=False)
    incident_quantity = fields.Integer(
        string="Support incidents",
        compute="_compute_incident_quantity",
        groups="helpdesk_paid_support.group_incident_reader",
        help="The incidents that this payment has given.",
    )

    def _compute_incident_quantity(self):
        given = self.env["helpdesk.incident.account"]._given(
            [key for payment in self for key in payment._incident_keys()]
        )
        for payment in self:
            payment.incident_quantity = sum(
                given.get(key, 0) for key in payment._incident_keys()
            )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        payments = super().create(vals_list)
        payments._incident_changed()
        return payments

    def write(self, vals):
        res = super().write(vals)
        if EFFECTIVE_FIELDS & set(vals):
            self._incident_changed()
        return res

    def unlink(self):
        """Override to take back first what a payment gave (R6.2, R6.3)."""
        # Those with a journal entry are reset by `account`, entry and all.
        self.filtered(
            lambda payment: payment.incident_account_id and not payment.move_id
        ).action_draft()
        return super().unlink()

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_view_incident_entries(self):
        """Show what this payment gave, and what was taken back."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_entry_action"
        )
        return {**action, "domain": [("cause_key", "in", self._incident_keys())]}

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_keys(self):
        """Return the cause keys of the payment: as the first one, as funds added."""
        self.ensure_one()
        payment_id = self._origin.id
        return [f"first_payment:{payment_id}", f"topup:{payment_id}"]

    def _incident_is_effective(self):
        """Return whether this is an effective payment of a customer (R1)."""
        self.ensure_one()
        return bool(
            self.state in ("in_process", "paid")
            and (not self.move_id or self.move_id.state == "posted")
            and self.partner_type == "customer"
            and self.amount > 0
            and self.partner_id
            # Money moved between the company's own journals is nobody's.
            and self.partner_id.commercial_partner_id != self.company_id.partner_id
        )

    def _incident_changed(self):
        """Settle the payments that have become effective, or are so no more.

        Called on every change that may matter; mostly there is nothing to do, which is
        found without a query. A payment that counts stays as it was counted until it
        is not effective any more.
        """
        payments = self.sudo()
        changed = payments.filtered(
            lambda payment: (
                payment._incident_is_effective() != bool(payment.incident_account_id)
                and (not payment.incident_seen or payment._incident_can_count())
            )
        )
        (changed | payments._incident_paid_back())._incident_give()

    def _incident_paid_back(self):
        """Return the payments with a grant that these pay back (R6.2): that the online
        refund is of, or that are reconciled with it."""
        refunds = self.filtered(
            lambda payment: (
                payment.payment_type == "outbound"
                and payment.partner_type == "customer"
            )
        )
        lines = refunds.move_id.line_ids
        lines |= lines.matched_debit_ids.debit_move_id
        lines |= lines.matched_credit_ids.credit_move_id
        return (
            refunds.source_payment_id | (lines.move_id.origin_payment_id - refunds)
        ).filtered("incident_first_number")

    def _incident_can_count(self):
        return bool(self.incident_first_number or self.incident_topup_number)

    def _incident_settle(self):
        """Override of `helpdesk.incident.cause` for R6.2 and R6.3."""
        account_model = self.env["helpdesk.incident.account"]
        payments = self.sudo().sorted(lambda payment: (payment.date, payment.id))
        payments._incident_see()
        payments = payments.filtered(lambda payment: payment._incident_can_count())
        effective = payments.filtered(lambda payment: payment._incident_is_effective())
        entering = effective.filtered(lambda payment: not payment.incident_account_id)
        leaving = (payments - effective).filtered("incident_account_id")
        holders = {
            payment: (
                payment.partner_id.commercial_partner_id.id,
                payment.company_id.id,
            )
            for payment in entering
        }
        accounts = account_model._open(list(holders.values())) if holders else {}
        (account_model.union(*accounts.values()) | payments.incident_account_id)._lock()
        for payment, holder in holders.items():
            payment.incident_account_id = accounts[holder]
            payment.incident_topup_counted = payment._incident_amount()
        causes = account_model._count_funds(
            leaving._incident_funds(-1) + entering._incident_funds(1)
        )
        causes += payments._incident_first_causes(entering, leaving)
        leaving.write({"incident_account_id": False, "incident_topup_counted": 0})
        account_model._settle(causes)

    def _incident_see(self):
        """Let payments that are effective for the first time keep the numbers of the
        company (R6.3)."""
        new = self.filtered(
            lambda payment: (
                not payment.incident_seen and payment._incident_is_effective()
            )
        )
        for (company, inbound), payments in new.grouped(
            lambda payment: (payment.company_id, payment.payment_type == "inbound")
        ).items():
            step = company.incident_topup_amount
            payments.write(
                {
                    "incident_seen": True,
                    "incident_first_number": (
                        company.incident_first_payment_quantity if inbound else 0
                    ),
                    "incident_topup_step": step,
                    "incident_topup_number": (
                        company.incident_topup_quantity if step > 0 else 0
                    ),
                }
            )

    # -- funds added ---------------------------------------------------

    def _incident_amount(self):
        """Return what the payment counts, in company currency at its date (R6.3);
        below zero if it pays back (R6.5)."""
        self.ensure_one()
        if not self.incident_topup_number:
            return 0
        amount = self._incident_company_amount()
        return amount if self.payment_type == "inbound" else -amount

    def _incident_company_amount(self):
        self.ensure_one()
        return self.currency_id._convert(
            self.amount, self.company_id.currency_id, self.company_id, self.date
        )

    def _incident_funds(self, sign):
        """Return the money of these payments.

        :param int sign: 1 if it counts now, -1 if it does so no more.
        :rtype: list[Funds]
        """
        return [
            Funds(
                account=payment.incident_account_id,
                key=payment._incident_keys()[1],
                amount=sign * payment.incident_topup_counted,
                step=payment.incident_topup_step,
                number=payment.incident_topup_number,
                name=payment._incident_name("topup"),
                source=payment,
            )
            for payment in self
            if payment.incident_topup_number
        ]

    def _incident_name(self, kind):
        """Return what this payment is, in the words and language of the customer."""
        env = self.incident_account_id._in_customer_language().env
        values = {
            "amount": formatLang(env, self.amount, currency_obj=self.currency_id),
            "date": format_date(env, self.date, date_format="medium"),
        }
        if kind == "first_payment":
            return env._("First payment: %(amount)s of %(date)s", **values)
        if self.payment_type == "inbound":
            return env._("Funds added: %(amount)s on %(date)s", **values)
        return env._("Funds paid back: %(amount)s on %(date)s", **values)

    # -- the first payment ---------------------------------------------

    def _incident_first_causes(self, entering, leaving):
        """Move the incidents for the first payment as R6.2 says.

        :param entering: those of these payments that have become effective.
        :param leaving: those that are effective no more.
        :rtype: list[Cause]
        """
        payments = self.filtered("incident_first_number")
        refunded = payments._incident_refunded()
        losing = payments.filtered(
            lambda payment: (
                payment.incident_first_given
                and (payment in leaving or payment in refunded)
            )
        )
        losing.incident_first_given = 0
        candidates = payments - leaving - refunded
        candidates = (candidates & entering) | (
            # A refund was undone: what held the grant before may hold it again.
            (candidates - entering)
            .filtered(lambda payment: not payment.incident_first_given)
            ._incident_held_before()
        )
        winning = candidates._incident_first_of_all(entering)
        for payment in winning:
            payment.incident_first_given = payment.incident_first_number
        return [
            Cause(
                account=payment.incident_account_id,
                key=payment._incident_keys()[0],
                target=payment.incident_first_given,
                kind="first_payment",
                name=payment._incident_name("first_payment"),
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
        accounts = self.incident_account_id
        if not accounts:
            return self
        held = self.env["account.payment"]._read_group(
            [
                ("incident_account_id", "in", accounts.ids),
                ("incident_first_given", ">", 0),
            ],
            ["incident_account_id"],
        )
        free = accounts
        for (account,) in held:
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

    def _incident_held_before(self):
        keys = {payment._incident_keys()[0]: payment for payment in self}
        known = self.env["helpdesk.incident.account"]._given(keys)
        return self.browse().union(*(keys[key] for key in known))

    def _incident_refunded(self):
        """Return those of these payments that were paid back in full (R6.2): by
        refunds of the online payment, or by payments reconciled with them."""
        back = defaultdict(float)
        online = self.search([("source_payment_id", "in", self.ids)])
        for refund in online:
            if refund.payment_type == "outbound" and refund._incident_is_effective():
                back[refund.source_payment_id] += refund._incident_company_amount()
        lines = self.move_id.line_ids
        for partial in lines.matched_debit_ids | lines.matched_credit_ids:
            ends = (partial.credit_move_id | partial.debit_move_id).move_id
            inbound = ends.origin_payment_id & self
            refund = ends.origin_payment_id - inbound - online
            if (
                len(inbound) == len(refund) == 1
                and refund.payment_type == "outbound"
                and refund._incident_is_effective()
            ):
                back[inbound] += partial.amount
        return self.filtered(
            lambda payment: (
                payment in back
                and payment.company_id.currency_id.compare_amounts(
                    back[payment], payment._incident_company_amount()
                )
                >= 0
            )
        )
