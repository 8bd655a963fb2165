from freezegun import freeze_time

from odoo.tests import tagged

from .common import call_rpc
from .test_portal import PortalCommon


@tagged("post_install", "-at_install")
class TestTicketContinuedPortal(PortalCommon):
    """R11.3: the page of a ticket that was closed long ago leads to a new one, which
    refers to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.paid_team.incident_reopen_days = 14
        cls.env["helpdesk.incident.account"]._of(
            cls.customer, cls.company, create=True
        )._adjust(5, "A gift")
        cls.old, cls.foreign = (
            cls.env["helpdesk.ticket"].create(
                {
                    "name": "Mail server refuses",
                    "description": "…",
                    "team_id": cls.paid_team.id,
                    "partner_id": user.partner_id.id,
                }
            )
            for user in (cls.user, cls.other_user)
        )
        with freeze_time("2020-01-10 12:00:00"):
            (cls.old | cls.foreign).stage_id = cls.env.ref(
                "helpdesk_mgmt.helpdesk_ticket_stage_done"
            )
        cls.env.flush_all()

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def ticket_page(self, ticket):
        return self.page(f"/my/ticket/{ticket.id}")

    def composer(self, page):
        return page.xpath("//div[@id='discussion']/@data-allow_composer")

    def hidden(self, page):
        return page.xpath("//input[@name='incident_previous']/@value")

    def newest(self):
        return self.env["helpdesk.ticket"].search([], order="id desc", limit=1)

    def test_tour(self):
        """R11.3: from the old ticket to the new one, and back, 390 pixels wide."""
        self.browser_size = "390x844"
        self.start_tour(
            f"/my/ticket/{self.old.id}",
            "helpdesk_paid_support_continued",
            login="hps-nora",
        )
        new = self.newest()
        self.assertEqual(new.incident_previous_id, self.old)
        self.assertEqual(new.incident_count, 1)

    def test_page(self):
        """R11.3: no message can be written there; where it goes on is said."""
        page = self.ticket_page(self.old)
        self.assertEqual(self.composer(page), ["0"])
        self.assertIn("Jan 10, 2020", self.text(page, "//div[@name='incident_past']"))
        [link] = page.xpath("//a[@name='go_on']/@href")
        self.assertEqual(link, f"/new/ticket?incident_previous={self.old.id}")
        form = self.page(link)
        self.assertEqual(self.hidden(form), [str(self.old.id)])
        self.assertEqual(
            form.xpath("//input[@name='subject']/@value"), ["Re: Mail server refuses"]
        )
        self.assertEqual(
            form.xpath("//select[@name='team']/option[@selected]/@value"),
            [str(self.paid_team.id)],
        )
        self.assertIn(self.old.number, self.text(form, "//p[@name='previous']"))
        self.submit(
            team=self.paid_team.id, incident_form="1", incident_previous=self.old.id
        )
        new = self.newest()
        self.assertEqual(new.incident_previous_id, self.old)
        self.assertIn(
            self.old.number,
            self.text(self.ticket_page(new), "//div[@name='incident_chain']"),
        )
        page = self.ticket_page(self.old)
        self.assertIn(new.number, self.text(page, "//div[@name='incident_chain']"))
        self.assertEqual(
            page.xpath("//a[@name='go_on']/@href"), [f"/my/ticket/{new.id}"]
        )

    def test_page_as_before(self):
        """R11.3: where the team says nothing, or not long ago, all is as before."""
        self.paid_team.incident_reopen_days = 0
        page = self.ticket_page(self.old)
        self.assertEqual(self.composer(page), ["1"])
        self.assertFalse(page.xpath("//div[@name='incident_past']"))
        self.paid_team.incident_reopen_days = 36500
        self.assertEqual(self.composer(self.ticket_page(self.old)), ["1"])

    def test_draft(self):
        """R11.2: what it refers to is kept with what was typed."""
        self.give(-5)
        page = self.submit(
            team=self.paid_team.id, incident_form="1", incident_previous=self.old.id
        )
        self.assertIn("1 needed, 0 available", self.error(page))
        self.assertEqual(self.hidden(page), [str(self.old.id)])
        [draft] = page.xpath("//input[@name='incident_draft']/@value")
        page = self.page(f"/new/ticket?incident_draft={draft}")
        self.assertEqual(self.hidden(page), [str(self.old.id)])
        self.assertEqual(
            page.xpath("//input[@name='subject']/@value"), ["It does not work"]
        )
        self.give(1)
        self.submit(
            team=self.paid_team.id,
            incident_form="2",
            incident_draft=draft,
            incident_previous=self.old.id,
        )
        self.assertEqual(self.newest().incident_previous_id, self.old)

    def test_own_and_closed(self):
        """R11.6: another customer's ticket, an open one and nonsense refer to
        nothing, also from a draft, and of a follower nothing is told."""
        self.foreign.message_subscribe(self.user.partner_id.ids)
        opened = self.old.copy()
        for number, named in enumerate(
            (self.foreign.id, opened.id, "abc", "9" * 30, -1, "")
        ):
            with self.subTest(named):
                page = self.page(f"/new/ticket?incident_previous={named}")
                self.assertFalse(self.hidden(page))
                self.assertFalse(page.xpath("//p[@name='previous']"))
                self.submit(
                    team=self.paid_team.id,
                    incident_form=f"o{number}",
                    incident_previous=named,
                    subject=f"No {number}",
                )
                new = self.newest()
                if number < 4:
                    self.assertEqual(new.name, f"No {number}")
                self.assertFalse(new.incident_previous_id)
        page = self.ticket_page(self.foreign)
        self.assertEqual(page.xpath("//a[@name='go_on']/@href"), ["/new/ticket"])
        new = self.foreign.copy()
        new._incident_continue(self.foreign)
        self.assertFalse(
            self.ticket_page(self.foreign).xpath("//*[@name='incident_chain']")
        )

    def test_no_message(self):
        """R11.3: a crafted message to it is refused, by page and over RPC, with rights
        of a follower or of a link; staff may write."""
        data = {"thread_model": "helpdesk.ticket", "thread_id": self.old.id}
        post = {"body": "Still broken", "message_type": "comment"}
        before = self.old.message_ids
        for params in ({}, {"token": self.old._portal_ensure_token()}):
            answer = self.make_jsonrpc_request_raw(
                "/mail/message/post", {**data, **params, "post_data": post}
            )
            self.assertIn("Open a new ticket", str(answer["error"]))
        answer = call_rpc(
            self, "helpdesk.ticket", "message_post", self.old.ids, body="Still broken"
        )
        self.assertIn("Open a new ticket", str(answer["error"]))
        self.assertEqual(self.old.message_ids, before)
        self.old.message_post(body="We close this", message_type="comment")
        self.paid_team.incident_reopen_days = 0
        self.make_jsonrpc_request("/mail/message/post", {**data, "post_data": post})
        self.assertEqual(len(self.old.message_ids - before), 2)

    def make_jsonrpc_request_raw(self, path, params):
        return self.url_open(path, json={"params": params}).json()

    def test_nothing_to_read(self):
        """R11.6: customers read no such link over RPC."""
        self.old.message_subscribe(self.other_user.partner_id.ids)
        for name in ("incident_previous_id", "incident_next_ids"):
            answer = call_rpc(self, "helpdesk.ticket", "read", self.old.ids, [name])
            self.assertIn("error", answer)
