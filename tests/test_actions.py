"""Each action of the module, as the web client opens it for each role (R14)."""

import datetime

from lxml import etree

from odoo.tools.safe_eval import datetime as safe_datetime
from odoo.tools.safe_eval import safe_eval

from .common import PaidSupportCommon

MODULE = "helpdesk_paid_support"
#: Menus of staff, and what each role sees more.
READER = {
    "helpdesk_incident_menu",
    "helpdesk_incident_dashboard_menu",
    "helpdesk_incident_account_menu",
    "helpdesk_incident_subscription_menu",
    "helpdesk_incident_allotment_menu",
    "helpdesk_incident_entry_menu",
    "helpdesk_incident_analysis_menu",
    "helpdesk_ticket_waiting_menu",
    "helpdesk_incident_contest_menu",
    "helpdesk_ticket_proposal_menu",
}
CHARGER = READER | {"helpdesk_ticket_charge_menu"}
MANAGER = CHARGER | {
    "helpdesk_incident_plan_menu",
    "helpdesk_incident_price_menu",
    "helpdesk_incident_recurring_menu",
    "helpdesk_incident_returned_menu",
    "helpdesk_incident_reminder_menu",
    "helpdesk_incident_fault_menu",
    "helpdesk_incident_difference_menu",
    "helpdesk_incident_reporting_menu",
    "helpdesk_incident_onboarding_menu",
    "helpdesk_ticket_outcome_menu",
    "helpdesk_incident_threshold_menu",
    "helpdesk_incident_opening_menu",
}
ACCOUNTANT = {
    "account_incident_menu",
    "account_incident_account_menu",
    "account_incident_entry_menu",
    "account_incident_subscription_menu",
    "account_incident_unearned_menu",
    "account_incident_release_menu",
    "account_incident_returned_menu",
    "account_incident_customer_balance_menu",
    "account_incident_recurring_menu",
    "account_incident_analysis_menu",
    "account_ticket_charge_menu",
}
SALES = {"sale_incident_plan_menu"}


