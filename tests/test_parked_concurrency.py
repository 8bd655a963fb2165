from contextlib import closing
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common_concurrency import ConcurrencyCase
from .test_mail_gateway import MESSAGE

GATEWAY = "odoo.addons.mail.models.mail_thread"


@tagged("post_install", "-at_install")
class TestParkedConcurrency(ConcurrencyCase):
    """R3.6, R11.3: tickets that wait, and e-mail, as something else happens."""

    def setUp(self):
        super().setUp()
        name = self._testMethodName.replace("_", "-")
        self.alias = f"{name}@provider.test"
        with self.transaction() as env:
            domains = env["mail.alias.domain"]
            domain = domains.search([("name", "=", "provider.test")])
            domain = domain or domains.create({"name": "provider.test"})
            customer = env["res.partner"].create({"name": name})
            user = new_test_user(
                env,
                name,
                groups="base.group_portal",
                email=f"{name}@customer.example",
                parent_id=customer.id,
            )
            team = env["helpdesk.ticket.team"].create(
                {
                    "name": name,
                    "incident_required": True,
                    "incident_shortage_policy": "park",
                }
            )
            # Odoo writes to an alias when it works for the first time.
            team.alias_id.write(
                {
                    "alias_name": name,
                    "alias_domain_id": domain.id,
                    "alias_status": "valid",
                }
            )
            self.customer_id, self.user_id, self.team_id = (
                customer.id,
                user.id,
                team.id,
            )

    def account(self, env):
        customer = env["res.partner"].browse(self.customer_id)
        return env["helpdesk.incident.account"]._of(customer, env.company, create=True)

    def give(self, quantity):
        with self.transaction() as env:
            self.account(env)._adjust(quantity, "A gift")

    def tickets(self, env):
        return env["helpdesk.ticket"].search(
            [("team_id", "=", self.team_id)], order="id"
        )

    def submit(self):
        with self.transaction(self.user_id) as env:
            return (
                env["helpdesk.ticket"]
                .sudo()
                .create(
                    {
                        "name": "It does not work",
                        "description": "…",
                        "team_id": self.team_id,
                        "partner_id": env.user.partner_id.id,
                    }
                )
                .id
            )

    def message(self, number=1, headers=""):
        return MESSAGE.format(
            id=f"{number}.{self._testMethodName}@customer.example",
            sender=f"{self._testMethodName.replace('_', '-')}@customer.example",
            to=self.alias,
            subject="It does not work",
            headers=headers,
        )

    def fetch(self, cr, message):
        """Process a message as fetchmail does: once, whatever happens."""
        env = api.Environment(cr, SUPERUSER_ID, {})
        with mute_logger(GATEWAY, "odoo.sql_db", "odoo.addons.helpdesk_paid_support"):
            env["mail.thread"].message_process("helpdesk.ticket", message)
            cr.commit()  # pylint: disable=invalid-commit

    def run_cron(self):
        with self.transaction() as env:
            env["helpdesk.ticket"]._cron_parked()

    def found(self):
        """Return state and number of each ticket, and what is left."""
        with self.transaction() as env:
            tickets = [(t.incident_state, t.incident_count) for t in self.tickets(env)]
            return tickets, self.account(env).available

    def test_same_message_on_two_servers(self):
        """R11.3: neither sees the other; both tickets are kept, one takes."""
        self.give(5)
        with (
            closing(db_connect(self.database).cursor()) as first,
            closing(db_connect(self.database).cursor()) as second,
        ):
            # Both transactions begin before either has ended.
            first.execute("SELECT 1")
            second.execute("SELECT 1")
            self.fetch(first, self.message())
            self.fetch(second, self.message())
        self.assertEqual(self.found(), ([("deducted", 1), ("parked", 0)], 4))
        self.run_cron()
        self.assertEqual(self.found(), ([("deducted", 1), ("none", 0)], 4))
        with self.transaction() as env:
            kept, twin = self.tickets(env)
            self.assertEqual(twin.duplicate_id, kept)
            self.assertTrue(twin.closed)
            self.assertFalse(kept.closed)

    def test_two_replies_on_two_servers(self):
        """R11.3: two replies to a ticket that was closed long ago: neither sees the
        other; both are kept, one ticket is left with both, and takes."""
        self.give(5)
        with closing(db_connect(self.database).cursor()) as cr:
            self.fetch(cr, self.message())
        with self.transaction() as env:
            old = self.tickets(env)
            old.team_id.incident_reopen_days = 1
            old.stage_id = env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
            old.closed_date = "2020-01-01"
            first_id = old.message_ids.filtered(lambda m: m.message_type == "email")
            headers = f"In-Reply-To: {first_id.message_id}\n"
        with (
            closing(db_connect(self.database).cursor()) as first,
            closing(db_connect(self.database).cursor()) as second,
        ):
            first.execute("SELECT 1")
            second.execute("SELECT 1")
            self.fetch(first, self.message(2, headers))
            self.fetch(second, self.message(3, headers))
        states = [("deducted", 1), ("deducted", 1)]
        self.assertEqual(self.found(), ([*states, ("parked", 0)], 3))
        self.run_cron()
        self.assertEqual(self.found(), ([*states, ("none", 0)], 3))
        with self.transaction() as env:
            old, kept, other = self.tickets(env)
            self.assertEqual(old.incident_next_ids, kept | other)
            self.assertEqual(other.duplicate_id, kept)
            mails = kept.message_ids.filtered(lambda m: m.message_type == "email")
            self.assertEqual(len(mails), 2)

    def test_same_message_decided_on_the_other_server(self):
        """R11.3: the later ticket was deducted already: the first one is the twin."""
        self.give(5)
        with closing(db_connect(self.database).cursor()) as slow:
            slow.execute("SELECT 1")
            env = api.Environment(slow, SUPERUSER_ID, {})
            # The number of the ticket is taken before the other server begins.
            env.cr.execute("SELECT nextval('helpdesk_ticket_id_seq')")
            [number] = env.cr.fetchone()
            with closing(db_connect(self.database).cursor()) as quick:
                self.fetch(quick, self.message())
            env.cr.execute(
                "SELECT setval('helpdesk_ticket_id_seq', %s, false)", [number]
            )
            self.fetch(slow, self.message())
            env.cr.execute("SELECT setval('helpdesk_ticket_id_seq', %s)", [number + 1])
            slow.commit()  # pylint: disable=invalid-commit
        self.assertEqual(self.found(), ([("parked", 0), ("deducted", 1)], 4))
        self.run_cron()
        self.assertEqual(self.found(), ([("none", 0), ("deducted", 1)], 4))

    def test_released_when_committed(self):
        """R11.3: at once, in a transaction of its own; and by the scheduled action, if
        that did not come about."""
        self.submit()
        self.give(1)
        self.assertEqual(self.found(), ([("deducted", 1)], 0))
        self.submit()

        def killed(_accounts):
            raise ValueError("killed")

        with (
            patch.object(
                self.registry["helpdesk.incident.account"], "_release", killed
            ),
            mute_logger("odoo.addons.helpdesk_paid_support"),
        ):
            self.give(1)
        self.assertEqual(self.found(), ([("deducted", 1), ("parked", 0)], 1))
        self.run_cron()
        self.assertEqual(self.found(), ([("deducted", 1), ("deducted", 1)], 0))

    def test_message_while_the_account_is_written(self):
        """R11.3: a serialization failure does not lose the message."""
        self.give(5)
        with closing(db_connect(self.database).cursor()) as gateway:
            gateway.execute("SELECT 1")  # its snapshot is of before
            self.give(1)
            self.fetch(gateway, self.message())
        self.assertEqual(self.found(), ([("parked", 0)], 6))
        self.run_cron()
        self.assertEqual(self.found(), ([("deducted", 1)], 5))

    def test_two_gifts_at_once(self):
        """R3.6: two incidents arrive in two transactions: two tickets are released."""
        self.give(0)
        self.submit(), self.submit(), self.submit()
        self.race(lambda env, _n: self.account(env)._adjust(1, "A gift"))
        tickets, left = self.found()
        self.assertEqual(
            (tickets, left), ([("deducted", 1), ("deducted", 1), ("parked", 0)], 0)
        )

    def test_withdrawn_at_the_moment_of_the_gift(self):
        """R11.3: released or withdrawn, never both."""
        for _turn in range(3):
            ticket_id = self.submit()

            def work(env, number, ticket_id=ticket_id):
                if number:
                    return self.account(env)._adjust(1, "A gift")
                return env["helpdesk.ticket"].browse(ticket_id)._incident_withdraw()

            withdrawn = self.race(work)[0][0]
            with self.transaction() as env:
                ticket = env["helpdesk.ticket"].browse(ticket_id)
                self.assertEqual(ticket.closed, withdrawn)
                self.assertEqual(ticket.incident_count, 0 if withdrawn else 1)
                self.assertEqual(self.account(env).available, int(withdrawn))
                self.account(env)._adjust(-self.account(env).available, "Back")

    def test_two_scheduled_actions(self):
        """R13.1: on two workers at once, a ticket is released once."""
        self.submit()
        with self.transaction() as env:
            team = env["helpdesk.ticket.team"].browse(self.team_id)
            team.incident_cost = 3
        self.submit()
        self.give(2)
        with self.transaction() as env:
            env["helpdesk.ticket.team"].browse(self.team_id).incident_cost = 1
        self.race(lambda env, _n: env["helpdesk.ticket"]._cron_parked())
        self.assertEqual(self.found(), ([("deducted", 1), ("deducted", 1)], 0))
