import logging
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import models
from odoo.exceptions import ConcurrencyError, UserError

from .account_settle import Cause

_logger = logging.getLogger(__name__)


class Said(NamedTuple):
    """What documents say of themselves as they are by now. Nothing of it is written
    yet."""

    causes: list[Cause]
    #: what has to be remembered of that, by who has ``_incident_remember``: values of
    #: fields, or what finds out by itself what of it is new
    facts: dict[models.BaseModel, dict]

    def changes(self):
        """Return those of the facts that are not remembered already."""
        return {
            record: changed
            for record, values in self.facts.items()
            if (changed := _not_stored(record, values))
        }


def _not_stored(record, values):
    fields = record._fields
    return {
        name: value
        for name, value in values.items()
        if name not in fields
        or fields[name].convert_to_write(record[name], record) != value
    }


class HelpdeskIncidentCause(models.AbstractModel):
    """A document that gives incidents: a payment, a user, an order line (R3.4).

    It says what it should have given by now (:meth:`_incident_said`), and calls
    :meth:`_incident_give` whenever it has changed: what differs is written then.
    """

    _name = "helpdesk.incident.cause"
    _description = "Cause of Support Incidents"

    def _incident_opened(self):
        """Return the accounts that these documents give to by now, or have given to.
        Those that are missing are opened: a cause names its account.

        :return: ``helpdesk.incident.account`` records.
        """
        raise NotImplementedError

    def _incident_begin(self):
        """Hook: make what causes name besides their accounts. The accounts are locked:
        two changes at the same moment must not overlook each other (R3.6)."""

    def _incident_said(self):
        """Return what these documents should have given by now. It writes nothing. The
        accounts are locked.

        :rtype: Said
        """
        raise NotImplementedError

    def _incident_causes(self):
        """Return what these documents should have given by now, without writing.

        :rtype: list[Cause]
        """
        return self.sudo()._incident_said().causes

    def _incident_settle(self):
        """Write the difference between what these documents should have given by now
        and have given. Calling it twice changes nothing."""
        documents = self.sudo()
        documents._incident_opened()._lock()
        documents._incident_begin()
        said = documents._incident_said()
        self.env["helpdesk.incident.account"]._settle(said.causes)
        for record, values in said.changes().items():
            record._incident_remember(**values)

    def _incident_give(self):
        """Settle. A fault never blocks the documents (R3.9).

        It is recorded for the managers, and the scheduled action tries again. A
        concurrent update is no fault: it is raised, and Odoo retries the request.
        """
        if not self or self._incident_try() is None:
            return
        # One failing document must not block the rest.
        fault_model = self.env["helpdesk.incident.fault"].sudo()
        for document in self:
            error = document._incident_try()
            if error is not None:
                fault_model._record(document, error)

    def _incident_problems(self):
        """Hook: return what staff should know of these documents although nothing has
        failed, each in a sentence.

        :rtype: list[str]
        """
        return []

    def _incident_try(self):
        """Settle, or undo everything.

        :return: what went wrong, or is to be looked at; None if nothing is.
        :rtype: Exception | None
        """
        # An error of earlier changes must not be caught here.
        self.env.flush_all()
        try:
            with self.env.cr.savepoint():
                self._incident_settle()
        except (OperationalError, ConcurrencyError):
            raise
        except Exception as error:
            _logger.exception("Support incidents of %s could not be settled", self)
            return error
        problems = self.sudo()._incident_problems()
        return UserError("\n".join(problems)) if problems else None
