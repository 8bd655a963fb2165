"""Who gave a login, which is an e-mail address, to a contact (R11.3)."""

from odoo import api, fields, models
from odoo.tools import SQL, email_normalize
from odoo.tools.sql import column_exists, create_column

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED


class ResUsers(models.Model):
    """Odoo asks nobody for a proof that a login is his: neither who signs up with it,
    nor whose contact staff let in with the address that he has typed. The link that is
    mailed then proves nothing, either: the customer can change the address before it
    is sent again."""

    _name = "res.users"
    _inherit = ["res.users", "helpdesk.incident.protected"]

    incident_login_declared = fields.Boolean(
        string="Login typed by the customer",
        groups=INCIDENT_READERS,
        help="The customer chose this login, or it was taken from an address that he "
        "typed. It proves nothing about e-mail until staff confirm the address.",
        **REMEMBERED,
    )

    def _auto_init(self):
        """Override: look who gave the logins of before."""
        name = "incident_login_declared"
        if not column_exists(self.env.cr, self._table, name):
            self.env["res.partner"]._incident_create_declared()
            create_column(self.env.cr, self._table, name, "bool")
            self._incident_init_login()
        return super()._auto_init()

    @api.model
    def _incident_init_login(self):
        """Mark the logins that are typed addresses, or that share users have made."""
        self.env.execute_query(
            SQL(
                """
                UPDATE res_users u SET incident_login_declared = TRUE
                  FROM res_partner p, res_users c
                 WHERE p.id = u.partner_id AND c.id = u.create_uid AND u.share
                   AND CASE WHEN p.email_normalized = LOWER(u.login)
                            THEN p.incident_email_declared
                            ELSE c.share END
                """
            )
        )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to note who gave the login."""
        users = super().create(vals_list)
        users._incident_note_login()
        return users

    def write(self, vals):
        """Override to note who gave the login."""
        if "login" not in vals:
            return super().write(vals)
        before = {user: email_normalize(user.login) for user in self.sudo()}
        res = super().write(vals)
        changed = self.sudo().filtered(
            lambda user: email_normalize(user.login) != before[user]
        )
        changed._incident_note_login()
        return res

    def _incident_note_login(self):
        """Note whether these logins are the customers' own word. One that is the
        address of the contact is of who gave that."""
        share = self.env["res.partner"]._incident_is_declared()
        for user in self.sudo():
            contact = user.partner_id
            declared = share
            if contact.email_normalized == email_normalize(user.login):
                declared = contact.incident_email_declared
            if user.incident_login_declared != declared:
                user._incident_remember(incident_login_declared=declared)

    def _incident_with_login(self, address):
        """Return those of these users who log in with this normalized address."""
        return self.filtered(lambda user: email_normalize(user.login) == address)
