from contextlib import contextmanager
from datetime import date

from freezegun import freeze_time

from odoo.exceptions import UserError
from odoo.tests import new_test_user

from odoo.addons.helpdesk_paid_support.models.ledger.account_settle import Cause

from .common_ledger import LedgerCase
from .common_prepared import wake

#: The day on which the tests play, unless they say otherwise.
TODAY = date(2027, 4, 20)


def call_rpc(case, model, method, *args, **kwargs):
    """Call a method over JSON-RPC, as the web client does.

    :param case: an ``HttpCase`` that has logged in.
    :return: the answer, with a ``result`` or an ``error``.
    :rtype: dict
    """
    return case.url_open(
        f"/web/dataset/call_kw/{model}/{method}",
        json={
            "params": {"model": model, "method": method, "args": args, "kwargs": kwargs}
        },
        timeout=60,
    ).json()


def default_settings(company):
    """Set what demo data, or whoever owns the database, may have set otherwise."""
    names = [
        name
        for name, field in company._fields.items()
        if name.startswith("incident_") and field.store and field.type != "one2many"
    ]
    company.write({name: False for name in names} | company.default_get(names))
    company.incident_low_threshold = 0
    company.helpdesk_mgmt_portal_select_category = False


def hide_from_customers(env):
    """Let customers choose no paid team and buy no plan of demo data, or of whoever
    owns the database."""
    plans = env["product.template"].search([("incident_kind", "!=", "none")])
    plans.write({"incident_portal_published": False, "active": False})
    teams = env["helpdesk.ticket.team"].search([("incident_required", "=", True)])
    teams.active = False


class PaidSupportCommon(LedgerCase):
    """A company, customers with portal users, staff of each role, and teams."""

    @classmethod
    def setUpClass(cls):
        if not wake(cls, "people", above=PaidSupportCommon):
            super().setUpClass()
            cls.build_people()
        cls.company = cls.env.company
        cls.company.partner_id.tz = "UTC"
        default_settings(cls.company)
        hide_from_customers(cls.env)
        cls.account_model = cls.env["helpdesk.incident.account"]
        cls.entry_model = cls.env["helpdesk.incident.entry"]

        cls.free_team, cls.paid_team, cls.emergency_team = cls.env[
            "helpdesk.ticket.team"
        ].create(
            [
                {"name": "Questions"},
                {"name": "Support", "incident_required": True},
                {"name": "Emergency", "incident_required": True, "incident_cost": 3},
            ]
        )

    @classmethod
    def build_people(cls):
        # Demo data have the company give to new clients.
        given = cls.env.company.incident_registration_quantity
        cls.env.company.incident_registration_quantity = 0
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        partners = cls.env["res.partner"].create(
            [
                {"name": "Northwind", "is_company": True, "email": "n@example.com"},
                {"name": "Blue Bakery", "is_company": True, "email": "b@example.com"},
            ]
        )
        cls.customer, cls.other_customer = partners
        cls.portal_user = cls._portal_user("nora", cls.customer)
        cls.colleague = cls._portal_user("nils", cls.customer)
        cls.other_portal_user = cls._portal_user("bella", cls.other_customer)

        def staff(login, groups):
            return new_test_user(
                cls.env, f"hps-{login}", groups=f"base.group_user,{groups}"
            )

        cls.agent_own = staff("own", "helpdesk_mgmt.group_helpdesk_user_own")
        cls.agent_team = staff("team", "helpdesk_mgmt.group_helpdesk_user_team")
        cls.agent = staff("agent", "helpdesk_mgmt.group_helpdesk_user")
        cls.charger = staff("charger", "helpdesk_paid_support.group_ticket_charge")
        cls.manager = staff("manager", "helpdesk_mgmt.group_helpdesk_manager")
        cls.accountant = staff("accountant", "account.group_account_invoice")
        cls.employee = staff("employee", "base.group_user")
        cls.env.company.incident_registration_quantity = given

    @classmethod
    def _portal_user(cls, login, customer):
        return new_test_user(
            cls.env,
            f"hps-{login}",
            groups="base.group_portal",
            name=login.title(),
            parent_id=customer.id,
        )

    def setUp(self):
        super().setUp()
        self.startPatcher(freeze_time(TODAY))

    # -- shortcuts -------------------------------------------------------

    @classmethod
    def account(cls, customer=None, company=None):
        return cls.account_model._of(
            customer or cls.customer, company or cls.company, create=True
        )

    @classmethod
    def give_lifetime(cls, quantity, customer=None):
        account = cls.account(customer)
        account._adjust(quantity, "A gift")
        return account

    @classmethod
    def give_period(cls, quantity, date_from, date_to, key=None, customer=None):
        """Give ``quantity`` incidents for a window, through the verb."""
        account = cls.account(customer)
        key = key or f"test:{account.id}:{date_from}:{date_to}:{cls._next_key()}"
        cls.settle(key, quantity, account, date_from, date_to)
        return cls.env["helpdesk.incident.allotment"].search([("cause_key", "=", key)])

    _keys = 0

    @classmethod
    def _next_key(cls):
        PaidSupportCommon._keys += 1
        return PaidSupportCommon._keys

    @classmethod
    def settle(
        cls,
        key,
        target,
        account=None,
        date_from=None,
        date_to=None,
        kind=None,
        **values,
    ):
        return cls.account_model._settle(
            [
                Cause(
                    account=account or cls.account(),
                    key=key,
                    target=target,
                    kind=kind or ("period" if date_from else "purchase"),
                    name="A plan",
                    date_from=date_from,
                    date_to=date_to,
                    **values,
                )
            ]
        )

    @classmethod
    def ticket(cls, team=None, partner=None, user=None, **values):
        """Open a ticket: as staff by default, as ``user`` if given.

        A portal user opens it as the portal form does, with superuser rights."""
        ticket_model = cls.env["helpdesk.ticket"]
        if user:
            ticket_model = ticket_model.with_user(user).sudo()
        return ticket_model.create(
            {
                "name": "It does not work",
                "description": "Please help",
                "team_id": (team or cls.paid_team).id,
                "partner_id": (partner or cls.portal_user.partner_id).id,
                "user_id": False,
                **values,
            }
        ).with_env(cls.env)

    # -- assertions ------------------------------------------------------

    @contextmanager
    def assertRefused(self, words):
        """Check that a clear error with these words is raised; roll it back."""
        with self.assertRaises(UserError) as caught:
            yield
        self.assertRegex(str(caught.exception), words)

    def kinds(self, account=None):
        """Return kind and quantity of the entries, oldest first."""
        entries = self.entry_model.search(
            [("account_id", "=", (account or self.account()).id)], order="id"
        )
        return [(entry.kind, entry.quantity) for entry in entries]
