from odoo import api, fields, models

from ..fields import DayList, WholeNumber


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    incident_registration_quantity = WholeNumber(
        related="company_id.incident_registration_quantity", readonly=False
    )
    incident_first_payment_quantity = WholeNumber(
        related="company_id.incident_first_payment_quantity", readonly=False
    )
    incident_first_payment_minimum = fields.Monetary(
        related="company_id.incident_first_payment_minimum",
        readonly=False,
    )
    incident_topup_amount = fields.Monetary(
        related="company_id.incident_topup_amount",
        readonly=False,
    )
    incident_topup_quantity = WholeNumber(
        related="company_id.incident_topup_quantity", readonly=False
    )
    incident_free_signup = fields.Boolean(
        compute="_compute_incident_free_signup",
        help="Anybody may sign up in the portal.",
    )
    incident_grant_on = fields.Selection(
        related="company_id.incident_grant_on", readonly=False, required=True
    )
    incident_expired_return = fields.Selection(
        related="company_id.incident_expired_return", readonly=False, required=True
    )
    incident_return_on_duplicate = fields.Boolean(
        related="company_id.incident_return_on_duplicate", readonly=False
    )
    incident_renewal_days = WholeNumber(
        related="company_id.incident_renewal_days", readonly=False
    )
    incident_reminder_days = DayList(
        related="company_id.incident_reminder_days", readonly=False
    )
    incident_pending_days = WholeNumber(
        related="company_id.incident_pending_days", readonly=False
    )
    # What the company at the top decides for its branches, too (R2.3).
    incident_parent_id = fields.Many2one(
        related="company_id.parent_id", string="Parent of the company"
    )
    incident_thresholds = fields.Text(
        string="Running low",
        compute="_compute_incident_thresholds",
        help="How many incidents are left when it is told, and who is told.",
    )
    incident_tell_taken = fields.Boolean(
        related="company_id.incident_tell_taken", readonly=False
    )
    incident_parked_reminder_days = WholeNumber(
        related="company_id.incident_parked_reminder_days", readonly=False
    )
    incident_opening_deferred = fields.Boolean(
        related="company_id.incident_opening_deferred", readonly=False
    )
    incident_contest_days = WholeNumber(
        related="company_id.incident_contest_days", readonly=False
    )
    incident_proposal_days = WholeNumber(
        related="company_id.incident_proposal_days", readonly=False
    )
    incident_parked_close_days = WholeNumber(
        related="company_id.incident_parked_close_days", readonly=False
    )

    incident_charge_product_id = fields.Many2one(
        related="company_id.incident_charge_product_id", readonly=False
    )
    incident_charge_tax_included = fields.Boolean(
        related="company_id.incident_charge_tax_included", readonly=False
    )

    incident_overage_product_id = fields.Many2one(
        related="company_id.incident_overage_product_id", readonly=False
    )
    incident_overage_limit = fields.Monetary(
        related="company_id.incident_overage_limit", readonly=False
    )
    incident_overage_invoicing = fields.Selection(
        related="company_id.incident_overage_invoicing", readonly=False, required=True
    )
    incident_overage_overdue_days = WholeNumber(
        related="company_id.incident_overage_overdue_days", readonly=False
    )

    incident_release_journal_id = fields.Many2one(
        related="company_id.incident_release_journal_id", readonly=False
    )
    incident_deferred_account_id = fields.Many2one(
        related="company_id.incident_deferred_account_id", readonly=False
    )
    incident_lapse_account_id = fields.Many2one(
        related="company_id.incident_lapse_account_id", readonly=False
    )
    incident_release_post = fields.Boolean(
        related="company_id.incident_release_post", readonly=False
    )

    @api.depends("company_id")
    @api.depends_context("lang")
    def _compute_incident_thresholds(self):
        """R19.3"""
        for settings in self:
            thresholds = settings.company_id.sudo().incident_threshold_ids
            settings.incident_thresholds = "\n".join(thresholds._words())

    @api.depends("company_id")
    def _compute_incident_free_signup(self):
        """R6.1: anybody who can sign up without an invitation gets incidents for it."""
        scope = self.env["ir.config_parameter"].sudo()
        free = scope.get_param("auth_signup.invitation_scope", "b2b") == "b2c"
        for settings in self:
            settings.incident_free_signup = free
