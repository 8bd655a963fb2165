from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _authenticate(cls, endpoint):
        """Override: a request that is tried again, because others have worked on the
        same accounts, begins with their lock (R3.6).

        So it waits before it looks, and what it sees then is what is: the second try
        is no race any more, however many others come.
        """
        account_ids = vars(request).get("incident_accounts")
        if account_ids:
            accounts = request.env["helpdesk.incident.account"].sudo()
            accounts.browse(account_ids)._lock_first()
        return super()._authenticate(endpoint)
