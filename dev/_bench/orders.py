"""An order paid online: for a plan of twelve months, and for an ordinary service."""

from .measure import Benchmark, OneByOne

NUMBER = 20


class Pay(OneByOne):
    """Orders of as many customers, each paid with `payment_demo`: the transaction is
    done and processed, the order confirmed, the first period granted."""

    def __init__(self, plan):
        self.plan = plan

    def prepare(self, env):
        product = env["product.product"].create(
            {
                "name": "Standard support" if self.plan else "Installation",
                "type": "service",
                "list_price": 120,
                "taxes_id": False,
                "invoice_policy": "order",
                **(
                    {
                        "incident_kind": "period",
                        "incident_quantity": 10,
                        "incident_term_months": 12,
                    }
                    if self.plan
                    else {}
                ),
            }
        )
        # Not how long a PDF is printed, which is the same for both.
        env["ir.config_parameter"].set_param("sale.async_emails", "True")
        provider = env["payment.provider"].search([("code", "=", "demo")], limit=1)
        provider.state = "test"
        method = env["payment.method"].search([("code", "=", "demo")], limit=1)
        partners = env["res.partner"].create(
            [
                {"name": f"Customer {n}", "email": f"customer{n}@example.com"}
                for n in range(NUMBER)
            ]
        )
        orders = env["sale.order"].create(
            [
                {
                    "partner_id": partner.id,
                    "order_line": [(0, 0, {"product_id": product.id})],
                    "require_payment": True,
                }
                for partner in partners
            ]
        )
        self.orders = orders
        return (
            env["payment.transaction"]
            .create(
                [
                    {
                        "provider_id": provider.id,
                        "payment_method_id": method.id,
                        "amount": order.amount_total,
                        "currency_id": order.currency_id.id,
                        "partner_id": order.partner_id.id,
                        "reference": f"bench-{order.id}",
                        "sale_order_ids": [(6, 0, order.ids)],
                        "operation": "online_direct",
                    }
                    for order in orders
                ]
            )
            .ids
        )

    def run_one(self, env, item):
        transaction = env["payment.transaction"].browse(item)
        transaction._set_done()
        transaction._post_process()

    def check(self, env):
        orders = env["sale.order"].browse(self.orders.ids)
        assert set(orders.mapped("state")) == {"sale"}
        for partner in orders.partner_id if self.plan else ():
            account = env["helpdesk.incident.account"]._of(partner, env.company)
            assert account.available == 10
            assert len(account.allotment_ids) == 13


def benchmarks(_env):
    yield Benchmark(
        "an order for a 12-month plan paid online",
        "an order for an ordinary service",
        1.3,
        Pay(plan=True),
        Pay(plan=False),
    )
