from odoo.tests import HttpCase, tagged

from .test_actions import MODULE, ActionsCommon

CLICK = (
    "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
    ".startClickEverywhere('%s')"
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
        cls.app = cls.env["ir.ui.menu"].create({"name": "Paid support"})
        cls.env["ir.model.data"].create(
            {
                "module": MODULE,
                "name": "click_everywhere",
                "model": "ir.ui.menu",
                "res_id": cls.app.id,
            }
        )

    def setUp(self):
        super().setUp()
        # Pages are asked for while the browser's clock goes on.
        self.addCleanup(self.env.registry.clear_cache)

    def click(self, user, names):
        menus = self.menus_of(user)
        section = self.env["ir.ui.menu"].create(
            {"name": "Everything", "parent_id": self.app.id}
        )
        for name in names:
            if menus[name].action:
                menus[name].parent_id = section
        self.browser_js(
            "/odoo",
            CLICK % f"{MODULE}.click_everywhere",
            "odoo.isReady === true",
            login=user.login,
            timeout=180,
            success_signal="clickbot test succeeded",
        )

    def test_manager(self):
        self.click(self.manager, self.roles[self.manager])
