from odoo import api, fields, models
from odoo.exceptions import UserError

from ..fields import WholeNumber
from .groups import INCIDENT_VIEWERS, MANAGERS


class ResPartner(models.Model):
    _inherit = "res.partner"

    incident_account_ids = fields.One2many(
        comodel_name="helpdesk.incident.account",
        inverse_name="partner_id",
        string="Support incident accounts",
        readonly=True,
        groups=INCIDENT_VIEWERS,
    )
    # R7.1. All contacts of a customer show the account of the customer (R2.1).
    incident_lifetime_granted = WholeNumber(
        string="Maximum number of support incidents",
        compute="_compute_incidents",
        inverse="_inverse_incident_lifetime_granted",
        groups=INCIDENT_VIEWERS,
        help="All lifetime incidents ever given, less those taken back. "
        "A change is written to the statement as an adjustment.",
    )
    incident_lifetime_used = fields.Integer(
        string="Incidents usage",
        compute="_compute_incidents",
        groups=INCIDENT_VIEWERS,
        help="Lifetime incidents used over the whole time.",
    )
    incident_lifetime_balance = fields.Integer(
        string="Lifetime incidents left",
        compute="_compute_incidents",
        groups=INCIDENT_VIEWERS,
    )
    incident_period_balance = fields.Integer(
        string="Period incidents now",
        compute="_compute_incidents",
        groups=INCIDENT_VIEWERS,
    )
    incident_available = fields.Integer(
        string="Available incidents",
        compute="_compute_incidents",
        groups=INCIDENT_VIEWERS,
        help="What tickets of this customer can use today.",
    )

    @api.depends("commercial_partner_id")
    @api.depends_context("company")
    def _compute_incidents(self):
        none = self.env["helpdesk.incident.account"]
        holders = {
            partner: (partner.commercial_partner_id._origin.id, self.env.company.id)
            for partner in self
        }
        accounts = none._find(holders.values())
        for partner, holder in holders.items():
            account = accounts.get(holder, none)
            partner.incident_lifetime_granted = account.lifetime_granted
            partner.incident_lifetime_used = account.lifetime_used
            partner.incident_lifetime_balance = account.lifetime_balance
            partner.incident_period_balance = account.period_balance
            partner.incident_available = account.available

    def _inverse_incident_lifetime_granted(self):
        """R7.1: write the difference as an adjustment."""
        account_model = self.env["helpdesk.incident.account"]
        maxima = {partner: partner.incident_lifetime_granted for partner in self}
        self._incident_lock_ahead(self.env.company)
        for partner, maximum in maxima.items():
            account = account_model._of(partner, self.env.company)
            if maximum == account.lifetime_granted:
                continue
            if partner != partner.commercial_partner_id:
                # The form of a new contact would write the number that it has shown,
                # and so undo what the customer was given since.
                raise UserError(
                    self.env._(
                        "%(contact)s shares the incidents of %(customer)s: change "
                        "their number there.",
                        contact=partner.name,
                        customer=partner.commercial_partner_id.display_name,
                    )
                )
            account_model._check_manager()
            account = account_model._of(partner, self.env.company, create=True)
            account._adjust_to(maximum)

    def action_view_incident_months(self):
        """Show what came, was used and lapsed by month, of the customer in the current
        company (R22.1)."""
        self.ensure_one()
        self.check_access("read")
        account = self.env["helpdesk.incident.account"]._of(self, self.env.company)
        if not account:
            return self.action_view_incidents()
        return account.sudo(False).action_view_months()

    def action_view_incidents(self):
        """Open the incident account of the customer in the current company.

        Without one, managers get the wizard that gives the first incidents.
        """
        self.ensure_one()
        self.check_access("read")
        account_model = self.env["helpdesk.incident.account"]
        account_model.check_access("read")
        account = account_model._of(self, self.env.company)
        if account:
            return account._get_records_action(
                name=self.env._("Support Incidents"), context={}
            )
        manager = self.env.user.has_group(MANAGERS)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_adjust_action"
            if manager
            else "helpdesk_paid_support.helpdesk_incident_account_action"
        )
        if manager:
            return {**action, "context": {"default_partner_ids": self.ids}}
        return {
            **action,
            "domain": [("partner_id", "=", self.commercial_partner_id.id)],
        }

    # ------------------------------------------------------------------
    # Client area
    # ------------------------------------------------------------------

    def _can_be_edited_by_current_customer(self, **kwargs):
        """Override of `portal`: the addresses of a subsidiary that is a separate
        customer belong to the subsidiary alone (R11.6)."""
        customer = self._get_current_partner(**kwargs).commercial_partner_id
        return (
            super()._can_be_edited_by_current_customer(**kwargs)
            and self.commercial_partner_id == customer
        )
