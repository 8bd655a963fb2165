from odoo import api, models
from odoo.fields import Domain


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _search_message_partner_ids(self, operator, operand):
        """Override of `mail`, which looks for followers with all rights: what is asked
        of them is answered with those of who asks (R2.3)."""
        if isinstance(operand, Domain) and not self.env.su:
            operand = self.env["res.partner"]._search(operand, active_test=False)
        return super()._search_message_partner_ids(operator, operand)
