"""What tickets lack is sold to be paid later (R18.1, R18.2)."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..groups import INCIDENT_READERS
from ..ledger.helpdesk_incident_protected import REMEMBERED


class Overage:
    """What a customer lacks for a ticket, and what it costs.

    :ivar order: an order that is not saved, with one line.
    :ivar values: the values of that order.
    """

    def __init__(self, order, values):
        self.order, self.values = order, values
        self.line = order.order_line
        self.missing = int(self.line.product_uom_qty)
        self.total, self.currency = order.amount_total, order.currency_id

    @property
    def key(self):
        """What the customer agrees to: if it is another one by now, he is asked
        again."""
        return (
            f"{self.line.product_id.id}-{self.missing}-{self.total}-{self.currency.id}"
        )

    def price_words(self):
        """Return the price of one, and of them all, with taxes."""
        return self.currency.format(self.line.price_total / self.missing)

    def total_words(self):
        """Return what they cost together, with taxes."""
        return self.currency.format(self.total)


class SaleOrder(models.Model):
    """What was sold to be paid later is a confirmed order that gives its incidents on
    confirmation, and remembers its day. It is invoiced by
    ``sale_order_overage_invoice.py``."""

    _inherit = "sale.order"

    incident_overage_date = fields.Date(
        string="Sold to be paid later on",
        help="The day on which it was sold for a ticket whose customer lacked "
        "incidents: it counts in that month.",
        **REMEMBERED,
    )
    incident_ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        string="Sold for the ticket",
        ondelete="set null",
        index="btree_not_null",
        groups=INCIDENT_READERS,
        **REMEMBERED,
    )

    # Looked up by customer whenever a ticket lacks incidents.
    _incident_overage_idx = models.Index(
        "(partner_id, incident_overage_date) WHERE incident_overage_date IS NOT NULL"
    )

    def _prepare_confirmation_values(self):
        """Override of `sale`: what is confirmed once more counts on that day."""
        self.filtered("incident_overage_date")._incident_count_from_today(
            "incident_overage_date"
        )
        return super()._prepare_confirmation_values()

    # ------------------------------------------------------------------
    # Selling
    # ------------------------------------------------------------------

    @api.model
    def _incident_overage(self, contact, company, missing):
        """Return what so many incidents cost this customer, to be paid later.

        :param contact: the ``res.partner`` of the ticket.
        :param int missing: incidents, 1 or more.
        :return: None if the company has no product for it, or it has no price.
        :rtype: Overage | None
        """
        product = company.sudo().incident_overage_product_id
        if not (product and product.active and product._incident_is_single()):
            return None
        # Whoever asks, all is of the customer: so all that is invoiced together can be.
        addresses = contact.commercial_partner_id.address_get(["delivery", "invoice"])
        values = {
            **self._incident_order_values(contact, company),
            "partner_invoice_id": addresses["invoice"],
            "partner_shipping_id": addresses["delivery"],
            "require_payment": False,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": missing})
            ],
        }
        order = self.sudo().with_company(company).new(values)
        if order.currency_id.compare_amounts(order.amount_total, 0) <= 0:
            return None
        return Overage(order, values)

    @api.model
    def _incident_sell_overage(self, ticket, overage):
        """Sell what a ticket lacks: confirm an order that gives it at once, and is paid
        later (R18.2). The account of the customer is locked.

        :param Overage overage: what the customer has agreed to.
        :raise UserError: if that is not what an order comes to.
        :return: the ``sale.order`` with superuser rights.
        """
        company = ticket.company_id
        order = (
            self.sudo()
            .with_company(company)
            .create({**overage.values, "origin": ticket.number})
        )
        line = order.order_line
        words = line.with_context(lang=order.partner_id.lang or self.env.lang)
        line.name = f"{words.name}\n{ticket.with_env(words.env)._incident_label()}"
        order._incident_remember(
            incident_grant_on="confirmed",
            incident_overage_date=company._incident_today(),
            incident_ticket_id=ticket.id,
        )
        if order.amount_total != overage.total:
            raise UserError(self._incident_pack_changed())
        order._validate_order()
        self._incident_trigger_overage()
        return order

    # ------------------------------------------------------------------
    # What was sold in a month (R18.4)
    # ------------------------------------------------------------------

    @api.model
    def _incident_overage_sum(self, customer, company, day):
        """Return what a customer has bought in the calendar month of a day to pay it
        later: see :meth:`_incident_month_sum`."""
        return self._incident_month_sum(customer, company, day, "incident_overage_date")
