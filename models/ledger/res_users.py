"""Who has moved incidents is named in the ledger (R3.8)."""

from odoo import api, models
from odoo.exceptions import UserError


class ResUsers(models.Model):
    _inherit = "res.users"

    def _incident_of(self, company):
        """Return those of these users who work in a company, its root company or a
        branch of it: they are one legal entity, and see its accounts (R2.3).

        :param company: one ``res.company`` record.
        """
        return self.filtered(
            lambda user: company.sudo().root_id in user.company_ids.root_id
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_incident_entries(self):
        entry = (
            self.env["helpdesk.incident.entry"]
            .sudo()
            .search([("user_id", "in", self.ids)], limit=1)
        )
        if entry:
            raise UserError(
                self.env._(
                    "%(user)s is named in statements of support incidents, which are "
                    "kept. Archive the user instead.",
                    user=entry.user_id.display_name,
                )
            )
