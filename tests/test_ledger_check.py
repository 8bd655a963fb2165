from datetime import date
from typing import NamedTuple
from unittest.mock import patch

from psycopg2.errors import ReadOnlySqlTransaction

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.models import LOG_ACCESS_COLUMNS
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.helpdesk_paid_support.models.check import (
    account_check as check_module,
)
from odoo.addons.helpdesk_paid_support.models.check.check_documents import (
    _text,
)

from .common_subscription import SubscriptionCommon

ACCOUNT = "helpdesk.incident.account"
DIFFERENCE = "helpdesk.incident.difference"
ALLOTMENT = "helpdesk.incident.allotment"
ENTRY = "helpdesk.incident.entry"
PURCHASE = "helpdesk.incident.purchase"
SUBSCRIPTION = "helpdesk.incident.subscription"
TERM = "helpdesk.incident.subscription.term"
LINE = "sale.order.line"
PAYMENT = "account.payment"
CHARGE = "helpdesk.ticket.charge"
RELEASE = "helpdesk.incident.release"
RELEASED = "helpdesk.incident.release.line"
OPENING = "helpdesk.incident.opening"


#: The records of the history, by name, and their models.
RECORDS = {
    **dict.fromkeys(("account", "other_account", "new_account"), ACCOUNT),
    **dict.fromkeys(("month", "lifetime", "carried", "year"), ALLOTMENT),
    **dict.fromkeys(("deduction", "granting", "expiry", "bonus", "returned"), ENTRY),
    **dict.fromkeys(
        ("payment", "foreign_payment", "loose_payment", "reset_payment", "refund"),
        PAYMENT,
    ),
    **dict.fromkeys(("pack", "offer", "plan", "extra", "year_line"), LINE),
    **dict.fromkeys(("pack_purchase", "month_purchase", "year_purchase"), PURCHASE),
    **dict.fromkeys(("subscription", "other_subscription"), SUBSCRIPTION),
    **dict.fromkeys(("term", "extra_term", "late_term"), TERM),
    **dict.fromkeys(("ticket", "other_ticket"), "helpdesk.ticket"),
    **dict.fromkeys(("opening", "running"), OPENING),
    "opening_order": "sale.order",
    "running_line": LINE,
    "charge": CHARGE,
    "released": RELEASED,
    "contact": "res.partner",
    "product": "product.product",
}


class Tampering(NamedTuple):
    """A number, changed behind the back of the ledger."""

    field: str
    #: the record of the history
    record: str
    #: the new value, as SQL
    value: str
    #: the number that the check names, if that is another one, as "model.field"
    number: str | None = None


