from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    incident_expired_return = fields.Selection(
        selection=[
            ("lapse", "lapse"),
            ("lifetime", "come back as lifetime incidents"),
        ],
        string="Incidents returned after their period",
        default="lapse",
        required=True,
    )
    incident_return_on_duplicate = fields.Boolean(
        string="Return the incidents of duplicates",
        default=True,
    )

    @api.constrains("helpdesk_mgmt_portal_select_team")
    def _check_portal_select_team(self):
        """R11.1: a paid team that nobody can choose would sell nothing."""
        for company in self:
            if company.helpdesk_mgmt_portal_select_team:
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
                        "Customers must be able to choose the team on the portal form "
                        "of %(company)s, because these teams require support "
                        "incidents: %(teams)s. Hide them from the portal first.",
                        company=company.name,
                        teams=", ".join(teams.mapped("name")),
                    )
                )

    def _incident_today(self):
        """Return the current day in the company's time zone (R3.7): that of its
        partner, UTC where unset.

        :rtype: datetime.date
        """
        self.ensure_one()
        company = self.sudo().with_context(tz=self.sudo().partner_id.tz or "UTC")
        return fields.Date.context_today(company)
