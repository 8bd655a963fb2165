"""The first day of a term that staff have named (R8.12)."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..ledger.helpdesk_incident_protected import REMEMBERED
from .product_product import TERM_KINDS

#: How far away a named day can be: as far as the longest term reaches.
FARTHEST = timedelta(days=3660)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    incident_date_confirmed = fields.Date(
        string="Confirmed on",
        help="The day of the company on which it was confirmed last, where the first "
        "day of a term was named.",
        **REMEMBERED,
    )

    def _incident_remember_confirmation(self):
        """Keep the day on which these orders are confirmed, if they name a first day:
        it decides what becomes of the months before it."""
        named = self.filtered("order_line.incident_date_start")
        for company, orders in named.grouped("company_id").items():
            orders._incident_remember(incident_date_confirmed=company._incident_today())


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.constrains("incident_date_start", "product_id")
    def _check_incident_date_start(self):
        """R8.12"""
        for line in self.filtered("incident_date_start"):
            day = line.incident_date_start
            if line.incident_kind not in TERM_KINDS or line.incident_operation not in (
                False,
                "renew",
            ):
                raise ValidationError(
                    self.env._(
                        "%(product)s: a first day can be named where a term begins: of "
                        "a plan with incidents every month, or its renewal, or of "
                        "incidents that expire.",
                        product=line.product_id.display_name,
                    )
                )
            if abs(day - line.company_id._incident_today()) > FARTHEST:
                raise ValidationError(
                    self.env._(
                        "%(product)s cannot begin on %(day)s: that is more than 10 "
                        "years away.",
                        product=line.product_id.display_name,
                        day=format_date(self.env, day, date_format="medium"),
                    )
                )
            end = line.sudo().incident_subscription_id.date_end
            if end and day <= end:
                raise ValidationError(
                    self.env._(
                        "%(product)s is paid through %(end)s: the renewal can begin on "
                        "the day after that, or later.",
                        product=line.product_id.display_name,
                        end=format_date(self.env, end, date_format="medium"),
                    )
                )

    def _incident_check_first_day(self, vals):
        """
        :param dict vals: what is about to be written.
        :raise UserError: if a customer names a first day; or if another one is named of
            what is sold.
        """
        if "incident_date_start" not in vals:
            return
        day = fields.Date.to_date(vals["incident_date_start"])
        for line in self:
            if line.incident_date_start != (day or False) and (
                self.env.user.share or line._incident_is_sold()
            ):
                raise UserError(
                    self.env._(
                        "%(product)s: the first day of its term is named by staff, "
                        "before the order is confirmed.",
                        product=line.product_id.display_name,
                    )
                )

    def _incident_named_day(self):
        """Return the first day that was named for this line; for the extra incidents of
        a renewal, that of the renewal.

        :rtype: date | False
        """
        self.ensure_one()
        line = self
        if self.incident_operation == "extra" and not self.incident_date_from:
            line = self.order_id.order_line.filtered(
                lambda other: other.incident_operation == "renew"
            )
        return line[:1].incident_date_start

    def _incident_is_day_kept(self):
        """Return whether the named day is kept, whenever it is paid: it has come by the
        day of the confirmation.

        :rtype: bool
        """
        day = self._incident_named_day()
        return bool(day) and day <= self._incident_confirmed_on()

    def _incident_confirmed_on(self):
        """Return the day of the confirmation, be the order cancelled since; of one that
        is not confirmed, today.

        :rtype: date
        """
        order = self.order_id
        confirmed = order.state not in ("draft", "sent") and (
            order.incident_date_confirmed
        )
        return confirmed or order.company_id._incident_today()
