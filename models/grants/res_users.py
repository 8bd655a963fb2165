from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from odoo.addons.auth_signup.models.res_partner import SignupError

from ..ledger.helpdesk_incident_cause import Said


class ResUsers(models.Model):
    """A customer's first portal user makes the customer a client (R6.1)."""

    _name = "res.users"
    _inherit = ["res.users", "helpdesk.incident.cause"]

    incident_portal_seen = fields.Boolean(
        string="Was a portal user once",
        readonly=True,
        copy=False,
        groups="base.group_system",
    )

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        users._incident_new_portal_users()._incident_give()
        return users

    def write(self, vals):
        if not {"active", "group_ids", "company_ids"} & set(vals):
            return super().write(vals)
        before = {user: user._incident_companies() for user in self}
        res = super().write(vals)
        # A user who comes back is not new (R6.6); one who is allowed in a further
        # company may be new there.
        further = self.filtered(
            lambda user: before[user] and user._incident_companies() - before[user]
        )
        self._incident_new_portal_users()._incident_give()
        for user in further:
            user._incident_give()
        return res

    def _create_user_from_template(self, values):
        """Override of `auth_signup`, which takes every error for a failed sign-up. A
        concurrent update must be raised, so that Odoo retries the request."""
        try:
            return super()._create_user_from_template(values)
        except SignupError as error:
            if isinstance(error.__context__, (OperationalError, ConcurrencyError)):
                raise error.__context__ from None
            raise

    def _incident_companies(self):
        """Return the companies in which this is a portal user."""
        self.ensure_one()
        user = self.sudo()
        portal = user.active and user._is_portal()
        return user.company_ids if portal else user.company_ids.browse()

    def _incident_new_portal_users(self):
        """Return the users among these that are portal users for the first time."""
        users = self.sudo().filtered(
            lambda user: not user.incident_portal_seen and user._incident_companies()
        )
        users.incident_portal_seen = True
        return users

    def _incident_registering(self):
        """Yield the users among these that make their customer a client, and of which
        company (R6.1). Two that come at the same moment do so together."""
        for user in self:
            customer = user.partner_id.commercial_partner_id
            for company in user._incident_companies():
                if (
                    company.incident_registration_quantity
                    and not customer._incident_portal_users(company) - self
                ):
                    yield user, company

    def _incident_opened(self):
        """Override of `helpdesk.incident.cause`."""
        account_model = self.env["helpdesk.incident.account"]
        opened = account_model._get_or_create(
            [
                (user.partner_id.commercial_partner_id.id, company.id)
                for user, company in self._incident_registering()
            ]
        )
        return account_model.sudo().union(*opened.values())

    def _incident_said(self):
        """Override of `helpdesk.incident.cause` for R6.1."""
        causes = {}
        for user, company in self._incident_registering():
            contact = user.partner_id
            for cause in contact._incident_registration(company, source=contact):
                # A company and its branch have one account (R2.3).
                causes.setdefault(cause.key, cause)
        return Said(list(causes.values()), {})
