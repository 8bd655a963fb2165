import functools

from markupsafe import Markup

from odoo.tests import tagged

from odoo.addons.helpdesk_mgmt.controllers.main import HelpdeskTicketController
from odoo.addons.helpdesk_paid_support.controllers.form import filled
from odoo.addons.helpdesk_paid_support.models.ticket import helpdesk_ticket_draft

from .test_buy import BuyCommon

#: What other add-ons bring to the form: a choice, a choice with a first value, and some
#: of each kind.
FIELDS = """
<xpath expr="//label[@for='category']/ancestor::div[hasclass('form-group')]"
       position="after">
    <div class="form-group">
        <select name="type">
            <option value=""/>
            <option value="1">Incident</option>
            <option value="2">Request</option>
        </select>
        <select name="priority" required="True">
            <option t-foreach="priorities or ['0', '3']" t-as="one"
                    t-att-value="one" t-out="one"/>
        </select>
        <select name="products" multiple="multiple">
            <option value="a"/>
            <option value="b" selected="selected"/>
            <option value="c"/>
        </select>
        <input type="checkbox" name="urgent"/>
        <input type="checkbox" name="call" checked="checked"/>
        <input type="radio" name="how" value="mail" checked="checked"/>
        <input type="radio" name="how" value="phone"/>
        <input type="date" name="since"/>
        <input type="hidden" name="reference" value=""/>
        <input type="hidden" name="secret" value="of this page"/>
        <textarea name="steps"/>
    </div>
</xpath>
"""


