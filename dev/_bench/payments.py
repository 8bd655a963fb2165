"""Customer payments posted in one call, with the grants of R6 and without."""

from .measure import Benchmark, Work

NUMBER = 1000


class Post(Work):
    """Post ``NUMBER`` payments of as many customers in one call."""

    def __init__(self, first, topup):
        self.settings = {
            "incident_first_payment_quantity": first,
            "incident_topup_amount": 100,
            "incident_topup_quantity": topup,
        }

    def prepare(self, env):
        env.company.write(self.settings)
        journal = env["account.journal"].search(
            [("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1
        )
        customers = env["res.partner"].create(
            [{"name": f"Customer {n}"} for n in range(NUMBER)]
        )
        return env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": customer.id,
                    "amount": 250,
                    "journal_id": journal.id,
                }
                for customer in customers
            ]
        )

    def run(self, env, payments):
        payments.action_post()

    def check(self, env):
        env.cr.execute(
            "SELECT COUNT(DISTINCT res_id) FROM helpdesk_incident_entry "
            "WHERE res_model = 'account.payment'"
        )
        given = NUMBER if self.settings["incident_topup_quantity"] else 0
        assert env.cr.fetchone() == (given,)


def benchmarks(_env):
    yield Benchmark(
        f"{NUMBER:,} payments posted with grants",
        "with the settings at 0",
        1.3,
        Post(first=5, topup=2),
        Post(first=0, topup=0),
    )
