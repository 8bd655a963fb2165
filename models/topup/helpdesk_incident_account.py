from odoo import fields, models

from ..groups import INCIDENT_VIEWERS


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    topup_ids = fields.One2many(
        comodel_name="helpdesk.incident.topup",
        inverse_name="account_id",
        string="Topping up",
        readonly=True,
        groups=INCIDENT_VIEWERS,
    )

    def _topup(self):
        """Return what tops up this account, switched on or off, if that was chosen.

        :return: one ``helpdesk.incident.topup`` with superuser rights, or none.
        """
        topups = self.env["helpdesk.incident.topup"].sudo()
        return topups.search([("account_id", "in", self.ids)])

    # ------------------------------------------------------------------
    # Customers that become one (R2.2)
    # ------------------------------------------------------------------

    def _give_to(self, customer, company):
        """Override: another customer has not agreed to what this one has."""
        if customer != self.partner_id:
            self._topup().agreed_partner_id = False
        return super()._give_to(customer, company)

    def _merge_references(self, others):
        """Override: one top-up stays, that of this account unless only another one is
        switched on; what another customer has agreed to, this one has not. What was
        bought by the others counts as bought by it."""
        topups = (
            (self | others)
            ._topup()
            .sorted(lambda topup: (not topup.is_on, topup.account_id != self, topup.id))
        )
        kept, gone = topups[:1], topups[1:]
        gone._orders()._incident_remember(incident_topup_id=kept.id)
        gone.unlink()
        if kept.partner_id != self.partner_id:
            kept.agreed_partner_id = False
        kept.account_id = self
        # The accounts of the others are deleted in SQL.
        kept.flush_recordset()
        return super()._merge_references(others)
