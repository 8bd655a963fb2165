import os
from functools import partial

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_attack import MODULE, SECRET, AttackCommon

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
}
LONG = bool(os.environ.get("PAID_SUPPORT_ATTACK"))
#: From where paths of two steps are tried, in some minutes; those of one step are tried
#: always, and from everywhere. Not from attachments: Odoo looks along their paths with
#: all rights, whatever they are to.
STARTS = (
    *("account.move", "account.move.line", "account.payment", "helpdesk.ticket"),
    *("helpdesk.ticket.team", "mail.message", "payment.transaction"),
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
        cls.leaves = {
            name: [
                field for field in fields if field.name not in ("id", "display_name")
            ]
            for name, fields in cls.own_fields().items()
            if name not in PUBLIC and not cls.env[name]._transient
        }

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
                            if self.answer(ask)
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

    def answer(self, ask):
        """Return what is told; nothing if that is refused, or cannot be asked for."""
        self.env.invalidate_all()
        try:
            with self.env.cr.savepoint():
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
                told = [
                    path
                    for path, leaf in self.paths(name, 1 + (LONG and name in STARTS))
                    if (role, leaf) not in KNOWN
                    and self.answer(partial(model.search, [(path, "!=", False)]))
                ]
                self.assertFalse(told, f"{role}: {name}")

    def paths(self, name, steps, last=False):
        """Yield the paths from a model to what is secret, and the field there."""
        for field in self.env[name]._fields.values():
            if not field.relational or not (field.store or field.search):
                continue
            target = field.comodel_name
            leaves = self.leaves.get(target, ())
            # At the end of two steps one field stands for all of its model.
            for leaf in leaves[:1] if last else leaves:
                yield f"{field.name}.{leaf.name}", str(leaf)
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
