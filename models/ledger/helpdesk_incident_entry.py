from collections import Counter, defaultdict

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


#: The columns of an entry that say who has written it, and when.
BY = "user_id, create_uid, create_date, write_uid, write_date"
#: The last number of a cause.
LAST_NUMBER = """COALESCE((SELECT MAX(cause_number) FROM helpdesk_incident_entry
    WHERE cause_key = %s), 0)"""
#: How entries move the numbers of their allotments, as ``moved`` has them.
MOVING = """
    UPDATE helpdesk_incident_allotment a
       SET balance = a.balance + moved.granted - moved.used - moved.lapsed,
           granted = a.granted + moved.granted,
           used = a.used + moved.used,
           lapsed = a.lapsed + moved.lapsed,
           to_grant = CASE a.kind WHEN 'period'
               THEN GREATEST(a.target - a.granted - moved.granted, 0) ELSE 0 END,
           write_uid = %s,
           write_date = %s
      FROM moved
     WHERE a.id = moved.allotment_id
"""
#: What entries do to the numbers of their allotment.
MOVED = {
    number: SQL("COALESCE(SUM(quantity) FILTER (WHERE effect = %s), 0)", effect)
    for number, effect in (("granted", "gives"), ("used", "uses"), ("lapsed", "lapses"))
}


class HelpdeskIncidentEntry(models.Model):
    """One line of the append-only ledger (R3).

    Entries come into being in :meth:`_post` and :meth:`_post_values`, which also keep
    the numbers of the allotments equal to the sums of their entries.
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
            ("opening", "Opening balance"),
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
        string="Given, used or lapsed",
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
        source = self.env[self.res_model].browse(self.res_id)
        if not source.exists():
            raise UserError(
                self.env._("The document that this entry comes from was deleted.")
            )
        return source._get_records_action(context={})

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
    def _post(self, lines):
        """Write entries, and add them to the numbers of their allotments, in one
        statement: if R3.3 held before, it holds afterwards. The caller holds the lock
        of every account concerned (``helpdesk.incident.account._lock``).

        Only this method and :meth:`_post_values` write entries and numbers.

        :param SQL lines: a query with ``LINE_COLUMNS``, in the order in which the
            entries are to be numbered.
        :return: the number of entries written.
        :rtype: int
        """
        [(count,)] = self.env.execute_query(
            SQL(
                """
                WITH entry AS (
                    INSERT INTO helpdesk_incident_entry
                           (%(columns)s, cause_number, effect, %(by)s)
                    SELECT %(columns)s,
                           COALESCE((SELECT e.cause_number
                                       FROM helpdesk_incident_entry e
                                      WHERE e.cause_key = line.cause_key
                                      ORDER BY e.cause_number DESC
                                      LIMIT 1), 0)
                           + row_number() OVER (PARTITION BY cause_key
                                                    ORDER BY position),
                           %(effect)s, %(written)s
                      FROM (SELECT %(columns)s, row_number() OVER () AS position
                              FROM (%(lines)s) AS line) AS line
                     ORDER BY position
                    RETURNING allotment_id, effect, quantity
                ), moved AS (
                    SELECT allotment_id, COUNT(*) AS entries,
                           %(granted)s AS granted, -%(used)s AS used,
                           -%(lapsed)s AS lapsed
                      FROM entry
                     GROUP BY allotment_id
                ), allotment AS (%(moving)s RETURNING moved.entries)
                SELECT COALESCE(SUM(entries), 0) FROM allotment
                """,
                columns=SQL(", ".join(LINE_COLUMNS)),
                by=SQL(BY),
                lines=lines,
                effect=SQL(self._effect_of("kind")),
                written=SQL("%s, %s, %s, %s, %s", *self._written()),
                moving=SQL(MOVING, *self._written()[-2:]),
                **MOVED,
            )
        )
        self.env["helpdesk.incident.account"]._invalidate_balances()
        return int(count)

    @api.model
    def _post_values(self, values_list, is_new=False):
        """Do what :meth:`_post` does with a few lines whose values are known: such a
        statement is planned in half the time (docs/performance.md).

        :param list[dict] values_list: lines with the keys of :meth:`_line_columns`;
            absent ones are NULL.
        :param bool is_new: their causes have no entries yet: that is not looked up.
        """
        columns, effects = self._line_columns(), self._kind_effects()
        written = self._written()
        rows, numbers, moved = [], Counter(), defaultdict(Counter)
        for values in values_list:
            key, effect = values["cause_key"], effects.get(values["kind"], "gives")
            numbers[key] += 1
            moved[values["allotment_id"]][effect] += values["quantity"]
            rows += map(values.get, columns)
            rows += [effect, *written, numbers[key]]
            if not is_new:
                rows.append(key)
        marks = ", ".join(["%s"] * (len(columns) + len(written) + 2))
        row = f"({marks})" if is_new else f"({marks} + {LAST_NUMBER})"
        sums = [
            (allotment_id, sums["gives"], -sums["uses"], -sums["lapses"])
            for allotment_id, sums in moved.items()
        ]
        self.env.cr.execute(
            f"WITH entry AS (INSERT INTO helpdesk_incident_entry"
            f" ({', '.join(columns)}, effect, {BY}, cause_number)"
            f" VALUES {', '.join([row] * len(values_list))}),"
            " moved (allotment_id, granted, used, lapsed) AS"
            f" (VALUES {', '.join(['%s'] * len(sums))}) {MOVING}",
            [*rows, *sums, *written[-2:]],
        )
        self.env["helpdesk.incident.account"]._invalidate_balances()

    @api.model
    def _written(self):
        """Return the values of ``BY``."""
        uid, now = self.env.uid, self.env.cr.now()
        return uid, uid, now, uid, now
