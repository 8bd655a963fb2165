import json
import re

from odoo.tests import tagged

from .common_attack import MODULE, SCRIPT, SECRET, AttackCommon
from .common_attack_core import (
    ANSWERED,
    CHANNELS,
    CORE_ROUTES,
    FRAMEWORK,
    REFUSED,
    WEB_ADDRESSES,
)
from .test_portal_foreign import ROUTES

LIST = "/my/incidents"
LOGIN = "/web/login"
#: What a logged-in user of no account gets with the ids of a customer: by GET and by
#: POST, "page" or the beginning of the address that it leads to; None: not allowed.
OUTCOMES = {
    "/my/incidents": ("page", "page"),
    "/my/incidents/buy": ("page", "page"),
    "/my/incidents/buy/order": (None, "/my/orders/"),
    "/my/incidents/funds": ("page", None),
    "/my/incidents/funds/pay": (None, "/payment/pay?"),
    "/my/incidents/later": ("/my/incidents", "/my/incidents"),
    "/my/incidents/purchases": ("page", "page"),
    "/my/incidents/purchases/page/<int:page>": ("page", "page"),
    "/my/incidents/settle": (None, LIST),
    "/my/incidents/statement": ("page", "page"),
    "/my/incidents/statement/csv": ("page", "page"),
    "/my/incidents/statement/mail": (
        "/my/incidents/statement",
        "/my/incidents/statement",
    ),
    "/my/incidents/statement/page/<int:page>": ("page", "page"),
    "/my/incidents/statement/print": ("page", "page"),
    "/my/incidents/subscription/<int:subscription_id>": (LIST, LIST),
    "/my/incidents/subscription/<int:subscription_id>/auto_renew": (None, LIST),
    "/my/incidents/subscription/<int:subscription_id>/change": (LIST, LIST),
    "/my/incidents/subscription/<int:subscription_id>/extra": (LIST, LIST),
    "/my/incidents/subscription/<int:subscription_id>/keep": (None, LIST),
    "/my/incidents/subscription/<int:subscription_id>/renew": (LIST, LIST),
    "/my/incidents/topup": ("page", "page"),
    "/my/incidents/topup/off": ("/my/incidents#topup", "/my/incidents#topup"),
    "/my/orders/<int:order_id>/pay_from_balance": (None, "/my"),
    "/my/ticket/<int:ticket_id>/contest": ("/my/tickets", "/my/tickets"),
    "/my/ticket/<int:ticket_id>/proposal/<int:proposal_id>": (
        "/my/tickets",
        "/my/tickets",
    ),
    "/my/ticket/<int:ticket_id>/withdraw": ("/my/tickets", "/my/tickets"),
    "/new/ticket/discard": (None, "/new/ticket"),
    "/new/ticket/incidents": (None, "page"),
    "/new/ticket/keep": (None, "/my/incidents/buy"),
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
            "proposal_id": self.proposal.id,
        }
        self.words = {
            "plan": self.months.id,
            "team": self.team.id,
            "invoice": self.charge.invoice_ids.id,
            "partner": self.user.partner_id.id,
            "draft": self.draft.id,
        }

    def address(self, path):
        return re.sub(
            r"<(?:[^:>]+:)?(\w+)>", lambda match: str(self.ids[match[1]]), path
        )

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

    # -- what core answers ------------------------------------------------------------

    def core_routes(self):
        """Return the addresses of the modules that this one depends on, as the server
        finds them, with an endpoint of each."""
        module = self.env["ir.module.module"].search([("name", "=", MODULE)])
        modules = module.upstream_dependencies(exclude_states=("uninstalled",))
        modules = set(modules.mapped("name")) - FRAMEWORK
        own = self.own_routes()
        return {
            path: endpoint
            for path, endpoint in self.env["ir.http"]._generate_routing_rules(
                sorted(self.env.registry._init_modules), converters={}
            )
            if self.module_of(endpoint) in modules
            and path not in own
            and not path.startswith(CHANNELS)
        }

    def module_of(self, endpoint):
        """Return the module that has an address first: others add to it."""
        return [
            cls.__module__.split(".")[2]
            for cls in type(endpoint.func.__self__).mro()
            if endpoint.__name__ in cls.__dict__
        ][-1]

    def test_every_route_of_core_is_listed(self):
        """R11.6: whatever core answers, somebody has looked at what others get."""
        self.assertEqual(set(self.core_routes()), set(CORE_ROUTES))

    def test_core(self):
        """R11.6, R8.3: who is not logged in, and the users of other customers, neither
        see nor change anything by what core answers."""
        self._set_up_documents()
        endpoints = self.core_routes()
        before = self.documents()
        for role in ("public", "foreign"):
            self.act_as(role)
            for path, (wanted, params) in CORE_ROUTES.items():
                for method in self.methods_of(endpoints[path]):
                    with self.subTest(role=role, path=path, method=method):
                        answer, text = self.ask(path, method, params)
                        if role == "public" and answer.startswith(LOGIN):
                            answer = wanted
                        if wanted.startswith("/"):
                            answer = answer[: len(wanted)]
                        self.assertEqual(answer, wanted)
                        self.assertNothingOf(text)
            for address in WEB_ADDRESSES:
                with self.subTest(role=role, address=address):
                    response = self.url_open(address.format(**self.ids))
                    self.assertNothingOf(response.text)
            # Not one by one: to look at everything takes longer than to ask.
            self.assertEqual(self.documents(), before)

    def test_core_has_something_to_show(self):
        """R11.6: the customer's own user sees the documents that others do not."""
        self._set_up_documents()
        self.act_as("own")
        for path, name in (
            ("/my/orders/<int:order_id>", self.waiting.name),
            ("/my/invoices/<int:invoice_id>", self.charge.invoice_ids.name),
            ("/my/ticket/<int:ticket_id>", SECRET),
        ):
            self.assertIn(name, self.url_open(self.address(path)).text)
        _answer, text = self.ask(
            "/mail/thread/messages", "JSON", CORE_ROUTES["/mail/thread/messages"][1]
        )
        self.assertIn(SECRET, text)

    def _set_up_documents(self):
        """What of the customer's documents others could ask for."""
        ticket, contact = self.secret_ticket, self.user.partner_id
        self.attachment = self.env["ir.attachment"].create(
            {
                "name": f"{SECRET}.txt",
                "raw": SECRET.encode(),
                "res_model": ticket._name,
                "res_id": ticket.id,
            }
        )
        message = ticket.message_post(
            body=SECRET, message_type="comment", subtype_xmlid="mail.mt_comment"
        )
        method = self.demo.payment_method_ids[:1]
        self.card = (
            self.env["payment.token"]
            .sudo()
            .create(
                {
                    "provider_id": self.demo.id,
                    "payment_method_id": method.id,
                    "provider_ref": "card",
                    "partner_id": contact.id,
                    "demo_simulated_state": "done",
                }
            )
        )
        ticket.message_subscribe(contact.ids)
        # Core compares tokens with that of the document, which must have one.
        ticket._portal_ensure_token()
        of_other = self.quotation(self.pack, customer=self.other_user.partner_id)
        country = self.env.ref("base.de")
        token = of_other._portal_ensure_token()
        self.ids |= {
            "access_token": token,
            "attachment_id": self.attachment.id,
            "attachments": self.attachment.id,
            "card_id": self.card.id,
            "company_id": self.company.id,
            "contact_id": contact.id,
            "country": country.id,
            "country_id": country.id,
            "currency_id": self.company.currency_id.id,
            "document_id": 1,
            "filetype": "pdf",
            "follower_id": ticket.message_follower_ids[:1].id,
            "height": 50,
            "invoice_id": self.charge.invoice_ids.id,
            "invoices": self.charge.invoice_ids.id,
            "journal_id": self.bank.id,
            "line_id": self.waiting.order_line[:1].id,
            "login": self.user.login,
            "me_id": self.other_user.partner_id.id,
            "message_id": message.id,
            "method_id": method.id,
            "moves": self.charge.invoice_ids.id,
            "pricelist_id": self.waiting.pricelist_id.id or 1,
            "product_id": self.months.id,
            "provider_id": self.demo.id,
            "res_id": message.id,
            "template_id": self.months.product_tmpl_id.id,
            "ticket_id": ticket.id,
            "token": token,
            "width": 50,
        }

    def documents(self):
        """Return what core could change of the customer's documents and contacts."""
        state = self.state()
        invoice, contact = self.charge.invoice_ids, self.user.partner_id
        records = (self.waiting, invoice, self.secret_ticket, self.sub, self.customer)
        transactions = self.env["payment.transaction"].sudo()
        return {
            **state,
            "lines": [
                (line.id, line.product_uom_qty, line.price_unit, line.discount)
                for line in self.orders().order_line
            ],
            "signed": (self.waiting.signed_by, self.waiting.signed_on),
            "invoice": (invoice.state, invoice.amount_residual),
            "threads": [
                (record.message_ids.ids, record.message_partner_ids.ids)
                for record in (*records, contact)
            ],
            "contact": contact.read(["name", "email", "street", "active"]),
            "login": (self.user.login, self.user.active),
            "attachment": self.attachment.exists().read(["name", "thumbnail"]),
            "card": self.card.active,
            "transactions": transactions.search([]).ids,
        }

    def methods_of(self, endpoint):
        if endpoint.routing["type"] == "jsonrpc":
            return ["JSON"]
        # One that takes both does the same with both.
        return endpoint.routing["methods"] or ["GET"]

    def ask(self, path, method, params):
        """Send a request with ids of the customer.

        :return: what it leads to, an address or a sign of the table, and the text.
        :rtype: tuple[str, str]
        """
        address, params = self.address(path), self.filled(params)
        if method == "JSON":
            answer = self.url_open(address, json={"params": params}, timeout=60).json()
            code = answer.get("error", {}).get("code")
            led = {None: ANSWERED, 100: LOGIN}.get(code, REFUSED)
            return led, json.dumps(answer.get("result"))
        params = {
            name: json.dumps(value) if isinstance(value, dict) else value
            for name, value in params.items()
        }
        options = {"params": params}
        if method == "POST":
            options = {"data": {**params, "csrf_token": self.token()}}
            if path.endswith("/upload"):
                options["files"] = [("ufile", ("x.txt", b"x", "text/plain"))]
        response = self.url_open(address, allow_redirects=False, timeout=60, **options)
        if response.status_code >= 400:
            return REFUSED, response.text
        return self.outcome(response).replace("page", ANSWERED), response.text

    def filled(self, value):
        """Return parameters of a table with the ids of the customer."""
        if isinstance(value, dict):
            return {name: self.filled(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.filled(part) for part in value]
        if isinstance(value, str) and value.startswith("{"):
            return self.ids[value[1:-1]]
        return value

    def assertNothingOf(self, text):
        """R11.6: no name and no number of the customer."""
        for secret in (
            SECRET,
            self.secret_ticket.number,
            self.waiting.name,
            self.charge.invoice_ids.name,
        ):
            self.assertNotIn(secret, text)

    def test_contact(self):
        """R3.1, R2.2: what customers say of themselves is their address, and nothing
        that decides on incidents, money, or whose contact it is."""
        self.act_as("own")
        contact, customer = self.user.partner_id, self.customer
        country = self.env.ref("base.de").id
        names = {field.name for field in self.own_fields()["res.partner"]}
        # That he has typed his address himself is noted (R11.3).
        names.remove("incident_email_declared")
        names |= {
            "active",
            "commercial_partner_id",
            "company_id",
            "credit_limit",
            "id",
            "is_company",
            "parent_id",
            "property_account_position_id",
            "property_payment_term_id",
            "property_product_pricelist",
            "ref",
            "signup_token",
            "specific_property_product_pricelist",
            "tz",
            "user_ids",
        }
        read = sorted(names & set(contact._fields))
        before = [record.sudo().read(read) for record in (contact, customer)]
        address = {**CORE_ROUTES["/my/address/submit"][1], "partner_id": contact.id}
        form = {
            **dict.fromkeys(names, str(self.other_customer.id)),
            **address,
            "country_id": country,
            "csrf_token": self.token(),
        }
        response = self.url_open("/my/address/submit", data=form, timeout=60)
        self.assertIn("redirectUrl", response.json())
        self.env.invalidate_all()
        self.assertEqual(contact.name, "Eve")
        self.assertTrue(contact.sudo().incident_email_declared)
        after = [record.sudo().read(read) for record in (contact, customer)]
        self.assertEqual(after, before)
        self.assertUntouched()
