from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...fields import WholeNumber

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
#: The allotments that they need. An index has the open ones, and does not grow with the
#: history.
OPEN = SQL("m.balance <> 0 OR m.to_grant <> 0")
LIFETIME = SQL("m.kind = 'lifetime'")

#: Allotments that are due to be granted, and that have ended and hold something (R9.3).
DUE = SQL("m.kind = 'period' AND m.to_grant <> 0 AND m.date_from <= today.day")
ENDED = SQL("m.kind = 'period' AND m.balance <> 0 AND m.date_to < today.day")


class HelpdeskIncidentAccount(models.Model):
    """The incident account of one customer in one company (R2), and the verbs.

    A company and its branches are one: the account belongs to the root company (R2.3).
    Whoever asks for the account of a document names the company of the document.

    The verbs are the only way to change a balance. Each locks the account first
    (:meth:`_lock`), grants what is due and closes what has ended, and only then looks
    at the balances:

    * ``_settle``: causes say what should have been given by now, and ``_adjust``: by
      hand (``account_settle.py``);
    * ``_deduct`` and ``_return``: for a document (``account_use.py``);
    * ``_open_and_close``: time passes (``account_time.py``);
    * ``_merge``: customers become one (``account_merge.py``).

    This file has what an account is, its numbers, and how it is found and opened.
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

    @api.model
    def _check_manager(self):
        """Raise an error if the user may not adjust by hand (R7.3). Roles are not known
        here, so nobody may; the override that knows them says who may."""
        if not self.env.su:
            raise self._closed_error()

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
        :param company: a ``res.company``, the root company or a branch.
        :param bool create: open the account if there is none (R2.1).
        :return: the account with superuser rights, empty if there is none.
        """
        customer = partner.sudo().commercial_partner_id
        if not customer or not company:
            return self.sudo().browse()
        holder = (customer.id, company.id)
        accounts = self._find([holder])
        if create and not accounts:
            accounts = self._get_or_create([holder])
        return accounts.get(holder, self.sudo().browse())

    @api.model
    def _find(self, holders):
        """Return the accounts of customers, by holder.

        :param holders: pairs of ids: of a commercial partner and a company, the root
            company or a branch.
        :return: accounts with superuser rights.
        :rtype: dict[tuple[int, int], recordset]
        """
        roots = self._roots(holders)
        if not roots:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner_id, company_id, id FROM helpdesk_incident_account
                 WHERE (partner_id, company_id) IN %s ORDER BY id
                """,
                tuple(set(roots.values())),
            )
        )
        accounts = self.sudo().browse([account_id for *_holder, account_id in rows])
        for position, name in enumerate(("partner_id", "company_id")):
            self._fields[name]._insert_cache(accounts, [row[position] for row in rows])
        found = {
            (partner_id, company_id): account
            for account, (partner_id, company_id, _id) in zip(
                accounts, rows, strict=True
            )
        }
        return {holder: found[root] for holder, root in roots.items() if root in found}

    @api.model
    def _roots(self, holders):
        """Return the same holders with the root company of each (R2.3). A customer that
        is being typed in has no id yet, and is left out.

        :rtype: dict[tuple[int, int], tuple[int, int]]
        """
        company_model = self.env["res.company"]
        return {
            holder: (holder[0], company_model.browse(holder[1])._incident_root_id())
            for holder in holders
            if all(holder)
        }

    @api.model
    def _get_or_create(self, holders):
        """Return the accounts of customers, and open those that are missing (R2.1).

        If two transactions do this at once, one opens the account; the other gets a
        serialization failure and is retried. So is a transaction that moves the contact
        to another customer at the same moment (R2.2), because the row of the contact is
        written here, too: otherwise the account would belong to nobody.

        :param holders: as for :meth:`_find`.
        """
        accounts = self._find(holders)
        missing = sorted(set(self._roots(set(holders) - set(accounts)).values()))
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
    def _holder_of(self, document):
        """Return whose incidents a document takes, as :meth:`_find` takes it.

        :param document: a ``helpdesk.incident.consumer``.
        :rtype: tuple[int, int]
        """
        partner, company = document.sudo()._incident_holder()
        return partner.commercial_partner_id._origin.id, company._origin.id

    @api.model
    def _holders_of(self, documents):
        """Return the holders of these documents, as :meth:`_find` takes them.

        :param documents: records with a ``partner_id`` and a ``company_id``.
        :rtype: set[tuple[int, int]]
        """
        return {
            (document.partner_id.commercial_partner_id.id, document.company_id.id)
            for document in documents
        }

    def _holders(self):
        """Return the holders of these accounts: pairs of ids, of a partner and a
        company.

        :rtype: set[tuple[int, int]]
        """
        return {(account.partner_id.id, account.company_id.id) for account in self}

    # ------------------------------------------------------------------
    # What every verb ends with
    # ------------------------------------------------------------------

    @api.model
    def _post_lines(self, values_list, is_new=False):
        if not values_list:
            return 0
        self.env["helpdesk.incident.entry"]._post_values(values_list, is_new)
        return len(values_list)
