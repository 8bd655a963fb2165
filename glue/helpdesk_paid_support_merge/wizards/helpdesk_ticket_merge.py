from odoo import models

from odoo.addons.helpdesk_paid_support.models.ticket.helpdesk_ticket import NOTHING


class HelpdeskTicketMerge(models.TransientModel):
    _inherit = "helpdesk.ticket.merge"

    def merge_tickets(self):
        """Override: the ticket that stays takes over the incidents of the others, and
        one that is made for it deducts nothing else (R17.5).

        :raise AccessError: if the user may not write the tickets.
        """
        tickets = self.ticket_ids
        if not self.create_new_ticket:
            tickets |= self.dst_ticket_id
        # Nobody waits for who may not write (R3.6).
        tickets.check_access("write")
        tickets.sudo()._incident_lock_ahead()
        quiet = self.with_context(incident_at_submission=NOTHING)
        action = super(HelpdeskTicketMerge, quiet).merge_tickets()
        stays = self.dst_ticket_id.sudo()
        stays._incident_take_over(tickets.sudo() - stays)
        return action
