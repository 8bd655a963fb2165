import re
from collections import defaultdict

from freezegun import freeze_time

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common_sale import BOUGHT
from .test_subscription_portal import SubscriptionPortalCommon

MODULE = "helpdesk_paid_support"
#: Every address that this module answers, with the form that is posted to it. A new one
#: belongs here: `test_every_route_is_listed` says so.
ROUTES = {
    "/my/incidents": None,
    "/my/incidents/buy": None,
    "/my/incidents/buy/order": {"plan": "{plan}", "quantity": "1"},
    "/my/incidents/funds": None,
    "/my/incidents/funds/pay": {"amount": "10"},
    "/my/incidents/statement": None,
    "/my/incidents/statement/csv": None,
    "/my/incidents/statement/page/<int:page>": None,
    "/my/incidents/statement/print": None,
    "/my/incidents/subscription/<int:subscription_id>": None,
    "/my/incidents/subscription/<int:subscription_id>/auto_renew": {"value": "off"},
    "/my/incidents/subscription/<int:subscription_id>/change": {"plan": "{plan}"},
    "/my/incidents/subscription/<int:subscription_id>/extra": {"number": "1"},
    "/my/incidents/subscription/<int:subscription_id>/keep": {},
    "/my/incidents/subscription/<int:subscription_id>/prices": {
        "page": "extra",
        "number": "1",
    },
    "/my/incidents/subscription/<int:subscription_id>/renew": {"plan": "{plan}"},
    "/my/orders/<int:order_id>/pay_from_balance": {},
    "/my/ticket/<int:ticket_id>/withdraw": {},
    # Of other modules, with something added by this one.
    "/my/tickets": None,
    "/my/tickets/page/<int:page>": None,
    "/ticket/close": None,
    "/submitted/ticket": {
        "subject": "Mine",
        "description": "Mine",
        "team": "{team}",
        "partner_id": "{partner}",
    },
}
#: What portal users may read of their own customer (R14).
READABLE = {
    "helpdesk.incident.account",
    "helpdesk.incident.allotment",
    "helpdesk.incident.entry",
    "helpdesk.incident.subscription",
    "helpdesk.incident.subscription.term",
}
SECRET = "Top secret"


