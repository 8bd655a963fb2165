import logging

from psycopg2 import OperationalError

from odoo import models
from odoo.exceptions import ConcurrencyError

_logger = logging.getLogger(__name__)


class HelpdeskIncidentCause(models.AbstractModel):
    """A document that gives incidents: a payment, a user, an order line (R3.4).

    What it should have given by now is written by :meth:`_incident_settle`, which the
    document calls through :meth:`_incident_give` whenever it has changed.
    """

    _name = "helpdesk.incident.cause"
    _description = "Cause of Support Incidents"

    def _incident_settle(self):
        """Write the difference between what these documents should have given by now
        and have given. Calling it twice changes nothing."""
        raise NotImplementedError

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

    def _incident_try(self):
        """Settle, or undo everything.

        :return: what went wrong, None if nothing did.
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
        return None
