from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..fields import WholeNumber


class HelpdeskIncidentAdjust(models.TransientModel):
    """Give lifetime incidents to several customers, or take them back (R7.2)."""

    _name = "helpdesk.incident.adjust"
    _description = "Adjust Support Incidents"
    _check_company_auto = True

    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        default=lambda self: self.env.company,
    )
    partner_ids = fields.Many2many(
        comodel_name="res.partner",
        string="Customers",
        required=True,
        check_company=True,
    )
    quantity = WholeNumber(
        string="Lifetime incidents",
        required=True,
        help="How many to give to each customer; below zero to take them back.",
    )
    reason = fields.Char(
        required=True,
        help="The customer reads it in the statement.",
    )

    @api.model
    def default_get(self, fields):
        """Override to adjust the customers or accounts chosen in a list."""
        values = super().default_get(fields)
        model = self.env.context.get("active_model") or "res.partner"
        listed = model in ("helpdesk.incident.account", "res.partner")
        if listed and "partner_ids" in fields and not values.get("partner_ids"):
            active = self.env[model].browse(self.env.context.get("active_ids") or [])
            if model == "helpdesk.incident.account":
                active = active.partner_id
            values["partner_ids"] = [(6, 0, active.ids)]
        return values

    def action_apply(self):
        """Adjust the accounts of the customers, only once, however often it is called.

        :raise AccessError: if the user is no helpdesk manager (R7.3).
        :raise UserError: if there is nothing to adjust, or more would be taken back
            from a customer than was ever given; no account is changed then.
        """
        self.ensure_one()
        account_model = self.env["helpdesk.incident.account"]
        account_model._check_manager()
        if self.company_id not in self.env.user.company_ids:
            raise AccessError(
                self.env._("You do not work in %(name)s.", name=self.company_id.name)
            )
        if not self.quantity:
            raise UserError(self.env._("Enter how many incidents to give."))
        if not self.partner_ids:
            raise UserError(self.env._("Choose the customers."))
        if not self.reason.strip():
            raise UserError(self.env._("Enter the reason: customers will read it."))
        accounts = account_model.sudo()
        for customer in self.partner_ids.commercial_partner_id.sorted("id"):
            accounts |= account_model._of(customer, self.company_id, create=True)
        accounts._adjust(
            self.quantity, self.reason, cause_key=f"{self._name}:{self.id}"
        )
        return {"type": "ir.actions.act_window_close"}
