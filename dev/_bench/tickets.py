"""Tickets of a paid team beside those of a free one, and the deduction alone."""

from datetime import timedelta

from odoo.addons.helpdesk_paid_support.models.helpdesk_incident_settle import Cause

from .measure import Benchmark, OneByOne

NUMBER = 60


def make_customers(env, number=1):
    """Return customers with incidents of three allotments: two months of three each,
    and many lifetime ones."""
    partners = env["res.partner"].create(
        [
            {"name": f"Customer {n}", "email": f"customer{n}@example.com"}
            for n in range(number)
        ]
    )
    give(env, partners)
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


def give(env, partners, quantity=1000):
    """Give these customers incidents: three allotments, the first two with little."""
    account_model = env["helpdesk.incident.account"]
    today = env.company._incident_today()
    holders = [(partner.id, env.company.id) for partner in partners]
    for account in account_model._open(holders).values():
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
                for days in (10, 20)
            ]
        )
        account._adjust(quantity, "A gift")


def make_team(env, required):
    return env["helpdesk.ticket.team"].create(
        {
            "name": "Paid" if required else "Free",
            "incident_required": required,
            "show_in_portal": True,
        }
    )


class Submit(OneByOne):
    """A customer submits tickets one after another, as the portal form does."""

    def __init__(self, required):
        self.required = required

    def prepare(self, env):
        self.last = env["helpdesk.incident.entry"].search([], order="id desc", limit=1)
        user = make_users(env)
        team = make_team(env, self.required)
        # The form sets it; the stage's own mail is the same for both.
        stage = team._get_applicable_stages()[:1]
        values = {
            "name": "It does not work",
            "description": "<p>Please help</p>",
            "team_id": team.id,
            "stage_id": stage.id,
            "partner_id": user.partner_id.id,
            "partner_name": user.name,
            "partner_email": user.email,
            "company_id": env.company.id,
            "user_id": False,
        }
        return [(user.id, values)] * NUMBER

    def run_one(self, env, item):
        user_id, values = item
        ticket = env["helpdesk.ticket"].with_user(user_id).sudo().create(dict(values))
        ticket.message_subscribe(partner_ids=[values["partner_id"]])

    def check(self, env):
        count = env["helpdesk.incident.entry"].search_count(
            [("id", ">", self.last.id or 0), ("kind", "=", "deduction")]
        )
        assert count == (NUMBER if self.required else 0), count


def benchmarks(env):
    yield Benchmark(
        "a ticket submitted to a paid team",
        "the same to a free team",
        1.15,
        Submit(required=True),
        Submit(required=False),
    )
