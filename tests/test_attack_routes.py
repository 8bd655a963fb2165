import re

from odoo.tests import tagged

from .common_attack import SCRIPT, SECRET, AttackCommon
from .test_portal_foreign import ROUTES

LIST = "/my/incidents"
#: What a logged-in user of no account gets with the ids of a customer: by GET and by
#: POST, "page" or the beginning of the address that it leads to; None: not allowed.
OUTCOMES = {
    "/my/incidents": ("page", "page"),
    "/my/incidents/buy": ("page", "page"),
    "/my/incidents/buy/order": (None, "/my/orders/"),
    "/my/incidents/funds": ("page", None),
    "/my/incidents/funds/pay": (None, "/payment/pay?"),
    "/my/incidents/statement": ("page", "page"),
    "/my/incidents/statement/csv": ("page", "page"),
    "/my/incidents/statement/page/<int:page>": ("page", "page"),
    "/my/incidents/statement/print": ("page", "page"),
    "/my/incidents/subscription/<int:subscription_id>": (LIST, LIST),
    "/my/incidents/subscription/<int:subscription_id>/auto_renew": (None, LIST),
    "/my/incidents/subscription/<int:subscription_id>/change": (LIST, LIST),
    "/my/incidents/subscription/<int:subscription_id>/extra": (LIST, LIST),
    "/my/incidents/subscription/<int:subscription_id>/keep": (None, LIST),
    "/my/incidents/subscription/<int:subscription_id>/renew": (LIST, LIST),
    "/my/orders/<int:order_id>/pay_from_balance": (None, "/my"),
    "/my/ticket/<int:ticket_id>/withdraw": ("/my/tickets", "/my/tickets"),
    "/my/tickets": ("page", "page"),
    "/my/tickets/page/<int:page>": ("page", "page"),
    "/ticket/close": ("/my/tickets", "/my/tickets"),
    # Its customer has no incidents: the form says so.
    "/submitted/ticket": ("/new/ticket", "page"),
}
#: Who is of the company's staff: they open tickets for nothing (R4.4), and list those
#: that they work on (R14).
STAFF = ("agent", "accountant")
STAFF_OUTCOMES = {"/submitted/ticket": ("/new/ticket", "/my/ticket/")}


@tagged("post_install", "-at_install")
class TestAttackRoutes(AttackCommon):
    """R11.6: every address of this module, as everybody, with the ids of a customer."""

    def setUp(self):
        super().setUp()
        done = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        self.ids = {
            "page": 1,
            "subscription_id": self.sub.id,
            "order_id": self.waiting.id,
            "tx_id": self.waiting.transaction_ids[:1].id or 1,
            "account_id": self.account.id,
            "partner_id": self.customer.id,
            "ticket_id": self.parked.id,
            "ticket": self.parked.id,
            "stage_id": done.id,
        }
        self.words = {
            "plan": self.months.id,
            "team": self.team.id,
            "partner": self.user.partner_id.id,
        }

    def address(self, path):
        return re.sub(r"<int:(\w+)>", lambda match: str(self.ids[match[1]]), path)

    def form(self, path):
        return {
            **self.ids,
            **{
                name: value.format(**self.words)
                for name, value in (ROUTES[path] or {}).items()
            },
        }

    def http_routes(self):
        """Return the addresses that are no JSON-RPC."""
        return {
            path: endpoints
            for path, endpoints in self.own_routes().items()
            if endpoints[0].routing["type"] == "http"
        }

    def send(self, path, post=False, token=True):
        """Send a request with all ids of the customer, and return what it leads to."""
        form = self.form(path)
        if post and token:
            form["csrf_token"] = self.token()
        return self.url_open(
            self.address(path),
            allow_redirects=False,
            timeout=60,
            **({"data": form} if post else {"params": form}),
        )

    def outcome(self, response):
        if response.status_code == 405:
            return None
        if response.status_code == 200:
            return "page"
        return response.headers["Location"].removeprefix(self.base_url())

    # -- who gets what ------------------------------------------------------------

    def test_every_route_is_listed(self):
        """R11.6: whoever adds a page says what others get of it."""
        self.assertEqual(set(self.http_routes()), set(OUTCOMES))

    def test_others(self):
        """R11.6, R14: nobody but the customer's own users sees anything of it there, or
        changes anything."""
        for role in ("foreign", "agent", "elsewhere", "accountant"):
            self.act_as(role)
            for path, expected in OUTCOMES.items():
                if role in STAFF:
                    expected = STAFF_OUTCOMES.get(path, expected)
                with self.subTest(role=role, path=path), self.undone():
                    for post, wanted in enumerate(expected):
                        # One page that takes both does the same with both.
                        if post and expected == ("page", "page"):
                            continue
                        with self.assertNoFault():
                            response = self.send(path, bool(post))
                        outcome = self.outcome(response)
                        if wanted and outcome:
                            outcome = outcome[: len(wanted)]
                        self.assertEqual(outcome, wanted)
                        self.assertNotIn(SCRIPT, response.text)
                        self.assertNotIn(self.waiting.name, response.text)
                        if not (role in STAFF and path.startswith("/my/tickets")):
                            self.assertNotIn(SECRET, response.text)
                            self.assertNotIn(self.secret_ticket.number, response.text)
                    self.assertUntouched()
            for path in set(ROUTES) - set(OUTCOMES):
                answer = self.make_jsonrpc_request(self.address(path), ROUTES[path])
                self.assertFalse(answer)

    def test_public(self):
        """R11.6: who is not logged in is asked to, and nothing happens."""
        self.act_as("public")
        for path, endpoints in self.own_routes().items():
            if endpoints[0].routing["type"] == "jsonrpc":
                response = self.url_open(self.address(path), json={"params": {}})
                self.assertEqual(response.json()["error"]["code"], 100)
                continue
            for post in (False, True):
                with self.subTest(path=path, post=post):
                    outcome = self.outcome(self.send(path, post))
                    wanted = "/web/login?" if OUTCOMES[path][post] else None
                    self.assertEqual(outcome and outcome[: len("/web/login?")], wanted)
        self.assertUntouched()

    # -- requests that the customer never made ----------------------------------------

    def test_get_changes_nothing(self):
        """R11.6: what another page makes the customer's browser fetch, an image or a
        link, changes nothing."""
        self.act_as("own")
        for path in OUTCOMES:
            with self.subTest(path=path), self.undone():
                self.assertIn(self.send(path).status_code, (200, 302, 303, 405))
                self.assertUntouched()

    def test_buttons_that_close_tickets(self):
        """R11.6: those of helpdesk_mgmt send forms with a token."""
        page = self.env.ref("helpdesk_mgmt.portal_helpdesk_ticket_page")
        [form] = page._get_combined_arch().xpath(
            "//form[@t-attf-action='/ticket/close']"
        )
        self.assertEqual(form.get("method"), "post")
        self.assertTrue(form.xpath("input[@name='csrf_token'][@t-att-value]"))

    def test_post_needs_a_token(self):
        """R11.6: what another page makes the customer's browser send is refused."""
        self.act_as("own")
        for path, (_get, post) in OUTCOMES.items():
            for token in (None, f"{'0' * 40}o{'9' * 10}"):
                with self.subTest(path=path, token=token), self.undone():
                    form = self.form(path)
                    if token is not None:
                        form["csrf_token"] = token
                    with self.assertNoFault():
                        response = self.url_open(
                            self.address(path), data=form, allow_redirects=False
                        )
                    self.assertEqual(response.status_code, 400 if post else 405)
        self.assertUntouched()
