"""What staff say and do where a customer has too few incidents (R4.3, R11.3)."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.mail import email_normalize, email_split_tuples

from ..groups import INCIDENT_READERS

#: What is said with a change, and kept in no column: the context has it meanwhile.
SAID = ("incident_reason", "incident_if_short")


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    incident_reason = fields.Char(
        string="Reason",
        store=False,
        groups=INCIDENT_READERS,
        help="Why the number of incidents is changed: for the history of the ticket.",
    )
    incident_if_short = fields.Selection(
        selection=[
            ("park", "Keep it waiting, and send a link to buy"),
            ("waive", "Waive: handle it without incidents"),
        ],
        string="If there are too few",
        store=False,
        groups=INCIDENT_READERS,
        help="What becomes of the ticket when it is saved. Otherwise its team decides.",
    )
    incident_deducts = fields.Boolean(
        compute="_compute_incident_asks",
        groups=INCIDENT_READERS,
        help="Whether saving alone deducts what its team takes, if that much is there.",
    )
    incident_asks = fields.Boolean(
        compute="_compute_incident_asks",
        groups=INCIDENT_READERS,
        help="Whether it cannot be saved before somebody says what becomes of it.",
    )

    @api.depends("incident_missing", "incident_due", "team_id")
    def _compute_incident_asks(self):
        for ticket in self:
            team = ticket.sudo().team_id
            ticket.incident_deducts = bool(
                ticket.incident_due
                and ticket._incident_opens_when_saved()
                and team.incident_on_staff_tickets
            )
            ticket.incident_asks = bool(
                ticket.incident_deducts
                and ticket.incident_missing
                and team.incident_shortage_policy == "refuse"
            )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override: what is said with a ticket is for this one."""
        said = [{n: vals[n] for n in SAID if vals.get(n)} for vals in vals_list]
        if not any(said):
            return super().create(vals_list)
        tickets = self.browse()
        for vals, words in zip(vals_list, said, strict=True):
            saying = self.with_context(**words)
            tickets += super(HelpdeskTicket, saying).create([vals]).with_env(self.env)
        return tickets

    def write(self, vals):
        """Override: what is said with a change is for this one."""
        said = {name: vals[name] for name in SAID if vals.get(name)}
        return (
            super(HelpdeskTicket, self.with_context(**said)).write(vals)
            if said
            else super().write(vals)
        )

    def _incident_park_if_short(self):
        """Override: staff may say otherwise than the team, on the phone, say."""
        choice = self.env.context.get("incident_if_short")
        account = None
        if choice in ("park", "waive") and not self.env.user.share:
            account = self._incident_account(create=True)
        if not account:
            return super()._incident_park_if_short()
        account._lock()
        if account.available >= self._incident_required():
            return False
        if choice == "waive":
            self._incident_waive()
        else:
            self._incident_ask_to_buy(account)
        return True

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_send_link(self):
        """Let these tickets wait for incidents, and send the customers a link to buy
        (R11.3); once more to those that wait already.

        :raise AccessError: if the user may not write them.
        :raise UserError: if there is nowhere to send it.
        """
        for ticket in self._incident_check_and_lock():
            account = ticket._incident_account(create=True)
            if not ticket.incident_due or not ticket.incident_missing:
                continue
            contact = ticket.partner_id
            if not (contact.email or contact.commercial_partner_id.email):
                raise UserError(
                    self.env._(
                        "%(contact)s has no e-mail address.",
                        contact=contact.display_name,
                    )
                )
            ticket._incident_ask_to_buy(account)

    def action_incident_order(self):
        """Open the dialog to order for the customer what this ticket lacks.

        :raise AccessError: if the user may not write the ticket.
        """
        self.ensure_one()
        self.check_access("write")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_ticket_order_action"
        )
        return {**action, "context": {"default_ticket_id": self.id}}

    def action_incident_create_contact(self):
        """Make a contact of the unknown sender of this ticket, and set it (R11.3).

        :raise AccessError: if the user may not write the ticket, or make contacts.
        :raise UserError: if there is no address, or contacts have it already.
        """
        self.ensure_one()
        self.check_access("write")
        address = email_normalize(self.partner_email, strict=False)
        if self.partner_id or not address:
            raise UserError(
                self.env._(
                    "The ticket has a contact, or no e-mail address to make one."
                )
            )
        contacts = self.env["res.partner"]
        known = contacts._incident_with_email({address}, self.company_id)
        if known:
            raise UserError(
                self.env._(
                    "There are contacts with the address %(email)s: %(contacts)s. Set "
                    "the one who has written.",
                    email=address,
                    contacts=", ".join(known.mapped("display_name")),
                )
            )
        [(name, _address)] = email_split_tuples(self.partner_email)[:1] or [("", "")]
        self.partner_id = contacts.create(
            {"name": self.partner_name or name or address, "email": address}
        )

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_ask_to_buy(self, account, order=None):
        """Let this ticket wait, and send the customer a link to buy, or to pay what was
        ordered for it. The account is locked.

        :param account: of the customer.
        :param order: the ``sale.order`` that was made for this ticket.
        """
        waited = self.incident_parking == "parked" and self.incident_parked_date
        if not waited:
            self._incident_remember(
                incident_parking="parked",
                incident_parked_date=self.company_id._incident_today(),
                # A number that was set by hand is said no more.
                incident_basis="submission" if self.incident_basis else False,
            )
        if order:
            self._incident_use_link()
        # A mail that is not sent yet tells it: two would ask for the money twice.
        unsent = self._incident_untold(account)
        if not unsent:
            self._incident_tell(
                "still_parked" if waited else "parked",
                account,
                # What is asked for by hand is told each time, but not twice a day.
                again=order or self.company_id._incident_today(),
                order=order,
            )
        elif order:
            unsent.order_id = order
        else:
            return
        self._message_log(
            body=self.env._(
                "Order %(order)s was made for this ticket, which waits until it is "
                "paid. The customer gets a link to pay it.",
                order=order.name,
            )
            if order
            else self._incident_link_words(account)
        )

    def _incident_tell_ordered(self, account, order):
        """Send the customer a link to pay what was ordered for this ticket, which does
        not wait for it. The account is locked.

        :param account: of the customer.
        :param order: a ``sale.order``.
        """
        self._incident_tell("ordered", account, again=order, order=order)
        self._message_log(
            body=self.env._(
                "Order %(order)s was made for this ticket. The customer gets a link to "
                "pay it.",
                order=order.name,
            )
        )
