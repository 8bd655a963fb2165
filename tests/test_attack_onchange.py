from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged

from .common_attack import CLERK, MODULE, SECRET, AttackCommon

#: What each role gets over RPC from ``onchange`` of a form that is not saved, of an
#: empty one, and of one that names a customer's documents: an error of rights (-),
#: another refusal (!), or an answer (+). In the order of ``COLUMNS``: the customers'
#: users, the company's staff, and that of another company.
COLUMNS = (
    *("foreign", "own", "agent", "accountant", "clerk", "boss"),
    *("elsewhere", "boss elsewhere"),
)
FORMS = {
    "account.move": ("---+++-!", "---+++--"),
    "account.move.line": ("---+++-+", "---+++--"),
    "account.move.reversal": ("---+++-+", "---+++--"),
    "account.payment": ("---+++-+", "---+++--"),
    "discuss.channel.member": ("++++++++", "--++++--"),
    "helpdesk.incident.account": ("--------", "--------"),
    "helpdesk.incident.adjust": ("-----+-+", "-----+--"),
    "helpdesk.incident.allotment": ("--------", "--------"),
    "helpdesk.incident.contest": ("--------", "--------"),
    "helpdesk.incident.contest.decide": ("--+-++++", "--+-++--"),
    "helpdesk.incident.difference": ("--------", "--------"),
    "helpdesk.incident.entry": ("--------", "--------"),
    "helpdesk.incident.event": ("--------", "--------"),
    "helpdesk.incident.fault": ("--------", "--------"),
    "helpdesk.incident.merge": ("--------", "--------"),
    "helpdesk.incident.onboarding": ("-----+-+", "-----+--"),
    "helpdesk.incident.opening": ("-----+-+", "-----+--"),
    "helpdesk.incident.outbox": ("--------", "--------"),
    "helpdesk.incident.purchase": ("--------", "--------"),
    "helpdesk.incident.release": ("--------", "--------"),
    "helpdesk.incident.release.line": ("----++-+", "----++--"),
    "helpdesk.incident.reminder": ("--------", "--------"),
    "helpdesk.incident.dashboard": ("--------", "--------"),
    "helpdesk.incident.recurring": ("--------", "--------"),
    "helpdesk.incident.returned": ("--------", "--------"),
    "helpdesk.incident.subscription": ("--------", "--------"),
    "helpdesk.incident.subscription.order": ("--!-!!!!", "--+-++--"),
    "helpdesk.incident.subscription.term": ("--------", "--------"),
    "helpdesk.incident.threshold": ("-----+-+", "-----+--"),
    "helpdesk.incident.undo": ("--------", "--------"),
    "helpdesk.incident.undo.line": ("--------", "--------"),
    "helpdesk.incident.topup": ("--------", "--------"),
    "helpdesk.incident.topup.set": ("--+-++++", "--+-++--"),
    "helpdesk.incident.unearned": ("--------", "--------"),
    "helpdesk.incident.unearned.month": ("--------", "--------"),
    "helpdesk.incident.unearned.part": ("--------", "--------"),
    "helpdesk.incident.used": ("--------", "--------"),
    "helpdesk.incident.customer.balance": ("--------", "--------"),
    "helpdesk.incident.unearned.wizard": ("---+++-+", "---+++--"),
    "helpdesk.ticket": ("--+-++++", "--+-++--"),
    "helpdesk.ticket.charge": ("-----+-+", "-----+--"),
    "helpdesk.ticket.charge.wizard": ("-----+-+", "-----+--"),
    "helpdesk.ticket.draft": ("--------", "--------"),
    "helpdesk.ticket.order": ("--!-!!!!", "--+-++--"),
    "helpdesk.ticket.outcome": ("-----+-+", "-----+--"),
    "helpdesk.ticket.overage": ("-----+-+", "-----+--"),
    "helpdesk.ticket.proposal": ("--+-++++", "--+-++--"),
    "helpdesk.ticket.propose": ("--!-!!!!", "--+-++--"),
    "helpdesk.ticket.stage": ("-----+-+", "-----+--"),
    "helpdesk.ticket.team": ("-----+-+", "-----+--"),
    "helpdesk.ticket.team.rule": ("-----+-+", "-----+--"),
    "ir.attachment": ("--++++++", "--++++--"),
    "mail.activity": ("--++++++", "--++++--"),
    "mail.activity.schedule": ("--++++++", "--++++--"),
    "mail.compose.message": ("--++++++", "--++++--"),
    "mail.message": ("++++++++", "--++++--"),
    "product.product": ("----++-+", "----++--"),
    "product.template": ("----++-+", "----++--"),
    "res.company": ("--------", "--------"),
    "res.config.settings": ("--------", "--------"),
    "res.partner": ("----++-+", "----++--"),
    "res.users": ("--------", "--------"),
    "sale.order": ("----++-+", "----++--"),
    "sale.order.line": ("----++-+", "----++--"),
}
#: Models of core in whose forms this module's users name documents, too.
CORE = {
    *("discuss.channel.member", "ir.attachment", "mail.activity"),
    *("mail.activity.schedule", "mail.compose.message", "mail.message"),
}
#: Forms of documents of any model: which fields name them.
OF_ANY_MODEL = {
    "mail.activity.schedule": ("res_model", "res_ids"),
    "mail.compose.message": ("model", "res_ids"),
    "sms.composer": ("res_model", "res_ids"),
}
#: What customers' users may know: the company, and who they can ask.
KNOWN = {"foreign": ("res.company", "helpdesk.ticket.team")}
#: Who may see nothing of the customer, and has forms.
STRANGERS = ("foreign", "elsewhere", "boss elsewhere")
SIGNS = {
    None: "+",
    "AccessError": "-",
    "NotEnoughIncidents": "!",
    "UserError": "!",
    "ValidationError": "!",
}
BOSS = f"{CLERK},helpdesk_mgmt.group_helpdesk_manager"


