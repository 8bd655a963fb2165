from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang

from ...fields import MAX_INCIDENTS, WholeNumber
from ..selling.sale_order_terms import Terms

#: The kinds of plans that can top up: those whose incidents come at once.
KINDS = ("lifetime", "pack")
#: What pays for it.
METHODS = [
    ("balance", "Account balance"),
    ("card", "Account balance, else the saved payment method"),
]
#: Why nothing was bought.
PROBLEMS = [
    ("plan", "The plan is not sold any more"),
    ("confirm", "The customer must confirm the order: it is not what was agreed"),
    ("unpaid", "What was bought last is not paid any more"),
    ("balance", "The account balance does not suffice"),
    ("method", "The account balance does not suffice, and no payment method is saved"),
    ("declined", "The saved payment method was declined"),
    ("paying", "It was ordered, and its payment is under way"),
    ("transfer", "It was ordered, and its bank transfer is awaited"),
    ("limit", "The limit of the month is reached"),
    ("archived", "The customer is archived"),
    ("error", "An unexpected error, which is in the server's log"),
    ("books", "Accounting refuses to invoice the order, whose history says why"),
]
#: With these the customer has nothing to do.
QUIET = ("paying", "transfer", "archived", "error", "books")
#: The highest limit that anybody means.
MAX_LIMIT = 1e12


