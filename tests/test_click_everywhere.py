import os
from unittest import skipUnless

from freezegun import freeze_time

from odoo.tests import HttpCase, tagged

from .common import TODAY
from .test_actions import MODULE, ActionsCommon

CLICK = (
    "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
    f".startClickEverywhere('{MODULE}.click_everywhere');"
)
#: The robot looks for the menu of filters, and goes on where it finds none. They cost
#: most of the time.
SKIP_FILTERS = """
    const find = document.querySelector.bind(document);
    const isFilters = (name) => name.includes("o_searchview_dropdown_toggler");
    document.querySelector = (name) => (isFilters(name) && %s ? null : find(name));
"""
ALL = "true"
IN_OTHER_VIEWS = "find('.o_switch_view.active:not(:first-child)')"


@skipUnless(
    os.environ.get("PAID_SUPPORT_CLICK"), "PAID_SUPPORT_CLICK=1 lets the robot click"
)
@tagged("post_install", "-at_install")
class TestClickEverywhere(ActionsCommon, HttpCase):
    """Odoo's own robot clicks on every menu of the module, every view and every
    filter, in a real browser. Whatever complains in the console is an error."""

    allow_end_on_form = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.users"].search([]).tour_enabled = False
        # The robot walks through an app: one that has our menus alone.
        app = cls.env["ir.ui.menu"].create({"name": "Paid support"})
        cls.env["ir.model.data"].create(
            {
                "module": MODULE,
                "name": "click_everywhere",
                "model": "ir.ui.menu",
                "res_id": app.id,
            }
        )
        cls.section = app.create({"name": "Everything", "parent_id": app.id})

    def setUp(self):
        super().setUp()
        # The browser's patience is measured by the clock: it goes on.
        self.startPatcher(freeze_time(TODAY, tick=True))

    def test_each_role(self):
        """R12.1, R14: one browser after another, as assets are made once."""
        for user in self.roles:
            with self.subTest(user=user.login):
                # As admin every filter; ``test_actions.py`` uses them as each role.
                self.click(user, IN_OTHER_VIEWS if user == self.admin else ALL)

    def click(self, user, skip):
        """Click on every menu that ``user`` sees, and on every view."""
        menus = [
            menu.with_env(self.env)
            for menu in self.menus_of(user).values()
            if menu.sudo().action
        ]
        places = {menu: menu.parent_id for menu in menus}
        for menu in menus:
            menu.parent_id = self.section
            # The app opens with its first menu: no dialog.
            menu.sequence = 99 if menu.action.target == "new" else 1
        self.browser_js(
            "/odoo",
            SKIP_FILTERS % skip + CLICK,
            "odoo.isReady === true",
            login=user.login,
            timeout=300,
            # The robot counts what it has opened, and says so at its end.
            success_signal=f"Successfully tested {len(menus)} menus",
        )
        for menu, place in places.items():
            menu.parent_id = place
