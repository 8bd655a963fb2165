"""Twelve months of the demo company: what customers bought, used and let lapse.

All of it is relative to the day of installing, and the same every time. It is made by
what makes it in life, orders, invoices, payments and tickets, as of their days
(:class:`AsOf`), and goes with the module: each record has an external id.
"""

from datetime import datetime, time, timedelta
from itertools import cycle
from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, models
from odoo.fields import Command

from ..models.ledger.res_company import AsOf

MODULE = "helpdesk_paid_support"

#: Customers that nobody logs in as; those of the other demo data have a history, too.
CUSTOMERS = {
    "alpine": ("Alpine Outdoor", "Anna Alder"),
    "harbour": ("Harbour Books", "Henry Hart"),
    "school": ("Green Valley School", "Gina Green"),
    "lumen": ("Studio Lumen", "Luis Lund"),
    "orchard": ("Orchard Dental", "Olga Orme"),
    "quarry": ("Quarry & Sons", "Quentin Quarry"),
}


class Sale(NamedTuple):
    """Something that was bought and paid."""

    months: int
    days: int
    customer: str
    #: the external id of a plan; None renews the subscription
    plan: str | None


#: When, in months and days before today, who bought what.
SALES = [
    Sale(12, 0, "northwind", "plan_pack_25"),
    Sale(12, 0, "orchard", "plan_pack_25"),
    Sale(12, 0, "harbour", "plan_standard_quarter"),
    Sale(12, -4, "school", "plan_standard_quarter"),
    Sale(12, -20, "alpine", "plan_standard_year"),
    Sale(10, 3, "lumen", "plan_pack_25"),
    Sale(9, 1, "harbour", None),
    Sale(9, 0, "school", None),
    Sale(9, 2, "northwind", "plan_standard_month"),
    Sale(6, 1, "harbour", None),
    Sale(6, 0, "school", None),
    Sale(6, 5, "northwind", "plan_pack_10"),
    Sale(6, -2, "quarry", "plan_business_quarter"),
    Sale(4, 8, "lumen", "plan_pack_10"),
    Sale(3, 0, "school", None),
    Sale(3, -1, "quarry", None),
    Sale(2, 3, "orchard", "plan_pack_10"),
    Sale(0, 2, "school", None),
]
#: What tickets of each customer have taken in each month, the last one first; what was
#: not there was not taken.
USED = {
    "northwind": [0, 0, 9, 4, 5, 4, 3, 2, 4, 5, 3, 6],
    "alpine": [9, 10, 8, 9, 8, 9, 7, 8, 6, 7, 5, 4],
    "harbour": [0, 0, 0, 3, 5, 6, 8, 7, 8, 9, 6, 7],
    "school": [6, 8, 9, 3, 7, 9, 10, 8, 2, 5, 9, 6],
    "lumen": [5, 4, 3, 4, 3, 2, 4, 3, 2, 3],
    "orchard": [3, 5, 4, 3, 2, 3, 2, 3, 2, 3, 3, 2],
    "quarry": [14, 12, 16, 9, 12, 8],
}
#: How many incidents tickets take, one after the other.
SIZES = (2, 3, 1, 4, 2, 3)
SUBJECTS = (
    "The shop is slow in the evening",
    "Move a mailbox to the new server",
    "Certificate expires next week",
    "Restore a file of last Friday",
    "Error 502 after the update",
    "Mail lands in spam",
    "Add a subdomain",
    "Disk is nearly full",
    "Reset the two-factor login",
    "Nightly backup has failed",
)


