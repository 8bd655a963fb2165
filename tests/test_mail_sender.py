import time
from email import message_from_string

from odoo import SUPERUSER_ID, Command, http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.http_routing.tests.common import MockRequest

from .common import call_rpc
from .test_mail_gateway import GatewayCommon

BOARD = "board@northwind.test"


@tagged("post_install", "-at_install")
class TestMailSender(GatewayCommon, HttpCase):
    """R11.3: an address belongs to the contact whose user logs in with it, else to the
    one that staff gave it. Bella, of another customer, says of many that they are
    hers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bella = cls.other_portal_user
        cls.give_lifetime(9)
        cls.give_lifetime(9, cls.other_customer)
        cls.country = cls.env.ref("base.be")

    # -- shortcuts -------------------------------------------------------

    def form(self, user, **values):
        """Send the address form of the portal: the own contact's, or a new one's."""
        self.authenticate(user.login, user.login)
        answer = self.url_open(
            "/my/address/submit",
            data={
                "csrf_token": http.Request.csrf_token(self),
                "name": user.name,
                "phone": "+32 2 555 00 00",
                "street": "Main Street 1",
                "city": "Brussels",
                "zip": "1000",
                "country_id": self.country.id,
                **values,
            },
        ).json()
        self.assertIn("redirectUrl", answer)

    def type(self, email, user=None):
        """Let a portal user, Bella, type an address as her own."""
        user = user or self.bella
        self.form(user, partner_id=user.partner_id.id, email=email)
        self.assertEqual(user.partner_id.email, email)

    def sign_up(self, login, **values):
        """Let somebody sign up with this login."""
        self.env["ir.config_parameter"].sudo().set_param(
            "auth_signup.invitation_scope", "b2c"
        )
        self.authenticate(None, None)
        self.url_open(
            "/web/signup",
            data={
                "csrf_token": http.Request.csrf_token(self),
                "login": login,
                "name": "Somebody",
                "password": "secret-secret-1",
                "confirm_password": "secret-secret-1",
                **values,
            },
        )
        return self.env["res.users"].search([("login", "=", login)])

    def contact_of(self, customer, email=BOARD, **values):
        """Return a contact that staff make."""
        return self.env["res.partner"].create(
            {"name": "Board", "email": email, "parent_id": customer.id, **values}
        )

    def assertNobodys(self, ticket):
        """Check that a ticket waits for staff, and that no customer sees it."""
        self.assertEqual(len(ticket), 1)
        self.assertFalse(ticket.partner_id)
        self.assertEqual(ticket.incident_state, "parked")
        self.assertFalse(ticket.message_partner_ids)
        self.assertFalse(ticket.message_ids.author_id - self.env.user.partner_id)
        self.assertFalse(ticket.message_ids.partner_ids)
        self.assertEqual(self.told(ticket), [])
        self.assertHidden(ticket)

    def assertHidden(self, ticket, user=None):
        user = user or self.bella
        own = self.env["helpdesk.ticket"].with_user(user)
        self.assertNotIn(ticket, own.search([]))
        with self.assertRaises(AccessError):
            own.browse(ticket.id).read(["name"])
        for message in ticket.message_ids:
            self.assertFalse(message.with_user(user).has_access("read"))

    def assertOf(self, ticket, contact):
        self.assertEqual(ticket.partner_id, contact)
        self.assertEqual(ticket.incident_state, "deducted")

    # -- what a portal user types ----------------------------------------

    def test_typed_address_proves_nothing(self):
        """R11.3: what nobody else has waits until staff set the customer."""
        self.type(BOARD)
        ticket = self.mail(sender=BOARD)
        self.assertNobodys(ticket)
        self.assertNotEqual(ticket.create_uid, self.bella)
        note = str(ticket.message_ids.mapped("body"))
        self.assertIn("typed by the customer", note)
        self.run_cron("ir_cron_incident_parked")
        self.assertNobodys(ticket)
        ticket.with_user(self.agent).partner_id = self.contact
        self.assertOf(ticket, self.contact)
        self.assertEqual(self.account(self.other_customer).available, 9)

    def test_every_way_to_type(self):
        """R11.3: the contact's own form, that of an address, the user over RPC."""
        self.form(self.bella, address_type="delivery", email=BOARD, name="Board")
        self.assertNobodys(self.mail(sender=BOARD))
        address = self.env["res.partner"].search([("email", "=", BOARD)])
        self.assertEqual(address.commercial_partner_id, self.other_customer)
        address.email = "shop@bakery.example"
        self.form(self.bella, partner_id=address.id, email=BOARD, name="Board")
        self.assertNobodys(self.mail(sender=BOARD))
        answer = call_rpc(
            self, "res.users", "write", self.bella.ids, {"email": "chair@a.example"}
        )
        self.assertTrue(answer["result"])
        self.assertEqual(self.bella.partner_id.email, "chair@a.example")
        self.assertNobodys(self.mail(sender="chair@a.example"))

    def test_code_with_other_rights(self):
        """R11.3: the form of a website makes contacts as the superuser."""
        with MockRequest(self.env(user=self.env.ref("base.public_user"))):
            typed = (
                self.env["res.partner"]
                .with_user(SUPERUSER_ID)
                .create({"name": "Visitor", "email": self.contact.email})
            )
        self.assertTrue(typed.incident_email_declared)
        self.assertOf(self.mail(sender=self.contact.email), self.contact)

    def test_takes_no_mail_away(self):
        """R11.3: what another customer types makes no address unclear."""
        self.type(self.contact.email)
        self.assertOf(self.mail(sender=self.contact.email), self.contact)
        self.type(self.portal_user.email)
        self.assertOf(
            self.mail(sender=self.portal_user.email), self.portal_user.partner_id
        )
        self.type("agent@provider.test")
        ticket = self.mail(sender="agent@provider.test")
        self.assertEqual(ticket.partner_id, self.agent.partner_id)
        self.assertEqual(ticket.incident_state, "none")

    def test_staff_with_the_address_of_a_contact(self):
        """R4.4: who tries out what customers see writes as one of the staff."""
        self.contact_of(self.customer, email="agent@provider.test")
        ticket = self.mail(sender="agent@provider.test")
        self.assertEqual(ticket.partner_id, self.agent.partner_id)
        self.assertEqual(ticket.incident_state, "none")

    def test_typed_in_other_words(self):
        """R11.3: what is the same address to Odoo is the same for this, too."""
        self.type("BOARD@Northwind.Example")
        for sender in (
            BOARD,
            "Board@NORTHWIND.example",
            f'"Bella" <{BOARD}>',
            f'"bella@bakery.example" <{BOARD}>',
            "=?utf-8?q?Bella?= <board@northwind.test>",
        ):
            self.assertNobodys(self.mail(sender=sender))

    def test_other_addresses(self):
        """R11.3: what only looks like the address of a contact is none of its."""
        for sender in (
            '"x" <NED@Northwind.test>',
            '"bella@evil.example" <ned@northwind.test>',
            "ned@northwind.test <ned@northwind.test>",
            "Ned (bella@evil.example) <ned@northwind.test>",
        ):
            self.assertOf(self.mail(sender=sender), self.contact)
        for sender in (
            "ned+bella@northwind.test",
            "ned@northwind.test.evil.example",
            '"ned@northwind.test" <bella@evil.example>',
            "=?utf-8?q?ned=40northwind=2Etest?= <bella@evil.example>",
            '"ned@northwind.test"@evil.example',
            # Which one a mail server has looked at, nobody knows.
            "ned@northwind.test <bella@evil.example>",
            "<ned@northwind.test> <bella@evil.example>",
            "ned@northwind.test, bella@evil.example",
            "ned@northwind.test\nFrom: bella@evil.example",
            '"Ned <ned@northwind.test>, <bella@evil.example>',
            "nеd@northwind.test",  # a Cyrillic е
            "ｎed@northwind.test",
            "%@northwind.test",
            "_ed@northwind.test",
        ):
            with self.subTest(sender):
                self.assertNobodys(self.mail(sender=sender))

    def test_endless_names(self):
        """R11.3: a header that is made to be slow to read has no sender."""
        thread = self.env["mail.thread"]
        values = {"email_from": "ned@northwind.test"}
        for start, part in (('"', '\\"'), ("", '"'), ("", "("), ("", "a@b.c,")):
            header = start + part * (100_000 // len(part))
            message = message_from_string(f"From: {header}\n\n")
            before = time.monotonic()
            self.assertEqual(thread._incident_senders(message, values), [])
            self.assertLess(time.monotonic() - before, 1, part)

    def test_contacts_made_from_mail(self):
        """R11.3: what is made from an address in an e-mail proves nothing; what was
        there stays what it was."""
        contacts = self.env["res.partner"]
        thread = self.env["mail.thread"]
        for make in (
            contacts.find_or_create,
            lambda email: contacts._find_or_create_from_emails([email])[0],
            lambda email: thread._partner_find_from_emails_single([email]),
        ):
            self.assertEqual(make(self.contact.email), self.contact)
            self.assertFalse(self.contact.incident_email_declared)
            made = make(f'"Board" <{BOARD}>')
            self.assertEqual((made.name, made.email), ("Board", BOARD))
            self.assertTrue(made.incident_email_declared)
            self.assertNobodys(self.mail("strict", sender=BOARD))
            made.email = "desk@a.example"
            self.assertEqual(self.mail(sender="desk@a.example").partner_id, made)
            made.active = False

    def test_own_login(self):
        """R11.3: whose user logs in with the address has it, whatever he types."""
        user = new_test_user(
            self.env,
            "Otto@Bakery.example",
            groups="base.group_portal",
            parent_id=self.other_customer.id,
        )
        user.email = "desk@a.example"
        self.type("otto@bakery.example", user)
        self.assertTrue(user.partner_id.incident_email_declared)
        self.assertOf(self.mail(sender="otto@bakery.example"), user.partner_id)
        self.type(BOARD, user)
        self.assertOf(self.mail(sender="OTTO@bakery.example"), user.partner_id)
        self.assertNobodys(self.mail(sender=BOARD))

    def test_login_wins(self):
        """R11.3: against what staff gave to another customer's contact."""
        user = new_test_user(
            self.env, BOARD, groups="base.group_portal", parent_id=self.customer.id
        )
        self.contact_of(self.other_customer)
        self.assertOf(self.mail(sender=BOARD), user.partner_id)
        user.active = False
        # Then two customers' contacts have it.
        user.partner_id.email = BOARD
        self.assertNobodys(self.mail(sender=BOARD))

    def test_archived(self):
        """R11.3: archived users and contacts have no address."""
        board = self.contact_of(self.customer)
        other = self.contact_of(self.other_customer)
        self.assertNobodys(self.mail(sender=BOARD))
        other.active = False
        self.assertOf(self.mail(sender=BOARD), board)
        board.active = False
        self.assertNobodys(self.mail(sender=BOARD))

    def test_two_contacts_of_staff(self):
        """R11.3: of two customers it is unclear, of one it is the customer's."""
        first, second = self.contact_of(self.customer), self.contact_of(self.customer)
        self.assertOf(self.mail(sender=BOARD), first)
        first.email = False
        self.contact_of(self.other_customer)
        ticket = self.mail(sender=BOARD)
        self.assertNobodys(ticket)
        note = str(ticket.message_ids.mapped("body"))
        self.assertIn("Northwind, Board", note)
        self.assertIn("Blue Bakery, Board", note)
        self.assertNotIn("typed by the customer", note)
        ticket.partner_id = second
        self.assertOf(ticket, second)

    def test_contacts_of_two_customers_one_without_incidents(self):
        """R11.3: of two customers, one of whom has no incidents: it waits for staff,
        with a policy to refuse, too, and with the number of a ticket of one of them."""
        self.account(self.other_customer)._adjust(-9, "Nothing left")
        number = self.mail().number
        self.contact_of(self.other_customer)
        self.contact_of(self.customer)
        for team in ("support", "strict"):
            ticket = self.mail(team, sender=BOARD, subject=f"[{number}] Us again")
            self.assertNobodys(ticket)
            self.assertFalse(ticket.closed)

    def test_access_for_a_typed_address(self):
        """R11.3: staff who let a contact in with the address that its customer has
        typed say nothing about the address."""
        board = self.contact_of(self.customer)
        self.form(self.bella, address_type="delivery", email=BOARD, name="Board")
        typed = self.env["res.partner"].search([("email", "=", BOARD)]) - board
        wizard = self.env["portal.wizard"].create(
            {"partner_ids": [Command.set(typed.ids)]}
        )
        wizard.user_ids.action_grant_access()
        self.assertEqual(typed.user_ids.login, BOARD)
        ticket = self.mail(sender=BOARD)
        self.assertOf(ticket, board)
        self.assertHidden(ticket)
        board.email = False
        self.assertNobodys(self.mail(sender=BOARD))
        # Who has a password need not have read what was mailed to the address.
        typed.user_ids.password = "secret-secret-1"
        self.authenticate(BOARD, "secret-secret-1")
        self.assertNobodys(self.mail(sender=BOARD))
        typed.action_incident_confirm_email()
        self.contact_of(self.customer)
        self.assertOf(self.mail(sender=BOARD), typed)

    def test_login_of_staff(self):
        """R11.3: a login that staff change is of staff."""
        user = self.sign_up(BOARD)
        user.login = "desk@a.example"
        self.assertNobodys(self.mail(sender=BOARD))
        self.assertEqual(self.mail(sender="desk@a.example").partner_id, user.partner_id)

    def test_sign_up(self):
        """R11.3: a login that somebody has chosen himself is no proof."""
        user = self.sign_up(BOARD)
        self.assertTrue(user.partner_id.incident_email_declared)
        self.assertNobodys(self.mail(sender=BOARD))
        user.partner_id.action_incident_confirm_email()
        self.give_lifetime(1, user.partner_id)
        self.assertOf(self.mail(sender=BOARD), user.partner_id)
        stranger = self.sign_up(self.contact.email)
        self.assertTrue(stranger)
        self.assertOf(self.mail(sender=self.contact.email), self.contact)

    def test_invited(self):
        """R11.3: who is invited can choose another login than the address that the
        invitation was mailed to: that proves nothing."""

        def invite(login):
            guest = self.env["res.partner"].create(
                {"name": "Guest", "email": "guest@a.example"}
            )
            guest.signup_prepare()
            user = self.sign_up(login, token=guest._generate_signup_token())
            self.assertEqual(user.partner_id, guest)
            return guest

        invite(self.contact.email)
        self.assertOf(self.mail(sender=self.contact.email), self.contact)
        invite(BOARD)
        self.assertNobodys(self.mail(sender=BOARD))
        guest = invite("guest@a.example")
        self.contact_of(self.other_customer, "guest@a.example")
        self.assertEqual(self.mail(sender="guest@a.example").partner_id, guest)

    def test_free_team(self):
        """R11.6: a ticket that takes nothing is to be read by nobody else, either."""
        self.type(BOARD)
        ticket = self.mail("questions", sender=BOARD)
        self.assertFalse(ticket.partner_id)
        self.assertEqual(ticket.incident_state, "none")
        self.assertHidden(ticket)
        note = str(ticket.message_ids.mapped("body"))
        self.assertIn("Bella (address typed by the customer", note)
        stranger = self.mail("questions", sender="stranger@a.example")
        self.assertNotIn("stranger", str(stranger.message_ids.mapped("body")))

    # -- who follows -----------------------------------------------------

    def test_reply(self):
        """R11.3: a reply from such an address lets nobody read the ticket."""
        ticket = self.mail(id="first@northwind.test")
        self.type(BOARD)
        self.assertFalse(
            self.mail(
                sender=BOARD,
                to="support",
                headers="In-Reply-To: <first@northwind.test>\n"
                f"Cc: {self.bella.partner_id.email}\n",
            )
        )
        replies = ticket.message_ids.filtered(lambda m: m.message_type == "email")
        self.assertEqual(len(replies), 2)
        self.assertFalse(replies[0].author_id)
        self.assertEqual(replies[0].partner_ids, self.portal_user.partner_id)
        self.assertHidden(ticket)

    def test_copies(self):
        """R11.3: whose address somebody copies his mail to is as uncertain."""
        self.type(BOARD)
        ticket = self.mail(headers=f"Cc: {BOARD}, {self.contact.email}\n")
        self.assertOf(ticket, self.portal_user.partner_id)
        self.assertEqual(ticket.message_partner_ids, self.contact)
        self.assertHidden(ticket)
        self.mail(
            id="reply@northwind.test",
            headers=f"In-Reply-To: {ticket.message_ids[-1].message_id}\nCc: {BOARD}\n",
        )
        self.assertHidden(ticket)

    def test_copies_of_strangers(self):
        """R11.3: what waits for its customer has no followers."""
        for team in ("support", "questions"):
            ticket = self.mail(
                team,
                sender="stranger@a.example",
                headers=f"Cc: {self.contact.email}\n",
            )
            self.assertFalse(ticket.message_partner_ids)
            self.assertIn(self.contact.email, ticket.email_cc)

    def test_answer_of_staff(self):
        """R11.3: staff who answer write to the address, and to nobody's contact."""
        self.type(BOARD)
        ticket = self.mail(sender=BOARD)
        agent = self.agent
        agent.group_ids += self.env.ref("base.group_partner_manager")
        for thread in (ticket.with_user(agent), ticket.sudo()):
            suggested = thread._message_get_suggested_recipients(reply_discussion=True)
            self.assertEqual(
                [(r["email"], r["partner_id"]) for r in suggested], [(BOARD, False)]
            )
        answered = ticket.with_user(agent)._partner_find_from_emails_single([BOARD])
        self.assertEqual(answered.email, BOARD)
        self.assertEqual(answered.commercial_partner_id, answered)
        # That is no word of theirs; nor is one more made each time.
        self.assertNobodys(self.mail("strict", sender=BOARD))
        again = ticket.with_user(agent)._partner_find_from_emails_single([BOARD])
        self.assertEqual(again, answered)
        self.env["res.partner"].browse(answered.id).parent_id = self.other_customer
        self.assertFalse(
            ticket._partner_find_from_emails_single([BOARD], no_create=True)
        )
        third = ticket.with_user(agent)._partner_find_from_emails_single([BOARD])
        self.assertNotIn(third, answered | self.bella.partner_id)
        board = self.contact_of(self.customer)
        self.assertOf(self.mail(sender=BOARD), board)

    def test_nobody_asks_for_contacts(self):
        """R11.6: whose an address is can be asked for by those who see the contact."""
        ticket = self.mail()
        self.authenticate(self.bella.login, self.bella.login)
        answer = self.url_open(
            "/mail/partner/from_email",
            json={
                "params": {
                    "thread_model": "helpdesk.ticket",
                    "thread_id": ticket.id,
                    "emails": [self.contact.email],
                }
            },
        ).json()
        self.assertEqual(answer.get("result"), [])

    # -- who vouches -----------------------------------------------------

    def test_staff_vouch(self):
        """R11.3: staff type the address, or confirm what the customer has typed."""
        contact = self.bella.partner_id
        self.type(BOARD)
        contact.phone = "+32 2 555 00 01"
        self.assertTrue(contact.incident_email_declared)
        manager = self.manager
        manager.group_ids += self.env.ref("base.group_partner_manager")
        contact.with_user(manager).action_incident_confirm_email()
        self.assertOf(self.mail(sender=BOARD), contact)
        self.assertIn("confirmed", str(contact.message_ids[0].body))
        self.type("chair@a.example")
        self.assertNobodys(self.mail(sender="chair@a.example"))
        contact.with_user(manager).email = "desk@a.example"
        self.assertOf(self.mail(sender="desk@a.example"), contact)

    def test_form_sent_as_it_is(self):
        """R11.3: an address that the form only repeats stays that of staff."""
        contact = self.bella.partner_id
        contact.email = "bella@bakery.example"
        for email in ("bella@bakery.example", "Bella@Bakery.example"):
            self.type(email)
            self.assertOf(self.mail(sender=email), contact)

    def test_nobody_vouches_for_himself(self):
        """R11.3, R14: neither over RPC nor with other rights than his own."""
        self.type(BOARD)
        contact = self.bella.partner_id
        for method, values in (
            ("write", [{"incident_email_declared": False}]),
            ("action_incident_confirm_email", []),
        ):
            answer = call_rpc(self, "res.partner", method, contact.ids, *values)
            self.assertIn("error", answer)
        answer = call_rpc(
            self, "res.partner", "read", contact.ids, ["incident_email_declared"]
        )
        self.assertIn("error", answer)
        own = contact.with_user(self.bella).sudo()
        with self.assertRaises(AccessError):
            own.action_incident_confirm_email()
        with self.assertRefused("cannot be written"):
            self.bella.with_user(self.bella).sudo().incident_login_declared = False
        with self.assertRefused("cannot be written"):
            own.write({"incident_email_declared": False})
        with self.assertRefused("cannot be written"):
            own.create({"name": "X", "incident_email_declared": False})
        own.with_context(default_incident_email_declared=False).create(
            {"name": "X", "email": "x@a.example"}
        )
        self.assertNobodys(self.mail(sender="x@a.example"))

    def test_copied_contact(self):
        """R11.3: a copy of a contact is no word of staff; another address is."""
        self.type(BOARD)
        self.bella.partner_id.copy()
        self.assertNobodys(self.mail(sender=BOARD))
        other = self.bella.partner_id.copy({"email": "desk@a.example"})
        self.assertEqual(self.mail(sender="desk@a.example").partner_id, other)

    def test_merged_contacts(self):
        """R11.3: what staff gave to one of them is certain; nothing else becomes so."""
        wizard = self.env["base.partner.merge.automatic.wizard"].create({})
        contacts = self.env["res.partner"]
        declared = contacts.with_user(self.bella).sudo()
        values = {"name": "Board", "email": BOARD}
        for source, target, certain in (
            (declared.create(values), contacts.create({"name": "Board"}), False),
            (declared.create(values), contacts.create(values), True),
            (contacts.create(values), declared.create(values), True),
            (
                declared.create(values),
                contacts.create({**values, "email": "desk@a.example"}),
                True,
            ),
        ):
            target = target.with_env(self.env)
            wizard._merge((source + target).ids, target, extra_checks=False)
            self.assertEqual(target.incident_email_declared, not certain)

    def test_before_the_update(self):
        """R11.3: what was typed before is found by what Odoo has tracked."""
        self.type(BOARD)
        self.form(self.bella, address_type="delivery", email="a@a.example")
        vouched = self._portal_user("otto", self.other_customer)
        vouched.password = vouched.login
        self.type("chair@a.example", vouched)
        vouched.partner_id.with_context(tracking_disable=False).email = "otto@a.example"
        self.env.cr.flush()
        address = self.env["res.partner"].search([("email", "=", "a@a.example")])
        mailed = address.find_or_create("stranger@a.example")
        users = self.bella | vouched | self.portal_user
        stranger = self.sign_up(BOARD)
        typed = self.bella.partner_id | address | mailed | stranger.partner_id
        given = self.contact | vouched.partner_id | self.portal_user.partner_id
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_partner SET incident_email_declared = NULL")
        self.env.cr.execute("UPDATE res_users SET incident_login_declared = NULL")
        self.env["res.partner"]._incident_init_declared()
        users._incident_init_login()
        self.env.invalidate_all()
        self.assertEqual((typed | given).filtered("incident_email_declared"), typed)
        users |= stranger
        self.assertEqual(users.filtered("incident_login_declared"), stranger)

    # -- companies -------------------------------------------------------

    def test_companies(self):
        """R2.3: an address is a contact's of that company, or of all."""
        company = self.env["res.company"].create({"name": "Elsewhere"})
        elsewhere = self.env["helpdesk.ticket.team"].create(
            {
                "name": "Elsewhere",
                "company_id": company.id,
                "incident_required": True,
                "incident_shortage_policy": "park",
            }
        )
        elsewhere.alias_id.write(
            {"alias_name": "elsewhere", "alias_domain_id": self.domain.id}
        )
        here = self.contact_of(self.customer, company_id=self.company.id)
        there = self.contact_of(self.other_customer, company_id=company.id)
        self.assertOf(self.mail(sender=BOARD), here)
        self.assertEqual(self.mail("elsewhere", sender=BOARD).partner_id, there)
        tickets = self.mail("support elsewhere", sender=BOARD)
        self.assertEqual(tickets.partner_id, here | there)
        for ticket in tickets:
            opening = ticket.message_ids.filtered(lambda m: m.message_type == "email")
            self.assertEqual(opening.author_id, ticket.partner_id)
        there.active = False
        ticket = self.mail("elsewhere", sender=BOARD)
        self.assertNobodys(ticket)
        self.assertNotIn("Northwind", str(ticket.message_ids.mapped("body")))
