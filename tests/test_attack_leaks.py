import os
from collections import defaultdict
from contextlib import contextmanager, suppress
from functools import partial
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.orm.domains import DomainCondition
from odoo.tests import tagged

from .common_attack import CLERK, MODULE, SECRET, AttackCommon

#: What everybody may know: what is on offer, and how the company works.
PUBLIC = {
    "helpdesk.ticket.team",
    "product.product",
    "product.template",
    "res.company",
}
#: What is told nevertheless, and no secret: the currency of the company; that a
#: customer of several companies has an account, as Odoo looks for lines of any kind.
KNOWN = {
    ("foreign", "helpdesk.ticket.charge_currency_id"),
    ("elsewhere", "helpdesk.ticket.charge_currency_id"),
    ("elsewhere", "res.partner.incident_account_ids"),
    # What the other company says: that there is one value, no.
    ("elsewhere", "res.partner.incident_overage_own"),
    ("elsewhere", "res.partner.incident_overage_by_mail"),
    # The dashboard of the user's own company.
    ("elsewhere", "helpdesk.incident.dashboard.company_id"),
    ("elsewhere", "helpdesk.incident.dashboard.currency_id"),
}
LONG = bool(os.environ.get("PAID_SUPPORT_ATTACK"))
#: A word of internal notes, and one that nobody has written: what is asked for with the
#: one is answered as with the other.
NOTED, NOWHERE = "bankruptcy", "hippopotamus"
#: A condition that nothing else makes, on a field that every model has.
MARK = ("write_date", "=", "1999-01-02 03:04:05")
#: From where paths of two steps are tried, in some minutes; those of one step are tried
#: always, and from everywhere.
STARTS = (
    *("account.move", "account.move.line", "account.payment", "helpdesk.ticket"),
    *("helpdesk.ticket.team", "ir.attachment", "mail.message", "payment.transaction"),
    *("product.product", "product.template", "res.company", "res.partner"),
    *("res.users", "sale.order", "sale.order.line"),
)


