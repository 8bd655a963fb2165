"""Pages of the client area beside core's list of orders: for one customer alone, and
for twenty at once; with few plans on sale, and with many."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from _server import Customer, Server, new_database, throw_away

from odoo.fields import Command

from .measure import Benchmark, Figure
from .tickets import make_team, make_users

#: Core's page.
PEER = "/my/orders"
PAGES = ("/my/incidents", "/new/ticket")
#: What both a small provider and a large one sell.
FEW, MANY = 9, 90
#: How many customers ask at once, and how often each asks in one measurement.
CROWD = 20
ALONE_TIMES, CROWD_TIMES = 30, 4
TERMS = (1, 3, 12)


class Shop:
    """A provider that sells so many plans, and customers of a year: each has bought a
    pack in every month, has a running subscription, which can be changed to each other
    plan, and an order that waits for its payment.

    :param int plans: how many plans there are in the portal.
    :param Shop smaller: the same with fewer plans; it is made of that.
    """

    def __init__(self, plans, smaller=None):
        self.database = throw_away(f"plans{plans}")
        self.plans = plans
        self.smaller = smaller
        self.logins = []
        self.server = None

    def open(self, crowd):
        """Serve it, to one customer or to all of them."""
        if self.server:
            return
        self._make()
        self.server = Server(self.database, workers=2 if crowd else 0)
        self.customers = [
            Customer(self.server, login)
            for login in (self.logins if crowd else self.logins[:1])
        ]

    def _make(self):
        if self.logins:
            return
        if self.smaller:
            self.smaller._make()
            with new_database(self.database, self.smaller.database) as env:
                self._make_plans(env, range(self.smaller.plans, self.plans))
            self.logins = self.smaller.logins
            return
        with new_database(self.database) as env:
            env.company.helpdesk_mgmt_portal_select_team = True
            make_team(env, required=False)
            make_team(env, required=True)
            plans = self._make_plans(env, range(self.plans))
            users = make_users(env, CROWD)
            for user in users:
                self._buy(env, user.partner_id, plans)
            self.logins = users.mapped("login")

    def _make_plans(self, env, numbers):
        """Make the plans: packs, and terms of several lengths; each with its tax."""
        plans = env["product.template"].create(
            [
                {
                    "name": f"Plan {number}",
                    "type": "service",
                    "invoice_policy": "order",
                    "list_price": 10 + number,
                    "incident_quantity": 10,
                    "incident_portal_published": True,
                    **(
                        {
                            "incident_kind": "period",
                            "incident_term_months": TERMS[number % len(TERMS)],
                        }
                        if number
                        else {"incident_kind": "lifetime"}
                    ),
                }
                for number in numbers
            ]
        )
        every = env["product.template"].search([("incident_kind", "!=", "none")])
        every.incident_change_template_ids = every
        return plans.product_variant_id

    def _buy(self, env, partner, plans):
        """Let a customer buy and pay, and order once more."""
        pack, _month, term = plans[:3]
        for bought in [term] + [pack] * 12:
            order = self._order(env, partner, bought)
            order.action_confirm()
            invoice = order._create_invoices()
            invoice.action_post()
            wizard = env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            )
            wizard.create({})._create_payments()
        self._order(env, partner, pack).action_quotation_sent()

    def _order(self, env, partner, plan):
        return env["sale.order"].create(
            {
                "partner_id": partner.id,
                "require_signature": False,
                "require_payment": True,
                "order_line": [Command.create({"product_id": plan.id})],
            }
        )

    def close(self):
        if self.server:
            self.server.close()
        self.server = None


class Visits:
    """A page and core's, as one customer sees them who is alone, or as many who ask at
    once: by turns, so that what else the machine does meets both alike."""

    def __init__(self, shop, path, crowd):
        self.shop = shop
        self.paths = (path, PEER)
        self.crowd = crowd
        self.figures = {}

    def measure(self, path):
        """Return how long a customer waits for a page. Each of both is asked for once,
        whereupon they are visited anew."""
        if path not in self.figures:
            self.figures = self._visit()
        return self.figures.pop(path)

    def _visit(self):
        self.shop.open(self.crowd)
        customers = self.shop.customers
        waited = {path: [] for path in self.paths}
        with ThreadPoolExecutor(len(customers)) as pool:
            for _turn in range(CROWD_TIMES if self.crowd else ALONE_TIMES):
                for path, seconds in waited.items():
                    seconds += pool.map(partial(self._wait, path), customers)
        return {
            path: Figure(statistics.median(seconds), self.shop.server.queries(path))
            for path, seconds in waited.items()
        }

    def _wait(self, path, customer):
        start = time.perf_counter()
        customer.get(path)
        return time.perf_counter() - start


class Page:
    """One of both pages."""

    def __init__(self, visits, path):
        self.visits = visits
        self.path = path

    def measure(self, _env):
        return self.visits.measure(self.path)

    def close(self):
        self.visits.shop.close()


def benchmarks(_env):
    few = Shop(FEW)
    for shop in (few, Shop(MANY, smaller=few)):
        for crowd in (False, True):
            for path in PAGES:
                visits = Visits(shop, path, crowd)
                yield Benchmark(
                    f"{path}: {shop.plans} plans, "
                    + (f"{CROWD} customers" if crowd else "1 customer"),
                    PEER,
                    1.5,
                    Page(visits, path),
                    Page(visits, PEER),
                )
