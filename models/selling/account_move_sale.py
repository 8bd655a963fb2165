"""A plan is sold by whatever invoices it (R8.8).

A plan line that somebody has typed, duplicated or let post itself belongs to no order.
When it is posted it finds one that waits for it, or makes one: a confirmed order, which
follows the invoice from then on. Everything else goes by the order, as ever: what is
paid, given, credited and worth.
"""

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import float_compare

from ..ledger.helpdesk_incident_protected import REMEMBER, REMEMBERED
from .sale_order_line import FOLLOWING


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "helpdesk.incident.cause"]

    incident_order_ids = fields.One2many(
        comodel_name="sale.order",
        inverse_name="incident_invoice_id",
        string="Orders made by this invoice",
        readonly=True,
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_incident_orders(self):
        """R8.8: what it has sold goes with it."""
        self.sudo().incident_order_ids._incident_cancel_made()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_typed_lines(self):
        """Return the lines of these documents that sell or credit a plan, and belong to
        no order, or to one of something else: their product was changed."""
        return self.invoice_line_ids.filtered(
            lambda line: (
                line.product_id.incident_kind not in (False, "none")
                and line.product_id not in line.sale_line_ids.product_id
                and not line.incident_sells_nothing
                and line.quantity
            )
        )

    def _incident_sell(self):
        """Let what was typed in these documents belong to orders (R8.8) and invoices
        (R8.9), as far as it is known to which. It never blocks the document."""
        moves = self.sudo().filtered(
            lambda move: (
                move._incident_made_orders()
                or move.state == "posted"
                and move.move_type in ("out_invoice", "out_refund")
                and (move._incident_typed_lines() or move.incident_credited_id)
            )
        )
        moves._incident_give()

    def _incident_made_orders(self):
        """Return the orders that go by this document: those that it has made, and those
        of an invoice that it replaces."""
        billed = self.invoice_line_ids.filtered(
            lambda line: (
                self.move_type == "out_invoice" and not line._incident_is_credit()
            )
        ).sale_line_ids.order_id
        return self.incident_order_ids | billed.filtered("incident_invoice_id")

    def _incident_settle(self):
        """Override of `helpdesk.incident.cause` for R8.8 and R8.9: what is sold is
        given by the orders."""
        for move in self.sudo().with_context(incident_unattended=True):
            move._incident_made_orders()._incident_follow(move)
            if move.state != "posted":
                continue
            if move.move_type == "out_invoice":
                move._incident_make_orders()
            move._incident_link_credits()

    def _incident_problems(self):
        """Override of `helpdesk.incident.cause`: what sells nothing is listed, and says
        why (R8.2, R8.9)."""
        problems = super()._incident_problems()
        for line in self.filtered(
            lambda move: move.state == "posted" and not move.incident_goodwill
        )._incident_typed_lines():
            env = line.with_context(lang=line.company_id.partner_id.lang).env
            values = {"product": line.product_id.display_name, "line": line.quantity}
            if line._incident_is_credit() and line.move_id._incident_credited_invoice():
                continue  # it credits all of that
            problems.append(
                env._(
                    "%(product)s: it is not clear which invoice this credits. Enter "
                    "that in the credit note, or mark it as goodwill.",
                    **values,
                )
                if line._incident_is_credit()
                else env._(
                    "%(product)s is sold in whole units, 1 or more; %(line)g sells "
                    "nothing. Correct the invoice, or mark the line as one that sells "
                    "nothing.",
                    **values,
                )
            )
        return problems

    def _incident_make_orders(self):
        """Let the typed lines of this invoice belong to orders that wait for them, or
        make one for those that none waits for."""
        self.ensure_one()
        left = self.env["account.move.line"]
        for line in self._incident_typed_lines():
            if line._incident_is_credit() or not line._incident_is_whole():
                continue
            waiting = line._incident_waiting_line()
            if waiting:
                line.sale_line_ids = waiting
            else:
                left |= line
        if not left:
            return
        if left.sale_line_ids:
            left.sale_line_ids = [Command.clear()]
        order = (
            self.env["sale.order"]
            .with_context(
                incident_protected=REMEMBER,
                mail_create_nosubscribe=True,
                mail_create_nolog=True,
                tracking_disable=True,
                # What the invoice had to have, it has.
                validate_analytic=False,
            )
            .with_company(self.company_id)
            .create(self._incident_made_order_values(left))
        )
        # By itself it goes by a pricelist.
        order.currency_id = self.currency_id
        order._incident_remember_grant_on()
        if order.incident_grant_on == "confirmed":
            # It is confirmed by its invoice, and lives as long as that is posted.
            order._incident_remember(incident_grant_on="posted")
        order.with_context(mail_notrack=True).action_confirm()

    def _incident_made_order_values(self, lines):
        """Return the values of an order that these lines of this invoice make."""
        partner = self.partner_id.with_company(self.company_id)
        pricelist = partner.property_product_pricelist
        user = self.invoice_user_id
        return {
            "partner_id": self.partner_id.id,
            "partner_invoice_id": self.partner_id.id,
            "partner_shipping_id": self.partner_shipping_id.id or self.partner_id.id,
            "company_id": self.company_id.id,
            "pricelist_id": (
                pricelist.id if pricelist.currency_id == self.currency_id else False
            ),
            "payment_term_id": self.invoice_payment_term_id.id,
            "fiscal_position_id": self.fiscal_position_id.id,
            "user_id": user.id if user._is_internal() else False,
            "team_id": self.team_id.id,
            "client_order_ref": self.ref,
            "origin": self.name,
            "incident_invoice_id": self.id,
            "order_line": [
                Command.create(
                    {
                        **line._incident_sale_values(),
                        **line._incident_operation_values(),
                        "invoice_lines": [Command.link(line.id)],
                    }
                )
                for line in lines
            ],
        }


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    incident_sells_nothing = fields.Boolean(
        string="Sells no incidents",
        help="The line names a plan, but sells none of its support incidents.",
    )

    def _incident_is_credit(self):
        """Return whether it credits a plan: below zero on an invoice, above on a credit
        note."""
        below = (self.price_subtotal or self.quantity) < 0
        return (self.move_id.move_type == "out_refund") != below

    def _incident_is_whole(self):
        """Return whether the quantity can be sold (R8.2)."""
        units = self.product_uom_id._compute_quantity(
            self.quantity, self.product_id.uom_id, round=False
        )
        return (
            round(units) >= 1
            and float_compare(units, round(units), precision_digits=6) == 0
        )

    def _incident_waiting_line(self):
        """Return the order line of the customer that still has to invoice the same plan
        and quantity, if there is one."""
        self.ensure_one()
        lines = self.env["sale.order.line"].search(
            [
                ("product_id", "=", self.product_id.id),
                ("incident_kind", "!=", False),
                ("incident_operation", "!=", "credit"),
                ("state", "=", "sale"),
                ("company_id", "=", self.company_id.id),
                (
                    "order_id.partner_id.commercial_partner_id",
                    "=",
                    self.move_id.commercial_partner_id.id,
                ),
                ("qty_to_invoice", ">", 0),
            ],
            order="id",
        )
        return lines.filtered(
            lambda line: (
                float_compare(
                    line.qty_to_invoice,
                    line._incident_quantity_of(self),
                    precision_digits=6,
                )
                == 0
            )
        )[:1]

    def _incident_sale_values(self):
        """Return what an order line sells by this line of an invoice."""
        self.ensure_one()
        return {
            "product_id": self.product_id.id,
            "name": self.name or self.product_id.display_name,
            "product_uom_id": self.product_uom_id.id,
            "product_uom_qty": self.quantity,
            "price_unit": self.price_unit,
            "discount": self.discount,
            "tax_ids": [Command.set(self.tax_ids.ids)],
            "analytic_distribution": self.analytic_distribution,
        }

    def _incident_operation_values(self):
        """Return what the line does with a subscription that exists (R9.5)."""
        return {}


class SaleOrder(models.Model):
    _inherit = "sale.order"

    incident_invoice_id = fields.Many2one(
        comodel_name="account.move",
        string="Made by invoice",
        index="btree_not_null",
        ondelete="set null",
        help="The invoice that has sold this without an order: the order follows it.",
        **REMEMBERED,
    )

    def _incident_follow(self, invoice):
        """Let these orders be what their invoice says by now: cancelled with it, and
        with its quantities and prices.

        :param invoice: the ``account.move`` that has made them, or that replaces it.
        """
        orders = self.with_context(
            incident_following=FOLLOWING,
            incident_protected=REMEMBER,
            tracking_disable=True,
            validate_analytic=False,
        )
        if invoice.state == "cancel":
            orders.filtered(
                lambda order: order.incident_invoice_id == invoice
            )._incident_cancel_made()
        if invoice.state != "posted":
            return
        for order in orders:
            if order.state == "cancel":
                order.action_draft()
                order.action_confirm()
            if order.currency_id != invoice.currency_id:
                order.currency_id = invoice.currency_id
            for line in order.order_line.filtered("incident_kind"):
                line._incident_follow()

    def _incident_cancel_made(self):
        """Cancel these orders with the invoice that has made them. (Core would cancel
        other drafts, too.)"""
        self.filtered(lambda order: order.state == "sale").write({"state": "cancel"})


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _incident_follow(self):
        """Let this line sell what the last invoice of it says by now; nothing, where
        none is left, or sells something else."""
        self.ensure_one()
        lines = self._incident_posted_lines("out_invoice").filtered(
            lambda line: not self._incident_is_credit(line)
        )
        others = lines.filtered(lambda line: not self._incident_is_billed_by(line))
        others.sale_line_ids = [Command.unlink(self.id)]
        billed = (lines - others)[-1:]
        values = billed._incident_sale_values() if billed else {"product_uom_qty": 0}
        changed = {
            name: values[name]
            for name in {"product_uom_qty", "price_unit", "discount"} & set(values)
            if float_compare(values[name], self[name], precision_digits=6)
        }
        if billed and self.product_uom_id != billed.product_uom_id:
            changed["product_uom_id"] = billed.product_uom_id.id
        if billed and self.tax_ids != billed.tax_ids:
            changed["tax_ids"] = values["tax_ids"]
        if changed:
            # Core changes nothing of an order that is locked.
            locked = self.order_id.filtered("locked")
            locked.action_unlock()
            self.write(changed)
            locked.action_lock()
            self._incident_follow_units()

    def _incident_is_billed_by(self, invoice_line):
        """Return whether a line of an invoice sells what this line does, to the same
        customer."""
        return (
            invoice_line.product_id == self.product_id
            and invoice_line._incident_is_whole()
            and not invoice_line.incident_sells_nothing
            and invoice_line.move_id.partner_id.commercial_partner_id
            == self.order_id.partner_id.commercial_partner_id
        )

    def _incident_follow_units(self):
        """Sell as many as are ordered by now, in the windows that were sold. What was
        given keeps its number where nothing is ordered any more."""
        units = round(self._incident_quantity())
        if units != self.incident_units and (units or not self.incident_account_id):
            self.incident_units = units
