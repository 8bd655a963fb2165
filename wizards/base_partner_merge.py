from odoo import models
from odoo.tools import SQL

from ..models.charge.res_partner_overage import PAID_LATER
from ..models.ledger.helpdesk_incident_protected import REMEMBER


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Override of `base`: the accounts merge before any foreign key is rewritten,
        as the merge would delete the second account of a customer (R2.2). Waiting
        tickets are released afterwards: only then do they belong to the customer
        (R11.3)."""
        accounts = (
            self.env["helpdesk.incident.account"]
            .sudo()
            .search([("partner_id", "in", src_partners.ids)])
        )
        customer = dst_partner.sudo().commercial_partner_id
        accounts._follow_customers(
            dict.fromkeys(accounts, customer), ended=src_partners
        )
        accounts._replace_source(src_partners, dst_partner)
        res = super()._update_foreign_keys(src_partners, dst_partner)
        merged = accounts.search([("partner_id", "=", customer.id)])
        merged._release_soon()
        return res

    def _update_reference_fields(self, src_partners, dst_partner):
        """Override of `base`, which fills up what the contact that remains lacks."""
        later = self._paid_later(dst_partner)
        res = super()._update_reference_fields(src_partners, dst_partner)
        self._keep_paid_later(dst_partner, later)
        return res

    def _update_values(self, src_partners, dst_partner):
        """Override of `base`: the address of the contact that remains is certain if it
        was certain for one of the merged contacts (R11.3)."""
        certain = {
            partner.email_normalized
            for partner in (src_partners | dst_partner).sudo()
            if not partner.incident_email_declared
        }
        later = self._paid_later(dst_partner)
        res = super()._update_values(
            src_partners, dst_partner.with_context(incident_protected=REMEMBER)
        )
        self._keep_paid_later(dst_partner, later)
        dst_partner._incident_note_declared(
            dst_partner.sudo().email_normalized not in certain
        )
        return res

    def _paid_later(self, partner):
        """Return what was agreed about paying later with the contact that remains, in
        all companies: whoever merges contacts gives nobody credit, nor agrees to
        anything (R18.4)."""
        partner.flush_recordset(PAID_LATER)
        [row] = self.env.execute_query(
            SQL(
                "SELECT %s FROM res_partner WHERE id = %s",
                SQL(", ").join(
                    SQL("%s::text", SQL.identifier(name)) for name in PAID_LATER
                ),
                partner.id,
            )
        )
        return row

    def _keep_paid_later(self, partner, values):
        """Write what :meth:`_paid_later` has returned."""
        partner.flush_recordset(PAID_LATER)
        self.env.cr.execute(
            SQL(
                "UPDATE res_partner SET %s WHERE id = %s",
                SQL(", ").join(
                    SQL("%s = %s::jsonb", SQL.identifier(name), value)
                    for name, value in zip(PAID_LATER, values, strict=True)
                ),
                partner.id,
            )
        )
        partner.invalidate_recordset(PAID_LATER)
