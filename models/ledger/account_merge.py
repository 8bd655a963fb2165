"""What happens to accounts when customers become one (R2.2)."""

from odoo import api, models
from odoo.tools import SQL


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _merge(self, others):
        """Take over everything that ``others`` hold, and close them (R2.2).

        This is the only case in which entries change: they move to this account (R3.1).

        :param others: accounts of the same company, or of its branches.
        """
        self.ensure_one()
        others -= self
        if not others:
            return
        (self | others)._lock()
        self._merge_references(others)
        self.env.execute_query(
            SQL(
                """
                WITH taken AS (
                    DELETE FROM helpdesk_incident_allotment
                     WHERE account_id IN %(others)s AND kind = 'lifetime'
                    RETURNING granted, used, lapsed, balance
                )
                UPDATE helpdesk_incident_allotment m
                   SET granted = m.granted + t.granted,
                       used = m.used + t.used,
                       lapsed = m.lapsed + t.lapsed,
                       balance = m.balance + t.balance
                  FROM (SELECT SUM(granted) AS granted, SUM(used) AS used,
                               SUM(lapsed) AS lapsed, SUM(balance) AS balance
                          FROM taken) t
                 WHERE m.account_id = %(account)s AND m.kind = 'lifetime'
                """,
                others=tuple(others.ids),
                account=self.id,
            )
        )
        self.env.execute_query(
            SQL(
                "DELETE FROM helpdesk_incident_account WHERE id IN %s",
                tuple(others.ids),
            )
        )
        self._invalidate_ledger()

    @api.model
    def _references(self):
        """Return the fields outside the ledger that name an account.

        :return: pairs of a model name and a field name.
        :rtype: list[tuple[str, str]]
        """
        return []

    def _merge_references(self, others):
        """Let this account replace ``others`` wherever they are named."""
        for model_name, name in self._references():
            model = self.env[model_name]
            model.flush_model([name])
            self.env.execute_query(
                SQL(
                    "UPDATE %s SET %s = %s WHERE %s IN %s",
                    SQL.identifier(model._table),
                    SQL.identifier(name),
                    self.id,
                    SQL.identifier(name),
                    tuple(others.ids),
                )
            )
            model.invalidate_model([name])
        lifetime = self._lifetime()
        self._remember_queues(others)
        self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_entry e
                   SET account_id = %(account)s,
                       allotment_id = CASE m.kind WHEN 'lifetime' THEN %(lifetime)s
                                                  ELSE e.allotment_id END
                  FROM helpdesk_incident_allotment m
                 WHERE m.id = e.allotment_id AND e.account_id IN %(others)s
                """,
                account=self.id,
                lifetime=lifetime.id,
                others=tuple(others.ids),
            )
        )
        self.env.execute_query(
            SQL(
                """
                UPDATE helpdesk_incident_allotment SET account_id = %(account)s
                 WHERE account_id IN %(others)s AND kind = 'period'
                """,
                account=self.id,
                others=tuple(others.ids),
            )
        )

    def _remember_queues(self, others):
        """Note which lifetime incidents were together until today: what was used first
        of them follows from that (R12.4)."""
        self.env.execute_query(
            SQL(
                """
                INSERT INTO helpdesk_incident_merge
                       (entry_id, date, last_entry, former,
                        create_uid, create_date, write_uid, write_date)
                SELECT e.id, %(today)s, newest.last_value, m.id,
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM helpdesk_incident_entry_id_seq newest,
                       helpdesk_incident_entry e
                  JOIN helpdesk_incident_allotment m ON m.id = e.allotment_id
                 WHERE m.kind = 'lifetime' AND e.account_id IN %(others)s
                 ORDER BY e.id
                """,
                today=self.company_id._incident_today(),
                uid=self.env.uid,
                now=self.env.cr.now(),
                others=tuple(others.ids),
            )
        )
        self.env["helpdesk.incident.merge"].invalidate_model(flush=False)

    @api.model
    def _replace_source(self, sources, target):
        """Let entries and allotments name ``target`` as their source, instead of the
        documents that are merged into it (R2.2)."""
        for table in ("entry", "allotment"):
            self.env.execute_query(
                SQL(
                    "UPDATE %s SET res_id = %s WHERE res_model = %s AND res_id IN %s",
                    SQL.identifier(f"helpdesk_incident_{table}"),
                    target.id,
                    target._name,
                    tuple(sources.ids),
                )
            )
        self._invalidate_ledger()

    def _follow_customers(self, customers, ended=None):
        """Give these accounts to other customers; a customer who then has two gets one
        merged account (R2.2). The histories of both say what has moved.

        :param dict customers: the new ``res.partner``, a commercial one, by account.
        :param ended: customers who are about to be deleted, and leave their history to
            who stays.
        """
        for account in self.sudo().sorted("id"):
            customer = customers[account]
            if customer == account.partner_id:
                continue
            told = account.partner_id | customer
            message = account._moved_message(customer)
            account._give_to(customer, account.company_id)
            for partner in told - ended if ended else told:
                partner._message_log(body=message)

    def _give_to(self, customer, company):
        """Let this be the account of a customer in a company, or what it holds be part
        of the one that is there.

        :param company: the root company or a branch.
        """
        there = self._of(customer, company)
        if there:
            there._merge(self)
            return
        self._lock()
        self.env.execute_query(
            SQL(
                "UPDATE helpdesk_incident_account SET partner_id = %s, company_id = %s "
                "WHERE id = %s",
                customer.id,
                company._incident_root_id(),
                self.id,
            )
        )
        self._invalidate_ledger()

    def _moved_message(self, customer):
        """Return what the histories say when this account becomes another customer's.

        :param customer: whose it becomes.
        :rtype: str
        """
        self.ensure_one()
        return self.env._(
            "Support incidents of %(customer)s are those of %(new)s from now on "
            "(%(company)s): %(incidents)s. The statement has moved, too. It stays "
            "there if the two are separated again.",
            customer=self.partner_id.display_name,
            new=customer.display_name,
            company=self.company_id.display_name,
            incidents=self._usable_text(),
        )

    @api.model
    def _merge_branches(self):
        """Give the accounts that branches had to their root companies (R2.3), for an
        update from a version in which each branch had its own; those of one customer
        merge."""
        for account in self.sudo().search(
            [("company_id.parent_id", "!=", False)], order="id"
        ):
            account._give_to(account.partner_id, account.company_id)
