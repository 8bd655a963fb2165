from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: What an entry does to the numbers of its allotment: it adds to what was granted, used
#: or lapsed.
EFFECTS = [("gives", "Given"), ("uses", "Used"), ("lapses", "Lapsed")]

#: The columns of a line that every entry has, with their PostgreSQL types.
LINE_COLUMNS = {
    "account_id": "int4",
    "allotment_id": "int4",
    "date": "date",
    "kind": "varchar",
    "quantity": "int4",
    "cause_key": "varchar",
    "res_model": "varchar",
    "res_id": "int4",
    "name": "varchar",
}


#: What entries do to the numbers of their allotment.
MOVED = {
    number: SQL("COALESCE(SUM(quantity) FILTER (WHERE effect = %s), 0)", effect)
    for number, effect in (("granted", "gives"), ("used", "uses"), ("lapsed", "lapses"))
}


class HelpdeskIncidentEntry(models.Model):
    """One line of the append-only ledger (R3).

    Entries come into being in one place, :meth:`_posting`, which also keeps the numbers
    of the allotments equal to the sums of their entries.
    """

    _name = "helpdesk.incident.entry"
    _inherit = "helpdesk.incident.ledger"
    _description = "Support Incident Entry"
    _order = "date desc, id desc"

    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="account_id.company_id")
    allotment_id = fields.Many2one(
        comodel_name="helpdesk.incident.allotment",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    date = fields.Date(
        required=True,
        readonly=True,
        index=True,
        help="The day on which it happened, in the time zone of the company.",
    )
    kind = fields.Selection(
        selection=[
            ("registration", "New client"),
            ("first_payment", "First payment"),
            ("topup", "Funds added"),
            ("purchase", "Purchase"),
            ("period", "New period"),
            ("adjustment", "Adjustment"),
            ("revocation", "Revocation"),
            ("deduction", "Deduction"),
            ("return", "Return"),
            ("expiry", "Expiry"),
        ],
        required=True,
        readonly=True,
    )
    effect = fields.Selection(
        selection=EFFECTS,
        required=True,
        readonly=True,
        help="Which number of its allotment it changes. It follows from the kind.",
    )
    quantity = fields.Integer(
        string="Incidents",
        required=True,
        readonly=True,
        help="Above zero what came in, below zero what went out.",
    )
    cause_key = fields.Char(
        required=True,
        readonly=True,
        help="What made this entry. All entries of one cause have the same key.",
    )
    cause_number = fields.Integer(
        required=True,
        readonly=True,
        help="The running number of the entry among those of its cause.",
    )
    res_model = fields.Char(string="Source Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Source", model_field="res_model", readonly=True, index="btree_not_null"
    )
    name = fields.Char(string="Description", required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Done by",
        required=True,
        readonly=True,
        ondelete="restrict",
    )

    # R3.4: the last safeguard, should the lock fail.
    _cause_uniq = models.UniqueIndex(
        "(cause_key, cause_number)",
        "This has been counted already.",
    )
    _statement_idx = models.Index("(account_id, date DESC, id DESC)")
    # What accountants have to look at entry by entry (R12.4): what was returned, taken
    # back or given again. It is small, however long the history.
    _exception_idx = models.Index(
        "(allotment_id) WHERE effect = 'uses' AND quantity > 0 "
        "OR effect = 'gives' AND (quantity < 0 OR cause_number > 1)"
    )
    _quantity_check = models.Constraint(
        "CHECK (quantity <> 0)", "An entry moves at least one incident."
    )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_open_source(self):
        """Open the document that this entry comes from (R3.8).

        :return: a window action, or False if the entry has no other source.
        """
        self.ensure_one()
        self.check_access("read")
        if not self.res_model or self.res_model not in self.env:
            return False
        if not self.env[self.res_model].browse(self.res_id).exists():
            raise UserError(
                self.env._("The document that this entry comes from was deleted.")
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _kind_effects(self):
        """Return the effect of each kind that does not give (R3.2). An override that
        adds a kind that uses, or lapses, says so here.

        :rtype: dict[str, str]
        """
        return {"deduction": "uses", "return": "uses", "expiry": "lapses"}

    @api.model
    def _effect_of(self, kind):
        """Return the effect of a kind, as SQL.

        :param str kind: a column.
        :rtype: str
        """
        cases = (f"WHEN '{k}' THEN '{e}'" for k, e in self._kind_effects().items())
        return f"CASE {kind} {' '.join(cases)} ELSE 'gives' END"

    @api.model
    def _line_columns(self):
        """Return the columns of a line with their PostgreSQL types. An override that
        adds a column also fills it, in ``_incident_entry_values`` of the documents that
        take incidents.

        :rtype: dict[str, str]
        """
        return LINE_COLUMNS

    @api.model
    def _lines(self, values_list):
        """Return ``values_list`` as a query that :meth:`_post` takes.

        :param list[dict] values_list: lines with the keys of :meth:`_line_columns`;
            absent ones are NULL.
        :rtype: SQL
        """
        columns = self._line_columns()
        return SQL(
            "SELECT * FROM unnest(%s) AS line(%s)",
            SQL(", ").join(
                SQL(
                    f"%s::{column_type}[]",
                    [values.get(column) or None for values in values_list],
                )
                for column, column_type in columns.items()
            ),
            SQL(", ").join(map(SQL.identifier, columns)),
        )

    @api.model
    def _post(self, lines, columns=tuple(LINE_COLUMNS)):
        """Write entries, and add them to the numbers of their allotments.

        Only :meth:`_posting` writes entries and numbers, and it does so in one
        statement: if R3.3 held before, it holds afterwards. The caller holds the lock
        of every account concerned (``helpdesk.incident.account._lock``).

        :param SQL lines: a query with ``columns``, in the order in which the entries
            are to be numbered.
        :return: the number of entries written.
        :rtype: int
        """
        [(count,)] = self.env.execute_query(
            SQL(
                "WITH %s SELECT COALESCE(SUM(entries), 0) FROM allotment",
                self._posting(lines, columns),
            )
        )
        self.env["helpdesk.incident.account"]._invalidate_balances()
        return int(count)

    @api.model
    def _posting(self, lines, columns):
        """Return what :meth:`_post` does with ``lines``, as parts of a ``WITH``, for
        code that does more in the same statement.

        :rtype: SQL
        """
        return SQL(
            """
                entry AS (
                    INSERT INTO helpdesk_incident_entry
                           (%(columns)s, effect, cause_number, user_id,
                            create_uid, create_date, write_uid, write_date)
                    SELECT %(columns)s, %(effect)s,
                           COALESCE((SELECT e.cause_number
                                       FROM helpdesk_incident_entry e
                                      WHERE e.cause_key = line.cause_key
                                      ORDER BY e.cause_number DESC
                                      LIMIT 1), 0)
                           + row_number() OVER (PARTITION BY cause_key
                                                    ORDER BY position),
                           %(uid)s, %(uid)s, %(now)s, %(uid)s, %(now)s
                      FROM (SELECT %(columns)s, row_number() OVER () AS position
                              FROM (%(lines)s) AS line) AS line
                     ORDER BY position
                    RETURNING allotment_id, effect, quantity
                ), moved AS (
                    SELECT allotment_id,
                           COUNT(*) AS entries,
                           SUM(quantity) AS balance,
                           -%(used)s AS used,
                           -%(lapsed)s AS lapsed
                      FROM entry
                     GROUP BY allotment_id
                ), allotment AS (
                    UPDATE helpdesk_incident_allotment a
                       SET balance = a.balance + moved.balance,
                           -- What is neither used nor lapsed was granted.
                           granted = a.granted
                               + moved.balance + moved.used + moved.lapsed,
                           used = a.used + moved.used,
                           lapsed = a.lapsed + moved.lapsed,
                           to_grant = CASE a.kind WHEN 'period' THEN
                               GREATEST(a.target - a.granted
                                   - moved.balance - moved.used - moved.lapsed, 0)
                               ELSE 0 END,
                           write_uid = %(uid)s,
                           write_date = %(now)s
                      FROM moved
                     WHERE a.id = moved.allotment_id
                    RETURNING moved.entries
                )
            """,
            columns=SQL(", ".join(columns)),
            lines=lines,
            effect=SQL(self._effect_of("kind")),
            uid=self.env.uid,
            now=self.env.cr.now(),
            used=MOVED["used"],
            lapsed=MOVED["lapsed"],
        )
