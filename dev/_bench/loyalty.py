"""The deduction by the verb alone, and core's loyalty points."""

from .measure import Benchmark, OneByOne
from .tickets import NUMBER, make_customers, make_team


class Deduct(OneByOne):
    """Deductions for tickets, each from three allotments.

    :param int months: how many months of the customer are open, as where they are
        carried over (R15.3).
    """

    #: How many of each allotment a ticket takes.
    taken = (3, 3, 2)
    #: Whether the ticket is known to have taken nothing before.
    is_new = False

    def __init__(self, months=2):
        self.months = months

    def prepare(self, env):
        self.last = env["helpdesk.incident.entry"].search([], order="id desc", limit=1)
        partners = make_customers(env, NUMBER, self.months)
        accounts = env["helpdesk.incident.account"]._find(
            [(partner.id, env.company.id) for partner in partners]
        )
        tickets = env["helpdesk.ticket"].create(
            [
                {
                    "name": "It does not work",
                    "description": "Please help",
                    "team_id": make_team(env, False).id,
                    "partner_id": partner.id,
                }
                for partner in partners
            ]
        )
        return [
            (accounts[ticket.partner_id.id, env.company.id].id, ticket.id)
            for ticket in tickets
        ]

    def run_one(self, env, item):
        account_id, ticket_id = item
        account = env["helpdesk.incident.account"].browse(account_id).sudo()
        ticket = env["helpdesk.ticket"].browse(ticket_id)
        deducted = account._deduct(ticket, sum(self.taken), self.is_new)
        assert tuple(number for _allotment, number in deducted.legs) == self.taken

    def check(self, env):
        count = env["helpdesk.incident.entry"].search_count(
            [("id", ">", self.last.id or 0), ("kind", "=", "deduction")]
        )
        assert count == len(self.taken) * NUMBER, count


class Points(OneByOne):
    """Points taken from loyalty cards, each with its record in the history, as
    `sale_loyalty` does when an order is confirmed."""

    def prepare(self, env):
        program = env["loyalty.program"].create(
            {"name": "Points", "program_type": "loyalty"}
        )
        cards = env["loyalty.card"].create(
            [
                {
                    "program_id": program.id,
                    "partner_id": partner.id,
                    "points": 1000,
                }
                for partner in make_customers(env, NUMBER)
            ]
        )
        self.cards = cards.ids
        order = env["sale.order"].create({"partner_id": cards[0].partner_id.id})
        return [(card.id, order.id) for card in cards]

    def run_one(self, env, item):
        card_id, order_id = item
        card = env["loyalty.card"].browse(card_id)
        order = env["sale.order"].browse(order_id)
        env["loyalty.history"].create(
            {
                "order_id": order.id,
                "order_model": order._name,
                "description": f"Order {order.display_name}",
                "card_id": card.id,
                "used": 8,
                "issued": 0,
            }
        )
        card.points -= 8

    def check(self, env):
        cards = env["loyalty.card"].browse(self.cards)
        assert all(card.points == 992 for card in cards)
        assert len(cards.history_ids) == NUMBER


class UntrackedPoints(Points):
    """The same without the line in the card's own history of changes."""

    def run_one(self, env, item):
        super().run_one(env(context={"tracking_disable": True}), item)


def benchmarks(env):
    yield Benchmark(
        "a deduction from three allotments",
        "points and their history in sale_loyalty",
        1.5,
        Deduct(),
        Points(),
    )
    yield Benchmark(
        "the same deduction",
        "the same points, not tracked in the chatter",
        None,
        Deduct(),
        UntrackedPoints(),
    )
    yield Benchmark(
        "a deduction where 12 allotments are open",
        "one where 3 are",
        1.2,
        Deduct(months=11),
        Deduct(),
    )
