from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import escape_psql

from odoo.addons.base.models.res_partner import _tz_get

from ..fields import WholeNumber
from ..models.selling.product_product import KINDS, PLAN_FIELDS, PLAN_KINDS

#: What the wizard asks of a team, and of a plan. Each is a field of the wizard with the
#: name that it has there: add a name here, and the field below and in the view.
TEAM_FIELDS = (
    "incident_cost",
    "incident_shortage_policy",
    "incident_on_staff_tickets",
)
PRODUCT_FIELDS = (*PLAN_FIELDS, "list_price", "incident_portal_published")


class HelpdeskIncidentOnboarding(models.TransientModel):
    """Turn paid support on in a company: a team, a first plan, and what goes with it.

    It knows teams and plans by their names: called again with the same ones, it updates
    them. So it can be run again, also just to see what was chosen.
    """

    _name = "helpdesk.incident.onboarding"
    _description = "Set Up Paid Support"

    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        selection=[("ask", "Questions"), ("done", "Next Steps")],
        required=True,
        readonly=True,
        default="ask",
    )

    # -- the team --------------------------------------------------------

    team_id = fields.Many2one(
        comodel_name="helpdesk.ticket.team",
        domain="[('company_id', '=', company_id)]",
        help="A team that there is already; empty for a new one.",
    )
    team_name = fields.Char(
        string="Name of the new team",
        help="Customers choose it by this name when they open a ticket.",
    )
    incident_cost = WholeNumber(
        string="Incidents per ticket",
        default=1,
        help="How many incidents a ticket of this team takes.",
    )
    incident_shortage_policy = fields.Selection(
        selection="_shortage_policies",
        string="When incidents run out",
        default="refuse",
        help="Refused, the portal says why, and an e-mail is answered. Waiting, a "
        "ticket is released when incidents arrive. Sold, it does not wait: see "
        "“Pay later” in the settings.",
    )
    incident_on_staff_tickets = fields.Boolean(
        string="Also for tickets opened by staff",
        help="Otherwise staff deduct in the ticket, where it is due.",
    )

    # -- the plan --------------------------------------------------------

    plan_name = fields.Char(
        string="Plan", help="Customers buy it by this name, and read it on invoices."
    )
    plan_id = fields.Many2one(
        comodel_name="product.template",
        string="Plan of this name",
        compute="_compute_plan_id",
        help="Is updated. Who has bought it keeps what was bought.",
    )
    incident_kind = fields.Selection(
        selection=[kind for kind in KINDS if kind[0] in PLAN_KINDS],
        string="A customer gets",
        default="period",
        help="Lifetime incidents are given once, and never expire. Those that expire "
        "are given once, too, and valid for so many months.",
    )
    incident_quantity = WholeNumber(
        string="Incidents",
        default=10,
        help="How many a customer gets: once, or in each month of the term.",
    )
    incident_term_months = WholeNumber(
        string="Term in months",
        default=3,
        help="For how many months the price is paid at once, or incidents are valid.",
    )
    incident_period_months = WholeNumber(
        string="Period in months",
        default=1,
        help="How many months each period has: 1 for incidents every month, 3 for "
        "every quarter. The term has whole periods.",
    )
    incident_carry_periods = WholeNumber(
        string="Carried over for periods",
        default=0,
        help="For how many more periods a customer can use what is left at the end of "
        "a period; 0: it lapses then.",
    )
    list_price = fields.Monetary(
        string="Price",
        help="For the whole term. Taxes are those that new products have.",
    )
    incident_portal_published = fields.Boolean(
        string="Sold in the portal",
        default=True,
        help="Customers can buy it themselves, on their page “Support incidents”.",
    )

    # -- the company -----------------------------------------------------

    registration_quantity = WholeNumber(
        string="Incidents for new clients",
        help="Lifetime incidents for a customer whose first portal user is allowed in, "
        "given once; 0 for none.",
    )
    tz = fields.Selection(
        selection=_tz_get,
        string="Time zone",
        help="Decides when a day begins and incidents expire.",
    )
    has_tz = fields.Boolean(compute="_compute_has_tz")

    # ------------------------------------------------------------------
    # Defaults
    # ------------------------------------------------------------------

    @api.model
    def _shortage_policies(self):
        """Return what teams can say."""
        policy = self.env["helpdesk.ticket.team"]._fields["incident_shortage_policy"]
        return policy._description_selection(self.env)

    @api.model
    def default_get(self, fields):
        """Override to propose what the company has already."""
        values = super().default_get(fields)
        company = self.env.company
        team = self._teams(company).filtered("incident_required")[:1]
        plan = self._plans(company)[:1]
        plan_name = self.env._("Standard support")
        known = {
            "team_id": team.id,
            "team_name": False if team else self.env._("Technical support"),
            **{name: team[name] for name in TEAM_FIELDS if team},
            "plan_name": plan.name
            or (not self._products_named(plan_name, company) and plan_name),
            **{name: plan[name] for name in PRODUCT_FIELDS if plan},
            "registration_quantity": company.sudo().incident_registration_quantity,
            "tz": company.sudo().partner_id.tz or self.env.user.tz,
            # Set up already: what is left to do comes first.
            "state": "done" if team and plan else "ask",
        }
        return {**values, **{k: v for k, v in known.items() if k in fields}}

    # ------------------------------------------------------------------
    # Compute and onchange
    # ------------------------------------------------------------------

    @api.depends("plan_name", "company_id")
    def _compute_plan_id(self):
        for wizard in self:
            named = wizard._products_named(wizard.plan_name, wizard.company_id)
            wizard.plan_id = (named & wizard._plans(wizard.company_id))[:1]

    @api.depends("company_id")
    def _compute_has_tz(self):
        for wizard in self:
            wizard.has_tz = bool(wizard._company_of_user().sudo().partner_id.tz)

    @api.onchange("team_id")
    def _onchange_team_id(self):
        for name in TEAM_FIELDS if self.team_id.incident_required else ():
            self[name] = self.team_id[name]

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_apply(self):
        """Create or update the team and the plan, and show what is left to do.

        :raise AccessError: if the user is no helpdesk manager, or works in another
            company.
        :raise UserError: if something is missing, or no team or plan can have it.
        """
        self.ensure_one()
        self._check_manager(self.company_id)
        self._check_input()
        self._apply_company()
        self.team_id = self._apply_team()
        self._apply_plan()
        self.state = "done"
        return self._reopen()

    def action_back(self):
        """Show the questions again, as they were answered."""
        self.ensure_one()
        self.state = "ask"
        return self._reopen()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _company_of_user(self):
        """Return the company, if the user works in it; nothing is said about other
        companies."""
        return self.company_id & self.env.user.company_ids

    @api.model
    def _check_manager(self, company):
        """
        :raise AccessError: if the user may not set up paid support in this company.
        """
        if not self.env.user.has_group("helpdesk_mgmt.group_helpdesk_manager"):
            raise AccessError(
                self.env._("Only helpdesk managers may set up paid support.")
            )
        if company not in self.env.user.company_ids:
            raise AccessError(
                self.env._("You do not work in %(name)s.", name=company.sudo().name)
            )

    def _check_input(self):
        """Check what teams and products do not check by themselves (R8.1).

        :raise UserError: in words that say what to enter.
        """
        if not self.team_id and not (self.team_name or "").strip():
            raise UserError(
                self.env._("Choose a team, or enter the name of a new one.")
            )
        if self.team_id and self.team_id.company_id != self.company_id:
            raise UserError(
                self.env._("Choose a team of %(name)s.", name=self.company_id.name)
            )
        if self.incident_cost < 1:
            raise UserError(self.env._("Incidents per ticket must be 1 or more."))
        if not (self.plan_name or "").strip():
            raise UserError(self.env._("Enter the name of the plan."))
        if self._products_named(self.plan_name, self.company_id) - self.plan_id:
            raise UserError(
                self.env._(
                    "There is another product named “%(name)s”, and it is no plan of "
                    "one variant: choose another name.",
                    name=self.plan_name.strip(),
                )
            )
        if not self.incident_kind:
            raise UserError(self.env._("Choose what a customer of the plan gets."))
        if self.list_price < 0:
            raise UserError(self.env._("The price of the plan must not be below zero."))
        if self.incident_portal_published and not self.list_price:
            raise UserError(
                self.env._(
                    "Enter a price: what has none cannot be paid, so customers cannot "
                    "buy it in the portal."
                )
            )
        if self.registration_quantity < 0:
            raise UserError(self.env._("Incidents for new clients must be 0 or more."))

    def _apply_company(self):
        # Helpdesk managers may not write companies and their contacts.
        company = self.company_id.sudo()
        company.incident_registration_quantity = self.registration_quantity
        if self.tz and not company.partner_id.tz:
            company.partner_id.tz = self.tz

    def _apply_team(self):
        """Return the team that requires incidents from now on."""
        team_model = self.env["helpdesk.ticket.team"]
        name = (self.team_name or "").strip()
        team = (
            self.team_id
            or self._teams(self.company_id).filtered(
                lambda team: team.name.casefold() == name.casefold()
            )[:1]
        )
        values = self._team_values()
        if team:
            team.write(values)
            return team
        return team_model.create(
            {
                "name": name,
                "company_id": self.company_id.id,
                "user_ids": [(4, self.env.uid)],
                **values,
            }
        )

    def _team_values(self):
        return {"incident_required": True, **{name: self[name] for name in TEAM_FIELDS}}

    def _apply_plan(self):
        """Return the ``product.template`` that customers buy."""
        template_model = self.env["product.template"].with_company(self.company_id)
        values = {name: self[name] for name in PRODUCT_FIELDS}
        # All at once: a variant checks its plan as a whole.
        if self.plan_id:
            self.plan_id.with_company(self.company_id).write(values)
            return self.plan_id
        return template_model.create(
            {
                "name": self.plan_name.strip(),
                "type": "service",
                "invoice_policy": "order",
                "purchase_ok": False,
                **self._plan_company(),
                **values,
            }
        )

    def _plan_company(self):
        """Several companies have their own prices, in their own currency."""
        several = len(self.env["res.company"]._incident_companies()) > 1
        return {"company_id": self.company_id.id} if several else {}

    @api.model
    def _teams(self, company):
        return self.env["helpdesk.ticket.team"].search(
            [("company_id", "=", company.id)]
        )

    @api.model
    def _plans(self, company):
        """Return the plans of one variant, which the wizard can update."""
        plans = self.env["product.template"].search(
            [
                ("incident_kind", "in", PLAN_KINDS),
                ("company_id", "in", (False, company.id)),
            ],
            order="id",
        )
        return plans.filtered(lambda plan: len(plan.product_variant_ids) == 1)

    @api.model
    def _products_named(self, name, company):
        """Return all products of this name, also those that are no plans."""
        return self.env["product.template"].search(
            [
                ("name", "=ilike", escape_psql((name or "").strip())),
                ("company_id", "in", (False, company.id)),
            ]
        )

    def _reopen(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_incident_onboarding_action"
        )
        return {**action, "res_id": self.id}

    @api.model
    def _help_with_link(self, help_message):
        """Return the help of an empty list, for managers with a link to this wizard."""
        if not self.env.user.has_group("helpdesk_mgmt.group_helpdesk_manager"):
            return help_message
        action = self.env.ref(
            "helpdesk_paid_support.helpdesk_incident_onboarding_action"
        )
        return Markup(
            '%s<p><a type="action" name="%s" class="btn btn-primary">%s</a></p>'
        ) % (Markup(help_message or ""), action.id, self.env._("Set up paid support"))
