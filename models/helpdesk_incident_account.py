from psycopg2.errors import SerializationFailure

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL

from ..fields import WholeNumber

#: The numbers of an account, each as SQL over its allotments (aliased ``m``) and the
#: account's today. They are stored nowhere else: nothing can differ from the ledger.
CURRENT = SQL("m.kind = 'period' AND today.day BETWEEN m.date_from AND m.date_to")
LIFETIME_NUMBERS = {
    "lifetime_granted": SQL("SUM(m.granted) FILTER (WHERE m.kind = 'lifetime')"),
    "lifetime_used": SQL("SUM(m.used) FILTER (WHERE m.kind = 'lifetime')"),
}
OPEN_NUMBERS = {
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
NUMBERS = {**LIFETIME_NUMBERS, **OPEN_NUMBERS}
#: Which allotments they need: those that are open have an index, which does not grow
#: with the history.
OPEN = SQL("m.balance <> 0 OR m.to_grant <> 0")
LIFETIME = SQL("m.kind = 'lifetime'")

#: What time does to an allotment (R9.3).
DUE = SQL("m.kind = 'period' AND m.to_grant <> 0 AND m.date_from <= today.day")
ENDED = SQL("m.kind = 'period' AND m.balance <> 0 AND m.date_to < today.day")

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

#: How often to wait for a lock that others got first, each time after one of them.
WAITS = 50

#: Where a transaction notes that it has locked accounts.
LOCKED = "helpdesk_paid_support.locked"


class HelpdeskIncidentAccount(models.Model):
    """The incident account of one customer in one company (R2), and the verbs.

    The verbs are the only way to change a balance. Each locks the account first
    (:meth:`_lock`), grants what is due and closes what has ended, and only then looks
    at the balances:

    * ``_settle``: causes say what should have been given by now, and ``_adjust``: by
      hand (``helpdesk_incident_settle.py``);
    * ``_deduct`` and ``_return``: for a ticket (``helpdesk_incident_use.py``);
    * ``_open_and_close``: time passes (``helpdesk_incident_time.py``);
    * ``_merge``: customers become one (``helpdesk_incident_merge.py``).

    This file has what an account is and shows.
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

    def _numbers_query(self, companies, condition, names=tuple(NUMBERS)):
        """Return a query of numbers of the accounts that meet ``condition``; accounts
        without a row have zeros.

        :param companies: the ``res.company`` records of these accounts.
        :param SQL condition: on ``account``, the table of the accounts.
        :param names: which of the ``NUMBERS``; all, unless said otherwise.
        :rtype: SQL
        """
        needed = [
            allotments
            for allotments, numbers in (
                (LIFETIME, LIFETIME_NUMBERS),
                (OPEN, OPEN_NUMBERS),
            )
            if not numbers.keys().isdisjoint(names)
        ]
        return SQL(
            """
            SELECT account.id AS account_id, %(numbers)s
              FROM helpdesk_incident_account account
              JOIN %(today)s AS today(company_id, day) USING (company_id)
              JOIN helpdesk_incident_allotment m ON m.account_id = account.id
             WHERE (%(needed)s) AND %(condition)s
             GROUP BY account.id
            """,
            numbers=SQL(", ").join(
                SQL("%s AS %s", NUMBERS[name], SQL.identifier(name)) for name in names
            ),
            needed=SQL(" OR ").join(needed),
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
        companies = self.env["res.company"]._incident_companies()
        lifetime = field_expr in LIFETIME_NUMBERS
        names = LIFETIME_NUMBERS if lifetime else OPEN_NUMBERS
        numbers = query.make_alias(alias, "lifetime" if lifetime else "open")
        query.add_join(
            "LEFT JOIN",
            numbers,
            SQL("(%s)", self._numbers_query(companies, SQL("TRUE"), names)),
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
        return self._sql_domain(self._fields[name], operator, value)

    @api.model
    def _sql_domain(self, field, operator, value):
        """Return a domain on a field that :meth:`_field_to_sql` knows."""
        return Domain.custom(
            to_sql=lambda model, alias, query: field.condition_to_sql(
                field.name, operator, value, model, alias, query
            )
        )

    def _inverse_lifetime_granted(self):
        """R7.1: write the difference as an adjustment."""
        self._check_manager()
        maxima = {account: account.lifetime_granted for account in self}
        self.sudo()._lock()
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
        # A customer that is being typed in has no id yet.
        saved = tuple(holder for holder in holders if all(holder))
        if not saved:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner_id, company_id, id FROM helpdesk_incident_account
                 WHERE (partner_id, company_id) IN %s ORDER BY id
                """,
                saved,
            )
        )
        accounts = self.sudo().browse([account_id for *_holder, account_id in rows])
        for position, name in enumerate(("partner_id", "company_id")):
            self._fields[name]._insert_cache(accounts, [row[position] for row in rows])
        return {
            (partner_id, company_id): account
            for account, (partner_id, company_id, _id) in zip(
                accounts, rows, strict=True
            )
        }

    @api.model
    def _open(self, holders):
        """Return the accounts of customers, and open those that there are not (R2.1).

        Two at once: one opens an account, the other gets a serialization failure and
        tries again. So does who moves the contact to another customer at the same
        moment (R2.2), as its row is written, too: else the account would be nobody's.

        :param holders: as for :meth:`_find`.
        """
        accounts = self._find(holders)
        missing = sorted(set(holders) - set(accounts))
        if not missing:
            return accounts
        self._note_lock()
        self.env.execute_query(
            SQL(
                """
                WITH customer AS (
                    SELECT id FROM res_partner WHERE id IN %(customers)s
                     ORDER BY id FOR NO KEY UPDATE
                ), written AS (
                    UPDATE res_partner p
                       SET commercial_partner_id = p.commercial_partner_id
                      FROM customer WHERE p.id = customer.id
                ), account AS (
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
                customers=tuple({partner_id for partner_id, _company_id in missing}),
                missing=SQL(", ").join(SQL("(%s, %s)", *holder) for holder in missing),
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self._invalidate_balances()
        return self._find(holders)

    @api.model
    def _holders_of(self, documents):
        """Return whose documents these are, as :meth:`_find` takes them.

        :param documents: records with a ``partner_id`` and a ``company_id``.
        :rtype: set[tuple[int, int]]
        """
        return {
            (document.partner_id.commercial_partner_id.id, document.company_id.id)
            for document in documents
        }

    def _holders(self):
        """Return whose these are: pairs of ids, of a partner and a company.

        :rtype: set[tuple[int, int]]
        """
        return {(account.partner_id.id, account.company_id.id) for account in self}

    @api.model
    def _mine(self):
        """Return the account of the current user's customer in the current company,
        with superuser rights: what a portal page may show (R11.6)."""
        return self._of(self.env.user.partner_id, self.env.company)

    # ------------------------------------------------------------------
    # What every verb begins and ends with
    # ------------------------------------------------------------------

    def _lock(self):
        """Serialize operations on these accounts (R3.6), until the transaction ends.

        A row lock alone would not do: after waiting for it, a REPEATABLE READ
        transaction still sees its old snapshot. Therefore each verb also *writes* to
        the row. Whoever comes second then gets a serialization failure, and HTTP and
        RPC requests are tried again by Odoo, with a new snapshot.

        :return: those of these accounts on which time has worked since (R9.3).
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
            # Who comes second is tried again: that is no error.
            log_exceptions=False,
        )
        return self.browse([account_id for (account_id,) in self.env.cr.fetchall()])

    @api.model
    def _holding(self, partner, company):
        """Return the condition that the account of a customer meets.

        :param partner: a ``res.partner``, any contact of the customer.
        :rtype: SQL
        """
        return SQL(
            "(partner_id, company_id) = (%s, %s)",
            partner.commercial_partner_id.id or None,
            company.id or None,
        )

    @api.model
    def _locking(self, condition):
        """Return ``LOCK`` of the accounts that meet a condition.

        :param SQL condition: on the table of the accounts.
        :rtype: SQL
        """
        return SQL(LOCK, self._kept(condition))

    @api.model
    def _kept(self, condition):
        """Keep the condition of what is locked, and return it: should this try of a
        request be in vain, the next one begins with it (``ir.http``)."""
        self._note_lock()
        # Not what has a cursor of its own, as a scheduled action run by hand has: were
        # that locked beforehand, it would wait for ever.
        if request and request.env and request.env.cr is self.env.cr:
            vars(request).setdefault("incident_locks", set()).add(condition)
        return condition

    @api.model
    def _lock_ahead(self, holders):
        """Lock the accounts of customers, as far as they have one, before other rows
        that somebody else may wait for: the next number of a journal, an order, a
        transaction. So everybody waits in one order, for accounts first, and nobody
        for each other. All that a request may need, at once: it is in the order of
        their ids.

        :param holders: as for :meth:`_find`.
        """
        saved = tuple(sorted({holder for holder in holders if all(holder)}))
        if saved:
            condition = self._kept(SQL("(partner_id, company_id) IN %s", saved))
            self.env.cr.execute(SQL(ROWS, condition), log_exceptions=False)

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

    @api.model
    def _note_lock(self):
        """Note that this transaction locks accounts, until it ends."""
        # Emptied by commit and rollback alike.
        self.env.cr.prerollback.data[LOCKED] = True

    @api.model
    def _has_lock(self):
        """Return whether this transaction has locked accounts, or may have: then it
        prints nothing, mails nothing and asks no provider (R3.6), but lets that follow
        the commit (``helpdesk.incident.outbox``).

        :rtype: bool
        """
        return LOCKED in self.env.cr.prerollback.data

    @api.model
    def _post_lines(self, values_list):
        if not values_list:
            return 0
        entry_model = self.env["helpdesk.incident.entry"]
        return entry_model._post(entry_model._lines(values_list))

    # ------------------------------------------------------------------
    # What it holds, in numbers and words
    # ------------------------------------------------------------------

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
            .search_fetch(
                Domain("account_id", "=", self.id)
                & (
                    Domain("kind", "=", "lifetime")
                    | Domain("kind", "=", "period")
                    & (Domain("balance", "!=", 0) | Domain("to_grant", "!=", 0))
                    & Domain("date_from", "<=", today)
                    & Domain("date_to", ">=", today)
                ),
                ["kind", "date_to", "balance", "to_grant"],
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
            if quantity <= 0:
                break
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

    def _in_customer_language(self):
        return self._in_language_of(self.partner_id)

    def _in_language_of(self, customer):
        return self.with_context(lang=customer.lang or self.env.lang)

    # -- caches and rights ---------------------------------------------

    @api.model
    def _invalidate_ledger(self):
        """Forget what the ORM has read of the ledger: SQL has changed it."""
        self.env["helpdesk.incident.entry"].invalidate_model(flush=False)
        for model_name, names in self._balance_fields():
            ours = model_name in (self._name, "helpdesk.incident.allotment")
            self.env[model_name].invalidate_model(None if ours else names, flush=False)

    @api.model
    def _invalidate_balances(self):
        """Forget the numbers that the ORM has read, and which entries there are: SQL
        has written entries."""
        for model_name, names in self._balance_fields():
            fields_ = self.env[model_name]._fields
            for name in names:
                # Not by `invalidate_model`, which goes on to the inverse of each: what
                # an entry belongs to does not change.
                fields_[name]._invalidate_cache(self.env)

    @api.model
    @tools.ormcache()
    def _balance_fields(self):
        """Return the fields that entries change, of each model that has some.

        What shows the numbers outside the ledger is computed from them, never stored.
        """
        return tuple(
            (
                model_name,
                tuple(
                    name
                    for name, field in self.env[model_name]._fields.items()
                    if chosen(field)
                ),
            )
            for model_name, chosen in (
                (
                    "helpdesk.incident.account",
                    lambda field: field.compute or field.type == "one2many",
                ),
                (
                    "helpdesk.incident.allotment",
                    lambda field: (
                        field.type in ("integer", "one2many") and field.name != "id"
                    ),
                ),
                ("res.partner", _shows_balance),
                ("helpdesk.ticket", _shows_balance),
            )
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


def _shows_balance(field):
    return field.name.startswith("incident_") and (
        field.compute or field.type == "one2many"
    )