#: Every number that is stored twice.
TAMPERINGS = [
    # An account
    Tampering("partner_id", "account", "%(contact)s"),
    Tampering("first_payment", "account", "NULL"),
    Tampering("first_payment", "new_account", "'given'"),
    # An allotment and its entries (R3.3)
    Tampering("granted", "month", "granted + 5"),
    Tampering("used", "month", "used - 1"),
    Tampering("lapsed", "month", "lapsed + 1"),
    Tampering("balance", "month", "balance + 5"),
    Tampering("granted", "lifetime", "granted + 5"),
    Tampering("used", "lifetime", "used + 5"),
    Tampering("lapsed", "lifetime", "lapsed + 5"),
    Tampering("balance", "lifetime", "balance - 5"),
    Tampering("to_grant", "month", "5"),
    Tampering("target", "month", "target + 5"),
    Tampering("target", "lifetime", "5"),
    Tampering("kind", "month", "'lifetime'"),
    Tampering("date_from", "month", "date_from - 1"),
    Tampering("date_to", "month", "date_to + 1"),
    Tampering("account_id", "month", "%(other_account)s"),
    Tampering("account_id", "lifetime", "%(new_account)s", f"{ENTRY}.account_id"),
    Tampering("subscription_id", "month", "NULL"),
    Tampering("cause_key", "month", "'nothing'", f"{ALLOTMENT}.date_from"),
    Tampering("grant_kind", "month", "'purchase'"),
    Tampering("date_period_to", "month", "date_from"),
    # What is carried over (R15.3)
    Tampering("date_period_to", "carried", "date_period_to - 1"),
    Tampering("date_period_to", "carried", "NULL"),
    Tampering("date_to", "carried", "date_to + 1"),
    # That of a pack (R15.1)
    Tampering("date_period_to", "year", "date_from"),
    Tampering("target", "year", "target + 5"),
    Tampering("date_from", "year", "date_from - 1"),
    Tampering("date_to", "year", "date_to + 1"),
    Tampering("account_id", "year", "%(other_account)s"),
    Tampering("grant_kind", "year", "NULL"),
    Tampering("quantity", "deduction", "quantity - 1", f"{ALLOTMENT}.balance"),
    Tampering("quantity", "bonus", "quantity + 1", f"{ENTRY}.quantity"),
    Tampering("account_id", "deduction", "%(other_account)s"),
    Tampering("allotment_id", "deduction", "%(lifetime)s", f"{ALLOTMENT}.used"),
    Tampering("kind", "deduction", "'purchase'"),
    Tampering("effect", "deduction", "'gives'"),
    Tampering("effect", "expiry", "'uses'"),
    Tampering("date", "granting", "date + 1"),
    Tampering("date", "expiry", "date - 1"),
    Tampering("ticket_id", "deduction", "NULL"),
    Tampering("ticket_id", "granting", "%(ticket)s"),
    Tampering("cause_key", "deduction", "'ticket:0'"),
    Tampering("cause_key", "bonus", "'topup:0:1:1'", f"{ENTRY}.quantity"),
    Tampering("cause_number", "granting", "cause_number + 1"),
    Tampering("cause_number", "granting", "0"),
    Tampering("res_id", "returned", "%(ticket)s", f"{ENTRY}.ticket_id"),
    Tampering("quantity", "returned", "50", "helpdesk.ticket.incident_count"),
    # A payment (R6.2, R6.3)
    Tampering("incident_account_id", "payment", "NULL"),
    Tampering(
        "incident_account_id", "payment", "%(other_account)s", f"{ENTRY}.quantity"
    ),
    Tampering("incident_partner_id", "payment", "%(contact)s"),
    Tampering("incident_topup_counted", "payment", "incident_topup_counted + 1"),
    Tampering("incident_topup_counted", "foreign_payment", "25"),
    Tampering("incident_topup_counted", "loose_payment", "25"),
    Tampering("incident_topup_counted", "reset_payment", "500"),
    Tampering("incident_topup_counted", "refund", "-incident_topup_counted"),
    Tampering("incident_topup_step", "payment", "1", f"{ENTRY}.quantity"),
    Tampering("incident_topup_number", "payment", "3", f"{ENTRY}.quantity"),
    Tampering("incident_first_given", "payment", "7"),
    Tampering("incident_first_given", "payment", "0"),
    Tampering("incident_first_given", "reset_payment", "5"),
    Tampering(
        "incident_first_minimum",
        "payment",
        "1000000",
        f"{PAYMENT}.incident_first_given",
    ),
    Tampering(
        "incident_first_number", "payment", "7", f"{PAYMENT}.incident_first_given"
    ),
    # An order line (R8)
    Tampering("incident_due", "pack", "incident_due + 5"),
    Tampering("incident_due", "plan", "incident_due - 5"),
    Tampering("incident_due", "offer", "5"),
    Tampering("incident_value", "pack", "incident_value + 0.01"),
    Tampering("incident_value", "plan", "0"),
    Tampering("incident_units", "pack", "2"),
    Tampering("incident_units", "extra", "incident_units + 1"),
    Tampering("incident_account_id", "pack", "NULL", f"{LINE}.incident_due"),
    Tampering("incident_account_id", "plan", "%(other_account)s"),
    Tampering("incident_quantity", "pack", "11", f"{LINE}.incident_due"),
    Tampering("incident_term_months", "plan", "4", f"{TERM}.months"),
    Tampering("incident_period_months", "plan", "3", f"{TERM}.period_months"),
    Tampering("incident_carry_periods", "plan", "2", f"{TERM}.carry_periods"),
    Tampering("incident_kind", "pack", "'period'"),
    Tampering("incident_kind", "year_line", "'lifetime'"),
    Tampering("incident_due", "year_line", "incident_due - 5"),
    Tampering("incident_term_months", "year_line", "11", f"{ALLOTMENT}.date_to"),
    Tampering(
        "incident_date_from", "year_line", "'2027-04-12'", f"{ALLOTMENT}.date_from"
    ),
    Tampering(
        "incident_date_from", "extra", "incident_date_from + 1", f"{TERM}.date_from"
    ),
    # What was paid for (R12.4)
    Tampering("quantity", "pack_purchase", "quantity + 5"),
    Tampering("withdrawn", "pack_purchase", "withdrawn + 5"),
    Tampering("amount", "pack_purchase", "amount + 0.01"),
    Tampering("quantity", "month_purchase", "quantity - 5"),
    Tampering("withdrawn", "month_purchase", "withdrawn + 5"),
    Tampering("amount", "month_purchase", "amount - 0.01"),
    Tampering("quantity", "year_purchase", "quantity + 5"),
    Tampering("amount", "year_purchase", "amount - 0.01"),
    Tampering("allotment_id", "year_purchase", "%(month)s", f"{PURCHASE}.quantity"),
    Tampering("sale_line_id", "month_purchase", "%(pack)s", f"{PURCHASE}.quantity"),
    Tampering("allotment_id", "pack_purchase", "%(month)s", f"{PURCHASE}.quantity"),
    # A subscription and its terms (R9)
    Tampering(
        "account_id", "subscription", "%(other_account)s", f"{ALLOTMENT}.account_id"
    ),
    Tampering("product_id", "subscription", "%(product)s"),
    Tampering("quantity", "subscription", "quantity + 1"),
    Tampering("incidents_per_period", "subscription", "incidents_per_period + 1"),
    Tampering("extra_incidents", "subscription", "extra_incidents + 1"),
    Tampering("period_months", "subscription", "period_months + 1"),
    Tampering("carry_periods", "subscription", "carry_periods + 1"),
    Tampering("date_start", "subscription", "date_start + 1"),
    Tampering("date_end", "subscription", "date_end + 1"),
    Tampering("date_end", "subscription", "NULL"),
    Tampering(
        "date_cancelled", "subscription", "date_start + 40", f"{ALLOTMENT}.target"
    ),
    Tampering(
        "subscription_id", "term", "%(other_subscription)s", f"{ALLOTMENT}.target"
    ),
    Tampering("sale_line_id", "term", "%(pack)s", f"{TERM}.months"),
    Tampering("kind", "term", "'extra'"),
    Tampering("anchor", "extra_term", "anchor - 1"),
    Tampering("date_from", "term", "date_from + 1"),
    Tampering("date_to", "term", "date_to + 1"),
    Tampering("months", "term", "months + 1"),
    Tampering("period_months", "term", "3"),
    Tampering("carry_periods", "term", "carry_periods + 1"),
    Tampering("months_late", "late_term", "months_late + 1", f"{ENTRY}.quantity"),
    Tampering("incidents_per_period", "term", "incidents_per_period + 1"),
    # What a ticket takes (R16.6)
    Tampering("incident_short", "ticket", "1"),
    Tampering(
        "incident_chosen",
        "ticket",
        "incident_chosen + 1",
        "helpdesk.ticket.incident_short",
    ),
    Tampering(
        "incident_basis", "ticket", "'submission'", "helpdesk.ticket.incident_short"
    ),
    Tampering(
        "incident_is_duplicate", "ticket", "TRUE", "helpdesk.ticket.incident_short"
    ),
    # What was brought from another system (R21.4)
    Tampering("quantity", "opening", "quantity + 1"),
    Tampering("value", "opening", "value + 0.01"),
    Tampering("product_id", "opening", "%(product)s"),
    Tampering("state", "opening", "'cancelled'"),
    Tampering("order_id", "opening", "NULL", f"{OPENING}.state"),
    Tampering("quantity", "running", "quantity + 1"),
    Tampering("date", "running", "date + 30", f"{OPENING}.current_left"),
    Tampering("date_start", "running", "date_start + 1"),
    Tampering("date_end", "running", "date_end + 1"),
    Tampering("current_left", "running", "current_left + 1"),
    Tampering("extra_incidents", "running", "extra_incidents + 1"),
    Tampering("incident_opening", "opening_order", "FALSE", f"{LINE}.incident_due"),
    Tampering(
        "incident_before", "running_line", "incident_before + 1", f"{ALLOTMENT}.target"
    ),
    Tampering(
        "incident_opening_value",
        "running_line",
        "incident_opening_value + 1",
        f"{LINE}.incident_value",
    ),
    # A charge and its documents (R10.4)
    Tampering("amount", "charge", "amount - 1"),
    Tampering("amount_invoiced", "charge", "amount_invoiced + 1"),
    Tampering("amount_total", "charge", "0"),
    Tampering("amount_due", "charge", "amount_due + 1"),
    Tampering("amount_company", "charge", "amount_company + 0.01"),
    Tampering("state", "charge", "'refunded'"),
    Tampering("payment_state", "charge", "'partial'"),
    # What was released (R21.3)
    Tampering("amount_used", "released", "amount_used + 1"),
    Tampering("amount_lapsed", "released", "amount_lapsed - 1"),
    Tampering("amount_deferred", "released", "amount_deferred + 1"),
    Tampering(
        "amount_invoiced",
        "released",
        "amount_invoiced + 1",
        f"{RELEASED}.amount_deferred",
    ),
]
#: What is stored once: nothing else says what it should be.
STORED_ONCE = {
    ACCOUNT: {
        "company_id": "whose account it is",
        "revision": "counts the operations",
        "registered_before": "what a helpdesk manager says",
    },
    ALLOTMENT: {
        "name": "words",
        "res_model": "the document",
        "res_id": "the document",
    },
    ENTRY: {
        "res_model": "the document",
        "name": "words",
        "user_id": "who did it",
        "outcome_id": "by which outcome",
    },
    PURCHASE: {"date": "when it happened"},
    SUBSCRIPTION: {
        "auto_renew": "what the customer chose",
        "agreed_partner_id": "who agreed to it",
        "next_product_id": "what the customer chose",
        "next_price": "what the customer agreed to",
        "next_months": "what the customer agreed to",
        "next_period_months": "what the customer agreed to",
        "next_carry_periods": "what the customer agreed to",
        "next_incidents": "what the customer agreed to",
        "next_currency_id": "what the customer agreed to",
        "renewal_problem": "what happened last",
        "renewal_tried": "when it was tried last",
    },
    TERM: {"months_lapsed": "how late it was paid"},
    LINE: {
        "incident_free": "what a helpdesk manager has confirmed",
        "incident_date_start": "what staff have named",
        "incident_missed_seen": "what a helpdesk manager has seen",
        "incident_operation": "what was ordered",
        "incident_subscription_id": "what was ordered",
        "incident_term_id": "what was ordered",
    },
    RELEASE: {
        "company_id": "whose books",
        "date": "which month",
        "date_from": "which months",
        "move_id": "its entry",
        "opening": "what it is",
        "problem": "what happened last",
    },
    RELEASED: {
        "release_id": "whose line it is",
        "product_id": "what it is about",
        "amount_discounts": "what the books had then",
        "amount_down": "what the books had then",
        "amount_opened": "what another system's books had then",
        "amount_books": "what the books had then",
        "amount_before": "what was posted then",
        "amount_lapsed_before": "what was posted then",
    },
    "account.move.line": {
        "incident_release_kind": "what an entry is for",
        "incident_sells_nothing": "what an accountant says of the line",
    },
    "sale.order": {
        "incident_invoice_id": "the invoice that has made it",
        "incident_grant_on": "the setting of its day",
        "incident_automatic": "who has made it",
        "incident_date_confirmed": "when it happened",
        "incident_overage_date": "when it happened",
        "incident_ticket_id": "what it was sold for",
        "incident_topup_id": "what it tops up",
        "incident_topup_date": "when it happened",
        "incident_topup_failures": "what happened",
    },
    PAYMENT: {
        "incident_seen": "that it was effective once",
        "incident_first_lost": "that it held the grant once",
    },
    OPENING: {
        "reference": "words",
        "partner_id": "who had it",
        "company_id": "who has taken it over",
        "agreed_price": "what the customer agreed to",
        "auto_renew": "what the customer chose",
        "registered": "what a helpdesk manager says",
        "first_payment": "what a helpdesk manager says",
        "date_confirmed": "when it happened",
        "date_cancelled": "when it happened",
        "deferred": "the setting of its day",
    },
    CHARGE: {
        "ticket_id": "where it was charged",
        "company_id": "who has charged it",
        "partner_id": "who was charged",
        "name": "words",
        "date": "when it happened",
        "user_id": "who did it",
        "currency_id": "what it was charged in",
        "tax_included": "the setting of its day",
        "request_key": "what was sent",
    },
    "helpdesk.ticket": {
        "incident_parking": "that it waits",
        "incident_parked_date": "since when",
        "incident_link_on": "when its link was used",
        "incident_form": "what was sent",
        "incident_unopened": "how staff saved it",
        "incident_minutes": "what staff have entered",
        "incident_outcome_id": "what staff say",
        "incident_unanswered": "how it was closed",
        "incident_submitted": "what it took then",
        "incident_timed": "how its team counted then",
        "incident_previous_id": "what it refers to",
    },
}

