from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

#: How many texts that come back are offered.
PRESETS = 10


class HelpdeskTicketChargeWizard(models.TransientModel):
    """Charge in a ticket, or change what was charged (R10.1, R10.4), and see the result
    before."""

    _name = "helpdesk.ticket.charge.wizard"
    _description = "Charge in a Ticket"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        readonly=True,
        ondelete="cascade",
    )
    charge_id = fields.Many2one(
        comodel_name="helpdesk.ticket.charge",
        string="Charge to change",
        readonly=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        compute="_compute_ticket",
    )
    tax_included = fields.Boolean(compute="_compute_ticket")
    name = fields.Char(
        string="What for",
        help="The customer reads it in the ticket and on the invoice.",
    )
    preset = fields.Selection(
        selection="_presets",
        string="As before",
        store=False,
        help="What was charged for several times: the text and the last amount.",
    )
    amount = fields.Monetary()
    currency_id = fields.Many2one(comodel_name="res.currency")
    request_key = fields.Char()

    # What it comes to.
    amount_untaxed = fields.Monetary(string="Without taxes", compute="_compute_preview")
    amount_tax = fields.Monetary(string="Taxes", compute="_compute_preview")
    amount_total = fields.Monetary(string="Customer pays", compute="_compute_preview")
    amount_credited = fields.Monetary(string="Credit note", compute="_compute_preview")
    company_currency_id = fields.Many2one(
        related="ticket_id.company_id.currency_id", string="Company currency"
    )
    balance = fields.Monetary(
        string="Balance now",
        compute="_compute_preview",
        currency_field="company_currency_id",
        help="The customer's account balance.",
    )
    balance_after = fields.Monetary(
        string="Balance after",
        compute="_compute_preview",
        currency_field="company_currency_id",
    )
    problem = fields.Char(compute="_compute_preview")

    # ------------------------------------------------------------------
    # Compute
    # ------------------------------------------------------------------

    @api.model
    def _presets(self):
        """Return the texts that come back, as the options of a selection."""
        charges = self.env["helpdesk.ticket.charge"]
        if not charges.has_access("read"):
            return []
        return [
            (name, name)
            for name, _count in charges._read_group(
                [],
                ["name"],
                ["__count"],
                having=[("__count", ">", 1)],
                order="__count DESC, name",
                limit=PRESETS,
            )
        ]

    @api.onchange("preset")
    def _onchange_preset(self):
        """Take over the text, and what was charged for it last: in the same company and
        currency, and with taxes as now, or it would be another price."""
        if self.preset:
            company = self.ticket_id.sudo().company_id
            last = self.env["helpdesk.ticket.charge"].search(
                [
                    ("name", "=", self.preset),
                    ("company_id", "=", company.id),
                    ("currency_id", "=", (self.currency_id or company.currency_id).id),
                    ("tax_included", "=", self.tax_included),
                ],
                order="id desc",
                limit=1,
            )
            self.name = self.preset
            self.amount = last.amount or self.amount

    @api.depends("ticket_id", "charge_id")
    def _compute_ticket(self):
        for wizard in self:
            wizard.ticket_id._origin.check_access("read")
            ticket = wizard.ticket_id.sudo()
            wizard.partner_id = ticket.partner_id.commercial_partner_id
            wizard.tax_included = (
                wizard.charge_id.tax_included
                if wizard.charge_id
                else ticket.company_id.incident_charge_tax_included
            )

    @api.depends("amount", "currency_id", "ticket_id", "charge_id")
    def _compute_preview(self):
        for wizard in self:
            wizard.update(
                dict.fromkeys(
                    (
                        "amount_untaxed",
                        "amount_tax",
                        "amount_total",
                        "amount_credited",
                        "balance",
                        "balance_after",
                        "problem",
                    ),
                    False,
                )
            )
            try:
                wizard._preview()
            except AccessError:
                raise
            except UserError as error:
                wizard.problem = error.args[0]

    def _preview(self):
        """Show what would be posted, and the account balance before and after.

        :raise UserError: what stands in the way.
        """
        charges = self.env["helpdesk.ticket.charge"]
        self.ticket_id._incident_check_charging()
        ticket = self.ticket_id.sudo()
        company = ticket.company_id
        charges = charges.sudo().with_company(company)
        old = self._charge_to_change()
        if old:
            self._check_change(old)
        else:
            charges._check_customer(ticket)
        customer = (old or ticket).partner_id.commercial_partner_id
        self.balance = customer._incident_account_balance(company)
        self.balance_after = self.balance
        if not self.amount:
            return
        currency = self.currency_id or company.currency_id
        amount = charges._parse_amount(self.amount, currency)
        difference = currency.round(amount - old.amount)
        if difference > 0:
            charge = old or charges._new_in(ticket, self.name or ticket.name, currency)
            _values, amounts = charge._invoice_values(difference)
            self.amount_untaxed = amounts["untaxed"]
            self.amount_tax = amounts["tax"]
            self.amount_total = amounts["total"]
        elif difference < 0:
            company._incident_check_books(old.invoice_ids.invoice_line_ids.tax_ids)
            self.amount_credited = -difference
            # With taxes to be added: in proportion.
            self.amount_total = currency.round(
                difference * (old.amount_total / old.amount if old.amount else 1)
            )
        self.balance_after = self.balance - currency._convert(
            self.amount_total,
            company.currency_id,
            company,
            company._incident_today(),
        )

    def _charge_to_change(self):
        """Return the charge with superuser rights, if the user may change it and it is
        one of the ticket.

        :raise AccessError: if not.
        """
        if not self.charge_id:
            return self.charge_id.sudo()
        charge = self.charge_id._origin._check_ticket()
        if charge.ticket_id != self.ticket_id._origin.sudo():
            raise AccessError(self.env._("This charge belongs to another ticket."))
        return charge

    def _check_change(self, charge):
        """Check what would be checked when the charge is changed."""
        charge._check_documents()
        if charge.state == "refunded":
            raise UserError(
                self.env._(
                    "“%(name)s” was refunded: charge anew in the ticket.",
                    name=charge.name,
                )
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_apply(self):
        """Charge, or change the charge; only once, however often it is called.

        :raise AccessError: without the right to charge, or to write the ticket.
        :raise UserError: if something stands in the way; nothing is posted then.
        """
        self.ensure_one()
        if self.charge_id:
            self._charge_to_change()
            self.charge_id.amount = self.amount
        else:
            self.env["helpdesk.ticket.charge"].create(
                {
                    "ticket_id": self.ticket_id.id,
                    "name": self.name,
                    "amount": self.amount,
                    "currency_id": self.currency_id.id,
                    "request_key": self.request_key or f"{self._name}:{self.id}",
                }
            )
        return {"type": "ir.actions.act_window_close"}
