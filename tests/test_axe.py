import json
import os
from datetime import datetime
from pathlib import Path
from unittest import skipUnless

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .test_subscription_portal import SubscriptionPortalCommon

AXE = os.environ.get("PAID_SUPPORT_AXE")
#: A screen, and a phone.
SIZES = ((1280, 900), (390, 844))
#: What belongs to core's own frame, and to the pages of tickets of `helpdesk_mgmt`: the
#: beginning of the paths, the rule, and the part of the page, as a selector.
LISTED = [
    ("/my", "html-has-lang", "html"),  # told by `website`
    ("/new", "html-has-lang", "html"),
    ("/my/home", "image-alt", ".o_portal_icon"),
    ("/my/home", "heading-order", "h5"),
    ("/my/home", "page-has-heading-one", "html"),
    ("/my/tickets", "button-name", ".o_portal_navbar, .o_portal_search_panel"),
    ("/my/tickets", "landmark-unique", ".navbar-expand"),
    ("/my/ticket", "page-has-heading-one", "html"),
    ("/my/ticket", "heading-order", "h5"),
    ("/my/orders", "page-has-heading-one", "html"),
    ("/my/orders", "heading-order", "#sale_info_title, .o_portal_sidebar h6"),
]
#: What the web client breaks in its views, and `helpdesk_mgmt` in the form of tickets:
#: the rule, and the part of the view.
FRAME = [
    ("aria-allowed-attr", ".o_searchview, .o-dropdown, .o-autocomplete--input"),
    ("aria-allowed-attr", ".o_progress"),
    ("aria-allowed-attr", ".o_tag"),
    ("aria-allowed-role", "article.o_kanban_record"),
    ("aria-command-name", ".o_searchview"),
    ("aria-prohibited-attr", ".o-mail-Message"),
    ("aria-required-children", ".o_menu_sections, .o_menu_systray"),
    ("aria-required-parent", ".o_menu_brand, .o_notebook_headers, .o_searchview"),
    ("autocomplete-valid", ".o_select_menu_input"),
    ("button-name", ".o_optional_columns_dropdown, .o_list_actions_header"),
    ("empty-table-header", ".o_list_table"),
    ("html-has-lang", "html"),
    ("image-alt", ".o-mail-Message, .o-mail-Avatar"),
    ("label", ".o_list_table .o-checkbox, .oe_title [name='name']"),
    ("landmark-unique", ".o_main_navbar, .o_cp_searchview"),
    ("meta-viewport", "meta"),
    ("page-has-heading-one", "html"),
    ("region", ".o_breadcrumb, .o_last_breadcrumb_item, .o-main-components-container"),
    ("role-img-alt", ".o_searchview, .o-mail-Chatter, .o_menu_systray"),
    ("role-img-alt", ".o_field_list_activity"),
]
#: Returns what waits until a page has been told all that it has asked for, and has
#: changed no more for some milliseconds.
WATCH = """
    const watch = (page) => {
        let asked = 0, changed = performance.now();
        const {rpcBus} = page.odoo.loader.modules.get("@web/core/network/rpc") || {};
        rpcBus?.addEventListener("RPC:REQUEST", () => asked++);
        rpcBus?.addEventListener("RPC:RESPONSE", () => {
            asked = Math.max(asked - 1, 0);
            changed = performance.now();
        });
        new page.MutationObserver(() => {
            changed = performance.now();
        }).observe(page.document, {
            attributes: true, characterData: true, childList: true, subtree: true,
        });
        return async (milliseconds) => {
            const start = performance.now();
            await page.document.fonts.ready;
            let now = start;
            while (
                now < start + 5000 &&
                (asked || now - Math.max(changed, start) < milliseconds)
            ) {
                await new Promise((resolve) => setTimeout(resolve, 20));
                now = performance.now();
            }
        };
    };
"""
#: Opens one view after the other, runs axe in it, and tells what it found.
VIEWS = """
(async () => {
    const source = %(source)s, actions = %(actions)s, listed = %(listed)s;
    %(watch)s
    window.eval(source);
    const found = [], settled = watch(window);
    const action = odoo.__WOWL_DEBUG__.root.env.services.action;
    for (const [name, view, id] of actions) {
        await action.doAction(name, {viewType: view, clearBreadcrumbs: true,
            props: id ? {resId: id} : {}});
        await settled(200);
        const results = await axe.run(document, {resultTypes: ["violations"]});
        for (const violation of results.violations) {
            for (const node of violation.nodes) {
                const target = String(node.target.slice(-1)[0]);
                const element = document.querySelector(target);
                if (
                    listed.some(
                        ([rule, part]) =>
                            rule === violation.id && element?.closest(part)
                    )
                ) {
                    continue;
                }
                found.push(
                    `${name} ${view} ${violation.id} ${target}: ` +
                        `${node.failureSummary} ${node.html.slice(0, 200)}`
                );
            }
        }
    }
    if (found.length) {
        console.error(`${found.length} obstacles:\\n${found.join("\\n")}`);
    } else {
        console.log("test successful");
    }
})();
"""
#: Opens one page after the other in a frame, runs axe in it in each size, and tells
#: what it found.
RUN = """
(async () => {
    const source = %(source)s, paths = %(paths)s, sizes = %(sizes)s;
    const listed = %(listed)s;
    %(watch)s
    const frame = document.createElement("iframe");
    document.body.append(frame);
    const found = [];
    const resize = ([width, height]) => {
        frame.style = `position: fixed; inset: 0; border: 0; width: ${width}px;
            height: ${height}px; z-index: 9999; background: white`;
    };
    const look = async (path, view, width) => {
        if (view.innerWidth !== width) {
            found.push(`${path} is ${view.innerWidth} wide`);
        }
        const results = await view.axe.run(view.document, {
            resultTypes: ["violations"],
        });
        for (const violation of results.violations) {
            for (const node of violation.nodes) {
                const [target] = node.target.slice(-1);
                const element = view.document.querySelector(target);
                if (
                    listed.some(
                        ([start, rule, part]) =>
                            path.startsWith(start) &&
                            rule === violation.id &&
                            element?.closest(part)
                    )
                ) {
                    continue;
                }
                found.push(
                    `${path} ${width}: ${violation.id} ${target}: ` +
                        node.html.slice(0, 200)
                );
            }
        }
        if (!results.passes.length) {
            found.push(`${path}: nothing was looked at`);
        }
    };
    for (const path of paths) {
        resize(sizes[0]);
        await new Promise((resolve) => {
            frame.onload = resolve;
            frame.src = path;
        });
        const view = frame.contentWindow, settled = watch(view);
        view.eval(source);
        for (const size of sizes) {
            resize(size);
            await settled(100);
            await look(path, view, size[0]);
        }
    }
    if (found.length) {
        console.error(`${found.length} obstacles:\\n${found.join("\\n")}`);
    } else {
        console.log("test successful");
    }
})();
"""


