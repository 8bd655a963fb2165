from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_attack import MODULE, AttackCommon

#: Every address that this module answers, with the form that is posted to it. A new one
#: belongs here: `test_every_route_is_listed` says so.
ROUTES = {
    "/my/incidents": None,
    "/my/incidents/buy": None,
    "/my/incidents/buy/order": {"plan": "{plan}", "quantity": "1"},
    "/my/incidents/funds": None,
    "/my/incidents/funds/pay": {"amount": "10"},
    "/my/incidents/later": {"by_mail": "on"},
    "/my/incidents/purchases": None,
    "/my/incidents/purchases/page/<int:page>": None,
    "/my/incidents/settle": {"invoice": "{invoice}"},
    "/my/incidents/statement": None,
    "/my/incidents/statement/csv": None,
    "/my/incidents/statement/mail": {"wanted": "on"},
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
    "/my/incidents/topup": {"plan": "{plan}", "threshold": "3", "limit": "100"},
    "/my/incidents/topup/off": {},
    "/my/orders/<int:order_id>/pay_from_balance": {},
    "/my/ticket/<int:ticket_id>/contest": {},
    "/my/ticket/<int:ticket_id>/proposal/<int:proposal_id>": {"word": "Mine"},
    "/my/ticket/<int:ticket_id>/withdraw": {},
    "/new/ticket/discard": {"incident_draft": "{draft}"},
    "/new/ticket/incidents": {"subject": "Mine"},
    "/new/ticket/keep": {"subject": "Mine", "incident_draft": "{draft}"},
    # Of other modules, with something added by this one.
    "/my/tickets": None,
    "/my/tickets/page/<int:page>": None,
    "/ticket/close": {},
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


@tagged("post_install", "-at_install")
class TestPortalForeign(AttackCommon):
    """R11.6: a portal user of another customer gets nothing, by whatever way. What the
    pages do with the ids of others is in ``test_attack_routes.py``."""

    # -- over the web ----------------------------------------------------------

    def test_every_route_is_listed(self):
        """R11.6: whoever adds a page says here how others are kept out of it."""
        self.assertEqual(set(self.own_routes()), set(ROUTES))

    def test_routes_need_a_login(self):
        """R11.6: nobody gets anything without one."""
        for path, endpoints in self.own_routes().items():
            with self.subTest(path=path):
                for endpoint in endpoints:
                    self.assertEqual(endpoint.routing["auth"], "user")

    def test_own_customer(self):
        """R11.6: there is something to see: who may, sees all of it."""
        self.log_in()
        text = self.url_open("/my/incidents").text
        self.assertIn(" gift", text)
        self.assertIn(self.waiting.name, text)
        self.assertIn(self.secret_ticket.number, text)

    # -- over RPC ------------------------------------------------------------------

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
                        # Demo data are of others.
                        mine = own and record in model.with_user(user).search([])
                        self.assertEqual(self.readable(record.with_user(user)), mine)

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
            lambda: record.read(self.fields_of(record)),
            lambda: record.web_read({"display_name": {}}),
            lambda: record.with_context(active_test=False).read(["display_name"]),
        )
        return self.any_of(ways)

    def fields_of(self, record):
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
        self.assertUntouched()

    def test_follower_of_another_customer(self):
        """R11.6: who follows a ticket reads the ticket, nothing of incidents and money
        on it."""
        self.secret_ticket.message_subscribe(self.other_user.partner_id.ids)
        ticket = self.secret_ticket.with_user(self.other_user)
        self.env.invalidate_all()
        self.assertTrue(ticket.name.endswith(" ticket"))
        names = [
            name
            for name in ticket.fields_get()
            if name.startswith(("incident_", "charge_"))
        ]
        for name in names:
            self.assertFalse(ticket.read([name])[0][name], name)
