"""Tickets that want incidents get them when they arrive (R11.3, R16.6)."""

import logging

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

#: Which tickets want incidents (``t``): those that wait for them, and those that are
#: handled, and short of some (R16.6).
PARKED = SQL("t.incident_parking = 'parked'")
SHORT = SQL("t.incident_short > 0")
#: Where a transaction notes the accounts that incidents may have arrived at.
NOTED = "helpdesk_paid_support.release"
#: For more accounts than this, the scheduled action releases.
AT_ONCE = 20


class HelpdeskIncidentAccount(models.Model):
    """What gives incidents knows nothing of tickets that want them. The verbs note the
    accounts that tickets want incidents of. Right after the transaction was committed,
    they get what is there, in a transaction for each account; nothing that goes wrong
    there touches the gift (R3.9). The scheduled action of tickets that wait is
    triggered with the gift, and does what was not done: whoever is killed in between.
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

    def _return(self, document, quantity):
        """Override for R11.3: given back by another ticket."""
        legs = super()._return(document, quantity)
        self._release_soon()
        return legs

    def _open_and_close(self, by_time=True):
        """Override for R11.3: a new period."""
        count = super()._open_and_close(by_time)
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
        """Release what waits for these accounts as soon as this is committed."""
        waiting = self._with_wanting()
        if not waiting:
            return
        self.env["helpdesk.ticket"]._incident_trigger_parked()
        cr, registry = self.env.cr, self.env.registry
        if NOTED not in cr.postcommit.data:
            cr.postcommit.data[NOTED] = set()

            @cr.postcommit.add
            def release():
                _release_committed(registry, cr.postcommit.data.pop(NOTED))

        cr.postcommit.data[NOTED].update(waiting.ids)

    def _release(self):
        """Give these accounts' incidents to the tickets that are short of them (R16.6),
        then release those that wait, as far as the incidents go: those that do not fit
        are skipped (R11.3)."""
        for account in self:
            account._lock()
            for ticket in account._short_tickets():
                account._release_one(ticket._incident_follow, ticket)
            may_tell = True
            for ticket in account._parked():
                # What was said already, or cannot be said today, need not be looked at,
                # if it does not fit.
                if ticket._incident_required() > account.available:
                    if ticket.incident_parked_date:
                        continue
                    may_tell = may_tell and ticket._incident_may_tell(account)
                    if not may_tell:
                        continue
                account._release_one(ticket._incident_admit, ticket)

    def _release_one(self, release, ticket):
        try:
            with self.env.cr.savepoint():
                release()
        except (OperationalError, ConcurrencyError):
            # No fault: the whole transaction is tried again.
            raise
        except Exception:
            _logger.exception("%s could not be released", ticket)

    def _with_wanting(self):
        """Return those of these accounts that tickets want incidents of."""
        if not self.ids:
            return self
        rows = self.env.execute_query(
            SQL(
                """
                SELECT a.id FROM %s WHERE a.id IN %s
                 UNION SELECT a.id FROM %s WHERE a.id IN %s
                """,
                self._wanting_tickets(PARKED),
                tuple(self.ids),
                self._wanting_tickets(SHORT),
                tuple(self.ids),
            )
        )
        return self.browse([account_id for (account_id,) in rows])

    def _short_tickets(self):
        """Return the tickets that are short of incidents of these accounts, the oldest
        first (R16.6).

        :return: ``helpdesk.ticket`` records with superuser rights.
        """
        return self._tickets_that(SHORT, SQL("t.id"))

    def _parked(self):
        """Return the tickets that wait for incidents of these accounts, in the order in
        which they are released: those whose link to buy was used, the last one first,
        then the oldest (R11.3).

        :return: ``helpdesk.ticket`` records with superuser rights.
        """
        return self._tickets_that(
            PARKED, SQL("t.incident_link_on DESC NULLS LAST, t.id")
        )

    def _tickets_that(self, want, order):
        tickets = self.env["helpdesk.ticket"].sudo()
        if not self.ids:
            return tickets
        rows = self.env.execute_query(
            SQL(
                "SELECT t.id FROM %s WHERE a.id IN %s ORDER BY %s",
                self._wanting_tickets(want),
                tuple(self.ids),
                order,
            )
        )
        return tickets.browse([ticket_id for (ticket_id,) in rows])

    @api.model
    def _wanting_tickets(self, want):
        """Return accounts (``a``) and the tickets that want incidents of them (``t``),
        as SQL.

        :param SQL want: ``PARKED`` or ``SHORT``.
        """
        tickets = self.env["helpdesk.ticket"]
        partner, company = tickets._incident_holder_fields
        wanted = ("incident_parking", "incident_link_on", "incident_short")
        tickets.flush_model([partner, company, *wanted])
        return SQL(
            """
            helpdesk_incident_account a
              JOIN helpdesk_ticket t
                ON t.%(partner)s = a.partner_id AND %(want)s
               AND (SELECT starts_with(branch.parent_path, a.company_id || '/')
                      FROM res_company branch WHERE branch.id = t.%(company)s)
            """,
            partner=SQL.identifier(partner),
            company=SQL.identifier(company),
            want=want,
        )


def _release_committed(registry, account_ids):
    """Release what waits for these accounts, which were given something just now."""
    if len(account_ids) > AT_ONCE:
        return
    for account_id in sorted(account_ids):
        try:
            with registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["helpdesk.incident.account"].browse(account_id).exists()._release()
        # What gave the incidents is committed: nothing must seem to have gone wrong.
        except Exception:
            _logger.info("Account %s is left to the cron", account_id, exc_info=True)
