"""Incidents that are given once, and expire: packs (R15.1).

A pack is one window of so many months. Its first day is the day on which it was due
for the first time, or the one that staff have named (R8.12), and the line keeps it for
ever: undone and redone, it gives the same incidents in the same days (R3.4, R8.4).
"""

from odoo import fields, models
from odoo.tools import format_date, format_list

from ...periods import last_day
from ..ledger.helpdesk_incident_protected import REMEMBERED


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _incident_problems(self):
        """Override: a pack that was paid (again) only after its last day has given
        nothing that can be used, and staff are told."""
        problems = super()._incident_problems()
        missed = self.order_line.filtered(lambda line: line._incident_missed())
        if missed:
            lang = missed.company_id[0].partner_id.lang
            problems.append(missed.with_context(lang=lang)._incident_missed_message())
        return problems


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    incident_missed_seen = fields.Boolean(
        string="Paid too late, as staff know",
        help="It was paid after its last day, and a helpdesk manager has seen that.",
        **REMEMBERED,
    )

    def _incident_window(self):
        """Return the first and the last day of what this line gives once; none of
        lifetime incidents, nor before a pack has begun.

        :rtype: tuple[date, date] | tuple[None, None]
        """
        self.ensure_one()
        if self.incident_kind != "pack" or not self.incident_date_from:
            return None, None
        return self.incident_date_from, self._incident_last_day()

    def _incident_first_day(self):
        """Return the first day of a pack that begins now; False where the days that
        staff have named were over when the order was confirmed: its incidents come as
        lifetime incidents then (R8.12).

        :rtype: date | False
        """
        self.ensure_one()
        if self.incident_kind != "pack":
            return self.incident_date_from
        _anchor, day = self.incident_subscription_id._next_window(self)
        return not self._incident_is_over(day) and day

    def _incident_is_over(self, day):
        """Return whether a pack from ``day`` on was over when its order was confirmed.

        :rtype: bool
        """
        last = last_day(day, self.incident_term_months)
        return self._incident_is_day_kept() and last < self._incident_confirmed_on()

    def _incident_missed(self):
        """Return whether incidents of this pack came after its last day, so that they
        could not be used, and no helpdesk manager has seen that.

        :rtype: bool
        """
        self.ensure_one()
        _first, last = self._incident_window()
        today = self.company_id._incident_today()
        if not last or last >= today or not self.incident_due:
            return False
        return not self.incident_missed_seen and bool(
            self.env["helpdesk.incident.entry"].search_count(
                [
                    ("cause_key", "=", self._incident_key()),
                    ("quantity", ">", 0),
                    ("date", ">", last),
                ],
                limit=1,
            )
        )

    def _incident_missed_message(self):
        return self.env._(
            "%(plans)s: paid after the last day, so that what came could not be used. "
            "Give what the customer should have with “Adjust incidents”, or credit it.",
            plans=format_list(
                self.env,
                [
                    self.env._(
                        "%(plan)s (valid to %(day)s)",
                        plan=line.product_id.display_name,
                        day=format_date(
                            self.env, line._incident_last_day(), date_format="medium"
                        ),
                    )
                    for line in self
                ],
            ),
        )


class HelpdeskIncidentAllotment(models.Model):
    _inherit = "helpdesk.incident.allotment"

    def _pack_lines(self):
        """Return the order lines that have sold the packs among these.

        :rtype: dict[recordset, recordset]
        """
        prefix = self.env["sale.order.line"]._incident_key_prefix()
        keys = {
            allotment: int(allotment.cause_key.removeprefix(prefix))
            for allotment in self
            if (allotment.cause_key or "").startswith(prefix)
        }
        lines = self.env["sale.order.line"].sudo().browse(keys.values())
        return dict(zip(keys, lines, strict=True))

    def _buy_again(self, company):
        """Return the plans of the packs among these that customers can still buy in the
        portal (R15.1).

        :rtype: dict[recordset, recordset]
        """
        return {
            allotment: line.product_id
            for allotment, line in self._pack_lines().items()
            if line.product_id._incident_is_in_portal(company)
        }
