from odoo import api, fields, models, tools
from odoo.tools import format_date

from ...fields import MAX_INCIDENTS


class HelpdeskIncidentAllotment(models.Model):
    """Incidents with one validity window (R1).

    Its numbers are caches of the sums of its entries. They are written together with
    the entries, in ``helpdesk.incident.entry._post``; constraints of the database keep
    them consistent among themselves.
    """

    _name = "helpdesk.incident.allotment"
    _inherit = "helpdesk.incident.ledger"
    _description = "Support Incident Allotment"
    # The order of use, which everything reads here (R4.2): the one that ends first,
    # then earlier start, then lower id. A lifetime allotment has no last day: NULL
    # sorts last.
    _order = "date_to, date_from, id"

    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="account_id.company_id")
    kind = fields.Selection(
        selection=[("lifetime", "Lifetime"), ("period", "Period")],
        required=True,
        readonly=True,
    )
    date_from = fields.Date(
        string="First Day", readonly=True, help="The first day of validity, inclusive."
    )
    date_to = fields.Date(
        string="Last Day", readonly=True, help="The last day of validity, inclusive."
    )
    date_period_to = fields.Date(
        string="Last day of its period",
        readonly=True,
        help="What is unused then is carried over, and stays valid to the last day; "
        "empty where nothing is carried over.",
    )
    name = fields.Char(
        string="Description", readonly=True, help="What the incidents come from."
    )
    cause_key = fields.Char(
        readonly=True,
        help="What a period allotment comes from; there is one for each cause.",
    )
    grant_kind = fields.Char(
        string="Kind of its grants",
        readonly=True,
        help="The kind of the entries that give what a period allotment has, where it "
        "is no month of a subscription.",
    )
    res_model = fields.Char(string="Source Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Source", model_field="res_model", readonly=True
    )
    target = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        help="How many incidents the cause of a period allotment says it should give.",
    )
    to_grant = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        help="Incidents still to be granted: on the first day, or at once after it.",
    )
    granted = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        help="Incidents given so far, less those taken back.",
    )
    used = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        help="Incidents deducted for tickets, less those returned.",
    )
    lapsed = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        help="Incidents that were left unused at the end.",
    )
    balance = fields.Integer(
        required=True,
        default=0,
        readonly=True,
        help="What is left: the sum of the entries.",
    )
    entry_ids = fields.One2many(
        comodel_name="helpdesk.incident.entry",
        inverse_name="allotment_id",
        readonly=True,
    )

    _lifetime_uniq = models.UniqueIndex(
        "(account_id) WHERE kind = 'lifetime'",
        "An account has one lifetime allotment.",
    )
    _cause_uniq = models.UniqueIndex(
        "(cause_key) WHERE cause_key IS NOT NULL",
        "A cause has one period allotment.",
    )
    # What the verbs and the lists look at: everything that still holds or expects
    # incidents. It does not grow with the history.
    _open_idx = models.Index("(account_id) WHERE balance <> 0 OR to_grant <> 0")
    _due_idx = models.Index("(date_from) WHERE to_grant <> 0")
    _ended_idx = models.Index("(date_to) WHERE kind = 'period' AND balance <> 0")
    _window_check = models.Constraint(
        """CHECK (CASE kind
            WHEN 'period' THEN date_from <= date_to AND cause_key IS NOT NULL
                AND date_from IS NOT NULL AND date_to IS NOT NULL
                AND (date_period_to IS NULL
                     OR date_from <= date_period_to AND date_period_to < date_to)
            ELSE date_from IS NULL AND date_to IS NULL
                AND date_period_to IS NULL END)""",
        "A period allotment has a first and a last day, and its own period ends before "
        "what is carried over; a lifetime one has neither.",
    )
    _balance_check = models.Constraint(
        "CHECK (balance = granted - used - lapsed)",
        "What is left is what was granted, less what was used or lapsed.",
    )
    # R3.5: the last safeguard, should a verb be wrong.
    _period_check = models.Constraint(
        "CHECK (kind = 'lifetime' OR balance >= 0)",
        "A period allotment is never negative.",
    )
    _granted_check = models.Constraint(
        f"CHECK (granted <= {MAX_INCIDENTS})",
        f"A customer can be given at most {MAX_INCIDENTS:,} incidents.",
    )
    _to_grant_check = models.Constraint(
        "CHECK (to_grant = CASE kind WHEN 'period' "
        "THEN GREATEST(target - granted, 0) ELSE 0 END)",
        "What is to be granted is what should be given, less what was given.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("kind", "date_to", "date_period_to")
    @api.depends_context("lang")
    def _compute_display_name(self):
        """Words as a customer knows them: "valid to May 10, 2027" or "lifetime"."""
        for allotment in self:
            allotment.display_name = self._validity(
                allotment.kind, allotment.date_to, allotment._is_carried()
            )

    def _is_carried(self):
        """Return whether what is left was carried over: its own period has ended
        (R15.3)."""
        self.ensure_one()
        last = self.date_period_to
        return bool(last) and last < self.sudo().company_id._incident_today()

    @api.model
    @tools.ormcache()
    def _order_of_use(self):
        """Return ``_order`` as SQL, of allotments aliased ``m``."""
        allotments = self.sudo()
        return allotments._order_to_sql(self._order, allotments._as_query(), "m")

    @api.model
    def _validity(self, kind, date_to, is_carried=False):
        """Return until when incidents can be used, in words.

        :param bool is_carried: whether their own period has ended (R15.3).
        """
        if kind != "period":
            return self.env._("lifetime")
        date = format_date(self.env, date_to, date_format="medium")
        if is_carried:
            return self.env._("carried over, valid to %(date)s", date=date)
        return self.env._("valid to %(date)s", date=date)
