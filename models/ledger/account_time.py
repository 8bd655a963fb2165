"""What time does: periods begin and end (R9.2, R9.3)."""

from psycopg2 import OperationalError

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

from .helpdesk_incident_account import DUE, ENDED

_lt = LazyTranslate(__name__)

PERIOD_GRANTED = _lt("incidents of the new period")
PERIOD_ADDED = _lt("more incidents in this period")
PERIOD_LAPSED = _lt("unused incidents lapsed at the end of the period")
LAPSED = _lt("unused incidents lapsed after their last day")

#: How many accounts the scheduled action takes at once: each batch is a transaction.
BATCH = 10_000
#: How often in a row it may lose to another transaction before it leaves the rest to
#: the next run.
PATIENCE = 5


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _open_and_close(self, by_time=True):
        """Grant what is due and close what has ended (R9.3) of accounts with due or
        ended allotments: those that ``_lock`` returns.

        A period that passed while nothing ran is granted and closed at once: nothing of
        it is usable, but all of it is counted.

        :param bool by_time: whether that is what time has done. Then ``period`` is
            dated at the beginning of its window and ``expiry`` at the end, whenever
            they are written. What follows from a document is dated the day it happens:
            what was said of a past day stays true (R3.7).
        :return: the number of entries written.
        :rtype: int
        """
        if not self:
            return 0
        post = self.env["helpdesk.incident.entry"]._post
        begun = SQL("m.date_from" if by_time else "today.day")
        in_words = self._in_partner_language
        ended = SQL("m.date_to" if by_time else "today.day")
        return post(
            self._due_lines(
                condition=DUE,
                values=SQL(
                    # What comes to an opened period later on was not opened (R21.4).
                    """
                    %s, CASE WHEN m.grant_kind = 'opening' AND m.granted > 0
                             THEN 'period' ELSE COALESCE(m.grant_kind, 'period') END,
                    m.to_grant, m.cause_key
                    """,
                    begun,
                ),
                # What was bought at once is called what was bought.
                text=SQL(
                    """
                    CASE WHEN m.grant_kind IS NOT NULL THEN ''
                         WHEN m.granted = 0 THEN ': ' || %s ELSE ': ' || %s END
                    """,
                    in_words(PERIOD_GRANTED),
                    in_words(PERIOD_ADDED),
                ),
            )
        ) + post(
            self._due_lines(
                condition=ENDED,
                values=SQL("%s, 'expiry', -m.balance, 'expiry:' || m.id", ended),
                text=SQL(
                    """
                    ': ' || CASE WHEN m.grant_kind IS NULL
                                  AND m.date_period_to IS NULL THEN %s ELSE %s END
                    """,
                    in_words(PERIOD_LAPSED),
                    in_words(LAPSED),
                ),
            )
        )

    @api.model
    def _cron_open_and_close(self, batch=BATCH):
        """Grant and close what is due for all customers (R13.1).

        It may run on several workers at once, and may be killed at any moment: each
        batch is a transaction of its own and takes only accounts that no other
        transaction works on. What it does not reach is done by the next batch, or by
        the next verb on that account (R9.3).

        :param int batch: how many accounts to take at once.
        """
        cron = self.env["ir.cron"]
        patience = PATIENCE
        while patience:
            try:
                accounts = self._lock_due(batch)
                accounts._open_and_close()
                # Until none is left.
                remaining = len(accounts)
                if not cron._commit_progress(len(accounts), remaining=remaining):
                    break
            except (OperationalError, ConcurrencyError):
                # Another transaction has changed them: a new snapshot shows what is
                # left.
                self.env.cr.rollback()
                patience -= 1
                continue
            patience = PATIENCE
            if not remaining:
                break

    @api.model
    def _lock_due(self, limit):
        """Lock accounts with due or ended allotments, except those that another
        transaction has locked.

        :param int limit: how many, at most.
        :return: the accounts, with superuser rights.
        """
        companies = self.env["res.company"]._incident_companies()
        latest = max(company._incident_today() for company in companies)
        account_ids = set()
        for condition, bound in (
            # An index finds what is due by the date of the company that is furthest
            # ahead, and reads no more of it than is taken.
            (DUE, SQL("m.date_from <= %s", latest)),
            (ENDED, SQL("m.date_to < %s", latest)),
        ):
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT account.id
                      FROM helpdesk_incident_allotment m
                      JOIN helpdesk_incident_account account
                        ON account.id = m.account_id
                      JOIN %s AS today(company_id, day)
                        ON today.company_id = account.company_id
                     WHERE %s AND %s
                     LIMIT %s
                       FOR NO KEY UPDATE OF account SKIP LOCKED
                    """,
                    self._today_table(companies),
                    condition,
                    bound,
                    limit - len(account_ids),
                )
            )
            account_ids.update(account_id for (account_id,) in rows)
        accounts = self.sudo().browse(sorted(account_ids))
        accounts._lock()
        return accounts

    def _allotments_today(self):
        """Return the tables of the allotments of these accounts, as SQL."""
        return SQL(
            """
            helpdesk_incident_allotment m
              JOIN helpdesk_incident_account account
                ON account.id = m.account_id AND account.id IN %s
              JOIN %s AS today(company_id, day)
                ON today.company_id = account.company_id
            """,
            tuple(self.ids),
            self._today_table(self.company_id),
        )

    def _due(self):
        """Return the accounts among these that have due or ended allotments."""
        if not self:
            return self
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT account.id FROM %s WHERE (%s) OR (%s)",
                self._allotments_today(),
                DUE,
                ENDED,
            )
        )
        return self.browse([account_id for (account_id,) in rows])

    def _due_lines(self, condition, values, text):
        """Return the lines of due or ended allotments, as a query.

        :param SQL condition: on the allotment ``m`` and ``today``.
        :param SQL values: date, kind, quantity and cause key of the line.
        :param SQL text: what it says to the customer behind the name of the allotment.
        :rtype: SQL
        """
        return SQL(
            """
            SELECT m.account_id, m.id AS allotment_id,
                   v.date, v.kind, v.quantity, v.cause_key,
                   m.res_model, m.res_id, m.name || %(text)s AS name
              FROM %(allotments)s
              JOIN res_partner partner ON partner.id = account.partner_id,
                   LATERAL (VALUES (%(values)s)) AS v(date, kind, quantity, cause_key)
             WHERE %(condition)s
             ORDER BY m.date_from, m.id
            """,
            text=text,
            allotments=self._allotments_today(),
            values=values,
            condition=condition,
        )

    @api.model
    def _in_partner_language(self, text):
        """Return ``text`` as SQL, in the language of each row's ``partner``.

        :param LazyGettext text: a term without placeholders.
        """
        return SQL(
            "CASE partner.lang %s ELSE %s END",
            SQL(" ").join(
                SQL("WHEN %s THEN %s", code, self.with_context(lang=code).env._(text))
                for code, _name in self.env["res.lang"].get_installed()
            ),
            self.env._(text),
        )
