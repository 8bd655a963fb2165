"""Tickets of a paid team beside those of a free one."""

import statistics
import time
from contextlib import closing
from datetime import timedelta

from _server import new_database, throw_away

from odoo import SUPERUSER_ID, api
from odoo.fields import Command

from odoo.addons.helpdesk_paid_support.models.ledger.account_settle import Cause

from .measure import Benchmark, Figure

NUMBER = 60
#: How many rules the paid team has.
RULES = ((0, ""), (10, " with ten rules"))


def make_customers(env, number=1, months=2):
    """Return customers with incidents of three allotments: two months of three each,
    and many lifetime ones.

    :param int months: how many months, if not two.
    """
    partners = env["res.partner"].create(
        [
            {"name": f"Customer {n}", "email": f"customer{n}@example.com"}
            for n in range(number)
        ]
    )
    give(env, partners, months=months)
    return partners


def make_users(env, number=1):
    """Return the portal users of new customers with incidents; their logins are their
    passwords."""
    return (
        env["res.users"]
        .with_context(no_reset_password=True)
        .create(
            [
                {
                    "name": partner.name,
                    "login": f"bench-{partner.id}",
                    "password": f"bench-{partner.id}",
                    "partner_id": partner.id,
                    "group_ids": [(6, 0, env.ref("base.group_portal").ids)],
                }
                for partner in make_customers(env, number)
            ]
        )
    )


def give(env, partners, quantity=1000, months=2):
    """Give these customers incidents: months with little, which end one after the
    other, and lifetime ones."""
    account_model = env["helpdesk.incident.account"]
    today = env.company._incident_today()
    holders = [(partner.id, env.company.id) for partner in partners]
    for account in account_model._get_or_create(holders).values():
        account_model._settle(
            [
                Cause(
                    account=account,
                    key=f"bench:{account.id}:{days}",
                    target=3,
                    kind="period",
                    name="Standard support",
                    date_from=today,
                    date_to=today + timedelta(days=days),
                )
                for days in range(10, 10 * months + 1, 10)
            ]
        )
        account._adjust(quantity, "A gift")


def make_team(env, required, rules=0):
    """Return a team.

    :param int rules: how many rules it has, each of two conditions, of which none
        applies: all of them are looked at.
    """
    tags = env["helpdesk.ticket.tag"].create(
        [{"name": f"Product {n}"} for n in range(rules)]
    )
    return env["helpdesk.ticket.team"].create(
        {
            "name": "Paid" if required else "Free",
            "incident_required": required,
            "incident_rule_ids": [
                Command.create(
                    {
                        # What a ticket has, if nothing was chosen.
                        "priority": "1",
                        "tag_ids": [Command.set(tag.ids)],
                        "incident_cost": number + 2,
                    }
                )
                for number, tag in enumerate(tags)
            ],
            "show_in_portal": True,
        }
    )


class Provider:
    """A database with a free team and a paid one, and a customer with incidents."""

    def __init__(self, rules=0):
        self.database = throw_away(f"tickets_{rules}")
        self.rules = rules
        self.registry = None

    def open(self):
        if self.registry:
            return
        with new_database(self.database) as env:
            user = make_users(env)
            self.user_id = user.id
            self.values = {
                required: self._values(
                    env, user, make_team(env, required, self.rules * required)
                )
                for required in (False, True)
            }
            self.registry = env.registry

    def _values(self, env, user, team):
        return {
            "name": "It does not work",
            "description": "<p>Please help</p>",
            "team_id": team.id,
            # The form sets it; the stage's own mail is the same for both.
            "stage_id": team._get_applicable_stages()[:1].id,
            "partner_id": user.partner_id.id,
            "partner_name": user.name,
            "partner_email": user.email,
            "company_id": env.company.id,
            "user_id": False,
        }


class Submit:
    """A customer submits tickets one after another, as the portal form does, each in a
    transaction of its own, which is committed: one to the free team, one to the paid
    one, and so on, so that what else the machine does meets both alike."""

    def __init__(self, provider):
        self.provider = provider
        self.figures = {}

    def measure(self, required):
        """Return the figure of the paid tickets, or that of the free ones: each of them
        is asked for once, whereupon the next ones are submitted."""
        if required not in self.figures:
            self.figures = self._submit_pairs()
        return self.figures.pop(required)

    def _submit_pairs(self):
        self.provider.open()
        last = self._deductions()
        measured = {False: [], True: []}
        for _number in range(NUMBER):
            for required, figures in measured.items():
                figures.append(self._submit(required))
        taken = self._deductions() - last
        assert taken == NUMBER, taken
        return {
            required: Figure(
                statistics.median(seconds for seconds, _queries in figures),
                figures[-1][1],
            )
            for required, figures in measured.items()
        }

    def _submit(self, required):
        """Return the seconds and the queries that a ticket takes."""
        values = dict(self.provider.values[required])
        with closing(self.provider.registry.cursor()) as cr:
            env = api.Environment(cr, self.provider.user_id, {})
            start = time.perf_counter()
            ticket = env["helpdesk.ticket"].sudo().create(values)
            ticket.message_subscribe(partner_ids=[values["partner_id"]])
            cr.flush()
            queries = cr.sql_log_count
            cr.commit()
            return time.perf_counter() - start, queries

    def _deductions(self):
        with closing(self.provider.registry.cursor()) as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            entries = env["helpdesk.incident.entry"]
            return entries.search_count([("kind", "=", "deduction")])


class Side:
    """The paid tickets, or the free ones."""

    def __init__(self, submit, required):
        self.submit = submit
        self.required = required

    def measure(self, _env):
        return self.submit.measure(self.required)


def benchmarks(_env):
    for rules, words in RULES:
        submit = Submit(Provider(rules))
        yield Benchmark(
            f"a ticket submitted to a paid team{words}",
            "the same to a free team",
            1.15,
            Side(submit, required=True),
            Side(submit, required=False),
        )
