from odoo import api, models


class ResUsers(models.Model):
    """A customer's first portal user makes the customer a client (R6.1)."""

    _name = "res.users"
    _inherit = ["res.users", "helpdesk.incident.cause"]

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        users._incident_portal()._incident_give()
        return users

    def write(self, vals):
        if not {"active", "group_ids", "company_ids", "company_id"} & set(vals):
            return super().write(vals)
        before = {user: user._incident_companies() for user in self}
        res = super().write(vals)
        self._incident_portal().filtered(
            lambda user: user._incident_companies() - before[user]
        )._incident_give()
        return res

    def _incident_companies(self):
        """Return the companies in which this is a portal user."""
        self.ensure_one()
        user = self.sudo()
        portal = user.active and user._is_portal()
        return user.company_ids if portal else user.company_ids.browse()

    def _incident_portal(self):
        return self.filtered(lambda user: user._incident_companies())

    def _incident_settle(self):
        """Override of `helpdesk.incident.cause` for R6.1."""
        for user in self.sudo():
            for company in user._incident_companies():
                if not company.incident_registration_quantity:
                    continue
                customer = user.partner_id.commercial_partner_id
                if not customer._incident_portal_users(company) - user:
                    customer._incident_register(company, source=user.partner_id)
