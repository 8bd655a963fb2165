"""What others build on this module (docs/development.md, “Seams”)."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from odoo.tests import tagged

import odoo.addons
from odoo.addons.helpdesk_paid_support.models.ledger.account_settle import Cause
from odoo.addons.helpdesk_paid_support.models.ledger.errors import NotEnoughIncidents
from odoo.addons.helpdesk_paid_support.models.ledger.helpdesk_incident_event import (
    PARAMETER,
)

from .common_concurrency import ConcurrencyCase


@tagged("post_install", "-at_install")
class TestSeams(ConcurrencyCase):
    """An add-on (``addon_seams``) with a kind of its own, another order of use, another
    document that takes incidents, another number for a ticket, and a handler of
    events."""

    addons = ("addon_seams",)

    @classmethod
    def setUpClass(cls):
        path = [*odoo.addons.__path__, str(Path(__file__).parent)]
        cls.startClassPatcher(patch.object(odoo.addons, "__path__", path))
        super().setUpClass()
        with cls.transaction(cls) as env:
            partner = env["res.partner"].create({"name": "Customer"})
            company = env.company
            company.partner_id.tz = "UTC"
            account = env["helpdesk.incident.account"]._of(partner, company, True)
            today = company._incident_today()
            account._settle(
                [
                    Cause(account, "goodwill:1", 3, "goodwill", "For your patience"),
                    Cause(
                        account,
                        "gift:1",
                        5,
                        "period",
                        "A month",
                        date_from=today,
                        date_to=today + timedelta(days=30),
                    ),
                ]
            )
            cls.partner_id, cls.account_id = partner.id, account.id

    def numbers(self, env):
        account = env["helpdesk.incident.account"].browse(self.account_id).sudo()
        self.assertEqual(account._check_ledger(), [])
        return {a.kind: (a.granted, a.used, a.lapsed) for a in account.allotment_ids}

    def test_seams(self):
        with self.transaction() as env:
            env["ir.config_parameter"].set_param(PARAMETER, "1")
            self.assertEqual(
                self.numbers(env), {"lifetime": (3, 0, 0), "period": (5, 0, 0)}
            )
        # Another document, another order: 3 lifetime incidents, then 1 of the month.
        with self.transaction() as env:
            account = env["helpdesk.incident.account"].browse(self.account_id)
            self.assertEqual(
                [(a.kind, n) for a, n in account._preview(4)],
                [("lifetime", 3), ("period", 1)],
            )
            visit = env["seams.visit"].create(
                {"name": "Visit", "partner_id": self.partner_id, "hours": 4}
            )
            self.assertEqual(
                self.numbers(env), {"lifetime": (3, 3, 0), "period": (5, 1, 0)}
            )
        with self.transaction() as env:
            visit = env["seams.visit"].search([("incident_count", ">", 3)])
            self.assertEqual((visit.name, visit.incident_count), ("Visit", 4))
            visit.incident_count = 2
            # Last taken, first returned (R5.1).
            self.assertEqual(
                self.numbers(env), {"lifetime": (3, 2, 0), "period": (5, 0, 0)}
            )
            entries = account.with_env(env).entry_ids
            self.assertEqual(
                set(entries.filtered(lambda e: e.effect == "uses").mapped("cause_key")),
                {f"seams.visit:{visit.id}"},
            )
        # Another number, of a ticket of a team that takes 1: 3, and no fourth.
        with self.transaction() as env:
            team = env["helpdesk.ticket.team"].create(
                {
                    "name": "Paid",
                    "incident_required": True,
                    "incident_on_staff_tickets": True,
                    "company_id": env.company.id,
                }
            )
            values = {
                "name": "Down",
                "description": "It is down",
                "team_id": team.id,
                "partner_id": self.partner_id,
            }
            tickets = env["helpdesk.ticket"]
            urgent = tickets.create({**values, "priority": "3"})
            self.assertEqual(urgent.incident_count, 3)
            self.assertEqual(tickets.create(values).incident_count, 1)
            with self.assertRaises(NotEnoughIncidents) as refused:
                tickets.create({**values, "priority": "3"})
            self.assertEqual(
                (refused.exception.needed, refused.exception.available), (3, 2)
            )
            env.cr.rollback()
        # Time that is kept elsewhere, and another reason to take nothing.
        with self.transaction() as env:
            team = env["helpdesk.ticket.team"].create(
                {
                    "name": "By time",
                    "incident_required": True,
                    "incident_unit": "time",
                    "company_id": env.company.id,
                }
            )
            ticket = env["helpdesk.ticket"].create({**values, "team_id": team.id})
            ticket.seams_hours = 2
            self.assertEqual((ticket.incident_count, ticket.incident_short), (2, 0))
            ticket.seams_free = True
            self.assertEqual(ticket.incident_count, 0)
            ticket.write({"seams_free": False, "incident_minutes": 1})
            self.assertEqual(ticket.incident_count, 3)
            self.numbers(env)
            env.cr.rollback()
        # A kind of its own that lapses.
        with self.transaction() as env:
            account = env["helpdesk.incident.account"].browse(self.account_id)
            account._lock()
            [month] = account.allotment_ids.filtered(lambda a: a.kind == "period")
            account._post_lines(
                [
                    {
                        "account_id": account.id,
                        "allotment_id": month.id,
                        "date": env.company._incident_today(),
                        "kind": "forfeit",
                        "quantity": -1,
                        "cause_key": "forfeit:1",
                        "name": "Forfeited",
                    }
                ]
            )
            self.assertEqual(self.numbers(env)["period"], (5, 0, 1))
            self.assertEqual(account._statement_figures()["lapsed"], 1)
        # What has happened, as the handler has heard of it: nothing of what was undone,
        # nor of what was before events were switched on.
        with self.transaction() as env:
            events = env["helpdesk.incident.event"].search([], order="id")
            self.assertEqual(
                [
                    (e.kind, e.quantity, e.balance_before, e.balance_after)
                    for e in events
                ],
                [
                    ("deduction", -4, 8, 4),
                    ("return", 2, 4, 6),
                    ("forfeit", -1, 6, 5),
                ],
            )
            notes = env["res.partner"].browse(self.partner_id).message_ids.sorted("id")
            self.assertIn("deduction -4: 8 to 4", str(notes.mapped("body")))
            self.assertIn("forfeit -1: 6 to 5", str(notes.mapped("body")))
