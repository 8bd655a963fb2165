"""R4.7: a form that is sent twice makes one ticket, at a server with two workers."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from unittest import skipUnless

from lxml import html

from odoo.tests import new_test_user, tagged
from odoo.tools import config

from .common_concurrency import ConcurrencyCase

try:
    from _server import Customer, Server
except ImportError:  # installed without its developer commands
    Server = None

#: How often a form is sent at once.
TIMES = 3


@tagged("post_install", "-at_install")
@skipUnless(Server, "dev/ is not there")
class TestFormTwice(ConcurrencyCase):
    """R4.7, R3.6: whoever comes second finds the ticket of the first."""

    def setUp(self):
        super().setUp()
        with self.transaction() as env:
            company = env.company
            company.write(
                {
                    "helpdesk_mgmt_portal_select_team": True,
                    "helpdesk_mgmt_portal_team_id_required": True,
                }
            )
            customers = env["res.partner"].create([{"name": "With"}, {"name": "None"}])
            for login, customer in zip(
                ("hps-with", "hps-none"), customers, strict=True
            ):
                new_test_user(
                    env, login, groups="base.group_portal", parent_id=customer.id
                )
            account = env["helpdesk.incident.account"]._of(
                customers[0], company, create=True
            )
            account._adjust(5, "A gift")
            free, paid = env["helpdesk.ticket.team"].create(
                [
                    {"name": "Questions", "show_in_portal": True},
                    {
                        "name": "Support",
                        "incident_required": True,
                        "show_in_portal": True,
                    },
                ]
            )
            self.account_id, self.free_id, self.paid_id = account.id, free.id, paid.id
        server = Server(self.database, workers=2)
        self.addCleanup(server.close)
        files = Path(config["data_dir"], "filestore", self.database)
        self.addCleanup(shutil.rmtree, files, ignore_errors=True)
        self.clients = {
            login: Customer(server, login) for login in ("hps-with", "hps-none")
        }

    def send(self, login, team_id):
        """Send a form several times at once.

        :return: where the answers lead to.
        """
        client = self.clients[login]
        page = html.fromstring(client.get("/new/ticket"))
        values = {
            "team": str(team_id),
            "subject": "It does not work",
            "description": "Please help",
        } | {
            name: page.xpath(f"//form//input[@name='{name}']/@value")[0]
            for name in ("csrf_token", "incident_form")
        }
        barrier = Barrier(TIMES, timeout=30)

        def post(_number):
            barrier.wait()
            return client.post("/submitted/ticket", values).headers.get("Location")

        with ThreadPoolExecutor(TIMES) as pool:
            return set(pool.map(post, range(TIMES)))

    def test_sent_at_once(self):
        """R4.7: one ticket and one incident of 5; where the customer has no account to
        wait for, one ticket as well."""
        for login, team_id in (
            ("hps-with", self.paid_id),
            ("hps-with", self.paid_id),
            ("hps-with", self.free_id),
            ("hps-none", self.free_id),
            ("hps-none", self.free_id),
        ):
            with self.transaction() as env:
                before = env["helpdesk.ticket"].search_count([])
            answers = self.send(login, team_id)
            with self.subTest(login=login, team=team_id):
                self.assertEqual(len(answers), 1)
                with self.transaction() as env:
                    tickets = env["helpdesk.ticket"].search([], order="id")
                    self.assertEqual(len(tickets), before + 1)
                    self.assertRegex(answers.pop(), f"/my/ticket/{tickets[-1].id}$")
        with self.transaction() as env:
            account = env["helpdesk.incident.account"].browse(self.account_id)
            self.assertEqual(account.available, 3)