class HelpdeskIncidentAccount(models.Model):
    _inherit = "helpdesk.incident.account"

    @api.model
    def _install_demo_year(self):
        """Make what happened in the twelve months before today."""
        company = self.env.ref("base.main_company")
        journals = self.env["account.journal"].search_count(
            [("company_id", "=", company.id), ("type", "in", ("bank", "sale"))]
        )
        if journals < 2:
            # Nothing can be invoiced and paid: there is no chart of accounts.
            return
        accounts = self.with_company(company).with_context(
            tracking_disable=True, mail_create_nosubscribe=True
        )
        today = company._incident_today()
        contacts = accounts._make_demo_customers()
        events = [
            (today - relativedelta(months=sale.months) - timedelta(sale.days), sale)
            for sale in SALES
        ]
        events += accounts._demo_tickets(today)
        for day, event in sorted(events, key=lambda event: (event[0], str(event[1]))):
            made = accounts.with_context(incident_as_of=AsOf(day))
            if isinstance(event, Sale):
                made._sell_demo(contacts, event.customer, event.plan, day)
            else:
                made._open_demo_ticket(contacts, *event, day)
        accounts._forget_demo_mail()

    @api.model
    def _install_demo_days(self):
        """Make what has happened in the last days: a payment that came to nothing, a
        charge, a deduction that a customer contests, a renewal that has failed."""
        payment = self.env.ref(f"{MODULE}.year_payment_orchard_2", False)
        if not payment:
            return
        env = self.with_context(tracking_disable=True).env
        payment.with_env(env).action_draft()
        ticket = env.ref(f"{MODULE}.ticket_mail").with_env(env)
        nora = env.ref(f"{MODULE}.user_nora")
        contest = ticket.with_user(nora)._incident_do_contest(
            nora, "You had changed the settings of your mail server yourselves."
        )
        self._name_demo("year_contest", contest or ticket.incident_contest_ids[:1])
        charge = env["helpdesk.ticket.charge"].create(
            {
                "ticket_id": env.ref(f"{MODULE}.ticket_down").id,
                "name": "Work on Saturday, 1 hour",
                "amount": 60,
                "request_key": "demo",
            }
        )
        self._name_demo("year_charge", charge)
        self._name_demo("year_charge_invoice", charge.invoice_ids)
        account = env[self._name]._of(env.ref(f"{MODULE}.year_quarry"), env.company)
        subscription = account.subscription_ids
        subscription.auto_renew = True
        orders = subscription.term_ids.sale_line_id.order_id
        # There is no payment method.
        subscription._buy()
        orders = env["sale.order"].search(
            [
                ("partner_id", "child_of", account.partner_id.id),
                ("id", "not in", orders.ids),
            ]
        )
        self._name_demo("year_order_quarry_offer", orders)
        self._forget_demo_mail()

    # ------------------------------------------------------------------
    # What happens
    # ------------------------------------------------------------------

    @api.model
    def _make_demo_customers(self):
        """Return the contact of each customer who writes and buys, by its word."""
        contacts = {"northwind": self.env.ref(f"{MODULE}.partner_nora")}
        for word, (company, person) in CUSTOMERS.items():
            domain = f"{word}.example"
            customer = self.env["res.partner"].create(
                {
                    "name": company,
                    "is_company": True,
                    "email": f"office@{domain}",
                    "child_ids": [
                        Command.create(
                            {
                                "name": person,
                                "email": f"{person.split()[0].lower()}@{domain}",
                            }
                        )
                    ],
                }
            )
            contacts[word] = customer.child_ids
            self._name_demo(f"year_{word}", customer)
            self._name_demo(f"year_{word}_contact", customer.child_ids)
        return contacts

    @api.model
    def _demo_tickets(self, today):
        """Return the tickets of the year: the day, the customer's word and how many
        incidents each takes."""
        tickets = []
        for word, months in USED.items():
            sizes = cycle(SIZES)
            for month, number in enumerate(months):
                parts = []
                while number > 0:
                    parts.append(min(next(sizes), number))
                    number -= parts[-1]
                last = today - relativedelta(months=month) - timedelta(days=1)
                tickets += [
                    (last - timedelta(days=27 * index // len(parts)), (word, part))
                    for index, part in enumerate(parts)
                ]
        return tickets

    def _sell_demo(self, contacts, word, plan, day):
        """Let a customer buy a plan, or renew what it has, and pay the invoice."""
        contact = contacts[word]
        account = self._of(contact, self.env.company)
        if plan:
            order = self.env["sale.order"].create(
                {
                    "partner_id": contact.id,
                    "order_line": [
                        Command.create(
                            {"product_id": self.env.ref(f"{MODULE}.{plan}").id}
                        )
                    ],
                }
            )
        else:
            account = account.with_env(self.env)
            subscriptions = account.subscription_ids.sorted("date_end")
            order = subscriptions[-1]._order_renewal()
        order.action_confirm()
        order.date_order = datetime.combine(day, time(10))
        invoice = order._create_invoices()
        invoice.invoice_date = day
        invoice.action_post()
        register = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"payment_date": day})
        )
        payment = register._create_payments()
        # It would keep its customer from being deleted.
        register.unlink()
        for kind, record in (
            ("order", order),
            ("invoice", invoice),
            ("payment", payment),
            ("payment_entry", payment.move_id),
        ):
            self._name_demo(f"year_{kind}_{word}", record)

    def _open_demo_ticket(self, contacts, word, number, day):
        """Let a customer open a ticket that takes so many incidents, as far as there
        are; the older ones are closed."""
        contact = contacts[word]
        account = self._of(contact, self.env.company).with_env(self.env)
        account._open_and_close()
        number = min(number, account.available)
        if number <= 0:
            return
        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        opened = datetime.combine(day, time(8 + number))
        closed = opened + timedelta(days=2)
        is_closed = closed < datetime.now()
        subject = SUBJECTS[(day.toordinal() * 7 + len(word)) % len(SUBJECTS)]
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": subject,
                "description": "Please look at it.",
                "partner_id": contact.id,
                "partner_name": contact.name,
                "partner_email": contact.email,
                "team_id": self.env.ref(f"{MODULE}.team_support").id,
                "user_id": self.env.ref(f"{MODULE}.user_agent").id,
                "incident_count": number,
                **({"stage_id": done.id, "closed_date": closed} if is_closed else {}),
            }
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET create_date = %s WHERE id = %s",
            [opened, ticket.id],
        )
        ticket.invalidate_recordset(["create_date"])
        self._name_demo(f"year_ticket_{word}", ticket)

    @api.model
    def _forget_demo_mail(self):
        """Mail nothing of all this: it is no news."""
        written = [("create_uid", "=", self.env.uid)]
        self.env["helpdesk.incident.outbox"].sudo().search(written).unlink()

    # ------------------------------------------------------------------
    # Names
    # ------------------------------------------------------------------

    @api.model
    def _name_demo(self, name, records):
        """Give records external ids, so that they go with the module: the name, and a
        running number from the second one on."""
        data = self.env["ir.model.data"]
        taken = data.search_count(
            [("module", "=", MODULE), ("name", "=like", f"{name}%")]
        )
        data._update_xmlids(
            [
                {
                    "xml_id": f"{MODULE}.{name}" + (f"_{number}" if number > 1 else ""),
                    "record": record,
                    "noupdate": True,
                }
                for number, record in enumerate(records, taken + 1)
            ]
        )
