"""What the books say of customers' orders, read by SQL: for the simulation.

Nothing here asks the module: invoices, reconciliations, payments and transactions are
tables of others.
"""

from collections import defaultdict
from fractions import Fraction

BOOKED = {"in_process", "paid"}


def cents(amount):
    return Fraction(round(amount * 100), 100)


class Books:
    """R8.3: which orders are paid, and not credited (R8.4)."""

    def __init__(self, cr, partners):
        self.cr, self.partners = cr, tuple(partners)
        self.orders = {
            row["id"]: row
            for row in self._rows(
                "SELECT id, state, amount_total AS total, partner_id FROM sale_order "
                "WHERE partner_id IN %s"
            )
        }
        self.moves = {}
        self.invoices = defaultdict(list)
        self.notes = defaultdict(list)
        for row in self._rows(
            """
            SELECT DISTINCT m.id, m.move_type, m.state, m.amount_total AS total,
                   m.amount_residual AS residual, m.reversed_entry_id AS reversed,
                   m.incident_goodwill AS goodwill, l.order_id
              FROM account_move m
              JOIN account_move_line item ON item.move_id = m.id
              JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
              JOIN sale_order_line l ON l.id = rel.order_line_id
             WHERE m.partner_id IN %s
            """
        ):
            self.moves[row["id"]] = row
            if row["state"] != "posted":
                continue
            if row["move_type"] == "out_invoice":
                self.invoices[row["order_id"]].append(row)
            else:
                self.notes[row["reversed"]].append(row)
        self.payers, self.spent = defaultdict(list), defaultdict(list)
        for row in self._rows(
            """
            SELECT credit.move_id AS credit, debit.move_id AS debit, p.amount
              FROM account_partial_reconcile p
              JOIN account_move_line credit ON credit.id = p.credit_move_id
              JOIN account_move_line debit ON debit.id = p.debit_move_id
             WHERE credit.partner_id IN %s
            """
        ):
            self.payers[row["debit"]].append(row)
            self.spent[row["credit"]].append(row)
        self.payments, self.online = {}, defaultdict(list)
        for row in self._rows(
            """
            SELECT p.id, p.move_id, p.amount, p.partner_id,
                   p.state IN ('in_process', 'paid') AND m.state = 'posted' AS booked,
                   rel.sale_order_id AS order_id, tx.state AS tx_state
              FROM account_payment p
              LEFT JOIN account_move m ON m.id = p.move_id
              LEFT JOIN payment_transaction tx ON tx.id = p.payment_transaction_id
              LEFT JOIN sale_order_transaction_rel rel ON rel.transaction_id = tx.id
             WHERE p.partner_id IN %s
            """
        ):
            self.payments[row["move_id"]] = row
            if row["order_id"] and row["tx_state"] == "done":
                self.online[row["order_id"]].append(row)
        self.open_credits = self._rows(
            """
            SELECT item.partner_id, item.move_id, item.amount_residual AS residual
              FROM account_move_line item
              JOIN account_account account ON account.id = item.account_id
             WHERE item.partner_id IN %s AND NOT item.reconciled
               AND item.parent_state = 'posted'
               AND account.account_type = 'asset_receivable'
            """
        )

        # R12.7: what is reconciled with what is none (any more) was paid by nobody.
        self.void = self._rows(
            """
            SELECT debit.partner_id, p.amount
              FROM account_partial_reconcile p
              JOIN account_move_line credit ON credit.id = p.credit_move_id
              JOIN account_move_line debit ON debit.id = p.debit_move_id
              LEFT JOIN account_payment payment ON payment.move_id = credit.move_id
             WHERE debit.partner_id IN %s AND debit.parent_state = 'posted'
               AND (credit.parent_state <> 'posted'
                    OR payment.state NOT IN ('in_process', 'paid'))
            """
        )

    def _rows(self, query):
        self.cr.execute(query, [self.partners])
        return self.cr.dictfetchall()

    # -- what pays -------------------------------------------------------------

    def is_settled(self, invoice):
        """Nothing is left to pay, and money stands behind it; its own credit notes are
        none."""
        own = {note["id"] for note in self.notes[invoice["id"]]}
        payers = {row["credit"] for row in self.payers[invoice["id"]]} - own
        return (
            invoice["residual"] <= 0
            and bool(payers or not invoice["total"])
            and all(self.is_money(payer) for payer in payers)
        )

    def is_money(self, move, asking=frozenset()):
        """A payment that is booked; a credit note of what was paid. Those that pay for
        each other are none."""
        if move in asking:
            return False
        if move in self.payments:
            return bool(self.payments[move]["booked"])
        note = self.moves[move]
        own = {other["id"] for other in self.notes[note["reversed"]]}
        received = sum(
            row["amount"]
            for row in self.payers[note["reversed"]]
            if row["credit"] not in own
            and self.is_money(row["credit"], asking | {move})
        )
        spent = sum(
            row["amount"]
            for other in own
            for row in self.spent[other]
            if row["debit"] != note["reversed"]
        )
        return note["state"] == "posted" and cents(spent) <= cents(received)

    def is_paid_online(self, order):
        mine = {invoice["id"] for invoice in self.invoices[order]}
        paid = sum(
            payment["amount"]
            - sum(
                row["amount"]
                for row in self.spent[payment["move_id"]]
                if row["debit"] not in mine
            )
            for payment in self.online[order]
            if payment["booked"]
        )
        credited = self.credited(order, goodwill=False)
        return paid > 0 and cents(paid) >= cents(self.orders[order]["total"] - credited)

    def credited(self, order, goodwill):
        return sum(
            note["total"]
            for invoice in self.invoices[order]
            for note in self.notes[invoice["id"]]
            if goodwill or not note["goodwill"]
        )

    # -- what that means -------------------------------------------------------

    def is_invoiced(self, order):
        invoiced = sum(invoice["total"] for invoice in self.invoices[order])
        return cents(invoiced) >= cents(self.orders[order]["total"])

    def tell(self, order):
        """Tell an order of the model what the books say of it."""
        row, invoices = self.orders[order.id], self.invoices[order.id]
        settled = bool(invoices) and all(self.is_settled(move) for move in invoices)
        online = not row["total"] or self.is_paid_online(order.id)
        order.in_full = row["state"] == "sale" if online else settled
        credited = self.credited(order.id, goodwill=False)
        paid = settled or online and row["state"] == "sale"
        order.gives = bool(paid) and not (
            credited and cents(credited) >= cents(row["total"])
        )
        if not row["total"] and any(self.notes[move["id"]] for move in invoices):
            order.gives = any(
                note["goodwill"] for move in invoices for note in self.notes[move["id"]]
            )
        credited = self.credited(order.id, goodwill=True)
        invoiced = sum(invoice["total"] for invoice in invoices) or row["total"]
        if order.later and row["state"] == "sale":
            # R18.2: paid or not. It may share its invoice with others (R18.3).
            order.gives = not self.credited(order.id, goodwill=False)
        order.given_away = bool(credited and order.gives)
        order.money = cents(invoiced - credited) if paid else Fraction(0)

    def balance(self, partner):
        """R1: outstanding credits, less open invoices, less what is held."""
        total = -sum(row["amount"] for row in self.void if row["partner_id"] == partner)
        for row in self.open_credits:
            if row["partner_id"] != partner:
                continue
            payment = self.payments.get(row["move_id"])
            order = payment and payment["order_id"]
            held = (
                row["residual"] < 0
                and order
                and self.orders[order]["state"] == "sale"
                and not self.is_invoiced(order)
            )
            total -= 0 if held else row["residual"]
        return cents(total)
