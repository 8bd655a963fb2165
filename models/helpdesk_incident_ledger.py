from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, Query


class HelpdeskIncidentLedger(models.AbstractModel):
    """A table of the ledger, closed to the ORM (R3.1, R14).

    Its rows are written by SQL in the verbs of the account alone. Creating, changing
    and deleting is refused to everybody over any interface, the superuser included.
    """

    _name = "helpdesk.incident.ledger"
    _description = "Support Incident Ledger"

    #: The fields that may be written: those with an inverse that calls a verb.
    _open_fields = frozenset()

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        """Override to refuse."""
        raise self._closed_error()

    def write(self, vals):
        """Override to refuse, but for ``_open_fields``."""
        if not vals or set(vals) - self._open_fields:
            raise self._closed_error()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        """Override to refuse."""
        raise self._closed_error()

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise self._closed_error()

    @api.model
    def _fetch_where(self, condition, names):
        """Return the records of this table that meet ``condition``, in the order of
        the model, as `search_fetch` does. For the hot path of tickets: to read a domain
        takes several times as long as to run its query (docs/performance.md).

        :param SQL condition: on columns of this table. What the ORM has still to write
            is not looked at: into these tables it writes nothing. What it has read is
            not read again: whoever writes by SQL makes it forget.
        :param names: stored fields to read.
        """
        query = Query(self.env, self._table, self._table_sql)
        query.add_where(condition)
        query.order = SQL(self._order)
        return self._fetch_query(query, [self._fields[name] for name in names])

    def _closed_error(self):
        return UserError(
            self.env._(
                "Support incidents are written by the ledger alone, and never changed "
                "or deleted afterwards. To correct a number, use “Adjust incidents”."
            )
        )
