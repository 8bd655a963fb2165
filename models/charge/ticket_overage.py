"""Tickets that wait for no money: what they lack is sold, to be paid later (R18)."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..groups import INCIDENT_READERS


class Agreed:
    """In the context, as ``incident_agreed``: what the customer has agreed to pay later
    in the form. An object cannot come in over RPC.

    :ivar key: of an ``Overage``, as it came in.
    """

    def __init__(self, user, key):
        self.user, self.key = user, key

    def is_by(self, customer):
        """Return whether a user of this customer has agreed."""
        return self.user.partner_id.commercial_partner_id == customer


class HelpdeskTicket(models.Model):
    """Of the answers to too few incidents, *charge* is to provide them; where it
    cannot, the ticket waits as any other (:meth:`_incident_provide`)."""

    _inherit = "helpdesk.ticket"

    incident_overage_count = fields.Integer(
        string="Orders to be paid later",
        compute="_compute_incident_overage_count",
        groups=INCIDENT_READERS,
    )
    incident_overage_open_count = fields.Integer(
        string="Orders that are not credited",
        compute="_compute_incident_overage_count",
        groups=INCIDENT_READERS,
    )
    incident_sells = fields.Boolean(
        string="What it lacks can be sold",
        compute="_compute_incident_overage_obstacle",
        groups=INCIDENT_READERS,
        help="Whether the company has a product for what is paid later.",
    )
    incident_overage_obstacle = fields.Char(
        string="Why it is not paid later",
        compute="_compute_incident_overage_obstacle",
        groups=INCIDENT_READERS,
        help="Why what the ticket lacks was not sold to be paid later.",
    )

    def _compute_incident_overage_count(self):
        overages = self._incident_overages().grouped("incident_ticket_id")
        none = self.env["sale.order"].sudo()
        for ticket in self:
            orders = overages.get(ticket._origin.sudo(), none)
            ticket.incident_overage_count = len(orders)
            ticket.incident_overage_open_count = len(
                orders.filtered(lambda order: order._incident_overage_is_open())
            )

    @api.depends("incident_missing", "incident_due", "team_id")
    @api.depends_context("lang")
    def _compute_incident_overage_obstacle(self):
        for ticket in self:
            saved = ticket.sudo()
            sells = saved.team_id.incident_shortage_policy == "charge"
            ticket.incident_sells = bool(saved.company_id.incident_overage_product_id)
            lacks = sells and ticket.incident_due and ticket.incident_missing
            ticket.incident_overage_obstacle = (
                ticket._incident_not_sold() if lacks else False
            )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_incident_sell(self):
        """Open the dialog to sell what this ticket lacks, to be paid later.

        :raise AccessError: if the user may not charge, or not write the ticket.
        """
        self.ensure_one()
        self._incident_check_charging()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_paid_support.helpdesk_ticket_overage_action"
        )
        return {**action, "context": {"default_ticket_id": self.id}}

    def action_view_incident_overage(self):
        """Show what was sold for these tickets, to be paid later."""
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_orders")
        return {
            **action,
            "domain": [("incident_ticket_id", "in", self.ids)],
            "context": {"create": False},
        }

    def action_incident_undo_overage(self):
        """Cancel or credit what was sold for these tickets, which by their outcome are
        not charged (R17.1).

        :raise AccessError: if the user may not charge, or not write the tickets.
        :raise UserError: if that cannot be credited, or they hold incidents: without
            what was sold the customer would be below zero.
        """
        self._incident_check_charging()
        for ticket in self.sudo():
            if ticket.incident_count:
                raise UserError(
                    self.env._(
                        "Ticket %(number)s has taken %(count)s support incidents: "
                        "return them first.",
                        number=ticket.number,
                        count=ticket.incident_count,
                    )
                )
            orders = ticket._incident_overages().filtered(
                lambda order: order._incident_overage_is_open()
            )
            orders._incident_undo_overage()
            if orders:
                ticket._message_log(
                    body=self.env._(
                        "Cancelled or credited: %(orders)s.",
                        orders=", ".join(orders.mapped("name")),
                    )
                )

    # ------------------------------------------------------------------
    # What it lacks
    # ------------------------------------------------------------------

    def _incident_overages(self):
        """Return the orders by which something was sold for these tickets, to be paid
        later, with superuser rights."""
        return (
            self.env["sale.order"]
            .sudo()
            .search(Domain("incident_ticket_id", "in", self.ids), order="id")
        )

    def _incident_overage(self, available, needed=None):
        """Return what this ticket lacks, and what it costs.

        :param int available: what the customer has.
        :param int needed: how many it takes, by default what it takes now.
        :return: None if nothing is missing, or it cannot be sold.
        :rtype: Overage | None
        """
        ticket = self.sudo()
        if needed is None:
            needed = ticket.incident_short or ticket._incident_required()
        missing = needed - max(available, 0)
        contact, company = ticket.partner_id._origin, ticket.company_id._origin
        if missing <= 0 or not contact or not company:
            return None
        return self.env["sale.order"]._incident_overage(contact, company, missing)

    def _incident_obstacle(self, overage):
        """Return why what this ticket lacks cannot be paid later: see
        ``res.partner._incident_overage_obstacle``."""
        ticket = self.sudo()
        return ticket.partner_id._origin._incident_overage_obstacle(
            ticket.company_id._origin, overage
        )

    def _incident_not_sold(self):
        """Return why what this ticket lacks is not sold by itself, in a sentence for
        staff; empty if its customer is not known."""
        if not self.partner_id:
            return ""
        overage = self._incident_overage(self.incident_available)
        return self._incident_obstacle(overage) or self._incident_not_agreed()

    @api.model
    def _incident_not_agreed(self):
        return self.env._("The customer has not agreed to pay later for this ticket.")

    def _incident_later(self, available, needed=None):
        """Return what the customer of this ticket is asked to agree to (R18.1): what
        it lacks, if its team sells that, and nothing is in the way.

        :param available, needed: as for :meth:`_incident_overage`.
        :return: None if there is nothing to agree to.
        :rtype: Overage | None
        """
        if self.sudo().team_id.incident_shortage_policy != "charge":
            return None
        overage = self._incident_overage(available, needed)
        return None if not overage or self._incident_obstacle(overage) else overage

    # ------------------------------------------------------------------
    # Selling it
    # ------------------------------------------------------------------

    def _incident_provide(self, account):
        """Override: sell it, if its customer agrees, by the form or once for all
        tickets by e-mail, and nothing is in the way (R18.1, R18.4).

        :raise UserError: if the customer has agreed to something else.
        """
        if self.team_id.incident_shortage_policy != "charge":
            return super()._incident_provide(account)
        overage = self._incident_overage(account.available)
        obstacle = self._incident_obstacle(overage)
        agreed = self.env.context.get("incident_agreed")
        if not (isinstance(agreed, Agreed) and agreed.is_by(account.partner_id)):
            agreed = None
        # What waits already, and was not looked at, has come by e-mail.
        by_mail = (
            self.incident_parking == "parked"
            and account.partner_id._incident_overage_agreed_by_mail(self.company_id)
        )
        if not (obstacle or agreed or by_mail):
            obstacle = self._incident_not_agreed()
        if not obstacle and agreed and agreed.key != overage.key:
            raise UserError(self.env["sale.order"]._incident_pack_changed())
        if not obstacle:
            obstacle = self._incident_try_to_sell(account, overage)
        if obstacle:
            self._message_log(
                body=self.env._("Not sold to be paid later: %(why)s", why=obstacle)
            )
        return not obstacle

    def _incident_try_to_sell(self, account, overage):
        """Sell what this ticket lacks, or nothing.

        :return: why it could not be sold, empty if it was.
        :rtype: str
        """
        try:
            with self.env.cr.savepoint():
                self._incident_sell(account, overage)
        except UserError as error:
            self.env.invalidate_all()
            return str(error.args[0])
        return ""

    def _incident_sell(self, account, overage):
        """Sell what this ticket lacks, and say so in its history. The account is
        locked.

        :param Overage overage: see :meth:`_incident_overage`.
        :raise UserError: if the order does not give it.
        """
        before = account.available
        order = self.env["sale.order"]._incident_sell_overage(self, overage)
        if account.available < before + overage.missing:
            raise UserError(
                self.env._("%(order)s has not given its incidents.", order=order.name)
            )
        self._incident_log(
            self.env._(
                "Sold to be paid later: %(count)s support incidents for %(total)s, "
                "taxes included (order %(order)s).",
                count=overage.missing,
                total=overage.total_words(),
                order=order.name,
            )
        )

    def _incident_sell_by_hand(self, reason, key):
        """Sell what this ticket lacks, whatever the limit is, and deduct it: staff say
        why (R18.4). The user may charge in it.

        :param str reason: for the history of the ticket.
        :param str key: of the ``Overage`` that they have seen.
        :raise UserError: without a reason, if nothing is missing, or cannot be sold, or
            it is not what they have seen.
        """
        self.ensure_one()
        reason = (reason or "").strip()
        if not reason:
            raise UserError(
                self.env._("Say why the customer may pay this later: enter a reason.")
            )
        ticket = self.sudo().with_context(incident_reason=reason)
        account = ticket._incident_account(create=True)
        account._lock()
        overage = ticket._incident_overage_by_hand(account.available)
        if account.lifetime_balance < 0:
            raise UserError(self.env._("The customer is below zero."))
        if overage.key != key:
            raise UserError(
                self.env._(
                    "What is missing, or its price, has changed: open this form again."
                )
            )
        ticket._incident_sell(account, overage)
        if ticket.incident_parking == "parked":
            ticket._incident_release()
        elif ticket.incident_short:
            ticket._incident_follow()
        else:
            ticket._incident_set(ticket._incident_required())

    def _incident_overage_by_hand(self, available):
        """Return what this ticket lacks that takes incidents, and what it costs.

        :param int available: what the customer has.
        :raise UserError: if nothing is missing, or it cannot be sold.
        :rtype: Overage
        """
        lacks = self.incident_short or not self._incident_holds()
        overage = self._incident_overage(available) if lacks else None
        if not overage:
            raise UserError(
                self.env._("Nothing is missing for this ticket, or it cannot be sold.")
            )
        return overage

    def _incident_keep_quiet(self):
        """Override: who pays later is not told of a ticket that waits."""
        account = self._incident_account()
        customer = account.partner_id
        if customer._incident_overage_agreed_by_mail(
            self.company_id
        ) and self._incident_later(account.available):
            return None
        return super()._incident_keep_quiet()