@tagged("post_install", "-at_install")
@skipUnless(AXE, "axe is fetched by dev/test")
class TestAxe(SubscriptionPortalCommon):
    """R11.4: people with disabilities can use every page: axe finds nothing but what
    is core's."""

    def look_at(self, paths, login):
        """Run axe in pages, as wide as a screen and as a phone."""
        self.browser_size = "1280x900"
        code = RUN % {
            "source": json.dumps(Path(AXE).read_text()),
            "paths": json.dumps(paths),
            "sizes": json.dumps(SIZES),
            "listed": json.dumps(LISTED),
            "watch": WATCH,
        }
        self.browser_js(paths[0], code, login=login, timeout=180)

    def client_area(self):
        """Return the pages of a customer who has something of everything."""
        order = self.order(self.business)
        self.transaction(order)
        subscription = self.subscription(order)
        waiting = self.quotation(self.pack, partner_id=self.user.partner_id.id)
        waiting.action_quotation_sent()
        ticket = self.env["helpdesk.ticket"].create(
            {
                "name": "It does not work",
                "description": "Please help",
                "partner_id": self.user.partner_id.id,
                "company_id": self.company.id,
                "team_id": self.team.id,
            }
        )
        ticket.incident_count = 1
        self.env["helpdesk.ticket.proposal"].create(
            [
                {
                    "ticket_id": ticket.id,
                    "kind": "incidents",
                    "quantity": quantity,
                    "name": "Move it",
                }
                for quantity in (1, 9999, 1)
            ]
        )[-1:].action_withdraw()
        # One that was closed long ago, and goes on in that.
        self.team.incident_reopen_days = 1
        old = ticket.copy({"partner_id": self.user.partner_id.id})
        old.stage_id = self.env.ref("helpdesk_mgmt.helpdesk_ticket_stage_done")
        old.closed_date = datetime(2020, 1, 1)
        ticket._incident_continue(old)
        self.company.helpdesk_mgmt_portal_select_team = True
        return [
            "/my/home",
            *self.client_area_of(subscription),
            "/my/tickets",
            f"/my/ticket/{ticket.id}",
            f"/my/ticket/{old.id}",
            f"/new/ticket?incident_previous={old.id}",
            waiting.get_portal_url(),
        ]

    def test_client_area(self):
        """R11.4: every page of the client area, as wide as a screen and as a phone."""
        self.look_at(self.client_area(), "hps-nora")

    def test_history(self):
        """R22.1, R22.2: the pictures of months of use, and the plans beside it."""
        with freeze_time("2026-11-11 10:00:00"):
            subscription = self.bought(self.gold_year)
            self.use(4)
        with freeze_time("2027-02-20 10:00:00"):
            self.use(2)
        pages = ["/my/incidents", self.path(subscription, "/renew")]
        self.log_in()
        for address, name in zip(pages, ("history", "fits"), strict=True):
            self.assertTrue(self.page(address).xpath(f"//section[@name='{name}']"))
        self.look_at(pages, "hps-nora")

    def test_views(self):
        """R12.1: the lists and forms where staff works."""
        self.client_area()
        order = self.env["sale.order"].search([("state", "=", "sale")], limit=1)
        ticket = self.env["helpdesk.ticket"].search(
            [("partner_id", "=", self.user.partner_id.id)], limit=1
        )
        account = self.incident_account()
        admin = self.env.ref("base.user_admin")
        admin.group_ids += self.env.ref("helpdesk_mgmt.group_helpdesk_manager")
        admin.write(
            {
                "company_ids": [Command.link(self.company.id)],
                "company_id": self.company.id,
                "tour_enabled": False,
            }
        )
        module = "helpdesk_paid_support"
        actions = [
            (f"{module}.helpdesk_incident_account_action", "list", 0),
            (f"{module}.helpdesk_incident_account_action", "form", account.id),
            (f"{module}.helpdesk_incident_subscription_action", "list", 0),
            (
                f"{module}.helpdesk_incident_subscription_action",
                "form",
                self.subscription(order).id,
            ),
            (f"{module}.helpdesk_incident_entry_action", "list", 0),
            (f"{module}.helpdesk_incident_allotment_action", "list", 0),
            (f"{module}.helpdesk_ticket_proposal_action", "list", 0),
            ("helpdesk_mgmt.helpdesk_ticket_dashboard_action", "kanban", 0),
            ("helpdesk_mgmt.helpdesk_ticket_action", "form", ticket.id),
        ]
        self.browser_size = "1280x900"
        self.browser_js(
            "/odoo",
            VIEWS
            % {
                "source": json.dumps(Path(AXE).read_text()),
                "actions": json.dumps(actions),
                "listed": json.dumps(FRAME),
                "watch": WATCH,
            },
            ready="odoo.isReady === true",
            login="admin",
            timeout=180,
        )
