"""What payments give for funds added (R6.3)."""

from odoo import api, models

from ..ledger.account_settle import Cause


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_amount(self):
        """Return what the payment counts, in company currency at its date (R6.3);
        below zero if it pays back (R6.5)."""
        self.ensure_one()
        if not self.incident_topup_number:
            return 0
        amount = self._incident_company_amount()
        return amount if self.payment_type == "inbound" else -amount

    @api.model
    def _incident_topup_causes(self, entering, leaving):
        """Return what accounts should have given for funds added (R6.3).

        :param dict entering: the accounts to which payments will count.
        :param leaving: payments that will count no more.
        :return: one cause after the other, one payment at a time, so that each entry
            names the payment that it comes from.
        :rtype: list[Cause]
        """
        funds = leaving.incident_account_id.union(*entering.values())._funds()
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
                key=key,
                target=target,
                kind="topup",
                name=payment._incident_name("topup", account)
                if payment
                else account._in_customer_language().env._("Funds added"),
                source=payment,
                taken=payment._incident_taken_words("topup", account)
                if payment
                else "",
            )
            for key, target in account._topup_targets(funds).items()
        ]
