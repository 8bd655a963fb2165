"""A request that is retried begins by locking the accounts that it has lost to others
(R3.6)."""

from psycopg2.errors import SerializationFailure

from odoo import api, models
from odoo.http import request
from odoo.tools import SQL

from .ledger.account_lock import ROWS

#: How often to wait again, if another transaction gets the lock first.
WAITS = 50


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _authenticate(cls, endpoint):
        """Override: a request that is retried, because others have worked on the same
        accounts, begins by locking them (R3.6).

        So it waits before it reads anything, and then reads the current state: the
        second try cannot lose again, however many others there are. A request that asks
        a provider of payments does that first, each time.
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
        """Override: if this try of a request fails, the next one begins by locking
        these accounts."""
        # Not for code with a cursor of its own, such as a scheduled action that is run
        # by hand: if the request locked first, that code would wait for ever.
        if request and request.env and request.env.cr is self.env.cr:
            vars(request).setdefault("incident_locks", set()).add(condition)
        return super()._remember_for_retry(condition)

    @api.model
    def _lock_first(self, condition):
        """Lock accounts at the beginning of a transaction in which nothing was written
        yet: the second transaction waits here, and then continues with the current
        state.

        If it loses again, the transaction ends and a new one begins at once, so
        anything written before would be lost.

        :param SQL condition: which accounts, on their table.
        :raise SerializationFailure: if others get the lock first again and again.
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
                    # As Odoo does when it retries: what the session has marked as
                    # written was rolled back.
                    request.session = request._get_session_and_dbname()[0]
