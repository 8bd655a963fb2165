"""What tickets show of their charges, and what they refuse because of them (R10)."""

from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..groups import INCIDENT_READERS


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"
    _internal_fields = frozenset({"charge_currency_id"})

    # As incidents, charges are nothing for followers of other customers (R11.6).
    charge_ids = fields.One2many(
        comodel_name="helpdesk.ticket.charge",
        inverse_name="ticket_id",
        string="Charges",
        copy=False,
        groups=INCIDENT_READERS,
    )
    charge_amount = fields.Monetary(
        string="Charged",
        compute="_compute_charge_amount",
        search="_search_charge_amount",
        currency_field="charge_currency_id",
        groups=INCIDENT_READERS,
        help="What the customer is charged for this ticket, taxes included, less what "
        "was credited.",
    )
    charge_currency_id = fields.Many2one(
        related="company_id.currency_id",
        string="Currency of charges",
        groups=INCIDENT_READERS,
    )
    charge_count = fields.Integer(
        compute="_compute_charge_count", groups=INCIDENT_READERS
    )
    charge_open_count = fields.Integer(
        string="Charges not refunded",
        compute="_compute_charge_count",
        groups=INCIDENT_READERS,
    )

    @api.depends("charge_ids.amount_company")
    def _compute_charge_amount(self):
        for ticket in self:
            ticket.charge_amount = sum(ticket.charge_ids.mapped("amount_company"))

    def _search_charge_amount(self, operator, value):
        field = self._fields["charge_amount"]
        # A search tells as much as the field: only to those who may read it (R11.6).
        self._check_field_access(field, "read")
        return Domain.custom(
            to_sql=lambda model, alias, query: field.condition_to_sql(
                field.name, operator, value, model, alias, query
            )
        )

    def _field_to_sql(self, alias, field_expr, query=None):
        """Override to search and sort by what was charged, which is stored in the
        charges alone: whoever may write a ticket could write it there."""
        if field_expr != "charge_amount":
            return super()._field_to_sql(alias, field_expr, query)
        self._check_field_access(self._fields[field_expr], "read")
        self.env["helpdesk.ticket.charge"].flush_model(["ticket_id", "amount_company"])
        return SQL(
            """COALESCE((SELECT SUM(amount_company) FROM helpdesk_ticket_charge
                          WHERE ticket_id = %s), 0)""",
            SQL.identifier(alias, "id"),
        )

    @api.depends("charge_ids.state")
    def _compute_charge_count(self):
        for ticket in self:
            ticket.charge_count = len(ticket.charge_ids)
            ticket.charge_open_count = len(ticket._charges_to_refund())

    def _charges_shown(self):
        """Return the charges that this ticket's portal page shows. An add-on by which
        a ticket takes the place of others adds theirs (R17.5).

        :return: the charges, with superuser rights.
        """
        return self.sudo().charge_ids

    def _charges_to_refund(self):
        """Return what is left of the charges in these tickets."""
        return self.charge_ids.filtered(lambda charge: charge.state == "charged")

    # ------------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------------

    def write(self, vals):
        """Override: what was charged stays with the customer that was charged."""
        holders = {}
        if {"partner_id", "company_id"} & set(vals):
            charged = self.sudo().charge_ids.filtered(lambda c: c.state == "charged")
            holders = {
                ticket: ticket._incident_holder() for ticket in charged.ticket_id
            }
        res = super().write(vals)
        for ticket, holder in holders.items():
            if ticket._incident_holder() != holder:
                raise UserError(
                    self.env._(
                        "%(customer)s was charged %(amount)s in ticket %(number)s. "
                        "Refund that before you move the ticket to another customer or "
                        "company.",
                        customer=holder[0].display_name,
                        amount=holder[1].currency_id.format(ticket.charge_amount),
                        number=ticket.number,
                    )
                )
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_charged(self):
        for ticket in self.sudo():
            if ticket.charge_ids:
                raise UserError(
                    self.env._(
                        "Ticket %(number)s cannot be deleted, as invoices name it: the "
                        "customer was charged in it. Archive it instead.",
                        number=ticket.number,
                    )
                )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_charge(self):
        """Open the dialog to charge (R10.1).

        :raise AccessError: if the user may not charge.
        """
        self.ensure_one()
        # Two clicks on the button of the dialog are one request.
        return self._action_charge(
            default_name=self.name,
            default_currency_id=self.sudo().company_id.currency_id.id,
            default_request_key=str(uuid4()),
        )

    def _action_charge(self, **defaults):
        self.env["helpdesk.ticket.charge"]._check_right()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_ticket_charge_wizard_action"
        )
        if defaults.get("default_charge_id"):
            action["name"] = self.env._("Change the charge")
        action["context"] = {"default_ticket_id": self.id, **defaults}
        return action

    def action_refund_charges(self):
        """Refund what the customers were charged in these tickets, which by their
        outcome are not charged (R17.1).

        :raise AccessError: if the user may not charge.
        """
        self.env["helpdesk.ticket.charge"]._check_right()
        return self._charges_to_refund().action_refund()

    def action_view_charges(self):
        """Show the charges of these tickets."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_ticket_charge_action"
        )
        action["domain"] = [("ticket_id", "in", self.ids)]
        action["context"] = {}
        return action

    def _incident_check_charging(self):
        """
        :raise AccessError: if the user may not charge, or not write these tickets.
        """
        self.env["helpdesk.ticket.charge"]._check_right()
        self.check_access("write")

    def _lock_customer(self):
        """Let whoever moves these tickets to another customer at this very moment be
        tried again: the row is written, not changed."""
        self.env.cr.execute(
            SQL(
                "UPDATE helpdesk_ticket SET write_uid = write_uid WHERE id IN %s",
                tuple(self.ids),
            ),
            log_exceptions=False,
        )

    def _action_tickets(self):
        """Open these tickets."""
        if len(self) == 1:
            return self.get_formview_action()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Tickets"),
            "res_model": self._name,
            "view_mode": "list,form",
            "domain": [("id", "in", self.ids)],
        }
