from odoo import models

from .helpdesk_incident_outbox import Later

#: In the context, as ``incident_print``: the caller can handle a report that is printed
#: ``Later``.
LATER = object()


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf(self, report_ref, res_ids=None, data=None):
        """Override for R3.6: see ``LATER``."""
        if (
            self.env.context.get("incident_print") is LATER
            and self.env["helpdesk.incident.account"]._has_lock()
        ):
            return Later(report_ref, res_ids), "pdf"
        return super()._render_qweb_pdf(report_ref, res_ids=res_ids, data=data)
