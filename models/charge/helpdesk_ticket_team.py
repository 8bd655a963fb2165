from odoo import fields, models


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    incident_shortage_policy = fields.Selection(
        selection_add=[("charge", "Sell what is missing, to be paid later")],
        ondelete={"charge": "set default"},
        help="What happens to a ticket of a customer who has too few incidents. "
        "Refused: the portal says why and creates nothing; an e-mail is answered and "
        "its ticket closed. Waiting: the ticket is kept, the customer gets a link to "
        "buy, and it is released when incidents arrive. Sold: the customer agrees to "
        "the price in the portal, and the ticket does not wait; where that is beyond "
        "the customer's limit, or not agreed to, it waits.",
    )