@tagged("post_install", "-at_install")
class TestAttackOnchange(AttackCommon):
    """R2.3, R11.6: a form that is not saved names what it likes, and in part what is
    computed for it is looked up with all rights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret_ticket.message_subscribe(cls.other_user.partner_id.ids)
        elsewhere = cls.users["elsewhere"].company_id
        cls.users.update(
            {
                "clerk": cls._staff("clerk", cls.company, CLERK),
                "boss": cls._staff("boss", cls.company, BOSS),
                "boss elsewhere": cls._staff("boss-elsewhere", elsewhere, BOSS),
            }
        )
        # Customers are shared by all companies, but for this one.
        cls.private = cls.env["res.partner"].create(
            {"name": f"{SECRET} private", "company_id": cls.company.id}
        )
        cls.documents = cls._documents()

    @classmethod
    def _documents(cls):
        """Return a document of the customer of each model, or of the company."""
        sub = cls.sub.sudo()
        order = sub.term_ids.sale_line_id.order_id[:1]
        invoice = cls.charge.invoice_ids
        message = cls.secret_ticket.message_post(body=SECRET, subject=SECRET)
        file = cls.env["ir.attachment"].create(
            {
                "name": SECRET,
                "res_model": cls.secret_ticket._name,
                "res_id": cls.secret_ticket.id,
            }
        )
        return {
            record._name: record
            for record in (
                *(cls.account, cls.account.allotment_ids[:1], sub, sub.term_ids[:1]),
                *(cls.account.entry_ids[:1], cls.secret_ticket, cls.charge, cls.team),
                *(cls.company, cls.private, cls.user, order, order.order_line[:1]),
                *(invoice, invoice.line_ids[:1], cls.money, order.transaction_ids[:1]),
                *(message, file),
            )
        }

    def forms(self):
        """Return the names of the models whose forms are attacked."""
        return sorted({*self.own_fields(), *self.own_models(), *CORE})

    def specification(self, model):
        """Return what a client asks of a form: what this module shows there, and the
        names of the form and of all that it may be linked with."""
        return {
            field.name: {"fields": {"display_name": {}}} if field.relational else {}
            for field in model._fields.values()
            if model._has_field_access(field, "read")
            and (
                field._module == MODULE
                or field.comodel_name in self.documents
                or field.name in ("display_name", "name", "record_name", "res_name")
                or field.type in ("reference", "many2one_reference")
            )
        }

    def named(self, model, role=None):
        """Yield the fields of a form that can name a document that a role may not know,
        with what names it."""
        documents = {
            name: document
            for name, document in self.documents.items()
            if name not in KNOWN.get(role, ())
        }
        for field in self.env[model]._fields.values():
            document = documents.get(field.comodel_name)
            if document and field.type == "many2one":
                yield field.name, {field.name: document.id}
            elif document:
                for command in (
                    (4, document.id),
                    (6, 0, document.ids),
                    (1, document.id, {}),
                    document.id,
                ):
                    yield field.name, {field.name: [command]}
            elif field.type == "reference":
                yield field.name, {field.name: f"helpdesk.ticket,{self.parked.id}"}
            elif field.type == "many2one_reference" and field.model_field:
                for document in documents.values():
                    yield (
                        field.name,
                        {field.name: document.id, field.model_field: document._name},
                    )

    def named_together(self, model, role=None):
        """Return the same of all fields of a form."""
        values = {}
        for _field, value in self.named(model, role):
            for key, content in value.items():
                values.setdefault(key, content)
        return values

    def assertTellsNothing(self, answer):
        for word in (SECRET, self.secret_ticket.number, self.charge.documents):
            self.assertNotIn(word, str(answer))

    def test_forms(self):
        """Each form, as each role: with nothing, and with a customer's documents."""
        rows = {}
        for role in COLUMNS:
            self.act_as(role)
            env = self.env(user=self.users[role])
            for name in self.forms():
                spec = self.specification(env[name])
                values = self.named_together(name)
                with self.subTest(role=role, model=name):
                    for given in ({}, values):
                        with self.assertNoFault():
                            answer, error = self.rpc(
                                name, "onchange", [], given, [], spec
                            )
                        rows.setdefault(name, ["", ""])[bool(given)] += SIGNS.get(
                            error, str(error)
                        )
                        if role in STRANGERS:
                            self.assertTellsNothing(answer)
        self.assertUntouched()
        self.assertEqual({name: tuple(row) for name, row in rows.items()}, FORMS)

    # -- each way to name something ------------------------------------------------

    def asked(self, model, values, ids=(), context=None):
        """Return what a form tells, in the process of the test; None if refused."""
        self.env.invalidate_all()
        model = model.with_context(**context or {})
        arguments = [list(ids), values, [], self.specification(model)]
        try:
            return call_kw(model, "onchange", arguments, {})
        except (AccessError, UserError, ValueError, AssertionError, ArithmeticError):
            # As after a request: nothing is left of it.
            self.env.transaction.clear()
            return None

    def stranger_forms(self):
        """Yield the forms that strangers may open, with who does."""
        for role in STRANGERS:
            for name in self.forms():
                model = self.env[name].with_user(self.users[role])
                if model.has_access("create"):
                    yield role, model

    def test_each_field(self):
        """Whatever link of a form names a document, by whatever command, nothing is
        told of it."""
        for role, model in self.stranger_forms():
            for field, values in self.named(model._name, role):
                with self.subTest(role=role, model=model._name, values=values):
                    self.assertFalse(self.asked(model, values), field)

    def test_lines(self):
        """Nor within a line of the form."""
        for role, model in self.stranger_forms():
            for field in model._fields.values():
                if field.type not in ("one2many", "many2many"):
                    continue
                values = self.named_together(field.comodel_name, role)
                line = (0, "virtual_1", values)
                if values:
                    with self.subTest(role=role, field=str(field)):
                        self.assertFalse(self.asked(model, {field.name: [line]}))
        teams = self.env["helpdesk.ticket.team"].with_user(self.users["boss elsewhere"])
        values = {"partner_id": self.private.id}
        for line in (
            *([0, 0, values], values, {"id": self.secret_ticket.id}),
            [1, self.secret_ticket.id, values],
            [0, 0, {"partner_id": values | {"id": self.private.id}}],
        ):
            with self.subTest(line=line):
                self.assertFalse(self.asked(teams, {"ticket_ids": [line]}))

    def test_other_forms_of_core(self):
        """R2.3, R11.6: tickets, messages, and what this module has, by whatever form
        names them; some of them have had no field of this module."""
        known = set(self.forms())
        shared = {"helpdesk.ticket", "mail.message", *self.own_models()}
        tried = set()
        for role in STRANGERS:
            for name in sorted(self.env.registry):
                model = self.env[name].with_user(self.users[role])
                if model._abstract or name in known or not model.has_access("create"):
                    continue
                for field, values in self.named(name, role):
                    if model._fields[field].comodel_name not in shared:
                        continue
                    tried.add(name)
                    with self.subTest(role=role, model=name, values=values):
                        self.assertFalse(self.asked(model, values), field)
        self.assertLessEqual({"helpdesk.ticket.duplicate.wizard"}, tried)

    def test_documents_of_any_model(self):
        """Nor by a model and ids in words, by what is written to, or by where the form
        was opened."""
        for role in STRANGERS:
            for name, (model_field, ids_field) in OF_ANY_MODEL.items():
                if name not in self.env:
                    continue
                model = self.env[name].with_user(self.users[role])
                if not model.has_access("create"):
                    continue
                for document in self.documents.values():
                    if document._name in KNOWN.get(role, ()):
                        continue
                    named = {model_field: document._name, ids_field: str(document.ids)}
                    default = {f"default_{key}": value for key, value in named.items()}
                    active = {
                        "active_model": document._name,
                        "active_id": document.id,
                        "active_ids": document.ids,
                    }
                    for values, context in (
                        (named, {}),
                        ({ids_field: named[ids_field]}, default),
                        ({model_field: document._name}, default),
                        ({model_field: document._name}, active),
                        ({}, default),
                        ({}, {**active, f"default_{model_field}": document._name}),
                    ):
                        with self.subTest(
                            role=role, model=name, values=values, context=context
                        ):
                            self.assertTellsNothing(
                                self.asked(model, values, context=context)
                            )

    def test_defaults(self):
        """Nor by a default, of the context or of the user."""
        told = 0
        for role, model in self.stranger_forms():
            values = self.named_together(model._name, role)
            context = {f"default_{key}": value for key, value in values.items()}
            with self.subTest(role=role, model=model._name):
                self.assertTellsNothing(self.asked(model, {}, context=context))
        user = self.users["elsewhere"]
        defaults = self.env["ir.default"].with_user(user)
        tickets = self.env["helpdesk.ticket"].with_user(user)
        for name, document in (
            ("partner_id", self.private),
            ("team_id", self.team),
            ("duplicate_id", self.secret_ticket),
        ):
            defaults.set(tickets._name, name, document.id, user_id=True)
            answer = self.asked(tickets, {})
            self.assertTellsNothing(answer)
            told += bool(answer)
        self.assertEqual(told, 3)

    def test_a_document_of_ones_own(self):
        """Nor by a document that one may write."""
        for role in ("elsewhere", "boss elsewhere"):
            user = self.users[role]
            own = self.env["helpdesk.ticket"].create(
                {
                    "name": "Mine",
                    "description": "Mine",
                    "company_id": user.company_id.id,
                    "user_id": user.id,
                }
            )
            tickets = own.browse().with_user(user)
            self.assertTrue(self.asked(tickets, {"name": "x"}, own.ids))
            for name, values in self.named(tickets._name):
                with self.subTest(role=role, field=name):
                    self.assertFalse(self.asked(tickets, values, own.ids))

    def test_saved(self):
        """Nor by what is saved: by a value, or by a default."""
        document = {
            "model": self.sub._name,
            "res_ids": str(self.sub.ids),
        }
        twice = dict.fromkeys(("ticket_id", "duplicate_of_id"), self.secret_ticket.id)
        for role in ("elsewhere", "boss elsewhere"):
            self.act_as(role)
            user = self.users[role]
            own = self.env["helpdesk.ticket"].create(
                {
                    "name": "Mine",
                    "description": "Mine",
                    "company_id": user.company_id.id,
                    "user_id": user.id,
                }
            )
            linked = {
                "partner_id": self.private.id,
                "duplicate_id": self.secret_ticket.id,
                "team_id": self.team.id,
            }
            calls = [
                *((own, {name: value}) for name, value in linked.items()),
                *((own.browse(), {name: value}) for name, value in linked.items()),
                (self.env["helpdesk.ticket.duplicate.wizard"], twice),
                (self.env["mail.compose.message"], document),
            ]
            for records, values in calls:
                name = records._name
                new = {} if records else {"name": "New", "description": "New"}
                new = new if name == own._name else {}
                spec = {key: {"fields": {"display_name": {}}} for key in values}
                if name == "mail.compose.message":
                    spec = {"subject": {}}
                with self.subTest(role=role, records=records, values=values):
                    answer, error = self.rpc(
                        name, "web_save", records.ids, new | values, spec
                    )
                    self.assertEqual((answer, error), (None, "AccessError"))
                    context = {f"default_{key}": value for key, value in values.items()}
                    if name != "helpdesk.ticket.duplicate.wizard" and not records:
                        answer, error = self.rpc(
                            name, "web_save", [], new, spec, context=context
                        )
                        # helpdesk_mgmt asks the default team for its first stage.
                        refused = (
                            {None, "AccessError"} if "team_id" in values else {None}
                        )
                        self.assertIn(error, refused)
                        self.assertTellsNothing(answer)
                        self.assertNotIn(self.team.name, str(answer))

    def test_numbers_over_rpc(self):
        """R2.3: as a client asks for what an agent sees beside a ticket."""
        spec = {
            name: {}
            for name in (
                *("incident_available", "incident_source", "incident_due"),
                "incident_count",
            )
        }
        private = self.secret_ticket.copy({"partner_id": self.user.partner_id.id})
        cases = (
            {"partner_id": self.user.partner_id.id, "company_id": self.company.id},
            {"team_id": self.team.id, "partner_id": self.user.partner_id.id},
            {"duplicate_id": private.id},
        )
        self.act_as("elsewhere")
        for values in cases:
            with self.subTest(values=values):
                answer, error = self.rpc(
                    "helpdesk.ticket", "onchange", [], values, [], spec
                )
                self.assertEqual((answer, error), (None, "AccessError"))
        self.act_as("agent")
        answer, error = self.rpc("helpdesk.ticket", "onchange", [], cases[0], [], spec)
        self.assertFalse(error)
        self.assertEqual(answer["value"]["incident_available"], self.account.available)
        self.assertTrue(answer["value"]["incident_source"])

    # -- what stays possible -----------------------------------------------------------

    def test_what_the_record_has_already(self):
        """A form may send again what the record is linked with, even where its user may
        not see that."""
        user = self.users["elsewhere"]
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "Mine",
                "description": "Mine",
                "company_id": user.company_id.id,
                "duplicate_id": self.secret_ticket.id,
                "user_id": user.id,
            }
        )
        tickets = ticket.browse().with_user(user)
        values = {"duplicate_id": self.secret_ticket.id, "name": "Changed"}
        self.env.invalidate_all()
        answer = call_kw(
            tickets, "onchange", [ticket.ids, values, ["name"], {"name": {}}], {}
        )
        self.assertIn("value", answer)

    def test_wizards_tell_nothing(self):
        """R2.3: dialogs, which everybody may create, go by what they are about."""
        user = self.users["boss elsewhere"]
        for name, values, fields in (
            (
                "helpdesk.ticket.charge.wizard",
                {"ticket_id": self.secret_ticket.id},
                ("partner_id", "tax_included", "balance", "amount_total"),
            ),
            (
                "helpdesk.ticket.overage",
                {"ticket_id": self.secret_ticket.id},
                ("offer", "obstacle", "problem"),
            ),
            (
                "helpdesk.incident.subscription.order",
                {"subscription_id": self.sub.id, "operation": "renew"},
                ("plan_ids", "product_id", "quantity", "preview", "has_extra"),
            ),
            (
                "helpdesk.incident.topup.set",
                {"account_id": self.account.id, "product_id": self.months.id},
                ("account_id", "chosen", "plan_ids"),
            ),
        ):
            for field in fields:
                with self.subTest(model=name, field=field), self.undone():
                    wizards = self.env[name].with_user(user)
                    with self.assertRaises(AccessError):
                        wizards.create(values).read([field])
        wizard = (
            self.env["helpdesk.incident.onboarding"]
            .with_user(user)
            .create({"company_id": self.company.id})
        )
        self.env.invalidate_all()
        self.assertFalse(wizard.has_tz or wizard.steps)