class HelpdeskIncidentTopup(models.Model):
    """What a customer has chosen to be bought when incidents run low (R19.1): one for
    each account. Who may choose, and for whom, is said by who calls :meth:`_set_up`."""

    _name = "helpdesk.incident.topup"
    _inherit = ["helpdesk.incident.automatic", "helpdesk.incident.described"]
    _description = "Topping Up Support Incidents"
    _order = "account_id, id"
    _internal_fields = frozenset(
        {
            *("agreed_currency_id", "agreed_incidents", "agreed_kind"),
            *("agreed_months", "agreed_price", "currency_id", "due", "tried"),
        }
    )

    account_id = fields.Many2one(
        comodel_name="helpdesk.incident.account",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    partner_id = fields.Many2one(related="account_id.partner_id", string="Customer")
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        readonly=True,
        ondelete="restrict",
        help="Who sells: the company of the account, or a branch.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    is_on = fields.Boolean(string="Switched on", readonly=True)
    threshold = WholeNumber(
        string="Below",
        required=True,
        readonly=True,
        help="When fewer incidents than this are available, as many units are bought "
        "as it takes to have so many again.",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Plan",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    monthly_limit = fields.Monetary(
        string="At most each month",
        required=True,
        readonly=True,
        help="How much may be bought this way in a calendar month, taxes included.",
    )
    method = fields.Selection(
        selection=METHODS, string="Paid from", required=True, readonly=True
    )
    agreed_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Agreed by",
        readonly=True,
        ondelete="restrict",
        help="Whoever of the customer has chosen this in the client area. What staff "
        "choose for the customer charges no payment method.",
    )
    agreed_kind = fields.Char(string="Agreed kind of plan", readonly=True)
    agreed_incidents = fields.Integer(readonly=True)
    agreed_months = fields.Integer(readonly=True)
    agreed_price = fields.Float(
        string="Agreed price of a unit",
        digits=0,
        readonly=True,
        help="Taxes included. Nothing dearer is bought before the customer agrees.",
    )
    agreed_currency_id = fields.Many2one(comodel_name="res.currency", readonly=True)
    due = fields.Boolean(
        readonly=True,
        help="A ticket or the end of a period has left fewer than wanted, and nothing "
        "was ordered since.",
    )
    tried = fields.Date(
        string="Last attempt", readonly=True, help="It is tried once a day."
    )
    problem = fields.Selection(
        selection=PROBLEMS,
        string="Not bought, because",
        readonly=True,
        help="Why the last attempt did not succeed. It is tried again every day, and "
        "switched off after three failures in a row.",
    )

    _account_uniq = models.UniqueIndex(
        "(account_id)", "Incidents of a customer are topped up in one way."
    )
    _due_idx = models.Index("(id) WHERE due AND is_on")

    @api.depends("product_id", "partner_id")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for topup in self:
            topup.display_name = self.env._(
                "%(customer)s: %(plan)s",
                customer=topup.sudo().partner_id.display_name,
                plan=topup.sudo().product_id.display_name,
            )

    # ------------------------------------------------------------------
    # Choosing
    # ------------------------------------------------------------------

    @api.model
    def _set_up(self, account, company, contact=None, **chosen):
        """Switch on topping up, or change it. The customer is told, and the history
        says who has done so.

        :param account: the ``helpdesk.incident.account`` of the customer.
        :param company: that sells, the company of the account or a branch.
        :param contact: who of the customer agrees to it; None if staff choose.
        :param chosen: ``threshold``, ``product_id``, ``monthly_limit``, ``method``.
        :raise UserError: if that cannot be chosen.
        :return: the ``helpdesk.incident.topup`` with superuser rights.
        """
        if not 0 < chosen["monthly_limit"] <= MAX_LIMIT:
            raise UserError(
                self.env._(
                    "Enter how much may be bought in a month: an amount above 0."
                )
            )
        account._lock()
        topup = account._topup()
        before = topup.is_on and topup._chosen()
        values = {
            **chosen,
            "company_id": company.id,
            "is_on": True,
            "agreed_partner_id": contact.id if contact else False,
            "tried": False,
            "problem": False,
        }
        if topup:
            topup.write(values)
            topup._orders()._incident_remember(incident_topup_failures=0)
        else:
            topup = topup.create({"account_id": account.id, **values})
        topup._agree_to_price()
        if topup._chosen() != before:  # not if a form is sent twice
            topup._tell_switched()
        if topup.due:
            topup._trigger()
        return topup

    def _chosen(self):
        """Return what was chosen, to compare it."""
        names = ("threshold", "product_id", "monthly_limit", "method", "company_id")
        agreed = ("agreed_partner_id", "agreed_price", "agreed_currency_id")
        return [self[name] for name in (*names, *agreed)]

    def _switch_off(self):
        """Buy nothing any more; what is being paid already is paid."""
        for topup in self.filtered("is_on"):
            topup.account_id._lock()
            topup.write({"is_on": False, "due": False, "problem": False})
            topup._open_orders()._incident_withdraw()
            topup._tell_switched()

    def _agree_to_price(self):
        """Keep what is agreed on now: what a unit gives and costs.

        :raise UserError: if that cannot be chosen.
        """
        self.ensure_one()
        if not 1 <= self.threshold <= MAX_INCIDENTS:
            raise UserError(
                self.env._("Enter how many incidents to have at least: 1 or more.")
            )
        offer = self._offer(1)
        if not offer:
            raise UserError(
                self.env._("This plan is not on offer any more. Choose another one.")
            )
        currency, limit = self.currency_id, self.monthly_limit
        price = offer._incident_company_total()
        if currency.compare_amounts(limit, price) < 0:
            raise UserError(
                self.env._(
                    "Enter how much may be bought in a month: %(price)s or more, which "
                    "is what one unit costs.",
                    price=formatLang(self.env, price, currency_obj=currency),
                )
            )
        self._keep_terms(offer._incident_terms())

    def _keep_terms(self, terms, units=1):
        """
        :param Terms terms: what was agreed on for so many units.
        """
        self.write(
            {
                "agreed_kind": terms.kind,
                "agreed_months": terms.months,
                "agreed_incidents": terms.incidents // units,
                "agreed_price": terms.price / units,
                "agreed_currency_id": terms.currency.id,
            }
        )

    def _agreed_terms(self, units):
        """Return what was agreed on for so many units. Rounding, which is another one
        for each of them, is no other price.

        :rtype: Terms
        """
        currency = self.agreed_currency_id
        return Terms(
            kind=self.agreed_kind,
            months=self.agreed_months,
            period=0,
            carry=0,
            incidents=self.agreed_incidents * units,
            price=self.agreed_price * units + currency.rounding * (units - 1),
            currency=currency,
        )

    def _offer(self, units):
        """Return the order of so many units, never saved.

        :return: a new ``sale.order``; empty if the plan is not sold to customers.
        """
        orders, plan = self.env["sale.order"].sudo(), self.product_id
        if plan.incident_kind not in KINDS:
            return orders
        if not plan._incident_is_in_portal(self.company_id):
            return orders
        offer = orders._incident_offer(self._orderer(), self.company_id, plan, units)
        return offer if offer.order_line else orders

    # ------------------------------------------------------------------
    # Consent
    # ------------------------------------------------------------------

    def _orderer(self):
        """Override: who has agreed to it, while it is a contact of the customer."""
        agreed = self.agreed_partner_id
        is_contact = agreed.commercial_partner_id == self.partner_id and agreed.active
        return agreed if is_contact else self.partner_id

    def _payers(self):
        """Override: nobody before the customer agrees (R19.1)."""
        if self.method == "card" and self.agreed_partner_id:
            return super()._payers()
        return self.env["res.partner"]

    # ------------------------------------------------------------------
    # Words
    # ------------------------------------------------------------------

    def _words(self):
        """Return what is bought, when, and how much of it, as a sentence."""
        return self.env._(
            "Below %(number)s, buy %(plan)s for %(price)s, at most %(limit)s a month",
            number=self.threshold,
            plan=self.product_id.display_name,
            price=formatLang(
                self.env, self.agreed_price, currency_obj=self.agreed_currency_id
            ),
            limit=formatLang(
                self.env, self.monthly_limit, currency_obj=self.currency_id
            ),
        )

    def _needs_customer(self):
        """Return whether nothing is bought before the customer does something.

        :rtype: bool
        """
        return bool(self.problem) and self.problem not in QUIET

    def _can_be_paid(self):
        """Return whether the customer can pay the order that waits. One that was
        confirmed, and whose payment was taken back, has to be invoiced first.

        :rtype: bool
        """
        return self._needs_customer() and self.problem != "unpaid"

    def _problem_words(self):
        """Return why nothing was bought, as the customer and staff read it."""
        problems = dict(self._fields["problem"]._description_selection(self.env))
        return problems.get(self.problem, "")

    def _differences_words(self):
        """Return what the order that waits for the consent of the customer has that was
        not agreed on, as a sentence; nothing where none waits.

        :rtype: str
        """
        order = self._open_orders()[:1]
        differences = self.problem == "confirm" and order and self._differences(order)
        if not differences:
            return ""
        return self.env._("It is not the same: %(what)s.", what="; ".join(differences))

    def _tell_switched(self):
        """Tell the customer, and note in the history of the customer, that it was
        switched. Staff of other companies read that, too: it says no number (R2.3)."""
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        reminders._queue_topup("topup_switched", self)
        company = self.account_id.company_id.name
        self.partner_id._message_log(
            body=self.env._(
                "Topping up support incidents was switched on (%(company)s).",
                company=company,
            )
            if self.is_on
            else self.env._(
                "Topping up support incidents was switched off (%(company)s).",
                company=company,
            )
        )
