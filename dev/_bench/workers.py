"""Tickets of different customers, by two workers and by one."""

import time
from concurrent.futures import ThreadPoolExecutor

from _server import token

from .measure import Benchmark, Figure
from .portal import Portal, Submit

CUSTOMERS = 4
#: Tickets of each customer.
NUMBER = 25


class SubmitAtOnce(Submit):
    """Customers submit tickets at the same time. What is measured is how long two
    workers take, of what one takes."""

    #: Of all customers, at both servers.
    tickets = 2 * CUSTOMERS * NUMBER

    def submit(self, team_id):
        one, two = (self._time(team_id, those) for those in self.portal.customers)
        return Figure(two / one)

    def _time(self, team_id, customers):
        """Return the seconds until all tickets of ``customers`` are submitted."""
        tokens = [token(customer.get("/new/ticket")) for customer in customers]

        def submit(customer, csrf_token):
            for _number in range(NUMBER):
                customer.submit(team_id, csrf_token)

        start = time.perf_counter()
        with ThreadPoolExecutor(len(customers)) as pool:
            list(pool.map(submit, customers, tokens))
        return time.perf_counter() - start


def benchmarks(_env):
    portal = Portal("workers", CUSTOMERS, workers=(1, 2))
    yield Benchmark(
        "paid tickets: 2 workers' time, of 1 worker's",
        "free tickets",
        1.1,
        SubmitAtOnce(portal, required=True),
        SubmitAtOnce(portal, required=False),
        unit="×",
    )
