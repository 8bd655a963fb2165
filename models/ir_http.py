from odoo import models
from odoo.http import request
from odoo.tools import SQL


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _authenticate(cls, endpoint):
        """Override: a request that is tried again, because others have worked on the
        same accounts, begins with their lock (R3.6).

        So it waits before it looks, and what it sees then is what is: the second try
        is no race any more, however many others come. A request that asks a provider of
        payments does that first, each time.
        """
        locks = vars(request).get("incident_locks")
        if locks and not vars(request).get("incident_asks"):
            condition = SQL(" OR ").join(SQL("(%s)", lock) for lock in locks)
            request.env["helpdesk.incident.account"]._lock_first(condition)
        return super()._authenticate(endpoint)
