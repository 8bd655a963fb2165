from datetime import date

from odoo.fields import Domain

from .common_subscription import SubscriptionCommon


class UnearnedCommon(SubscriptionCommon):
    """Customers who buy and use incidents, and the accountants' report (R12.4)."""

    def rows(self, day=None, domain=Domain.TRUE):
        # Not what was read before in the same test.
        self.env["helpdesk.incident.unearned"].invalidate_model()
        day = day or self.company._incident_today()
        return (
            self.env["helpdesk.incident.unearned"]
            .with_context(unearned_date=str(day))
            .with_company(self.company)
            .search(domain, order="date_to, id")
        )

    def positions(self, day=None, customer=None):
        """Return given, used, lapsed and left, and the value of what is left."""
        return [
            (row.quantity, row.used, row.lapsed, row.quantity_left, row.amount_left)
            for row in self.rows(day)
            if row.partner_id == (customer or self.customer)
        ]

    def unearned(self, day=None, product=None):
        rows = self.rows(day)
        if product:
            rows = rows.filtered(lambda row: row.product_id == product)
        return round(sum(rows.mapped("amount_left")), 2)

    def by_month(self, first, last):
        self.env["helpdesk.incident.unearned.month"].invalidate_model()
        return (
            self.env["helpdesk.incident.unearned.month"]
            .with_context(unearned_date=last, unearned_from=first)
            .with_company(self.company)
            .search(Domain.TRUE)
        )

    def assertAgrees(self, day=None):
        """The report agrees with the ledger: what is left of each allotment is the sum
        of its entries, or what is still to be granted; what was paid is what was used,
        has lapsed and is left."""
        day = day or self.company._incident_today()
        rows = self.rows(day)
        left = {}
        for row in rows:
            self.assertEqual(row.quantity, row.used + row.lapsed + row.quantity_left)
            self.assertGreaterEqual(min(row.used, row.lapsed, row.quantity_left), 0)
            self.assertAlmostEqual(
                row.amount, row.amount_used + row.amount_lapsed + row.amount_left, 2
            )
            left.setdefault(row.allotment_id, 0)
            left[row.allotment_id] += row.quantity_left
        for allotment in self.env["helpdesk.incident.allotment"].search(
            [("company_id", "=", self.company.id)]
        ):
            balance = sum(
                entry.quantity for entry in allotment.entry_ids if entry.date <= day
            )
            if allotment.kind == "period" and allotment.date_from > day:
                continue
            if allotment.kind == "period" and allotment.date_to <= day:
                # Whether it was closed by now or not.
                over = allotment.date_to < self.company._incident_today()
                balance = 0 if over else balance
            self.assertEqual(left.get(allotment, 0), max(balance, 0), allotment.name)
        self.assertTraced(day, rows)

    def assertTraced(self, day, rows):
        """R12.7: what was used of each purchase, and its value, is what the deductions
        that it leads to have used of it, to the cent; and each deduction is all there,
        less what was returned."""
        used = self.env["helpdesk.incident.used"]
        used.invalidate_model()
        traced, taken = {}, {}
        for part in (
            used.with_context(unearned_date=str(day))
            .with_company(self.company)
            .search([])
        ):
            taken.setdefault(part.entry_id.cause_key, 0)
            taken[part.entry_id.cause_key] += part.quantity
            if part.source:
                layer = (part.allotment_id, part.given_id, part.sale_line_id)
                number, amount = traced.get(layer, (0, 0))
                traced[layer] = (number + part.quantity, amount + part.amount)
        for row in rows:
            layer = (row.allotment_id, row.entry_id, row.sale_line_id)
            number, amount = traced.pop(layer, (0, 0))
            self.assertEqual(number, row.used, row.name)
            self.assertAlmostEqual(amount, row.amount_used, 2, row.name)
        self.assertFalse(traced, "used of what was never given")
        entries = self.env["helpdesk.incident.entry"]._read_group(
            [
                ("effect", "=", "uses"),
                ("date", "<=", day),
                ("company_id", "=", self.company.id),
            ],
            ["cause_key"],
            ["quantity:sum"],
            having=[("quantity:sum", "!=", 0)],
        )
        self.assertEqual(taken, {key: -quantity for key, quantity in entries})

    #: What is no part of release entries (R21.1).
    INVOICED = Domain("incident_release_kind", "=", False)

    def books(self, day=None, which=INVOICED):
        """Return the income that is posted by the end of a day."""
        items = self.env["account.move.line"].search(
            Domain("company_id", "child_of", self.company.id)
            & Domain("parent_state", "=", "posted")
            & Domain("date", "<=", day or self.company._incident_today())
            & Domain("account_id.internal_group", "=", "income")
            & which
        )
        return -round(sum(items.mapped("balance")), 2)

    def deferred(self, day=None):
        """Return what is to be deferred at the end of a day."""
        day = str(day or self.company._incident_today())
        months = self.by_month(day, day)
        return round(sum(months.mapped("amount_deferred")), 2)

    def assertChains(self, first, last):
        """Each month begins with what the one before has ended with, and each month's
        end is what is unearned on its last day."""
        months = self.by_month(first, last)
        before = {}
        for day, rows in months.sorted("date").grouped("date").items():
            for row in rows:
                key = (row.company_id, row.product_id)
                self.assertAlmostEqual(row.amount_opening, before.pop(key, 0), 2)
                self.assertAlmostEqual(
                    row.amount_opening + row.amount - row.amount_earned,
                    row.amount_closing,
                    2,
                )
            # What there was is gone, or has its row.
            self.assertFalse([key for key, amount in before.items() if amount], day)
            before = {
                (row.company_id, row.product_id): row.amount_closing for row in rows
            }
            self.assertAlmostEqual(
                sum(rows.mapped("amount_closing")),
                sum(self.rows(day).mapped("amount_left")),
                2,
            )
        return months

    @staticmethod
    def day(text):
        return date.fromisoformat(text)
