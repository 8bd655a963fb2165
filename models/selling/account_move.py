from odoo import api, fields, models
from odoo.tools import formatLang

from .account_because import Because

#: What decides on what is paid and credited.
DECIDING = {
    "state",
    "incident_goodwill",
    "incident_credited_id",
    "matched_payment_ids",
}


class AccountMove(models.Model):
    """What is posted decides on what is paid (R8.3) and credited (R8.4)."""

    _inherit = "account.move"

    incident_goodwill = fields.Boolean(
        string="Goodwill: keep the incidents",
        copy=False,
        help="The customer keeps the support incidents although they are credited.",
    )
    incident_has_plan = fields.Boolean(compute="_compute_incident_has_plan")
    incident_names_plan = fields.Boolean(compute="_compute_incident_names_plan")
    incident_subscription_count = fields.Integer(compute="_compute_incident_has_plan")

    @api.depends("invoice_line_ids.sale_line_ids.incident_kind")
    def _compute_incident_has_plan(self):
        for move in self:
            lines = move.invoice_line_ids.sudo().sale_line_ids
            move.incident_has_plan = any(line.incident_kind for line in lines)
            move.incident_subscription_count = len(
                lines.incident_term_ids.subscription_id
            )

    @api.depends("invoice_line_ids.product_id")
    def _compute_incident_names_plan(self):
        for move in self:
            kinds = move.invoice_line_ids.sudo().product_id.mapped("incident_kind")
            move.incident_names_plan = bool(set(kinds) - {False, "none"})

    def write(self, vals):
        """Override: a payment is effective while its journal entry is posted (R1), and
        an order is paid by posted documents (R8.3)."""
        if self and vals:
            self.check_access("write")
        payments = self.sudo().origin_payment_id if "state" in vals else None
        if payments is not None:
            self._incident_lock_ahead(payments)
        before = payments and payments._incident_booked()
        links = {"matched_payment_ids", "incident_credited_id"} & set(vals)
        relinked = self if links else self.browse()
        orders = relinked._incident_affected_orders()
        if "incident_credited_id" in vals:
            self._incident_unlink_credits()
        res = super().write(vals)
        if {"state", "incident_goodwill", "incident_credited_id"} & set(vals):
            self._incident_sell()
        documents = self
        if payments:
            payments._incident_changed()
            payments._incident_orders_changed(before)
            documents -= payments.move_id
        if DECIDING & set(vals):
            (orders | documents._incident_affected_orders()).with_context(
                incident_because=documents._incident_because()
            )._incident_changed()
        return res

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_view_incident_subscriptions(self):
        """Open the subscriptions that this document is about (R8.6)."""
        self.check_access("read")
        subscriptions = self._incident_sold()._incident_subscriptions()
        return subscriptions.with_env(self.env)._action_open()

    def action_view_incident_entries(self):
        """Show what the orders of this document gave and took back (R8.6)."""
        self.check_access("read")
        # Accountants need not be allowed to read the orders.
        return self._incident_sold().action_view_incident_entries()

    # ------------------------------------------------------------------
    # Business
    # ------------------------------------------------------------------

    def _incident_send(self):
        """Print this invoice of what was paid online, and mail it: as `sale` does
        (``payment.transaction._send_invoice``), but says that it was sent only then."""
        if (
            self.is_move_sent
            or self.state != "posted"
            or not self._is_ready_to_be_sent()
        ):
            return
        settings = {"allow_raising": False, "allow_fallback_pdf": True}
        template_id = self.env["ir.config_parameter"].get_param(
            "sale.default_invoice_email_template"
        )
        if template_id:
            template = self.env["mail.template"].browse(int(template_id)).exists()
            if template:
                settings["mail_template"] = template
        self.env["account.move.send"]._generate_and_send_invoices(self, **settings)

    def _incident_sold(self):
        """Return the orders whose lines these documents are of, as superuser."""
        return self.sudo().invoice_line_ids.sale_line_ids.order_id

    def _incident_lock_ahead(self, payments):
        """Lock the accounts at which these documents and ``payments`` settle, before
        rows of theirs: see ``_lock_ahead`` of the account."""
        account_model = self.env["helpdesk.incident.account"]
        account_model._lock_ahead(
            payments._incident_holders()
            | self._incident_sold()._incident_holders()
            | account_model._holders_of(
                self.sudo().filtered(lambda move: move._incident_typed_lines())
            )
        )

    def _incident_because(self):
        """Return what these documents, which have just changed, take back by that.

        :rtype: Because
        """
        return Because(
            (move.commercial_partner_id.id, move._incident_undone)
            for move in self.sudo()
            if (move.move_type, move.state == "posted")
            in (("out_refund", True), ("out_invoice", False))
        )

    def _incident_undone(self, env):
        """Return what has happened to this document that takes back, in words."""
        values = {
            "number": self.name,
            "amount": formatLang(env, self.amount_total, currency_obj=self.currency_id),
        }
        if self.move_type == "out_refund":
            return env._("Credit note %(number)s of %(amount)s", **values)
        return env._("Invoice %(number)s of %(amount)s was withdrawn", **values)

    def _incident_affected_orders(self):
        """Return the orders with plans that may be paid otherwise, when something has
        changed about these entries (R8.3).

        They are those of invoices that these entries are, pay for, or credit, on and
        on: a credit note pays for further invoices with the money of the first one.

        :return: ``sale.order`` records with superuser rights.
        """
        return self.env["sale.order"]._incident_touched(moves=self)
