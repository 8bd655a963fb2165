"""What an unsaved form may refer to (R2.3, R11.6)."""

import re

from odoo import api, models, tools
from odoo.exceptions import AccessError, MissingError
from odoo.fields import Command

#: In the context: the records of a form that is not saved have no other defaults than
#: what their user may see; whether it is a form of which all is guarded. Whoever sends
#: it sees less.
FORM = "incident_unsaved"
MODULE = "helpdesk_paid_support"
#: Models of core whose forms name messages, or documents of any model: tickets, too.
OF_ANY_MODEL = {
    "discuss.channel.member",
    "ir.attachment",
    "mail.activity",
    "mail.activity.schedule",
    "mail.compose.message",
    "mail.message",
    "sms.composer",
}
#: What no other form of core tells either, besides what this module has.
TOLD_NOWHERE = {"helpdesk.ticket", "mail.message"}
TO_MANY = ("one2many", "many2many")
#: Fields that name a model and, in words or as numbers, documents of it.
OF_MODEL, OF_IDS = ("model", "res_model"), ("res_id", "res_ids")


class Base(models.AbstractModel):
    _inherit = "base"

    def onchange(self, values, field_names, fields_spec):
        """Override of `web` for R2.3 and R11.6: values of an unsaved form are partly
        computed with all rights, and so are the names of linked records. So the form
        may refer only to what its user may read, and to what the record has already.

        :raise AccessError: if it names something else.
        """
        guarded = self._incident_guarded()
        if self.env.su or not guarded:
            return super().onchange(values, field_names, fields_spec)
        self._incident_check_named(values)
        form = self.with_context(**{FORM: guarded == self._fields.keys()})
        return super(Base, form).onchange(values, field_names, fields_spec)

    @api.model
    def default_get(self, fields):
        """Override: in a form, defaults of the context or of the user must not refer to
        what the user may not see; see :meth:`onchange`."""
        defaults = super().default_get(fields)
        whole = self.env.context.get(FORM)
        if self.env.su or whole is None:
            return defaults
        return {
            name: value
            for name, value in defaults.items()
            if self._incident_may_default(name, value, bool(whole))
        }

    @api.model
    def _incident_may_default(self, name, value, whole):
        if not value or name not in self._incident_guarded(whole):
            return True
        # A number may belong to a model that the form names, not the defaults.
        if self._fields[name].type == "many2one_reference":
            return False
        return not self._incident_hidden(self._incident_named({name: value}, whole))

    @api.model
    @tools.ormcache("whole")
    def _incident_guarded(self, whole=False):
        """Return by which fields a form of this model could tell something of this
        module: all where the module has fields, too, or whose documents may be of any
        model. By all others forms stay as Odoo has them.

        :param bool whole: whether it is a line of a form of which all are guarded.
        :rtype: frozenset[str]
        """
        whole = (
            whole
            or self._name in OF_ANY_MODEL
            or any(field._module == MODULE for field in self._fields.values())
        )
        return frozenset(
            name
            for name, field in self._fields.items()
            if whole
            or field.comodel_name in TOLD_NOWHERE
            or field.relational
            and self.env[field.comodel_name]._original_module == MODULE
        )

    @api.model
    @tools.ormcache("whole")
    def _incident_pairs(self, whole=False):
        """Return the guarded fields that together name documents: of a model, and of
        their ids.

        :rtype: list[tuple[str, str]]
        """
        fields = {name: self._fields[name] for name in self._incident_guarded(whole)}
        return [
            (field.model_field, name)
            for name, field in fields.items()
            if field.type == "many2one_reference" and field.model_field
        ] + [
            (model, ids)
            for model in OF_MODEL
            for ids in OF_IDS
            if {model, ids} <= fields.keys()
            and fields[ids].type != "many2one_reference"
        ]

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

    def _incident_named(self, values, whole=False):
        """Return what values of a form name: each time the record of the form or a line
        of it, the field (None of numbers whose model is a value, too), and the records.

        :param bool whole: see :meth:`_incident_guarded`.
        :rtype: list[tuple]
        """
        named, guarded = [], self._incident_guarded(whole)
        for name in guarded & values.keys():
            field, value = self._fields[name], values[name]
            if not field.relational or not value:
                continue
            comodel = self.env[field.comodel_name]
            records = comodel.browse()
            for id_, line_values in self._incident_parse(field, value):
                # What is new has a name that the client has given it.
                line = comodel.browse(id_ if type(id_) is int else [])
                records |= line
                if isinstance(line_values, dict):
                    named += line._incident_named(
                        line_values, whole=guarded == self._fields.keys()
                    )
            if records:
                named.append((self, field, records))
        return named + self._incident_referred(values, whole)

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

    def _incident_referred(self, values, whole):
        """Return the same of fields whose model is a value, too."""
        named = [
            (self, None, self._incident_browse(*str(value).split(",", 1)))
            for name, value in values.items()
            if name in self._incident_guarded(whole)
            and self._fields[name].type == "reference"
            and "," in str(value)
        ]
        active = self.env.context.get("active_ids") or self.env.context.get("active_id")
        unseen = self.with_context(**{FORM: None})  # defaults, whatever they name
        for pair in self._incident_pairs(whole):
            if values.keys().isdisjoint(pair):
                continue
            model, ids = (
                values.get(key)
                or self[:1].sudo()[key]
                or unseen.default_get([key]).get(key)
                for key in pair
            )
            model = model or self.env.context.get("active_model")
            named.append((self, None, self._incident_browse(model, ids or active)))
        return [names for names in named if names[2]]

    @api.model
    def _incident_browse(self, model, ids):
        """Return the records of a model, by whatever names them: 5, "5", "[5, 6]"."""
        if not isinstance(model, str) or model not in self.env:
            return self.env["base"]
        return self.env[model].browse(map(int, re.findall(r"\d+", str(ids or ""))))

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
