from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError


class HelpdeskIncidentFault(models.Model):
    """Incidents that could not be given, to be tried again (R3.9)."""

    _name = "helpdesk.incident.fault"
    _description = "Support Incidents to Check"
    _order = "id"

    company_id = fields.Many2one(comodel_name="res.company", readonly=True)
    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document", model_field="res_model", required=True, readonly=True
    )
    name = fields.Char(string="Document Name", readonly=True)
    partner_id = fields.Many2one(
        comodel_name="res.partner", string="Customer", compute="_compute_partner_id"
    )
    error = fields.Text(required=True, readonly=True)
    tries = fields.Integer(default=1, readonly=True)

    _document_uniq = models.UniqueIndex(
        "(res_model, res_id)", "This document is listed already."
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    def _compute_partner_id(self):
        for fault in self:
            document = self.env[fault.res_model].sudo().browse(fault.res_id).exists()
            known = "partner_id" in document._fields
            fault.partner_id = known and document.partner_id

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_retry(self):
        """Try again to give the incidents of these documents.

        :raise AccessError: if the user is no helpdesk manager.
        """
        self.check_access("read")
        self.env["helpdesk.incident.account"]._check_manager()
        self.sudo()._retry()

    def action_open_document(self):
        """Open the document whose incidents could not be given.

        :raise UserError: if the user may not see it, or it was deleted.
        """
        self.ensure_one()
        self.check_access("read")
        document = self.env[self.res_model].browse(self.res_id)
        if not document.exists():
            raise UserError(self.env._("%(name)s was deleted.", name=self.name))
        try:
            document.check_access("read")
        except AccessError as error:
            raise UserError(
                self.env._(
                    "You may not open %(name)s yourself. Ask a colleague who works "
                    "with it, and try again once it is mended.",
                    name=self.name,
                )
            ) from error
        return document._get_records_action(context={})

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    @api.model
    def _record(self, document, error):
        """Note that the incidents of ``document`` could not be given, and why."""
        fault = self.search(
            [("res_model", "=", document._name), ("res_id", "=", document.id)]
        )
        if fault:
            fault.write({"error": str(error), "tries": fault.tries + 1})
            return
        document = document.sudo()
        self.create(
            {
                "company_id": document.company_id.id,
                "res_model": document._name,
                "res_id": document.id,
                "name": document.display_name,
                "error": str(error),
            }
        )

    def _retry(self):
        """Try again. What works now, or has been deleted, is removed from the list.

        A document settles for the last time before it is deleted.
        """
        for fault in self:
            document = self.env[fault.res_model].browse(fault.res_id)
            error = document._incident_try() if document.exists() else None
            if error is None:
                fault.unlink()
            else:
                self._record(document, error)

    @api.model
    def _cron_retry(self):
        """Try again everything that could not be given (R3.9)."""
        cron = self.env["ir.cron"]
        for fault in self.search([], order="tries, id", limit=1000):
            try:
                fault._retry()
            except (OperationalError, ConcurrencyError):
                # Another transaction works on it: the next run tries again.
                self.env.cr.rollback()
            if not cron._commit_progress(1):
                break
