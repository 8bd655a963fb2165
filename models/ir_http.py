"""A request that is tried again locks first what others have got before it (R3.6)."""

from psycopg2.errors import SerializationFailure

from odoo import api, models
from odoo.http import request
from odoo.tools import SQL

from .ledger.account_lock import ROWS

#: How often to wait for a lock that others got first, each time after one of them.
WAITS = 50


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


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _remember_for_retry(self, condition):
        """Override: should this try of a request be in vain, the next one begins with
        the lock of these accounts."""
        # Not what has a cursor of its own, as a scheduled action run by hand has: were
        # that locked beforehand, it would wait for ever.
        if request and request.env and request.env.cr is self.env.cr:
            vars(request).setdefault("incident_locks", set()).add(condition)
        return super()._remember_for_retry(condition)

    @api.model
    def _lock_first(self, condition):
        """Lock accounts at the beginning of a transaction in which nothing was written
        yet: whoever comes second waits here, and then goes on with what is.

        A wait that was in vain ends the transaction, and the next one begins at once:
        whatever was written before would be lost.

        :param SQL condition: which accounts, on their table.
        :raise SerializationFailure: if others come first again and again.
        """
        for tries_left in reversed(range(WAITS)):
            try:
                self.env.cr.execute(SQL(ROWS, condition), log_exceptions=False)
                self._note_lock()
                return
            except SerializationFailure:
                if not tries_left:
                    raise
                self.env.cr.rollback()
                if request:
                    # As Odoo does when it tries again: what the session has noted as
                    # written was rolled back.
                    request.session = request._get_session_and_dbname()[0]
