"""An order that is signed is printed after the commit (R3.6)."""

import logging

from odoo import models

from ..outbox.helpdesk_incident_outbox import Later

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def message_post(self, *, attachments=None, **kwargs):
        """Override for R3.6: what is printed ``Later`` is posted then."""
        files = attachments or []
        if not any(isinstance(content, Later) for _name, content, *_more in files):
            return super().message_post(attachments=attachments, **kwargs)
        self.env["helpdesk.incident.outbox"]._put(
            self,
            "_incident_post_printed",
            reports=[
                [name, content.report, content.ids] for name, content, *_more in files
            ],
            **kwargs,
        )
        return self.env["mail.message"]

    def _incident_post_printed(self, reports, **kwargs):
        """Post a message with reports, each a name, a reference and ids; in the end
        without them, if they cannot be printed."""
        report_model = self.env["ir.actions.report"]
        try:
            files = [
                (name, report_model._render_qweb_pdf(report, ids)[0])
                for name, report, ids in reports
            ]
        except Exception:
            if not self.env.context.get("incident_last_try"):
                raise
            _logger.exception("%s is posted without its document", self)
            files = []
        self.message_post(attachments=files, **kwargs)
