from odoo import api, fields, models

from ..subscription.subscription_renewal import PROBLEMS
from ..topup.helpdesk_incident_topup import PROBLEMS as TOPUP_PROBLEMS

KINDS = [
    ("ends", "Subscription ends soon"),
    ("expires", "Incidents expire soon"),
    ("pack_expires", "Bought incidents expire soon"),
    ("low", "Incidents are running low"),
    ("low_salesperson", "Customer runs low (for the salesperson)"),
    ("low_team", "Customer runs low (for the team)"),
    ("taken", "Incidents were taken back"),
    ("renewed", "Subscription was renewed"),
    ("failed", "Subscription was not renewed"),
    ("renewal_on", "Automatic renewal was switched on"),
    ("renewal_off", "Automatic renewal was switched off"),
    ("change_on", "Change of plan was scheduled"),
    ("change_off", "Change of plan was withdrawn"),
    ("parked", "Ticket waits for incidents"),
    ("still_parked", "Ticket still waits for incidents"),
    ("ordered", "Incidents were ordered for a ticket"),
    ("released", "Ticket waits no more"),
    ("refused", "Ticket was refused"),
    ("given_up", "Ticket has waited for too long"),
    ("returned", "Incidents were returned by an outcome"),
    ("accepted", "Contest was accepted"),
    ("declined", "Contest was declined"),
    ("proposed", "Customer is asked first"),
    ("continued", "Reply has opened a new ticket"),
    ("statement", "Statement of a month"),
    ("topup_switched", "Topping up was switched on or off"),
    ("topup_done", "Incidents were topped up"),
    ("topup_failed", "Incidents were not topped up"),
    ("topup_stopped", "Topping up was switched off after failures"),
    ("topup_limit", "Limit of topping up was reached"),
]
#: What has kept something from being bought: a subscription's words where both have
#: some.
REASONS = list({**dict(TOPUP_PROBLEMS), **dict(PROBLEMS)}.items())

#: The kinds that tell of a switch, as soon as it happens (R9.7).
SWITCHES = ("renewal_on", "renewal_off", "change_on", "change_off")


