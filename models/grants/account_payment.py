from odoo import api, fields, models
from odoo.tools import format_date, formatLang

from ...fields import EFFECTIVE
from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_cause import Said
from ..ledger.helpdesk_incident_protected import REMEMBERED

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


class Leaving:
    """In the context, as ``incident_leaving``: the payments that count as no longer
    effective. Nobody can send this object over RPC."""

    def __init__(self, payments):
        self.ids = frozenset(payments.ids)


class AccountPayment(models.Model):
    """Customer payments give incidents: the first one (R6.2), and funds added (R6.3).

    When a payment becomes effective for the first time, it is *seen*: it keeps the
    numbers that the company's settings have at that time. They are used whenever the
    payment is undone or redone, whatever the settings are later. A payment that was
    effective before the module was installed, or while both features were off, keeps
    zeros and never counts (R6.6).
    """

    _name = "account.payment"
    _inherit = [
        "account.payment",
        "helpdesk.incident.cause",
        "helpdesk.incident.protected",
    ]

    incident_seen = fields.Boolean(
        string="Seen for incidents", groups=INCIDENT_READERS, **REMEMBERED
    )
    incident_first_number = fields.Integer(
        string="Incidents for the first payment", groups=INCIDENT_READERS, **REMEMBERED
    )
    incident_first_minimum = fields.Monetary(
        string="Least first payment for incidents",
        currency_field="company_currency_id",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )
    incident_topup_step = fields.Monetary(
        string="Amount for incidents",
        currency_field="company_currency_id",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )
    incident_topup_number = fields.Integer(
        string="Incidents for each amount", groups=INCIDENT_READERS, **REMEMBERED
    )
    # The account to which the payment counts at present, and what it counts and gives.
    incident_account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        string="Counts to",
        index="btree_not_null",
        ondelete="restrict",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )
    incident_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Counted as paid by",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )
    incident_topup_counted = fields.Monetary(
        string="Counts for incidents",
        currency_field="company_currency_id",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )
    incident_first_given = fields.Integer(
        string="First-payment incidents held", groups=INCIDENT_READERS, **REMEMBERED
    )
    # It held the grant until it was paid back, and may get it again (R6.2).
    incident_first_lost = fields.Boolean(
        string="First-payment incidents lost", groups=INCIDENT_READERS, **REMEMBERED
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
        return payments

    def write(self, vals):
        res = super().write(vals)
        if TRIGGERS & set(vals):
            self._incident_changed()
        return res

    def unlink(self):
        """Override to take back first what a payment gave (R6.2, R6.3)."""
        if self:
            self.check_access("unlink")
        self._incident_leave()
        return super().unlink()

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

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
            # Money that is moved between the company's own journals belongs to no
            # customer.
            and self.partner_id.commercial_partner_id != self.company_id.partner_id
        )

    def _incident_is_booked(self):
        """Return whether this payment is effective, whoever has made it (R1)."""
        self.ensure_one()
        leaving = self.env.context.get("incident_leaving")
        if isinstance(leaving, Leaving) and self.id in leaving.ids:
            return False
        return self.state in EFFECTIVE and (
            not self.move_id or self.move_id.state == "posted"
        )

    def _incident_changed(self):
        """Settle the payments that have become effective, are no longer effective, or
        count differently now.

        Called on every change that may matter; usually there is nothing to do, and no
        query is needed to see that.
        """
        payments = self.sudo()
        payments._incident_see()
        _amounts, entering, leaving = payments._incident_moves()
        affected = entering | leaving | payments._incident_pays_back()
        affected._incident_oldest_first()._incident_give()

    def _incident_differs(self, amount):
        """Return whether the payment differs from what was counted.

        :param float amount: what it counts by now, None if it does not count.
        """
        self.ensure_one()
        if (amount is None) == bool(self.incident_account_id):
            return True
        # When a contact moves to another customer, its payments still count where they
        # did.
        return amount is not None and (
            self.partner_id != self.incident_partner_id
            or self.company_id.root_id != self.incident_account_id.company_id
            or self.incident_topup_counted != amount
        )

    def _incident_leave(self):
        """Let these payments no longer count. A fault stops the deletion: once they are
        deleted, nobody could try again."""
        payments = self.sudo().with_context(incident_leaving=Leaving(self))
        counted = payments.filtered("incident_account_id")
        affected = counted | payments._incident_pays_back()
        if affected:
            affected._incident_settle()

    def _incident_oldest_first(self):
        return self.sorted(lambda payment: (payment.date, payment.id))

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
        """Return the holders of the accounts at which these payments settle, or may
        settle.

        :rtype: set[tuple[int, int]]
        """
        payments = self.sudo()
        counted = payments.incident_account_id
        return counted._holders() | counted._holders_of(
            payments.filtered(lambda payment: payment._incident_may_count())
        )

    def _incident_moves(self):
        """Return what those of these payments count that count by now; and what has
        changed since they were counted: those that count from now on, and those that
        count differently, or no more.

        :rtype: tuple[dict[recordset, float], recordset, recordset]
        """
        amounts = {
            payment: payment._incident_amount()
            for payment in self
            if payment._incident_can_count() and payment._incident_is_effective()
        }
        changed = self.filtered(
            lambda payment: payment._incident_differs(amounts.get(payment))
        )
        entering = changed.filtered(lambda payment: payment in amounts)
        return amounts, entering, changed.filtered("incident_account_id")

    def _incident_opened(self):
        """Override of `helpdesk.incident.cause`."""
        _amounts, entering, _leaving = self._incident_moves()
        account_model = self.env["helpdesk.incident.account"]
        opened = account_model._get_or_create(account_model._holders_of(entering))
        return self.incident_account_id.union(*opened.values())

    def _incident_said(self):
        """Override of `helpdesk.incident.cause` for R6.2 and R6.3."""
        payments = self._incident_oldest_first()
        amounts, entering, leaving = payments._incident_moves()
        account_model = self.env["helpdesk.incident.account"]
        found = account_model._find(account_model._holders_of(entering))
        entering = {
            payment: found[holder]
            for payment in entering
            for holder in account_model._holders_of(payment) & found.keys()
        }
        staying = (payments - leaving).filtered("incident_account_id")
        accounts = {p: p.incident_account_id for p in staying} | entering
        causes, facts = payments._incident_first_said(accounts, entering, leaving)
        for payment in payments:
            facts[payment] |= {
                "incident_account_id": accounts.get(payment, account_model).id,
                "incident_partner_id": payment in amounts and payment.partner_id.id,
                "incident_topup_counted": amounts.get(payment, 0),
            }
        return Said(self._incident_topup_causes(entering, leaving) + causes, facts)

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
                incident_first_minimum=company.incident_first_payment_minimum,
                incident_topup_step=step,
                incident_topup_number=number if step > 0 else 0,
            )

    def _incident_company_amount(self):
        """Return the amount of this payment in company currency at its date."""
        self.ensure_one()
        if self.currency_id == self.company_currency_id:
            return self.amount
        # As its journal entry has it: a rate that is corrected later changes nothing
        # that is booked.
        return abs(self.amount_company_currency_signed)

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

    def _incident_taken_words(self, kind, account):
        """Return why what this payment gave is taken back, in the words and language of
        the customer."""
        env = account._in_customer_language().env
        values = {"amount": formatLang(env, self.amount, currency_obj=self.currency_id)}
        if not self._incident_is_effective():
            return env._("Payment of %(amount)s was undone", **values)
        if self.partner_id.commercial_partner_id != account.partner_id:
            return env._("Payment of %(amount)s belongs to another customer", **values)
        if self.payment_type == "outbound":
            return env._("%(amount)s paid back", **values)
        if kind == "first_payment":
            return env._("Payment of %(amount)s was paid back", **values)
        return env._("Payment of %(amount)s was changed", **values)