@tagged("post_install", "-at_install")
class TestPortalForeign(SubscriptionPortalCommon):
    """R11.6: a portal user of another customer gets nothing, by whatever way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with freeze_time(BOUGHT):
            cls._buy_and_use()

    @classmethod
    def _buy_and_use(cls):
        cls.customer.name = f"{SECRET} customer"
        cls.sub = cls.bought()
        cls.sub.auto_renew = True
        cls.waiting = cls.sub._order_extra(2, cls.user.partner_id)
        cls.incident_account()._adjust(5, f"{SECRET} gift")
        cls.secret_ticket = cls.env["helpdesk.ticket"].create(
            {
                "name": f"{SECRET} ticket",
                "description": "…",
                "partner_id": cls.user.partner_id.id,
                "team_id": cls.team.id,
                "company_id": cls.company.id,
            }
        )
        cls.secret_ticket.incident_count = 2
        product = cls.env.ref("helpdesk_paid_support.product_ticket_charge")
        product.taxes_id = [Command.clear()]
        charges = cls.env["helpdesk.ticket.charge"].sudo()
        cls.charge = charges.create(
            {
                "ticket_id": cls.secret_ticket.id,
                "name": f"{SECRET} charge",
                "amount": 30,
                "request_key": "foreign",
            }
        )
        cls.env["helpdesk.incident.reminder"]._queue_subscription(
            "ends", "foreign", cls.sub
        )
        cls.money = cls.pay(200)
        cls.env.flush_all()

    def setUp(self):
        super().setUp()
        self.before = self.state()

    def state(self):
        """Return what another customer must not be able to change."""
        self.env.invalidate_all()
        account = self.incident_account()
        return {
            "entries": account._statement_count(),
            "available": account.available,
            "orders": [
                (order.id, order.state, order.amount_total) for order in self.orders()
            ],
            "renew": (self.sub.auto_renew, self.sub.next_product_id, self.sub.date_end),
            "balance": self.customer._incident_account_balance(self.company),
            "tickets": self.env["helpdesk.ticket"].search_count(
                [("partner_id", "child_of", self.customer.id)]
            ),
            "stage": self.secret_ticket.stage_id,
        }

    # -- over the web ----------------------------------------------------------

    def own_routes(self):
        """Return the addresses that this module answers, or adds something to, each
        with its endpoints, as the server finds them.

        :rtype: dict[str, list]
        """
        prefix = f"odoo.addons.{MODULE}."
        routes = defaultdict(list)
        for path, endpoint in self.env["ir.http"]._generate_routing_rules(
            sorted(self.env.registry._init_modules), converters={}
        ):
            if any(
                cls.__module__.startswith(prefix) and endpoint.__name__ in cls.__dict__
                for cls in type(endpoint.func.__self__).mro()
            ):
                routes[path].append(endpoint)
        return dict(routes)

    def methods(self, endpoints):
        return {
            method
            for endpoint in endpoints
            for method in endpoint.routing["methods"] or ("GET", "POST")
        }

    def test_every_route_is_listed(self):
        """R11.6: whoever adds a page says here how others are kept out of it."""
        self.assertEqual(set(self.own_routes()), set(ROUTES))

    def test_routes(self):
        """R11.6: with ids of another customer, each page shows nothing of it and
        changes nothing."""
        ids = {
            "page": 1,
            "subscription_id": self.sub.id,
            "order_id": self.waiting.id,
            "tx_id": self.waiting.transaction_ids[:1].id or 1,
            "account_id": self.incident_account().id,
            "partner_id": self.customer.id,
            "ticket_id": self.secret_ticket.id,
            "stage_id": self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done").id,
        }
        words = {
            "plan": self.months.id,
            "team": self.team.id,
            "partner": self.user.partner_id.id,
        }
        query = "&".join(f"{name}={value}" for name, value in ids.items())
        for path, endpoints in self.own_routes().items():
            filled = re.sub(r"<int:(\w+)>", lambda match: str(ids[match[1]]), path)
            form = {
                name: value.format(**words)
                for name, value in (ROUTES[path] or {}).items()
            }
            with self.subTest(path=path):
                self.log_in("bella")
                if endpoints[0].routing["type"] == "jsonrpc":
                    self.assertFalse(self.make_jsonrpc_request(filled, form))
                    continue
                texts = []
                if "GET" in self.methods(endpoints):
                    texts.append(self.url_open(f"{filled}?{query}").text)
                if ROUTES[path] is not None:
                    self.assertIn("POST", self.methods(endpoints))
                    form["csrf_token"] = http.Request.csrf_token(self)
                    texts.append(self.url_open(filled, data={**ids, **form}).text)
                for text in texts:
                    self.assertNotIn(SECRET, text)
                    self.assertNotIn(self.waiting.name, text)
                    self.assertNotIn(self.secret_ticket.number, text)
                self.assertEqual(self.state(), self.before)

    def test_routes_need_a_login(self):
        """R11.6: nobody gets anything without one."""
        for path, endpoints in self.own_routes().items():
            with self.subTest(path=path):
                for endpoint in endpoints:
                    self.assertEqual(endpoint.routing["auth"], "user")

    def test_own_customer(self):
        """R11.6: the pages above are no empty ones: who may, sees all of it."""
        self.log_in()
        text = self.url_open("/my/incidents").text
        self.assertIn(f"{SECRET} gift", text)
        self.assertIn(self.waiting.name, text)
        self.assertIn(self.secret_ticket.number, text)

    # -- over RPC ------------------------------------------------------------------

    def own_models(self):
        """Return the models of this module that hold records."""
        return {
            name: self.env[name].sudo()
            for name, model in self.env.registry.items()
            if model._original_module == MODULE and not model._abstract
        }

    def test_models(self):
        """R11.6, R14: searching, reading, grouping, exporting: nothing."""
        for name, model in self.own_models().items():
            secrets = model.search([])
            for login, user in (("bella", self.other_user), ("nora", self.user)):
                own = login == "nora" and name in READABLE
                with self.subTest(model=name, login=login):
                    if own:
                        self.assertTrue(secrets)
                    self.assertEqual(self.found(model.with_user(user)), own)
                    for record in secrets:
                        self.assertEqual(self.readable(record.with_user(user)), own)

    def found(self, model):
        """Return whether any way of searching finds anything."""
        ways = (
            lambda: model.search([]),
            lambda: model.search([("id", ">", 0)]),
            lambda: model.search_count([]),
            lambda: model.search_read([], ["display_name"]),
            lambda: model.web_search_read([], {"display_name": {}})["length"],
            lambda: model.name_search(""),
            lambda: sum(
                group["__count"]
                for group in model.formatted_read_group([], [], ["__count"])
            ),
        )
        return self.any_of(ways)

    def readable(self, record):
        """Return whether any way of reading gives anything."""
        ways = (
            lambda: record.read(["id"]),
            lambda: record.read(self.own_fields(record)),
            lambda: record.web_read({"display_name": {}}),
            lambda: record.with_context(active_test=False).read(["display_name"]),
        )
        return self.any_of(ways)

    def own_fields(self, record):
        """Return the fields of this module that the user may know of."""
        return [
            name
            for name in record.fields_get()
            if record._fields[name]._module == MODULE
        ]

    def any_of(self, ways):
        given = set()
        for way in ways:
            self.env.invalidate_all()
            try:
                given.add(bool(way()))
            except AccessError:
                given.add(False)
        # All of them agree: none is a way around the others.
        self.assertEqual(len(given), 1)
        return given.pop()

    def test_nothing_can_be_exported(self):
        """R14: portal users export nothing, not even their own."""
        for model in self.own_models().values():
            for user in (self.user, self.other_user):
                with self.assertRaises(UserError):
                    model.search([]).with_user(user).export_data(["display_name"])

    def test_nothing_can_be_written(self):
        """R14, R3.1: portal users write nothing, not even their own."""
        values = {"res_model": "res.partner"}
        for name, model in self.own_models().items():
            for user in (self.user, self.other_user):
                with self.subTest(model=name, user=user.login):
                    with self.assertRaises(UserError):
                        model.with_user(user).create(dict(values))
                    for record in model.search([], limit=1).with_user(user):
                        with self.assertRaises(UserError):
                            record.write(dict(values))
                        with self.assertRaises(UserError):
                            record.unlink()
        self.assertEqual(self.state(), self.before)

    def test_follower_of_another_customer(self):
        """R11.6: who follows a ticket reads the ticket, nothing of incidents and money
        on it."""
        self.secret_ticket.message_subscribe(self.other_user.partner_id.ids)
        ticket = self.secret_ticket.with_user(self.other_user)
        self.env.invalidate_all()
        self.assertEqual(ticket.name, f"{SECRET} ticket")
        names = [
            name
            for name in ticket.fields_get()
            if name.startswith(("incident_", "charge_"))
        ]
        for name in names:
            self.assertFalse(ticket.read([name])[0][name], name)
