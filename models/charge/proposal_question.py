"""What a customer is asked at present (R18.5): what it takes, what is left then, what
it costs."""

from odoo import models
from odoo.exceptions import AccessError, UserError


class Question:
    """What a proposal comes to as things are by now.

    :ivar proposal: the ``helpdesk.ticket.proposal``, with superuser rights.
    :ivar needed: of incidents, how many more the ticket takes.
    :ivar available: of incidents, how many the customer has.
    :ivar legs: of incidents, which of them are used, in words.
    :ivar later: of incidents, what is missing, if it can be paid later: an ``Overage``.
    :ivar total: of a charge, what the customer pays, taxes included.
    :ivar balance: of a charge, what the account balance can pay.
    :ivar obstacle: why it cannot happen, in a sentence for staff; empty if it can, or
        if nothing but incidents is missing.
    """

    def __init__(self, proposal):
        self.proposal = proposal
        self.needed = self.available = 0
        self.legs = self.obstacle = ""
        self.later = None
        self.total = self.balance = 0.0

    @property
    def missing(self):
        return max(self.needed - self.available, 0)

    @property
    def left(self):
        return self.available - self.needed

    @property
    def key(self):
        """What the customer approves: if it is another one by now, he is asked
        again."""
        return f"{self.needed}-{self.total}-{self.proposal.currency_id.id}"

    def total_words(self):
        return self.proposal.currency_id.format(self.total)

    def balance_words(self):
        return self.proposal.currency_id.format(self.balance)

    def html(self):
        """Return it in the words that the customer reads in the ticket."""
        return self.proposal.env["ir.qweb"]._render(
            "helpdesk_paid_support.portal_proposal_says", {"asked": self}
        )


class HelpdeskTicketProposal(models.Model):
    _inherit = "helpdesk.ticket.proposal"

    def _question(self):
        """Return what this comes to at present; it need not be saved.

        :rtype: Question
        """
        self.ensure_one()
        proposal = self.sudo()
        question = Question(proposal)
        try:
            question.obstacle = proposal._obstacle()
            if proposal.kind == "charge":
                proposal._ask_for_money(question)
            else:
                proposal._ask_for_incidents(question)
        except AccessError:
            raise
        except UserError as error:
            question.obstacle = question.obstacle or str(error.args[0])
        return question

    def _ask_for_incidents(self, question):
        ticket = self.ticket_id
        account = ticket._incident_account()
        # What it is short of comes first (R16.6).
        number = ticket._incident_aim() + self.quantity
        question.needed = number - ticket._incident_holds()
        question.available = max(account.available, 0)
        question.legs = account._legs_text(account._preview(question.needed))
        if question.missing:
            question.later = ticket._incident_later(account.available, question.needed)

    def _ask_for_money(self, question):
        ticket = self.ticket_id
        charges = self.env["helpdesk.ticket.charge"]
        charges._check_customer(ticket)
        charge = charges._new_in(ticket, self.name, self.currency_id)
        _values, amounts = charge._invoice_values(self.amount)
        question.total = amounts["total"]
        balance = charge.partner_id._incident_account_balance(ticket.company_id)
        question.balance = max(balance, 0)

    def _obstacle(self):
        """Return why nobody can be asked this in its ticket, as that is by now, in a
        sentence for staff; empty if nothing is in the way.

        :rtype: str
        """
        if self.kind == "incidents" and self.ticket_id.incident_parking == "parked":
            return self.env._(
                "The ticket waits for support incidents: it takes no more before it "
                "has got them."
            )
        return self._why_over()

    def _why_over(self):
        """Return why nobody is asked anything in its ticket any more, in a sentence;
        empty if it goes on.

        :rtype: str
        """
        ticket, customer = self.ticket_id, self.partner_id.commercial_partner_id
        if ticket.partner_id.commercial_partner_id != customer:
            return self.env._("The ticket has another customer.")
        if ticket.company_id.root_id != self.company_id.root_id:
            return self.env._("The ticket belongs to another company.")
        if ticket.closed or not ticket.active:
            return self.env._("The ticket is closed.")
        free = ticket._incident_free_because()
        if free:
            return self.env._("The ticket is not charged. %(because)s", because=free)
        return ""
