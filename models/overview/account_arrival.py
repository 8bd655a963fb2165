"""What a payment has brought, and what took it at once: for the page that the customer
sees after it (R11.4, R11.5)."""

from typing import NamedTuple

from odoo import models
from odoo.fields import Domain

#: How many entries after the payment are looked at.
LOOKED_AT = 200


class Arrived(NamedTuple):
    """One thing that a payment has brought, or that took of it."""

    #: for the customer, without a stop
    words: str
    #: the document to look at, if there is one
    document: models.BaseModel | None = None


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    def _arrived(self, payments, order=None):
        """Return what these payments have brought beside what the order sells, and
        which tickets waited for it.

        :param payments: ``account.payment`` records of the customer.
        :param order: the ``sale.order`` that they paid for, if any; it may have been
            paid otherwise.
        :rtype: list[Arrived]
        """
        if not self or not (payments or order):
            return []
        gifts = self._entries_of(payments)
        return [*self._gifts_in_words(gifts), *self._taken_at_once(gifts, order)]

    def _entries_of(self, payments):
        entries = self.env["helpdesk.incident.entry"].sudo()
        return entries.search(
            Domain("account_id", "=", self.id)
            & Domain("res_model", "=", payments._name)
            & Domain("res_id", "in", payments.ids),
            order="id",
        )

    def _gifts_in_words(self, gifts):
        env, arrived = self.env, []
        for kind, entries in gifts.sorted("kind").grouped("kind").items():
            number = sum(entries.mapped("quantity"))
            if number <= 0:
                continue
            if kind == "first_payment":
                words = (
                    env._("1 incident free, for your first payment")
                    if number == 1
                    else env._(
                        "%(number)s incidents free, for your first payment",
                        number=number,
                    )
                )
            else:
                words = (
                    env._("1 incident free, for the amount that you have paid")
                    if number == 1
                    else env._(
                        "%(number)s incidents free, for the amount that you have paid",
                        number=number,
                    )
                )
            arrived.append(Arrived(words))
        return arrived

    def _taken_at_once(self, gifts, order):
        """Return the tickets that waited, and took of what has come (R11.3): on the
        same day, and before something else came.

        :param gifts: the entries that the payments have given.
        """
        entries = self.env["helpdesk.incident.entry"].sudo()
        mine = Domain("account_id", "=", self.id)
        came = gifts.filtered(lambda entry: entry.quantity > 0)
        if order:
            begun = order.order_line.incident_term_ids.mapped("create_date")
            bought = Domain("res_model", "=", order._name) & Domain(
                "res_id", "=", order.id
            )
            if begun:
                bought |= Domain(
                    "allotment_id.subscription_id",
                    "in",
                    order._incident_subscriptions().ids,
                ) & Domain("create_date", ">=", min(begun))
            came |= entries.search(mine & bought & Domain("quantity", ">", 0))
        if not came:
            return []
        first = came.sorted("id")[0]
        later = entries.search(
            mine & Domain("id", ">", first.id) & Domain("date", "=", first.date),
            order="id",
            limit=LOOKED_AT,
        )
        taken = entries
        for entry in later - came:
            if entry.quantity > 0:
                break
            taken |= entry
        waited = (
            self.env["helpdesk.incident.reminder"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.id),
                    ("kind", "=", "released"),
                    ("ticket_id", "in", taken.ticket_id.ids),
                ]
            )
            .ticket_id
        )
        return [
            Arrived(self._taken_in_words(ticket, -sum(legs.mapped("quantity"))), ticket)
            for ticket, legs in taken.grouped("ticket_id").items()
            if ticket in waited
        ]

    def _taken_in_words(self, ticket, number):
        if number == 1:
            return self.env._(
                "Ticket %(number)s, which waited, took 1 incident", number=ticket.number
            )
        return self.env._(
            "Ticket %(number)s, which waited, took %(taken)s incidents",
            number=ticket.number,
            taken=number,
        )


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _incident_settled_invoices(self):
        """Return the invoices that these payments have paid of, in words (R10.2).

        :rtype: list[Arrived]
        """
        partials = self.move_id._incident_receivable().matched_debit_ids
        return [
            Arrived(
                self.env._(
                    "%(amount)s of it paid %(invoice)s",
                    amount=partial.debit_currency_id.format(
                        partial.debit_amount_currency
                    ),
                    invoice=partial.debit_move_id.move_id.name,
                ),
                partial.debit_move_id.move_id,
            )
            for partial in partials
            if partial.debit_move_id.move_id.move_type == "out_invoice"
        ]
