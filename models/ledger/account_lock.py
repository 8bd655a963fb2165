"""What every verb begins with: the lock of its account (R3.6; docs/ledger.md)."""

from odoo import api, models
from odoo.tools import SQL

from .helpdesk_incident_account import DUE, ENDED

#: The rows of the accounts that meet a condition, locked: by everybody in this order.
ROWS = """
    SELECT id, company_id FROM helpdesk_incident_account
     WHERE %s ORDER BY id FOR NO KEY UPDATE
"""
#: How a verb locks them, as ``account``: see ``_lock``.
LOCK = f"""
    WITH account AS ({ROWS}), written AS (
        UPDATE helpdesk_incident_account a
           SET revision = a.revision + 1
          FROM account WHERE a.id = account.id
    )
"""
#: The same of one account, which needs no order.
LOCK_ONE = """
    WITH account AS (
        UPDATE helpdesk_incident_account SET revision = revision + 1
         WHERE %s RETURNING id, company_id
    )
"""

#: Where a transaction notes that it has locked accounts.
LOCKED = "helpdesk_paid_support.locked"


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _lock(self):
        """Serialize operations on these accounts (R3.6), until the transaction ends.

        A row lock alone would not do: after waiting for it, a REPEATABLE READ
        transaction still sees its old snapshot. Therefore each verb also *writes* to
        the row. The second transaction then gets a serialization failure, and Odoo
        retries HTTP and RPC requests with a new snapshot.

        :return: those of these accounts that have due or ended allotments (R9.3).
        """
        if not self:
            return self
        self.env.cr.execute(
            SQL(
                """
                %(lock)s
                SELECT DISTINCT account.id
                  FROM account
                  JOIN %(today)s AS today(company_id, day) USING (company_id)
                  JOIN helpdesk_incident_allotment m ON m.account_id = account.id
                 WHERE (%(due)s) OR (%(ended)s)
                """,
                lock=self._locking(SQL("id IN %s", tuple(self.ids))),
                today=self._today_table(self.sudo().company_id),
                due=DUE,
                ended=ENDED,
            ),
            # The losing transaction is retried; this is no error.
            log_exceptions=False,
        )
        return self.browse([account_id for (account_id,) in self.env.cr.fetchall()])

    @api.model
    def _account_condition(self, partner, company):
        """Return the condition that the account of a customer meets.

        :param partner: a ``res.partner``, any contact of the customer.
        :rtype: SQL
        """
        return SQL(
            "(partner_id, company_id) = (%s, %s)",
            partner.commercial_partner_id.id or None,
            company._incident_root_id() if company.id else None,
        )

    @api.model
    def _locking(self, condition, lock=LOCK):
        """Return ``LOCK`` of the accounts that meet a condition.

        :param SQL condition: on the table of the accounts.
        :param str lock: ``LOCK_ONE`` if no more than one account meets it.
        :rtype: SQL
        """
        self._note_lock()
        return SQL(lock, self._remember_for_retry(condition))

    @api.model
    def _remember_for_retry(self, condition):
        """Return the condition of what is locked. Code that retries transactions can
        override this to note the condition, and begin the next try by locking it."""
        return condition

    @api.model
    def _lock_ahead(self, holders):
        """Lock the accounts of customers, as far as they have one, before other rows
        that somebody else may wait for: the next number of a journal, an order, a
        transaction. So all transactions lock in one order, accounts first, and there is
        no deadlock. Pass all accounts that a request may need at once: they are locked
        in the order of their ids.

        :param holders: as for :meth:`_find`.
        """
        saved = tuple(sorted(set(self._roots(holders).values())))
        if saved:
            condition = self._remember_for_retry(
                SQL("(partner_id, company_id) IN %s", saved)
            )
            self.env.cr.execute(SQL(ROWS, condition), log_exceptions=False)
            if self.env.cr.rowcount:
                self._note_lock()

    @api.model
    def _note_lock(self):
        """Note that this transaction locks accounts, until it ends."""
        # Emptied by commit and rollback alike.
        self.env.cr.prerollback.data[LOCKED] = True
        self.env["helpdesk.incident.event"]._note()

    @api.model
    def _has_lock(self):
        """Return whether this transaction has locked accounts, or may have. If so, it
        must not print, mail or ask a provider (R3.6); that is done after the commit.

        :rtype: bool
        """
        return LOCKED in self.env.cr.prerollback.data
