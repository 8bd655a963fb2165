"""What the ORM has to forget: SQL has written the ledger."""

from odoo import api, models, tools


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _invalidate_ledger(self):
        """Forget what the ORM has read of the ledger: SQL has changed it."""
        self.env["helpdesk.incident.entry"].invalidate_model(flush=False)
        for model_name, names in self._balance_fields():
            ours = model_name in (self._name, "helpdesk.incident.allotment")
            self.env[model_name].invalidate_model(None if ours else names, flush=False)

    @api.model
    def _invalidate_balances(self):
        """Forget the numbers that the ORM has read, and which entries there are: SQL
        has written entries."""
        for model_name, names in self._balance_fields():
            fields_ = self.env[model_name]._fields
            for name in names:
                # Not by `invalidate_model`, which goes on to the inverse of each: what
                # an entry belongs to does not change.
                fields_[name]._invalidate_cache(self.env)

    @api.model
    @tools.ormcache()
    def _balance_fields(self):
        """Return the fields that entries change, of each model that has some.

        Fields outside the ledger that show these numbers are computed from them, never
        stored.
        """
        return tuple(
            (
                model_name,
                tuple(
                    name
                    for name, field in self.env[model_name]._fields.items()
                    if chosen(field)
                ),
            )
            for model_name, chosen in self._balance_models()
        )

    @api.model
    def _balance_models(self):
        """Return the models with fields that entries change, and which fields. A
        chapter that shows numbers of the ledger adds its own by overriding this.

        :return: pairs of a model name and a function of a field.
        :rtype: tuple[tuple[str, Callable]]
        """
        return (
            (
                "helpdesk.incident.account",
                lambda field: field.compute or field.type == "one2many",
            ),
            (
                "helpdesk.incident.allotment",
                lambda field: (
                    field.type in ("integer", "one2many") and field.name != "id"
                ),
            ),
            *((name, shows_balance) for name in self._consumer_models()),
        )

    @api.model
    def _consumer_models(self):
        """Return the names of the models whose documents take incidents."""
        consumers = self.pool.descendants(["helpdesk.incident.consumer"], "_inherit")
        return [name for name in consumers if not self.pool[name]._abstract]


def shows_balance(field):
    """Return whether a field of a document shows numbers of the ledger."""
    return field.name.startswith("incident_") and (
        field.compute or field.type == "one2many"
    )
