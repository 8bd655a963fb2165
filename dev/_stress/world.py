"""One customer with ten incidents, everybody who moves them, and what the database says
about it afterwards."""

import time
from contextlib import closing, contextmanager

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect
from odoo.tests import new_test_user

#: What a customer pays for one incident of funds added, and for the plan of
#: ``PACK`` incidents.
PRICE = 100
PACK = 3
#: Incidents of a period.
MONTH = 2
#: Before anything happens.
OPENING = 10

#: What each token has moved. A token names who asked for it: a ticket, a payment, an
#: order, the reason of an adjustment, the cause of a period.
WRITTEN = """
    SELECT CASE
             WHEN e.ticket_id IS NOT NULL THEN ticket.name
             WHEN e.res_model = 'account.payment'
             THEN COALESCE(online.client_order_ref, transaction.reference,
                           payment.memo)
             WHEN e.cause_key LIKE 'sale_line:%%' THEN sale.client_order_ref
             WHEN e.kind = 'adjustment' THEN e.name
             WHEN e.kind = 'period' THEN allotment.name
             WHEN e.kind = 'expiry' THEN 'end of ' || allotment.name
             ELSE e.kind || ' ' || e.cause_key
           END AS token,
           SUM(e.quantity)
      FROM helpdesk_incident_entry e
      JOIN helpdesk_incident_allotment allotment ON allotment.id = e.allotment_id
      LEFT JOIN helpdesk_ticket ticket ON ticket.id = e.ticket_id
      LEFT JOIN account_payment payment
        ON e.res_model = 'account.payment' AND payment.id = e.res_id
      LEFT JOIN payment_transaction transaction ON transaction.payment_id = payment.id
      LEFT JOIN sale_order_transaction_rel rel ON rel.transaction_id = transaction.id
      LEFT JOIN sale_order online ON online.id = rel.sale_order_id
      LEFT JOIN sale_order_line line
        ON e.cause_key = 'sale_line:' || line.id
      LEFT JOIN sale_order sale ON sale.id = line.order_id
     WHERE e.account_id = %s
     GROUP BY 1
"""

#: Deductions after which there was less than nothing. The lock puts entries in order.
OVERDRAWN = """
    SELECT id FROM (
        SELECT id, kind,
               SUM(quantity) OVER (PARTITION BY allotment_id ORDER BY id) AS balance
          FROM helpdesk_incident_entry WHERE account_id = %s
    ) entry WHERE kind = 'deduction' AND balance < 0
"""

#: What was written beside entries: a ticket that was refused, an order that is
#: confirmed and not paid for, an invoice that is posted and not paid; and what was not
#: written: funds that have not settled a charge.
LOOSE = """
    SELECT 'ticket without incidents: ' || ticket.name
      FROM helpdesk_ticket ticket
      LEFT JOIN helpdesk_incident_entry e ON e.ticket_id = ticket.id
     WHERE ticket.name LIKE 'submit %%' AND e.id IS NULL
    UNION ALL
    SELECT 'order confirmed, and nothing given: ' || sale.client_order_ref
      FROM sale_order sale
      JOIN sale_order_line line ON line.order_id = sale.id
      LEFT JOIN helpdesk_incident_entry e ON e.cause_key = 'sale_line:' || line.id
     WHERE sale.state = 'sale' AND e.id IS NULL
    UNION ALL
    SELECT 'invoice not paid: ' || move.name
      FROM account_move move
     WHERE move.move_type = 'out_invoice' AND move.ticket_charge_id IS NULL
       AND (move.state <> 'posted' OR move.amount_residual <> 0)
    UNION ALL
    SELECT 'funds beside a charge that is open: ' || transaction.reference
      FROM payment_transaction transaction
      JOIN account_payment payment ON payment.id = transaction.payment_id
      JOIN account_move_line credit ON credit.move_id = payment.move_id
      JOIN account_account account ON account.id = credit.account_id
       AND account.account_type = 'asset_receivable'
     WHERE transaction.reference LIKE 'fund %%' AND credit.amount_residual < 0
       AND EXISTS (SELECT FROM account_move charge
                    WHERE charge.ticket_charge_id IS NOT NULL
                      AND charge.move_type = 'out_invoice'
                      AND charge.state = 'posted' AND charge.amount_residual > 0
                      AND charge.commercial_partner_id = credit.partner_id)
    UNION ALL
    SELECT 'money that settles nothing: ' || outbox.method
      FROM helpdesk_incident_outbox outbox WHERE NOT outbox.prints
    UNION ALL
    SELECT 'fault: ' || fault.id::text FROM helpdesk_incident_fault fault
"""


