"""When customers run low, and who is told (R19.3)."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...fields import WholeNumber


class HelpdeskIncidentThreshold(models.Model):
    """A number of incidents left, of a company, and who is told when a customer falls
    to it."""

    _name = "helpdesk.incident.threshold"
    _description = "Threshold of Running Low"
    _order = "company_id, number desc, id"

    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("parent_id", "=", False)],
        default=lambda self: self.env.company.root_id,
    )
    number = WholeNumber(
        string="Incidents left",
        required=True,
        help="It is told when no more than so many are left, and again after the "
        "customer had more in the meantime. 0: when nothing is left.",
    )
    tell_customer = fields.Boolean(
        string="Customer", default=True, help="The customer gets a mail."
    )
    tell_salesperson = fields.Boolean(
        string="Salesperson",
        help="The salesperson of the customer gets a mail, else the one of the last "
        "order of incidents.",
    )
    tell_team = fields.Boolean(
        string="Team",
        help="Whoever has handled the ticket that took incidents last gets an "
        "activity, else somebody of its team, else a helpdesk manager.",
    )

    _number_uniq = models.UniqueIndex(
        "(company_id, number)", "Each number of incidents left can be there once."
    )
    _number_check = models.Constraint(
        "CHECK (number >= 0)", "The number of incidents left must be 0 or more."
    )

    @api.constrains("tell_customer", "tell_salesperson", "tell_team")
    def _check_told(self):
        for threshold in self:
            if not threshold._kinds():
                raise ValidationError(
                    self.env._(
                        "Say who is told when %(number)s incidents are left, or delete "
                        "that line.",
                        number=threshold.number,
                    )
                )

    @api.constrains("company_id")
    def _check_company(self):
        """R2.3"""
        for company in self.company_id.sudo():
            if company.parent_id:
                raise ValidationError(
                    self.env._(
                        "%(branch)s is a branch: what %(company)s chooses goes for it.",
                        branch=company.name,
                        company=company.root_id.name,
                    )
                )

    @api.depends("number")
    def _compute_display_name(self):
        for threshold in self:
            threshold.display_name = str(threshold.number)

    def _kinds(self):
        """Return the kinds of reminders by which this is told.

        :rtype: list[str]
        """
        self.ensure_one()
        return [
            kind
            for kind, told in (
                ("low", self.tell_customer),
                ("low_salesperson", self.tell_salesperson),
                ("low_team", self.tell_team),
            )
            if told
        ]

    def _words(self):
        """Return each of these in words: how many are left, and who is told.

        :rtype: list[str]
        """
        names = {
            "low": self.env._("customer"),
            "low_salesperson": self.env._("salesperson"),
            "low_team": self.env._("team"),
        }
        return [
            self.env._(
                "%(number)s left: %(who)s",
                number=threshold.number,
                who=", ".join(names[kind] for kind in threshold._kinds()),
            )
            for threshold in self
        ]
