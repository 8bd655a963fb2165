"""A ticket submitted over HTTP: the form, and its submission."""

import statistics
import time
from contextlib import closing

from _server import (
    Customer,
    Server,
    execute,
    new_database,
    throw_away,
    token,
)

from odoo.modules.registry import Registry

from .measure import Benchmark, Figure
from .tickets import RULES, make_team, make_users

NUMBER = 30


class Portal:
    """A provider with a free team and a paid one, and customers who have incidents; on
    a server for each number of workers, made when it is needed first."""

    def __init__(self, name, customers=1, workers=(0,), rules=0):
        self.database = throw_away(name)
        self.rules = rules
        self.number = customers
        self.workers = workers
        self.servers = []

    def open(self):
        if self.servers:
            return
        with new_database(self.database) as env:
            env.company.write(
                {
                    "helpdesk_mgmt_portal_select_team": True,
                    "helpdesk_mgmt_portal_team_id_required": True,
                }
            )
            self.teams = [
                make_team(env, required, self.rules * required).id
                for required in (False, True)
            ]
            logins = make_users(env, self.number).mapped("login")
        self.servers = [Server(self.database, workers) for workers in self.workers]
        #: Of each server, all who have logged in there.
        self.customers = [
            [Customer(server, login) for login in logins] for server in self.servers
        ]

    def show(self, team_id):
        """Show one team in the portal: the form of a provider who has no other."""
        execute(
            self.database,
            "UPDATE helpdesk_ticket_team SET show_in_portal = (id = %s)",
            [team_id],
        )

    def count(self):
        with closing(Registry(self.database).cursor()) as cr:
            cr.execute(
                "SELECT COUNT(*) FROM helpdesk_incident_entry WHERE kind = 'deduction'"
            )
            return cr.fetchone()[0]

    def close(self):
        while self.servers:
            self.servers.pop().close()


class Submit:
    """Customers of a portal submit tickets to one of its teams."""

    #: How many in one measurement.
    tickets = NUMBER

    def __init__(self, portal, required):
        self.portal = portal
        self.required = required

    def measure(self, _env):
        self.portal.open()
        team_id = self.portal.teams[self.required]
        self.portal.show(team_id)
        before = self.portal.count()
        figure = self.submit(team_id)
        taken = self.tickets if self.required else 0
        assert self.portal.count() - before == taken
        return figure

    def submit(self, team_id):
        """Open the form and submit it, again and again."""
        [server], [[customer]] = self.portal.servers, self.portal.customers
        seconds = []
        for _number in range(NUMBER):
            start = time.perf_counter()
            page = customer.get("/new/ticket")
            customer.submit(team_id, token(page))
            seconds.append(time.perf_counter() - start)
        queries = sum(map(server.queries, ("/new/ticket", "/submitted/ticket")))
        return Figure(statistics.median(seconds), queries)

    def close(self):
        self.portal.close()


def benchmarks(_env):
    for rules, words in RULES:
        portal = Portal(f"portal_{rules}", rules=rules)
        yield Benchmark(
            f"a ticket by the portal{words}, form and submission",
            "the same to a free team",
            1.15,
            Submit(portal, required=True),
            Submit(portal, required=False),
        )
