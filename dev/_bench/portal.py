"""A ticket submitted over HTTP: the form, and its submission."""

import statistics
import time
from contextlib import closing

from _server import (
    Customer,
    Server,
    copy_database,
    execute,
    template,
    throw_away,
    token,
)

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from .measure import Benchmark, Figure
from .tickets import make_team, make_users

NUMBER = 30


class Portal:
    """A server for both sides, made when it is needed first."""

    def __init__(self, name):
        self.database = throw_away(name)
        self.server = None

    def open(self, customers):
        """Make the database, with customers who have incidents, and two teams.

        :return: the customers, logged in, and the ids of the teams, the free one first.
        """
        copy_database(template(), self.database)
        registry = Registry(self.database)
        with closing(registry.cursor()) as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env.company.write(
                {
                    "helpdesk_mgmt_portal_select_team": True,
                    "helpdesk_mgmt_portal_team_id_required": True,
                }
            )
            self.teams = [make_team(env, required).id for required in (False, True)]
            logins = make_users(env, customers).mapped("login")
            cr.commit()
        return logins

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
        if self.server:
            self.server.close()
            self.server = None


class Submit:
    """A customer opens the form and submits it, again and again."""

    def __init__(self, portal, required):
        self.portal = portal
        self.required = required

    def measure(self, _env):
        portal = self.portal
        if not portal.server:
            [login] = portal.open(1)
            portal.server = Server(portal.database)
            portal.customer = Customer(portal.server, login)
        team_id = portal.teams[self.required]
        portal.show(team_id)
        before, seconds = portal.count(), []
        for _number in range(NUMBER):
            start = time.perf_counter()
            page = portal.customer.get("/new/ticket")
            portal.customer.submit(team_id, token(page))
            seconds.append(time.perf_counter() - start)
        assert portal.count() - before == (NUMBER if self.required else 0)
        queries = sum(
            portal.server.queries(path) for path in ("/new/ticket", "/submitted/ticket")
        )
        return Figure(statistics.median(seconds), queries)

    def close(self):
        self.portal.close()


def benchmarks(_env):
    portal = Portal("portal")
    yield Benchmark(
        "a ticket by the portal, form and submission",
        "the same to a free team",
        1.15,
        Submit(portal, required=True),
        Submit(portal, required=False),
    )
