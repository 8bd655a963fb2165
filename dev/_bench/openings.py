"""What 1,000 customers had in another system, from a file: balances, packs and running
subscriptions, beside as many contacts."""

from datetime import timedelta

from .measure import Benchmark, Work

NUMBER = 1_000
FIELDS = [
    *("reference", "partner_id", "product_id", "quantity", "date_start", "date_end"),
    *("current_left", "value", "agreed_price"),
]


class Contacts(Work):
    """Contacts imported, as *Import records* does."""

    def run(self, env, ready):
        result = env["res.partner"].load(
            ["name", "email", "ref"],
            [
                [f"Customer {n}", f"customer{n}@example.com", f"C-{n}"]
                for n in range(NUMBER)
            ],
        )
        assert len(result["ids"]) == NUMBER, result["messages"]


class Openings(Work):
    """Three lines for each customer.

    :param confirmed: whether it is measured how they are confirmed, or imported.
    """

    def __init__(self, confirmed):
        self.confirmed = confirmed

    def prepare(self, env):
        Contacts().run(env, None)
        env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "service",
                    "list_price": 120,
                    "taxes_id": False,
                    "invoice_policy": "order",
                    "incident_kind": kind,
                    "incident_quantity": 10,
                    "incident_term_months": months,
                }
                for name, kind, months in (
                    ("Bench lifetime", "lifetime", 0),
                    ("Bench pack", "pack", 12),
                    ("Bench period", "period", 12),
                )
            ]
        )
        lines = self.lines(env)
        return self.load(env, lines) if self.confirmed else lines

    def lines(self, env):
        today = env.company._incident_today()
        first = today.replace(day=1)
        last = first.replace(year=first.year + 1) - timedelta(days=1)
        lines = []
        for n in range(NUMBER):
            customer = f"customer{n}@example.com"
            lines += [
                [f"L-{n}", customer, "Bench lifetime", "7", "", "", "", "35", ""],
                [f"P-{n}", customer, "Bench pack", "7", "", f"{last}", "", "35", ""],
                [
                    *(f"S-{n}", customer, "Bench period", "1", f"{first}", f"{last}"),
                    *("4", "60", "120"),
                ],
            ]
        return lines

    def load(self, env, lines):
        result = env["helpdesk.incident.opening"].load(FIELDS, lines)
        assert result["ids"], result["messages"]
        return env["helpdesk.incident.opening"].browse(result["ids"])

    def run(self, env, ready):
        if self.confirmed:
            ready.action_confirm()
        else:
            self.load(env, ready)

    def check(self, env):
        openings = env["helpdesk.incident.opening"].search([])
        assert len(openings) == 3 * NUMBER
        if self.confirmed:
            accounts = env["helpdesk.incident.account"].search(
                [("partner_id", "in", openings.partner_id.ids)]
            )
            assert len(accounts) == NUMBER
            assert {account.available for account in accounts} == {18}


def benchmarks(_env):
    for name, confirmed in (("imported", False), ("confirmed", True)):
        yield Benchmark(
            f"3,000 opening balances of 1,000 customers {name}",
            "1,000 contacts imported",
            None,
            Openings(confirmed),
            Contacts(),
            most=2,
        )
