from odoo import api, fields, models
from odoo.exceptions import UserError

#: What can be confirmed here: it may take incidents back.
METHODS = {
    "account.move": ("action_post", "button_draft"),
    "account.payment": ("action_draft",),
}


class HelpdeskIncidentUndo(models.TransientModel):
    """What a document takes back, before it does (R8.4)."""

    _name = "helpdesk.incident.undo"
    _description = "Support Incidents Taken Back"

    res_model = fields.Char(string="Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Document",
        model_field="res_model",
        required=True,
        readonly=True,
    )
    method = fields.Char(required=True, readonly=True)
    line_ids = fields.One2many(
        comodel_name="helpdesk.incident.undo.line",
        inverse_name="undo_id",
        string="Plans",
        readonly=True,
    )
    used = fields.Integer(compute="_compute_used")

    @api.depends("line_ids.used")
    def _compute_used(self):
        for wizard in self:
            wizard.used = sum(wizard.line_ids.mapped("used"))

    @api.model
    def _ask(self, document, method):
        """Return the dialog that says what calling a method of a document takes back.

        Only the buttons of forms ask, by ``incident_ask`` in their context.

        :return: an action; None if nobody asks, or nothing is taken back.
        :rtype: dict | None
        """
        if not self.env.context.get("incident_ask") or len(document) != 1:
            return None
        document = document.with_context(incident_ask=False)
        taken = self.env["helpdesk.incident.account"]._try_out(document, method)
        if not taken:
            return None
        # Nobody else makes one.
        wizard = self.sudo().create(
            {
                "res_model": document._name,
                "res_id": document.id,
                "method": method,
                "line_ids": [fields.Command.create(row._asdict()) for row in taken],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("This takes support incidents back"),
            "res_model": self._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
            "context": dict(document.env.context),
        }

    def action_confirm(self):
        """Do it.

        :raise UserError: if the document is gone, and what the method raises.
        :return: what the method returns, else the action that closes the dialog.
        """
        self.ensure_one()
        if self.method not in METHODS.get(self.res_model, ()):
            raise UserError(self.env._("Open this form from a document."))
        document = self.env[self.res_model].browse(self.res_id).exists()
        if not document:
            raise UserError(self.env._("This document has been deleted."))
        document = document.with_context(incident_ask=False)
        action = getattr(document, self.method)()
        if isinstance(action, dict):
            return action
        return {"type": "ir.actions.act_window_close"}


class HelpdeskIncidentUndoLine(models.TransientModel):
    """One subscription or pack, or all lifetime incidents."""

    _name = "helpdesk.incident.undo.line"
    _description = "Support Incidents Taken Back: One Plan"

    undo_id = fields.Many2one(
        comodel_name="helpdesk.incident.undo", required=True, ondelete="cascade"
    )
    name = fields.Char(string="Plan", readonly=True)
    taken = fields.Integer(string="Lost", readonly=True)
    used = fields.Integer(string="Already used", readonly=True)
    periods = fields.Integer(string="Periods lost", readonly=True)
    periods_before = fields.Integer(readonly=True)
    periods_taken = fields.Char(string="Periods", compute="_compute_periods_taken")
    left = fields.Integer(readonly=True)
    date_to = fields.Date(string="Valid to", readonly=True)

    @api.depends("periods", "periods_before")
    def _compute_periods_taken(self):
        for line in self:
            line.periods_taken = (
                self.env._(
                    "%(taken)s of %(all)s",
                    taken=line.periods,
                    all=line.periods_before,
                )
                if line.periods_before > 1
                else False
            )