class HelpdeskIncidentReminder(models.Model):
    """What a customer is told, or was told, about the incidents (R13.2).

    One row is one occasion. Its unique key makes sure that the customer is told once,
    even if something runs twice. What waits is sent by the scheduled action, with a
    mail template for each kind that a user can edit.

    Of each account that may run low there is one more row, of the kind ``low``, with
    the id of the account as its key: it knows what the account had when it was looked
    at last (R19.3).
    """

    _name = "helpdesk.incident.reminder"
    _inherit = "helpdesk.incident.described"
    _description = "Reminder of Support Incidents"
    _order = "id desc"
    _internal_fields = frozenset({"contact_ids", "key", "seen"})

    kind = fields.Selection(selection=KINDS, required=True, readonly=True)
    key = fields.Char(
        required=True, readonly=True, help="What makes the occasion one and the same."
    )
    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(related="account_id.partner_id", string="Customer")
    company_id = fields.Many2one(related="account_id.company_id")
    subscription_id = fields.Many2one(
        comodel_name="helpdesk.incident.subscription",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    order_id = fields.Many2one(
        comodel_name="sale.order",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    reason = fields.Selection(
        selection=REASONS,
        readonly=True,
        help="Why a subscription was not renewed automatically, or nothing topped up.",
    )
    day = fields.Date(
        string="What ends on",
        readonly=True,
        help="The last day of what ends or expires.",
    )
    quantity = fields.Integer(
        string="Incidents",
        readonly=True,
        help="How many expire, are left, or are needed for the ticket.",
    )
    days = fields.Integer(
        string="Days before",
        readonly=True,
        default=0,
        help="How many days before something ends this is told, of those that the "
        "company has chosen; 0 of what is told when it happens.",
    )
    seen = fields.Integer(
        string="Incidents when looked at last",
        readonly=True,
        help="Of the row that watches an account; nobody is told this.",
    )
    state = fields.Selection(
        selection=[
            ("armed", "Nothing to tell"),
            ("waiting", "To be sent"),
            ("sent", "Sent"),
            ("failed", "Could not be sent"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    date_sent = fields.Datetime(string="Sent on", readonly=True)
    contact_ids = fields.Many2many(
        comodel_name="res.partner",
        string="Concerns",
        readonly=True,
        help="Contacts of the customer who are told together.",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Plan",
        readonly=True,
        help="The plan of a change that was scheduled, or withdrawn.",
    )
    recipient_id = fields.Many2one(
        comodel_name="res.partner", compute="_compute_recipient_id"
    )
    recipients = fields.Char(
        compute="_compute_recipient_id",
        help="The ids of all who are told, as mail templates take them.",
    )
    actor = fields.Char(
        string="Done by",
        compute="_compute_actor",
        help="Who has switched it, as the customer knows him; nobody, if it followed "
        "from something else.",
    )
    topup_id = fields.Many2one(
        comodel_name="helpdesk.incident.topup",
        compute="_compute_topup_id",
        groups="base.group_system",
        string="Topping up",
        help="What tops up the incidents of this customer.",
    )
    differences = fields.Char(
        string="What differs",
        compute="_compute_differences",
        groups="base.group_system",
        help="Of a renewal that waits for consent: what was not agreed to, as a "
        "sentence.",
    )
    taken = fields.Text(
        string="What was taken back",
        compute="_compute_taken",
        groups="base.group_system",
        help="How many incidents, and why: a line for each.",
    )
    contest_id = fields.Many2one(
        comodel_name="helpdesk.incident.contest",
        compute="_compute_contest_id",
        groups="base.group_system",
        help="What was decided (R17.4).",
    )
    proposal_id = fields.Many2one(
        comodel_name="helpdesk.ticket.proposal",
        compute="_compute_contest_id",
        groups="base.group_system",
        help="What the customer is asked (R18.5).",
    )
    asked = fields.Html(
        string="What it takes",
        compute="_compute_asked",
        groups="base.group_system",
        help="What it takes, what is left then, and what it costs (R18.5).",
    )
    returned = fields.Text(
        string="What became of what was returned",
        compute="_compute_returned",
        groups="base.group_system",
        help="What came back as lifetime incidents, and what lapsed (R5.3).",
    )
    url = fields.Char(
        string="Link",
        compute="_compute_url",
        groups="base.group_system",
        help="Where the customer can do something about it.",
    )

    _key_uniq = models.UniqueIndex("(kind, key, days)", "This was told already.")
    _waiting_idx = models.Index("(id) WHERE state = 'waiting'")

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends("account_id", "subscription_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for reminder in self:
            reminder.display_name = self.env._(
                "%(kind)s: %(customer)s",
                kind=kinds.get(reminder.kind),
                customer=reminder.sudo().partner_id.display_name,
            )

    def _compute_recipient_id(self):
        """Whoever of the customer has opened the ticket, or agreed or ordered last for
        the subscription, if there is an address; else the customer."""
        for reminder in self.sudo():
            customer = reminder.partner_id
            contacts = reminder.ticket_id.partner_id
            if contacts.commercial_partner_id != customer:
                contacts = (reminder.subscription_id or reminder.topup_id)._contacts()
            buyer = reminder.order_id.partner_id
            if not contacts and buyer.commercial_partner_id == customer:
                contacts = buyer
            contacts = contacts.filtered("email") or customer
            reminder.recipient_id = contacts[0]
            told = reminder.contact_ids.filtered("email") or reminder.recipient_id
            reminder.recipients = ",".join(map(str, told.ids))

    def _compute_actor(self):
        for reminder in self.sudo():
            user = reminder.create_uid
            reminder.actor = user.partner_id.name
            if user._is_superuser() or user._is_public():
                reminder.actor = False  # R9.9
            elif not user.share:
                reminder.actor = f"{user.name} ({reminder.company_id.name})"

    @api.depends_context("lang")
    def _compute_differences(self):
        """R9.7"""
        for reminder in self.sudo():
            asked = {
                "failed": reminder.subscription_id,
                "topup_failed": reminder.topup_id,
            }
            buyer = asked.get(reminder.kind)
            reminder.differences = bool(buyer) and buyer._differences_words()

    @api.depends_context("lang")
    def _compute_taken(self):
        for reminder in self.sudo():
            reminder.taken = (
                "\n".join(
                    self.env._("1 incident: %(why)s", why=why)
                    if number == 1
                    else self.env._(
                        "%(number)s incidents: %(why)s", number=number, why=why
                    )
                    for number, why in reminder._taken()
                )
                or False
            )

    def _compute_topup_id(self):
        for reminder in self.sudo():
            tells = reminder.kind.startswith("topup_")
            reminder.topup_id = tells and reminder.account_id._topup()

    def _compute_contest_id(self):
        for reminder in self.sudo():
            number = int(reminder.key) if reminder.key.isdigit() else False
            decided = reminder.kind in ("accepted", "declined")
            reminder.contest_id = decided and number
            reminder.proposal_id = reminder.kind == "proposed" and number

    @api.depends_context("lang")
    def _compute_asked(self):
        for reminder in self.sudo():
            proposal = reminder.proposal_id
            reminder.asked = proposal._question().html() if proposal else False

    @api.depends_context("lang")
    def _compute_returned(self):
        """R5.3"""
        for reminder in self.sudo():
            reminder.returned = reminder.kind in ("returned", "accepted") and "\n".join(
                reminder._returned_words()
            )

    def _compute_url(self):
        for reminder in self.sudo():
            base = reminder.company_id.get_base_url()
            page = f"/my/incidents/subscription/{reminder.subscription_id.id}"
            pages = {
                "ends": f"{page}/renew",
                "expires": "/new/ticket",
                "low": "/my/incidents/buy",
                **dict.fromkeys(
                    ("low_salesperson", "low_team"),
                    f"/odoo/support-incidents/{reminder.account_id.id}",
                ),
                "taken": "/my/incidents/statement?group=taken",
                **dict.fromkeys(("renewed", *SWITCHES), page),
                "failed": f"{page}/renew",
                "parked": f"/my/incidents/buy?ticket={reminder.ticket_id.id}",
                "still_parked": f"/my/incidents/buy?ticket={reminder.ticket_id.id}",
                "released": f"/my/ticket/{reminder.ticket_id.id}",
                **dict.fromkeys(
                    ("returned", "accepted", "declined"),
                    f"/my/ticket/{reminder.ticket_id.id}",
                ),
                "proposed": f"/my/ticket/{reminder.ticket_id.id}#proposals",
                "continued": f"/my/ticket/{reminder.ticket_id.id}",
                "refused": "/my/incidents/buy",
                "given_up": "/my/incidents/buy",
                **dict.fromkeys(
                    ("topup_switched", "topup_failed", "topup_stopped", "topup_limit"),
                    "/my/incidents/topup",
                ),
            }
            path = pages.get(reminder.kind, "/my/incidents")
            # What was ordered for a ticket is paid, not bought once more.
            order = reminder.order_id
            if order and (
                reminder.kind in ("failed", "topup_failed")
                or order.state in ("draft", "sent")
                and reminder.kind not in ("topup_stopped", "topup_limit")
            ):
                path = order.get_portal_url()
            reminder.url = f"{base}{path}"
