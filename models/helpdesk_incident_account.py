"""Who an account belongs to, and who may do what with it (R11.6, R14)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..fields import WholeNumber
from .groups import INCIDENT_READERS, MANAGERS
from .ledger.account_cache import shows_balance

#: Salespeople see what is left, and not what was used for which ticket (R14).
ENTRY_READERS = f"{INCIDENT_READERS},base.group_portal"


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    revision = fields.Integer(groups=INCIDENT_READERS)
    entry_ids = fields.One2many(groups=ENTRY_READERS)

    @api.model
    def _mine(self):
        """Return the account of the current user's customer in the current company,
        with superuser rights: what a portal page may show (R11.6)."""
        return self._of(self.env.user.partner_id, self.env.company)

    @api.model
    def _balance_models(self):
        """Override: what a customer's form shows."""
        return (*super()._balance_models(), ("res.partner", shows_balance))

    @api.model
    def _check_manager(self):
        """Override for R7.3: only helpdesk managers may."""
        if not self.env.user.has_group(MANAGERS):
            raise AccessError(
                self.env._("Only helpdesk managers may adjust support incidents.")
            )


class HelpdeskIncidentConsumer(models.AbstractModel):
    _inherit = "helpdesk.incident.consumer"

    # Who reads a document need not belong to the customer whose incidents it takes.
    incident_count = WholeNumber(groups=INCIDENT_READERS)


class HelpdeskIncidentAllotment(models.Model):
    _inherit = "helpdesk.incident.allotment"

    entry_ids = fields.One2many(groups=ENTRY_READERS)
