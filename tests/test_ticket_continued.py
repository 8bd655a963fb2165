from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_mail_gateway import GatewayCommon

REPLY = "In-Reply-To: <first@northwind.test>\n"
#: The same, with a file.
WITH_FILE = f"""\
{REPLY}Content-Type: multipart/mixed; boundary="part"

--part
Content-Type: text/csv
Content-Disposition: attachment; filename="log.csv"

1,2

--part
"""


@tagged("post_install", "-at_install")
class TestTicketContinued(GatewayCommon):
    """R11.3: a reply that comes more than so many days after a ticket was closed opens
    a new one, which refers to it, and is taken like any other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.teams = cls.free_team | cls.paid_team | cls.emergency_team | cls.strict_team
        cls.teams.incident_reopen_days = 14
        cls.done = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        cls.new_stage = cls.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_new")
        cls.other_portal_user.partner_id.email = "bella@bakery.example"

    def old(self, team="support", day="2027-04-01"):
        """Return a ticket that has come by e-mail, and was closed on a day."""
        self.give_lifetime(1)
        ticket = self.mail(team, id="first@northwind.test")
        self.close(ticket, day)
        return ticket

    def close(self, ticket, day="2027-04-01"):
        with freeze_time(f"{day} 12:00:00"):
            ticket.stage_id = self.done
        self.env.flush_all()

    def reply(self, to="support", **values):
        return self.mail(to, **{"subject": "Re: It", "headers": REPLY, **values})

    def messages(self, ticket):
        return ticket.message_ids.filtered(lambda m: m.message_type == "email")

    def assertContinues(self, new, old):
        self.assertEqual(len(new), 1)
        self.assertEqual(new.incident_previous_id, old)
        self.assertIn(new, old.incident_next_ids)
        self.assertEqual(len(self.messages(new)), 1)
        for ticket, other in ((new, old), (old, new)):
            notes = " ".join(map(str, ticket.message_ids.mapped("body")))
            self.assertIn(f'data-oe-id="{other.id}"', notes)
            self.assertIn(other.number, notes)

    def test_by_headers(self):
        """R11.3: a ticket as any other: it takes 1 of 5, its own message and files; the
        customer is told."""
        old = self.old()
        self.give_lifetime(5)
        new = self.reply(headers=WITH_FILE)
        self.assertContinues(new, old)
        self.assertEqual(new.team_id, self.paid_team)
        self.assertEqual(new.partner_id, self.portal_user.partner_id)
        self.assertEqual((new.incident_count, self.account().available), (1, 4))
        self.assertEqual(self.told(new), ["continued"])
        self.assertEqual(len(self.messages(old)), 1)
        self.assertTrue(old.closed)
        [file] = self.messages(new).attachment_ids
        self.assertEqual((file.name, file.res_id), ("log.csv", new.id))
        self.run_cron("ir_cron_incident_remind")
        self.assertIn(
            f"Your reply has opened ticket {new.number}",
            new.message_ids.mapped("subject"),
        )

    def test_by_number(self):
        """R11.3: so does a reply without headers, to whichever teams it is sent, once;
        it is a ticket of the team of the old one."""
        old = self.old()
        self.give_lifetime(5)
        subject = f"AW: [{old.number}] It"
        new = self.reply("emergency questions", headers="", subject=subject)
        self.assertContinues(new, old)
        self.assertEqual(new.team_id, self.paid_team)
        self.assertEqual(self.account().available, 4)

    def test_days(self):
        """R11.3: more than 14 days, as days of the company; 0: never."""
        old = self.old(day="2027-04-06")
        self.assertFalse(self.reply())
        with freeze_time("2027-04-21"):
            self.assertTrue(old._incident_closed_long_ago())
            self.paid_team.incident_reopen_days = 15
            self.assertFalse(old._incident_closed_long_ago())
            self.paid_team.incident_reopen_days = 0
            self.assertFalse(self.reply())
        self.paid_team.incident_reopen_days = 14
        self.company.partner_id.tz = "Pacific/Auckland"
        with freeze_time("2027-04-20 11:59:00"):
            # Closed on April 7 at midnight there.
            self.assertFalse(old._incident_closed_long_ago())
        with freeze_time("2027-04-21 12:01:00"):
            self.assertTrue(old._incident_closed_long_ago())
        self.assertEqual(len(self.messages(old)), 3)

    def test_open_again(self):
        """R11.3: what was opened again has replies; closed again, it counts anew."""
        old = self.old()
        old.stage_id = self.new_stage
        self.assertFalse(self.reply())
        self.close(old, "2027-04-10")
        self.assertFalse(self.reply())
        self.close(old, "2027-04-02")
        self.give_lifetime(1)
        self.assertTrue(self.reply())

    def test_nobody_who_replies_by_it(self):
        """R11.3: staff and programs open nothing, and take nothing."""
        old = self.old()
        self.give_lifetime(5)
        self.assertFalse(self.reply(sender=self.agent.partner_id.email))
        self.assertFalse(self.reply(headers=f"{REPLY}Auto-Submitted: auto-replied\n"))
        self.assertEqual(len(self.messages(old)), 3)
        self.assertEqual(self.account().available, 5)

    def test_second_reply(self):
        """R11.3: a second one to the old ticket goes to the new one, while that is open
        or closed for not so long; then there is one more, after that."""
        old = self.old()
        self.give_lifetime(5)
        new = self.reply()
        self.assertFalse(self.reply())
        self.assertFalse(
            self.reply(sender=self.contact.email, headers="", subject=f"[{old.number}]")
        )
        self.close(new, "2027-04-10")
        self.assertFalse(self.reply())
        self.assertEqual(len(self.messages(new)), 4)
        self.assertEqual(
            self.messages(new)[0].subtype_id, self.env.ref("mail.mt_comment")
        )
        self.assertEqual(len(self.messages(old)), 1)
        self.close(new, "2027-04-02")
        last = self.reply()
        self.assertContinues(last, new)
        self.assertFalse(self.reply())
        self.assertEqual(len(self.messages(last)), 2)
        self.assertEqual(self.account().available, 3)

    def test_without_incidents(self):
        """R11.3: it waits, or is refused and answered; the reply after a refusal is
        taken anew, also by staff who set a stage."""
        old = self.old()
        waiting = self.reply()
        self.assertEqual(self.states(waiting), ["parked"])
        self.assertEqual(self.told(waiting), ["parked"])
        self.assertFalse(self.reply())
        self.arrive(1)
        self.assertEqual(self.told(waiting), ["parked", "released"])
        self.assertEqual(waiting.incident_previous_id, old)

    def test_refused(self):
        old = self.old("strict")
        refused = self.reply("strict")
        self.assertTrue(refused.closed)
        self.assertEqual(self.told(refused), ["refused"])
        self.give_lifetime(1)
        new = self.reply("strict")
        self.assertContinues(new, old)
        self.assertEqual((new.incident_count, new.closed), (1, False))

    def test_taken_nothing(self):
        """R11.3, R17: what staff have answered has replies, though its outcome is not
        charged; what was refused by a stage that brings an outcome, withdrawn or marked
        as a duplicate has none."""
        defect = self.env["helpdesk.ticket.outcome"].create(
            {"name": "Defect", "charged": False, "company_id": self.company.id}
        )
        old = self.old()
        self.give_lifetime(5)
        new = self.reply()
        new.with_user(self.agent).message_post(
            body="It is a defect",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        new.incident_outcome_id = defect
        self.close(new, "2027-04-10")
        self.assertEqual(new.incident_count, 0)
        self.assertFalse(self.reply())
        self.assertEqual(len(self.messages(new)), 2)
        new.duplicate_id = old
        self.account()._adjust(-self.account().available, "None left")
        self.env.ref(
            "helpdesk_mgmt.helpdesk_ticket_stage_rejected"
        ).incident_outcome_id = defect
        self.paid_team.incident_shortage_policy = "refuse"
        refused = self.reply()
        self.assertContinues(refused, old)
        self.assertEqual(self.told(refused), ["refused"])
        self.paid_team.incident_shortage_policy = "park"
        withdrawn = self.reply()
        self.assertContinues(withdrawn, old)
        withdrawn._incident_withdraw()
        self.give_lifetime(1)
        last = self.reply()
        self.assertContinues(last, old)
        self.assertEqual(last.incident_count, 1)

    def test_free_team(self):
        """R11.3: a team that takes nothing can say so, too."""
        old = self.old("questions")
        new = self.reply("questions")
        self.assertContinues(new, old)
        self.assertEqual((new.incident_state, self.told(new)), ("none", []))
        self.assertFalse(self.reply("questions"))
        self.assertEqual(len(self.messages(new)), 2)

    def test_team_at_present(self):
        """R11.3: the team of the ticket says so, not that to which is written; without
        a team, or with an archived one, nobody does."""
        old = self.old()
        self.paid_team.incident_reopen_days = 0
        self.assertFalse(self.reply("emergency"))
        old.team_id = self.free_team
        self.close(old)
        new = self.reply("emergency")
        self.assertContinues(new, old)
        self.assertEqual(new.team_id, self.free_team)
        new.active = False
        self.free_team.active = False
        self.assertFalse(self.reply("emergency"))
        old.team_id = False
        self.close(old)
        self.assertFalse(self.reply("emergency"))

    def test_archived(self):
        """R11.3: an archived ticket that was closed long ago is no other; one that is
        archived takes no replies for the old one."""
        old = self.old()
        old.active = False
        self.give_lifetime(2)
        new = self.reply()
        self.assertContinues(new, old)
        new.active = False
        self.assertContinues(self.reply(), old)

    def test_other_customer(self):
        """R11.3, R11.6: who follows it for another customer opens a ticket of that
        customer, in which nobody else goes on; a number alone reaches nothing."""
        old = self.old()
        old.message_subscribe(self.other_portal_user.partner_id.ids)
        self.give_lifetime(2, self.other_customer)
        self.give_lifetime(2)
        theirs = self.reply(sender="bella@bakery.example")
        self.assertContinues(theirs, old)
        self.assertEqual(theirs.commercial_partner_id, self.other_customer)
        self.assertEqual(self.account(self.other_customer).available, 1)
        mine = self.reply()
        self.assertContinues(mine, old)
        self.assertEqual(mine.commercial_partner_id, self.customer)
        self.assertFalse(self.reply(sender="bella@bakery.example"))
        self.assertFalse(self.reply())
        self.assertEqual(len(self.messages(theirs)), 2)
        self.assertEqual(len(self.messages(mine)), 2)
        self.assertEqual(self.account().available, 1)
        named = self.mail(sender="bella@bakery.example", subject=f"[{old.number}]")
        self.assertFalse(named.incident_previous_id)

    def test_unclear_sender(self):
        """R11.3: nobody's ticket, which waits for staff; who it is of, has its
        replies."""
        old = self.old()
        nobodys = self.reply(sender="x@y.example")
        self.assertContinues(nobodys, old)
        self.assertFalse(nobodys.partner_id | nobodys.message_partner_ids)
        self.assertEqual(self.states(nobodys), ["parked"])
        self.assertFalse(self.reply(sender="X <x@y.example>"))
        other = self.reply(sender="z@y.example")
        self.assertContinues(other, old)
        self.give_lifetime(1)
        nobodys.partner_id = self.contact
        self.assertEqual(nobodys.incident_count, 1)
        self.assertFalse(self.reply())
        self.assertEqual(len(self.messages(nobodys)), 3)

    def test_flood(self):
        """R11.3: a machine that gets a ticket for each reply is stopped by Odoo."""
        self.env["ir.config_parameter"].sudo().set_param(
            "mail.gateway.loop.threshold", 3
        )
        old = self.old("strict")
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET create_date = '2020-01-01' WHERE id = %s",
            [old.id],
        )
        opened = [bool(self.reply("strict")) for _n in range(5)]
        self.assertEqual(opened, [True, True, True, False, False])

    def test_written_twice_at_once(self):
        """R11.3: of two replies of which neither transaction has seen the other, one
        ticket is left, with both messages and their files."""
        old = self.old()
        self.give_lifetime(5)
        first = self.reply()
        # The other transaction does not see the first ticket, and fails to deduct: the
        # account has been written meanwhile.
        ticket_class = type(self.env["helpdesk.ticket"])
        with (
            patch.object(ticket_class, "_incident_following", lambda t, *_a: t[:0]),
            patch.object(ticket_class, "_incident_admit", None),
            mute_logger("odoo.addons.helpdesk_paid_support.models"),
        ):
            second = self.reply(headers=WITH_FILE)
        self.assertEqual(self.states(first, second), ["deducted", "parked"])
        self.run_cron("ir_cron_incident_parked")
        self.assertEqual(self.states(first, second), ["deducted", "none"])
        self.assertEqual(second.duplicate_id, first)
        self.assertTrue(second.closed)
        self.assertEqual(len(self.messages(first)), 2)
        self.assertFalse(self.messages(second))
        self.assertEqual(self.messages(first).attachment_ids.res_id, first.id)
        self.assertEqual(self.account().available, 4)
        self.assertEqual(self.told(second), [])
        self.assertEqual(old.incident_next_ids, first | second)

    def test_duplicate_and_copy(self):
        """R4.7: a copy refers to nothing; nobody writes what a ticket refers to."""
        old = self.old()
        self.give_lifetime(1)
        new = self.reply()
        self.assertFalse(new.copy().incident_previous_id)
        with self.assertRefused("cannot be written"):
            new.with_user(self.agent).write({"incident_previous_id": False})
        with self.assertRefused("cannot be written"):
            old.with_user(self.agent).write({"incident_next_ids": [Command.clear()]})
        # What came over RPC refers to nothing.
        sent = {"team_id": self.paid_team.id, "incident_previous": old.id}
        message = {"subject": "x", "body": "x", "from": "x@y.example"}
        crafted = self.env["helpdesk.ticket"].message_new(message, sent)
        self.assertFalse(crafted.incident_previous_id)
