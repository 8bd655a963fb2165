from odoo import api, models, tools
from odoo.exceptions import UserError

#: In the context, as ``incident_protected``: says that this module writes. Nobody can
#: send this object over RPC.
REMEMBER = object()
#: What fields have in common by which a document remembers what it gave: nobody writes
#: them, and a copy has nothing of it.
REMEMBERED = {"readonly": True, "copy": False, "incident_protected": True}


class HelpdeskIncidentProtected(models.AbstractModel):
    """A document with protected fields: what it gave, and by which numbers (R3.4,
    R8.7).

    A field is protected by ``incident_protected=True``. Nobody can write it over any
    interface: whoever could write it could create incidents.
    """

    _name = "helpdesk.incident.protected"
    _description = "Protected Fields of Support Incidents"

    def _valid_field_parameter(self, field, name):
        """Override to know ``incident_protected``."""
        return name == "incident_protected" or super()._valid_field_parameter(
            field, name
        )

    @api.model
    @tools.ormcache()
    def _incident_protected_fields(self):
        """Return the names of the fields that only this module writes.

        :rtype: frozenset[str]
        """
        return frozenset(
            name
            for name, field in self._fields.items()
            if getattr(field, "incident_protected", False)
        )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to refuse what is protected."""
        self._incident_check_protected(set().union(*vals_list))
        return super().create(vals_list)

    @api.model
    def default_get(self, fields_list):
        """Override: nobody can set defaults for protected fields, neither in a context
        nor for a user."""
        defaults = super().default_get(fields_list)
        for name in self._incident_protected_fields() & set(defaults):
            default = self._fields[name].default
            if default:
                defaults[name] = default(self)
            else:
                del defaults[name]
        return defaults

    def write(self, vals):
        """Override to refuse what is protected."""
        self._incident_check_protected(vals)
        return super().write(vals)

    def _incident_check_protected(self, names):
        names = self._incident_protected_fields() & set(names)
        if names and self.env.context.get("incident_protected") is not REMEMBER:
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
            self.sudo().with_context(incident_protected=REMEMBER).write(values)
