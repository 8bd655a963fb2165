"""Lists and pages with few entries in the ledger, and with a million."""

import statistics
import time
from contextlib import closing
from datetime import date, timedelta

from _server import Customer, Server, new_database, throw_away

from odoo import api
from odoo.tests import Form, new_test_user

from .customers import make_accounts
from .measure import Benchmark, Figure, clock
from .tickets import make_users

CUSTOMERS = 100_000
#: Customers who have incidents left.
HOLDERS = 1_000
NUMBER = 9


class Books:
    """A database with customers. Some have incidents left, one gift each. With
    ``history``, each has a month that has ended and tickets, ten entries in all, and
    nothing is left of those: the lists show the same."""

    def __init__(self, name, history):
        self.database = throw_away(name)
        self.history = history
        self.registry = self.server = None

    def open(self):
        if self.registry:
            return
        with new_database(self.database) as env:
            env = env(context={"tracking_disable": True})
            # Of the customer whose pages are opened.
            user = make_users(env)
            self.login, self.partner_id = user.login, user.partner_id.id
            self.manager_id = new_test_user(
                env,
                "bench-manager",
                groups="helpdesk_mgmt.group_helpdesk_manager,base.group_partner_manager",
            ).id
            env.flush_all()
            make_accounts(env.cr, env.company, CUSTOMERS)
            self._fill(env.cr)
            env.cr.execute("DROP TABLE bench")
            self.registry = env.registry
        with closing(self.registry.cursor()) as cr:
            cr._cnx.autocommit = True
            cr.execute("VACUUM ANALYZE")
        self.server = Server(self.database)
        self.customer = Customer(self.server, self.login)

    def _fill(self, cr):
        start = date.today() - timedelta(days=90)
        values = {
            "holders": HOLDERS,
            "start": start,
            "end": start + timedelta(days=29),
        }
        cr.execute(
            """
            INSERT INTO helpdesk_incident_allotment
                   (account_id, kind, target, to_grant, granted, used, lapsed, balance)
            SELECT id, 'lifetime', 0, 0, 0, 0, 0, 0 FROM bench
            """
        )
        self._post(cr, values, [("lifetime", 0, "topup", 10)], "n <= %(holders)s")
        if not self.history:
            return
        cr.execute(
            """
            INSERT INTO helpdesk_incident_allotment
                   (account_id, kind, name, cause_key, date_from, date_to, target,
                    to_grant, granted, used, lapsed, balance)
            SELECT id, 'period', 'Standard support', 'bench:' || id,
                   %(start)s, %(end)s, 10, 0, 10, 3, 7, 0
              FROM bench
            """,
            values,
        )
        past = [
            ("period", 0, "period", 10),
            *[("period", day, "deduction", -1) for day in (5, 9, 12)],
            ("period", 29, "expiry", -7),
            ("lifetime", 30, "purchase", 4),
            *[("lifetime", day, "deduction", -1) for day in (40, 45, 50, 55)],
        ]
        self._post(cr, values, past, "TRUE")

    def _post(self, cr, values, parts, condition):
        """Insert entries of the accounts that meet ``condition``, and add them up."""
        for number, (kind_of, day, kind, quantity) in enumerate(parts):
            cr.execute(
                f"""
                INSERT INTO helpdesk_incident_entry
                       (account_id, allotment_id, date, kind, effect, quantity,
                        cause_key, cause_number, name, user_id, create_date)
                SELECT bench.id, m.id, %(start)s + %(day)s, %(kind)s,
                       CASE %(kind)s WHEN 'expiry' THEN 'lapses'
                            WHEN 'deduction' THEN 'uses' ELSE 'gives' END, %(quantity)s,
                       'bench:{kind}:{number}:' || bench.id, 1, 'Bench', 1, now()
                  FROM bench JOIN helpdesk_incident_allotment m
                    ON m.account_id = bench.id AND m.kind = %(of)s
                 WHERE {condition}
                """,
                {
                    **values,
                    "of": kind_of,
                    "day": day,
                    "kind": kind,
                    "quantity": quantity,
                },
            )
        given = sum(n for of, _d, kind, n in parts if of == "lifetime" and n > 0)
        used = -sum(n for of, _d, kind, n in parts if of == "lifetime" and n < 0)
        cr.execute(
            f"""
            UPDATE helpdesk_incident_allotment m
               SET granted = granted + {given}, used = used + {used},
                   balance = balance + {given - used}
              FROM bench
             WHERE bench.id = m.account_id AND m.kind = 'lifetime' AND {condition}
            """,
            values,
        )

    def close(self):
        if self.server:
            self.server.close()
        self.server = None


