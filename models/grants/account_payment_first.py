"""What the first payment gives, and which payment is the first one (R6.2)."""

from collections import defaultdict

from odoo import models

from ..ledger.account_settle import Cause
from ..ledger.helpdesk_incident_cause import Said


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_first_said(self, accounts, entering, leaving):
        """Return how the incidents for the first payment move (R6.2).

        :param dict accounts: the account of each of these payments that counts by now.
        :param dict entering: the same of those that count from now on.
        :param leaving: those that count differently, or no more. A payment that moves
            to another account gives up the grant at the old one first.
        :rtype: Said
        """
        held = self.filtered("incident_first_given")
        lost = self.filtered("incident_first_lost")
        candidates = self.filtered(
            lambda payment: (
                payment in accounts
                and payment.incident_first_number
                and payment.payment_type == "inbound"
                and (
                    payment in entering
                    or payment.incident_first_given
                    or payment.incident_first_lost
                )
            )
        )
        candidates -= candidates._incident_too_little()
        losing = held - (candidates - leaving)
        winning, facts = candidates.filtered(
            lambda payment: payment in entering or payment in lost
        )._incident_first_of_all(accounts, entering, losing)
        holding = held - losing | winning
        # It can get the grant again when the refund is undone, and not later.
        lost = (lost - candidates | losing) - leaving
        for payment in self:
            number = payment.incident_first_number if payment in holding else 0
            facts[payment] |= {
                "incident_first_given": number,
                "incident_first_lost": payment in lost,
            }
        causes = [
            payment._incident_first_cause(payment.incident_account_id, 0)
            for payment in losing
        ] + [
            payment._incident_first_cause(
                accounts[payment], payment.incident_first_number
            )
            for payment in winning
        ]
        return Said(causes, facts)

    def _incident_first_cause(self, account, target):
        return Cause(
            account=account,
            key=f"first_payment:{self.id}",
            target=target,
            kind="first_payment",
            name=self._incident_name("first_payment", account),
            source=self,
            taken=self._incident_taken_words("first_payment", account),
        )

    def _incident_first_of_all(self, accounts, entering, losing):
        """Return the payments among these that get the grant: one for each account, if
        no effective payment holds it.

        An account to which it was never given gives it to the customer's very first
        payment, those made before the module was installed included; whatever is below
        the least amount that counts is none.

        :param dict accounts: the account of each payment by now.
        :param dict entering: see :meth:`_incident_first_said`.
        :param losing: payments that hold the grant no more.
        :return: the payments, and the facts of their accounts.
        """
        own = [accounts[payment] for payment in self]
        free = self.env["helpdesk.incident.account"].sudo().union(*own)
        for (account,) in self._read_group(
            [
                ("id", "not in", losing.ids),
                ("incident_account_id", "in", free.ids),
                ("incident_first_given", ">", 0),
            ],
            ["incident_account_id"],
        ):
            free -= account
        undecided = free.filtered(lambda account: not account.first_payment)
        before = undecided._largest_before(self.browse().union(*entering))
        winning, facts = self.browse(), defaultdict(dict)
        for payment, account in zip(self, own, strict=True):
            if account not in free or account.first_payment == "past":
                continue
            free -= account
            if account in before and not payment._incident_is_below(before[account]):
                facts[account]["first_payment"] = "past"
            else:
                facts[account]["first_payment"] = "given"
                winning |= payment
        return winning, facts

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

    def _incident_too_little(self):
        """Return those of these payments of which nothing is left, or less than the
        least amount that counts (R6.2)."""
        refunds = self._incident_refunds() if self else {}
        found = self.browse()
        for payment in self:
            left = payment.amount - sum(
                amount
                for refund, amount in refunds.get(payment, ())
                if refund.payment_type == "outbound" and refund._incident_is_effective()
            )
            if payment.currency_id.compare_amounts(left, 0) <= 0 or (
                payment._incident_is_below(
                    payment._incident_company_amount() * left / payment.amount
                )
            ):
                found |= payment
        return found

    def _incident_is_below(self, amount):
        """Return whether an amount in company currency is less than what counted when
        this payment was made (R6.2)."""
        self.ensure_one()
        currency = self.company_currency_id
        return currency.compare_amounts(amount, self.incident_first_minimum) < 0

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
