"""What a request to charge says (R10.1): nothing of it is taken as it comes."""

import math

from odoo import api, models
from odoo.exceptions import UserError

#: What a request to charge says; whatever else a charge has follows from it.
REQUEST = frozenset({"ticket_id", "name", "amount", "currency_id", "request_key"})
#: The largest amount, in the smallest units of its currency: floats count them exactly.
MAX_UNITS = 10**11
#: The longest text that a request may have as its key.
MAX_KEY = 200


class HelpdeskTicketCharge(models.Model):
    _inherit = "helpdesk.ticket.charge"

    def _parse_request(self, vals):
        """Return what a request says.

        :raise UserError: if that is nothing that can be charged.
        :return: the ticket with superuser rights, the values of the charge, the amount.
        """
        unknown = set(vals) - REQUEST
        if unknown:
            raise UserError(
                self.env._(
                    "A charge takes a ticket, what for, an amount, a currency and a "
                    "key of the request, and not: %(fields)s.",
                    fields=", ".join(sorted(map(str, unknown))),
                )
            )
        ticket = self._parse_ticket(
            vals.get("ticket_id"), self.env._("Choose the ticket to charge in.")
        )
        name = self._parse_text(vals.get("name"))
        if not name:
            raise UserError(
                self.env._("Enter what the charge is for: the customer will read it.")
            )
        currency = ticket.company_id.currency_id
        if vals.get("currency_id"):
            currency = currency.browse(self._parse_id(vals["currency_id"])).exists()
        if not currency.active:
            raise UserError(self.env._("Choose a currency that is in use."))
        values = {
            "name": name,
            "currency_id": currency.id,
            "request_key": self._parse_text(vals.get("request_key")) or False,
        }
        if len(values["request_key"] or "") > MAX_KEY:
            raise UserError(
                self.env._(
                    "The key of a request has at most %(limit)s characters.",
                    limit=MAX_KEY,
                )
            )
        return ticket, values, self._parse_amount(vals.get("amount"), currency)

    @api.model
    def _new_in(self, ticket, name, currency):
        """Return a charge in a ticket that is not saved, to see what it comes to.

        :param ticket: a ``helpdesk.ticket`` with superuser rights.
        :param str name: what for.
        """
        company = ticket.company_id
        return self.with_company(company).new(
            {
                "ticket_id": ticket.id,
                "company_id": company.id,
                "partner_id": ticket.partner_id.commercial_partner_id.id,
                "currency_id": currency.id,
                "tax_included": company.incident_charge_tax_included,
                "name": name,
            }
        )

    @api.model
    def _parse_ticket(self, value, missing):
        """Return the ticket that a request names, with superuser rights.

        :param value: an id, or what should be one.
        :param str missing: what to say if it names none.
        :raise AccessError: if the user may not write the ticket.
        :raise UserError: if it names none.
        """
        ticket = self.env["helpdesk.ticket"]
        if value:
            ticket = ticket.browse(self._parse_id(value)).exists()
        if not ticket:
            raise UserError(missing)
        ticket.check_access("write")
        return ticket.sudo()

    @api.model
    def _parse_id(self, value):
        if isinstance(value, bool) or not isinstance(value, int):
            raise UserError(
                self.env._("“%(value)s” is no id of a record.", value=str(value)[:40])
            )
        return value

    @api.model
    def _parse_text(self, value):
        if value and (not isinstance(value, str) or "\0" in value):
            raise UserError(
                self.env._("“%(value)s” is no text.", value=repr(value)[:40])
            )
        return (value or "").strip()

    @api.model
    def _parse_amount(self, value, currency):
        """Return ``value`` as an amount that can be charged.

        :raise UserError: if it is none.
        :rtype: float
        """
        try:
            # Python reads True as 1 and "1_0" as 10.
            strange = isinstance(value, bool) or "_" in str(value)
            amount = math.nan if strange else float(value or 0)
        except (TypeError, ValueError, OverflowError):
            amount = math.nan
        if not math.isfinite(amount):
            raise UserError(
                self.env._("“%(value)s” is no amount.", value=str(value)[:40])
            )
        if amount <= 0:
            raise UserError(
                self.env._(
                    "The amount must be more than zero. To give back what was charged, "
                    "use “Refund”."
                )
            )
        rounded = currency.round(amount)
        if abs(amount - rounded) > currency.rounding / 1000:
            raise UserError(
                self.env._(
                    "%(amount)s is no amount in %(currency)s: its smallest unit is "
                    "%(unit)s.",
                    amount=value,
                    currency=currency.name,
                    unit=f"{currency.rounding:.{currency.decimal_places}f}",
                )
            )
        if amount > currency.rounding * MAX_UNITS:
            raise UserError(
                self.env._(
                    "At most %(limit)s can be charged at once.",
                    limit=currency.format(currency.rounding * MAX_UNITS),
                )
            )
        return rounded

    def _again(self, ticket, values, amount):
        """Return the charge that this very request has made before (R10.1).

        :raise UserError: if its key was used for another one.
        """
        key = values["request_key"]
        charge = key and self.search([("request_key", "=", key)])
        if not charge:
            return self.browse()
        first = charge.invoice_ids.sorted("id")[:1]
        if (
            charge.ticket_id != ticket
            or charge.currency_id.id != values["currency_id"]
            # An accountant may have deleted what was in draft.
            or first
            and charge.currency_id.compare_amounts(
                first[charge._amount_field()], amount
            )
        ):
            raise UserError(
                self.env._(
                    "The key of this request was used for another charge already: "
                    "nothing was charged."
                )
            )
        return charge
