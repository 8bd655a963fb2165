from email.message import EmailMessage

from odoo.tests import tagged

from odoo.addons.helpdesk_paid_support.models.access.mail_thread import DOCUMENTS

from .common_attack import SECRET, AttackCommon

#: On what else customers' users could write, and why they cannot over RPC: they may not
#: write these documents; in channels they talk as others do.
OTHERS = {
    *("discuss.channel", "helpdesk.ticket.team", "res.company", "res.partner"),
    "res.users",
}
WORDS = "Plain words"


@tagged("post_install", "-at_install")
class TestAttackMessages(AttackCommon):
    """R11.6: what a customer's user writes it writes as itself, to who follows the
    document, and never in the name of others."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret_ticket.message_subscribe(cls.other_user.partner_id.ids)
        cls.order = cls.sub.sudo().term_ids.sale_line_id.order_id[:1]
        cls.answer = cls.secret_ticket.with_user(cls.users["agent"]).message_post(
            body="We pay it back",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=(cls.user.partner_id + cls.other_user.partner_id).ids,
        )
        cls.files = cls.env["ir.attachment"].create(
            [
                {"name": "Of a ticket", "raw": SECRET},
                {
                    "name": "Draft of somebody",
                    "raw": SECRET,
                    "res_model": "mail.compose.message",
                },
            ]
        )

    def call(self, model, method, arguments, keywords):
        """Call a method over JSON-RPC, whatever its keywords are.

        :return: the name of the exception, if there was one.
        """
        params = {
            "model": model,
            "method": method,
            "args": arguments,
            "kwargs": keywords,
        }
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}", json={"params": params}
        ).json()
        name = answer.get("error", {}).get("data", {}).get("name")
        return name and name.rpartition(".")[2]

    def documents(self):
        """Return a document of the customer of each model on which it may write."""
        invoice = self.charge.invoice_ids
        found = (self.secret_ticket, self.sub, self.order, invoice)
        return {document._name: document.sudo() for document in found}

    def _look_up(self):
        """Override: the messages and mails as well."""
        messages = self.env["mail.message"].sudo().search([], order="id")
        return {
            **super()._look_up(),
            "messages": [
                (message.id, message.body, message.author_id.id, message.message_type)
                for message in messages
            ],
            "mails": self.env["mail.mail"].sudo().search_count([]),
            "notices": self.env["mail.notification"].sudo().search_count([]),
            "followers": self.env["mail.followers"].sudo().search_count([]),
        }

    def test_every_document_is_listed(self):
        """R11.6: whoever lets customers see documents on which messages are written
        says what they may write."""
        found = {
            name
            for name, model in self.env.registry.items()
            if not model._abstract
            and "message_ids" in model._fields
            and self.env[name].with_user(self.user).has_access("read")
        }
        self.assertEqual(found, DOCUMENTS | OTHERS)
        self.assertEqual(set(self.documents()), DOCUMENTS)

    def test_plain_message(self):
        """A plain message reaches who follows the document, as a comment of who has
        written it."""
        for role, names in (
            ("own", ("helpdesk.ticket", "helpdesk.incident.subscription")),
            ("foreign", ("helpdesk.ticket",)),
        ):
            partner = self.users[role].partner_id
            self.act_as(role)
            for name in names:
                document = self.documents()[name]
                document.message_subscribe(self.users["agent"].partner_id.ids)
                for values in (
                    {},
                    {"message_type": "comment", "subtype_xmlid": "mail.mt_comment"},
                    {"author_id": partner.id, "partner_ids": [], "email_from": False},
                    {"subject": "Mine", "body_is_html": True},
                ):
                    with self.subTest(role=role, model=name, values=values):
                        _result, error = self.rpc(
                            name, "message_post", document.ids, body=WORDS, **values
                        )
                        self.assertFalse(error)
                        message = document.message_ids[0]
                        self.assertIn(WORDS, message.body)
                        self.assertEqual(message.author_id, partner)
                        self.assertEqual(message.message_type, "comment")
                        self.assertEqual(
                            message.subtype_id, self.env.ref("mail.mt_comment")
                        )
                        self.assertFalse(message.partner_ids)
                        self.assertIn(
                            self.users["agent"].partner_id,
                            message.notified_partner_ids,
                        )

    def tricks(self):
        """Return what is not for customers' users to choose."""
        staff = self.users["agent"].partner_id
        return {
            "author_id": staff.id,
            "email_from": "board@example.com",
            "partner_ids": self.env.company.partner_id.ids,
            "outgoing_email_to": "somebody@example.com",
            "incoming_email_to": "somebody@example.com",
            "incoming_email_cc": "somebody@example.com",
            "reply_to": "board@example.com",
            "message_type": "email",
            "subtype_xmlid": "mail.mt_note",
            "subtype_id": self.env.ref("mail.mt_note").id,
            "attachment_ids": self.files[:1].ids,
            "attachments": [["x.txt", "x"]],
            "parent_id": self.answer.id,
            "is_internal": True,
            "author_guest_id": 1,
            "record_name": "Another document",
            "record_company_id": self.users["elsewhere"].company_id.id,
            "email_layout_xmlid": "mail.mail_notification_invite",
            "email_add_signature": "x",
            "mail_server_id": 1,
            "scheduled_date": "2031-01-01 00:00:00",
            "tracking_value_ids": [[0, 0, {"field_id": 1}]],
            "notified_partner_ids": staff.ids,
            "notify_author": True,
            "force_send": True,
            "model_description": "x",
        }

    def test_tricks(self):
        """Whatever else a message can say is refused, and nothing is sent."""
        tricks = list(self.tricks().items())
        tricks += [
            ("message_type", "notification"),
            ("message_type", "auto_comment"),
            ("message_type", "user_notification"),
            ("author_id", 10**9),
            ("attachment_ids", self.files[1:].ids),
            ("attachment_ids", [10**9]),
            ("attachment_ids", "x"),
        ]
        for role in ("own", "foreign"):
            self.act_as(role)
            for name, document in self.documents().items():
                for key, value in tricks:
                    with self.subTest(role=role, model=name, key=key), self.undone():
                        with self.assertNoFault():
                            _result, error = self.rpc(
                                name,
                                "message_post",
                                document.ids,
                                body=WORDS,
                                **{key: value},
                            )
                        self.assertEqual(error, "AccessError")
                        self.assertUntouched()

    def test_other_methods(self):
        """Nor by another method that sends what it is told to."""
        ticket = self.secret_ticket
        staff = self.users["agent"].partner_id
        staff.email = "boss@example.com"
        mail = EmailMessage()
        mail["From"] = staff.email
        mail["To"] = "support@example.com"
        mail["Message-Id"] = "<attack@example.com>"
        mail["Subject"] = "More"
        mail.set_content("More")
        mail = mail.as_string()
        message = {
            "model": ticket._name,
            "res_id": ticket.id,
            "body": WORDS,
            "author_id": staff.id,
        }
        note = self.env.ref("mail.mt_note").id
        for role in ("own", "foreign"):
            self.act_as(role)
            calls = [
                (
                    "mail.thread",
                    "message_notify",
                    [[]],
                    {
                        "model": ticket._name,
                        "res_id": ticket.id,
                        "partner_ids": staff.ids,
                        "body": WORDS,
                    },
                ),
                ("mail.thread", "message_process", [ticket._name, mail], {}),
                (ticket._name, "message_process", [ticket._name, mail], {}),
                (
                    "mail.thread",
                    "message_process",
                    [ticket._name, mail],
                    {
                        "thread_id": ticket.id,
                    },
                ),
                (ticket._name, "message_new", [{"subject": "x", "body": "x"}], {}),
                (
                    ticket._name,
                    "message_update",
                    [ticket.ids, {"to": "boss@example.com"}],
                    {},
                ),
                ("mail.message", "create", [message], {}),
                ("mail.message", "create", [message | {"subtype_id": note}], {}),
                ("mail.message", "write", [self.answer.ids, {"body": WORDS}], {}),
                ("mail.message", "write", [self.answer.ids, {"is_internal": True}], {}),
                ("mail.message", "unlink", [self.answer.ids], {}),
                ("mail.compose.message", "create", [{"body": WORDS}], {}),
            ]
            for name, document in self.documents().items():
                calls += [
                    (
                        name,
                        "message_notify",
                        [document.ids],
                        {
                            "partner_ids": staff.ids,
                            "body": WORDS,
                        },
                    ),
                    (
                        name,
                        "message_post_with_source",
                        [document.ids],
                        {
                            "source_ref": "mail.message_origin_link",
                        },
                    ),
                    (
                        name,
                        "message_mail_with_source",
                        [document.ids],
                        {
                            "source_ref": "mail.message_origin_link",
                        },
                    ),
                    (name, "message_subscribe", [document.ids, staff.ids], {}),
                ]
            for model, method, arguments, keywords in calls:
                with (
                    self.subTest(role=role, model=model, method=method),
                    self.undone(),
                ):
                    with self.assertNoFault():
                        error = self.call(model, method, arguments, keywords)
                    self.assertEqual(error, "AccessError")
                    self.assertUntouched()

    def test_messages_themselves(self):
        """Nor by a message that is made or changed without being posted: Odoo lets who
        was told of a message answer it on any document."""
        ticket, comment = self.secret_ticket, self.env.ref("mail.mt_comment").id
        plain = {
            "model": ticket._name,
            "res_id": ticket.id,
            "body": WORDS,
            "message_type": "comment",
            "subtype_id": comment,
        }
        changes = (
            {"message_type": "email"},
            {"subtype_id": self.env.ref("mail.mt_note").id},
            {"is_internal": True},
            {"date": "2026-01-01 00:00:00"},
            {"parent_id": self.answer.id},
            {"reply_to": "board@example.com"},
            {"body": WORDS, "message_id": "<attack@example.com>"},
        )
        for role in ("own", "foreign"):
            self.act_as(role)
            for more in (
                {},
                {"reply_to": "board@example.com"},
                {"date": "2026-01-01 00:00:00"},
                {"res_id": self.parked.id, "parent_id": self.answer.id},
            ):
                with self.subTest(role=role, more=more), self.undone():
                    error = self.call("mail.message", "create", [[plain | more]], {})
                    self.assertEqual(error, "AccessError")
                    self.assertUntouched()
            with self.undone():
                _result, error = self.rpc(
                    ticket._name, "message_post", ticket.ids, body="Mine"
                )
                self.assertFalse(error)
                mine = ticket.message_ids[0]
                before = mine.read()
                for values in changes:
                    with self.subTest(role=role, values=values):
                        error = self.call(
                            "mail.message", "write", [mine.ids, values], {}
                        )
                        self.assertEqual(error, "AccessError")
                        self.env.invalidate_all()
                        self.assertEqual(mine.read(), before)
                words = {"body": WORDS}
                self.assertFalse(
                    self.call("mail.message", "write", [mine.ids, words], {})
                )

    def test_route(self):
        """The same through the page on which customers write."""
        for role, name in (
            ("own", "helpdesk.ticket"),
            ("own", "helpdesk.incident.subscription"),
            ("foreign", "helpdesk.ticket"),
        ):
            self.act_as(role)
            document = self.documents()[name]
            with self.subTest(role=role, model=name), self.undone():
                response = self.url_open(
                    "/mail/message/post",
                    json={
                        "params": {
                            "thread_model": name,
                            "thread_id": document.id,
                            "post_data": {
                                **self.tricks(),
                                "body": WORDS,
                                "partner_emails": ["board@example.com"],
                                "attachment_ids": [],
                            },
                        }
                    },
                ).json()
                self.assertNotIn("error", response)
                self.env.invalidate_all()
                message = document.message_ids[0]
                self.assertIn(WORDS, message.body)
                self.assertEqual(message.author_id, self.users[role].partner_id)
                self.assertEqual(message.message_type, "comment")
                self.assertEqual(message.subtype_id, self.env.ref("mail.mt_comment"))
                self.assertFalse(message.is_internal or message.partner_ids)
                self.assertFalse(message.parent_id - self.answer - message.parent_id)
                self.assertNotIn("board@", message.email_from)

    def test_staff(self):
        """Staff may choose whom they tell, and note something for each other."""
        self.act_as("agent")
        for document in (self.secret_ticket, self.sub):
            _result, error = self.rpc(
                document._name,
                "message_post",
                document.ids,
                body=WORDS,
                partner_ids=self.users["accountant"].partner_id.ids,
                subtype_xmlid="mail.mt_note",
            )
            self.assertFalse(error)
            message = document.sudo().message_ids[0]
            self.assertEqual(message.partner_ids, self.users["accountant"].partner_id)
