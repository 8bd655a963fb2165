"""What a saved record may name (R2.3): its user reads the names of what it is linked
with, as in a form that is not saved."""

from odoo import api, models


class HelpdeskIncidentNaming(models.AbstractModel):
    """Records that are saved with links to what their user may see, and no others."""

    _name = "helpdesk.incident.naming"
    _description = "Names What Its User May See"

    @api.model_create_multi
    def create(self, vals_list):
        """Override for R2.3: what the user may not see, he names by no value, and by no
        default.

        :raise AccessError: if he does by a value.
        """
        if self.env.su:
            return super().create(vals_list)
        hidden = [
            name
            for name, value in self.default_get(list(self._incident_guarded())).items()
            if not self._incident_may_default(name, value, whole=True)
        ]
        for vals in vals_list:
            self._incident_check_named(vals)
        return super().create([dict.fromkeys(hidden, False) | v for v in vals_list])

    def write(self, vals):
        """Override for R2.3: see :meth:`create`. What is linked already may stay."""
        if not self.env.su:
            self._incident_check_named(vals)
        return super().write(vals)


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "helpdesk.incident.naming"]


class HelpdeskTicketDuplicateWizard(models.TransientModel):
    _name = "helpdesk.ticket.duplicate.wizard"
    _inherit = ["helpdesk.ticket.duplicate.wizard", "helpdesk.incident.naming"]


class MailComposeMessage(models.TransientModel):
    _name = "mail.compose.message"
    _inherit = ["mail.compose.message", "helpdesk.incident.naming"]
