"""Customers are asked first (R18.5): the record, and who may do what with it.

What a customer is asked at present is in ``proposal_question.py``, what follows from
the answer in ``proposal_answer.py``, what tickets show of it in ``ticket_proposal.py``.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...fields import MAX_INCIDENTS, WholeNumber

#: What a request to ask says; whatever else a proposal has follows from it.
REQUEST = frozenset({"ticket_id", "kind", "quantity", "amount", "name"})
KINDS = [
    ("incidents", "Take more support incidents"),
    ("charge", "Charge an amount"),
]
#: How many characters a name, or the customer's word, has at most.
MAX_NAME, MAX_WORD = 200, 2000


class HelpdeskTicketProposal(models.Model):
    """Staff ask the customer of a ticket before it takes more incidents, or before an
    amount is charged. Creating one asks; whatever becomes of it, it stays to be seen.

    Whoever answers it, withdraws it or lets it end locks the customer's account first:
    of two at once, one does.
    """

    _name = "helpdesk.ticket.proposal"
    _inherit = "helpdesk.incident.described"
    _description = "Proposal in a Ticket"
    _order = "id desc"
    _log_fields = frozenset()
    _internal_fields = frozenset({"currency_id"})

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        readonly=True,
        ondelete="restrict",
        help="Who asks.",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        required=True,
        readonly=True,
        ondelete="restrict",
        help="Whose users can answer.",
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Proposed by",
        readonly=True,
        ondelete="set null",
    )
    kind = fields.Selection(selection=KINDS, required=True, readonly=True)
    quantity = WholeNumber(
        string="Incidents",
        readonly=True,
        help="How many more incidents the ticket is to take.",
    )
    amount = fields.Monetary(
        readonly=True, help="What is to be charged, as charges are entered."
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", readonly=True, ondelete="restrict"
    )
    name = fields.Char(string="What for", required=True, readonly=True)
    state = fields.Selection(
        selection=[
            ("open", "Open"),
            ("approved", "Approved"),
            ("declined", "Declined"),
            ("withdrawn", "Called off"),
            ("expired", "Not answered"),
        ],
        required=True,
        readonly=True,
        default="open",
    )
    date_end = fields.Date(
        string="Until",
        readonly=True,
        help="The last day on which the customer can answer.",
    )
    answered_by_id = fields.Many2one(
        comodel_name="res.partner",
        string="Answered by",
        readonly=True,
        ondelete="restrict",
    )
    date_answered = fields.Datetime(string="Ended on", readonly=True)
    answer = fields.Text(readonly=True, help="What the customer says.")
    charge_id = fields.Many2one(
        comodel_name="helpdesk.ticket.charge",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="What was charged when it was approved.",
    )

    _open_idx = models.Index("(partner_id) WHERE state = 'open'")

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model
    def default_get(self, fields_list):  # pylint: disable=method-required-super
        """Override: a proposal has no defaults that a context or a user could set."""
        return {}

    @api.model_create_multi
    def create(self, vals_list):
        """Ask the customer (R18.5): by mail, and in the ticket.

        :param vals_list: ``ticket_id``, ``kind``, ``name``, and ``quantity`` or
            ``amount``.
        :raise AccessError: without the right to write the ticket, or to charge where an
            amount is proposed.
        :raise UserError: if that cannot be asked; nobody is told then.
        """
        self.check_access("create")
        proposals = self.browse()
        with self.env.cr.savepoint():
            for vals in vals_list:
                values = self._parse(vals)
                proposal = super(HelpdeskTicketProposal, self.sudo()).create(values)
                proposal._ask()
                proposals += proposal
        return proposals.with_env(self.env)

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_withdraw(self):
        """Ask no more.

        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if it was answered already.
        """
        for proposal in self:
            proposal.ticket_id.check_access("write")
            proposal = proposal.sudo()
            proposal._lock()
            proposal._check_open()
            proposal._end("withdrawn")

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _parse(self, vals):
        """Return the values of a proposal.

        :param dict vals: what a request says; nothing in it is taken as it comes.
        :raise UserError: if that is nothing that a customer can be asked.
        """
        charges = self.env["helpdesk.ticket.charge"]
        unknown = set(vals) - REQUEST
        if unknown:
            raise UserError(
                self.env._(
                    "A proposal takes a ticket, what it is (incidents or charge), what "
                    "for, and a number or an amount, and not: %(fields)s.",
                    fields=", ".join(sorted(map(str, unknown))),
                )
            )
        ticket = charges._parse_ticket(
            vals.get("ticket_id"), self.env._("Choose the ticket first.")
        )
        name = charges._parse_text(vals.get("name"))
        if not name or len(name) > MAX_NAME:
            raise UserError(
                self.env._(
                    "Say what it is for, in at most %(limit)s characters: the customer "
                    "reads it.",
                    limit=MAX_NAME,
                )
            )
        company = ticket.company_id
        days = company.incident_proposal_days
        today = company._incident_today()
        values = {
            "ticket_id": ticket.id,
            "company_id": company.id,
            "partner_id": ticket.partner_id.commercial_partner_id.id,
            "user_id": self.env.uid,
            "currency_id": company.currency_id.id,
            "name": name,
            "state": "open",
            "date_end": today + timedelta(days=days) if days else False,
            "kind": vals.get("kind"),
        }
        if values["kind"] == "charge":
            charges._check_right()
            amount = charges._parse_amount(vals.get("amount"), company.currency_id)
            values["amount"] = amount
        elif values["kind"] == "incidents":
            number = self._fields["quantity"]
            values["quantity"] = number.convert_to_cache(vals.get("quantity"), self)
        else:
            raise UserError(
                self.env._("Choose what to propose: incidents, or a charge.")
            )
        obstacle = self.sudo().new(values)._obstacle_to_ask()
        if obstacle:
            raise UserError(obstacle)
        return values

    def _obstacle_to_ask(self):
        """Return why the customer cannot be asked this, in a sentence for staff; empty
        if nothing is in the way.

        :rtype: str
        """
        if not self.partner_id:
            return self.env._("Set the customer of the ticket first: nobody to ask.")
        if self.kind == "incidents" and not 1 <= self.quantity <= MAX_INCIDENTS:
            return self.env._("Enter how many more incidents the ticket is to take.")
        return self._question().obstacle

    def _ask(self):
        """Tell the customer, and the history of the ticket."""
        ticket = self.ticket_id
        ticket._message_log(
            body=self.env._("The customer is asked first: %(what)s", what=self._words())
        )
        self.env["helpdesk.incident.reminder"].sudo()._queue(
            "proposed",
            str(self.id),
            ticket._incident_account(create=True),
            ticket=ticket,
            day=self.date_end or None,
            quantity=self.quantity,
        )

    def _words(self):
        """Return what is proposed, in words: “Restore” (2 support incidents)."""
        if self.kind == "charge":
            what = self.currency_id.format(self.amount)
        elif self.quantity == 1:
            what = self.env._("1 support incident")
        else:
            what = self.env._("%(number)s support incidents", number=self.quantity)
        return self.env._("“%(name)s” (%(what)s)", name=self.name, what=what)

    def _is_asked(self, user):
        """Return whether a user belongs to the customer who is asked, and whose ticket
        it is: that may have been another customer's (R11.6)."""
        customer = self.partner_id.commercial_partner_id
        own = self.ticket_id._incident_is_own(user)
        return own and user.commercial_partner_id == customer

    def _state_now(self):
        """Return its state, whether the scheduled action has ended it or not."""
        late = self.date_end and self.date_end < self.company_id._incident_today()
        return "expired" if late and self.state == "open" else self.state

    def _check_open(self):
        """
        :raise UserError: if this is not open any more.
        """
        state = self._state_now()
        if state != "open":
            states = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._("It is not open any more: %(state)s.", state=states[state])
            )

    def _lock(self):
        """Let one after the other answer, withdraw or end this, and whoever changes its
        ticket at this moment be tried again (R3.6). It has superuser rights."""
        self.ticket_id._incident_account()._lock()
        self.ticket_id._lock_customer()

    def _who_answers_words(self):
        """Return a sentence if nobody of the customer can log in, and answer."""
        customer = self.partner_id.commercial_partner_id
        users = self.env["res.users"].sudo()
        if users.search_count([("partner_id", "child_of", customer.id)], limit=1):
            return ""
        return self.env._(
            "Nobody of this customer can log in to the client area, and approve: "
            "invite a contact first."
        )

    @api.model
    def _open(self, domain):
        """Return what is open of these, with superuser rights.

        :param Domain domain: what else to look for.
        """
        return self.sudo().search(Domain("state", "=", "open") & domain, order="id")

    @api.model
    def _overdue(self):
        """Return what its customers can answer no more, with superuser rights."""
        companies = self.env["res.company"].sudo().search(Domain.TRUE)
        return self._open(
            Domain.OR(
                Domain("company_id", "=", company.id)
                & Domain("date_end", "<", company._incident_today())
                for company in companies
            )
        )

    @api.model
    def _review(self, domain):
        """Withdraw what nobody can be asked any more, as its ticket has changed.

        :param Domain domain: where to look.
        """
        for proposal in self._open(domain):
            if proposal._why_over():
                proposal._end("withdrawn")
