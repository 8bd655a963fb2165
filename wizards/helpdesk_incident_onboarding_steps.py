"""What is left to do until a company sells support (R12.5): looked up, not ticked."""

from odoo import api, fields, models

WIZARD = "helpdesk_paid_support.helpdesk_incident_onboarding_action"
SETTINGS = "helpdesk_mgmt.action_helpdesk_mgmt_config_settings"
PLANS = "helpdesk_paid_support.product_template_action_plans"


class HelpdeskIncidentOnboarding(models.TransientModel):
    _inherit = "helpdesk.incident.onboarding"

    steps = fields.Json(
        compute="_compute_steps",
        help="What is left to do, and what is done; see _steps().",
    )

    @api.depends("company_id", "state", "team_id")
    def _compute_steps(self):
        for wizard in self:
            company = wizard._company_of_user()
            wizard.steps = wizard._steps(company) if company else False

    def action_hide_steps(self):
        """Show the list on the dashboard no more; the wizard still has it."""
        self._check_manager(self.env.company)
        self.env.company.sudo().incident_setup_hidden = True

    @api.model
    def _dashboard_section(self):
        """Return what the dashboard of tickets shows to managers while something is
        left to do, in the form of :meth:`_retrieve_dashboard`; ``None`` for nothing."""
        company = self.env.company
        if company.incident_setup_hidden or not self.env.user.has_group(
            "helpdesk_mgmt.group_helpdesk_manager"
        ):
            return None
        steps = self._steps(company)
        left = [step for step in steps if not step["done"]]
        return left and {
            "name": self.env._("Set up paid support"),
            "value": len(left),
            "sequence": 0,
            # It is no button among the numbers: a panel above them.
            "show": False,
            "incident_begun": steps[0]["done"],
            "incident_steps": left,
            "incident_number": len(steps),
        }

    @api.model
    def _steps(self, company):
        """
        :return: a list of dictionaries, in the order in which one would do them:
            ``key``, ``name``, ``hint``, ``done``, and where the user may do it
            ``link``, the words of a button, and its ``action``.
        """
        return [
            self._step_team(company),
            *self._steps_later(company),
            self._step_plan(company),
            self._step_books(company),
            self._step_provider(company),
            self._step_mail(company),
            self._step_customer(company),
        ]

    def _step_team(self, company):
        teams = self._paid_teams(company)
        return {
            "key": "team",
            "name": self.env._("Choose a team that takes incidents"),
            "hint": self.env._("Each ticket that customers submit to it takes some."),
            "done": bool(teams),
            "link": self.env._("Team") if teams else self.env._("Set up"),
            "action": self._action_teams(teams) if teams else WIZARD,
        }

    def _steps_later(self, company):
        """Return the step of who has chosen that what is missing is sold (R18.1): until
        it is said for how much, all such tickets wait."""
        teams = self._paid_teams(company)
        if "charge" not in teams.mapped("incident_shortage_policy"):
            return []
        product = company.sudo().incident_overage_product_id
        may = self.env.user.has_group("base.group_system")
        return [
            {
                "key": "later",
                "name": self.env._("Say what may be paid later"),
                "hint": self.env._(
                    "Your team sells what a ticket lacks: that needs a plan of 1 "
                    "incident, and a limit for customers. Until then tickets wait. "
                    "Administrators do that, in the settings."
                ),
                "done": bool(
                    product
                    and product._incident_is_single()
                    and company.sudo().incident_overage_limit
                ),
                "link": may and self.env._("Settings"),
                "action": may and SETTINGS,
            }
        ]

    def _step_plan(self, company):
        sold = self.env["sale.order"]._incident_plans(company).product_tmpl_id
        made = sold or self._plans(company)
        return {
            "key": "plan",
            "name": self.env._("Offer a plan in the portal"),
            "hint": self.env._(
                "Customers buy incidents with it. Where they buy from you alone, "
                "nothing has to be offered."
            ),
            "done": bool(sold),
            "link": self.env._("Plans") if made else self.env._("Set up"),
            "action": PLANS if made else WIZARD,
        }

    def _step_books(self, company):
        journals = self.env["account.journal"].sudo()
        kinds = journals.search(
            [
                *journals._check_company_domain(company),
                ("type", "in", ("sale", "bank")),
            ]
        ).mapped("type")
        may = self.env.user.has_group("account.group_account_manager")
        return {
            "key": "books",
            "name": self.env._("Prepare the books"),
            "hint": self.env._(
                "Plans and charges are invoiced and paid: that needs a chart of "
                "accounts, a journal for sales and one for the bank. Accountants do "
                "that."
            ),
            "done": {"sale", "bank"} <= set(kinds),
            "link": may and self.env._("Journals"),
            "action": may and "account.action_account_journal_form",
        }

    def _step_provider(self, company):
        providers = self.env["payment.provider"].sudo()
        may = self.env.user.has_group("base.group_system")
        return {
            "key": "provider",
            "name": self.env._("Enable a payment provider"),
            "hint": self.env._(
                "Customers then pay for plans online. Administrators do that."
            ),
            "done": bool(
                providers.search_count(
                    [
                        *providers._check_company_domain(company),
                        ("state", "in", ("enabled", "test")),
                    ],
                    limit=1,
                )
            ),
            "link": may and self.env._("Payment providers"),
            "action": may and "payment.action_payment_provider",
        }

    def _step_mail(self, company):
        teams = self._paid_teams(company)
        return {
            "key": "mail",
            "name": self.env._("Give the team an e-mail address"),
            "hint": self.env._(
                "Customers then open tickets by e-mail, too. The members of the team "
                "are chosen there as well."
            ),
            "done": any(team.alias_email for team in teams),
            "link": teams and self.env._("Team"),
            "action": teams and self._action_teams(teams),
        }

    def _step_customer(self, company):
        users = self.env["res.users"].sudo()
        return {
            "key": "customer",
            "name": self.env._("Invite a customer"),
            "hint": self.env._(
                "Select a contact, and choose “Grant portal access” in the action menu."
            ),
            "done": bool(
                users.search_count(
                    [("share", "=", True), ("company_ids", "in", company.ids)], limit=1
                )
            ),
            "link": self.env._("Contacts"),
            "action": "base.action_partner_form",
        }

    @api.model
    def _paid_teams(self, company):
        return self._teams(company).filtered("incident_required")

    @api.model
    def _action_teams(self, teams):
        """Return the action that opens the team, or the list of them."""
        if len(teams) > 1:
            return "helpdesk_mgmt.helpdesk_ticket_team_action"
        return {
            "type": "ir.actions.act_window",
            "res_model": teams._name,
            "res_id": teams.id,
            "views": [(False, "form")],
        }


class HelpdeskTicketTeam(models.Model):
    _inherit = "helpdesk.ticket.team"

    def _retrieve_dashboard(self):
        """Override: what is left to do until support is sold (R12.5)."""
        section = self.env["helpdesk.incident.onboarding"]._dashboard_section()
        return [*super()._retrieve_dashboard(), *filter(None, [section])]
