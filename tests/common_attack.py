"""What the attacks share: a customer with something of everything, who may try to get
at it, and how that is seen to have failed."""

import logging
import re
from collections import defaultdict
from contextlib import contextmanager
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields, http
from odoo.fields import Command
from odoo.sql_db import Cursor
from odoo.tests import new_test_user
from odoo.tools import SQL

from .common import call_rpc
from .common_http import Direct
from .common_sale import BOUGHT
from .test_subscription_portal import SubscriptionPortalCommon

MODULE = "helpdesk_paid_support"
#: Is part of every name that belongs to the customer.
SECRET = "Top secret"
#: Is part of the same names; where a page shows it as it is, it is a script (XSS).
SCRIPT = "<img src=x onerror=alert(1)>"
#: Statements after which the database is what it was.
HARMLESS = re.compile(
    r"\s*(SELECT|SAVEPOINT|RELEASE|WITH(?!.*\b(INSERT|UPDATE|DELETE|MERGE)\b))",
    re.IGNORECASE | re.DOTALL,
)
#: Who attacks. All but the public have a login of this name.
ROLES = ("public", "foreign", "own", "agent", "elsewhere", "accountant")
#: Who may do most things: all of sales, accounting, contacts and products, and every
#: ticket.
CLERK = (
    "base.group_partner_manager,sales_team.group_sale_manager,"
    "account.group_account_manager,product.group_product_manager,"
    "helpdesk_mgmt.group_helpdesk_user"
)


