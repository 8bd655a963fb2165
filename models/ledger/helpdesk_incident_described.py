from odoo import api, models
from odoo.models import LOG_ACCESS_COLUMNS


def declared(model, name):
    """Return the names in an attribute of a model and of all that extend it, each of
    which has its own.

    :rtype: frozenset[str]
    """
    return frozenset().union(*(vars(cls).get(name, ()) for cls in type(model).__mro__))


class HelpdeskIncidentDescribed(models.AbstractModel):
    """What lists offer of a table: nobody groups by how its rows are found, or kept
    (R12.1)."""

    _name = "helpdesk.incident.described"
    _description = "Support Incident Lists"

    #: Who wrote a row, and when: for people these tables have days of their own.
    _log_fields = frozenset(LOG_ACCESS_COLUMNS)
    #: What else is internal: of a model and of all that extend it.
    _internal_fields = frozenset()

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override: menus to group by offer what has a meaning for people."""
        described = super().fields_get(allfields, attributes)
        internal = self._log_fields | declared(self, "_internal_fields")
        for name in internal & set(described):
            if "groupable" in described[name]:
                described[name]["groupable"] = False
        return described
