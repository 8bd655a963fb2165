from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command

from ..fields import DayList, WholeNumber
from .groups import INCIDENT_READERS
from .selling.sale_order import GRANT_ON


class ResCompany(models.Model):
    _inherit = "res.company"

    # R6: the numbers that each company chooses; 0 turns one off.
    incident_registration_quantity = WholeNumber(
        string="Incidents for new clients", default=0
    )
    incident_first_payment_quantity = WholeNumber(
        string="Incidents for the first payment", default=0
    )
    incident_first_payment_minimum = fields.Monetary(
        string="Least first payment",
        help="Smaller payments neither get these incidents nor use them up.",
    )
    incident_topup_amount = fields.Monetary(
        string="Amount of funds added",
        help="Each time that a customer has added this much.",
    )
    incident_topup_quantity = WholeNumber(string="Incidents for funds added", default=0)
    incident_grant_on = fields.Selection(
        selection=GRANT_ON,
        string="Incidents bought are given",
        default="paid",
        required=True,
    )
    incident_return_on_duplicate = fields.Boolean(
        string="Return the incidents of duplicates",
        default=True,
    )

    # R9.7, R13.2
    incident_renewal_days = WholeNumber(
        string="Days before the end to renew automatically", default=7
    )
    incident_reminder_days = DayList(
        string="Days before the end to remind", default="7"
    )
    incident_pending_days = WholeNumber(
        string="Days to wait for an announced bank transfer", default=7
    )
    # R19.3
    incident_threshold_ids = fields.One2many(
        comodel_name="helpdesk.incident.threshold",
        inverse_name="company_id",
        string="Thresholds of running low",
        groups=INCIDENT_READERS,
    )
    incident_low_threshold = WholeNumber(
        string="Incidents are running low at",
        compute="_compute_incident_low_threshold",
        inverse="_inverse_incident_low_threshold",
        compute_sudo=True,
        help="The highest threshold. Written, it is the only one, and customers are "
        "told.",
    )

    incident_tell_taken = fields.Boolean(string="Tell customers what is taken back")

    # R13.3
    incident_parked_reminder_days = WholeNumber(
        string="Days after which to remind of waiting tickets", default=3
    )
    incident_parked_close_days = WholeNumber(
        string="Days after which to close waiting tickets", default=14
    )

    # R21.4
    incident_opening_deferred = fields.Boolean(
        string="Opening balances are deferred",
        help="The old books had deferred the value of opening balances: it counts as "
        "invoiced, and is part of what is to be deferred.",
    )

    # R17.4
    incident_contest_days = WholeNumber(
        string="Days in which customers can contest", default=0
    )

    # R18.5
    incident_proposal_days = WholeNumber(
        string="Days in which customers can approve", default=14
    )

    # R12.5
    incident_setup_hidden = fields.Boolean(
        string="Nothing left to set up is shown",
        help="The dashboard of tickets no longer says what is left to do.",
    )

    # R10
    incident_charge_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Product of charges in tickets",
        check_company=True,
        help="What they are invoiced with; empty for “Technical support”.",
    )
    incident_charge_tax_included = fields.Boolean(
        string="Charges include taxes",
        default=True,
    )

    # R18
    incident_overage_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Product of what is paid later",
        check_company=True,
        help="A lifetime plan of 1 incident: what tickets lack is sold with it where "
        "their team sells it.",
    )
    incident_overage_limit = fields.Monetary(
        string="Paid later, each month",
        help="How much a customer may buy in a calendar month to pay it later, taxes "
        "included. 0: nothing.",
    )
    incident_overage_invoicing = fields.Selection(
        selection=[
            ("now", "at once"),
            ("monthly", "on the first day of the next month, all in one invoice"),
        ],
        string="What is paid later is invoiced",
        default="monthly",
        required=True,
    )
    incident_overage_overdue_days = WholeNumber(
        string="Days overdue before nothing more is paid later", default=0
    )

    # R21.1
    incident_release_journal_id = fields.Many2one(
        comodel_name="account.journal",
        string="Journal of release entries",
        domain=[("type", "=", "general")],
        check_company=True,
        help="Empty: no such entries are made.",
    )
    incident_deferred_account_id = fields.Many2one(
        comodel_name="account.account",
        string="Deferred revenue of support incidents",
        check_company=True,
        help="What customers have paid for and not used yet is kept there.",
    )
    incident_lapse_account_id = fields.Many2one(
        comodel_name="account.account",
        string="Revenue of lapsed support incidents",
        check_company=True,
        help="Empty: the income account of the product.",
    )
    incident_release_post = fields.Boolean(
        string="Post release entries",
        help="Otherwise they stay drafts, one at a time, until an accountant posts "
        "them.",
    )

    _incident_numbers_check = models.Constraint(
        """CHECK (incident_registration_quantity >= 0
              AND incident_first_payment_quantity >= 0
              AND COALESCE(incident_first_payment_minimum, 0) >= 0
              AND incident_topup_quantity >= 0
              AND incident_topup_amount >= 0
              AND incident_renewal_days >= 0
              AND incident_pending_days >= 0
              AND incident_parked_reminder_days >= 0
              AND incident_parked_close_days >= 0
              AND COALESCE(incident_contest_days, 0) >= 0
              AND COALESCE(incident_proposal_days, 0) >= 0
              AND COALESCE(incident_overage_limit, 0) >= 0
              AND COALESCE(incident_overage_overdue_days, 0) >= 0)""",
        "Numbers of support incidents and of days, and amounts, must be 0 or more.",
    )

    @api.depends("incident_threshold_ids.number")
    def _compute_incident_low_threshold(self):
        for company in self:
            numbers = company.incident_threshold_ids.mapped("number")
            company.incident_low_threshold = max(numbers, default=0)

    def _inverse_incident_low_threshold(self):
        """Keep one threshold, or none for 0, as when there was one for each company.
        Whoever may write the company may do so."""
        for company in self.sudo():
            number = company.incident_low_threshold
            company.incident_threshold_ids = [
                Command.clear(),
                *([Command.create({"number": number})] if number else []),
            ]

    @api.constrains(
        "helpdesk_mgmt_portal_select_team", "helpdesk_mgmt_portal_team_id_required"
    )
    def _check_portal_select_team(self):
        """R11.1, R11.2: nobody could buy for a paid team that cannot be chosen, and a
        ticket without a team would cost nothing."""
        for company in self:
            if (
                company.helpdesk_mgmt_portal_select_team
                and company.helpdesk_mgmt_portal_team_id_required
            ):
                continue
            teams = (
                self.env["helpdesk.ticket.team"]
                .sudo()
                .search(
                    [
                        ("company_id", "=", company.id),
                        ("incident_required", "=", True),
                        ("show_in_portal", "=", True),
                    ]
                )
            )
            if teams:
                raise ValidationError(
                    self.env._(
                        "Customers of %(company)s must choose the team on the portal "
                        "form, because these teams require support incidents: "
                        "%(teams)s. Hide them from the portal first.",
                        company=company.name,
                        teams=", ".join(teams.mapped("name")),
                    )
                )

    @api.constrains("incident_overage_product_id")
    def _check_incident_overage_product(self):
        """R18.1: what is missing is sold one by one."""
        for company in self:
            product = company.sudo().incident_overage_product_id
            if product and not product._incident_is_single():
                raise ValidationError(
                    self.env._(
                        "%(product)s is no lifetime plan of 1 incident: what tickets "
                        "lack is sold one by one.",
                        product=product.display_name,
                    )
                )

    def _incident_counts_payments(self):
        """Return whether payments give incidents at present (R6.2, R6.3)."""
        self.ensure_one()
        company = self.sudo()
        return bool(
            company.incident_first_payment_quantity
            or company.incident_topup_amount > 0
            and company.incident_topup_quantity
        )

    def _incident_days_before(self):
        """Return how many days before something ends customers are told (R15.4), the
        largest number first; none, if they are not. Branches go by their root (R2.3).

        :rtype: list[int]
        """
        self.ensure_one()
        return DayList.numbers(self.sudo().root_id.incident_reminder_days)

    def _incident_soon(self):
        """Return the last day on which what ends ends soon: customers and staff are
        shown it, and told of it (R13.2).

        :rtype: datetime.date
        """
        days = self._incident_days_before()
        return self._incident_today() + timedelta(days=max(days, default=0))

    def _incident_releases(self):
        """Return whether release entries are switched on (R21.1)."""
        self.ensure_one()
        company = self.sudo()
        return bool(
            company.incident_release_journal_id and company.incident_deferred_account_id
        )
