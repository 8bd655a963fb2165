from odoo import models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _create_payments(self):
        """Override: lock the accounts of the orders that are paid, and those at which
        the payments count, before anything else (R3.6); settle the orders after the
        payment has got its number. If a provider is asked first, nothing is locked
        yet."""
        if self.payment_token_id:
            return super()._create_payments()
        items = self.line_ids
        account_model = self.env["helpdesk.incident.account"]
        account_model._lock_ahead(
            items.move_id._incident_sold()._incident_holders()
            | account_model._holders_of(
                items.filtered(lambda item: item.company_id._incident_counts_payments())
            )
        )
        return super()._create_payments()
