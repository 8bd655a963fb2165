"""The part of the ledger check (R13.4) that only Python can recompute: for each
document, what is stored and what it should be.
"""

from collections import defaultdict

from odoo import api, models
from odoo.tools import SQL

from ... import periods
from ..ledger.helpdesk_incident_cause import Said
from .account_check import Difference


def _compared(account, record, numbers):
    """Return the differences of ``numbers``: stored and expected value, by number."""
    for number, values in numbers.items():
        stored, expected = map(_text, values)
        if stored != expected:
            name = number if "." in number else f"{record._name}.{number}"
            yield Difference(account, record, name, stored, expected)


def _forgotten(said, account_of):
    """Return the differences between what documents say and what they remember.

    :param Said said: what they say.
    :param account_of: the account of a record.
    """
    for record, changes in said.changes().items():
        fields = record._fields
        yield from _compared(
            account_of(record),
            record,
            {
                name: (fields[name].convert_to_write(record[name], record), value)
                for name, value in changes.items()
                if name in fields
            },
        )


def _not_opened(env, causes):
    """Return the differences between what causes with a window say and their
    allotments."""
    causes = [cause for cause in causes if cause.date_from]
    found = {
        allotment.cause_key: allotment
        for allotment in env["helpdesk.incident.allotment"].search(
            [("cause_key", "in", [cause.key for cause in causes])]
        )
    }
    for cause in causes:
        allotment = found.get(cause.key)
        if not allotment:
            number = "helpdesk.incident.allotment.target"
            yield from _compared(
                cause.account, cause.source, {number: (None, cause.target)}
            )
            continue
        yield from _compared(
            allotment.account_id,
            allotment,
            {
                "account_id": (allotment.account_id.id, cause.account.id),
                "date_from": (allotment.date_from, cause.date_from),
                "date_to": (allotment.date_to, cause.date_to),
                "date_period_to": (allotment.date_period_to, cause.date_period_to),
                "grant_kind": (
                    allotment.grant_kind,
                    None if cause.kind == "period" else cause.kind,
                ),
                "target": (allotment.target, cause.target),
            },
        )


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


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _incident_check_documents(self):
        """Return the ids of all accounts, as a query."""
        return SQL("SELECT id FROM helpdesk_incident_account")

    @api.model
    def _incident_check_listed(self):
        """Return the ids of those to which a difference is listed, as a query."""
        return _listed(self)

    def _incident_differences(self):
        """Compare what was given for funds added with what the payments that count
        make (R6.3).

        :return: ``Difference`` tuples.
        """
        given = defaultdict(int)
        for key, account_id, quantity in self.env.execute_query(
            SQL(
                """
                SELECT cause_key, account_id, SUM(quantity)
                  FROM helpdesk_incident_entry
                 WHERE account_id IN %s AND starts_with(cause_key, 'topup:')
                 GROUP BY 1, 2
                """,
                self._ids,
            )
        ):
            given[key, account_id] = quantity
        funds = self._funds()
        targets = {
            (key, account_id): target
            for account_id in funds
            for key, target in self.browse(account_id)
            ._topup_targets(funds[account_id])
            .items()
        }
        for key, account_id in {**given, **targets}:
            account = self.browse(account_id)
            numbers = given[key, account_id], targets.get((key, account_id), 0)
            yield from _compared(
                account, account, {"helpdesk.incident.entry.quantity": numbers}
            )


class AccountPayment(models.Model):
    _inherit = "account.payment"

    @api.model
    def _incident_check_documents(self):
        """Return the ids of the payments that count, or did so once, as a query."""
        return SQL(
            """
            SELECT id FROM account_payment
             WHERE incident_seen OR incident_account_id IS NOT NULL
                OR incident_topup_counted <> 0 OR incident_first_given <> 0
            """
        )

    @api.model
    def _incident_check_listed(self):
        """Return the ids of those to which a difference is listed, as a query."""
        return _listed(self)

    def _incident_differences(self):
        """Compare what these payments count and hold with what they say (R6.2, R6.3).

        A payment whose contact has moved to another customer still counts where it did.

        :return: ``Difference`` tuples.
        """
        account_model = self.env["helpdesk.incident.account"]
        return _forgotten(
            self._incident_said(),
            lambda record: (
                record
                if record._name == account_model._name
                else record.incident_account_id
                or account_model._of(record.partner_id, record.company_id)
            ),
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
        """Compare what is due of the lines with what is posted and effective (R8.3),
        and packs with their lines (R15.1).

        The value of an order in another currency was converted at the rate of its day,
        which may have been corrected since.

        :return: ``Difference`` tuples.
        """
        account_model = self.env["helpdesk.incident.account"]
        said = self._incident_due_said()
        for line, due in said.facts.items():
            if line.currency_id != line.company_id.currency_id:
                del due["incident_value"]
        yield from _forgotten(
            said,
            lambda line: (
                line.incident_account_id
                or account_model._of(line.order_id.partner_id, line.company_id)
            ),
        )
        once, _paid = self.order_line._incident_once()
        yield from _not_opened(self.env, once)


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
        yield from self._term_differences()
        said = self._incident_said()
        paid = said.facts.pop(self.env["helpdesk.incident.purchase"])["paid"]
        yield from _forgotten(said, lambda subscription: subscription.account_id)
        yield from _not_opened(self.env, said.causes)
        targets = {cause.key: cause for cause in said.causes}
        for allotment in self.allotment_ids:
            if allotment.cause_key not in targets:
                yield from _compared(
                    allotment.account_id, allotment, {"target": (allotment.target, 0)}
                )
        lines = self.term_ids.sale_line_id
        yield from self._late_differences(lines, targets)
        keys = {allotment.cause_key: allotment.id for allotment in self.allotment_ids}
        yield from self._paid_differences(lines, paid, {None: None, **keys})

    def _term_differences(self):
        """Compare the terms with their lines (R9.1): each consists of whole months that
        are counted from its anchor, or from that of the term that it acts on."""
        facts = {}
        for term in self.term_ids:
            line, anchor = term.sale_line_id, term.anchor
            number = periods.number_at(anchor, term.date_from)
            first = line.incident_date_from or periods.first_day(anchor, number)
            if line.incident_date_from and line.incident_term_id:
                anchor = line.incident_term_id.anchor
            facts[term] = term._values(line, anchor, first)
        return _forgotten(Said([], facts), lambda term: term.subscription_id.account_id)

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
