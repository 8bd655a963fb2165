"""What a form may name that is not saved (R2.3, R11.6)."""

from odoo import api, models, tools
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Command

#: In the context: the records of a form that is not saved have no other defaults than
#: what their user may see. Whoever sends it sees less.
FORM = "incident_form"
MODULE = "helpdesk_paid_support"
#: Models of core whose forms name messages, or documents of any model: tickets, too.
OF_ANY_MODEL = {
    "discuss.channel.member",
    "ir.attachment",
    "mail.activity",
    "mail.compose.message",
    "mail.message",
}
TO_MANY = ("one2many", "many2many")


class Base(models.AbstractModel):
    _inherit = "base"

    def onchange(self, values, field_names, fields_spec):
        """Override of `web` for R2.3 and R11.6: what is computed for a form that is not
        saved is looked up with all rights in part, and so are the names of what it is
        linked with. So it may name what its user may read, and what the record has
        already.

        :raise AccessError: if it names something else.
        """
        if self.env.su or not self._incident_guards_form():
            return super().onchange(values, field_names, fields_spec)
        self._incident_check_named(values)
        form = self.with_context(**{FORM: True})
        return super(Base, form).onchange(values, field_names, fields_spec)

    @api.model
    def default_get(self, fields):
        """Override: in a form, defaults of the context or of the user are no way to
        name what the user may not see; see :meth:`onchange`."""
        defaults = super().default_get(fields)
        if self.env.su or not self.env.context.get(FORM):
            return defaults
        return {
            name: value
            for name, value in defaults.items()
            if self._incident_may_default(name, value)
        }

    @api.model
    def _incident_may_default(self, name, value):
        # A number may belong to a model that the form names, not the defaults.
        if value and self._fields[name].type == "many2one_reference":
            return False
        return not self._incident_hidden(self._incident_named({name: value}))

    @api.model
    @tools.ormcache()
    def _incident_guards_form(self):
        """Return whether forms of this model could tell something of this module: those
        of all other models stay as Odoo has them."""
        return self._name in OF_ANY_MODEL or any(
            field._module == MODULE for field in self._fields.values()
        )

    # ------------------------------------------------------------------
    # What is named
    # ------------------------------------------------------------------

    def _incident_check_named(self, values):
        """
        :param dict values: of a form, as ``onchange`` takes them.
        :raise AccessError: if they name records that the user may not see.
        """
        hidden = self._incident_hidden(self._incident_named(values))
        if any(
            records - (holder.sudo()[field.name] if field else records.browse())
            for holder, field, records in hidden
        ):
            raise AccessError(
                self.env._(
                    "This form names documents that you may not see. Reload the page."
                )
            )

    def _incident_named(self, values):
        """Return what values of a form name: each time the record of the form or a line
        of it, the field (None of numbers whose model is a value, too), and the records.

        :rtype: list[tuple]
        """
        named = []
        for name, value in values.items():
            field = self._fields.get(name)
            if field is None or not field.relational or not value:
                continue
            comodel = self.env[field.comodel_name]
            records = comodel.browse()
            for id_, line_values in self._incident_parse(field, value):
                # What is new has a name that the client has given it.
                line = comodel.browse(id_ if type(id_) is int else [])
                records |= line
                if isinstance(line_values, dict):
                    named += line._incident_named(line_values)
            if records:
                named.append((self, field, records))
        return named + self._incident_referred(values)

    @api.model
    def _incident_parse(self, field, value):
        """Yield what a value of a relation names, in each form that the ORM takes: an
        id or None, and values of a line or None."""
        to_many = field.type in TO_MANY
        for item in value if to_many and isinstance(value, list | tuple) else [value]:
            if isinstance(item, dict):
                yield item.get("id"), item
            elif not isinstance(item, list | tuple):
                yield item, None
            elif not to_many:
                yield (*item, None)[0], None
            else:
                code, id_, content = (*item, None, None, None)[:3]
                if code == Command.SET:
                    yield from ((line_id, None) for line_id in content or ())
                elif code == Command.CREATE:
                    yield None, content
                else:
                    yield id_, content if code == Command.UPDATE else None

    def _incident_referred(self, values):
        """Return the same of fields whose model is a value, too."""
        named = []
        for field in self._fields.values():
            name = field.name
            if field.type == "reference" and values.get(name):
                model, _comma, id_ = str(values[name]).partition(",")
            elif field.type == "many2one_reference" and (
                name in values or field.model_field in values
            ):
                model, id_ = (
                    values.get(key)
                    or self[:1].sudo()[key]
                    or self.default_get([key]).get(key)
                    for key in (field.model_field, name)
                )
            else:
                continue
            if isinstance(model, str) and model in self.env and str(id_).isdecimal():
                named.append((self, None, self.env[model].browse(int(id_))))
        return named

    # ------------------------------------------------------------------
    # What may be seen
    # ------------------------------------------------------------------

    @api.model
    def _incident_hidden(self, named):
        """Return what of this the user may not see.

        :param list named: as :meth:`_incident_named` returns it.
        """
        together = {}
        for _holder, field, records in named:
            key = (records._name, not field or field.type in TO_MANY)
            together[key] = together.get(key, records.browse()) | records
        hidden = {
            key: records - records._incident_visible(strict=key[1])
            for key, records in together.items()
        }
        return [
            (holder, field, left)
            for holder, field, records in named
            if (
                left := records
                & hidden[records._name, not field or field.type in TO_MANY]
            )
        ]

    def _incident_visible(self, strict):
        """Return those of these records that the user may see in a form.

        :param bool strict: those that he may read; otherwise, where he may read none
            of the model, those of his companies as well, as their names are shown in
            the forms of documents that he may read.
        """
        own = self._original_module == MODULE
        readable = self.browse().has_access("read")
        if strict or own or readable or not self.env.user._is_internal():
            try:
                return self._filtered_access("read")
            except MissingError:
                gone = self - self.exists()
                return self.exists()._filtered_access("read") | gone
        if "company_id" not in self._fields:
            return self
        companies = self.env.companies
        return self.filtered(
            lambda record: record.sudo().exists().company_id <= companies
        )
