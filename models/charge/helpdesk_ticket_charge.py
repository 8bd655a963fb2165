"""What a ticket is charged (R10): the record, and who may do what with it.

What a request says is in ``charge_requests.py``, what is posted in
``charge_documents.py``, what prevents that in ``charge_obstacles.py``, what follows
from it in ``charge_amounts.py``, and who is told in ``charge_notices.py``.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..groups import ACCOUNTANTS, CHARGERS
from .account_move import CHARGING

PAYMENT_STATES = [
    ("accounting", "With accounting"),
    ("not_paid", "To pay"),
    ("partial", "Partly paid"),
    ("paid", "Paid"),
    ("refunded", "Refunded"),
]

#: What follows from the documents of a charge.
AMOUNTS = (
    *("amount", "amount_invoiced", "amount_total", "amount_due", "amount_company"),
    *("state", "payment_state"),
)


class HelpdeskTicketCharge(models.Model):
    """An amount of money billed to the customer from inside a ticket.

    There is no draft: creating a charge posts its invoice, writing its ``amount``
    posts an invoice or a credit note of the difference, ``action_refund`` credits what
    is left. Nothing else can be written, and no charge is ever deleted.

    The numbers are those of its posted documents, credit notes of accountants
    included. They are stored to be searched and summed; the ORM computes them again
    whenever a document changes.
    """

    _name = "helpdesk.ticket.charge"
    _inherit = "helpdesk.incident.described"
    _description = "Ticket Charge"
    _order = "date desc, id desc"
    _internal_fields = frozenset(
        {"company_currency_id", "currency_id", "request_key", "tax_included"}
    )

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
    name = fields.Char(string="What for", required=True, readonly=True)
    date = fields.Date(required=True, readonly=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Charged by",
        readonly=True,
        ondelete="set null",
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", required=True, readonly=True, ondelete="restrict"
    )
    tax_included = fields.Boolean(
        string="Tax included",
        readonly=True,
        help="Whether the amount is what the customer pays, or taxes are added to it: "
        "as the company had chosen when it was charged.",
    )
    amount = fields.Monetary(
        compute="_compute_amounts",
        store=True,
        readonly=False,
        help="What is charged at present. Lower it to credit the difference, raise it "
        "to invoice the difference.",
    )
    amount_invoiced = fields.Monetary(
        string="Charged in all",
        compute="_compute_amounts",
        store=True,
        help="What was invoiced, before anything was credited.",
    )
    amount_total = fields.Monetary(
        string="Customer pays",
        compute="_compute_amounts",
        store=True,
        help="What is charged at present, taxes included.",
    )
    amount_due = fields.Monetary(
        string="To pay",
        compute="_compute_amounts",
        store=True,
        help="What is still to be paid of the invoices.",
    )
    amount_company = fields.Monetary(
        string="In company currency",
        compute="_compute_amounts",
        store=True,
        currency_field="company_currency_id",
        help="What the customer pays, taxes included, as it is in the books.",
    )
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company currency"
    )
    state = fields.Selection(
        selection=[("charged", "Charged"), ("refunded", "Refunded")],
        compute="_compute_amounts",
        store=True,
    )
    payment_state = fields.Selection(
        selection=PAYMENT_STATES,
        string="Payment",
        compute="_compute_amounts",
        store=True,
    )
    invoice_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="ticket_charge_id",
        string="Invoices and credit notes",
        readonly=True,
        groups=ACCOUNTANTS,
    )
    documents = fields.Char(
        compute="_compute_documents",
        compute_sudo=True,
        help="The numbers of the invoices and credit notes.",
    )
    payment_link = fields.Char(
        compute="_compute_payment_link",
        compute_sudo=True,
        groups=CHARGERS,
        help="Where the customer pays what is left of the charge: to be copied into a "
        "message.",
    )
    request_key = fields.Char(
        readonly=True,
        copy=False,
        help="A request that is sent again with the same key charges once.",
    )

    # R10.1
    _request_key_uniq = models.UniqueIndex(
        "(request_key) WHERE request_key IS NOT NULL",
        "This request has charged already.",
    )

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.depends(
        "invoice_ids.state",
        "invoice_ids.move_type",
        "invoice_ids.amount_total",
        "invoice_ids.amount_untaxed",
        "invoice_ids.amount_total_signed",
        "invoice_ids.amount_residual",
        "invoice_ids.payment_state",
        "invoice_ids.line_ids.matched_credit_ids.credit_move_id.parent_state",
        "invoice_ids.line_ids.matched_credit_ids.credit_move_id.payment_id.state",
    )
    def _compute_amounts(self):
        for charge in self:
            # In a form that is not saved there may be none.
            known = charge.currency_id
            charge.update(charge._amounts() if known else dict.fromkeys(AMOUNTS))

    @api.depends("invoice_ids.name")
    def _compute_documents(self):
        for charge in self:
            names = charge.invoice_ids.sorted("id").mapped("name")
            charge.documents = ", ".join(name for name in names if name)

    @api.depends("invoice_ids.state", "invoice_ids.payment_state")
    def _compute_payment_link(self):
        """The page of the oldest open invoice, with the token that its mail has, too
        (R10.3): nothing is written here."""
        for charge in self:
            invoice = charge.invoice_ids.sorted("id").filtered(
                lambda move: (
                    move.move_type == "out_invoice"
                    and move.state == "posted"
                    and move.payment_state in ("not_paid", "partial")
                    and move.access_token
                )
            )[:1]
            charge.payment_link = (
                f"{charge.company_id.get_base_url()}{invoice.access_url}"
                f"?access_token={invoice.access_token}"
                if invoice
                else False
            )

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    @api.model
    def default_get(self, fields_list):  # pylint: disable=method-required-super
        """Override: a charge has no defaults that a context or a user could set."""
        return {}

    @api.model_create_multi
    def create(self, vals_list):
        """Charge (R10.1): post an invoice, settle it from the account balance, tell the
        customer.

        :param vals_list: ``ticket_id``, ``name`` and ``amount``; ``currency_id`` if it
            is not that of the company, and ``request_key`` to charge once, however
            often the request comes.
        :raise AccessError: without the right to charge, or to write the ticket.
        :raise UserError: if something stands in the way; nothing is posted then.
        """
        if self.env.context.get("ticket_charging") is CHARGING:
            return super().create(vals_list)
        self._check_right()
        charges = self.browse()
        # All or nothing, even if who calls goes on after an error.
        with self.env.cr.savepoint():
            for vals in vals_list:
                charges |= self._charge(vals)
        return charges

    def write(self, vals):  # pylint: disable=method-required-super
        """Override: the amount alone can be changed (R10.4)."""
        if set(vals) - {"amount"}:
            raise UserError(
                self.env._(
                    "A charge stays as it was posted: only its amount can be changed, "
                    "which posts an invoice or a credit note of the difference."
                )
            )
        self._check_right()
        with self.env.cr.savepoint():
            for charge in self if vals else ():
                charge._change(vals["amount"])
        return True

    # Said to who may not delete it in the first place, too.
    def unlink(self):  # pylint: disable=method-required-super
        """Override: a charge stays to be seen (R10.4)."""
        self._refuse_unlink()

    def _refuse_unlink(self):
        raise UserError(
            self.env._(
                "A charge cannot be deleted, as its documents are posted. Use "
                "“Refund”: it credits what is left, and the charge stays to be seen as "
                "refunded."
            )
        )

    def copy(self, default=None):  # pylint: disable=method-required-super
        """Override: whoever wants to charge again says so."""
        raise UserError(
            self.env._("A charge cannot be duplicated: use “Charge” in the ticket.")
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_refund(self):
        """Credit what is left of these charges, to the account balance (R10.4). What is
        refunded already stays as it is.

        :raise AccessError: without the right to charge, or to write the ticket.
        :raise UserError: if something stands in the way; nothing is posted then.
        """
        self._check_right()
        with self.env.cr.savepoint():
            for charge in self:
                charge._check_ticket()._refund()
        return True

    def action_edit(self):
        """Open the dialog that changes the amount."""
        self.ensure_one()
        return self.ticket_id._action_charge(
            default_charge_id=self.id,
            default_name=self.name,
            default_amount=self.amount,
            default_currency_id=self.currency_id.id,
        )

    def action_view_ticket(self):
        """Open the ticket."""
        self.ensure_one()
        return self.ticket_id.get_formview_action()

    def action_view_invoices(self):
        """Show the invoices and credit notes, to who may see them."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        # Credit notes as well.
        action["domain"] = [("ticket_charge_id", "in", self.ids)]
        action["context"] = {"create": False}
        return action

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _check_right(self):
        """R10.5

        :raise AccessError: if the user may not charge.
        """
        if not (self.env.su or self.env.user.has_group(CHARGERS)):
            raise AccessError(
                self.env._(
                    "You may not charge customers. An administrator can give you the "
                    "right “Charge customers in tickets”."
                )
            )

    def _check_ticket(self):
        """Return this charge with superuser rights, if the user may write its ticket:
        charging needs no rights in accounting (R10.5)."""
        self.ensure_one()
        self.check_access("read")
        self.ticket_id.check_access("write")
        charge = self.sudo()
        return charge.with_company(charge.company_id)

    @api.model
    def _charge(self, vals):
        """Charge once. See :meth:`create`."""
        ticket, values, amount = self._parse_request(vals)
        self._check_customer(ticket)
        charges = self.sudo().with_company(ticket.company_id)
        charges._lock_money(ticket.partner_id, ticket.company_id)
        ticket._lock_customer()
        again = charges._again(ticket, values, amount)
        if again:
            return again.with_env(self.env)
        values.update(
            ticket_id=ticket.id,
            company_id=ticket.company_id.id,
            partner_id=ticket.partner_id.commercial_partner_id.id,
            date=ticket.company_id._incident_today(),
            user_id=self.env.uid,
            tax_included=ticket.company_id.incident_charge_tax_included,
        )
        charge = charges.with_context(ticket_charging=CHARGING).create(values)
        charge = charge.with_env(charges.env)
        documents = charge._invoice(amount)
        charge._tell(documents, self.env._("Charged"))
        return charge.with_env(self.env)

    @api.model
    def _lock_money(self, partner, company):
        """Serialize what is done with the money of a customer, until the transaction
        ends (R10.1): charging, editing and refunding.

        One lock is enough for all of it. The same request sent twice, two edits of one
        charge, a refund at the same time as an edit, and two charges that would settle
        the same credits are all about one customer in one company, and that is what an
        incident account is: it is locked *and* written (see ``_lock`` there), so that
        whoever comes second is tried again with a new snapshot. Accountants do not take
        it; their credit notes write the amounts of the charge, and so conflict with
        whoever changes it. A ticket that moves to another customer at the same moment
        conflicts with ``_lock_customer``.
        """
        account_model = self.env["helpdesk.incident.account"]
        account_model._of(partner, company, create=True)._lock()

    def _change(self, value):
        """Bring the amount of this charge to ``value`` (R10.4)."""
        charge = self._check_ticket()
        amount = self._parse_amount(value, charge.currency_id)
        charge._lock_money(charge.partner_id, charge.company_id)
        charge._check_documents()
        if charge.state == "refunded":
            raise UserError(
                self.env._(
                    "“%(name)s” was refunded: charge anew in the ticket.",
                    name=charge.name,
                )
            )
        difference = charge.currency_id.round(amount - charge.amount)
        if charge.currency_id.is_zero(difference):
            return
        before = charge.amount
        if difference > 0:
            documents = charge._invoice(difference)
        else:
            documents = charge._credit(-difference)
        charge._tell(
            documents,
            self.env._(
                "Charge changed from %(before)s to %(after)s",
                before=charge.currency_id.format(before),
                after=charge.currency_id.format(amount),
            ),
        )

    def _refund(self):
        """See :meth:`action_refund`."""
        self._lock_money(self.partner_id, self.company_id)
        self._check_documents()
        if self.state == "refunded":
            return
        documents = self._credit(None)
        self._tell(documents, self.env._("Charge refunded"))