class Opened:
    """Something that a person opens, in one of the databases."""

    def __init__(self, books):
        self.books = books

    def measure(self, _env):
        self.books.open()
        seconds = []
        for _number in range(NUMBER):
            one, queries = self.open()
            seconds.append(one)
        return Figure(statistics.median(seconds), queries)

    def open(self):
        """Return the seconds and the queries that it takes."""
        with closing(self.books.registry.cursor()) as cr:
            env = api.Environment(cr, self.books.manager_id, {})
            self.ready(env)
            env.flush_all()
            env.cr.clear()
            return clock(env, lambda: self.show(env))

    def ready(self, env):
        """What comes before."""

    def show(self, env):
        """Open it."""
        raise NotImplementedError


class List(Opened):
    """The list of the *Incidents* menu: those who have some, who has most first."""

    def ready(self, env):
        views = env["helpdesk.incident.account"].get_views([(False, "list")])
        names = views["models"]["helpdesk.incident.account"]["fields"]
        arch = views["views"]["list"]["arch"]
        self.specification = {
            name: {"fields": {"display_name": {}}}
            if field["type"] in ("many2one", "many2many", "one2many")
            else {}
            for name, field in names.items()
            if f'name="{name}"' in arch
        }

    def show(self, env):
        found = env["helpdesk.incident.account"].web_search_read(
            [("available", ">", 0)],
            self.specification,
            limit=80,
            order="available desc, id",
        )
        assert len(found["records"]) == 80
        assert found["length"] == HOLDERS + 1, found["length"]


class Dashboard(Opened):
    """The first entry of the *Incidents* menu, with all its numbers."""

    def ready(self, env):
        form = env["helpdesk.incident.dashboard"].get_views([(False, "form")])
        names = form["models"]["helpdesk.incident.dashboard"]["fields"]
        accounts = {"partner_id": {"fields": {"display_name": {}}}}
        self.specification = {name: {} for name in names} | {
            "company_id": {"fields": {"display_name": {}}},
            "next_account_ids": {
                "fields": accounts | {"available": {}, "runs_out": {}}
            },
        }

    def show(self, env):
        board = env["helpdesk.incident.dashboard"].browse(env.company.id)
        [values] = board.web_read(self.specification)
        assert len(values) >= 25, values


class PartnerForm(Opened):
    """The form of a customer."""

    def ready(self, env):
        env["res.partner"].get_views([(False, "form")])

    def show(self, env):
        form = Form(env["res.partner"].browse(self.books.partner_id))
        assert form.incident_available > 0


class Page(Opened):
    """The page of a customer."""

    def open(self):
        start = time.perf_counter()
        page = self.books.customer.get("/my/incidents")
        seconds = time.perf_counter() - start
        assert b"1,006" in page
        return seconds, self.books.server.queries("/my/incidents")

    def close(self):
        self.books.close()


def benchmarks(_env):
    many, few = Books("many", history=True), Books("few", history=False)
    for name, opened in (
        ("list of 80 customers by what is available", List),
        ("form of a customer", PartnerForm),
        ("/my/incidents", Page),
    ):
        yield Benchmark(
            f"{name}: 1,000,000 entries",
            f"{HOLDERS:,} entries, same {CUSTOMERS:,} customers",
            1.2,
            opened(many),
            opened(few),
        )
    yield Benchmark(
        "dashboard: 1,000,000 entries",
        "list of 80 customers by what is available, same entries",
        2,
        Dashboard(many),
        List(many),
    )
