"""What a charge posts: invoices and credit notes, exact to the cent (R10.2, R10.4)."""

from collections import defaultdict
from contextlib import contextmanager

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command

from .account_move import CHARGING


class HelpdeskTicketCharge(models.Model):
    _inherit = "helpdesk.ticket.charge"

    # ------------------------------------------------------------------
    # Invoices (R10.2)
    # ------------------------------------------------------------------

    def _invoice(self, amount):
        """Post an invoice, and settle it from the customer's outstanding credits.

        :param float amount: in the mode of the charge: taxes included, or to be added.
        :return: the invoice.
        """
        self.ensure_one()
        values, _amounts = self._invoice_values(amount)
        with self._in_accounting():
            invoice = self._post_exactly(
                lambda moves: moves.create(values), amount, self._amount_field()
            )
            self._pay_from_credits(invoice)
        return invoice

    def _invoice_values(self, amount):
        """Return the values of an invoice that comes to exactly ``amount``, and what
        it comes to.

        :return: the values, and the result of :meth:`_exact`.
        :raise UserError: if it cannot be posted.
        """
        self._check_setup()
        product = self._product()
        customer = self.ticket_id.partner_id
        if customer.commercial_partner_id != self.partner_id.commercial_partner_id:
            customer = self.partner_id  # the contact has moved to another one
        address = customer.browse(customer.address_get(["invoice"])["invoice"])
        today = self.company_id._incident_today()
        words = self.with_context(lang=address.lang or self.env.lang).env
        line = {
            "product_id": product.id,
            "name": words._(
                "%(reason)s (ticket %(number)s)",
                reason=self.name,
                number=self.ticket_id.number,
            ),
            "quantity": 1,
            "discount": 0,
            "price_unit": amount,
        }
        distribution = self.ticket_id.team_id.analytic_distribution
        if distribution:
            line["analytic_distribution"] = distribution
        values = {
            "move_type": "out_invoice",
            "company_id": self.company_id.id,
            "partner_id": address.id,
            "currency_id": self.currency_id.id,
            "invoice_date": today,
            "date": today,
            "ref": self.ticket_id.number,
            "invoice_origin": self.ticket_id.number,
            "ticket_charge_id": self._origin.id,
        }
        # Taxes as on any invoice: by product, customer and fiscal position.
        draft = self.env["account.move"].new(
            {**values, "invoice_line_ids": [Command.create(line)]}
        )
        taxes = draft.invoice_line_ids.tax_ids._origin
        self._check_account(draft)
        amounts = self._exact(amount, taxes, product, address, draft)
        self.company_id._incident_check_books(taxes)
        line.update(
            tax_ids=[Command.set(taxes.ids)],
            price_unit=amounts["price_unit"],
            extra_tax_data=amounts["extra_tax_data"],
        )
        return {**values, "invoice_line_ids": [Command.create(line)]}, amounts

    def _exact(self, amount, taxes, product, partner, draft):
        """Return what an invoice line must say to come to ``amount``.

        Computed from a price, base and taxes are rounded apart from each other, and
        many totals cannot be reached: with 19 % there is no price for 0.03 at all.
        Therefore the taxes are those that the amount contains, each rounded; the base
        is what remains. Odoo keeps such amounts on the line, as for a down payment.

        :return: ``untaxed``, ``tax``, ``total``, ``taxes``, and of the line
            ``price_unit`` and ``extra_tax_data``.
        :rtype: dict
        """
        tax_model = self.env["account.tax"]
        company, currency = self.company_id, self.currency_id
        base_line = tax_model._prepare_base_line_for_taxes_computation(
            {},
            tax_ids=taxes,
            price_unit=amount,
            quantity=1.0,
            currency_id=currency,
            product_id=product,
            partner_id=partner,
            rate=draft.invoice_currency_rate or 1.0,
            special_mode="total_included" if self.tax_included else "total_excluded",
        )
        tax_model._add_tax_details_in_base_line(base_line, company)
        tax_model._round_base_lines_tax_details([base_line], company)
        return self._exact_line(
            amount, base_line, base_line["tax_details"]["taxes_data"], taxes
        )

    def _exact_line(self, amount, base_line, taxes_data, taxes):
        """Return the result of :meth:`_exact` for known taxes.

        :param dict base_line: of the tax engine.
        :param list taxes_data: ``tax``, ``is_reverse_charge``, ``tax_amount_currency``
            and ``base_amount_currency`` of each.
        """
        currency = self.currency_id
        tax = currency.round(sum(data["tax_amount_currency"] for data in taxes_data))
        untaxed = currency.round(amount - tax) if self.tax_included else amount
        if currency.compare_amounts(untaxed, 0) <= 0:
            raise UserError(
                self.env._(
                    "%(amount)s is less than the taxes that are due whatever the "
                    "price: charge more.",
                    amount=currency.format(amount),
                )
            )
        # What rounding has moved between base and taxes.
        shift = currency.round(
            untaxed - base_line["tax_details"]["total_excluded_currency"]
        )
        price = untaxed + sum(
            data["tax_amount_currency"]
            for data in taxes_data
            if data["tax"].price_include and not data["is_reverse_charge"]
        )
        base_line["price_unit"] = price = currency.round(price)
        base_line["manual_total_excluded_currency"] = untaxed
        base_line["manual_tax_amounts"] = {
            str(data["tax"].id): {
                "tax_amount_currency": data["tax_amount_currency"],
                "base_amount_currency": currency.round(
                    data["base_amount_currency"] + shift
                ),
            }
            for data in taxes_data
            if not data["is_reverse_charge"]
        }
        extra = self.env["account.tax"]._export_base_line_extra_tax_data(base_line)
        return {
            "untaxed": untaxed,
            "tax": tax,
            "total": currency.round(untaxed + tax),
            "taxes": taxes,
            "price_unit": price,
            "extra_tax_data": extra if taxes_data else False,
        }

    def _pay_from_credits(self, invoice):
        """Pay an invoice from the outstanding credits, oldest first, held ones
        excepted (R10.2). What they do not cover stays due."""
        credits = self.partner_id._incident_credits(self.company_id)
        invoice._incident_pay_from(credits)

    # ------------------------------------------------------------------
    # Credit notes (R10.4)
    # ------------------------------------------------------------------

    def _credit(self, amount):
        """Post credit notes of the invoices of this charge, the newest first.

        :param float amount: in the mode of the charge; None for all that is left.
        :return: the credit notes.
        """
        self.ensure_one()
        notes = self.env["account.move"]
        left = self.amount if amount is None else amount
        invoices = self.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )
        for invoice in invoices.sorted("id", reverse=True):
            rest = self._rest(invoice)
            there = self.currency_id.round(sum(map(self._rest_amount, rest.values())))
            part = min(left, there)
            if self.currency_id.compare_amounts(part, 0) > 0:
                notes += self._credit_note(invoice, part, rest)
                left = self.currency_id.round(left - part)
        if not self.currency_id.is_zero(left):
            raise UserError(
                self.env._(
                    "The invoices of “%(name)s” were credited otherwise: ask an "
                    "accountant to credit the other %(amount)s.",
                    name=self.name,
                    amount=self.currency_id.format(left),
                )
            )
        with self._in_accounting():
            self._settle_own(notes)
        notes._incident_settle_later()
        return notes

    def _rest(self, invoice):
        """Return what is left of an invoice when its credit notes are taken off: by
        account and taxes, as credit notes do not say which line they credit.

        :rtype: dict[tuple, dict]
        """
        rest = {}
        notes = invoice.reversal_move_ids.filtered(lambda move: move.state == "posted")
        for move in invoice | notes:
            sign = 1 if move == invoice else -1
            base_lines, _tax_lines = move._get_rounded_base_and_tax_lines()
            for base_line in base_lines:
                key = (base_line["account_id"], base_line["tax_ids"])
                group = rest.setdefault(
                    key,
                    {
                        "line": base_line,
                        "untaxed": 0,
                        "taxes": defaultdict(lambda: defaultdict(float)),
                    },
                )
                details = base_line["tax_details"]
                group["untaxed"] += sign * (
                    details["total_excluded_currency"]
                    + details["delta_total_excluded_currency"]
                )
                for data in details["taxes_data"]:
                    tax = group["taxes"][data["tax"], data["is_reverse_charge"]]
                    for name in ("tax_amount_currency", "base_amount_currency"):
                        tax[name] += sign * data[name]
        return {
            key: group
            for key, group in rest.items()
            if self.currency_id.compare_amounts(self._rest_amount(group), 0) > 0
        }

    def _rest_amount(self, group):
        """Return what is left in one group of :meth:`_rest`, in the mode of the
        charge."""
        taxes = group["taxes"].values() if self.tax_included else ()
        return self.currency_id.round(
            group["untaxed"] + sum(tax["tax_amount_currency"] for tax in taxes)
        )

    def _credit_note(self, invoice, amount, rest):
        """Post a credit note of ``amount`` with the taxes of the invoice, whatever the
        taxes of today are. The last one takes exactly what is left of each tax.

        :param dict rest: the result of :meth:`_rest`.
        """
        lines, taxes = [], self.env["account.tax"]
        total = sum(map(self._rest_amount, rest.values()))
        left = amount
        for number, group in enumerate(rest.values(), start=1):
            taxes |= group["line"]["tax_ids"]
            there = self._rest_amount(group)
            part = self.currency_id.round(amount * there / total)
            part = min(there, left if number == len(rest) else part)
            left = self.currency_id.round(left - part)
            lines += self._credit_line(part, part / there, group)
        self.company_id._incident_check_books(taxes)
        values = {
            **invoice._incident_reversed_today(self.ticket_id.number),
            "invoice_origin": self.ticket_id.number,
        }

        def reverse(moves):
            note = moves.browse(invoice.id)._reverse_moves([values])
            note.write({"invoice_line_ids": [Command.clear(), *lines]})
            return note

        with self._in_accounting():
            return self._post_exactly(reverse, amount, self._amount_field())

    def _credit_line(self, amount, share, group):
        """Return the command that makes a line of a credit note.

        :param float share: the part of what is left in ``group``.
        """
        source = group["line"]
        if self.currency_id.is_zero(amount):
            return []
        taxes_data = [
            {
                "tax": tax,
                "is_reverse_charge": reverse_charge,
                **{
                    name: self.currency_id.round(value * share)
                    for name, value in amounts.items()
                },
            }
            for (tax, reverse_charge), amounts in group["taxes"].items()
        ]
        base_line = {
            **source,
            "quantity": 1.0,
            "discount": 0.0,
            "manual_total_excluded": None,
            "computation_key": None,
            "tax_details": {
                "total_excluded_currency": self.currency_id.round(
                    group["untaxed"] * share
                )
            },
        }
        line = self._exact_line(amount, base_line, taxes_data, source["tax_ids"])
        return [
            Command.create(
                {
                    "product_id": source["product_id"].id,
                    "name": source["record"].name,
                    "account_id": source["account_id"].id,
                    "tax_ids": [Command.set(source["tax_ids"].ids)],
                    "analytic_distribution": source["record"].analytic_distribution,
                    "quantity": 1,
                    "discount": 0,
                    "price_unit": line["price_unit"],
                    "extra_tax_data": line["extra_tax_data"],
                }
            )
        ]

    def _settle_own(self, notes):
        """Let credit notes pay first what is open of the charge's own invoices; what
        remains of them is the customer's balance again (R10.4)."""
        for invoice in self.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        ).sorted("id"):
            credits = notes._incident_receivable()
            invoice._incident_pay_from(credits.filtered(lambda c: not c.reconciled))

    # ------------------------------------------------------------------
    # Posting
    # ------------------------------------------------------------------

    @contextmanager
    def _in_accounting(self):
        """Say in one sentence what accounting refuses, whatever it is.

        :raise UserError: if it refuses anything.
        """
        try:
            yield
        except AccessError:
            raise
        except UserError as error:
            raise UserError(
                self.env._(
                    "Nothing was charged or credited, as accounting refuses it: "
                    "%(reason)s. Ask an accountant to put that right.",
                    reason=str(error.args[0]).strip().rstrip("."),
                )
            ) from error

    def _post_exactly(self, make, amount, field):
        """Make a document, and post it if it comes to ``amount``.

        :param make: a function that returns the draft, from the model of entries.
        :param str field: the one that must be ``amount``.
        :raise UserError: if it comes to anything else.
        :return: the posted document.
        """
        moves = self.env["account.move"].with_context(ticket_charging=CHARGING)
        move = make(moves)
        if self.currency_id.compare_amounts(move[field], amount):
            raise UserError(
                self.env._(
                    "the document would come to %(total)s and not to %(amount)s, "
                    "by the taxes or the payment terms of the customer",
                    total=self.currency_id.format(move[field]),
                    amount=self.currency_id.format(amount),
                )
            )
        move.action_post()
        if move.state != "posted":
            raise UserError(self.env._("the document was not posted"))
        return move.with_env(self.env)
