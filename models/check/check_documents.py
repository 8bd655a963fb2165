"""The part of the ledger check (R13.4) that only Python can recompute: for each
document, what is stored and what it should be.
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from .account_check import Difference


def _compared(account, record, numbers):
    """Return the differences of ``numbers``: stored and expected value, by number."""
    for number, values in numbers.items():
        stored, expected = map(_text, values)
        if stored != expected:
            name = number if "." in number else f"{record._name}.{number}"
            yield Difference(account, record, name, stored, expected)


def _text(value):
    """Return a value as the database would write it; amounts are not rounded."""
    if isinstance(value, float):
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return None if value is None or value is False else str(value)


def _listed(model):
    """Return the ids of the records of a model to which a difference is listed, as a
    query."""
    return SQL(
        "SELECT res_id FROM helpdesk_incident_difference WHERE res_model = %s",
        model._name,
    )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _incident_check_documents(self):
        """Return the ids of the orders that sell incidents, as a query."""
        return SQL(
            """
            SELECT o.id FROM sale_order o WHERE EXISTS (
                SELECT FROM sale_order_line l
                 WHERE l.order_id = o.id AND l.incident_kind IS NOT NULL
                   AND (o.state = 'sale' OR l.incident_account_id IS NOT NULL
                        OR l.incident_due <> 0 OR l.incident_value <> 0))
            """
        )

    @api.model
    def _incident_check_listed(self):
        """Return the ids of the orders with a listed difference, as a query."""
        return SQL(
            """
            SELECT l.order_id FROM helpdesk_incident_difference d
              JOIN sale_order_line l ON l.incident_account_id = d.account_id
             UNION
            SELECT l.order_id FROM helpdesk_incident_difference d
              JOIN sale_order_line l
                ON l.id = d.res_id AND d.res_model = 'sale.order.line'
            """
        )

    def _incident_differences(self):
        """Compare what is due of the lines with what is posted and effective (R8.3).

        The value of an order in another currency was converted at the rate of its day,
        which may have been corrected since.

        :return: ``Difference`` tuples.
        """
        account_model = self.env["helpdesk.incident.account"]
        for order in self:
            paid = order._incident_paid()
            for line in order.order_line.filtered("incident_kind"):
                numbers = {
                    "incident_due": (line.incident_due, line._incident_due(paid))
                }
                if order.currency_id == order.company_id.currency_id:
                    numbers["incident_value"] = (
                        line.incident_value,
                        float(line._incident_value(paid)),
                    )
                account = line.incident_account_id or account_model._of(
                    order.partner_id, order.company_id
                )
                yield from _compared(account, line, numbers)


class HelpdeskIncidentSubscription(models.Model):
    _inherit = "helpdesk.incident.subscription"

    @api.model
    def _incident_check_documents(self):
        """Return the ids of all subscriptions, as a query."""
        return SQL("SELECT id FROM helpdesk_incident_subscription")

    @api.model
    def _incident_check_listed(self):
        """Return the ids of those to which a difference is listed, as a query."""
        return SQL(
            """
            SELECT s.id FROM helpdesk_incident_difference d
              JOIN helpdesk_incident_subscription s USING (account_id)
            """
        )

    def _incident_differences(self):
        """Compare the summary, the targets and the paid value of these subscriptions
        with their terms (R9).

        :return: ``Difference`` tuples.
        """
        known, causes, paid = self._compute_targets()
        targets = {cause.key: cause for cause in causes}
        for subscription, numbers in known.items():
            yield from _compared(
                subscription.account_id,
                subscription,
                {
                    name: (
                        subscription._fields[name].convert_to_write(
                            subscription[name], subscription
                        ),
                        value,
                    )
                    for name, value in subscription._summary_values(numbers).items()
                },
            )
        keys = {None: None}
        for allotment in self.allotment_ids:
            keys[allotment.cause_key] = allotment.id
            cause = targets.get(allotment.cause_key)
            yield from _compared(
                allotment.account_id,
                allotment,
                {"target": (allotment.target, cause.target if cause else 0)},
            )
        for cause in causes:
            if cause.date_from and cause.key not in keys:
                yield Difference(
                    cause.account,
                    cause.source,
                    "helpdesk.incident.allotment.target",
                    None,
                    str(cause.target),
                )
        lines = self.term_ids.sale_line_id
        yield from self._late_differences(lines, targets)
        yield from self._paid_differences(lines, paid, keys)

    def _late_differences(self, lines, targets):
        """Compare the lifetime incidents that were given for missed months (R9.4)."""
        given = dict(
            self.env["helpdesk.incident.entry"]._read_group(
                [("cause_key", "in", [f"sale_line:{line.id}" for line in lines])],
                ["cause_key"],
                ["quantity:sum"],
            )
        )
        for line in lines:
            key = f"sale_line:{line.id}"
            expected = targets[key].target if key in targets else 0
            yield from _compared(
                line.incident_account_id,
                line,
                {"helpdesk.incident.entry.quantity": (given.get(key, 0), expected)},
            )

    def _paid_differences(self, lines, paid, keys):
        """Compare what was paid for in each allotment (R12.4).

        :param dict keys: the id of each period allotment by its cause; None is the
            lifetime one.
        """
        fields = ("quantity", "withdrawn", "amount")
        stored = defaultdict(lambda: (0, 0, 0.0))
        expected = defaultdict(lambda: (0, 0, 0.0))
        for line, allotment, *numbers in self.env[
            "helpdesk.incident.purchase"
        ]._read_group(
            [("sale_line_id", "in", lines.ids)],
            ["sale_line_id", "allotment_id"],
            [f"{name}:sum" for name in fields],
        ):
            place = allotment.id if allotment.kind == "period" else None
            stored[line, place] = numbers
        for row in paid:
            expected[row.line, keys.get(row.cause_key, row.cause_key)] = (
                row.quantity,
                row.withdrawn,
                float(row.amount),
            )
        for line, place in {**stored, **expected}:
            yield from _compared(
                line.incident_account_id,
                line,
                {
                    f"helpdesk.incident.purchase.{name}": values
                    for name, *values in zip(
                        fields,
                        stored[line, place],
                        expected[line, place],
                        strict=True,
                    )
                },
            )


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    @api.model
    def _incident_check_documents(self):
        """Return the ids of the tickets of which something else than their submission
        has said what they take, as a query."""
        return SQL(
            """
            SELECT id FROM helpdesk_ticket
             WHERE (incident_basis IS NOT NULL OR incident_short <> 0)
               AND incident_parking IS DISTINCT FROM 'parked'
            """
        )

    @api.model
    def _incident_check_listed(self):
        """Return the ids of those to which a difference is listed, as a query."""
        return _listed(self)

    def _incident_differences(self):
        """Compare what these tickets are short of with what they take and hold (R16.6).

        :return: ``Difference`` tuples.
        """
        held = self._incident_counts()
        for ticket in self:
            missing = ticket._incident_aim() - held.get(ticket.id, 0)
            yield from _compared(
                ticket._incident_account(),
                ticket,
                {"incident_short": (str(ticket.incident_short), str(missing))},
            )


class HelpdeskTicketCharge(models.Model):
    _inherit = "helpdesk.ticket.charge"

    @api.model
    def _incident_check_documents(self):
        """Return the ids of all charges, as a query."""
        return SQL("SELECT id FROM helpdesk_ticket_charge")

    @api.model
    def _incident_check_listed(self):
        """Return the ids of those to which a difference is listed, as a query."""
        return _listed(self)

    def _incident_differences(self):
        """Compare the charged and the unpaid amount of charges with their documents
        (R10.4).

        :return: ``Difference`` tuples.
        """
        account_model = self.env["helpdesk.incident.account"]
        for charge in self:
            yield from _compared(
                account_model._of(charge.partner_id, charge.company_id),
                charge,
                {
                    name: (charge[name], value)
                    for name, value in charge._amounts().items()
                },
            )
