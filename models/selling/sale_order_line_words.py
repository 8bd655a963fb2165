"""What order and invoice lines say of the plans that they sell (R8.6)."""

import re

from odoo import api, fields, models
from odoo.tools import format_date

from ...periods import last_day
from .product_product import TERM_KINDS


class SaleOrderLine(models.Model):
    """A description is written once, in the language of the document; who reads it may
    have another one. What this module has put into it is said again in the language of
    the reader, and what it does not say is said beside it."""

    _inherit = "sale.order.line"

    incident_reading = fields.Text(
        string="Description in the language of the reader",
        compute="_compute_incident_reading",
        compute_sudo=True,
        help="Empty where it is the description as it was written.",
    )
    incident_note = fields.Text(
        string="Incidents sold",
        compute="_compute_incident_reading",
        compute_sudo=True,
        help="How many incidents the line sells, and for which days, as far as the "
        "description does not say it.",
    )

    @api.depends(
        "name",
        "incident_units",
        "incident_kind",
        "incident_quantity",
        "incident_term_months",
        "incident_period_months",
        "incident_carry_periods",
        "incident_date_from",
        "incident_date_start",
        "order_id.state",
        "incident_term_ids.date_from",
        "incident_term_ids.date_to",
    )
    @api.depends_context("lang")
    def _compute_incident_reading(self):
        """R8.6"""
        for line in self:
            written = line.name or ""
            reading = line._incident_read(written)
            line.incident_reading = reading if reading != written else False
            line.incident_note = line._incident_words(said=reading)

    def _incident_read(self, written):
        """Return a description of these lines with the words of this module in the
        language of the context, whatever language they were written in.

        :param str written: of an order or invoice line.
        :rtype: str
        """
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        for line in self if len(languages) > 1 else ():
            own = line._incident_phrases()
            for code in languages:
                foreign = line.with_context(lang=code)._incident_phrases()
                for there, here in sorted(
                    zip(foreign, own, strict=True), key=lambda pair: -len(pair[0])
                ):
                    if there and there != here and there in written:
                        written = re.sub(
                            rf"(?<!\w){re.escape(there)}(?!\w)",
                            lambda _match, words=here: words,
                            written,
                        )
        return written

    def _incident_phrases(self):
        """Return what this module may have put into the description of this line, in
        the language of the context; in each language the same, in the same order.

        :rtype: list[str]
        """
        self.ensure_one()
        if not self.incident_kind:
            return []
        phrases = [self._incident_effect(), self._incident_days()]
        if self.incident_operation not in ("extra", "credit"):
            phrases.append(
                self.product_id._incident_words(
                    self.incident_kind,
                    self.incident_quantity,
                    self.incident_term_months,
                    self.incident_period_months,
                    self.incident_carry_periods,
                )
            )
            if self.incident_operation:
                phrases.append(self._incident_operation_words())
        return [phrase or "" for phrase in phrases]

    def _incident_words(self, said=""):
        """Return in words what the line sells, and for which days (R8.6).

        :param str said: a description; what it says already is left out.
        :rtype: str | False
        """
        self.ensure_one()
        words = [self._incident_effect(), self._incident_days()]
        return ", ".join(word for word in words if word and word not in said) or False

    def _incident_effect(self):
        """Return in words what the line sells, or does with a subscription."""
        if self.incident_operation == "extra":
            return self._incident_extra_words()
        if self.incident_operation == "credit":
            if self.incident_quantity == 1:
                return self.env._("credit for 1 incident of the old plan")
            return self.env._(
                "credit for %(number)s incidents of the old plan",
                number=self.incident_quantity,
            )
        return self.product_id._incident_words(
            self.incident_kind,
            self._incident_number(),
            self.incident_term_months,
            self.incident_period_months,
            self.incident_carry_periods,
        )

    def _incident_extra_words(self):
        values = {
            "number": self._incident_number(),
            "months": self.incident_term_months,
            "periods": self._incident_periods(),
            "period": self.incident_period_months,
        }
        if values["period"] > 1:
            return self._incident_extra_period_words(values)
        if values["months"] == 1:
            if values["number"] == 1:
                return self.env._("1 more incident in 1 month")
            return self.env._("%(number)s more incidents in 1 month", **values)
        if values["number"] == 1:
            return self.env._("1 more incident in each of %(months)s months", **values)
        return self.env._(
            "%(number)s more incidents in each of %(months)s months", **values
        )

    def _incident_extra_period_words(self, values):
        """Return the same for periods of several months (R15.2)."""
        if values["periods"] == 1:
            if values["number"] == 1:
                return self.env._("1 more incident in %(period)s months", **values)
            return self.env._(
                "%(number)s more incidents in %(period)s months", **values
            )
        if values["number"] == 1:
            return self.env._(
                "1 more incident in each of %(periods)s periods of %(period)s months",
                **values,
            )
        return self.env._(
            "%(number)s more incidents in each of %(periods)s periods of %(period)s "
            "months",
            **values,
        )

    def _incident_days(self):
        """Return in words for which days that is, as far as it is known by now."""
        if self.incident_kind not in TERM_KINDS:
            return False
        term = self.incident_term_ids[:1]
        first, last = term.date_from, term.date_to
        subscription = self.sudo().incident_subscription_id
        named = not term and self._incident_named_day()
        if self.incident_date_from and not term:
            first, last = self.incident_date_from, self._incident_last_day()
        elif named or not term and subscription and subscription._is_running():
            anchor, first = subscription._next_window(self.sudo())
            last = last_day(anchor, self.incident_term_months, first)
        if not first:
            return self.env._("from the day of payment")
        days = self.env._(
            "%(first)s – %(last)s",
            first=format_date(self.env, first, date_format="medium"),
            last=format_date(self.env, last, date_format="medium"),
        )
        if self._incident_named_day():
            return self._incident_named_words(days)
        if not term.months_late:
            return days
        return self.env._(
            "%(days)s; what %(months)s of these months had, which were over by the day "
            "of payment, came as lifetime incidents",
            days=days,
            months=term.months_late,
        )

    def _incident_named_words(self, days):
        """Return in words what becomes of a named first day (R8.12).

        :param str days: the first and the last day of the term, in words.
        """
        term = self.incident_term_ids[:1]
        if self.incident_kind == "pack":
            return self._incident_named_pack_words(days)
        if not term and not self._incident_is_day_kept():
            return self.env._(
                "%(days)s, or from the day of payment if that is later", days=days
            )
        if not term and not self.order_id._incident_gives_unpaid():
            return self.env._(
                "%(days)s; months that are over when the order is confirmed come as "
                "lifetime incidents, those that are over when it is paid lapse",
                days=days,
            )
        words = [days]
        if term.months_late:
            words.append(
                self.env._(
                    "months that were over when the order was confirmed and came as "
                    "lifetime incidents: %(months)s",
                    months=term.months_late,
                )
            )
        if term.months_lapsed:
            words.append(
                self.env._(
                    "months that were over when it was paid and have lapsed: "
                    "%(months)s",
                    months=term.months_lapsed,
                )
            )
        return "; ".join(words)

    def _incident_named_pack_words(self, days):
        """Return in words what becomes of the first day that was named of a pack."""
        if self.incident_date_from:
            return days
        if self._incident_is_over(self._incident_named_day()):
            return self.env._(
                "%(days)s: over by the day of confirmation, so they are lifetime "
                "incidents",
                days=days,
            )
        if self._incident_is_day_kept():
            return days
        return self.env._(
            "%(days)s, or from the day of payment if that is later", days=days
        )

    def _incident_last_day(self):
        """Return the last day of the months that the line acts on, or is valid for."""
        term = self.sudo().incident_term_id
        if self.incident_operation == "credit":
            return term.date_to
        anchor = term.anchor or self.incident_date_from
        return last_day(anchor, self.incident_term_months, self.incident_date_from)

    def _get_sale_order_line_multiline_description_sale(self):
        """Override of `sale` to say what a unit of a plan is (R8.6), or what the line
        does with a subscription."""
        description = super()._get_sale_order_line_multiline_description_sale()
        if self.incident_operation in ("extra", "credit"):
            return f"{self.product_id.display_name}\n{self._incident_words()}"
        words = [description, self.product_id.incident_description]
        if self.incident_operation:
            words.append(self._incident_operation_words())
        return "\n".join(filter(None, words))

    def _incident_operation_words(self):
        """Return in words what becomes of the subscription."""
        plan = self.sudo().incident_subscription_id.product_id
        if self.incident_operation == "change":
            return self.env._(
                "Instead of %(plan)s from %(date)s",
                plan=plan.with_env(self.env).display_name,
                date=format_date(
                    self.env, self.incident_date_from, date_format="medium"
                ),
            )
        return self.env._(
            "Renewal of %(plan)s", plan=plan.with_env(self.env).display_name
        )

    def _prepare_invoice_line(self, **optional_values):
        """Override of `sale` to say which days are invoiced, once they are known
        (R8.6)."""
        values = super()._prepare_invoice_line(**optional_values)
        known = (
            self.sudo().incident_term_ids
            or self.incident_date_from
            or self._incident_named_day()
        )
        if known and values.get("name"):
            line = self.with_context(lang=self.order_id._get_lang()).sudo()
            words = line._incident_words(said=values["name"])
            values["name"] = f"{values['name']}\n{words}" if words else values["name"]
        return values
