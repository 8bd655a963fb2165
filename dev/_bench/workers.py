"""Tickets of different customers, by two workers and by one."""

import time
from concurrent.futures import ThreadPoolExecutor

from _server import Customer, Server, token

from .measure import Benchmark, Figure
from .portal import Portal

CUSTOMERS = 4
#: Tickets of each customer.
NUMBER = 25


class Submit:
    """Customers submit tickets at the same time. What is measured is how long two
    workers take, of what one takes."""

    def __init__(self, portal, required):
        self.portal = portal
        self.required = required

    def measure(self, _env):
        portal = self.portal
        if not portal.server:
            logins = portal.open(CUSTOMERS)
            portal.servers = [Server(portal.database, workers) for workers in (1, 2)]
            portal.customers = [
                [Customer(server, login) for login in logins]
                for server in portal.servers
            ]
            portal.server = portal.servers[0]
        portal.show(portal.teams[self.required])
        one, two = map(self._submit, portal.customers)
        return Figure(two / one)

    def _submit(self, customers):
        team_id = self.portal.teams[self.required]
        tokens = [token(customer.get("/new/ticket")) for customer in customers]

        def submit(customer, csrf_token):
            for _number in range(NUMBER):
                customer.submit(team_id, csrf_token)

        before = self.portal.count()
        start = time.perf_counter()
        with ThreadPoolExecutor(len(customers)) as pool:
            list(pool.map(submit, customers, tokens))
        seconds = time.perf_counter() - start
        given = CUSTOMERS * NUMBER if self.required else 0
        assert self.portal.count() - before == given
        return seconds

    def close(self):
        for server in getattr(self.portal, "servers", ()):
            server.close()
        self.portal.servers, self.portal.server = (), None


def benchmarks(_env):
    portal = Portal("workers")
    yield Benchmark(
        "paid tickets: 2 workers' time, of 1 worker's",
        "free tickets",
        1.1,
        Submit(portal, required=True),
        Submit(portal, required=False),
        unit="×",
    )
