"""Whose an e-mail address is (R11.3)."""

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import SQL, escape_psql
from odoo.tools.sql import column_exists, create_column

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED


class ResPartner(models.Model):
    """Whoever can make an address his own gets what is mailed from it. So it counts who
    gave it to a contact: staff, or somebody who says so himself."""

    _name = "res.partner"
    _inherit = ["res.partner", "helpdesk.incident.protected"]

    # Nobody vouches for himself, with whatever rights.

    incident_email_declared = fields.Boolean(
        string="E-mail typed by the customer",
        groups=INCIDENT_READERS,
        help="The customer typed this address, or it was taken from an e-mail. E-mail "
        "from it waits until staff set the contact of the ticket, unless staff gave "
        "the contact a login with this address.",
        **REMEMBERED,
    )

    def _auto_init(self):
        """Override: look who typed the addresses of before."""
        self._incident_create_declared()
        return super()._auto_init()

    @api.model
    def _incident_create_declared(self):
        """Make the column and fill it, if it is not there."""
        name = "incident_email_declared"
        if not column_exists(self.env.cr, self._table, name):
            create_column(self.env.cr, self._table, name, "bool")
            self._incident_init_declared()

    @api.model
    def _incident_init_declared(self):
        """Mark what share users have typed: Odoo tracks who changed an address last;
        one that was never changed is of who made the contact. What the gateway has
        made from the address of an e-mail is OdooBot's, and stands alone."""
        # Not by `_get`, which remembers the fields of before this installation.
        field = (
            self.env["ir.model.fields"]
            .sudo()
            .search([("model", "=", self._name), ("name", "=", "email")])
        )
        self.env.execute_query(
            SQL(
                """
                WITH typed AS (
                    SELECT DISTINCT ON (m.res_id) m.res_id, m.create_uid
                      FROM mail_tracking_value t
                      JOIN mail_message m ON m.id = t.mail_message_id
                     WHERE t.field_id = %(field)s
                       AND m.model = 'res.partner'
                       AND LOWER(COALESCE(t.old_value_char, ''))
                        <> LOWER(COALESCE(t.new_value_char, ''))
                     ORDER BY m.res_id, t.id DESC
                )
                UPDATE res_partner p SET incident_email_declared = TRUE
                  FROM res_partner c
                  LEFT JOIN typed ON typed.res_id = c.id
                  JOIN res_users u ON u.id = CASE WHEN typed.res_id IS NULL
                                                  THEN c.create_uid
                                                  ELSE typed.create_uid END
                 WHERE c.id = p.id AND p.email_normalized IS NOT NULL
                   AND (u.share
                        OR u.id = %(bot)s
                       AND typed.res_id IS NULL
                       AND p.parent_id IS NULL
                       AND p.is_company IS NOT TRUE
                       AND NOT EXISTS (SELECT FROM res_users
                                        WHERE partner_id = p.id)
                       AND NOT EXISTS (SELECT FROM res_partner
                                        WHERE parent_id = p.id)
                       AND NOT EXISTS (SELECT FROM ir_model_data
                                        WHERE model = 'res.partner'
                                          AND res_id = p.id))
                """,
                field=field.id,
                bot=SUPERUSER_ID,
            )
        )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override to note what a share user types, or an e-mail names."""
        partners = super().create(vals_list)
        if self._incident_is_declared() or self.env.context.get("incident_from_mail"):
            partners._incident_note_declared(True)
        return partners

    @api.model
    def find_or_create(self, email, assert_valid_email=False):
        """Override: who is named in an e-mail is known by nobody yet."""
        contacts = self.with_context(incident_from_mail=True)
        return (
            super(ResPartner, contacts)
            .find_or_create(email, assert_valid_email=assert_valid_email)
            .with_env(self.env)
        )

    @api.model
    def _find_or_create_from_emails(self, *args, **kwargs):
        """Override: as :meth:`find_or_create`, whoever answers the e-mail."""
        contacts = self.with_context(incident_from_mail=True)
        found = super(ResPartner, contacts)._find_or_create_from_emails(*args, **kwargs)
        return [contact.with_env(self.env) for contact in found]

    def write(self, vals):
        """Override to note who gave the address that is written. What stays as it was,
        as in a form that is sent as a whole, is of who gave it before."""
        if "email" not in vals:
            return super().write(vals)
        before = {partner: partner.sudo().email_normalized for partner in self}
        res = super().write(vals)
        changed = self.filtered(lambda p: p.sudo().email_normalized != before[p])
        changed._incident_note_declared(self._incident_is_declared())
        return res

    def copy(self, default=None):
        """Override: a copy makes nothing certain."""
        copies = super().copy(default)
        for partner, copied in zip(self.sudo(), copies.sudo(), strict=True):
            if (
                partner.incident_email_declared
                and partner.email_normalized == copied.email_normalized
            ):
                copied._incident_note_declared(True)
        return copies

    def _incident_note_declared(self, declared):
        """Note whether the addresses of these contacts were typed by share users."""
        self.sudo().filtered(
            lambda partner: partner.incident_email_declared != declared
        )._incident_remember(incident_email_declared=declared)

    @api.model
    def _incident_is_declared(self):
        """Return whether what is written now comes from a share user, whatever rights
        it is written with."""
        user = request.env.user if request and request.env else self.env.user
        return self.env.user.share or user.share

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_confirm_email(self):
        """Vouch for the addresses of these contacts, and the logins with them, as if
        staff had typed them.

        :raise AccessError: if the user is not one of the staff, with whatever rights,
            or may not write the contacts.
        """
        if self._incident_is_declared():
            raise AccessError(self.env._("Only staff can confirm an e-mail address."))
        self.check_access("write")
        for partner in self.sudo().filtered("incident_email_declared"):
            partner._incident_note_declared(False)
            users = partner.with_context(active_test=False).user_ids
            users._incident_with_login(partner.email_normalized)._incident_remember(
                incident_login_declared=False
            )
            partner._message_log(
                body=self.env._(
                    "E-mail address %(email)s confirmed.", email=partner.email
                )
            )

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _incident_email_owners(self, addresses, company):
        """Return whose these addresses are when they write to ``company`` (R11.3).

        It is the contact that can prove it best (:meth:`_incident_email_proof`). Where
        contacts of several customers prove it equally well, it is nobody's.

        :param addresses: normalized e-mail addresses.
        :return: a contact, with superuser rights, or an empty recordset, by address.
        :rtype: dict[str, recordset]
        """
        contacts = self._incident_with_email(addresses, company)
        owners = {}
        for address in addresses:
            proofs = {
                contact: contact._incident_email_proof(address) for contact in contacts
            }
            best = max(proofs.values(), default=0)
            likely = contacts.filtered(lambda c, p=proofs, b=best: b and p[c] == b)
            if len(likely.commercial_partner_id) > 1:
                likely = likely.browse()
            owners[address] = likely.sorted(lambda c: not c.user_ids)[:1]
        return owners

    @api.model
    def _incident_with_email(self, addresses, company):
        """Return the contacts of ``company`` that have one of these addresses, or a
        user who logs in with it, the oldest first, with superuser rights."""
        contacts = self.sudo().with_context(active_test=True)
        users = contacts.env["res.users"].search(
            Domain.OR(
                Domain("login", "=ilike", escape_psql(address)) for address in addresses
            )
        )
        found = contacts.search(
            Domain("email_normalized", "in", list(addresses))
            | Domain("id", "in", users.partner_id.ids),
            order="id",
        )
        # A company and its branches are one (R2.3).
        return found.filtered(
            lambda contact: (
                not contact.company_id
                or contact.company_id._incident_is_one_with(company)
            )
        )

    def _incident_email_proof(self, address):
        """Return how well it is known that an address is this contact's.

        :return: 3 if its user has a login with it that staff gave, or is one of the
            staff who has it; 2 if staff gave it to the contact; 0 if the contact does
            not have it, or only says so.
        :rtype: int
        """
        self.ensure_one()
        logins = self.user_ids._incident_with_login(address)
        if not all(logins.mapped("incident_login_declared")):
            return 3
        if self.email_normalized == address and not self.incident_email_declared:
            return 2 if self.partner_share else 3
        return 0

    def _incident_is_alone(self):
        """Return whether nobody sees what this contact follows or is told: it has no
        user, and no colleague who may have one."""
        self.ensure_one()
        partner = self.sudo().with_context(active_test=False)
        return not (partner.user_ids or partner.parent_id or partner.child_ids)
