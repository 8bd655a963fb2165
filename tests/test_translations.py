import re
from pathlib import Path

import polib
from freezegun import freeze_time
from lxml import etree, html

from odoo.tests import new_test_user, tagged

from odoo.addons.helpdesk_paid_support.models.reminder import (
    helpdesk_incident_reminder,
)

from .common_sale import BOUGHT
from .test_buy import BuyCommon

I18N = Path(__file__).parent.parent / "i18n"
#: What a date and an amount look like in each language.
LANGUAGES = {
    "de_DE": ("10.05.2027", "Supportf"),
    "es_ES": ("10 may 2027", "incidencia"),
    "fr_FR": ("10 mai 2027", "incident"),
    "ru_RU": ("10 мая 2027", "инцидент"),
}
#: What is called the same in some of them: it stands empty, as the OCA has it.
SAME = {
    *("ID", "Icon", "Link", "Problem", "Revision", "Start", "Ticket", "Tickets"),
    *("ticket", "extra", "Error", "Plan", "Total", "Attention", "Contact", "Date"),
    *("Description", "Document", "Documents", "Incidents", "incidents", "incident"),
    *("Message", "Messages", "Source", "Taxes", "Status", "Team", "Contacts"),
    *("Moment", "Name", "Questions", "Re", "Transaction", "Journal"),
}
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\{.*?\}\}")
EXPRESSIONS = re.compile(r'\bt-[\w-]+="[^"]*"')


def words(term):
    """Return the words of a term, without numbers, placeholders and tags."""
    return set(
        re.findall(r"[^\W\d]+", re.sub(r"%\(\w+\)[sd]|\{\{.*?\}\}|<[^>]*>", " ", term))
    )


@tagged("post_install", "-at_install")
class TestTranslations(BuyCommon):
    """The module in each language that it is translated into, loaded for real."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for code in LANGUAGES:
            cls.env["res.lang"]._activate_lang(code)
        cls.env["ir.module.module"]._load_module_terms(
            ["helpdesk_paid_support"], list(LANGUAGES)
        )

    def test_files(self):
        """Each term is translated, and no placeholder or expression is broken."""
        template = {e.msgid for e in polib.pofile(I18N / "helpdesk_paid_support.pot")}
        for code in LANGUAGES:
            translations = polib.pofile(I18N / f"{code[:2]}.po")
            self.assertEqual({e.msgid for e in translations}, template)
            for entry in translations:
                with self.subTest(language=code, term=entry.msgid):
                    self.assertFalse(entry.fuzzy)
                    if not entry.msgstr:
                        self.assertLessEqual(words(entry.msgid), SAME)
                        continue
                    for pattern in (PLACEHOLDERS, EXPRESSIONS):
                        self.assertEqual(
                            sorted(pattern.findall(entry.msgstr)),
                            sorted(pattern.findall(entry.msgid)),
                        )

    def test_words_of_code(self):
        """Errors come in the language of the user, with the numbers in them."""
        message = self.env["helpdesk.incident.account"]._shortage_message(3, 1)
        for code in LANGUAGES:
            translated = (
                self.env["helpdesk.incident.account"]
                .with_context(lang=code)
                ._shortage_message(3, 1)
            )
            self.assertNotEqual(translated, message)
            self.assertRegex(translated, "3.*1")

    def test_views(self):
        """Each view can be read in each language."""
        views = self.env["ir.model.data"].search(
            [("module", "=", "helpdesk_paid_support"), ("model", "=", "ir.ui.view")]
        )
        views = self.env["ir.ui.view"].browse(views.mapped("res_id"))
        for code in LANGUAGES:
            translated = 0
            for view in views:
                arch = view.with_context(lang=code).arch
                etree.fromstring(arch)
                translated += arch != view.with_context(lang="en_US").arch
            self.assertGreater(translated, len(views) / 2, code)

    def test_mails(self):
        """Each mail can be written in each language: no expression is broken."""
        self.order_and_pay()
        subscription = self.env["helpdesk.incident.subscription"].search([], limit=1)
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "It does not work",
                "description": "…",
                "team_id": self.team.id,
                "partner_id": self.user.partner_id.id,
            }
        )
        seller = new_test_user(
            self.env,
            "hps-seller",
            "sales_team.group_sale_salesman",
            email="s@x.example",
        )
        self.customer.user_id = seller
        reminders = self.env["helpdesk.incident.reminder"].sudo()
        kinds = dict(helpdesk_incident_reminder.KINDS)
        del kinds["low_team"]  # an activity
        for kind in kinds:
            reminders._queue(
                kind,
                "test",
                subscription.account_id,
                subscription=subscription,
                ticket=ticket,
                order=self.orders()[0],
                reason="declined",
                day=subscription.date_end,
                quantity=3,
            )
            reminder = reminders.search([("kind", "=", kind), ("key", "=", "test")])
            template = self.env.ref(
                f"helpdesk_paid_support.mail_template_incident_{kind}"
            )
            said = set()
            for code in ("en_US", *LANGUAGES):
                self.user.partner_id.lang = self.customer.lang = seller.lang = code
                values = template._generate_template(
                    reminder.ids, {"subject", "body_html"}
                )[reminder.id]
                text = html.fromstring(values["body_html"]).text_content()
                for part in (values["subject"], text):
                    self.assertNotRegex(part, r"\{\{|%\(|t-out|None|False", code)
                self.assertTrue(values["subject"])
                said.add(" ".join(text.split()))
            self.assertEqual(len(said), 5, kind)

    def test_pages(self):
        """R11.4: dates and words of the customer's pages are those of the language."""
        self.order_and_pay()
        for code, (day, word) in LANGUAGES.items():
            self.user.lang = code
            self.authenticate("hps-nora", "hps-nora")
            for path in (
                "/my/incidents",
                "/my/incidents/statement",
                "/my/incidents/buy",
                "/new/ticket",
                "/my",
            ):
                text = self.text(self.page(path), "//main")
                if path == "/my/incidents":
                    self.assertIn(day, text.replace("\xa0", " "), code)
                self.assertIn(word.lower(), text.lower(), (code, path))

    def order_and_pay(self):
        with freeze_time(BOUGHT):
            order = self.env["sale.order"]._incident_buy(
                self.user.partner_id, self.company, self.months, 1
            )
            self.transaction(order)
