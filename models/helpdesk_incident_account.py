from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.translate import LazyTranslate

from ..fields import MAX_INCIDENTS, WholeNumber

_lt = LazyTranslate(__name__)

PERIOD_GRANTED = _lt("Incidents of the new period")
PERIOD_LAPSED = _lt("Unused incidents lapsed at the end of the period")

#: The numbers of an account, each as SQL over its allotments (aliased ``m``) and the
#: account's today. They are stored nowhere else: nothing can differ from the ledger.
CURRENT = SQL("m.kind = 'period' AND today.day BETWEEN m.date_from AND m.date_to")
NUMBERS = {
    "lifetime_granted": SQL("SUM(m.granted) FILTER (WHERE m.kind = 'lifetime')"),
    "lifetime_used": SQL("SUM(m.used) FILTER (WHERE m.kind = 'lifetime')"),
    "lifetime_balance": SQL("SUM(m.balance) FILTER (WHERE m.kind = 'lifetime')"),
    "period_balance": SQL("SUM(m.balance + m.to_grant) FILTER (WHERE %s)", CURRENT),
    # R4.1
    "available": SQL(
        """COALESCE(SUM(m.balance + m.to_grant) FILTER (WHERE %s), 0)
         + GREATEST(SUM(m.balance) FILTER (WHERE m.kind = 'lifetime'), 0)""",
        CURRENT,
    ),
    "next_expiry": SQL(
        "MIN(m.date_to) FILTER (WHERE %s AND m.balance + m.to_grant > 0)", CURRENT
    ),
}

#: What time does to an allotment (aliased ``m``).
DUE = SQL("m.kind = 'period' AND m.to_grant <> 0 AND m.date_from <= today.day")
ENDED = SQL("m.kind = 'period' AND m.balance <> 0 AND m.date_to < today.day")


@dataclass(frozen=True)
class Cause:
    """What should have been given by now, and why (R3.4).

    With a window it is given as a period allotment, without one as lifetime incidents.
    """

    #: the ``helpdesk.incident.account`` to give to
    account: models.BaseModel
    #: what it is, as "payment:12"; the same for ever
    key: str
    #: how many incidents should have been given by now, of them all
    target: int
    #: a kind of R3.2 for the entries that give
    kind: str
    #: why, in words that the customer understands
    name: str
    #: the document it comes from, if any
    source: models.BaseModel | None = None
    #: first and last day of validity, inclusive
    date_from: date | None = None
    date_to: date | None = None


class Returned(NamedTuple):
    """What a ticket gave back to one allotment, and what became of it (R5.3)."""

    allotment: models.BaseModel
    quantity: int
    #: of these, those of a period that was revoked for want of payment
    revoked: int
    #: of these, those that lapsed because the period has ended
    lapsed: int
    #: of these, those that came back as lifetime incidents
    kept: int