class ActionsCommon(PaidSupportCommon):
    """What each role sees of the module, and something to be seen."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.group_ids += cls.env.ref(
            "helpdesk_mgmt.group_helpdesk_manager"
        ) + cls.env.ref("account.group_account_manager")
        cls.admin.group_ids += cls.env.ref("sales_team.group_sale_manager")
        #: The menus of each role.
        cls.roles = {
            cls.agent_own: READER,
            cls.agent_team: READER,
            cls.agent: READER,
            cls.charger: CHARGER,
            cls.manager: MANAGER,
            cls.accountant: ACCOUNTANT,
            cls.admin: MANAGER | ACCOUNTANT | SALES,
        }

    def setUp(self):
        super().setUp()
        self.give_lifetime(5)
        self.give_period(3, "2027-04-11", "2027-05-10")
        self.ticket(incident_count=1)

    def menus_of(self, user):
        """Return the menus of this module that ``user`` sees, by name."""
        menus = self.env["ir.ui.menu"].with_user(user)
        visible = menus.browse(menus._visible_menu_ids())
        ids = visible._get_external_ids()
        found = {}
        for menu in visible:
            for xml_id in ids[menu.id]:
                module, name = xml_id.split(".")
                if module == MODULE and self._reachable(menu, visible):
                    found[name] = menu
        return found

    def _reachable(self, menu, visible):
        while menu:
            if menu not in visible:
                return False
            menu = menu.parent_id
        return True


class TestActions(ActionsCommon):
    def test_menus_of_each_role(self):
        """R12.1, R14: no menu appears or disappears unnoticed."""
        for user, expected in self.roles.items():
            with self.subTest(user=user.login):
                self.assertEqual(set(self.menus_of(user)), expected)
        self.assertFalse(self.menus_of(self.employee))

    def test_every_action_helps(self):
        """R12.5: an empty view says what it is for, and what to do first."""
        data = self.env["ir.model.data"].search(
            [("module", "=", MODULE), ("model", "=", "ir.actions.act_window")]
        )
        actions = self.env["ir.actions.act_window"].browse(data.mapped("res_id"))
        lists = actions.filtered(lambda action: action.target != "new")
        self.assertGreater(len(lists), 8)
        for action in lists:
            help_text = etree.HTML(action.help or "<p/>")
            with self.subTest(action=action.name):
                [title] = help_text.xpath("//p[@class='o_view_nocontent_smiling_face']")
                self.assertTrue(title.xpath("string()").strip())
                step = help_text.xpath("string(//p[2])").strip()
                self.assertTrue(step.endswith("."), step)

    def test_views_of_each_role(self):
        """R12.1, R12.2, R14: every view, filter and group of every menu."""
        for user in self.roles:
            for name, menu in self.menus_of(user).items():
                action = menu.sudo().action
                with self.subTest(user=user.login, menu=name):
                    if action and action._name == "ir.actions.server":
                        self._open_form(action.with_user(user).run(), user)
                    elif action and action.target != "new":
                        self._open(action, user)

    def _open(self, action, user):
        [action_values] = action.with_user(user).sudo().read()
        model = self.env[action_values["res_model"]].with_user(user)
        context = safe_eval(action_values["context"] or "{}", {"uid": model.env.uid})
        model = model.with_context(**context)
        domain = safe_eval(action_values["domain"] or "[]", {"uid": model.env.uid})
        views = model.get_views([*action.views, (False, "search")])["views"]
        self.assertIn("search", views)
        specifications = [
            self._specification(view["arch"], model)
            for mode, view in views.items()
            if mode in ("list", "kanban", "form")
        ]
        for specification in specifications:
            model.web_search_read(domain, specification, limit=80)
        for mode, view in views.items():
            if mode in ("pivot", "graph"):
                self._aggregate(model, domain, view["arch"])
        self._search(model, domain, views["search"]["arch"], specifications[:1])

    def _open_form(self, action, user):
        """Open the record that an action leads to."""
        model = self.env[action["res_model"]].with_user(user)
        [view] = model.get_views(action["views"])["views"].values()
        record = model.browse(action["res_id"])
        [values] = record.web_read(self._specification(view["arch"], model))
        self.assertGreater(len(values), 8)

    def _search(self, model, domain, arch, specifications):
        """Use every filter, group and field of a search view."""
        search = etree.fromstring(arch)
        values = {
            "uid": model.env.uid,
            "context_today": datetime.date.today,
            "datetime": safe_datetime,
        }
        for node in search.iter("filter"):
            if condition := node.get("domain"):
                condition = safe_eval(condition, values)
                for specification in specifications:
                    model.web_search_read([*domain, *condition], specification, limit=9)
            group = safe_eval(node.get("context") or "{}", values).get("group_by")
            if group and model._fields[group.split(":")[0]].type != "properties":
                model.web_read_group(domain, [group], ["__count"])
        for node in search.iter("field"):
            field = model._fields[node.get("name")]
            if field.type == "properties":
                continue
            operator = "=" if field.type in ("selection", "date") else "ilike"
            if node.get("filter_domain"):
                condition = safe_eval(
                    node.get("filter_domain"), {"self": "x", "raw_value": 1}
                )
            else:
                condition = [(field.name, node.get("operator", operator), "x")]
            model.search_count([*domain, *condition])

    def _aggregate(self, model, domain, arch):
        groups, measures = [], ["__count"]
        for node in etree.fromstring(arch).iter("field"):
            name = node.get("name")
            if node.get("type") == "measure":
                measures.append(f"{name}:sum")
            elif not node.get("invisible"):
                interval = node.get("interval")
                groups.append(f"{name}:{interval}" if interval else name)
        model.formatted_read_group(domain, groups, measures)

    def _specification(self, arch, model):
        """Return what the web client reads for a view."""

        def fields_of(node, model):
            specification = {}
            for child in node:
                if child.tag == "field" and child.get("name") in model._fields:
                    field = model._fields[child.get("name")]
                    value = specification[field.name] = {}
                    if field.type in ("one2many", "many2many"):
                        value["fields"] = {
                            "display_name": {},
                            **fields_of(child, model.env[field.comodel_name]),
                        }
                    elif field.type == "many2one":
                        value["fields"] = {"display_name": {}}
                elif isinstance(child.tag, str):
                    specification |= fields_of(child, model)
            return specification

        return fields_of(etree.fromstring(arch), model)
