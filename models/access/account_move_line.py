from odoo import models
from odoo.fields import Domain


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _search_account_id(self, operator, value):
        """Override of `account`, which looks for the accounts with all rights: only
        the accounts themselves are looked for without regard to rights, as by
        ``account_id``, not what is asked of other documents on the way (R11.6)."""
        if isinstance(value, Domain) and not self.env.su:
            value = self.env["account.account"]._search(
                value, active_test=False, bypass_access=True
            )
        return super()._search_account_id(operator, value)
