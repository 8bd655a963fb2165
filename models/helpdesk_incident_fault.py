from odoo import api, fields, models


class HelpdeskIncidentFault(models.Model):
    """Incidents that could not be given, to be tried again (R3.9)."""

    _name = "helpdesk.incident.fault"
    _description = "Support Incidents to Check"
    _order = "id desc"

    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document", model_field="res_model", required=True, readonly=True
    )
    name = fields.Char(string="Document Name", readonly=True)
    error = fields.Text(required=True, readonly=True)
    tries = fields.Integer(default=1, readonly=True)

    _document_uniq = models.UniqueIndex(
        "(res_model, res_id)", "This document is listed already."
    )

    @api.model
    def _record(self, document, error):
        fault = self.search(
            [("res_model", "=", document._name), ("res_id", "=", document.id)]
        )
        if fault:
            fault.write({"error": str(error), "tries": fault.tries + 1})
        else:
            self.create(
                {
                    "res_model": document._name,
                    "res_id": document.id,
                    "name": document.sudo().display_name,
                    "error": str(error),
                }
            )

    def action_retry(self):
        """Try again to give the incidents of these documents."""
        self.check_access("write")
        for fault in self.sudo():
            document = self.env[fault.res_model].sudo().browse(fault.res_id)
            error = document.exists() and document._incident_try() or None
            if error is None:
                fault.unlink()
            else:
                self._record(document, error)

    def action_open_document(self):
        """Open the document whose incidents could not be given."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    @api.model
    def _cron_retry(self):
        """Try again everything that could not be given (R3.9)."""
        for fault in self.search([], limit=1000):
            fault.action_retry()
            if not self.env["ir.cron"]._commit_progress(1):
                break
