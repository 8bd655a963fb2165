"""What the first payment gives, and which payment is the first one (R6.2)."""

from collections import defaultdict

from odoo import models

from ..ledger.account_settle import Cause


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_first_causes(self, entering, leaving):
        """Move the incidents for the first payment as R6.2 says.

        :param entering: those of these payments that have become effective.
        :param leaving: those that are no longer effective.
        :rtype: list[Cause]
        """
        payments = self.filtered(
            lambda payment: (
                payment.incident_first_number and payment.payment_type == "inbound"
            )
        )
        too_little = payments._incident_too_little()
        losing = (payments & (leaving | too_little)).filtered("incident_first_given")
        losing.incident_first_given = 0
        candidates = payments - leaving - too_little
        winning = candidates.filtered(
            lambda payment: payment in entering or payment.incident_first_lost
        )._incident_first_of_all(entering)
        for payment in winning:
            payment.incident_first_given = payment.incident_first_number
        # It can get the grant again when the refund is undone, and not later.
        (candidates | leaving).filtered("incident_first_lost").write(
            {"incident_first_lost": False}
        )
        (losing & too_little - leaving).incident_first_lost = True
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
                taken=payment._incident_taken_words(
                    "first_payment", payment.incident_account_id
                ),
            )
            for payment in losing | winning
        ]

    def _incident_first_of_all(self, entering):
        """Return the payments among these that get the grant: one for each account, if
        no effective payment holds it.

        An account to which it was never given gives it to the customer's very first
        payment, those made before the module was installed included; whatever is below
        the least amount that counts is none.
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
        before = undecided._largest_before(entering)
        winning, passed = self.browse(), accounts.browse()
        for payment in self:
            account = payment.incident_account_id
            if account not in free or account.first_payment == "past":
                continue
            free -= account
            if account in before and not payment._incident_is_below(before[account]):
                passed |= account
            else:
                winning |= payment
        passed._write_first_payment("past")
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