class HelpdeskIncidentAccount(models.Model):
    """The incident account of one customer in one company (R2), and the verbs.

    The verbs are the only way to change a balance. Each locks the account first
    (:meth:`_lock`), grants what is due and closes what has ended, and only then looks
    at the balances:

    * :meth:`_settle`: causes say what should have been given by now;
    * :meth:`_adjust`: by hand, lifetime incidents;
    * :meth:`_deduct` and :meth:`_return`: for a ticket;
    * :meth:`_open_and_close`: time passes.
    """

    _name = "helpdesk.incident.account"
    _inherit = "helpdesk.incident.ledger"
    _description = "Support Incident Account"
    _rec_name = "partner_id"
    _order = "partner_id, id"
    _open_fields = frozenset({"lifetime_granted"})

    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    lifetime_granted = WholeNumber(
        string="Maximum number of support incidents",
        compute="_compute_numbers",
        inverse="_inverse_lifetime_granted",
        search=lambda self, *args: self._search_number("lifetime_granted", *args),
        help="All lifetime incidents ever given, less those taken back. "
        "A change is written to the statement as an adjustment.",
    )
    lifetime_used = fields.Integer(
        string="Incidents usage",
        compute="_compute_numbers",
        search=lambda self, *args: self._search_number("lifetime_used", *args),
        help="Lifetime incidents used over the whole time.",
    )
    lifetime_balance = fields.Integer(
        string="Lifetime incidents left",
        compute="_compute_numbers",
        search=lambda self, *args: self._search_number("lifetime_balance", *args),
        help="Below zero when incidents that were used have been taken back since; "
        "the next ones given fill it up first.",
    )
    period_balance = fields.Integer(
        string="Period incidents now",
        compute="_compute_numbers",
        search=lambda self, *args: self._search_number("period_balance", *args),
        help="Incidents of the periods that are valid today.",
    )
    available = fields.Integer(
        string="Available incidents",
        compute="_compute_numbers",
        search=lambda self, *args: self._search_number("available", *args),
        help="What tickets can use today: period incidents first, then lifetime ones.",
    )
    next_expiry = fields.Date(
        compute="_compute_numbers",
        search=lambda self, *args: self._search_number("next_expiry", *args),
        help="The last day of the period incidents that end first.",
    )
    revision = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        groups="helpdesk_paid_support.group_incident_reader",
        help="Counts the operations on the account. See docs/ledger.md, “Locking”.",
    )
    allotment_ids = fields.One2many(
        comodel_name="helpdesk.incident.allotment",
        inverse_name="account_id",
        string="Allotments",
        readonly=True,
    )
    entry_ids = fields.One2many(
        comodel_name="helpdesk.incident.entry",
        inverse_name="account_id",
        string="Entries",
        readonly=True,
    )

    # R2.1
    _partner_company_uniq = models.UniqueIndex(
        "(partner_id, company_id)",
        "A customer has one incident account in each company.",
    )

    # ------------------------------------------------------------------
    # Compute, inverse and search
    # ------------------------------------------------------------------

    def _numbers_query(self, companies, condition):
        """Return a query of all ``NUMBERS`` of the accounts that meet ``condition``.

        :param companies: the ``res.company`` records of these accounts.
        :param SQL condition: on ``account``, the table of the accounts.
        :rtype: SQL
        """
        return SQL(
            """
            SELECT account.id AS account_id, %(numbers)s
              FROM helpdesk_incident_account account
              JOIN %(today)s AS today(company_id, day) USING (company_id)
              JOIN helpdesk_incident_allotment m ON m.account_id = account.id
             WHERE (m.kind = 'lifetime' OR m.balance <> 0 OR m.to_grant <> 0)
               AND %(condition)s
             GROUP BY account.id
            """,
            numbers=SQL(", ").join(
                SQL("%s AS %s", sql, SQL.identifier(name))
                for name, sql in NUMBERS.items()
            ),
            today=self._today_table(companies),
            condition=condition,
        )

    @api.model
    def _today_table(self, companies):
        """Return a table of each company and its today (R3.7)."""
        return SQL(
            "(VALUES %s)",
            SQL(", ").join(
                SQL("(%s, %s)", company.id, company._incident_today())
                for company in companies
            ),
        )

    def _numbers(self):
        """Return the ``NUMBERS`` of these accounts as the ledger has them now.

        :rtype: dict[int, dict]
        """
        if not self.ids:
            return {}
        query = self._numbers_query(
            self.sudo().company_id, SQL("account.id IN %s", tuple(self.ids))
        )
        return {
            row.pop("account_id"): row for row in self.env.execute_query_dict(query)
        }

    def _compute_numbers(self):
        numbers = self._numbers()
        for account in self:
            row = numbers.get(account._origin.id, {})
            for name in NUMBERS:
                account[name] = row.get(name) or False

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override to sort, group and sum by the numbers, in lists and exports."""
        if field_expr not in NUMBERS or query is None:
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        # There are few of them, and each has its own today.
        companies = self.env["res.company"].sudo().search(Domain.TRUE)
        numbers = query.make_alias(alias, "numbers")
        query.add_join(
            "LEFT JOIN",
            numbers,
            SQL("(%s)", self._numbers_query(companies, SQL("TRUE"))),
            SQL(
                "%s = %s",
                SQL.identifier(alias, "id"),
                SQL.identifier(numbers, "account_id"),
            ),
        )
        column = SQL.identifier(numbers, field_expr)
        if self._fields[field_expr].type == "date":
            return column
        return SQL("COALESCE(%s, 0)", column)

    def _search_number(self, name, operator, value):
        field = self._fields[name]
        return Domain.custom(
            to_sql=lambda model, alias, query: field.condition_to_sql(
                name, operator, value, model, alias, query
            )
        )

    def _inverse_lifetime_granted(self):
        """R7.1: write the difference as an adjustment."""
        self._check_manager()
        maxima = {account: account.lifetime_granted for account in self}
        for account, maximum in maxima.items():
            account.sudo()._adjust_to(maximum)

    # ------------------------------------------------------------------
    # Finding and opening (R2.1)
    # ------------------------------------------------------------------

    @api.model
    def _of(self, partner, company, create=False):
        """Return the account of the customer ``partner`` belongs to.

        :param partner: a ``res.partner``, any contact of the customer.
        :param company: a ``res.company``.
        :param bool create: open the account if there is none (R2.1).
        :return: the account with superuser rights, empty if there is none.
        """
        customer = partner.sudo().commercial_partner_id
        if not customer or not company:
            return self.sudo().browse()
        holder = (customer.id, company.id)
        accounts = self._find([holder])
        if create and not accounts:
            accounts = self._open([holder])
        return accounts.get(holder, self.sudo().browse())

    @api.model
    def _find(self, holders):
        """Return the accounts of customers, by holder.

        :param holders: pairs of ids: of a commercial partner and a company.
        :return: accounts with superuser rights.
        :rtype: dict[tuple[int, int], recordset]
        """
        accounts = self.sudo().search_fetch(
            [
                ("partner_id", "in", [partner for partner, _company in holders]),
                ("company_id", "in", [company for _partner, company in holders]),
            ],
            ["partner_id", "company_id"],
        )
        return {(a.partner_id.id, a.company_id.id): a for a in accounts}

    @api.model
    def _open(self, holders):
        """Return the accounts of customers, and open those that there are not (R2.1).

        Two at once: one opens an account, the other gets a serialization failure and
        tries again.

        :param holders: as for :meth:`_find`.
        """
        accounts = self._find(holders)
        missing = sorted(set(holders) - set(accounts))
        if not missing:
            return accounts
        self.env.execute_query(
            SQL(
                """
                WITH account AS (
                    INSERT INTO helpdesk_incident_account
                           (partner_id, company_id, revision,
                            create_uid, create_date, write_uid, write_date)
                    SELECT v.partner_id, v.company_id, 0,
                           %(uid)s, %(now)s, %(uid)s, %(now)s
                      FROM (VALUES %(missing)s) AS v(partner_id, company_id)
                    ON CONFLICT (partner_id, company_id) DO NOTHING
                    RETURNING id
                )
                INSERT INTO helpdesk_incident_allotment
                       (account_id, kind, target, to_grant, granted, used, lapsed,
                        balance, create_uid, create_date, write_uid, write_date)
                SELECT id, 'lifetime', 0, 0, 0, 0, 0, 0,
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM account
                """,
                missing=SQL(", ").join(SQL("(%s, %s)", *holder) for holder in missing),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self._invalidate_balances()
        return self._find(holders)

    @api.model
    def _mine(self):
        """Return the account of the current user's customer in the current company,
        with superuser rights: what a portal page may show (R11.6)."""
        return self._of(self.env.user.partner_id, self.env.company)

    # ------------------------------------------------------------------
    # The verbs
    # ------------------------------------------------------------------

    def _lock(self):
        """Serialize operations on these accounts (R3.6), until the transaction ends.

        A row lock alone would not do: after waiting for it, a REPEATABLE READ
        transaction still sees its old snapshot. Therefore each verb also *writes* to
        the row. Whoever comes second then gets a serialization failure, and HTTP and
        RPC requests are tried again by Odoo, with a new snapshot.
        """
        if self:
            self.env.cr.execute(
                SQL(
                    """
                    WITH account AS (
                        SELECT id FROM helpdesk_incident_account
                         WHERE id IN %s ORDER BY id FOR NO KEY UPDATE
                    )
                    UPDATE helpdesk_incident_account a
                       SET revision = a.revision + 1
                      FROM account WHERE a.id = account.id
                    """,
                    tuple(self.ids),
                )
            )

    @api.model
    def _settle(self, causes):
        """Write the difference between what causes should have given and have given.

        Doing so twice changes nothing; a lower target takes back, a higher one gives
        again, in the same window (R3.4). A period allotment gives back what is unused
        at most (R3.5).

        :param list[Cause] causes: of several with the same key, the last one says what
            should have been given in the end, those before how it came to that; a
            period comes once.
        :return: the number of entries written.
        :rtype: int
        """
        if any(abs(cause.target) > MAX_INCIDENTS for cause in causes):
            raise UserError(self._too_many_message())
        accounts = self.union(*(cause.account for cause in causes)).sudo()
        accounts._lock()
        # What is due is granted with the new targets, what has ended is closed
        # before anything is taken back.
        period_causes = [cause for cause in causes if cause.date_from]
        count = accounts._open_and_close()
        if period_causes:
            self._set_targets(period_causes)
            count += self._post_lines(self._revocation_lines(period_causes))
            count += accounts._open_and_close()
        return count + self._post_lines(
            self._lifetime_lines([c for c in causes if not c.date_from])
        )

    def _adjust(self, quantity, name, cause_key=None, source=None):
        """Give lifetime incidents by hand, or take them back (R7).

        :param int quantity: incidents, below zero to take back.
        :param str name: why, in the customer's words.
        :param str cause_key: what makes a repetition one and the same; by default
            each call counts.
        :param source: the document it comes from, if any.
        :raise UserError: if more would be taken back than was ever given.
        :return: the number of entries written.
        """
        self._lock()
        keys = {
            account: f"{cause_key}:{account.id}"
            if cause_key
            else f"adjustment:{account.id}"
            for account in self
        }
        given = {} if cause_key else self._given(keys.values())
        count = self._settle(
            [
                Cause(
                    account=account,
                    key=key,
                    target=given.get(key, 0) + quantity,
                    kind="adjustment",
                    name=name,
                    source=source,
                )
                for account, key in keys.items()
            ]
        )
        # Not from the fields: while one of them is written, the ORM reads it as zero.
        numbers = self._numbers() if count else {}
        for account in self if count else []:
            granted = numbers[account.id]["lifetime_granted"]
            if quantity < 0 and granted < 0:
                raise UserError(
                    self.env._(
                        "%(customer)s was given %(given)s lifetime incidents in all; "
                        "%(quantity)s cannot be taken back.",
                        customer=account.partner_id.display_name,
                        given=granted - quantity,
                        quantity=-quantity,
                    )
                )
            if granted > MAX_INCIDENTS:
                raise UserError(self._too_many_message())
        return count

    def _adjust_to(self, maximum):
        """Adjust the lifetime incidents ever given to ``maximum`` (R7.1).

        :raise UserError: if ``maximum`` is below zero.
        """
        self.ensure_one()
        if maximum < 0:
            raise UserError(
                self.env._("The maximum number of support incidents is zero or more.")
            )
        self._lock()
        difference = maximum - self._numbers()[self.id]["lifetime_granted"]
        if difference:
            self._adjust(
                difference,
                self._in_customer_language().env._(
                    "Maximum number of incidents set to %(maximum)s", maximum=maximum
                ),
            )

    def _deduct(self, ticket, quantity):
        """Deduct incidents for a ticket, from what is valid today (R4.1, R4.2).

        :param ticket: a ``helpdesk.ticket`` of this account's customer and company.
        :param int quantity: incidents, above zero.
        :raise UserError: if fewer are available; nothing is written then (R4.3).
        :return: how many were taken from which allotment, in order.
        :rtype: list[tuple[recordset, int]]
        """
        self.ensure_one()
        self._lock()
        self._open_and_close()
        legs, missing = [], quantity
        for allotment in self._usable():
            taken = min(missing, max(allotment.balance, 0))
            if taken:
                legs.append((allotment, taken))
                missing -= taken
        if missing:
            raise UserError(self._shortage_message(quantity, quantity - missing))
        self._post_lines(
            [
                self._ticket_line(ticket, allotment, "deduction", -taken)
                for allotment, taken in legs
            ]
        )
        return legs

    def _return(self, ticket, quantity):
        """Return incidents of a ticket to where they came from, last first (R5.1).

        :param ticket: the ``helpdesk.ticket`` that took them.
        :param int quantity: incidents, above zero.
        :raise UserError: if the ticket holds fewer.
        :return: how many went back to which allotment, in order, and what became of
            those that could not be used there any more (R5.3).
        :rtype: list[Returned]
        """
        self.ensure_one()
        self._lock()
        self._open_and_close()
        legs, missing = defaultdict(int), quantity
        for allotment, taken in reversed(self._taken_by(ticket)):
            returned = min(missing, taken)
            if returned:
                legs[allotment] += returned
                missing -= returned
        if missing:
            raise UserError(
                self.env._(
                    "Only %(held)s incidents can be returned from this ticket.",
                    held=quantity - missing,
                )
            )
        today = self.company_id._incident_today()
        to_lifetime = self.company_id.incident_expired_return == "lifetime"
        lines, result = [], []
        for allotment, returned in legs.items():
            lines.append(self._ticket_line(ticket, allotment, "return", returned))
            revoked = lapsed = 0
            if allotment.kind == "period":
                # What was given beyond the target was revoked while it was in use. It
                # is taken back now, so that paying again restores it (R3.4).
                revoked = min(returned, max(allotment.granted - allotment.target, 0))
                if allotment.date_to < today:
                    lapsed = returned - revoked
            if revoked:
                lines.append(self._late_revocation_line(ticket, allotment, revoked))
            if lapsed:
                lines.append(self._late_expiry_line(ticket, allotment, lapsed))
            if lapsed and to_lifetime:
                lines.append(self._kept_line(ticket, lapsed))
            result.append(
                Returned(
                    allotment=allotment,
                    quantity=returned,
                    revoked=revoked,
                    lapsed=0 if to_lifetime else lapsed,
                    kept=lapsed if to_lifetime else 0,
                )
            )
        self._post_lines(lines)
        return result

    def _open_and_close(self):
        """Grant what is due and close what has ended (R9.3). Locked by the caller.

        A period that went by unseen is granted and closed: nothing of it is usable,
        all of it is counted. ``period`` is dated at the beginning of its window,
        ``expiry`` at the end (R3.7).

        :return: the number of entries written.
        :rtype: int
        """
        if not self._is_due():
            return 0
        post = self.env["helpdesk.incident.entry"]._post
        return post(
            self._due_lines(
                condition=DUE,
                values=SQL("m.date_from, 'period', m.to_grant, m.cause_key"),
                text=PERIOD_GRANTED,
            )
        ) + post(
            self._due_lines(
                condition=ENDED,
                values=SQL("m.date_to, 'expiry', -m.balance, 'expiry:' || m.id"),
                text=PERIOD_LAPSED,
            )
        )

    def _merge(self, others):
        """Take over everything that ``others`` hold, and close them (R2.2).

        The one case in which entries change: they move to this account (R3.1).

        :param others: accounts of the same company.
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
        self._invalidate_balances()

    def _merge_references(self, others):
        """Let this account replace ``others`` wherever they are named."""
        lifetime = self._lifetime()
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

    @api.model
    def _replace_source(self, sources, target):
        """Let entries and allotments name ``target`` as the document that they come
        from, in the place of documents that are merged into it (R2.2)."""
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
        self._invalidate_balances()

    def _follow_customers(self, customers):
        """Give these accounts to other customers; those that meet merge (R2.2).

        :param dict customers: the new ``res.partner``, a commercial one, by account.
        """
        for account in self.sudo().sorted("id"):
            customer = customers[account]
            if customer == account.partner_id:
                continue
            there = self._of(customer, account.company_id)
            if there:
                there._merge(account)
            else:
                account._lock()
                self.env.execute_query(
                    SQL(
                        "UPDATE helpdesk_incident_account SET partner_id = %s "
                        "WHERE id = %s",
                        customer.id,
                        account.id,
                    )
                )
                self._invalidate_balances()

    # ------------------------------------------------------------------
    # Parts of the verbs
    # ------------------------------------------------------------------

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

    def _is_due(self):
        return bool(self) and bool(
            self.env.execute_query(
                SQL(
                    "SELECT 1 FROM %s WHERE (%s) OR (%s) LIMIT 1",
                    self._allotments_today(),
                    DUE,
                    ENDED,
                )
            )
        )

    def _due_lines(self, condition, values, text):
        """Return the lines of allotments on which time has worked, as a query.

        :param SQL condition: on the allotment ``m`` and ``today``.
        :param SQL values: date, kind, quantity and cause key of the line.
        :param LazyGettext text: what it says to the customer.
        :rtype: SQL
        """
        return SQL(
            """
            SELECT m.account_id, m.id AS allotment_id,
                   v.date, v.kind, v.quantity, NULL::int4 AS ticket_id, v.cause_key,
                   m.res_model, m.res_id, %(name)s AS name
              FROM %(allotments)s
              JOIN res_partner partner ON partner.id = account.partner_id,
                   LATERAL (VALUES (%(values)s)) AS v(date, kind, quantity, cause_key)
             WHERE %(condition)s
             ORDER BY m.date_from, m.id
            """,
            name=self._in_partner_language(text),
            allotments=self._allotments_today(),
            values=values,
            condition=condition,
        )

    @api.model
    def _post_lines(self, values_list):
        if not values_list:
            return 0
        entry_model = self.env["helpdesk.incident.entry"]
        return entry_model._post(entry_model._lines(values_list))

    def _lifetime(self):
        return (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search([("account_id", "in", self.ids), ("kind", "=", "lifetime")])
        )

    def _usable(self):
        """Return the allotments that are valid today, in the order of R4.2."""
        self.ensure_one()
        today = self.company_id._incident_today()
        return (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search(
                Domain("account_id", "=", self.id)
                & (
                    Domain("kind", "=", "lifetime")
                    | Domain("kind", "=", "period")
                    & (Domain("balance", "!=", 0) | Domain("to_grant", "!=", 0))
                    & Domain("date_from", "<=", today)
                    & Domain("date_to", ">=", today)
                )
            )
        )

    @api.model
    def _legs_text(self, legs):
        """Return numbers of incidents and their validity in words.

        :param legs: pairs of an allotment and a number.
        :rtype: str
        """
        return "; ".join(
            self.env._(
                "%(number)s %(validity)s",
                number=number,
                validity=allotment.with_env(self.env).display_name,
            )
            for allotment, number in legs
        )

    def _breakdown(self):
        """Return what tickets can use today, in the order of R4.2.

        What is due but not granted yet is included (R9.3).

        :rtype: list[tuple[recordset, int]]
        """
        return [
            (allotment, number)
            for allotment in (self._usable() if self else ())
            if (number := allotment.balance + allotment.to_grant) > 0
        ]

    def _preview(self, quantity):
        """Return what a deduction of ``quantity`` would take today, in order.

        :rtype: list[tuple[recordset, int]]
        """
        legs = []
        for allotment, number in self._breakdown():
            if quantity > 0:
                legs.append((allotment, min(number, quantity)))
                quantity -= number
        return legs

    def _used_in_all(self):
        """Return how many incidents were used over the whole time, of all kinds."""
        [[used]] = (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            ._read_group([("account_id", "in", self.ids)], [], ["used:sum"])
        )
        return used or 0

    def _statement(self, limit=None, offset=0):
        """Return the entries of this account, newest first."""
        return (
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search([("account_id", "in", self.ids)], limit=limit, offset=offset)
        )

    def _statement_count(self):
        return (
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search_count([("account_id", "in", self.ids)])
        )

    def _has_entry(self, kind):
        """Return whether this account ever had an entry of this kind."""
        return bool(
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search_count([("account_id", "=", self.id), ("kind", "=", kind)], limit=1)
        )

    @api.model
    def _given(self, keys):
        """Return what causes have given so far, by key."""
        return dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT cause_key, SUM(quantity)::int4
                      FROM helpdesk_incident_entry
                     WHERE cause_key IN %s GROUP BY cause_key
                    """,
                    tuple(keys) or ("",),
                )
            )
        )

    @api.model
    def _lifetime_lines(self, causes):
        given = self._given({cause.key for cause in causes}) if causes else {}
        self._check_causes(causes)
        accounts = self.union(*(cause.account for cause in causes))
        lifetime = {a.account_id.id: a for a in accounts._lifetime()}
        lines = []
        for cause in causes:
            difference = cause.target - given.get(cause.key, 0)
            if difference:
                lines.append(
                    self._cause_line(cause, lifetime[cause.account.id], difference)
                )
                given[cause.key] = cause.target
        return lines

    @api.model
    def _check_causes(self, causes):
        """Check that no cause has given to another account than it now names.

        :raise ValueError: if one has; that account is not locked.
        """
        rows = (
            self.env.execute_query(
                SQL(
                    """
                SELECT e.cause_key, e.account_id
                  FROM helpdesk_incident_entry e
                  LEFT JOIN (VALUES %s) AS cause(key, account_id)
                    ON cause.key = e.cause_key AND cause.account_id = e.account_id
                 WHERE e.cause_key IN %s AND cause.key IS NULL
                 GROUP BY e.cause_key, e.account_id HAVING SUM(e.quantity) <> 0
                """,
                    SQL(", ").join(
                        SQL("(%s, %s)", cause.key, cause.account.id) for cause in causes
                    ),
                    tuple(cause.key for cause in causes),
                )
            )
            if causes
            else []
        )
        if rows:
            raise ValueError(f"These causes belong to other accounts: {rows}")

    @api.model
    def _set_targets(self, causes):
        """Open the period allotments of ``causes``, or set their targets."""
        values = [
            (
                cause.account.id,
                cause.key,
                cause.date_from,
                cause.date_to,
                cause.target,
                cause.source._name if cause.source is not None else None,
                cause.source.id if cause.source is not None else None,
            )
            for cause in causes
        ]
        columns = "account_id cause_key date_from date_to target res_model res_id"
        self.env.execute_query(
            SQL(
                """
                INSERT INTO helpdesk_incident_allotment AS m
                       (%(columns)s, kind, to_grant, granted, used, lapsed, balance,
                        create_uid, create_date, write_uid, write_date)
                SELECT %(columns)s, 'period', target, 0, 0, 0, 0,
                       %(uid)s, %(now)s, %(uid)s, %(now)s
                  FROM (VALUES %(values)s) AS v(%(columns)s)
                ON CONFLICT (cause_key) WHERE cause_key IS NOT NULL
                DO UPDATE SET target = EXCLUDED.target,
                              to_grant = GREATEST(EXCLUDED.target - m.granted, 0),
                              write_uid = EXCLUDED.write_uid,
                              write_date = EXCLUDED.write_date
                        WHERE m.target <> EXCLUDED.target
                """,
                columns=SQL(", ").join(map(SQL.identifier, columns.split())),
                values=SQL(", ").join(
                    SQL("(%s, %s, %s::date, %s::date, %s, %s, %s::int4)", *row)
                    for row in values
                ),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self._invalidate_balances()
        mine = {cause.key: cause.account.id for cause in causes}
        for allotment in (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search([("cause_key", "in", list(mine))])
        ):
            if allotment.account_id.id != mine[allotment.cause_key]:
                raise ValueError(f"{allotment.cause_key} belongs to another account")

    @api.model
    def _revocation_lines(self, causes):
        by_key = {cause.key: cause for cause in causes}
        allotments = (
            self.env["helpdesk.incident.allotment"]
            .sudo()
            .search([("cause_key", "in", list(by_key)), ("balance", ">", 0)])
        )
        return [
            self._cause_line(by_key[allotment.cause_key], allotment, -unused)
            for allotment in allotments
            if (unused := min(allotment.balance, allotment.granted - allotment.target))
            > 0
        ]

    def _taken_by(self, ticket):
        """Return what ``ticket`` holds, allotment by allotment, first taken first.

        :rtype: list[list[recordset, int]]
        """
        legs = []
        for entry in (
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search(
                [
                    ("ticket_id", "=", ticket.id),
                    ("account_id", "=", self.id),
                    ("kind", "in", ("deduction", "return")),
                ],
                order="id",
            )
        ):
            if entry.kind == "deduction":
                legs.append([entry.allotment_id, -entry.quantity])
                continue
            returned = entry.quantity
            for leg in reversed(legs):
                if leg[0] == entry.allotment_id:
                    leg_returned = min(returned, leg[1])
                    leg[1] -= leg_returned
                    returned -= leg_returned
        return legs

    # -- lines ---------------------------------------------------------

    @api.model
    def _cause_line(self, cause, allotment, difference):
        taken_back = difference < 0 and cause.kind != "adjustment"
        return {
            "account_id": cause.account.id,
            "allotment_id": allotment.id,
            "date": cause.account.company_id._incident_today(),
            "kind": "revocation" if taken_back else cause.kind,
            "quantity": difference,
            "cause_key": cause.key,
            "res_model": cause.source._name if cause.source is not None else None,
            "res_id": cause.source.id if cause.source is not None else None,
            "name": cause.name,
        }

    def _ticket_line(self, ticket, allotment, kind, quantity):
        return {
            "account_id": self.id,
            "allotment_id": allotment.id,
            "date": self.company_id._incident_today(),
            "kind": kind,
            "quantity": quantity,
            "ticket_id": ticket.id,
            "cause_key": f"ticket:{ticket.id}",
            "res_model": ticket._name,
            "res_id": ticket.id,
            "name": self._ticket_name(ticket),
        }

    def _late_expiry_line(self, ticket, allotment, quantity):
        return dict(
            self._ticket_line(ticket, allotment, "expiry", -quantity),
            date=allotment.date_to,
            cause_key=f"expiry:{allotment.id}",
            name=self._in_customer_language().env._(
                "%(ticket)s: returned after the period had ended",
                ticket=self._ticket_name(ticket),
            ),
        )

    def _late_revocation_line(self, ticket, allotment, quantity):
        return dict(
            self._ticket_line(ticket, allotment, "revocation", -quantity),
            cause_key=allotment.cause_key,
            name=self._in_customer_language().env._(
                "%(ticket)s: returned to a period that is not paid any more",
                ticket=self._ticket_name(ticket),
            ),
        )

    def _kept_line(self, ticket, quantity):
        return dict(
            self._ticket_line(ticket, self._lifetime(), "adjustment", quantity),
            name=self._in_customer_language().env._(
                "%(ticket)s: returned after the period had ended, "
                "kept as lifetime incidents",
                ticket=self._ticket_name(ticket),
            ),
        )

    def _ticket_name(self, ticket):
        return self._in_customer_language().env._(
            "Ticket %(number)s: %(title)s", number=ticket.number, title=ticket.name
        )

    # -- words ---------------------------------------------------------

    def _in_customer_language(self):
        return self.with_context(lang=self.partner_id.lang or self.env.lang)

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

    @api.model
    def _too_many_message(self):
        return self.env._(
            "A customer can be given at most %(limit)s incidents.",
            limit=f"{MAX_INCIDENTS:,}",
        )

    @api.model
    def _shortage_message(self, needed, available):
        """R4.3"""
        return self.env._(
            "Not enough support incidents: %(needed)s needed, %(available)s available.",
            needed=needed,
            available=available,
        )

    # -- caches and rights ---------------------------------------------

    @api.model
    def _invalidate_balances(self):
        """Forget what the ORM has read of the ledger: SQL has changed it."""
        for name in ("account", "allotment", "entry"):
            self.env[f"helpdesk.incident.{name}"].invalidate_model(flush=False)
        # What shows the numbers elsewhere is computed from them, never stored.
        for name in ("res.partner", "helpdesk.ticket"):
            model = self.env[name]
            model.invalidate_model(
                [
                    field.name
                    for field in model._fields.values()
                    if field.name.startswith("incident_") and field.compute
                ],
                flush=False,
            )

    @api.model
    def _check_manager(self):
        """R7.3

        :raise AccessError: if the user may not adjust incidents.
        """
        if not self.env.user.has_group("helpdesk_mgmt.group_helpdesk_manager"):
            raise AccessError(
                self.env._("Only helpdesk managers may adjust support incidents.")
            )
