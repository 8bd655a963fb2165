"""Invoices, credit notes and payments of charges, and the way between them (R10)."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..groups import INCIDENT_READERS

#: In the context, as ``ticket_charging``: a charge writes; a document is linked to one.
#: Objects cannot come in over RPC.
CHARGING = object()
LINKING = object()


class AccountMove(models.Model):
    _inherit = "account.move"

    ticket_charge_id = fields.Many2one(
        comodel_name="helpdesk.ticket.charge",
        string="Ticket charge",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        groups=INCIDENT_READERS,
        help="The charge that this document belongs to. Credit notes of an invoice "
        "belong to the charge of the invoice.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override: credit notes belong to the charge of their invoice (R10.4)."""
        self._ticket_charge_check(set().union(*vals_list))
        moves = super().create(vals_list)
        moves._ticket_charge_follow()
        return moves

    @api.model
    def default_get(self, fields_list):
        """Override: nobody sets the charge by a default."""
        defaults = super().default_get(fields_list)
        defaults.pop("ticket_charge_id", None)
        return defaults

    def write(self, vals):
        """Override: as for create; what accountants do with the documents of a charge
        is told in the ticket (R10.4)."""
        self._ticket_charge_check(vals)
        states = {}
        if "state" in vals:
            charged = self.sudo().filtered("ticket_charge_id")
            states = {move: move.state for move in charged}
        res = super().write(vals)
        if "reversed_entry_id" in vals:
            self._ticket_charge_follow()
        if self.env.context.get("ticket_charging") is not CHARGING:
            for move, state in states.items():
                if move.state != state:
                    move.ticket_charge_id._log_changed(move)
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_charged(self):
        """What an accountant has had in work counts no more: tell the ticket."""
        for move in self.sudo():
            if move.ticket_charge_id:
                move.ticket_charge_id._note(
                    self.env._(
                        "%(document)s of %(total)s was deleted in accounting.",
                        document=move._get_move_display_name(),
                        total=move.currency_id.format(move.amount_total),
                    )
                )

    def _ticket_charge_check(self, names):
        context = self.env.context.get("ticket_charging")
        if "ticket_charge_id" in names and not (
            context is CHARGING or context is LINKING
        ):
            raise UserError(
                self.env._(
                    "The charge of a document cannot be set: charge in the ticket."
                )
            )

    def _ticket_charge_follow(self):
        """Let credit notes belong to the charge of their invoice."""
        for move in self.sudo():
            charge = move.reversed_entry_id.ticket_charge_id
            if charge and move.ticket_charge_id != charge:
                move.with_context(ticket_charging=LINKING).ticket_charge_id = charge

    def _incident_portal_page(self):
        """Override: a charge is shown in its ticket (R10.3)."""
        ticket = self.ticket_charge_id.ticket_id
        return f"/my/ticket/{ticket.id}" if ticket else super()._incident_portal_page()

    def _ticket_charge_mail(self):
        """Mail this document of a charge to the customer (R10.3)."""
        self.ticket_charge_id._mail(self)

    def action_view_ticket_charge(self):
        """Open the ticket that these documents were charged in."""
        self.check_access("read")
        return (
            self.sudo().ticket_charge_id.ticket_id.with_env(self.env)._action_tickets()
        )

    def _incident_reversed_today(self, number):
        """Return the values of a credit note of this invoice that is posted today, for
        ``_reverse_moves``. What it gives back is worth what was charged.

        :param str number: of the ticket, for the reference.
        """
        today = self.company_id._incident_today()
        words = self.with_context(lang=self.partner_id.lang or self.env.lang).env
        return {
            "invoice_currency_rate": self.invoice_currency_rate,
            "date": today,
            "invoice_date": today,
            "invoice_date_due": today,
            "invoice_payment_term_id": False,
            "ref": words._(
                "%(number)s, credit note of %(invoice)s",
                number=number,
                invoice=self.name,
            ),
        }


class AccountPayment(models.Model):
    _inherit = "account.payment"

    charge_ticket_count = fields.Integer(
        string="Charged tickets",
        compute="_compute_charge_ticket_count",
        groups=INCIDENT_READERS,
    )

    @api.depends("reconciled_invoice_ids")
    def _compute_charge_ticket_count(self):
        for payment in self:
            payment.charge_ticket_count = len(payment._charge_tickets())

    def _charge_tickets(self):
        """Return the tickets whose charges these payments have paid."""
        payments = self.sudo()
        invoices = payments.reconciled_invoice_ids | payments.invoice_ids
        return invoices.ticket_charge_id.ticket_id

    def action_view_charge_tickets(self):
        """Open the tickets whose charges these payments have paid."""
        self.check_access("read")
        return self._charge_tickets().with_env(self.env)._action_tickets()