class World:
    """What there is in a database with the module."""

    def __init__(self, database):
        self.database = database
        registry = Registry(database)
        with closing(registry.cursor()) as cr:
            self._fill(api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True}))
            cr.commit()

    def _fill(self, env):
        company = env.company
        company.write(
            {
                "incident_topup_amount": PRICE,
                "incident_topup_quantity": 1,
                "helpdesk_mgmt_portal_select_team": True,
                "helpdesk_mgmt_portal_team_id_required": True,
            }
        )
        customer = env["res.partner"].create({"name": "Northwind", "is_company": True})
        self.customer_id = customer.id
        self.team_id = (
            env["helpdesk.ticket.team"]
            .create({"name": "Paid", "incident_required": True, "show_in_portal": True})
            .id
        )
        self.journal_id = (
            env["account.journal"]
            .search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1)
            .id
        )
        provider = env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", company.id)], limit=1
        )
        provider.write({"state": "test", "journal_id": self.journal_id})
        self.provider_id = provider.id
        self.method_id = provider.payment_method_ids[:1].id
        self.plan_id = (
            env["product.product"]
            .create(
                {
                    "name": "A pack",
                    "type": "service",
                    "list_price": PRICE,
                    "taxes_id": [Command.clear()],
                    "invoice_policy": "order",
                    "incident_kind": "lifetime",
                    "incident_quantity": PACK,
                    "incident_portal_published": True,
                }
            )
            .id
        )
        contact = self._user(env, "contact", "base.group_portal")
        contact.partner_id.parent_id = customer
        self.contact_id = contact.partner_id.id
        self._user(env, "agent", "helpdesk_mgmt.group_helpdesk_user")
        self._user(env, "manager", "helpdesk_mgmt.group_helpdesk_manager")
        self._user(
            env,
            "charger",
            "helpdesk_mgmt.group_helpdesk_user,"
            "helpdesk_paid_support.group_ticket_charge",
        )
        self._user(env, "accountant", "account.group_account_invoice")
        self._user(env, "seller", "sales_team.group_sale_salesman_all_leads")
        account = env["helpdesk.incident.account"]._of(customer, company, create=True)
        account._adjust(OPENING, "opening")
        self.account_id = account.id
        # Whom agents serve at the same time; they have enough.
        other = env["res.partner"].create({"name": "Southwind", "is_company": True})
        self.other_id = other.id
        env["helpdesk.incident.account"]._of(other, company, create=True)._adjust(
            100_000, "opening"
        )

    def _user(self, env, login, group):
        portal = group == "base.group_portal"
        groups = group if portal else f"base.group_user,{group}"
        return new_test_user(env, f"stress-{login}", groups=groups)

    def agent_tickets(self, names, partner_id=None):
        """Open tickets as staff do, which deducts nothing.

        :param int partner_id: whose, by default the contact's.
        :return: their ids.
        """
        with self.transaction() as env:
            return (
                env["helpdesk.ticket"]
                .create(
                    [
                        {
                            "name": name,
                            "description": "It does not work",
                            "team_id": self.team_id,
                            "partner_id": partner_id or self.contact_id,
                        }
                        for name in names
                    ]
                )
                .ids
            )

    def sell_periods(self, name):
        """Sell a period that runs and one that has ended, which time has still to grant
        and to close, as a term does whose months begin by themselves."""
        with self.transaction() as env:
            env.cr.execute(
                """
                INSERT INTO helpdesk_incident_allotment
                       (account_id, kind, name, cause_key, date_from, date_to, target,
                        to_grant, granted, used, lapsed, balance)
                SELECT %(account)s, 'period', word || %(name)s,
                       'period:' || word || %(name)s,
                       CURRENT_DATE - days, CURRENT_DATE + 20 - days,
                       %(number)s, %(number)s, 0, 0, 0, 0
                  FROM (VALUES ('running ', 10), ('ended ', 40)) AS v(word, days)
                """,
                {"account": self.account_id, "name": name, "number": MONTH},
            )

    @contextmanager
    def transaction(self):
        with closing(db_connect(self.database).cursor()) as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
            yield env
            env.flush_all()
            cr.commit()

    def act(self):
        """Do what time and the scheduled actions would still do: periods begin and end,
        online payments whose payer has left are processed, and settle what is open.

        They leave alone what somebody else works on: what was killed may still do.
        """
        deadline = time.monotonic() + 30
        due = True
        while due and time.monotonic() < deadline:
            with self.transaction() as env:
                accounts = env["helpdesk.incident.account"]
                accounts._cron_open_and_close()
                env["payment.transaction"]._cron_post_process()
                outbox = env["helpdesk.incident.outbox"]
                for row in outbox.search([("prints", "=", False)]):
                    row._deliver()
                due = accounts.browse(self.account_id)._due() or outbox.search_count(
                    [("prints", "=", False)]
                )

    def written(self):
        """Return what has moved, by token.

        :rtype: dict[str, int]
        """
        with self.transaction() as env:
            env.cr.execute(WRITTEN, [self.account_id])
            return dict(env.cr.fetchall())

    def wrong(self):
        """Return what must not be, in words."""
        with self.transaction() as env:
            env.cr.execute(OVERDRAWN, [self.account_id])
            wrong = [f"overdrawn by entry {row}" for (row,) in env.cr.fetchall()]
            env.cr.execute(LOOSE)
            wrong += [text for (text,) in env.cr.fetchall()]
            return wrong + [
                f"ledger check: {difference}"
                for difference in env["helpdesk.incident.account"]._check_ledger()
            ]

    def reconnect(self):
        """Forget connections to a server that is no more."""
        close_db(self.database)
