"""Who of the customer has agreed to pay for a subscription (R9.7)."""

from odoo import fields, models

from ..groups import INCIDENT_VIEWERS


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    agreed_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Agreed last",
        readonly=True,
        ondelete="restrict",
        groups=INCIDENT_VIEWERS,
        help="Whoever of the customer has agreed last to pay for it: has paid or "
        "ordered something for it, switched automatic renewal on, or scheduled a "
        "change. What staff do for the customer, the customer agrees to, and no single "
        "contact.",
    )

    def _agree(self, contact):
        """Remember who has agreed to pay for this subscription: a contact of the
        customer; else the customer, who is represented by somebody else (R9.7)."""
        if contact.commercial_partner_id != self.partner_id:
            contact = self.partner_id
        self.agreed_partner_id = contact

    def _agreed(self):
        """Return the contact of the customer who has agreed last, if there is one; who
        has moved to another customer since, or was archived, is none."""
        agreed = self.agreed_partner_id or self._orderer()
        return agreed.filtered(
            lambda partner: (
                partner.active and partner.commercial_partner_id == self.partner_id
            )
        )

    def _payers(self):
        """Return whose payment methods an automatic renewal may use: the customer's,
        and those of who has agreed last. Those of colleagues are theirs."""
        return self.partner_id | self._agreed()

    def _contacts(self):
        """Return whom this subscription concerns: the contact who has agreed last, who
        has ordered last, and the customer."""
        return (self._agreed() - self.partner_id) | self._orderer() | self.partner_id
