from odoo import api, models
from odoo.exceptions import UserError

#: In the context, as ``incident_memory``: this module writes. An object cannot come in
#: over RPC.
REMEMBER = object()


class HelpdeskIncidentMemory(models.AbstractModel):
    """A document that remembers what it gave, and by which numbers (R3.4, R8.7).

    Nobody writes what it remembers, over any interface: whoever could would make
    incidents.
    """

    _name = "helpdesk.incident.memory"
    _description = "Memory of Support Incidents"

    #: The fields that only this module writes.
    _incident_memory_fields = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        """Override to refuse what is remembered."""
        self._incident_check_memory(set().union(*vals_list))
        return super().create(vals_list)

    @api.model
    def default_get(self, fields_list):
        """Override: nobody sets defaults for what is remembered, in a context or for
        a user."""
        defaults = super().default_get(fields_list)
        for name in self._incident_memory_fields & set(defaults):
            default = self._fields[name].default
            if default:
                defaults[name] = default(self)
            else:
                del defaults[name]
        return defaults

    def write(self, vals):
        """Override to refuse what is remembered."""
        self._incident_check_memory(vals)
        return super().write(vals)

    def _incident_check_memory(self, names):
        names = self._incident_memory_fields & set(names)
        if names and self.env.context.get("incident_memory") is not REMEMBER:
            raise UserError(
                self.env._(
                    "“%(fields)s” cannot be written: it follows from what happens to "
                    "the document. To give incidents, use “Adjust incidents”.",
                    fields=", ".join(
                        self._fields[name]._description_string(self.env)
                        for name in sorted(names)
                    ),
                )
            )

    def _incident_remember(self, **values):
        """Write what these documents remember."""
        if self:
            self.sudo().with_context(incident_memory=REMEMBER).write(values)
