from odoo import api, models
from odoo.exceptions import UserError

from .helpdesk_incident_described import declared


class HelpdeskIncidentLedger(models.AbstractModel):
    """A table of the ledger, closed to the ORM (R3.1, R14).

    Only the verbs of the account write its rows, by SQL. Creating, changing and
    deleting is refused to everybody over any interface, including the superuser.
    """

    _name = "helpdesk.incident.ledger"
    _inherit = "helpdesk.incident.described"
    _description = "Support Incident Ledger"

    #: The fields that may be written: those with an inverse that calls a verb. Of a
    #: model and of all that extend it.
    _open_fields = frozenset()
    _internal_fields = frozenset(
        {
            *("cause_key", "cause_number", "res_id", "res_model", "revision"),
            *("currency_id", "grant_kind", "target", "to_grant"),
        }
    )

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Override to refuse."""
        raise self._closed_error()

    def write(self, vals):
        """Override to refuse everything except ``_open_fields``."""
        if not vals or set(vals) - declared(self, "_open_fields"):
            raise self._closed_error()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        """Override to refuse."""
        raise self._closed_error()

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise self._closed_error()

    def _closed_error(self):
        return UserError(
            self.env._(
                "Support incidents are written by the ledger alone, and never changed "
                "or deleted afterwards. To correct a number, use “Adjust incidents”."
            )
        )