@tagged("post_install", "-at_install")
class TestAttackLeaks(AttackCommon):
    """R11.6, R14: a search, an order or a sum tells as much as a field does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Who follows a ticket reads it, and could get further from there.
        cls.secret_ticket.message_subscribe(cls.other_user.partner_id.ids)
        cls.users["public"] = cls.env.ref("base.public_user")
        cls.users["clerk elsewhere"] = cls._staff(
            "clerk-elsewhere",
            cls.users["elsewhere"].company_id,
            f"{CLERK},helpdesk_mgmt.group_helpdesk_manager",
        )
        cls.leaves = {
            name: [
                field for field in fields if field.name not in ("id", "display_name")
            ]
            for name, fields in cls.own_fields().items()
            if name not in PUBLIC and not cls.env[name]._transient
        }

    @classmethod
    def _note(cls, *documents):
        """Let staff note something for each other, in each way in which it can be
        internal.

        :return: one of these messages.
        """
        words = {"body": f"Close to {NOTED}", "subject": NOTED}
        for document in documents:
            document = document.sudo()
            document.message_post(**words)
            document._message_log(**words)
            document.message_post(
                **words,
                message_type="email",
                subtype_xmlid="mail.mt_comment",
                is_internal=True,
            )
            message = document.message_post(
                **words,
                message_type="comment",
                attachments=[(f"{NOTED}.txt", NOTED)],
            )
        return message

    @classmethod
    def _note_everywhere(cls):
        """The same on what customers' users see, and on themselves."""
        return cls._note(
            *(cls.sub.term_ids.sale_line_id.order_id, cls.charge.invoice_ids),
            *(cls.customer, cls.other_customer, cls.company, cls.team),
            *(cls.user.partner_id, cls.other_user.partner_id),
            *(cls.sub, cls.secret_ticket),
        )

    # -- fields ----------------------------------------------------------------------

    def test_fields(self):
        """Whatever way a field is asked for, it tells nothing to who may not know."""
        for role in ("foreign", "public", "elsewhere"):
            for name, fields in self.leaves.items():
                model = self.env[name].with_user(self.users[role])
                # Where nothing can be read, one field stands for all.
                for field in fields if model.has_access("read") else fields[:1]:
                    if (role, str(field)) in KNOWN:
                        continue
                    with self.subTest(role=role, field=str(field)):
                        told = [
                            way
                            for way, ask in self.ways(model, field).items()
                            if self.answer(model, ask)
                        ]
                        self.assertFalse(told)

    def ways(self, model, field):
        """Return what can be asked about a field: each way returns what it was told."""
        name = field.name
        aggregate = f"{name}:{field.aggregator or 'count_distinct'}"

        def values(rows):
            return [row[name] for row in rows if row.get(name)]

        def groups(groupby, aggregates):
            rows = model.formatted_read_group([], groupby, aggregates)
            names = [*groupby, *aggregates]
            return [row[key] for row in rows for key in names if row.get(key)]

        return {
            "search": lambda: model.search([(name, "!=", False)]),
            "count": lambda: model.search_count([(name, "!=", False)]),
            "name": lambda: model.name_search("", [(name, "!=", False)]),
            "order": lambda: self.in_order(model, name),
            "read": lambda: values(model.search_read([], [name])),
            "web": lambda: values(model.web_search_read([], {name: {}})["records"]),
            "group": lambda: groups([name], []),
            "sum": lambda: groups([], [aggregate]),
            "export": lambda: any(
                value
                for row in model.search([]).export_data([name])["datas"]
                for value in row
            ),
        }

    def in_order(self, model, name):
        """Return whether records come in the order of a field of theirs, which is of no
        interest if none of them has a value."""
        found = model.search([], order=name)
        return any(record[name] for record in found.sudo())

    def answer(self, model, ask):
        """Return what is told; nothing if that is refused, or cannot be asked for."""
        # Of itself a model is to look up everything.
        model.invalidate_model()
        try:
            return ask()
        except (AccessError, UserError, TypeError, ValueError):
            return None

    # -- paths ---------------------------------------------------------------------

    def test_paths(self):
        """Nor along other documents: a condition on a path finds nothing."""
        for role in ("foreign", "public", "elsewhere"):
            user = self.users[role]
            for name in sorted(self.env.registry):
                model = self.env[name].with_user(user)
                if model._abstract or model._transient or not model.has_access("read"):
                    continue
                groups = defaultdict(list)
                for path, leaf in self.paths(name, 1 + (LONG and name in STARTS)):
                    if (role, str(leaf)) not in KNOWN:
                        target = self.env[leaf.model_name].with_user(user)
                        groups[target._has_field_access(leaf, "read")].append(path)
                told = [
                    *self.told(model, groups[True]),
                    *(path for path in groups[False] if self.told(model, [path])),
                ]
                self.assertFalse(told, f"{role}: {name}")

    def told(self, model, paths):
        """Return the paths at whose end something is found."""
        if not paths:
            return []
        domain = Domain.OR([(path, "!=", False)] for path in paths)
        found = self.answer(model, partial(model.search, domain))
        if len(paths) == 1:
            return paths if found else []
        # One of them may be refused: then all are.
        return (
            [path for path in paths if self.told(model, [path])]
            if found is None or found
            else []
        )

    def paths(self, name, steps, last=False):
        """Yield the paths from a model to what is secret, and the field there."""
        for field in self.env[name]._fields.values():
            if not field.relational or not (field.store or field.search):
                continue
            target = field.comodel_name
            leaves = self.leaves.get(target, ())
            # At the end of two steps one field stands for all of its model.
            for leaf in leaves[:1] if last else leaves:
                yield f"{field.name}.{leaf.name}", leaf
            if steps > 1 and self.env[target]._original_module != MODULE:
                for path, leaf in self.paths(target, steps - 1, True):
                    yield f"{field.name}.{path}", leaf

    def test_paths_over_rpc(self):
        """The same as a client asks, where it is most likely to be answered."""
        self.act_as("foreign")
        number = self.secret_ticket.number
        for model, condition in (
            ("helpdesk.ticket", ("incident_count", "=", 2)),
            ("helpdesk.ticket", ("charge_amount", ">", 0)),
            ("helpdesk.ticket", ("charge_ids.name", "ilike", SECRET)),
            ("helpdesk.ticket", ("incident_entry_ids.quantity", "<", 0)),
            ("helpdesk.ticket", ("partner_id.incident_account_ids.available", ">", 0)),
            ("helpdesk.ticket", ("team_id.ticket_ids.incident_count", "=", 2)),
            ("res.partner", ("incident_available", ">", 0)),
            ("product.product", ("incident_extra_product_id", "!=", False)),
            ("helpdesk.incident.entry", ("ticket_id.number", "=", number)),
            ("helpdesk.incident.account", ("partner_id.name", "ilike", SECRET)),
        ):
            for method, arguments in (
                ("search", [[condition]]),
                ("search_count", [[condition]]),
                ("search_read", [[condition], ["id"]]),
                ("name_search", ["", [condition]]),
                ("formatted_read_group", [[condition], ["id"]]),
            ):
                with self.subTest(condition=condition, method=method):
                    result, error = self.rpc(model, method, *arguments)
                    self.assertTrue(error or not result, result)
        # What can be asked for at all.
        for model, forbidden in (
            ("helpdesk.ticket", ("incident_", "charge_")),
            ("res.partner", ("incident_",)),
        ):
            fields, _error = self.rpc(model, "fields_get")
            self.assertFalse([name for name in fields if name.startswith(forbidden)])

    # -- notes -----------------------------------------------------------------------

    def test_notes(self):
        """R11.6: no word of a note can be asked for, from wherever: whatever is asked
        is answered as for a word that nobody has written."""
        self._note_everywhere()
        for role in ("foreign", "own", "public"):
            for name in sorted(self.env.registry):
                model = self.env[name].with_user(self.users[role])
                if model._abstract or model._transient or not model.has_access("read"):
                    continue
                told = [
                    (path, way)
                    for path in self.note_paths(name, 1 + (LONG and name in STARTS))
                    for way, ask in self.note_ways(model, path).items()
                    if self.answer(model, partial(ask, NOTED))
                    != self.answer(model, partial(ask, NOWHERE))
                ]
                self.assertFalse(told, f"{role}: {name}")

    def note_paths(self, name, steps):
        """Yield the paths to messages, of so many steps."""
        for field in self.env[name]._fields.values():
            if not field.relational or not (field.store or field.search):
                continue
            if field.comodel_name == "mail.message":
                yield field.name
            elif steps > 1 and field.comodel_name != name:
                for path in self.note_paths(field.comodel_name, steps - 1):
                    yield f"{field.name}.{path}"

    def note_ways(self, model, path):
        """Return what can be asked of the messages at the end of a path."""
        start, _dot, rest = path.partition(".")
        files = f"{path}.attachment_ids"

        def within(word):
            for name in reversed(rest.split(".") if rest else ()):
                return [(name, "any", [("body", "ilike", word)])]
            return [("body", "ilike", word)]

        def counted(leaf, operator="ilike"):
            return lambda word: model.search_count([(leaf, operator, word)])

        return {
            "body": counted(f"{path}.body"),
            "no body": counted(f"{path}.body", "not ilike"),
            "subject": counted(f"{path}.subject", "="),
            "name": counted(path),
            "file": counted(f"{files}.name"),
            "any": lambda word: model.search_count([(start, "any", within(word))]),
            "not any": lambda word: model.search_count(
                [(start, "not any", within(word))]
            ),
            "answer": counted(f"{path}.child_ids.body"),
            "notice": counted(f"{path}.notification_ids.mail_message_id.body"),
        }

    def test_notes_over_rpc(self):
        """R11.6: the same as a client asks: of tickets, of what leads to them, and of
        messages themselves."""
        self._note_everywhere()
        self.assertTrue(
            self.env["helpdesk.ticket"]
            .sudo()
            .search_count([("message_ids.body", "ilike", NOTED)])
        )
        ticket = self.secret_ticket
        ways = (
            ("search",),
            ("search_read", ["id"]),
            ("web_search_read", {"id": {}}),
            ("formatted_read_group", [], ["__count"]),
            ("web_read_group", ["create_uid"]),
            ("read_progress_bar", "user_id", {"field": "priority", "colors": {}}),
        )
        for role in ("foreign", "own"):
            self.act_as(role)
            for model, path in (
                ("helpdesk.ticket", "message_ids.body"),
                ("helpdesk.ticket", "website_message_ids.body"),
                ("helpdesk.ticket", "message_ids"),
                ("helpdesk.ticket", "message_ids.parent_id.child_ids.body"),
                ("helpdesk.ticket", "team_id.ticket_ids.message_ids.body"),
                ("helpdesk.ticket", "team_id.message_ids.body"),
                ("helpdesk.ticket", "company_id.message_ids.body"),
                ("helpdesk.ticket", "user_id.partner_id.message_ids.body"),
                ("helpdesk.incident.entry", "ticket_id.message_ids.body"),
                ("helpdesk.incident.subscription", "message_ids.body"),
                ("helpdesk.incident.account", "subscription_ids.message_ids.body"),
                ("sale.order", "website_message_ids.subject"),
                ("sale.order.line", "order_id.message_ids.body"),
                ("account.move", "message_ids.body"),
                ("account.move.line", "move_id.message_ids.body"),
                ("account.move.line", "search_account_id.company_ids.message_ids.body"),
                ("res.partner", "message_ids.body"),
                ("res.partner", "user_ids.message_ids.body"),
                ("res.users", "partner_id.message_ids.body"),
                ("res.company", "partner_id.message_ids.body"),
                ("mail.message", "body"),
                ("mail.message", "child_ids.body"),
                ("mail.notification", "mail_message_id.body"),
            ):
                domains = [[[path, "ilike", word]] for word in (NOTED, NOWHERE)]
                for method, *arguments in (
                    ("search_count",),
                    *(ways if path == "message_ids.body" else ()),
                ):
                    with self.subTest(role=role, path=path, method=method):
                        told, untold = (
                            self.rpc(model, method, domain, *arguments)
                            for domain in domains
                        )
                        self.assertEqual(told, untold)
            with self.subTest(role=role, method="name_search"):
                domain = [["message_ids.body", "ilike", NOTED]]
                found, _error = self.rpc("helpdesk.ticket", "name_search", "", domain)
                self.assertFalse(found)
            # Nor by their ids.
            for message in self.env["mail.message"].search(
                [("model", "in", (ticket._name, self.sub._name))]
            ):
                if NOTED in message.body:
                    for method in ("read", "web_read", "portal_message_format"):
                        specification = {"read": [["body"]], "web_read": [{"body": {}}]}
                        answer, error = self.rpc(
                            "mail.message",
                            method,
                            message.ids,
                            *specification.get(method, []),
                        )
                        self.assertFalse(answer)
                        self.assertEqual(error, "AccessError")
            fields = ["message_ids", "website_message_ids"]
            documents = [("helpdesk.ticket", ticket)]
            if role == "own":
                documents.append(("helpdesk.incident.subscription", self.sub))
            for model, document in documents:
                specification = {name: {"fields": {"body": {}}} for name in fields}
                answer, _error = self.rpc(
                    model, "web_read", document.ids, specification
                )
                self.assertNotIn(NOTED, str(answer))

    def test_customers_and_staff_find_what_they_may_read(self):
        """R11.6: what is written to customers can be looked for, and by staff notes."""
        self._note(self.secret_ticket)
        self.secret_ticket.sudo().message_post(
            body="A plain answer",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        for role, words, number in (
            ("own", "plain answer", 1),
            ("foreign", "plain answer", 1),
            ("agent", "plain answer", 1),
            ("agent", NOTED, 1),
            ("own", NOTED, 0),
        ):
            tickets = self.env["helpdesk.ticket"].with_user(self.users[role])
            with self.subTest(role=role, words=words):
                domain = [
                    ("id", "=", self.secret_ticket.id),
                    ("message_ids.body", "ilike", words),
                ]
                self.assertEqual(tickets.search_count(domain), number)

    # -- other companies -------------------------------------------------------------

    def test_conditions_have_the_rights_of_who_asks(self):
        """R2.3, R11.6: whatever relation a client begins with, what it asks about there
        is not looked up with all rights."""
        wrong = set()
        for role in ("foreign", "clerk elsewhere"):
            for name in sorted(self.env.registry):
                model = self.env[name].with_user(self.users[role])
                # Odoo searches the relations between modules by numbers alone.
                if name.startswith("ir.module."):
                    continue
                if model._abstract or model._transient or not model.has_access("read"):
                    continue
                for field in model._fields.values():
                    if not field.relational or not (field.store or field.search):
                        continue
                    with self.looked_up_with_all_rights() as found:
                        for operator in ("any", "not any"):
                            with suppress(
                                AccessError, UserError, TypeError, ValueError
                            ):
                                model._search([(field.name, operator, [MARK])])
                    if found:
                        wrong.add((role, str(field)))
        self.assertFalse(wrong)

    @contextmanager
    def looked_up_with_all_rights(self):
        """Collect the models on whose records ``MARK`` is looked up with all rights."""
        found = set()
        to_sql = DomainCondition._to_sql

        def spy(condition, model, alias, query):
            # Of attachments Odoo leaves out afterwards what the user may not read.
            if condition.field_expr == MARK[0] and model.env.su:
                found.update({model._name} - {"ir.attachment"})
            return to_sql(condition, model, alias, query)

        with patch.object(DomainCondition, "_to_sql", spy):
            yield found

    def test_other_companies_over_rpc(self):
        """R2.3: nothing of a company is asked for from another one, by paths from what
        everybody has."""
        self.users["elsewhere"].partner_id.message_subscribe(self.customer.ids)
        note = self._note(self.secret_ticket)
        file = self.env["ir.attachment"].create(
            {"name": "Mine", "public": True, "raw": b"x"}
        )
        self.env.flush_all()
        number = self.secret_ticket.number
        accounts = "incident_account_ids.available"
        for role in ("elsewhere", "clerk elsewhere"):
            self.act_as(role)
            for model, condition in (
                ("res.partner", (f"message_partner_ids.{accounts}", ">", 0)),
                ("ir.attachment", (f"create_uid.partner_id.{accounts}", ">", 0)),
                ("ir.attachment", ("create_uid.message_ids.body", "ilike", NOTED)),
                (
                    "ir.attachment",
                    ("create_uid.company_id.partner_id.name", "!=", False),
                ),
                ("ir.attachment", ("create_uid.helpdesk_team_ids", "ilike", number)),
            ):
                with self.subTest(role=role, condition=condition):
                    domain = [("id", "=", file.id)] if "ir." in model else []
                    found, _error = self.rpc(model, "search", [*domain, condition])
                    self.assertFalse(found)
            # The file itself is found.
            found, _error = self.rpc("ir.attachment", "search", [("id", "=", file.id)])
            self.assertEqual(found, file.ids)
        # Nor is a message told by its id.
        for role in ("elsewhere", "clerk elsewhere"):
            self.act_as(role)
            for method in ("read", "export_data"):
                told, error = self.rpc("mail.message", method, note.ids, ["body"])
                self.assertEqual((told, error), (None, "AccessError"))

    # -- messages and files ------------------------------------------------------------

    def test_messages_and_files(self):
        """R11.6: what is written and attached to a subscription or a ticket."""
        documents = (self.sub, self.parked)
        files = self.env["ir.attachment"].sudo()
        for document in documents:
            document.sudo().message_post(body=f"{SECRET} words")
            files |= files.create(
                {
                    "name": f"{SECRET}.txt",
                    "raw": SECRET.encode(),
                    "res_model": document._name,
                    "res_id": document.id,
                }
            )
        messages = self.env["mail.message"].search_count([])
        for role in ("foreign", "public", "elsewhere"):
            self.act_as(role)
            for document, file in zip(documents, files, strict=True):
                thread = {
                    "thread_model": document._name,
                    "thread_id": document.id,
                }
                for path, params in (
                    ("/mail/thread/messages", thread),
                    ("/mail/data", {"fetch_params": [["mail.thread", thread]]}),
                    (
                        "/mail/message/post",
                        {
                            **thread,
                            "post_data": {"body": "x", "message_type": "comment"},
                        },
                    ),
                    ("/mail/thread/subscribe", {**thread, "partner_ids": [1]}),
                ):
                    with self.subTest(role=role, path=path, model=document._name):
                        response = self.url_open(path, json={"params": params})
                        self.assertNotIn(SECRET, response.text)
                        self.assertNotIn("Top secret", response.text)
                for path in (
                    f"/web/content/{file.id}",
                    f"/web/content/{document._name}/{document.id}/display_name",
                    f"/web/image/{document._name}/{document.id}/display_name",
                    f"/web/content/helpdesk.incident.account/{self.account.id}/level",
                    f"/mail/view?model={document._name}&res_id={document.id}",
                    f"/web/image/{file.id}",
                ):
                    with self.subTest(role=role, path=path):
                        response = self.url_open(path, allow_redirects=False)
                        self.assertNotIn(SECRET, response.text)
        self.env.invalidate_all()
        self.assertEqual(self.env["mail.message"].search_count([]), messages)
        # Who may, gets the file.
        self.act_as("agent")
        self.assertEqual(self.url_open(f"/web/content/{files[0].id}").text, SECRET)