@tagged("post_install", "-at_install")
class TestDraft(BuyCommon):
    """R11.2: what was typed survives until it is submitted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.helpdesk_mgmt_portal_select_category = True
        cls.env["ir.ui.view"].create(
            {
                "name": "What other add-ons bring",
                "type": "qweb",
                "inherit_id": cls.env.ref("helpdesk_mgmt.portal_create_ticket").id,
                "arch": f"<data>{FIELDS}</data>",
            }
        )

    def setUp(self):
        super().setUp()
        self.authenticate("hps-nora", "hps-nora")

    def form(self, **values):
        return {
            "incident_form": "a form",
            "team": self.team.id,
            "subject": "Mail server refuses",
            "description": "\nPlease <b>help</b> & soon",
            "type": "2",
            "priority": "3",
            "products": ["a", "c"],
            "urgent": "on",
            "how": "phone",
            "since": "2027-04-10",
            "reference": "by a script",
            "secret": "of before",
            "steps": 'First\nthen "this"',
            **values,
        }

    def drafts(self, user=None):
        return self.env["helpdesk.ticket.draft"].with_user(user or self.user)._mine()

    def values(self, page):
        """Return what the form of a page would send."""
        return dict(page.xpath("//form[@action='/submitted/ticket']")[0].form_values())

    def assertFilled(self, page):
        sent = page.xpath("//form[@action='/submitted/ticket']")[0]
        values = {}
        for name, value in sent.form_values():
            values.setdefault(name, []).append(value)
        for name in ("csrf_token", "incident_form", "incident_draft"):
            self.assertTrue(values.pop(name)[0], name)
        expected = self.form(team=str(self.team.id), secret="of this page")
        del expected["incident_form"]
        # Which a browser drops.
        expected["description"] = "\n" + expected["description"]
        self.assertEqual(
            values,
            {
                name: value if isinstance(value, list) else [value]
                for name, value in expected.items()
            },
        )

    def test_refused(self):
        """R11.2: the refused form has every field as it was, whoever brings it."""
        tickets = self.env["helpdesk.ticket"].search_count([])
        page = self.post("/submitted/ticket", **self.form())
        self.assertIn("1 needed, 0 available", self.text(page, "//*[@name='error']"))
        self.assertFilled(page)
        self.assertEqual(self.env["helpdesk.ticket"].search_count([]), tickets)

    def test_refused_more_than_once(self):
        """R11.2: it is one draft, with what was typed last."""
        page = self.post("/submitted/ticket", **self.form())
        form = self.values(page)
        del form["csrf_token"]
        page = self.post("/submitted/ticket", **{**form, "subject": "It refuses"})
        self.assertEqual(self.drafts().mapped("subject"), ["It refuses"])
        # Sent once more as it was, too.
        for _twice in range(2):
            self.post("/submitted/ticket", **self.form(incident_form="another"))
        self.assertEqual(len(self.drafts()), 2)

    def test_what_the_form_shows_first(self):
        """R11.2: the refused form is built as the first one, by every add-on."""
        shown = HelpdeskTicketController.create_new_ticket

        @functools.wraps(shown)
        def create_new_ticket(controller, **kw):
            response = shown(controller, **kw)
            response.qcontext["priorities"] = ["0", "1", "2"]
            return response

        self.patch(HelpdeskTicketController, "create_new_ticket", create_new_ticket)
        page = self.post("/submitted/ticket", **self.form(priority="1"))
        priority = page.xpath("//select[@name='priority']/option[@selected]/@value")
        self.assertEqual(priority, ["1"])

    def test_continue_after_buying(self):
        """R11.2, R11.4: refused, bought, paid, continued, submitted: nothing is typed
        twice."""
        self.post("/submitted/ticket", **self.form())
        for path in ("/my/incidents/buy", "/my/incidents", "/new/ticket"):
            link = "//*[@name='drafts']//a[@name='continue']"
            page = self.page(path)
            self.assertEqual(
                self.text(page, link), "Continue your ticket “ Mail server refuses ”"
            )
        self.post("/my/incidents/buy/order", plan=self.pack.id)
        order = self.orders()
        self.transaction(order)
        page = self.page(f"/my/incidents?order_id={order.id}")
        page = self.page(page.xpath(f"{link}/@href")[0])
        self.assertFilled(page)
        self.assertFalse(page.xpath("//*[@name='drafts']"))
        form = self.values(page)
        del form["csrf_token"]
        page = self.post("/submitted/ticket", **form)
        self.assertIn("You have 9 left", self.text(page, "//*[@name='incident_count']"))
        self.assertFalse(self.drafts())
        self.assertFalse(self.page("/my/incidents").xpath("//*[@name='drafts']"))

    def test_kept_before_it_is_submitted(self):
        """R11.2: the button to buy keeps what was typed, as far as it was."""
        page = self.post("/new/ticket/keep", **self.form(incident_files="1"))
        self.assertTrue(page.xpath("//*[@name='drafts']"))
        page = self.page(f"/new/ticket?incident_draft={self.drafts().id}")
        self.assertFilled(page)
        self.assertIn(
            "choose your files again", self.text(page, "//*[@name='continued']")
        )
        self.post("/new/ticket/keep", team=self.team.id, subject=" ", description="")
        self.assertEqual(len(self.drafts()), 1, "nothing was typed")

    def test_discard(self):
        """R11.2: whoever needs it no more says so."""
        self.post("/submitted/ticket", **self.form())
        page = self.page("/new/ticket")
        path = page.xpath("//*[@name='drafts']//form/@action")[0]
        self.post(path, incident_draft=self.drafts().id)
        self.assertFalse(self.drafts())

    def test_of_others(self):
        """R11.6: nobody gets, changes or discards what another user has typed, a
        colleague included."""
        self.post("/submitted/ticket", **self.form())
        draft = self.drafts()
        self._portal_user("nils", self.customer)
        for login in ("hps-nils", "hps-bella"):
            self.authenticate(login, login)
            page = self.page(f"/new/ticket?incident_draft={draft.id}")
            self.assertEqual(page.xpath("//input[@name='subject']/@value"), [])
            self.assertFalse(page.xpath("//*[@name='drafts']"))
            self.post("/new/ticket/discard", incident_draft=draft.id)
            for path in ("/new/ticket/keep", "/submitted/ticket"):
                self.post(
                    path, **self.form(incident_draft=draft.id, subject="Of others")
                )
        self.assertEqual(self.drafts(), draft)
        self.assertEqual(draft.subject, "Mail server refuses")

    def test_malformed(self):
        """R11.6: what nobody can have typed."""
        for number in ("abc", "-1", "9" * 30, "²", ""):
            page = self.page(f"/new/ticket?incident_draft={number}")
            self.assertFalse(page.xpath("//*[@name='continued']"))
            self.post("/new/ticket/discard", incident_draft=number)
        self.post(
            "/submitted/ticket",
            **self.form(subject="Nothing\x00 \ud7ff", type="9", **{"x\x00": "\x00"}),
        )
        self.assertEqual(self.drafts().subject, "Nothing \ud7ff")
        # Copied from a terminal, say: what no page can show, kept before or now.
        odd = {"subject": "A\x1b[0m \ufffe\uffffB", "steps": "1\t\x0c\x7f\n2"}
        page = self.post("/submitted/ticket", **self.form(**odd))
        self.assertEqual(page.xpath("//input[@name='subject']/@value"), ["A[0m B"])
        self.assertIn("1\t\x7f\n2", page.xpath("//textarea[@name='steps']")[0].text)
        draft = self.drafts()[0]
        draft.form = {**draft.form, "subject": ["A\x1bB"], "x\x1b": ["\x1b"]}
        page = self.page(f"/new/ticket?incident_draft={draft.id}")
        self.assertEqual(page.xpath("//input[@name='subject']/@value"), ["AB"])

    def test_text_before_the_form(self):
        """R11.2: what a page says before its first field stays text."""
        form = Markup("1 &lt; 2 &lt;b&gt; <input name='x'/>")
        self.assertTrue(
            filled(form, {"x": ["y"]}).startswith("1 &lt; 2 &lt;b&gt; <input")
        )

    def test_as_many_as_needed(self):
        """R11.2: the last ones are kept, for some time; what is too long is not."""
        self.patch(helpdesk_ticket_draft, "MAX_DRAFTS", 2)
        for number in "123":
            self.post(
                "/new/ticket/keep", **self.form(subject=number, incident_form=number)
            )
        self.assertEqual(self.drafts().mapped("subject"), ["3", "2"])
        self.patch(helpdesk_ticket_draft, "MAX_LENGTH", 10)
        page = self.post("/submitted/ticket", **self.form())
        self.assertEqual(
            page.xpath("//input[@name='subject']/@value"), ["Mail server refuses"]
        )
        self.assertEqual(len(self.drafts()), 2)
        self.env.cr.execute(
            "UPDATE helpdesk_ticket_draft SET write_date = write_date - '91 days'"
            "::interval WHERE subject = '2'"
        )
        self.drafts()._gc_drafts()
        self.assertEqual(self.drafts().mapped("subject"), ["3"])

    def test_labels(self):
        """R11.1: each field that a customer types into has a label."""
        page = self.page("/new/ticket")
        for name in ("subject", "description"):
            label = page.xpath(f"//label[@for='{name}']")
            self.assertEqual(len(label), 1)
            self.assertEqual(page.get_element_by_id(name).get("name"), name)
