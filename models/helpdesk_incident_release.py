"""Tickets that wait are released when incidents arrive (R11.3)."""

import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: Where a transaction notes the accounts that incidents may have arrived at.
NOTED = "helpdesk_paid_support.release"
#: How many tickets the scheduled action looks at at once.
BATCH = 500


class HelpdeskIncidentAccount(models.Model):
    """What gives incidents knows nothing of tickets that wait for them: the verbs note
    their accounts, and at the end of the transaction, in it, what fits is released.

    So a payment and the release of the ticket that it was made for are one: whoever is
    killed in between has done neither. What fails is undone alone, and tried again by
    the scheduled action of tickets that wait.
    """

    _inherit = "helpdesk.incident.account"

    # ------------------------------------------------------------------
    # The verbs by which incidents arrive
    # ------------------------------------------------------------------

    @api.model
    def _settle(self, causes):
        """Override for R11.3: given, bought, adjusted."""
        count = super()._settle(causes)
        if count:
            self.union(*(cause.account for cause in causes))._release_soon()
        return count

    def _return(self, ticket, quantity):
        """Override for R11.3: given back by another ticket."""
        legs = super()._return(ticket, quantity)
        self._release_soon()
        return legs

    def _open_and_close(self):
        """Override for R11.3: a new period."""
        count = super()._open_and_close()
        if count:
            self._release_soon()
        return count

    def _merge(self, others):
        """Override for R11.3: what another account held."""
        res = super()._merge(others)
        self._release_soon()
        return res

    # ------------------------------------------------------------------
    # Releasing
    # ------------------------------------------------------------------

    def _release_soon(self):
        """Release at the end of the transaction what waits for these accounts."""
        precommit = self.env.cr.precommit
        if NOTED not in precommit.data:
            precommit.data[NOTED] = set()
            precommit.add(self.sudo().browse()._release_noted)
        precommit.data[NOTED].update(self.ids)

    @api.model
    def _release_noted(self):
        self.browse(self.env.cr.precommit.data.pop(NOTED, ()))._release()

    def _release(self):
        """Release the tickets that wait for incidents of these accounts, as far as the
        incidents go: those that do not fit are skipped (R11.3)."""
        for ticket in self._parked():
            try:
                with self.env.cr.savepoint():
                    ticket._incident_admit()
            except (OperationalError, ConcurrencyError):
                # No fault: the whole transaction is tried again.
                raise
            except Exception:
                _logger.exception("%s could not be released", ticket)

    def _parked(self):
        """Return the tickets that wait for incidents of these accounts, in the order in
        which they are released: those whose link to buy was used, the last one first,
        then the oldest (R11.3).

        :return: ``helpdesk.ticket`` records with superuser rights.
        """
        tickets = self.env["helpdesk.ticket"].sudo()
        if not self.ids:
            return tickets
        tickets.flush_model(
            ["commercial_partner_id", "company_id", "incident_hold", "incident_link_on"]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT t.id
                  FROM helpdesk_ticket t
                  JOIN helpdesk_incident_account a
                    ON a.partner_id = t.commercial_partner_id
                   AND a.company_id = t.company_id
                 WHERE a.id IN %s AND t.incident_hold = 'parked'
                 ORDER BY t.incident_link_on DESC NULLS LAST, t.id
                """,
                tuple(self.ids),
            )
        )
        return tickets.browse([ticket_id for (ticket_id,) in rows])