#: What is set, or done, and gives no number.
NO_NUMBERS = {
    "account.move",
    "helpdesk.incident.contest",
    "helpdesk.incident.difference",
    "helpdesk.incident.event",
    "helpdesk.incident.fault",
    "helpdesk.incident.merge",
    "helpdesk.incident.outbox",
    "helpdesk.incident.reminder",
    "helpdesk.incident.threshold",
    "helpdesk.incident.topup",
    "helpdesk.ticket.draft",
    "helpdesk.ticket.outcome",
    "helpdesk.ticket.proposal",
    "helpdesk.ticket.stage",
    "helpdesk.ticket.team",
    "helpdesk.ticket.team.rule",
    "product.product",
    "product.template",
    "res.company",
    "res.partner",
    "res.users",
}


@tagged("post_install", "-at_install")
class TestLedgerCheck(SubscriptionCommon):
    """R13.4: recompute everything, report any difference, change nothing."""

    def live(self):
        """Let a quarter pass, with everything that happens.

        :return: records by name.
        """
        company = self.company
        company.write(
            {
                "incident_first_payment_quantity": 5,
                "incident_topup_amount": 100,
                "incident_topup_quantity": 2,
                "incident_registration_quantity": 1,
            }
        )
        other, merged = self._customer("Other"), self._customer("Merged")
        for customer in self.customer + other + merged:
            customer.with_context(tracking_disable=True)._incident_register(
                self.company
            )
        (self.incident_account() + self.incident_account(merged))._adjust(3, "A gift")
        new = self._customer("New")
        new._incident_register(self.company)
        payment = self.pay(250)
        self.pay(160, merged)
        refund = self.pay(-50)
        reset = self.pay(100)
        reset.action_draft()
        euro = self.env.ref("base.EUR")
        foreign = self.pay(100, currency_id=euro.id)
        loose = self.pay_without_entry(100, currency_id=euro.id)
        # The rate of that day comes later.
        euro.rate_ids = [
            Command.create({"name": "2027-04-20", "rate": 4, "company_id": company.id})
        ]
        contact = self.env["res.partner"].create(
            {"name": "Nora", "parent_id": self.customer.id}
        )
        openings = self.env[OPENING].create(
            [
                {
                    "reference": "OLD-1",
                    "partner_id": other.id,
                    "product_id": self.pack.id,
                    "quantity": 4,
                    "value": 20,
                },
                {
                    "reference": "OLD-2",
                    "partner_id": other.id,
                    "product_id": self.months.id,
                    "quantity": 1,
                    "date_start": "2027-02-28",
                    "date_end": "2027-05-27",
                    "current_left": 11,
                    "extra_incidents": 2,
                    "value": 40,
                    "agreed_price": 114,
                },
            ]
        )
        openings.action_confirm()
        opening, running = openings
        pack = self.order(self.pack)
        self.register(self.bill(pack))
        year = self.order(self.plan("10 for a year", 60, "pack", 10, 12))
        self.register(self.bill(year))
        offer = self.quotation(self.service, self.pack)
        plan = self.quotation(self.months)
        plan_payment = self.paid(plan)
        subscription = self.subscription(plan).sudo()
        credited = self.order(self.pack, quantity=2)
        invoice = self.bill(credited)
        self.register(invoice)
        note = self.reverse(invoice, post=False)
        note.invoice_line_ids.quantity = 1
        note.action_post()
        ticket, other_ticket = self.use(3), self.use(2)
        ticket.incident_count = 2
        charge = self.env[CHARGE].create(
            {"ticket_id": ticket.id, "name": "A day's work", "amount": 300}
        )
        charge.amount = 240
        wizard = self.env["base.partner.merge.automatic.wizard"].sudo().create({})
        wizard._merge((merged + self.customer).ids, self.customer, extra_checks=False)
        with self.on("2027-05-20"):
            self.use(12)
            extra = subscription._order_extra(4)
            self.paid(extra)
            late = subscription._order_extra(1)
            change = subscription._order_change(self.business)
            self.paid(change)
            plan_payment.action_draft()
            plan_payment.action_post()
            other_ticket.incident_count = 0
        with self.on("2027-06-15"):
            self.paid(late)
            self.account_model.search([])._open_and_close()
            cancelled = self.bought(self.months, customer=other)
            cancelled.sudo(False).with_user(self.manager).sudo().action_cancel()
            carrying = self.plan(
                "10, carried over", 90, "period", 10, 3, incident_carry_periods=1
            )
            carried = self.bought(carrying, customer=other).allotment_ids[0]
            released = self._release("2027-05-31")
        account = self.incident_account()
        month = subscription.allotment_ids.sorted("date_from")[0]
        entries = account.entry_ids.sorted("id")
        return {
            "account": account,
            "other_account": self.incident_account(other),
            "new_account": self.incident_account(new),
            "charge": charge,
            "released": released,
            "opening": opening,
            "running": running,
            "opening_order": opening.order_id,
            "running_line": running.order_id.order_line[0],
            "contact": contact,
            "month": month,
            "carried": carried,
            "year": account.allotment_ids.filtered("grant_kind"),
            "year_line": year.order_line,
            "year_purchase": self.env[PURCHASE].search(
                [("sale_line_id", "=", year.order_line.id)]
            ),
            "lifetime": account._lifetime(),
            "deduction": month.entry_ids.filtered(lambda e: e.kind == "deduction")[0],
            "granting": month.entry_ids.filtered(lambda e: e.kind == "period")[0],
            "expiry": month.entry_ids.filtered(lambda e: e.kind == "expiry")[0],
            "bonus": entries.filtered(lambda e: e.kind == "topup")[0],
            "returned": month.entry_ids.filtered(lambda e: e.kind == "return")[0],
            "ticket": ticket,
            "other_ticket": other_ticket,
            "payment": payment,
            "foreign_payment": foreign,
            "loose_payment": loose,
            "reset_payment": reset,
            "refund": refund,
            "pack": pack.order_line,
            "offer": offer.order_line[1],
            "plan": plan.order_line,
            "extra": extra.order_line,
            "pack_purchase": self.env[PURCHASE].search(
                [("sale_line_id", "=", pack.order_line.id)]
            ),
            "month_purchase": self.env[PURCHASE].search(
                [("allotment_id", "=", month.id)], limit=1
            ),
            "subscription": subscription,
            "other_subscription": cancelled,
            "product": self.small,
            "term": plan.order_line.incident_term_ids,
            "extra_term": extra.order_line.incident_term_ids,
            "late_term": late.order_line.incident_term_ids,
        }

    def _release(self, day):
        """Release what was earned by the end of a month (R21.1), and return the line
        of the plan that lapses each month."""
        account = self.env["account.account"].create(
            {
                "code": "290001",
                "name": "Deferred",
                "account_type": "liability_current",
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        self.company.write(
            {
                "incident_release_journal_id": self.company_data[
                    "default_journal_misc"
                ].id,
                "incident_deferred_account_id": account.id,
                "incident_release_post": True,
            }
        )
        model = self.env[RELEASE].sudo().with_company(self.company)
        opening = model.browse(model.action_opening()["res_id"])
        opening.date = "2027-03-31"
        made = model._release(self.company, date.fromisoformat(day))
        lines = made.sorted("date")[-1:].line_ids
        return lines.filtered(lambda line: line.product_id == self.months)

    def differences(self, **options):
        self.env.flush_all()
        return self.account_model._check_ledger(**options)

    def test_every_number(self):
        """R13.4: after a history of everything there is no difference; what is due and
        not granted yet is none (R9.3). Of every number that was tampered with, it
        names the account and the difference."""
        history = self.live()
        self.assertEqual({name: r._name for name, r in history.items()}, RECORDS)
        self.assertTrue(history["late_term"].months_late)
        kinds = set(self.env[ENTRY].search([]).mapped("kind"))
        self.assertEqual(kinds, set(dict(self.env[ENTRY]._fields["kind"].selection)))
        self.assertEqual(self.differences(), [])
        with self.on("2027-12-01"):
            self.assertTrue(self.env[ALLOTMENT].search([("to_grant", ">", 0)]))
            self.assertEqual(self.differences(), [])
        self._without_constraints()
        ids = {name: record.id for name, record in history.items()}
        # After the last of it: what was released by then is compared, too.
        with self.on("2027-06-16"):
            self._tamper_with_each(history, ids)
        self.env.invalidate_all()
        self.assertEqual(self.differences(), [])

    def _tamper_with_each(self, history, ids):
        for tampering in TAMPERINGS:
            record = history[tampering.record]
            with (
                self.subTest(tampering=tampering),
                self.env.cr.savepoint() as savepoint,
            ):
                accounts = self._account_of(record)
                before = self._stored(tampering.field, record)
                self._tamper(record, f"{tampering.field} = {tampering.value % ids}")
                accounts |= self._account_of(record)
                after = self._stored(tampering.field, record)
                self.assertNotEqual(after, before)
                # What is found first is enough.
                if not any(
                    # Release entries are of no account.
                    (difference.account in accounts or difference.account == accounts)
                    and self._names(difference, tampering, record, after, before)
                    for difference in self.account_model.sudo()._differences()
                ):
                    self.fail(f"{before} became {after}: {self.differences()}")
                savepoint.rollback()

    def _names(self, difference, tampering, record, after, before):
        """Return whether it is this number, and what was changed of it."""
        if tampering.number:
            return difference.number == tampering.number
        if difference.number != f"{record._name}.{tampering.field}":
            return False
        if record._name == PURCHASE:
            # Sums of an order line
            record = record.sale_line_id
        try:
            changed = float(after or 0) - float(before or 0)
        except ValueError:
            expected = [None, *(difference.expected or "").split(" / ")]
            same = difference.stored == after and before in expected
        else:
            same = round(difference.amount - changed, 6) == 0
        return same and difference.record == record

    def _without_constraints(self):
        """Drop what the database would not let happen."""
        self.env.cr.execute(
            """
            SELECT format('ALTER TABLE %s DROP CONSTRAINT %I',
                          conrelid::regclass, conname)
              FROM pg_constraint
             WHERE contype = 'c' AND conrelid::regclass::text ~ '^helpdesk_incident'
             UNION
            SELECT format('DROP INDEX %s', indexrelid::regclass) FROM pg_index
             WHERE indisunique AND NOT indisprimary
               AND indrelid::regclass::text ~ '^helpdesk_incident'
            """
        )
        for (statement,) in self.env.cr.fetchall():
            self.env.cr.execute(statement)

    def _stored(self, field, record):
        self.env.cr.execute(
            f"SELECT {field}::text FROM {record._table} WHERE id = %s", [record.id]
        )
        return self.env.cr.fetchone()[0]

    def _tamper(self, record, values):
        self.env.cr.execute(
            f"UPDATE {record._table} SET {values} WHERE id = {record.id}"
        )
        self.env.invalidate_all()

    def _account_of(self, record):
        if record._name == ACCOUNT:
            return record
        if record._name == RELEASED:
            return self.account_model
        if record._name == PURCHASE:
            return record.allotment_id.account_id
        if record._name == TERM:
            return record.subscription_id.account_id
        if record._name == "helpdesk.ticket":
            return record._incident_account()
        if record._name in (LINE, PAYMENT, CHARGE, OPENING, "sale.order"):
            document = record.order_id if record._name == LINE else record
            return self.incident_account(document.partner_id)
        return record.account_id

    def test_no_number_is_forgotten(self):
        """R13.4: whoever adds a number says here what it follows from."""
        stored = {
            (name, field.name)
            for name, model in self.env.registry.items()
            if model._auto and not model._abstract and not model._transient
            for field in model._fields.values()
            if field._module == "helpdesk_paid_support"
            and field.store
            and field.column_type
            and field.name not in LOG_ACCESS_COLUMNS
            and name not in NO_NUMBERS
        }
        tampered = {(RECORDS[t.record], t.field) for t in TAMPERINGS}
        once = {(model, name) for model, names in STORED_ONCE.items() for name in names}
        self.assertEqual(stored, tampered | once)
        self.assertFalse(tampered & once)

    def test_amounts(self):
        """R13.4: amounts differ by their cents and their sign."""
        for amount, text in (
            (-0.01, "-0.01"),
            (0.01, "0.01"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.3"),
            (-100.0, "-100"),
        ):
            self.assertEqual(_text(amount), text)

    def test_changes_nothing(self):
        """R13.4: while it runs the database refuses to write, and not afterwards."""
        check = type(self.account_model)._check_tickets
        account = self.incident_account()

        def write(model):
            account._lock()
            return check(model)

        with (
            patch.object(type(self.account_model), "_check_tickets", write),
            mute_logger("odoo.sql_db"),
            self.assertRaises(ReadOnlySqlTransaction),
        ):
            self.differences()
        self.assertEqual(self.differences(), [])
        revision = account.revision
        account._lock()
        account.invalidate_recordset()
        self.assertEqual(account.revision, revision + 1)

    def test_bounds(self):
        """R13.4: no more than asked for at once; each day other documents, and those
        that are listed every day."""
        self.unsound = "it is tampered with"
        lines = self.env[LINE]
        for _number in range(4):
            lines |= self.order(self.pack).order_line
        for line in lines:
            self._tamper(line, "incident_due = 5")
        # Demo data have orders, too.
        self.startPatcher(
            patch.object(
                type(lines.order_id),
                "_incident_check_documents",
                lambda _orders: SQL(
                    "SELECT id FROM sale_order WHERE id IN %s",
                    tuple(lines.order_id.ids),
                ),
            )
        )
        self.assertEqual([d.record for d in self.differences()], list(lines))
        self.assertEqual(len(self.differences(limit=3)), 3)
        days = []
        with patch.object(check_module, "BATCH", 1):
            for day in ("2027-04-11", "2027-04-12", "2027-04-13"):
                with self.on(day):
                    found = self.differences(documents=2)
                    days.append(self.env[LINE].union(*(d.record for d in found)))
            self.assertEqual([len(found) for found in days], [2, 2, 2])
            self.assertEqual(days[0] | days[1], lines)
            self.assertEqual(days[2], days[0])
            self.env[DIFFERENCE].sudo()._list(
                [d for d in self.differences() if d.record == days[1][0]]
            )
            self.assertIn(days[1][0], [d.record for d in self.differences(documents=2)])


@tagged("post_install", "-at_install")
class TestLedgerCheckReport(SubscriptionCommon):
    """R13.4: the helpdesk managers hear of it, once."""

    unsound = "it is tampered with"

    def setUp(self):
        super().setUp()
        self.account = self.incident_account()
        self.account._adjust(5, "A gift")
        self.manager.notification_type = "inbox"

    def tamper(self, number):
        self.env.cr.execute(
            "UPDATE helpdesk_incident_allotment "
            "SET granted = %s, balance = %s WHERE account_id = %s",
            [number, number, self.account.id],
        )
        self.env.invalidate_all()

    def check(self):
        with self.enter_registry_test_mode():
            self.env.ref(
                "helpdesk_paid_support.ir_cron_incident_check"
            ).sudo().method_direct_trigger()
        self.env.invalidate_all()
        return self.env[DIFFERENCE].with_user(self.manager).search([])

    def messages(self):
        return (
            self.env["mail.message"]
            .sudo()
            .search([("partner_ids", "in", self.manager.partner_id.ids)])
        )

    def test_listed_and_told_once(self):
        """R13.4: with account, number and what it should be; gone once it is mended."""
        self.assertFalse(self.check())
        self.assertFalse(self.messages())
        self.tamper(50)
        listed = self.check()
        self.assertEqual(
            [
                (d.account_id, d.partner_id, d.company_id, d.label, d.stored)
                + (d.expected, d.amount)
                for d in listed
            ],
            [
                (self.account, self.customer, self.company)
                + (f"Support Incident Allotment: {label}", "50", "5", 45)
                for label in ("Granted", "Balance")
            ],
        )
        self.assertEqual(listed[0].action_open_account()["res_id"], self.account.id)
        self.assertIn("Northwind, lifetime: ", self.messages().body)
        self.assertIn("Granted is 50, should be 5", self.messages().body)
        self.assertEqual(self.check(), listed)
        self.assertEqual(len(self.messages()), 1)
        self.tamper(60)
        self.assertEqual(self.check().mapped("stored"), ["60", "60"])
        self.assertEqual(len(self.messages()), 2)
        self.tamper(5)
        self.assertFalse(self.check())
        self.assertEqual(len(self.messages()), 2)

    def test_document_that_is_gone(self):
        """R13.4: a line that was deleted behind the back of the ledger is named; what
        else is wrong, too."""
        self.env.cr.execute(
            "UPDATE helpdesk_incident_entry SET cause_key = 'sale_line:99999999' "
            "WHERE account_id = %s",
            [self.account.id],
        )
        self.env.invalidate_all()
        self.tamper(50)
        listed = self.check()
        self.assertIn("sale.order.line,99999999", listed.mapped("name"))
        self.assertIn("50", listed.mapped("stored"))

    def test_order_that_has_given_nothing(self):
        """R13.4: it is named by its customer."""
        order = self.quotation(self.pack, customer=self._customer("Nobody"))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order_line SET incident_due = 10 WHERE order_id = %s",
            [order.id],
        )
        self.env.invalidate_all()
        listed = self.check()
        self.assertEqual(listed.partner_id.name, "Nobody")
        self.assertEqual(listed.company_id, self.company)
        self.assertFalse(listed.account_id)
        self.assertEqual((listed.stored, listed.expected), ("10", "0"))

    def test_manager_of_a_branch(self):
        """R2.3: who works in a branch hears of the account of its root company."""
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        manager = new_test_user(
            self.env,
            "hps-branch-manager",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_manager",
            company_id=branch.id,
            company_ids=[branch.id],
            notification_type="inbox",
        )
        self.tamper(50)
        self.check()
        found = (
            self.env["mail.message"]
            .sudo()
            .search([("partner_ids", "in", manager.partner_id.ids)])
        )
        self.assertIn("Granted is 50, should be 5", found.body)

    def test_only_managers(self):
        """R14: see it, let it run, and hear of it, each of his own companies."""
        other_company = self.env["res.company"].create({"name": "B"})
        stranger = new_test_user(
            self.env,
            "hps-stranger",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_manager",
            company_id=other_company.id,
            company_ids=[other_company.id],
        )
        agent = new_test_user(
            self.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
        )
        self.tamper(50)
        self.assertEqual(len(self.check()), 2)
        model = self.env[DIFFERENCE]
        self.assertFalse(model.with_user(stranger).search([]))
        self.assertFalse(
            self.env["mail.message"]
            .sudo()
            .search([("partner_ids", "in", (stranger + agent).partner_id.ids)])
        )
        for operation in (
            lambda: model.with_user(agent).search([]),
            lambda: model.with_user(agent).action_check(),
            lambda: model.with_user(self.manager).create({"number": "x"}),
            lambda: model.search([]).with_user(self.manager).unlink(),
        ):
            with self.assertRaises(AccessError):
                operation()
        cron = self.env.ref("helpdesk_paid_support.ir_cron_incident_check")
        triggers = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        notification = model.with_user(self.manager).action_check()
        self.assertIn("in a moment", notification["params"]["message"])
        self.assertEqual(
            self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]),
            triggers + 1,
        )