class AttackCommon(SubscriptionPortalCommon):
    """A customer with a subscription, incidents, tickets, a charge, money and orders.

    ``own`` is its portal user, ``foreign`` that of another customer, ``agent`` and
    ``accountant`` are of the company, ``elsewhere`` is an agent of another one.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.frozen():
            cls._set_up_secrets()
        cls.users = {
            "own": cls.user,
            "foreign": cls.other_user,
            "agent": cls._staff("agent", cls.company),
            "elsewhere": cls._staff(
                "elsewhere", cls.env["res.company"].create({"name": "Elsewhere"})
            ),
            "accountant": cls._staff(
                "accountant", cls.company, "account.group_account_invoice"
            ),
        }
        cls.env.flush_all()
        cls.env.invalidate_all()
        cls._count_writes()

    @classmethod
    def _count_writes(cls):
        """Count what may have changed something, whoever does it."""
        execute = Cursor.execute
        cls.writes = 0

        def counted(cr, query, *args, **kwargs):
            text = query.code if isinstance(query, SQL) else str(query)
            if not HARMLESS.match(text):
                cls.writes += 1
            return execute(cr, query, *args, **kwargs)

        cls.startClassPatcher(patch.object(Cursor, "execute", counted))

    @classmethod
    def frozen(cls):
        return freeze_time(BOUGHT)

    @classmethod
    def _staff(cls, login, company, groups="helpdesk_mgmt.group_helpdesk_user"):
        return new_test_user(
            cls.env,
            f"hps-{login}",
            groups=f"base.group_user,{groups}",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
            tz="UTC",
        )

    @classmethod
    def _set_up_secrets(cls):
        name = f"{SECRET} {SCRIPT}"
        cls.customer.write({"name": f"{name} customer", "email": "n@example.com"})
        cls.user.partner_id.name = f"{name} Nora"
        cls.sub = cls.bought()
        cls.sub.auto_renew = True
        cls.waiting = cls.sub._order_extra(2, cls.user.partner_id)
        cls.account = cls.incident_account()
        cls.account._adjust(5, f"{name} gift")
        cls.secret_ticket = cls._ticket(f"{name} ticket")
        cls.secret_ticket.incident_count = 2
        # The charge is settled from it.
        cls.money = cls.pay(200)
        product = cls.env.ref("helpdesk_paid_support.product_ticket_charge")
        product.taxes_id = [Command.clear()]
        cls.charge = (
            cls.env["helpdesk.ticket.charge"]
            .sudo()
            .create(
                {
                    "ticket_id": cls.secret_ticket.id,
                    "name": f"{name} charge",
                    "amount": 30,
                    "request_key": f"{SECRET} key",
                }
            )
        )
        cls.parking_team = cls.env["helpdesk.ticket.team"].create(
            {
                "name": "Parking",
                "company_id": cls.company.id,
                "incident_required": True,
                "incident_cost": 1000,
                "incident_shortage_policy": "park",
            }
        )
        cls.parked = cls._ticket(
            f"{name} parked", cls.user, team_id=cls.parking_team.id
        )
        cls.proposal = (
            cls.env["helpdesk.ticket.proposal"]
            .sudo()
            .create(
                {
                    "ticket_id": cls.parked.id,
                    "kind": "charge",
                    "amount": 20,
                    "name": f"{name} proposal",
                }
            )
        )
        cls.env["helpdesk.incident.reminder"]._queue_subscription(
            "ends", "attack", cls.sub
        )
        cls.env["helpdesk.incident.fault"].sudo()._record(cls.money, f"{SECRET} fault")
        drafts = cls.env["helpdesk.ticket.draft"].with_user(cls.user)
        cls.draft = drafts._keep({"subject": [f"{name} draft"]}, drafts).with_env(
            cls.env
        )

    @classmethod
    def _ticket(cls, name, user=None, **values):
        tickets = cls.env["helpdesk.ticket"]
        if user:
            tickets = tickets.with_user(user).sudo()
        return tickets.create(
            {
                "name": name,
                # HTML, in which a script would be no text.
                "description": SECRET,
                "partner_id": cls.user.partner_id.id,
                "team_id": cls.team.id,
                "company_id": cls.company.id,
                **values,
            }
        ).with_env(cls.env)

    def setUp(self):
        super().setUp()
        #: How much was written when what is to be undone began.
        self.began = None
        #: What the customer had, and when that was looked up.
        self.known = None
        self.before = self.state()

    # -- what must stay as it is -------------------------------------------------

    def state(self):
        """Return what the attacked customer has, as it is in the database; where
        nothing was written since that was looked up last, it is not looked up again."""
        self.env.flush_all()
        now = (type(self).writes, fields.Date.today())
        if self.known and self.known[0] == now:
            return self.known[1]
        state = self._look_up()
        # What is undone later on may be followed by as much of something else.
        if self.began in (None, now[0]) and type(self).writes == now[0]:
            self.known = now, state
        return state

    def _look_up(self):
        self.env.invalidate_all()
        customer, sub, charge = self.customer, self.sub, self.charge
        tickets = self.env["helpdesk.ticket"].with_context(active_test=False)
        return {
            "entries": self.account._statement_count(),
            "numbers": self.account._numbers(),
            "orders": [
                (order.id, order.state, order.amount_total) for order in self.orders()
            ],
            "subscription": (
                sub.auto_renew,
                sub.next_product_id.id,
                sub.date_end,
                sub.date_cancelled,
                sub.extra_incidents,
            ),
            "balance": customer._incident_account_balance(self.company),
            "draft": (self.draft.id, self.draft.subject),
            "charge": (charge.amount, charge.name, charge.state, charge.ticket_id.id),
            "proposal": (self.proposal.state, self.proposal.answer),
            "tickets": [
                (ticket.id, ticket.stage_id.id, ticket.incident_state)
                for ticket in tickets.search(
                    [
                        ("partner_id", "child_of", customer.id),
                        ("company_id", "=", self.company.id),
                    ]
                )
            ],
        }

    def assertUntouched(self):
        """R11.6, R3.1: the customer has what it had."""
        self.assertEqual(self.state(), self.before)

    @contextmanager
    def undone(self):
        """Undo in the end what was done meanwhile, by requests too."""
        self.env.flush_all()
        savepoint = self.env.cr.savepoint(flush=False)
        writes, outer = type(self).writes, self.began
        self.began = writes if outer is None else outer
        try:
            yield
        finally:
            self.env.invalidate_all(flush=False)
            self.env.transaction.clear()
            savepoint.close(rollback=True)
            type(self).writes, self.began = writes, outer

    @contextmanager
    def assertNoFault(self):
        """Check that nothing that a client sent was a fault to the server: an error in
        its log, with a traceback."""
        handler = Faults()
        logger = logging.getLogger("odoo")
        level = logger.level
        # Tests run with nothing but critical messages.
        logger.setLevel(logging.ERROR)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
        self.assertFalse(handler.found, "\n".join(handler.found))

    # -- who does it ------------------------------------------------------------

    def act_as(self, role):
        if role == "public":
            self.authenticate(None, None)
        else:
            login = self.users[role].login
            self.authenticate(login, login)
        self.opener.mount(f"{self.base_url()}/web/dataset/call_kw/", Direct())

    def token(self):
        return http.Request.csrf_token(self)

    def rpc(self, model, method, *args, **kwargs):
        """Call a method over JSON-RPC, as the web client does.

        :return: the result, and the name of the exception if there was one.
        """
        response = call_rpc(self, model, method, *args, **kwargs)
        if "error" in response:
            return None, response["error"]["data"]["name"].rpartition(".")[2]
        return response.get("result"), None

    # -- what can be attacked ------------------------------------------------------

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

    def own_models(self):
        """Return the models of this module that hold records, with all rights."""
        return {
            name: self.env[name].sudo()
            for name, model in self.env.registry.items()
            if model._original_module == MODULE and not model._abstract
        }

    @classmethod
    def own_fields(cls):
        """Return the fields that this module adds, of models that hold records, by the
        names of their models.

        :rtype: dict[str, list]
        """
        return {
            name: fields
            for name, model in sorted(cls.env.registry.items())
            if not model._abstract
            and (
                fields := [
                    field for field in model._fields.values() if field._module == MODULE
                ]
            )
        }


class Faults(logging.Handler):
    """Collects what is logged as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.found = []

    def emit(self, record):
        text = record.getMessage()
        if record.exc_info:
            text += f": {record.exc_info[1]!r}"
        self.found.append(text[:500])
