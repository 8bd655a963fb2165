from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.helpdesk_mgmt.controllers.main import HelpdeskTicketController

from .common import call_rpc
from .test_mail_gateway import MESSAGE
from .test_portal import PortalCommon

#: Priority, category, outside working hours; and what such a ticket takes (R16.1): of
#: two rules that apply the higher number counts.
TABLE = [
    ("1", None, False, 1),
    ("3", None, False, 2),
    ("1", "Billing", False, 0),
    ("3", "Billing", False, 2),
    ("1", None, True, 3),
    ("3", None, True, 3),
    ("1", "Billing", True, 3),
]
URGENT = "Very High"


@tagged("post_install", "-at_install")
class TestTeamRulesWays(PortalCommon):
    """R16.2: a ticket takes the same in whichever way it comes in: urgent ones 2,
    questions about bills nothing, those outside the working hours 3."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.billing = cls.env["helpdesk.ticket.category"].create(
            {"name": "Billing", "show_in_portal": True, "company_id": cls.company.id}
        )
        cls.company.helpdesk_mgmt_portal_select_category = True
        cls.team = cls.paid_team
        cls.team.incident_rule_ids = [
            Command.create({"priority": "3", "incident_cost": 2}),
            Command.create({"category_ids": cls.billing.ids, "incident_cost": 0}),
            Command.create({"outside_hours": True, "incident_cost": 3}),
        ]
        # Of no hour at all: it is always outside.
        cls.calendar = cls.env["resource.calendar"].create(
            {"name": "Closed", "attendance_ids": [Command.clear()]}
        )
        domain = cls.env["mail.alias.domain"].create({"name": "provider.test"})
        cls.team.alias_id.write({"alias_name": "ways", "alias_domain_id": domain.id})
        cls.user.partner_id.email = "nora@northwind.test"
        cls.agent = new_test_user(
            cls.env,
            "hps-agent",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
        )

    def check(self, way, before=None):
        """Let a ticket of each line of the table come in, and look what it takes.

        :param way: makes a ticket of these values, a category as a record.
        :param before: looks, with the same and the number, before that.
        """
        account = self.give(99)
        tickets = self.env["helpdesk.ticket"]
        for priority, category, outside, number in TABLE:
            values = (priority, self.billing if category else self.billing.browse())
            with self.subTest(way=way.__name__, row=(priority, category, outside)):
                self.team.incident_calendar_id = outside and self.calendar
                left, known = account.available, tickets.search([])
                if before:
                    before(*values, number)
                way(*values)
                self.env.invalidate_all()
                [ticket] = tickets.search([]) - known
                self.assertEqual(ticket.priority, priority)
                self.assertEqual(ticket.category_id, values[1])
                self.assertEqual(ticket.incident_count, number)
                self.assertEqual(account.available, left - number)
        # R16.4: what changes later takes nothing by itself; the form says what is more.
        ticket = tickets.search([], order="id desc", limit=1)
        self.team.incident_calendar_id = False
        ticket.write({"incident_count": 1, "category_id": False, "priority": "1"})
        self.assertEqual((ticket.incident_more, ticket.incident_notice), (0, False))
        ticket.priority = "3"
        self.assertEqual((ticket.incident_count, ticket.incident_more), (1, 1))
        self.assertIn("Takes 2 by now: 1 more.", ticket.incident_notice)

    def fields_of_add_ons(self):
        """Let an add-on bring the priority to the form of the portal."""
        prepare = HelpdeskTicketController._prepare_submit_ticket_vals

        def with_priority(controller, **kw):
            values = prepare(controller, **kw)
            return {**values, "priority": kw.get("priority") or "1"}

        return patch.object(
            HelpdeskTicketController, "_prepare_submit_ticket_vals", with_priority
        )

    def portal(self, priority, category):
        self.submit(team=self.team.id, priority=priority, category=category.id or "")

    def test_portal(self):
        """R16.3: the notice says it before, as the form is filled in; and without
        JavaScript the list of the rules."""

        def said(priority, category, number):
            page = self.page(
                "/new/ticket/incidents",
                data={
                    "csrf_token": self.csrf_token(),
                    "team": self.team.id,
                    "priority": priority,
                    "category": category.id or "",
                },
            )
            notice = self.text(page, f"//*[@data-team-id='{self.team.id}']")
            self.assertIn(
                f"{number} support incident" if number else "no support incidents",
                notice,
            )

        self.authenticate("hps-nora", "hps-nora")
        with self.fields_of_add_ons():
            self.check(self.portal, before=said)

    def test_portal_without_script(self):
        def listed(_priority, _category, _number):
            rules = self.page("/new/ticket").xpath(
                f"//*[@data-team-id='{self.team.id}']/noscript/ul/li/text()"
            )
            self.assertEqual(
                rules,
                ["outside working hours: 3", f"{URGENT}: 2", "Billing: 0"],
            )

        self.authenticate("hps-nora", "hps-nora")
        with self.fields_of_add_ons():
            self.check(self.portal, before=listed)

    def csrf_token(self):
        return self.page("/new/ticket").xpath("//input[@name='csrf_token']/@value")[0]

    def test_mail(self):
        """R16.3: from what is known on arrival: what the alias says."""
        numbers = iter(range(99))

        def by_mail(priority, category):
            self.team.alias_id.alias_defaults = str(
                {
                    "team_id": self.team.id,
                    "priority": priority,
                    "category_id": category.id,
                }
            )
            message = MESSAGE.format(
                id=f"ways.{next(numbers)}@northwind.test",
                sender="nora@northwind.test",
                to="ways@provider.test",
                subject="It does not work",
                headers="",
            )
            self.env["mail.thread"].message_process("helpdesk.ticket", message)

        self.check(by_mail)

    def by_rpc(self, priority, category, **values):
        answer = call_rpc(
            self,
            "helpdesk.ticket",
            "create",
            {
                "name": "It does not work",
                "description": "Please help",
                "team_id": self.team.id,
                "partner_id": self.user.partner_id.id,
                "priority": priority,
                "category_id": category.id,
                **values,
            },
        )
        self.assertIn("result", answer, answer)

    def test_rpc_of_a_portal_user(self):
        """R16.2: Odoo lets portal users make no tickets over RPC; where an add-on does,
        they take the same."""
        self.authenticate("hps-nora", "hps-nora")
        answer = call_rpc(self, "helpdesk.ticket", "create", {"name": "x"})
        self.assertIn("AccessError", str(answer["error"]))
        self.env["ir.model.access"].create(
            {
                "name": "Portal users make tickets",
                "model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "group_id": self.env.ref("base.group_portal").id,
                "perm_read": True,
                "perm_create": True,
            }
        )

        def by_rpc_with_a_number(*values):
            # The next number is not theirs to take.
            self.by_rpc(*values, number="HT-R")

        self.check(by_rpc_with_a_number)

    def test_rpc_of_staff(self):
        """R4.4: where the team deducts on tickets opened by staff."""
        self.team.incident_on_staff_tickets = True
        self.authenticate("hps-agent", "hps-agent")
        self.check(self.by_rpc)

    def test_import(self):
        """R16.2: Odoo's import of a file, with names as people write them."""
        self.team.incident_on_staff_tickets = True
        names = ["name", "description", "team_id", "partner_id", "category_id"]
        labels = dict(
            self.env["helpdesk.ticket"]
            ._fields["priority"]
            ._description_selection(self.env)
        )
        self.assertEqual(labels["3"], URGENT)

        def imported(priority, category):
            row = [
                *("It does not work", "Please help", self.team.name),
                *(self.user.partner_id.display_name, category.display_name or ""),
                labels[priority],
            ]
            lines = [[*names, "priority"], row]
            text = "\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)
            wizard = (
                self.env["base_import.import"]
                .with_user(self.agent)
                .create(
                    {
                        "res_model": "helpdesk.ticket",
                        "file": text.encode(),
                        "file_name": "tickets.csv",
                        "file_type": "text/csv",
                    }
                )
            )
            options = {"quoting": '"', "separator": ",", "has_headers": True}
            answer = wizard.execute_import(
                [*names, "priority"], [*names, "priority"], options
            )
            self.assertTrue(answer["ids"], answer)

        self.check(imported)
